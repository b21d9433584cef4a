// The members of a bitmap one by one: see BitmapCursor in view.hh.
#include "view.hh"

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

bool BitmapCursor::next(uint64_t &member) {
    for (;;) {
        const uint8_t *bytes = current_.bytes.data();
        auto size = static_cast<uint32_t>(current_.bytes.size());
        int32_t low = -1;
        switch (current_.kind) {
        case ContainerKind::array:
            if (item_ < size / 2)
                low = load<uint16_t>(bytes + 2 * item_++);
            break;
        case ContainerKind::bitset:
            while (word_ == 0 && item_ < size / 8)
                word_ = load<uint64_t>(bytes + 8 * item_++);
            if (word_ != 0) {
                low = static_cast<int32_t>(64 * (item_ - 1)) + std::countr_zero(word_);
                word_ &= word_ - 1;
            }
            break;
        case ContainerKind::runs:
            if (run_left_ > 0) {
                low = last_ + 1;
                --run_left_;
            } else if (item_ < size / 4) {
                low = load<uint16_t>(bytes + 4 * item_);
                run_left_ = load<uint16_t>(bytes + 4 * item_ + 2);
                ++item_;
            }
            break;
        }
        if (low >= 0) {
            if (low <= last_ || low > 0xffff)
                throw_bad_bitmap("The members of a container are not in ascending order.");
            last_ = low;
            member = base_ | static_cast<uint32_t>(low);
            return true;
        }
        if (!next_container())
            return false;
    }
}

} // namespace fas
