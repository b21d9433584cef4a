// See client.hh.
#include "client.hh"

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

struct FileCloser {
    void operator()(std::FILE *file) const { std::fclose(file); }
};

} // namespace

std::string Session::value(const std::string &sql) {
    Rows found = rows(sql);
    if (found.size() != 1)
        throw std::runtime_error("one row expected of: " + sql);
    return found[0].substr(0, found[0].find('\t'));
}

double Session::number(const std::string &sql) { return std::stod(value(sql)); }

Connection::Connection(const std::string &conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) {
        std::string why = PQerrorMessage(connection_);
        PQfinish(connection_);
        throw std::runtime_error(why);
    }
    PQsetNoticeProcessor(
        connection_, [](void *, const char *) {}, nullptr);
}

Connection::~Connection() { PQfinish(connection_); }

PGresult *Connection::check(PGresult *result, const std::string &sql) {
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN)
        return result;
    std::string why = PQerrorMessage(connection_);
    PQclear(result);
    throw std::runtime_error(why + "in: " + sql.substr(0, 300));
}

void Connection::run(const std::string &sql) { PQclear(check(PQexec(connection_, sql.c_str()), sql)); }

Rows Connection::rows(const std::string &sql) {
    PGresult *result = check(PQexec(connection_, sql.c_str()), sql);
    Rows rows;
    for (int row = 0; row < PQntuples(result); ++row) {
        std::string text;
        for (int column = 0; column < PQnfields(result); ++column) {
            if (column > 0)
                text += '\t';
            text += PQgetvalue(result, row, column);
        }
        rows.push_back(std::move(text));
    }
    PQclear(result);
    return rows;
}

double Connection::time(const std::string &sql) {
    double rows = 0;
    return time_counting(sql, rows);
}

double Connection::time_counting(const std::string &sql, double &rows) {
    auto start = Clock::now();
    PGresult *result = check(PQexec(connection_, sql.c_str()), sql);
    double seconds = seconds_since(start);
    rows += PQntuples(result);
    PQclear(result);
    return seconds;
}

void Connection::prepare(const std::string &name, const std::string &sql) {
    PQclear(check(PQprepare(connection_, name.c_str(), sql.c_str(), 0, nullptr), sql));
}

double Connection::time_prepared(const std::string &name, const std::string &parameter) {
    const char *values[] = {parameter.c_str()};
    const int lengths[] = {static_cast<int>(parameter.size())};
    auto start = Clock::now();
    PGresult *result = PQexecPrepared(connection_, name.c_str(), 1, values, lengths, nullptr, 0);
    double seconds = seconds_since(start);
    PQclear(check(result, name));
    return seconds;
}

double Connection::load_file(const std::string &copy_sql, const std::string &path) {
    std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "r"));
    if (!file)
        throw std::runtime_error("cannot read " + path);
    std::vector<char> buffer(size_t{1} << 18);
    auto start = Clock::now();
    PQclear(check(PQexec(connection_, copy_sql.c_str()), copy_sql));
    while (size_t length = std::fread(buffer.data(), 1, buffer.size(), file.get()))
        if (PQputCopyData(connection_, buffer.data(), static_cast<int>(length)) != 1)
            throw std::runtime_error(PQerrorMessage(connection_));
    if (PQputCopyEnd(connection_, nullptr) != 1)
        throw std::runtime_error(PQerrorMessage(connection_));
    PQclear(check(PQgetResult(connection_), copy_sql));
    double seconds = seconds_since(start);
    while (PGresult *rest = PQgetResult(connection_))
        PQclear(rest);
    return seconds;
}

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

} // namespace bench
