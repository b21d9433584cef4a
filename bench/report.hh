// What was measured, and its Markdown report.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "systems.hh"

namespace bench {

struct Spread {
    double median = 0, lowest = 0, highest = 0;
};
Spread spread_of(std::vector<double> values); // at least one
double percentile(std::vector<double> values, double share);

// Of one system; what was not measured has no entry, and the report says "-".
struct Measured {
    std::map<std::string, Spread> figures;
};

struct Figure {
    std::string id;
    std::string title;
    std::string unit;
    int decimals;
    bool more_is_better;
};

struct Report {
    std::vector<std::string> about;   // lines on machine, versions, data
    std::vector<std::string> checked; // what was compared and found equal
    std::vector<std::string> not_run; // peers that were not there, and why
    std::vector<System> systems;
    std::map<std::string, Measured> measured; // by system name
};

const Spread *find(const Report &report, const std::string &system, const std::string &id); // nullptr: not measured
std::string rounded(double value, int decimals);

void write_chart(const Report &report, const std::string &path); // SVG: chart.cc
void write_report(const Report &report, const std::vector<Figure> &figures, const std::string &path);

} // namespace bench
