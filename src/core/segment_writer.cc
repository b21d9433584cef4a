// Writing segments, part by part.
#include "segment_writer.hh"

#include <algorithm>
#include <cassert>
#include <string>

#include "bytes.hh"
#include "checksum.hh"
#include "dictionary.hh"
#include "interrupt.hh"
#include "segment_format.hh"
#include "segment_index.hh"

namespace fas {
namespace {

[[noreturn]] void throw_too_large(const char *what) {
    throw Error(sqlstate::program_limit_exceeded, "flow segment would be too large", what,
                "Store the flows in several smaller batches.");
}

} // namespace

SegmentWriter::SegmentWriter(const NameSpans &names, const KeyColumns &keys, uint32_t index_from)
    : names_(names), keys_(keys), index_from_(index_from) {
    cell_keys_.reserve(std::min<size_t>(keys[0].size(), 1024)); // each has a cell
}

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

// Few segments have a sum beyond 64 bits: the column of high halves begins with the first that does.
void SegmentWriter::begin_high(size_t metric) {
    any_high_[metric] = true;
    for (size_t cell = 1; cell < cell_keys_.size(); ++cell)
        sum_high_[metric].push(0);
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
        if (high != 0 && !any_high_[m])
            begin_high(m);
        if (any_high_[m])
            sum_high_[m].push(high);
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

void SegmentWriter::append_hours(SegmentBytes &out) const {
    for (const HourEntry &entry : hours_) {
        const size_t at = out.size();
        out.resize(at + format::hour_entry_size);
        uint8_t *to = out.data() + at;
        store<uint32_t>(to + format::at_entry_hour, entry.hour);
        store<uint32_t>(to + format::at_entry_cell_end, entry.cells.end);
        store<uint32_t>(to + format::at_entry_row_end, entry.rows.end);
        for (size_t m = 0; m < metric_count; ++m)
            store128(to + format::at_entry_sums + 16 * m, entry.totals.sums[m]);
    }
}

void SegmentWriter::make_index() {
    std::array<std::span<const uint32_t>, text_dimension_count> ids;
    std::array<uint32_t, text_dimension_count> names;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        ids[t] = keys_[t];
        names[t] = static_cast<uint32_t>(names_[t].size());
    }
    append_index(cell_keys_, ids, names, index_);
}

// What has been appended is given up, so that a large segment is not held twice.
void SegmentWriter::append_part(size_t part, SegmentBytes &out) {
    const auto append_columns = [&](auto &set) {
        append_column_set(set, out);
        for (ColumnWriter *column : set)
            if (column != nullptr)
                column->release();
    };
    switch (static_cast<format::Part>(part)) {
    case format::Part::hours:
        return append_hours(out);
    case format::Part::src_apps:
    case format::Part::dest_apps:
    case format::Part::vpc_ids:
        return append_dictionary(names_[part - format::at(format::Part::src_apps)], out);
    case format::Part::keys:
        return append_columns(key_set_);
    case format::Part::cells:
        return append_columns(cell_set_);
    case format::Part::index:
        out.insert(out.end(), index_.begin(), index_.end());
        index_ = {};
        return;
    case format::Part::rows:
        return append_columns(row_set_);
    }
}

// The segment's size, with the names counted unshared, and last blocks unpacked: what to reserve, and what is refused
// before any part's length can overflow (near the limit a little early).
uint64_t SegmentWriter::largest_size() const {
    uint64_t size = format::header_size + most_column_set_bytes(key_set_) + most_column_set_bytes(cell_set_) +
                    most_column_set_bytes(row_set_) + format::hour_entry_size * hours_.size() + index_.size();
    for (const auto &names : names_) {
        size += 4 * (names.size() / dictionary_block + 1);
        for (const std::string_view name : names)
            size += name.size() + 1 + varint_size(name.size()); // an entry's first byte, the lengths behind it
    }
    return size;
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
                         .has_index = has_index(),
                         .totals = {}};
    for (const HourEntry &entry : hours_)
        header.totals.add(entry.totals);
    for (size_t t = 0; t < text_dimension_count; ++t) {
        header.names[t] = static_cast<uint32_t>(names_[t].size());
        for (const uint32_t id : keys_[t])
            key_ids_[t].push(id);
        key_set_[t] = &key_ids_[t];
    }
    cell_set_[format::column_key] = &key_;
    cell_set_[format::column_first_row] = &first_row_;
    for (size_t m = 0; m < metric_count; ++m) {
        cell_set_[format::column_sum_low(m)] = &sum_low_[m];
        cell_set_[format::column_sum_high(m)] = any_high_[m] ? &sum_high_[m] : nullptr;
        row_set_[m] = flows_ > cell_keys_.size() ? &rows_[m] : nullptr;
    }
    if (header.has_index)
        make_index();
    const uint64_t largest = largest_size();
    if (largest > max_segment_bytes)
        throw_too_large("A segment can't be larger than 1 GB.");

    SegmentBytes out;
    out.reserve(largest);
    out.resize(format::header_size);
    format::PartTable parts;
    for (size_t p = 0; p < format::part_count; ++p) {
        const size_t begin = out.size();
        append_part(p, out);
        parts[p] = {begin, static_cast<uint32_t>(out.size() - begin), crc32c(Bytes(out).subspan(begin))};
    }
    format::encode_header(header, parts, out.data());
    return out;
}

} // namespace fas
