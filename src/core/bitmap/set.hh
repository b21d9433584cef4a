// Set algebra on serialized bitmaps, where they lie: nothing is decoded but the result, and the containers that only
// one side has are copied as bytes. Value is uint32_t for the portable Roaring format, uint64_t for its 64-bit
// extension: a list of 32-bit bitmaps ("buckets"), each with the high 32 bits of its members.
//
// The bytes need not be sound: what would lead CRoaring astray throws Error with data_corrupted.
#pragma once

#include <cstdint>
#include <optional>

#include "bucket.hh"
#include "bucket_algebra.hh"
#include "../byte_sink.hh"
#include "../source.hh"

namespace fas {

template <class Value> void combine(SetOperation operation, Bytes left, Bytes right, ByteSink &out);

// Questions to two bitmaps go through both from front to back, as far as it takes to know the answer. What they pass
// over is not checked.
template <class Value> uint64_t count_combined(SetOperation operation, ByteWindow &&left, ByteWindow &&right);
template <class Value> double jaccard_index(ByteWindow &&left, ByteWindow &&right); // not a number where both are empty
template <class Value> bool equals(ByteWindow &&left, ByteWindow &&right);
template <class Value> bool intersects(ByteWindow &&left, ByteWindow &&right);
template <class Value> bool is_subset(ByteWindow &&left, ByteWindow &&right); // left of right

// Whether these are the bytes of exactly one bitmap that need no repair: CRoaring's checks passed, all that the format
// says holds, and no bucket is empty.
template <class Value> bool is_sound(Bytes bytes) noexcept;

// The cardinality of bytes that are looked at as a whole; then the members of such bytes, ascending.
template <class Value> uint64_t checked_cardinality(Bytes bytes);
template <class Value> void copy_members(Bytes checked, Value *out);

// Reads the buckets of a bitmap one behind the other; one of 32 bits is one bucket, whose layout is not even looked at
// where no depth is given.
template <class Value> class BucketCursor {
  public:
    explicit BucketCursor(Bytes bytes, std::optional<Depth> depth = {});
    bool is_done() const noexcept { return done_; }
    uint32_t high() const noexcept { return high_; }
    Bytes bucket() const noexcept { return bucket_; }
    uint64_t cardinality() const noexcept { return cardinality_; } // unless there was no depth
    void advance();

  private:
    Bytes rest_, bucket_;
    std::optional<Depth> depth_;
    uint64_t left_ = 1, cardinality_ = 0;
    uint32_t high_ = 0;
    bool done_ = false, is_first_ = true;
};

// The same through a window: of each bucket the header, and of its containers those that are asked for.
template <class Value> class BucketStream {
  public:
    explicit BucketStream(ByteWindow &window);
    BucketStream(const BucketStream &) = delete;
    BucketStream &operator=(const BucketStream &) = delete;
    bool is_done() const noexcept { return done_; }
    uint32_t high() const noexcept { return high_; }
    const BucketDirectory &bucket() const noexcept { return bucket_; }
    void advance();

  private:
    void begin();

    ByteWindow &window_;
    BucketDirectory bucket_;
    uint64_t left_ = 1, at_ = 0;
    uint32_t high_ = 0;
    bool done_ = false, is_first_ = true;
};

// Writes a bitmap bucket by bucket, in ascending order. An empty bucket of a 64-bit bitmap is left out.
template <class Value> class BucketWriter {
  public:
    explicit BucketWriter(ByteSink &out);
    void copy(uint32_t high, Bytes bucket);
    void put(uint32_t high, const roaring_bitmap_t *bits);
    void put(uint32_t high, std::span<const ContainerPlace> containers);
    void put(uint32_t high, const CombinedBucket &combined);
    static bool wants(std::span<const ContainerPlace> containers) noexcept {
        return sizeof(Value) == 4 || !containers.empty();
    }
    uint8_t *begin(uint32_t high, size_t size); // room for a bucket's bytes
    void finish();

  private:
    ByteSink &out_;
    uint64_t count_ = 0;
};

} // namespace fas
