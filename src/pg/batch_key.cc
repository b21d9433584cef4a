// See batch_key.hh.
#include "batch_key.hh"

extern "C" {
#include "access/xact.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "utils/builtins.h"
}

#include <algorithm>
#include <cstring>

#include "datum.hh"
#include "settings.hh"
#include "statements.hh"

namespace fas::pg {

namespace {

constexpr size_t max_key_bytes = 255;
constexpr int64_t keys_dropped_at_once = 100;

constexpr int64_t long_walk = 2000; // pages

// Keys received before this are expired. The transaction's time, like received_at: one answer for one transaction.
TimestampTz expiry() {
    return GetCurrentTransactionStartTimestamp() - static_cast<int64_t>(settings::batch_key_retention) * USECS_PER_SEC;
}

[[noreturn]] void refuse_other_flows(const text *key) {
    ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("batch key \"%s\" was used for other flows", text_to_cstring(key)),
                    errdetail("A batch that is sent again under its key must hold the same flows in the same order."),
                    errhint("Give each batch a key of its own.")));
    pg_unreachable();
}

// Inserts the row, or renews one that is expired; false where another batch holds the key.
bool take_key(const Store &store, Datum (&values)[4], TimestampTz *received_at) {
    for (Statement statement : {Statement::claim_key, Statement::renew_key}) {
        run(store, statement, values);
        bool is_taken = SPI_processed == 1;
        if (is_taken)
            *received_at = DatumGetTimestampTz(result(0, 1));
        SPI_freetuptable(SPI_tuptable);
        if (is_taken)
            return true;
    }
    return false;
}

} // namespace

void check_batch_key(const text *key) {
    size_t length = text_view(key).size();
    if (length < 1 || length > max_key_bytes)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("batch key must have 1 to 255 bytes"),
                        errdetail("The key has %zu bytes.", length),
                        errhint("A UUID makes a good key; NULL means that the batch has none.")));
}

Receipt claim_batch_key(const Store &store, text *key, int64_t taken, const uint8_t (&digest)[digest_size]) {
    auto *stored_digest = static_cast<bytea *>(palloc(VARHDRSZ + digest_size));
    SET_VARSIZE(stored_digest, VARHDRSZ + digest_size);
    std::memcpy(VARDATA(stored_digest), digest, digest_size);
    Datum values[] = {PointerGetDatum(key), Int64GetDatum(taken), PointerGetDatum(stored_digest),
                      TimestampTzGetDatum(expiry())};

    Receipt receipt{taken, false, 0};
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        // Waits for a transaction that has the same key, and raises 40001 where this transaction can't see what that
        // one has committed.
        if (take_key(store, values, &receipt.received_at))
            return receipt;
        run(store, Statement::find_key, values);
        if (SPI_processed == 1)
            break;
        // Its row has been dropped since: the key is free again.
        SPI_freetuptable(SPI_tuptable);
    }
    bytea *first = DatumGetByteaPP(result(0, 2));
    if (text_view(first) != text_view(stored_digest))
        refuse_other_flows(key);
    receipt = {DatumGetInt64(result(0, 1)), true, DatumGetTimestampTz(result(0, 3))};
    SPI_freetuptable(SPI_tuptable);
    return receipt;
}

uint64_t drop_old_keys(const Store &store, TimestampTz from, int64_t limit, TimestampTz *last) {
    Datum values[] = {TimestampTzGetDatum(from), TimestampTzGetDatum(expiry()), Int64GetDatum(limit)};
    run(store, Statement::drop_keys, values);
    uint64_t dropped = SPI_processed;
    for (uint64_t i = 0; i < dropped; ++i)
        *last = std::max(*last, DatumGetTimestampTz(result(i, 1)));
    SPI_freetuptable(SPI_tuptable);
    return dropped;
}

// Looking for the oldest key walks the index entries of all that were dropped before, for as long as an old snapshot
// keeps them. Where that was a long walk for little, the next ones are spared; a step drops more than arrive meanwhile.
void drop_some_old_keys(const Store &store) {
    if (IsolationUsesXactSnapshot())
        return;
    int &keys_to_spare = notes_of(store).keys_to_spare;
    if (keys_to_spare > 0) {
        --keys_to_spare;
        return;
    }
    int64_t before = pgBufferUsage.shared_blks_hit + pgBufferUsage.shared_blks_read;
    TimestampTz last = DT_NOBEGIN;
    uint64_t dropped = drop_old_keys(store, DT_NOBEGIN, keys_dropped_at_once, &last);
    int64_t walked = pgBufferUsage.shared_blks_hit + pgBufferUsage.shared_blks_read - before;
    if (dropped < keys_dropped_at_once && walked > long_walk)
        keys_to_spare = keys_dropped_at_once / 2;
}

} // namespace fas::pg
