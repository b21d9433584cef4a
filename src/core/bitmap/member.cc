// See member.hh. Nothing here is shared, and no lock is needed.
#include "member.hh"

#include <cstring>

#include "../bytes.hh"

namespace fas {

namespace {

constexpr uint32_t max_array = 4096;

// How many of `count` numbers, `step` bytes apart, are `bound` or less. They ascend.
uint32_t up_to(const uint8_t *numbers, uint32_t count, size_t step, uint32_t bound) noexcept {
    uint32_t begin = 0;
    for (uint32_t left = count; left > 0;) {
        const uint32_t half = left / 2;
        if (load<uint16_t>(numbers + step * (begin + half)) <= bound) {
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
}

bool splice_array(Splice &out, const ContainerPlace &c, uint16_t low, bool add) noexcept {
    const uint32_t behind = up_to(c.data, c.cardinality(), 2, low);
    const bool has = behind > 0 && load<uint16_t>(c.data + size_t{2} * (behind - 1)) == low;
    if (has == add)
        return true;
    if (add ? c.cardinality() == max_array : c.cardinality() == 1)
        return false;
    out.members = add ? 1 : -1;
    out.at = size_t{2} * (add ? behind : behind - 1);
    (add ? out.added : out.removed) = 2;
    store<uint16_t>(out.put, low);
    return true;
}

bool splice_bitset(Splice &out, const ContainerPlace &c, uint16_t low, bool add) noexcept {
    const uint8_t byte = c.data[low / 8], bit = static_cast<uint8_t>(1 << (low % 8));
    if (((byte & bit) != 0) == add)
        return true;
    if (!add && c.cardinality() == max_array + 1)
        return false;
    out.members = add ? 1 : -1;
    out.at = low / 8;
    out.added = out.removed = 1;
    out.put[0] = byte ^ bit;
    return true;
}

bool splice_runs(Splice &out, const ContainerPlace &c, uint16_t low, bool add) noexcept {
    const uint8_t *runs = c.data + 2;
    const uint32_t count = (c.size - 2) / 4, behind = up_to(runs, count, 4, low);
    const auto first = [&](uint32_t i) -> uint32_t { return load<uint16_t>(runs + size_t{4} * i); };
    const auto last = [&](uint32_t i) { return first(i) + load<uint16_t>(runs + size_t{4} * i + 2); };
    const bool has = behind > 0 && low <= last(behind - 1);
    if (has == add)
        return true;
    if (c.cardinality() == (add ? 65536U : 1U))
        return false;
    uint32_t begin = behind, from = low, to = low;
    out.members = add ? 1 : -1;
    if (add) {
        if (behind > 0 && last(behind - 1) + 1 == low) {
            from = first(--begin);
            out.removed += 4;
        }
        if (behind < count && first(behind) == low + 1U) {
            to = last(behind);
            out.removed += 4;
        }
        put_run(out, from, to);
    } else {
        --begin;
        from = first(begin);
        to = last(begin);
        out.removed = 4;
        if (from < low)
            put_run(out, from, low - 1U);
        if (low < to)
            put_run(out, low + 1U, to);
    }
    out.at = 2 + size_t{4} * begin;
    out.runs = (static_cast<int32_t>(out.added) - static_cast<int32_t>(out.removed)) / 4;
    return true;
}

} // namespace

std::optional<Splice> splice_member(const BucketDirectory &bucket, uint32_t member, bool add) {
    const uint32_t behind = up_to(bucket.keys().data(), bucket.size(), 4, member >> 16);
    if (behind == 0 || bucket.key(behind - 1) != member >> 16)
        return std::nullopt;
    Splice out;
    out.container = behind - 1;
    const ContainerPlace c = bucket.place(out.container);
    c.check(Depth::whole);
    const auto low = static_cast<uint16_t>(member);
    const bool can = c.is_run                       ? splice_runs(out, c, low, add)
                     : c.cardinality() <= max_array ? splice_array(out, c, low, add)
                                                    : splice_bitset(out, c, low, add);
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
