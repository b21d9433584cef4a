// Measures fas beside a plain table and an upserted roll-up, in one cluster, on the same data, and writes a report.
// Exits with 1 when any answer differs between systems. bench/run makes the cluster and the data and calls this.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>

#include "client.hh"
#include "report.hh"
#include "systems.hh"

namespace {

using namespace bench;
using Clock = std::chrono::steady_clock;

constexpr int json_rounds = 3; // the JSON batches are dealt to this many rounds, systems taking turns
constexpr int load_rounds = 2;
constexpr int question_runs = 11;
constexpr double question_seconds = 6; // a slow question is asked at least 3 times, then until this is spent
constexpr double clients_seconds = 4;
constexpr size_t clients = 4;

struct Settings {
    std::string conninfo, json, csv, report;
    std::vector<std::string> about;
};

const std::vector<Figure> figures = {
    {"load", "bulk load, COPY of CSV, one connection", "thousand flows/s", 0, true},
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

void say(const std::string &text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

std::string rounded(double value) {
    char text[32];
    std::snprintf(text, sizeof text, value < 10 ? "%.2f" : "%.0f", value);
    return text;
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

// Runs `work(i)` in `count` threads; the first exception is thrown again here.
void in_threads(size_t count, const std::function<void(size_t)> &work) {
    std::vector<std::exception_ptr> failures(count);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i)
        threads.emplace_back([&, i] {
            try {
                work(i);
            } catch (...) {
                failures[i] = std::current_exception();
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    for (const std::exception_ptr &failure : failures)
        if (failure)
            std::rethrow_exception(failure);
}

class Comparison {
  public:
    explicit Comparison(const Settings &settings) : settings_(settings), connection_(settings.conninfo) {
        report_.systems = all_systems();
        for (const System &system : report_.systems)
            if (!system.json_statement.empty())
                stores_.push_back(system);
        batches_ = read_lines(settings.json);
    }

    void run() {
        for (const System &system : stores_) {
            connection_.run(system.drop);
            connection_.run(system.create);
        }
        measure_json();
        measure_json_clients();
        measure_load();
        measure_size();
        measure_questions();
        measure_question_clients();
        describe();
        write_report(report_, figures, settings_.report);
    }

  private:
    void note(const System &system, const std::string &id, const Spread &spread) {
        report_.measured[system.name].figures[id] = spread;
        for (const Figure &figure : figures)
            if (figure.id == id)
                say("  " + system.name + ": " + figure.title + ": " + rounded(spread.median) + " " + figure.unit);
    }
    void note(const System &system, const std::string &id, double value) { note(system, id, {value, value, value}); }

    double wal_position() { return connection_.number("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"); }

    // All stores hold the same flows, or this throws.
    void check_totals(const std::string &when) {
        std::string expected;
        for (const System &system : stores_) {
            std::string total = connection_.rows(system.total).at(0);
            if (expected.empty())
                expected = total;
            if (total != expected)
                throw std::runtime_error("after " + when + ", " + system.name + " holds (flows, bytes_tx, bytes_rx) " +
                                         total + ", " + stores_.front().name + " holds " + expected);
        }
        std::replace(expected.begin(), expected.end(), '\t', '/');
        report_.checked.push_back("After " + when +
                                  " every system holds the same flows/bytes_tx/bytes_rx: " + expected + ".");
    }

    void measure_json() {
        say("JSON batches, one connection");
        std::map<std::string, std::vector<double>> rates, times, wal;
        double all_flows = 0;
        for (const std::string &batch : batches_)
            all_flows += static_cast<double>(flows_of(batch));
        size_t per_round = (batches_.size() + json_rounds - 1) / json_rounds;
        for (size_t begin = 0; begin < batches_.size(); begin += per_round) {
            size_t end = std::min(batches_.size(), begin + per_round);
            for (const System &system : stores_) {
                Connection connection(settings_.conninfo);
                connection.prepare("batch", system.json_statement);
                connection_.run("CHECKPOINT");
                double wal_before = wal_position(), flows = 0;
                auto start = Clock::now();
                for (size_t i = begin; i < end; ++i) {
                    times[system.name].push_back(1000 * connection.time_prepared("batch", batches_[i]));
                    flows += static_cast<double>(flows_of(batches_[i]));
                }
                rates[system.name].push_back(flows / seconds_since(start) / 1000);
                wal[system.name].push_back((wal_position() - wal_before) / flows);
            }
        }
        for (const System &system : stores_) {
            note(system, "json", spread_of(rates[system.name]));
            note(system, "json_p50", percentile(times[system.name], 0.5));
            note(system, "json_p99", percentile(times[system.name], 0.99));
            note(system, "json_max", percentile(times[system.name], 1.0));
            note(system, "wal", spread_of(wal[system.name]));
            note(system, "json_size", connection_.number(system.size) / all_flows);
        }
        check_totals("the JSON batches");
    }

    void measure_json_clients() {
        say("JSON batches, 4 connections");
        size_t count = std::min<size_t>(batches_.size(), 1000);
        double flows = 0;
        for (size_t i = 0; i < count; ++i)
            flows += static_cast<double>(flows_of(batches_[i]));
        for (const System &system : stores_) {
            connection_.run(system.empty);
            connection_.run("CHECKPOINT");
            std::atomic<size_t> next{0};
            auto start = Clock::now();
            in_threads(clients, [&](size_t) {
                Connection connection(settings_.conninfo);
                connection.prepare("batch", system.json_statement);
                for (size_t i = next++; i < count; i = next++)
                    connection.time_prepared("batch", batches_[i]);
            });
            note(system, "json4", flows / seconds_since(start) / 1000);
        }
        check_totals("JSON batches from 4 connections");
    }

    void measure_load() {
        say("bulk load");
        double lines = count_lines(settings_.csv);
        std::map<std::string, std::vector<double>> rates;
        for (int round = 0; round < load_rounds; ++round)
            for (const System &system : stores_) {
                connection_.run(system.empty);
                connection_.run("CHECKPOINT");
                double seconds = 0;
                for (const std::string &sql : system.load)
                    seconds +=
                        sql.starts_with("COPY") ? connection_.copy_file(sql, settings_.csv) : connection_.time(sql);
                rates[system.name].push_back(lines / seconds / 1000);
            }
        for (const System &system : stores_)
            note(system, "load", spread_of(rates[system.name]));
        flows_ = lines;
        check_totals("the bulk load");
    }

    void measure_size() {
        say("size");
        for (const System &system : stores_) {
            for (int turn = 0; !system.settle.empty() && turn < 1000 && connection_.number(system.settle) > 0; ++turn)
                continue;
            for (const std::string &sql : system.vacuum)
                connection_.run(sql);
            note(system, "size", connection_.number(system.size) / flows_);
            if (!system.live.empty())
                note(system, "live", connection_.number(system.live) / flows_);
        }
        connection_.run("CHECKPOINT");
    }

    Subject choose_subject() {
        Subject subject;
        subject.hour = connection_.value("SELECT percentile_disc(0.6) WITHIN GROUP (ORDER BY hour) FROM plain");
        std::string last = connection_.value("SELECT max(hour) FROM plain");
        subject.day_to = last;
        subject.day_from = std::to_string(std::max(0, std::stoi(last) - 23));
        subject.app =
            connection_.value("SELECT src_app FROM (SELECT src_app, count(*) n FROM plain GROUP BY 1 ORDER BY "
                              "n DESC OFFSET 20 LIMIT 1) s");
        return subject;
    }

    void measure_questions() {
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
                    mine.push_back(1000 * connection_.time(system.question(question.id, subject_)));
                    spent[system.name] += mine.back() / 1000;
                }
            for (const System &system : report_.systems)
                note(system, question.id, spread_of(times[system.name]));
        }
    }

    // Serves as the warm-up too.
    void check_answers(const Question &question) {
        Rows expected;
        for (const System &system : report_.systems) {
            Rows rows = connection_.rows(system.question(question.id, subject_));
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

    void measure_question_clients() {
        say("Q1 from 4 clients");
        std::vector<std::string> hours = connection_.rows("SELECT DISTINCT hour FROM plain ORDER BY hour");
        for (const System &system : report_.systems) {
            std::atomic<size_t> answers{0};
            auto start = Clock::now();
            in_threads(clients, [&](size_t client) {
                Connection connection(settings_.conninfo);
                Subject subject = subject_;
                for (size_t i = client * 7; seconds_since(start) < clients_seconds; ++i, ++answers) {
                    subject.hour = hours[i % hours.size()];
                    connection.time(system.question("Q1", subject));
                }
            });
            note(system, "Q1s", static_cast<double>(answers) / seconds_since(start));
        }
    }

    void describe() {
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

    const Settings &settings_;
    Connection connection_;
    Report report_;
    std::vector<System> stores_; // what is loaded; report_.systems also has fas asked in plain SQL
    std::vector<std::string> batches_;
    Subject subject_;
    double flows_ = 0;
};

Settings parse_arguments(int count, char **arguments) {
    Settings settings;
    const std::map<std::string, std::string *> known = {{"--conninfo", &settings.conninfo},
                                                        {"--json", &settings.json},
                                                        {"--csv", &settings.csv},
                                                        {"--report", &settings.report}};
    for (int i = 1; i + 1 < count; i += 2) {
        std::string option = arguments[i];
        auto found = known.find(option);
        if (found != known.end())
            *found->second = arguments[i + 1];
        else if (option == "--about")
            settings.about.emplace_back(arguments[i + 1]);
    }
    if (settings.json.empty() || settings.csv.empty() || settings.report.empty()) {
        std::fputs("usage: compare --conninfo C --json FILE --csv FILE --report FILE [--about LINE]...\n", stderr);
        std::exit(2);
    }
    return settings;
}

} // namespace

int main(int count, char **arguments) {
    try {
        Settings settings = parse_arguments(count, arguments);
        Comparison(settings).run();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "compare: %s\n", error.what());
        return 1;
    }
    return 0;
}
