// See bucket_algebra.hh. Nothing here is shared, and no lock is needed.
#include "bucket_algebra.hh"

#include <algorithm>
#include <cstring>

#include "container_pairs.hh"

namespace fas {

namespace {

using Containers = std::vector<ContainerPlace>;
constexpr uint32_t max_array = 4096; // members

// The first container from `from` on with this key or more: near mostly, so the steps grow.
uint32_t seek(const BucketDirectory &bucket, uint32_t from, uint16_t key) noexcept {
    uint32_t step = 1, end = from;
    while (end < bucket.size() && bucket.key(end) < key) {
        from = end + 1;
        end = from + step > bucket.size() ? bucket.size() : from + step;
        step *= 2;
    }
    while (from < end) {
        const uint32_t middle = from + (end - from) / 2;
        if (bucket.key(middle) < key)
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}

// Calls both(i, j) for containers of the same key, in order, until it says false.
template <class F> bool each_common(const BucketDirectory &left, const BucketDirectory &right, F &&both) {
    // Keys of like numbers mostly alternate without a pattern, so steps of one that need no branch are quicker than
    // guesses; where one side has far fewer, its keys are sought.
    const bool is_lopsided = left.size() / 16 > right.size() || right.size() / 16 > left.size();
    uint32_t i = right.size() > 0 ? seek(left, 0, right.key(0)) : 0;
    uint32_t j = left.size() > 0 ? seek(right, 0, left.key(0)) : 0;
    int32_t previous = -1;
    while (i < left.size() && j < right.size()) {
        const uint16_t x = left.key(i), y = right.key(j);
        if (x != y && !is_lopsided) {
            i += x < y;
            j += y < x;
        } else if (x < y) {
            i = seek(left, i + 1, y);
        } else if (y < x) {
            j = seek(right, j + 1, x);
        } else {
            if (x <= previous)
                throw_bad_bitmap("The keys of the containers are not in ascending order.");
            previous = x;
            if (!both(i++, j++))
                return false;
        }
    }
    return true;
}

ContainerPlace checked_place(const BucketDirectory &bucket, uint32_t i, Depth depth) {
    const ContainerPlace place = bucket.place(i);
    place.check(depth);
    return place;
}
ContainerPlace sorted(const BucketDirectory &bucket, uint32_t i) { return checked_place(bucket, i, Depth::order); }

// Whether the header's cardinality is right where Depth::order was checked.
bool is_list(const ContainerPlace &c) noexcept { return c.is_run || c.cardinality() <= max_array; }

bool are_same(const ContainerPlace &a, const ContainerPlace &b) noexcept {
    return a.is_run == b.is_run && a.last == b.last && a.size == b.size && std::memcmp(a.data, b.data, a.size) == 0;
}

// Containers of one side that CRoaring is to see: the bucket itself where these are all it has, else a copy of them.
class Chosen {
  public:
    explicit Chosen(const BucketDirectory &bucket) : bucket_(bucket) {}

    void add(const ContainerPlace &checked) { places_.push_back(checked); }
    size_t size() const noexcept { return places_.size(); }
    void clear() noexcept { places_.clear(); }

    // What was chosen, as the bytes of a bucket; good until the next call. With others beside, where those do not
    // matter and are so few that a copy would cost more: CRoaring then passes them over.
    Bytes bytes(bool may_have_others) {
        if (places_.size() == bucket_.size())
            return bucket_.bytes();
        if (may_have_others && places_.size() >= bucket_.size() / 8) {
            checked_bucket(bucket_.bytes(), Depth::layout);
            return bucket_.bytes();
        }
        copy_.resize(bucket_size(places_));
        write_bucket(places_, copy_.data());
        return copy_;
    }

  private:
    const BucketDirectory &bucket_;
    Containers places_;
    std::vector<uint8_t> copy_;
};

Bitmap combined(SetOperation operation, Bytes left, Bytes right) {
    FrozenBucket x(left), y(right);
    switch (operation) {
    case SetOperation::intersection:
        return Bitmap(roaring_bitmap_and(x, y));
    case SetOperation::union_of:
        return Bitmap(roaring_bitmap_or(x, y));
    case SetOperation::symmetric_difference:
        return Bitmap(roaring_bitmap_xor(x, y));
    case SetOperation::difference:
        break;
    }
    return Bitmap(roaring_bitmap_andnot(x, y));
}

// Containers that one side alone has, as far as the operation keeps them, and those that the maker made of both, in
// order; what it can't combine goes to x and y.
Containers part(SetOperation operation, const BucketDirectory &left, const BucketDirectory &right,
                ContainerMaker &maker, Chosen &x, Chosen &y) {
    const bool keeps_left = operation != SetOperation::intersection;
    const bool keeps_right = keeps_left && operation != SetOperation::difference;
    Containers kept;
    kept.reserve(keeps_left ? left.size() + (keeps_right ? right.size() : 0) : std::min(left.size(), right.size()));
    const auto keep = [&](const BucketDirectory &from, uint32_t begin, uint32_t end) {
        for (; begin < end; ++begin)
            kept.push_back(from.place(begin));
    };
    uint32_t i = 0, j = 0; // what is behind us
    const auto keep_up_to = [&](uint32_t left_end, uint32_t right_end) {
        while (keeps_left && keeps_right && i < left_end && j < right_end) {
            const bool is_left_next = left.key(i) < right.key(j);
            kept.push_back(is_left_next ? left.place(i++) : right.place(j++));
        }
        if (keeps_left)
            keep(left, i, left_end);
        if (keeps_right)
            keep(right, j, right_end);
    };
    each_common(left, right, [&](uint32_t common_left, uint32_t common_right) {
        keep_up_to(common_left, common_right);
        const ContainerPlace a = checked_place(left, common_left, Depth::whole);
        const ContainerPlace b = checked_place(right, common_right, Depth::whole);
        if (!ContainerMaker::can_combine(operation, a, b)) {
            x.add(a);
            y.add(b);
        } else if (const ContainerPlace made = maker.combine(operation, a, b); made.size > 0) {
            kept.push_back(made);
        }
        i = common_left + 1;
        j = common_right + 1;
        return true;
    });
    keep_up_to(left.size(), right.size());
    return kept;
}

// Of so few containers on both sides, CRoaring copies what one side alone has quicker than we put the parts together.
constexpr uint32_t few_containers = 24;

// Are there few containers, and CRoaring needed for any?
bool are_for_croaring(SetOperation operation, const BucketDirectory &left, const BucketDirectory &right) {
    return left.size() + right.size() <= few_containers && !each_common(left, right, [&](uint32_t i, uint32_t j) {
               return ContainerMaker::can_combine(operation, left.place(i), right.place(j));
           });
}

Bitmap combine_few(SetOperation operation, const BucketDirectory &left, const BucketDirectory &right) {
    checked_bucket(left.bytes(), Depth::layout);
    checked_bucket(right.bytes(), Depth::layout);
    const Depth depth = operation == SetOperation::intersection ? Depth::order : Depth::whole;
    each_common(left, right, [&](uint32_t i, uint32_t j) {
        checked_place(left, i, depth);
        checked_place(right, j, depth);
        return true;
    });
    return combined(operation, left.bytes(), right.bytes());
}

bool by_key(const ContainerPlace &a, const ContainerPlace &b) noexcept { return a.key < b.key; }

} // namespace

CombinedBucket::CombinedBucket(SetOperation operation, Bytes left, Bytes right) {
    const BucketDirectory first(left), second(right);
    if (are_for_croaring(operation, first, second)) {
        common_.emplace(combine_few(operation, first, second));
        return;
    }
    Chosen x(first), y(second);
    Containers kept = part(operation, first, second, maker_, x, y);
    if (x.size() > 0) {
        // What was made already must not be made once more.
        const bool may_have_others = operation == SetOperation::intersection && kept.empty();
        common_.emplace(combined(operation, x.bytes(may_have_others), y.bytes(may_have_others)));
    }
    if (kept.empty())
        return;
    if (std::adjacent_find(kept.begin(), kept.end(), [](const auto &a, const auto &b) { return a.key >= b.key; }) !=
        kept.end())
        throw_bad_bitmap("The keys of the containers are not in ascending order.");
    if (!common_) {
        all_ = std::move(kept);
        return;
    }
    bytes_.resize(common_->serialized_size());
    common_->serialize(bytes_.data());
    const auto common = containers_of(bytes_);
    all_.resize(kept.size() + common.size());
    std::merge(kept.begin(), kept.end(), common.begin(), common.end(), all_.begin(), by_key);
}

size_t CombinedBucket::size() const { return all_.empty() && common_ ? common_->serialized_size() : bucket_size(all_); }

void CombinedBucket::write(uint8_t *out) const {
    if (all_.empty() && common_)
        common_->serialize(out);
    else
        write_bucket(all_, out);
}

uint64_t count_common(const BucketDirectory &left, const BucketDirectory &right) {
    uint64_t common = 0;
    each_common(left, right, [&](uint32_t i, uint32_t j) {
        const ContainerPlace x = sorted(left, i), y = right.place(j);
        if (is_list(x) && are_same(x, y)) {
            common += x.cardinality();
        } else {
            y.check(Depth::order);
            common += count_shared(x, y);
        }
        return true;
    });
    return common;
}

bool are_equal(const BucketDirectory &left, const BucketDirectory &right) {
    const Bytes keys = left.keys();
    if (left.size() != right.size() || std::memcmp(keys.data(), right.keys().data(), keys.size()) != 0)
        return false;
    // A set has one form in a container of each kind, so only different kinds need be understood; the header says the
    // same of both.
    for (uint32_t i = 0; i < left.size(); ++i) {
        const ContainerPlace a = left.place(i), b = right.place(i);
        if (a.is_run == b.is_run) {
            if (a.size != b.size || std::memcmp(a.data, b.data, a.size) != 0)
                return false;
        } else {
            a.check(Depth::whole);
            b.check(Depth::whole);
            if (count_shared(a, b) != a.cardinality())
                return false;
        }
    }
    return true;
}

bool have_common(const BucketDirectory &left, const BucketDirectory &right) {
    return !each_common(left, right,
                        [&](uint32_t i, uint32_t j) { return !have_shared(sorted(left, i), sorted(right, j)); });
}

bool is_within(const BucketDirectory &left, const BucketDirectory &right) {
    if (left.size() > right.size())
        return false;
    uint32_t next = 0; // container of the left side
    const bool may_be = each_common(left, right, [&](uint32_t i, uint32_t j) {
        return i == next++ && left.cardinality(i) <= right.cardinality(j);
    });
    return may_be && next == left.size() &&
           each_common(left, right, [&](uint32_t i, uint32_t j) { return is_part(sorted(left, i), sorted(right, j)); });
}

} // namespace fas
