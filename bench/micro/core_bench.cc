// Microbenchmarks of the core: JSON in, segments built and merged, sums out. All on the workload of ../workload.hh.
//
//   cmake --preset release && cmake --build --preset release && build/release/fas_bench
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "../workload.hh"
#include "core/builder.hh"
#include "core/json.hh"
#include "core/merge.hh"
#include "core/rollup.hh"
#include "core/select.hh"

namespace {

constexpr uint32_t first_hour = 480'000;

workload::Options options_of(uint64_t flows, uint32_t hours) {
    workload::Options options;
    options.flows = flows;
    options.hours = hours;
    options.first_hour = first_hour;
    return options;
}

std::string json_batch(uint64_t flows) {
    workload::Workload workload(options_of(flows, 2));
    std::string text = "[";
    for (workload::Flow flow{}; workload.next(flow);) {
        const workload::FlowKey &key = workload.keys()[flow.key];
        text += text.size() == 1 ? "{" : ",{";
        text += "\"src_app\":\"" + workload.apps()[key.src_app] + "\",\"dest_app\":\"" + workload.apps()[key.dest_app] +
                "\",\"vpc_id\":\"" + workload.vpcs()[key.vpc_id] + "\",\"bytes_tx\":" + std::to_string(flow.bytes_tx) +
                ",\"bytes_rx\":" + std::to_string(flow.bytes_rx) + ",\"hour\":" + std::to_string(flow.hour) + "}";
    }
    return text + "]";
}

fas::SegmentBytes segment_of(uint64_t flows, uint32_t hours, uint64_t seed = 1) {
    workload::Options options = options_of(flows, hours);
    options.seed = seed;
    workload::Workload workload(options);
    fas::SegmentBuilder builder;
    for (workload::Flow flow{}; workload.next(flow);) {
        const workload::FlowKey &key = workload.keys()[flow.key];
        builder.add(
            {.hour = flow.hour,
             .names = {workload.apps()[key.src_app], workload.apps()[key.dest_app], workload.vpcs()[key.vpc_id]},
             .metrics = {flow.bytes_tx, flow.bytes_rx}});
    }
    return builder.build();
}

void count_flows(benchmark::State &state, uint64_t flows, size_t bytes) {
    state.SetItemsProcessed(static_cast<int64_t>(flows) * state.iterations());
    state.counters["bytes/flow"] = static_cast<double>(bytes) / static_cast<double>(flows);
}

// What an ingest does outside of PostgreSQL: one batch from text to segment.
void json_to_segment(benchmark::State &state) {
    auto flows = static_cast<uint64_t>(state.range(0));
    std::string text = json_batch(flows);
    fas::SegmentBytes segment;
    for (auto _ : state) {
        fas::SegmentBuilder builder;
        fas::parse_flows(text, {}, builder);
        segment = builder.build();
        benchmark::DoNotOptimize(segment.data());
    }
    count_flows(state, flows, segment.size());
}
BENCHMARK(json_to_segment)->Arg(10)->Arg(100)->Arg(1000)->Arg(20000);

struct NoSink final : fas::FlowSink {
    uint64_t flows = 0;
    void add(const fas::FlowView &) override { ++flows; }
};

void json_alone(benchmark::State &state) {
    auto flows = static_cast<uint64_t>(state.range(0));
    std::string text = json_batch(flows);
    for (auto _ : state) {
        NoSink sink;
        benchmark::DoNotOptimize(fas::parse_flows(text, {}, sink));
    }
    count_flows(state, flows, text.size());
}
BENCHMARK(json_alone)->Arg(1000);

// What a merge of small batches costs: `range` segments of 1,000 flows each.
void merge(benchmark::State &state) {
    auto count = static_cast<uint64_t>(state.range(0));
    std::vector<fas::SegmentBytes> segments;
    for (uint64_t seed = 1; seed <= count; ++seed)
        segments.push_back(segment_of(1000, 2, seed));
    size_t bytes = 0;
    for (auto _ : state) {
        std::vector<std::unique_ptr<fas::MemorySource>> sources;
        std::vector<std::unique_ptr<fas::SegmentReader>> readers;
        std::vector<fas::SegmentReader *> inputs;
        for (const fas::SegmentBytes &segment : segments) {
            sources.push_back(std::make_unique<fas::MemorySource>(fas::Bytes(segment)));
            readers.push_back(std::make_unique<fas::SegmentReader>(*sources.back()));
            inputs.push_back(readers.back().get());
        }
        bytes = fas::merge_segments(inputs).size();
    }
    count_flows(state, 1000 * count, bytes);
}
BENCHMARK(merge)->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond);

void rollup(benchmark::State &state, fas::GroupBy group_by, const fas::Condition &condition) {
    constexpr uint64_t flows = 1 << 20;
    static const fas::SegmentBytes segment = segment_of(flows, 12);
    for (auto _ : state) {
        fas::MemorySource source{fas::Bytes(segment)};
        fas::SegmentReader reader(source);
        fas::Rollup totals(group_by, condition);
        totals.add(reader);
        benchmark::DoNotOptimize(totals.groups().size());
    }
    count_flows(state, flows, segment.size());
}

fas::GroupBy by(std::initializer_list<fas::Dimension> dimensions) {
    fas::GroupBy group_by;
    for (fas::Dimension dimension : dimensions)
        group_by.add(dimension);
    return group_by;
}

using enum fas::Dimension;

void one_hour_by_key(benchmark::State &state) {
    rollup(state, by({src_app, dest_app, vpc_id}), fas::Condition::hour_leaf(fas::Comparison::in, {first_hour + 5}));
}
void all_hours_by_key(benchmark::State &state) {
    rollup(state, by({src_app, dest_app, vpc_id}), fas::Condition::everything());
}
void all_hours_by_vpc(benchmark::State &state) { rollup(state, by({vpc_id}), fas::Condition::everything()); }
void one_app_by_peer(benchmark::State &state) {
    workload::Workload workload(options_of(1, 1));
    const std::string &app = workload.apps()[workload.keys()[20].src_app];
    rollup(state, by({dest_app}), fas::Condition::name_leaf(src_app, fas::Comparison::in, {app}));
}
BENCHMARK(one_hour_by_key)->Unit(benchmark::kMicrosecond);
BENCHMARK(all_hours_by_key)->Unit(benchmark::kMicrosecond);
BENCHMARK(all_hours_by_vpc)->Unit(benchmark::kMicrosecond);
BENCHMARK(one_app_by_peer)->Unit(benchmark::kMicrosecond);

} // namespace
