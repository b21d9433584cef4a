// EXPLAIN of a scan: what went down, what is read, and with ANALYZE how much of the store that took.
#include "postgres.hh"

extern "C" {
#include "commands/explain.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

#include "fdw_wrapper.hh"

namespace fas::pg {

namespace {

void append_name(StringInfo out, int column) {
    appendStringInfo(out, "%s%s", out->len > 0 ? ", " : "", column_name(column).data());
}

void explain_condition(ForeignScanState *node, ForeignScan *plan, ExplainState *es) {
    auto *tree = static_cast<List *>(list_nth(plan->fdw_private, private_condition));
    if (tree == NIL)
        return;
    List *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, NIL);
    ExplainPropertyText("Condition", condition_text(tree, plan->fdw_exprs, context), es);
}

void explain_columns(ForeignScan *plan, ExplainState *es) {
    auto columns = static_cast<uint32_t>(intVal(list_nth(plan->fdw_private, private_columns)));
    StringInfoData names;
    initStringInfo(&names);
    for (int c = 0; c < column_count; ++c)
        if ((columns >> c) & 1)
            append_name(&names, c);
    ExplainPropertyText("Rows", columns != 0 ? names.data : "no column", es);
}

bool is_false(const Const *flag) { return flag->constisnull || !DatumGetBool(flag->constvalue); }

void explain_totals(ExplainState *es) {
    StringInfoData names;
    initStringInfo(&names);
    for (int c = 0; c < first_metric; ++c)
        append_name(&names, c);
    ExplainPropertyText("Aggregate", psprintf("cells by %s", names.data), es);
}

void explain_groups(ForeignScan *plan, ExplainState *es) {
    StringInfoData names;
    initStringInfo(&names);
    ListCell *cell;
    foreach (cell, static_cast<List *>(list_nth(plan->fdw_private, private_outputs))) {
        auto *output = static_cast<List *>(lfirst(cell));
        auto kind = static_cast<OutputKind>(linitial_int(output));
        if (kind != OutputKind::dimension && kind != OutputKind::flagged_dimension)
            continue;
        auto *flag = kind == OutputKind::flagged_dimension
                         ? static_cast<Node *>(list_nth(plan->fdw_exprs, lthird_int(output)))
                         : nullptr;
        if (flag != nullptr && IsA(flag, Const) && is_false(castNode(Const, flag)))
            continue;
        append_name(&names, lsecond_int(output));
        if (flag != nullptr && !IsA(flag, Const))
            appendStringInfoString(&names, " (where asked)");
    }
    ExplainPropertyText("Aggregate", names.len > 0 ? psprintf("cells by %s", names.data) : "cells", es);
}

} // namespace

void explain_scan(ForeignScanState *node, ExplainState *es) {
    auto *plan = castNode(ForeignScan, node->ss.ps.plan);
    explain_condition(node, plan, es);
    auto kind = static_cast<ScanKind>(intVal(list_nth(plan->fdw_private, private_kind)));
    if (kind == ScanKind::rows)
        explain_columns(plan, es);
    else if (kind == ScanKind::totals)
        explain_totals(es);
    else
        explain_groups(plan, es);

    auto *scan = static_cast<FlowScan *>(node->fdw_state);
    if (!es->analyze || scan == nullptr)
        return;
    const ScanCounters &counters = scan->counters;
    uint64_t total = ActiveSnapshotSet() ? count_segments(scan->store) : counters.segments_total;
    total = std::max(total, scan->segments.count);
    ExplainPropertyText("Segments", psprintf("read " UINT64_FORMAT " of " UINT64_FORMAT, counters.segments_read, total),
                        es);
    ExplainPropertyInteger("Cells Read", nullptr, static_cast<int64>(counters.cells), es);
    if (scan->kind == ScanKind::rows)
        ExplainPropertyInteger("Rows Read", nullptr, static_cast<int64>(counters.rows), es);
    ExplainPropertyInteger("Bytes Read", nullptr, static_cast<int64>(counters.bytes), es);
}

} // namespace fas::pg
