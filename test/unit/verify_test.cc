// The verifier finds damage of every kind. Checksums are repaired after the damage, so that it is the verifier's own
// checks that are tested; without the repair, each single changed bit is found.
#include <gtest/gtest.h>

#include "core/segment_format.hh"
#include "core/segment_writer.hh"
#include "../fuzz/segment_damage.hh"
#include "segment_model.hh"

using namespace fas;
using namespace fas::test;
using format::Part;

namespace {

// A small segment written by hand, whose parts a test may get wrong. As it stands it is sound.
struct Draft {
    std::array<std::vector<std::string>, text_dimension_count> names{{{"a", "b"}, {"c", "d"}, {"v", "w"}}};
    KeyColumns keys{{{0, 0, 1}, {0, 1, 1}, {0, 1, 1}}};
    struct Cell {
        uint32_t hour, key;
        std::vector<uint64_t> rows;
    };
    std::vector<Cell> cells = {{1, 0, {5, 6}}, {1, 1, {7}}, {1, 2, {8, 9, 10}}, {4, 0, {11}}, {4, 2, {12, 13}}};
    bool index = true;

    SegmentBytes write() const {
        std::array<std::vector<std::string_view>, text_dimension_count> views;
        NameSpans spans;
        for (size_t t = 0; t < text_dimension_count; ++t) {
            views[t].assign(names[t].begin(), names[t].end());
            spans[t] = views[t];
        }
        SegmentWriter writer(spans, keys, index ? 0 : UINT32_MAX);
        for (const Cell &cell : cells) {
            writer.begin_cell(cell.hour, cell.key);
            for (const uint64_t row : cell.rows)
                writer.add_row({row, 2 * row});
        }
        return writer.finish();
    }
};

// Where a part lies.
format::PartEntry part_of(const SegmentBytes &bytes, Part part) {
    SegmentHeader header;
    format::PartTable parts;
    format::decode_header(bytes, bytes.size(), header, parts);
    return parts[format::at(part)];
}

// The problem of the draft once `damage` has been done to `part` (a span of its bytes) and checksums are right again.
template <class Damage> std::string problem_after(Part part, Damage damage, const Draft &draft = {}) {
    SegmentBytes bytes = draft.write();
    const format::PartEntry entry = part_of(bytes, part);
    damage(std::span(bytes).subspan(entry.offset, entry.length));
    repair_checksums(bytes);
    return problem_of(bytes);
}

#define EXPECT_PROBLEM(problem, text)                                                                                  \
    do {                                                                                                               \
        const std::string found = (problem);                                                                           \
        EXPECT_EQ(found.substr(0, 7), "XX001: ");                                                                      \
        EXPECT_NE(found.find(text), std::string::npos) << found;                                                       \
    } while (false)

TEST(Verify, TheDraftIsSound) {
    EXPECT_EQ(problem_of(Draft().write()), "");
    EXPECT_EQ(problem_of(Draft{.index = false}.write()), "");
    EXPECT_EQ(problem_after(Part::hours, [](auto) {}), "");
}

TEST(Verify, EveryBitIsGuarded) {
    const SegmentBytes good = Draft().write();
    for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
        SegmentBytes bytes = good;
        bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
        ASSERT_EQ(problem_of(bytes).substr(0, 7), "XX001: ") << bit;
    }
}

// With checksums repaired not every change can be seen (another metric is as good a metric), but nothing passes that
// reads back other than it merges.
TEST(Verify, EveryRepairedChangeIsFoundOrHarmless) {
    const SegmentBytes good = Draft().write();
    size_t found = 0;
    for (size_t bit = 8 * format::at_flags; bit < 8 * good.size(); ++bit) {
        SegmentBytes bytes = good;
        bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
        repair_checksums(bytes);
        const std::string problem = problem_of(bytes);
        if (!problem.empty()) {
            ASSERT_EQ(problem.substr(0, 7), "XX001: ") << bit;
            ++found;
            continue;
        }
        MemorySource source(bytes);
        SegmentReader reader(source);
        const Flows flows = read_all(bytes);
        ASSERT_EQ(flows, in_order(flows)) << bit;
        ASSERT_EQ(reader.header().totals, totals_of(flows)) << bit;
        SegmentReader *inputs[] = {&reader};
        ASSERT_EQ(read_all(merge_segments(inputs)), flows) << bit;
    }
    EXPECT_GT(found, good.size() * 6);
}

TEST(Verify, HeaderAndHours) {
    EXPECT_PROBLEM(problem_after(Part::hours, [](auto part) { part[format::at_entry_sums] ^= 1; }), "header");
    EXPECT_PROBLEM(problem_after(Part::hours, [](auto part) { part[format::at_entry_hour] = 4; }), "ascend");
    EXPECT_PROBLEM(problem_after(Part::hours, [](auto part) { part[format::at_entry_hour] = 2; }), "header");
    EXPECT_PROBLEM(problem_after(Part::hours, [](auto part) { part[format::at_entry_cell_end] = 2; }), "do not agree");
    EXPECT_PROBLEM(problem_after(Part::hours, [](auto part) { part[format::at_entry_row_end] = 7; }), "do not agree");
    // Sums moved from one hour to the other: the total stays.
    EXPECT_PROBLEM(problem_after(Part::hours,
                                 [](auto part) {
                                     part[format::at_entry_sums] -= 1;
                                     part[format::hour_entry_size + format::at_entry_sums] += 1;
                                 }),
                   "do not add up to the hour");
}

TEST(Verify, NamesAndKeysOutOfOrderOrUnused) {
    EXPECT_PROBLEM(problem_of(Draft{.names = {{{"b", "a"}, {"c", "d"}, {"v", "w"}}}}.write()), "ascend");
    EXPECT_PROBLEM(problem_of(Draft{.names = {{{"a", "\xff"}, {"c", "d"}, {"v", "w"}}}}.write()), "UTF-8");
    EXPECT_PROBLEM(problem_of(Draft{.names = {{{"a", "b", "c"}, {"c", "d"}, {"v", "w"}}}, .index = false}.write()),
                   "no key uses");
    EXPECT_PROBLEM(problem_of(Draft{.keys = {{{0, 1, 0}, {0, 1, 1}, {0, 1, 1}}}, .index = false}.write()),
                   "do not ascend");
    EXPECT_PROBLEM(problem_of(Draft{.keys = {{{0, 1, 1}, {0, 1, 1}, {0, 1, 1}}}, .index = false}.write()),
                   "do not ascend");
    EXPECT_PROBLEM(problem_of(Draft{.keys = {{{0, 0, 1, 1}, {0, 1, 0, 1}, {0, 1, 1, 1}}}, .index = false}.write()),
                   "no cell uses");
}

TEST(Verify, CellsOutOfOrder) {
#ifdef NDEBUG // else the writer asserts
    Draft draft;
    std::swap(draft.cells[0].key, draft.cells[1].key);
    EXPECT_PROBLEM(problem_of(draft.write()), "ascend");
    draft = Draft();
    draft.cells[1].key = 0;
    EXPECT_PROBLEM(problem_of(draft.write()), "ascend");
#endif
    // The key column's only block: changes of its packed bits change keys.
    const std::string problem = problem_after(Part::cells, [](auto part) {
        const size_t front = 4 * format::cell_columns + 2 * (2 + metric_count);
        part[front + 2] ^= 0x03;
    });
    EXPECT_EQ(problem.substr(0, 7), "XX001: ");
}

TEST(Verify, RowsThatDoNotAddUp) {
    // The stored row 8 -> more than its cell's sum of 27 (and the column stays well-formed).
    Draft draft;
    draft.cells = {{1, 0, {5, 6}}, {1, 1, {7}}, {1, 2, {8, 9, 10}}};
    EXPECT_EQ(problem_of(draft.write()), "");
    const std::string problem = problem_after(
        Part::rows,
        [](auto part) {
            const size_t front = 4 * metric_count + 2 * metric_count;
            part[front + 1] = 0x7f; // the base: all stored rows grow by about 120
        },
        draft);
    EXPECT_PROBLEM(problem, "add up");
}

TEST(Verify, IndexThatSaysOtherThanTheCells) {
    // The first entry of the first dimension: a list of cells 0, 1 and 3.
    const auto entry_of = [](std::span<uint8_t> part) {
        return part.subspan(format::index_front_size + load<uint32_t>(part.data()));
    };
    EXPECT_EQ(problem_after(Part::index,
                            [&](auto part) {
                                EXPECT_EQ(entry_of(part)[0], 3);
                                EXPECT_EQ(entry_of(part)[1], 0);
                                EXPECT_EQ(entry_of(part)[3], 1);
                            }),
              "");
    EXPECT_PROBLEM(problem_after(Part::index, [&](auto part) { entry_of(part)[3] = 0; }), "do not agree");
    EXPECT_PROBLEM(problem_after(Part::index, [&](auto part) { entry_of(part)[3] = 9; }), "does not have");
    EXPECT_PROBLEM(problem_after(Part::index, [&](auto part) { entry_of(part)[0] = 2; }), "longer than its list");
    EXPECT_PROBLEM(problem_after(Part::index, [&](auto part) { entry_of(part)[0] = 0x3a; }), "");
    EXPECT_PROBLEM(problem_after(Part::index, [&](auto part) { part[0] ^= 1; }), "inverted index");
    EXPECT_PROBLEM(problem_after(Part::index, [&](auto part) { part[4] ^= 1; }), "inverted index");
}

TEST(Verify, LargeSegmentsWithEverything) {
    std::mt19937_64 random(1);
    Flows flows = random_flows(random, {.flows = 50000, .hours = 3, .apps = 80, .most = max_metric});
    const SegmentBytes good = build(flows);
    ASSERT_EQ(problem_of(good), "");
    MemorySource source(good);
    ASSERT_TRUE(SegmentReader(source).header().has_index);
    for (int i = 0; i < 200; ++i) { // one random changed byte anywhere
        SegmentBytes bytes = good;
        bytes[random() % bytes.size()] ^= static_cast<uint8_t>(1 + random() % 255);
        ASSERT_EQ(problem_of(bytes).substr(0, 7), "XX001: ");
    }
}

} // namespace
