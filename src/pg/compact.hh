// Compaction: merging small segments of the store into larger ones, in the transaction that asks for it.
//
// Rows are picked with FOR UPDATE SKIP LOCKED and deleted, and their merge is inserted: nobody waits, and readers see
// before or after. What to merge is decided in compact_plan.hh; merging itself is src/core/merge.hh.
//
// Locks: a heavyweight lock of its own class on each store. Compaction holds it shared to the end of its transaction,
// and only tries for it; flows_expire() holds it exclusively, so it never meets rows on their way past it.
#pragma once

#include "postgres.hh"

#include "compact_plan.hh"
#include "store.hh"

namespace fas::pg {

bool try_share_store(const Store &store); // for compaction; false while an expiry holds the lock or waits for it
void claim_store(const Store &store);     // for expiry; waits for compactions to end their transactions

struct MergeRequest {
    const int64_t *ids = nullptr;
    size_t count = 0;
    int64_t least_rows = 1; // SKIP LOCKED: when fewer are free, nothing is merged
    bool waits = false;     // for rows that others have locked
    int32_t input_level = 0;
    int32_t output_level = -1; // -1: as level_of_merge() says
    uint32_t first_hour = 0;   // flows of earlier hours are dropped
};

struct MergeResult {
    int64_t rows_read = 0;
    int64_t flows_read = 0;
    int64_t flows_written = 0;
    SegmentInfo *written = nullptr; // in the memory context that was current
    size_t written_count = 0;
};

// Takes rows out of flow_segments and puts their merge in. Between begin/end_as_owner; connects to SPI by itself.
MergeResult merge_rows(const Store &store, const MergeRequest &request);

// What the ingest that drew `id` for a segment of `flows` flows owes the store. A damaged segment is reported as a
// warning: no ingest fails for it. Does nothing where IsolationUsesXactSnapshot() or fas.auto_compact is off.
void merge_after_ingest(const Store &store, int64_t id, int64_t flows);

} // namespace fas::pg
