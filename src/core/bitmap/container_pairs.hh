// Two containers of the same key, asked where they lie what they have in common: nothing is decoded, copied or
// allocated. Each answer is safe whatever the bytes say, and right where ContainerPlace::check(Depth::order) passed.
#pragma once

#include <cstdint>

#include "bucket.hh"

namespace fas {

uint32_t count_shared(const ContainerPlace &a, const ContainerPlace &b) noexcept; // members of both

// The members that two arrays share, ascending, and how many. `out` has room for those of the smaller, and for 16 bytes
// more.
uint32_t list_shared(const ContainerPlace &a, const ContainerPlace &b, uint8_t *out) noexcept;
bool have_shared(const ContainerPlace &a, const ContainerPlace &b) noexcept;
bool is_part(const ContainerPlace &a, const ContainerPlace &b) noexcept; // a of b

} // namespace fas
