// The hours of a segment as its row repeats them: a roaringbitmap beside hour_min and hour_max where there are gaps
// between these. Flows that come late, and hours that come in any order, are merged into segments whose ends lie far
// apart; with the set of hours a scan leaves out those that have nothing of the hour it wants, without opening them.
#pragma once

#include "postgres.hh"

#include "../core/segment.hh"

namespace fas::pg {

// In guarded(): the set, in the current memory context. Null where every hour from the first to the last has flows, or
// where the set would be so large that the row had better go without: then any of them may have.
struct varlena *hours_of(SegmentReader &segment);

// Whether hours [first, last] may have flows in a segment whose row has this set. Raises data_corrupted.
bool may_hold(struct varlena *hours, int32_t first, int32_t last);

// In guarded(): whether the set is the segment's. Throws data_corrupted.
bool are_hours_of(const struct varlena *plain, SegmentReader &segment);

} // namespace fas::pg
