// Bytes that grow at their end: where a serialized result goes when its size is not known before. src/pg has a sink
// that is a varlena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace fas {

class ByteSink {
  public:
    virtual ~ByteSink() = default;
    // Room for `count` bytes at the end; what was returned before may move.
    uint8_t *extend(size_t count) {
        if (count > capacity_ - size_)
            grow(size_ + count);
        uint8_t *out = data_ + size_;
        size_ += count;
        return out;
    }
    uint8_t *data() noexcept { return data_; }
    size_t size() const noexcept { return size_; }

  protected:
    virtual void grow(size_t wanted) = 0; // makes data_ and capacity_ good for `wanted` bytes, keeps size_ of them
    uint8_t *data_ = nullptr;
    size_t size_ = 0, capacity_ = 0;
};

class VectorSink final : public ByteSink {
  public:
    std::vector<uint8_t> take() {
        bytes_.resize(size_);
        return std::move(bytes_);
    }

  private:
    void grow(size_t wanted) override {
        bytes_.resize(wanted + capacity_);
        data_ = bytes_.data();
        capacity_ = bytes_.size();
    }
    std::vector<uint8_t> bytes_;
};

} // namespace fas
