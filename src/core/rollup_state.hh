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

    explicit GroupTable(bool spans = false) : with_spans_(spans) {}

    // Adds to the group of these dimensions. `span` is the hours of what is added.
    void add(uint32_t hour, const Ids &ids, const Totals &totals, HourSpan span) {
        const uint32_t number = find_or_add(hour, ids);
        groups_[number].totals.add(totals);
        if (with_spans_)
            spans_[number].add(span);
    }

    uint32_t find_or_add(uint32_t hour, const Ids &ids) {
        if (table_.count() != groups_.size())
            index_all();
        bool added = false;
        uint32_t number = table_.find_or_add(
            hash(hour, ids), [&](uint32_t n) { return groups_[n].hour == hour && groups_[n].name_ids == ids; }, added);
        if (added) {
            groups_.push_back({hour, ids, {}});
            if (with_spans_)
                spans_.emplace_back();
        }
        return number;
    }
    Totals &totals(uint32_t number) noexcept { return groups_[number].totals; }

    // A group that is known to be new.
    void append(uint32_t hour, const Ids &ids, const Totals &totals, HourSpan span) {
        groups_.push_back({hour, ids, totals});
        if (with_spans_)
            spans_.push_back(span);
    }
    void expect(size_t groups) {
        groups_.reserve(groups);
        if (with_spans_)
            spans_.reserve(groups);
    }

    bool with_spans() const noexcept { return with_spans_; }
    std::span<const Group> groups() const noexcept { return groups_; }
    std::span<const HourSpan> spans() const noexcept { return spans_; }
    size_t memory() const noexcept {
        return groups_.capacity() * sizeof(Group) + spans_.capacity() * sizeof(HourSpan) + table_.memory();
    }

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

    bool with_spans_;
    NumberTable table_; // of the first table_.count() groups
    std::vector<Group> groups_;
    std::vector<HourSpan> spans_; // of each group, with spans
};

struct Rollup::State {
    GroupBy group_by;
    Condition condition;
    RollupStats stats;
    std::array<NameTable, text_dimension_count> names;
    GroupTable groups;
    CellColumns columns; // scratch of add(), kept for its memory
};

} // namespace fas
