// Writing segments, part by part.
#include "segment_writer.hh"

#include <cassert>
#include <string>

#include "bytes.hh"
#include "checksum.hh"
#include "dictionary.hh"
#include "interrupt.hh"
#include "segment_format.hh"

namespace fas {
namespace {

[[noreturn]] void throw_too_large(const char *what) {
    throw Error(sqlstate::program_limit_exceeded, "flow segment would be too large", what,
                "Store the flows in several smaller batches.");
}

} // namespace

SegmentWriter::SegmentWriter(const NameSpans &names, const KeyColumns &keys) : names_(names), keys_(keys) {}

void SegmentWriter::begin_cell(uint32_t hour, uint32_t key) {
    end_cell();
    if (hours_.empty() || hours_.back().hour != hour) {
        assert(hours_.empty() || hours_.back().hour < hour);
        end_hour();
        const auto cells = static_cast<uint32_t>(cell_keys_.size()), rows = static_cast<uint32_t>(flows_);
        hours_.push_back({.hour = hour, .cells = {cells, cells}, .rows = {rows, rows}, .totals = {}});
    } else {
        assert(cell_keys_.back() < key);
    }
    cell_keys_.push_back(key);
    key_.push(key);
    first_row_.push(flows_);
    cell_sums_ = {};
    cell_rows_ = 0;
}

void SegmentWriter::add_row(const std::array<uint64_t, metric_count> &metrics) {
    for (size_t m = 0; m < metric_count; ++m) {
        assert(metrics[m] <= max_metric);
        cell_sums_[m] += metrics[m];
        if (cell_rows_ > 0)
            rows_[m].push(held_row_[m]);
    }
    held_row_ = metrics;
    ++cell_rows_;
    ++flows_;
}

void SegmentWriter::add_rows(const std::array<const uint64_t *, metric_count> &metrics, size_t count) {
    if (count == 0)
        return;
    for (size_t m = 0; m < metric_count; ++m) {
        const std::span<const uint64_t> values(metrics[m], count);
        uint128 sum = 0;
        for (const uint64_t value : values)
            sum += value;
        cell_sums_[m] += sum;
        if (cell_rows_ > 0)
            rows_[m].push(held_row_[m]);
        rows_[m].push(values.first(count - 1));
        held_row_[m] = values.back();
    }
    cell_rows_ += count;
    flows_ += count;
}

void SegmentWriter::end_cell() {
    if (cell_keys_.empty())
        return;
    assert(cell_rows_ > 0);
    if (flows_ > UINT32_MAX)
        throw_too_large("A segment can't hold more than 4294967295 flows.");
    for (size_t m = 0; m < metric_count; ++m) {
        const auto high = static_cast<uint64_t>(cell_sums_[m] >> 64);
        sum_low_[m].push(static_cast<uint64_t>(cell_sums_[m]));
        sum_high_[m].push(high);
        any_high_[m] |= high != 0;
        hours_.back().totals.sums[m] += cell_sums_[m];
    }
    if (cell_keys_.size() % 4096 == 0)
        poll();
}

void SegmentWriter::end_hour() {
    if (hours_.empty())
        return;
    hours_.back().cells.end = static_cast<uint32_t>(cell_keys_.size());
    hours_.back().rows.end = static_cast<uint32_t>(flows_);
}

// For each dimension: end offsets of its bitmaps, then the bitmaps, one for each name.
void SegmentWriter::append_index(SegmentBytes &out) const {
    const size_t front = out.size();
    out.resize(front + format::index_front_size);
    std::vector<uint32_t> starts, cells(cell_keys_.size());
    for (size_t t = 0; t < text_dimension_count; ++t) {
        // The cells of each name, by counting: starts[id] ends up as the end of name id's cells.
        starts.assign(names_[t].size() + 1, 0);
        for (const uint32_t key : cell_keys_)
            ++starts[keys_[t][key] + 1];
        for (size_t i = 1; i < starts.size(); ++i)
            starts[i] += starts[i - 1];
        for (uint32_t cell = 0; cell < cell_keys_.size(); ++cell)
            cells[starts[keys_[t][cell_keys_[cell]]]++] = cell;
        ColumnWriter ends;
        SegmentBytes bitmaps;
        for (uint32_t id = 0, begin = 0; id < names_[t].size(); begin = starts[id++]) {
            Bitmap bitmap = Bitmap::of(std::span(cells).subspan(begin, starts[id] - begin));
            bitmap.optimize();
            const size_t at = bitmaps.size();
            bitmaps.resize(at + bitmap.serialized_size());
            bitmap.serialize(bitmaps.data() + at);
            ends.push(bitmaps.size());
            if (id % 4096 == 4095)
                poll();
        }
        ends.finish();
        const ColumnWriter *columns[] = {&ends};
        store<uint32_t>(out.data() + front + 8 * t, static_cast<uint32_t>(column_set_size(columns)));
        store<uint32_t>(out.data() + front + 8 * t + 4, static_cast<uint32_t>(bitmaps.size()));
        append_column_set(columns, out);
        out.insert(out.end(), bitmaps.begin(), bitmaps.end());
    }
}

SegmentBytes SegmentWriter::finish() {
    end_cell();
    end_hour();
    assert(!cell_keys_.empty());
    SegmentHeader header{.version = format::version,
                         .flows = static_cast<uint32_t>(flows_),
                         .cells = static_cast<uint32_t>(cell_keys_.size()),
                         .keys = static_cast<uint32_t>(keys_[0].size()),
                         .hours = static_cast<uint32_t>(hours_.size()),
                         .hour_min = hours_.front().hour,
                         .hour_max = hours_.back().hour,
                         .names = {},
                         .has_index = cell_keys_.size() >= index_least_cells,
                         .totals = {}};
    std::array<ColumnWriter, text_dimension_count> keys;
    std::array<const ColumnWriter *, text_dimension_count> key_columns;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        header.names[t] = static_cast<uint32_t>(names_[t].size());
        for (const uint32_t id : keys_[t])
            keys[t].push(id);
        keys[t].finish();
        key_columns[t] = &keys[t];
    }
    key_.finish();
    first_row_.finish();
    std::array<const ColumnWriter *, format::cell_columns> cells{&key_, &first_row_};
    std::array<const ColumnWriter *, metric_count> rows;
    for (size_t m = 0; m < metric_count; ++m) {
        for (ColumnWriter *column : {&sum_low_[m], &sum_high_[m], &rows_[m]})
            column->finish();
        cells[format::column_sum_low(m)] = &sum_low_[m];
        cells[format::column_sum_high(m)] = any_high_[m] ? &sum_high_[m] : nullptr;
        rows[m] = flows_ > cell_keys_.size() ? &rows_[m] : nullptr;
    }
    uint64_t names_size = 0;
    for (const auto &names : names_)
        for (const std::string_view name : names)
            names_size += name.size();
    // Names are counted unshared: near the limit this refuses a little early, and never overflows a part's length.
    if (column_set_size(cells) + column_set_size(rows) + column_set_size(key_columns) + names_size > max_segment_bytes)
        throw_too_large("A segment can't be larger than 1 GB.");

    SegmentBytes out;
    format::PartTable parts;
    out.reserve(format::header_size + format::hour_entry_size * hours_.size() + names_size +
                column_set_size(key_columns) + column_set_size(cells) + column_set_size(rows));
    out.resize(format::header_size);
    for (size_t p = 0; p < format::part_count; ++p) {
        const size_t begin = out.size();
        switch (static_cast<format::Part>(p)) {
        case format::Part::hours:
            for (const HourEntry &entry : hours_) {
                append<uint32_t>(out, entry.hour);
                append<uint32_t>(out, entry.cells.end);
                append<uint32_t>(out, entry.rows.end);
                for (size_t m = 0; m < metric_count; ++m) {
                    append<uint64_t>(out, static_cast<uint64_t>(entry.totals.sums[m]));
                    append<uint64_t>(out, static_cast<uint64_t>(entry.totals.sums[m] >> 64));
                    header.totals.sums[m] += entry.totals.sums[m];
                }
            }
            break;
        case format::Part::src_apps:
        case format::Part::dest_apps:
        case format::Part::vpc_ids:
            append_dictionary(names_[p - format::at(format::Part::src_apps)], out);
            break;
        case format::Part::keys:
            append_column_set(key_columns, out);
            break;
        case format::Part::cells:
            append_column_set(cells, out);
            break;
        case format::Part::index:
            if (header.has_index)
                append_index(out);
            break;
        case format::Part::rows:
            append_column_set(rows, out);
            break;
        }
        parts[p] = {begin, static_cast<uint32_t>(out.size() - begin), crc32c(Bytes(out).subspan(begin))};
    }
    format::encode_header(header, parts, out.data());
    if (out.size() > max_segment_bytes)
        throw_too_large("A segment can't be larger than 1 GB.");
    return out;
}

} // namespace fas
