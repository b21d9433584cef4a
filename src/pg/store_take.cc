// See store_table.hh: take_directly(). Of a merge's statements, finding and deleting a few rows by id cost more than
// merging small batches does.
//
// Locks: row exclusive on flow_segments to the end of the transaction, as DELETE has it; the rows that it deletes.
#include "store_table.hh"

extern "C" {
#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace fas::pg {

namespace {

struct Row {
    FoundSegment found;
    ItemPointerData place;
};

// The index of the primary key, opened; null where it is not as the script made it.
Relation open_id_index(const Store &store) {
    Oid oid = get_relname_relid("flow_segments_pkey", store.schema);
    if (!OidIsValid(oid) || get_rel_relkind(oid) != RELKIND_INDEX)
        return nullptr;
    Relation index = index_open(oid, AccessShareLock);
    const FormData_pg_index *facts = index->rd_index;
    if (facts->indrelid == store.segments && facts->indisvalid && facts->indnkeyatts == 1 &&
        facts->indkey.values[0] == id_column && heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr))
        return index;
    index_close(index, AccessShareLock);
    return nullptr;
}

Datum column_of(HeapTuple tuple, AttrNumber column, TupleDesc descriptor) {
    bool is_null = false;
    return heap_getattr(tuple, column, descriptor, &is_null); // all are NOT NULL
}

// The segments of the search's window, level and size, ascending by id; `most` at most.
size_t find_rows(Relation table, Relation index, int64_t id, const Search &search, Row *rows, size_t most) {
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], id_column, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(id - search.window));
    ScanKeyInit(&keys[1], id_column, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(id));
    TupleDesc descriptor = RelationGetDescr(table);
    SysScanDesc scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), 2, keys);
    size_t count = 0;
    for (HeapTuple tuple; count < most && (tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != nullptr;) {
        int64_t flows = DatumGetInt64(column_of(tuple, flows_column, descriptor));
        if (DatumGetInt16(column_of(tuple, level_column, descriptor)) != search.level || flows >= search.below)
            continue;
        Datum segment = column_of(tuple, segment_column, descriptor);
        rows[count++] = {{DatumGetInt64(column_of(tuple, id_column, descriptor)), flows,
                          reinterpret_cast<struct varlena *>(DatumGetPointer(datumCopy(segment, false, -1)))},
                         tuple->t_self};
    }
    systable_endscan_ordered(scan);
    return count;
}

// False where someone else has locked, changed or deleted the row.
bool delete_row(Relation table, ItemPointer place) {
    TM_FailureData failure;
    TM_Result result = table_tuple_delete(table, place, GetCurrentCommandId(true), GetActiveSnapshot(), InvalidSnapshot,
                                          false, &failure, false);
    return result == TM_Ok;
}

void take_rows(Relation table, Relation index, int64_t id, const Search &search, TakenRows &taken) {
    constexpr size_t most = 2 * max_ingest_rows;
    auto *rows = static_cast<Row *>(palloc(sizeof(Row) * most));
    auto *candidates = static_cast<Candidate *>(palloc(sizeof(Candidate) * most));
    size_t found = find_rows(table, index, id, search, rows, most);
    for (size_t i = 0; i < found; ++i)
        candidates[i] = {rows[i].found.id, rows[i].found.flows};
    size_t chosen = choose_candidates(search, {candidates, found});
    taken.goes_on = chosen > 0 && is_worth_another(search, {candidates + chosen, found - chosen});
    taken.rows = static_cast<FoundSegment *>(palloc(sizeof(FoundSegment) * (chosen + 1)));
    for (size_t i = 0; i < chosen; ++i)
        if (delete_row(table, &rows[i].place))
            taken.rows[taken.count++] = rows[i].found;
    if (taken.count > 0)
        CommandCounterIncrement();
}

} // namespace

bool take_directly(const Store &store, int64_t id, const Search &search, TakenRows &taken) {
    taken = {nullptr, 0, false};
    Relation table = table_open(store.segments, RowExclusiveLock);
    Relation index = is_as_installed(table, RowCommand::remove) ? open_id_index(store) : nullptr;
    if (index != nullptr) {
        CommandCounterIncrement();
        PushActiveSnapshot(GetTransactionSnapshot()); // whatever was committed before is seen
        take_rows(table, index, id, search, taken);
        PopActiveSnapshot();
        index_close(index, AccessShareLock);
    }
    table_close(table, NoLock);
    return index != nullptr;
}

} // namespace fas::pg
