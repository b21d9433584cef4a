// Reads a roaring bitmap where it lies: the portable format, 32 and 64 bit, over a ByteSource, so that a question costs
// the header and the containers that it needs, and no bitmap is built. docs: the format is that of all Roaring
// libraries (github.com/RoaringBitmap/RoaringFormatSpec).
//
// Any bytes may come: everything is checked to lie inside the source before it is read, and what is found to be no
// bitmap throws data_corrupted. What a question does not touch is not checked; check_bitmap() checks everything.
//
// A bitmap of 32 bits is read as one bucket; one of 64 bits is a list of buckets, each with the high 32 bits of its
// members. A view owns nothing; the bytes must outlive it.
#pragma once

#include <cstdint>
#include <optional>

#include "../error.hh"
#include "../source.hh"

namespace fas {

enum class BitmapWidth : uint8_t { bits32, bits64 };
enum class ContainerKind : uint8_t { array, bitset, runs };

[[noreturn]] void throw_bad_bitmap(const char *detail); // data_corrupted

// Bytes in memory, or fetched from a source; nothing is read beyond their end.
class BitmapBytes {
  public:
    BitmapBytes() = default;
    explicit BitmapBytes(Bytes memory) noexcept : size_(memory.size()), memory_(memory) {}
    explicit BitmapBytes(ByteSource &source) noexcept : size_(source.size()), source_(&source) {}

    uint64_t size() const noexcept { return size_; }
    Bytes fetch(uint64_t offset, uint64_t length) const {
        if (offset > size_ || length > size_ - offset)
            throw_bad_bitmap("The bytes end before the bitmap does.");
        return source_ == nullptr ? memory_.subspan(offset, length) : source_->fetch(offset, length);
    }

  private:
    uint64_t size_ = 0;
    Bytes memory_;
    ByteSource *source_ = nullptr; // or null: all is in memory_
};

// One container: the members that have all but their low 16 bits in common.
struct ContainerView {
    ContainerKind kind;
    uint16_t key;
    uint32_t cardinality; // as the header says
    Bytes bytes;          // array: members; bitset: 8192 bytes; runs: pairs of first member and length - 1

    bool contains(uint16_t low) const noexcept;
    uint32_t rank(uint16_t low) const noexcept; // how many members are low or less
    uint16_t minimum() const;
    uint16_t maximum() const;
    uint16_t select(uint32_t index) const;
    void check() const; // throws unless this is a container as it should be

    // Makes `out` the members from `first` to `last`; what is no part of the bytes is made in `room`. False where they
    // are too many for that: then `out` is the container as it is.
    static constexpr size_t part_size = 8192;
    bool part(uint16_t first, uint16_t last, uint8_t (&room)[part_size], ContainerView &out) const;
};

// One bitmap of 32 bits in the portable format, from `begin` of the source on; it may end before the source does.
class BucketView {
  public:
    BucketView() = default; // no container
    explicit BucketView(const BitmapBytes &bytes) noexcept : bytes_(bytes) {}
    void open(uint64_t begin); // reads the header; in place, because copies of a view would cost as much

    uint32_t size() const noexcept { return size_; } // how many containers
    uint16_t key(uint32_t i);
    ContainerView container(uint32_t i);
    uint32_t lower_bound(uint32_t key, uint32_t from = 0); // the first container from `from` on with this key or more
    uint64_t end();                                        // where the bitmap ends in the source
    Bytes headers(uint32_t first, uint32_t count);         // pairs of key and cardinality - 1

    uint64_t cardinality();
    bool contains(uint32_t member);
    uint64_t rank(uint32_t member);
    std::optional<uint64_t> index(uint32_t member); // the member's place, from 0
    uint32_t minimum();                             // of a bucket that has a container
    uint32_t maximum();
    std::optional<uint32_t> select(uint64_t &index); // index becomes less by the cardinality where there is none
    void check(uint64_t limit);                      // everything, and that the containers lie one behind the other

  private:
    struct Place {
        ContainerKind kind;
        uint16_t key;
        uint32_t cardinality;
        uint64_t begin, length; // of the container's bytes; of runs without their count
    };
    Bytes fetch(uint64_t offset, uint64_t length) const { return bytes_.fetch(offset, length); }
    bool is_run(uint32_t i);
    Place place(uint32_t i);
    uint64_t near_runs(uint32_t i, uint64_t at);
    uint64_t begin_of(uint32_t i);
    Place place_at(uint32_t i, uint64_t at);

    BitmapBytes bytes_;
    uint64_t begin_ = 0;
    uint32_t size_ = 0;
    bool has_runs_ = false, has_offsets_ = false;
    uint64_t headers_ = 0, offsets_ = 0, containers_ = 0; // where they begin
};

class BitmapView {
  public:
    BitmapView(ByteSource &source, BitmapWidth width) : bytes_(source), width_(width), bucket_(bytes_) { begin(); }
    BitmapView(Bytes memory, BitmapWidth width) : bytes_(memory), width_(width), bucket_(bytes_) { begin(); }

    uint64_t size() const noexcept { return bytes_.size(); } // in bytes
    void fetch_all() { bytes_.fetch(0, bytes_.size()); }     // where slices would cost more

    bool empty();
    uint64_t cardinality();
    bool contains(uint64_t member);
    uint64_t rank(uint64_t member);                 // how many members are this or less
    std::optional<uint64_t> index(uint64_t member); // the member's place, from 0
    std::optional<uint64_t> minimum();
    std::optional<uint64_t> maximum();
    std::optional<uint64_t> select(uint64_t index); // the member at this place, from 0
    // Members from `first` to `last`, both included; 0 where last is less.
    uint64_t range_cardinality(uint64_t first, uint64_t last);

    // The buckets, from the first one again after rewind().
    void rewind() noexcept;
    bool next();
    uint32_t high() const noexcept { return high_; } // 0 for 32 bit
    BucketView &bucket() noexcept { return bucket_; }

  private:
    void begin();
    void begin_walk();        // before all buckets are gone through
    bool seek(uint32_t high); // the first bucket with this high half or more

    BitmapBytes bytes_;
    BitmapWidth width_;
    uint64_t buckets_ = 1, taken_ = 0;
    uint64_t first_ = 0; // where the first bucket begins
    uint32_t high_ = 0;
    BucketView bucket_;
};

// The members of a bitmap in ascending order. Some are decoded at a time, so that most are but taken.
class BitmapCursor {
  public:
    BitmapCursor(ByteSource &source, BitmapWidth width) : view_(source, width) {}

    // The next of the members that are decoded; false where none of them is left, which next() is for.
    bool take(uint64_t &member) noexcept {
        if (taken_ == decoded_)
            return false;
        member = block_[taken_++];
        return true;
    }
    bool next(uint64_t &member) {
        if (taken_ == decoded_)
            decode();
        return take(member);
    }

  private:
    // A block ends with a container, unless that leaves it all but empty: the next one may have to be fetched.
    static constexpr uint32_t block_size = 256, enough = 16;

    bool next_container();
    void decode();
    void decode_array() noexcept;
    void decode_bitset() noexcept;
    void decode_runs() noexcept;

    BitmapView view_;
    bool started_ = false;
    bool ordered_ = true;     // the members so far
    uint32_t container_ = 0;  // the next one of the bucket
    uint64_t base_ = 0;       // what the members of the current container have in common
    int32_t last_ = -1;       // the low half of the member before
    ContainerView current_{}; // its bytes stay in the source
    uint32_t item_ = 0;       // the next item: member, word or run
    uint64_t word_ = 0;       // what is left of the current word
    uint32_t run_left_ = 0;   // members that are left of the current run
    uint32_t taken_ = 0, decoded_ = 0;
    uint64_t block_[block_size];
};

// Throws `sqlstate` unless the bytes are exactly one bitmap as CRoaring would write it: as strict as its safe
// deserialise with its internal validate, and that the offsets and the cardinalities of runs are right, too.
void check_bitmap(Bytes bytes, BitmapWidth width, const char *sqlstate);

} // namespace fas
