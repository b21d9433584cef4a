// Walks over one segment for the inspection functions: its rows, its flow keys, its sums over a bitmap of rows.
//
// A walk owns its source and reader; the aggregate-free counterpart of the roll-up, made for looking at a segment, not
// for speed. It reads in windows, so that memory does not grow with what is walked. Every method may throw: call it
// inside guarded(). What the reader has not checked across parts (a key's ordinal, say) is checked here.
#pragma once

#include "toast_source.hh"

#include <vector>

#include "../core/bitmap/bitmap.hh"
#include "../core/segment.hh"

namespace fas::pg {

class SegmentWalk {
  public:
    SegmentWalk(struct varlena *datum, MemoryContext context) : source_(datum, context), reader_(source_) {}

    const SegmentHeader &header() const noexcept { return reader_.header(); }
    std::span<const HourEntry> hours() { return reader_.hours(); }

    // The names of a key, in the order of the text dimensions.
    std::array<std::string_view, text_dimension_count> names_of_key(uint32_t key);

    // The next flow in segment order; false after the last. The names live as long as the walk.
    bool next_flow(FlowView &flow);

    // The rows of a key, over all hours. The first call reads all cells: 12 bytes each are held from then on.
    Bitmap rows_of_key(uint32_t key);

    // The sums over these rows. Throws invalid_parameter_value for a row that the segment does not have.
    Totals sum(const Bitmap &rows);

  private:
    void load_cells();
    void index_keys();

    ToastSource source_;
    SegmentReader reader_;

    // next_flow: where it stands, and the windows of cells and rows around that.
    uint32_t row_ = 0;
    uint32_t cell_ = 0;
    size_t hour_ = 0;
    Range cell_window_;
    CellColumns cells_;
    Range row_window_;
    RowColumns rows_;

    // rows_of_key: the cells of key k are cells_by_key_[key_end_[k - 1]] up to [key_end_[k]].
    bool indexed_ = false;
    std::vector<uint32_t> first_row_, cells_by_key_, key_end_;
};

} // namespace fas::pg
