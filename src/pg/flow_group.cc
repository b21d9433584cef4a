// flow_group() and flow_grouped(): how one SQL query with one plan groups by whatever dimensions its caller names.
//
// flow_group(value, grouped) is the value where it is grouped by, else NULL. The foreign-data wrapper knows it in a
// GROUP BY (fdw_aggregate.cc) and leaves the dimensions out that are not grouped, instead of reading rows.
#include "postgres.hh"

extern "C" {
#include "utils/array.h"
}

#include "../core/flow.hh"
#include "datum.hh"
#include "rollup_agg.hh"

using namespace fas;
using namespace fas::pg;

// flow_group(integer, boolean), flow_group(text, boolean)
FAS_FUNCTION(flow_group) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || !PG_GETARG_BOOL(1))
        PG_RETURN_NULL();
    PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

// flow_grouped(group_by text[], dimension text): is the dimension among them? All of them are looked at, so that an
// unknown name is refused whatever the dimension. NULL stands for all four.
FAS_FUNCTION(flow_grouped) {
    if (PG_ARGISNULL(1))
        PG_RETURN_NULL();
    if (PG_ARGISNULL(0))
        PG_RETURN_BOOL(true);
    GroupBy group_by = group_by_of_array(PG_GETARG_ARRAYTYPE_P(0));
    auto dimension = dimension_of_name(text_view(PG_GETARG_TEXT_PP(1))); // a plain enum: nothing to destroy
    PG_RETURN_BOOL(dimension && group_by.has(*dimension));
}
