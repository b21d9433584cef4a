// Counting bits, in bytes that need not be aligned: with the processor's instruction where there is one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fas {

// The number of ones in `words` little-endian words of 64 bits.
uint32_t count_ones(const uint8_t *words, size_t count) noexcept;

// The same of those that both have.
uint32_t count_common_ones(const uint8_t *a, const uint8_t *b, size_t count) noexcept;

} // namespace fas
