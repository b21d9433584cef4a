// flow_group() and flow_grouped(): how one SQL query with one plan groups by whatever dimensions its caller names.
//
// flow_group(value, grouped) is the value where it is grouped by, else NULL. The foreign-data wrapper knows it in a
// GROUP BY (fdw_aggregate.cc) and leaves the dimensions out that are not grouped, instead of reading rows.
#include "postgres.hh"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
}

#include "../core/flow.hh"
#include "datum.hh"

using namespace fas;
using namespace fas::pg;

namespace {

void refuse_element(const text *element) {
    const char *hint = "The dimensions are hour, src_app, dest_app and vpc_id.";
    if (element == nullptr)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a dimension to group by must not be NULL"),
                        errhint("%s", hint)));
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("there is no dimension \"%s\" to group by", text_to_cstring(element)), errhint("%s", hint)));
}

} // namespace

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
    ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
    std::string_view wanted = text_view(PG_GETARG_TEXT_PP(1));
    Datum *elements;
    bool *nulls;
    int count;
    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);

    bool found = false;
    for (int i = 0; i < count; ++i) {
        text *element = nulls[i] ? nullptr : DatumGetTextPP(elements[i]);
        if (element == nullptr || !dimension_of_name(text_view(element)))
            refuse_element(element);
        found = found || text_view(element) == wanted;
    }
    PG_RETURN_BOOL(found);
}
