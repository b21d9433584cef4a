// See bits.hh. The choice is made once, when the library is loaded.
#include "bits.hh"

#include <bit>
#include <cstring>

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

#if defined(__x86_64__)
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

auto *choose() noexcept {
    __builtin_cpu_init();
    return __builtin_cpu_supports("popcnt") ? count_by_instruction : count_plainly;
}
#else
auto *choose() noexcept { return count_plainly; }
#endif

uint32_t (*const chosen)(const uint8_t *, size_t) noexcept = choose();

} // namespace

uint32_t count_ones(const uint8_t *words, size_t count) noexcept { return chosen(words, count); }

} // namespace fas
