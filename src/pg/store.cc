// See store.hh. Takes no lock but those of the statements that it runs.
#include "store.hh"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

#include <vector>

#include "../core/segment.hh"
#include "../core/segment_format.hh"
#include "compact.hh"
#include "datum.hh"
#include "guard.hh"
#include "segment_hours.hh"
#include "settings.hh"
#include "statements.hh"

namespace fas::pg {

namespace {

void require_utf8() {
    if (GetDatabaseEncoding() != PG_UTF8)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("fas needs a database whose encoding is UTF8"),
                        errdetail("The encoding of this database is %s.", GetDatabaseEncodingName()),
                        errhint("Create a database with ENCODING 'UTF8' TEMPLATE template0.")));
}

Oid relation_of(Oid schema, const char *schema_name, const char *name, char kind) {
    Oid relation = get_relname_relid(name, schema);
    if (!OidIsValid(relation) || get_rel_relkind(relation) != kind)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("relation \"%s\" of extension fas is not in schema \"%s\"", name, schema_name),
                        errhint("It was renamed, moved or dropped: undo that, or DROP and CREATE EXTENSION fas.")));
    return relation;
}

Oid owner_of(Oid relation) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for relation %u", relation);
    Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

// A right on the whole relation, or on each of its columns.
void require(const Store &store, Oid user, AclMode right) {
    if (pg_class_aclcheck(store.flows, user, right) == ACLCHECK_OK ||
        pg_attribute_aclcheck_all(store.flows, user, right, ACLMASK_ALL) == ACLCHECK_OK)
        return;
    aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE, "flows");
}

SegmentFacts plain_facts(const SegmentHeader &header) {
    return {static_cast<int32_t>(header.hour_min), static_cast<int32_t>(header.hour_max),
            static_cast<int64_t>(header.flows), nullptr};
}

SegmentFacts facts_of_stored(const struct varlena *segment) {
    SegmentFacts facts{};
    guarded([&] {
        const Bytes bytes = payload_of(segment);
        SegmentHeader header;
        format::PartTable parts;
        format::decode_header(bytes, bytes.size(), header, parts);
        facts = plain_facts(header);
        if (header.hours == header.hour_max - header.hour_min + 1)
            return; // small batches mostly have no gap: a reader would cost more than the rest
        MemorySource source(bytes);
        SegmentReader reader(source);
        facts.hours = hours_of(reader);
    });
    return facts;
}

struct varlena *varlena_of(Datum datum) {
    return reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
}

// A row of list_segments whose ends say that it may hold hours [first, last]: whether its set of hours says so too.
bool may_hold_between(const SegmentRow &row, int32_t first, int32_t last) {
    bool reaches_in = row.hour_min >= first || row.hour_max <= last; // it has its first hour and its last one
    return row.hours == nullptr || reaches_in || may_hold(row.hours, first, last);
}

uint64_t estimated_segments(const Store &store) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(store.segments));
    if (!HeapTupleIsValid(tuple))
        return 0;
    float4 rows = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->reltuples;
    ReleaseSysCache(tuple);
    return rows > 0 ? static_cast<uint64_t>(rows) : 0;
}

} // namespace

Store store_of_function(Oid function) { return store_of_schema(get_func_namespace(function)); }

Store store_of_schema(Oid schema) {
    require_utf8();
    const char *name = get_namespace_name(schema);
    if (name == nullptr)
        elog(ERROR, "cache lookup failed for schema %u", schema);
    Store store{};
    store.schema = schema;
    store.flows = relation_of(schema, name, "flows", RELKIND_FOREIGN_TABLE);
    store.segments = relation_of(schema, name, "flow_segments", RELKIND_RELATION);
    store.batches = relation_of(schema, name, "flow_batches", RELKIND_RELATION);
    store.owner = owner_of(store.segments);
    store.quoted_schema = quote_identifier(name);
    return store;
}

SegmentFacts facts_of(SegmentReader &segment) {
    SegmentFacts facts = plain_facts(segment.header());
    facts.hours = hours_of(segment);
    return facts;
}

void require_select(const Store &store, Oid user) { require(store, user, ACL_SELECT); }
void require_insert(const Store &store, Oid user) { require(store, user, ACL_INSERT); }

void require_read_committed(const char *command) {
    if (IsolationUsesXactSnapshot())
        ereport(ERROR,
                (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                 errmsg("%s can't run in a transaction of isolation level REPEATABLE READ or SERIALIZABLE", command),
                 errhint("Use a transaction of isolation level READ COMMITTED.")));
}

RunAsOwner begin_as_owner(const Store &store) {
    RunAsOwner saved{};
    GetUserIdAndSecContext(&saved.saved_user, &saved.saved_context);
    SetUserIdAndSecContext(store.owner, saved.saved_context | SECURITY_LOCAL_USERID_CHANGE);
    return saved;
}

void end_as_owner(const RunAsOwner &saved) { SetUserIdAndSecContext(saved.saved_user, saved.saved_context); }

bool is_full(const SegmentBuilder &builder) {
    return builder.flows() >= static_cast<uint64_t>(settings::max_segment_flows) ||
           builder.memory() > builder_memory_limit;
}

TakenSegments take_segments(SegmentBuilder &builder, bool end) {
    const bool are_many = builder.flows() >= static_cast<uint64_t>(parted_ingest_flows) || builder.has_given();
    TakenSegments taken{nullptr, 0, are_many};
    std::vector<SegmentBytes> made;
    if (taken.are_parted) {
        made = builder.take(static_cast<uint64_t>(own_hour_threshold(settings::max_segment_flows)), end);
    } else if (builder.flows() > 0) {
        made.push_back(builder.build());
        builder.clear();
    }
    taken.segments =
        static_cast<struct varlena **>(allocate(CurrentMemoryContext, sizeof(struct varlena *) * (made.size() + 1)));
    for (SegmentBytes &bytes : made) {
        taken.segments[taken.count++] = to_varlena(bytes);
        SegmentBytes().swap(bytes);
    }
    return taken;
}

void store_segments(const Store &store, const TakenSegments &taken) {
    for (size_t i = 0; i < taken.count; ++i) {
        SegmentFacts facts = facts_of_stored(taken.segments[i]);
        bool has_own_hour = taken.are_parted && facts.hour_min == facts.hour_max &&
                            facts.flows >= own_hour_threshold(settings::max_segment_flows);
        int64_t id = insert_segment(store, level_of_ingest(facts.flows, has_own_hour), facts, taken.segments[i]);
        pfree(taken.segments[i]);
        if (facts.hours != nullptr)
            pfree(facts.hours);
        merge_after_ingest(store, id, facts.flows);
    }
    pfree(taken.segments);
}

SegmentList list_segments(const Store &store, int32_t hour_first, int32_t hour_last) {
    MemoryContext caller = CurrentMemoryContext;
    RunAsOwner saved = begin_as_owner(store);
    connect_spi();
    Datum values[] = {Int32GetDatum(hour_first), Int32GetDatum(hour_last)};
    run(store, Statement::list_segments, values, nullptr, true);

    SegmentList list{};
    const uint64_t found = SPI_processed;
    MemoryContext spi = MemoryContextSwitchTo(caller);
    list.rows = static_cast<SegmentRow *>(MemoryContextAllocHuge(caller, sizeof(SegmentRow) * (found > 0 ? found : 1)));
    for (uint64_t i = 0; i < found; ++i) {
        bool has_no_set = false;
        Datum set = result(i, 6, &has_no_set);
        SegmentRow row{DatumGetInt64(result(i, 1)), DatumGetInt32(result(i, 2)),
                       DatumGetInt32(result(i, 3)), DatumGetInt64(result(i, 4)),
                       varlena_of(result(i, 5)),    has_no_set ? nullptr : varlena_of(set)};
        if (!may_hold_between(row, hour_first, hour_last))
            continue;
        // A TOAST pointer is copied as it is; nothing is read here.
        row.segment = varlena_of(datumCopy(PointerGetDatum(row.segment), false, -1));
        if (row.hours != nullptr)
            row.hours = varlena_of(datumCopy(PointerGetDatum(row.hours), false, -1));
        list.rows[list.count++] = row;
    }
    MemoryContextSwitchTo(spi);
    finish_spi();
    end_as_owner(saved);
    uint64_t estimate = estimated_segments(store);
    list.total = estimate > list.count ? estimate : list.count;
    return list;
}

uint64_t count_segments(const Store &store) {
    RunAsOwner saved = begin_as_owner(store);
    connect_spi();
    run(store, Statement::count_segments, nullptr, nullptr, true);
    auto count = static_cast<uint64_t>(DatumGetInt64(result(0, 1)));
    finish_spi();
    end_as_owner(saved);
    return count;
}

// Called by the extension's script before anything is made, so that CREATE EXTENSION refuses other encodings.
FAS_FUNCTION(fas_require_utf8) {
    require_utf8();
    PG_RETURN_VOID();
}

} // namespace fas::pg
