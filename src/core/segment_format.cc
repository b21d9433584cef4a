// The header: writing it, and refusing what can't be one.
#include "segment_format.hh"

#include "builder.hh"
#include "bytes.hh"
#include "checksum.hh"
#include "dictionary.hh"

namespace fas::format {
namespace {

void require(bool holds, const char *detail) {
    if (!holds)
        throw_corrupted(detail);
}

// A column set of `columns` columns at least, all of `count` values, can't be shorter than this.
uint64_t least_column_set(uint64_t columns_listed, uint64_t columns_there, uint64_t count) noexcept {
    return 4 * columns_listed + columns_there * blocks_of(count) * (2 + packed_block_least_bytes);
}

void check_counts(const SegmentHeader &h) {
    require(h.flows > 0 && h.cells > 0 && h.cells <= h.flows, "The header's numbers of flows and cells do not agree.");
    require(h.keys > 0 && h.keys <= h.cells, "The header's numbers of cells and flow keys do not agree.");
    require(h.hour_min <= h.hour_max && h.hour_max <= max_hour, "The header's hours are out of range.");
    require(h.hours > 0 && h.hours <= h.cells && h.hours - 1 <= h.hour_max - h.hour_min,
            "The header's number of hours is impossible.");
    require(h.hours > 1 || h.hour_min == h.hour_max, "The header's one hour has two numbers.");
    for (const uint32_t names : h.names)
        require(names > 0 && names <= h.keys, "The header's numbers of names and flow keys do not agree.");
    for (const uint128 sum : h.totals.sums)
        require(sum <= uint128{h.flows} * max_metric, "The header's sums are greater than its flows allow.");
}

void check_lengths(const SegmentHeader &h, const PartTable &parts) {
    const auto length = [&](Part part) { return uint64_t{parts[at(part)].length}; };
    require(length(Part::hours) == uint64_t{hour_entry_size} * h.hours, "The hour directory has a wrong length.");
    for (size_t t = 0; t < text_dimension_count; ++t)
        require(length(dictionary_part(t)) >= least_dictionary_bytes(h.names[t]),
                "A dictionary is too short for its names.");
    require(length(Part::keys) >= least_column_set(text_dimension_count, text_dimension_count, h.keys),
            "The key table is too short for its keys.");
    require(length(Part::cells) >= least_column_set(cell_columns, 2 + metric_count, h.cells),
            "The cells are too short for their number.");
    require(length(Part::rows) >= least_column_set(metric_count, metric_count, uint64_t{h.flows} - h.cells),
            "The rows are too short for their number.");
    require(h.has_index ? length(Part::index) >= index_front_size : length(Part::index) == 0,
            "The inverted index has a wrong length.");
}

} // namespace

void encode_header(const SegmentHeader &h, const PartTable &parts, uint8_t *out) {
    store<uint32_t>(out + at_magic, magic);
    store<uint16_t>(out + at_version, version);
    store<uint16_t>(out + at_flags, h.has_index ? flag_index : uint16_t{0});
    store<uint32_t>(out + at_flows, h.flows);
    store<uint32_t>(out + at_cells, h.cells);
    store<uint32_t>(out + at_keys, h.keys);
    store<uint32_t>(out + at_hours, h.hours);
    store<uint32_t>(out + at_hour_min, h.hour_min);
    store<uint32_t>(out + at_hour_max, h.hour_max);
    for (size_t t = 0; t < text_dimension_count; ++t)
        store<uint32_t>(out + at_names + 4 * t, h.names[t]);
    store<uint32_t>(out + at_reserved, 0);
    for (size_t m = 0; m < metric_count; ++m)
        store128(out + at_sums + 16 * m, h.totals.sums[m]);
    for (size_t p = 0; p < part_count; ++p) {
        store<uint32_t>(out + at_parts + 8 * p, parts[p].length);
        store<uint32_t>(out + at_parts + 8 * p + 4, parts[p].crc);
    }
    store<uint32_t>(out + at_crc, crc32c({out, at_crc}));
}

void decode_header(Bytes bytes, uint64_t size, SegmentHeader &h, PartTable &parts) {
    require(bytes.size() >= header_size, "The segment is shorter than its header.");
    const uint8_t *from = bytes.data();
    require(load<uint32_t>(from + at_magic) == magic, "The segment does not begin with its magic number.");
    h.version = load<uint16_t>(from + at_version);
    if (h.version != version)
        throw Error(sqlstate::data_corrupted, "flow segment has an unknown format version",
                    "The segment's format version is " + std::to_string(h.version) + "; this library reads version " +
                        std::to_string(version) + ".",
                    "If a newer release of fas wrote it, read it with that release.");
    require(load<uint32_t>(from + at_crc) == crc32c({from, at_crc}), "The header's checksum does not match.");
    const uint16_t flags = load<uint16_t>(from + at_flags);
    require((flags & ~known_flags) == 0 && load<uint32_t>(from + at_reserved) == 0,
            "The header has bits set that this version does not know.");
    h.has_index = (flags & flag_index) != 0;
    h.flows = load<uint32_t>(from + at_flows);
    h.cells = load<uint32_t>(from + at_cells);
    h.keys = load<uint32_t>(from + at_keys);
    h.hours = load<uint32_t>(from + at_hours);
    h.hour_min = load<uint32_t>(from + at_hour_min);
    h.hour_max = load<uint32_t>(from + at_hour_max);
    for (size_t t = 0; t < text_dimension_count; ++t)
        h.names[t] = load<uint32_t>(from + at_names + 4 * t);
    for (size_t m = 0; m < metric_count; ++m)
        h.totals.sums[m] = load128(from + at_sums + 16 * m);
    h.totals.flows = h.flows;
    uint64_t offset = header_size;
    for (size_t p = 0; p < part_count; ++p) {
        parts[p] = {offset, load<uint32_t>(from + at_parts + 8 * p), load<uint32_t>(from + at_parts + 8 * p + 4)};
        offset += parts[p].length;
    }
    require(offset == size, "The lengths of the parts do not add up to the segment's length.");
    check_counts(h);
    check_lengths(h, parts);
}

} // namespace fas::format
