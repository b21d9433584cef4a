// Members of one container more or less in a bucket, done to its bytes: what lies before and behind is copied as it is.
#pragma once

#include <cstdint>
#include <optional>

#include "bucket.hh"

namespace fas {

// What becomes of a bucket's bytes: `removed` of them, from `at` on, make way for `added` of `put`.
struct Splice {
    uint32_t container = 0;
    size_t at = 0;
    uint32_t removed = 0, added = 0;
    uint8_t put[8] = {};
    int32_t members = 0; // by how many the container has more or less; 0: the bucket stays as it is
    int32_t runs = 0;

    size_t size_after(const BucketDirectory &bucket) const noexcept { return bucket.bytes().size() - removed + added; }
    void write(const BucketDirectory &bucket, uint8_t *out) const noexcept; // size_after() bytes
};

// Members from `first` to `last`, both included. Nothing where they are of more than one container, where a container
// would come, go, or be of another kind, and where a range is put into an array, or put into or taken out of a bitset.
// The bucket must be all of the bytes; its layout and the container are looked at here: data_corrupted where they are
// damaged.
std::optional<Splice> splice_members(const BucketDirectory &bucket, uint32_t first, uint32_t last, bool add);

} // namespace fas
