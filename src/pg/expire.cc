// flows_expire(): retention.
//
// Locks: the store exclusively (compact.hh) to the end of the transaction, so that no compaction carries expired flows
// past it; ingests go on, they merely don't merge. READ COMMITTED: each statement sees what was committed before it.
#include "postgres.hh"

extern "C" {
#include "miscadmin.h"
#include "utils/memutils.h"
}

#include "batch_key.hh"
#include "compact.hh"
#include "statements.hh"

namespace fas::pg {

namespace {

constexpr int64_t keys_dropped_at_once = 1000;

int64_t delete_whole(const Store &store, int32_t before_hour) {
    connect_spi();
    Datum values[] = {Int32GetDatum(before_hour)};
    run(store, Statement::delete_expired, values);
    int64_t flows = DatumGetInt64(result(0, 1));
    finish_spi();
    return flows;
}

// Trims segments of one level, small ones together: merged, they are one segment of the next level.
int64_t trim_group(const Store &store, int32_t before_hour, const int64_t *ids, size_t count, int32_t level) {
    MergeRequest request{.ids = ids, .count = count, .waits = true, .input_level = level};
    request.output_level = count == 1 ? level : -1;
    if (level >= sealed_level)
        request.output_level = level;
    request.first_hour = static_cast<uint32_t>(before_hour);
    MergeResult merged = merge_rows(store, request);
    return merged.flows_read - merged.flows_written;
}

// The segments that hold hours on both sides of `before_hour`, in groups of bounded size. Returns the flows dropped;
// `found` is how many segments there were.
int64_t trim_straddlers(const Store &store, int32_t before_hour, size_t *found) {
    connect_spi();
    Datum values[] = {Int32GetDatum(before_hour)};
    run(store, Statement::list_straddlers, values);
    *found = SPI_processed;
    auto *ids = static_cast<int64_t *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int64_t) * (*found + 1)));
    int64_t dropped = 0, group_flows = 0;
    size_t group_begin = 0;
    int32_t group_level = 0;
    SPITupleTable *list = SPI_tuptable;
    auto column = [list](size_t row, int number) {
        bool is_null;
        return SPI_getbinval(list->vals[row], list->tupdesc, number, &is_null);
    };
    for (size_t i = 0; i < *found; ++i) {
        int32_t level = DatumGetInt16(column(i, 2));
        int64_t flows = DatumGetInt64(column(i, 5));
        bool is_full = i - group_begin >= max_ingest_rows || group_flows + flows > max_ingest_merge;
        if (i > group_begin && (level != group_level || is_full)) {
            CHECK_FOR_INTERRUPTS();
            dropped += trim_group(store, before_hour, ids + group_begin, i - group_begin, group_level);
            group_begin = i;
            group_flows = 0;
        }
        ids[i] = DatumGetInt64(column(i, 1));
        group_level = level;
        group_flows += flows;
    }
    if (*found > group_begin)
        dropped += trim_group(store, before_hour, ids + group_begin, *found - group_begin, group_level);
    finish_spi();
    return dropped;
}

int64_t expire_flows(const Store &store, int32_t before_hour) {
    int64_t dropped = 0;
    for (size_t found = 1; found > 0;) {
        dropped += delete_whole(store, before_hour);
        dropped += trim_straddlers(store, before_hour, &found);
    }
    return dropped;
}

void drop_all_old_keys(const Store &store) {
    connect_spi();
    TimestampTz last = DT_NOBEGIN;
    while (drop_old_keys(store, last, keys_dropped_at_once, &last) > 0)
        CHECK_FOR_INTERRUPTS();
    finish_spi();
}

} // namespace

FAS_FUNCTION(flows_expire) {
    Store store = store_of_function(fcinfo->flinfo->fn_oid);
    PreventCommandIfReadOnly("flows_expire()");
    require_read_committed("flows_expire()");
    int32_t before_hour = PG_GETARG_INT32(0);

    RunAsOwner saved = begin_as_owner(store);
    claim_store(store);
    // Hours are never negative, so there is nothing before hour 0.
    int64_t dropped = before_hour > 0 ? expire_flows(store, before_hour) : 0;
    drop_all_old_keys(store);
    end_as_owner(saved);
    PG_RETURN_INT64(dropped);
}

} // namespace fas::pg
