// What a reader puts between itself and its source: remembers the pieces that were fetched whole, and counts bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "source.hh"

namespace fas {

class PartSource final : public ByteSource {
  public:
    explicit PartSource(ByteSource &under) noexcept : under_(&under) {}

    uint64_t size() const noexcept override { return under_->size(); }
    Bytes fetch(uint64_t offset, uint64_t length) override {
        if (offset <= prefix_)
            prefix_ = std::max(prefix_, offset + length);
        return fetch_ahead(offset, length);
    }

    // Fetches a piece now; further fetches inside it cost nothing. A handful of pieces at most: fetch() looks at all.
    void keep(uint64_t offset, uint64_t length) {
        const Bytes bytes = fetch(offset, length);
        if (!is_in({0, front_}, offset, length))
            kept_.insert(kept_.begin(), {offset, bytes});
    }
    // The same for a beginning that may not be wanted in the end; once, before anything else.
    void keep_front(uint64_t length) { front_ = fetch_ahead(0, length); }

    uint64_t bytes_fetched() const noexcept { return bytes_fetched_; }
    uint64_t prefix() const noexcept { return prefix_; } // so far from the start was asked for, without a gap

  private:
    struct Piece {
        uint64_t offset;
        Bytes bytes;
    };

    static bool is_in(const Piece &piece, uint64_t offset, uint64_t length) noexcept {
        return offset >= piece.offset && offset - piece.offset <= piece.bytes.size() &&
               length <= piece.bytes.size() - (offset - piece.offset);
    }

    Bytes fetch_ahead(uint64_t offset, uint64_t length) {
        if (is_in({0, front_}, offset, length))
            return front_.subspan(offset, length);
        for (const Piece &piece : kept_)
            if (is_in(piece, offset, length))
                return piece.bytes.subspan(offset - piece.offset, length);
        bytes_fetched_ += length;
        return under_->fetch(offset, length);
    }

    ByteSource *under_;
    Bytes front_; // of a small segment, all of it: the only piece, then
    std::vector<Piece> kept_;
    uint64_t bytes_fetched_ = 0;
    uint64_t prefix_ = 0;
};

} // namespace fas
