// Hashing, interning and sorting of names.
#include "intern.hh"

#include <algorithm>
#include <cstring>
#include <random>
#include <span>

#include "bytes.hh"

namespace fas {
namespace {

constexpr size_t least_arena_block = 1024, arena_block = 65536; // the first and the largest; each doubles
constexpr uint64_t multiplier = 0xd6e8feb86659fd93;

// What is sorted: eight bytes of a name (big-endian, zeros behind its end), how many of them are the name's (9 when
// more follow: that tells "a" from "a\0"), and which name it is. One number, so that comparing does not branch.
using SortItem = uint128;
constexpr size_t chunk = 8;

uint64_t big_endian(const char *from) noexcept {
    return __builtin_bswap64(load<uint64_t>(reinterpret_cast<const uint8_t *>(from)));
}

SortItem sort_item(std::string_view name, size_t depth, uint32_t index) noexcept {
    uint64_t bytes = 0;
    if (depth + chunk <= name.size()) {
        bytes = big_endian(name.data() + depth);
    } else if (depth < name.size() && name.size() >= chunk) { // by a load that begins before `depth`
        bytes = big_endian(name.data() + name.size() - chunk) << 8 * (depth + chunk - name.size());
    } else {
        for (size_t i = depth; i < depth + chunk; ++i)
            bytes = bytes << 8 | (i < name.size() ? static_cast<uint8_t>(name[i]) : 0);
    }
    const uint64_t length = std::min<size_t>(chunk + 1, name.size() - std::min(depth, name.size()));
    return static_cast<uint128>(bytes) << 64 | length << 32 | index;
}
uint32_t index_of(SortItem item) noexcept { return static_cast<uint32_t>(item); }

// How many bytes from `depth` on all the names share, at most `limit`.
size_t shared_bytes(std::span<const SortItem> items, const NameTable &names, size_t depth, size_t limit) {
    std::string_view shared = names[index_of(items[0])].substr(depth, limit);
    for (const SortItem item : items.subspan(1)) {
        shared = shared.substr(0, shared_prefix(shared, names[index_of(item)].substr(depth)));
        if (shared.empty())
            break;
    }
    return shared.size();
}

// Sorts names (only their indexes are set on entry) that agree in the first `depth` bytes, eight more at a time.
void sort_items(std::span<SortItem> items, const NameTable &names, size_t depth) {
    constexpr size_t deepest = 64; // beyond, compare strings: recursion stays shallow
    if (depth >= deepest) {
        std::sort(items.begin(), items.end(),
                  [&](SortItem a, SortItem b) { return names[index_of(a)] < names[index_of(b)]; });
        return;
    }
    depth += shared_bytes(items, names, depth, deepest);
    for (SortItem &item : items)
        item = sort_item(names[index_of(item)], depth, index_of(item));
    std::sort(items.begin(), items.end());
    for (size_t from = 0, to; from < items.size(); from = to) {
        to = from + 1;
        while (to < items.size() && items[to] >> 32 == items[from] >> 32)
            ++to;
        if (to - from > 1 && static_cast<uint32_t>(items[from] >> 32) == chunk + 1)
            sort_items(items.subspan(from, to - from), names, depth + chunk);
    }
}

uint64_t make_seed() noexcept {
    try {
        std::random_device device;
        return (uint64_t{device()} << 32 | device()) ^ multiplier;
    } catch (...) { // no entropy source: an address is better than nothing
        static const char here = 0;
        return reinterpret_cast<uintptr_t>(&here) ^ multiplier;
    }
}

} // namespace

const uint64_t process_hash_seed = make_seed();

uint64_t hash_bytes(std::string_view bytes) noexcept {
    uint64_t state = hash_seed() ^ bytes.size();
    const char *at = bytes.data();
    size_t left = bytes.size();
    for (; left > 16; left -= 16, at += 16)
        state = hash_mix(load<uint64_t>(reinterpret_cast<const uint8_t *>(at)) ^ multiplier,
                         load<uint64_t>(reinterpret_cast<const uint8_t *>(at + 8)) ^ state);
    // Up to sixteen bytes, by two loads that may overlap: the size is in the state already.
    uint64_t first = 0, second = 0;
    if (left >= 8) {
        first = load<uint64_t>(reinterpret_cast<const uint8_t *>(at));
        second = load<uint64_t>(reinterpret_cast<const uint8_t *>(at + left - 8));
    } else if (left >= 4) {
        first = load<uint32_t>(reinterpret_cast<const uint8_t *>(at));
        second = load<uint32_t>(reinterpret_cast<const uint8_t *>(at + left - 4));
    } else if (left > 0) {
        first = static_cast<uint8_t>(at[0]);
        second = uint64_t{static_cast<uint8_t>(at[left / 2])} << 8 | static_cast<uint8_t>(at[left - 1]);
    }
    return hash_mix(first ^ multiplier ^ state, second ^ (state >> 32 | state << 32) ^ 0x8ebc6af09c88c6e3);
}

void NumberTable::grow(size_t slots) {
    std::vector<Slot> larger(std::max<size_t>(64, slots));
    const size_t mask = larger.size() - 1;
    for (const Slot &slot : slots_) {
        if (slot.number == 0)
            continue;
        size_t at = slot.tag & mask;
        while (larger[at].number != 0)
            at = (at + 1) & mask;
        larger[at] = slot;
    }
    slots_.swap(larger);
}

void NameTable::adopt(std::span<const std::string_view> names) {
    names_.reserve(names.size());
    for (const std::string_view name : names)
        names_.push_back(copy(name));
}

void NameTable::index_all() {
    table_.expect(names_.size() - table_.count());
    for (size_t id = table_.count(); id < names_.size(); ++id) {
        bool added;
        table_.find_or_add(
            hash_bytes(names_[id]), [](uint32_t) { return false; }, added);
    }
}

uint32_t NameTable::add(std::string_view name) {
    if (names_.empty())
        names_.reserve(16); // at once, for small batches
    if (table_.count() != names_.size())
        index_all();
    bool added = false;
    const uint32_t id = table_.find_or_add(
        hash_bytes(name), [&](uint32_t n) { return same_bytes(names_[n], name); }, added);
    if (added)
        names_.push_back(copy(name));
    return id;
}

std::string_view NameTable::copy(std::string_view name) {
    const size_t taken = (name_room + name.size() + name_room - 1) / name_room * name_room;
    const bool own_block = taken > arena_block / 4; // then the current block stays open for others
    if (own_block || taken > free_bytes_) {
        const size_t doubled = least_arena_block << std::min<size_t>(arena_.size(), 6);
        const size_t size = own_block ? taken : std::max(std::min(doubled, arena_block), taken);
        arena_.push_back(std::make_unique_for_overwrite<char[]>(size)); // aligned as malloc() aligns
        arena_bytes_ += size;
        if (!own_block) {
            free_ = arena_.back().get();
            free_bytes_ = size;
        }
    }
    char *to = (own_block ? arena_.back().get() : free_) + name_room;
    std::memcpy(to, name.data(), name.size());
    if (!own_block) {
        free_ += taken;
        free_bytes_ -= taken;
    }
    return {to, name.size()};
}

size_t NameTable::memory() const noexcept {
    return arena_bytes_ + names_.capacity() * sizeof(std::string_view) + table_.memory();
}

std::vector<uint32_t> rank_names(const NameTable &table, std::vector<std::string_view> &sorted) {
    std::array<SortItem, 64> few; // a small batch's need no memory of their own
    std::vector<SortItem> many(table.size() > few.size() ? table.size() : 0);
    const std::span<SortItem> items(many.empty() ? few.data() : many.data(), table.size());
    for (size_t i = 0; i < items.size(); ++i)
        items[i] = i;
    if (!items.empty())
        sort_items(items, table, 0);
    std::vector<uint32_t> ranks(table.size());
    sorted.resize(table.size());
    for (uint32_t rank = 0; rank < items.size(); ++rank) {
        ranks[index_of(items[rank])] = rank;
        sorted[rank] = table[index_of(items[rank])];
    }
    return ranks;
}

} // namespace fas
