// See report.hh.
#include "report.hh"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <span>
#include <stdexcept>

namespace bench {
namespace {

void header_row(std::ofstream &out, const char *first, std::span<const System> systems) {
    out << "| " << first << " |";
    for (const System &system : systems)
        out << ' ' << system.name << " |";
    out << "\n|---|";
    for (size_t i = 0; i < systems.size(); ++i)
        out << "--:|";
    out << '\n';
}

void figures_table(std::ofstream &out, const Report &report, const std::vector<Figure> &figures) {
    header_row(out, "median (lowest to highest)", report.systems);
    for (const Figure &figure : figures) {
        out << "| " << figure.title << ", " << figure.unit << " |";
        for (const System &system : report.systems) {
            const Spread *spread = find(report, system.name, figure.id);
            if (spread == nullptr) {
                out << " - |";
                continue;
            }
            out << ' ' << rounded(spread->median, figure.decimals);
            if (spread->lowest != spread->highest)
                out << " (" << rounded(spread->lowest, figure.decimals) << " to "
                    << rounded(spread->highest, figure.decimals) << ')';
            out << " |";
        }
        out << '\n';
    }
}

double better_by(const Figure &figure, const Spread &ours, const Spread &theirs) {
    return figure.more_is_better ? ours.median / theirs.median : theirs.median / ours.median;
}

// How many times better the first system (fas) is than each other; below 1 it is worse. The last column is the peer
// that comes closest, or is ahead.
void ratios_table(std::ofstream &out, const Report &report, const std::vector<Figure> &figures) {
    const std::string &fas = report.systems.front().name;
    std::vector<System> columns(report.systems.begin() + 1, report.systems.end());
    columns.push_back({.name = "best peer"});
    header_row(out, "fas is better by a factor of", columns);
    columns.pop_back();
    for (const Figure &figure : figures) {
        const Spread *ours = find(report, fas, figure.id);
        std::string line, best;
        double least = 0;
        for (const System &system : columns) {
            const Spread *theirs = find(report, system.name, figure.id);
            if (ours == nullptr || theirs == nullptr || ours->median <= 0 || theirs->median <= 0) {
                line += " - |";
                continue;
            }
            double factor = better_by(figure, *ours, *theirs);
            line += ' ' + rounded(factor, 2) + " |";
            if (!system.name.starts_with(fas) && (best.empty() || factor < least)) {
                best = system.name;
                least = factor;
            }
        }
        if (!best.empty())
            out << "| " << figure.title << " |" << line << ' ' << best << ' ' << rounded(least, 2) << " |\n";
    }
}

} // namespace

std::string rounded(double value, int decimals) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

const Spread *find(const Report &report, const std::string &system, const std::string &id) {
    auto measured = report.measured.find(system);
    if (measured == report.measured.end())
        return nullptr;
    auto figure = measured->second.figures.find(id);
    return figure == measured->second.figures.end() ? nullptr : &figure->second;
}

Spread spread_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    size_t n = values.size();
    double median = n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    return {median, values.front(), values.back()};
}

double percentile(std::vector<double> values, double share) {
    size_t at = std::min(values.size() - 1, static_cast<size_t>(std::ceil(share * static_cast<double>(values.size()))));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

void write_report(const Report &report, const std::vector<Figure> &figures, const std::string &path) {
    std::ofstream out(path);
    out << "# fas side by side\n\n";
    for (const std::string &line : report.about)
        out << "- " << line << '\n';
    out << "\nThe systems, one after the other in each round; those of PostgreSQL in one cluster with one "
           "configuration:\n\n";
    for (const System &system : report.systems)
        out << "- **" << system.name << "**: " << system.remark << ".\n";
    for (const std::string &line : report.not_run)
        out << "- Not run: " << line << ".\n";
    out << "\n## Figures\n\n";
    figures_table(out, report, figures);
    out << "\n## Ratios\n\n";
    ratios_table(out, report, figures);
    out << "\n## Answers\n\n";
    for (const std::string &line : report.checked)
        out << "- " << line << '\n';
    out.close();
    if (!out)
        throw std::runtime_error("cannot write " + path);
}

} // namespace bench
