// Order and hash of serialized bitmaps, for btree and hash indexes, sorting and grouping. Both look at sets, not at
// bytes: however two bitmaps are encoded, equal sets compare equal and hash alike. Neither result may ever change,
// because indexes on disk depend on it.
#pragma once

#include "walk.hh"

namespace fas {

// Below, at or above zero. The order is that of the lists of members, ascending and unsigned: the list that is smaller
// where they first differ comes first, and a list comes before its continuations. The empty set is the smallest.
int compare_bitmaps(Bytes left, Bytes right, BitmapWidth width);

// The seed makes another hash of it, as PostgreSQL's extended hash functions want.
uint64_t hash_bitmap(Bytes bytes, BitmapWidth width, uint64_t seed);

} // namespace fas
