// Writes a segment cell by cell: what the builder and the merge feed.
//
// The caller brings the dictionaries and the key table, sorted and with nothing in them that goes unused, and then the
// cells in order, each with its rows. The writer holds the packed bytes, four bytes a cell, and no row.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "builder.hh"
#include "packed.hh"
#include "segment.hh"

namespace fas {

// From so many cells on, a segment carries an inverted index. Below, scanning the cells' key column is quicker than
// reading bitmaps (measured: bench/), and the index would cost more bytes than the rest of a small segment.
inline constexpr uint32_t index_least_cells = 4096;

// Flow keys by ordinal: ascending strictly by their three ids.
using KeyColumns = std::array<std::vector<uint32_t>, text_dimension_count>;
using NameSpans = std::array<std::span<const std::string_view>, text_dimension_count>;

class SegmentWriter {
  public:
    // What `names` and `keys` point to outlives the writer. `index_from`: cells from which on an index is written.
    SegmentWriter(const NameSpans &names, const KeyColumns &keys, uint32_t index_from = index_least_cells);
    SegmentWriter(const SegmentWriter &) = delete;
    SegmentWriter &operator=(const SegmentWriter &) = delete;

    // Cells come ascending by (hour, key), each with at least one row.
    void begin_cell(uint32_t hour, uint32_t key);
    void add_row(const std::array<uint64_t, metric_count> &metrics);
    // `count` rows of the cell, one array for each metric.
    void add_rows(const std::array<const uint64_t *, metric_count> &metrics, size_t count);

    uint64_t flows() const noexcept { return flows_; }

    // Once, after the last cell. Throws program_limit_exceeded when the segment is larger than max_segment_bytes.
    SegmentBytes finish();

  private:
    void begin_high(size_t metric);
    void end_cell();
    void end_hour();
    void append_hours(SegmentBytes &out) const;
    void make_index();
    void append_part(size_t part, SegmentBytes &out);
    uint64_t largest_size() const;

    bool has_index() const noexcept { return cell_keys_.size() >= index_from_; }

    NameSpans names_;
    const KeyColumns &keys_;
    uint32_t index_from_;
    std::vector<uint32_t> cell_keys_;
    std::vector<HourEntry> hours_;
    std::array<ColumnWriter, text_dimension_count> key_ids_;
    ColumnWriter key_, first_row_;
    std::array<ColumnWriter, metric_count> sum_low_, sum_high_, rows_;
    std::array<bool, metric_count> any_high_{}; // sum_high_ is there
    SegmentBytes index_; // set by finish(), as are the column sets; null for a column that is left out
    std::array<ColumnWriter *, text_dimension_count> key_set_{};
    std::array<ColumnWriter *, 2 + 2 * metric_count> cell_set_{};
    std::array<ColumnWriter *, metric_count> row_set_{};
    std::array<uint128, metric_count> cell_sums_{};
    std::array<uint64_t, metric_count> held_row_{}; // the cell's last row so far; not stored, the sums imply it
    uint64_t cell_rows_ = 0;
    uint64_t flows_ = 0;
};

} // namespace fas
