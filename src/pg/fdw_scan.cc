// Execution of a scan: its values and condition, the segments that may match, one of them open at a time.
//
// The list of segments is made under the scan's own snapshot when the first tuple is asked for, and holds TOAST
// pointers, so that a cursor goes on reading what it saw whatever compaction does meanwhile. Takes the lock of the
// statement that reads flow_segments, no other.
#include "postgres.hh"

extern "C" {
#include "access/table.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "parser/parsetree.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

#include "fdw_wrapper.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

ScanValues prepare_values(ForeignScanState *node, List *exprs) {
    ScanValues values = {};
    values.count = list_length(exprs);
    values.exprs = static_cast<ExprState **>(palloc0(sizeof(ExprState *) * (values.count + 1)));
    values.types = static_cast<Oid *>(palloc0(sizeof(Oid) * (values.count + 1)));
    values.econtext = node->ss.ps.ps_ExprContext;
    for (int i = 0; i < values.count; ++i) {
        auto *expr = static_cast<Expr *>(list_nth(exprs, i));
        values.types[i] = exprType(reinterpret_cast<Node *>(expr));
        values.exprs[i] = ExecInitExpr(expr, &node->ss.ps);
    }
    return values;
}

// Whose right to read counts: a view's owner, or the current user.
Oid user_of_scan([[maybe_unused]] EState *estate, [[maybe_unused]] ForeignScan *plan, [[maybe_unused]] Index relid) {
#if PG_VERSION_NUM >= 160000
    Oid user = plan->checkAsUser;
#else
    Oid user = exec_rt_fetch(relid, estate)->checkAsUser;
#endif
    return OidIsValid(user) ? user : GetUserId();
}

Index table_index(ForeignScan *plan) {
    if (plan->scan.scanrelid > 0)
        return plan->scan.scanrelid;
#if PG_VERSION_NUM >= 160000
    return static_cast<Index>(bms_next_member(plan->fs_base_relids, -1));
#else
    return static_cast<Index>(bms_next_member(plan->fs_relids, -1));
#endif
}

int32_t clamp_hour(int64_t hour) {
    return static_cast<int32_t>(std::clamp<int64_t>(hour, 0, static_cast<int64_t>(max_hour)));
}

void list_matching_segments(FlowScan *scan, Snapshot snapshot) {
    HourRange &range = scan->hours;
    guarded([&] { range = hour_bounds(*scan->condition); });
    range.last = std::min<int64_t>(range.last, max_hour);
    range.first = std::max<int64_t>(range.first, 0);
    if (range.empty() || scan->condition->kind == Condition::Kind::none)
        return;
    MemoryContext old = MemoryContextSwitchTo(scan->run_context);
    PushActiveSnapshot(snapshot);
    scan->segments = list_segments(scan->store, clamp_hour(range.first), clamp_hour(range.last));
    PopActiveSnapshot();
    MemoryContextSwitchTo(old);
}

void start_run(FlowScan *scan, EState *estate) {
    scan->condition = make_condition(scan->condition_tree, scan->values, scan->run_context);
    scan->segments = {};
    scan->next_segment = 0;
    list_matching_segments(scan, estate->es_snapshot);
    scan->counters.segments_total = std::max<uint64_t>(scan->counters.segments_total, scan->segments.total);
    scan->listed = true;
}

} // namespace

void begin_scan(ForeignScanState *node, int eflags) {
    auto *plan = castNode(ForeignScan, node->ss.ps.plan);
    EState *estate = node->ss.ps.state;
    auto *scan = static_cast<FlowScan *>(palloc0(sizeof(FlowScan)));

    Index index = table_index(plan);
    Oid table = exec_rt_fetch(index, estate)->relid;
    scan->kind = static_cast<ScanKind>(intVal(list_nth(plan->fdw_private, private_kind)));
    scan->store = store_of_table(table);
    require_select_through(scan->store, table, user_of_scan(estate, plan, index));
    if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
        return;

    Relation relation = table_open(table, NoLock);
    scan->shape = check_shape(relation, false);
    table_close(relation, NoLock);
    scan->condition_tree = static_cast<List *>(list_nth(plan->fdw_private, private_condition));
    scan->values = prepare_values(node, plan->fdw_exprs);
    scan->run_context = AllocSetContextCreate(estate->es_query_cxt, "fas scan", ALLOCSET_DEFAULT_SIZES);
    scan->segment_context = AllocSetContextCreate(estate->es_query_cxt, "fas segment", ALLOCSET_DEFAULT_SIZES);
    if (scan->kind == ScanKind::rows)
        scan->rows = make_row_scan(node, scan->shape,
                                   static_cast<uint32_t>(intVal(list_nth(plan->fdw_private, private_columns))));
    else
        scan->cells = make_cell_scan(static_cast<List *>(list_nth(plan->fdw_private, private_outputs)),
                                     scan->kind == ScanKind::totals);
    node->fdw_state = scan;
}

TupleTableSlot *iterate_scan(ForeignScanState *node) {
    auto *scan = static_cast<FlowScan *>(node->fdw_state);
    TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
    if (!scan->listed)
        start_run(scan, node->ss.ps.state);
    ExecClearTuple(slot);
    if (scan->kind == ScanKind::rows)
        next_row(scan, slot);
    else
        next_group(scan, slot);
    return slot;
}

void rescan(ForeignScanState *node) {
    auto *scan = static_cast<FlowScan *>(node->fdw_state);
    if (scan == nullptr || !scan->listed)
        return;
    // Readers first: they hold what the run's context owns.
    MemoryContextReset(scan->segment_context);
    if (scan->kind == ScanKind::rows)
        reset_row_scan(scan->rows);
    // Values change only with parameters; what was listed stands otherwise.
    if (node->ss.ps.chgParam == nullptr) {
        if (scan->kind == ScanKind::rows)
            scan->next_segment = 0;
        else
            rewind_cell_scan(scan);
        return;
    }
    if (scan->kind != ScanKind::rows)
        reset_cell_scan(scan->cells);
    MemoryContextReset(scan->run_context);
    scan->listed = false;
}

void end_scan(ForeignScanState *node) {
    auto *scan = static_cast<FlowScan *>(node->fdw_state);
    if (scan == nullptr)
        return;
    MemoryContextDelete(scan->segment_context);
    MemoryContextDelete(scan->run_context);
    node->fdw_state = nullptr;
}

} // namespace fas::pg
