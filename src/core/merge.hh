// Segments -> segments: compaction, and the trimming of retention.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "builder.hh"
#include "segment.hh"

namespace fas {

// All flows of all inputs in one segment. Within a cell, flows keep the order of the inputs. A k-way merge of sorted
// cells: memory is the readers' dictionaries and cells plus the output, never one object per flow.
SegmentBytes merge_segments(std::span<SegmentReader *const> inputs);

struct SplitOptions {
    uint64_t max_flows = 1 << 20;      // no output holds more, so long as hours can be parted (one cell never is parted
                                       // unless it alone holds more)
    uint64_t own_hour_flows = 1 << 14; // an hour with at least so many flows gets segments of its own
    // What is left is cut where its hours lie further apart than `near_hours`, into segments of at least so many flows,
    // and not into more than some dozens.
    uint64_t cut_flows = UINT64_MAX;
    uint32_t near_hours = 12;
};

// The same flows as several segments: each hour that has enough flows by itself, what is left together or cut
// between hours, nothing larger than max_flows. Only flows with hour >= first_hour are carried (retention). May return
// nothing.
std::vector<SegmentBytes> merge_and_split(std::span<SegmentReader *const> inputs, const SplitOptions &options,
                                          uint32_t first_hour = 0);

} // namespace fas
