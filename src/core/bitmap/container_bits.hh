// Small steps on the insides of containers: bits of a bitset, and runs. For container*.cc.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "bits.hh"
#include "container.hh"
#include "words.hh"
#include "../bytes.hh"

namespace fas {

inline void set_bit(uint64_t *words, uint32_t at) noexcept { words[at / 64] |= uint64_t{1} << (at % 64); }
inline bool has_bit(const uint64_t *words, uint32_t at) noexcept { return (words[at / 64] >> (at % 64) & 1) != 0; }

// Calls f(word, mask) for each word that has bits from `first` to `last`, both included.
template <class F>
inline __attribute__((always_inline)) void for_range(uint64_t *words, uint32_t first, uint32_t last, F f) {
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

// Members from `first` to `last`, both included.
inline uint32_t count_range(const uint64_t *words, uint32_t first, uint32_t last) noexcept {
    const uint32_t begin = first / 64, end = last / 64;
    const uint64_t from = ~uint64_t{0} << (first % 64), to = ~uint64_t{0} >> (63 - last % 64);
    if (begin == end)
        return static_cast<uint32_t>(std::popcount(words[begin] & from & to));
    return static_cast<uint32_t>(std::popcount(words[begin] & from) + std::popcount(words[end] & to)) +
           count_ones(reinterpret_cast<const uint8_t *>(words + begin + 1), end - begin - 1);
}

// Calls f(word, bits) for the bits low(0) to low(count - 1). Where many of them share a word, each word is written
// once: a write that waits for the one before is what takes the time.
template <class Low, class F> void for_bits(uint64_t *words, uint32_t count, Low low, F f) noexcept {
    constexpr uint32_t many_in_a_word = 4;
    if (count == 0)
        return;
    const uint32_t first = low(0) / 64U, last = low(count - 1) / 64U;
    if ((last - first + 1) > count / many_in_a_word) { // also where they do not ascend
        for (uint32_t i = 0; i < count; ++i)
            f(words[low(i) / 64], uint64_t{1} << (low(i) % 64));
        return;
    }
    uint32_t place = first;
    uint64_t bits = 0;
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t at = low(i);
        if (at / 64 != place) {
            f(words[place], bits);
            place = at / 64;
            bits = 0;
        }
        f(bits, uint64_t{1} << (at % 64));
    }
    f(words[place], bits);
}
template <class Low> void set_bits(uint64_t *words, uint32_t count, Low low) noexcept {
    for_bits(words, count, low, [](uint64_t &word, uint64_t bits) { word |= bits; });
}
template <class Low> void flip_bits(uint64_t *words, uint32_t count, Low low) noexcept {
    for_bits(words, count, low, [](uint64_t &word, uint64_t bits) { word ^= bits; });
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

// Writes runs that come in order; those that touch each other become one.
class RunWriter {
  public:
    explicit RunWriter(Run *out) noexcept : out_(out) {}
    void put(uint32_t first, uint32_t last) noexcept {
        if (made_ > 0 && out_[made_ - 1].last + 1u == first)
            out_[made_ - 1].last = static_cast<uint16_t>(last);
        else
            out_[made_++] = {static_cast<uint16_t>(first), static_cast<uint16_t>(last)};
    }
    uint32_t made() const noexcept { return made_; }

  private:
    Run *out_;
    uint32_t made_ = 0;
};

// What is in one of two ascending lists of runs, not in both. Runs are often alike, so that guesses are quick. `out`
// has room for as many runs as both have.
inline uint32_t toggle_runs(const Run *a, uint32_t a_count, const Run *b, uint32_t b_count, Run *out) noexcept {
    RunWriter writer(out);
    uint32_t i = 0, j = 0, a_first = a_count > 0 ? a[0].first : 0, b_first = b_count > 0 ? b[0].first : 0;
    auto next_a = [&] { a_first = ++i < a_count ? a[i].first : 0; };
    auto next_b = [&] { b_first = ++j < b_count ? b[j].first : 0; };
    while (i < a_count && j < b_count) {
        const uint32_t a_last = a[i].last, b_last = b[j].last;
        if (a_first == b_first && a_last == b_last) {
            next_a();
            next_b();
        } else if (a_last < b_first) {
            writer.put(a_first, a_last);
            next_a();
        } else if (b_last < a_first) {
            writer.put(b_first, b_last);
            next_b();
        } else { // they overlap: what is before that, and the rest goes on
            if (a_first != b_first)
                writer.put(std::min(a_first, b_first), std::max(a_first, b_first) - 1);
            if (a_last <= b_last)
                next_a();
            if (b_last <= a_last)
                next_b();
            if (a_last < b_last)
                b_first = a_last + 1;
            else if (b_last < a_last)
                a_first = b_last + 1;
        }
    }
    for (; i < a_count; next_a())
        writer.put(a_first, a[i].last);
    for (; j < b_count; next_b())
        writer.put(b_first, b[j].last);
    return writer.made();
}

// What is in both of two ascending lists of runs. `out` has room for as many runs as both have. What is compared is
// kept out of memory that a write might change.
inline uint32_t share_runs(const Run *a, uint32_t a_count, RunReader b, Run *out) {
    constexpr uint32_t nowhere = UINT32_MAX - 1;
    if (a_count == 0 || !b.left())
        return 0;
    const Run *const a_behind = a + a_count;
    Run *at = out;
    Run other = b.next();
    uint32_t a_first = a->first, a_last = a->last, b_first = other.first, b_last = other.last, written = nowhere;
    for (;;) {
        const uint32_t first = std::max(a_first, b_first), last = std::min(a_last, b_last);
        if (first <= last) {
            if (first == written + 1)
                --at; // it goes on
            else
                at->first = static_cast<uint16_t>(first);
            at++->last = static_cast<uint16_t>(last);
            written = last;
        }
        const bool a_ends = a_last <= b_last, b_ends = b_last <= a_last;
        if (a_ends) {
            if (++a == a_behind)
                break;
            a_first = a->first;
            a_last = a->last;
        }
        if (b_ends) {
            if (!b.left())
                break;
            other = b.next();
            b_first = other.first;
            b_last = other.last;
        }
    }
    return static_cast<uint32_t>(at - out);
}

} // namespace fas
