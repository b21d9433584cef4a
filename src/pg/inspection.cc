// Inspection: what is in a segment, as tables. Rows go to a tuplestore, which spills to disk at work_mem.
//
// A walk over the segment (segment_walk.hh) lives in a memory context of its own, below the caller's, so that it ends
// with it, errors included.
#include "postgres.hh"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"
}

#include "bitmap_datum.hh"
#include "guard.hh"
#include "numeric.hh"
#include "segment_walk.hh"

namespace fas::pg {

namespace {

// One call of a set-returning function. Plain memory: nothing here has a destructor.
struct Output {
    TupleDesc row_type;
    Tuplestorestate *store;
    MemoryContext work; // lives until finish(); the walk is in it
    MemoryContext row;  // reset for each row
    SegmentWalk *walk;
};

// Sets up the result and opens the segment that is argument 0. (InitMaterializedSRF is there from 15 on only.)
Output begin_output(FunctionCallInfo fcinfo, int columns) {
    auto *info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    if (info == nullptr || !IsA(info, ReturnSetInfo) || (info->allowedModes & SFRM_Materialize) == 0)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("set-returning function called in a place that takes no set")));
    Output out = {};
    MemoryContext saved = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
    if (get_call_result_type(fcinfo, nullptr, &out.row_type) != TYPEFUNC_COMPOSITE || out.row_type->natts != columns)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("result type is not as fas made it"),
                        errhint("Create the extension again.")));
    out.row_type = BlessTupleDesc(out.row_type);
    out.store = tuplestore_begin_heap((info->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
    info->returnMode = SFRM_Materialize;
    info->setResult = out.store;
    info->setDesc = out.row_type;
    MemoryContextSwitchTo(saved);

    out.work = AllocSetContextCreate(CurrentMemoryContext, "fas inspection", ALLOCSET_DEFAULT_SIZES);
    out.row = AllocSetContextCreate(out.work, "fas inspection row", ALLOCSET_DEFAULT_SIZES);
    auto *datum = reinterpret_cast<struct varlena *>(DatumGetPointer(PG_GETARG_DATUM(0)));
    out.walk = make_in_context<SegmentWalk>(out.work, datum, out.work);
    return out;
}

// The values are built in `out.row`, which this empties for the next row.
void put_row(const Output &out, Datum *values) {
    static bool no_nulls[8] = {};
    tuplestore_putvalues(out.store, out.row_type, values, no_nulls);
    MemoryContextReset(out.row);
    CHECK_FOR_INTERRUPTS();
}

Datum finish(const Output &out) {
    MemoryContextDelete(out.work);
    return Datum{0};
}

} // namespace

// (index bigint, hour, the text dimensions, the metrics)
FAS_FUNCTION(flow_segment_flows) {
    Output out = begin_output(fcinfo, 1 + dimension_count + metric_count);
    MemoryContext saved = MemoryContextSwitchTo(out.row);
    FlowView flow;
    for (int64 index = 0;; ++index) {
        bool found = false;
        guarded([&] { found = out.walk->next_flow(flow); });
        if (!found)
            break;
        Datum values[1 + dimension_count + metric_count];
        Datum *value = values;
        *value++ = Int64GetDatum(index);
        *value++ = Int32GetDatum(static_cast<int32>(flow.hour));
        for (std::string_view name : flow.names)
            *value++ = datum_of_text(name);
        for (uint64_t metric : flow.metrics)
            *value++ = Int64GetDatum(static_cast<int64>(metric));
        put_row(out, values);
    }
    MemoryContextSwitchTo(saved);
    return finish(out);
}

// (hour, indexes roaringbitmap)
FAS_FUNCTION(flow_segment_hours) {
    Output out = begin_output(fcinfo, 2);
    MemoryContext saved = MemoryContextSwitchTo(out.row);
    for (size_t i = 0; i < out.walk->header().hours; ++i) {
        Datum values[2];
        guarded([&] {
            const HourEntry &hour = out.walk->hours()[i];
            Bitmap rows;
            rows.add_range(hour.rows.begin, hour.rows.end);
            values[0] = Int32GetDatum(static_cast<int32>(hour.hour));
            values[1] = PointerGetDatum(varlena_of_bitmap(rows));
        });
        put_row(out, values);
    }
    MemoryContextSwitchTo(saved);
    return finish(out);
}

// (the text dimensions, indexes roaringbitmap)
FAS_FUNCTION(flow_segment_keys) {
    Output out = begin_output(fcinfo, text_dimension_count + 1);
    MemoryContext saved = MemoryContextSwitchTo(out.row);
    for (uint32_t key = 0; key < out.walk->header().keys; ++key) {
        std::array<std::string_view, text_dimension_count> names;
        Datum values[text_dimension_count + 1];
        guarded([&] {
            names = out.walk->names_of_key(key);
            Bitmap rows = out.walk->rows_of_key(key);
            values[text_dimension_count] = PointerGetDatum(varlena_of_bitmap(rows));
        });
        for (size_t t = 0; t < text_dimension_count; ++t)
            values[t] = datum_of_text(names[t]);
        put_row(out, values);
    }
    MemoryContextSwitchTo(saved);
    return finish(out);
}

// (segment, roaringbitmap) -> (the metrics' sums, flows)
FAS_FUNCTION(flow_segment_sum) {
    TupleDesc row_type;
    if (get_call_result_type(fcinfo, nullptr, &row_type) != TYPEFUNC_COMPOSITE ||
        row_type->natts != static_cast<int>(metric_count + 1))
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("result type is not as fas made it"),
                        errhint("Create the extension again.")));
    auto *datum = reinterpret_cast<struct varlena *>(DatumGetPointer(PG_GETARG_DATUM(0)));
    struct varlena *rows = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
    Totals totals;
    guarded([&] {
        SegmentWalk walk(datum, CurrentMemoryContext);
        totals = walk.sum(bitmap_of(rows));
    });
    Datum values[metric_count + 1];
    bool no_nulls[metric_count + 1] = {};
    for (size_t m = 0; m < metric_count; ++m)
        values[m] = numeric_of(totals.sums[m]);
    values[metric_count] = Int64GetDatum(static_cast<int64>(totals.flows));
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, no_nulls));
}

} // namespace fas::pg
