// See words.hh. The same loops, for the instructions that every processor of a kind has and for those that most have;
// the choice is made once, when the library is loaded.
#include "words.hh"

#include <bit>
#include <cstring>

#include "../bytes.hh"

namespace fas {

namespace {

constexpr uint32_t word_count = 1024;

// Four words at a time, in whatever steps the processor has.
using Four = uint64_t __attribute__((vector_size(32)));

template <class Combine> [[gnu::always_inline]] inline bool combine(uint64_t *to, const uint8_t *from, Combine f) {
    if constexpr (std::endian::native != std::endian::little) {
        uint64_t any = 0;
        for (uint32_t i = 0; i < word_count; ++i) {
            f(to[i], load<uint64_t>(from + 8 * i));
            any |= to[i];
        }
        return any != 0;
    }
    Four any = {0, 0, 0, 0};
    for (uint32_t i = 0; i < word_count; i += 4) {
        Four mine, theirs;
        std::memcpy(&mine, to + i, sizeof mine);
        std::memcpy(&theirs, from + 8 * i, sizeof theirs);
        f(mine, theirs);
        any |= mine;
        std::memcpy(to + i, &mine, sizeof mine);
    }
    return (any[0] | any[1] | any[2] | any[3]) != 0;
}
[[gnu::always_inline]] inline void unite(uint64_t *to, const uint8_t *from) noexcept {
    combine(to, from, [](auto &a, const auto &b) { a |= b; });
}
[[gnu::always_inline]] inline void toggle(uint64_t *to, const uint8_t *from) noexcept {
    combine(to, from, [](auto &a, const auto &b) { a ^= b; });
}
[[gnu::always_inline]] inline bool keep(uint64_t *to, const uint8_t *from) noexcept {
    return combine(to, from, [](auto &a, const auto &b) { a &= b; });
}
// A run begins where a bit is set and the one below is not.
[[gnu::always_inline]] inline uint32_t runs_of(const uint64_t *words, uint32_t most) noexcept {
    uint32_t runs = 0;
    uint64_t carry = 0;
    for (uint32_t i = 0; i < word_count && runs <= most; i += 8)
        for (uint32_t j = i; j < i + 8; ++j) {
            const uint64_t word = words[j];
            runs += static_cast<uint32_t>(std::popcount(word & ~(word << 1 | carry)));
            carry = word >> 63;
        }
    return runs;
}

struct Loops {
    void (*unite)(uint64_t *, const uint8_t *) noexcept;
    void (*toggle)(uint64_t *, const uint8_t *) noexcept;
    bool (*keep)(uint64_t *, const uint8_t *) noexcept;
    uint32_t (*runs)(const uint64_t *, uint32_t) noexcept;
};

void unite_plainly(uint64_t *to, const uint8_t *from) noexcept { unite(to, from); }
void toggle_plainly(uint64_t *to, const uint8_t *from) noexcept { toggle(to, from); }
bool keep_plainly(uint64_t *to, const uint8_t *from) noexcept { return keep(to, from); }
uint32_t runs_plainly(const uint64_t *words, uint32_t most) noexcept { return runs_of(words, most); }
constexpr Loops plain{unite_plainly, toggle_plainly, keep_plainly, runs_plainly};

#if defined(__x86_64__)
#define FAS_WIDE __attribute__((target("avx2,popcnt")))
FAS_WIDE void unite_widely(uint64_t *to, const uint8_t *from) noexcept { unite(to, from); }
FAS_WIDE void toggle_widely(uint64_t *to, const uint8_t *from) noexcept { toggle(to, from); }
FAS_WIDE bool keep_widely(uint64_t *to, const uint8_t *from) noexcept { return keep(to, from); }
FAS_WIDE uint32_t runs_widely(const uint64_t *words, uint32_t most) noexcept { return runs_of(words, most); }
constexpr Loops wide{unite_widely, toggle_widely, keep_widely, runs_widely};

const Loops &choose() noexcept {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") ? wide : plain;
}
#else
const Loops &choose() noexcept { return plain; }
#endif

const Loops &chosen = choose();

} // namespace

void unite_words(uint64_t *to, const uint8_t *from) noexcept { chosen.unite(to, from); }
void toggle_words(uint64_t *to, const uint8_t *from) noexcept { chosen.toggle(to, from); }
bool keep_words(uint64_t *to, const uint8_t *from) noexcept { return chosen.keep(to, from); }
uint32_t count_runs(const uint64_t *words, uint32_t most) noexcept { return chosen.runs(words, most); }

} // namespace fas
