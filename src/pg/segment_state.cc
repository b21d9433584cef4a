// See segment_state.hh.
#include "segment_state.hh"

#include <cassert>

#include "../core/merge.hh"
#include "../core/segment.hh"

namespace fas::pg {

namespace {

// A builder at its limit is turned into a segment (a quarter of the size), and so many bytes of segments are merged
// into one: small segments repeat their dictionaries, and a merge's own memory grows with what goes in.
constexpr size_t pending_limit = size_t{64} << 20;
constexpr size_t pending_count_limit = 4096;

struct Input {
    explicit Input(const SegmentBytes &bytes) : source(bytes), reader(source) {}
    MemorySource source;
    SegmentReader reader;
};

SegmentBytes merge(const std::vector<const SegmentBytes *> &segments) {
    std::vector<std::unique_ptr<Input>> inputs;
    std::vector<SegmentReader *> readers;
    for (const SegmentBytes *segment : segments) {
        inputs.push_back(std::make_unique<Input>(*segment));
        readers.push_back(&inputs.back()->reader);
    }
    return merge_segments(readers);
}

} // namespace

void SegmentState::add_flow(const FlowView &flow) {
    if (!builder_)
        builder_.emplace();
    builder_->add(flow);
    if (builder_->memory() > builder_memory_limit) {
        add_pending(std::make_shared<SegmentBytes>(builder_->build()));
        builder_->clear();
    }
}

void SegmentState::add_segment(Bytes segment) {
    add_pending(std::make_shared<SegmentBytes>(segment.begin(), segment.end()));
}

void SegmentState::add_pending(SharedSegment segment) {
    pending_bytes_ += segment->size();
    pending_.push_back(std::move(segment));
    if (pending_.size() == 1 || (pending_bytes_ <= pending_limit && pending_.size() < pending_count_limit))
        return;
    std::vector<const SegmentBytes *> segments;
    for (const SharedSegment &one : pending_)
        segments.push_back(one.get());
    merged_.push_back(std::make_shared<SegmentBytes>(merge(segments)));
    pending_.clear();
    pending_bytes_ = 0;
}

void SegmentState::add(const SegmentState &other) {
    for (const SharedSegment &segment : other.merged_)
        add_pending(segment);
    for (const SharedSegment &segment : other.pending_)
        add_pending(segment);
    if (other.builder_ && other.builder_->flows() > 0)
        add_pending(std::make_shared<SegmentBytes>(other.builder_->build()));
}

SegmentBytes SegmentState::build() const {
    SegmentBytes rest;
    std::vector<const SegmentBytes *> segments;
    for (const SharedSegment &segment : merged_)
        segments.push_back(segment.get());
    for (const SharedSegment &segment : pending_)
        segments.push_back(segment.get());
    if (builder_ && builder_->flows() > 0) {
        rest = builder_->build();
        if (segments.empty())
            return rest;
        segments.push_back(&rest);
    }
    assert(!segments.empty());
    return merge(segments); // one segment too: that reads and checks it
}

} // namespace fas::pg
