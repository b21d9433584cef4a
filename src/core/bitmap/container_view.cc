// One container of a roaring bitmap in the portable format: see view.hh. Nobody vouches for the bytes; the
// questions are answered without reading outside of them, and check() tells whether they are what they should be.
#include "view.hh"

#include <algorithm>
#include <bit>

#include "bits.hh"
#include "../bytes.hh"

namespace fas {

namespace {

uint16_t half(Bytes bytes, size_t i) noexcept { return load<uint16_t>(bytes.data() + 2 * i); }
uint64_t word(Bytes bytes, size_t i) noexcept { return load<uint64_t>(bytes.data() + 8 * i); }
size_t halves(Bytes bytes) noexcept { return bytes.size() / 2; }
size_t runs(Bytes bytes) noexcept { return bytes.size() / 4; }
uint16_t run_first(Bytes bytes, size_t i) noexcept { return half(bytes, 2 * i); }
uint32_t run_last(Bytes bytes, size_t i) noexcept { return run_first(bytes, i) + uint32_t{half(bytes, 2 * i + 1)}; }

constexpr size_t word_count = 1024;

// How many of the sorted members are less than `bound`.
size_t below(Bytes members, uint32_t bound) noexcept {
    size_t begin = 0;
    for (size_t left = halves(members); left > 0;) {
        size_t step = left / 2;
        if (half(members, begin + step) < bound) {
            begin += step + 1;
            left -= step + 1;
        } else {
            left = step;
        }
    }
    return begin;
}

// How many of the sorted runs begin at `low` or before it.
size_t runs_from(Bytes bytes, uint16_t low) noexcept {
    size_t begin = 0;
    for (size_t left = runs(bytes); left > 0;) {
        size_t step = left / 2;
        if (run_first(bytes, begin + step) <= low) {
            begin += step + 1;
            left -= step + 1;
        } else {
            left = step;
        }
    }
    return begin;
}

uint16_t lowest_of(uint64_t word, size_t i) noexcept {
    return static_cast<uint16_t>(64 * i + static_cast<unsigned>(std::countr_zero(word)));
}

uint16_t low_half(uint32_t value) {
    if (value > 0xffff)
        throw_bad_bitmap("A run reaches beyond its container.");
    return static_cast<uint16_t>(value);
}

} // namespace

bool ContainerView::contains(uint16_t low) const noexcept {
    switch (kind) {
    case ContainerKind::array: {
        size_t at = below(bytes, low);
        return at < halves(bytes) && half(bytes, at) == low;
    }
    case ContainerKind::bitset:
        return (word(bytes, low / 64) >> (low % 64) & 1) != 0;
    case ContainerKind::runs:
        break;
    }
    size_t after = runs_from(bytes, low);
    return after > 0 && low <= run_last(bytes, after - 1);
}

uint32_t ContainerView::rank(uint16_t low) const noexcept {
    switch (kind) {
    case ContainerKind::array:
        return static_cast<uint32_t>(below(bytes, low + uint32_t{1}));
    case ContainerKind::bitset: {
        uint64_t last = word(bytes, low / 64) << (63 - low % 64);
        return count_ones(bytes.data(), low / 64) + static_cast<uint32_t>(std::popcount(last));
    }
    case ContainerKind::runs:
        break;
    }
    const size_t count = runs_from(bytes, low);
    if (count == 0)
        return 0;
    uint32_t members = std::min<uint32_t>(low, run_last(bytes, count - 1)) - run_first(bytes, count - 1) + 1;
    for (size_t i = 0; i + 1 < count; ++i)
        members += half(bytes, 2 * i + 1) + uint32_t{1};
    return members;
}

bool ContainerView::part(uint16_t first, uint16_t last, uint8_t (&room)[part_size], ContainerView &out) const {
    out = *this;
    if (kind == ContainerKind::array) {
        const size_t begin = below(bytes, first), end = std::max(begin, below(bytes, last + uint32_t{1}));
        out.bytes = bytes.subspan(2 * begin, 2 * (end - begin));
    } else if (kind == ContainerKind::runs) {
        size_t begin = runs_from(bytes, first), end = runs_from(bytes, last);
        if (begin > 0 && run_last(bytes, begin - 1) >= first) // this run goes on at `first`
            --begin;
        if (end < begin)
            end = begin;
        const size_t size = 4 * (end - begin);
        if (size > part_size)
            return false;
        if (size > 0) {
            const uint32_t from = std::max(first, run_first(bytes, begin));
            const uint32_t to = std::min<uint32_t>(last, run_last(bytes, end - 1));
            const uint32_t from_last = begin + 1 == end ? to : run_last(bytes, begin);
            std::copy_n(bytes.data() + 4 * begin, size, room);
            const uint32_t to_first = begin + 1 == end ? from : run_first(bytes, end - 1);
            store<uint16_t>(room, static_cast<uint16_t>(from));
            store<uint16_t>(room + 2, static_cast<uint16_t>(from_last - from));
            store<uint16_t>(room + size - 4, static_cast<uint16_t>(to_first));
            store<uint16_t>(room + size - 2, static_cast<uint16_t>(to - to_first));
        }
        out.bytes = Bytes(room, size);
    } else {
        const uint32_t count = rank(last) - (first > 0 ? rank(static_cast<uint16_t>(first - 1)) : 0);
        if (2 * count > part_size)
            return false;
        uint8_t *to = room;
        for (uint32_t i = first / 64; i <= last / 64u; ++i) {
            uint64_t w = word(bytes, i);
            if (i == first / 64)
                w &= ~uint64_t{0} << (first % 64);
            if (i == last / 64u)
                w &= ~uint64_t{0} >> (63 - last % 64);
            for (; w != 0; w &= w - 1, to += 2)
                store<uint16_t>(to, lowest_of(w, i));
        }
        out.kind = ContainerKind::array;
        out.bytes = Bytes(room, 2 * size_t{count});
    }
    return true;
}

uint16_t ContainerView::minimum() const {
    if (kind == ContainerKind::array)
        return half(bytes, 0);
    if (kind == ContainerKind::runs && !bytes.empty())
        return run_first(bytes, 0);
    if (kind == ContainerKind::bitset)
        for (size_t i = 0; i < word_count; ++i)
            if (uint64_t w = word(bytes, i))
                return lowest_of(w, i);
    throw_bad_bitmap("A container has no member.");
}

uint16_t ContainerView::maximum() const {
    if (kind == ContainerKind::array)
        return half(bytes, halves(bytes) - 1);
    if (kind == ContainerKind::runs && !bytes.empty())
        return low_half(run_last(bytes, runs(bytes) - 1));
    if (kind == ContainerKind::bitset)
        for (size_t i = word_count; i > 0; --i)
            if (uint64_t w = word(bytes, i - 1))
                return static_cast<uint16_t>(64 * i - 1 - static_cast<unsigned>(std::countl_zero(w)));
    throw_bad_bitmap("A container has no member.");
}

uint16_t ContainerView::select(uint32_t index) const {
    if (kind == ContainerKind::array && index < halves(bytes))
        return half(bytes, index);
    if (kind == ContainerKind::runs)
        for (size_t i = 0; i < runs(bytes); ++i) {
            uint32_t members = uint32_t{half(bytes, 2 * i + 1)} + 1;
            if (index < members)
                return low_half(run_first(bytes, i) + index);
            index -= members;
        }
    if (kind == ContainerKind::bitset)
        for (size_t i = 0; i < word_count; ++i) {
            uint64_t w = word(bytes, i);
            auto members = static_cast<uint32_t>(std::popcount(w));
            if (index < members) {
                for (; index > 0; --index)
                    w &= w - 1;
                return lowest_of(w, i);
            }
            index -= members;
        }
    throw_bad_bitmap("A container has fewer members than its header says.");
}

void ContainerView::check() const {
    const auto count = static_cast<uint32_t>(kind == ContainerKind::array ? halves(bytes) : runs(bytes));
    uint32_t members = cardinality;
    if (kind == ContainerKind::array ? !ascends(bytes.data(), count)
                                     : kind == ContainerKind::runs && !runs_ascend(bytes.data(), count, members))
        throw_bad_bitmap("The members of a container are not in ascending order.");
    if (kind == ContainerKind::bitset)
        members = count_ones(bytes.data(), word_count);
    if (members != cardinality)
        throw_bad_bitmap("A container has another number of members than its header says.");
}

} // namespace fas
