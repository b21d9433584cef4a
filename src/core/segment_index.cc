// Writing and reading the inverted index.
#include "segment_index.hh"

#include "bytes.hh"
#include "interrupt.hh"

namespace fas {
namespace {

constexpr uint64_t small_ends = 8192; // bytes that cost less than a further fetch

void append_entry(std::span<const uint32_t> cells, std::vector<uint8_t> &out) {
    if (cells.size() <= longest_index_list) {
        std::array<uint8_t, 1 + 5 * longest_index_list> bytes;
        uint8_t *to = bytes.data();
        *to++ = static_cast<uint8_t>(cells.size());
        to = put_varint(to, cells[0]);
        for (size_t i = 1; i < cells.size(); ++i)
            to = put_varint(to, cells[i] - cells[i - 1] - 1);
        out.insert(out.end(), bytes.data(), to);
        return;
    }
    Bitmap bitmap = Bitmap::of(cells);
    bitmap.optimize();
    const size_t at = out.size();
    out.resize(at + bitmap.serialized_size());
    bitmap.serialize(out.data() + at);
}

} // namespace

Postings::Postings(std::span<const uint32_t> cell_keys, std::span<const uint32_t> key_ids, uint32_t ids)
    : starts(size_t{ids} + 2), items(cell_keys.size()) {
    // Counted two places up, so that placing the items leaves starts[i] where id i's items begin.
    for (const uint32_t key : cell_keys)
        ++starts[size_t{key_ids[key]} + 2];
    for (size_t i = 1; i < starts.size(); ++i)
        starts[i] += starts[i - 1];
    for (uint32_t cell = 0; cell < cell_keys.size(); ++cell)
        items[starts[size_t{key_ids[cell_keys[cell]]} + 1]++] = cell;
}

void append_index(std::span<const uint32_t> cell_keys,
                  const std::array<std::span<const uint32_t>, text_dimension_count> &key_ids,
                  const std::array<uint32_t, text_dimension_count> &names, std::vector<uint8_t> &out) {
    const size_t front = out.size();
    out.resize(front + format::index_front_size);
    for (size_t t = 0; t < text_dimension_count; ++t) {
        const Postings postings(cell_keys, key_ids[t], names[t]);
        ColumnWriter ends;
        std::vector<uint8_t> entries;
        for (uint32_t id = 0; id < names[t]; ++id) {
            append_entry(postings.of(id), entries);
            ends.push(entries.size());
            if (id % 4096 == 4095)
                poll();
        }
        const ColumnWriter *columns[] = {&ends};
        const size_t set = out.size();
        append_column_set(columns, out);
        store<uint32_t>(out.data() + front + 8 * t, static_cast<uint32_t>(out.size() - set));
        store<uint32_t>(out.data() + front + 8 * t + 4, static_cast<uint32_t>(entries.size()));
        out.insert(out.end(), entries.begin(), entries.end());
    }
}

IndexReader::IndexReader(ByteSource &source, const format::PartEntry &part, const SegmentHeader &header)
    : source_(&source), cells_(header.cells), names_(header.names) {
    const Bytes front =
        source.fetch(part.offset, std::min<uint64_t>(part.length, small_ends)); // with the first ends, mostly
    if (front.size() < format::index_front_size)
        throw_corrupted("The inverted index is too short.");
    uint64_t offset = part.offset + format::index_front_size;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        Place &place = places_[t];
        place.ends = offset;
        place.ends_length = load<uint32_t>(front.data() + 8 * t);
        place.entries = offset += place.ends_length;
        place.entries_length = load<uint32_t>(front.data() + 8 * t + 4);
        offset += place.entries_length;
    }
    if (offset != part.offset + part.length)
        throw_corrupted("The lengths in the inverted index do not add up to its length.");
}

ColumnSet &IndexReader::ends(size_t text_index) {
    std::optional<ColumnSet> &set = ends_[text_index];
    if (!set && places_[text_index].ends_length <= small_ends)
        source_->fetch(places_[text_index].ends, places_[text_index].ends_length); // at once, instead of bit by bit
    if (!set)
        set.emplace(*source_, places_[text_index].ends, places_[text_index].ends_length, 1, names_[text_index]);
    return *set;
}

Bitmap IndexReader::decode(Bytes entry) const {
    if (entry[0] > longest_index_list)
        return Bitmap::deserialize(entry, sqlstate::data_corrupted);
    ByteCursor cursor(entry);
    std::array<uint32_t, longest_index_list> cells;
    const size_t count = cursor.byte();
    uint64_t next = 0;
    for (size_t i = 0; i < count; ++i) {
        const uint64_t gap = cursor.varint();
        if (gap >= cells_ || next + gap >= cells_)
            throw_corrupted("The inverted index names cells that the segment does not have.");
        cells[i] = static_cast<uint32_t>(next + gap);
        next += gap + 1;
    }
    if (cursor.left() != 0)
        throw_corrupted("An entry of the inverted index is longer than its list.");
    return Bitmap::of({cells.data(), count});
}

Bitmap IndexReader::cells(size_t text_index, uint32_t name_id) {
    if (name_id >= names_[text_index])
        throw_corrupted("The inverted index was asked for a name that it does not have.");
    const Place &place = places_[text_index];
    std::array<uint64_t, 2> range{};
    if (name_id == 0)
        ends(text_index).read(0, 0, 1, &range[1]);
    else
        ends(text_index).read(0, name_id - 1, name_id + 1, range.data());
    if (range[0] >= range[1] || range[1] > place.entries_length)
        throw_corrupted("The entries of the inverted index do not ascend.");
    Bitmap cells = decode(source_->fetch(place.entries + range[0], range[1] - range[0]));
    if (cells.empty() || cells.maximum() >= cells_)
        throw_corrupted("The inverted index names cells that the segment does not have.");
    return cells;
}

void IndexReader::check_ends(size_t text_index) {
    std::vector<uint64_t> all(names_[text_index]);
    ends(text_index).read(0, 0, names_[text_index], all.data());
    uint64_t previous = 0;
    for (const uint64_t end : all) {
        if (end <= previous)
            throw_corrupted("The entries of the inverted index do not ascend.");
        previous = end;
    }
    if (previous != places_[text_index].entries_length)
        throw_corrupted("The entries of the inverted index do not fill their part.");
}

} // namespace fas
