// A stored value for tests: bytes in memory, read in pieces through a room of any size, and how much was read.
#pragma once

#include <algorithm>
#include <vector>

#include "core/bitmap/window.hh"

namespace fas::test {

class MemoryReader final : public ByteReader {
  public:
    MemoryReader(Bytes bytes, size_t room) : bytes_(bytes), room_(room) {}
    uint64_t size() const noexcept override { return bytes_.size(); }
    void read(uint64_t offset, uint64_t length, uint8_t *to) override {
        const Bytes piece = bytes_.subspan(offset, length);
        std::copy(piece.begin(), piece.end(), to);
        read_ += length;
    }
    ByteWindow window(uint64_t whole = 0) { return ByteWindow(*this, room_, whole); }
    uint64_t bytes_read() const noexcept { return read_; }

  private:
    Bytes bytes_;
    std::vector<uint8_t> room_;
    uint64_t read_ = 0;
};

} // namespace fas::test
