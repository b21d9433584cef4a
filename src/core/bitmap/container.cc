// See container.hh: how members are gathered. What comes from a ContainerView is not trusted: members in a wrong
// order are put right by settle(), and runs are checked.
#include "container.hh"

#include <algorithm>
#include <cstring>

#include "../bytes.hh"
#include "container_bits.hh"

namespace fas {

namespace {

constexpr size_t bitset_size = GatheredContainer::word_count * sizeof(uint64_t);
constexpr uint32_t sort_by_bitset = 96; // from so many members on, a bitset sorts them quicker
constexpr uint32_t merge_within = 4;    // arrays are merged when one is at most so many times as long as the other

// The runs of a view, in order and within the container; at most `most` of them, else 0.
uint32_t copy_runs(Bytes bytes, Run *out, uint32_t most) {
    auto count = static_cast<uint32_t>(bytes.size() / 4);
    if (count > most)
        return 0;
    RunReader reader(bytes);
    for (uint32_t i = 0; i < count; ++i)
        out[i] = reader.next();
    return count;
}

// The members of a view as runs of one each: `sweep` joins those that touch each other.
uint32_t copy_members(Bytes bytes, Run *out) {
    auto count = static_cast<uint32_t>(bytes.size() / 2);
    int32_t before = -1;
    for (uint32_t i = 0; i < count; ++i) {
        auto member = load<uint16_t>(bytes.data() + 2 * i);
        if (member <= before)
            throw_bad_bitmap("The members of a container are not in ascending order.");
        before = member;
        out[i] = {member, member};
    }
    return count;
}

// Settled members as runs; at most `most`, else 0.
uint32_t runs_of(const uint16_t *members, uint32_t count, Run *out, uint32_t most) noexcept {
    uint32_t runs = 0;
    for (uint32_t i = 0; i < count; ++i) {
        if (runs > 0 && out[runs - 1].last + 1 == members[i]) {
            out[runs - 1].last = members[i];
        } else {
            if (runs == most)
                return 0;
            out[runs++] = {members[i], members[i]};
        }
    }
    return runs;
}

bool is_everything(const GatheredContainer &c) noexcept {
    return c.kind == ContainerKind::runs && c.count == 1 && c.runs[0].first == 0 && c.runs[0].last == 0xffff;
}

// Two ascending lists into one; what is in both comes once, or not at all.
uint32_t merge_members(const uint16_t *a, uint32_t a_count, const uint16_t *b, uint32_t b_count, uint16_t *out,
                       bool cancel) noexcept {
    uint32_t i = 0, j = 0, made = 0;
    while (i < a_count && j < b_count) { // no branch depends on the members
        uint16_t mine = a[i], theirs = b[j];
        out[made] = std::min(mine, theirs);
        made += !(cancel && mine == theirs);
        i += mine <= theirs;
        j += theirs <= mine;
    }
    for (; i < a_count; ++i)
        out[made++] = a[i];
    for (; j < b_count; ++j)
        out[made++] = b[j];
    return made;
}

// An odd number of the same member is one, an even number none.
uint32_t cancel_pairs(uint16_t *members, uint32_t count) noexcept {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count;) {
        uint32_t end = i;
        while (end < count && members[end] == members[i])
            ++end;
        uint16_t member = members[i];
        if ((end - i) % 2 != 0)
            members[kept++] = member;
        i = end;
    }
    return kept;
}

} // namespace

void ContainerRoom::release(GatheredContainer &c) noexcept {
    if (c.kind == ContainerKind::bitset)
        memory_->deallocate(c.words, bitset_size);
    else if (c.kind == ContainerKind::runs)
        memory_->deallocate(c.runs, c.capacity * sizeof(Run));
    else if (c.capacity > GatheredContainer::members_here)
        memory_->deallocate(c.elsewhere, c.capacity * sizeof(uint16_t));
    c = GatheredContainer();
}

void ContainerRoom::settle(GatheredContainer &c) const {
    if (c.kind != ContainerKind::array || c.sorted == c.count)
        return;
    uint16_t *members = c.members();
    if (c.count < sort_by_bitset) {
        std::sort(members, members + c.count);
        uint32_t count = gathering_ == Gathering::unite
                             ? static_cast<uint32_t>(std::unique(members, members + c.count) - members)
                             : cancel_pairs(members, c.count);
        c.count = static_cast<uint16_t>(count);
    } else {
        uint64_t words[GatheredContainer::word_count] = {};
        for (uint32_t i = 0; i < c.count; ++i) {
            uint64_t bit = uint64_t{1} << (members[i] % 64);
            if (gathering_ == Gathering::unite)
                words[members[i] / 64] |= bit;
            else
                words[members[i] / 64] ^= bit;
        }
        c.count = static_cast<uint16_t>(list_bits(words, members));
    }
    c.sorted = c.count;
}

bool ContainerRoom::reserve(GatheredContainer &to, uint32_t more) {
    if (to.count + more <= to.capacity)
        return true;
    settle(to);
    // Doubling once it is more than half full keeps the settling, which goes through all members, a matter of few
    // steps for each.
    uint32_t wanted = to.count + more;
    if (wanted <= to.capacity / 2)
        return true;
    if (wanted > GatheredContainer::most_members || to.capacity == GatheredContainer::most_members)
        return false;
    uint32_t capacity = std::min(std::max(wanted, to.capacity * uint32_t{2}), GatheredContainer::most_members);
    auto *members = static_cast<uint16_t *>(memory_->allocate(capacity * sizeof(uint16_t)));
    std::memcpy(members, to.members(), to.count * sizeof(uint16_t));
    GatheredContainer larger = to;
    larger.elsewhere = members;
    larger.capacity = static_cast<uint16_t>(capacity);
    release(to);
    to = larger;
    return true;
}

void ContainerRoom::become_bitset(GatheredContainer &c) {
    settle(c);
    auto *words = static_cast<uint64_t *>(memory_->allocate(bitset_size));
    std::memset(words, 0, bitset_size);
    if (c.kind == ContainerKind::runs)
        for (uint32_t i = 0; i < c.count; ++i)
            set_range(words, c.runs[i].first, c.runs[i].last);
    else
        for (uint32_t i = 0; i < c.count; ++i)
            set_bit(words, c.members()[i]);
    release(c);
    c.kind = ContainerKind::bitset;
    c.words = words;
}

void ContainerRoom::become_runs(GatheredContainer &c, const Run *runs, uint32_t count) {
    if (count == 0) {
        release(c);
        return;
    }
    if (c.kind != ContainerKind::runs || c.capacity < count) {
        uint32_t capacity = std::min(count + count / 2 + 1, GatheredContainer::most_runs);
        auto *room = static_cast<Run *>(memory_->allocate(capacity * sizeof(Run)));
        release(c);
        c.kind = ContainerKind::runs;
        c.runs = room;
        c.capacity = static_cast<uint16_t>(capacity);
    }
    std::memcpy(c.runs, runs, count * sizeof(Run));
    c.count = static_cast<uint16_t>(count);
}

void ContainerRoom::add(GatheredContainer &to, uint16_t low) {
    if (to.kind == ContainerKind::array) {
        if (reserve(to, 1)) {
            uint16_t *members = to.members();
            if (to.sorted == to.count && (to.count == 0 || members[to.count - 1] < low))
                ++to.sorted;
            members[to.count++] = low;
            return;
        }
        become_bitset(to);
    }
    if (to.kind == ContainerKind::runs) {
        Run run{low, low};
        sweep_with(to, &run, 1);
    } else if (gathering_ == Gathering::unite) {
        set_bit(to.words, low);
    } else {
        to.words[low / 64] ^= uint64_t{1} << (low % 64);
    }
}

void ContainerRoom::gather(GatheredContainer &to, const ContainerView &from) {
    switch (from.kind) {
    case ContainerKind::array:
        gather_array(to, from.bytes);
        break;
    case ContainerKind::bitset:
        gather_bitset(to, from.bytes);
        break;
    case ContainerKind::runs:
        gather_runs(to, from.bytes);
        break;
    }
}

// Goes through all members: for an array that is not much longer than what comes. False when there are too many.
bool ContainerRoom::merge(GatheredContainer &to, Bytes bytes) {
    settle(to);
    auto count = static_cast<uint32_t>(bytes.size() / 2);
    if (to.count + count > GatheredContainer::most_members)
        return false;
    uint16_t theirs[GatheredContainer::most_members], both[GatheredContainer::most_members];
    int32_t before = -1;
    bool ordered = true;
    for (uint32_t i = 0; i < count; ++i) {
        theirs[i] = load<uint16_t>(bytes.data() + 2 * i);
        ordered &= before < theirs[i];
        before = theirs[i];
    }
    if (!ordered)
        throw_bad_bitmap("The members of a container are not in ascending order.");
    uint32_t made = merge_members(to.members(), to.count, theirs, count, both, gathering_ == Gathering::toggle);
    to.sorted = to.count = 0;
    if (made > to.capacity)
        reserve(to, made);
    std::memcpy(to.members(), both, made * sizeof(uint16_t));
    to.sorted = to.count = static_cast<uint16_t>(made);
    return true;
}

// There is room for them.
void ContainerRoom::append(GatheredContainer &to, Bytes bytes) {
    auto count = static_cast<uint32_t>(bytes.size() / 2);
    uint16_t *end = to.members() + to.count;
    bool ordered = to.sorted == to.count;
    int32_t before = to.count > 0 ? end[-1] : -1;
    for (uint32_t i = 0; i < count; ++i) {
        end[i] = load<uint16_t>(bytes.data() + 2 * i);
        ordered &= before < end[i];
        before = end[i];
    }
    to.count = static_cast<uint16_t>(to.count + count);
    if (ordered)
        to.sorted = to.count;
}

void ContainerRoom::gather_array(GatheredContainer &to, Bytes bytes) {
    auto count = static_cast<uint32_t>(bytes.size() / 2);
    if (to.kind == ContainerKind::array) {
        if (to.count > 0 && count * merge_within > to.count) {
            if (merge(to, bytes))
                return;
        } else if (reserve(to, count)) {
            append(to, bytes);
            return;
        }
        become_bitset(to);
    }
    if (to.kind == ContainerKind::runs) {
        if (gathering_ == Gathering::unite && is_everything(to))
            return;
        if (count <= GatheredContainer::most_runs) {
            Run runs[GatheredContainer::most_runs];
            sweep_with(to, runs, copy_members(bytes, runs));
            return;
        }
        become_bitset(to);
    }
    if (gathering_ == Gathering::unite)
        for (uint32_t i = 0; i < count; ++i)
            set_bit(to.words, load<uint16_t>(bytes.data() + 2 * i));
    else
        for (uint32_t i = 0; i < count; ++i) {
            auto low = load<uint16_t>(bytes.data() + 2 * i);
            to.words[low / 64] ^= uint64_t{1} << (low % 64);
        }
}

void ContainerRoom::gather_bitset(GatheredContainer &to, Bytes bytes) {
    if (gathering_ == Gathering::unite && is_everything(to))
        return;
    if (to.kind == ContainerKind::array && to.count == 0) { // the first: as it is
        auto *words = static_cast<uint64_t *>(memory_->allocate(bitset_size));
        for (uint32_t i = 0; i < GatheredContainer::word_count; ++i)
            words[i] = load<uint64_t>(bytes.data() + 8 * i);
        release(to);
        to.kind = ContainerKind::bitset;
        to.words = words;
        return;
    }
    if (to.kind != ContainerKind::bitset)
        become_bitset(to);
    if (gathering_ == Gathering::unite)
        unite_words(to.words, bytes.data());
    else
        toggle_words(to.words, bytes.data());
}

void ContainerRoom::gather_runs(GatheredContainer &to, Bytes bytes) {
    if (gathering_ == Gathering::unite && is_everything(to))
        return;
    if (to.kind != ContainerKind::bitset) {
        Run runs[GatheredContainer::most_runs];
        if (uint32_t count = copy_runs(bytes, runs, GatheredContainer::most_runs)) {
            sweep_with(to, runs, count);
            return;
        }
        become_bitset(to);
    }
    RunReader reader(bytes);
    while (reader.left()) {
        Run run = reader.next();
        if (gathering_ == Gathering::unite)
            set_range(to.words, run.first, run.last);
        else
            flip_range(to.words, run.first, run.last);
    }
}

// `to` is an array or runs, and so the result is runs while they are few.
void ContainerRoom::sweep_with(GatheredContainer &to, const Run *runs, uint32_t count) {
    Run own[GatheredContainer::most_runs], both[2 * GatheredContainer::most_runs];
    const Run *mine = to.runs;
    uint32_t mine_count = to.count;
    if (to.kind == ContainerKind::array) {
        settle(to);
        mine = own;
        mine_count = runs_of(to.members(), to.count, own, GatheredContainer::most_runs);
    }
    if (mine_count > 0 || to.count == 0) {
        uint32_t result = gathering_ == Gathering::unite
                              ? unite_runs(mine, mine_count, runs, count, both)
                              : sweep(mine, mine_count, runs, count, both, [](bool a, bool b) { return a != b; });
        if (result <= GatheredContainer::most_runs) {
            become_runs(to, both, result);
            return;
        }
    }
    become_bitset(to);
    for (uint32_t i = 0; i < count; ++i)
        if (gathering_ == Gathering::unite)
            set_range(to.words, runs[i].first, runs[i].last);
        else
            flip_range(to.words, runs[i].first, runs[i].last);
}

} // namespace fas
