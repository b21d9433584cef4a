// The handler and the validator of the foreign-data wrapper: the callbacks that PostgreSQL's planner and executor use.
#include "postgres.hh"

extern "C" {
#include "access/reloptions.h"
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

// The wrapper, its servers and their tables take no options: a store is found by the wrapper's handler.
FAS_FUNCTION(fas_fdw_validator) {
    List *options = untransformRelOptions(PG_GETARG_DATUM(0));
    if (options != NIL) {
        auto *option = static_cast<DefElem *>(linitial(options));
        ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME), errmsg("invalid option \"%s\"", option->defname),
                        errhint("Foreign tables and servers of fas have no options.")));
    }
    PG_RETURN_VOID();
}
