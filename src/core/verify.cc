// Verifying a segment: everything that a reader takes for granted, and that the parts say the same.
//
// The reader checks what it needs to be safe as it decodes; here every part is decoded once, whole, and what is left
// is checked: that all levels agree, that order is kept, and that nothing is there without use.
#include <algorithm>

#include "interrupt.hh"
#include "segment.hh"
#include "segment_format.hh"
#include "segment_index.hh"

namespace fas {
namespace {

constexpr uint32_t cells_at_once = 16384;
constexpr uint32_t rows_at_once = 65536;

void require(bool holds, const char *detail) {
    if (!holds)
        throw_corrupted(detail);
}

void verify_keys(SegmentReader &segment) {
    const uint32_t keys = segment.header().keys;
    std::array<std::span<const uint32_t>, text_dimension_count> ids;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        ids[t] = segment.key_ids(t);
        std::vector<bool> used(segment.names(t).size());
        for (const uint32_t id : ids[t])
            used[id] = true;
        require(std::find(used.begin(), used.end(), false) == used.end(), "A dictionary has a name that no key uses.");
    }
    const auto key = [&](uint32_t k) { return std::array{ids[0][k], ids[1][k], ids[2][k]}; };
    static_assert(text_dimension_count == 3);
    for (uint32_t k = 1; k < keys; ++k) {
        require(key(k - 1) < key(k), "The flow keys of the key table do not ascend.");
        if (k % 65536 == 0)
            poll();
    }
}

// One hour's cells against its entry in the hour directory; marks the keys that they use.
void verify_hour(SegmentReader &segment, const HourEntry &hour, std::vector<uint32_t> &cell_keys,
                 std::vector<bool> &used) {
    CellColumns cells;
    Totals totals;
    uint32_t next_row = hour.rows.begin;
    for (uint32_t begin = hour.cells.begin; begin < hour.cells.end;) {
        const uint32_t end = begin + std::min(cells_at_once, hour.cells.end - begin);
        segment.read_cells({begin, end}, cells);
        require(cells.first_row.front() == next_row,
                "The first rows of the cells and the hour directory do not agree.");
        next_row = cells.first_row.back();
        for (uint32_t i = 0; i < end - begin; ++i) {
            require(begin + i == hour.cells.begin || cell_keys.back() < cells.key[i],
                    "The flow keys of an hour's cells do not ascend.");
            cell_keys.push_back(cells.key[i]);
            used[cells.key[i]] = true;
            for (size_t m = 0; m < metric_count; ++m)
                totals.sums[m] += cells.sums[m][i];
        }
        begin = end;
        poll();
    }
    require(next_row == hour.rows.end, "The first rows of the cells and the hour directory do not agree.");
    totals.flows = hour.rows.size();
    require(totals == hour.totals, "The cells of an hour do not add up to the hour's sums.");
}

// Reading rows checks that they are in range and that each cell's add up to its sum: see SegmentReader::read_rows().
void verify_rows(SegmentReader &segment) {
    RowColumns rows;
    const uint32_t flows = segment.header().flows;
    for (uint32_t begin = 0; begin < flows;) {
        const uint32_t end = begin + std::min(rows_at_once, flows - begin);
        segment.read_rows({begin, end}, rows);
        begin = end;
        poll();
    }
}

void verify_index(SegmentReader &segment, std::span<const uint32_t> cell_keys) {
    for (size_t t = 0; t < text_dimension_count; ++t) {
        const uint32_t names = segment.header().names[t];
        segment.check_index(t);
        const Postings postings(cell_keys, segment.key_ids(t), names);
        for (uint32_t id = 0; id < names; ++id) {
            const std::vector<uint32_t> found = segment.name_cells(t, id).values();
            const std::span<const uint32_t> expected = postings.of(id);
            require(std::equal(found.begin(), found.end(), expected.begin(), expected.end()),
                    "The inverted index and the cells do not agree.");
            if (id % 1024 == 0)
                poll();
        }
    }
}

} // namespace

void verify_segment(ByteSource &source) {
    SegmentReader segment(source);
    segment.fetch_all();
    verify_keys(segment);
    std::vector<uint32_t> cell_keys;
    std::vector<bool> used(segment.header().keys);
    for (const HourEntry &hour : segment.hours())
        verify_hour(segment, hour, cell_keys, used);
    require(std::find(used.begin(), used.end(), false) == used.end(), "The key table has a key that no cell uses.");
    verify_rows(segment);
    if (segment.header().has_index)
        verify_index(segment, cell_keys);
}

} // namespace fas
