// The state of flow_segment_agg and flow_merge_agg: flows and segments that are to become one segment.
//
// C++ memory throughout; the aggregate's memory context owns the object (make_in_context). Every method may throw, so
// it is called inside guarded(). build() leaves the state as it is: window functions ask many times.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "../core/builder.hh"
#include "../core/source.hh"

namespace fas::pg {

class SegmentState {
  public:
    void add_flow(const FlowView &flow);
    void add_segment(Bytes segment); // takes a copy
    void add(const SegmentState &other);
    SegmentBytes build() const; // of all so far; there is something (asserted)

  private:
    using SharedSegment = std::shared_ptr<const SegmentBytes>; // never changed, so states may share it

    void add_pending(SharedSegment segment);

    std::optional<SegmentBuilder> builder_; // flows that are in no segment yet
    std::vector<SharedSegment> pending_;    // segments as they came
    std::vector<SharedSegment> merged_;     // what full lists of pending ones were merged into
    size_t pending_bytes_ = 0;
};

} // namespace fas::pg
