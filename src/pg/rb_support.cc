// What the planner may know of the functions behind the bitmaps' operators: rb_contains(b, 5) uses an index as b @> 5
// does, and is estimated alike; rb_iterate of a constant gives as many rows as the constant has members.
#include "bitmap_width.hh"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "utils/lsyscache.h"
}

#include "../core/bitmap/view.hh"
#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

constexpr StrategyNumber last_strategy = 5; // of the GIN operator classes, see 16-roaringbitmap-opclasses.sql

// An operator with a bitmap on its left, and whether the function has its arguments the other way round.
struct BoundOperator {
    Oid id = InvalidOid;
    bool is_swapped = false;
};

// The operator of this family that is the same as calling the function.
BoundOperator operator_of(Oid function, Oid family, List *arguments) {
    if (list_length(arguments) != 2)
        return {};
    Oid first = exprType(static_cast<Node *>(linitial(arguments)));
    Oid second = exprType(static_cast<Node *>(lsecond(arguments)));
    for (StrategyNumber strategy = 1; strategy <= last_strategy; ++strategy) {
        Oid straight = get_opfamily_member(family, first, second, strategy);
        if (OidIsValid(straight) && get_opcode(straight) == function)
            return {straight, false};
        Oid turned = get_opfamily_member(family, second, first, strategy);
        Oid commutator = OidIsValid(turned) ? get_commutator(turned) : InvalidOid;
        if (OidIsValid(commutator) && get_opcode(commutator) == function)
            return {turned, true};
    }
    return {};
}

// The family of the GIN operator class of whichever argument is a bitmap.
Oid family_of(List *arguments) {
    ListCell *cell;
    foreach (cell, arguments) {
        Oid opclass = GetDefaultOpClass(exprType(static_cast<Node *>(lfirst(cell))), GIN_AM_OID);
        if (OidIsValid(opclass))
            return get_opclass_family(opclass);
    }
    return InvalidOid;
}

List *swapped(List *arguments) { return list_make2(lsecond(arguments), linitial(arguments)); }

Node *index_condition(SupportRequestIndexCondition *request) {
    if (!is_funcclause(request->node))
        return nullptr;
    auto *call = reinterpret_cast<FuncExpr *>(request->node);
    BoundOperator found = operator_of(request->funcid, request->opfamily, call->args);
    if (!OidIsValid(found.id))
        return nullptr;
    // The operator's left side must be what is indexed; where both are bitmaps, another one may do it the other way.
    Oid id = found.id;
    if (request->indexarg != (found.is_swapped ? 1 : 0)) {
        id = get_commutator(found.id);
        if (!OidIsValid(id) || !op_in_opfamily(id, request->opfamily))
            return nullptr;
        found.is_swapped = !found.is_swapped;
    }
    auto *left = static_cast<Expr *>(found.is_swapped ? lsecond(call->args) : linitial(call->args));
    auto *right = static_cast<Expr *>(found.is_swapped ? linitial(call->args) : lsecond(call->args));
    if (!is_pseudo_constant_for_index(request->root, reinterpret_cast<Node *>(right), request->index))
        return nullptr;
    request->lossy = false;
    return reinterpret_cast<Node *>(list_make1(make_opclause(id, BOOLOID, false, left, right, InvalidOid, InvalidOid)));
}

Node *selectivity(SupportRequestSelectivity *request) {
    Oid family = family_of(request->args);
    BoundOperator found = OidIsValid(family) ? operator_of(request->funcid, family, request->args) : BoundOperator{};
    if (!OidIsValid(found.id))
        return nullptr;
    List *arguments = found.is_swapped ? swapped(request->args) : request->args;
    request->selectivity = request->is_join ? join_selectivity(request->root, found.id, arguments, request->inputcollid,
                                                               request->jointype, request->sjinfo)
                                            : restriction_selectivity(request->root, found.id, arguments,
                                                                      request->inputcollid, request->varRelid);
    return reinterpret_cast<Node *>(request);
}

Node *rows(SupportRequestRows *request) {
    if (!is_funcclause(request->node))
        return nullptr;
    Node *argument = estimate_expression_value(
        request->root, static_cast<Node *>(linitial(reinterpret_cast<FuncExpr *>(request->node)->args)));
    if (!IsA(argument, Const))
        return nullptr;
    auto *constant = reinterpret_cast<Const *>(argument);
    if (constant->constisnull) {
        request->rows = 0;
        return reinterpret_cast<Node *>(request);
    }
    // Both widths have this function; their elements are what it returns.
    const bool is_wide = get_func_rettype(request->funcid) == INT8OID;
    struct varlena *plain = PG_DETOAST_DATUM_PACKED(constant->constvalue);
    uint64_t members = 0;
    guarded([&] {
        MemorySource source(payload_of(plain));
        members = BitmapView(source, is_wide ? BitmapWidth::bits64 : BitmapWidth::bits32).cardinality();
    });
    request->rows = static_cast<double>(members);
    return reinterpret_cast<Node *>(request);
}

} // namespace

FAS_FUNCTION(fas_rb_support) {
    auto *request = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
    if (IsA(request, SupportRequestIndexCondition))
        PG_RETURN_POINTER(index_condition(reinterpret_cast<SupportRequestIndexCondition *>(request)));
    if (IsA(request, SupportRequestSelectivity))
        PG_RETURN_POINTER(selectivity(reinterpret_cast<SupportRequestSelectivity *>(request)));
    if (IsA(request, SupportRequestRows))
        PG_RETURN_POINTER(rows(reinterpret_cast<SupportRequestRows *>(request)));
    PG_RETURN_POINTER(nullptr);
}

} // namespace fas::pg
