// A small libpq client: one connection, timed statements, COPY. Throws std::runtime_error with the server's message.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace bench {

using Rows = std::vector<std::string>; // a row each, columns joined by tabs

inline double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Connection {
  public:
    explicit Connection(const std::string &conninfo);
    ~Connection();
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;

    void run(const std::string &sql); // any number of statements, results dropped
    Rows rows(const std::string &sql);
    std::string value(const std::string &sql); // of the first column of the one row
    double number(const std::string &sql);

    // Seconds from sending until the whole result has arrived.
    double time(const std::string &sql);

    void prepare(const std::string &name, const std::string &sql);
    double time_prepared(const std::string &name, const std::string &parameter);

    // COPY … FROM STDIN of a whole file; returns the seconds it took.
    double copy_file(const std::string &copy_sql, const std::string &path);

  private:
    PGresult *check(PGresult *result, const std::string &sql); // frees and throws on error
    PGconn *connection_;
};

} // namespace bench
