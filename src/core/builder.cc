// The builder: names are interned and cells found by hash as flows arrive, so that only distinct names and cells are
// ever sorted; rows find their places by counting. A row costs 20 bytes, and 4 more while build() runs.
#include "builder.hh"

#include <algorithm>
#include <cassert>
#include <span>

#include "dictionary.hh"
#include "intern.hh"
#include "interrupt.hh"
#include "key_subset.hh"

namespace fas {
namespace {

struct Row {
    uint32_t metrics[2 * metric_count]; // halves, so that a row is not padded to 24 bytes
    uint32_t cell;

    uint64_t metric(size_t m) const noexcept { return uint64_t{metrics[2 * m + 1]} << 32 | metrics[2 * m]; }
};

using Names = std::array<NameTable, text_dimension_count>;
using Cells = RecordTable<text_dimension_count + 1>;
using Rows = ChunkedVector<Row, 512>;

constexpr size_t cell_hour = text_dimension_count; // place of the hour in a cell's record, behind the name ids

} // namespace

struct SegmentBuilder::State {
    Names names;
    Cells cells;
    Rows rows;
};

SegmentBuilder::SegmentBuilder() : state_(std::make_unique<State>()) {}
SegmentBuilder::~SegmentBuilder() = default;
SegmentBuilder::SegmentBuilder(SegmentBuilder &&) noexcept = default;
SegmentBuilder &SegmentBuilder::operator=(SegmentBuilder &&) noexcept = default;

void SegmentBuilder::add(const FlowView &flow) {
    State &s = *state_;
    assert(flow.hour <= max_hour);
    if (s.rows.size() >= UINT32_MAX)
        throw Error(sqlstate::program_limit_exceeded, "flow segment would be too large",
                    "A segment can't hold more than 4294967295 flows.", "Store the flows in several smaller batches.");
    std::array<uint32_t, text_dimension_count + 1> cell;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        assert(!flow.names[t].empty() && is_utf8(flow.names[t]));
        cell[t] = s.names[t].add(flow.names[t]);
    }
    cell[cell_hour] = flow.hour;
    Row row;
    row.cell = s.cells.add(cell);
    for (size_t m = 0; m < metric_count; ++m) {
        assert(flow.metrics[m] <= max_metric);
        row.metrics[2 * m] = static_cast<uint32_t>(flow.metrics[m]);
        row.metrics[2 * m + 1] = static_cast<uint32_t>(flow.metrics[m] >> 32);
    }
    s.rows.push(row);
}

uint64_t SegmentBuilder::flows() const noexcept { return state_->rows.size(); }

size_t SegmentBuilder::memory() const noexcept {
    size_t total = sizeof(State) + state_->cells.memory() + state_->rows.memory();
    for (const NameTable &names : state_->names)
        total += names.memory();
    return total;
}

// Callers flush when memory() has reached their limit: what was kept here would make them flush after every flow.
void SegmentBuilder::clear() noexcept {
    *state_ = State();
    has_given_ = false;
}

namespace {

// What is worked out before anything is written: sorted names and keys, cells in their order, rows by cell.
struct Layout {
    SortedNames names;
    KeyColumns keys;
    std::vector<uint32_t> cell_keys; // by cell
    std::vector<uint32_t> order;     // of cells
    std::vector<uint32_t> ends;      // by cell: where its rows end in `rows`; they begin where those before end
    std::vector<uint32_t> rows;      // by cell, in order of arrival
    uint32_t begin(uint32_t cell) const noexcept { return cell == 0 ? 0 : ends[cell - 1]; }
    uint32_t count(uint32_t cell) const noexcept { return ends[cell] - begin(cell); }
};

// Cells by name ranks, least significant first; then keys are numbered; then by hour, which keeps the order of keys.
void sort_cells(const Cells &cells, const std::array<std::vector<uint32_t>, text_dimension_count> &ranks,
                Layout &layout) {
    std::vector<uint32_t> scratch;
    layout.order.resize(cells.size());
    for (uint32_t cell = 0; cell < cells.size(); ++cell)
        layout.order[cell] = cell;
    for (size_t t = text_dimension_count; t-- > 0; poll())
        if (ranks[t].size() > 1)
            counting_sort(layout.order, ranks[t].size(), scratch,
                          [&](uint32_t cell) { return ranks[t][cells[cell][t]]; });
    layout.cell_keys.resize(cells.size());
    for (std::vector<uint32_t> &column : layout.keys)
        column.reserve(std::min<size_t>(cells.size(), 256));
    for (size_t i = 0; i < layout.order.size(); ++i) {
        const auto &cell = cells[layout.order[i]];
        bool same = i > 0;
        for (size_t t = 0; same && t < text_dimension_count; ++t)
            same = cell[t] == cells[layout.order[i - 1]][t];
        if (!same)
            for (size_t t = 0; t < text_dimension_count; ++t)
                layout.keys[t].push_back(ranks[t][cell[t]]);
        layout.cell_keys[layout.order[i]] = static_cast<uint32_t>(layout.keys[0].size() - 1);
    }
    poll();
    // Hours are few or sparse: rank them by sorting the distinct ones.
    std::vector<uint32_t> hours;
    for (uint32_t cell = 0; cell < cells.size(); ++cell)
        if (hours.empty() || hours.back() != cells[cell][cell_hour])
            hours.push_back(cells[cell][cell_hour]);
    std::sort(hours.begin(), hours.end());
    hours.erase(std::unique(hours.begin(), hours.end()), hours.end());
    if (hours.size() > 1)
        counting_sort(layout.order, hours.size(), scratch, [&](uint32_t cell) {
            return std::lower_bound(hours.begin(), hours.end(), cells[cell][cell_hour]) - hours.begin();
        });
}

Layout lay_out(const Names &names, const Cells &cells, const Rows &all_rows) {
    Layout layout;
    {
        std::array<std::vector<uint32_t>, text_dimension_count> ranks;
        for (size_t t = 0; t < text_dimension_count; ++t)
            ranks[t] = rank_names(names[t], layout.names[t]);
        poll();
        sort_cells(cells, ranks, layout);
    }
    poll();
    // ends[cell] is where the cell's rows begin, and end once they are placed.
    layout.ends.resize(cells.size() + 1);
    layout.rows.resize(all_rows.size());
    for (size_t row = 0; row < all_rows.size(); ++row)
        ++layout.ends[all_rows[row].cell + 1];
    for (size_t cell = 1; cell < layout.ends.size(); ++cell)
        layout.ends[cell] += layout.ends[cell - 1];
    for (uint32_t row = 0; row < all_rows.size(); ++row)
        layout.rows[layout.ends[all_rows[row].cell]++] = row;
    poll();
    return layout;
}

// `runs` of layout.order; `ordinals` are the writer's keys by the layout's, empty when they are the same.
void write_cells(const Layout &layout, const Cells &cells, const Rows &all_rows, std::span<const Range> runs,
                 const std::vector<uint32_t> &ordinals, SegmentWriter &writer) {
    for (const Range run : runs)
        for (uint32_t at = run.begin; at < run.end; ++at) {
            const uint32_t cell = layout.order[at], key = layout.cell_keys[cell];
            writer.begin_cell(cells[cell][cell_hour], ordinals.empty() ? key : ordinals[key]);
            for (uint32_t i = layout.begin(cell); i < layout.ends[cell]; ++i) {
                const Row &row = all_rows[layout.rows[i]];
                std::array<uint64_t, metric_count> metrics;
                for (size_t m = 0; m < metric_count; ++m)
                    metrics[m] = row.metric(m);
                writer.add_row(metrics);
            }
        }
}

// A segment of some runs, with the names and keys that they use.
SegmentBytes write_part(const Layout &layout, const Cells &cells, const Rows &all_rows, std::span<const Range> runs) {
    KeySubset subset(layout.keys[0].size());
    for (const Range run : runs)
        for (uint32_t at = run.begin; at < run.end; ++at)
            subset.use(layout.cell_keys[layout.order[at]]);
    subset.pick(layout.names, layout.keys);
    poll();
    SegmentWriter writer(subset.spans(), subset.keys);
    write_cells(layout, cells, all_rows, runs, subset.ordinals, writer);
    return writer.finish();
}

// A run of layout.order for each hour, ascending.
struct Hour {
    Range cells;
    uint32_t hour = 0;
    uint64_t rows = 0;
    bool stays = false;
};

std::vector<Hour> hours_of(const Layout &layout, const Cells &cells) {
    std::vector<Hour> hours;
    for (uint32_t at = 0; at < layout.order.size(); ++at) {
        const uint32_t cell = layout.order[at], hour = cells[cell][cell_hour];
        if (hours.empty() || hours.back().hour != hour)
            hours.push_back({.cells = {at, at}, .hour = hour});
        hours.back().cells.end = at + 1;
        hours.back().rows += layout.count(cell);
    }
    return hours;
}

} // namespace

SegmentBytes SegmentBuilder::build() const {
    const State &s = *state_;
    assert(s.rows.size() > 0);
    const Layout layout = lay_out(s.names, s.cells, s.rows);
    NameSpans names;
    for (size_t t = 0; t < text_dimension_count; ++t)
        names[t] = layout.names[t];
    SegmentWriter writer(names, layout.keys);
    const Range everything{0, static_cast<uint32_t>(layout.order.size())};
    write_cells(layout, s.cells, s.rows, std::span(&everything, 1), {}, writer);
    return writer.finish();
}

namespace {

constexpr size_t latest_rows = 1024;
constexpr size_t expecting_share = 128; // an hour expects more rows where one in so many of the latest is its own

// Marks what is to stay: small hours, and those that expect more, first those that expect most, as long as half of all
// rows, or more, are taken. Nothing where the small hours alone hold more than that.
void mark_staying(const Cells &cells, const Rows &rows, uint64_t own_hour_flows, std::vector<Hour> &hours) {
    const size_t latest = std::min(rows.size(), latest_rows);
    std::vector<size_t> counts(hours.size());
    for (size_t row = rows.size() - latest; row < rows.size(); ++row) {
        const uint32_t hour = cells[rows[row].cell][cell_hour];
        const auto at = std::partition_point(hours.begin(), hours.end(), [&](const Hour &h) { return h.hour < hour; });
        ++counts[static_cast<size_t>(at - hours.begin())];
    }
    std::vector<size_t> expecting;
    uint64_t staying = 0;
    for (size_t i = 0; i < hours.size(); ++i)
        if (hours[i].rows < own_hour_flows)
            staying += hours[i].rows;
        else if (counts[i] * expecting_share >= latest)
            expecting.push_back(i);
    if (staying > rows.size() / 2)
        return;
    std::stable_sort(expecting.begin(), expecting.end(), [&](size_t a, size_t b) { return counts[a] > counts[b]; });
    for (const size_t i : expecting)
        if (staying + hours[i].rows <= rows.size() / 2) {
            hours[i].stays = true;
            staying += hours[i].rows;
        }
    for (Hour &hour : hours)
        hour.stays |= hour.rows < own_hour_flows;
}

} // namespace

std::vector<SegmentBytes> SegmentBuilder::take(uint64_t own_hour_flows, bool end) {
    const State &s = *state_;
    const size_t memory_before = memory();
    has_given_ = true;
    std::vector<SegmentBytes> segments;
    std::vector<bool> staying;
    {
        const Layout layout = lay_out(s.names, s.cells, s.rows);
        std::vector<Hour> hours = hours_of(layout, s.cells);
        if (!end)
            mark_staying(s.cells, s.rows, own_hour_flows, hours);
        const auto write = [&](std::span<const Range> runs) {
            segments.push_back(write_part(layout, s.cells, s.rows, runs));
        };
        std::vector<Range> rest;
        staying.resize(s.cells.size());
        for (const Hour &hour : hours) {
            if (hour.stays)
                for (uint32_t at = hour.cells.begin; at < hour.cells.end; ++at)
                    staying[layout.order[at]] = true;
            else if (hour.rows >= own_hour_flows)
                write(std::span(&hour.cells, 1));
            else
                rest.push_back(hour.cells);
        }
        if (!rest.empty())
            write(rest);
    }
    keep(staying);
    if (flows() > 0 && memory() > memory_before / 2) // few flows, but most of the names
        for (SegmentBytes &rest : take(own_hour_flows, true))
            segments.push_back(std::move(rest));
    return segments;
}

void SegmentBuilder::keep(const std::vector<bool> &cells) {
    const auto before = std::move(state_);
    state_ = std::make_unique<State>();
    if (std::find(cells.begin(), cells.end(), true) == cells.end())
        return;
    constexpr uint32_t none = UINT32_MAX;
    std::vector<uint32_t> kept(cells.size(), none); // the new number of each cell that has come again
    for (size_t i = 0; i < before->rows.size(); ++i) {
        Row row = before->rows[i];
        if (!cells[row.cell])
            continue;
        uint32_t &number = kept[row.cell];
        if (number == none) {
            auto cell = before->cells[row.cell];
            for (size_t t = 0; t < text_dimension_count; ++t)
                cell[t] = state_->names[t].add(before->names[t][cell[t]]);
            number = state_->cells.add(cell);
        }
        row.cell = number;
        state_->rows.push(row);
    }
}

} // namespace fas
