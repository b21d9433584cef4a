// The builder: names are interned and cells found by hash as flows arrive, so that only distinct names and cells are
// ever sorted; rows find their places by counting. A row costs 20 bytes, and 4 more while build() runs.
#include "builder.hh"

#include <cassert>

#include "dictionary.hh"
#include "intern.hh"
#include "interrupt.hh"
#include "segment_writer.hh"

namespace fas {
namespace {

struct Row {
    uint32_t metrics[2 * metric_count]; // halves, so that a row is not padded to 24 bytes
    uint32_t cell;

    uint64_t metric(size_t m) const noexcept { return uint64_t{metrics[2 * m + 1]} << 32 | metrics[2 * m]; }
};

constexpr size_t cell_hour = text_dimension_count; // place of the hour in a cell's record, behind the name ids

} // namespace

struct SegmentBuilder::State {
    std::array<NameTable, text_dimension_count> names;
    RecordTable<text_dimension_count + 1> cells;
    ChunkedVector<Row, 512> rows;
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
void SegmentBuilder::clear() noexcept { *state_ = State(); }

namespace {

using Cells = RecordTable<text_dimension_count + 1>;

// What build() works out before it writes: sorted names and keys, and the cells in their order.
struct Layout {
    std::array<std::vector<std::string_view>, text_dimension_count> names; // sorted
    KeyColumns keys;
    std::vector<uint32_t> cell_keys; // by cell
    std::vector<uint32_t> order;     // of cells
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

} // namespace

SegmentBytes SegmentBuilder::build() const {
    const State &s = *state_;
    assert(s.rows.size() > 0);
    Layout layout;
    {
        std::array<std::vector<uint32_t>, text_dimension_count> ranks;
        for (size_t t = 0; t < text_dimension_count; ++t)
            ranks[t] = rank_names(s.names[t], layout.names[t]);
        poll();
        sort_cells(s.cells, ranks, layout);
    }
    poll();
    // Rows by cell, in order of arrival: ends[cell] is where the cell's rows begin, and end once they are placed.
    std::vector<uint32_t> ends(s.cells.size() + 1), rows(s.rows.size());
    for (size_t row = 0; row < s.rows.size(); ++row)
        ++ends[s.rows[row].cell + 1];
    for (size_t cell = 1; cell < ends.size(); ++cell)
        ends[cell] += ends[cell - 1];
    for (uint32_t row = 0; row < s.rows.size(); ++row)
        rows[ends[s.rows[row].cell]++] = row;
    poll();
    NameSpans names;
    for (size_t t = 0; t < text_dimension_count; ++t)
        names[t] = layout.names[t];
    SegmentWriter writer(names, layout.keys);
    for (const uint32_t cell : layout.order) {
        writer.begin_cell(s.cells[cell][cell_hour], layout.cell_keys[cell]);
        for (uint32_t i = cell == 0 ? 0 : ends[cell - 1]; i < ends[cell]; ++i) {
            const Row &row = s.rows[rows[i]];
            std::array<uint64_t, metric_count> metrics;
            for (size_t m = 0; m < metric_count; ++m)
                metrics[m] = row.metric(m);
            writer.add_row(metrics);
        }
    }
    return writer.finish();
}

} // namespace fas
