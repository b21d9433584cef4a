// See walk.hh.
#include "walk.hh"

#include <cstring>

#include "bits.hh"
#include "container_bits.hh"

namespace fas {

namespace {

constexpr uint32_t cookie_without_runs = 12346, cookie_with_runs = 12347;
constexpr uint32_t most_array_members = 4096, most_containers = 65536;
// With runs, smaller bitmaps have no offsets in their header.
constexpr uint32_t least_with_offsets = 4;

[[noreturn]] void refuse(const char *detail) {
    throw Error(sqlstate::data_corrupted, "invalid roaring bitmap", detail);
}

} // namespace

void Container::check() const {
    uint32_t members = 0; // of runs, the header's number is not looked at
    if (kind == Kind::array ? !ascends(data, count) : kind == Kind::runs && !runs_ascend(data, count, members))
        refuse("The members of a container are not in order.");
    if (kind == Kind::bitset && count_ones(data, words) != count)
        refuse("A container has not as many members as it says.");
}

void Container::fill(uint64_t *bits) const noexcept {
    if (kind == Kind::bitset) {
        for (uint32_t i = 0; i < words; ++i)
            bits[i] = word(i);
        return;
    }
    std::memset(bits, 0, words * sizeof *bits);
    if (kind == Kind::array) {
        for (uint32_t i = 0; i < count; ++i)
            bits[number(i) / 64] |= uint64_t{1} << (number(i) % 64);
    } else {
        each_run([&](uint32_t first, uint32_t last) { set_range(bits, first, last); });
    }
}

ContainerWalk::ContainerWalk(Bytes bytes, BitmapWidth width) : at_(bytes), is_wide_(width == BitmapWidth::bits64) {
    if (!is_wide_) {
        parts_left_ = 1;
    } else if (at_.left() < 8) {
        refuse("The bytes end in the middle of the header.");
    } else {
        parts_left_ = load<uint64_t>(at_.take(8)); // each takes bytes, so a false count ends soon
    }
}

void ContainerWalk::begin_part() {
    if (at_.left() < (is_wide_ ? 12 : 8))
        refuse("The bytes end in the middle of the header.");
    if (is_wide_) {
        const auto high = static_cast<int64_t>(load<uint32_t>(at_.take(4)));
        if (high <= high_)
            refuse("The parts of the bitmap are not in order.");
        high_ = high;
    } else {
        high_ = 0;
    }
    const uint32_t cookie = load<uint32_t>(at_.take(4));
    const bool has_runs = (cookie & 0xffff) == cookie_with_runs;
    if (!has_runs && cookie != cookie_without_runs)
        refuse("The bytes do not begin as a bitmap in the portable Roaring format does.");
    containers_ = has_runs ? (cookie >> 16) + 1 : load<uint32_t>(at_.take(4));
    const uint64_t flags = has_runs ? (uint64_t{containers_} + 7) / 8 : 0;
    const uint64_t offsets = !has_runs || containers_ >= least_with_offsets ? uint64_t{4} * containers_ : 0;
    if (containers_ > most_containers || at_.left() < flags + uint64_t{4} * containers_ + offsets)
        refuse("The bytes end in the middle of the header.");
    run_flags_ = has_runs ? at_.take(flags) : nullptr;
    header_ = at_.take(uint64_t{4} * containers_);
    at_.take(offsets); // what they say follows from the rest
    index_ = 0;
    key_ = -1;
}

bool ContainerWalk::next(Container &out) {
    while (index_ == containers_) {
        if (parts_left_ == 0) {
            if (at_.left() != 0)
                refuse("Something follows the bitmap.");
            return false;
        }
        --parts_left_;
        begin_part();
    }
    const auto key = static_cast<int32_t>(load<uint16_t>(header_ + size_t{4} * index_));
    if (key <= key_)
        refuse("The containers of the bitmap are not in order.");
    key_ = key;
    out.key = static_cast<uint64_t>(high_) << 16 | static_cast<uint64_t>(key);
    out.count = uint32_t{load<uint16_t>(header_ + size_t{4} * index_ + 2)} + 1;
    if (run_flags_ != nullptr && (run_flags_[index_ / 8] >> (index_ % 8) & 1) != 0) {
        out.kind = Container::Kind::runs;
        out.count = at_.left() >= 2 ? load<uint16_t>(at_.take(2)) : 0;
        if (out.count == 0)
            refuse("A container has no members.");
    } else {
        out.kind = out.count <= most_array_members ? Container::Kind::array : Container::Kind::bitset;
    }
    if (at_.left() < out.size())
        refuse("The bytes end in the middle of a container.");
    out.data = at_.take(out.size());
    ++index_;
    return true;
}

} // namespace fas
