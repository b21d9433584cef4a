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

// Ascending, disjoint, not touching ranges of cells. By cost, the text part of the condition is answered from the
// inverted index (bitmaps combined with AND, OR, ANDNOT) or by deciding every key once and scanning the cells' key
// column; hours come from the hour directory. Both ways give the same answer (`force` lets tests and EXPLAIN see it).
enum class SelectWay : uint8_t { by_cost, index, scan };
std::vector<Range> select_cells(SegmentReader &segment, const Condition &condition, SelectStats *stats = nullptr,
                                SelectWay way = SelectWay::by_cost);

} // namespace fas
