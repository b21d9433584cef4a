// Planning: GROUP BY, aggregates and DISTINCT that cells can answer (GetForeignUpperPaths).
//
// A group expression is a dimension, or flow_group(dimension, flag) whose flag has one value in each execution. An
// aggregate is one that sums and counts of cells give exactly as PostgreSQL would from the rows. HAVING and whatever
// stands on top of these PostgreSQL evaluates on our output. If a condition could not go down, nothing here does.
#include "postgres.hh"

extern "C" {
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/tlist.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/selfuncs.h"
}

#include "fdw_wrapper.hh"

namespace fas::pg {

namespace {

// Aggregating cells costs a small part of what reading the rows does, so it always wins (and is too cheap for JIT).
constexpr double cells_cost_factor = 0.01;

struct Grouping {
    PlannerInfo *root;
    RelOptInfo *rel; // the foreign table
    TablePlan *table;
    List *values;  // grows: flags follow the condition's values
    List *tlist;   // fdw_scan_tlist
    List *outputs; // what each entry of tlist is
};

void add_output(Grouping &g, Expr *expr, Index group_reference, OutputKind kind, int column, int flag) {
    TargetEntry *entry = makeTargetEntry(expr, static_cast<AttrNumber>(list_length(g.tlist) + 1), nullptr, false);
    entry->ressortgroupref = group_reference;
    g.tlist = lappend(g.tlist, entry);
    g.outputs = lappend(g.outputs, list_make3_int(static_cast<int>(kind), column, flag));
}

int column_of_var(const Grouping &g, Node *expr) {
    if (!IsA(expr, Var))
        return -1;
    auto *var = castNode(Var, expr);
    if (var->varno != static_cast<int>(g.rel->relid) || var->varlevelsup != 0)
        return -1;
    return g.table->shape.column_of(var->varattno);
}

bool is_flow_group(const Grouping &g, FuncExpr *call) {
    if (list_length(call->args) != 2 || get_func_namespace(call->funcid) != g.table->store.schema)
        return false;
    Oid type = exprType(static_cast<Node *>(linitial(call->args)));
    if ((type != INT4OID && type != TEXTOID) || exprType(static_cast<Node *>(lsecond(call->args))) != BOOLOID)
        return false;
    char *name = get_func_name(call->funcid);
    return name != nullptr && strcmp(name, "flow_group") == 0;
}

bool add_group(Grouping &g, Expr *expr, SortGroupClause *clause) {
    if (clause->eqop != Int4EqualOperator && clause->eqop != TextEqualOperator)
        return false;
    auto *node = reinterpret_cast<Node *>(expr);
    int column = column_of_var(g, node);
    if (column >= 0 && column < first_metric) {
        add_output(g, expr, clause->tleSortGroupRef, OutputKind::dimension, column, -1);
        return true;
    }
    if (!IsA(node, FuncExpr) || !is_flow_group(g, castNode(FuncExpr, node)))
        return false;
    List *args = castNode(FuncExpr, node)->args;
    column = column_of_var(g, static_cast<Node *>(linitial(args)));
    auto *flag = static_cast<Node *>(lsecond(args));
    if (column < 0 || column >= first_metric || !is_scan_value(g.root, g.rel, flag))
        return false;
    g.values = lappend(g.values, flag);
    add_output(g, expr, clause->tleSortGroupRef, OutputKind::flagged_dimension, column, list_length(g.values) - 1);
    return true;
}

bool is_group_or_known(const Grouping &g, Node *node) {
    ListCell *cell;
    foreach (cell, g.tlist)
        if (equal(lfirst_node(TargetEntry, cell)->expr, node))
            return true;
    return false;
}

// What an aggregate over a column asks for; false when cells can't tell. The counts and averages of totals are over
// totals, which cells of several segments make up.
bool output_of_aggregate(Oid function, int column, Oid collation, bool totals, OutputKind *kind) {
    switch (function) {
    case F_COUNT_ANY:
        *kind = OutputKind::count;
        return !totals; // no column of a flow is NULL
    case F_SUM_INT8:
    case F_SUM_NUMERIC:
        *kind = OutputKind::sum;
        return column >= first_metric && column < flows_column;
    case F_AVG_INT8:
        *kind = OutputKind::average;
        return column >= first_metric && !totals;
    case F_MIN_INT4:
        *kind = OutputKind::minimum;
        return column == static_cast<int>(Dimension::hour);
    case F_MAX_INT4:
        *kind = OutputKind::maximum;
        return column == static_cast<int>(Dimension::hour);
    case F_MIN_TEXT:
        *kind = OutputKind::minimum;
        break;
    case F_MAX_TEXT:
        *kind = OutputKind::maximum;
        break;
    default:
        return false;
    }
    return column >= 0 && column < first_metric && OidIsValid(collation) && lc_collate_is_c(collation);
}

bool add_aggregate(Grouping &g, Aggref *aggregate) {
    if (aggregate->aggdistinct != NIL || aggregate->aggorder != NIL || aggregate->aggfilter != nullptr ||
        aggregate->aggvariadic || aggregate->aggdirectargs != NIL || aggregate->agglevelsup != 0 ||
        aggregate->aggsplit != AGGSPLIT_SIMPLE)
        return false;
    auto *expr = reinterpret_cast<Expr *>(aggregate);
    if (aggregate->aggfnoid == F_COUNT_ && !g.table->shape.totals) {
        add_output(g, expr, 0, OutputKind::count, -1, -1);
        return true;
    }
    if (list_length(aggregate->args) != 1)
        return false;
    int column = column_of_var(g, reinterpret_cast<Node *>(linitial_node(TargetEntry, aggregate->args)->expr));
    OutputKind kind;
    if (column < 0 ||
        !output_of_aggregate(aggregate->aggfnoid, column, aggregate->inputcollid, g.table->shape.totals, &kind))
        return false;
    add_output(g, expr, 0, kind, column, -1);
    return true;
}

// Walks an expression of the target list or of HAVING; true (as walkers say it) when something in it is beyond us.
bool find_obstacle(Node *node, void *context) {
    auto &g = *static_cast<Grouping *>(context);
    if (node == nullptr || is_group_or_known(g, node))
        return false;
    if (IsA(node, Aggref))
        return !add_aggregate(g, castNode(Aggref, node));
    if (IsA(node, Var) || IsA(node, PlaceHolderVar) || IsA(node, GroupingFunc))
        return true;
#if PG_VERSION_NUM >= 160000
    return expression_tree_walker(node, find_obstacle, context);
#else
    return expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void *>(find_obstacle)), context);
#endif
}

bool collect_groups(Grouping &g, List *clauses) {
    ListCell *cell;
    foreach (cell, clauses) {
        auto *clause = lfirst_node(SortGroupClause, cell);
        TargetEntry *entry = get_sortgroupclause_tle(clause, g.root->processed_tlist);
        if (!add_group(g, entry->expr, clause))
            return false;
    }
    return true;
}

double estimate_groups(Grouping &g) {
    List *exprs = NIL;
    ListCell *cell;
    foreach (cell, g.tlist) {
        auto *entry = lfirst_node(TargetEntry, cell);
        if (entry->ressortgroupref != 0)
            exprs = lappend(exprs, entry->expr);
    }
    return exprs == NIL ? 1.0 : estimate_num_groups(g.root, exprs, g.rel->rows, nullptr, nullptr);
}

void add_cells_path(Grouping &g, RelOptInfo *output_rel, PathTarget *target, List *condition, List *having) {
    double groups = estimate_groups(g);
    double rows = groups;
    if (having != NIL)
        rows = clamp_row_est(groups * clauselist_selectivity(g.root, having, 0, JOIN_INNER, nullptr));
    Cost startup = g.rel->cheapest_total_path->total_cost * cells_cost_factor;
    Cost total = startup + groups * cpu_tuple_cost * 0.5 + target->cost.startup + rows * target->cost.per_tuple;

    List *fdw_private = list_make3(makeInteger(static_cast<int>(ScanKind::cells)), condition, g.outputs);
    List *parts = list_make4(fdw_private, g.values, g.tlist, having);
    add_path(output_rel, reinterpret_cast<Path *>(create_foreign_upper_path(g.root, output_rel, target, rows, startup,
                                                                            total, NIL, nullptr,
#if PG_VERSION_NUM >= 170000
                                                                            NIL,
#endif
                                                                            parts)));
}

// What is asked for; no target: nothing that we could give.
struct Stage {
    List *clauses; // SortGroupClauses
    PathTarget *target;
    List *having;
};

Stage grouping_stage(PlannerInfo *root, RelOptInfo *output_rel, GroupPathExtraData *extra) {
    if (root->parse->groupingSets != NIL || extra->patype != PARTITIONWISE_AGGREGATE_NONE)
        return {};
    return {root->parse->groupClause, output_rel->reltarget, reinterpret_cast<List *>(extra->havingQual)};
}

// SELECT DISTINCT straight from the table is a GROUP BY without aggregates.
Stage distinct_stage(PlannerInfo *root) {
    const Query *parse = root->parse;
    if (parse->hasDistinctOn || parse->distinctClause == NIL || parse->hasAggs || parse->groupClause != NIL ||
        parse->hasWindowFuncs || parse->hasTargetSRFs)
        return {};
    return {parse->distinctClause, root->upper_targets[UPPERREL_DISTINCT], NIL};
}

} // namespace

void get_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel, RelOptInfo *output_rel,
                     void *extra) {
    auto *table = static_cast<TablePlan *>(input_rel->fdw_private);
    if (input_rel->reloptkind != RELOPT_BASEREL || table == nullptr)
        return;
    Stage what = stage == UPPERREL_GROUP_AGG
                     ? grouping_stage(root, output_rel, static_cast<GroupPathExtraData *>(extra))
                 : stage == UPPERREL_DISTINCT ? distinct_stage(root)
                                              : Stage{};
    if (what.target == nullptr)
        return;
    ConditionPlan condition = plan_condition(root, input_rel, table->shape, input_rel->baserestrictinfo, true);
    if (condition.local != NIL)
        return;
    Grouping g = {root, input_rel, table, condition.values, NIL, NIL};
    if (!collect_groups(g, what.clauses) || find_obstacle(reinterpret_cast<Node *>(what.target->exprs), &g) ||
        find_obstacle(reinterpret_cast<Node *>(what.having), &g))
        return;
    add_cells_path(g, output_rel, what.target, condition.tree, what.having);
}

} // namespace fas::pg
