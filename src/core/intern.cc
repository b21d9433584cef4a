// Hashing, interning and sorting of names.
#include "intern.hh"

#include <algorithm>
#include <cstring>
#include <random>

#include "bytes.hh"

namespace fas {
namespace {

constexpr size_t arena_block = 65536;
constexpr uint64_t multiplier = 0xd6e8feb86659fd93;

struct SortItem {
    uint64_t bytes; // eight bytes of the name from the current depth, big-endian, zeros behind the end
    uint32_t index;
    uint32_t length; // bytes of the name that are among them, at most 9 (more follow): parts "a" from "a\0"
};

uint64_t big_endian_chunk(std::string_view name, size_t depth) noexcept {
    uint64_t chunk = 0;
    if (depth + 8 <= name.size())
        return __builtin_bswap64(load<uint64_t>(reinterpret_cast<const uint8_t *>(name.data() + depth)));
    for (size_t i = depth; i < depth + 8; ++i)
        chunk = chunk << 8 | (i < name.size() ? static_cast<uint8_t>(name[i]) : 0);
    return chunk;
}

// Sorts items whose names agree in the first `depth` bytes, eight further bytes at a time.
void sort_items(SortItem *begin, SortItem *end, const NameTable &names, size_t depth) {
    constexpr size_t deepest = 64; // beyond, compare strings: recursion stays shallow
    for (SortItem *item = begin; item != end; ++item) {
        const std::string_view name = names[item->index];
        item->bytes = big_endian_chunk(name, depth);
        item->length = static_cast<uint32_t>(std::min<size_t>(9, name.size() - std::min(depth, name.size())));
    }
    std::sort(begin, end, [](const SortItem &a, const SortItem &b) {
        return a.bytes != b.bytes ? a.bytes < b.bytes : a.length < b.length;
    });
    for (SortItem *from = begin; from != end;) {
        SortItem *to = from + 1;
        while (to != end && to->bytes == from->bytes && to->length == from->length)
            ++to;
        if (to - from > 1 && from->length == 9) {
            if (depth < deepest)
                sort_items(from, to, names, depth + 8);
            else
                std::sort(from, to, [&](const SortItem &a, const SortItem &b) { return names[a.index] < names[b.index]; });
        }
        from = to;
    }
}

} // namespace

uint64_t hash_seed() noexcept {
    static const uint64_t seed = [] {
        try {
            std::random_device device;
            return (uint64_t{device()} << 32 | device()) ^ multiplier;
        } catch (...) { // no entropy source: an address is better than nothing
            return reinterpret_cast<uintptr_t>(&seed) ^ multiplier;
        }
    }();
    return seed;
}

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

uint32_t NameTable::add(std::string_view name) {
    bool added = false;
    const uint32_t id = table_.find_or_add(hash_bytes(name), [&](uint32_t n) { return same_bytes(names_[n], name); }, added);
    if (added)
        names_.push_back(copy(name));
    return id;
}

std::string_view NameTable::copy(std::string_view name) {
    const bool own_block = name.size() > arena_block / 4; // then the current block stays open for others
    if (own_block || name.size() > free_bytes_) {
        const size_t size = own_block ? name.size() : arena_block;
        arena_.push_back(std::make_unique_for_overwrite<char[]>(size));
        arena_bytes_ += size;
        if (!own_block) {
            free_ = arena_.back().get();
            free_bytes_ = size;
        }
    }
    char *to = own_block ? arena_.back().get() : free_;
    std::memcpy(to, name.data(), name.size());
    if (!own_block) {
        free_ += name.size();
        free_bytes_ -= name.size();
    }
    return {to, name.size()};
}

size_t NameTable::memory() const noexcept {
    return arena_bytes_ + names_.capacity() * sizeof(std::string_view) + table_.memory();
}

std::vector<uint32_t> rank_names(const NameTable &table, std::vector<std::string_view> &sorted) {
    std::vector<SortItem> items(table.size());
    for (size_t i = 0; i < items.size(); ++i)
        items[i].index = static_cast<uint32_t>(i);
    sort_items(items.data(), items.data() + items.size(), table, 0);
    std::vector<uint32_t> ranks(table.size());
    sorted.resize(table.size());
    for (uint32_t rank = 0; rank < items.size(); ++rank) {
        ranks[items[rank].index] = rank;
        sorted[rank] = table[items[rank].index];
    }
    return ranks;
}

} // namespace fas
