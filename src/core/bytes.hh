// Little-endian numbers and LEB128 varints in plain bytes: what every part of the segment's format is made of.
// Stores append to a vector; loads through ByteCursor check that they stay inside.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "flow.hh"
#include "source.hh"

namespace fas {

template <class T> T little_endian(T value) noexcept {
    if constexpr (std::endian::native == std::endian::big) {
        T swapped{};
        for (size_t i = 0; i < sizeof(T); ++i, value = static_cast<T>(value >> 8))
            swapped = static_cast<T>(swapped << 8 | (value & 0xff));
        return swapped;
    }
    return value;
}

// Unaligned, unchecked.
template <class T> T load(const uint8_t *from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return little_endian(value);
}
template <class T> void store(uint8_t *to, T value) noexcept {
    value = little_endian(value);
    std::memcpy(to, &value, sizeof(T));
}
inline uint128 load128(const uint8_t *from) noexcept {
    return static_cast<uint128>(load<uint64_t>(from + 8)) << 64 | load<uint64_t>(from);
}
inline void store128(uint8_t *to, uint128 value) noexcept {
    store<uint64_t>(to, static_cast<uint64_t>(value));
    store<uint64_t>(to + 8, static_cast<uint64_t>(value >> 64));
}

template <class T> void append(std::vector<uint8_t> &out, T value) {
    const size_t at = out.size();
    out.resize(at + sizeof(T));
    store<T>(out.data() + at, value);
}

// The size of a varint, and writing one to memory that has room for it (10 bytes at most).
inline unsigned varint_size(uint64_t value) noexcept {
    return (static_cast<unsigned>(std::bit_width(value | 1)) + 6) / 7;
}
inline uint8_t *put_varint(uint8_t *to, uint64_t value) noexcept {
    for (; value >= 0x80; value >>= 7)
        *to++ = static_cast<uint8_t>(value | 0x80);
    *to++ = static_cast<uint8_t>(value);
    return to;
}

// Reads forward through bytes that nobody vouches for.
class ByteCursor {
  public:
    explicit ByteCursor(Bytes bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    size_t left() const noexcept { return static_cast<size_t>(end_ - at_); }
    uint8_t byte() { return *take(1); }
    const uint8_t *take(uint64_t count) {
        if (count > left())
            throw_corrupted("A part ends in the middle of an item.");
        const uint8_t *start = at_;
        at_ += count;
        return start;
    }
    uint64_t varint() {
        uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const uint8_t next = byte();
            if (shift == 63 && next > 1)
                break;
            value |= static_cast<uint64_t>(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
        throw_corrupted("A variable-length number is too long.");
    }

  private:
    const uint8_t *at_, *end_;
};

} // namespace fas
