// Seeded random flows and conditions for property tests, and what plain loops over them answer.
#pragma once

#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "core/builder.hh"
#include "core/filter.hh"

namespace sample {

using Random = std::mt19937;

inline constexpr uint32_t hours = 12; // flows lie in [1, hours]

struct Flow {
    uint32_t hour;
    std::array<std::string, fas::text_dimension_count> names;
    std::array<uint64_t, fas::metric_count> metrics;

    fas::FlowView view() const { return {hour, {names[0], names[1], names[2]}, metrics}; }
};

// Names that share prefixes, are prefixes of each other, hold odd bytes, differ in case.
inline std::string name(Random &random) {
    static const char *const stems[] = {"a", "ab", "abc", "App", "app", "b", "é", "z,z", "\n", "null", "0"};
    std::string out = stems[random() % std::size(stems)];
    if (random() % 2 != 0)
        out += std::to_string(random() % 20);
    return out;
}

inline uint64_t metric(Random &random) {
    switch (random() % 4) {
    case 0:
        return 0;
    case 1:
        return fas::max_metric - random() % 3;
    default:
        return random() % 100000;
    }
}

// Flows in any order of hours; some keys come often.
inline std::vector<Flow> flows(Random &random, size_t count) {
    std::vector<Flow> keys;
    for (size_t i = 0; i < 1 + count / 4; ++i)
        keys.push_back({0, {name(random), name(random), name(random)}, {}});
    std::vector<Flow> out;
    for (size_t i = 0; i < count; ++i) {
        Flow flow = keys[random() % keys.size()];
        flow.hour = 1 + random() % hours;
        flow.metrics = {metric(random), metric(random)};
        out.push_back(std::move(flow));
    }
    return out;
}

inline fas::SegmentBytes segment(const std::vector<Flow> &flows) {
    fas::SegmentBuilder builder;
    for (const Flow &flow : flows)
        builder.add(flow.view());
    return builder.build();
}

inline fas::Condition leaf(Random &random) {
    using fas::Comparison;
    auto comparison = static_cast<Comparison>(random() % 8);
    bool list = comparison == Comparison::in || comparison == Comparison::not_in;
    size_t values = list ? random() % 5 : 1;
    if (random() % 3 == 0) {
        if (comparison == Comparison::prefix || comparison == Comparison::not_prefix)
            comparison = Comparison::less_equal;
        std::vector<int64_t> out;
        for (size_t i = 0; i < values; ++i)
            out.push_back(static_cast<int64_t>(random() % (hours + 4)) - 1);
        return fas::Condition::hour_leaf(comparison, std::move(out));
    }
    std::vector<std::string> out;
    for (size_t i = 0; i < values; ++i)
        out.push_back(name(random));
    return fas::Condition::name_leaf(fas::text_dimension(random() % fas::text_dimension_count), comparison,
                                     std::move(out));
}

inline fas::Condition condition(Random &random, int depth) {
    uint32_t kind = random() % 20;
    if (kind == 0)
        return fas::Condition::everything();
    if (kind == 1)
        return fas::Condition::nothing();
    if (depth == 0 || kind < 7)
        return leaf(random);
    std::vector<fas::Condition> children;
    for (size_t i = random() % 4; i > 0; --i)
        children.push_back(condition(random, depth - 1));
    return kind % 2 != 0 ? fas::Condition::conjunction(std::move(children))
                         : fas::Condition::disjunction(std::move(children));
}

// What a roll-up must say: totals by the grouped dimensions (the others are left empty).
using Key = std::tuple<uint32_t, std::string, std::string, std::string>;
using Answer = std::map<Key, fas::Totals>;

inline Answer rollup(const std::vector<Flow> &flows, uint8_t mask, const fas::Condition &condition) {
    Answer out;
    for (const Flow &flow : flows) {
        fas::FlowView view = flow.view();
        if (!condition.matches(view.hour, view.names))
            continue;
        auto text = [&](unsigned d) { return mask >> d & 1 ? flow.names[d - 1] : std::string(); };
        out[{mask & 1 ? flow.hour : 0, text(1), text(2), text(3)}].add({{flow.metrics[0], flow.metrics[1]}, 1});
    }
    return out;
}

} // namespace sample
