// One container of a bitmap that is being gathered (gather.hh): members that have all but their low 16 bits in
// common, in memory of the caller's choice.
//
// A container is lazy: members are appended to an array without looking whether they are there already, and settle()
// puts that right when the array is full or somebody asks. No cardinality is kept. An array grows to 2048 members at
// most, for when it doubles, a bitset of 8 KB is no larger; up to four lie in the container itself.
//
// Owner: whoever holds the memory resource. A container is plain data: it has no destructor, and release() gives its
// memory back.
#pragma once

#include <cstdint>
#include <memory_resource>

#include "view.hh"

namespace fas {

struct Run {
    uint16_t first, last; // both are members
};

// How a further bitmap's members count: what is in either, or what is in an odd number of bitmaps.
enum class Gathering : uint8_t { unite, toggle };

struct ContainerForm { // what a settled container is when written
    ContainerKind kind;
    uint32_t cardinality;
    uint32_t runs;
    size_t size() const noexcept; // bytes
};

struct GatheredContainer {
    static constexpr uint32_t members_here = 4;         // in the container itself
    static constexpr uint32_t most_members = 2048;      // of an array that grows
    static constexpr uint32_t most_kept_members = 4096; // as they came, or what an intersection has left of them
    static constexpr uint32_t most_runs = 256;          // to be united or toggled; more are bits then
    static constexpr uint32_t most_kept_runs = 1024;    // as they came, or what an intersection has left of them
    static constexpr uint32_t word_count = 1024;

    union {
        uint16_t here[members_here] = {};
        uint16_t *elsewhere; // members, when capacity is more than members_here
        uint64_t *words;
        Run *runs;
    };
    uint16_t count = 0;  // of members, also those that are not settled, or of runs
    uint16_t sorted = 0; // so many members of the array are settled: ascending, without repetition
    uint16_t capacity = members_here;
    ContainerKind kind = ContainerKind::array;

    uint16_t *members() noexcept { return capacity > members_here ? elsewhere : here; }
    const uint16_t *members() const noexcept { return capacity > members_here ? elsewhere : here; }
};
static_assert(sizeof(GatheredContainer) == 16);

// What can be done with containers; holds where their memory comes from and how members count.
class ContainerRoom {
  public:
    ContainerRoom(std::pmr::memory_resource &memory, Gathering gathering) : memory_(&memory), gathering_(gathering) {}

    void add(GatheredContainer &to, uint16_t low);
    void add(GatheredContainer &to, const uint64_t *members, uint32_t count); // their low halves
    void gather(GatheredContainer &to, const ContainerView &from);            // unites or toggles
    bool intersect(GatheredContainer &with, const ContainerView &from); // `with` is settled; false when nothing is left
    void settle(GatheredContainer &container) const;                    // afterwards an array is sorted
    void release(GatheredContainer &container) noexcept;
    bool shrink(GatheredContainer &container); // to what its members need, which it settles; false when it has none

    Gathering gathering() const noexcept { return gathering_; }
    void set_gathering(Gathering gathering) noexcept { gathering_ = gathering; }
    std::pmr::memory_resource &memory() const noexcept { return *memory_; }

  private:
    void gather_array(GatheredContainer &to, Bytes members);
    void gather_bitset(GatheredContainer &to, Bytes words);
    void gather_runs(GatheredContainer &to, Bytes runs);
    void sweep_with(GatheredContainer &to, const Run *runs, uint32_t count);
    void append(GatheredContainer &to, Bytes members);
    bool merge(GatheredContainer &to, Bytes members);
    void become_merged(GatheredContainer &to, const uint16_t *members, uint32_t count);
    bool reserve(GatheredContainer &to, uint32_t more); // false when an array has no room for so many members
    void become_bitset(GatheredContainer &container);
    void become_runs(GatheredContainer &container, const Run *runs, uint32_t count, uint32_t kept = 0);
    void become_members(GatheredContainer &container, const uint16_t *members, uint32_t count);
    void filter_array(GatheredContainer &with, const ContainerView &from) const;

    std::pmr::memory_resource *memory_;
    Gathering gathering_;
};

// Of a settled container.
ContainerForm form_of(const GatheredContainer &container) noexcept;
uint64_t cardinality_of(const GatheredContainer &container) noexcept;
void write(const GatheredContainer &container, const ContainerForm &form, uint8_t *out) noexcept; // form.size() bytes

} // namespace fas
