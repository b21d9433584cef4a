// Each execution: a condition plan and its values -> fas::Condition. Here SQL's NULLs are resolved: NOT stands in the
// leaves already, so that a leaf which compares with NULL is simply never true.
//
// Two steps, because PostgreSQL must evaluate and C++ must build: `Ready` is the condition in plain memory.
#include "postgres.hh"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
}

#include "fdw_wrapper.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

struct Name {
    const char *bytes;
    size_t length;
};

struct Ready {
    Condition::Kind kind;
    Ready **children;
    int count; // children
    Dimension dimension;
    Comparison comparison;
    int value_count;
    int64_t *hours; // of hour
    Name *names;    // of a text dimension
};

Ready *ready(Condition::Kind kind) {
    auto *out = static_cast<Ready *>(palloc0(sizeof(Ready)));
    out->kind = kind;
    return out;
}

Ready *ready_truth(bool truth) { return ready(truth ? Condition::Kind::all : Condition::Kind::none); }

int64_t hour_of(Datum value, Oid type) {
    switch (type) {
    case INT2OID:
        return DatumGetInt16(value);
    case INT4OID:
        return DatumGetInt32(value);
    default:
        return DatumGetInt64(value);
    }
}

Name name_of(Datum value) {
    text *t = DatumGetTextPP(value);
    return {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
}

Comparison comparison_of(LeafOp op) {
    switch (op) {
    case LeafOp::not_equal:
    case LeafOp::none_of:
        return Comparison::not_in;
    case LeafOp::less:
        return Comparison::less;
    case LeafOp::less_equal:
        return Comparison::less_equal;
    case LeafOp::greater:
        return Comparison::greater;
    case LeafOp::greater_equal:
        return Comparison::greater_equal;
    case LeafOp::starts_with:
    case LeafOp::like:
        return Comparison::prefix;
    case LeafOp::not_starts_with:
    case LeafOp::not_like:
        return Comparison::not_prefix;
    default:
        return Comparison::in;
    }
}

Ready *ready_leaf(Dimension dimension, LeafOp op, int values) {
    Ready *out = ready(Condition::Kind::leaf);
    out->dimension = dimension;
    out->comparison = comparison_of(op);
    out->value_count = values;
    if (dimension == Dimension::hour)
        out->hours = static_cast<int64_t *>(palloc(sizeof(int64_t) * (values + 1)));
    else
        out->names = static_cast<Name *>(palloc(sizeof(Name) * (values + 1)));
    return out;
}

// Elements that are NULL: `= ANY` can't be true for them, `<> ALL` can't be true at all.
Ready *ready_array(Dimension dimension, LeafOp op, Datum value) {
    ArrayType *array = DatumGetArrayTypeP(value);
    Oid type = ARR_ELEMTYPE(array);
    int16 length;
    bool by_value, *nulls;
    char align;
    Datum *elements;
    int count;
    get_typlenbyvalalign(type, &length, &by_value, &align);
    deconstruct_array(array, type, length, by_value, align, &elements, &nulls, &count);

    Ready *out = ready_leaf(dimension, op, count);
    out->value_count = 0;
    for (int i = 0; i < count; ++i) {
        if (nulls[i] && op == LeafOp::none_of)
            return ready_truth(false);
        if (nulls[i])
            continue;
        if (dimension == Dimension::hour)
            out->hours[out->value_count++] = hour_of(elements[i], type);
        else
            out->names[out->value_count++] = name_of(elements[i]);
    }
    return out;
}

// A pattern that is no prefix asks for its literal beginning only (planning saw to it that PostgreSQL looks again).
Ready *ready_like(Dimension dimension, LeafOp op, Datum value) {
    Name pattern = name_of(value);
    LikePattern like = parse_like(pattern.bytes, pattern.length);
    Ready *out = ready_leaf(dimension, op, 1);
    out->names[0] = {like.literal, like.length};
    if (like.kind == LikePattern::Kind::exact)
        out->comparison = op == LeafOp::like ? Comparison::in : Comparison::not_in;
    return out;
}

Ready *evaluate_leaf(List *leaf, const ScanValues &values) {
    auto op = static_cast<LeafOp>(linitial_int(leaf));
    if (op == LeafOp::always || op == LeafOp::never)
        return ready_truth(op == LeafOp::always);

    int index = lthird_int(leaf);
    bool is_null;
    Datum value = ExecEvalExpr(values.exprs[index], values.econtext, &is_null);
    if (is_null)
        return ready_truth(false);
    if (op == LeafOp::if_true || op == LeafOp::if_false)
        return ready_truth(DatumGetBool(value) == (op == LeafOp::if_true));

    auto dimension = static_cast<Dimension>(lsecond_int(leaf));
    if (op == LeafOp::any_of || op == LeafOp::none_of)
        return ready_array(dimension, op, value);
    if (op == LeafOp::like || op == LeafOp::not_like)
        return ready_like(dimension, op, value);
    Ready *out = ready_leaf(dimension, op, 1);
    if (dimension == Dimension::hour)
        out->hours[0] = hour_of(value, values.types[index]);
    else
        out->names[0] = name_of(value);
    return out;
}

Ready *evaluate(List *tree, const ScanValues &values) {
    check_stack_depth();
    if (tree == NIL)
        return ready_truth(true);
    if (IsA(tree, IntList))
        return evaluate_leaf(tree, values);

    bool conjunction = static_cast<BranchKind>(intVal(linitial(tree))) == BranchKind::conjunction;
    auto neutral = conjunction ? Condition::Kind::all : Condition::Kind::none;
    auto decisive = conjunction ? Condition::Kind::none : Condition::Kind::all;
    Ready *out = ready(conjunction ? Condition::Kind::conjunction : Condition::Kind::disjunction);
    out->children = static_cast<Ready **>(palloc(sizeof(Ready *) * list_length(tree)));
    for (int i = 1; i < list_length(tree); ++i) {
        Ready *child = evaluate(static_cast<List *>(list_nth(tree, i)), values);
        if (child->kind == decisive)
            return child;
        if (child->kind != neutral)
            out->children[out->count++] = child;
    }
    if (out->count == 0)
        return ready(neutral);
    return out->count == 1 ? out->children[0] : out;
}

Condition build(const Ready &from) {
    Condition out;
    out.kind = from.kind;
    for (int i = 0; i < from.count; ++i)
        out.children.push_back(build(*from.children[i]));
    if (from.kind != Condition::Kind::leaf)
        return out;
    if (from.dimension == Dimension::hour)
        return Condition::hour_leaf(from.comparison, {from.hours, from.hours + from.value_count});
    std::vector<std::string> names;
    names.reserve(from.value_count);
    for (int i = 0; i < from.value_count; ++i)
        names.emplace_back(from.names[i].bytes, from.names[i].length);
    return Condition::name_leaf(from.dimension, from.comparison, std::move(names));
}

// ---------------------------------------------------------------- EXPLAIN

const char *sign_of(LeafOp op) {
    switch (op) {
    case LeafOp::not_equal:
        return "<>";
    case LeafOp::less:
        return "<";
    case LeafOp::less_equal:
        return "<=";
    case LeafOp::greater:
        return ">";
    case LeafOp::greater_equal:
        return ">=";
    case LeafOp::any_of:
        return "= ANY";
    case LeafOp::none_of:
        return "<> ALL";
    case LeafOp::like:
        return "LIKE";
    case LeafOp::not_like:
        return "NOT LIKE";
    default:
        return "=";
    }
}

void leaf_text(StringInfo out, List *leaf, List *values, List *context) {
    auto op = static_cast<LeafOp>(linitial_int(leaf));
    if (op == LeafOp::always || op == LeafOp::never) {
        appendStringInfoString(out, op == LeafOp::always ? "true" : "false");
        return;
    }
    char *value = deparse_expression(static_cast<Node *>(list_nth(values, lthird_int(leaf))), context, false, false);
    if (op == LeafOp::if_true || op == LeafOp::if_false) {
        appendStringInfo(out, "%s%s", op == LeafOp::if_true ? "" : "NOT ", value);
        return;
    }
    const char *name = column_name(lsecond_int(leaf)).data();
    if (op == LeafOp::any_of || op == LeafOp::none_of)
        appendStringInfo(out, "%s %s (%s)", name, sign_of(op), value);
    else if (op == LeafOp::starts_with || op == LeafOp::not_starts_with)
        appendStringInfo(out, "%s%s ^@ %s%s", op == LeafOp::starts_with ? "" : "NOT (", name, value,
                         op == LeafOp::starts_with ? "" : ")");
    else
        appendStringInfo(out, "%s %s %s", name, sign_of(op), value);
}

void tree_text(StringInfo out, List *tree, List *values, List *context, bool nested) {
    if (IsA(tree, IntList)) {
        leaf_text(out, tree, values, context);
        return;
    }
    bool conjunction = static_cast<BranchKind>(intVal(linitial(tree))) == BranchKind::conjunction;
    bool brackets = nested && list_length(tree) > 2;
    if (brackets)
        appendStringInfoChar(out, '(');
    for (int i = 1; i < list_length(tree); ++i) {
        if (i > 1)
            appendStringInfoString(out, conjunction ? " AND " : " OR ");
        tree_text(out, static_cast<List *>(list_nth(tree, i)), values, context, nested || list_length(tree) > 2);
    }
    if (brackets)
        appendStringInfoChar(out, ')');
}

} // namespace

Condition *make_condition(List *tree, const ScanValues &values, MemoryContext context) {
    auto *condition = make_in_context<Condition>(context);
    MemoryContext old = MemoryContextSwitchTo(context);
    Ready *from = evaluate(tree, values);
    MemoryContextSwitchTo(old);
    guarded([&] { *condition = build(*from); });
    return condition;
}

char *condition_text(List *tree, List *values, List *deparse_context) {
    StringInfoData out;
    initStringInfo(&out);
    tree_text(&out, tree, values, deparse_context, false);
    return out.data;
}

} // namespace fas::pg
