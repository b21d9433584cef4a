// What a batch says, in a canonical form: a batch key is a repetition only when the flows are the same, in order.
#pragma once

#include <cstdint>
#include <vector>

#include "flow.hh"

namespace fas {

// Feeds flows to a hash function as they come. Each flow is a record that can't be read in two ways: for each text its
// length (u32) and its bytes, then each metric (u64), then the hour (u32), little-endian. The hash is the caller's
// (src/pg takes PostgreSQL's SHA-256), the core has none.
class FlowDigest final : public FlowSink {
  public:
    // `update` is called with pieces of the serialised flows; it must not throw.
    using Update = void (*)(void *state, const uint8_t *bytes, size_t size) noexcept;

    FlowDigest(Update update, void *state);
    void add(const FlowView &flow) override;
    void finish() noexcept; // hands over what is left; call it once, after the last flow

  private:
    void put(const void *data, size_t size) noexcept;

    Update update_;
    void *state_;
    std::vector<uint8_t> buffer_; // hash functions like pieces of some kilobytes
    size_t used_ = 0;
};

// Hands each flow to two sinks.
class TeeSink final : public FlowSink {
  public:
    TeeSink(FlowSink &first, FlowSink &second) noexcept : first_(first), second_(second) {}
    void add(const FlowView &flow) override {
        first_.add(flow);
        second_.add(flow);
    }

  private:
    FlowSink &first_, &second_;
};

} // namespace fas
