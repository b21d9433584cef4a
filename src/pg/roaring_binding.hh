// CRoaring, fas's own copy: see roaring_binding.cc.
#pragma once

#include <cstddef>

namespace fas::pg {

// Opens CRoaring and binds its functions; afterwards every call of roaring_* in fas goes there. Must succeed before
// the first of them. On failure returns false and says why in `error` (a sentence, cut to `size`). Never raises, never
// throws; calling it again is free.
bool load_roaring(char *error, size_t size) noexcept;

} // namespace fas::pg
