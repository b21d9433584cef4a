// Ascending lists of members of one container, each at most once: several at a time where the processor can do that.
// The lists that come as bytes lie in the portable format and may lie anywhere.
#pragma once

#include <cstdint>

namespace fas {

// How many runs of successive members there are.
uint32_t count_runs(const uint16_t *members, uint32_t count) noexcept;

// Keeps those of `mine` that `theirs` has, too; returns how many. Safe whatever `theirs` are: what is kept is a part of
// `mine` in its order.
uint32_t keep_shared(uint16_t *mine, uint32_t count, const uint8_t *theirs, uint32_t their_count) noexcept;

// Those of `theirs` that `mine` has not, if they seem to be few: else, or where it would not be quick, `not_few`. Safe
// whatever the lists are. `out` has room for all of `theirs` and for merge_slack more.
constexpr uint32_t merge_slack = 8, not_few = 0xffffffff;
uint32_t find_missing(const uint16_t *mine, uint32_t count, const uint8_t *theirs, uint32_t their_count,
                      uint16_t *out) noexcept;

// Those of either list; those of one list only. Both must be ascending. `out` has room for all and for merge_slack
// more; returns how many there are.
uint32_t unite_members(const uint16_t *a, uint32_t a_count, const uint8_t *b, uint32_t b_count, uint16_t *out) noexcept;
uint32_t toggle_members(const uint16_t *a, uint32_t a_count, const uint8_t *b, uint32_t b_count,
                        uint16_t *out) noexcept;

} // namespace fas
