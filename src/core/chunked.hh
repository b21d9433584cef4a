// A growing array that never moves its items and so never needs room for two copies of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace fas {

template <class T, size_t chunk_items> class ChunkedVector {
  public:
    T &push(const T &item) {
        if (size_ % chunk_items == 0 && size_ / chunk_items == chunks_.size())
            chunks_.push_back(std::make_unique_for_overwrite<T[]>(chunk_items));
        T &place = chunks_[size_ / chunk_items][size_ % chunk_items];
        place = item;
        ++size_;
        return place;
    }
    T &operator[](size_t i) noexcept { return chunks_[i / chunk_items][i % chunk_items]; }
    const T &operator[](size_t i) const noexcept { return chunks_[i / chunk_items][i % chunk_items]; }
    size_t size() const noexcept { return size_; }
    size_t memory() const noexcept { return chunks_.size() * (chunk_items * sizeof(T) + 16); }

  private:
    std::vector<std::unique_ptr<T[]>> chunks_;
    size_t size_ = 0;
};

} // namespace fas
