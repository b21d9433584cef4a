// The bytes of a stored bitmap, gone through from front to back: in memory, or a piece at a time in a room that is used
// again and again, so that one of many megabytes takes no memory of its own.
//
// A window owns nothing but what is too large for its room; the room, the reader and the memory must outlive it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "view.hh"

namespace fas {

// Where the pieces come from. Whoever asks stays below size().
class ByteReader {
  public:
    virtual ~ByteReader() = default;
    virtual uint64_t size() const noexcept = 0;
    virtual void read(uint64_t offset, uint64_t length, uint8_t *to) = 0;
};

class ByteWindow {
  public:
    ByteWindow(Bytes memory) noexcept : size_(memory.size()), here_(memory) {}
    ByteWindow(const std::vector<uint8_t> &memory) noexcept : ByteWindow(Bytes(memory)) {}
    // A value of no more than `whole` bytes is read at once; neither is that more than the room has.
    ByteWindow(ByteReader &reader, std::span<uint8_t> room, uint64_t whole);

    uint64_t size() const noexcept { return size_; }
    bool is_whole() const noexcept { return reader_ == nullptr; } // what was fetched stays where it is
    Bytes whole() const noexcept { return here_; }                // if it is

    // Good until the next fetch. Throws data_corrupted beyond the end.
    Bytes fetch(uint64_t offset, uint64_t length) {
        if (offset >= begin_ && offset - begin_ <= here_.size() && length <= here_.size() - (offset - begin_))
            return here_.subspan(offset - begin_, length);
        return move(offset, length);
    }

  private:
    Bytes move(uint64_t offset, uint64_t length);
    void read(uint64_t offset, uint64_t length, uint8_t *to);

    uint64_t size_ = 0;
    ByteReader *reader_ = nullptr; // null where everything is in here_
    std::span<uint8_t> room_;
    std::vector<uint8_t> large_; // in the place of a room that is too small
    uint64_t begin_ = 0;
    Bytes here_;        // from begin_ on
    uint64_t next_ = 0; // how much is read when the window moves
};

} // namespace fas
