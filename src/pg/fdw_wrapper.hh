// The foreign-data wrapper behind the relations `flows` and `flow_totals`: what its files share.
//
//   fdw_handler.cc     the handler: the table of callbacks
//   fdw_shape.cc       which columns a foreign table has, which store it reads, who may
//   fdw_match.cc       PostgreSQL expressions -> a condition plan (planning)
//   fdw_condition.cc   a condition plan -> fas::Condition (each execution)
//   fdw_plan.cc        sizes, paths and plans of a scan
//   fdw_join.cc        paths of a scan that takes values from the other side of a join
//   fdw_aggregate.cc   paths of a pushed-down GROUP BY
//   fdw_scan.cc        begin, rescan, end; the segments of a scan
//   fdw_rows.cc        a scan that gives rows
//   fdw_cells.cc       a scan that gives groups, from cells
//   fdw_groups.cc      where it has them from: fdw_groups.hh
//   fdw_modify.cc      INSERT and COPY FROM
//   fdw_analyze.cc     ANALYZE
//   fdw_explain.cc     EXPLAIN
//
// A *column* is a number: the dimensions first, then the metrics, in the order of flow.hh; totals have their count of
// flows after these.
#pragma once

#include "postgres.hh"

extern "C" {
#include "executor/tuptable.h"
#include "foreign/fdwapi.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"
}

#include "../core/filter.hh"
#include "../core/flow.hh"
#include "store.hh"

namespace fas::pg {

// ---------------------------------------------------------------- columns (fdw_shape.cc)

inline constexpr int column_count = static_cast<int>(dimension_count + metric_count);
inline constexpr int first_metric = static_cast<int>(dimension_count);
inline constexpr int flows_column = column_count; // only of totals

constexpr std::string_view column_name(int column) {
    if (column == flows_column)
        return "flows";
    return column < first_metric ? dimension_names[column] : metric_names[column - first_metric];
}

struct TableShape {
    bool totals;                         // a row is the sums of an hour and flow key, not a flow
    AttrNumber attnum[column_count + 1]; // 0: the column was dropped

    int column_of(AttrNumber wanted) const { // -1: none
        for (int c = 0; c <= column_count; ++c)
            if (attnum[c] == wanted && wanted > 0)
                return c;
        return -1;
    }
};

// Raises 42804 unless the live columns of `table` are among the six (of totals: seven), with their types and
// collations; for an insert all six must be there.
TableShape check_shape(Relation table, bool for_insert);

// The store that a foreign table reads: relation -> server -> wrapper -> the schema of the wrapper's handler.
Store store_of_table(Oid table);

// Whoever reads or writes through another foreign table needs the right on `flows` itself. For `flows` the executor
// has checked it (by column, too).
void require_select_through(const Store &store, Oid table, Oid user);
void require_insert_through(const Store &store, Oid table, Oid user);

// ---------------------------------------------------------------- conditions (fdw_match.cc, fdw_condition.cc)

// A condition plan lives in fdw_private, so it is made of Lists. An inner node is a pointer list: an Integer (a
// BranchKind), then its children. A leaf is an integer list: LeafOp, dimension, index of its value in fdw_exprs.
// NOT has been pushed into the leaves; what is NULL is found when the values are.
enum class BranchKind : int { conjunction, disjunction };
enum class LeafOp : int {
    always,  // no dimension, no value: IS NOT NULL
    never,   // IS NULL
    if_true, // no dimension: a boolean value
    if_false,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    any_of,  // = ANY (array)
    none_of, // <> ALL (array)
    like,
    not_like,
    starts_with,
    not_starts_with
};

struct ConditionPlan {
    List *tree;   // NIL: everything
    List *values; // Expr *: free of this table's columns, not volatile; become fdw_exprs
    List *pushed; // clauses (Expr *) that need no second look
    List *local;  // clauses that PostgreSQL must evaluate, as no more than a superset of their rows went down
};

// `clauses` are RestrictInfos of `rel`; pseudoconstant ones are left out unless asked for.
ConditionPlan plan_condition(PlannerInfo *root, RelOptInfo *rel, const TableShape &shape, List *clauses,
                             bool with_pseudoconstant);

// An expression that has one value throughout an execution of a scan of `rel`.
bool is_scan_value(PlannerInfo *root, RelOptInfo *rel, Node *expr);
// The dimension that `expr` is (a Var of `rel`, relabelled or not), or -1.
int dimension_of_expr(const RelOptInfo *rel, const TableShape &shape, Node *expr);

// A LIKE pattern, taken apart.
struct LikePattern {
    enum class Kind { exact, prefix, other } kind; // other: `literal` is only what every match begins with
    const char *literal;                           // unescaped; palloc'd
    size_t length;
};
LikePattern parse_like(const char *pattern, size_t length);

// The values of one execution: fdw_exprs, ready to be evaluated.
struct ScanValues {
    int count;
    ExprState **exprs;
    Oid *types;
    ExprContext *econtext;
};

// Evaluates the values that matter (AND and OR stop early, as in PostgreSQL) and makes the condition, owned by
// `context`.
Condition *make_condition(List *tree, const ScanValues &values, MemoryContext context);

// For EXPLAIN; the values are deparsed in `deparse_context`.
char *condition_text(List *tree, List *values, List *deparse_context);

// ---------------------------------------------------------------- plans (fdw_plan.cc, fdw_aggregate.cc)

// fdw_private of a ForeignScan: Integer ScanKind, the condition tree, then for rows: Integer, the columns to decode as
// bits; for cells and totals: one integer list for each column of the scan's tuples: OutputKind, column, index of the
// flag in fdw_exprs (or -1). Cells are grouped by the dimensions that come out, totals always by all of them.
enum class ScanKind : int { rows, cells, totals };
enum class OutputKind : int { dimension, flagged_dimension, sum, average, count, minimum, maximum, nothing };
enum PrivateIndex { private_kind = 0, private_condition = 1, private_columns = 2, private_outputs = 2 };

// RelOptInfo.fdw_private of a base relation.
struct TablePlan {
    TableShape shape;
    Store store;
    Bitmapset *attnos; // attributes that the query above needs, offset by FirstLowInvalidHeapAttributeNumber
};

// What a path of a pushed-down aggregate carries (ForeignPath.fdw_private is a list of these, in this order).
enum AggregatePathIndex { aggregate_private = 0, aggregate_values = 1, aggregate_tlist = 2, aggregate_having = 3 };

// The guess at how many flows an hour has of a flow key; only the planner's estimates hang on it.
inline constexpr double flows_per_total = 8.0;

// The paths of a scan of `rel` that takes values of other relations in a join.
void add_join_paths(PlannerInfo *root, RelOptInfo *rel);
// A path for what `rel->tuples` and these conditions (RestrictInfos) leave; `outer` is what its values come from.
void add_scan_path(PlannerInfo *root, RelOptInfo *rel, List *conditions, double rows, Relids outer);

void get_rel_size(PlannerInfo *root, RelOptInfo *baserel, Oid table);
void get_paths(PlannerInfo *root, RelOptInfo *baserel, Oid table);
ForeignScan *get_plan(PlannerInfo *root, RelOptInfo *rel, Oid table, ForeignPath *path, List *tlist, List *scan_clauses,
                      Plan *outer_plan);
void get_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel, RelOptInfo *output_rel,
                     void *extra);

// ---------------------------------------------------------------- scans (fdw_scan.cc, fdw_rows.cc, fdw_cells.cc)

struct ScanCounters {
    uint64_t segments_read, segments_total, cells, rows, bytes;
};

struct RowScan;
struct CellScan;

// Owned by the executor's query context; all that is C++ hangs on `run_context` or `segment_context`.
struct FlowScan {
    ScanKind kind;
    Store store;
    TableShape shape;
    List *condition_tree;
    ScanValues values;

    bool listed;                   // the parts below are there
    MemoryContext run_context;     // one execution: condition, segment list, groups
    MemoryContext segment_context; // one segment: source, reader, decoded blocks
    Condition *condition;
    HourRange hours; // that can meet the condition
    SegmentList segments;
    uint64_t next_segment;

    RowScan *rows;   // of ScanKind::rows
    CellScan *cells; // of ScanKind::cells and totals
    ScanCounters counters;
};

void begin_scan(ForeignScanState *node, int eflags);
TupleTableSlot *iterate_scan(ForeignScanState *node);
void rescan(ForeignScanState *node);
void end_scan(ForeignScanState *node);

RowScan *make_row_scan(ForeignScanState *node, const TableShape &shape, uint32_t columns);
void reset_row_scan(RowScan *rows);
bool next_row(FlowScan *scan, TupleTableSlot *slot);

CellScan *make_cell_scan(List *outputs, bool totals);
void reset_cell_scan(CellScan *cells); // forget the groups
void rewind_cell_scan(FlowScan *scan); // give the same ones again
bool next_group(FlowScan *scan, TupleTableSlot *slot);

// ---------------------------------------------------------------- the rest

List *plan_modify(PlannerInfo *root, ModifyTable *plan, Index result_relation, int subplan_index);
void begin_modify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private, int subplan_index, int eflags);
void begin_insert(ModifyTableState *mtstate, ResultRelInfo *rinfo);
TupleTableSlot *exec_insert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *plan_slot);
void end_insert(EState *estate, ResultRelInfo *rinfo);
int is_updatable(Relation rel);

void explain_scan(ForeignScanState *node, struct ExplainState *es);
bool analyze_table(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *pages);

} // namespace fas::pg
