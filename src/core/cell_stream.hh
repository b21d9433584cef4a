// The cells of one segment that meet a condition, window by window: for whoever wants them one by one and as they lie.
//
// A cell is the sums of an hour and flow key in its segment. Where no other segment has flows of that hour, it is a
// group already, and a query by hour and flow key needs no roll-up, and no memory for what it answers. What others have
// is added on the way, if it is given as an overlay.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "overlay.hh"
#include "rollup.hh"
#include "segment.hh"
#include "select.hh"

namespace fas {

// Cuts ranges of cells into windows to be read at once: ranges with a small gap between them share one.
class CellWindows {
  public:
    explicit CellWindows(std::vector<Range> ranges) : ranges_(std::move(ranges)) {}

    uint64_t cells() const noexcept;              // of all ranges, before the first advance()
    void expect_in(SegmentReader &segment) const; // lets it fetch what the windows will read; likewise
    bool advance();                               // to the next window; false behind the last
    Range window() const noexcept { return {pieces_.front().begin, pieces_.back().end}; }
    std::span<const Range> pieces() const noexcept { return pieces_; } // what is wanted of the window

  private:
    std::vector<Range> ranges_;
    size_t next_ = 0; // range of which cells are left
    std::vector<Range> pieces_;
};

// Whether so few cells are wanted that their keys and names are better decoded one by one.
bool are_few_cells(uint64_t cells, const SegmentHeader &header) noexcept;

class CellStream {
  public:
    // `segment` must outlive the stream, and so must `overlay`, which may be null: its groups that are among the cells
    // are taken from it.
    CellStream(SegmentReader &segment, const Condition &condition, Overlay *overlay);

    // Decodes the next window; false at the end. What is decoded stays until the next call.
    bool advance();
    std::span<const Group> groups() const noexcept { return {groups_.data(), count_}; } // name ids are the segment's

    bool few() const noexcept { return few_; }                   // names are better asked for one by one
    uint64_t cells_read() const noexcept { return cells_read_; } // so far

  private:
    void add_piece(Range piece, uint32_t begin);
    Overlay::Ids ids_of_key(uint32_t key);
    void add_overlay(Group &group);

    SegmentReader &segment_;
    CellWindows windows_;
    bool few_;
    std::array<std::span<const uint32_t>, text_dimension_count> key_ids_; // unless few
    std::span<const HourEntry> hours_;                                    // of segments with several
    size_t hour_ = 0;
    Overlay *overlay_;
    std::vector<Overlay::Candidate> candidates_;
    size_t candidate_ = 0; // the next
    CellColumns columns_;
    std::vector<Group> groups_; // room for a window
    size_t count_ = 0;          // of them are there
    uint64_t cells_read_ = 0;
};

} // namespace fas
