// Lists of dimension names, as flow_rollup_agg and flows_aggregate take them.
#pragma once

#include "postgres.hh"

extern "C" {
#include "utils/array.h"
}

#include "../core/rollup.hh"

namespace fas::pg {

// The set of dimensions that a text[] names; a repeated name counts once. Raises 22023 for an unknown name and for
// a NULL element. For phase one.
GroupBy group_by_of_array(ArrayType *names);

} // namespace fas::pg
