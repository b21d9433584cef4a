// What the benchmarks ask of a system: a session on it, timed. Connection is the one on PostgreSQL, by libpq; peers/
// has others. Every member throws std::runtime_error with the server's message.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace bench {

using Rows = std::vector<std::string>; // a row each, columns joined by tabs

inline double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Used by one thread at a time.
class Session {
  public:
    Session() = default;
    virtual ~Session() = default;
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    virtual void run(const std::string &sql) = 0; // results dropped
    virtual Rows rows(const std::string &sql) = 0;
    std::string value(const std::string &sql); // of the first column of the one row
    double number(const std::string &sql);

    // Seconds from sending until the whole result has arrived.
    virtual double time(const std::string &sql) = 0;

    virtual void prepare_batch(const std::string &statement) = 0;
    virtual double time_batch(const std::string &json) = 0; // the prepared statement, committed; seconds

    // Bulk load of a CSV file with `sql`; seconds.
    virtual double load_file(const std::string &sql, const std::string &path) = 0;
};

class Connection : public Session {
  public:
    explicit Connection(const std::string &conninfo);
    ~Connection() override;

    void run(const std::string &sql) override; // any number of statements
    Rows rows(const std::string &sql) override;
    double time(const std::string &sql) override;
    void prepare_batch(const std::string &statement) override { prepare("batch", statement); }
    double time_batch(const std::string &json) override { return time_prepared("batch", json); }
    double load_file(const std::string &sql, const std::string &path) override; // COPY … FROM STDIN

    void prepare(const std::string &name, const std::string &sql);
    double time_prepared(const std::string &name, const std::string &parameter); // seconds
    double time_counting(const std::string &sql, double &rows);                  // adds the answer's rows to `rows`
    int process() const { return PQbackendPID(connection_); }

  private:
    PGresult *check(PGresult *result, const std::string &sql); // frees and throws on error
    PGconn *connection_;
};

// Runs `work(i)` in `count` threads; the first exception is thrown again here.
void in_threads(size_t count, const std::function<void(size_t)> &work);

} // namespace bench
