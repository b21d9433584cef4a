// Hash tables of the builder and the merge: distinct names, and distinct small records, numbered as they come.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "bytes.hh"
#include "chunked.hh"

namespace fas {

// Hashes are seeded once for each process, so that nobody can prepare names that collide.
uint64_t hash_bytes(std::string_view bytes) noexcept;
extern const uint64_t process_hash_seed;
inline uint64_t hash_seed() noexcept { return process_hash_seed; }

inline uint64_t hash_mix(uint64_t a, uint64_t b) noexcept {
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Equality of strings, without a call for the short ones that names are.
inline bool same_bytes(std::string_view a, std::string_view b) noexcept {
    const size_t size = a.size();
    if (size != b.size())
        return false;
    const auto word = [](const char *from) {
        uint64_t value;
        std::memcpy(&value, from, sizeof(value));
        return value;
    };
    if (size < 8 || size > 64)
        return std::memcmp(a.data(), b.data(), size) == 0;
    for (size_t i = 0; i + 8 < size; i += 8)
        if (word(a.data() + i) != word(b.data() + i))
            return false;
    return word(a.data() + size - 8) == word(b.data() + size - 8);
}

// How many bytes two strings have in common from their beginning on.
inline size_t shared_prefix(std::string_view a, std::string_view b) noexcept {
    const size_t most = std::min(a.size(), b.size());
    size_t same = 0;
    for (; same + 8 <= most; same += 8) {
        const auto word = [same](std::string_view text) {
            return load<uint64_t>(reinterpret_cast<const uint8_t *>(text.data() + same));
        };
        if (const uint64_t difference = word(a) ^ word(b); difference != 0)
            return same + static_cast<size_t>(std::countr_zero(difference)) / 8;
    }
    while (same < most && a[same] == b[same])
        ++same;
    return same;
}

// Open addressing over numbers 0, 1, 2, ... given to items that the owner stores. Slots hold a number + 1 beside some
// bits of the hash, so that growing and most comparisons need not look at the items.
class NumberTable {
  public:
    // The number of the item with this hash that `equals(number)`, else `count()` as its new number.
    template <class Equals> uint32_t find_or_add(uint64_t hash, Equals equals, bool &added) {
        if ((size_t{count_} + 1) * 4 > slots_.size() * 3)
            grow(slots_.size() * 2);
        const size_t mask = slots_.size() - 1;
        const auto tag = static_cast<uint32_t>(hash >> 32);
        for (size_t at = tag & mask;; at = (at + 1) & mask) {
            Slot &slot = slots_[at];
            if (slot.number == 0) {
                slot = {++count_, tag};
                added = true;
                return count_ - 1;
            }
            if (slot.tag == tag && equals(slot.number - 1)) {
                added = false;
                return slot.number - 1;
            }
        }
    }
    void expect(size_t more) { // so many may be added soon: grow once
        if ((count_ + more) * 4 > slots_.size() * 3)
            grow(std::bit_ceil((count_ + more) * 4 / 3 + 1));
    }
    uint32_t count() const noexcept { return count_; }
    size_t memory() const noexcept { return slots_.capacity() * sizeof(Slot); }

  private:
    struct Slot {
        uint32_t number = 0;
        uint32_t tag = 0;
    };
    void grow(size_t slots);

    std::vector<Slot> slots_;
    uint32_t count_ = 0;
};

// Each name of a NameTable lies on a 4-byte boundary behind 4 bytes of room, which are its reader's to use: with a
// length word there, a name is a value of PostgreSQL's without being copied.
inline constexpr size_t name_room = 4;
inline char *room_before(std::string_view name) noexcept { return const_cast<char *>(name.data()) - name_room; }

// Distinct strings, copied into an arena, numbered in order of arrival.
class NameTable {
  public:
    uint32_t add(std::string_view name);
    // Makes an empty table one of `names`, which are distinct: they are not hashed until a further name comes.
    void adopt(std::span<const std::string_view> names);
    size_t size() const noexcept { return names_.size(); }
    std::string_view operator[](size_t id) const noexcept { return names_[id]; }
    std::span<const std::string_view> names() const noexcept { return names_; }
    size_t memory() const noexcept;

  private:
    std::string_view copy(std::string_view name);
    void index_all();

    NumberTable table_; // of the first table_.count() names
    std::vector<std::string_view> names_;
    std::vector<std::unique_ptr<char[]>> arena_; // blocks that double; long names have their own
    size_t arena_bytes_ = 0;
    char *free_ = nullptr;
    size_t free_bytes_ = 0;
};

// Distinct records of N 32-bit numbers.
template <size_t N> class RecordTable {
  public:
    using Record = std::array<uint32_t, N>;

    uint32_t add(const Record &record) {
        bool added = false;
        const uint32_t number = table_.find_or_add(
            hash(record), [&](uint32_t n) { return same(records_[n], record); }, added);
        if (added)
            records_.push(record);
        return number;
    }
    size_t size() const noexcept { return records_.size(); }
    const Record &operator[](size_t number) const noexcept { return records_[number]; }
    size_t memory() const noexcept { return table_.memory() + records_.memory(); }

  private:
    // Without a call: std::array's operator== goes through memcmp.
    static bool same(const Record &a, const Record &b) noexcept {
        uint32_t difference = 0;
        for (size_t i = 0; i < N; ++i)
            difference |= a[i] ^ b[i];
        return difference == 0;
    }
    static uint64_t hash(const Record &record) noexcept {
        uint64_t state = hash_seed();
        for (size_t i = 0; i < N; i += 2)
            state = hash_mix(state ^ record[i],
                             (i + 1 < N ? uint64_t{record[i + 1]} << 32 : 0) ^ 0x9e3779b97f4a7c15 ^ state >> 32);
        return state;
    }

    NumberTable table_;
    ChunkedVector<Record, 1024> records_;
};

// The rank of each name of the table (bytewise order), by its number; `sorted` becomes the names in that order.
std::vector<uint32_t> rank_names(const NameTable &table, std::vector<std::string_view> &sorted);

// Sorts `items` by the key `key_of(item)` < `keys`, stably, in time of items + keys. `scratch` is reused memory.
template <class T, class KeyOf>
void counting_sort(std::vector<T> &items, size_t keys, std::vector<T> &scratch, KeyOf key_of) {
    std::array<uint32_t, 256> few; // cleared as far as it is used; a small batch's keys need no memory of their own
    std::vector<uint32_t> many(keys < few.size() ? 0 : keys + 1);
    const std::span<uint32_t> starts(many.empty() ? few.data() : many.data(), keys + 1);
    if (many.empty())
        std::fill(starts.begin(), starts.end(), 0);
    for (const T &item : items)
        ++starts[key_of(item) + 1];
    for (size_t k = 1; k <= keys; ++k)
        starts[k] += starts[k - 1];
    scratch.resize(items.size());
    for (const T &item : items)
        scratch[starts[key_of(item)]++] = item;
    items.swap(scratch);
}

} // namespace fas
