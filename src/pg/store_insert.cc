// One row into flow_segments: what every ingest and every merge ends with.
//
// An INSERT through SPI costs more than everything else that a batch of ten flows costs, so the row goes into heap and
// indexes directly. The executor does it where the owner has given the table anything that an INSERT must heed.
#include "postgres.hh"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "nodes/execnodes.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

#include <cstring>

#include "datum.hh"
#include "statements.hh"
#include "store_table.hh"

namespace fas::pg {

namespace {

struct Column {
    const char *name;
    Oid type; // InvalidOid: one of fas's
};
constexpr Column columns[] = {{"id", INT8OID},         {"level", INT2OID},   {"hour_min", INT4OID},
                              {"hour_max", INT4OID},   {"flows", INT8OID},   {"created_at", TIMESTAMPTZOID},
                              {"segment", InvalidOid}, {"hours", InvalidOid}};
constexpr int column_count = sizeof columns / sizeof columns[0];
constexpr int own_checks = 4; // CHECK constraints that the script makes, and that what is stored here meets

bool has_own_columns(TupleDesc descriptor) {
    if (descriptor->natts != column_count)
        return false;
    for (int i = 0; i < column_count; ++i) {
        const FormData_pg_attribute *column = TupleDescAttr(descriptor, i);
        if (column->attisdropped || std::strcmp(NameStr(column->attname), columns[i].name) != 0 ||
            (OidIsValid(columns[i].type) && column->atttypid != columns[i].type))
            return false;
    }
    const TupleConstr *constraints = descriptor->constr;
    return constraints == nullptr || (constraints->num_check <= own_checks && !constraints->has_generated_stored);
}

// Operator classes of somebody's own may call functions that want a statement's search_path.
bool is_built_in(Relation index) {
    for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); ++i)
        if (index->rd_opfamily[i] >= FirstNormalObjectId)
            return false;
    return true;
}

bool are_plain(CatalogIndexState indexes) {
    for (int i = 0; i < indexes->ri_NumIndices; ++i) {
        const IndexInfo *index = indexes->ri_IndexRelationInfo[i];
        if (!is_built_in(indexes->ri_IndexRelationDescs[i]) || index->ii_Expressions != NIL ||
            index->ii_Predicate != NIL || index->ii_ExclusionOps != nullptr ||
            !indexes->ri_IndexRelationDescs[i]->rd_index->indimmediate)
            return false;
    }
    return true;
}

int64_t insert_row(Relation table, CatalogIndexState indexes, Oid sequence, int32_t level, const SegmentFacts &facts,
                   struct varlena *segment) {
    int64_t id = nextval_internal(sequence, false);
    Datum values[column_count] = {Int64GetDatum(id),
                                  Int16GetDatum(static_cast<int16>(level)),
                                  Int32GetDatum(facts.hour_min),
                                  Int32GetDatum(facts.hour_max),
                                  Int64GetDatum(facts.flows),
                                  TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()),
                                  PointerGetDatum(segment),
                                  PointerGetDatum(facts.hours)};
    bool nulls[column_count] = {};
    nulls[column_count - 1] = facts.hours == nullptr;
    HeapTuple row = heap_form_tuple(RelationGetDescr(table), values, nulls);
    CatalogTupleInsertWithInfo(table, row, indexes);
    heap_freetuple(row);
    CommandCounterIncrement(); // as after any command: what follows sees the row
    return id;
}

int64_t insert_by_executor(const Store &store, int32_t level, const SegmentFacts &facts, struct varlena *segment) {
    connect_spi();
    Datum values[] = {Int16GetDatum(static_cast<int16>(level)),
                      Int32GetDatum(facts.hour_min),
                      Int32GetDatum(facts.hour_max),
                      Int64GetDatum(facts.flows),
                      PointerGetDatum(segment),
                      PointerGetDatum(facts.hours)};
    const char *nulls = facts.hours == nullptr ? "     n" : nullptr;
    run(store, Statement::insert_segment, values, nulls);
    if (SPI_processed != 1) // a trigger or rule of the owner's
        ereport(ERROR,
                (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION), errmsg("a row of \"flow_segments\" was not stored"),
                 errhint("Remove the trigger or rule on \"flow_segments\" that suppresses it.")));
    int64_t id = DatumGetInt64(result(0, 1));
    finish_spi();
    return id;
}

// Triggers of foreign keys are among them: of the table's own on INSERT, of others that refer to it on DELETE.
bool has_triggers(const TriggerDesc *triggers, RowCommand command) {
    if (triggers == nullptr)
        return false;
    if (command == RowCommand::remove)
        return triggers->trig_delete_before_row || triggers->trig_delete_after_row ||
               triggers->trig_delete_instead_row || triggers->trig_delete_before_statement ||
               triggers->trig_delete_after_statement;
    return triggers->trig_insert_before_row || triggers->trig_insert_after_row || triggers->trig_insert_instead_row ||
           triggers->trig_insert_before_statement || triggers->trig_insert_after_statement;
}

} // namespace

bool is_as_installed(Relation table, RowCommand command) {
    const FormData_pg_class *facts = table->rd_rel;
    return facts->relam == HEAP_TABLE_AM_OID && !has_triggers(table->trigdesc, command) && table->rd_rules == nullptr &&
           !facts->relforcerowsecurity && !facts->relispartition && has_own_columns(RelationGetDescr(table));
}

int64_t insert_segment(const Store &store, int32_t level, const SegmentFacts &facts, struct varlena *segment) {
    Oid sequence = get_relname_relid("flow_segments_id_seq", store.schema);
    Relation table = table_open(store.segments, RowExclusiveLock);
    int64_t id = 0;
    bool is_stored = false;
    if (OidIsValid(sequence) && is_as_installed(table, RowCommand::insert)) {
        CatalogIndexState indexes = CatalogOpenIndexes(table);
        if (are_plain(indexes)) {
            id = insert_row(table, indexes, sequence, level, facts, segment);
            is_stored = true;
        }
        CatalogCloseIndexes(indexes);
    }
    table_close(table, NoLock);
    return is_stored ? id : insert_by_executor(store, level, facts, segment);
}

} // namespace fas::pg
