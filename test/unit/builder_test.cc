// Flows in any order come out of the segment in segment order, exactly.
#include <gtest/gtest.h>

#include "segment_model.hh"

using namespace fas;
using namespace fas::test;

namespace {

// The ten flows of the design's example.
Flows example() {
    Flows flows;
    const auto add = [&](uint32_t hour, const char *src, const char *dest, std::initializer_list<uint64_t> rx) {
        for (const uint64_t bytes : rx)
            flows.push_back({hour, {src, dest, "vpc1"}, {bytes + 1, bytes}});
    };
    add(1, "app1", "app2", {10, 20});
    add(2, "app1", "app2", {30, 40, 50});
    add(2, "app1", "app3", {60, 70, 80});
    add(2, "app2", "app4", {90, 100});
    return flows;
}

TEST(Builder, TheExample) {
    const SegmentBytes bytes = build(example());
    EXPECT_EQ(read_all(bytes), example());
    EXPECT_EQ(problem_of(bytes), "");
    MemorySource source(bytes);
    SegmentReader reader(source);
    EXPECT_EQ(reader.header().flows, 10u);
    EXPECT_EQ(reader.header().cells, 4u);
    EXPECT_EQ(reader.header().keys, 3u);
    ASSERT_EQ(reader.hours().size(), 2u);
    EXPECT_EQ(reader.hours()[1].rows, (Range{2, 10}));
    CellColumns cells;
    reader.read_cells(reader.hours()[1].cells, cells);
    EXPECT_EQ(cells.first_row, (std::vector<uint32_t>{2, 5, 8, 10}));
    EXPECT_EQ(cells.sums[0], (std::vector<uint128>{123, 213, 192})); // sent
    EXPECT_EQ(cells.sums[1], (std::vector<uint128>{120, 210, 190})); // received
}

TEST(Builder, AnyOrderComesOutSorted) {
    std::mt19937_64 random(1);
    for (int seed = 0; seed < 60; ++seed) {
        const Shape shape{.flows = 1 + random() % 2000,
                          .hours = static_cast<uint32_t>(1 + random() % 50),
                          .first_hour = static_cast<uint32_t>(random() % 3 * 1000),
                          .apps = 1 + random() % 60,
                          .vpcs = 1 + random() % 4,
                          .most = seed % 3 ? 100000 : max_metric};
        const Flows flows = random_flows(random, shape);
        const SegmentBytes bytes = build(flows);
        ASSERT_EQ(read_all(bytes), in_order(flows)) << seed;
        ASSERT_EQ(problem_of(bytes), "") << seed;
        MemorySource source(bytes);
        SegmentReader reader(source);
        ASSERT_EQ(reader.header().totals, totals_of(flows));
    }
}

TEST(Builder, OneFlow) {
    for (const uint64_t metric : {uint64_t{0}, uint64_t{1}, max_metric}) {
        const Flows flows = {{max_hour, {"a", "b", "c"}, {metric, 0}}};
        EXPECT_EQ(read_all(build(flows)), flows);
        EXPECT_EQ(problem_of(build(flows)), "");
    }
}

TEST(Builder, SumsAbove64Bits) {
    const Flows flows(1000, {0, {"a", "a", "a"}, {max_metric, max_metric - 1}});
    const SegmentBytes bytes = build(flows);
    EXPECT_EQ(read_all(bytes), flows);
    EXPECT_EQ(problem_of(bytes), "");
    MemorySource source(bytes);
    SegmentReader reader(source);
    EXPECT_EQ(reader.header().totals.sums[0], uint128{max_metric} * 1000);
    EXPECT_EQ(reader.hours()[0].totals.sums[1], uint128{max_metric - 1} * 1000);
}

TEST(Builder, SumsAbove64BitsFromSomeCellOn) {
    for (const size_t first : {0, 1, 127, 128, 300}) {
        Flows flows;
        for (size_t cell = 0; cell < 400; ++cell)
            for (int i = 0; i < (cell == first || cell == 350 ? 4 : 1); ++i)
                flows.push_back({7, {"app" + std::to_string(1000 + cell), "b", "c"}, {max_metric, 1}});
        const SegmentBytes bytes = build(flows);
        ASSERT_EQ(read_all(bytes), flows) << first;
        ASSERT_EQ(problem_of(bytes), "") << first;
        MemorySource source(bytes);
        SegmentReader reader(source);
        CellColumns cells;
        reader.read_cells({0, 400}, cells);
        for (size_t cell = 0; cell < 400; ++cell) {
            const uint64_t count = cell == first || cell == 350 ? 4 : 1;
            ASSERT_EQ(cells.sums[0][cell], uint128{max_metric} * count) << cell;
            ASSERT_EQ(cells.sums[1][cell], count) << cell;
        }
    }
}

TEST(Builder, NamesThatLookAlike) {
    // A separator inside of a name never makes two keys one.
    const Flows flows = {{1, {"a,b", "c", "d"}, {1, 1}},
                         {1, {"a", "b,c", "d"}, {2, 2}},
                         {1, {"a", "b", "c,d"}, {3, 3}},
                         {1, {"a,b,c", "d", "d"}, {4, 4}},
                         {1, {"A", "b", "c,d"}, {5, 5}},
                         {1, {"null", "0", "\n"}, {6, 6}},
                         {1, {std::string(100000, 'x'), std::string(100000, 'x') + "y", "\xc3\xa9"}, {7, 7}}};
    const SegmentBytes bytes = build(flows);
    EXPECT_EQ(read_all(bytes), in_order(flows));
    EXPECT_EQ(problem_of(bytes), "");
    MemorySource source(bytes);
    EXPECT_EQ(SegmentReader(source).header().keys, flows.size());
}

TEST(Builder, GoesOnAfterBuildAndClear) {
    std::mt19937_64 random(2);
    const Flows flows = random_flows(random, {.flows = 5000});
    SegmentBuilder builder;
    for (size_t i = 0; i < flows.size(); ++i) {
        builder.add(view(flows[i]));
        if (i == 0 || i == 1700 || i + 1 == flows.size()) {
            ASSERT_EQ(read_all(builder.build()),
                      in_order({flows.begin(), flows.begin() + static_cast<ptrdiff_t>(i + 1)}));
        }
    }
    EXPECT_EQ(builder.flows(), flows.size());
    const size_t memory = builder.memory();
    builder.clear();
    EXPECT_EQ(builder.flows(), 0u);
    EXPECT_LE(builder.memory(), SegmentBuilder().memory()); // else a caller that flushes at a limit never stops
    const Flows others = {{9, {"only", "these", "names"}, {1, 2}}};
    builder.add(view(others[0]));
    EXPECT_EQ(read_all(builder.build()), others);
    EXPECT_LE(builder.memory(), memory);
    SegmentBuilder moved(std::move(builder));
    EXPECT_EQ(read_all(moved.build()), others);
}

// What take() gave, one after the other, and that each segment is sound and parted.
struct Taken {
    Flows flows;
    size_t segments = 0, mixed = 0;

    void add(const std::vector<SegmentBytes> &taken, uint64_t own_hour_flows) {
        for (const SegmentBytes &bytes : taken) {
            const Flows read = read_all(bytes);
            EXPECT_EQ(problem_of(bytes), "");
            flows.insert(flows.end(), read.begin(), read.end());
            const bool is_mixed = read.front().hour != read.back().hour || read.size() < own_hour_flows;
            if (is_mixed)
                for (size_t i = 0, hour = 0; i < read.size(); ++i) {
                    hour = i > 0 && read[i].hour == read[i - 1].hour ? hour + 1 : 1;
                    EXPECT_LT(hour, own_hour_flows);
                }
            ++segments;
            mixed += is_mixed;
        }
    }
};

TEST(Builder, TakesHoursThatAreComplete) {
    std::mt19937_64 random(5);
    for (int seed = 0; seed < 12; ++seed) {
        Flows flows = random_flows(random, {.flows = 3000 + random() % 6000,
                                            .hours = static_cast<uint32_t>(1 + random() % 30),
                                            .apps = 1 + random() % 200});
        const bool by_hour = seed % 2 == 0;
        if (by_hour)
            std::stable_sort(flows.begin(), flows.end(), [](const Flow &a, const Flow &b) { return a.hour < b.hour; });
        const uint64_t own_hour_flows = 1 + random() % 400;
        const size_t at_once = 1000 + random() % 2000;
        SegmentBuilder builder;
        Taken taken;
        for (const Flow &flow : flows) {
            builder.add(view(flow));
            if (builder.flows() < at_once)
                continue;
            taken.add(builder.take(own_hour_flows, false), own_hour_flows);
            ASSERT_LE(builder.flows(), at_once / 2) << seed;
        }
        ASSERT_EQ(taken.flows.size() + builder.flows(), flows.size());
        if (builder.flows() > 0)
            taken.add(builder.take(own_hour_flows, true), own_hour_flows);
        EXPECT_EQ(builder.flows(), 0u);
        EXPECT_LE(builder.memory(), SegmentBuilder().memory());
        ASSERT_EQ(in_order(taken.flows), in_order(flows)) << seed;
    }
}

// Hour by hour with stragglers, each hour comes out once: the flows that still come in stay.
TEST(Builder, TakesEachHourOnce) {
    std::mt19937_64 random(6);
    SegmentBuilder builder;
    Taken taken;
    for (uint32_t i = 0; i < 200000; ++i) {
        const uint32_t hour = 100 + i / 20000 - (random() % 20 == 0 ? 1 : 0);
        builder.add({hour, {"app" + std::to_string(random() % 50), "b", "c"}, {i, 1}});
        if (builder.flows() == 90000)
            taken.add(builder.take(4000, false), 4000);
    }
    taken.add(builder.take(4000, true), 4000);
    EXPECT_EQ(taken.flows.size(), 200000u);
    EXPECT_EQ(taken.mixed, 1u); // stragglers
    EXPECT_EQ(taken.segments, 11u);
}

// The same with few stragglers, up to three hours late: their hours wait for them, as far as there is room.
TEST(Builder, WaitsForStragglers) {
    std::mt19937_64 random(7);
    SegmentBuilder builder;
    Taken taken;
    for (uint32_t i = 0; i < 400000; ++i) {
        const uint32_t late = random() % 20 == 0 ? static_cast<uint32_t>(random() % 4) : 0;
        builder.add({100 + i / 10000 - late, {"app" + std::to_string(random() % 50), "b", "c"}, {i, 1}});
        if (builder.flows() == 100000) {
            taken.add(builder.take(4000, false), 4000);
            EXPECT_LE(builder.flows(), 50000u);
        }
    }
    taken.add(builder.take(4000, true), 4000);
    EXPECT_EQ(taken.flows.size(), 400000u);
    EXPECT_EQ(taken.segments, 41u); // 97 to 139, of which the first three, of late flows alone, are one
    EXPECT_EQ(taken.mixed, 1u);
}

// Few flows with most of the names must not make the next take() come at once.
TEST(Builder, TakesEverythingWhereLittleRoomWouldBeMade) {
    SegmentBuilder builder;
    for (uint32_t i = 0; i < 20000; ++i)
        builder.add({1, {"a", "b", "c"}, {i, i}});
    for (uint32_t i = 0; i < 2000; ++i)
        builder.add({2, {std::string(1000, 'x') + std::to_string(i), "b", "c"}, {i, i}});
    const size_t memory = builder.memory();
    Taken taken;
    taken.add(builder.take(1000, false), 1000);
    EXPECT_LE(builder.memory(), memory / 2);
    EXPECT_EQ(taken.flows.size() + builder.flows(), 22000u);
}

TEST(Builder, TheSameFlowsGiveTheSameBytes) {
    std::mt19937_64 random(3);
    Flows flows = random_flows(random, {.flows = 3000, .most = 2});
    for (Flow &flow : flows)
        flow.metrics = {7, 7}; // so that order inside of a cell does not show
    const SegmentBytes bytes = build(flows);
    std::shuffle(flows.begin(), flows.end(), random);
    EXPECT_EQ(build(flows), bytes);
}

TEST(Builder, AMillionFlowsStayWithinMemory) {
    std::mt19937_64 random(4);
    SegmentBuilder builder;
    for (uint32_t i = 0; i < 1000000; ++i) {
        const std::string src = "svc-" + std::to_string(random() % 3000), dest = "svc-" + std::to_string(random() % 4);
        builder.add({static_cast<uint32_t>(random() % 24), {src, dest, "vpc-1"}, {random() % 100000, 5}});
    }
    EXPECT_LE(builder.memory(), 45u << 20);
    const SegmentBytes bytes = builder.build();
    MemorySource source(bytes);
    EXPECT_EQ(SegmentReader(source).header().flows, 1000000u);
    EXPECT_EQ(problem_of(bytes), "");
}

} // namespace
