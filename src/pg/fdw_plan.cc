// Planning of scans of a foreign table: how many rows, at what cost, and the plan. Conditions are matched in
// fdw_match.cc, aggregates in fdw_aggregate.cc.
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

} // namespace

void get_rel_size(PlannerInfo *root, RelOptInfo *baserel, Oid table) {
    auto *plan = static_cast<TablePlan *>(palloc0(sizeof(TablePlan)));
    baserel->fdw_private = plan;

    Relation relation = table_open(table, NoLock);
    plan->shape = check_shape(relation, false);
    table_close(relation, NoLock);
    plan->store = store_of_table(table);

    pull_varattnos(reinterpret_cast<Node *>(baserel->reltarget->exprs), baserel->relid, &plan->attnos);
    ConditionPlan condition = plan_condition(root, baserel, plan->shape, baserel->baserestrictinfo, false);
    plan->all_pushed = condition.local == NIL;

    baserel->tuples = estimate_flows(plan->store);
    set_baserel_size_estimates(root, baserel);
    plan->scanned =
        clamp_row_est(baserel->tuples * clauselist_selectivity(root, condition.pushed, 0, JOIN_INNER, nullptr));
}

void get_paths(PlannerInfo *root, RelOptInfo *baserel, Oid) {
    auto *plan = static_cast<TablePlan *>(baserel->fdw_private);
    Cost startup = scan_startup_cost + baserel->baserestrictcost.startup + baserel->reltarget->cost.startup;
    Cost total = startup + plan->scanned * (cpu_tuple_cost * row_cost_factor) +
                 (plan->all_pushed ? 0 : plan->scanned * baserel->baserestrictcost.per_tuple) +
                 baserel->rows * baserel->reltarget->cost.per_tuple;
    add_path(baserel, reinterpret_cast<Path *>(create_foreignscan_path(root, baserel, nullptr, baserel->rows, startup,
                                                                       total, NIL, baserel->lateral_relids, nullptr,
#if PG_VERSION_NUM >= 170000
                                                                       NIL,
#endif
                                                                       NIL)));
}

ForeignScan *get_plan(PlannerInfo *root, RelOptInfo *rel, Oid, ForeignPath *path, List *tlist, List *scan_clauses,
                      Plan *outer_plan) {
    if (!IS_UPPER_REL(rel))
        return plan_rows(root, rel, tlist, scan_clauses, outer_plan);
    auto part = [&](int index) { return static_cast<List *>(list_nth(path->fdw_private, index)); };
    return make_foreignscan(tlist, part(aggregate_having), 0, part(aggregate_values), part(aggregate_private),
                            part(aggregate_tlist), NIL, outer_plan);
}

} // namespace fas::pg
