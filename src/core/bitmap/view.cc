// See view.hh. Nothing is owned here but offsets; the bytes stay in the source.
#include "view.hh"

#include <algorithm>
#include <string>

#include "../bytes.hh"
#include "../interrupt.hh"

namespace fas {

namespace {

constexpr uint16_t cookie_with_runs = 12347, cookie_without_runs = 12346;
constexpr uint32_t most_containers = 65536;
constexpr uint32_t array_limit = 4096;     // a container with more members is a bitset
constexpr uint32_t bitset_size = 8192;     // bytes
constexpr uint32_t small_with_offsets = 4; // with runs, fewer containers than these have no table of offsets
constexpr uint32_t near_headers = 4096;    // so many are fetched at once; among more, the search fetches one by one
constexpr uint32_t poll_every = 1024;      // buckets

uint32_t header_key(Bytes headers, size_t i) noexcept { return load<uint16_t>(headers.data() + 4 * i); }
uint32_t header_cardinality(Bytes headers, size_t i) noexcept {
    return load<uint16_t>(headers.data() + 4 * i + 2) + uint32_t{1};
}

} // namespace

void throw_bad_bitmap(const char *detail) { throw Error(sqlstate::data_corrupted, "invalid roaring bitmap", detail); }

void BucketView::open(uint64_t begin) {
    begin_ = begin;
    has_runs_ = false;
    auto cookie = load<uint32_t>(fetch(begin, 4).data());
    uint64_t at = begin + 4;
    if ((cookie & 0xffff) == cookie_with_runs) {
        has_runs_ = true;
        size_ = (cookie >> 16) + 1;
        at += (size_ + 7) / 8;
    } else if (cookie == cookie_without_runs) {
        size_ = load<uint32_t>(fetch(at, 4).data());
        at += 4;
    } else {
        throw_bad_bitmap("The bytes do not begin as the portable Roaring format does.");
    }
    if (size_ > most_containers)
        throw_bad_bitmap("The header names more containers than a bitmap can have.");
    has_offsets_ = !has_runs_ || size_ >= small_with_offsets;
    headers_ = at;
    offsets_ = at + 4 * uint64_t{size_};
    containers_ = has_offsets_ ? offsets_ + 4 * uint64_t{size_} : offsets_;
    if (containers_ > bytes_.size())
        throw_bad_bitmap("The header reaches beyond the end of the bytes.");
}

Bytes BucketView::headers(uint32_t first, uint32_t count) {
    return fetch(headers_ + 4 * uint64_t{first}, 4 * uint64_t{count});
}

uint16_t BucketView::key(uint32_t i) { return static_cast<uint16_t>(header_key(headers(i, 1), 0)); }

bool BucketView::is_run(uint32_t i) { return has_runs_ && (fetch(begin_ + 4 + i / 8, 1)[0] >> (i % 8) & 1) != 0; }

// How many runs a container has stands before them, and who asks for that asks for them next: so they come with it,
// where the next offset, or behind the last container the end of all, says how far they reach, and that is not far.
uint64_t BucketView::near_runs(uint32_t i, uint64_t at) {
    if (!has_offsets_)
        return 2;
    const bool is_last = i + 1 == size_;
    const uint64_t end =
        is_last ? bytes_.size() : begin_ + load<uint32_t>(fetch(offsets_ + 4 * uint64_t{i + 1}, 4).data());
    return end > at + 2 && end - at <= bitset_size && end <= bytes_.size() ? end - at : 2;
}

BucketView::Place BucketView::place_at(uint32_t i, uint64_t at) {
    Bytes header = headers(i, 1);
    Place place{ContainerKind::array, static_cast<uint16_t>(header_key(header, 0)), header_cardinality(header, 0), at,
                0};
    if (is_run(i)) {
        place.kind = ContainerKind::runs;
        auto runs = load<uint16_t>(fetch(at, near_runs(i, at)).data());
        place.begin += 2;
        place.length = 4 * uint64_t{runs};
    } else if (place.cardinality > array_limit) {
        place.kind = ContainerKind::bitset;
        place.length = bitset_size;
    } else {
        place.length = 2 * uint64_t{place.cardinality};
    }
    return place;
}

uint64_t BucketView::begin_of(uint32_t i) {
    if (!has_offsets_) {
        uint64_t at = containers_;
        for (uint32_t before = 0; before < i; ++before) {
            Place place = place_at(before, at);
            at = place.begin + place.length;
        }
        return at;
    }
    uint64_t at = begin_ + load<uint32_t>(fetch(offsets_ + 4 * uint64_t{i}, 4).data());
    if (at < containers_)
        throw_bad_bitmap("A container lies within the header.");
    return at;
}

BucketView::Place BucketView::place(uint32_t i) { return place_at(i, begin_of(i)); }

ContainerView BucketView::container(uint32_t i) {
    Place at = place(i);
    return {at.kind, at.key, at.cardinality, fetch(at.begin, at.length)};
}

uint64_t BucketView::end() {
    if (size_ == 0)
        return containers_;
    Place last = place(size_ - 1);
    return last.begin + last.length;
}

uint32_t BucketView::lower_bound(uint32_t wanted, uint32_t from) {
    // Keys ascend from 0 to 65535 at most, so a key's place is not before what would leave too few keys behind it.
    uint32_t begin = wanted + size_ > 0x10000 ? std::max(from, wanted + size_ - 0x10000) : from;
    uint32_t end = std::max(begin, std::min(size_, wanted)); // the key at a place is at least that place
    while (end - begin > near_headers) {
        uint32_t middle = begin + (end - begin) / 2;
        if (key(middle) < wanted)
            begin = middle + 1;
        else
            end = middle;
    }
    Bytes near = headers(begin, end - begin);
    size_t at = 0;
    for (size_t left = end - begin; left > 0;) {
        size_t step = left / 2;
        if (header_key(near, at + step) < wanted) {
            at += step + 1;
            left -= step + 1;
        } else {
            left = step;
        }
    }
    return begin + static_cast<uint32_t>(at);
}

uint64_t BucketView::cardinality() {
    Bytes all = headers(0, size_);
    uint64_t members = size_;
    bool ordered = true;
    int32_t before = -1;
    for (size_t i = 0; i < size_; ++i) {
        auto header = load<uint32_t>(all.data() + 4 * i); // the key, and above it the cardinality - 1
        members += header >> 16;
        auto key = static_cast<int32_t>(header & 0xffff);
        ordered &= before < key;
        before = key;
    }
    if (!ordered)
        throw_bad_bitmap("The keys of the containers are not in ascending order.");
    return members;
}

bool BucketView::contains(uint32_t member) {
    uint32_t i = lower_bound(member >> 16);
    if (i == size_ || key(i) != member >> 16)
        return false;
    Place at = place(i);
    auto low = static_cast<uint16_t>(member);
    if (at.kind == ContainerKind::bitset) { // one word of it is enough
        if (at.begin + bitset_size > bytes_.size())
            throw_bad_bitmap("The bytes end before the bitmap does.");
        return (fetch(at.begin + low / 8, 1)[0] >> (low % 8) & 1) != 0;
    }
    return ContainerView{at.kind, at.key, at.cardinality, fetch(at.begin, at.length)}.contains(low);
}

uint64_t BucketView::rank(uint32_t member) {
    uint32_t at = lower_bound(member >> 16);
    Bytes before = headers(0, at);
    uint64_t members = 0;
    for (size_t i = 0; i < at; ++i)
        members += header_cardinality(before, i);
    if (at < size_ && key(at) == member >> 16)
        members += container(at).rank(static_cast<uint16_t>(member));
    return members;
}

std::optional<uint64_t> BucketView::index(uint32_t member) {
    uint32_t at = lower_bound(member >> 16);
    if (at == size_ || key(at) != member >> 16)
        return std::nullopt;
    ContainerView own = container(at);
    auto low = static_cast<uint16_t>(member);
    if (!own.contains(low))
        return std::nullopt;
    uint64_t members = own.rank(low);
    if (members == 0)
        throw_bad_bitmap("A container has fewer members than its header says.");
    Bytes before = headers(0, at);
    for (size_t i = 0; i < at; ++i)
        members += header_cardinality(before, i);
    return members - 1;
}

uint32_t BucketView::minimum() {
    ContainerView first = container(0);
    return uint32_t{first.key} << 16 | first.minimum();
}

uint32_t BucketView::maximum() {
    ContainerView last = container(size_ - 1);
    return uint32_t{last.key} << 16 | last.maximum();
}

std::optional<uint32_t> BucketView::select(uint64_t &index) {
    Bytes all = headers(0, size_);
    for (uint32_t i = 0; i < size_; ++i) {
        uint32_t members = header_cardinality(all, i);
        if (index < members)
            return header_key(all, i) << 16 | container(i).select(static_cast<uint32_t>(index));
        index -= members;
    }
    return std::nullopt;
}

void BucketView::check(uint64_t limit) {
    uint64_t at = containers_;
    int32_t before = -1;
    for (uint32_t i = 0; i < size_; ++i) {
        Place place = place_at(i, at);
        if (begin_of(i) != at)
            throw_bad_bitmap("An offset is not where its container begins.");
        if (place.key <= before)
            throw_bad_bitmap("The keys of the containers are not in ascending order.");
        before = place.key;
        ContainerView{place.kind, place.key, place.cardinality, fetch(place.begin, place.length)}.check();
        at = place.begin + place.length;
        if (i % poll_every == 0)
            poll();
    }
    if (at > limit)
        throw_bad_bitmap("The bytes end before the bitmap does.");
}

void BitmapView::begin() {
    if (width_ == BitmapWidth::bits64) {
        first_ = 8;
        buckets_ = load<uint64_t>(bytes_.fetch(0, 8).data());
        if (buckets_ > bytes_.size() / 12) // a key and an empty bitmap
            throw_bad_bitmap("The header names more 32-bit bitmaps than there are bytes for.");
    }
}

void BitmapView::rewind() noexcept { taken_ = 0; }

bool BitmapView::next() {
    if (taken_ == buckets_)
        return false;
    if (taken_ % poll_every == poll_every - 1)
        poll();
    uint64_t at = taken_ == 0 ? first_ : bucket_.end();
    uint32_t high = 0;
    if (width_ == BitmapWidth::bits64) {
        high = load<uint32_t>(bytes_.fetch(at, 4).data());
        at += 4;
        if (taken_ > 0 && high <= high_)
            throw_bad_bitmap("The 32-bit bitmaps are not in ascending order.");
    }
    high_ = high;
    bucket_.open(at);
    ++taken_;
    return true;
}

// Where a bucket ends stands in the bucket, so that none can be passed over without a slice of it; and a slice costs
// more than its bytes.
void BitmapView::begin_walk() {
    constexpr uint64_t slice_cost = 16 * 1024;
    rewind();
    if (buckets_ > 1 && buckets_ * slice_cost > bytes_.size())
        fetch_all();
}

bool BitmapView::seek(uint32_t high) {
    begin_walk();
    while (next())
        if (high_ >= high)
            return true;
    return false;
}

bool BitmapView::empty() {
    rewind();
    while (next())
        if (bucket_.size() > 0)
            return false;
    return true;
}

uint64_t BitmapView::cardinality() {
    uint64_t members = 0;
    begin_walk();
    while (next())
        members += bucket_.cardinality();
    return members;
}

bool BitmapView::contains(uint64_t member) {
    auto high = static_cast<uint32_t>(member >> 32);
    return seek(high) && high_ == high && bucket_.contains(static_cast<uint32_t>(member));
}

uint64_t BitmapView::rank(uint64_t member) {
    auto high = static_cast<uint32_t>(member >> 32);
    uint64_t members = 0;
    begin_walk();
    while (next() && high_ <= high)
        members += high_ < high ? bucket_.cardinality() : bucket_.rank(static_cast<uint32_t>(member));
    return members;
}

std::optional<uint64_t> BitmapView::index(uint64_t member) {
    auto high = static_cast<uint32_t>(member >> 32);
    uint64_t before = 0;
    begin_walk();
    while (next() && high_ < high)
        before += bucket_.cardinality();
    if (taken_ == 0 || high_ != high)
        return std::nullopt;
    auto place = bucket_.index(static_cast<uint32_t>(member));
    return place ? std::optional<uint64_t>(before + *place) : std::nullopt;
}

std::optional<uint64_t> BitmapView::minimum() {
    rewind();
    while (next())
        if (bucket_.size() > 0)
            return uint64_t{high_} << 32 | bucket_.minimum();
    return std::nullopt;
}

std::optional<uint64_t> BitmapView::maximum() {
    std::optional<uint64_t> high;
    BucketView last;
    begin_walk();
    while (next())
        if (bucket_.size() > 0) {
            high = high_;
            last = bucket_;
        }
    if (!high)
        return std::nullopt;
    return *high << 32 | last.maximum();
}

std::optional<uint64_t> BitmapView::select(uint64_t index) {
    begin_walk();
    while (next())
        if (auto low = bucket_.select(index))
            return uint64_t{high_} << 32 | *low;
    return std::nullopt;
}

uint64_t BitmapView::range_cardinality(uint64_t first, uint64_t last) {
    if (first > last)
        return 0;
    uint64_t before = first == 0 ? 0 : rank(first - 1), with = rank(last);
    if (with < before)
        throw_bad_bitmap("A container has another number of members than its header says.");
    return with - before;
}

void check_bitmap(Bytes bytes, BitmapWidth width, const char *sqlstate) {
    try {
        BitmapView view(bytes, width);
        uint64_t end = 8; // of the count of buckets, when there are none
        for (view.rewind(); view.next(); end = view.bucket().end())
            view.bucket().check(bytes.size());
        if (end != bytes.size())
            throw_bad_bitmap("Something follows the bitmap.");
    } catch (const Error &e) {
        throw Error(sqlstate, e.message(), e.detail());
    }
}

} // namespace fas
