// What segment tests share: flows as plain values, the order that a segment must give them, and all flows of a segment
// read back through the reader's public face.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "core/builder.hh"
#include "core/merge.hh"
#include "core/segment.hh"

namespace fas::test {

struct Flow {
    uint32_t hour = 0;
    std::array<std::string, text_dimension_count> names;
    std::array<uint64_t, metric_count> metrics{};

    auto cell() const { return std::tie(hour, names); }
    bool operator==(const Flow &) const = default;
};
using Flows = std::vector<Flow>;

inline FlowView view(const Flow &flow) {
    return {flow.hour, {flow.names[0], flow.names[1], flow.names[2]}, flow.metrics};
}

inline SegmentBytes build(const Flows &flows) {
    SegmentBuilder builder;
    for (const Flow &flow : flows)
        builder.add(view(flow));
    return builder.build();
}

// std::string compares as unsigned char, so this is the order of segments.
inline Flows in_order(Flows flows) {
    std::stable_sort(flows.begin(), flows.end(), [](const Flow &a, const Flow &b) { return a.cell() < b.cell(); });
    return flows;
}

inline Totals totals_of(const Flows &flows) {
    Totals totals;
    for (const Flow &flow : flows) {
        for (size_t m = 0; m < metric_count; ++m)
            totals.sums[m] += flow.metrics[m];
        ++totals.flows;
    }
    return totals;
}

inline Flows read_all(const SegmentBytes &bytes) {
    MemorySource source(bytes);
    SegmentReader reader(source);
    CellColumns cells;
    RowColumns rows;
    reader.read_cells({0, reader.header().cells}, cells);
    reader.read_rows({0, reader.header().flows}, rows);
    Flows flows;
    for (const HourEntry &hour : reader.hours())
        for (uint32_t cell = hour.cells.begin; cell < hour.cells.end; ++cell)
            for (uint32_t row = cells.first_row[cell]; row < cells.first_row[cell + 1]; ++row) {
                Flow flow;
                flow.hour = hour.hour;
                for (size_t t = 0; t < text_dimension_count; ++t)
                    flow.names[t] = reader.names(t)[reader.key_ids(t)[cells.key[cell]]];
                for (size_t m = 0; m < metric_count; ++m)
                    flow.metrics[m] = rows.metrics[m][row];
                flows.push_back(flow);
            }
    return flows;
}

struct Shape {
    size_t flows = 1000;
    uint32_t hours = 3;
    uint32_t first_hour = 0;
    size_t apps = 20;
    size_t vpcs = 3;
    uint64_t most = 100000; // metrics are heavy-tailed below this
};

inline Flows random_flows(std::mt19937_64 &random, const Shape &shape) {
    const auto name = [&](const char *prefix, size_t count) {
        const size_t n = random() % count;
        return n % 7 == 3 ? "\xc3\xa9" + std::to_string(n) : prefix + std::to_string(n); // some are not ASCII
    };
    const auto metric = [&] { return (random() % shape.most) >> random() % 20; };
    Flows flows;
    for (size_t i = 0; i < shape.flows; ++i)
        flows.push_back({shape.first_hour + static_cast<uint32_t>(random() % shape.hours),
                         {name("app", shape.apps), name("svc-", shape.apps), name("vpc-", shape.vpcs)},
                         {metric(), metric()}});
    return flows;
}

// "" when the segment is sound, else the verifier's detail.
inline std::string problem_of(const SegmentBytes &bytes) {
    try {
        MemorySource source(bytes);
        verify_segment(source);
        return "";
    } catch (const Error &error) {
        return std::string(error.sqlstate()) + ": " + error.detail();
    }
}

} // namespace fas::test
