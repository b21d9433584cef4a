// Where a segment's bytes come from: memory, or slices of a TOASTed datum (src/pg/toast_source.hh).
#pragma once

#include <cstdint>
#include <span>

#include "error.hh"

namespace fas {

using Bytes = std::span<const uint8_t>;

// `fetch` returns `length` bytes from `offset`; the memory lives as long as the source. Asking beyond size() throws
// data_corrupted. A source may remember what it fetched, so that a repeated fetch costs nothing.
class ByteSource {
  public:
    virtual ~ByteSource() = default;
    virtual uint64_t size() const noexcept = 0;
    virtual Bytes fetch(uint64_t offset, uint64_t length) = 0;
};

class MemorySource final : public ByteSource {
  public:
    explicit MemorySource(Bytes bytes) noexcept : bytes_(bytes) {}
    uint64_t size() const noexcept override { return bytes_.size(); }
    Bytes fetch(uint64_t offset, uint64_t length) override {
        if (offset > bytes_.size() || length > bytes_.size() - offset)
            throw_corrupted("A part reaches beyond the end of the segment.");
        return bytes_.subspan(offset, length);
    }

  private:
    Bytes bytes_;
};

} // namespace fas
