// See cell_stream.hh. A stream belongs to one scan; nothing is shared.
#include "cell_stream.hh"

#include <algorithm>

#include "interrupt.hh"

namespace fas {

namespace {

constexpr uint32_t window_cells = 1024; // their columns and groups stay in the cache
constexpr uint32_t bridged_gap = 256;   // cells that are cheaper to read in vain than to begin a read of their own
constexpr uint64_t few_cells = 32;      // cells are few where keys are so many times as many

} // namespace

uint64_t CellWindows::cells() const noexcept {
    uint64_t out = 0;
    for (Range range : ranges_)
        out += range.size();
    return out;
}

void CellWindows::expect_in(SegmentReader &segment) const {
    if (!ranges_.empty())
        segment.expect_cells({ranges_.front().begin, ranges_.back().end}, cells(), ranges_.size());
}

bool CellWindows::advance() {
    pieces_.clear();
    while (next_ < ranges_.size()) {
        Range &range = ranges_[next_];
        const uint32_t first = pieces_.empty() ? range.begin : pieces_.front().begin;
        if (!pieces_.empty() && (range.begin - pieces_.back().end > bridged_gap || range.begin - first >= window_cells))
            break;
        const uint32_t end = range.begin + std::min(range.size(), window_cells - (range.begin - first));
        pieces_.push_back({range.begin, end});
        range.begin = end;
        if (range.size() > 0)
            break;
        ++next_;
    }
    return !pieces_.empty();
}

bool are_few_cells(uint64_t cells, const SegmentHeader &header) noexcept { return cells * few_cells < header.keys; }

CellStream::CellStream(SegmentReader &segment, const Condition &condition, Overlay *overlay)
    : segment_(segment), windows_(select_cells(segment, condition)),
      few_(are_few_cells(windows_.cells(), segment.header())), overlay_(overlay) {
    if (windows_.cells() == 0)
        return;
    if (segment.header().hours > 1)
        hours_ = segment.hours();
    for (size_t t = 0; t < text_dimension_count && !few_; ++t)
        key_ids_[t] = segment.key_ids(t);
    windows_.expect_in(segment);
    if (overlay != nullptr)
        candidates_ = overlay->candidates(segment, few_);
    groups_.resize(std::min<uint64_t>(windows_.cells(), window_cells));
}

bool CellStream::advance() {
    count_ = 0;
    if (!windows_.advance())
        return false;
    poll();
    const Range window = windows_.window();
    segment_.read_cells(window, columns_);
    cells_read_ += window.size();
    for (Range piece : windows_.pieces())
        add_piece(piece, window.begin);
    return true;
}

Overlay::Ids CellStream::ids_of_key(uint32_t key) {
    Overlay::Ids out;
    if (few_)
        for (size_t t = 0; t < text_dimension_count; ++t)
            out[t] = segment_.key_id(t, key);
    else
        for (size_t t = 0; t < text_dimension_count; ++t)
            out[t] = key_ids_[t][key];
    return out;
}

// Cells and candidates have one order, so a group is found by going along with it.
void CellStream::add_overlay(Group &group) {
    const auto order = [](const auto &of, const Overlay::Ids &ids) { return std::pair(of.hour, ids); };
    while (candidate_ < candidates_.size()) {
        const Overlay::Candidate &next = candidates_[candidate_];
        if (order(group, group.name_ids) < order(next, next.ids))
            return;
        ++candidate_;
        if (next.hour == group.hour && next.ids == group.name_ids) {
            group.totals.add(overlay_->take(next.group));
            return;
        }
    }
}

void CellStream::add_piece(Range piece, uint32_t begin) {
    uint32_t hour = segment_.header().hour_min;
    while (piece.begin < piece.end) {
        uint32_t end = piece.end;
        if (!hours_.empty()) { // they cover all cells
            while (hours_[hour_].cells.end <= piece.begin)
                ++hour_;
            hour = hours_[hour_].hour;
            end = std::min(end, hours_[hour_].cells.end);
        }
        for (uint32_t i = piece.begin - begin; i < end - begin; ++i) {
            Group &group = groups_[count_++];
            group.hour = hour;
            group.name_ids = ids_of_key(columns_.key[i]);
            group.totals = columns_.totals(i);
            if (candidate_ < candidates_.size())
                add_overlay(group);
        }
        piece.begin = end;
    }
}

} // namespace fas
