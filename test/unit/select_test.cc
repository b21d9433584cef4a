// Which cells a condition selects: by the inverted index and by scanning, against Condition::matches on every cell.
#include <gtest/gtest.h>

#include "core/select.hh"
#include "sample.hh"

using namespace fas;

namespace {

std::vector<Range> brute_force(SegmentReader &segment, const Condition &condition) {
    CellColumns cells;
    segment.read_cells({0, segment.header().cells}, cells);
    std::vector<Range> out;
    for (const HourEntry &hour : segment.hours())
        for (uint32_t cell = hour.cells.begin; cell < hour.cells.end; ++cell) {
            std::array<std::string_view, text_dimension_count> names;
            for (size_t t = 0; t < text_dimension_count; ++t)
                names[t] = segment.names(t)[segment.key_ids(t)[cells.key[cell]]];
            if (!condition.matches(hour.hour, names))
                continue;
            if (!out.empty() && out.back().end == cell)
                ++out.back().end;
            else
                out.push_back({cell, cell + 1});
        }
    return out;
}

std::vector<Range> select(const SegmentBytes &bytes, const Condition &condition, SelectWay way,
                          SelectStats *stats = nullptr) {
    MemorySource source(bytes);
    SegmentReader segment(source);
    return select_cells(segment, condition, stats, way);
}

void check(uint32_t seed, size_t flows, int conditions, bool wants_index) {
    sample::Random random(seed);
    SegmentBytes bytes = sample::segment(sample::flows(random, flows));
    MemorySource source(bytes);
    SegmentReader segment(source);
    ASSERT_EQ(segment.header().has_index, wants_index);
    SelectStats by_index, by_scan;
    int some = 0;
    for (int i = 0; i < conditions; ++i) {
        Condition condition = sample::condition(random, 3);
        std::vector<Range> expected = brute_force(segment, condition);
        some += !expected.empty() && expected != std::vector<Range>{{0, segment.header().cells}};
        EXPECT_EQ(select(bytes, condition, SelectWay::scan, &by_scan), expected)
            << "seed " << seed << " condition " << i;
        EXPECT_EQ(select(bytes, condition, SelectWay::index, &by_index), expected)
            << "seed " << seed << " condition " << i;
        EXPECT_EQ(select(bytes, condition, SelectWay::by_cost), expected) << "seed " << seed << " condition " << i;
    }
    EXPECT_GT(some, conditions / 5);
    EXPECT_GT(by_scan.cells_scanned, 0u);
    EXPECT_EQ(by_scan.index_bitmaps, 0u);
    EXPECT_EQ(by_index.index_bitmaps > 0, wants_index);
    EXPECT_EQ(by_index.cells_scanned == 0, wants_index);
}

} // namespace

TEST(Select, SmallSegments) {
    for (uint32_t seed = 0; seed < 40; ++seed)
        check(seed, 50 + seed * 20, 60, false);
}

TEST(Select, SegmentsWithAnIndex) {
    for (uint32_t seed = 100; seed < 104; ++seed)
        check(seed, 30000, 80, true);
}

TEST(Select, OneFlow) {
    SegmentBytes bytes = sample::segment({{7, {"a", "b", "v"}, {1, 2}}});
    EXPECT_EQ(select(bytes, Condition::everything(), SelectWay::by_cost), (std::vector<Range>{{0, 1}}));
    EXPECT_TRUE(select(bytes, Condition::nothing(), SelectWay::by_cost).empty());
    EXPECT_EQ(select(bytes, Condition::hour_leaf(Comparison::in, {7}), SelectWay::by_cost),
              (std::vector<Range>{{0, 1}}));
    EXPECT_TRUE(select(bytes, Condition::hour_leaf(Comparison::not_in, {7}), SelectWay::by_cost).empty());
    EXPECT_TRUE(
        select(bytes, Condition::name_leaf(Dimension::src_app, Comparison::in, {"b"}), SelectWay::by_cost).empty());
}

// A condition that differs from hour to hour: more different decisions than are kept at a time.
TEST(Select, MixedConditionsOfHoursAndTexts) {
    sample::Random random(9);
    SegmentBytes bytes = sample::segment(sample::flows(random, 30000));
    MemorySource source(bytes);
    SegmentReader segment(source);
    std::vector<Condition> hours;
    for (int64_t hour = 0; hour <= sample::hours; ++hour)
        hours.push_back(Condition::conjunction(
            {Condition::hour_leaf(Comparison::in, {hour}),
             Condition::name_leaf(Dimension::vpc_id, Comparison::prefix, {sample::name(random)})}));
    Condition condition = Condition::disjunction(std::move(hours));
    std::vector<Range> expected = brute_force(segment, condition);
    ASSERT_FALSE(expected.empty());
    for (SelectWay way : {SelectWay::scan, SelectWay::index, SelectWay::by_cost})
        EXPECT_EQ(select(bytes, condition, way), expected);
}

TEST(Select, HoursAloneReadNoCells) {
    sample::Random random(10);
    SegmentBytes bytes = sample::segment(sample::flows(random, 30000));
    SelectStats stats;
    EXPECT_FALSE(select(bytes, Condition::hour_leaf(Comparison::greater, {5}), SelectWay::by_cost, &stats).empty());
    EXPECT_EQ(stats.cells_scanned, 0u);
    EXPECT_EQ(stats.index_bitmaps, 0u);
}

TEST(Select, OneNameOfALargeSegmentComesFromTheIndex) {
    sample::Random random(11);
    std::vector<sample::Flow> flows;
    for (uint32_t i = 0; i < 60000; ++i)
        flows.push_back({1 + i % 24,
                         {"app" + std::to_string(random() % 2000), "app" + std::to_string(random() % 2000), "v"},
                         {1, 1}});
    SegmentBytes bytes = sample::segment(flows);
    SelectStats one, many;
    EXPECT_FALSE(
        select(bytes, Condition::name_leaf(Dimension::src_app, Comparison::in, {"app77"}), SelectWay::by_cost, &one)
            .empty());
    EXPECT_EQ(one.index_bitmaps, 1u);
    EXPECT_EQ(one.cells_scanned, 0u);
    EXPECT_FALSE(
        select(bytes, Condition::name_leaf(Dimension::src_app, Comparison::less, {"app5"}), SelectWay::by_cost, &many)
            .empty());
    EXPECT_EQ(many.index_bitmaps, 0u);
    EXPECT_GT(many.cells_scanned, 0u);
}

// src_app of one hour: found by the order of keys and cells, whatever lies before, between and behind the names.
TEST(Select, SrcAppsOfOneHourComeFromTheOrder) {
    sample::Random random(13);
    for (uint32_t names : {1u, 2u, 40u, 700u}) {
        std::vector<sample::Flow> flows;
        for (uint32_t i = 0; i < 6000; ++i)
            flows.push_back({7,
                             {"app" + std::to_string(random() % names * 2), "app" + std::to_string(random() % 50), "v"},
                             {1, 1}});
        SegmentBytes bytes = sample::segment(flows);
        MemorySource source(bytes);
        SegmentReader segment(source);
        for (uint32_t i = 0; i < 200; ++i) {
            const std::string name = "app" + std::to_string(random() % (names * 2 + 2));
            for (Comparison comparison : {Comparison::in, Comparison::prefix, Comparison::less_equal,
                                          Comparison::greater, Comparison::not_in}) {
                Condition condition = Condition::name_leaf(Dimension::src_app, comparison, {name});
                std::vector<Range> expected = brute_force(segment, condition);
                SelectStats stats;
                EXPECT_EQ(select(bytes, condition, SelectWay::order, &stats), expected) << name << " of " << names;
                if (expected.size() == 1) {
                    EXPECT_EQ(stats.index_bitmaps + stats.cells_scanned, 0u);
                }
                EXPECT_EQ(select(bytes, condition, SelectWay::by_cost), expected);
            }
        }
    }
}

TEST(Select, WrongBytesNeverCrash) {
    sample::Random random(12);
    const SegmentBytes bytes = sample::segment(sample::flows(random, 25000));
    Condition condition = Condition::disjunction({Condition::name_leaf(Dimension::src_app, Comparison::prefix, {"a"}),
                                                  Condition::hour_leaf(Comparison::less, {4})});
    int refused = 0;
    for (int i = 0; i < 400; ++i) {
        SegmentBytes wrong = bytes;
        // Beyond the header, whose checksum would refuse all of them.
        for (uint32_t n = 1 + random() % 3; n > 0; --n)
            wrong[256 + random() % (wrong.size() - 256)] = static_cast<uint8_t>(random());
        for (SelectWay way : {SelectWay::scan, SelectWay::index, SelectWay::order})
            try {
                for (Range range : select(wrong, condition, way))
                    EXPECT_LT(range.begin, range.end);
            } catch (const Error &e) {
                EXPECT_STREQ(e.sqlstate(), sqlstate::data_corrupted);
                ++refused;
            }
    }
    EXPECT_GT(refused, 0);
}
