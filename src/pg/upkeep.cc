// flows_stats() and flows_check(): the store's sizes and debt, and whether every segment is sound. They only read, and
// take no lock but those of a SELECT.
#include "postgres.hh"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
}

#include <algorithm>
#include <cstdio>
#include <unordered_set>

#include "../core/segment.hh"
#include "guard.hh"
#include "segment_hours.hh"
#include "statements.hh"
#include "toast_source.hh"

namespace fas::pg {

namespace {

constexpr int32_t last_hour = max_hour;

using Hours = std::unordered_set<uint32_t>;

void add_hours(Hours *hours, const SegmentRow &row, MemoryContext context) {
    guarded([&] {
        ToastSource source(row.segment, context);
        SegmentReader reader(source);
        for (const HourEntry &entry : reader.hours())
            hours->insert(entry.hour);
    });
}

// Distinct hours in the store. Segments of one hour are counted by their row; of the others, the hour directory is
// read. A damaged segment counts by its ends: flows_check() is what complains.
int64_t count_hours(const Store &store) {
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "fas hours", ALLOCSET_DEFAULT_SIZES);
    MemoryContext row_context = AllocSetContextCreate(context, "fas hours of a segment", ALLOCSET_DEFAULT_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(context);
    auto *hours = make_in_context<Hours>(context);
    SegmentList list = list_segments(store, 0, last_hour);
    for (uint64_t i = 0; i < list.count; ++i) {
        const SegmentRow &row = list.rows[i];
        guarded([&] { hours->insert({static_cast<uint32_t>(row.hour_min), static_cast<uint32_t>(row.hour_max)}); });
        if (row.hour_max - row.hour_min < 2)
            continue;
        CHECK_FOR_INTERRUPTS();
        MemoryContextSwitchTo(row_context);
        char problem[256];
        (void)survives_damage([&] { add_hours(hours, row, row_context); }, problem, sizeof problem);
        MemoryContextSwitchTo(context);
        MemoryContextReset(row_context);
    }
    auto count = static_cast<int64_t>(hours->size());
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(context);
    return count;
}

// What the heap and its TOAST table take beyond what is needed, roughly: TOAST keeps four chunks of 1,996 bytes to a
// page, and a row of flow_segments has about 100 bytes beside its segment.
int64_t dead_bytes(int64_t table_bytes, int64_t live_bytes, int64_t segments) {
    int64_t needed = live_bytes + live_bytes / 32 + segments * 100;
    return std::max<int64_t>(table_bytes - needed, 0);
}

// One segment: verified by the core, and against its row. Null when all is well.
const char *problem_of(const SegmentRow &row, MemoryContext context) {
    auto *problem = static_cast<char *>(MemoryContextAllocZero(context, 1024));
    const struct varlena *hours = row.hours;
    auto verify = [&] {
        if (hours != nullptr)
            hours = PG_DETOAST_DATUM_PACKED(PointerGetDatum(hours));
        guarded([&] {
            ToastSource source(row.segment, context);
            verify_segment(source);
            SegmentReader reader(source);
            const SegmentHeader &header = reader.header();
            if (static_cast<int64_t>(header.hour_min) != row.hour_min ||
                static_cast<int64_t>(header.hour_max) != row.hour_max ||
                static_cast<int64_t>(header.flows) != row.flows)
                std::snprintf(problem, 1024,
                              "the row says %lld flows of hours %d to %d, the segment %u flows of hours %u to %u",
                              static_cast<long long>(row.flows), row.hour_min, row.hour_max, header.flows,
                              header.hour_min, header.hour_max);
            else if (hours != nullptr && !are_hours_of(hours, reader))
                std::snprintf(problem, 1024, "the row names other hours than the segment has");
        });
    };
    (void)survives_damage(verify, problem, 1024);
    return problem[0] != '\0' ? problem : nullptr;
}

// The tuplestore that a set-returning function fills and returns.
Tuplestorestate *begin_result(FunctionCallInfo fcinfo, TupleDesc *columns) {
    auto *info = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    if (info == nullptr || !IsA(info, ReturnSetInfo) || (info->allowedModes & SFRM_Materialize) == 0)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("set-valued function called in a context that can't accept a set")));
    MemoryContext caller = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
    if (get_call_result_type(fcinfo, nullptr, columns) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "the function must return rows");
    *columns = BlessTupleDesc(*columns);
    Tuplestorestate *rows = tuplestore_begin_heap((info->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
    info->returnMode = SFRM_Materialize;
    info->setResult = rows;
    info->setDesc = *columns;
    MemoryContextSwitchTo(caller);
    return rows;
}

} // namespace

FAS_FUNCTION(flows_stats) {
    Store store = store_of_function(fcinfo->flinfo->fn_oid);
    require_select(store, GetUserId());
    TupleDesc columns;
    if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "flows_stats must return a row");

    RunAsOwner saved = begin_as_owner(store);
    connect_spi();
    Datum arguments[] = {ObjectIdGetDatum(store.segments)};
    run(store, Statement::stats, arguments, nullptr, true);
    int64_t segments = DatumGetInt64(result(0, 1));
    int64_t level0 = DatumGetInt64(result(0, 2));
    int64_t flows = DatumGetInt64(result(0, 3));
    int64_t live = DatumGetInt64(result(0, 4));
    bool has_no_level0 = false;
    TimestampTz oldest = DatumGetTimestampTz(result(0, 5, &has_no_level0));
    int64_t total = DatumGetInt64(result(0, 6));
    int64_t table = DatumGetInt64(result(0, 7));
    int64_t keys = DatumGetInt64(result(0, 8));
    int64_t hours = count_hours(store);
    finish_spi();
    end_as_owner(saved);

    Datum values[] = {Int64GetDatum(segments),
                      Int64GetDatum(level0),
                      Int64GetDatum(flows),
                      Int64GetDatum(hours),
                      Int64GetDatum(live),
                      Int64GetDatum(total),
                      Int64GetDatum(dead_bytes(table, live, segments)),
                      Int64GetDatum(keys),
                      TimestampTzGetDatum(oldest)};
    bool nulls[] = {false, false, false, false, false, false, false, false, has_no_level0};
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

FAS_FUNCTION(flows_check) {
    Store store = store_of_function(fcinfo->flinfo->fn_oid);
    TupleDesc columns;
    Tuplestorestate *rows = begin_result(fcinfo, &columns);
    RunAsOwner saved = begin_as_owner(store);
    SegmentList list = list_segments(store, 0, last_hour);
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "fas check", ALLOCSET_DEFAULT_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(context);
    for (uint64_t i = 0; i < list.count; ++i) {
        CHECK_FOR_INTERRUPTS();
        const char *problem = problem_of(list.rows[i], context);
        if (problem != nullptr) {
            Datum values[] = {Int64GetDatum(list.rows[i].id), CStringGetTextDatum(problem)};
            bool nulls[] = {false, false};
            tuplestore_putvalues(rows, columns, values, nulls);
        }
        MemoryContextReset(context);
    }
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(context);
    end_as_owner(saved);
    return static_cast<Datum>(0);
}

} // namespace fas::pg
