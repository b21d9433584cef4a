// A growing array that does not move its items, but for the first chunk's, and so never needs room for two copies.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace fas {

// The first chunk grows up to its size: many are made for a few items.
template <class T, size_t chunk_items> class ChunkedVector {
  public:
    void push(const T &item) {
        if (size_ == room_)
            grow();
        chunks_[size_ / chunk_items][size_ % chunk_items] = item;
        ++size_;
    }
    T &operator[](size_t i) noexcept { return chunks_[i / chunk_items][i % chunk_items]; }
    const T &operator[](size_t i) const noexcept { return chunks_[i / chunk_items][i % chunk_items]; }
    size_t size() const noexcept { return size_; }
    size_t memory() const noexcept { return room_ * sizeof(T) + chunks_.size() * 16; }

  private:
    static constexpr size_t least_items = 32;
    static_assert(chunk_items >= least_items);

    void grow() {
        const size_t wanted = room_ >= chunk_items ? chunk_items
                              : room_ == 0         ? least_items
                                                   : std::min(chunk_items, room_ * 4);
        auto chunk = std::make_unique_for_overwrite<T[]>(wanted);
        if (room_ > 0 && room_ < chunk_items) {
            std::copy_n(chunks_[0].get(), size_, chunk.get());
            chunks_[0] = std::move(chunk);
            room_ = wanted;
        } else {
            chunks_.push_back(std::move(chunk));
            room_ += wanted;
        }
    }

    std::vector<std::unique_ptr<T[]>> chunks_;
    size_t size_ = 0;
    size_t room_ = 0; // in all chunks
};

} // namespace fas
