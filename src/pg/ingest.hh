// What all functions that take a batch share; JSON's are in ingest.cc, CSV's in ingest_csv.cc.
#pragma once

#include "postgres.hh"

#include <string_view>

#include "../core/flow.hh"
#include "batch_key.hh"
#include "store.hh"

namespace fas::pg {

// The store of the schema of `function`, which the current user must be allowed to insert into. `command` is what a
// read-only transaction refuses.
Store store_for_ingest(Oid function, const char *command);

// Feeds the flows of a text to a sink and returns how many; core code, which throws.
using ParseFlows = uint64_t (*)(std::string_view text, FlowSink &sink);

// Parses everything before anything is touched, claims `key` (checked; null for none), and stores the flows.
Receipt ingest_batch(const Store &store, std::string_view text, ParseFlows parse, ::text *key);

} // namespace fas::pg
