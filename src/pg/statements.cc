// See statements.hh.
#include "statements.hh"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
}

#include <cstring>

namespace fas::pg {

namespace {

struct Definition {
    const char *text; // every '@' becomes the schema's quoted name and a dot
    int arguments;
    Oid types[6]; // InvalidOid stands for fas's own: that of the column in own_columns
};

// Of flow_segments, in the order of the arguments that have their types.
constexpr const char *own_columns[] = {"segment", "hours"};
constexpr Oid own_type = InvalidOid;

// In the order of Statement. SKIP LOCKED everywhere that must not wait; the waiting ones are flows_expire's.
constexpr Definition definitions[] = {
    // insert_segment: level, facts, segment, hours
    {"INSERT INTO @flow_segments (level, hour_min, hour_max, flows, segment, hours) "
     "VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
     6,
     {INT2OID, INT4OID, INT4OID, INT8OID, own_type, own_type}},
    // list_segments: first and last hour
    {"SELECT id, hour_min, hour_max, flows, segment, hours FROM @flow_segments WHERE hour_max >= $1 AND hour_min <= $2",
     2,
     {INT4OID, INT4OID}},
    // count_segments
    {"SELECT count(*) FROM @flow_segments", 0, {}},
    // find_candidates: id window (excluded, included), level, flows below, most rows
    {"SELECT id, flows FROM @flow_segments WHERE id > $1 AND id <= $2 AND level = $3 AND flows < $4 ORDER BY id LIMIT "
     "$5",
     5,
     {INT8OID, INT8OID, INT2OID, INT8OID, INT8OID}},
    // pick_segments: ids, and how many of them must be free; all or nothing otherwise
    {"WITH picked AS MATERIALIZED (SELECT id FROM @flow_segments WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED) "
     "DELETE FROM @flow_segments AS s USING picked WHERE s.id = picked.id AND (SELECT count(*) FROM picked) >= $2 "
     "RETURNING s.id, s.flows, s.segment",
     2,
     {INT8ARRAYOID, INT8OID}},
    // take_segments: ids; waits for whoever has locked one
    {"DELETE FROM @flow_segments WHERE id = ANY ($1) RETURNING id, flows, segment", 1, {INT8ARRAYOID}},
    // list_all
    {"SELECT id, level, hour_min, hour_max, flows FROM @flow_segments", 0, {}},
    // seal_segments: ids, level
    {"WITH picked AS MATERIALIZED (SELECT id FROM @flow_segments WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED) "
     "UPDATE @flow_segments AS s SET level = $2 FROM picked WHERE s.id = picked.id",
     2,
     {INT8ARRAYOID, INT2OID}},
    // delete_expired: the first hour that stays
    {"WITH gone AS (DELETE FROM @flow_segments WHERE hour_max < $1 RETURNING flows) "
     "SELECT coalesce(sum(flows), 0)::bigint FROM gone",
     1,
     {INT4OID}},
    // list_straddlers: the first hour that stays
    {"SELECT id, level, hour_min, hour_max, flows FROM @flow_segments WHERE hour_max >= $1 AND hour_min < $1 "
     "ORDER BY level, id",
     1,
     {INT4OID}},
    // claim_key: key, taken, digest
    {"INSERT INTO @flow_batches (batch_key, taken, digest) VALUES ($1, $2, $3) ON CONFLICT (batch_key) DO NOTHING "
     "RETURNING received_at",
     3,
     {TEXTOID, INT8OID, BYTEAOID}},
    // find_key: key
    {"SELECT taken, digest, received_at FROM @flow_batches WHERE batch_key = $1", 1, {TEXTOID}},
    // renew_key: key, taken, digest, and what is expired
    {"UPDATE @flow_batches SET taken = $2, digest = $3, received_at = now() WHERE batch_key = $1 AND received_at < $4 "
     "RETURNING received_at",
     4,
     {TEXTOID, INT8OID, BYTEAOID, TIMESTAMPTZOID}},
    // drop_keys: from, until (excluded), most rows
    {"WITH old AS MATERIALIZED (SELECT batch_key FROM @flow_batches WHERE received_at >= $1 AND received_at < $2 "
     "ORDER BY received_at LIMIT $3 FOR UPDATE SKIP LOCKED) "
     "DELETE FROM @flow_batches AS b USING old WHERE b.batch_key = old.batch_key RETURNING b.received_at",
     3,
     {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID}},
    // stats: flow_segments
    {"SELECT count(*), count(*) FILTER (WHERE level = 0), coalesce(sum(flows), 0)::bigint, "
     "coalesce(sum(pg_column_size(segment)), 0)::bigint, min(created_at) FILTER (WHERE level = 0), "
     "pg_total_relation_size($1::regclass), (SELECT pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif("
     "c.reltoastrelid, 0)), 0) FROM pg_class AS c WHERE c.oid = $1), (SELECT count(*) FROM @flow_batches) "
     "FROM @flow_segments",
     1,
     {OIDOID}},
};
static_assert(sizeof definitions / sizeof definitions[0] == statement_count);

struct Installation {
    Installation *next;
    Oid segments;
    char *quoted_schema;
    StoreNotes notes;
    SPIPlanPtr plans[statement_count];
};

Installation *installations = nullptr;

void free_installation(Installation *installation) {
    for (SPIPlanPtr plan : installation->plans)
        if (plan != nullptr)
            SPI_freeplan(plan);
    pfree(installation->quoted_schema);
    pfree(installation);
}

void forget_dropped() {
    for (Installation **at = &installations; *at != nullptr;) {
        Installation *installation = *at;
        if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(installation->segments))) {
            at = &installation->next;
            continue;
        }
        *at = installation->next;
        free_installation(installation);
    }
}

Installation *installation_of(const Store &store) {
    for (Installation *i = installations; i != nullptr; i = i->next)
        if (i->segments == store.segments && std::strcmp(i->quoted_schema, store.quoted_schema) == 0)
            return i;

    forget_dropped();
    auto *made = static_cast<Installation *>(MemoryContextAllocZero(TopMemoryContext, sizeof(Installation)));
    made->quoted_schema = MemoryContextStrdup(TopMemoryContext, store.quoted_schema);
    made->segments = store.segments;
    made->next = installations;
    installations = made;
    return made;
}

SPIPlanPtr prepare(const Store &store, const Definition &definition) {
    StringInfoData text;
    initStringInfo(&text);
    for (const char *c = definition.text; *c != '\0'; ++c) {
        if (*c == '@')
            appendStringInfo(&text, "%s.", store.quoted_schema);
        else
            appendStringInfoChar(&text, *c);
    }
    Oid types[6];
    const char *const *own_column = own_columns;
    for (int i = 0; i < definition.arguments; ++i) {
        types[i] = definition.types[i];
        if (types[i] == own_type)
            types[i] = get_atttype(store.segments, get_attnum(store.segments, *own_column++));
    }
    // Generic at once: the values say nothing that a plan could use.
    SPIPlanPtr plan = SPI_prepare_cursor(text.data, definition.arguments, types, CURSOR_OPT_GENERIC_PLAN);
    if (plan == nullptr)
        elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
    pfree(text.data);
    return plan;
}

// Statements of merges find few rows by their ids among any number that are dead. The planner takes the two conditions
// on hours for independent and expects hundreds of rows where a handful spans an hour; and where all rows are wanted,
// to find them is nothing beside reading the segments.
bool finds_few(Statement statement) {
    return statement == Statement::list_segments || statement == Statement::find_candidates ||
           statement == Statement::pick_segments || statement == Statement::take_segments;
}

void set_for_now(const char *name, const char *value) {
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

// The settings that a statement runs with, until AtEOXact_GUC() of the level, or until an error.
int set_for_statement(Statement statement) {
    int level = NewGUCNestLevel();
    // Operators and functions are PostgreSQL's own, whatever the caller has made; plans are not made anew either.
    set_for_now("search_path", "pg_catalog, pg_temp");
    // A plan that is made when the table has few live rows reads all of it, and is kept when most of it is dead.
    if (finds_few(statement))
        set_for_now("enable_seqscan", "off");
    return level;
}

} // namespace

StoreNotes &notes_of(const Store &store) { return installation_of(store)->notes; }

void run(const Store &store, Statement statement, Datum *values, const char *nulls, bool read_only) {
    Installation *installation = installation_of(store);
    int level = set_for_statement(statement);
    SPIPlanPtr &plan = installation->plans[static_cast<size_t>(statement)];
    if (plan == nullptr) {
        SPIPlanPtr made = prepare(store, definitions[static_cast<size_t>(statement)]);
        SPI_keepplan(made);
        plan = made;
    }
    int code = SPI_execute_plan(plan, values, nulls, read_only, 0);
    AtEOXact_GUC(false, level);
    if (code < 0)
        elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(code));
}

void connect_spi() {
    int code = SPI_connect();
    if (code != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed: %s", SPI_result_code_string(code));
}

void finish_spi() {
    int code = SPI_finish();
    if (code != SPI_OK_FINISH)
        elog(ERROR, "SPI_finish failed: %s", SPI_result_code_string(code));
}

Datum result(uint64_t row, int column, bool *is_null) {
    bool null = false;
    Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &null);
    if (is_null != nullptr)
        *is_null = null;
    else if (null)
        elog(ERROR, "unexpected null in column %d of a statement of the store", column);
    return value;
}

Datum array_of_ids(const int64_t *ids, size_t count) {
    auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * count));
    for (size_t i = 0; i < count; ++i)
        elements[i] = Int64GetDatum(ids[i]);
    Datum array = PointerGetDatum(
        construct_array(elements, static_cast<int>(count), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
    pfree(elements);
    return array;
}

} // namespace fas::pg
