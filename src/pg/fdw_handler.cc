// The handler and the validator of the foreign-data wrapper: the callbacks that PostgreSQL's planner and executor use.
#include "postgres.hh"

extern "C" {
#include "access/reloptions.h"
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "foreign/fdwapi.h"
}

#include "fdw_wrapper.hh"

using namespace fas::pg;

FAS_FUNCTION(fas_fdw_handler) {
    FdwRoutine *routine = makeNode(FdwRoutine);

    routine->GetForeignRelSize = get_rel_size;
    routine->GetForeignPaths = get_paths;
    routine->GetForeignPlan = get_plan;
    routine->GetForeignUpperPaths = get_upper_paths;

    routine->BeginForeignScan = begin_scan;
    routine->IterateForeignScan = iterate_scan;
    routine->ReScanForeignScan = rescan;
    routine->EndForeignScan = end_scan;

    routine->PlanForeignModify = plan_modify;
    routine->BeginForeignModify = begin_modify;
    routine->ExecForeignInsert = exec_insert;
    routine->EndForeignModify = end_insert;
    routine->BeginForeignInsert = begin_insert;
    routine->EndForeignInsert = end_insert;
    routine->IsForeignRelUpdatable = is_updatable;

    routine->ExplainForeignScan = explain_scan;
    routine->AnalyzeForeignTable = analyze_table;

    PG_RETURN_POINTER(routine);
}

// One option there is, of foreign tables: totals. A store needs none, it is found by the wrapper's handler.
FAS_FUNCTION(fas_fdw_validator) {
    ListCell *cell;
    foreach (cell, untransformRelOptions(PG_GETARG_DATUM(0))) {
        auto *option = lfirst_node(DefElem, cell);
        if (PG_GETARG_OID(1) != ForeignTableRelationId || strcmp(option->defname, "totals") != 0)
            ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME), errmsg("invalid option \"%s\"", option->defname),
                            errhint("The one option of fas is totals, a boolean, of foreign tables.")));
        defGetBoolean(option); // raises 42601 for what is no boolean
    }
    PG_RETURN_VOID();
}
