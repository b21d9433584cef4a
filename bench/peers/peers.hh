// Peers that are no PostgreSQL: DuckDB in a Node program (duckdb.mjs), ClickHouse by HTTP. peers/start starts them.
#pragma once

#include <string>
#include <vector>

#include "../systems.hh"

namespace bench {

// `socket`: where `node duckdb.mjs` listens. Loaded in order: sorted by hour and key while it is loaded.
System duckdb_system(const std::string &socket, bool in_order);

// `port` on 127.0.0.1; the password is in the environment's FAS_BENCH_CLICKHOUSE_KEY.
System clickhouse_system(int port, bool summing);

} // namespace bench
