// INSERT and COPY FROM: the flows of a statement become one segment, several when they are many.
//
// PostgreSQL checks neither NOT NULL nor CHECK of a foreign table and knows nothing of what a flow may be, so that is
// done here. Flows are stored at the end of the statement (EndForeignModify), when its AFTER triggers have been fired
// already; they would not see them, and are refused. The builder hangs on a memory context of the executor's: when the
// statement fails it goes with it, and nothing has been stored that the transaction does not undo.
#include "postgres.hh"

extern "C" {
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/parsetree.h"
#include "utils/memutils.h"
#include "utils/rel.h"
}

#include "../core/builder.hh"
#include "datum.hh"
#include "fdw_wrapper.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

struct FlowInsert {
    Store store;
    TableShape shape;
    MemoryContext context;     // owns the builder
    MemoryContext row_context; // detoasted names; reset when it was used
    SegmentBuilder *builder;
    bool checks;    // the table has CHECK constraints of its own
    bool partition; // and a partition constraint, which nobody else checks
};

bool fires_here(const Trigger &trigger) {
    if (!TRIGGER_FOR_INSERT(trigger.tgtype) || !TRIGGER_FOR_AFTER(trigger.tgtype))
        return false;
    char off =
        SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ? TRIGGER_FIRES_ON_ORIGIN : TRIGGER_FIRES_ON_REPLICA;
    return trigger.tgenabled != TRIGGER_DISABLED && trigger.tgenabled != off;
}

void refuse_after_triggers(const ResultRelInfo *rinfo) {
    const TriggerDesc *triggers = rinfo->ri_TrigDesc;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i)
        if (fires_here(triggers->triggers[i]))
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                            errmsg("cannot insert into \"%s\" while it has an AFTER trigger",
                                   RelationGetRelationName(rinfo->ri_RelationDesc)),
                            errdetail("Trigger \"%s\" would be fired before the flows of the statement are stored.",
                                      triggers->triggers[i].tgname),
                            errhint("Drop or disable the trigger, or make it a BEFORE ROW trigger.")));
}

Oid user_of_insert([[maybe_unused]] EState *estate, [[maybe_unused]] ResultRelInfo *rinfo) {
#if PG_VERSION_NUM >= 160000
    Oid user = ExecGetResultRelCheckAsUser(rinfo, estate);
#else
    Index index = rinfo->ri_RangeTableIndex;
    if (index == 0 && rinfo->ri_RootResultRelInfo != nullptr) // a partition that a row was routed to
        index = rinfo->ri_RootResultRelInfo->ri_RangeTableIndex;
    Oid user = index > 0 ? exec_rt_fetch(index, estate)->checkAsUser : InvalidOid;
#endif
    return OidIsValid(user) ? user : GetUserId();
}

void refuse_on_conflict() {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("flows have no key that could conflict"),
                    errhint("Leave out ON CONFLICT; give flows_ingest() a batch key to make a retry harmless.")));
}

FlowInsert *start_insert(EState *estate, ResultRelInfo *rinfo) {
    Relation table = rinfo->ri_RelationDesc;
    MemoryContext context = AllocSetContextCreate(estate->es_query_cxt, "fas insert", ALLOCSET_DEFAULT_SIZES);
    MemoryContext old = MemoryContextSwitchTo(context);
    auto *insert = static_cast<FlowInsert *>(palloc0(sizeof(FlowInsert)));
    insert->context = context;
    insert->row_context = AllocSetContextCreate(context, "fas insert row", ALLOCSET_DEFAULT_SIZES);
    insert->store = store_of_table(RelationGetRelid(table));
    require_insert_through(insert->store, RelationGetRelid(table), user_of_insert(estate, rinfo));
    insert->shape = check_shape(table, true);
    refuse_after_triggers(rinfo);
    if (rinfo->ri_RootResultRelInfo != nullptr)
        refuse_after_triggers(rinfo->ri_RootResultRelInfo);
    const TupleConstr *constraints = RelationGetDescr(table)->constr;
    insert->checks = constraints != nullptr && constraints->num_check > 0;
    insert->partition = table->rd_rel->relispartition && rinfo->ri_RootResultRelInfo == nullptr;
    insert->builder = make_in_context<SegmentBuilder>(context);
    MemoryContextSwitchTo(old);
    return insert;
}

void flush(FlowInsert *insert, bool end) {
    TakenSegments taken{};
    MemoryContext old = MemoryContextSwitchTo(insert->row_context);
    guarded([&] { taken = take_segments(*insert->builder, end); });
    RunAsOwner saved = begin_as_owner(insert->store);
    store_segments(insert->store, taken);
    end_as_owner(saved);
    MemoryContextSwitchTo(old);
    MemoryContextReset(insert->row_context);
}

// As PostgreSQL words it for a table of its own.
void raise_null(ResultRelInfo *rinfo, TupleTableSlot *slot, EState *estate, int column) {
    if (RelationGetDescr(rinfo->ri_RelationDesc)->constr != nullptr)
        ExecConstraints(rinfo, slot, estate);
    const char *table = RelationGetRelationName(rinfo->ri_RelationDesc);
    ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
                    errmsg("null value in column \"%s\" of relation \"%s\" violates not-null constraint",
                           column_name(column).data(), table)));
}

void raise_out_of_range(ResultRelInfo *rinfo, int column, int64_t value) {
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("value for column \"%s\" of relation \"%s\" is out of range", column_name(column).data(),
                           RelationGetRelationName(rinfo->ri_RelationDesc)),
                    errdetail("%lld is negative.", static_cast<long long>(value))));
}

void raise_empty(ResultRelInfo *rinfo, int column) {
    ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
                    errmsg("empty value in column \"%s\" of relation \"%s\"", column_name(column).data(),
                           RelationGetRelationName(rinfo->ri_RelationDesc)),
                    errdetail("The names of a flow are not empty.")));
}

FlowView flow_of_slot(FlowInsert *insert, ResultRelInfo *rinfo, TupleTableSlot *slot, EState *estate) {
    FlowView flow;
    for (int c = 0; c < column_count; ++c) {
        int i = insert->shape.attnum[c] - 1;
        if (slot->tts_isnull[i])
            raise_null(rinfo, slot, estate, c);
        Datum value = slot->tts_values[i];
        if (c > 0 && c < first_metric) {
            flow.names[c - 1] = text_view(DatumGetTextPP(value));
            if (flow.names[c - 1].empty())
                raise_empty(rinfo, c);
            continue;
        }
        int64_t number = c == 0 ? DatumGetInt32(value) : DatumGetInt64(value);
        if (number < 0)
            raise_out_of_range(rinfo, c, number);
        if (c == 0)
            flow.hour = static_cast<uint32_t>(number);
        else
            flow.metrics[c - first_metric] = static_cast<uint64_t>(number);
    }
    return flow;
}

} // namespace

List *plan_modify(PlannerInfo *root, ModifyTable *plan, Index result_relation, int) {
    RangeTblEntry *entry = planner_rt_fetch(result_relation, root);
    Relation table = table_open(entry->relid, NoLock);
    if (plan->operation != CMD_INSERT)
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("cannot %s foreign table \"%s\"",
                        plan->operation == CMD_UPDATE   ? "update"
                        : plan->operation == CMD_DELETE ? "delete from"
                                                        : "merge into",
                        RelationGetRelationName(table)),
                 errdetail("Flows are only ever added."), errhint("flows_expire(before_hour) drops old hours.")));
    check_shape(table, true);
    table_close(table, NoLock);
    if (plan->onConflictAction != ONCONFLICT_NONE)
        refuse_on_conflict();
    return NIL;
}

void begin_modify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *, int, int eflags) {
    if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
        rinfo->ri_FdwState = start_insert(mtstate->ps.state, rinfo);
}

// COPY, and rows that are routed to a partition.
void begin_insert(ModifyTableState *mtstate, ResultRelInfo *rinfo) {
    auto *plan = reinterpret_cast<ModifyTable *>(mtstate->ps.plan); // null under COPY
    if (plan != nullptr && plan->onConflictAction != ONCONFLICT_NONE)
        refuse_on_conflict();
    rinfo->ri_FdwState = start_insert(mtstate->ps.state, rinfo);
}

TupleTableSlot *exec_insert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *) {
    auto *insert = static_cast<FlowInsert *>(rinfo->ri_FdwState);
    slot_getallattrs(slot);
    MemoryContext old = MemoryContextSwitchTo(insert->row_context);
    FlowView flow = flow_of_slot(insert, rinfo, slot, estate);
    MemoryContextSwitchTo(old);
    if (insert->checks)
        ExecConstraints(rinfo, slot, estate);
    if (insert->partition)
        ExecPartitionCheck(rinfo, slot, estate, true);

    bool full = false;
    guarded([&] {
        insert->builder->add(flow);
        full = is_full(*insert->builder);
    });
    MemoryContextReset(insert->row_context);
    if (full)
        flush(insert, false);
    return slot;
}

void end_insert(EState *, ResultRelInfo *rinfo) {
    auto *insert = static_cast<FlowInsert *>(rinfo->ri_FdwState);
    if (insert == nullptr)
        return;
    flush(insert, true);
    MemoryContextDelete(insert->context);
    rinfo->ri_FdwState = nullptr;
}

int is_updatable(Relation table) { return check_shape(table, false).totals ? 0 : 1 << CMD_INSERT; }

} // namespace fas::pg
