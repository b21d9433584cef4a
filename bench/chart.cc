// The report as a picture: for each figure a row, for each system a mark on a logarithmic scale. Hand-made SVG without
// a script or a font of its own, in colours for light and dark pages.
#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <span>
#include <stdexcept>

#include "report.hh"

namespace bench {
namespace {

constexpr double width = 960, left = 236, right = 826, row_height = 27;

struct Mark {
    const char *name; // of the system
    const char *shape;
    bool hollow;
};
constexpr Mark marks[] = {
    {"fas", "fas", false},
    {"fas, plain SQL", "fas", true},
    {"plain table", "plain", false},
    {"upserted roll-up", "rollup", false},
    {"roll-up, numeric", "rollup", true},
    {"DuckDB", "duckdb", false},
    {"DuckDB, in order", "duckdb", true},
    {"ClickHouse MergeTree", "clickhouse", false},
    {"ClickHouse SummingMergeTree", "clickhouse", true},
};

struct Line {
    const char *figure;
    const char *label;
};
struct Panel {
    const char *title;
    std::vector<Line> lines;
};
const Panel panels[] = {
    {"Questions: milliseconds, left is better",
     {{"Q1", "Q1 one hour, by flow key"},
      {"Q2", "Q2 24 hours, by flow key"},
      {"Q3", "Q3 one app's peers"},
      {"Q4", "Q4 by VPC, all hours"},
      {"Q5", "Q5 by hour, all hours"},
      {"Q6", "Q6 new talkers, 1 hour"},
      {"Q7", "Q7 new talkers, 24 hours"}}},
    {"Writing: thousand flows a second, right is better",
     {{"json", "JSON batches of 1,000"},
      {"json4", "the same, 4 connections"},
      {"load", "bulk load of a CSV"},
      {"load_best", "the same, at best 4 connections"}}},
    {"On disk: bytes a flow, left is better", {{"size", "loaded and compacted"}}},
};

constexpr const char *style = R"(<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", "Liberation Sans", Helvetica, Arial, sans-serif; fill: #24292f }
.title { font-weight: 600 } .tick { font-size: 11px; fill: #656d76 } .value { font-weight: 600; fill: #c2410c }
.grid { stroke: #d0d7de; stroke-width: 1 } .span { stroke: #afb8c1; stroke-width: 1.5 }
.mark { stroke-width: 2 } .hollow { fill: #ffffff }
.fas { fill: #ea580c; stroke: #c2410c } .plain { fill: #6e7781; stroke: #57606a } .rollup { fill: #2f81f7; stroke: #0969da }
.duckdb { fill: #2da44e; stroke: #1a7f37 } .clickhouse { fill: #a371f7; stroke: #8250df }
.hollow.fas, .hollow.plain, .hollow.rollup, .hollow.duckdb, .hollow.clickhouse { fill: #ffffff }
.page { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .tick { fill: #8d96a0 } .value { fill: #ff9b57 } .page { fill: #0d1117 }
.grid { stroke: #30363d } .span { stroke: #57606a } .fas { stroke: #ff9b57 } .plain { stroke: #9ea7b3 }
.rollup { stroke: #79b8ff } .duckdb { stroke: #56d364 } .clickhouse { stroke: #c8a6ff }
.hollow.fas, .hollow.plain, .hollow.rollup, .hollow.duckdb, .hollow.clickhouse { fill: #0d1117 }
}
</style>
)";

std::string at(double value) { return rounded(value, 1); }

// Three digits are what a reader wants.
std::string short_number(double value) { return rounded(value, value < 1 ? 2 : value < 100 ? 1 : 0); }

std::string text(double x, double y, const std::string &words, const char *style_class, const char *anchor) {
    return "<text class=\"" + std::string(style_class) + "\" x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" +
           anchor + "\">" + words + "</text>\n";
}

std::string shape(const Mark &mark, double x, double y) {
    std::string kind = mark.shape, head = std::string("class=\"mark ") + (mark.hollow ? "hollow " : "") + kind + "\"";
    if (kind == "fas")
        return "<circle " + head + " cx=\"" + at(x) + "\" cy=\"" + at(y) + "\" r=\"6.5\"/>\n";
    std::vector<std::array<double, 2>> corners;
    if (kind == "plain")
        corners = {{-4.5, -4.5}, {4.5, -4.5}, {4.5, 4.5}, {-4.5, 4.5}};
    else if (kind == "rollup")
        corners = {{0, -5.5}, {5.5, 4.5}, {-5.5, 4.5}};
    else if (kind == "duckdb")
        corners = {{0, -6}, {6, 0}, {0, 6}, {-6, 0}};
    else
        corners = {{0, 5.5}, {5.5, -4.5}, {-5.5, -4.5}};
    std::string points;
    for (const auto &[dx, dy] : corners)
        points += (points.empty() ? "" : " ") + at(x + dx) + "," + at(y + dy);
    return "<polygon " + head + " points=\"" + points + "\"/>\n";
}

struct Row {
    const char *label;
    std::vector<std::pair<const Mark *, double>> values; // fas last, so that nothing hides it
};

std::vector<Row> rows_of(const Report &report, const Panel &panel) {
    std::vector<Row> rows;
    for (const Line &line : panel.lines) {
        Row row{line.label, {}};
        for (const Mark &mark : marks)
            if (const Spread *spread = find(report, mark.name, line.figure); spread != nullptr && spread->median > 0)
                row.values.emplace_back(&mark, spread->median);
        std::reverse(row.values.begin(), row.values.end());
        if (!row.values.empty())
            rows.push_back(row);
    }
    return rows;
}

// A panel with its top at `y`; returns the y below it.
double draw_panel(std::ofstream &out, const Panel &panel, std::span<const Row> rows, double y) {
    double lowest = 1e300, highest = 0;
    for (const Row &row : rows)
        for (const auto &[mark, value] : row.values) {
            lowest = std::min(lowest, value);
            highest = std::max(highest, value);
        }
    int from = static_cast<int>(std::floor(std::log10(lowest))), to = static_cast<int>(std::ceil(std::log10(highest)));
    to = std::max(to, from + 1);
    auto place = [&](double value) { return left + (right - left) * (std::log10(value) - from) / (to - from); };
    out << text(16, y + 16, panel.title, "title", "start");
    double top = y + 28, bottom = top + row_height * static_cast<double>(rows.size());
    for (int power = from; power <= to; ++power) {
        double x = place(std::pow(10.0, power));
        out << "<line class=\"grid\" x1=\"" << at(x) << "\" x2=\"" << at(x) << "\" y1=\"" << at(top) << "\" y2=\""
            << at(bottom) << "\"/>\n"
            << text(x, bottom + 14, rounded(std::pow(10.0, power), std::max(0, -power)), "tick", "middle");
    }
    for (size_t i = 0; i < rows.size(); ++i) {
        const Row &row = rows[i];
        double middle = top + row_height * (static_cast<double>(i) + 0.5);
        out << text(left - 16, middle + 4.5, row.label, "name", "end");
        auto [least, most] = std::minmax_element(row.values.begin(), row.values.end(),
                                                 [](const auto &a, const auto &b) { return a.second < b.second; });
        out << "<line class=\"span\" x1=\"" << at(place(least->second)) << "\" x2=\"" << at(place(most->second))
            << "\" y1=\"" << at(middle) << "\" y2=\"" << at(middle) << "\"/>\n";
        for (const auto &[mark, value] : row.values)
            out << shape(*mark, place(value), middle);
        if (std::string(row.values.back().first->name) == "fas")
            out << text(width - 16, middle + 4.5, "fas " + short_number(row.values.back().second), "value", "end");
    }
    return bottom + 34;
}

// Up to five names a line.
double draw_legend(std::ofstream &out, const Report &report, double y) {
    size_t drawn = 0;
    for (const Mark &mark : marks) {
        if (report.measured.find(mark.name) == report.measured.end())
            continue;
        double x = 24 + 186 * static_cast<double>(drawn % 5), line = y + 22 * static_cast<double>(drawn / 5);
        out << shape(mark, x, line) << text(x + 13, line + 4.5, mark.name, "name", "start");
        ++drawn;
    }
    return y + 22 * static_cast<double>((drawn + 4) / 5) + 8;
}

} // namespace

void write_chart(const Report &report, const std::string &path) {
    std::vector<std::vector<Row>> rows;
    double height = 24 + 22 * 2 + 40;
    for (const Panel &panel : panels) {
        rows.push_back(rows_of(report, panel));
        if (!rows.back().empty())
            height += 62 + row_height * static_cast<double>(rows.back().size());
    }
    std::ofstream out(path);
    out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << at(width) << ' ' << at(height) << "\" width=\""
        << at(width) << "\" height=\"" << at(height)
        << "\" role=\"img\">\n<title>fas and its peers side by side</title>\n"
        << style << "<rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n";
    double y = draw_legend(out, report, 24) + 8;
    for (size_t i = 0; i < rows.size(); ++i)
        if (!rows[i].empty())
            y = draw_panel(out, panels[i], rows[i], y);
    out << text(
               16, y + 4,
               "Both roll-ups and SummingMergeTree have lost the single flows. Logarithmic scales; medians of one run.",
               "tick", "start")
        << "</svg>\n";
    out.close();
    if (!out)
        throw std::runtime_error("cannot write " + path);
}

} // namespace bench
