// See bits.hh. The choice is made once, when the library is loaded.
#include "bits.hh"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fas {

namespace {

uint64_t word_at(const uint8_t *at) noexcept {
    uint64_t word;
    std::memcpy(&word, at, sizeof word); // the order of bytes does not change how many ones there are
    return word;
}

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
#else
auto *choose() noexcept { return count_plainly; }
auto *choose_common() noexcept { return count_common_plainly; }
#endif

uint32_t (*const chosen)(const uint8_t *, size_t) noexcept = choose();
uint32_t (*const chosen_common)(const uint8_t *, const uint8_t *, size_t) noexcept = choose_common();

} // namespace

uint32_t count_ones(const uint8_t *words, size_t count) noexcept { return chosen(words, count); }
uint32_t count_common_ones(const uint8_t *a, const uint8_t *b, size_t count) noexcept {
    return chosen_common(a, b, count);
}

} // namespace fas
