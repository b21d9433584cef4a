// See container.hh: what is left of a container after an intersection, and how a settled one is measured and
// written.
#include <algorithm>
#include <bit>
#include <cstring>

#include "container.hh"
#include "bits.hh"
#include "../bytes.hh"
#include "container_bits.hh"
#include "members.hh"

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

uint8_t *put_members(uint64_t word, uint32_t base, uint8_t *out) noexcept {
    for (; word != 0; word &= word - 1, out += 2)
        store<uint16_t>(out, static_cast<uint16_t>(base + static_cast<uint32_t>(std::countr_zero(word))));
    return out;
}

void write_members(const GatheredContainer &c, uint8_t *out) noexcept {
    if (c.kind == ContainerKind::bitset) {
        for (uint32_t i = 0; i < GatheredContainer::word_count; ++i)
            out = put_members(c.words[i], 64 * i, out);
    } else if (c.kind == ContainerKind::array && std::endian::native == std::endian::little) {
        std::memcpy(out, c.members(), c.count * sizeof(uint16_t));
    } else {
        for_each_run(c, [&](uint32_t first, uint32_t last) {
            for (uint32_t member = first; member <= last; ++member, out += 2)
                store<uint16_t>(out, static_cast<uint16_t>(member));
        });
    }
}

void write_words(const uint64_t *words, uint8_t *out) noexcept {
    for (uint32_t i = 0; i < GatheredContainer::word_count; ++i)
        store<uint64_t>(out + 8 * i, words[i]);
}

void write_bitset(const GatheredContainer &c, uint8_t *out) noexcept {
    if (c.kind == ContainerKind::bitset) {
        write_words(c.words, out);
        return;
    }
    uint64_t words[GatheredContainer::word_count] = {};
    for_each_run(c, [&](uint32_t first, uint32_t last) { set_range(words, first, last); });
    write_words(words, out);
}

} // namespace

void ContainerRoom::become_members(GatheredContainer &c, const uint16_t *members, uint32_t count) {
    if (count > GatheredContainer::most_kept_members) {
        if (c.kind != ContainerKind::bitset) {
            release(c);
            c.words = static_cast<uint64_t *>(memory_->allocate(bitset_size));
            c.kind = ContainerKind::bitset;
        }
        std::memset(c.words, 0, bitset_size);
        for (uint32_t i = 0; i < count; ++i)
            set_bit(c.words, members[i]);
        return;
    }
    release(c);
    if (count > GatheredContainer::members_here) {
        c.elsewhere = static_cast<uint16_t *>(memory_->allocate(count * sizeof(uint16_t)));
        c.capacity = static_cast<uint16_t>(count);
    }
    std::memcpy(c.members(), members, count * sizeof(uint16_t));
    c.count = c.sorted = static_cast<uint16_t>(count);
}

bool ContainerRoom::shrink(GatheredContainer &c) {
    constexpr uint32_t few_in_bitset = 1024, roomy = 64; // members
    settle(c);
    const auto count = static_cast<uint32_t>(cardinality_of(c));
    uint16_t members[few_in_bitset];
    if (c.kind == ContainerKind::bitset && count <= few_in_bitset)
        become_members(c, members, list_bits(c.words, members));
    else if (c.kind == ContainerKind::array && count <= few_in_bitset && c.capacity > roomy && c.capacity / 4 > count)
        become_members(c, std::copy_n(c.members(), count, members) - count, count);
    return count > 0;
}

// `with` is an array: it only loses members.
void ContainerRoom::filter_array(GatheredContainer &with, const ContainerView &from) const {
    uint16_t *members = with.members();
    uint32_t kept = 0;
    switch (from.kind) {
    case ContainerKind::array:
        kept = keep_shared(members, with.count, from.bytes.data(), static_cast<uint32_t>(from.bytes.size() / 2));
        break;
    case ContainerKind::bitset:
        for (uint32_t i = 0; i < with.count; ++i) {
            const uint16_t member = members[i];
            members[kept] = member;
            kept += from.bytes[member / 8] >> (member % 8) & 1;
        }
        break;
    case ContainerKind::runs:
        RunReader reader(from.bytes);
        for (uint32_t i = 0; i < with.count && reader.left();) {
            const Run run = reader.next();
            while (i < with.count && members[i] < run.first)
                ++i;
            for (; i < with.count && members[i] <= run.last; ++i)
                members[kept++] = members[i];
        }
        break;
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
        auto count = static_cast<uint32_t>(from.bytes.size() / 2);
        if (!ascends(from.bytes.data(), count))
            throw_bad_bitmap("The members of a container are not in ascending order.");
        for (uint32_t i = 0; i < count; ++i) {
            auto low = load<uint16_t>(from.bytes.data() + 2 * i);
            members[kept] = low;
            kept += with.kind == ContainerKind::bitset ? has_bit(with.words, low) : in_runs(with, low);
        }
        become_members(with, members, kept);
        return kept > 0;
    }
    if (with.kind == ContainerKind::runs && from.kind == ContainerKind::runs &&
        from.bytes.size() / 4 <= GatheredContainer::most_kept_runs) {
        Run both[2 * GatheredContainer::most_kept_runs];
        const uint32_t count = share_runs(with.runs, with.count, RunReader(from.bytes), both);
        if (count <= GatheredContainer::most_kept_runs) {
            become_runs(with, both, count);
            return count > 0;
        }
    }
    if (with.kind == ContainerKind::runs)
        become_bitset(with);
    return from.kind == ContainerKind::runs ? clear_outside(with.words, from.bytes)
                                            : keep_words(with.words, from.bytes.data());
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
    ContainerForm plain{ContainerKind::array, static_cast<uint32_t>(cardinality_of(c)), 0};
    if (plain.cardinality > most_in_array)
        plain.kind = ContainerKind::bitset;
    ContainerForm form = plain;
    form.kind = ContainerKind::runs;
    if (c.kind == ContainerKind::bitset)
        form.runs = count_runs(c.words, static_cast<uint32_t>(plain.size() / sizeof(Run)));
    else if (c.kind == ContainerKind::array)
        form.runs = count_runs(c.members(), c.count);
    else
        form.runs = c.count;
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
