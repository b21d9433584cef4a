// ClickHouse as a peer, by its HTTP interface over one kept connection a session.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "peers.hh"
#include "socket.hh"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

const std::string key = "src_app, dest_app, vpc_id";

std::string url_encoded(const std::string &text) {
    std::string encoded;
    for (unsigned char letter : text) {
        char hex[4];
        std::snprintf(hex, sizeof hex, "%%%02X", letter);
        encoded += std::isalnum(letter) != 0 ? std::string(1, static_cast<char>(letter)) : hex;
    }
    return encoded;
}

// [{…},{…}] as one object a line, which this version wants. The generator's names hold no braces.
std::string as_lines(std::string json) {
    json = json.substr(1, json.rfind(']') - 1);
    for (size_t at = 0; (at = json.find("},{", at)) != std::string::npos; at += 3)
        json[at + 1] = '\n';
    return json;
}

class ClickhouseSession : public Session {
  public:
    explicit ClickhouseSession(int port) : socket_(Socket::to_port(port)) {
        const char *password = std::getenv("FAS_BENCH_CLICKHOUSE_KEY");
        headers_ = "Host: 127.0.0.1\r\nX-ClickHouse-User: default\r\nX-ClickHouse-Key: " +
                   std::string(password != nullptr ? password : "") + "\r\n";
    }

    void run(const std::string &sql) override { ask("/", sql); }
    Rows rows(const std::string &sql) override {
        std::istringstream text(ask("/", sql));
        Rows rows;
        for (std::string row; std::getline(text, row);)
            rows.push_back(std::move(row));
        return rows;
    }
    double time(const std::string &sql) override {
        auto start = Clock::now();
        ask("/", sql);
        return seconds_since(start);
    }
    void prepare_batch(const std::string &statement) override { target_ = "/?query=" + url_encoded(statement); }
    double time_batch(const std::string &json) override {
        std::string lines = as_lines(json);
        auto start = Clock::now();
        ask(target_, lines);
        return seconds_since(start);
    }
    double load_file(const std::string &sql, const std::string &path) override {
        std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "r"), std::fclose);
        if (!file || std::fseek(file.get(), 0, SEEK_END) != 0)
            throw std::runtime_error("cannot read " + path);
        auto length = static_cast<size_t>(std::ftell(file.get()));
        std::rewind(file.get());
        std::string buffer(size_t{1} << 18, '\0');
        auto start = Clock::now();
        send_head("/?query=" + url_encoded(sql), length);
        while (size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get()))
            socket_.send({buffer.data(), got});
        receive(sql);
        return seconds_since(start);
    }

  private:
    void send_head(const std::string &target, size_t length) {
        socket_.send("POST " + target + " HTTP/1.1\r\n" + headers_ + "Content-Length: " + std::to_string(length) +
                     "\r\n\r\n");
    }
    std::string ask(const std::string &target, const std::string &body) {
        send_head(target, body.size());
        socket_.send(body);
        return receive(body);
    }
    std::string receive(const std::string &question) {
        std::string status = socket_.line(), text;
        bool chunked = false;
        size_t length = 0;
        for (std::string line = socket_.line(); !line.empty(); line = socket_.line()) {
            chunked = chunked || line == "Transfer-Encoding: chunked";
            if (line.starts_with("Content-Length: "))
                length = std::stoul(line.substr(16));
        }
        if (!chunked)
            text = socket_.bytes(length);
        while (chunked) {
            size_t size = std::stoul(socket_.line(), nullptr, 16);
            text += socket_.bytes(size);
            socket_.line();
            chunked = size > 0;
        }
        if (!status.starts_with("HTTP/1.1 200") || text.find("DB::Exception") != std::string::npos)
            throw std::runtime_error("ClickHouse: " + status + " " + text.substr(0, 500) +
                                     " in: " + question.substr(0, 300));
        return text;
    }

    Socket socket_;
    std::string headers_, target_;
};

std::string ask(const std::string &table, const std::string &id, const Subject &s) {
    return from_rows(table, id, s,
                     "(" + key + ") NOT IN (SELECT " + key + " FROM " + table + " WHERE " + hours_before(id, s) + ")");
}
std::string ask_merge_tree(const std::string &id, const Subject &s) { return ask("flows", id, s); }
std::string ask_summing(const std::string &id, const Subject &s) { return ask("summed", id, s); }

} // namespace

System clickhouse_system(int port, bool summing) {
    std::string table = summing ? "summed" : "flows";
    std::string columns = "hour, " + key + ", bytes_tx, bytes_rx";
    System system;
    system.name = summing ? "ClickHouse SummingMergeTree" : "ClickHouse MergeTree";
    system.remark =
        std::string(summing ? "sums for each (hour, flow key), **single flows lost**" : "every flow kept") +
        "; ordered by hour and key; by HTTP; this version syncs no insert to disk; sizes after OPTIMIZE FINAL";
    system.connect = [port] { return std::make_unique<ClickhouseSession>(port); };
    system.in_cluster = false;
    system.create = {"CREATE TABLE " + table +
                     " (hour UInt32, src_app String, dest_app String, vpc_id String, bytes_tx " +
                     "UInt64, bytes_rx UInt64" + (summing ? ", flows UInt64 DEFAULT 1" : "") +
                     ") ENGINE = " + (summing ? "SummingMergeTree((bytes_tx, bytes_rx, flows))" : "MergeTree") +
                     " ORDER BY (hour, src_app, dest_app, vpc_id)"};
    system.drop = "DROP TABLE IF EXISTS " + table;
    system.empty = "TRUNCATE TABLE " + table;
    system.json_statement = "INSERT INTO " + table + " (" + columns + ") FORMAT JSONEachRow";
    system.load = {{"INSERT INTO " + table + " (" + columns + ") FORMAT CSV", true}};
    system.loads_parts = true;
    system.busy = "SELECT count() FROM system.merges";
    system.vacuum = {"OPTIMIZE TABLE " + table + " FINAL"};
    system.size = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = '" + table + "'";
    system.total =
        std::string("SELECT ") + (summing ? "sum(flows)" : "count()") + ", sum(bytes_tx), sum(bytes_rx) FROM " + table;
    system.question = summing ? ask_summing : ask_merge_tree;
    return system;
}

} // namespace bench
