// Eight members of 16 bits at a time, for members.cc and container_pairs.cc: whether this processor can, and how those
// that are chosen among eight move together.
#pragma once

#if defined(__x86_64__)

#include <array>
#include <cstdint>

namespace fas {

#define FAS_BLOCKS __attribute__((target("sse4.2,popcnt")))

inline bool has_blocks() noexcept {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
}
inline const bool blocks_can_be_used = has_blocks();

// For each choice among eight members, how their bytes are moved together.
struct Compressions {
    alignas(16) std::array<std::array<uint8_t, 16>, 256> bytes{};
    constexpr Compressions() {
        for (unsigned mask = 0; mask < 256; ++mask) {
            unsigned made = 0;
            for (unsigned i = 0; i < 8; ++i)
                if ((mask >> i & 1) != 0) {
                    bytes[mask][made++] = static_cast<uint8_t>(2 * i);
                    bytes[mask][made++] = static_cast<uint8_t>(2 * i + 1);
                }
            for (; made < 16; ++made)
                bytes[mask][made] = 0xff;
        }
    }
};
inline constexpr Compressions compressions;

} // namespace fas

#endif
