// DuckDB as a peer: a session talks to duckdb.mjs, which takes the times, since DuckDB is a library in its client's
// process. A request is a line "OPERATION LENGTH" and so many bytes; an answer "ok|error SECONDS LENGTH" and so many.
#include <sstream>
#include <stdexcept>

#include "peers.hh"
#include "socket.hh"

namespace bench {
namespace {

const std::string key = "src_app, dest_app, vpc_id";

class DuckdbSession : public Session {
  public:
    explicit DuckdbSession(const std::string &path) : socket_(Socket::to_path(path)) {}

    void run(const std::string &sql) override { ask("time", sql); }
    Rows rows(const std::string &sql) override {
        std::istringstream text(ask("rows", sql).payload);
        Rows rows;
        for (std::string row; std::getline(text, row);)
            rows.push_back(std::move(row));
        return rows;
    }
    double time(const std::string &sql) override { return ask("time", sql).seconds; }
    void prepare_batch(const std::string &statement) override { ask("prepare", statement); }
    double time_batch(const std::string &json) override { return ask("batch", json).seconds; }
    double load_file(const std::string &sql, const std::string &path) override {
        std::string named = sql;
        named.replace(named.find("{csv}"), 5, path);
        return time(named);
    }

  private:
    struct Answer {
        double seconds;
        std::string payload;
    };
    Answer ask(const char *operation, const std::string &payload) {
        socket_.send(std::string(operation) + " " + std::to_string(payload.size()) + "\n" + payload);
        std::istringstream head(socket_.line());
        std::string status;
        double seconds = 0;
        size_t length = 0;
        head >> status >> seconds >> length;
        Answer answer{seconds, socket_.bytes(length)};
        if (status != "ok")
            throw std::runtime_error("DuckDB: " + answer.payload + " in: " + payload.substr(0, 300));
        return answer;
    }

    Socket socket_;
};

std::string ask_flows(const std::string &id, const Subject &s) {
    return from_rows("flows", id, s,
                     "NOT EXISTS (SELECT 1 FROM flows b WHERE b." + hours_before(id, s) +
                         " AND b.src_app = n.src_app AND b.dest_app = n.dest_app AND b.vpc_id = n.vpc_id)");
}

} // namespace

System duckdb_system(const std::string &socket, bool in_order) {
    const char *columns = "(hour INTEGER, src_app VARCHAR, dest_app VARCHAR, vpc_id VARCHAR, bytes_tx BIGINT, bytes_rx "
                          "BIGINT)";
    System system;
    system.name = in_order ? "DuckDB, in order" : "DuckDB";
    system.remark = in_order
                        ? "the same; the bulk load sorts by hour and key"
                        : "every flow kept; in the process of its client, so without a connection's cost; all "
                          "cores; times are until the result's columns are there, without reading them in JavaScript";
    system.connect = [socket] { return std::make_unique<DuckdbSession>(socket); };
    system.in_cluster = false;
    system.create = {std::string("CREATE TABLE flows ") + columns};
    system.drop = "DROP TABLE IF EXISTS flows";
    system.empty = "DROP TABLE flows; CHECKPOINT; CREATE TABLE flows " + std::string(columns);
    system.json_statement =
        "INSERT INTO flows SELECT hour, " + key +
        ", bytes_tx, bytes_rx FROM (SELECT unnest(from_json($1::JSON, '[{\"hour\":\"INTEGER\",\"src_app\":\"VARCHAR\","
        "\"dest_app\":\"VARCHAR\",\"vpc_id\":\"VARCHAR\",\"bytes_tx\":\"BIGINT\",\"bytes_rx\":\"BIGINT\"}]'), "
        "recursive "
        ":= true))";
    std::string reading = "read_csv('{csv}', header = false, columns = {'hour': 'INTEGER', 'src_app': 'VARCHAR', "
                          "'dest_app': 'VARCHAR', 'vpc_id': 'VARCHAR', 'bytes_tx': 'BIGINT', 'bytes_rx': 'BIGINT'})";
    system.load = {{in_order ? "INSERT INTO flows SELECT * FROM " + reading + " ORDER BY hour, " + key
                             : "COPY flows FROM '{csv}' (FORMAT csv, HEADER false)",
                    true},
                   {"CHECKPOINT"}};
    system.vacuum = {"CHECKPOINT"};
    system.size = "file size"; // duckdb.mjs knows the file, and its write-ahead log
    system.total = "SELECT count(*), sum(bytes_tx), sum(bytes_rx) FROM flows";
    system.question = ask_flows;
    return system;
}

} // namespace bench
