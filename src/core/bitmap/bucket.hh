// A bucket: one 32-bit bitmap in the portable Roaring format, contiguous in memory. A roaringbitmap is one bucket; a
// roaringbitmap64 is a list of buckets, each with the high 32 bits of its members (set.hh).
//
// CRoaring can work on such bytes where they lie, but believes whatever they say. So inspect_bucket() looks at them
// first, and a FrozenBucket lends them to CRoaring. Nothing here owns the bytes; they must outlive what refers to them.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include <roaring/roaring.h>

#include "view.hh"
#include "window.hh"
#include "../bytes.hh"
#include "../source.hh"

namespace fas {

// How much of the bytes is looked at. What CRoaring is to do with a bucket says how much that must be:
//   layout: everything lies inside the bytes, keys ascend: enough to copy containers
//   order:  and the members and runs of a container ascend: enough to count and to compare; CRoaring's vectorised
//           algorithms would leave their buffers otherwise
//   whole:  and each cardinality is right: enough for everything; as strict as CRoaring's internal validate
enum class Depth : uint8_t { layout, order, whole };

struct BucketShape {
    const char *problem = nullptr; // a sentence, when the bytes do not begin with a bucket; the rest is 0 then
    size_t length = 0;             // in bytes; more may follow
    uint64_t cardinality = 0;
};
BucketShape inspect_bucket(Bytes bytes, Depth depth) noexcept;

// As inspect_bucket(), but a problem throws data_corrupted (throw_bad_bitmap() of view.hh).
BucketShape checked_bucket(Bytes bytes, Depth depth);

// CRoaring's view of a bucket that was inspected as deep as its use needs. Only for functions that take it as const.
class FrozenBucket {
  public:
    explicit FrozenBucket(Bytes inspected);
    FrozenBucket(const FrozenBucket &) = delete;
    FrozenBucket &operator=(const FrozenBucket &) = delete;
    ~FrozenBucket();
    operator const roaring_bitmap_t *() const noexcept { return bits_; }

  private:
    roaring_bitmap_t *bits_;
};

// Where a container's bytes lie.
struct ContainerPlace {
    uint16_t key;
    uint16_t last; // cardinality - 1
    bool is_run;
    uint32_t size;
    const uint8_t *data;

    uint32_t cardinality() const noexcept { return uint32_t{last} + 1; }
    void check(Depth depth) const; // of what lies there; throws data_corrupted
};

// A bucket's header, which tells where each container is, so that few of them need be looked at. The containers are
// not: place() only sees to it that what it returns lies inside the bytes, and ends where the next one begins.
class BucketDirectory {
  public:
    BucketDirectory() = default;
    explicit BucketDirectory(Bytes bucket) { open(bucket); } // throws data_corrupted; it may end before the bytes do
    BucketDirectory(const BucketDirectory &) = delete;
    BucketDirectory &operator=(const BucketDirectory &) = delete;
    void open(Bytes bucket);
    // Of a bucket that begins there; its containers are fetched as they are asked for, and good until the next one is,
    // unless the window has everything.
    void open(ByteWindow &window, uint64_t begin);

    uint32_t size() const noexcept { return count_; } // how many containers
    uint16_t key(uint32_t i) const noexcept { return number(2 * i); }
    uint32_t cardinality(uint32_t i) const noexcept { return uint32_t{number(2 * i + 1)} + 1; }
    uint64_t cardinality() const noexcept;
    bool is_run(uint32_t i) const noexcept { return run_flags_ != nullptr && (run_flags_[i / 8] >> (i % 8) & 1) != 0; }
    bool has_run_flags() const noexcept { return run_flags_ != nullptr; }
    Bytes keys() const noexcept { return {keys_, size_t{4} * count_}; } // pairs of key and cardinality - 1
    ContainerPlace place(uint32_t i) const;
    uint64_t length() const;                         // in bytes
    Bytes bytes() const noexcept { return bucket_; } // in memory

  private:
    struct Extent {
        uint64_t begin;
        uint32_t size;
    };
    uint16_t number(uint32_t i) const noexcept { return load<uint16_t>(keys_ + size_t{2} * i); }
    uint32_t offset(uint32_t i) const noexcept { return load<uint32_t>(offsets_ + size_t{4} * i); }
    Bytes fetch(uint64_t begin, uint32_t size) const;
    Extent extent(uint32_t i) const;
    void check_offsets() const;

    Bytes bucket_; // or what is known of it, where there is a window
    ByteWindow *window_ = nullptr;
    uint64_t begin_ = 0, limit_ = 0; // of the bucket in the window; how much the window has from there on
    std::vector<uint8_t> header_;    // a copy, where the window moves on
    uint32_t count_ = 0;
    const uint8_t *run_flags_ = nullptr, *keys_ = nullptr, *offsets_ = nullptr;
    size_t length_ = 0; // of the header
};

// All containers of a bucket, so that they can be put together anew. Throws where its layout is wrong, or more follows.
std::pmr::vector<ContainerPlace> containers_of(Bytes bucket,
                                               std::pmr::memory_resource *memory = std::pmr::get_default_resource());

size_t bucket_size(std::span<const ContainerPlace> containers) noexcept;
// Writes exactly bucket_size() bytes. A container whose data is null leaves a hole for who computes it there.
void write_bucket(std::span<const ContainerPlace> containers, uint8_t *out, std::vector<uint8_t *> *holes = nullptr);

} // namespace fas
