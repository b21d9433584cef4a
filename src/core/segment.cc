// Reading segments. Parts are fetched when first asked for: dictionaries, hour directory and key table whole, cells
// and rows whole or block by block, whichever costs less. A part that is read whole has its checksum checked.
#include "segment.hh"

#include <algorithm>
#include <optional>

#include "bytes.hh"
#include "checksum.hh"
#include "dictionary.hh"
#include "part_source.hh"
#include "segment_format.hh"
#include "segment_index.hh"

namespace fas {

using format::Part;

namespace {

// What comes with the first fetch: one TOAST chunk holds the header and the hour directory of most segments.
constexpr uint64_t first_fetch = 1996;
// A part, or a prefix, so small is fetched whole: a fetch costs about as much as so many bytes.
constexpr uint64_t small_part = 16384;
// What would else take four fetches: the dictionaries with the key table.
constexpr uint64_t small_parts = 4 * small_part;
// Cells that read_rows() decodes at a time to find where rows belong.
constexpr uint32_t window_cells = 4096;

// The block of the key table that was decoded last, of one dimension.
struct IdBlock {
    uint32_t number = UINT32_MAX;
    std::array<uint32_t, packed_block> ids;
};

} // namespace

struct SegmentReader::State {
    explicit State(ByteSource &under) : source(under) {}

    PartSource source;
    SegmentHeader header;
    format::PartTable parts;
    std::array<bool, format::part_count> loaded{};
    std::optional<std::vector<HourEntry>> hours;
    std::array<std::optional<Dictionary>, text_dimension_count> dictionaries;
    std::array<std::unique_ptr<char[]>, text_dimension_count> arenas;
    std::array<std::optional<std::vector<std::string_view>>, text_dimension_count> names;
    std::array<NameBlocks, text_dimension_count> blocks;
    std::array<std::optional<std::vector<uint32_t>>, text_dimension_count> key_ids;
    std::unique_ptr<std::array<IdBlock, text_dimension_count>> id_blocks;
    std::unique_ptr<IndexReader> index;
    std::optional<ColumnSet> keys, cells, rows;
    Range window; // cells that window_columns holds, for read_rows()
    CellColumns window_columns;
    std::vector<uint64_t> half; // of sums of many cells, while they are read; kept for its memory

    const format::PartEntry &part(Part p) const noexcept { return parts[format::at(p)]; }
    Bytes load(Part p);
    void load_where_large(Part p, uint64_t wanted, uint64_t of);
    ColumnSet &columns(std::optional<ColumnSet> &set, Part p, size_t columns, uint32_t count, uint32_t optional = 0);
    ColumnSet &cell_set();
    ColumnSet &row_set();
    Dictionary &dictionary(size_t text_index);
    IndexReader &index_reader();
    uint32_t first_key_from(uint32_t src_app);
    void read_cells(Range range, bool with_keys, bool with_sums, CellColumns &out);
    void read_sums(size_t metric, Range range, uint128 *out);
    void read_stored(size_t metric, uint32_t begin, uint32_t end, uint64_t *out);
    void slide_window(const HourEntry &hour, uint32_t row);
    void find_window(std::span<const HourEntry> hours, uint32_t row);
    void copy_whole_cells(Range range, size_t metric, uint64_t *out);
    void copy_piece(uint32_t cell, Range piece, size_t metric, uint64_t *out);
};

Bytes SegmentReader::State::load(Part p) {
    const format::PartEntry &entry = part(p);
    if (!loaded[format::at(p)]) {
        const uint64_t names = part(format::dictionary_part(0)).offset;
        const uint64_t prefix = part(Part::keys).offset + part(Part::keys).length;
        if (entry.offset < prefix && prefix <= small_part)
            source.keep(0, prefix);
        else if (entry.offset >= names && entry.offset < prefix && prefix - entry.offset <= small_parts)
            source.keep(entry.offset, prefix - entry.offset); // the key table is wanted next
        else
            source.keep(entry.offset, entry.length);
        if (crc32c(source.fetch(entry.offset, entry.length)) != entry.crc)
            throw_corrupted("The checksum of part " + std::to_string(format::at(p)) + " does not match.");
        loaded[format::at(p)] = true;
    }
    return source.fetch(entry.offset, entry.length);
}

// Loads a part whole when a good piece of it is wanted, or when it is small.
void SegmentReader::State::load_where_large(Part p, uint64_t wanted, uint64_t of) {
    if (!loaded[format::at(p)] && (wanted * 4 >= of || part(p).length <= small_part))
        load(p);
}

ColumnSet &SegmentReader::State::columns(std::optional<ColumnSet> &set, Part p, size_t columns, uint32_t count,
                                         uint32_t optional) {
    if (!set)
        set.emplace(source, part(p).offset, part(p).length, columns, count, optional);
    return *set;
}

ColumnSet &SegmentReader::State::cell_set() {
    return columns(cells, Part::cells, format::cell_columns, header.cells, format::optional_cell_columns());
}

ColumnSet &SegmentReader::State::row_set() {
    return columns(rows, Part::rows, metric_count, header.flows - header.cells);
}

Dictionary &SegmentReader::State::dictionary(size_t text_index) {
    std::optional<Dictionary> &dictionary = dictionaries[text_index];
    if (!dictionary)
        dictionary.emplace(load(format::dictionary_part(text_index)), header.names[text_index]);
    return *dictionary;
}

SegmentReader::SegmentReader(ByteSource &source, uint64_t wanted) : state_(std::make_unique<State>(source)) {
    State &s = *state_;
    const uint64_t size = source.size();
    const uint64_t first = std::min(size, size <= small_part ? small_part : std::max(first_fetch, wanted));
    s.source.keep_front(first);
    format::decode_header(s.source.fetch(0, std::min(size, first_fetch)), size, s.header, s.parts);
}

SegmentReader::~SegmentReader() = default;

const SegmentHeader &SegmentReader::header() const noexcept { return state_->header; }

uint64_t SegmentReader::bytes_fetched() const noexcept { return state_->source.bytes_fetched(); }

uint64_t SegmentReader::prefix_read() const noexcept { return state_->source.prefix(); }

void SegmentReader::fetch_all() {
    state_->source.keep(0, state_->source.size());
    for (size_t p = 0; p < format::part_count; ++p)
        state_->load(static_cast<Part>(p));
}

std::span<const HourEntry> SegmentReader::hours() {
    State &s = *state_;
    if (s.hours)
        return *s.hours;
    const Bytes bytes = s.load(Part::hours);
    std::vector<HourEntry> hours(s.header.hours);
    Range cells, rows;
    Totals totals;
    for (size_t i = 0; i < hours.size(); ++i) {
        const uint8_t *from = bytes.data() + i * format::hour_entry_size;
        HourEntry &entry = hours[i];
        entry.hour = load<uint32_t>(from + format::at_entry_hour);
        cells = {cells.end, load<uint32_t>(from + format::at_entry_cell_end)};
        rows = {rows.end, load<uint32_t>(from + format::at_entry_row_end)};
        if (cells.end <= cells.begin || rows.end <= rows.begin || rows.size() < cells.size())
            throw_corrupted("The hour directory has an hour without cells or rows.");
        if (i > 0 && entry.hour <= hours[i - 1].hour)
            throw_corrupted("The hours of the hour directory do not ascend.");
        entry.cells = cells;
        entry.rows = rows;
        entry.totals.flows = rows.size();
        for (size_t m = 0; m < metric_count; ++m) {
            entry.totals.sums[m] = load128(from + format::at_entry_sums + 16 * m);
            if (entry.totals.sums[m] > uint128{rows.size()} * max_metric)
                throw_corrupted("An hour's sum is greater than its flows allow.");
        }
        totals.add(entry.totals);
    }
    if (cells.end != s.header.cells || rows.end != s.header.flows || totals != s.header.totals ||
        hours.front().hour != s.header.hour_min || hours.back().hour != s.header.hour_max)
        throw_corrupted("The hour directory and the header do not agree.");
    s.hours = std::move(hours);
    return *s.hours;
}

std::span<const std::string_view> SegmentReader::names(size_t text_index) {
    State &s = *state_;
    if (!s.names[text_index]) {
        std::vector<std::string_view> names;
        s.dictionary(text_index).decode(names, s.arenas[text_index]);
        s.names[text_index] = std::move(names);
    }
    return *s.names[text_index];
}

void SegmentReader::forget_names() {
    State &s = *state_;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        s.names[t].reset();
        s.arenas[t].reset();
        s.key_ids[t].reset();
    }
}

std::string_view SegmentReader::name(size_t text_index, uint32_t id) {
    State &s = *state_;
    const auto &names = s.names[text_index];
    if (names && id < names->size())
        return (*names)[id];
    return s.blocks[text_index].name(s.dictionary(text_index), id);
}

std::span<const uint32_t> SegmentReader::key_ids(size_t text_index) {
    State &s = *state_;
    if (!s.key_ids[text_index]) {
        s.load(Part::keys);
        std::vector<uint32_t> ids(s.header.keys);
        s.columns(s.keys, Part::keys, text_dimension_count, s.header.keys)
            .read(text_index, 0, s.header.keys, ids.data());
        if (std::any_of(ids.begin(), ids.end(), [&](uint32_t id) { return id >= s.header.names[text_index]; }))
            throw_corrupted("A flow key has a name that its dictionary does not have.");
        s.key_ids[text_index] = std::move(ids);
    }
    return *s.key_ids[text_index];
}

uint32_t SegmentReader::key_id(size_t text_index, uint32_t key) {
    State &s = *state_;
    if (key >= s.header.keys)
        throw_corrupted("A flow key was asked for that the segment does not have.");
    if (s.key_ids[text_index])
        return (*s.key_ids[text_index])[key];
    if (!s.id_blocks)
        s.id_blocks = std::make_unique<std::array<IdBlock, text_dimension_count>>();
    IdBlock &block = (*s.id_blocks)[text_index];
    if (block.number != key / packed_block) {
        s.load(Part::keys);
        const uint32_t begin = key / packed_block * packed_block;
        block.number = UINT32_MAX;
        s.columns(s.keys, Part::keys, text_dimension_count, s.header.keys)
            .read(text_index, begin, std::min(begin + packed_block, s.header.keys), block.ids.data());
        block.number = key / packed_block;
    }
    const uint32_t id = block.ids[key % packed_block];
    if (id >= s.header.names[text_index])
        throw_corrupted("A flow key has a name that its dictionary does not have.");
    return id;
}

Range SegmentReader::find_name(size_t text_index, std::string_view name) {
    Dictionary &dictionary = state_->dictionary(text_index);
    const uint32_t id = dictionary.lower_bound(name);
    return {id, id + (id < dictionary.count() && dictionary.equals(id, name) ? 1 : 0)};
}

Range SegmentReader::find_prefix(size_t text_index, std::string_view prefix) {
    Dictionary &dictionary = state_->dictionary(text_index);
    std::string successor;
    const uint32_t begin = dictionary.lower_bound(prefix);
    const uint32_t end = prefix_successor(prefix, successor) ? dictionary.lower_bound(successor) : dictionary.count();
    return {begin, std::max(begin, end)};
}

// The first key whose src_app has this id or a higher one; the count of keys when there is none.
uint32_t SegmentReader::State::first_key_from(uint32_t src_app) {
    if (src_app == 0)
        return 0;
    ColumnSet &set = columns(keys, Part::keys, text_dimension_count, header.keys);
    // It is in the last block that begins below, or is where the next one begins.
    const uint32_t next = set.first_block_above(0, 0, blocks_of(header.keys), src_app - 1);
    if (next == 0)
        return 0;
    const uint32_t begin = (next - 1) * packed_block, end = std::min(begin + packed_block, header.keys);
    std::array<uint32_t, packed_block> ids;
    set.read(0, begin, end, ids.data());
    return begin +
           static_cast<uint32_t>(std::lower_bound(ids.begin(), ids.begin() + (end - begin), src_app) - ids.begin());
}

Range SegmentReader::keys_of_src_apps(Range ids) {
    State &s = *state_;
    s.load(Part::keys);
    const uint32_t begin = s.first_key_from(ids.begin);
    return {begin, std::max(begin, s.first_key_from(ids.end))};
}

void SegmentReader::expect_cells(Range within, uint64_t count, uint64_t pieces) {
    State &s = *state_;
    s.load_where_large(Part::cells, count, s.header.cells);
    if (s.loaded[format::at(Part::cells)])
        return;
    const uint64_t bytes = s.cell_set().bytes(within.begin, within.end);
    if (count * 2 >= within.size() || pieces * small_part >= bytes)
        s.cell_set().fetch(within.begin, within.end);
}

void SegmentReader::State::read_cells(Range range, bool with_keys, bool with_sums, CellColumns &out) {
    if (range.begin > range.end || range.end > header.cells)
        throw_corrupted("Cells were asked for that the segment does not have.");
    load_where_large(Part::cells, range.size(), header.cells);
    ColumnSet &set = cell_set();
    set.fetch(range.begin, std::min(range.end + 1, header.cells)); // the next one's first row ends the last one
    const uint32_t count = range.size();
    out.key.resize(with_keys ? count : 0);
    out.first_row.resize(size_t{count} + 1);
    out.first_row[count] = header.flows;
    if (with_keys) {
        set.read(format::column_key, range.begin, range.end, out.key.data());
        if (std::any_of(out.key.begin(), out.key.end(), [&](uint32_t key) { return key >= header.keys; }))
            throw_corrupted("A cell has a flow key that the key table does not have.");
    }
    set.read(format::column_first_row, range.begin, std::min(range.end + 1, header.cells), out.first_row.data());
    for (uint32_t i = 0; i < count; ++i)
        if (out.first_row[i] >= out.first_row[i + 1])
            throw_corrupted("The first rows of the cells do not ascend.");
    if (out.first_row[count] > header.flows || (count > 0 && range.begin == 0 && out.first_row[0] != 0))
        throw_corrupted("The first rows of the cells are out of range.");
    for (size_t m = 0; m < metric_count; ++m) {
        out.sums[m].resize(with_sums ? count : 0);
        if (with_sums && count > 0)
            read_sums(m, range, out.sums[m].data());
    }
}

void SegmentReader::State::read_sums(size_t metric, Range range, uint128 *out) {
    ColumnSet &set = cell_set();
    const uint32_t count = range.size();
    std::array<uint64_t, packed_block> few; // a block's halves need no memory of their own
    if (count > few.size() && half.size() < count)
        half.resize(count);
    uint64_t *const halves = count > few.size() ? half.data() : few.data();
    set.read(format::column_sum_low(metric), range.begin, range.end, halves);
    std::copy_n(halves, count, out);
    if (!set.has(format::column_sum_high(metric)))
        return;
    set.read(format::column_sum_high(metric), range.begin, range.end, halves);
    for (uint32_t i = 0; i < count; ++i) {
        if (halves[i] >= format::sum_high_limit)
            throw_corrupted("A cell's sum is greater than any flows allow.");
        out[i] |= static_cast<uint128>(halves[i]) << 64;
    }
}

void SegmentReader::read_cells(Range cells, CellColumns &out) { state_->read_cells(cells, true, true, out); }

void SegmentReader::read_cell_rows(Range cells, CellColumns &out) { state_->read_cells(cells, true, false, out); }

void SegmentReader::read_cell_keys(Range cells, std::vector<uint32_t> &out) {
    State &s = *state_;
    if (cells.begin > cells.end || cells.end > s.header.cells)
        throw_corrupted("Cells were asked for that the segment does not have.");
    if (s.part(Part::cells).length <= small_part)
        s.load(Part::cells);
    out.resize(cells.size());
    s.cell_set().read(format::column_key, cells.begin, cells.end, out.data());
    if (std::any_of(out.begin(), out.end(), [&](uint32_t key) { return key >= s.header.keys; }))
        throw_corrupted("A cell has a flow key that the key table does not have.");
}

// Rows. Row r of cell c is stored row r - c, and the last row of a cell is its sum less the others.

void SegmentReader::State::read_stored(size_t metric, uint32_t begin, uint32_t end, uint64_t *out) {
    row_set().read(metric, begin, end, out);
    uint64_t any = 0;
    for (uint32_t i = 0; i < end - begin; ++i)
        any |= out[i];
    if (any > max_metric)
        throw_corrupted("A row's metric is out of range.");
}

// Decodes cells into the window so that `row` of `hour` is in it.
void SegmentReader::State::slide_window(const HourEntry &hour, uint32_t row) {
    uint32_t begin = hour.cells.begin;
    if (hour.cells.size() > window_cells) {
        ColumnSet &set = cell_set();
        set.fetch(hour.cells.begin, hour.cells.end);
        // The last block whose first value is not above `row`.
        const uint32_t next = set.first_block_above(format::column_first_row, begin / packed_block + 1,
                                                    (hour.cells.end - 1) / packed_block + 1, row);
        begin = std::max(begin, (next - 1) * packed_block);
    }
    window = {};
    const Range wanted{begin, begin + std::min(window_cells, header.cells - begin)};
    read_cells(wanted, false, true, window_columns);
    window = wanted;
}

void SegmentReader::State::find_window(std::span<const HourEntry> hours, uint32_t row) {
    const auto holds = [&] {
        return window.size() > 0 && window_columns.first_row.front() <= row && row < window_columns.first_row.back();
    };
    if (holds())
        return;
    const auto hour =
        std::partition_point(hours.begin(), hours.end(), [&](const HourEntry &h) { return h.rows.end <= row; });
    slide_window(*hour, row);
    if (!holds())
        throw_corrupted("The first rows of the cells and the hour directory do not agree.");
}

// The rows of window cells [range.begin, range.end) (counted inside the window) to out[0..].
void SegmentReader::State::copy_whole_cells(Range range, size_t metric, uint64_t *out) {
    const std::vector<uint32_t> &first = window_columns.first_row;
    const uint32_t begin = first[range.begin] - (window.begin + range.begin);
    const uint32_t end = first[range.end] - (window.begin + range.end);
    // Stored rows are fewer by one for each cell: unpack them to the end of the room and move them forward.
    const uint64_t *from = out + range.size();
    read_stored(metric, begin, end, out + range.size());
    for (uint32_t cell = range.begin; cell < range.end; ++cell) {
        uint128 left = window_columns.sums[metric][cell];
        for (uint32_t row = first[cell] + 1; row < first[cell + 1]; ++row) {
            left -= *from;
            *out++ = *from++;
        }
        if (left > max_metric)
            throw_corrupted("A cell's rows do not add up to its sum.");
        *out++ = static_cast<uint64_t>(left);
    }
}

// Rows `piece` of one window cell, of which `piece` is not the whole.
void SegmentReader::State::copy_piece(uint32_t cell, Range piece, size_t metric, uint64_t *out) {
    const uint32_t number = window.begin + cell;
    const uint32_t first = window_columns.first_row[cell], last = window_columns.first_row[cell + 1] - 1;
    const uint32_t end = std::min(piece.end, last);
    if (piece.begin < end)
        read_stored(metric, piece.begin - number, end - number, out);
    if (piece.end <= last)
        return;
    uint128 left = window_columns.sums[metric][cell];
    for (uint32_t i = 0; i < end - std::min(piece.begin, end); ++i)
        left -= out[i];
    // The rows before the piece, needed for their sum alone.
    std::array<uint64_t, 8 * packed_block> before;
    for (uint32_t row = first; row < piece.begin;) {
        const uint32_t count = std::min<uint32_t>(before.size(), std::min(piece.begin, last) - row);
        if (count == 0)
            break;
        read_stored(metric, row - number, row + count - number, before.data());
        for (uint32_t i = 0; i < count; ++i)
            left -= before[i];
        row += count;
    }
    if (left > max_metric)
        throw_corrupted("A cell's rows do not add up to its sum.");
    out[last - piece.begin] = static_cast<uint64_t>(left);
}

void SegmentReader::read_rows(Range rows, RowColumns &out) {
    State &s = *state_;
    if (rows.begin > rows.end || rows.end > s.header.flows)
        throw_corrupted("Rows were asked for that the segment does not have.");
    for (std::vector<uint64_t> &metric : out.metrics)
        metric.resize(rows.size());
    if (rows.size() == 0)
        return;
    s.load_where_large(Part::rows, rows.size(), s.header.flows);
    const std::span<const HourEntry> hours = this->hours();
    for (uint32_t row = rows.begin; row < rows.end;) {
        s.find_window(hours, row);
        const std::vector<uint32_t> &first = s.window_columns.first_row;
        const auto cell = static_cast<uint32_t>(std::upper_bound(first.begin(), first.end(), row) - first.begin() - 1);
        // Whole cells as far as they go; else what is wanted of this one.
        uint32_t cell_end = cell;
        if (first[cell] == row)
            cell_end = static_cast<uint32_t>(std::upper_bound(first.begin() + cell, first.end(), rows.end) -
                                             first.begin() - 1);
        const uint32_t end = cell_end > cell ? first[cell_end] : std::min(rows.end, first[cell + 1]);
        for (size_t m = 0; m < metric_count; ++m) {
            uint64_t *to = out.metrics[m].data() + (row - rows.begin);
            if (cell_end > cell)
                s.copy_whole_cells({cell, cell_end}, m, to);
            else
                s.copy_piece(cell, {row, end}, m, to);
        }
        row = end;
    }
}

void SegmentReader::read_stored_rows(Range stored, RowColumns &out) {
    State &s = *state_;
    if (stored.begin > stored.end || stored.end > s.header.flows - s.header.cells)
        throw_corrupted("Rows were asked for that the segment does not have.");
    s.load_where_large(Part::rows, stored.size(), s.header.flows);
    for (size_t m = 0; m < metric_count; ++m) {
        out.metrics[m].resize(stored.size());
        s.read_stored(m, stored.begin, stored.end, out.metrics[m].data());
    }
}

IndexReader &SegmentReader::State::index_reader() {
    if (!header.has_index)
        throw_corrupted("The segment has no inverted index.");
    if (!index)
        index = std::make_unique<IndexReader>(source, part(Part::index), header);
    return *index;
}

Bitmap SegmentReader::name_cells(size_t text_index, uint32_t name_id) {
    return state_->index_reader().cells(text_index, name_id);
}

void SegmentReader::check_index(size_t text_index) { state_->index_reader().check_ends(text_index); }

} // namespace fas
