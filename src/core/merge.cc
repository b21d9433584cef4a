// Merging segments: names and flow keys of all inputs are united by hash, cells are sorted by counting (a cell costs
// a few words while the merge runs), and rows stream from the inputs' packed columns into the output's.
#include "merge.hh"

#include <algorithm>

#include "intern.hh"
#include "interrupt.hh"
#include "key_subset.hh"

namespace fas {
namespace {

constexpr uint64_t most_cuts = 64; // of what is left of one merge

// A cell of an input, in terms of the merge.
struct Source {
    uint32_t input, cell; // where it lies
    uint32_t hour, key;   // ranks among all hours and keys of the merge
    uint32_t rows;
};

// Reads the rows of one input's cells, in windows: cells are asked for in ascending order, as good as always.
class Cursor {
  public:
    explicit Cursor(SegmentReader &reader) : reader_(&reader) {}

    // Appends rows [skip, skip + take) of the cell to the writer's current cell.
    void copy(uint32_t cell, uint32_t skip, uint32_t take, SegmentWriter &writer) {
        seek(cell);
        const uint32_t place = cell - cells_.begin;
        const uint32_t first = columns_.first_row[place], rows = columns_.first_row[place + 1] - first;
        std::array<uint128, metric_count> left;
        for (size_t m = 0; m < metric_count; ++m)
            left[m] = columns_.sums[m][place];
        const Range wanted{skip, skip + take};
        for (uint32_t row = 0; row + 1 < rows;)
            row = copy_stored(first - cell, row, rows - 1, wanted, left, writer);
        if (wanted.begin <= rows - 1 && rows - 1 < wanted.end)
            writer.add_row(last_row(left));
    }

    // Asks for the memory that copy() will look at, where the window holds the cell.
    void prefetch(uint32_t cell) const noexcept {
        if (cell < cells_.begin || cell >= cells_.end)
            return;
        const uint32_t place = cell - cells_.begin;
        __builtin_prefetch(columns_.first_row.data() + place);
        for (size_t m = 0; m < metric_count; ++m)
            __builtin_prefetch(columns_.sums[m].data() + place);
    }

    // All cells of an input that has so few that they are one window, so that they are decoded once; else null.
    const CellColumns *all_cells() {
        if (reader_->header().cells > window)
            return nullptr;
        seek(0);
        return &columns_;
    }

  private:
    static constexpr uint32_t window = packed_block;

    void seek(uint32_t cell) {
        if (cell >= cells_.begin && cell < cells_.end)
            return;
        const uint32_t begin = cell / packed_block * packed_block;
        const Range wanted{begin, begin + std::min(window, reader_->header().cells - begin)};
        cells_ = {};
        reader_->read_cells(wanted, columns_);
        cells_ = wanted;
    }

    // The rows from `row` on, up to `end`, that one window of stored rows holds; returns the row behind them.
    uint32_t copy_stored(uint32_t base, uint32_t row, uint32_t end, Range wanted,
                         std::array<uint128, metric_count> &left, SegmentWriter &writer) {
        const uint32_t stored = base + row;
        if (stored < stored_.begin || stored >= stored_.end) {
            poll();
            const uint32_t begin = stored / packed_block * packed_block;
            const uint32_t all = reader_->header().flows - reader_->header().cells;
            if (stored >= all)
                throw_corrupted("The first rows of the cells are out of range.");
            const Range range{begin, begin + std::min(window, all - begin)};
            stored_ = {};
            reader_->read_stored_rows(range, rows_);
            stored_ = range;
        }
        const uint32_t count = std::min(end - row, stored_.end - stored);
        const Range piece{std::clamp(wanted.begin, row, row + count), std::clamp(wanted.end, row, row + count)};
        std::array<const uint64_t *, metric_count> from;
        for (size_t m = 0; m < metric_count; ++m) {
            const uint64_t *values = rows_.metrics[m].data() + (stored - stored_.begin);
            for (uint32_t i = 0; i < count; ++i)
                left[m] -= values[i];
            from[m] = values + (piece.begin - row);
        }
        writer.add_rows(from, piece.size());
        return row + count;
    }

    static std::array<uint64_t, metric_count> last_row(const std::array<uint128, metric_count> &left) {
        std::array<uint64_t, metric_count> row;
        for (size_t m = 0; m < metric_count; ++m) {
            if (left[m] > max_metric)
                throw_corrupted("A cell's rows do not add up to its sum.");
            row[m] = static_cast<uint64_t>(left[m]);
        }
        return row;
    }

    SegmentReader *reader_;
    Range cells_, stored_; // what the windows hold
    CellColumns columns_;
    RowColumns rows_;
};

// One segment to write: runs of the merge's sorted cells, and, where a single cell is larger than a segment may be,
// which of its rows.
struct Output {
    std::vector<Range> runs;
    uint64_t skip = 0, take = UINT64_MAX;
};

class Merge {
  public:
    Merge(std::span<SegmentReader *const> inputs, uint32_t first_hour);

    Output everything() const { return {.runs = {{0, static_cast<uint32_t>(sources_.size())}}}; }
    std::vector<Output> split(const SplitOptions &options) const;
    SegmentBytes write(const Output &output);

  private:
    // What is worked out for one input after the other; kept for its memory.
    struct Scratch {
        std::array<std::vector<uint32_t>, text_dimension_count> name_numbers;
        std::vector<uint32_t> key_numbers;
        CellColumns columns;
    };

    void unite_names(SegmentReader &input, Scratch &scratch);
    void collect_hours(std::span<SegmentReader *const> inputs, uint32_t first_hour);
    void collect_cells(SegmentReader &input, uint32_t number, uint32_t first_hour, Scratch &scratch);
    void rank_names_and_keys();
    void sort_sources();
    Range hour_run(uint32_t at, uint64_t &rows) const;
    uint64_t least_cut(const SplitOptions &options) const;
    void split_hour(Range run, uint64_t most, std::vector<Output> &outputs) const;
    uint32_t cell_end(uint32_t at, uint32_t end, uint64_t &rows) const;

    std::vector<Cursor> cursors_;
    std::array<NameTable, text_dimension_count> names_;
    SortedNames sorted_names_;
    RecordTable<text_dimension_count> keys_;
    KeyColumns sorted_keys_;         // by rank: ranks of names
    std::vector<uint32_t> key_rank_; // by number
    std::vector<uint32_t> hours_;    // sorted
    std::vector<Source> sources_;    // by (hour, key), then input
};

Merge::Merge(std::span<SegmentReader *const> inputs, uint32_t first_hour) {
    collect_hours(inputs, first_hour);
    uint64_t cells = 0;
    for (SegmentReader *input : inputs)
        cells += input->header().cells;
    if (cells > UINT32_MAX || inputs.size() > UINT32_MAX)
        throw Error(sqlstate::program_limit_exceeded, "cannot merge so many flow segments at once",
                    "Together they have " + std::to_string(cells) + " cells.", "Merge fewer segments at a time.");
    sources_.reserve(cells);
    cursors_.reserve(inputs.size());
    Scratch scratch;
    for (uint32_t i = 0; i < inputs.size(); ++i) {
        cursors_.emplace_back(*inputs[i]);
        if (inputs[i]->header().hour_max < first_hour)
            continue;
        inputs[i]->fetch_all();
        unite_names(*inputs[i], scratch);
        inputs[i]->forget_names();
        collect_cells(*inputs[i], i, first_hour, scratch);
        poll();
    }
    rank_names_and_keys();
    sort_sources();
}

void Merge::collect_hours(std::span<SegmentReader *const> inputs, uint32_t first_hour) {
    for (SegmentReader *input : inputs)
        for (const HourEntry &entry : input->hours())
            if (entry.hour >= first_hour)
                hours_.push_back(entry.hour);
    std::sort(hours_.begin(), hours_.end());
    hours_.erase(std::unique(hours_.begin(), hours_.end()), hours_.end());
}

// The numbers of the input's names and keys among those of all inputs.
void Merge::unite_names(SegmentReader &input, Scratch &scratch) {
    auto &numbers = scratch.name_numbers;
    std::vector<uint32_t> &key_numbers = scratch.key_numbers;
    std::array<std::span<const uint32_t>, text_dimension_count> ids;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        numbers[t].clear();
        for (const std::string_view name : input.names(t))
            numbers[t].push_back(names_[t].add(name));
        ids[t] = input.key_ids(t);
    }
    key_numbers.resize(input.header().keys);
    for (size_t key = 0; key < key_numbers.size(); ++key) {
        std::array<uint32_t, text_dimension_count> record;
        for (size_t t = 0; t < text_dimension_count; ++t)
            record[t] = numbers[t][ids[t][key]];
        key_numbers[key] = keys_.add(record);
    }
}

void Merge::collect_cells(SegmentReader &input, uint32_t number, uint32_t first_hour, Scratch &scratch) {
    constexpr uint32_t at_once = 8192;
    const CellColumns *all = cursors_[number].all_cells();
    for (const HourEntry &entry : input.hours()) {
        if (entry.hour < first_hour)
            continue;
        const auto hour =
            static_cast<uint32_t>(std::lower_bound(hours_.begin(), hours_.end(), entry.hour) - hours_.begin());
        for (uint32_t begin = entry.cells.begin; begin < entry.cells.end;) {
            const uint32_t end = begin + std::min(at_once, entry.cells.end - begin);
            if (all == nullptr)
                input.read_cell_rows({begin, end}, scratch.columns);
            const CellColumns &columns = all == nullptr ? scratch.columns : *all;
            const uint32_t skip = all == nullptr ? 0 : begin;
            for (uint32_t i = skip; i < skip + (end - begin); ++i)
                sources_.push_back({number, begin + i - skip, hour, scratch.key_numbers[columns.key[i]],
                                    columns.first_row[i + 1] - columns.first_row[i]});
            begin = end;
            poll();
        }
    }
}

void Merge::rank_names_and_keys() {
    std::array<std::vector<uint32_t>, text_dimension_count> ranks;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        ranks[t] = rank_names(names_[t], sorted_names_[t]);
        poll();
    }
    std::vector<uint32_t> order(keys_.size()), scratch;
    for (uint32_t key = 0; key < order.size(); ++key)
        order[key] = key;
    for (size_t t = text_dimension_count; t-- > 0;)
        counting_sort(order, ranks[t].size(), scratch, [&](uint32_t key) { return ranks[t][keys_[key][t]]; });
    key_rank_.resize(keys_.size());
    for (uint32_t rank = 0; rank < order.size(); ++rank) {
        key_rank_[order[rank]] = rank;
        for (size_t t = 0; t < text_dimension_count; ++t)
            sorted_keys_[t].push_back(ranks[t][keys_[order[rank]][t]]);
    }
}

// The records themselves are moved: reading them in order later is worth more than moving less now.
void Merge::sort_sources() {
    for (Source &source : sources_)
        source.key = key_rank_[source.key];
    std::vector<Source> scratch;
    counting_sort(sources_, key_rank_.size(), scratch, [](const Source &source) { return source.key; });
    poll();
    if (hours_.size() > 1)
        counting_sort(sources_, hours_.size(), scratch, [](const Source &source) { return source.hour; });
    poll();
}

// Where the sources of the cell at `at` end, and how many rows they have.
uint32_t Merge::cell_end(uint32_t at, uint32_t end, uint64_t &rows) const {
    const Source &first = sources_[at];
    rows = 0;
    do
        rows += sources_[at++].rows;
    while (at < end && sources_[at].key == first.key && sources_[at].hour == first.hour);
    return at;
}

// A run of one hour, in segments of `most` rows at most. A cell is parted only when it alone has more.
void Merge::split_hour(Range run, uint64_t most, std::vector<Output> &outputs) const {
    uint32_t begin = run.begin;
    uint64_t held = 0;
    for (uint32_t at = run.begin; at < run.end;) {
        uint64_t rows = 0;
        const uint32_t end = cell_end(at, run.end, rows);
        if (held > 0 && held + rows > most) {
            outputs.push_back({.runs = {{begin, at}}});
            begin = at;
            held = 0;
        }
        if (rows > most) {
            for (uint64_t skip = 0; skip < rows; skip += most)
                outputs.push_back({.runs = {{at, end}}, .skip = skip, .take = most});
            begin = end;
        } else {
            held += rows;
        }
        at = end;
    }
    if (held > 0)
        outputs.push_back({.runs = {{begin, run.end}}});
}

// The sources of the hour that begins at `at`, and how many rows they have.
Range Merge::hour_run(uint32_t at, uint64_t &rows) const {
    Range run{at, at};
    rows = 0;
    for (; run.end < sources_.size() && sources_[run.end].hour == sources_[at].hour; ++run.end)
        rows += sources_[run.end].rows;
    return run;
}

// Every segment costs a look at all names and keys of the merge, so there are not too many of them.
uint64_t Merge::least_cut(const SplitOptions &options) const {
    if (options.cut_flows == UINT64_MAX)
        return UINT64_MAX;
    uint64_t left = 0, rows = 0;
    for (Range run; run.end < sources_.size();) {
        run = hour_run(run.end, rows);
        if (rows < options.own_hour_flows)
            left += rows;
    }
    return std::max({uint64_t{1}, options.cut_flows, left / most_cuts});
}

std::vector<Output> Merge::split(const SplitOptions &options) const {
    const uint64_t most = std::clamp<uint64_t>(options.max_flows, 1, UINT32_MAX), least = least_cut(options);
    std::vector<Output> outputs;
    Output rest;
    uint64_t rest_rows = 0, rows = 0;
    uint32_t rest_hour = 0; // its last
    for (Range run; run.end < sources_.size();) {
        run = hour_run(run.end, rows);
        if (rows >= options.own_hour_flows || rows > most) {
            split_hour(run, most, outputs);
            continue;
        }
        const uint32_t hour = hours_[sources_[run.begin].hour];
        const bool is_far = rest_rows >= least && hour - rest_hour > options.near_hours;
        if (rest_rows + rows > most || is_far) {
            outputs.push_back(std::move(rest));
            rest = {};
            rest_rows = 0;
        }
        rest.runs.push_back(run);
        rest_rows += rows;
        rest_hour = hour;
    }
    if (!rest.runs.empty())
        outputs.push_back(std::move(rest));
    return outputs;
}

SegmentBytes Merge::write(const Output &output) {
    KeySubset subset(key_rank_.size());
    for (const Range run : output.runs)
        for (uint32_t at = run.begin; at < run.end; ++at)
            subset.use(sources_[at].key);
    subset.pick(sorted_names_, sorted_keys_);
    poll();
    SegmentWriter writer(subset.spans(), subset.keys);
    const Source *previous = nullptr;
    uint64_t row = 0; // inside the cell; only a parted cell has rows that are not wanted
    for (const Range run : output.runs)
        for (uint32_t at = run.begin; at < run.end; ++at) {
            // Cells come from all over the inputs: their memory is asked for some steps ahead.
            if (at + 8 < run.end)
                cursors_[sources_[at + 8].input].prefetch(sources_[at + 8].cell);
            const Source &source = sources_[at];
            if (previous == nullptr || previous->hour != source.hour || previous->key != source.key) {
                writer.begin_cell(hours_[source.hour], subset.ordinals[source.key]);
                row = 0;
            }
            previous = &source;
            const uint64_t end = output.take == UINT64_MAX ? UINT64_MAX : output.skip + output.take;
            const uint64_t from = std::max(row, output.skip), to = std::min(row + source.rows, end);
            if (from < to)
                cursors_[source.input].copy(source.cell, static_cast<uint32_t>(from - row),
                                            static_cast<uint32_t>(to - from), writer);
            row += source.rows;
        }
    return writer.finish();
}

} // namespace

SegmentBytes merge_segments(std::span<SegmentReader *const> inputs) {
    if (inputs.empty())
        throw Error(sqlstate::invalid_parameter_value, "no flow segment to merge");
    Merge merge(inputs, 0);
    return merge.write(merge.everything());
}

std::vector<SegmentBytes> merge_and_split(std::span<SegmentReader *const> inputs, const SplitOptions &options,
                                          uint32_t first_hour) {
    Merge merge(inputs, first_hour);
    std::vector<SegmentBytes> segments;
    for (const Output &output : merge.split(options)) {
        segments.push_back(merge.write(output));
        poll();
    }
    return segments;
}

} // namespace fas
