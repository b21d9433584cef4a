// The numbers of the segment's format that reader, writer and verifier share; docs/segment-format.md explains them.
#pragma once

#include <array>
#include <cstdint>

#include "packed.hh"
#include "segment.hh"

namespace fas::format {

inline constexpr uint32_t magic = 0x47534146; // "FASG"
inline constexpr uint16_t version = 1;
inline constexpr uint16_t flag_index = 1; // the inverted index is there
inline constexpr uint16_t known_flags = flag_index;

// In the order in which they lie, without gaps, behind the header.
enum class Part : uint8_t { hours, src_apps, dest_apps, vpc_ids, keys, cells, index, rows };
inline constexpr size_t part_count = 8;
constexpr size_t at(Part part) noexcept { return static_cast<size_t>(part); }
constexpr Part dictionary_part(size_t text_index) noexcept {
    return static_cast<Part>(at(Part::src_apps) + text_index);
}

struct PartEntry {
    uint64_t offset = 0; // not stored: the sum of the lengths before
    uint32_t length = 0;
    uint32_t crc = 0;
};
using PartTable = std::array<PartEntry, part_count>;

// Offsets of the header's fields.
inline constexpr size_t at_magic = 0, at_version = 4, at_flags = 6, at_flows = 8, at_cells = 12, at_keys = 16,
                        at_hours = 20, at_hour_min = 24, at_hour_max = 28, at_names = 32, at_reserved = 44,
                        at_sums = 48, at_parts = at_sums + 16 * metric_count, at_crc = at_parts + 8 * part_count,
                        header_size = at_crc + 4;
static_assert(at_names + 4 * text_dimension_count == at_reserved && header_size == 148);

// An entry of the hour directory.
inline constexpr size_t at_entry_hour = 0, at_entry_cell_end = 4, at_entry_row_end = 8, at_entry_sums = 12,
                        hour_entry_size = at_entry_sums + 16 * metric_count;

// Columns of the column sets. A metric's sums are two columns: the low 64 bits and, where any is not zero, the high.
inline constexpr size_t column_key = 0, column_first_row = 1, cell_columns = 2 + 2 * metric_count;
constexpr size_t column_sum_low(size_t metric) noexcept { return 2 + 2 * metric; }
constexpr size_t column_sum_high(size_t metric) noexcept { return 3 + 2 * metric; }
constexpr uint32_t optional_cell_columns() noexcept {
    uint32_t set = 0;
    for (size_t m = 0; m < metric_count; ++m)
        set |= 1u << column_sum_high(m);
    return set;
}

// The index opens with, for each text dimension, the lengths of its end offsets (a column set) and of its bitmaps.
inline constexpr size_t index_front_size = 8 * text_dimension_count;

// A sum of fewer than 2^32 metrics: the high half is below this.
inline constexpr uint64_t sum_high_limit = uint64_t{1} << 31;

// Both check nothing but what they say: decode throws data_corrupted unless every field can be true of a segment of
// `size` bytes, so that counts may be trusted with allocations in proportion.
void encode_header(const SegmentHeader &header, const PartTable &parts, uint8_t *out);
void decode_header(Bytes bytes, uint64_t size, SegmentHeader &header, PartTable &parts);

} // namespace fas::format
