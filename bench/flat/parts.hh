// The parts of the measurement. Each returns its piece of the report, in Markdown.
#pragma once

#include <string>

#include "store.hh"

namespace bench::flat {

// Ingest and Q1 at growing sizes; then, with hours in order, the memory of backends at the largest one.
std::string measure_growth(const Options &options, bool shuffled, bool with_memory);
std::string measure_writers(const Options &options);  // Q1 while four writers ingest
std::string measure_calls(const Options &options);    // one connection for long
std::string measure_snapshot(const Options &options); // an old snapshot is held under full ingest
std::string measure_steady(const Options &options);   // half the highest rate with autovacuum
std::string measure_small(const Options &options);    // batches of 10 and 100, beside a plain table

// On the store as it is, filled up to batch `next` of the feed; compacts it.
std::string measure_memory(const Options &options, const Feed &feed, std::atomic<uint64_t> &next);

} // namespace bench::flat
