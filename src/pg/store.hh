// The store: finding the tables of the extension's schema, and who may do what with them.
//
// One room alone touches the tables flow_segments and flow_batches: store.cc (with batch_key.cc, compact.cc, expire.cc
// and upkeep.cc, which run the statements of statements.cc). All access runs as the tables' owner (RunAsOwner), never
// as superuser, never by the caller's search_path.
#pragma once

#include "postgres.hh"

#include <cstdint>

#include "../core/builder.hh"
#include "../core/segment.hh"

namespace fas::pg {

// The OIDs of one installation. Cheap (syscache look-ups); valid for the current command.
struct Store {
    Oid schema;
    Oid flows;                 // the foreign table
    Oid segments;              // flow_segments
    Oid batches;               // flow_batches
    Oid owner;                 // of flow_segments
    const char *quoted_schema; // for SQL texts; in the current memory context
};

// From any SQL function of the extension: the schema that the function lives in. Raises 55000 (object not in
// prerequisite state, with a hint) when a table is missing, 0A000 when the database is not UTF8.
Store store_of_function(Oid function);
Store store_of_schema(Oid schema);

// Raise 42501 unless `user` may SELECT from / INSERT into the relation `flows` (GetUserId() for SQL functions).
void require_select(const Store &store, Oid user);
void require_insert(const Store &store, Oid user);

// Raises 25001 where the transaction keeps one snapshot: upkeep must see what others have just committed.
void require_read_committed(const char *command);

// Switches to the store's owner (SECURITY_LOCAL_USERID_CHANGE); statements have a search_path of pg_catalog alone
// besides (run() in statements.hh). Restored by end(), and by PostgreSQL itself when a (sub)transaction aborts, so no
// destructor is needed and none is there.
struct RunAsOwner {
    Oid saved_user;
    int saved_context;
};
RunAsOwner begin_as_owner(const Store &store);
void end_as_owner(const RunAsOwner &saved);

// What is taken out of a builder: plain memory of the memory context that was current.
struct TakenSegments {
    struct varlena **segments;
    size_t count;
    bool are_parted; // by hour
};
// In guarded(): flows of `builder` as segments; all of them at the `end`, else what makes room (SegmentBuilder::take).
TakenSegments take_segments(SegmentBuilder &builder, bool end);
// Whether `builder` has as many flows, or as much memory, as it may.
bool is_full(const SegmentBuilder &builder);

// Stores segments as rows of flow_segments and frees them; when the id that one draws says that it is due, merges
// (never where IsolationUsesXactSnapshot()). Call between begin/end_as_owner.
void store_segments(const Store &store, const TakenSegments &taken);

// What the row of a segment repeats of it.
struct SegmentFacts {
    int32_t hour_min, hour_max;
    int64_t flows;
    struct varlena *hours; // segment_hours.hh; may be null
};
SegmentFacts facts_of(SegmentReader &segment); // in guarded()

// One row into flow_segments; returns its id (store_insert.cc). Call between begin/end_as_owner.
int64_t insert_segment(const Store &store, int32_t level, const SegmentFacts &facts, struct varlena *segment);

// The segments that may hold hours [first, last], for a scan: as the store's owner, under the active snapshot.
// `segment` may be a TOAST pointer: read it through ToastSource; `hours` may be null. Allocated in the current memory
// context.
struct SegmentRow {
    int64_t id;
    int32_t hour_min, hour_max;
    int64_t flows;
    struct varlena *segment;
    struct varlena *hours;
};
struct SegmentList {
    SegmentRow *rows;
    uint64_t count;
    uint64_t total; // segments in the store, from PostgreSQL's statistics: an estimate, at least `count`
};
SegmentList list_segments(const Store &store, int32_t hour_first, int32_t hour_last);

// Exactly, under the active snapshot; it reads the table, so it is for EXPLAIN and the like.
uint64_t count_segments(const Store &store);

} // namespace fas::pg
