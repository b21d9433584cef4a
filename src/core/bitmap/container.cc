// See container.hh: how members are gathered. What comes from a ContainerView is not trusted: members in a wrong
// order are put right by settle(), and runs are checked.
#include "container.hh"

#include <algorithm>
#include <cstring>

#include "../bytes.hh"
#include "container_bits.hh"
#include "members.hh"

namespace fas {

namespace {

constexpr size_t bitset_size = GatheredContainer::word_count * sizeof(uint64_t);
constexpr uint32_t sort_by_bitset = 96; // from so many members on, a bitset sorts them quicker
constexpr uint32_t merge_within = 4;    // arrays are merged when one is at most so many times as long as the other

void check_ascending(Bytes members) {
    if (!ascends(members.data(), static_cast<uint32_t>(members.size() / 2)))
        throw_bad_bitmap("The members of a container are not in ascending order.");
}

void copy_members_to(uint16_t *out, Bytes bytes) noexcept {
    if constexpr (std::endian::native == std::endian::little)
        std::memcpy(out, bytes.data(), bytes.size() / 2 * 2);
    else
        for (size_t i = 0; i < bytes.size() / 2; ++i)
            out[i] = load<uint16_t>(bytes.data() + 2 * i);
}

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

// The members of a view as runs of one each; those that touch each other are joined later.
uint32_t copy_members(Bytes bytes, Run *out) {
    auto count = static_cast<uint32_t>(bytes.size() / 2);
    check_ascending(bytes);
    for (uint32_t i = 0; i < count; ++i) {
        auto member = load<uint16_t>(bytes.data() + 2 * i);
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

// How many of the runs lie within `mine`, up to the first that does not; so many of `mine` as are `before` that one do
// not even touch it.
uint32_t count_covered(const Run *mine, uint32_t mine_count, const Run *runs, uint32_t count,
                       uint32_t &before) noexcept {
    uint32_t i = 0, covered = 0;
    for (; covered < count; ++covered) {
        while (i < mine_count && mine[i].last < runs[covered].first)
            ++i;
        if (i == mine_count || mine[i].first > runs[covered].first || mine[i].last < runs[covered].last)
            break;
    }
    before = i > 0 ? i - 1 : 0;
    return covered;
}

bool is_everything(const GatheredContainer &c) noexcept {
    return c.kind == ContainerKind::runs && c.count == 1 && c.runs[0].first == 0 && c.runs[0].last == 0xffff;
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

// Its first `kept` runs stay, where it has some.
void ContainerRoom::become_runs(GatheredContainer &c, const Run *runs, uint32_t count, uint32_t kept) {
    const uint32_t all = kept + count;
    if (all == 0) {
        release(c);
        return;
    }
    if (c.kind != ContainerKind::runs || c.capacity < all) {
        uint32_t capacity = std::max(all, std::min(all + all / 2 + 1, GatheredContainer::most_runs));
        auto *room = static_cast<Run *>(memory_->allocate(capacity * sizeof(Run)));
        if (kept > 0)
            std::memcpy(room, c.runs, kept * sizeof(Run));
        release(c);
        c.kind = ContainerKind::runs;
        c.runs = room;
        c.capacity = static_cast<uint16_t>(capacity);
    }
    std::memcpy(c.runs + kept, runs, count * sizeof(Run));
    c.count = static_cast<uint16_t>(all);
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

void ContainerRoom::add(GatheredContainer &to, const uint64_t *members, uint32_t count) {
    uint32_t i = 0;
    while (i < count && to.kind == ContainerKind::array) {
        if (!reserve(to, 1)) {
            become_bitset(to);
            break;
        }
        uint16_t *out = to.members();
        const uint32_t end = std::min(count, i + to.capacity - to.count);
        bool ordered = to.sorted == to.count;
        for (; i < end; ++i) {
            const auto low = static_cast<uint16_t>(members[i]);
            ordered = ordered && (to.count == 0 || out[to.count - 1] < low);
            out[to.count++] = low;
        }
        if (ordered)
            to.sorted = to.count;
    }
    if (to.kind != ContainerKind::bitset) {
        for (; i < count; ++i)
            add(to, static_cast<uint16_t>(members[i]));
        return;
    }
    const auto low = [members = members + i](uint32_t n) { return static_cast<uint16_t>(members[n]); };
    if (gathering_ == Gathering::unite)
        set_bits(to.words, count - i, low);
    else
        flip_bits(to.words, count - i, low);
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
    check_ascending(bytes);
    uint16_t both[GatheredContainer::most_members + merge_slack];
    if (gathering_ == Gathering::toggle) {
        become_merged(to, both, toggle_members(to.members(), to.count, bytes.data(), count, both));
        return true;
    }
    // Sets that are united have often much in common.
    uint16_t missing[GatheredContainer::most_members + merge_slack];
    uint32_t missing_count = find_missing(to.members(), to.count, bytes.data(), count, missing);
    if (missing_count == 0)
        return true;
    const uint8_t *coming = bytes.data();
    if (missing_count != not_few) { // these lie as the portable format has them, wherever find_missing() finds any
        coming = reinterpret_cast<const uint8_t *>(missing);
        count = missing_count;
    }
    become_merged(to, both, unite_members(to.members(), to.count, coming, count, both));
    return true;
}

void ContainerRoom::become_merged(GatheredContainer &to, const uint16_t *members, uint32_t count) {
    to.sorted = to.count = 0;
    if (count > to.capacity)
        reserve(to, count);
    std::memcpy(to.members(), members, count * sizeof(uint16_t));
    to.sorted = to.count = static_cast<uint16_t>(count);
}

// There is room for them.
void ContainerRoom::append(GatheredContainer &to, Bytes bytes) {
    auto count = static_cast<uint32_t>(bytes.size() / 2);
    uint16_t *end = to.members() + to.count;
    copy_members_to(end, bytes);
    bool ordered =
        to.sorted == to.count && (count == 0 || to.count == 0 || end[-1] < end[0]) && ascends(bytes.data(), count);
    to.count = static_cast<uint16_t>(to.count + count);
    if (ordered)
        to.sorted = to.count;
}

void ContainerRoom::gather_array(GatheredContainer &to, Bytes bytes) {
    auto count = static_cast<uint32_t>(bytes.size() / 2);
    if (to.kind == ContainerKind::array && to.count == 0 && to.capacity < count) { // the first: as they are
        release(to);
        to.elsewhere = static_cast<uint16_t *>(memory_->allocate(count * sizeof(uint16_t)));
        to.capacity = static_cast<uint16_t>(count);
    }
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
    const auto low = [members = bytes.data()](uint32_t i) { return load<uint16_t>(members + size_t{2} * i); };
    if (gathering_ == Gathering::unite)
        set_bits(to.words, count, low);
    else
        flip_bits(to.words, count, low);
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
    if (to.kind == ContainerKind::array && to.count == 0) { // the first: as they are
        Run runs[GatheredContainer::most_kept_runs];
        if (uint32_t count = copy_runs(bytes, runs, GatheredContainer::most_kept_runs)) {
            become_runs(to, runs, count);
            return;
        }
    }
    if (to.kind != ContainerKind::bitset) {
        Run runs[GatheredContainer::most_runs];
        if (uint32_t count = copy_runs(bytes, runs, GatheredContainer::most_runs)) {
            sweep_with(to, runs, count);
            return;
        }
        become_bitset(to);
    }
    // Held here: for all that the compiler knows, a write to a word might change them.
    uint64_t *const words = to.words;
    const bool unites = gathering_ == Gathering::unite;
    for (RunReader reader(bytes); reader.left();) {
        const Run run = reader.next();
        if (unites)
            set_range(words, run.first, run.last);
        else
            flip_range(words, run.first, run.last);
    }
}

// `to` is an array or runs, and so the result is runs while they are few.
void ContainerRoom::sweep_with(GatheredContainer &to, const Run *runs, uint32_t count) {
    Run own[GatheredContainer::most_runs], both[2 * GatheredContainer::most_runs];
    const Run *mine = to.runs;
    uint32_t mine_count = to.count <= GatheredContainer::most_runs ? to.count : 0;
    if (to.kind == ContainerKind::array) {
        settle(to);
        mine = own;
        mine_count = runs_of(to.members(), to.count, own, GatheredContainer::most_runs);
    }
    if (mine_count > 0 || to.count == 0) {
        uint32_t kept = 0;
        if (gathering_ == Gathering::unite && to.kind == ContainerKind::runs) {
            // Sets that are united have often much in common: what is there already changes nothing.
            const uint32_t covered = count_covered(mine, mine_count, runs, count, kept);
            if (covered == count)
                return;
            runs += covered;
            count -= covered;
        }
        uint32_t result = gathering_ == Gathering::unite ? unite_runs(mine + kept, mine_count - kept, runs, count, both)
                                                         : toggle_runs(mine, mine_count, runs, count, both);
        if (kept + result <= GatheredContainer::most_runs) {
            become_runs(to, both, result, kept);
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
