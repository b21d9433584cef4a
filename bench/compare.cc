// Measures fas beside a plain table, upserted roll-ups and other peers, on the same data, and writes a report. Exits
// with 1 when any answer differs between systems. bench/run makes the cluster, the peers and the data and calls this.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "comparison.hh"

namespace {

bench::Settings parse_arguments(int count, char **arguments) {
    bench::Settings settings;
    const std::map<std::string, std::string *> known = {
        {"--conninfo", &settings.conninfo}, {"--json", &settings.json},
        {"--csv", &settings.csv},           {"--load-csv", &settings.load_csv},
        {"--report", &settings.report},     {"--chart", &settings.chart},
        {"--duckdb", &settings.duckdb},     {"--duckdb-in-order", &settings.duckdb_in_order}};
    for (int i = 1; i + 1 < count; i += 2) {
        std::string option = arguments[i];
        auto found = known.find(option);
        if (found != known.end())
            *found->second = arguments[i + 1];
        else if (option == "--about")
            settings.about.emplace_back(arguments[i + 1]);
        else if (option == "--not-run")
            settings.not_run.emplace_back(arguments[i + 1]);
        else if (option == "--clickhouse")
            settings.clickhouse = std::atoi(arguments[i + 1]);
    }
    if (settings.json.empty() || settings.csv.empty() || settings.report.empty()) {
        std::fputs(
            "usage: compare --conninfo C --json FILE --csv FILE --report FILE [--chart FILE] [--load-csv SCRIPT]\n"
            "       [--duckdb SOCKET] [--duckdb-in-order SOCKET] [--clickhouse PORT] [--not-run LINE]...\n"
            "       [--about LINE]...\n"
            "The parts of the CSV, FILE.0 to FILE.3, lie beside it.\n",
            stderr);
        std::exit(2);
    }
    return settings;
}

} // namespace

int main(int count, char **arguments) {
    try {
        bench::Settings settings = parse_arguments(count, arguments);
        bench::Comparison(settings).run();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "compare: %s\n", error.what());
        return 1;
    }
    return 0;
}
