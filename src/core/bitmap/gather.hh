// Gathers members and whole bitmaps of either width into one: what the bitmap aggregates have as their state.
//
// Bitmaps come as views (view.hh), so their containers go from the bytes where they lie straight into the
// gatherer's; no bitmap is built in between, and an intersection reads only the containers that it still has.
// Containers are lazy (container.hh); questions settle them first, which changes nothing that can be seen.
//
// Owner: all memory comes from the resource that the gatherer is given, and stays there: a gatherer has no destructor,
// because its resource is one that goes as a whole (a memory context of PostgreSQL).
#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "container.hh"
#include "view.hh"

namespace fas {

class BitmapGatherer {
  public:
    BitmapGatherer(std::pmr::memory_resource &memory, Gathering gathering) noexcept : room_(memory, gathering) {}
    BitmapGatherer(const BitmapGatherer &) = delete;
    BitmapGatherer &operator=(const BitmapGatherer &) = delete;

    // Members that come one by one are kept until many can be added together; take() is false when it is time.
    bool take(uint64_t member) noexcept {
        if (pending_count_ == pending_capacity_)
            return false;
        pending_[pending_count_++] = member;
        return true;
    }
    void add(uint64_t member) {
        if (!take(member))
            add_now(member);
    }
    void gather(BitmapView &from);
    void gather_range(BitmapView &from, uint64_t first, uint64_t last); // only members from first to last
    void intersect(BitmapView &with);
    // After toggling, and for a state that lives on: gives back what containers without members hold, now and then.
    void shed();
    // Whether intersect() would rather have all of so large a bitmap than slices of it.
    bool needs_all(uint64_t size) const noexcept { return count_ * slice_cost > size; }

    uint64_t cardinality();
    bool empty() const noexcept { return count_ == 0; } // of what intersect() has left

  private:
    friend class BitmapWriter;
    struct Entry {
        uint64_t key; // of the container: its members without their low 16 bits
        GatheredContainer container;
    };

    // Slices cost more than their bytes, so that many containers are cheaper when all is fetched at once.
    static constexpr uint64_t slice_cost = 16 * 1024;

    // So many members are kept at the most, and at the most a fourth of those that came: a set of few takes no more
    // room for that.
    static constexpr uint32_t least_pending = 16, most_pending = 1024;
    static constexpr uint32_t least_shed = 32;
    // With many containers each member is a wait for memory: these wait together.
    static constexpr uint32_t at_once = 64;

    void gather_part(uint64_t key, const ContainerView &from, uint16_t first, uint16_t last);
    void add_now(uint64_t member);
    void add_pending();
    void add_scattered(const uint64_t *members, uint32_t count);
    GatheredContainer &at(uint64_t key);
    GatheredContainer &append(uint64_t key);
    uint32_t *slot_of(uint64_t key) const noexcept;
    void index_all();
    void drop_index() noexcept;
    void settle();

    ContainerRoom room_;
    Entry *entries_ = nullptr;
    uint32_t count_ = 0, capacity_ = 0;
    uint32_t last_ = 0;         // the entry that was used last
    bool ascending_ = true;     // the entries' keys
    uint32_t *slots_ = nullptr; // a hash table of places in entries_, plus one; made when a search needs it
    uint32_t slot_count_ = 0;   // a power of two
    uint32_t pending_count_ = 0, pending_capacity_ = 0;
    uint64_t *pending_ = nullptr;   // members that are still to be added
    uint32_t shed_at_ = least_shed; // so many containers
    uint32_t came_ = 0;             // one by one, counted while the room for them grows
};

// Writes a gatherer's bitmap in the portable format. Each container takes its smallest form, so that equal sets become
// equal bytes. The gatherer must stay as it is while the writer lives.
class BitmapWriter {
  public:
    BitmapWriter(BitmapGatherer &from, BitmapWidth width);
    uint64_t size() const noexcept { return size_; }
    void write(uint8_t *out) const; // size() bytes

  private:
    struct Part {
        uint64_t key;
        const GatheredContainer *container;
        ContainerForm form;
    };
    struct Bucket {
        size_t begin, end; // of parts_
        bool has_runs;
        uint64_t header_size() const noexcept;
    };
    uint8_t *write_bucket(const Bucket &bucket, uint8_t *out) const;

    BitmapWidth width_;
    std::vector<Part> parts_; // those that have members
    std::vector<Bucket> buckets_;
    uint64_t size_ = 0;
};

} // namespace fas
