// ANALYZE of a foreign table: a uniform sample of the store's flows. That of totals has them too: what is common among
// flows is so among their totals, and single flows are what can be drawn without adding up the store.
//
// The number of flows of each segment is known, so the rows of the sample are drawn first, and only segments that
// hold one of them are opened. Runs as the table's owner (PostgreSQL sees to it) under the command's snapshot.
#include "postgres.hh"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 150000
#include "common/pg_prng.h"
#else
#include "utils/sampling.h"
#endif
}

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "../core/segment.hh"
#include "datum.hh"
#include "fdw_wrapper.hh"
#include "guard.hh"
#include "numeric.hh"
#include "toast_source.hh"

namespace fas::pg {

namespace {

// A sampled flow; the names live in the segment's context.
struct SampledFlow {
    uint32_t hour;
    std::string_view names[text_dimension_count];
    uint64_t metrics[metric_count];
};

uint64_t random_below(uint64_t n) {
#if PG_VERSION_NUM >= 150000
    return pg_prng_uint64_range(&pg_global_prng_state, 0, n - 1);
#else
    auto r = static_cast<uint64_t>(anl_random_fract() * static_cast<double>(n));
    return std::min(r, n - 1);
#endif
}

// `wanted` different numbers below n, ascending; all of them when there are no more. Repetitions are drawn again.
int draw(uint64_t *out, int wanted, uint64_t n) {
    int count = 0;
    if (n <= static_cast<uint64_t>(wanted))
        for (uint64_t i = 0; i < n; ++i)
            out[count++] = i;
    else
        while (count < wanted) {
            while (count < wanted)
                out[count++] = random_below(n);
            std::sort(out, out + count);
            count = static_cast<int>(std::unique(out, out + count) - out);
        }
    return count;
}

// In guarded(). `rows` are ascending row indexes of the segment.
void read_flows(SegmentReader &reader, const uint32_t *rows, int count, SampledFlow *out, MemoryContext context) {
    CellColumns cells;
    reader.read_cells({0, reader.header().cells}, cells);
    RowColumns metrics;
    for (int i = 0; i < count; ++i) {
        auto after = std::upper_bound(cells.first_row.begin(), cells.first_row.end(), rows[i]);
        auto cell = static_cast<uint32_t>(after - cells.first_row.begin() - 1);
        auto hour = std::upper_bound(reader.hours().begin(), reader.hours().end(), cell,
                                     [](uint32_t c, const HourEntry &entry) { return c < entry.cells.end; });
        out[i].hour = hour->hour;
        for (size_t t = 0; t < text_dimension_count; ++t) {
            std::string_view name = reader.names(t)[reader.key_ids(t)[cells.key[cell]]];
            auto *copy = static_cast<char *>(allocate(context, name.size() + 1));
            std::copy(name.begin(), name.end(), copy);
            out[i].names[t] = {copy, name.size()};
        }
        reader.read_rows({rows[i], rows[i] + 1}, metrics);
        for (size_t m = 0; m < metric_count; ++m)
            out[i].metrics[m] = metrics.metrics[m][0];
    }
}

HeapTuple make_tuple(Relation table, const TableShape &shape, const SampledFlow &flow, Datum *values, bool *nulls) {
    TupleDesc desc = RelationGetDescr(table);
    std::fill_n(nulls, desc->natts, true);
    for (int c = 0; c < column_count; ++c) {
        if (shape.attnum[c] == 0)
            continue;
        int i = shape.attnum[c] - 1;
        nulls[i] = false;
        if (c == 0)
            values[i] = Int32GetDatum(static_cast<int32_t>(flow.hour));
        else if (c < first_metric)
            values[i] = datum_of_text(flow.names[c - 1]);
        else
            values[i] = shape.totals ? numeric_of(flow.metrics[c - first_metric])
                                     : Int64GetDatum(static_cast<int64_t>(flow.metrics[c - first_metric]));
    }
    return heap_form_tuple(desc, values, nulls);
}

struct Sampler {
    Relation table;
    TableShape shape;
    HeapTuple *tuples;
    int count;
    MemoryContext segment_context; // reset after each segment
    Datum *values;
    bool *nulls;
};

void sample_segment(Sampler &sampler, const SegmentRow &segment, const uint64_t *drawn, int count, uint64_t first) {
    CHECK_FOR_INTERRUPTS();
    MemoryContext caller = MemoryContextSwitchTo(sampler.segment_context);
    auto *rows = static_cast<uint32_t *>(palloc(sizeof(uint32_t) * count));
    auto *flows = static_cast<SampledFlow *>(palloc0(sizeof(SampledFlow) * count));
    for (int i = 0; i < count; ++i)
        rows[i] = static_cast<uint32_t>(drawn[i] - first);
    guarded([&] {
        ToastSource source(segment.segment, sampler.segment_context);
        SegmentReader reader(source);
        if (reader.header().flows <= rows[count - 1])
            throw_corrupted("The segment has fewer flows than its row says.");
        read_flows(reader, rows, count, flows, sampler.segment_context);
    });
    MemoryContextSwitchTo(caller);
    for (int i = 0; i < count; ++i)
        sampler.tuples[sampler.count++] =
            make_tuple(sampler.table, sampler.shape, flows[i], sampler.values, sampler.nulls);
    MemoryContextReset(sampler.segment_context);
}

int sample_rows(Relation table, int, HeapTuple *tuples, int wanted, double *total, double *dead) {
    Store store = store_of_table(RelationGetRelid(table));
    require_select_through(store, RelationGetRelid(table), GetUserId());
    Sampler sampler = {table, check_shape(table, false), tuples, 0, nullptr, nullptr, nullptr};
    sampler.segment_context = AllocSetContextCreate(CurrentMemoryContext, "fas sample", ALLOCSET_DEFAULT_SIZES);
    sampler.values = static_cast<Datum *>(palloc0(sizeof(Datum) * RelationGetDescr(table)->natts));
    sampler.nulls = static_cast<bool *>(palloc0(sizeof(bool) * RelationGetDescr(table)->natts));

    SegmentList list = list_segments(store, 0, static_cast<int32_t>(max_hour));
    uint64_t flows = 0;
    for (uint64_t i = 0; i < list.count; ++i)
        flows += static_cast<uint64_t>(list.rows[i].flows);
    auto *drawn = static_cast<uint64_t *>(palloc(sizeof(uint64_t) * wanted));
    int drawn_count = draw(drawn, wanted, flows);

    uint64_t first = 0;
    int next = 0;
    for (uint64_t i = 0; i < list.count && next < drawn_count; ++i) {
        uint64_t end = first + static_cast<uint64_t>(list.rows[i].flows);
        int begin = next;
        while (next < drawn_count && drawn[next] < end)
            ++next;
        if (next > begin)
            sample_segment(sampler, list.rows[i], drawn + begin, next - begin, first);
        first = end;
    }
    MemoryContextDelete(sampler.segment_context);
    *total = static_cast<double>(flows) / (sampler.shape.totals ? flows_per_total : 1);
    *dead = 0;
    return sampler.count;
}

} // namespace

bool analyze_table(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *pages) {
    Store store = store_of_table(RelationGetRelid(relation));
    Relation segments = table_open(store.segments, AccessShareLock);
    *pages = RelationGetNumberOfBlocks(segments);
    table_close(segments, AccessShareLock);
    *func = sample_rows;
    return true;
}

} // namespace fas::pg
