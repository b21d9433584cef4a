// Flows in any order -> one segment. The first half of ingest: JSON, INSERT, COPY and flow_segment_agg feed this.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "flow.hh"

namespace fas {

using SegmentBytes = std::vector<uint8_t>;

// The widest a segment may be: row indexes are 32-bit, and a datum ends below 1 GB.
inline constexpr uint64_t max_segment_bytes = 0x3fffff00;

// Where callers that may cut what they build into several segments do so: a builder's memory(). build() takes up to
// twice as much again when every flow is a cell of its own, so that all of it stays below 64 MB.
inline constexpr size_t builder_memory_limit = size_t{22} << 20;

class SegmentBuilder final : public FlowSink {
  public:
    SegmentBuilder();
    ~SegmentBuilder() override;
    SegmentBuilder(SegmentBuilder &&) noexcept;
    SegmentBuilder &operator=(SegmentBuilder &&) noexcept;

    // The caller has checked the flow (names not empty and UTF-8, hour and metrics in range); a debug build asserts.
    void add(const FlowView &flow) override;

    uint64_t flows() const noexcept;
    size_t memory() const noexcept; // bytes held, roughly: what callers compare with their limit

    // The segment of all flows so far; at least one (asserted). May be called again after further adds (window
    // functions do). Throws program_limit_exceeded when the segment would be too large.
    SegmentBytes build() const;

    // Takes flows out as segments parted by hour, so that they need not be merged to be parted later. An hour with at
    // least own_hour_flows that (next to) none of the latest flows belong to is as good as complete and becomes a
    // segment; other flows stay, half of them at most. Where that would make little room, or at the `end`, everything
    // is taken, small hours together.
    std::vector<SegmentBytes> take(uint64_t own_hour_flows, bool end);
    bool has_given() const noexcept { return has_given_; } // take() took some, since the last clear()
    void clear() noexcept;                                 // forget all flows and give the memory back

  private:
    struct State;
    void keep(const std::vector<bool> &cells); // forgets all other cells and their flows

    std::unique_ptr<State> state_;
    bool has_given_ = false;
};

} // namespace fas
