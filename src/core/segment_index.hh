// The inverted index of a segment: for each name of each text dimension, the cells that have it.
//
// A name's cells are stored as a portable Roaring bitmap, run-compressed; where they are few, as a short list, because
// a bitmap's own header would be most of it. Readers get a bitmap either way.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bitmap/bitmap.hh"
#include "packed.hh"
#include "segment_format.hh"

namespace fas {

// At most so many cells are a list. Below the first byte of every Roaring bitmap (58 or 59), which tells them apart.
inline constexpr uint8_t longest_index_list = 32;

// Appends the index of cells whose name ids are key_ids[t][cell_keys[cell]], for `names[t]` names each.
void append_index(std::span<const uint32_t> cell_keys,
                  const std::array<std::span<const uint32_t>, text_dimension_count> &key_ids,
                  const std::array<uint32_t, text_dimension_count> &names, std::vector<uint8_t> &out);

// The cells of each id, by counting: id i's are items[starts[i]] to items[starts[i + 1]], ascending.
struct Postings {
    std::vector<uint32_t> starts, items;
    Postings(std::span<const uint32_t> cell_keys, std::span<const uint32_t> key_ids, uint32_t ids);
    std::span<const uint32_t> of(uint32_t id) const noexcept {
        return std::span(items).subspan(starts[id], starts[id + 1] - starts[id]);
    }
};

class IndexReader {
  public:
    // Fetches the lengths at the front. `source` outlives the reader.
    IndexReader(ByteSource &source, const format::PartEntry &part, const SegmentHeader &header);

    Bitmap cells(size_t text_index, uint32_t name_id);
    // For verify: that the entries of a dimension follow each other without gaps and fill their part.
    void check_ends(size_t text_index);

  private:
    struct Place {
        uint64_t ends = 0, ends_length = 0, entries = 0, entries_length = 0;
    };
    ColumnSet &ends(size_t text_index);
    Bitmap decode(Bytes entry) const;

    ByteSource *source_;
    uint32_t cells_;
    std::array<uint32_t, text_dimension_count> names_;
    std::array<Place, text_dimension_count> places_;
    std::array<std::optional<ColumnSet>, text_dimension_count> ends_;
};

} // namespace fas
