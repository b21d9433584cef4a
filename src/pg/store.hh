// The store: finding the tables of the extension's schema, and who may do what with them.
//
// One room alone touches the tables flow_segments and flow_batches: store.cc (with compact.cc and upkeep.cc). All
// access runs as the tables' owner (RunAsOwner), never as superuser, never by search_path.
#pragma once

#include "postgres.hh"

#include <cstdint>

namespace fas::pg {

// The OIDs of one installation. Cheap (syscache look-ups); valid for the current command.
struct Store {
    Oid schema;
    Oid flows;          // the foreign table
    Oid segments;       // flow_segments
    Oid batches;        // flow_batches
    Oid owner;          // of flow_segments
    const char *quoted_schema; // for SQL texts; in the current memory context
};

// From any SQL function of the extension: the schema that the function lives in. Raises 55000 (object not in
// prerequisite state, with a hint) when a table is missing, 0A000 when the database is not UTF8.
Store store_of_function(Oid function);
Store store_of_schema(Oid schema);

// Raise 42501 unless `user` may SELECT from / INSERT into the relation `flows` (GetUserId() for SQL functions).
void require_select(const Store &store, Oid user);
void require_insert(const Store &store, Oid user);

// Switches to the store's owner (SECURITY_LOCAL_USERID_CHANGE). Restored by end(), and by PostgreSQL itself when a
// (sub)transaction aborts, so no destructor is needed and none is there.
struct RunAsOwner {
    Oid saved_user;
    int saved_context;
};
RunAsOwner begin_as_owner(const Store &store);
void end_as_owner(const RunAsOwner &saved);

// Stores one segment as a row of flow_segments and, when its id says that it is due, merges (never where
// IsolationUsesXactSnapshot()). `segment` is a plain detoasted flow_segment datum. Call between begin/end_as_owner.
void store_segment(const Store &store, struct varlena *segment);

// The segments that may hold hours [first, last], for a scan: as the store's owner, under the active snapshot.
// `segment` may be a TOAST pointer: read it through ToastSource. Allocated in the current memory context.
struct SegmentRow {
    int64_t id;
    int32_t hour_min, hour_max;
    int64_t flows;
    struct varlena *segment;
};
struct SegmentList {
    SegmentRow *rows;
    uint64_t count;
    uint64_t total; // segments in the store as far as known cheaply (reltuples may serve); for EXPLAIN only
};
SegmentList list_segments(const Store &store, int32_t hour_first, int32_t hour_last);

} // namespace fas::pg
