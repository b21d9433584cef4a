// Streams of cells, with and without an overlay of other segments' groups, against plain loops over the same flows.
#include <gtest/gtest.h>

#include "core/cell_stream.hh"
#include "sample.hh"

using namespace fas;

namespace {

constexpr uint8_t all_dimensions = 15;

using Names = std::array<std::string, text_dimension_count>;

void add(sample::Answer &answer, uint32_t hour, const Names &names, const Totals &totals) {
    auto [at, fresh] = answer.insert({{hour, names[0], names[1], names[2]}, totals});
    EXPECT_TRUE(fresh) << "a group comes twice";
}

// The groups of one segment, by hour and key; what it takes of the overlay is gone from there.
uint64_t stream(sample::Answer &answer, const SegmentBytes &bytes, const Condition &condition, Overlay *overlay) {
    MemorySource source(bytes);
    SegmentReader segment(source);
    CellStream cells(segment, condition, overlay);
    uint64_t windows = 0;
    for (; cells.advance(); ++windows)
        for (const Group &group : cells.groups()) {
            Names names;
            for (size_t t = 0; t < text_dimension_count; ++t)
                names[t] = segment.name(t, group.name_ids[t]);
            add(answer, group.hour, names, group.totals);
        }
    EXPECT_TRUE(cells.groups().empty());
    return windows;
}

// Flows of these hours, some of them in segments that are streamed (one for each hour in `alone`), the rest rolled up.
sample::Answer answer(const std::vector<std::vector<sample::Flow>> &streamed,
                      const std::vector<std::vector<sample::Flow>> &rolled, const Condition &condition) {
    Rollup rollup(GroupBy{all_dimensions}, condition);
    for (const auto &batch : rolled) {
        SegmentBytes bytes = sample::segment(batch);
        MemorySource source(bytes);
        SegmentReader segment(source);
        rollup.add(segment);
    }
    Overlay overlay(rollup);
    sample::Answer out;
    for (const auto &batch : streamed)
        stream(out, sample::segment(batch), condition, &overlay);
    for (const Group &group : overlay.rest()) {
        Names names;
        for (size_t t = 0; t < text_dimension_count; ++t)
            names[t] = rollup.names(t)[group.name_ids[t]];
        add(out, group.hour, names, group.totals);
    }
    return out;
}

} // namespace

TEST(CellStream, OneSegmentAgreesWithPlainLoops) {
    for (uint32_t seed = 0; seed < 10; ++seed) {
        sample::Random random(seed);
        const std::vector<sample::Flow> flows = sample::flows(random, seed < 2 ? 6000 : 1 + random() % 900);
        const SegmentBytes bytes = sample::segment(flows);
        for (int c = 0; c < 12; ++c) {
            const Condition condition = c == 0 ? Condition::everything() : sample::condition(random, 2);
            sample::Answer out;
            const uint64_t windows = stream(out, bytes, condition, nullptr);
            EXPECT_EQ(out, sample::rollup(flows, all_dimensions, condition)) << "seed " << seed << " condition " << c;
            if (seed < 2 && c == 0) {
                EXPECT_GT(windows, 1u);
            }
        }
    }
}

// Hours apart are streamed; what other segments have of the same hours, of hours between, and of keys that only they
// have, is added or left over, and nothing comes twice.
TEST(CellStream, OverlaysAgreeWithPlainLoops) {
    for (uint32_t seed = 0; seed < 10; ++seed) {
        sample::Random random(seed + 100);
        std::vector<std::vector<sample::Flow>> streamed(4), rolled(3);
        std::vector<sample::Flow> all = sample::flows(random, seed == 0 ? 6000 : 400 + random() % 1500);
        for (const sample::Flow &flow : all) { // hours 1 to 3, 4 to 6, 8, 10 to 12; 7 and 9 nowhere but below
            const uint32_t late = random() % (seed % 2 != 0 ? 3 : 20);
            const bool between = flow.hour == 7 || flow.hour == 9;
            const size_t part = flow.hour <= 3 ? 0 : flow.hour <= 6 ? 1 : flow.hour == 8 ? 2 : 3;
            if (between || late == 0)
                rolled[random() % rolled.size()].push_back(flow);
            else
                streamed[part].push_back(flow);
        }
        std::erase_if(streamed, [](const auto &batch) { return batch.empty(); });
        std::erase_if(rolled, [](const auto &batch) { return batch.empty(); });
        for (int c = 0; c < 12; ++c) {
            const Condition condition = c == 0 ? Condition::everything() : sample::condition(random, 2);
            EXPECT_EQ(answer(streamed, rolled, condition), sample::rollup(all, all_dimensions, condition))
                << "seed " << seed << " condition " << c;
        }
    }
}

// Few cells of many keys: names are looked up and decoded one by one.
TEST(CellStream, FewCellsAgreeWithPlainLoops) {
    sample::Random random(7);
    std::vector<sample::Flow> all;
    std::vector<std::vector<sample::Flow>> parts(2);
    for (size_t i = 0; i < 12000; ++i) {
        auto app = [&] { return "application-" + std::to_string(random() % 1500); };
        all.push_back({3, {app(), app(), "vpc-" + std::to_string(random() % 3)}, {random() % 1000, random() % 1000}});
        parts[i % 4 == 0].push_back(all.back());
    }
    const Condition one = Condition::name_leaf(Dimension::src_app, Comparison::in, {"application-17", "nobody"});
    const Condition other = Condition::name_leaf(Dimension::dest_app, Comparison::in, {"application-3"});
    for (const Condition &condition : {one, other, Condition::conjunction({one, other})})
        EXPECT_EQ(answer({parts[0]}, {parts[1]}, condition), sample::rollup(all, all_dimensions, condition));
}

TEST(CellWindows, CoverEveryRangeOnceAndBridgeSmallGaps) {
    sample::Random random(3);
    for (int round = 0; round < 200; ++round) {
        std::vector<Range> ranges;
        uint32_t at = 0;
        for (size_t i = 0; i < random() % 40; ++i) {
            const uint32_t begin = at + 1 + random() % (round % 2 != 0 ? 5 : 2000);
            at = begin + 1 + random() % (round % 3 != 0 ? 9 : 5000);
            ranges.push_back({begin, at});
        }
        CellWindows windows(ranges);
        uint64_t cells = 0;
        for (Range range : ranges)
            cells += range.size();
        EXPECT_EQ(windows.cells(), cells);
        std::vector<Range> seen;
        uint32_t last = 0;
        while (windows.advance()) {
            const Range window = windows.window();
            EXPECT_LE(window.size(), 1024u);
            EXPECT_GE(window.begin, last);
            last = window.end;
            for (Range piece : windows.pieces()) {
                EXPECT_LT(piece.begin, piece.end);
                if (!seen.empty() && seen.back().end == piece.begin)
                    seen.back().end = piece.end;
                else
                    seen.push_back(piece);
            }
        }
        EXPECT_EQ(seen, ranges);
    }
}
