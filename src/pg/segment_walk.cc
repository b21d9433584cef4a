// See segment_walk.hh.
#include "segment_walk.hh"

#include <algorithm>

#include "../core/interrupt.hh"

namespace fas::pg {

namespace {

constexpr uint32_t window = 8192; // cells or rows that are decoded at a time

Range window_at(uint32_t begin, uint32_t end) { return {begin, begin + std::min(window, end - begin)}; }

} // namespace

std::array<std::string_view, text_dimension_count> SegmentWalk::names_of_key(uint32_t key) {
    std::array<std::string_view, text_dimension_count> out;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        auto ids = reader_.key_ids(t);
        auto names = reader_.names(t);
        if (key >= ids.size() || ids[key] >= names.size())
            throw_corrupted("A cell names a flow key that the segment does not have.");
        out[t] = names[ids[key]];
    }
    return out;
}

bool SegmentWalk::next_flow(FlowView &flow) {
    if (row_ >= header().flows)
        return false;
    if (row_ >= row_window_.end) {
        poll();
        row_window_ = window_at(row_, header().flows);
        reader_.read_rows(row_window_, rows_);
    }
    if (cell_window_.size() == 0)
        load_cells();
    while (row_ >= cells_.first_row[cell_ - cell_window_.begin + 1])
        if (++cell_ == cell_window_.end)
            load_cells();

    auto hours = reader_.hours();
    while (hour_ < hours.size() && hours[hour_].cells.end <= cell_)
        ++hour_;
    uint32_t in_cells = cell_ - cell_window_.begin;
    if (hour_ == hours.size() || row_ < cells_.first_row[in_cells])
        throw_corrupted("The hours, cells and rows of the segment do not agree.");
    flow.hour = hours[hour_].hour;
    flow.names = names_of_key(cells_.key[in_cells]);
    for (size_t m = 0; m < metric_count; ++m)
        flow.metrics[m] = rows_.metrics[m][row_ - row_window_.begin];
    ++row_;
    return true;
}

void SegmentWalk::load_cells() {
    if (cell_ >= header().cells)
        throw_corrupted("The segment has rows that belong to no cell.");
    cell_window_ = window_at(cell_, header().cells);
    reader_.read_cells(cell_window_, cells_);
}

void SegmentWalk::index_keys() {
    const uint32_t cells = header().cells;
    std::vector<uint32_t> keys;
    CellColumns columns;
    first_row_.clear();
    key_end_.assign(header().keys, 0);
    for (uint32_t begin = 0; begin < cells;) {
        poll();
        Range range = window_at(begin, cells);
        reader_.read_cells(range, columns);
        for (uint32_t i = 0; i < range.size(); ++i) {
            if (columns.key[i] >= header().keys)
                throw_corrupted("A cell names a flow key that the segment does not have.");
            keys.push_back(columns.key[i]);
            ++key_end_[columns.key[i]];
            first_row_.push_back(columns.first_row[i]);
        }
        begin = range.end;
    }
    first_row_.push_back(header().flows);

    // A counting sort: count, sum up to each key's begin, place (which moves the begin to the end).
    uint32_t begin = 0;
    for (uint32_t &end : key_end_)
        begin += std::exchange(end, begin);
    cells_by_key_.resize(cells);
    for (uint32_t cell = 0; cell < cells; ++cell)
        cells_by_key_[key_end_[keys[cell]]++] = cell;
    indexed_ = true;
}

Bitmap SegmentWalk::rows_of_key(uint32_t key) {
    if (!indexed_)
        index_keys();
    Bitmap rows;
    for (uint32_t i = key == 0 ? 0 : key_end_[key - 1]; i < key_end_[key]; ++i) {
        uint32_t cell = cells_by_key_[i];
        rows.add_range(first_row_[cell], first_row_[cell + 1]);
    }
    return rows;
}

Totals SegmentWalk::sum(const Bitmap &rows) {
    Totals totals;
    if (rows.empty())
        return totals;
    if (rows.maximum() >= header().flows)
        throw Error(sqlstate::invalid_parameter_value, "row index is out of range",
                    "Row " + std::to_string(rows.maximum()) + " was asked for; the segment's rows are 0 to " +
                        std::to_string(header().flows - 1) + ".",
                    "Use bitmaps that flow_segment_hours or flow_segment_keys gave for the same segment.");
    std::vector<uint32_t> indexes = rows.values();
    RowColumns columns;
    for (size_t begin = 0; begin < indexes.size();) {
        poll();
        // Up to one window of rows, from the first wanted to the last wanted in it.
        uint32_t first = indexes[begin];
        size_t end = static_cast<size_t>(
            std::lower_bound(indexes.begin() + static_cast<ptrdiff_t>(begin), indexes.end(), uint64_t{first} + window) -
            indexes.begin());
        reader_.read_rows({first, indexes[end - 1] + 1}, columns);
        for (; begin < end; ++begin)
            for (size_t m = 0; m < metric_count; ++m)
                totals.sums[m] += columns.metrics[m][indexes[begin] - first];
    }
    totals.flows = indexes.size();
    return totals;
}

} // namespace fas::pg
