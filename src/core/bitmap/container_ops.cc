// See container.hh: what is left of a container after an intersection, and how a settled one is measured and
// written.
#include <algorithm>
#include <bit>
#include <cstring>

#include "container.hh"
#include "bits.hh"
#include "../bytes.hh"
#include "container_bits.hh"

namespace fas {

namespace {

constexpr size_t bitset_size = GatheredContainer::word_count * sizeof(uint64_t);
constexpr uint32_t most_in_array = 4096; // in the portable format

bool in_runs(const GatheredContainer &c, uint16_t low) noexcept {
    const Run *begin = c.runs, *end = begin + c.count;
    const Run *after = std::upper_bound(begin, end, low, [](uint16_t l, const Run &run) { return l < run.first; });
    return after != begin && low <= after[-1].last;
}

// Clears what is not in the runs; false when nothing is left.
bool clear_outside(uint64_t *words, Bytes runs) {
    RunReader reader(runs);
    uint32_t after = 0;
    while (reader.left()) {
        Run run = reader.next();
        if (run.first > after)
            clear_range(words, after, run.first - 1u);
        after = run.last + 1u;
    }
    if (after <= 0xffff)
        clear_range(words, after, 0xffff);
    return std::any_of(words, words + GatheredContainer::word_count, [](uint64_t word) { return word != 0; });
}

bool clear_outside_bits(uint64_t *words, Bytes other) noexcept {
    uint64_t any = 0;
    for (uint32_t i = 0; i < GatheredContainer::word_count; ++i)
        any |= words[i] &= load<uint64_t>(other.data() + 8 * i);
    return any != 0;
}

// A run begins where a bit is set and the one below is not.
uint32_t runs_in(const uint64_t *words) noexcept {
    uint64_t starts[64];
    uint32_t runs = 0;
    uint64_t carry = 0;
    for (uint32_t i = 0; i < GatheredContainer::word_count; i += 64) {
        for (uint32_t j = 0; j < 64; ++j) {
            uint64_t word = words[i + j];
            starts[j] = word & ~(word << 1 | carry);
            carry = word >> 63;
        }
        runs += count_ones(reinterpret_cast<const uint8_t *>(starts), 64);
    }
    return runs;
}

// Calls f(first, last) for each run of a settled container.
template <class F> void for_each_run(const GatheredContainer &c, F f) noexcept {
    if (c.kind == ContainerKind::runs) {
        for (uint32_t i = 0; i < c.count; ++i)
            f(c.runs[i].first, c.runs[i].last);
        return;
    }
    if (c.kind == ContainerKind::array) {
        const uint16_t *members = c.members();
        for (uint32_t i = 0, end = 0; i < c.count; i = end) {
            for (end = i + 1; end < c.count && members[end] == members[end - 1] + 1; ++end) {
            }
            f(members[i], members[end - 1]);
        }
        return;
    }
    for (uint32_t at = 0; at < 65536;) {
        uint64_t word = c.words[at / 64] >> (at % 64);
        if (word == 0) {
            at = (at / 64 + 1) * 64;
            continue;
        }
        at += static_cast<uint32_t>(std::countr_zero(word));
        uint32_t first = at;
        while (at < 65536) {
            auto ones = static_cast<uint32_t>(std::countr_one(c.words[at / 64] >> (at % 64)));
            at += ones;
            if (ones == 0 || at % 64 != 0)
                break;
        }
        f(static_cast<uint16_t>(first), static_cast<uint16_t>(at - 1));
    }
}

void write_members(const GatheredContainer &c, uint8_t *out) noexcept {
    auto put = [&](uint32_t member) {
        store<uint16_t>(out, static_cast<uint16_t>(member));
        out += 2;
    };
    if (c.kind == ContainerKind::array)
        std::for_each_n(c.members(), c.count, put);
    else if (c.kind == ContainerKind::runs)
        for_each_run(c, [&](uint32_t first, uint32_t last) {
            for (uint32_t member = first; member <= last; ++member)
                put(member);
        });
    else
        for (uint32_t i = 0; i < GatheredContainer::word_count; ++i)
            for (uint64_t word = c.words[i]; word != 0; word &= word - 1)
                put(64 * i + static_cast<uint32_t>(std::countr_zero(word)));
}

void write_bitset(const GatheredContainer &c, uint8_t *out) noexcept {
    uint64_t words[GatheredContainer::word_count] = {};
    const uint64_t *from = words;
    if (c.kind == ContainerKind::bitset)
        from = c.words;
    else
        for_each_run(c, [&](uint32_t first, uint32_t last) { set_range(words, first, last); });
    for (uint32_t i = 0; i < GatheredContainer::word_count; ++i)
        store<uint64_t>(out + 8 * i, from[i]);
}

} // namespace

void ContainerRoom::become_members(GatheredContainer &c, const uint16_t *members, uint32_t count) {
    release(c);
    if (count > GatheredContainer::most_members) {
        auto *words = static_cast<uint64_t *>(memory_->allocate(bitset_size));
        std::memset(words, 0, bitset_size);
        for (uint32_t i = 0; i < count; ++i)
            set_bit(words, members[i]);
        c.kind = ContainerKind::bitset;
        c.words = words;
        return;
    }
    if (count > GatheredContainer::members_here) {
        c.elsewhere = static_cast<uint16_t *>(memory_->allocate(count * sizeof(uint16_t)));
        c.capacity = static_cast<uint16_t>(count);
    }
    std::memcpy(c.members(), members, count * sizeof(uint16_t));
    c.count = c.sorted = static_cast<uint16_t>(count);
}

// `with` is an array: it only loses members.
void ContainerRoom::filter_array(GatheredContainer &with, const ContainerView &from) const {
    uint16_t *members = with.members();
    uint32_t kept = 0;
    if (from.kind == ContainerKind::array && from.bytes.size() / 2 < 16 * size_t{with.count}) { // side by side
        auto other = [&](size_t i) { return load<uint16_t>(from.bytes.data() + 2 * i); };
        size_t end = from.bytes.size() / 2;
        for (size_t i = 0, j = 0; i < with.count && j < end;) {
            uint16_t mine = members[i], theirs = other(j);
            if (mine == theirs)
                members[kept++] = mine;
            i += mine <= theirs;
            j += theirs <= mine;
        }
    } else {
        for (uint32_t i = 0; i < with.count; ++i)
            if (from.contains(members[i]))
                members[kept++] = members[i];
    }
    with.count = with.sorted = static_cast<uint16_t>(kept);
}

bool ContainerRoom::intersect(GatheredContainer &with, const ContainerView &from) {
    if (with.kind == ContainerKind::array) {
        filter_array(with, from);
        return with.count > 0;
    }
    if (from.kind == ContainerKind::array) {
        uint16_t members[most_in_array];
        uint32_t kept = 0;
        int32_t before = -1;
        for (size_t i = 0; i < from.bytes.size() / 2; ++i) {
            auto low = load<uint16_t>(from.bytes.data() + 2 * i);
            if (low <= before)
                throw_bad_bitmap("The members of a container are not in ascending order.");
            before = low;
            if (with.kind == ContainerKind::bitset ? has_bit(with.words, low) : in_runs(with, low))
                members[kept++] = low;
        }
        become_members(with, members, kept);
        return kept > 0;
    }
    if (with.kind == ContainerKind::runs && from.kind == ContainerKind::runs &&
        from.bytes.size() / 4 <= GatheredContainer::most_runs) {
        Run theirs[GatheredContainer::most_runs], both[2 * GatheredContainer::most_runs];
        uint32_t count = 0;
        for (RunReader reader(from.bytes); reader.left();)
            theirs[count++] = reader.next();
        count = sweep(with.runs, with.count, theirs, count, both, [](bool a, bool b) { return a & b; });
        if (count <= GatheredContainer::most_runs) {
            become_runs(with, both, count);
            return count > 0;
        }
    }
    if (with.kind == ContainerKind::runs)
        become_bitset(with);
    return from.kind == ContainerKind::runs ? clear_outside(with.words, from.bytes)
                                            : clear_outside_bits(with.words, from.bytes);
}

size_t ContainerForm::size() const noexcept {
    switch (kind) {
    case ContainerKind::array:
        return cardinality * sizeof(uint16_t);
    case ContainerKind::bitset:
        return bitset_size;
    case ContainerKind::runs:
        break;
    }
    return 2 + runs * sizeof(Run);
}

uint64_t cardinality_of(const GatheredContainer &c) noexcept {
    if (c.kind == ContainerKind::array)
        return c.count;
    if (c.kind == ContainerKind::bitset)
        return count_ones(reinterpret_cast<const uint8_t *>(c.words), GatheredContainer::word_count);
    uint64_t members = 0;
    for_each_run(c, [&](uint32_t first, uint32_t last) { members += last - first + 1; });
    return members;
}

// The smallest form, so that equal sets become equal bytes; of two that are equally small, not the runs.
ContainerForm form_of(const GatheredContainer &c) noexcept {
    ContainerForm form{ContainerKind::runs, static_cast<uint32_t>(cardinality_of(c)), 0};
    if (c.kind == ContainerKind::bitset)
        form.runs = runs_in(c.words);
    else
        for_each_run(c, [&](uint32_t, uint32_t) { ++form.runs; });
    ContainerForm plain = form;
    plain.kind = form.cardinality <= most_in_array ? ContainerKind::array : ContainerKind::bitset;
    return form.size() < plain.size() ? form : plain;
}

void write(const GatheredContainer &c, const ContainerForm &form, uint8_t *out) noexcept {
    switch (form.kind) {
    case ContainerKind::array:
        write_members(c, out);
        return;
    case ContainerKind::bitset:
        write_bitset(c, out);
        return;
    case ContainerKind::runs:
        break;
    }
    store<uint16_t>(out, static_cast<uint16_t>(form.runs));
    out += 2;
    for_each_run(c, [&](uint16_t first, uint16_t last) {
        store<uint16_t>(out, first);
        store<uint16_t>(out + 2, static_cast<uint16_t>(last - first));
        out += 4;
    });
}

} // namespace fas
