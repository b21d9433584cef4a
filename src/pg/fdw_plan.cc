// Planning of scans of a foreign table: how many rows, at what cost, and the plan. Conditions are matched in
// fdw_match.cc, aggregates in fdw_aggregate.cc, joins in fdw_join.cc.
#include "postgres.hh"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
}

#include "fdw_wrapper.hh"

namespace fas::pg {

namespace {

// What a flow takes on disk, roughly: only the planner's guess at the size of the store hangs on it.
constexpr double stored_bytes_per_flow = 6.0;

// A scan must list the segments and open them; a row from a decoded block costs less than one from a heap page.
constexpr double scan_startup_cost = 10.0;
constexpr double row_cost_factor = 0.5;

// The size on disk is always there and always fresh, without statistics and without reading a row.
double estimate_flows(const Store &store) {
    Relation segments = table_open(store.segments, AccessShareLock);
    double blocks = RelationGetNumberOfBlocks(segments);
    if (OidIsValid(segments->rd_rel->reltoastrelid)) {
        Relation toast = table_open(segments->rd_rel->reltoastrelid, AccessShareLock);
        blocks += RelationGetNumberOfBlocks(toast);
        table_close(toast, AccessShareLock);
    }
    table_close(segments, AccessShareLock);
    return clamp_row_est(blocks * BLCKSZ / stored_bytes_per_flow);
}

// The columns that a scan has to decode: those that the query above needs, and those of the local filter.
uint32_t columns_to_decode(const TablePlan &plan, Index relid, List *local) {
    Bitmapset *attnos = bms_copy(plan.attnos);
    pull_varattnos(reinterpret_cast<Node *>(local), relid, &attnos);
    bool whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, attnos);
    uint32_t columns = 0;
    for (int c = 0; c < column_count; ++c) {
        int attnum = plan.shape.attnum[c];
        if (attnum != 0 && (whole_row || bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, attnos)))
            columns |= 1u << c;
    }
    return columns;
}

ForeignScan *plan_rows(PlannerInfo *root, RelOptInfo *rel, List *tlist, List *scan_clauses, Plan *outer_plan) {
    auto *plan = static_cast<TablePlan *>(rel->fdw_private);
    ConditionPlan condition = plan_condition(root, rel, plan->shape, scan_clauses, false);
    uint32_t columns = columns_to_decode(*plan, rel->relid, condition.local);
    List *fdw_private = list_make3(makeInteger(static_cast<int>(ScanKind::rows)), condition.tree,
                                   makeInteger(static_cast<int>(columns)));
    return make_foreignscan(tlist, condition.local, rel->relid, condition.values, fdw_private, NIL, condition.pushed,
                            outer_plan);
}

// The columns of a totals scan's tuples are those that the query needs, in its order: then nothing has to be projected.
// NIL when it needs none, or a row of the table as such (a whole-row Var, a system column).
List *needed_columns(RelOptInfo *rel, List *tlist, List *local) {
    List *exprs = list_concat(list_concat_copy(tlist, rel->reltarget->exprs), local);
    List *columns = NIL;
    ListCell *cell;
    foreach (cell, pull_var_clause(reinterpret_cast<Node *>(exprs), PVC_RECURSE_PLACEHOLDERS)) {
        auto *var = lfirst_node(Var, cell);
        if (var->varno != static_cast<int>(rel->relid))
            continue; // of the other side of a join
        if (var->varattno <= 0)
            return NIL;
        auto *expr = reinterpret_cast<Expr *>(var);
        if (tlist_member(expr, columns) == nullptr)
            columns = lappend(columns,
                              makeTargetEntry(expr, static_cast<AttrNumber>(list_length(columns) + 1), nullptr, false));
    }
    return columns;
}

List *output_of_column(int column) {
    OutputKind kind = column < 0               ? OutputKind::nothing
                      : column < first_metric  ? OutputKind::dimension
                      : column == flows_column ? OutputKind::count
                                               : OutputKind::sum;
    return list_make3_int(static_cast<int>(kind), column, -1);
}

ForeignScan *plan_totals(PlannerInfo *root, RelOptInfo *rel, List *tlist, List *scan_clauses, Plan *outer_plan) {
    auto *plan = static_cast<TablePlan *>(rel->fdw_private);
    ConditionPlan condition = plan_condition(root, rel, plan->shape, scan_clauses, false);
    List *columns = needed_columns(rel, tlist, condition.local);
    List *outputs = NIL;
    ListCell *cell;
    foreach (cell, columns)
        outputs = lappend(outputs, output_of_column(plan->shape.column_of(
                                       castNode(Var, lfirst_node(TargetEntry, cell)->expr)->varattno)));
    for (AttrNumber attribute = 1; columns == NIL && attribute <= rel->max_attr; ++attribute)
        outputs = lappend(outputs, output_of_column(plan->shape.column_of(attribute)));
    List *fdw_private = list_make3(makeInteger(static_cast<int>(ScanKind::totals)), condition.tree, outputs);
    // A row that is locked, and so may be looked at again, is asked for as a whole.
    return make_foreignscan(tlist, condition.local, rel->relid, condition.values, fdw_private, columns,
                            columns == NIL ? condition.pushed : NIL, outer_plan);
}

} // namespace

void get_rel_size(PlannerInfo *root, RelOptInfo *baserel, Oid table) {
    auto *plan = static_cast<TablePlan *>(palloc0(sizeof(TablePlan)));
    baserel->fdw_private = plan;

    Relation relation = table_open(table, NoLock);
    plan->shape = check_shape(relation, false);
    table_close(relation, NoLock);
    plan->store = store_of_table(table);

    pull_varattnos(reinterpret_cast<Node *>(baserel->reltarget->exprs), baserel->relid, &plan->attnos);
    baserel->tuples = estimate_flows(plan->store);
    if (plan->shape.totals)
        baserel->tuples = clamp_row_est(baserel->tuples / flows_per_total);
    set_baserel_size_estimates(root, baserel);
}

void add_scan_path(PlannerInfo *root, RelOptInfo *rel, List *conditions, double rows, Relids outer) {
    auto *plan = static_cast<TablePlan *>(rel->fdw_private);
    ConditionPlan condition = plan_condition(root, rel, plan->shape, conditions, false);
    // What goes down leaves these rows; PostgreSQL looks at each of them if it has a condition of its own.
    double scanned =
        clamp_row_est(rel->tuples * clauselist_selectivity(root, condition.pushed, 0, JOIN_INNER, nullptr));
    Cost startup = scan_startup_cost + rel->baserestrictcost.startup + rel->reltarget->cost.startup;
    Cost total = startup + scanned * (cpu_tuple_cost * row_cost_factor) +
                 (condition.local == NIL ? 0 : scanned * rel->baserestrictcost.per_tuple) +
                 rows * rel->reltarget->cost.per_tuple;
    add_path(rel, reinterpret_cast<Path *>(create_foreignscan_path(root, rel, nullptr, rows, startup, total, NIL, outer,
                                                                   nullptr,
#if PG_VERSION_NUM >= 170000
                                                                   NIL,
#endif
                                                                   NIL)));
}

void get_paths(PlannerInfo *root, RelOptInfo *baserel, Oid) {
    add_scan_path(root, baserel, baserel->baserestrictinfo, baserel->rows, baserel->lateral_relids);
    add_join_paths(root, baserel);
}

ForeignScan *get_plan(PlannerInfo *root, RelOptInfo *rel, Oid, ForeignPath *path, List *tlist, List *scan_clauses,
                      Plan *outer_plan) {
    if (!IS_UPPER_REL(rel))
        return static_cast<TablePlan *>(rel->fdw_private)->shape.totals
                   ? plan_totals(root, rel, tlist, scan_clauses, outer_plan)
                   : plan_rows(root, rel, tlist, scan_clauses, outer_plan);
    auto part = [&](int index) { return static_cast<List *>(list_nth(path->fdw_private, index)); };
    return make_foreignscan(tlist, part(aggregate_having), 0, part(aggregate_values), part(aggregate_private),
                            part(aggregate_tlist), NIL, outer_plan);
}

} // namespace fas::pg
