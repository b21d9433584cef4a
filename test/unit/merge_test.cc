// The merge gives what the builder gives for all flows together; splitting and trimming lose nothing else.
#include <gtest/gtest.h>

#include <memory>

#include "core/interrupt.hh"
#include "segment_model.hh"

using namespace fas;
using namespace fas::test;

namespace {

struct Readers { // of segments that outlive it
    explicit Readers(const std::vector<SegmentBytes> &segments) {
        for (const SegmentBytes &bytes : segments) {
            sources.push_back(std::make_unique<MemorySource>(bytes));
            readers.push_back(std::make_unique<SegmentReader>(*sources.back()));
            pointers.push_back(readers.back().get());
        }
    }
    std::vector<std::unique_ptr<MemorySource>> sources;
    std::vector<std::unique_ptr<SegmentReader>> readers;
    std::vector<SegmentReader *> pointers;
};

Flows joined(const std::vector<Flows> &parts) {
    Flows all;
    for (const Flows &part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

std::vector<Flows> random_parts(std::mt19937_64 &random, size_t count, size_t most_flows) {
    std::vector<Flows> parts;
    for (size_t i = 0; i < count; ++i)
        parts.push_back(random_flows(random, {.flows = 1 + random() % most_flows,
                                              .hours = static_cast<uint32_t>(1 + random() % 9),
                                              .first_hour = static_cast<uint32_t>(random() % 5),
                                              .apps = 1 + random() % 30,
                                              .vpcs = 1 + random() % 3,
                                              .most = random() % 4 ? 50000 : max_metric}));
    return parts;
}

std::vector<SegmentBytes> build_all(const std::vector<Flows> &parts) {
    std::vector<SegmentBytes> segments;
    for (const Flows &part : parts)
        segments.push_back(build(part));
    return segments;
}

TEST(Merge, IsWhatTheBuilderGives) {
    std::mt19937_64 random(1);
    for (int seed = 0; seed < 40; ++seed) {
        const std::vector<Flows> parts = random_parts(random, 1 + random() % 12, 700);
        const std::vector<SegmentBytes> segments = build_all(parts);
        Readers readers(segments);
        const SegmentBytes merged = merge_segments(readers.pointers);
        ASSERT_EQ(read_all(merged), in_order(joined(parts))) << seed;
        ASSERT_EQ(merged, build(joined(parts))) << seed; // byte for byte
        ASSERT_EQ(problem_of(merged), "") << seed;
    }
}

TEST(Merge, InAnyGrouping) {
    std::mt19937_64 random(2);
    const std::vector<Flows> parts = random_parts(random, 9, 400);
    const std::vector<SegmentBytes> segments = build_all(parts);
    std::vector<SegmentBytes> thirds;
    for (size_t i = 0; i < 9; i += 3) {
        const std::vector<SegmentBytes> three(segments.begin() + static_cast<ptrdiff_t>(i),
                                              segments.begin() + static_cast<ptrdiff_t>(i + 3));
        Readers readers(three);
        thirds.push_back(merge_segments(readers.pointers));
    }
    Readers all(segments), of_thirds(thirds);
    EXPECT_EQ(merge_segments(all.pointers), merge_segments(of_thirds.pointers));
}

TEST(Merge, LargeCellsAndIndex) {
    std::mt19937_64 random(3);
    std::vector<Flows> parts;
    for (int i = 0; i < 3; ++i) {
        parts.push_back(random_flows(random, {.flows = 20000, .hours = 4, .apps = 60}));
        for (uint64_t k = 0; k < 3000; ++k)
            parts.back().push_back({2, {"app1", "svc-1", "vpc-1"}, {max_metric - k, k}});
    }
    const std::vector<SegmentBytes> segments = build_all(parts);
    Readers readers(segments);
    const SegmentBytes merged = merge_segments(readers.pointers);
    MemorySource source(merged);
    EXPECT_TRUE(SegmentReader(source).header().has_index);
    EXPECT_EQ(merged, build(joined(parts)));
    EXPECT_EQ(problem_of(merged), "");
}

// What split segments hold together, in the order of the merge, and that each keeps the promises of SplitOptions.
void check_split(const std::vector<Flows> &parts, const SplitOptions &options, uint32_t first_hour) {
    const std::vector<SegmentBytes> segments = build_all(parts);
    Readers readers(segments);
    const std::vector<SegmentBytes> outputs = merge_and_split(readers.pointers, options, first_hour);
    Flows expected = joined(parts), found;
    std::erase_if(expected, [&](const Flow &flow) { return flow.hour < first_hour; });
    std::map<uint32_t, size_t> of_hour;
    for (const Flow &flow : expected)
        ++of_hour[flow.hour];
    for (const SegmentBytes &output : outputs) {
        ASSERT_EQ(problem_of(output), "");
        const Flows flows = read_all(output);
        ASSERT_LE(flows.size(), options.max_flows);
        for (const Flow &flow : flows)
            if (of_hour[flow.hour] >= options.own_hour_flows) {
                ASSERT_EQ(flow.hour, flows[0].hour); // such an hour shares its segments with no other
            }
        ASSERT_EQ(flows, in_order(flows));
        found.insert(found.end(), flows.begin(), flows.end());
    }
    // Hours that have segments of their own come first; inside of an hour all is in order.
    std::stable_sort(found.begin(), found.end(), [](const Flow &a, const Flow &b) { return a.hour < b.hour; });
    ASSERT_EQ(found, in_order(expected));
}

TEST(Merge, SplitsByHourAndSize) {
    std::mt19937_64 random(4);
    for (int seed = 0; seed < 40; ++seed) {
        const std::vector<Flows> parts = random_parts(random, 1 + random() % 6, 500);
        const SplitOptions options{.max_flows = 1 + random() % 900,
                                   .own_hour_flows = 1 + random() % 400,
                                   .cut_flows = 1 + random() % 200,
                                   .near_hours = static_cast<uint32_t>(1 + random() % 3)};
        ASSERT_NO_FATAL_FAILURE(check_split(parts, options, static_cast<uint32_t>(random() % 8))) << seed;
    }
}

// Inputs of one window of cells, and just more.
TEST(Merge, ManySmallOnes) {
    std::mt19937_64 random(8);
    for (const size_t flows : {1u, 10u, 130u}) {
        std::vector<Flows> parts;
        for (int i = 0; i < 128; ++i)
            parts.push_back(random_flows(random, {.flows = flows, .hours = 5, .apps = 40, .vpcs = 3}));
        const std::vector<SegmentBytes> segments = build_all(parts);
        Readers readers(segments);
        EXPECT_EQ(merge_segments(readers.pointers), build(joined(parts)));
        const SplitOptions options{.max_flows = 500, .own_hour_flows = 100, .cut_flows = 50, .near_hours = 1};
        for (const uint32_t first_hour : {0u, 2u})
            ASSERT_NO_FATAL_FAILURE(check_split(parts, options, first_hour)) << flows;
    }
}

TEST(Merge, PartsACellThatIsTooLarge) {
    std::vector<Flows> parts(2);
    for (uint64_t i = 0; i < 1000; ++i)
        parts[i % 2].push_back({5, {"a", "b", "c"}, {i, 2 * i}});
    parts[0].push_back({5, {"a", "a", "c"}, {1, 1}});
    parts[1].push_back({5, {"b", "b", "c"}, {1, 1}});
    check_split(parts, {.max_flows = 300, .own_hour_flows = 10}, 0);
    check_split(parts, {.max_flows = 1, .own_hour_flows = 1}, 0);
    check_split(parts, {.max_flows = 1000, .own_hour_flows = 5000}, 0);
}

TEST(Merge, SplitsHoursTogetherWhereTheyAreSmall) {
    std::mt19937_64 random(5);
    const std::vector<SegmentBytes> segments = {build(random_flows(random, {.flows = 1000, .hours = 100}))};
    Readers readers(segments);
    EXPECT_EQ(merge_and_split(readers.pointers, {.max_flows = 1 << 20, .own_hour_flows = 1 << 14}).size(), 1u);
    const auto four = merge_and_split(readers.pointers, {.max_flows = 300, .own_hour_flows = 1 << 14});
    EXPECT_EQ(four.size(), 4u);
}

// The hours of each segment that a split gives, in terms of `flows_of`: how many flows each hour has.
std::vector<std::vector<uint32_t>> hours_of_split(const std::map<uint32_t, int> &flows_of,
                                                  const SplitOptions &options) {
    Flows flows;
    for (const auto &[hour, count] : flows_of)
        for (int i = 0; i < count; ++i)
            flows.push_back({hour, {"a", "b" + std::to_string(i), "c"}, {1, 2}});
    const std::vector<SegmentBytes> segments = {build(flows)};
    Readers readers(segments);
    std::vector<std::vector<uint32_t>> out;
    for (const SegmentBytes &output : merge_and_split(readers.pointers, options)) {
        MemorySource source(output);
        SegmentReader reader(source);
        std::vector<uint32_t> &hours = out.emplace_back();
        for (const HourEntry &entry : reader.hours())
            hours.push_back(entry.hour);
    }
    return out;
}

// Stragglers of hours that came in any order: near each other they stay together, whatever lies between them.
TEST(Merge, CutsBetweenHoursThatAreFarFromEachOther) {
    using Split = std::vector<std::vector<uint32_t>>;
    const std::map<uint32_t, int> flows_of = {{10, 5}, {11, 6}, {12, 50}, {24, 4},
                                              {37, 9}, {38, 1}, {500, 2}, {600, 3}};
    const SplitOptions cut{.own_hour_flows = 20, .cut_flows = 10, .near_hours = 12};
    EXPECT_EQ(hours_of_split(flows_of, cut), (Split{{12}, {10, 11}, {24, 37, 38}, {500, 600}}));
    // Hours 12 to 24 are near each other; what is too small to be cut goes on, to the end if need be.
    EXPECT_EQ(hours_of_split(flows_of, {.own_hour_flows = 100, .cut_flows = 10, .near_hours = 12}),
              (Split{{10, 11, 12, 24}, {37, 38}, {500, 600}}));
    EXPECT_EQ(hours_of_split(flows_of, {.own_hour_flows = 20, .cut_flows = 16, .near_hours = 12}),
              (Split{{12}, {10, 11, 24, 37, 38}, {500, 600}}));
    EXPECT_EQ(hours_of_split(flows_of, {.own_hour_flows = 20}), (Split{{12}, {10, 11, 24, 37, 38, 500, 600}}));
    std::map<uint32_t, int> many;
    for (uint32_t hour = 0; hour < 640; ++hour)
        many[100 * hour] = 10;
    EXPECT_EQ(hours_of_split(many, {.cut_flows = 1}).size(), 64u);
    EXPECT_EQ(hours_of_split(many, {.cut_flows = 200}).size(), 32u);
    EXPECT_EQ(hours_of_split({{0, 1}, {max_hour, 1}}, {.cut_flows = 1}), (Split{{0}, {max_hour}}));
}

TEST(Merge, TrimsToNothing) {
    const std::vector<SegmentBytes> segments = {build({{3, {"a", "b", "c"}, {1, 1}}})};
    Readers readers(segments);
    EXPECT_EQ(merge_and_split(readers.pointers, {}, 4).size(), 0u);
    EXPECT_EQ(merge_and_split(readers.pointers, {}, 3).size(), 1u);
    EXPECT_THROW(merge_segments({}), Error);
}

TEST(Merge, TrimmedNamesAreGone) {
    const std::vector<SegmentBytes> segments = {
        build({{3, {"old", "x", "c"}, {1, 1}}, {4, {"new", "y", "c"}, {1, 1}}})};
    Readers readers(segments);
    const auto outputs = merge_and_split(readers.pointers, {}, 4);
    ASSERT_EQ(outputs.size(), 1u);
    EXPECT_EQ(outputs[0], build({{4, {"new", "y", "c"}, {1, 1}}}));
}

TEST(Merge, CanBeCancelled) {
    struct Cancelled {};
    std::mt19937_64 random(6);
    const std::vector<SegmentBytes> segments = {build(random_flows(random, {.flows = 30000})),
                                                build(random_flows(random, {.flows = 30000}))};
    static int polls;
    polls = 0;
    poll_hook = [] { ++polls; };
    Readers readers(segments);
    merge_segments(readers.pointers);
    EXPECT_GT(polls, 20);
    for (int stop = 1; stop <= polls; stop += 7) { // at any point, without leaks (sanitizers see them)
        static int left;
        left = stop;
        poll_hook = [] {
            if (--left == 0)
                throw Cancelled();
        };
        Readers again(segments);
        EXPECT_THROW(merge_segments(again.pointers), Cancelled);
    }
    poll_hook = nullptr;
}

} // namespace
