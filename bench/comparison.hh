// The measurement of systems side by side: what is measured, in which order, and the checks that all answer the same.
#pragma once

#include <string>
#include <vector>

#include "report.hh"
#include "systems.hh"

namespace bench {

struct Settings {
    std::string conninfo, json, csv, report, chart;
    std::string load_csv; // scripts/load-csv, which connects by the environment; empty: not run
    std::vector<std::string> about, not_run;
    std::string duckdb, duckdb_in_order; // sockets; empty: not run
    int clickhouse = 0;                  // port; 0: not run
};

const std::vector<Figure> &figures();

class Comparison {
  public:
    explicit Comparison(const Settings &settings);
    void run();

  private:
    Session &session(const System &system); // kept open; for one thread
    void note(const System &system, const std::string &id, const Spread &spread);
    void note(const System &system, const std::string &id, double value) { note(system, id, {value, value, value}); }
    double wal_position();
    void checkpoint(const System &system);
    void wait_until_idle(const System &system);
    void check_totals(const std::string &when);

    void set_up();
    void measure_json();
    void json_round(const System &system, size_t begin, size_t end);
    void measure_json_clients();
    void measure_load();
    double load_parts(const System &system);
    double load_by_script(const System &system, bool by_server);
    bool server_reads_csv();
    void check_loaded(const System &system, double flows, const std::string &how);
    void measure_size();
    Subject choose_subject();
    void measure_questions();
    void check_answers(const Question &question);
    void measure_question_clients();
    void describe();

    struct JsonTimes {
        std::vector<double> rates, calls, wal;
    };

    const Settings &settings_;
    Connection connection_;
    Report report_;
    std::vector<System> stores_; // what is loaded; report_.systems also has fas asked in plain SQL
    std::map<std::string, std::unique_ptr<Session>> sessions_;
    std::map<std::string, JsonTimes> json_;
    std::vector<std::string> batches_;
    Subject subject_;
    double flows_ = 0;
};

} // namespace bench
