// See members.hh. What depends on the members takes no branch where that is possible: of two sets that have nothing to
// do with each other, no processor guesses which comes next. Nothing here is shared; the choice of the instructions is
// made once, when the library is loaded.
#include "members.hh"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "member_blocks.hh"
#include "../bytes.hh"

namespace fas {

namespace {

constexpr uint32_t lopsided = 32; // a list that is so many times as long is searched, not gone through
constexpr uint32_t few = 16;      // the same of one that is copied

uint16_t at(const uint8_t *members, size_t i) noexcept { return load<uint16_t>(members + 2 * i); }
uint16_t at(const uint16_t *members, size_t i) noexcept { return members[i]; }

// The first place from `from` on whose member is not less; near mostly, so the steps grow.
template <class List> uint32_t seek(List members, uint32_t count, uint32_t from, uint32_t member) noexcept {
    uint32_t step = 1, end = from;
    while (end < count && at(members, end) < member) {
        from = end + 1;
        end = std::min(count, from + step);
        step *= 2;
    }
    while (from < end) {
        const uint32_t middle = from + (end - from) / 2;
        if (at(members, middle) < member)
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}

// The places are where to go on: `kept` members are kept already.
struct Kept {
    uint32_t mine, theirs, kept;
};

uint32_t keep_plainly(uint16_t *mine, uint32_t count, const uint8_t *theirs, uint32_t their_count, Kept from) noexcept {
    auto [i, j, kept] = from;
    while (i < count && j < their_count) {
        const uint16_t x = mine[i], y = at(theirs, j);
        mine[kept] = x;
        kept += x == y;
        i += x <= y;
        j += y <= x;
    }
    return kept;
}

template <class List>
uint32_t merge_plainly(const uint16_t *a, uint32_t a_count, List b, uint32_t b_count, uint16_t *out,
                       bool cancel) noexcept {
    uint32_t i = 0, j = 0, made = 0;
    while (i < a_count && j < b_count) {
        const uint16_t x = a[i], y = at(b, j);
        out[made] = std::min(x, y);
        made += !(cancel && x == y);
        i += x <= y;
        j += y <= x;
    }
    std::copy(a + i, a + a_count, out + made);
    made += a_count - i;
    if constexpr (std::endian::native == std::endian::little) {
        const auto *rest = reinterpret_cast<const uint8_t *>(b) + size_t{2} * j;
        std::memcpy(out + made, rest, size_t{2} * (b_count - j));
        return made + b_count - j;
    }
    for (; j < b_count; ++j)
        out[made++] = at(b, j);
    return made;
}

// `b` has few members: what lies between them is copied.
uint32_t merge_few(const uint16_t *a, uint32_t a_count, const uint8_t *b, uint32_t b_count, uint16_t *out,
                   bool cancel) noexcept {
    uint32_t i = 0, made = 0;
    for (uint32_t j = 0; j < b_count; ++j) {
        const uint16_t member = at(b, j);
        const uint32_t end = seek(a, a_count, i, member);
        std::copy(a + i, a + end, out + made);
        made += end - i;
        const bool in_both = end < a_count && a[end] == member;
        out[made] = member;
        made += !(cancel && in_both);
        i = end + in_both;
    }
    std::copy(a + i, a + a_count, out + made);
    return made + a_count - i;
}

#if defined(__x86_64__)

inline __m128i load_block(const void *from) noexcept { return _mm_loadu_si128(static_cast<const __m128i *>(from)); }
inline void store_block(void *to, __m128i block) noexcept { _mm_storeu_si128(static_cast<__m128i *>(to), block); }

FAS_BLOCKS inline uint32_t put_chosen(uint16_t *out, __m128i members, unsigned mask) noexcept {
    store_block(out, _mm_shuffle_epi8(members, load_block(compressions.bytes[mask].data())));
    return static_cast<uint32_t>(__builtin_popcount(mask));
}

// Eight lanes of all ones or all zeros as eight bits.
inline unsigned bits_of(__m128i lanes) noexcept {
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(lanes, _mm_setzero_si128())));
}

// Eight of either side at a time, each with each; the block that ends first makes way for the next. A block of `mine`
// is written when it makes way, never beyond itself.
FAS_BLOCKS uint32_t keep_by_blocks(uint16_t *mine, uint32_t count, const uint8_t *theirs,
                                   uint32_t their_count) noexcept {
    uint32_t i = 0, j = 0, kept = 0;
    unsigned found = 0; // of the block at i
    if (count < 8 || their_count < 8)
        return keep_plainly(mine, count, theirs, their_count, {0, 0, 0});
    __m128i x = load_block(mine);
    for (;;) {
        const __m128i y = load_block(theirs + size_t{2} * j);
        const uint32_t x_last = mine[i + 7], y_last = at(theirs, j + 7);
        const __m128i shared = _mm_cmpestrm(y, 8, x, 8, _SIDD_UWORD_OPS | _SIDD_CMP_EQUAL_ANY | _SIDD_BIT_MASK);
        found |= static_cast<unsigned>(_mm_cvtsi128_si32(shared));
        j += y_last <= x_last ? 8 : 0;
        if (x_last <= y_last) {
            kept += put_chosen(mine + kept, x, found);
            found = 0;
            i += 8;
            if (i + 8 > count)
                return keep_plainly(mine, count, theirs, their_count, {i, j, kept});
            x = load_block(mine + i);
        }
        if (j + 8 > their_count)
            break;
    }
    // What is found of the block at i must not be looked for again: its place in `theirs` has been passed.
    for (unsigned k = 0; k < 8; ++k, ++i) {
        const uint16_t member = mine[i];
        while (j < their_count && at(theirs, j) < member)
            ++j;
        mine[kept] = member;
        kept += (found >> k & 1) != 0 || (j < their_count && at(theirs, j) == member);
    }
    return keep_plainly(mine, count, theirs, their_count, {i, j, kept});
}

// As above, but of `theirs`, and what is not found.
FAS_BLOCKS uint32_t miss_by_blocks(const uint16_t *mine, uint32_t count, const uint8_t *theirs, uint32_t their_count,
                                   uint16_t *out) noexcept {
    constexpr uint32_t probe = 16, few_of_probe = 8;
    uint32_t i = 0, j = 0, made = 0;
    unsigned found = 0; // of the block at j
    while (i + 8 <= count && j + 8 <= their_count) {
        const __m128i x = load_block(mine + i), y = load_block(theirs + size_t{2} * j);
        const uint32_t x_last = mine[i + 7], y_last = at(theirs, j + 7);
        const __m128i shared = _mm_cmpestrm(x, 8, y, 8, _SIDD_UWORD_OPS | _SIDD_CMP_EQUAL_ANY | _SIDD_BIT_MASK);
        found |= static_cast<unsigned>(_mm_cvtsi128_si32(shared));
        i += x_last <= y_last ? 8 : 0;
        if (y_last <= x_last) {
            made += put_chosen(out + made, y, ~found & 0xff);
            found = 0;
            j += 8;
            if (j == probe && made > few_of_probe)
                return not_few;
        }
    }
    for (uint32_t k = 0; j < their_count; ++j, ++k) { // the first eight may have been found
        const uint16_t member = at(theirs, j);
        while (i < count && mine[i] < member)
            ++i;
        out[made] = member;
        made += !((k < 8 && (found >> k & 1) != 0) || (i < count && mine[i] == member));
    }
    return made;
}

// Two ascending blocks into one of sixteen: the lower and the higher half.
template <int distance> FAS_BLOCKS inline __m128i sort_halves(__m128i v) noexcept {
    __m128i other, low, high;
    if constexpr (distance == 4)
        other = _mm_shuffle_epi32(v, 0x4e);
    else if constexpr (distance == 2)
        other = _mm_shuffle_epi32(v, 0xb1);
    else
        other = _mm_shufflehi_epi16(_mm_shufflelo_epi16(v, 0xb1), 0xb1);
    low = _mm_min_epu16(v, other);
    high = _mm_max_epu16(v, other);
    return _mm_blend_epi16(low, high, distance == 4 ? 0xf0 : distance == 2 ? 0xcc : 0xaa);
}
FAS_BLOCKS inline __m128i sort_bitonic(__m128i v) noexcept { return sort_halves<1>(sort_halves<2>(sort_halves<4>(v))); }
FAS_BLOCKS inline void merge_blocks(__m128i a, __m128i b, __m128i &low, __m128i &high) noexcept {
    const __m128i backwards = _mm_set_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    const __m128i b_reversed = _mm_shuffle_epi8(b, backwards);
    low = sort_bitonic(_mm_min_epu16(a, b_reversed));
    high = sort_bitonic(_mm_max_epu16(a, b_reversed));
}

// Takes ascending blocks in which a member comes twice at most, and writes each member once, or what came once.
template <bool cancel> class Joiner {
  public:
    FAS_BLOCKS Joiner(uint16_t *out, uint16_t first) noexcept
        : out_(out), before_(_mm_set1_epi16(static_cast<short>(~first))) {}

    FAS_BLOCKS void put(__m128i v) noexcept {
        __m128i chosen = v, twice = _mm_cmpeq_epi16(v, _mm_alignr_epi8(v, before_, 14));
        if constexpr (cancel) { // one behind: a member's successor has to be known
            chosen = _mm_alignr_epi8(v, before_, 14);
            twice = _mm_or_si128(_mm_cmpeq_epi16(chosen, v), _mm_cmpeq_epi16(chosen, _mm_alignr_epi8(v, before_, 12)));
        }
        made_ += put_chosen(out_ + made_, chosen, ~bits_of(twice) & 0xff);
        before_ = v;
    }

    // The rest: the block that is left, and of one list less than a block.
    template <class Short, class Long>
    FAS_BLOCKS uint32_t finish(__m128i block, Short rest_of_one, uint32_t one_count, Long rest,
                               uint32_t rest_count) noexcept {
        uint16_t sorted[17], last[8];
        uint32_t count = 0;
        store_block(last, before_);
        if (!cancel && made_ > 0) // it may come once more
            sorted[count++] = out_[--made_];
        else if (cancel && last[6] != last[7])
            sorted[count++] = last[7];
        store_block(sorted + count, block);
        count += 8;
        for (uint32_t i = 0; i < one_count; ++i)
            sorted[count++] = at(rest_of_one, i);
        std::sort(sorted, sorted + count);
        uint32_t kept = 0;
        for (uint32_t i = 0; i < count; ++i) {
            if (kept > 0 && sorted[kept - 1] == sorted[i]) {
                kept -= cancel ? 1 : 0;
                continue;
            }
            sorted[kept++] = sorted[i];
        }
        return made_ + merge_plainly(sorted, kept, rest, rest_count, out_ + made_, cancel);
    }

  private:
    uint16_t *out_;
    __m128i before_; // the block that was put last
    uint32_t made_ = 0;
};

template <bool cancel>
FAS_BLOCKS uint32_t merge_by_blocks(const uint16_t *a, uint32_t a_count, const uint8_t *b, uint32_t b_count,
                                    uint16_t *out) noexcept {
    Joiner<cancel> joiner(out, std::min(a[0], at(b, 0)));
    __m128i low, high;
    merge_blocks(load_block(a), load_block(b), low, high);
    joiner.put(low);
    uint32_t i = 8, j = 8;
    while (i + 8 <= a_count && j + 8 <= b_count) {
        const bool from_a = a[i] <= at(b, j);
        const void *next = from_a ? static_cast<const void *>(a + i) : b + size_t{2} * j;
        i += from_a ? 8 : 0;
        j += from_a ? 0 : 8;
        merge_blocks(load_block(next), high, low, high);
        joiner.put(low);
    }
    const uint8_t *b_rest = b + size_t{2} * j;
    if (i + 8 > a_count)
        return joiner.finish(high, a + i, a_count - i, b_rest, b_count - j);
    return joiner.finish(high, b_rest, b_count - j, a + i, a_count - i);
}
#endif

template <bool cancel>
uint32_t merge(const uint16_t *a, uint32_t a_count, const uint8_t *b, uint32_t b_count, uint16_t *out) noexcept {
    if (b_count <= a_count / few)
        return merge_few(a, a_count, b, b_count, out, cancel);
#if defined(__x86_64__)
    if (blocks_can_be_used && a_count >= 8 && b_count >= 8)
        return merge_by_blocks<cancel>(a, a_count, b, b_count, out);
#endif
    return merge_plainly(a, a_count, b, b_count, out, cancel);
}

// One of the lists is much shorter than the other.
template <class Short, class Long>
uint32_t keep_by_search(Short list, uint32_t count, Long many, uint32_t many_count, uint16_t *out) noexcept {
    uint32_t kept = 0;
    for (uint32_t i = 0, j = 0; i < count; ++i) {
        const uint16_t member = at(list, i);
        j = seek(many, many_count, j, member);
        if (j == many_count)
            break;
        if (at(many, j) == member) {
            out[kept++] = member;
            ++j; // so that a member that comes again is not kept again
        }
    }
    return kept;
}

} // namespace

uint32_t count_runs(const uint16_t *members, uint32_t count) noexcept {
    uint32_t runs = count > 0, i = 1;
#if defined(__x86_64__)
    const __m128i one = _mm_set1_epi16(1);
    __m128i joined = _mm_setzero_si128(); // in each lane, how many follow their predecessor; at most 65536 / 8
    for (; i + 8 <= count; i += 8) {
        const __m128i before = load_block(members + i - 1), here = load_block(members + i);
        joined = _mm_sub_epi16(joined, _mm_cmpeq_epi16(_mm_add_epi16(before, one), here));
        runs += 8;
    }
    const __m128i sums = _mm_madd_epi16(joined, one);
    uint32_t lanes[4];
    store_block(lanes, sums);
    runs -= lanes[0] + lanes[1] + lanes[2] + lanes[3];
#endif
    for (; i < count; ++i)
        runs += members[i - 1] + 1 != members[i];
    return runs;
}

uint32_t keep_shared(uint16_t *mine, uint32_t count, const uint8_t *theirs, uint32_t their_count) noexcept {
    if (their_count / lopsided > count)
        return keep_by_search(static_cast<const uint16_t *>(mine), count, theirs, their_count, mine);
    if (count / lopsided > their_count)
        return keep_by_search(theirs, their_count, static_cast<const uint16_t *>(mine), count, mine);
#if defined(__x86_64__)
    if (blocks_can_be_used)
        return keep_by_blocks(mine, count, theirs, their_count);
#endif
    return keep_plainly(mine, count, theirs, their_count, {0, 0, 0});
}

uint32_t find_missing([[maybe_unused]] const uint16_t *mine, [[maybe_unused]] uint32_t count,
                      [[maybe_unused]] const uint8_t *theirs, [[maybe_unused]] uint32_t their_count,
                      [[maybe_unused]] uint16_t *out) noexcept {
#if defined(__x86_64__)
    if (blocks_can_be_used)
        return miss_by_blocks(mine, count, theirs, their_count, out);
#endif
    return not_few;
}

uint32_t unite_members(const uint16_t *a, uint32_t a_count, const uint8_t *b, uint32_t b_count,
                       uint16_t *out) noexcept {
    return merge<false>(a, a_count, b, b_count, out);
}

uint32_t toggle_members(const uint16_t *a, uint32_t a_count, const uint8_t *b, uint32_t b_count,
                        uint16_t *out) noexcept {
    return merge<true>(a, a_count, b, b_count, out);
}

} // namespace fas
