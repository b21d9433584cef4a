// The segment: an immutable, compressed, self-contained column store of flows, one PostgreSQL datum.
//
// Format: docs/segment-format.md, byte by byte. This header is the reader; builder.hh and merge.hh write segments
// through segment_writer.hh. Any bytes at all may reach the reader: it checks before it trusts and throws
// data_corrupted (SQLSTATE XX001); it never reads outside its source and its work is bounded by the segment's size.
//
// Flows are sorted by (hour, src_app, dest_app, vpc_id), bytewise, and keep the order of arrival within one cell.
// A *cell* is one (hour, flow key), a contiguous run of rows. A *key* here is the ordinal of a flow key in the
// segment's sorted key table.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "bitmap/bitmap.hh"
#include "flow.hh"
#include "source.hh"

namespace fas {

// Half-open ranges of ordinals.
struct Range {
    uint32_t begin = 0;
    uint32_t end = 0;
    uint32_t size() const noexcept { return end - begin; }
    bool operator==(const Range &) const = default;
};

struct SegmentHeader {
    uint16_t version = 0;
    uint32_t flows = 0; // rows; at least 1
    uint32_t cells = 0;
    uint32_t keys = 0;
    uint32_t hours = 0; // distinct hours
    uint32_t hour_min = 0;
    uint32_t hour_max = 0;
    std::array<uint32_t, text_dimension_count> names{}; // entries of each dictionary
    bool has_index = false;                             // inverted index present
    Totals totals;
};

// One entry of the hour directory.
struct HourEntry {
    uint32_t hour = 0;
    Range cells;
    Range rows;
    Totals totals;
};

// Decoded cells [range.begin, range.end): entry i belongs to cell range.begin + i.
struct CellColumns {
    std::vector<uint32_t> key;
    std::vector<uint32_t> first_row; // size + 1 entries: cell i has rows [first_row[i], first_row[i + 1])
    std::array<std::vector<uint128>, metric_count> sums;

    Totals totals(uint32_t i) const noexcept {
        Totals out;
        for (size_t m = 0; m < metric_count; ++m)
            out.sums[m] = sums[m][i];
        out.flows = first_row[i + 1] - first_row[i];
        return out;
    }
};

struct RowColumns {
    std::array<std::vector<uint64_t>, metric_count> metrics;
};

class SegmentReader {
  public:
    // Fetches and checks the header, and as much more of the segment's beginning as will be wanted, if that is known.
    // The source must outlive the reader.
    explicit SegmentReader(ByteSource &source, uint64_t wanted = 0);
    ~SegmentReader();
    SegmentReader(const SegmentReader &) = delete;
    SegmentReader &operator=(const SegmentReader &) = delete;

    const SegmentHeader &header() const noexcept;

    // The rest is fetched and decoded when first asked for, then kept. Spans and views live as long as the reader.
    std::span<const HourEntry> hours(); // ascending by hour
    // Sorted, distinct, UTF-8, not empty; there is room before each (see intern.hh).
    std::span<const std::string_view> names(size_t text_index);
    // Gives the memory of names() and key_ids() back, for whoever has taken over what they say: they end here.
    void forget_names();
    // One name. Decodes its block of the dictionary alone, unless names() was asked for: for whoever needs few of them.
    std::string_view name(size_t text_index, uint32_t id);
    std::span<const uint32_t> key_ids(size_t text_index); // per key: its id in that dictionary (checked)
    uint32_t key_id(size_t text_index, uint32_t key);     // of one key: decodes its block alone

    // The id range of names that equal `name` (size 0 or 1), or that `prefix` begins.
    Range find_name(size_t text_index, std::string_view name);
    Range find_prefix(size_t text_index, std::string_view prefix);
    // The keys that have these ids of src_app: they follow each other.
    Range keys_of_src_apps(Range ids);

    // What will be read in all, in several reads: `count` cells in `pieces` ranges, all of them of `within`. Fetches
    // them where that is less work at once.
    void expect_cells(Range within, uint64_t count, uint64_t pieces);
    // Decode a range of cells or rows; only the blocks that the range touches are fetched. `out` is overwritten.
    // Row indexes in first_row ascend strictly and end within the segment (checked).
    void read_cells(Range cells, CellColumns &out);
    void read_cell_keys(Range cells, std::vector<uint32_t> &out); // the key column alone (checked)
    void read_cell_rows(Range cells, CellColumns &out);           // keys and first rows, no sums
    void read_rows(Range rows, RowColumns &out);

    // Rows as they are stored: the last row of each cell is left out, since the cell's sums imply it. Row r of cell c
    // is stored row r - c. For the merge; values are not checked to be in range.
    void read_stored_rows(Range stored, RowColumns &out);

    // Fetches all parts in one piece and checks their checksums: for whoever is going to read all of them.
    void fetch_all();

    // From the inverted index (header().has_index): the cells that have this name.
    Bitmap name_cells(size_t text_index, uint32_t name_id);
    void check_index(size_t text_index); // for verify: its entries lie without gaps and fill their part

    uint64_t bytes_fetched() const noexcept; // for EXPLAIN: what was asked of the source
    uint64_t prefix_read() const noexcept;   // from the start to the first gap

  private:
    struct State; // segment.cc
    std::unique_ptr<State> state_;
};

// Verifies everything: header, checksums of all parts, order, ranges, that sums and counts agree at every level
// (rows, cells, hours, header), that the inverted index says what the cells say, that names are UTF-8 and in use.
// Throws data_corrupted with the first problem found.
void verify_segment(ByteSource &source);

} // namespace fas
