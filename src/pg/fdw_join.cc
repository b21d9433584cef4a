// Planning of joins: paths of a scan that takes its values from the other side, one execution for each of its rows.
//
// Without them, `FROM hours h, flows_by_hour(h.hour)` would have to read every hour of the store and hash it. Which
// join clauses may go down is the planner's business (movable ones, and what equivalence classes imply); whether they
// do is asked of fdw_match.cc, as for any condition.
#include "postgres.hh"

extern "C" {
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
}

#include "fdw_wrapper.hh"

namespace fas::pg {

namespace {

// Which member of an equivalence class is asked for.
struct WantedDimension {
    const TableShape *shape;
    int dimension;
};

bool is_wanted(PlannerInfo *, RelOptInfo *rel, EquivalenceClass *, EquivalenceMember *member, void *context) {
    auto *wanted = static_cast<WantedDimension *>(context);
    return dimension_of_expr(rel, *wanted->shape, reinterpret_cast<Node *>(member->em_expr)) == wanted->dimension;
}

bool goes_down(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *clause) {
    auto *plan = static_cast<TablePlan *>(rel->fdw_private);
    return plan_condition(root, rel, plan->shape, list_make1(clause), false).tree != NIL;
}

// Adds what this clause needs of other relations to the list of such needs, if a scan can make use of it.
List *add_need(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *clause, List *needs) {
    if (!join_clause_is_movable_to(clause, rel) || !goes_down(root, rel, clause))
        return needs;
    Relids outer = bms_union(clause->clause_relids, rel->lateral_relids);
    outer = bms_del_member(outer, static_cast<int>(rel->relid));
    if (bms_is_empty(outer))
        return needs;
    return list_append_unique_ptr(needs, get_baserel_parampathinfo(root, rel, outer));
}

} // namespace

void add_join_paths(PlannerInfo *root, RelOptInfo *rel) {
    auto *plan = static_cast<TablePlan *>(rel->fdw_private);
    List *needs = NIL;
    ListCell *cell;
    foreach (cell, rel->joininfo)
        needs = add_need(root, rel, lfirst_node(RestrictInfo, cell), needs);
    for (int dimension = 0; dimension < first_metric && rel->has_eclass_joins; ++dimension) {
        WantedDimension wanted = {&plan->shape, dimension};
        List *implied = generate_implied_equalities_for_column(root, rel, is_wanted, &wanted, rel->lateral_referencers);
        foreach (cell, implied)
            needs = add_need(root, rel, lfirst_node(RestrictInfo, cell), needs);
    }
    foreach (cell, needs) {
        auto *need = static_cast<ParamPathInfo *>(lfirst(cell));
        List *conditions = list_concat_copy(rel->baserestrictinfo, need->ppi_clauses);
        add_scan_path(root, rel, conditions, need->ppi_rows, need->ppi_req_outer);
    }
}

} // namespace fas::pg
