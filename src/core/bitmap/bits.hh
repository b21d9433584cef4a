// What goes over all of a container, in bytes that need not be aligned: with the processor's own instructions where it
// has them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fas {

// The number of ones in `words` little-endian words of 64 bits.
uint32_t count_ones(const uint8_t *words, size_t count) noexcept;

// The same of those that both have.
uint32_t count_common_ones(const uint8_t *a, const uint8_t *b, size_t count) noexcept;

// Do so many numbers of 16 bits strictly ascend?
bool ascends(const uint8_t *numbers, uint32_t count) noexcept;

// Runs as the portable format has them, each its first member and its length - 1: do they ascend, with a gap between
// any two, and end within the container? `members` is how many they have, if so.
bool runs_ascend(const uint8_t *runs, uint32_t count, uint32_t &members) noexcept;

// Turns each over, from `words` to `out`, and says how many ones there were.
uint32_t negate_words(const uint8_t *words, uint8_t *out, size_t count) noexcept;

} // namespace fas
