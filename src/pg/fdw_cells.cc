// A scan that gives groups, one tuple for each: the groups of segments that are streamed, window by window, then those
// of the roll-up of all others (fdw_groups.hh).
//
// A row's values live until the next one is asked for: names lie where they were decoded, and numerics are written
// again and again into the same room.
#include "postgres.hh"

extern "C" {
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
}

#include "fdw_groups.hh"
#include "fdw_wrapper.hh"
#include "guard.hh"
#include "numeric.hh"

namespace fas::pg {

namespace {

constexpr uint64_t rows_ahead = 4;

struct Output {
    OutputKind kind;
    int column;
    int flag; // index of its value, or -1
    bool on;  // of a flagged dimension: grouped in this execution
    NumericRoom numeric;
};

} // namespace

struct CellScan {
    int count;
    Output *outputs;
    bool totals;         // grouped by every dimension
    bool always_one_row; // no GROUP BY: an aggregate of nothing is a row

    bool begun;            // the parts below are there
    MemoryContext context; // of the roll-up; below the run's
    WantedGroups wanted;
    uint64_t rolled;         // segments that are rolled up: the first ones of the list
    RolledGroups *rollup;    // of them; null when there are none
    StreamedGroups *segment; // that is being streamed, in the segment's context
    bool rest_given;         // what the roll-up has is ready, or was
    bool row_given;
    ReadyGroups ready;
    uint64_t next;                         // of them
    uint64_t last_prefix;                  // bytes that were read from the start of the segment before
    uint64_t bytes_counted, cells_counted; // of the segment that is being streamed, for EXPLAIN
};

CellScan *make_cell_scan(List *outputs, bool totals) {
    auto *cells = static_cast<CellScan *>(palloc0(sizeof(CellScan)));
    cells->count = list_length(outputs);
    cells->outputs = static_cast<Output *>(palloc0(sizeof(Output) * (cells->count + 1)));
    cells->totals = totals;
    cells->always_one_row = !totals;
    for (int i = 0; i < cells->count; ++i) {
        auto *from = static_cast<List *>(list_nth(outputs, i));
        cells->outputs[i] = {
            static_cast<OutputKind>(linitial_int(from)), lsecond_int(from), lthird_int(from), true, {}};
        if (cells->outputs[i].kind == OutputKind::dimension || cells->outputs[i].kind == OutputKind::flagged_dimension)
            cells->always_one_row = false;
    }
    return cells;
}

void reset_cell_scan(CellScan *cells) {
    cells->begun = false;
    cells->rollup = nullptr;
    cells->segment = nullptr;
    cells->rest_given = cells->row_given = false;
    cells->ready = {};
    cells->next = 0;
}

// A roll-up of everything is still there. What was streamed is read again, and the roll-up beside it too.
void rewind_cell_scan(FlowScan *scan) {
    CellScan *cells = scan->cells;
    if (cells->begun && !cells->wanted.streams && cells->rest_given) {
        cells->next = 0;
        cells->row_given = false;
        return;
    }
    if (cells->begun)
        MemoryContextDelete(cells->context);
    reset_cell_scan(cells);
    scan->next_segment = 0;
}

namespace {

void read_flags(FlowScan *scan) {
    CellScan *cells = scan->cells;
    MemoryContext old = MemoryContextSwitchTo(cells->context);
    for (int i = 0; i < cells->count; ++i) {
        Output &output = cells->outputs[i];
        if (output.kind != OutputKind::flagged_dimension)
            continue;
        bool is_null;
        Datum flag = ExecEvalExpr(scan->values.exprs[output.flag], scan->values.econtext, &is_null);
        output.on = !is_null && DatumGetBool(flag);
    }
    MemoryContextSwitchTo(old);
}

// A fetch costs as much as some kilobytes. What a query reads from the start of one segment it reads of the next, which
// is likely to be its like, so that is fetched at once, and a little more.
uint64_t prefix_wanted(const CellScan *cells) { return cells->last_prefix + cells->last_prefix / 16; }

void add_segment(FlowScan *scan, const SegmentRow &row) {
    guarded([&] {
        CellScan *cells = scan->cells;
        ToastSource source(row.segment, scan->segment_context);
        cells->last_prefix = cells->rollup->add(source, prefix_wanted(cells));
        scan->counters.bytes += source.bytes_read();
    });
    ++scan->counters.segments_read;
    MemoryContextReset(scan->segment_context);
}

GroupBy all_dimensions() {
    GroupBy all;
    for (size_t d = 0; d < dimension_count; ++d)
        all.add(static_cast<Dimension>(d));
    return all;
}

WantedGroups wanted_groups(const CellScan *cells) {
    WantedGroups out = {cells->totals ? all_dimensions() : GroupBy{}, {}, false, false};
    for (int i = 0; i < cells->count; ++i) {
        const Output &output = cells->outputs[i];
        auto dimension = static_cast<Dimension>(output.column);
        if (output.kind == OutputKind::dimension || (output.kind == OutputKind::flagged_dimension && output.on))
            out.grouped.add(dimension);
        else if (output.kind == OutputKind::minimum || output.kind == OutputKind::maximum) {
            if (dimension == Dimension::hour)
                out.spans = true;
            else
                out.folded.add(dimension);
        }
    }
    return out;
}

// What is to be rolled up, is.
void begin_groups(FlowScan *scan) {
    CellScan *cells = scan->cells;
    cells->context = AllocSetContextCreate(scan->run_context, "fas groups", ALLOCSET_SMALL_SIZES);
    cells->begun = true;
    read_flags(scan);
    cells->wanted = wanted_groups(cells);
    guarded([&] { cells->rolled = arrange_segments(scan->segments, cells->wanted, scan->hours); });
    if (cells->rolled == 0)
        return;
    cells->rollup = make_in_context<RolledGroups>(cells->context, cells->wanted, *scan->condition);
    while (scan->next_segment < cells->rolled) {
        CHECK_FOR_INTERRUPTS();
        add_segment(scan, scan->segments.rows[scan->next_segment++]);
    }
    guarded([&] { cells->rollup->finish(); });
    scan->counters.cells += cells->rollup->cells_read();
}

void open_segment(FlowScan *scan, const SegmentRow &row) {
    CellScan *cells = scan->cells;
    Overlay *overlay = cells->rollup != nullptr ? cells->rollup->overlay() : nullptr;
    cells->segment = make_in_context<StreamedGroups>(scan->segment_context, row, scan->segment_context,
                                                     *scan->condition, prefix_wanted(cells), overlay);
    cells->bytes_counted = cells->cells_counted = 0;
    ++scan->counters.segments_read;
}

// The next groups of the segment that is open; closes it at its end.
bool stream_on(FlowScan *scan) {
    CellScan *cells = scan->cells;
    StreamedGroups *segment = cells->segment;
    bool more = false;
    guarded([&] { more = segment->advance(cells->ready); });
    scan->counters.bytes += segment->bytes_read() - cells->bytes_counted;
    scan->counters.cells += segment->cells_read() - cells->cells_counted;
    cells->bytes_counted = segment->bytes_read();
    cells->cells_counted = segment->cells_read();
    if (more)
        return true;
    cells->last_prefix = segment->prefix_read();
    cells->segment = nullptr;
    MemoryContextReset(scan->segment_context);
    return false;
}

// Makes further groups ready; false when there are none. First those of segments that are streamed, then what is left
// of the roll-up, which they take from.
bool get_ready(FlowScan *scan) {
    CellScan *cells = scan->cells;
    if (!cells->begun)
        begin_groups(scan);
    if (cells->rest_given)
        return false;
    cells->next = 0;
    cells->ready = {};
    while (!cells->rest_given) {
        CHECK_FOR_INTERRUPTS();
        if (cells->segment != nullptr) {
            if (stream_on(scan))
                break;
        } else if (scan->next_segment < scan->segments.count) {
            open_segment(scan, scan->segments.rows[scan->next_segment++]);
        } else {
            cells->rest_given = true;
            if (cells->rollup == nullptr)
                break;
            if (cells->wanted.streams)
                guarded([&] { cells->rollup->leave_rest(); });
            cells->ready = cells->rollup->ready(cells->context);
        }
    }
    scan->counters.rows += cells->ready.count;
    return cells->ready.count > 0;
}

Datum dimension_of_group(CellScan *cells, int column, uint32_t hour, const uint32_t *name_ids) {
    if (column == static_cast<int>(Dimension::hour))
        return Int32GetDatum(static_cast<int32_t>(hour));
    size_t t = text_index(static_cast<Dimension>(column));
    return cells->ready.names[t][name_ids[t]];
}

// avg(bigint) is numeric_div of the exact sum and the count, here as in PostgreSQL.
Datum average(const Totals &totals, int metric) {
    return DirectFunctionCall2(numeric_div, numeric_of(totals.sums[metric]),
                               NumericGetDatum(int64_to_numeric(static_cast<int64_t>(totals.flows))));
}

void fill_group(CellScan *cells, TupleTableSlot *slot, uint64_t number) {
    const ReadyGroups &ready = cells->ready;
    const Group &group = ready.groups[number];
    for (int i = 0; i < cells->count; ++i) {
        Output &output = cells->outputs[i];
        Datum &value = slot->tts_values[i];
        slot->tts_isnull[i] = false;
        switch (output.kind) {
        case OutputKind::dimension:
            value = dimension_of_group(cells, output.column, group.hour, group.name_ids.data());
            break;
        case OutputKind::flagged_dimension:
            slot->tts_isnull[i] = !output.on;
            value = output.on ? dimension_of_group(cells, output.column, group.hour, group.name_ids.data()) : 0;
            break;
        case OutputKind::sum:
            value = numeric_in(output.numeric, group.totals.sums[output.column - first_metric]);
            break;
        case OutputKind::average:
            value = average(group.totals, output.column - first_metric);
            break;
        case OutputKind::count:
            value = Int64GetDatum(static_cast<int64_t>(group.totals.flows));
            break;
        case OutputKind::nothing:
            value = 0;
            slot->tts_isnull[i] = true;
            break;
        case OutputKind::minimum:
            value = dimension_of_group(cells, output.column, ready.spans ? ready.spans[number].first : group.hour,
                                       (ready.extremes ? ready.extremes[number].lowest : group.name_ids).data());
            break;
        case OutputKind::maximum:
            value = dimension_of_group(cells, output.column, ready.spans ? ready.spans[number].last : group.hour,
                                       (ready.extremes ? ready.extremes[number].highest : group.name_ids).data());
            break;
        }
    }
}

// The names of a row to come lie anywhere: this asks for them in time.
void prefetch_names(const ReadyGroups &ready, uint64_t number) {
    for (size_t t = 0; t < text_dimension_count && number < ready.count; ++t)
        __builtin_prefetch(DatumGetPointer(ready.names[t][ready.groups[number].name_ids[t]]));
}

// An aggregate of nothing: counts are 0, all else is NULL.
void fill_nothing(CellScan *cells, TupleTableSlot *slot) {
    for (int i = 0; i < cells->count; ++i) {
        slot->tts_values[i] = 0;
        slot->tts_isnull[i] = cells->outputs[i].kind != OutputKind::count;
    }
}

} // namespace

bool next_group(FlowScan *scan, TupleTableSlot *slot) {
    CellScan *cells = scan->cells;
    if (cells->next < cells->ready.count || get_ready(scan)) {
        prefetch_names(cells->ready, cells->next + rows_ahead);
        fill_group(cells, slot, cells->next++);
        cells->row_given = true;
    } else if (cells->always_one_row && !cells->row_given) {
        cells->row_given = true;
        fill_nothing(cells, slot);
    } else
        return false;
    ExecStoreVirtualTuple(slot);
    return true;
}

} // namespace fas::pg
