// flows_ingest_csv(), and INSERT and COPY into the view flows_csv: CSV text becomes segments of the store.
//
// The view is a way in for clients that have COPY at hand: a literal of some megabytes is escaped, scanned and copied
// several times over before a function sees it, a binary COPY of it is not. Each row is a batch of its own; all are of
// the statement's transaction. Locks: as flows_ingest().
#include "postgres.hh"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
}

#include "../core/csv.hh"
#include "datum.hh"
#include "guard.hh"
#include "ingest.hh"

namespace fas::pg {

namespace {

constexpr int csv_column = 0, key_column = 1;

// Who may make triggers may put this function on any relation.
const TriggerData *check_trigger(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("flows_csv_insert() can be called as a trigger only")));
    const auto *data = reinterpret_cast<const TriggerData *>(fcinfo->context);
    TupleDesc row = RelationGetDescr(data->tg_relation);
    if (!TRIGGER_FIRED_INSTEAD(data->tg_event) || !TRIGGER_FIRED_BY_INSERT(data->tg_event) || row->natts != 2 ||
        TupleDescAttr(row, csv_column)->atttypid != TEXTOID || TupleDescAttr(row, key_column)->atttypid != TEXTOID)
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("flows_csv_insert() is the INSTEAD OF INSERT trigger of the view \"flows_csv\""),
                        errhint("For a view of your own, call flows_ingest_csv() from a trigger of your own.")));
    return data;
}

int64_t ingest_csv(Oid function, text *csv, text *key) {
    Store store = store_for_ingest(function, "flows_ingest_csv()");
    if (key != nullptr)
        check_batch_key(key);
    return ingest_batch(store, text_view(csv), parse_csv_flows, key).taken;
}

} // namespace

FAS_FUNCTION(flows_ingest_csv) {
    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    text *key = PG_NARGS() < 2 || PG_ARGISNULL(1) ? nullptr : PG_GETARG_TEXT_PP(1);
    PG_RETURN_INT64(ingest_csv(fcinfo->flinfo->fn_oid, PG_GETARG_TEXT_PP(0), key));
}

// A row whose csv is NULL is passed over and not counted.
FAS_FUNCTION(flows_csv_insert) {
    const TriggerData *data = check_trigger(fcinfo);
    bool is_null, has_no_key;
    TupleDesc row = RelationGetDescr(data->tg_relation);
    Datum csv = heap_getattr(data->tg_trigtuple, csv_column + 1, row, &is_null);
    Datum key = heap_getattr(data->tg_trigtuple, key_column + 1, row, &has_no_key);
    if (is_null)
        PG_RETURN_POINTER(nullptr);
    ingest_csv(fcinfo->flinfo->fn_oid, DatumGetTextPP(csv), has_no_key ? nullptr : DatumGetTextPP(key));
    PG_RETURN_POINTER(data->tg_trigtuple);
}

} // namespace fas::pg
