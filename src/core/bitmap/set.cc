// See set.hh. Nothing here is shared, and no lock is needed.
#include "set.hh"

#include <cstring>
#include <limits>
#include <type_traits>

#include "bitmap.hh"
#include "../bytes.hh"
#include "../interrupt.hh"

namespace fas {

namespace {

template <class Value> constexpr bool is_wide = std::is_same_v<Value, uint64_t>;
constexpr uint64_t poll_every = 1024; // buckets

} // namespace

template <class Value>
BucketCursor<Value>::BucketCursor(Bytes bytes, std::optional<Depth> depth) : rest_(bytes), depth_(depth) {
    if constexpr (is_wide<Value>) {
        if (bytes.size() < 8)
            throw_bad_bitmap("The bytes end within the header.");
        left_ = load<uint64_t>(bytes.data());
        rest_ = bytes.subspan(8);
    }
    advance();
}

template <class Value> void BucketCursor<Value>::advance() {
    if (left_ == 0) {
        if (!rest_.empty())
            throw_bad_bitmap("More bytes follow the bitmap.");
        done_ = true;
        return;
    }
    if constexpr (is_wide<Value>) {
        if (rest_.size() < 4)
            throw_bad_bitmap("The bytes end between two buckets.");
        const auto high = load<uint32_t>(rest_.data());
        if (!is_first_ && high <= high_)
            throw_bad_bitmap("The high halves of members are not in order.");
        high_ = high;
        rest_ = rest_.subspan(4);
        if (left_ % poll_every == 0)
            poll();
    }
    size_t length = rest_.size();
    if (is_wide<Value> || depth_) {
        const BucketShape shape = checked_bucket(rest_, depth_.value_or(Depth::layout));
        if (!is_wide<Value> && shape.length != length)
            throw_bad_bitmap("More bytes follow the bitmap.");
        length = shape.length;
        cardinality_ = shape.cardinality;
    }
    bucket_ = rest_.first(length);
    rest_ = rest_.subspan(length);
    is_first_ = false;
    --left_;
}

template <class Value> BucketStream<Value>::BucketStream(ByteWindow &window) : window_(window) {
    if constexpr (is_wide<Value>) {
        left_ = load<uint64_t>(window.fetch(0, 8).data());
        at_ = 8;
    }
    begin();
}

template <class Value> void BucketStream<Value>::advance() {
    if constexpr (is_wide<Value>)
        at_ += bucket_.length(); // of 32 bits, there is only one
    begin();
}

template <class Value> void BucketStream<Value>::begin() {
    if (left_ == 0) {
        if (is_wide<Value> && at_ != window_.size())
            throw_bad_bitmap("More bytes follow the bitmap.");
        done_ = true;
        return;
    }
    if constexpr (is_wide<Value>) {
        const auto high = load<uint32_t>(window_.fetch(at_, 4).data());
        if (!is_first_ && high <= high_)
            throw_bad_bitmap("The high halves of members are not in order.");
        high_ = high;
        at_ += 4;
        if (left_ % poll_every == 0)
            poll();
    }
    bucket_.open(window_, at_);
    is_first_ = false;
    --left_;
}

template <class Value> BucketWriter<Value>::BucketWriter(ByteSink &out) : out_(out) {
    if constexpr (is_wide<Value>)
        std::memset(out_.extend(8), 0, 8);
}

template <class Value> uint8_t *BucketWriter<Value>::begin(uint32_t high, size_t size) {
    ++count_;
    if constexpr (!is_wide<Value>)
        return out_.extend(size);
    uint8_t *at = out_.extend(size + 4);
    store<uint32_t>(at, high);
    return at + 4;
}

template <class Value> void BucketWriter<Value>::copy(uint32_t high, Bytes bucket) {
    std::memcpy(begin(high, bucket.size()), bucket.data(), bucket.size());
}

template <class Value> void BucketWriter<Value>::put(uint32_t high, const roaring_bitmap_t *bits) {
    if (is_wide<Value> && roaring_bitmap_is_empty(bits))
        return;
    uint8_t *at = begin(high, roaring_bitmap_portable_size_in_bytes(bits));
    roaring_bitmap_portable_serialize(bits, reinterpret_cast<char *>(at));
}

template <class Value> void BucketWriter<Value>::put(uint32_t high, std::span<const ContainerPlace> containers) {
    if (wants(containers))
        write_bucket(containers, begin(high, bucket_size(containers)));
}

template <class Value> void BucketWriter<Value>::finish() {
    if constexpr (is_wide<Value>)
        store<uint64_t>(out_.data(), count_);
}

template <class Value> void BucketWriter<Value>::put(uint32_t high, const CombinedBucket &combined) {
    if (!is_wide<Value> || !combined.empty())
        combined.write(begin(high, combined.size()));
}

namespace {

// Goes through the buckets of both in step. f.left(cursor), f.right(cursor) and f.both(left, right) are called with
// buckets that only one side has, or both; false from one of them ends it. Of 32 bits, both have the one bucket.
template <class Cursor, class F> bool in_step(Cursor &&x, Cursor &&y, F &&f) {
    while (!x.is_done() || !y.is_done()) {
        if (y.is_done() || (!x.is_done() && x.high() < y.high())) {
            if (!f.left(x))
                return false;
            x.advance();
        } else if (x.is_done() || y.high() < x.high()) {
            if (!f.right(y))
                return false;
            y.advance();
        } else {
            if (!f.both(x, y))
                return false;
            x.advance();
            y.advance();
        }
    }
    return true;
}

template <class Value> struct Combining {
    using Cursor = BucketCursor<Value>;
    SetOperation operation;
    BucketWriter<Value> out;

    bool left(const Cursor &x) {
        if (operation != SetOperation::intersection && x.cardinality() > 0)
            out.copy(x.high(), x.bucket());
        return true;
    }
    bool right(const Cursor &y) {
        if (operation != SetOperation::intersection && operation != SetOperation::difference && y.cardinality() > 0)
            out.copy(y.high(), y.bucket());
        return true;
    }
    bool both(const Cursor &x, const Cursor &y) {
        out.put(x.high(), CombinedBucket(operation, x.bucket(), y.bucket()));
        return true;
    }
};

struct Counting {
    uint64_t left_members = 0, right_members = 0, common = 0;

    bool left(const auto &x) {
        left_members += x.bucket().cardinality();
        return true;
    }
    bool right(const auto &y) {
        right_members += y.bucket().cardinality();
        return true;
    }
    bool both(const auto &x, const auto &y) {
        left(x);
        right(y);
        common += count_common(x.bucket(), y.bucket());
        return true;
    }
};

struct Equality {
    bool left(const auto &x) { return x.bucket().size() == 0; }
    bool right(const auto &y) { return y.bucket().size() == 0; }
    bool both(const auto &x, const auto &y) { return are_equal(x.bucket(), y.bucket()); }
};

// Goes on as long as nothing common was found.
struct Disjointness {
    bool left(const auto &) { return true; }
    bool right(const auto &) { return true; }
    bool both(const auto &x, const auto &y) { return !have_common(x.bucket(), y.bucket()); }
};

struct Inclusion {
    bool left(const auto &x) { return x.bucket().size() == 0; }
    bool right(const auto &) { return true; }
    bool both(const auto &x, const auto &y) { return is_within(x.bucket(), y.bucket()); }
};

template <class Value, class F> bool ask(ByteWindow &left, ByteWindow &right, F &&f) {
    return in_step(BucketStream<Value>(left), BucketStream<Value>(right), f);
}

template <class Value> Counting counts_of(ByteWindow &left, ByteWindow &right) {
    Counting counts;
    ask<Value>(left, right, counts);
    return counts;
}

bool are_same(const ByteWindow &left, const ByteWindow &right) noexcept {
    return left.is_whole() && right.is_whole() && left.size() == right.size() && left.size() > 0 &&
           std::memcmp(left.whole().data(), right.whole().data(), left.size()) == 0;
}

} // namespace

template <class Value> void combine(SetOperation operation, Bytes left, Bytes right, ByteSink &out) {
    Combining<Value> combining{operation, BucketWriter<Value>(out)};
    in_step(BucketCursor<Value>(left), BucketCursor<Value>(right), combining);
    combining.out.finish();
}

template <class Value> uint64_t count_combined(SetOperation operation, ByteWindow &&left, ByteWindow &&right) {
    const Counting counts = counts_of<Value>(left, right);
    switch (operation) {
    case SetOperation::intersection:
        return counts.common;
    case SetOperation::union_of:
        return counts.left_members + counts.right_members - counts.common;
    case SetOperation::symmetric_difference:
        return counts.left_members + counts.right_members - 2 * counts.common;
    case SetOperation::difference:
        break;
    }
    return counts.left_members - counts.common;
}

template <class Value> double jaccard_index(ByteWindow &&left, ByteWindow &&right) {
    const Counting counts = counts_of<Value>(left, right);
    const uint64_t all = counts.left_members + counts.right_members - counts.common;
    return all == 0 ? std::numeric_limits<double>::quiet_NaN()
                    : static_cast<double>(counts.common) / static_cast<double>(all);
}

template <class Value> bool equals(ByteWindow &&left, ByteWindow &&right) {
    return are_same(left, right) || ask<Value>(left, right, Equality());
}

template <class Value> bool intersects(ByteWindow &&left, ByteWindow &&right) {
    return !ask<Value>(left, right, Disjointness());
}

template <class Value> bool is_subset(ByteWindow &&left, ByteWindow &&right) {
    return are_same(left, right) || ask<Value>(left, right, Inclusion());
}

template <> bool is_sound<uint32_t>(Bytes bytes) noexcept {
    const BucketShape shape = inspect_bucket(bytes, Depth::whole);
    return shape.problem == nullptr && shape.length == bytes.size();
}

template <> bool is_sound<uint64_t>(Bytes bytes) noexcept {
    if (bytes.size() < 8)
        return false;
    const auto count = load<uint64_t>(bytes.data());
    bytes = bytes.subspan(8);
    int64_t previous = -1;
    for (uint64_t i = 0; i < count; ++i) {
        if (bytes.size() < 4)
            return false;
        const auto high = load<uint32_t>(bytes.data());
        const BucketShape shape = inspect_bucket(bytes.subspan(4), Depth::whole);
        if (high <= previous || shape.cardinality == 0)
            return false;
        previous = high;
        bytes = bytes.subspan(4 + shape.length);
    }
    return bytes.empty();
}

template <class Value> uint64_t checked_cardinality(Bytes bytes) {
    uint64_t count = 0;
    for (BucketCursor<Value> cursor(bytes, Depth::whole); !cursor.is_done(); cursor.advance())
        count += cursor.cardinality();
    return count;
}

template <> void copy_members<uint32_t>(Bytes checked, uint32_t *out) {
    roaring_bitmap_to_uint32_array(FrozenBucket(checked), out);
}

template <> void copy_members<uint64_t>(Bytes checked, uint64_t *out) {
    for (BucketCursor<uint64_t> cursor(checked, Depth::layout); !cursor.is_done(); cursor.advance()) {
        const uint64_t count = cursor.cardinality(), high = uint64_t{cursor.high()} << 32;
        // The low halves go to the end of their members' room; widening them from the front overtakes none.
        auto *lows = reinterpret_cast<uint8_t *>(out) + 4 * count;
        roaring_bitmap_to_uint32_array(FrozenBucket(cursor.bucket()), reinterpret_cast<uint32_t *>(lows));
        for (uint64_t i = 0; i < count; ++i) {
            uint32_t low;
            std::memcpy(&low, lows + 4 * i, sizeof low);
            const uint64_t member = high | low;
            std::memcpy(out + i, &member, sizeof member);
        }
        out += count;
    }
}

template class BucketCursor<uint32_t>;
template class BucketCursor<uint64_t>;
template class BucketStream<uint32_t>;
template class BucketStream<uint64_t>;
template class BucketWriter<uint32_t>;
template class BucketWriter<uint64_t>;
template void combine<uint32_t>(SetOperation, Bytes, Bytes, ByteSink &);
template void combine<uint64_t>(SetOperation, Bytes, Bytes, ByteSink &);
template uint64_t count_combined<uint32_t>(SetOperation, ByteWindow &&, ByteWindow &&);
template uint64_t count_combined<uint64_t>(SetOperation, ByteWindow &&, ByteWindow &&);
template double jaccard_index<uint32_t>(ByteWindow &&, ByteWindow &&);
template double jaccard_index<uint64_t>(ByteWindow &&, ByteWindow &&);
template bool equals<uint32_t>(ByteWindow &&, ByteWindow &&);
template bool equals<uint64_t>(ByteWindow &&, ByteWindow &&);
template bool intersects<uint32_t>(ByteWindow &&, ByteWindow &&);
template bool intersects<uint64_t>(ByteWindow &&, ByteWindow &&);
template bool is_subset<uint32_t>(ByteWindow &&, ByteWindow &&);
template bool is_subset<uint64_t>(ByteWindow &&, ByteWindow &&);
template uint64_t checked_cardinality<uint32_t>(Bytes);
template uint64_t checked_cardinality<uint64_t>(Bytes);

} // namespace fas
