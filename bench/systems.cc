// See systems.hh.
#include "systems.hh"

#include <stdexcept>

namespace bench {
namespace {

const std::string key = "src_app, dest_app, vpc_id";
const std::string sums = "sum(bytes_tx) AS bytes_tx, sum(bytes_rx) AS bytes_rx";
const std::string recordset = " json_to_recordset($1::json) AS f(src_app text, dest_app text, vpc_id text, bytes_tx "
                              "bigint, bytes_rx bigint, hour int)";

[[noreturn]] void unknown(const std::string &id) { throw std::logic_error("no such question: " + id); }

std::string from_functions(const std::string &id, const Subject &s) {
    if (id == "Q1")
        return "SELECT " + key + ", bytes_tx, bytes_rx FROM flows_by_hour(" + s.hour + ")";
    if (id == "Q2")
        return "SELECT " + key + ", bytes_tx, bytes_rx FROM flows_aggregate('{src_app,dest_app,vpc_id}', " +
               s.day_from + ", " + s.day_to + ")";
    if (id == "Q3")
        return "SELECT dest_app, bytes_tx, bytes_rx FROM flows_aggregate('{dest_app}', src_app => ARRAY['" + s.app +
               "'])";
    if (id == "Q4")
        return "SELECT vpc_id, bytes_tx, bytes_rx FROM flows_aggregate('{vpc_id}')";
    if (id == "Q5")
        return "SELECT hour, bytes_tx, bytes_rx FROM flows_aggregate('{hour}')";
    if (id == "Q6")
        return "SELECT * FROM flows_new_keys(" + s.hour + ", " + s.hour + " - 1)";
    if (id == "Q7")
        return "SELECT * FROM flows_new_keys(" + s.hour + ", " + s.hour + " - 24)";
    unknown(id);
}

// NOT IN is the quicker form as long as PostgreSQL hashes the subquery, which it does not for the millions of single
// flows of 24 hours: then NOT EXISTS.
std::string unseen(const std::string &relation, const std::string &id, const Subject &s, bool hashed) {
    if (hashed)
        return "(" + key + ") NOT IN (SELECT " + key + " FROM " + relation + " WHERE " + hours_before(id, s) + ")";
    return "NOT EXISTS (SELECT FROM " + relation + " b WHERE b." + hours_before(id, s) +
           " AND (b.src_app, b.dest_app, b.vpc_id) = (n.src_app, n.dest_app, n.vpc_id))";
}

// The same text for `flows` and for the plain table.
std::string from_flows(const std::string &id, const Subject &s) {
    return from_rows("flows", id, s, unseen("flows", id, s, id == "Q6"));
}
std::string from_plain(const std::string &id, const Subject &s) {
    return from_rows("plain", id, s, unseen("plain", id, s, id == "Q6"));
}

// One row per (hour, key): an hour needs no GROUP BY.
std::string from_rollup_table(const std::string &table, const std::string &id, const Subject &s) {
    if (id == "Q1")
        return "SELECT " + key + ", bytes_tx, bytes_rx FROM " + table + " WHERE hour = " + s.hour;
    if (id == "Q6" || id == "Q7")
        return "SELECT " + key + ", bytes_tx, bytes_rx FROM " + table + " n WHERE hour = " + s.hour + " AND " +
               unseen(table, id, s, true);
    return from_rows(table, id, s, "");
}
std::string from_rollup(const std::string &id, const Subject &s) { return from_rollup_table("rollup", id, s); }
std::string from_numeric_rollup(const std::string &id, const Subject &s) {
    return from_rollup_table("numeric_rollup", id, s);
}

System fas_functions() {
    return {
        .name = "fas",
        .remark = "every flow kept; questions through flows_by_hour, flows_aggregate, flows_new_keys",
        .create = {"CREATE EXTENSION IF NOT EXISTS fas"},
        .drop = "DROP EXTENSION IF EXISTS fas CASCADE",
        .empty = "TRUNCATE flow_segments, flow_batches",
        .json_statement = "SELECT flows_ingest($1::text)",
        .load = {{"COPY flows (hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) FROM STDIN (FORMAT csv)", true}},
        .loads_parts = true,
        .loads_by_script = true,
        .settle = "SELECT segments_read FROM flows_compact()",
        .vacuum = {"VACUUM (ANALYZE) flow_segments", "VACUUM (ANALYZE) flow_batches"},
        .size = "SELECT pg_total_relation_size('flow_segments') + pg_total_relation_size('flow_batches')",
        .live = "SELECT live_bytes FROM flows_stats()",
        .total = "SELECT flows, bytes_tx, bytes_rx FROM flows_aggregate('{}')",
        .question = from_functions};
}

System fas_sql() {
    System system = fas_functions();
    system.name = "fas, plain SQL";
    system.remark = "the same store, asked with the plain table's SQL over `flows`";
    system.json_statement.clear();
    system.question = from_flows;
    return system;
}

System plain_table() {
    return {.name = "plain table",
            .remark = "every flow kept; index on (hour), extended statistics on the key",
            .create = {"CREATE TABLE plain (hour int NOT NULL, src_app text NOT NULL, dest_app text NOT NULL, vpc_id "
                       "text NOT NULL, bytes_tx bigint NOT NULL, bytes_rx bigint NOT NULL)",
                       "CREATE INDEX ON plain (hour)",
                       "CREATE STATISTICS plain_key (ndistinct) ON src_app, dest_app, vpc_id FROM plain"},
            .drop = "DROP TABLE IF EXISTS plain",
            .empty = "TRUNCATE plain",
            .json_statement = "INSERT INTO plain (hour, " + key + ", bytes_tx, bytes_rx) SELECT hour, " + key +
                              ", bytes_tx, bytes_rx FROM" + recordset,
            .load = {{"COPY plain FROM STDIN (FORMAT csv)", true}},
            .loads_parts = true,
            .vacuum = {"VACUUM (ANALYZE) plain"},
            .size = "SELECT pg_total_relation_size('plain')",
            .total = "SELECT count(*), sum(bytes_tx), sum(bytes_rx) FROM plain",
            .question = from_plain};
}

// One row for each (hour, flow key); `sums` is the type of the sums.
System rollup_of(const std::string &table, const std::string &type) {
    std::string into =
        "INSERT INTO " + table + " SELECT hour, " + key + ", sum(bytes_tx), sum(bytes_rx), count(*) FROM";
    // Ordered, so that concurrent batches take their row locks in one order and can't deadlock.
    std::string grouped = " GROUP BY hour, " + key + " ORDER BY hour, " + key;
    std::string add;
    for (const char *column : {"bytes_tx", "bytes_rx", "flows"})
        add += std::string(add.empty() ? "" : ", ") + column + " = " + table + "." + column + " + excluded." + column;
    return {.create = {"CREATE TABLE " + table + " (hour int, src_app text, dest_app text, vpc_id text, bytes_tx " +
                       type + " NOT NULL, bytes_rx " + type + " NOT NULL, flows bigint NOT NULL, PRIMARY KEY (hour, " +
                       key + "))"},
            .drop = "DROP TABLE IF EXISTS " + table,
            .empty = "TRUNCATE " + table,
            .json_statement = into + recordset + grouped + " ON CONFLICT (hour, " + key + ") DO UPDATE SET " + add,
            .load = {{"CREATE TEMPORARY TABLE staged (hour int, src_app text, dest_app text, vpc_id text, bytes_tx "
                      "bigint, bytes_rx bigint)"},
                     {"COPY staged FROM STDIN (FORMAT csv)", true},
                     {"ANALYZE staged"},
                     {into + " staged" + grouped},
                     {"DROP TABLE staged"}},
            .vacuum = {"VACUUM (ANALYZE) " + table},
            .size = "SELECT pg_total_relation_size('" + table + "')",
            .total = "SELECT sum(flows), sum(bytes_tx), sum(bytes_rx) FROM " + table};
}

System rollup_table() {
    System system = rollup_of("rollup", "bigint");
    system.name = "upserted roll-up";
    system.remark = "one row for each (hour, flow key), **single flows lost**; primary key (hour, src_app, dest_app, "
                    "vpc_id); sums are bigint and can overflow";
    system.question = from_rollup;
    return system;
}

System numeric_rollup_table() {
    System system = rollup_of("numeric_rollup", "numeric");
    system.name = "roll-up, numeric";
    system.remark = "the same with numeric sums, which can't overflow, as fas's can't";
    system.question = from_numeric_rollup;
    return system;
}

} // namespace

std::string hours_before(const std::string &id, const Subject &s) {
    return "hour BETWEEN " + s.hour + (id == "Q6" ? " - 1" : " - 24") + " AND " + s.hour + " - 1";
}

std::string from_rows(const std::string &relation, const std::string &id, const Subject &s, const std::string &unseen) {
    std::string by_key = "SELECT " + key + ", " + sums + " FROM " + relation;
    if (id == "Q1")
        return by_key + " WHERE hour = " + s.hour + " GROUP BY " + key;
    if (id == "Q2")
        return by_key + " WHERE hour BETWEEN " + s.day_from + " AND " + s.day_to + " GROUP BY " + key;
    if (id == "Q3")
        return "SELECT dest_app, " + sums + " FROM " + relation + " WHERE src_app = '" + s.app + "' GROUP BY dest_app";
    if (id == "Q4")
        return "SELECT vpc_id, " + sums + " FROM " + relation + " GROUP BY vpc_id";
    if (id == "Q5")
        return "SELECT hour, " + sums + " FROM " + relation + " GROUP BY hour";
    if (id == "Q6" || id == "Q7")
        return "SELECT * FROM (" + by_key + " WHERE hour = " + s.hour + " GROUP BY " + key + ") n WHERE " + unseen;
    unknown(id);
}

const std::vector<Question> &questions() {
    static const std::vector<Question> all = {
        {"Q1", "one hour, by flow key"},
        {"Q2", "24 hours, by flow key"},
        {"Q3", "one app's peers, all hours"},
        {"Q4", "by VPC, all hours"},
        {"Q5", "by hour, all hours"},
        {"Q6", "new talkers: an hour against the hour before"},
        {"Q7", "new talkers: an hour against the 24 before"},
    };
    return all;
}

std::vector<System> cluster_systems(const std::string &conninfo) {
    std::vector<System> all = {fas_functions(), fas_sql(), plain_table(), rollup_table(), numeric_rollup_table()};
    for (System &system : all)
        system.connect = [conninfo] { return std::make_unique<Connection>(conninfo); };
    return all;
}

} // namespace bench
