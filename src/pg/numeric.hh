// 128-bit sums as SQL's numeric.
#pragma once

#include "postgres.hh"

#include "../core/flow.hh"

namespace fas::pg {

// Exact for every value, in the current memory context. For phases one and three.
Datum numeric_of(uint128 value);

} // namespace fas::pg
