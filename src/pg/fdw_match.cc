// Planning: PostgreSQL expressions -> a condition plan (see fdw_wrapper.hh).
//
// What is understood goes down; of what is not, as much as is certain goes down and PostgreSQL evaluates the whole
// again (a superset of rows is always right below AND and OR, once NOT has been pushed into the leaves). A text
// comparison goes down only where bytes decide: its collation is C, or it asks for equality under a deterministic one.
#include "postgres.hh"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
}

#include "fdw_wrapper.hh"

namespace fas::pg {

namespace {

struct Matcher {
    PlannerInfo *root;
    RelOptInfo *rel;
    const TableShape *shape;
    List *values;
    bool exact; // false: what was made for the current clause is only a superset
};

Node *match(Matcher &m, Node *expr, bool negated);

bool is_integer_type(Oid type) { return type == INT2OID || type == INT4OID || type == INT8OID; }

// What NOT makes of each operation.
constexpr LeafOp opposites[][2] = {
    {LeafOp::always, LeafOp::never},       {LeafOp::if_true, LeafOp::if_false},
    {LeafOp::equal, LeafOp::not_equal},    {LeafOp::less, LeafOp::greater_equal},
    {LeafOp::less_equal, LeafOp::greater}, {LeafOp::any_of, LeafOp::none_of},
    {LeafOp::like, LeafOp::not_like},      {LeafOp::starts_with, LeafOp::not_starts_with}};

LeafOp opposite(LeafOp op) {
    for (const LeafOp(&pair)[2] : opposites)
        for (int i = 0; i < 2; ++i)
            if (pair[i] == op)
                return pair[1 - i];
    pg_unreachable();
}

// a < b is b > a.
LeafOp commuted(LeafOp op) {
    switch (op) {
    case LeafOp::less:
        return LeafOp::greater;
    case LeafOp::less_equal:
        return LeafOp::greater_equal;
    case LeafOp::greater:
        return LeafOp::less;
    case LeafOp::greater_equal:
        return LeafOp::less_equal;
    default:
        return op;
    }
}

Node *leaf(LeafOp op, int dimension, int value) {
    return reinterpret_cast<Node *>(list_make3_int(static_cast<int>(op), dimension, value));
}

Node *leaf_with_value(Matcher &m, LeafOp op, int dimension, Node *value) {
    m.values = lappend(m.values, value);
    return leaf(op, dimension, list_length(m.values) - 1);
}

// Which comparison `op` is within a btree family, `<>` included.
bool btree_comparison(Oid op, Oid family, LeafOp *out) {
    switch (get_op_opfamily_strategy(op, family)) {
    case BTLessStrategyNumber:
        *out = LeafOp::less;
        return true;
    case BTLessEqualStrategyNumber:
        *out = LeafOp::less_equal;
        return true;
    case BTEqualStrategyNumber:
        *out = LeafOp::equal;
        return true;
    case BTGreaterEqualStrategyNumber:
        *out = LeafOp::greater_equal;
        return true;
    case BTGreaterStrategyNumber:
        *out = LeafOp::greater;
        return true;
    default:
        break;
    }
    Oid negator = get_negator(op);
    if (!OidIsValid(negator) || get_op_opfamily_strategy(negator, family) != BTEqualStrategyNumber)
        return false;
    *out = LeafOp::not_equal;
    return true;
}

// Does comparing bytes give what `op` gives under this collation?
bool collation_allows(LeafOp op, Oid collation) {
    if (!OidIsValid(collation))
        return false;
    switch (op) {
    case LeafOp::less:
    case LeafOp::less_equal:
    case LeafOp::greater:
    case LeafOp::greater_equal:
        return lc_collate_is_c(collation);
    default:
        return get_collation_isdeterministic(collation);
    }
}

// What operator `op` asks of a dimension; false when it is none that is understood.
bool comparison_of_operator(int dimension, Oid op, Oid collation, LeafOp *out) {
    if (dimension == static_cast<int>(Dimension::hour)) {
        Oid left, right;
        op_input_types(op, &left, &right);
        return is_integer_type(left) && is_integer_type(right) && btree_comparison(op, INTEGER_BTREE_FAM_OID, out);
    }
    Oid left, right;
    op_input_types(op, &left, &right);
    if (left != TEXTOID || right != TEXTOID)
        return false;
    switch (get_opcode(op)) {
    case F_TEXTLIKE:
        *out = LeafOp::like;
        break;
    case F_TEXTNLIKE:
        *out = LeafOp::not_like;
        break;
    case F_STARTS_WITH:
        *out = LeafOp::starts_with;
        break;
    default:
        if (!btree_comparison(op, TEXT_BTREE_FAM_OID, out))
            return false;
    }
    return collation_allows(*out, collation);
}

// A constant pattern that is no more than a prefix, or no pattern at all, goes down; of any other only the literal
// beginning does, and PostgreSQL looks again. What is not known before execution counts as such.
Node *match_like(Matcher &m, LeafOp op, int dimension, Node *value) {
    bool pure = false;
    if (IsA(value, Const)) {
        auto *constant = castNode(Const, value);
        if (constant->constisnull)
            pure = true;
        else {
            text *pattern = DatumGetTextPP(constant->constvalue);
            LikePattern like = parse_like(VARDATA_ANY(pattern), VARSIZE_ANY_EXHDR(pattern));
            pure = like.kind != LikePattern::Kind::other;
            if (!pure && like.length == 0)
                return nullptr;
        }
    }
    if (!pure && op == LeafOp::not_like)
        return nullptr;
    if (!pure)
        m.exact = false;
    return leaf_with_value(m, op, dimension, value);
}

Node *match_operator(Matcher &m, OpExpr *expr, bool negated) {
    if (list_length(expr->args) != 2)
        return nullptr;
    auto *left = static_cast<Node *>(linitial(expr->args));
    auto *right = static_cast<Node *>(lsecond(expr->args));
    bool swapped = false;
    int dimension = dimension_of_expr(m.rel, *m.shape, left);
    if (dimension < 0) {
        dimension = dimension_of_expr(m.rel, *m.shape, right);
        swapped = true;
    }
    Node *value = swapped ? left : right;
    LeafOp op;
    if (dimension < 0 || !is_scan_value(m.root, m.rel, value) ||
        !comparison_of_operator(dimension, expr->opno, expr->inputcollid, &op))
        return nullptr;
    bool pattern = op == LeafOp::like || op == LeafOp::not_like || op == LeafOp::starts_with;
    if (pattern && swapped)
        return nullptr;
    if (swapped)
        op = commuted(op);
    if (negated)
        op = opposite(op);
    if (op == LeafOp::like || op == LeafOp::not_like)
        return match_like(m, op, dimension, value);
    return leaf_with_value(m, op, dimension, value);
}

Node *match_array(Matcher &m, ScalarArrayOpExpr *expr, bool negated) {
    auto *left = static_cast<Node *>(linitial(expr->args));
    auto *array = static_cast<Node *>(lsecond(expr->args));
    int dimension = dimension_of_expr(m.rel, *m.shape, left);
    LeafOp op;
    if (dimension < 0 || !is_scan_value(m.root, m.rel, array) ||
        !comparison_of_operator(dimension, expr->opno, expr->inputcollid, &op))
        return nullptr;
    Oid element = get_element_type(exprType(array));
    if (dimension == static_cast<int>(Dimension::hour) ? !is_integer_type(element) : element != TEXTOID)
        return nullptr;
    if (op == LeafOp::equal && expr->useOr)
        op = LeafOp::any_of;
    else if (op == LeafOp::not_equal && !expr->useOr)
        op = LeafOp::none_of;
    else
        return nullptr;
    return leaf_with_value(m, negated ? opposite(op) : op, dimension, array);
}

// AND and OR, after De Morgan. What is not understood in a conjunction is left to PostgreSQL; in a disjunction it
// spoils the whole.
Node *match_branch(Matcher &m, List *args, BranchKind kind, bool negated) {
    List *branch = list_make1(makeInteger(static_cast<int>(kind)));
    ListCell *cell;
    foreach (cell, args) {
        Node *child = match(m, static_cast<Node *>(lfirst(cell)), negated);
        if (child != nullptr)
            branch = lappend(branch, child);
        else if (kind == BranchKind::disjunction)
            return nullptr;
        else
            m.exact = false;
    }
    return list_length(branch) == 1 ? nullptr : reinterpret_cast<Node *>(branch);
}

Node *match_boolean(Matcher &m, BoolExpr *expr, bool negated) {
    if (expr->boolop == NOT_EXPR)
        return match(m, static_cast<Node *>(linitial(expr->args)), !negated);
    bool conjunction = (expr->boolop == AND_EXPR) != negated;
    return match_branch(m, expr->args, conjunction ? BranchKind::conjunction : BranchKind::disjunction, negated);
}

// No column of a flow is ever NULL.
Node *match_null_test(Matcher &m, NullTest *expr, bool negated) {
    if (!IsA(expr->arg, Var) || expr->argisrow)
        return nullptr;
    auto *var = castNode(Var, expr->arg);
    if (var->varno != static_cast<int>(m.rel->relid) || var->varlevelsup != 0 || m.shape->column_of(var->varattno) < 0)
        return nullptr;
    bool truth = (expr->nulltesttype == IS_NOT_NULL) != negated;
    return leaf(truth ? LeafOp::always : LeafOp::never, -1, -1);
}

Node *match(Matcher &m, Node *expr, bool negated) {
    check_stack_depth();
    if (is_scan_value(m.root, m.rel, expr))
        return leaf_with_value(m, negated ? LeafOp::if_false : LeafOp::if_true, -1, expr);
    switch (nodeTag(expr)) {
    case T_OpExpr:
        return match_operator(m, castNode(OpExpr, expr), negated);
    case T_ScalarArrayOpExpr:
        return match_array(m, castNode(ScalarArrayOpExpr, expr), negated);
    case T_BoolExpr:
        return match_boolean(m, castNode(BoolExpr, expr), negated);
    case T_NullTest:
        return match_null_test(m, castNode(NullTest, expr), negated);
    default:
        return nullptr;
    }
}

} // namespace

bool is_scan_value(PlannerInfo *root, RelOptInfo *rel, Node *expr) {
    return !bms_is_member(static_cast<int>(rel->relid), pull_varnos(root, expr)) && !contain_volatile_functions(expr) &&
           !contain_subplans(expr);
}

int dimension_of_expr(const RelOptInfo *rel, const TableShape &shape, Node *expr) {
    while (IsA(expr, RelabelType)) {
        auto *relabel = castNode(RelabelType, expr);
        if (relabel->resulttype != TEXTOID && relabel->resulttype != VARCHAROID)
            return -1;
        expr = reinterpret_cast<Node *>(relabel->arg);
    }
    if (IsA(expr, FuncExpr) && castNode(FuncExpr, expr)->funcid == F_INT8_INT4) // hour::bigint
        expr = static_cast<Node *>(linitial(castNode(FuncExpr, expr)->args));
    if (!IsA(expr, Var))
        return -1;
    auto *var = castNode(Var, expr);
    if (var->varno != static_cast<int>(rel->relid) || var->varlevelsup != 0)
        return -1;
    int column = shape.column_of(var->varattno);
    return column < first_metric ? column : -1;
}

ConditionPlan plan_condition(PlannerInfo *root, RelOptInfo *rel, const TableShape &shape, List *clauses,
                             bool with_pseudoconstant) {
    ConditionPlan plan = {};
    Matcher m = {root, rel, &shape, NIL, true};
    List *conjunction = NIL;
    ListCell *cell;

    foreach (cell, clauses) {
        auto *info = lfirst_node(RestrictInfo, cell);
        if (info->pseudoconstant && !with_pseudoconstant)
            continue;
        m.exact = true;
        int values_before = list_length(m.values);
        Node *tree = match(m, reinterpret_cast<Node *>(info->clause), false);
        if (tree == nullptr)
            m.values = list_truncate(m.values, values_before);
        else
            conjunction = lappend(conjunction, tree);
        if (tree != nullptr && m.exact)
            plan.pushed = lappend(plan.pushed, info->clause);
        else
            plan.local = lappend(plan.local, info->clause);
    }
    if (conjunction != NIL)
        plan.tree = lcons(makeInteger(static_cast<int>(BranchKind::conjunction)), conjunction);
    plan.values = m.values;
    return plan;
}

LikePattern parse_like(const char *pattern, size_t length) {
    auto *literal = static_cast<char *>(palloc(length + 1));
    size_t n = 0, i = 0;
    while (i < length && pattern[i] != '%' && pattern[i] != '_') {
        if (pattern[i] == '\\' && ++i == length)
            return {LikePattern::Kind::other, literal, n}; // PostgreSQL raises an error when a match comes so far
        literal[n++] = pattern[i++];
    }
    if (i == length)
        return {LikePattern::Kind::exact, literal, n};
    while (i < length && pattern[i] == '%')
        ++i;
    return {i == length ? LikePattern::Kind::prefix : LikePattern::Kind::other, literal, n};
}

} // namespace fas::pg
