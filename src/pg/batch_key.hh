// Batch keys: what makes a retry harmless. The rows of flow_batches are touched here alone.
//
// Locks: claim_batch_key() inserts the key's row, and so waits for whoever holds the same key uncommitted; nothing
// else waits.
#pragma once

#include "postgres.hh"

extern "C" {
#include "utils/timestamp.h"
}

#include "store.hh"

namespace fas::pg {

inline constexpr size_t digest_size = 32; // SHA-256

struct Receipt {
    int64_t taken;
    bool is_repeated; // the flows are stored already
    TimestampTz received_at;
};

// Raises 22023 unless the key has 1 to 255 bytes.
void check_batch_key(const text *key);

// Makes the key this transaction's, or finds the receipt of the batch that it was used for. Another digest raises
// 23505. Call it between begin/end_as_owner, connected to SPI, before anything is stored.
Receipt claim_batch_key(const Store &store, text *key, int64_t taken, const uint8_t (&digest)[digest_size]);

// Drops at most `limit` keys that are older than fas.batch_key_retention, beginning with the oldest at or after
// `from`, skipping what others have locked. Returns how many; `last` becomes the newest that was dropped.
uint64_t drop_old_keys(const Store &store, TimestampTz from, int64_t limit, TimestampTz *last);

// The bounded step that each keyed ingest takes. Does nothing where IsolationUsesXactSnapshot().
void drop_some_old_keys(const Store &store);

} // namespace fas::pg
