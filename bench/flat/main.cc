// Whether fas stays as quick as it was: with 100 million flows, under load, for long, with an old snapshot open.
// bench/run-flat makes the cluster and calls this; the report is written anew after each part.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <sstream>

#include "../host.hh"
#include "parts.hh"

namespace {

using namespace bench::flat;

std::vector<std::string> parts_of(const std::string &list) {
    std::vector<std::string> parts;
    std::istringstream text(list);
    for (std::string part; text >> part;)
        parts.push_back(part);
    return parts;
}

Options parse_arguments(int count, char **arguments) {
    Options options;
    options.parts = parts_of("growth writers calls snapshot steady small shuffled");
    for (int i = 1; i + 1 < count; i += 2) {
        std::string option = arguments[i], value = arguments[i + 1];
        if (option == "--conninfo")
            options.conninfo = value;
        else if (option == "--report")
            options.report = value;
        else if (option == "--data-directory")
            options.data_directory = value;
        else if (option == "--base")
            options.base = std::stoull(value);
        else if (option == "--seconds")
            options.seconds = std::stod(value);
        else if (option == "--about")
            options.about.push_back(value);
        else if (option == "--parts")
            options.parts = parts_of(value);
        else if (option == "--sizes") {
            options.sizes.clear();
            for (const std::string &size : parts_of(value))
                options.sizes.push_back(std::stoull(size));
        }
    }
    if (options.report.empty() || options.sizes.size() < 2) {
        std::fputs(
            "usage: measure-flat --conninfo C --report FILE [--sizes 'N N...'] [--base N] [--seconds N] [--parts "
            "'growth writers ...'] [--data-directory D] [--about LINE]...\n",
            stderr);
        std::exit(2);
    }
    return options;
}

void write_report(const Options &options, const std::string &body) {
    std::ofstream out(options.report);
    out << "# fas: does it stay as quick?\n\n";
    for (const std::string &line : options.about)
        out << "- " << line << '\n';
    out << "- Nothing but ingests has merged segments where it does not say so: no flows_compact(), no cron.\n\n"
        << body;
    out.close();
    if (!out)
        throw std::runtime_error("cannot write " + options.report);
}

} // namespace

int main(int count, char **arguments) {
    try {
        Options options = parse_arguments(count, arguments);
        const std::map<std::string, std::string (*)(const Options &)> known = {
            {"growth", [](const Options &o) { return measure_growth(o, false, true); }},
            {"shuffled", [](const Options &o) { return measure_growth(o, true, false); }},
            {"writers", measure_writers},
            {"calls", measure_calls},
            {"snapshot", measure_snapshot},
            {"steady", measure_steady},
            {"small", measure_small}};
        std::string body;
        for (const std::string &part : options.parts) {
            bench::ProcessorTime before = bench::processor_time();
            body += known.at(part)(options);
            body += "Processor time that the machine's host gave to others meanwhile: " +
                    fixed(100 * bench::stolen_share(before, bench::processor_time()), 1) + "%.\n\n";
            write_report(options, body);
        }
    } catch (const std::exception &error) {
        std::fprintf(stderr, "measure-flat: %s\n", error.what());
        return 1;
    }
    return 0;
}
