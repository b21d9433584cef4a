// 128-bit sums as SQL's numeric.
#pragma once

#include "postgres.hh"

#include "../core/flow.hh"

namespace fas::pg {

// Room for one numeric, to be written again for each row: what a result holds is millions of sums, and allocating and
// normalising each costs more than adding it up.
struct NumericRoom {
    alignas(8) char bytes[28]; // varlena header, numeric's header, ten digits
};

// Exact for every value; lives in `room`. Neither allocates nor raises.
Datum numeric_in(NumericRoom &room, uint128 value) noexcept;

// The same in the current memory context. For phases one and three.
Datum numeric_of(uint128 value);

} // namespace fas::pg
