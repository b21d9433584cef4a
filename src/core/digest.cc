// See digest.hh. A digest belongs to one batch; nothing is shared.
#include "digest.hh"

#include <bit>
#include <cstring>

namespace fas {

namespace {

constexpr size_t piece_size = 8192;
static_assert(std::endian::native == std::endian::little, "numbers are hashed as they lie in memory");

} // namespace

FlowDigest::FlowDigest(Update update, void *state) : update_(update), state_(state), buffer_(piece_size) {}

void FlowDigest::put(const void *data, size_t size) noexcept {
    if (size > buffer_.size() - used_) {
        finish();
        if (size > buffer_.size()) {
            update_(state_, static_cast<const uint8_t *>(data), size);
            return;
        }
    }
    std::memcpy(buffer_.data() + used_, data, size);
    used_ += size;
}

void FlowDigest::add(const FlowView &flow) {
    for (std::string_view name : flow.names) {
        auto length = static_cast<uint32_t>(name.size());
        put(&length, sizeof length);
        put(name.data(), name.size());
    }
    put(flow.metrics.data(), sizeof flow.metrics);
    put(&flow.hour, sizeof flow.hour);
}

void FlowDigest::finish() noexcept {
    if (used_ != 0)
        update_(state_, buffer_.data(), used_);
    used_ = 0;
}

} // namespace fas
