// The SQL statements of the store: prepared once for each installation and backend, and kept.
//
// Owner: this cache, in TopMemoryContext, keyed by the OID of flow_segments and the schema's name, so that
// DROP/CREATE EXTENSION and ALTER SCHEMA … RENAME give new plans. Entries of tables that are gone are freed when a new
// one is made.
#pragma once

#include "postgres.hh"

extern "C" {
#include "executor/spi.h"
#include "utils/timestamp.h"
}

#include "store.hh"

namespace fas::pg {

enum class Statement : uint8_t {
    insert_segment,
    list_segments,
    count_segments,
    find_candidates,
    pick_segments,
    take_segments,
    list_all,
    seal_segments,
    delete_expired,
    list_straddlers,
    claim_key,
    find_key,
    renew_key,
    drop_keys,
    stats,
};
inline constexpr size_t statement_count = static_cast<size_t>(Statement::stats) + 1;

// What a backend remembers of one installation; only hints, never needed to be right.
struct StoreNotes {
    int64_t debt[3];   // by level: the window of a merge that left so much behind that the next ingest goes on, else 0
    int keys_to_spare; // so many keyed ingests don't look for expired keys
};
StoreNotes &notes_of(const Store &store);

// Runs a statement; connected to SPI, between begin/end_as_owner. Results are in SPI_tuptable and SPI_processed.
// Not read_only: a snapshot of its own, in which whatever was committed before is seen (READ COMMITTED).
// read_only: the active snapshot. While it runs, search_path is pg_catalog alone.
void run(const Store &store, Statement statement, Datum *values, const char *nulls = nullptr, bool read_only = false);

// SPI_connect() and SPI_finish() that raise instead of returning a code.
void connect_spi();
void finish_spi();

// A column of row `row` of SPI_tuptable; columns count from 1. The datum points into SPI's memory.
Datum result(uint64_t row, int column, bool *is_null = nullptr);

// bigint[] of `ids`, in the current memory context.
Datum array_of_ids(const int64_t *ids, size_t count);

} // namespace fas::pg
