// See container_maker.hh. Nothing here is shared, and no lock is needed.
#include "container_maker.hh"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "bits.hh"
#include "container_bits.hh"
#include "container_pairs.hh"
#include "../bytes.hh"

namespace fas {

namespace {

enum class Kind : uint8_t { array, bitset, runs };
constexpr uint32_t max_array = 4096;
constexpr uint32_t bitset_bytes = 8192;
constexpr uint32_t word_count = 1024;
constexpr uint32_t everything = 65536;
constexpr size_t block_words = 8192; // larger blocks would come fresh from the kernel each time

// Everything there can be, as one run.
constexpr uint8_t full_run[] = {1, 0, 0, 0, 0xff, 0xff};

Kind kind_of(const ContainerPlace &c) noexcept {
    return c.is_run ? Kind::runs : c.cardinality() <= max_array ? Kind::array : Kind::bitset;
}

bool are_same(const ContainerPlace &a, const ContainerPlace &b) noexcept {
    return a.is_run == b.is_run && a.last == b.last && a.size == b.size && std::memcmp(a.data, b.data, a.size) == 0;
}

uint32_t member(const ContainerPlace &array, uint32_t i) noexcept { return load<uint16_t>(array.data + size_t{2} * i); }

// How many members of an array are less than the bound.
uint32_t count_less(const ContainerPlace &array, uint32_t bound) noexcept {
    uint32_t begin = 0;
    for (uint32_t left = array.cardinality(); left > 0;) {
        const uint32_t half = left / 2;
        if (member(array, begin + half) < bound) {
            begin += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    return begin;
}

ContainerPlace nothing(uint16_t key) noexcept { return {key, 0, false, 0, nullptr}; }
ContainerPlace full(uint16_t key) noexcept { return {key, 0xffff, true, sizeof full_run, full_run}; }

// What is written overlaps nothing that is read, which lets the compiler do several words at a time.
template <class F> void join_words(uint64_t *__restrict out, const uint8_t *a, const uint8_t *b, F f) noexcept {
    for (uint32_t i = 0; i < word_count; ++i)
        out[i] = f(load<uint64_t>(a + size_t{8} * i), load<uint64_t>(b + size_t{8} * i));
}

#define FAS_INLINE inline __attribute__((always_inline)) // the compiler hesitates, and these are the innermost steps

// Runs one behind the other, as they are read; the ends are exclusive.
struct RunList {
    RunList(const uint8_t *runs, uint32_t count) noexcept : at(runs), behind(runs + size_t{4} * count) { begin(); }
    explicit RunList(const ContainerPlace &c) noexcept : RunList(c.data + 2, (c.size - 2) / 4) {}
    FAS_INLINE void begin() noexcept {
        if (at != behind)
            first = load<uint16_t>(at);
    }
    FAS_INLINE bool is_done() const noexcept { return at == behind; }
    FAS_INLINE bool is_whole() const noexcept { return first == load<uint16_t>(at); }
    FAS_INLINE uint32_t end() const noexcept { return load<uint16_t>(at) + load<uint16_t>(at + 2) + 1U; }
    FAS_INLINE void take() noexcept {
        at += 4;
        begin();
    }
    const uint8_t *at, *behind;
    uint32_t first = 0; // of the current run, as far as it is left
};

// Runs that are written in ascending order; those that touch each other become one. The last one is written by flush().
struct RunsMade {
    explicit RunsMade(uint8_t *out) noexcept : begin(out), at(out) {}
    FAS_INLINE void add(uint32_t from, uint32_t to) noexcept {
        cardinality += to - from;
        if (from != end) {
            flush();
            first = from;
        }
        end = to;
    }
    // Runs as they lie, of which the first may touch what was written.
    FAS_INLINE void copy(const uint8_t *runs, const uint8_t *behind) noexcept {
        const auto last_of = [](const uint8_t *run) { return uint32_t{load<uint16_t>(run)} + load<uint16_t>(run + 2); };
        add(load<uint16_t>(runs), last_of(runs) + 1);
        runs += 4;
        if (runs == behind)
            return;
        flush();
        const auto size = static_cast<size_t>(behind - runs);
        std::memcpy(at, runs, size);
        at += size - 4;
        cardinality += count_members(runs, static_cast<uint32_t>(size / 4));
        first = load<uint16_t>(behind - 4);
        end = last_of(behind - 4) + 1;
    }
    FAS_INLINE void flush() noexcept {
        if (end == nowhere)
            return;
        store<uint32_t>(at, first | (end - first - 1) << 16);
        at += 4;
    }
    uint32_t count() const noexcept { return static_cast<uint32_t>(at - begin) / 4; }

    static uint32_t count_members(const uint8_t *runs, uint32_t count) noexcept {
        uint32_t members = count, i = 0;
#if defined(__SSE2__)
        __m128i sums = _mm_setzero_si128();
        for (; i + 4 <= count; i += 4) {
            const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i *>(runs + size_t{4} * i));
            sums = _mm_add_epi32(sums, _mm_srli_epi32(four, 16));
        }
        uint32_t sum[4];
        _mm_storeu_si128(reinterpret_cast<__m128i *>(sum), sums);
        members += sum[0] + sum[1] + sum[2] + sum[3];
#endif
        for (; i < count; ++i)
            members += load<uint16_t>(runs + size_t{4} * i + 2);
        return members;
    }

    static constexpr uint32_t nowhere = UINT32_MAX;
    uint8_t *begin, *at;
    uint32_t cardinality = 0, first = 0, end = nowhere; // a run that may still grow
};

// What is in the left list alone, in the right one alone, and in both. Runs that are alike, or before all of the other
// list's, are gone over in stretches.
template <bool left_alone, bool right_alone, bool common>
RunsMade merge_runs(RunList a, RunList b, uint8_t *out) noexcept {
    RunsMade made(out);
    while (!a.is_done() && !b.is_done()) {
        const uint32_t a_end = a.end(), b_end = b.end();
        if (a.first == b.first && a_end == b_end && a.is_whole() && b.is_whole()) {
            const uint8_t *from = a.at;
            do {
                a.at += 4;
                b.at += 4;
            } while (!a.is_done() && !b.is_done() && load<uint32_t>(a.at) == load<uint32_t>(b.at));
            if (common)
                made.copy(from, a.at);
            a.begin();
            b.begin();
        } else if (a_end <= b.first) {
            if (left_alone)
                made.add(a.first, a_end);
            a.take();
        } else if (b_end <= a.first) {
            if (right_alone)
                made.add(b.first, b_end);
            b.take();
        } else {
            const uint32_t begin = std::max(a.first, b.first), end = std::min(a_end, b_end);
            if (left_alone && a.first < begin)
                made.add(a.first, begin);
            if (right_alone && b.first < begin)
                made.add(b.first, begin);
            if (common)
                made.add(begin, end);
            a.first = b.first = end;
            if (a_end == end)
                a.take();
            if (b_end == end)
                b.take();
        }
    }
    for (RunList *rest : {&a, &b})
        if (!rest->is_done() && (rest == &a ? left_alone : right_alone)) {
            made.add(rest->first, rest->end());
            if (rest->at + 4 != rest->behind)
                made.copy(rest->at + 4, rest->behind);
        }
    made.flush();
    return made;
}

// How many of a container's runs, which ascend, are before the first of which `f(first, end)` does not hold.
template <class F> uint32_t count_runs(const ContainerPlace &c, F f) noexcept {
    uint32_t begin = 0;
    for (uint32_t left = (c.size - 2) / 4; left > 0;) {
        const uint32_t half = left / 2;
        const uint8_t *run = c.data + 2 + size_t{4} * (begin + half);
        const uint32_t first = load<uint16_t>(run);
        if (f(first, first + load<uint16_t>(run + 2) + 1)) {
            begin += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    return begin;
}

} // namespace

uint64_t *ContainerMaker::begin(size_t bytes) {
    const size_t words = (bytes + 7) / 8;
    if (words > left_) {
        left_ = std::max(words, block_words);
        at_ = blocks_.emplace_back(new uint64_t[left_]).get();
    }
    return at_;
}

ContainerPlace ContainerMaker::end(uint16_t key, uint32_t cardinality, bool is_run, size_t bytes) {
    if (cardinality == 0)
        return nothing(key);
    const auto *data = reinterpret_cast<const uint8_t *>(at_);
    const size_t words = (bytes + 7) / 8;
    at_ += words;
    left_ -= words;
    return {key, static_cast<uint16_t>(cardinality - 1), is_run, static_cast<uint32_t>(bytes), data};
}

// A bitset was begun, and has so many members.
ContainerPlace ContainerMaker::end_words(uint16_t key, uint32_t cardinality) {
    if (cardinality > max_array)
        return end(key, cardinality, false, bitset_bytes);
    uint16_t members[max_array];
    list_bits(at_, members);
    std::memcpy(at_, members, size_t{2} * cardinality);
    return end(key, cardinality, false, size_t{2} * cardinality);
}

// Runs were begun; they stay runs where that is as small as anything else.
ContainerPlace ContainerMaker::end_runs(uint16_t key, uint32_t cardinality, uint32_t runs, bool prefers_runs) {
    if (runs == 0)
        return nothing(key);
    const uint32_t size = 2 + 4 * runs;
    const uint32_t otherwise = prefers_runs ? bitset_bytes : std::min(bitset_bytes, 2 * cardinality + 2);
    auto *data = reinterpret_cast<uint8_t *>(at_);
    store<uint16_t>(data, static_cast<uint16_t>(runs));
    if (size <= otherwise)
        return end(key, cardinality, true, size);
    uint64_t words[word_count] = {};
    for (const uint8_t *run = data + 2; run != data + size; run += 4)
        set_range(words, load<uint16_t>(run), uint32_t{load<uint16_t>(run)} + load<uint16_t>(run + 2));
    std::memcpy(begin(bitset_bytes), words, bitset_bytes);
    return end_words(key, cardinality);
}

bool ContainerMaker::can_combine(SetOperation operation, const ContainerPlace &a, const ContainerPlace &b) noexcept {
    const Kind x = kind_of(a), y = kind_of(b);
    if (x == Kind::runs || y == Kind::runs)
        return x == y;
    return x == Kind::bitset || y == Kind::bitset || operation == SetOperation::intersection || are_same(a, b);
}

ContainerPlace ContainerMaker::combine(SetOperation operation, const ContainerPlace &a, const ContainerPlace &b) {
    if (a.is_run)
        return combine_runs(operation, a, b);
    if (are_same(a, b))
        return operation == SetOperation::intersection || operation == SetOperation::union_of ? a : nothing(a.key);
    const Kind x = kind_of(a), y = kind_of(b);
    if (x == Kind::bitset && y == Kind::bitset)
        return combine_words(operation, a, b);
    if (x == Kind::array && y == Kind::array) { // an intersection
        uint8_t *out = begin_bytes(std::min(a.size, b.size) + size_t{16});
        const uint32_t shared = list_shared(a, b, out);
        return end(a.key, shared, false, size_t{2} * shared);
    }
    const ContainerPlace &array = x == Kind::array ? a : b, &bitset = x == Kind::array ? b : a;
    if (operation == SetOperation::intersection)
        return filter(array, bitset, true);
    if (operation == SetOperation::difference && x == Kind::array)
        return filter(array, bitset, false);
    return merge_array(operation, bitset, array);
}

ContainerPlace ContainerMaker::combine_words(SetOperation operation, const ContainerPlace &a, const ContainerPlace &b) {
    uint64_t *words = begin(bitset_bytes);
    switch (operation) {
    case SetOperation::intersection:
        join_words(words, a.data, b.data, [](uint64_t x, uint64_t y) { return x & y; });
        break;
    case SetOperation::union_of:
        join_words(words, a.data, b.data, [](uint64_t x, uint64_t y) { return x | y; });
        break;
    case SetOperation::symmetric_difference:
        join_words(words, a.data, b.data, [](uint64_t x, uint64_t y) { return x ^ y; });
        break;
    case SetOperation::difference:
        join_words(words, a.data, b.data, [](uint64_t x, uint64_t y) { return x & ~y; });
        break;
    }
    return end_words(a.key, count_ones(reinterpret_cast<const uint8_t *>(words), word_count));
}

// The members of an array that a bitset has, or has not.
ContainerPlace ContainerMaker::filter(const ContainerPlace &array, const ContainerPlace &bitset, bool wanted) {
    uint8_t *out = begin_bytes(array.size);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < array.cardinality(); ++i) {
        const uint32_t each = member(array, i);
        store<uint16_t>(out + size_t{2} * kept, static_cast<uint16_t>(each));
        kept += ((bitset.data[each / 8] >> (each % 8) & 1) != 0) == wanted;
    }
    return end(array.key, kept, false, size_t{2} * kept);
}

// A bitset with the members of an array more, less, or turned over.
ContainerPlace ContainerMaker::merge_array(SetOperation operation, const ContainerPlace &bitset,
                                           const ContainerPlace &array) {
    uint64_t *words = begin(bitset_bytes);
    std::memcpy(words, bitset.data, bitset_bytes);
    uint32_t shared = 0;
    for (uint32_t i = 0; i < array.cardinality(); ++i) {
        const uint32_t each = member(array, i);
        uint64_t &word = words[each / 64];
        const uint64_t bit = uint64_t{1} << (each % 64);
        shared += static_cast<uint32_t>(word >> (each % 64) & 1);
        word = operation == SetOperation::union_of     ? word | bit
               : operation == SetOperation::difference ? word & ~bit
                                                       : word ^ bit;
    }
    const uint32_t before = bitset.cardinality(), others = array.cardinality();
    return end_words(bitset.key, operation == SetOperation::union_of     ? before + others - shared
                                 : operation == SetOperation::difference ? before - shared
                                                                         : before + others - 2 * shared);
}

ContainerPlace ContainerMaker::combine_runs(SetOperation operation, const ContainerPlace &a, const ContainerPlace &b) {
    const RunList x(a), y(b);
    uint8_t *out = begin_bytes(size_t{a.size} + b.size) + 2; // each border of the result is one of theirs
    const RunsMade made = operation == SetOperation::intersection           ? merge_runs<false, false, true>(x, y, out)
                          : operation == SetOperation::union_of             ? merge_runs<true, true, true>(x, y, out)
                          : operation == SetOperation::symmetric_difference ? merge_runs<true, true, false>(x, y, out)
                                                                            : merge_runs<true, false, false>(x, y, out);
    return end_runs(a.key, made.cardinality, made.count(), false);
}

// Runs with all of a range, with none of it, or with it turned over. What does not even touch the range is copied.
ContainerPlace ContainerMaker::change_runs(SetOperation operation, const ContainerPlace &c, uint32_t first,
                                           uint32_t last) {
    const uint32_t all = (c.size - 2) / 4, range_end = last + 1;
    const uint32_t before = first == 0 ? 0 : count_runs(c, [&](uint32_t, uint32_t end) { return end < first; });
    const uint32_t up_to =
        range_end == everything ? all : count_runs(c, [&](uint32_t begin, uint32_t) { return begin <= range_end; });
    const uint8_t *runs = c.data + 2, *changed = runs + size_t{4} * before, *behind = runs + size_t{4} * up_to;
    const RunList reached(changed, up_to - before);
    uint8_t *out = begin_bytes(size_t{c.size} + 8) + 2; // the range has two borders more
    std::memcpy(out, runs, size_t{4} * before);
    RunsMade made(out + size_t{4} * before);
    const uint32_t last_end = reached.is_done() ? 0 : RunList(behind - 4, 1).end();
    if (operation == SetOperation::symmetric_difference) {
        uint8_t range[4];
        store<uint32_t>(range, first | (last - first) << 16);
        made = merge_runs<true, true, false>(reached, RunList(range, 1), made.at);
    } else if (operation == SetOperation::union_of) {
        made.add(reached.is_done() ? first : std::min(first, reached.first), std::max(last_end, range_end));
        made.flush();
    } else {
        if (!reached.is_done() && reached.first < first)
            made.add(reached.first, std::min(reached.end(), first));
        if (last_end > range_end)
            made.add(std::max(RunList(behind - 4, 1).first, range_end), last_end);
        made.flush();
    }
    std::memcpy(made.at, behind, size_t{4} * (all - up_to));
    uint32_t members = 0; // of the runs that are changed
    runs_ascend(changed, up_to - before, members);
    const uint32_t cardinality = c.cardinality() - members + made.cardinality;
    return end_runs(c.key, cardinality, before + made.count() + all - up_to, operation == SetOperation::union_of);
}

ContainerPlace ContainerMaker::change_words(SetOperation operation, const ContainerPlace &c, uint32_t first,
                                            uint32_t last) {
    uint64_t *words = begin(bitset_bytes);
    const bool is_bitset = kind_of(c) == Kind::bitset;
    uint32_t present = 0; // in the range
    if (is_bitset) {
        std::memcpy(words, c.data, bitset_bytes);
        present = count_range(words, first, last);
    } else {
        std::memset(words, 0, bitset_bytes);
        for (uint32_t i = 0; i < c.cardinality(); ++i)
            set_bit(words, member(c, i));
    }
    if (operation == SetOperation::union_of)
        set_range(words, first, last);
    else if (operation == SetOperation::difference)
        clear_range(words, first, last);
    else
        flip_range(words, first, last);
    if (!is_bitset)
        return end_words(c.key, count_ones(reinterpret_cast<const uint8_t *>(words), word_count));
    const uint32_t width = last - first + 1, others = c.cardinality() - present;
    return end_words(c.key, operation == SetOperation::union_of     ? others + width
                            : operation == SetOperation::difference ? others
                                                                    : others + width - present);
}

// An array with all of a range, with none of it, or with it turned over; the result is an array, too, or begun anew.
ContainerPlace ContainerMaker::splice(SetOperation operation, const ContainerPlace &array, uint32_t first,
                                      uint32_t last) {
    const uint32_t less = count_less(array, first), behind = count_less(array, last + 1);
    const uint32_t more = array.cardinality() - behind, width = last - first + 1;
    const uint32_t between = operation == SetOperation::union_of     ? width
                             : operation == SetOperation::difference ? 0
                                                                     : width - (behind - less);
    const uint32_t all = less + between + more;
    if (all > max_array)
        return change_words(operation, array, first, last);
    uint8_t *out = begin_bytes(size_t{2} * all);
    std::memcpy(out, array.data, size_t{2} * less);
    uint8_t *at = out + size_t{2} * less;
    const auto put = [&](uint32_t from, uint32_t to) {
        for (; from < to; ++from, at += 2)
            store<uint16_t>(at, static_cast<uint16_t>(from));
    };
    if (operation == SetOperation::union_of) {
        put(first, last + 1);
    } else if (operation == SetOperation::symmetric_difference) {
        uint32_t from = first;
        for (uint32_t i = less; i < behind; ++i) {
            const uint32_t present = member(array, i);
            put(from, present);
            from = present + 1;
        }
        put(from, last + 1);
    }
    std::memcpy(at, array.data + size_t{2} * behind, size_t{2} * more);
    return end(array.key, all, false, size_t{2} * all);
}

bool ContainerMaker::can_negate(const ContainerPlace &c) noexcept {
    return !c.is_run && everything - c.cardinality() > max_array;
}

void ContainerMaker::negate(const ContainerPlace &c, uint8_t *out) {
    if (kind_of(c) == Kind::bitset) {
        if (negate_words(c.data, out, word_count) != c.cardinality())
            throw_bad_bitmap("A container has not as many members as its header says.");
        return;
    }
    std::memset(out, 0xff, bitset_bytes);
    for (uint32_t i = 0; i < c.cardinality(); ++i) {
        const uint32_t each = member(c, i);
        out[each / 8] = static_cast<uint8_t>(out[each / 8] & ~(1U << (each % 8)));
    }
}

ContainerPlace ContainerMaker::range(uint16_t key, uint32_t first, uint32_t last) {
    const uint32_t count = last - first + 1;
    if (count == everything)
        return full(key);
    uint8_t *out = begin_bytes(8);
    if (count <= 2) {
        store<uint16_t>(out, static_cast<uint16_t>(first));
        store<uint16_t>(out + 2, static_cast<uint16_t>(last));
        return end(key, count, false, size_t{2} * count);
    }
    store<uint16_t>(out, uint16_t{1});
    store<uint16_t>(out + 2, static_cast<uint16_t>(first));
    store<uint16_t>(out + 4, static_cast<uint16_t>(count - 1));
    return end(key, count, true, 6);
}

ContainerPlace ContainerMaker::change(SetOperation operation, const ContainerPlace &c, uint32_t first, uint32_t last) {
    return c.is_run                    ? change_runs(operation, c, first, last)
           : kind_of(c) == Kind::array ? splice(operation, c, first, last)
                                       : change_words(operation, c, first, last);
}

ContainerPlace ContainerMaker::fill(const ContainerPlace &c, uint32_t first, uint32_t last) {
    if (last - first == everything - 1)
        return full(c.key);
    const ContainerPlace out = change(SetOperation::union_of, c, first, last);
    return out.cardinality() == everything ? full(c.key) : out;
}

ContainerPlace ContainerMaker::clear(const ContainerPlace &c, uint32_t first, uint32_t last) {
    return change(SetOperation::difference, c, first, last);
}

ContainerPlace ContainerMaker::flip(const ContainerPlace &c, uint32_t first, uint32_t last) {
    return change(SetOperation::symmetric_difference, c, first, last);
}

} // namespace fas
