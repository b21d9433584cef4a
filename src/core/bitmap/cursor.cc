// The members of a bitmap one by one: see BitmapCursor in view.hh.
#include "view.hh"

#include <algorithm>
#include <bit>

#include "../bytes.hh"

namespace fas {

bool BitmapCursor::next_container() {
    while (!started_ || container_ == view_.bucket().size()) {
        if (!view_.next())
            return false;
        started_ = true;
        container_ = 0;
    }
    uint64_t before = base_;
    bool is_first_of_bucket = container_ == 0;
    current_ = view_.bucket().container(container_++);
    base_ = uint64_t{view_.high()} << 32 | uint64_t{current_.key} << 16;
    if (!is_first_of_bucket && base_ <= before)
        throw_bad_bitmap("The keys of the containers are not in ascending order.");
    item_ = 0;
    word_ = 0;
    run_left_ = 0;
    last_ = -1;
    return true;
}

// Each of these goes on where it was, to the end of the container or of the block.
void BitmapCursor::decode_array() noexcept {
    const uint8_t *bytes = current_.bytes.data();
    const auto end = std::min(static_cast<uint32_t>(current_.bytes.size() / 2), item_ + block_size - decoded_);
    for (; item_ < end; ++item_) {
        const int32_t low = load<uint16_t>(bytes + size_t{2} * item_);
        ordered_ &= low > last_;
        last_ = low;
        block_[decoded_++] = base_ | static_cast<uint32_t>(low);
    }
}

void BitmapCursor::decode_bitset() noexcept {
    const uint8_t *bytes = current_.bytes.data();
    const auto words = static_cast<uint32_t>(current_.bytes.size() / 8);
    for (;;) {
        const uint64_t base = base_ + uint64_t{64} * (item_ - 1); // item_ is 0 only where the word is, too
        for (; word_ != 0 && decoded_ < block_size; word_ &= word_ - 1)
            block_[decoded_++] = base + static_cast<unsigned>(std::countr_zero(word_));
        if (word_ != 0 || item_ == words)
            return;
        word_ = load<uint64_t>(bytes + size_t{8} * item_++);
    }
}

void BitmapCursor::decode_runs() noexcept {
    const uint8_t *bytes = current_.bytes.data();
    const auto runs = static_cast<uint32_t>(current_.bytes.size() / 4);
    for (;;) {
        const uint32_t count = std::min(run_left_, block_size - decoded_);
        for (uint32_t i = 0; i < count; ++i)
            block_[decoded_++] = base_ + static_cast<uint32_t>(++last_);
        run_left_ -= count;
        if (decoded_ == block_size || item_ == runs)
            return;
        const int32_t first = load<uint16_t>(bytes + size_t{4} * item_);
        run_left_ = load<uint16_t>(bytes + size_t{4} * item_ + 2) + uint32_t{1};
        ++item_;
        ordered_ &= first > last_ && first + static_cast<int32_t>(run_left_) <= 0x10000;
        last_ = first - 1;
    }
}

void BitmapCursor::decode() {
    taken_ = decoded_ = 0;
    do {
        switch (current_.kind) {
        case ContainerKind::array:
            decode_array();
            break;
        case ContainerKind::bitset:
            decode_bitset();
            break;
        case ContainerKind::runs:
            decode_runs();
            break;
        }
        if (!ordered_) {
            decoded_ = 0;
            throw_bad_bitmap("The members of a container are not in ascending order.");
        }
    } while (decoded_ < enough && next_container());
}

} // namespace fas
