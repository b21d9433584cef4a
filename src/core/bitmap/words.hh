// The 1024 words of a bitset: combined with those that lie in the portable format (anywhere), several at a time.
#pragma once

#include <cstdint>

namespace fas {

void unite_words(uint64_t *to, const uint8_t *from) noexcept;
void toggle_words(uint64_t *to, const uint8_t *from) noexcept;
bool keep_words(uint64_t *to, const uint8_t *from) noexcept; // what both have; false when that is nothing

// How many runs of successive ones there are; where they are more than `most`, some number that is more, too.
uint32_t count_runs(const uint64_t *words, uint32_t most) noexcept;

} // namespace fas
