// A condition on a segment -> the cells that meet it.
#pragma once

#include <vector>

#include "filter.hh"
#include "segment.hh"

namespace fas {

struct SelectStats {
    uint64_t index_bitmaps = 0; // bitmaps read from inverted indexes
    uint64_t cells_scanned = 0; // keys of cells looked at
};

// Ascending, disjoint, not touching ranges of cells. By cost, the text part of the condition is answered from the order
// of the cells where it can be, from the inverted index (bitmaps combined with AND, OR, ANDNOT), or by deciding every
// key once and scanning the cells' key column; hours come from the hour directory. All ways give the same answer (`way`
// lets tests see it; a scan is taken where the one asked for is not to be had).
enum class SelectWay : uint8_t { by_cost, order, index, scan };
std::vector<Range> select_cells(SegmentReader &segment, const Condition &condition, SelectStats *stats = nullptr,
                                SelectWay way = SelectWay::by_cost);

} // namespace fas
