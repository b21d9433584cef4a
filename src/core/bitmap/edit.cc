// See edit.hh. Nothing here is shared, and no lock is needed.
#include "edit.hh"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory_resource>
#include <optional>
#include <string>
#include <type_traits>

#include "bitmap.hh"
#include "container_maker.hh"
#include "member.hh"
#include "set.hh"
#include "../bytes.hh"
#include "../interrupt.hh"

namespace fas {

namespace {

using Containers = std::pmr::vector<ContainerPlace>;

template <class Value> constexpr bool is_wide = std::is_same_v<Value, uint64_t>;
constexpr uint32_t max_low = UINT32_MAX;

// An empty bucket's bytes, for members whose high half no bucket has.
constexpr uint8_t no_members[] = {0x3a, 0x30, 0, 0, 0, 0, 0, 0};

// Room for the containers of most buckets that change, so that none is asked for.
class Scratch {
  public:
    std::pmr::memory_resource *memory() noexcept { return &memory_; }

  private:
    std::byte here_[2048];
    std::pmr::monotonic_buffer_resource memory_{here_, sizeof here_};
};

std::vector<uint8_t> bytes_of(const Containers &containers) {
    std::vector<uint8_t> out(bucket_size(containers));
    write_bucket(containers, out.data());
    return out;
}

// The range [first, last] in containers of its own; not those that are kept as they are.
class RangeChange {
  public:
    RangeChange(Change kind, uint32_t first, uint32_t last, Containers &out) noexcept
        : kind_(kind), first_(first), last_(last), out_(out), negated_(out.get_allocator()) {}

    // Containers whose keys the range has.
    void apply(const ContainerPlace *begin, const ContainerPlace *end) {
        uint32_t key = first_ >> 16;
        for (; begin != end; ++begin) {
            missing(key, begin->key);
            present(*begin);
            key = begin->key + 1U;
        }
        missing(key, (last_ >> 16) + 1);
    }

    // All that is in `out`, as a bucket. Bitsets that are turned over as a whole are computed where they go: the result
    // of a flip is large, and memory that the kernel hands out is dear.
    void write(uint8_t *to) {
        std::vector<uint8_t *> holes;
        write_bucket(out_, to, &holes);
        for (size_t i = 0; i < holes.size(); ++i)
            ContainerMaker::negate(negated_[i], holes[i]);
    }

  private:
    uint32_t first_of(uint32_t key) const noexcept { return key == first_ >> 16 ? first_ & 0xffff : 0; }
    uint32_t last_of(uint32_t key) const noexcept { return key == last_ >> 16 ? last_ & 0xffff : 0xffff; }

    void missing(uint32_t key, uint32_t end) {
        if (kind_ == Change::fill || kind_ == Change::flip)
            for (; key < end; ++key)
                out_.push_back(maker_.range(static_cast<uint16_t>(key), first_of(key), last_of(key)));
    }

    // What is covered whole need not be looked into but to be flipped.
    void present(const ContainerPlace &c) {
        const uint32_t first = first_of(c.key), last = last_of(c.key);
        const bool is_border = c.key == first_ >> 16 || c.key == last_ >> 16;
        const bool is_negated = kind_ == Change::flip && last - first == 0xffff && ContainerMaker::can_negate(c);
        if (is_border || kind_ == Change::flip)
            c.check(is_negated ? Depth::order : Depth::whole);
        else if (kind_ == Change::clear)
            return;
        if (is_negated) {
            const auto negated = static_cast<uint16_t>(0xffff - c.cardinality());
            out_.push_back({c.key, negated, false, 8192, nullptr});
            negated_.push_back(c);
            return;
        }
        put(kind_ == Change::fill    ? maker_.fill(c, first, last)
            : kind_ == Change::clear ? maker_.clear(c, first, last)
            : kind_ == Change::flip  ? maker_.flip(c, first, last)
                                     : kept(c, first, last));
    }

    ContainerPlace kept(const ContainerPlace &c, uint32_t first, uint32_t last) {
        ContainerPlace out = first > 0 ? maker_.clear(c, 0, first - 1) : c;
        if (out.size > 0 && last < 0xffff)
            out = maker_.clear(out, last + 1, 0xffff);
        return out;
    }

    void put(const ContainerPlace &container) {
        if (container.size > 0)
            out_.push_back(container);
    }

    Change kind_;
    uint32_t first_, last_;
    Containers &out_;
    Containers negated_; // of which `out` has no bytes yet
    ContainerMaker maker_;
};

// Changes the containers that the range has, and puts the result between those before and behind.
template <class Writer>
void change_bucket(Change kind, Bytes bucket, uint32_t first, uint32_t last, uint32_t high, Writer &out) {
    if ((kind == Change::fill || kind == Change::clear) && first >> 16 == last >> 16) {
        const BucketDirectory directory(bucket);
        if (const auto splice = splice_members(directory, first, last, kind == Change::fill)) {
            splice->write(directory, out.begin(high, splice->size_after(directory)));
            return;
        }
    }
    Scratch scratch;
    const Containers old = containers_of(bucket, scratch.memory());
    const auto begin =
        std::partition_point(old.begin(), old.end(), [&](const ContainerPlace &c) { return c.key < first >> 16; });
    const auto end =
        std::partition_point(begin, old.end(), [&](const ContainerPlace &c) { return c.key <= last >> 16; });

    Containers all(scratch.memory());
    all.reserve(old.size() + (kind == Change::fill || kind == Change::flip ? (last >> 16) - (first >> 16) + 1 : 0));
    RangeChange change(kind, first, last, all);
    if (kind != Change::keep)
        all.insert(all.end(), old.begin(), begin);
    change.apply(old.data() + (begin - old.begin()), old.data() + (end - old.begin()));
    if (kind != Change::keep)
        all.insert(all.end(), end, old.end());
    if (out.wants(all))
        change.write(out.begin(high, bucket_size(all)));
}

// All of the 2^32 members of one bucket, 900 kB of runs: of which a value of 1 GB has no more than this.
constexpr uint64_t max_full_buckets = 1200;

class FullBucket {
  public:
    Bytes bytes() {
        if (bytes_.empty())
            bytes_ = bytes_of_all();
        return bytes_;
    }

  private:
    static std::vector<uint8_t> bytes_of_all() {
        Containers all;
        RangeChange change(Change::fill, 0, max_low, all);
        change.apply(nullptr, nullptr);
        return bytes_of(all);
    }
    std::vector<uint8_t> bytes_;
};

class Changing {
  public:
    Changing(Change kind, uint64_t first, uint64_t last, BucketWriter<uint64_t> &out) noexcept
        : kind_(kind), first_(first), last_(last), out_(out) {}

    void bucket(uint32_t high, Bytes bytes) {
        if (high < first_ >> 32 || high > last_ >> 32) {
            if (kind_ != Change::keep)
                out_.copy(high, bytes);
            return;
        }
        const uint32_t from = high == first_ >> 32 ? static_cast<uint32_t>(first_) : 0;
        const uint32_t to = high == last_ >> 32 ? static_cast<uint32_t>(last_) : max_low;
        if (from > 0 || to < max_low || kind_ == Change::flip)
            change_bucket(kind_, bytes, from, to, high, out_);
        else if (kind_ == Change::keep)
            out_.copy(high, bytes);
        else if (kind_ == Change::fill)
            out_.copy(high, full_.bytes());
    }

    // Members of [from, to) that no bucket has, by their high halves.
    void gap(uint64_t from, uint64_t to) {
        from = std::max(from, first_ >> 32);
        to = std::min(to, (last_ >> 32) + 1);
        if ((kind_ != Change::fill && kind_ != Change::flip) || from >= to)
            return;
        if (to - from > max_full_buckets)
            throw Error(sqlstate::program_limit_exceeded, "result is too large",
                        "A bitmap of so wide a range would exceed PostgreSQL's limit of 1 GB for a value.");
        for (uint64_t high = from; high < to; ++high) {
            poll();
            const uint32_t first = high == first_ >> 32 ? static_cast<uint32_t>(first_) : 0;
            const uint32_t last = high == last_ >> 32 ? static_cast<uint32_t>(last_) : max_low;
            if (first == 0 && last == max_low)
                out_.copy(static_cast<uint32_t>(high), full_.bytes());
            else
                change_bucket(Change::fill, no_members, first, last, static_cast<uint32_t>(high), out_);
        }
    }

  private:
    Change kind_;
    uint64_t first_, last_;
    BucketWriter<uint64_t> &out_;
    FullBucket full_;
};

} // namespace

template <> void change<uint32_t>(Change kind, Bytes bytes, uint32_t first, uint32_t last, ByteSink &out) {
    BucketWriter<uint32_t> writer(out);
    change_bucket(kind, bytes, first, last, 0, writer);
}

template <> void change<uint64_t>(Change kind, Bytes bytes, uint64_t first, uint64_t last, ByteSink &out) {
    BucketWriter<uint64_t> writer(out);
    Changing changing(kind, first, last, writer);
    uint64_t next = 0; // the high half behind the last bucket
    for (BucketCursor<uint64_t> cursor(bytes, Depth::layout); !cursor.is_done(); cursor.advance()) {
        changing.gap(next, cursor.high());
        changing.bucket(cursor.high(), cursor.bucket());
        next = uint64_t{cursor.high()} + 1;
    }
    changing.gap(next, uint64_t{1} << 32);
    writer.finish();
}

namespace {

Bitmap shifted(Bytes bucket, int64_t distance) {
    return Bitmap(roaring_bitmap_add_offset(FrozenBucket(bucket), distance));
}

// A shifted bucket comes apart into the low part of one bucket and the high part of the one before; the parts of
// neighbours are joined here.
class ShiftWriter {
  public:
    explicit ShiftWriter(ByteSink &out) : out_(out) {}

    void add(int64_t high, Bitmap part) {
        if (high < 0 || high > int64_t{max_low} || part.empty())
            return;
        if (waiting_ && high_ == high) {
            *waiting_ |= part;
            return;
        }
        flush();
        waiting_.emplace(std::move(part));
        high_ = high;
    }
    void copy(int64_t high, Bytes bucket) {
        if (high >= 0 && high <= int64_t{max_low})
            out_.copy(static_cast<uint32_t>(high), bucket);
    }
    void finish() {
        flush();
        out_.finish();
    }

  private:
    void flush() {
        if (waiting_)
            out_.put(static_cast<uint32_t>(high_), waiting_->get());
        waiting_.reset();
    }
    BucketWriter<uint64_t> out_;
    std::optional<Bitmap> waiting_;
    int64_t high_ = 0;
};

} // namespace

template <> void shift<uint32_t>(Bytes bytes, __int128 distance, ByteSink &out) {
    constexpr __int128 width = __int128{1} << 32;
    const BucketCursor<uint32_t> cursor(bytes, Depth::whole);
    BucketWriter<uint32_t> writer(out);
    if (distance >= width || distance <= -width)
        writer.copy(0, no_members);
    else if (distance == 0)
        writer.copy(0, bytes);
    else
        writer.put(0, shifted(bytes, static_cast<int64_t>(distance)).get());
}

template <> void shift<uint64_t>(Bytes bytes, __int128 distance, ByteSink &out) {
    const auto high = static_cast<int64_t>(distance >> 32); // rounded down
    const auto low = static_cast<int64_t>(distance & max_low);
    ShiftWriter writer(out);
    for (BucketCursor<uint64_t> cursor(bytes, Depth::whole); !cursor.is_done(); cursor.advance()) {
        if (low == 0) {
            writer.copy(cursor.high() + high, cursor.bucket());
            continue;
        }
        writer.add(cursor.high() + high, shifted(cursor.bucket(), low));
        writer.add(cursor.high() + high + 1, shifted(cursor.bucket(), low - (int64_t{1} << 32)));
    }
    writer.finish();
}

namespace {

// Is an array certainly no larger than its members as runs?
bool is_best_as_array(const ContainerPlace &c) noexcept {
    const uint32_t count = c.cardinality();
    uint32_t runs = 1;
    for (uint32_t i = 1; i < count && 2 * runs < count;) { // a stretch at a time, so that most is done without a branch
        for (const uint32_t end = std::min(count, i + 64); i < end; ++i)
            runs += load<uint16_t>(c.data + size_t{2} * i) != load<uint16_t>(c.data + size_t{2} * i - 2) + 1;
    }
    return 2 * runs >= count;
}

bool is_best_as_bitset(const ContainerPlace &c) noexcept {
    constexpr uint32_t enough = 2048; // as runs, they would be larger
    uint32_t runs = 0;
    uint64_t before = 0;
    for (uint32_t i = 0; i < c.size && runs < enough; i += 8) {
        const auto word = load<uint64_t>(c.data + i);
        runs += static_cast<uint32_t>(std::popcount(word & ~(word << 1 | before >> 63)));
        before = word;
    }
    return runs >= enough;
}

// Would nothing become smaller? A bucket that was inspected as a whole. When in doubt it says no.
bool is_optimal(const BucketDirectory &bucket) {
    bool has_runs = false;
    for (uint32_t i = 0; i < bucket.size(); ++i) {
        const ContainerPlace c = bucket.place(i);
        has_runs |= c.is_run;
        if (c.is_run ? c.size > std::min(uint32_t{8192}, 2 * c.cardinality())
                     : !(c.cardinality() <= 4096 ? is_best_as_array(c) : is_best_as_bitset(c)))
            return false;
    }
    return bucket.size() > 0 && has_runs == bucket.has_run_flags();
}

} // namespace

template <class Value> void run_optimize(Bytes bytes, ByteSink &out) {
    BucketWriter<Value> writer(out);
    for (BucketCursor<Value> cursor(bytes, Depth::whole); !cursor.is_done(); cursor.advance()) {
        if (is_optimal(BucketDirectory(cursor.bucket()))) {
            writer.copy(cursor.high(), cursor.bucket());
            continue;
        }
        Bitmap bitmap(roaring_bitmap_copy(FrozenBucket(cursor.bucket())));
        roaring_bitmap_run_optimize(bitmap.get());
        writer.put(cursor.high(), bitmap.get());
    }
    writer.finish();
}

template void run_optimize<uint32_t>(Bytes, ByteSink &);
template void run_optimize<uint64_t>(Bytes, ByteSink &);

namespace {

// As signed numbers, the containers from this key on are those below zero.
constexpr uint16_t first_negative_key = 0x8000;

auto first_negative(const Containers &containers) {
    return std::partition_point(containers.begin(), containers.end(),
                                [](const ContainerPlace &c) { return c.key < first_negative_key; });
}

[[noreturn]] void throw_not_narrow(uint32_t high, const ContainerPlace &container) {
    const std::vector<uint8_t> bytes = bytes_of({container});
    checked_bucket(bytes, Depth::whole);
    const auto member = static_cast<int64_t>(uint64_t{high} << 32 | roaring_bitmap_minimum(FrozenBucket(bytes)));
    throw Error(sqlstate::numeric_value_out_of_range, "member " + std::to_string(member) + " is out of range",
                "A roaringbitmap holds what type integer holds.");
}

} // namespace

void widen(Bytes bytes, ByteSink &out) {
    const BucketCursor<uint32_t> cursor(bytes, Depth::layout);
    const Containers all = containers_of(cursor.bucket());
    const auto negative = first_negative(all);
    BucketWriter<uint64_t> writer(out);
    writer.put(0, Containers(all.begin(), negative));
    writer.put(max_low, Containers(negative, all.end()));
    writer.finish();
}

void narrow(Bytes bytes, ByteSink &out) {
    Containers all;
    for (BucketCursor<uint64_t> cursor(bytes, Depth::layout); !cursor.is_done(); cursor.advance()) {
        const Containers containers = containers_of(cursor.bucket());
        const auto negative = first_negative(containers);
        if (cursor.high() == 0 && negative != containers.end())
            throw_not_narrow(0, *negative);
        if (cursor.high() == max_low && negative != containers.begin())
            throw_not_narrow(max_low, containers.front());
        if (cursor.high() != 0 && cursor.high() != max_low && !containers.empty())
            throw_not_narrow(cursor.high(), containers.front());
        all.insert(all.end(), containers.begin(), containers.end());
    }
    BucketWriter<uint32_t>(out).put(0, all);
}

} // namespace fas
