// One member more or less in a bucket, done to its bytes: what lies before and behind it is copied as it is.
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

// Nothing where a container would come, go, or be of another kind. The bucket's layout was inspected, and it is all of
// the bytes; the container is looked at here, and throws data_corrupted where it is damaged.
std::optional<Splice> splice_member(const BucketDirectory &bucket, uint32_t member, bool add);

} // namespace fas
