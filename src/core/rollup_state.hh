// What a roll-up holds: for rollup.cc and rollup_serial.cc alone.
#pragma once

#include <vector>

#include "intern.hh"
#include "rollup.hh"

namespace fas {

// Groups, found by their dimensions. A dimension that is not grouped is 0.
//
// The hash table is made when something is first looked up: the groups of a single segment, all of them new, need none,
// and one segment is what many queries read.
class GroupTable {
  public:
    using Ids = std::array<uint32_t, text_dimension_count>;

    Totals &find_or_add(uint32_t hour, const Ids &ids) {
        if (table_.count() != groups_.size())
            index_all();
        bool added = false;
        uint32_t number = table_.find_or_add(
            hash(hour, ids), [&](uint32_t n) { return groups_[n].hour == hour && groups_[n].name_ids == ids; }, added);
        if (added)
            groups_.push_back({hour, ids, {}});
        return groups_[number].totals;
    }

    // A group that is known to be new.
    void append(uint32_t hour, const Ids &ids, const Totals &totals) { groups_.push_back({hour, ids, totals}); }
    void expect(size_t groups) { groups_.reserve(groups); }

    std::span<const Group> groups() const noexcept { return groups_; }
    size_t memory() const noexcept { return groups_.capacity() * sizeof(Group) + table_.memory(); }

  private:
    static_assert(text_dimension_count == 3, "the hash below takes the hour and three ids");
    static uint64_t hash(uint32_t hour, const Ids &ids) noexcept {
        uint64_t h = hash_mix(hash_seed() ^ (uint64_t{hour} << 32 | ids[0]), 0x9e3779b97f4a7c15);
        return hash_mix(h ^ (uint64_t{ids[1]} << 32 | ids[2]), 0xbf58476d1ce4e5b9);
    }
    void index_all() {
        table_.expect(groups_.size() - table_.count());
        for (size_t g = table_.count(); g < groups_.size(); ++g) {
            bool added;
            table_.find_or_add(
                hash(groups_[g].hour, groups_[g].name_ids), [](uint32_t) { return false; }, added);
        }
    }

    NumberTable table_; // of the first table_.count() groups
    std::vector<Group> groups_;
};

struct Rollup::State {
    GroupBy group_by;
    Condition condition;
    RollupStats stats;
    std::array<NameTable, text_dimension_count> names;
    GroupTable groups;
};

} // namespace fas
