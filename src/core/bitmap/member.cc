// See member.hh. Nothing here is shared, and no lock is needed.
#include "member.hh"

#include <algorithm>
#include <cstring>

#include "bits.hh"
#include "../bytes.hh"

namespace fas {

namespace {

constexpr uint32_t max_array = 4096;
constexpr uint32_t bitset_bytes = 8192;

// What is to be done: members from `first` to `last`, both included, are put in or taken out.
struct Edit {
    uint32_t first, last;
    bool add;
    bool is_of_one() const noexcept { return first == last; }
};

// How many of `count` numbers, `step` bytes apart, are less than `bound`. They ascend.
uint32_t below(const uint8_t *numbers, uint32_t count, size_t step, uint32_t bound) noexcept {
    uint32_t begin = 0;
    for (uint32_t left = count; left > 0;) {
        const uint32_t half = left / 2;
        if (load<uint16_t>(numbers + step * (begin + half)) < bound) {
            begin += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    return begin;
}

void put_run(Splice &out, uint32_t first, uint32_t last) noexcept {
    store<uint16_t>(out.put + out.added, static_cast<uint16_t>(first));
    store<uint16_t>(out.put + out.added + 2, static_cast<uint16_t>(last - first));
    out.added += 4;
    out.members += static_cast<int32_t>(last - first + 1);
}

bool can_splice(const ContainerPlace &c, Edit edit) noexcept {
    return edit.is_of_one() || c.is_run || (!edit.add && c.cardinality() <= max_array);
}

bool splice_array(Splice &out, const ContainerPlace &c, Edit edit) noexcept {
    const uint32_t count = c.cardinality(), begin = below(c.data, count, 2, edit.first);
    const uint8_t *rest = c.data + size_t{2} * begin;
    const uint32_t has = edit.is_of_one() ? begin < count && load<uint16_t>(rest) == edit.first
                                          : below(rest, count - begin, 2, edit.last + 1);
    if (has == (edit.add ? 1U : 0U))
        return true;
    if (count == (edit.add ? max_array : has))
        return false;
    out.members = edit.add ? 1 : -static_cast<int32_t>(has);
    out.at = size_t{2} * begin;
    (edit.add ? out.added : out.removed) = edit.add ? 2 : 2 * has;
    store<uint16_t>(out.put, static_cast<uint16_t>(edit.first));
    return true;
}

bool splice_bitset(Splice &out, const ContainerPlace &c, Edit edit) noexcept {
    const uint8_t byte = c.data[edit.first / 8], bit = static_cast<uint8_t>(1 << (edit.first % 8));
    if (((byte & bit) != 0) == edit.add)
        return true;
    if (!edit.add && c.cardinality() == max_array + 1)
        return false;
    out.members = edit.add ? 1 : -1;
    out.at = edit.first / 8;
    out.added = out.removed = 1;
    out.put[0] = byte ^ bit;
    return true;
}

// The runs that the range reaches, or that it touches when it is put in, make way for what becomes of them.
bool splice_runs(Splice &out, const ContainerPlace &c, Edit edit) noexcept {
    const uint8_t *runs = c.data + 2;
    const uint32_t count = (c.size - 2) / 4, touched = edit.add ? 1 : 0;
    const auto first = [&](uint32_t i) -> uint32_t { return load<uint16_t>(runs + size_t{4} * i); };
    const auto last = [&](uint32_t i) { return first(i) + load<uint16_t>(runs + size_t{4} * i + 2); };
    const uint32_t behind = below(runs, count, 4, edit.last + touched + 1);
    uint32_t begin = below(runs, behind, 4, edit.first);
    if (begin > 0 && last(begin - 1) + touched >= edit.first)
        --begin;
    const uint32_t from = begin < behind ? std::min(edit.first, first(begin)) : edit.first;
    const uint32_t to = begin < behind ? std::max(edit.last, last(behind - 1)) : edit.last;
    if (edit.add) {
        put_run(out, from, to);
    } else {
        if (from < edit.first)
            put_run(out, from, edit.first - 1);
        if (edit.last < to)
            put_run(out, edit.last + 1, to);
    }
    uint32_t members = 0; // of those that make way
    runs_ascend(runs + size_t{4} * begin, behind - begin, members);
    out.members -= static_cast<int32_t>(members);
    out.removed = 4 * (behind - begin);
    out.at = 2 + size_t{4} * begin;
    out.runs = (static_cast<int32_t>(out.added) - static_cast<int32_t>(out.removed)) / 4;
    if (out.members == 0)
        return true;
    // One member does not change a container's kind; of a range, the result is what is no larger.
    const uint32_t cardinality = c.cardinality() + static_cast<uint32_t>(out.members);
    const uint32_t otherwise = edit.add ? bitset_bytes : std::min(bitset_bytes, 2 * cardinality + 2);
    return cardinality > 0 && (edit.is_of_one() || c.size - out.removed + out.added <= otherwise);
}

} // namespace

std::optional<Splice> splice_members(const BucketDirectory &bucket, uint32_t first, uint32_t last, bool add) {
    const uint32_t behind = below(bucket.keys().data(), bucket.size(), 4, (first >> 16) + 1);
    if (first >> 16 != last >> 16 || behind == 0 || bucket.key(behind - 1) != first >> 16)
        return std::nullopt;
    const Edit edit{first & 0xffff, last & 0xffff, add};
    Splice out;
    out.container = behind - 1;
    const ContainerPlace c = bucket.place(out.container);
    if (!can_splice(c, edit))
        return std::nullopt;
    if (checked_bucket(bucket.bytes(), Depth::layout).length != bucket.bytes().size())
        throw_bad_bitmap("More bytes follow the bitmap.");
    c.check(Depth::whole);
    const bool can = c.is_run                       ? splice_runs(out, c, edit)
                     : c.cardinality() <= max_array ? splice_array(out, c, edit)
                                                    : splice_bitset(out, c, edit);
    if (!can)
        return std::nullopt;
    out.at += static_cast<size_t>(c.data - bucket.bytes().data());
    return out;
}

void Splice::write(const BucketDirectory &bucket, uint8_t *out) const noexcept {
    const Bytes bytes = bucket.bytes();
    if (members == 0) {
        std::memcpy(out, bytes.data(), bytes.size());
        return;
    }
    std::memcpy(out, bytes.data(), at);
    std::memcpy(out + at, put, added);
    std::memcpy(out + at + added, bytes.data() + at + removed, bytes.size() - at - removed);

    const auto keys = static_cast<size_t>(bucket.keys().data() - bytes.data());
    uint8_t *last = out + keys + size_t{4} * container + 2;
    store<uint16_t>(last, static_cast<uint16_t>(load<uint16_t>(last) + members));
    if (runs != 0) {
        uint8_t *count = out + (bucket.place(container).data - bytes.data());
        store<uint16_t>(count, static_cast<uint16_t>(load<uint16_t>(count) + runs));
    }
    if (bucket.has_run_flags() && bucket.size() < 4)
        return; // no offsets
    uint8_t *offsets = out + keys + size_t{4} * bucket.size();
    for (uint32_t i = container + 1; i < bucket.size(); ++i)
        store<uint32_t>(offsets + size_t{4} * i, load<uint32_t>(offsets + size_t{4} * i) + added - removed);
}

} // namespace fas
