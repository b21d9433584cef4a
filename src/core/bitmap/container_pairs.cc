// See container_pairs.hh. Steps that depend on the members take no branch where that is possible: of two sets that
// have nothing to do with each other, no processor guesses which comes next. Nothing here is shared.
#include "container_pairs.hh"

#include <algorithm>
#include <bit>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "bits.hh"
#include "member_blocks.hh"
#include "../bytes.hh"

namespace fas {

namespace {

enum class Kind : uint8_t { array, bitset, runs };
constexpr uint32_t max_array = 4096;
constexpr uint32_t word_count = 1024;
constexpr uint32_t lopsided = 32; // a list that is so many times as long is searched, not gone through

Kind kind_of(const ContainerPlace &c) noexcept {
    return c.is_run ? Kind::runs : c.cardinality() <= max_array ? Kind::array : Kind::bitset;
}

struct Members {
    const uint8_t *data;
    uint32_t size;
    uint32_t operator[](uint32_t i) const noexcept { return load<uint16_t>(data + size_t{2} * i); }

    // The first place from `from` on whose member is not less; near mostly, so the steps grow.
    uint32_t seek(uint32_t from, uint32_t member) const noexcept {
        uint32_t step = 1, end = from;
        while (end < size && (*this)[end] < member) {
            from = end + 1;
            end = std::min(size, from + step);
            step *= 2;
        }
        while (from < end) {
            const uint32_t middle = from + (end - from) / 2;
            if ((*this)[middle] < member)
                from = middle + 1;
            else
                end = middle;
        }
        return from;
    }
};

struct Words {
    const uint8_t *data;
    uint64_t operator[](uint32_t i) const noexcept { return load<uint64_t>(data + size_t{8} * i); }
    uint32_t has(uint32_t member) const noexcept { return data[member / 8] >> (member % 8) & 1; }

    // Members from first to last, both included.
    uint32_t count(uint32_t first, uint32_t last) const noexcept {
        const uint32_t begin = first / 64, end = last / 64;
        const uint64_t from = ~uint64_t{0} << (first % 64), to = ~uint64_t{0} >> (63 - last % 64);
        if (begin == end)
            return static_cast<uint32_t>(std::popcount((*this)[begin] & from & to));
        return static_cast<uint32_t>(std::popcount((*this)[begin] & from) + std::popcount((*this)[end] & to)) +
               count_ones(data + size_t{8} * (begin + 1), end - begin - 1);
    }
};

struct Runs {
    const uint8_t *data;
    uint32_t size;
    uint32_t first(uint32_t i) const noexcept { return load<uint16_t>(data + size_t{4} * i); }
    uint32_t last(uint32_t i) const noexcept { // a container ends at 65535, whatever the bytes say
        return std::min<uint32_t>(0xffff, first(i) + load<uint16_t>(data + size_t{4} * i + 2));
    }
    uint64_t two(uint32_t i) const noexcept { return load<uint64_t>(data + size_t{4} * i); } // this run and the next

    // The first run from `from` on that ends not before the member; near mostly, so the steps grow.
    uint32_t seek(uint32_t from, uint32_t member) const noexcept {
        uint32_t step = 1, end = from;
        while (end < size && last(end) < member) {
            from = end + 1;
            end = std::min(size, from + step);
            step *= 2;
        }
        while (from < end) {
            const uint32_t middle = from + (end - from) / 2;
            if (last(middle) < member)
                from = middle + 1;
            else
                end = middle;
        }
        return from;
    }
};

Members members_of(const ContainerPlace &c) noexcept { return {c.data, c.size / 2}; }
Words words_of(const ContainerPlace &c) noexcept { return {c.data}; }
Runs runs_of(const ContainerPlace &c) noexcept { return {c.data + 2, (c.size - 2) / 4}; }

// Where both lists may begin to have something in common.
void skip_to_each_other(Members a, Members b, uint32_t &i, uint32_t &j) noexcept {
    if (i < a.size && j < b.size)
        i = a.seek(i, b[j]);
    if (i < a.size && j < b.size)
        j = b.seek(j, a[i]);
}
void skip_to_each_other(Runs a, Runs b, uint32_t &i, uint32_t &j) noexcept {
    if (i < a.size && j < b.size)
        i = a.seek(i, b.first(j));
    if (i < a.size && j < b.size)
        j = b.seek(j, a.first(i));
}

uint32_t count_plainly(Members a, Members b, uint32_t i, uint32_t j) noexcept {
    uint32_t shared = 0;
    while (i < a.size && j < b.size) {
        const uint32_t x = a[i], y = b[j];
        shared += x == y;
        i += x <= y;
        j += y <= x;
    }
    return shared;
}

uint8_t *list_plainly(Members a, Members b, uint32_t i, uint32_t j, uint8_t *out) noexcept {
    while (i < a.size && j < b.size) {
        const uint32_t x = a[i], y = b[j];
        if (x == y) {
            store<uint16_t>(out, static_cast<uint16_t>(x));
            out += 2;
        }
        i += x <= y;
        j += y <= x;
    }
    return out;
}

#if defined(__x86_64__)
// Eight members of either side at a time, each with each; the block that ends first makes way for the next. Sets that
// come from each other have many blocks that are the same.
FAS_BLOCKS uint32_t count_by_blocks(Members a, Members b, uint32_t i, uint32_t j) noexcept {
    uint32_t shared = 0;
    while (i + 8 <= a.size && j + 8 <= b.size) {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i *>(a.data + size_t{2} * i));
        const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i *>(b.data + size_t{2} * j));
        if (_mm_movemask_epi8(_mm_cmpeq_epi16(x, y)) == 0xffff) {
            shared += 8;
            i += 8;
            j += 8;
            continue;
        }
        const __m128i found = _mm_cmpestrm(y, 8, x, 8, _SIDD_UWORD_OPS | _SIDD_CMP_EQUAL_ANY | _SIDD_BIT_MASK);
        shared += static_cast<uint32_t>(__builtin_popcount(static_cast<unsigned>(_mm_cvtsi128_si32(found))));
        const uint32_t x_last = a[i + 7], y_last = b[j + 7];
        i += x_last <= y_last ? 8 : 0;
        j += y_last <= x_last ? 8 : 0;
    }
    return shared + count_plainly(a, b, i, j);
}

// As count_by_blocks(); what is found is written, and behind it, up to 16 bytes of no meaning.
FAS_BLOCKS uint8_t *list_by_blocks(Members a, Members b, uint32_t i, uint32_t j, uint8_t *out) noexcept {
    while (i + 8 <= a.size && j + 8 <= b.size) {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i *>(a.data + size_t{2} * i));
        const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i *>(b.data + size_t{2} * j));
        const __m128i found = _mm_cmpestrm(y, 8, x, 8, _SIDD_UWORD_OPS | _SIDD_CMP_EQUAL_ANY | _SIDD_BIT_MASK);
        const auto mask = static_cast<unsigned>(_mm_cvtsi128_si32(found));
        const __m128i order = _mm_loadu_si128(reinterpret_cast<const __m128i *>(compressions.bytes[mask].data()));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(out), _mm_shuffle_epi8(x, order));
        out += size_t{2} * static_cast<unsigned>(__builtin_popcount(mask));
        const uint32_t x_last = a[i + 7], y_last = b[j + 7];
        i += x_last <= y_last ? 8 : 0;
        j += y_last <= x_last ? 8 : 0;
    }
    return list_plainly(a, b, i, j, out);
}
#endif

uint32_t count_both(Members a, Members b) noexcept {
    if (a.size > b.size)
        std::swap(a, b);
    if (b.size / lopsided > a.size) {
        uint32_t shared = 0;
        for (uint32_t i = 0, j = 0; i < a.size; ++i) {
            j = b.seek(j, a[i]);
            shared += j < b.size && b[j] == a[i];
        }
        return shared;
    }
    uint32_t i = 0, j = 0;
    skip_to_each_other(a, b, i, j);
#if defined(__x86_64__)
    if (blocks_can_be_used)
        return count_by_blocks(a, b, i, j);
#endif
    return count_plainly(a, b, i, j);
}

uint32_t count_both(Members a, Words b) noexcept {
    uint32_t shared = 0;
    for (uint32_t i = 0; i < a.size; ++i)
        shared += b.has(a[i]);
    return shared;
}

uint32_t count_both(Members a, Runs b) noexcept {
    uint32_t shared = 0;
    for (uint32_t i = 0, j = 0; j < b.size && i < a.size; ++j) {
        i = a.seek(i, b.first(j));
        const uint32_t begin = i;
        i = a.seek(i, b.last(j) + 1);
        shared += i - begin;
    }
    return shared;
}

uint32_t count_both(Words a, Words b) noexcept { return count_common_ones(a.data, b.data, word_count); }

uint32_t count_both(Words a, Runs b) noexcept {
    uint32_t shared = 0;
    for (uint32_t j = 0; j < b.size; ++j)
        shared += a.count(b.first(j), b.last(j));
    return shared;
}

// Runs are often alike on both sides, so here a guess is quicker than a chain of steps that wait for each other.
uint32_t count_both(Runs a, Runs b) noexcept {
    uint32_t shared = 0, i = 0, j = 0;
    skip_to_each_other(a, b, i, j);
    while (i < a.size && j < b.size) {
        for (; i + 2 <= a.size && j + 2 <= b.size && a.two(i) == b.two(j); i += 2, j += 2)
            shared += static_cast<uint32_t>((a.two(i) >> 16 & 0xffff) + (a.two(i) >> 48) + 2);
        if (i == a.size || j == b.size)
            break;
        const uint32_t x = a.last(i), y = b.last(j);
        const uint32_t begin = std::max(a.first(i), b.first(j)), behind = std::min(x, y) + 1;
        if (behind > begin)
            shared += behind - begin;
        if (x == y) {
            ++i;
            ++j;
        } else if (x < y) {
            ++i;
        } else {
            ++j;
        }
    }
    return shared;
}

bool have_both(Members a, Members b) noexcept {
    uint32_t i = 0, j = 0;
    for (skip_to_each_other(a, b, i, j); i < a.size && j < b.size;) {
        const uint32_t x = a[i], y = b[j];
        if (x == y)
            return true;
        i += x < y;
        j += y < x;
    }
    return false;
}

bool have_both(Members a, Words b) noexcept {
    for (uint32_t i = 0; i < a.size; ++i)
        if (b.has(a[i]) != 0)
            return true;
    return false;
}

bool have_both(Members a, Runs b) noexcept {
    for (uint32_t i = 0, j = 0; j < b.size && i < a.size; ++j) {
        i = a.seek(i, b.first(j));
        if (i < a.size && a[i] <= b.last(j))
            return true;
    }
    return false;
}

bool have_both(Words a, Words b) noexcept {
    for (uint32_t i = 0; i < word_count; ++i)
        if ((a[i] & b[i]) != 0)
            return true;
    return false;
}

bool have_both(Words a, Runs b) noexcept {
    for (uint32_t j = 0; j < b.size; ++j)
        if (a.count(b.first(j), b.last(j)) > 0)
            return true;
    return false;
}

bool have_both(Runs a, Runs b) noexcept {
    uint32_t i = 0, j = 0;
    for (skip_to_each_other(a, b, i, j); i < a.size && j < b.size;) {
        if (a.last(i) < b.first(j))
            ++i;
        else if (b.last(j) < a.first(i))
            ++j;
        else
            return true;
    }
    return false;
}

// f(first, second) with what the containers are, in the order array, bitset, runs; so that each pair is written once.
template <class F> uint32_t with_both(const ContainerPlace &a, const ContainerPlace &b, F f) noexcept {
    const Kind x = kind_of(a), y = kind_of(b);
    if (x > y)
        return with_both(b, a, f);
    if (y == Kind::array)
        return f(members_of(a), members_of(b));
    if (y == Kind::bitset)
        return x == Kind::array ? f(members_of(a), words_of(b)) : f(words_of(a), words_of(b));
    if (x == Kind::array)
        return f(members_of(a), runs_of(b));
    return x == Kind::bitset ? f(words_of(a), runs_of(b)) : f(runs_of(a), runs_of(b));
}

} // namespace

uint32_t count_shared(const ContainerPlace &a, const ContainerPlace &b) noexcept {
    return with_both(a, b, [](auto x, auto y) { return count_both(x, y); });
}

uint32_t list_shared(const ContainerPlace &x, const ContainerPlace &y, uint8_t *out) noexcept {
    Members a = members_of(x), b = members_of(y);
    if (a.size > b.size)
        std::swap(a, b);
    uint8_t *at = out;
    if (b.size / lopsided > a.size) {
        for (uint32_t i = 0, j = 0; i < a.size; ++i) {
            j = b.seek(j, a[i]);
            if (j < b.size && b[j] == a[i]) {
                store<uint16_t>(at, static_cast<uint16_t>(a[i]));
                at += 2;
            }
        }
        return static_cast<uint32_t>(at - out) / 2;
    }
    uint32_t i = 0, j = 0;
    skip_to_each_other(a, b, i, j);
#if defined(__x86_64__)
    if (blocks_can_be_used)
        return static_cast<uint32_t>(list_by_blocks(a, b, i, j, out) - out) / 2;
#endif
    return static_cast<uint32_t>(list_plainly(a, b, i, j, out) - out) / 2;
}

bool have_shared(const ContainerPlace &a, const ContainerPlace &b) noexcept {
    return with_both(a, b, [](auto x, auto y) -> uint32_t { return have_both(x, y); }) != 0;
}

// Of arrays and bitsets an early end is worth a look of its own; else the count tells.
bool is_part(const ContainerPlace &a, const ContainerPlace &b) noexcept {
    const Kind x = kind_of(a), y = kind_of(b);
    if (x == Kind::bitset && y == Kind::bitset) {
        const Words mine = words_of(a), theirs = words_of(b);
        for (uint32_t i = 0; i < word_count; ++i)
            if ((mine[i] & ~theirs[i]) != 0)
                return false;
        return true;
    }
    if (x == Kind::array && y == Kind::bitset) {
        const Members mine = members_of(a);
        for (uint32_t i = 0; i < mine.size; ++i)
            if (words_of(b).has(mine[i]) == 0)
                return false;
        return true;
    }
    if (x == Kind::array && y == Kind::array && members_of(a)[0] < members_of(b)[0])
        return false;
    // A bitset says how many members it has only when they are counted.
    const uint32_t members = x == Kind::bitset ? count_ones(a.data, word_count) : a.cardinality();
    return count_shared(a, b) == members;
}

} // namespace fas
