// See bits.hh. The choice is made once, when the library is loaded.
#include "bits.hh"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "../bytes.hh"

namespace fas {

namespace {

uint64_t word_at(const uint8_t *at) noexcept {
    uint64_t word;
    std::memcpy(&word, at, sizeof word); // the order of bytes does not change how many ones there are
    return word;
}

uint32_t number_at(const uint8_t *numbers, uint32_t i) noexcept { return load<uint16_t>(numbers + size_t{2} * i); }

uint32_t count_plainly(const uint8_t *words, size_t count) noexcept {
    uint32_t ones = 0;
    for (size_t i = 0; i < count; ++i)
        ones += static_cast<uint32_t>(std::popcount(word_at(words + 8 * i)));
    return ones;
}

uint32_t count_common_plainly(const uint8_t *a, const uint8_t *b, size_t count) noexcept {
    uint32_t ones = 0;
    for (size_t i = 0; i < count; ++i)
        ones += static_cast<uint32_t>(std::popcount(word_at(a + 8 * i) & word_at(b + 8 * i)));
    return ones;
}

bool ascend_plainly(const uint8_t *numbers, uint32_t count) noexcept {
    uint32_t i = 0;
#if defined(__SSE2__)
    const __m128i zero = _mm_setzero_si128();
    __m128i bad = zero;
    for (; i + 9 <= count; i += 8) {
        const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i *>(numbers + size_t{2} * i));
        const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i *>(numbers + size_t{2} * i + 2));
        bad = _mm_or_si128(bad, _mm_cmpeq_epi16(_mm_subs_epu16(next, here), zero)); // next <= here
    }
    if (_mm_movemask_epi8(bad) != 0)
        return false;
#endif
    for (; i + 1 < count; ++i)
        if (number_at(numbers, i) >= number_at(numbers, i + 1))
            return false;
    return true;
}

bool runs_ascend_plainly(const uint8_t *runs, uint32_t count, uint32_t &members) noexcept {
    const auto run = [&](uint32_t i) { return load<uint32_t>(runs + size_t{4} * i); }; // first, length - 1 above it
    uint32_t i = 0;
    bool right = true;
    members = count;
#if defined(__SSE2__)
    const __m128i low = _mm_set1_epi32(0xffff), one = _mm_set1_epi32(1);
    __m128i good = _mm_set1_epi32(-1), extras = _mm_setzero_si128();
    for (; i + 5 <= count; i += 4) {
        const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i *>(runs + size_t{4} * i));
        const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i *>(runs + size_t{4} * i + 4));
        const __m128i extra = _mm_srli_epi32(here, 16);
        const __m128i behind = _mm_add_epi32(_mm_add_epi32(_mm_and_si128(here, low), extra), one);
        good = _mm_and_si128(good, _mm_cmpgt_epi32(_mm_and_si128(next, low), behind));
        extras = _mm_add_epi32(extras, extra);
    }
    right = _mm_movemask_epi8(good) == 0xffff;
    uint32_t sums[4];
    _mm_storeu_si128(reinterpret_cast<__m128i *>(sums), extras);
    members += sums[0] + sums[1] + sums[2] + sums[3];
#endif
    for (; i < count; ++i) {
        const uint32_t last = (run(i) & 0xffff) + (run(i) >> 16);
        right &= i + 1 < count ? (run(i + 1) & 0xffff) > last + 1 : last <= 0xffff;
        members += run(i) >> 16;
    }
    return right;
}

uint32_t negate_plainly(const uint8_t *words, uint8_t *out, size_t count) noexcept {
    for (size_t i = 0; i < count; ++i) {
        const uint64_t negated = ~word_at(words + 8 * i);
        std::memcpy(out + 8 * i, &negated, sizeof negated);
    }
    return count_ones(words, count);
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) uint32_t count_common_by_instruction(const uint8_t *a, const uint8_t *b,
                                                                       size_t count) noexcept {
    uint64_t ones[4] = {0, 0, 0, 0}; // four chains, as below
    size_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (size_t j = 0; j < 4; ++j)
            ones[j] += static_cast<uint64_t>(__builtin_popcountll(word_at(a + 8 * (i + j)) & word_at(b + 8 * (i + j))));
    for (; i < count; ++i)
        ones[0] += static_cast<uint64_t>(__builtin_popcountll(word_at(a + 8 * i) & word_at(b + 8 * i)));
    return static_cast<uint32_t>(ones[0] + ones[1] + ones[2] + ones[3]);
}

__attribute__((target("popcnt"))) uint32_t count_by_instruction(const uint8_t *words, size_t count) noexcept {
    uint64_t ones[4] = {0, 0, 0, 0}; // four chains: the instruction has a latency of three cycles
    size_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (size_t j = 0; j < 4; ++j)
            ones[j] += static_cast<uint64_t>(__builtin_popcountll(word_at(words + 8 * (i + j))));
    for (; i < count; ++i)
        ones[0] += static_cast<uint64_t>(__builtin_popcountll(word_at(words + 8 * i)));
    return static_cast<uint32_t>(ones[0] + ones[1] + ones[2] + ones[3]);
}

#define FAS_WIDE __attribute__((target("avx512f,avx512vpopcntdq")))

// Of words from the i-th on, eight or the last ones.
FAS_WIDE inline __m512i load_words(const uint8_t *words, size_t i, size_t count) noexcept {
    const auto which = static_cast<__mmask8>(count - i >= 8 ? 0xff : (1 << (count - i)) - 1);
    return _mm512_maskz_loadu_epi64(which, words + 8 * i);
}

FAS_WIDE inline uint32_t sum_of(__m512i counts) noexcept {
    uint64_t sums[8];
    _mm512_storeu_si512(sums, counts);
    uint64_t sum = 0;
    for (const uint64_t one : sums)
        sum += one;
    return static_cast<uint32_t>(sum);
}

FAS_WIDE uint32_t count_widely(const uint8_t *words, size_t count) noexcept {
    __m512i ones = _mm512_setzero_si512();
    for (size_t i = 0; i < count; i += 8)
        ones = _mm512_add_epi64(ones, _mm512_popcnt_epi64(load_words(words, i, count)));
    return sum_of(ones);
}

FAS_WIDE uint32_t count_common_widely(const uint8_t *a, const uint8_t *b, size_t count) noexcept {
    __m512i ones = _mm512_setzero_si512();
    for (size_t i = 0; i < count; i += 8) {
        const __m512i common = _mm512_and_si512(load_words(a, i, count), load_words(b, i, count));
        ones = _mm512_add_epi64(ones, _mm512_popcnt_epi64(common));
    }
    return sum_of(ones);
}

FAS_WIDE uint32_t negate_widely(const uint8_t *words, uint8_t *out, size_t count) noexcept {
    __m512i ones = _mm512_setzero_si512();
    for (size_t i = 0; i < count; i += 8) {
        const __m512i some = load_words(words, i, count);
        const auto which = static_cast<__mmask8>(count - i >= 8 ? 0xff : (1 << (count - i)) - 1);
        ones = _mm512_add_epi64(ones, _mm512_popcnt_epi64(some));
        _mm512_mask_storeu_epi64(out + 8 * i, which, _mm512_xor_si512(some, _mm512_set1_epi64(-1)));
    }
    return sum_of(ones);
}

#define FAS_WIDE_NUMBERS __attribute__((target("avx512f,avx512bw")))

FAS_WIDE_NUMBERS bool ascend_widely(const uint8_t *numbers, uint32_t count) noexcept {
    __mmask32 bad = 0;
    for (uint32_t i = 0; i + 1 < count; i += 32) {
        const uint32_t left = count - 1 - i;
        const auto which = static_cast<__mmask32>(left >= 32 ? 0xffffffff : (uint32_t{1} << left) - 1);
        const __m512i here = _mm512_maskz_loadu_epi16(which, numbers + size_t{2} * i);
        const __m512i next = _mm512_maskz_loadu_epi16(which, numbers + size_t{2} * i + 2);
        bad |= _mm512_mask_cmple_epu16_mask(which, next, here);
    }
    return bad == 0;
}

// Sixteen runs or, as `which` says, fewer; those that are `followed` by another must leave a gap, and the last one ends
// with the container, as if one followed at 0x10001.
struct RunsSeen {
    __m512i extras; // members of a run but its first
    __mmask16 bad;
};
FAS_WIDE_NUMBERS inline __attribute__((always_inline)) void see_runs(const uint8_t *runs, __mmask16 which,
                                                                     __mmask16 followed, RunsSeen &seen) noexcept {
    const __m512i low = _mm512_set1_epi32(0xffff), one = _mm512_set1_epi32(1), end = _mm512_set1_epi32(0x10001);
    const __m512i here = _mm512_maskz_loadu_epi32(which, runs), next = _mm512_maskz_loadu_epi32(followed, runs + 4);
    const __m512i extra = _mm512_maskz_srli_epi32(which, here, 16);
    const __m512i behind = _mm512_add_epi32(_mm512_add_epi32(_mm512_and_si512(here, low), extra), one);
    seen.bad |= _mm512_mask_cmple_epi32_mask(which, _mm512_mask_and_epi32(end, followed, next, low), behind);
    seen.extras = _mm512_add_epi32(seen.extras, extra);
}

FAS_WIDE_NUMBERS bool runs_ascend_widely(const uint8_t *runs, uint32_t count, uint32_t &members) noexcept {
    RunsSeen seen{_mm512_setzero_si512(), 0};
    members = count;
    for (; count > 16; count -= 16, runs += 64)
        see_runs(runs, 0xffff, 0xffff, seen);
    const auto rest = static_cast<__mmask16>((uint32_t{1} << count) - 1);
    see_runs(runs, rest, rest >> 1, seen);
    uint32_t sums[16];
    _mm512_storeu_si512(sums, seen.extras);
    for (const uint32_t sum : sums)
        members += sum;
    return seen.bad == 0;
}

template <class F> F *fastest(F *widely, F *by_instruction, F *plainly) noexcept {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq"))
        return widely;
    return __builtin_cpu_supports("popcnt") ? by_instruction : plainly;
}
auto *choose() noexcept { return fastest(count_widely, count_by_instruction, count_plainly); }
auto *choose_common() noexcept {
    return fastest(count_common_widely, count_common_by_instruction, count_common_plainly);
}
bool has_wide_numbers() noexcept {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}
auto *choose_ascends() noexcept { return has_wide_numbers() ? ascend_widely : ascend_plainly; }
auto *choose_runs_ascend() noexcept { return has_wide_numbers() ? runs_ascend_widely : runs_ascend_plainly; }
auto *choose_negate() noexcept { return fastest(negate_widely, negate_plainly, negate_plainly); }
#else
auto *choose() noexcept { return count_plainly; }
auto *choose_common() noexcept { return count_common_plainly; }
auto *choose_ascends() noexcept { return ascend_plainly; }
auto *choose_runs_ascend() noexcept { return runs_ascend_plainly; }
auto *choose_negate() noexcept { return negate_plainly; }
#endif

uint32_t (*const chosen)(const uint8_t *, size_t) noexcept = choose();
uint32_t (*const chosen_common)(const uint8_t *, const uint8_t *, size_t) noexcept = choose_common();
bool (*const chosen_ascends)(const uint8_t *, uint32_t) noexcept = choose_ascends();
bool (*const chosen_runs_ascend)(const uint8_t *, uint32_t, uint32_t &) noexcept = choose_runs_ascend();
uint32_t (*const chosen_negate)(const uint8_t *, uint8_t *, size_t) noexcept = choose_negate();

} // namespace

uint32_t count_ones(const uint8_t *words, size_t count) noexcept { return chosen(words, count); }
uint32_t count_common_ones(const uint8_t *a, const uint8_t *b, size_t count) noexcept {
    return chosen_common(a, b, count);
}
bool ascends(const uint8_t *numbers, uint32_t count) noexcept { return chosen_ascends(numbers, count); }
bool runs_ascend(const uint8_t *runs, uint32_t count, uint32_t &members) noexcept {
    return chosen_runs_ascend(runs, count, members);
}
uint32_t negate_words(const uint8_t *words, uint8_t *out, size_t count) noexcept {
    return chosen_negate(words, out, count);
}

} // namespace fas
