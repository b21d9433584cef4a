// libFuzzer, two targets in one. An even first byte: the rest is a serialised roll-up, from anybody. An odd one: the
// rest is a condition and flows; selection by index, by scan and roll-ups must say what a loop over the flows says.
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/rollup.hh"
#include "core/segment_writer.hh"

using namespace fas;

namespace {

void check(bool holds) {
    if (!holds)
        std::abort();
}

// ------------------------------------------------------------------------------------------------ bytes

using Answer = std::map<std::tuple<uint32_t, std::string, std::string, std::string>, Totals>;

Answer answer_of(const Rollup &rollup) {
    Answer out;
    for (const Group &group : rollup.groups()) {
        auto text = [&](unsigned d) {
            return rollup.group_by().has(static_cast<Dimension>(d))
                       ? std::string(rollup.names(d - 1)[group.name_ids[d - 1]])
                       : std::string();
        };
        check(out.insert({{group.hour, text(1), text(2), text(3)}, group.totals}).second);
    }
    return out;
}

void check_bytes(Bytes bytes) {
    std::vector<uint8_t> exact(bytes.begin(), bytes.end());
    try {
        Rollup rollup = Rollup::deserialize(exact);
        check(rollup.serialize() == exact);
        Answer once = answer_of(rollup), twice;
        rollup.add(Rollup::deserialize(exact));
        twice = answer_of(rollup);
        check(once.size() == twice.size());
        for (const auto &[key, totals] : once)
            check(twice.at(key).flows == totals.flows * 2);
    } catch (const Error &e) {
        check(e.sqlstate() == std::string(sqlstate::invalid_binary_representation));
    }
}

// ------------------------------------------------------------------------------------------------ flows

class Input {
  public:
    explicit Input(Bytes bytes) : left_(bytes) {}
    uint8_t next() {
        if (left_.empty())
            return 0;
        uint8_t out = left_[0];
        left_ = left_.subspan(1);
        return out;
    }
    bool empty() const { return left_.empty(); }

  private:
    Bytes left_;
};

constexpr std::string_view all_names[] = {"a", "aa", "aab", "ab", "b", "ba", "z", "\xc3\xa9"}; // sorted
constexpr size_t all_name_count = std::size(all_names);

Condition read_condition(Input &in, int depth) {
    uint8_t kind = in.next();
    if (kind % 8 >= 5 && depth > 0) {
        std::vector<Condition> children;
        for (unsigned i = kind >> 3 & 3; i > 0; --i)
            children.push_back(read_condition(in, depth - 1));
        return kind & 128 ? Condition::conjunction(std::move(children)) : Condition::disjunction(std::move(children));
    }
    if (kind % 8 == 4)
        return kind & 8 ? Condition::everything() : Condition::nothing();
    auto comparison = static_cast<Comparison>(kind >> 3 & 7);
    bool list = comparison == Comparison::in || comparison == Comparison::not_in;
    std::vector<int64_t> hours;
    std::vector<std::string> names;
    for (unsigned i = list ? in.next() % 4 : 1; i > 0; --i) {
        uint8_t value = in.next();
        hours.push_back(int64_t{value % 12} - 1);
        names.push_back(std::string(all_names[value % all_name_count]));
    }
    if (kind % 8 == 0)
        return Condition::hour_leaf(comparison >= Comparison::prefix ? Comparison::less : comparison, std::move(hours));
    return Condition::name_leaf(text_dimension(kind % 3), comparison, std::move(names));
}

struct Flow {
    uint32_t hour;
    std::array<uint8_t, text_dimension_count> names;
    auto operator<=>(const Flow &) const = default;
    std::array<std::string_view, text_dimension_count> texts() const {
        return {all_names[names[0]], all_names[names[1]], all_names[names[2]]};
    }
};
using Cells = std::map<Flow, std::vector<uint64_t>>;

SegmentBytes build(const Cells &cells, bool index) {
    std::array<std::vector<std::string_view>, text_dimension_count> names;
    std::array<std::map<uint8_t, uint32_t>, text_dimension_count> ids;
    NameSpans spans;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        for (const auto &[flow, rows] : cells)
            ids[t][flow.names[t]] = 0;
        for (auto &[name, id] : ids[t]) {
            id = static_cast<uint32_t>(names[t].size());
            names[t].push_back(all_names[name]);
        }
        spans[t] = names[t];
    }
    std::map<std::array<uint8_t, text_dimension_count>, uint32_t> keys;
    for (const auto &[flow, rows] : cells)
        keys[flow.names] = 0;
    KeyColumns columns;
    uint32_t number = 0;
    for (auto &[key, ordinal] : keys) {
        ordinal = number++;
        for (size_t t = 0; t < text_dimension_count; ++t)
            columns[t].push_back(ids[t][key[t]]);
    }
    SegmentWriter writer(spans, columns, index ? 0 : UINT32_MAX);
    for (const auto &[flow, rows] : cells) {
        writer.begin_cell(flow.hour, keys[flow.names]);
        for (uint64_t value : rows)
            writer.add_row({value, max_metric - value});
    }
    return writer.finish();
}

std::vector<Range> expected_ranges(const Cells &cells, const Condition &condition) {
    std::vector<Range> out;
    uint32_t cell = 0;
    for (const auto &[flow, rows] : cells) {
        if (condition.matches(flow.hour, flow.texts())) {
            if (!out.empty() && out.back().end == cell)
                ++out.back().end;
            else
                out.push_back({cell, cell + 1});
        }
        ++cell;
    }
    return out;
}

Answer expected_totals(const Cells &cells, uint8_t mask, const Condition &condition) {
    Answer out;
    for (const auto &[flow, rows] : cells)
        if (condition.matches(flow.hour, flow.texts())) {
            const auto texts = flow.texts();
            auto text = [&](unsigned d) { return mask >> d & 1 ? std::string(texts[d - 1]) : std::string(); };
            for (uint64_t value : rows)
                out[{mask & 1 ? flow.hour : 0, text(1), text(2), text(3)}].add({{value, max_metric - value}, 1});
        }
    return out;
}

void check_flows(uint8_t mask, Bytes bytes) {
    Input in(bytes);
    Condition condition = read_condition(in, 3);
    Cells cells;
    do {
        uint8_t hour = in.next(), a = in.next(), b = in.next();
        Flow flow{hour % 10u,
                  {static_cast<uint8_t>(a % 8), static_cast<uint8_t>(a / 8 % 8), static_cast<uint8_t>(b % 8)}};
        cells[flow].push_back(b);
    } while (!in.empty() && cells.size() < 150);
    for (bool index : {false, true}) {
        SegmentBytes segment = build(cells, index);
        for (SelectWay way : {SelectWay::scan, SelectWay::index, SelectWay::order, SelectWay::by_cost}) {
            MemorySource source(segment);
            SegmentReader reader(source);
            check(select_cells(reader, condition, nullptr, way) == expected_ranges(cells, condition));
        }
        MemorySource source(segment);
        SegmentReader reader(source);
        Rollup rollup(GroupBy{mask}, condition);
        rollup.add(reader);
        check(answer_of(rollup) == expected_totals(cells, mask, condition));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        check_bytes({data + 1, size - 1});
    else
        check_flows(data[0] >> 1 & 15, {data + 1, size - 1});
    return 0;
}
