// What a GIN index holds of a bitmap, and what a query asks it for.
//
// A bitmap with few members is indexed by each of them. One with more would cost as many index entries as it has
// members, so it is indexed by its members without their lowest 8 bits, or 16, and so on: the least that gives no more
// keys than wanted. That number of bytes cut off is the bitmap's level; a bitmap has keys of one level alone. A query
// does not know a row's level, so it asks for keys of every level; a match on level 0 is exact, any other one says
// only that the row must be looked at.
//
// A key is a 64-bit number with its highest bit flipped, so that signed order is the members' order. On level 0 it is
// the member; above, the highest byte is a mark of the level. A 64-bit member whose highest byte looks like a mark may
// share its key with a part of another bitmap: matches of such keys are not taken as exact.
#pragma once

#include <vector>

#include "walk.hh"

namespace fas {

using IndexKey = int64_t;

struct KeyRange { // of a query: any key of these matches
    IndexKey first, last;
    bool is_exact; // a row with such a key has a member in common with the query
};

constexpr unsigned index_levels(BitmapWidth width) { return width == BitmapWidth::bits64 ? 8 : 4; }
constexpr uint32_t least_index_keys = 256; // the highest level may need so many

// The keys of a stored bitmap: no more than `most_keys`, which is at least least_index_keys. In order.
std::vector<IndexKey> index_keys(Bytes bytes, BitmapWidth width, uint32_t most_keys);

// For "has all of": some members of the query (all of them if they are few), and their keys level by level. A row
// qualifies only if it has all keys of one level; that is exact where it is level 0 and `is_exact`.
struct Probes {
    std::vector<IndexKey> keys;
    std::vector<uint8_t> levels; // of each key, ascending
    bool is_exact = false;
};
Probes probes_of_member(uint64_t member, BitmapWidth width);
Probes probes_of_bitmap(Bytes bytes, BitmapWidth width);

// For "has any of": the ranges of keys that rows with a member of the query have, on every level. A query of very many
// runs is rounded up to fewer, and is not exact then.
std::vector<KeyRange> ranges_of_bitmap(Bytes bytes, BitmapWidth width);

} // namespace fas
