// See comparison.hh.
#include "comparison.hh"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "host.hh"
#include "peers/peers.hh"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int json_rounds = 3; // the JSON batches are dealt to this many rounds, systems taking turns
constexpr int load_rounds = 3;
constexpr int question_runs = 11;
constexpr double question_seconds = 6; // a slow question is asked at least 3 times, then until this is spent
constexpr int clients_rounds = 3;
constexpr double clients_seconds = 2;
constexpr size_t clients = 4;

std::string rounded(double value) {
    char text[32];
    std::snprintf(text, sizeof text, value < 10 ? "%.2f" : "%.0f", value);
    return text;
}

void say(const std::string &text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

std::vector<std::string> read_lines(const std::string &path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
        lines.push_back(std::move(line));
    if (lines.empty())
        throw std::runtime_error("no lines in " + path);
    return lines;
}

double count_lines(const std::string &path) {
    std::ifstream file(path);
    double count = 0;
    for (std::string line; std::getline(file, line);)
        ++count;
    return count;
}

size_t flows_of(const std::string &batch) { return static_cast<size_t>(std::count(batch.begin(), batch.end(), '}')); }

} // namespace

const std::vector<Figure> &figures() {
    static const std::vector<Figure> all = {
        {"load", "bulk load of a CSV, one connection", "thousand flows/s", 0, true},
        {"load4", "bulk load of a CSV in 4 parts, 4 connections", "thousand flows/s", 0, true},
        {"load_csv", "bulk load of a CSV by load-csv, 4 connections", "thousand flows/s", 0, true},
        {"load_csv_s", "the same, the server reads the file (load-csv -s)", "thousand flows/s", 0, true},
        {"load_best", "bulk load of a CSV, the quickest of these", "thousand flows/s", 0, true},
        {"json", "JSON batches, one connection, each committed", "thousand flows/s", 0, true},
        {"json_p50", "JSON batch, median", "ms", 2, false},
        {"json_p99", "JSON batch, 99th percentile", "ms", 2, false},
        {"json_max", "JSON batch, slowest", "ms", 1, false},
        {"json4", "JSON batches, 4 connections", "thousand flows/s", 0, true},
        {"wal", "WAL while JSON batches come in", "bytes/flow", 1, false},
        {"json_size", "on disk straight after JSON batches", "bytes/flow", 1, false},
        {"size", "on disk after bulk load, compaction and VACUUM", "bytes/flow", 2, false},
        {"live", "of that, the segments alone", "bytes/flow", 2, false},
        {"Q1", "Q1 one hour, by flow key", "ms", 2, false},
        {"Q2", "Q2 24 hours, by flow key", "ms", 2, false},
        {"Q3", "Q3 one app's peers, all hours", "ms", 2, false},
        {"Q4", "Q4 by VPC, all hours", "ms", 2, false},
        {"Q5", "Q5 by hour, all hours", "ms", 2, false},
        {"Q6", "Q6 new talkers against the hour before", "ms", 2, false},
        {"Q7", "Q7 new talkers against the 24 hours before", "ms", 2, false},
        {"Q1s", "Q1 from 4 clients at once", "answers/s", 0, true},
    };
    return all;
}

Comparison::Comparison(const Settings &settings) : settings_(settings), connection_(settings.conninfo) {
    report_.systems = cluster_systems(settings.conninfo);
    if (!settings.duckdb.empty())
        report_.systems.push_back(duckdb_system(settings.duckdb, false));
    if (!settings.duckdb_in_order.empty())
        report_.systems.push_back(duckdb_system(settings.duckdb_in_order, true));
    if (settings.clickhouse != 0)
        for (bool summing : {false, true})
            report_.systems.push_back(clickhouse_system(settings.clickhouse, summing));
    report_.not_run = settings.not_run;
    for (const System &system : report_.systems) {
        sessions_[system.name] = system.connect();
        if (!system.json_statement.empty())
            stores_.push_back(system);
    }
    batches_ = read_lines(settings.json);
}

void Comparison::run() {
    const ProcessorTime begin = processor_time();
    set_up();
    measure_json();
    measure_json_clients();
    measure_load();
    measure_size();
    measure_questions();
    measure_question_clients();
    describe();
    report_.about.push_back("Processor time that the machine's host gave to others meanwhile: " +
                            rounded(100 * stolen_share(begin, processor_time())) + "%");
    write_report(report_, figures(), settings_.report);
    if (!settings_.chart.empty())
        write_chart(report_, settings_.chart);
}

Session &Comparison::session(const System &system) { return *sessions_.at(system.name); }

void Comparison::note(const System &system, const std::string &id, const Spread &spread) {
    report_.measured[system.name].figures[id] = spread;
    for (const Figure &figure : figures())
        if (figure.id == id)
            say("  " + system.name + ": " + figure.title + ": " + rounded(spread.median) + " " + figure.unit);
}

double Comparison::wal_position() { return connection_.number("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"); }

// So that each system's turn begins with the cluster at rest.
void Comparison::checkpoint(const System &system) {
    wait_until_idle(system);
    connection_.run("CHECKPOINT");
}

void Comparison::wait_until_idle(const System &system) {
    auto start = Clock::now();
    while (!system.busy.empty() && session(system).number(system.busy) > 0 && seconds_since(start) < 60)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

// All stores hold the same flows, or this throws.
void Comparison::check_totals(const std::string &when) {
    std::string expected;
    for (const System &system : stores_) {
        std::string total = session(system).rows(system.total).at(0);
        if (expected.empty())
            expected = total;
        if (total != expected)
            throw std::runtime_error("after " + when + ", " + system.name + " holds (flows, bytes_tx, bytes_rx) " +
                                     total + ", " + stores_.front().name + " holds " + expected);
    }
    std::replace(expected.begin(), expected.end(), '\t', '/');
    report_.checked.push_back("After " + when + " every system holds the same flows/bytes_tx/bytes_rx: " + expected +
                              ".");
}

void Comparison::set_up() {
    for (const System &system : stores_) {
        session(system).run(system.drop);
        for (const std::string &sql : system.create)
            session(system).run(sql);
    }
}

void Comparison::json_round(const System &system, size_t begin, size_t end) {
    std::unique_ptr<Session> own = system.connect();
    own->prepare_batch(system.json_statement);
    checkpoint(system);
    JsonTimes &times = json_[system.name];
    double wal_before = wal_position(), flows = 0, spent = 0;
    for (size_t i = begin; i < end; ++i) {
        double seconds = own->time_batch(batches_[i]);
        times.calls.push_back(1000 * seconds);
        spent += seconds;
        flows += static_cast<double>(flows_of(batches_[i]));
    }
    times.rates.push_back(flows / spent / 1000);
    if (system.in_cluster)
        times.wal.push_back((wal_position() - wal_before) / flows);
    wait_until_idle(system);
}

void Comparison::measure_json() {
    say("JSON batches, one connection");
    double all_flows = 0;
    for (const std::string &batch : batches_)
        all_flows += static_cast<double>(flows_of(batch));
    size_t per_round = (batches_.size() + json_rounds - 1) / json_rounds;
    for (size_t begin = 0; begin < batches_.size(); begin += per_round)
        for (const System &system : stores_)
            json_round(system, begin, std::min(batches_.size(), begin + per_round));
    for (const System &system : stores_) {
        const JsonTimes &times = json_[system.name];
        note(system, "json", spread_of(times.rates));
        note(system, "json_p50", percentile(times.calls, 0.5));
        note(system, "json_p99", percentile(times.calls, 0.99));
        note(system, "json_max", percentile(times.calls, 1.0));
        if (!times.wal.empty())
            note(system, "wal", spread_of(times.wal));
        note(system, "json_size", session(system).number(system.size) / all_flows);
    }
    check_totals("the JSON batches");
}

void Comparison::measure_json_clients() {
    say("JSON batches, 4 connections");
    size_t count = std::min<size_t>(batches_.size(), 1000);
    double flows = 0;
    for (size_t i = 0; i < count; ++i)
        flows += static_cast<double>(flows_of(batches_[i]));
    std::map<std::string, std::vector<double>> rates;
    for (int round = 0; round < json_rounds; ++round)
        for (const System &system : stores_) {
            session(system).run(system.empty);
            checkpoint(system);
            std::vector<std::unique_ptr<Session>> own;
            for (size_t i = 0; i < clients; ++i) {
                own.push_back(system.connect());
                own.back()->prepare_batch(system.json_statement);
            }
            std::atomic<size_t> next{0};
            auto start = Clock::now();
            in_threads(clients, [&](size_t client) {
                for (size_t i = next++; i < count; i = next++)
                    own[client]->time_batch(batches_[i]);
            });
            rates[system.name].push_back(flows / seconds_since(start) / 1000);
            wait_until_idle(system);
        }
    for (const System &system : stores_)
        note(system, "json4", spread_of(rates[system.name]));
    check_totals("JSON batches from 4 connections");
}

double Comparison::load_parts(const System &system) {
    std::vector<std::unique_ptr<Session>> own;
    for (size_t i = 0; i < clients; ++i)
        own.push_back(system.connect());
    auto start = Clock::now();
    in_threads(clients, [&](size_t client) {
        own[client]->load_file(system.load.front().sql, settings_.csv + "." + std::to_string(client));
    });
    return seconds_since(start);
}

// As a person would call it; the start of perl and of each psql is in the time.
double Comparison::load_by_script(const System &system, bool by_server) {
    session(system).run(system.empty);
    checkpoint(system);
    std::string command = "'" + settings_.load_csv + "' -j " + std::to_string(clients) + (by_server ? " -s '" : " '") +
                          settings_.csv + "'";
    auto start = Clock::now();
    if (std::system(command.c_str()) != 0)
        throw std::runtime_error("failed: " + command);
    return seconds_since(start);
}

// The server may run as another user, who can't read what is ours.
bool Comparison::server_reads_csv() {
    try {
        return connection_.value("SELECT length(pg_read_file('" + settings_.csv + "', 0, 1))") == "1";
    } catch (const std::exception &) {
        return false;
    }
}

void Comparison::check_loaded(const System &system, double flows, const std::string &how) {
    if (session(system).rows(system.total).at(0).find(std::to_string(static_cast<long long>(flows)) + "\t") != 0)
        throw std::runtime_error(system.name + " lost flows of a load " + how);
}

void Comparison::measure_load() {
    say("bulk load");
    double lines = count_lines(settings_.csv);
    std::map<std::string, std::vector<double>> rates, part_rates, script_rates[2];
    const bool server_reads = server_reads_csv();
    if (!server_reads)
        say("  the server can't read " + settings_.csv + ": load-csv -s is not measured");
    for (int round = 0; round < load_rounds; ++round)
        for (const System &system : stores_) {
            if (system.loads_parts) {
                session(system).run(system.empty);
                checkpoint(system);
                part_rates[system.name].push_back(lines / load_parts(system) / 1000);
                if (round == 0)
                    check_loaded(system, lines, "in parts");
            }
            for (bool by_server : {false, true})
                if (system.loads_by_script && !settings_.load_csv.empty() && (!by_server || server_reads)) {
                    script_rates[by_server][system.name].push_back(lines / load_by_script(system, by_server) / 1000);
                    if (round == 0)
                        check_loaded(system, lines, "by load-csv");
                }
            session(system).run(system.empty);
            checkpoint(system);
            double seconds = 0;
            for (const Step &step : system.load)
                seconds += step.takes_file ? session(system).load_file(step.sql, settings_.csv)
                                           : session(system).time(step.sql);
            rates[system.name].push_back(lines / seconds / 1000);
        }
    for (const System &system : stores_) {
        Spread best = spread_of(rates[system.name]);
        note(system, "load", best);
        if (system.loads_parts) {
            Spread parts = spread_of(part_rates[system.name]);
            note(system, "load4", parts);
            best = parts.median > best.median ? parts : best;
        }
        for (bool by_server : {false, true})
            if (auto &script = script_rates[by_server][system.name]; !script.empty()) {
                note(system, by_server ? "load_csv_s" : "load_csv", spread_of(script));
                best = spread_of(script).median > best.median ? spread_of(script) : best;
            }
        note(system, "load_best", best); // DuckDB reads one file on all cores
    }
    flows_ = lines;
    check_totals("the bulk load");
}

void Comparison::measure_size() {
    say("size");
    for (const System &system : stores_) {
        for (int turn = 0; !system.settle.empty() && turn < 1000 && session(system).number(system.settle) > 0; ++turn)
            continue;
        for (const std::string &sql : system.vacuum)
            session(system).run(sql);
        note(system, "size", session(system).number(system.size) / flows_);
        if (!system.live.empty())
            note(system, "live", session(system).number(system.live) / flows_);
    }
    connection_.run("CHECKPOINT");
}

Subject Comparison::choose_subject() {
    Subject subject;
    subject.hour = connection_.value("SELECT percentile_disc(0.6) WITHIN GROUP (ORDER BY hour) FROM plain");
    std::string last = connection_.value("SELECT max(hour) FROM plain");
    subject.day_to = last;
    subject.day_from = std::to_string(std::max(0, std::stoi(last) - 23));
    subject.app = connection_.value("SELECT src_app FROM (SELECT src_app, count(*) n FROM plain GROUP BY 1 ORDER BY "
                                    "n DESC OFFSET 20 LIMIT 1) s");
    return subject;
}

void Comparison::measure_questions() {
    say("questions");
    subject_ = choose_subject();
    report_.checked.push_back("The questions: hour " + subject_.hour + "; hours " + subject_.day_from + " to " +
                              subject_.day_to + "; app " + subject_.app + ".");
    for (const Question &question : questions()) {
        check_answers(question);
        std::map<std::string, std::vector<double>> times;
        std::map<std::string, double> spent;
        for (int run = 0; run < question_runs; ++run)
            for (const System &system : report_.systems) {
                std::vector<double> &mine = times[system.name];
                if (mine.size() >= 3 && spent[system.name] > question_seconds)
                    continue;
                mine.push_back(1000 * session(system).time(system.question(question.id, subject_)));
                spent[system.name] += mine.back() / 1000;
            }
        for (const System &system : report_.systems)
            note(system, question.id, spread_of(times[system.name]));
    }
}

// Serves as the warm-up too.
void Comparison::check_answers(const Question &question) {
    Rows expected;
    for (const System &system : report_.systems) {
        Rows rows = session(system).rows(system.question(question.id, subject_));
        std::sort(rows.begin(), rows.end());
        if (&system == &report_.systems.front())
            expected = rows;
        if (rows != expected)
            throw std::runtime_error(question.id + ": " + system.name + " answers otherwise than " +
                                     report_.systems.front().name);
    }
    report_.checked.push_back(question.id + " (" + question.title + "): " + std::to_string(expected.size()) +
                              " rows, the same from every system.");
}

void Comparison::measure_question_clients() {
    say("Q1 from 4 clients");
    std::vector<std::string> hours = connection_.rows("SELECT DISTINCT hour FROM plain ORDER BY hour");
    std::map<std::string, std::vector<double>> rates;
    for (int round = 0; round < clients_rounds; ++round)
        for (const System &system : report_.systems) {
            std::vector<std::unique_ptr<Session>> own;
            for (size_t i = 0; i < clients; ++i) {
                own.push_back(system.connect());
                own.back()->time(system.question("Q1", subject_)); // a new session's first
            }
            std::atomic<size_t> answers{0};
            auto start = Clock::now();
            in_threads(clients, [&](size_t client) {
                Subject subject = subject_;
                for (size_t i = client * 7; seconds_since(start) < clients_seconds; ++i, ++answers) {
                    subject.hour = hours[i % hours.size()];
                    own[client]->time(system.question("Q1", subject));
                }
            });
            rates[system.name].push_back(static_cast<double>(answers) / seconds_since(start));
        }
    for (const System &system : report_.systems)
        note(system, "Q1s", spread_of(rates[system.name]));
}

void Comparison::describe() {
    report_.about = settings_.about;
    report_.about.push_back(connection_.value("SELECT version()"));
    std::string text;
    for (const char *name : {"shared_buffers", "work_mem", "max_wal_size", "fsync", "synchronous_commit", "jit",
                             "max_parallel_workers_per_gather", "autovacuum"})
        text += std::string(text.empty() ? "" : ", ") + name + " " + connection_.value(std::string("SHOW ") + name);
    report_.about.push_back(text);
    report_.about.push_back("Client on the same machine, one persistent connection unless it says otherwise; times "
                            "are the client's, until the whole answer has arrived.");
}

} // namespace bench
