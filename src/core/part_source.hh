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
        for (const Piece &piece : kept_)
            if (offset >= piece.offset && offset - piece.offset <= piece.bytes.size() &&
                length <= piece.bytes.size() - (offset - piece.offset))
                return piece.bytes.subspan(offset - piece.offset, length);
        bytes_fetched_ += length;
        return under_->fetch(offset, length);
    }

    // Fetches a piece now; further fetches inside it cost nothing. A handful of pieces at most: fetch() looks at all.
    void keep(uint64_t offset, uint64_t length) {
        const Bytes bytes = fetch(offset, length);
        kept_.insert(kept_.begin(), {offset, bytes});
    }

    uint64_t bytes_fetched() const noexcept { return bytes_fetched_; }

  private:
    struct Piece {
        uint64_t offset;
        Bytes bytes;
    };
    ByteSource *under_;
    std::vector<Piece> kept_;
    uint64_t bytes_fetched_ = 0;
};

} // namespace fas
