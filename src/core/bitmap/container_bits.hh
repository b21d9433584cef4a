// Small steps on the insides of containers: bits of a bitset, and runs. For container.cc and container_ops.cc.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "container.hh"
#include "../bytes.hh"

namespace fas {

inline void set_bit(uint64_t *words, uint32_t at) noexcept { words[at / 64] |= uint64_t{1} << (at % 64); }
inline bool has_bit(const uint64_t *words, uint32_t at) noexcept { return (words[at / 64] >> (at % 64) & 1) != 0; }

// Calls f(word, mask) for each word that has bits from `first` to `last`, both included.
template <class F> void for_range(uint64_t *words, uint32_t first, uint32_t last, F f) {
    uint64_t from = ~uint64_t{0} << (first % 64), to = ~uint64_t{0} >> (63 - last % 64);
    uint32_t begin = first / 64, end = last / 64;
    if (begin == end) {
        f(words[begin], from & to);
        return;
    }
    f(words[begin], from);
    for (uint32_t i = begin + 1; i < end; ++i)
        f(words[i], ~uint64_t{0});
    f(words[end], to);
}
inline void set_range(uint64_t *words, uint32_t first, uint32_t last) noexcept {
    for_range(words, first, last, [](uint64_t &word, uint64_t mask) { word |= mask; });
}
inline void flip_range(uint64_t *words, uint32_t first, uint32_t last) noexcept {
    for_range(words, first, last, [](uint64_t &word, uint64_t mask) { word ^= mask; });
}
inline void clear_range(uint64_t *words, uint32_t first, uint32_t last) noexcept {
    for_range(words, first, last, [](uint64_t &word, uint64_t mask) { word &= ~mask; });
}

// Words that lie in the portable format, and may lie anywhere. The two never overlap, which lets the compiler do
// several words at a time.
inline void unite_words(uint64_t *__restrict to, const uint8_t *__restrict from) noexcept {
    for (uint32_t i = 0; i < GatheredContainer::word_count; ++i)
        to[i] |= load<uint64_t>(from + 8 * i);
}
inline void toggle_words(uint64_t *__restrict to, const uint8_t *__restrict from) noexcept {
    for (uint32_t i = 0; i < GatheredContainer::word_count; ++i)
        to[i] ^= load<uint64_t>(from + 8 * i);
}

// The bits that are set, ascending; `out` has room for them. Returns how many.
inline uint32_t list_bits(const uint64_t *words, uint16_t *out) noexcept {
    uint16_t *at = out;
    for (uint32_t i = 0; i < GatheredContainer::word_count; ++i)
        for (uint64_t word = words[i]; word != 0; word &= word - 1)
            *at++ = static_cast<uint16_t>(64 * i + static_cast<unsigned>(std::countr_zero(word)));
    return static_cast<uint32_t>(at - out);
}

// Runs as they lie in the portable format; throws when they are not in order or reach beyond the container.
class RunReader {
  public:
    explicit RunReader(Bytes bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size() / 4 * 4) {}
    bool left() const noexcept { return at_ != end_; }
    Run next() {
        uint32_t first = load<uint16_t>(at_), last = first + load<uint16_t>(at_ + 2);
        if (first < after_ || last > 0xffff)
            throw_bad_bitmap("Runs are not in ascending order, or reach beyond their container.");
        after_ = last + 1;
        at_ += 4;
        return {static_cast<uint16_t>(first), static_cast<uint16_t>(last)};
    }

  private:
    const uint8_t *at_, *end_;
    uint32_t after_ = 0;
};

// The union of two ascending lists of runs; `out` has room for as many runs as both have.
inline uint32_t unite_runs(const Run *a, uint32_t a_count, const Run *b, uint32_t b_count, Run *out) noexcept {
    uint32_t i = 0, j = 0, made = 0;
    while (i < a_count || j < b_count) {
        const Run &next = j == b_count || (i < a_count && a[i].first <= b[j].first) ? a[i++] : b[j++];
        if (made > 0 && next.first <= out[made - 1].last + 1)
            out[made - 1].last = std::max(out[made - 1].last, next.last);
        else
            out[made++] = next;
    }
    return made;
}

// Combines two ascending lists of runs. `combine(in_a, in_b)` says what is in the result; it must not want what is in
// neither. `out` has room for as many runs as both have.
template <class Combine>
uint32_t sweep(const Run *a, uint32_t a_count, const Run *b, uint32_t b_count, Run *out, Combine combine) noexcept {
    constexpr uint32_t nowhere = 0x20000;
    // Border 2i is where run i begins, border 2i + 1 is behind its end.
    auto border = [](const Run *runs, uint32_t count, uint32_t i) -> uint32_t {
        if (i == 2 * count)
            return nowhere;
        return i % 2 == 0 ? runs[i / 2].first : runs[i / 2].last + uint32_t{1};
    };
    uint32_t i = 0, j = 0, start = 0, made = 0;
    bool inside = false;
    for (;;) {
        uint32_t at = std::min(border(a, a_count, i), border(b, b_count, j));
        if (at == nowhere)
            return made;
        while (border(a, a_count, i) == at) // twice where runs touch each other
            ++i;
        while (border(b, b_count, j) == at)
            ++j;
        bool now = combine(i % 2 != 0, j % 2 != 0);
        if (now && !inside)
            start = at;
        else if (!now && inside)
            out[made++] = {static_cast<uint16_t>(start), static_cast<uint16_t>(at - 1)};
        inside = now;
    }
}

} // namespace fas
