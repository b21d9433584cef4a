// See window.hh. Nothing here is shared, and no lock is needed.
#include "window.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "../interrupt.hh"

namespace fas {

namespace {

// A piece costs as much as reading some 10 KB does. Who goes on where the last piece ended is given more at a time; who
// jumps is given little, for it may jump again.
constexpr uint64_t least_piece = 8 * 1024;

} // namespace

ByteWindow::ByteWindow(ByteReader &reader, std::span<uint8_t> room, uint64_t whole)
    : size_(reader.size()), reader_(&reader), room_(room), next_(least_piece) {
    if (size_ <= std::min<uint64_t>(whole, room.size())) {
        read(0, size_, room_.data());
        here_ = room_.first(size_);
        reader_ = nullptr;
    }
}

void ByteWindow::read(uint64_t offset, uint64_t length, uint8_t *to) {
    poll();
    reader_->read(offset, length, to);
}

Bytes ByteWindow::move(uint64_t offset, uint64_t length) {
    if (reader_ == nullptr || offset > size_ || length > size_ - offset)
        throw_bad_bitmap("The bytes end before the bitmap does.");
    const uint64_t end = begin_ + here_.size();
    const uint64_t kept = offset >= begin_ && offset < end ? end - offset : 0;
    next_ = std::min<uint64_t>(kept > 0 || offset == end ? 4 * next_ : least_piece, room_.size());
    const uint64_t piece = std::min(std::max(length, next_), size_ - offset);
    const uint8_t *from = kept > 0 ? here_.data() + (offset - begin_) : nullptr;
    uint8_t *to = room_.data();
    std::vector<uint8_t> larger;
    if (piece > room_.size()) {
        larger.resize(piece);
        to = larger.data();
    }
    if (kept > 0)
        std::memmove(to, from, kept);
    if (!larger.empty())
        large_ = std::move(larger);
    here_ = {}; // should the read fail
    read(offset + kept, piece - kept, to + kept);
    begin_ = offset;
    here_ = Bytes(to, piece);
    return here_.first(length);
}

} // namespace fas
