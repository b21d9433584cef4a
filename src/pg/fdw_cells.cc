// A scan that gives groups: fas::Rollup over the segments, then one tuple for each group.
//
// min() and max() of the hour are the roll-up's spans. Those of a text dimension it does not know; so it groups by that
// dimension too, and what it gives is folded here.
//
// A row's values live until the next one is asked for: names are given in place (the roll-up leaves room before each
// for the length), and numerics are written again and again into the same room.
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

#include <algorithm>
#include <vector>

#include "../core/intern.hh"
#include "../core/interrupt.hh"
#include "../core/rollup.hh"
#include "fdw_wrapper.hh"
#include "guard.hh"
#include "numeric.hh"
#include "toast_source.hh"

namespace fas::pg {

namespace {

struct Output {
    OutputKind kind;
    int column;
    int flag; // index of its value, or -1
    bool on;  // of a flagged dimension: grouped in this execution
    NumericRoom numeric;
};

// A group with what is folded into it.
struct FoldedGroup {
    Group group;
    std::array<uint32_t, text_dimension_count> lowest, highest; // name ids
    HourSpan span;
};

// C++ state of one execution, in the scan's run context.
struct CellRun {
    CellRun(GroupBy grouped, GroupBy folded, bool spans, const Condition &condition)
        : grouped(grouped), folded(folded), rollup(all(grouped, folded), condition, spans) {}

    static GroupBy all(GroupBy a, GroupBy b) { return {static_cast<uint8_t>(a.mask | b.mask)}; }
    void fold();

    GroupBy grouped; // what the query groups by
    GroupBy folded;  // texts that it wants the least or greatest of
    Rollup rollup;
    std::vector<FoldedGroup> groups; // only when something is folded
};

// Within one roll-up equal names have equal ids, so ids decide which rows fall together.
bool same_group(const Group &a, const Group &b, GroupBy grouped) {
    if (grouped.has(Dimension::hour) && a.hour != b.hour)
        return false;
    for (size_t t = 0; t < text_dimension_count; ++t)
        if (grouped.has(text_dimension(t)) && a.name_ids[t] != b.name_ids[t])
            return false;
    return true;
}

bool before(const Group &a, const Group &b, GroupBy grouped) {
    if (grouped.has(Dimension::hour) && a.hour != b.hour)
        return a.hour < b.hour;
    for (size_t t = 0; t < text_dimension_count; ++t)
        if (grouped.has(text_dimension(t)) && a.name_ids[t] != b.name_ids[t])
            return a.name_ids[t] < b.name_ids[t];
    return false;
}

void CellRun::fold() {
    std::span<const Group> from = rollup.groups();
    std::span<const HourSpan> spans = rollup.spans();
    std::vector<uint32_t> order(from.size());
    for (uint32_t i = 0; i < order.size(); ++i)
        order[i] = i;
    poll();
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return before(from[a], from[b], grouped); });
    for (uint32_t i : order) {
        const Group &next = from[i];
        if (groups.empty() || !same_group(groups.back().group, next, grouped)) {
            groups.push_back({next, next.name_ids, next.name_ids, spans.empty() ? HourSpan{} : spans[i]});
            continue;
        }
        FoldedGroup &into = groups.back();
        into.group.totals.add(next.totals);
        if (!spans.empty())
            into.span.add(spans[i]);
        for (size_t t = 0; t < text_dimension_count; ++t) {
            if (!folded.has(text_dimension(t)))
                continue;
            std::span<const std::string_view> names = rollup.names(t);
            if (names[next.name_ids[t]] < names[into.lowest[t]])
                into.lowest[t] = next.name_ids[t];
            if (names[into.highest[t]] < names[next.name_ids[t]])
                into.highest[t] = next.name_ids[t];
        }
    }
}

} // namespace

struct CellScan {
    int count;
    Output *outputs;

    bool aggregated; // the parts below are there
    CellRun *run;
    bool totals;          // grouped by every dimension
    bool always_one_row;  // no GROUP BY: an aggregate of nothing is a row
    uint64_t last_prefix; // bytes that were read from the start of the segment before
    uint64_t groups, next;
    Datum *names[text_dimension_count]; // by name id
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
    cells->aggregated = false;
    cells->run = nullptr;
}

void rewind_cell_scan(CellScan *cells) { cells->next = 0; }

namespace {

void read_flags(FlowScan *scan) {
    CellScan *cells = scan->cells;
    MemoryContext old = MemoryContextSwitchTo(scan->run_context);
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
uint64_t wanted_of(const CellScan *cells) { return cells->last_prefix + cells->last_prefix / 16; }

void add_segment(FlowScan *scan, const SegmentRow &row) {
    guarded([&] {
        CellScan *cells = scan->cells;
        ToastSource source(row.segment, scan->segment_context);
        SegmentReader reader(source, wanted_of(cells));
        cells->run->rollup.add(reader);
        cells->last_prefix = reader.prefix_read();
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

// Makes a text value of each name, where it lies: once for a name, not for each row.
void give_names(FlowScan *scan) {
    CellScan *cells = scan->cells;
    static_assert(name_room == VARHDRSZ);
    for (size_t t = 0; t < text_dimension_count; ++t) {
        std::span<const std::string_view> names = cells->run->rollup.names(t);
        cells->names[t] = static_cast<Datum *>(
            MemoryContextAllocHuge(scan->run_context, sizeof(Datum) * std::max<size_t>(names.size(), 1)));
        for (size_t id = 0; id < names.size(); ++id) {
            SET_VARSIZE(room_before(names[id]), name_room + names[id].size());
            cells->names[t][id] = PointerGetDatum(room_before(names[id]));
        }
    }
}

void aggregate(FlowScan *scan) {
    CellScan *cells = scan->cells;
    read_flags(scan);
    GroupBy grouped = cells->totals ? all_dimensions() : GroupBy{}, folded;
    bool spans = false;
    for (int i = 0; i < cells->count; ++i) {
        const Output &output = cells->outputs[i];
        auto dimension = static_cast<Dimension>(output.column);
        if (output.kind == OutputKind::dimension || (output.kind == OutputKind::flagged_dimension && output.on))
            grouped.add(dimension);
        else if (output.kind == OutputKind::minimum || output.kind == OutputKind::maximum) {
            if (dimension == Dimension::hour)
                spans = true;
            else
                folded.add(dimension);
        }
    }
    cells->run = make_in_context<CellRun>(scan->run_context, grouped, folded, spans, *scan->condition);
    while (scan->next_segment < scan->segments.count) {
        CHECK_FOR_INTERRUPTS();
        add_segment(scan, scan->segments.rows[scan->next_segment++]);
    }
    if (folded.mask != 0)
        guarded([&] { cells->run->fold(); });
    cells->groups = folded.mask != 0 ? cells->run->groups.size() : cells->run->rollup.groups().size();
    scan->counters.cells += cells->run->rollup.stats().cells;
    scan->counters.rows += cells->groups;
    give_names(scan);
    cells->next = 0;
    cells->aggregated = true;
}

Datum dimension_of_group(CellScan *cells, int column, uint32_t hour, const uint32_t *name_ids) {
    if (column == static_cast<int>(Dimension::hour))
        return Int32GetDatum(static_cast<int32_t>(hour));
    size_t t = text_index(static_cast<Dimension>(column));
    return cells->names[t][name_ids[t]];
}

// avg(bigint) is numeric_div of the exact sum and the count, here as in PostgreSQL.
Datum average(const Totals &totals, int metric) {
    return DirectFunctionCall2(numeric_div, numeric_of(totals.sums[metric]),
                               NumericGetDatum(int64_to_numeric(static_cast<int64_t>(totals.flows))));
}

void fill_group(CellScan *cells, TupleTableSlot *slot, const Group &group, const uint32_t *lowest,
                const uint32_t *highest, HourSpan span) {
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
            value = dimension_of_group(cells, output.column, span.first, lowest);
            break;
        case OutputKind::maximum:
            value = dimension_of_group(cells, output.column, span.last, highest);
            break;
        }
    }
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
    if (!cells->aggregated)
        aggregate(scan);
    if (cells->next < cells->groups) {
        uint64_t i = cells->next++;
        if (cells->run->folded.mask != 0) {
            const FoldedGroup &folded = cells->run->groups[i];
            fill_group(cells, slot, folded.group, folded.lowest.data(), folded.highest.data(), folded.span);
        } else {
            const Group &group = cells->run->rollup.groups()[i];
            std::span<const HourSpan> spans = cells->run->rollup.spans();
            fill_group(cells, slot, group, nullptr, nullptr, spans.empty() ? HourSpan{} : spans[i]);
        }
    } else if (cells->groups == 0 && cells->always_one_row && cells->next == 0) {
        ++cells->next;
        fill_nothing(cells, slot);
    } else
        return false;
    ExecStoreVirtualTuple(slot);
    return true;
}

} // namespace fas::pg
