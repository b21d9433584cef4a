// flows_ingest() and flows_ingest_receipt(): a JSON array of flows becomes segments of the store, whole or not at all.
//
// Everything is parsed before anything is touched, so a bad batch costs no row and no lock. Then the batch key, if
// there is one, is claimed; then the segments are stored. Locks: those of batch_key.hh and compact.hh.
#include "postgres.hh"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "common/cryptohash.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
}

#include <algorithm>
#include <string_view>
#include <vector>

#include "../core/builder.hh"
#include "../core/digest.hh"
#include "../core/json.hh"
#include "batch_key.hh"
#include "datum.hh"
#include "guard.hh"
#include "ingest.hh"
#include "statements.hh"

namespace fas::pg {

namespace {

// A parsed batch: plain memory of the current memory context.
struct Batch {
    int64_t taken;
    TakenSegments *pieces;
    size_t piece_count;
    uint8_t digest[digest_size]; // where it was asked for
};

// Builds segments in bounded memory; what is built is PostgreSQL's memory already.
class CuttingBuilder final : public FlowSink {
  public:
    void add(const FlowView &flow) override {
        if (is_full(builder_))
            pieces_.push_back(take_segments(builder_, false));
        builder_.add(flow);
    }

    // At the end, once.
    void take(Batch &batch) {
        pieces_.push_back(take_segments(builder_, true));
        size_t count = pieces_.size();
        batch.pieces = static_cast<TakenSegments *>(allocate(CurrentMemoryContext, sizeof(TakenSegments) * count));
        std::copy(pieces_.begin(), pieces_.end(), batch.pieces);
        batch.piece_count = count;
    }

  private:
    SegmentBuilder builder_;
    std::vector<TakenSegments> pieces_;
};

// SHA-256 of a batch's flows. Plain memory: PostgreSQL releases the context itself after an error.
struct Hash {
    pg_cryptohash_ctx *context;
    bool is_sound;
};

Hash begin_hash() {
    Hash hash{pg_cryptohash_create(PG_SHA256), true};
    if (hash.context == nullptr || pg_cryptohash_init(hash.context) < 0)
        elog(ERROR, "could not initialize SHA-256");
    return hash;
}

void update_hash(void *state, const uint8_t *bytes, size_t size) noexcept {
    auto *hash = static_cast<Hash *>(state);
    if (pg_cryptohash_update(hash->context, bytes, size) < 0) // does not raise
        hash->is_sound = false;
}

void end_hash(const Hash &hash, uint8_t (&digest)[digest_size]) {
    if (!hash.is_sound || pg_cryptohash_final(hash.context, digest, digest_size) < 0)
        elog(ERROR, "could not compute SHA-256");
    pg_cryptohash_free(hash.context);
}

// Phase two of an ingest. Hashing costs time, so only a batch with a key is hashed.
Batch parse_batch(std::string_view text, ParseFlows parse, bool has_key) {
    Batch batch{};
    Hash hash{};
    if (has_key)
        hash = begin_hash();
    guarded([&] {
        CuttingBuilder builder;
        if (has_key) {
            FlowDigest digest(update_hash, &hash);
            TeeSink both(builder, digest);
            batch.taken = static_cast<int64_t>(parse(text, both));
            digest.finish();
        } else {
            batch.taken = static_cast<int64_t>(parse(text, builder));
        }
        builder.take(batch);
    });
    if (has_key)
        end_hash(hash, batch.digest);
    return batch;
}

// Phase three: everything that changes the store.
Receipt store_batch(const Store &store, const Batch &batch, text *key) {
    Receipt receipt{batch.taken, false, GetCurrentTransactionStartTimestamp()};
    RunAsOwner saved = begin_as_owner(store);
    if (key != nullptr) {
        connect_spi();
        receipt = claim_batch_key(store, key, batch.taken, batch.digest);
        if (!receipt.is_repeated)
            drop_some_old_keys(store);
        finish_spi();
    }
    for (size_t i = 0; !receipt.is_repeated && i < batch.piece_count; ++i)
        store_segments(store, batch.pieces[i]);
    end_as_owner(saved);
    return receipt;
}

// The key at argument 1, if the function has one; null for none.
text *key_argument(FunctionCallInfo fcinfo) {
    if (PG_NARGS() < 2 || PG_ARGISNULL(1))
        return nullptr;
    text *key = PG_GETARG_TEXT_PP(1);
    check_batch_key(key);
    return key;
}

uint64_t parse_json(std::string_view text, FlowSink &sink) { return parse_flows(text, {}, sink); }
uint64_t parse_jsonb(std::string_view text, FlowSink &sink) {
    return parse_flows(text, {.zero_fraction_is_integer = true}, sink);
}

Receipt ingest_text(FunctionCallInfo fcinfo) {
    Store store = store_for_ingest(fcinfo->flinfo->fn_oid, "flows_ingest()");
    text *key = key_argument(fcinfo);
    return ingest_batch(store, text_view(PG_GETARG_TEXT_PP(0)), parse_json, key);
}

} // namespace

Store store_for_ingest(Oid function, const char *command) {
    Store store = store_of_function(function);
    require_insert(store, GetUserId());
    PreventCommandIfReadOnly(command);
    return store;
}

Receipt ingest_batch(const Store &store, std::string_view text, ParseFlows parse, ::text *key) {
    Batch batch = parse_batch(text, parse, key != nullptr);
    return store_batch(store, batch, key);
}

// For text and json, whose values look alike; with and without a key.
FAS_FUNCTION(flows_ingest_text) {
    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    PG_RETURN_INT64(ingest_text(fcinfo).taken);
}

FAS_FUNCTION(flows_ingest_jsonb) {
    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    Store store = store_for_ingest(fcinfo->flinfo->fn_oid, "flows_ingest()");
    text *key = key_argument(fcinfo);
    Jsonb *flows = PG_GETARG_JSONB_P(0);
    StringInfoData json;
    initStringInfo(&json);
    (void)JsonbToCString(&json, &flows->root, VARSIZE(flows));
    Receipt receipt = ingest_batch(store, {json.data, static_cast<size_t>(json.len)}, parse_jsonb, key);
    pfree(json.data);
    PG_RETURN_INT64(receipt.taken);
}

FAS_FUNCTION(flows_ingest_receipt) {
    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    TupleDesc columns;
    if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "flows_ingest_receipt must return a row");
    Receipt receipt = ingest_text(fcinfo);
    Datum values[] = {Int64GetDatum(receipt.taken), BoolGetDatum(receipt.is_repeated),
                      TimestampTzGetDatum(receipt.received_at)};
    bool nulls[] = {false, false, false};
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

} // namespace fas::pg
