// What the way through nginx and PostgREST costs beside the same done through libpq: a large POST, and a GET of an hour
// with many flow keys. The ways take turns, so that a slow minute of the machine hits all of them; medians are printed
// as Markdown, beside the bar. Fails when an answer is not what libpq says.
//
//   bars --conninfo TEXT --port N --postgrest SOCKET --batches FILE --hour N [--rounds N]
//
// FILE has a JSON array a line; each is posted once, by the next way in turn. The port of nginx, and PostgREST's own
// socket.
#include "client.hh"
#include "http.hh"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <vector>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Way {
    std::string name;
    std::function<double()> run; // takes its own time, in seconds
    std::vector<double> milliseconds = {};
};

void measure(std::vector<Way> &ways, int rounds) {
    for (int round = -1; round < rounds; ++round) // the first is not counted
        for (Way &way : ways) {
            double seconds = way.run();
            if (round >= 0)
                way.milliseconds.push_back(seconds * 1000);
        }
}

void print(const char *title, const std::vector<Way> &ways) {
    std::printf("\n%s\n\n| way | median ms | fastest | slowest |\n|---|---|---|---|\n", title);
    for (const Way &way : ways) {
        auto [low, high] = std::minmax_element(way.milliseconds.begin(), way.milliseconds.end());
        std::printf("| %s | %.1f | %.1f | %.1f |\n", way.name.c_str(), median(way.milliseconds), *low, *high);
    }
}

std::string checked(HttpAnswer answer) {
    if (answer.status != 200)
        throw std::runtime_error("status " + std::to_string(answer.status) + ": " + answer.body.substr(0, 300));
    return std::move(answer.body);
}

double timed(const std::function<std::string()> &ask, std::string &answer) {
    auto start = Clock::now();
    answer = ask();
    return seconds_since(start);
}

size_t count_of(const std::string &text, const std::string &part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++found;
    return found;
}

struct Options {
    std::string conninfo, port, postgrest, batches, hour;
    int rounds = 15;
};

void measure_posts(const Options &options, Connection &connection, HttpClient &nginx, HttpClient &postgrest) {
    std::ifstream file(options.batches);
    std::string body, answer;
    size_t flows = 0, bytes = 0, posted = 0;
    auto next = [&]() -> const std::string & {
        if (!std::getline(file, body))
            throw std::runtime_error("too few batches in " + options.batches);
        flows = count_of(body, "\"hour\"");
        bytes = body.size();
        posted += flows;
        return body;
    };
    auto expect_all = [&] {
        if (answer.find(":" + std::to_string(flows)) == std::string::npos &&
            answer.find(": " + std::to_string(flows)) == std::string::npos)
            throw std::runtime_error("not all flows were taken: " + answer);
    };
    connection.prepare("ingest", "SELECT flows_ingest($1::text)");
    double before = connection.number("SELECT flows FROM flows_aggregate('{}')");
    std::vector<Way> ways = {
        {"flows_ingest(text), libpq", [&] { return connection.time_prepared("ingest", next()); }},
        {"POST through nginx",
         [&] {
             const std::string &batch = next();
             double seconds = timed(
                 [&] { return checked(nginx.post("/flows", "Content-Type: application/json\r\n", batch)); }, answer);
             expect_all();
             return seconds;
         }},
        {"POST to PostgREST itself, text/plain", [&] {
             const std::string &batch = next();
             double seconds = timed(
                 [&] { return checked(postgrest.post("/rpc/flows_ingest", "Content-Type: text/plain\r\n", batch)); },
                 answer);
             expect_all();
             return seconds;
         }}};
    measure(ways, options.rounds);
    if (connection.number("SELECT flows FROM flows_aggregate('{}')") - before != static_cast<double>(posted))
        throw std::runtime_error("the store has not the flows that were posted");
    char title[200];
    std::snprintf(title, sizeof title, "One batch of %zu flows, %.1f MB of JSON", flows,
                  static_cast<double>(bytes) / 1e6);
    print(title, ways);
    std::printf("\nThe way through nginx and PostgREST adds %.1f ms (bar: at most 25).\n",
                median(ways[1].milliseconds) - median(ways[0].milliseconds));
}

void measure_gets(const Options &options, Connection &connection, HttpClient &nginx, HttpClient &postgrest) {
    std::string sql = "SELECT * FROM flows_by_hour(" + options.hour + ")", answer;
    size_t rows = connection.rows(sql).size();
    std::string range = "hour_from=" + options.hour + "&hour_to=" + options.hour;
    auto asking = [&](HttpClient &client, const std::string &target, const std::string &headers, size_t per_row) {
        return [&, target, headers, per_row] {
            double seconds = timed([&] { return checked(client.get(target, headers)); }, answer);
            size_t found = per_row == 0 ? count_of(answer, "\n") - (answer.back() == '\n' ? 1 : 0)
                                        : count_of(answer, "\"vpc_id\"");
            if (found != rows)
                throw std::runtime_error(target + ": " + std::to_string(found) + " rows, not " + std::to_string(rows));
            return seconds;
        };
    };
    std::vector<Way> ways = {
        {"SELECT * FROM flows_by_hour(), libpq", [&] { return connection.time(sql); }},
        {"GET /flows?hour=, through nginx", asking(nginx, "/flows?hour=" + options.hour, "", 1)},
        {"GET /rpc/flows_by_hour?hour=, PostgREST itself",
         asking(postgrest, "/rpc/flows_by_hour?hour=" + options.hour, "", 1)},
        {"GET of the slice by all dimensions, through nginx", asking(nginx, "/flows?" + range, "", 1)},
        {"the same as CSV", asking(nginx, "/flows?" + range, "Accept: text/csv\r\n", 0)}};
    measure(ways, options.rounds * 2);
    print(("An hour of " + std::to_string(rows) + " flow keys").c_str(), ways);
    std::printf("\nThrough nginx and PostgREST it takes %.2f times as long as through libpq (bar: at most 3).\n",
                median(ways[1].milliseconds) / median(ways[0].milliseconds));
}

bool parse(int count, char **arguments, Options &options) {
    std::map<std::string, std::string *> texts = {{"--conninfo", &options.conninfo},
                                                  {"--port", &options.port},
                                                  {"--postgrest", &options.postgrest},
                                                  {"--batches", &options.batches},
                                                  {"--hour", &options.hour}};
    std::map<std::string, int *> numbers = {{"--rounds", &options.rounds}};
    for (int i = 1; i + 1 < count; i += 2) {
        if (texts.count(arguments[i]) != 0)
            *texts[arguments[i]] = arguments[i + 1];
        else if (numbers.count(arguments[i]) != 0)
            *numbers[arguments[i]] = std::atoi(arguments[i + 1]);
        else
            return false;
    }
    return count % 2 == 1 && !options.port.empty() && !options.postgrest.empty() && !options.batches.empty() &&
           !options.hour.empty();
}

} // namespace
} // namespace bench

int main(int count, char **arguments) {
    bench::Options options;
    if (!bench::parse(count, arguments, options)) {
        std::fputs("bars --conninfo TEXT --port N --postgrest SOCKET --batches FILE --hour N [--rounds N]\n", stderr);
        return 2;
    }
    try {
        bench::Connection connection(options.conninfo);
        bench::HttpClient nginx(options.port, 60), postgrest(options.postgrest, 60);
        bench::measure_gets(options, connection, nginx, postgrest);
        bench::measure_posts(options, connection, nginx, postgrest);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "bars: %s\n", error.what());
        return 1;
    }
    return 0;
}
