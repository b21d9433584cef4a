// Where the groups of a scan come from: a roll-up of several segments, or the cells of one as they lie.
//
// A query by hour and flow key takes the cells as they lie of segments whose hours do not overlap, as many as there
// are; the others are rolled up, and what they give is added to those cells, or given in the end. Any other query rolls
// up all of them.
//
// Both own what they give, hang on a memory context of the scan, and give names as text values: a name is made one once
// for a roll-up or segment, not for each row.
#pragma once

#include "postgres.hh"

#include <optional>
#include <vector>

#include "../core/cell_stream.hh"
#include "../core/rollup.hh"
#include "store.hh"
#include "toast_source.hh"

namespace fas::pg {

// Of the names that a group has in a dimension which the query does not group by.
struct NameExtremes {
    std::array<uint32_t, text_dimension_count> lowest, highest; // name ids
};

// Groups that lie ready. Spans and extremes, of each group, are null where they say nothing that the group does not.
struct ReadyGroups {
    uint64_t count;
    const Group *groups;
    const HourSpan *spans;
    const NameExtremes *extremes;
    const Datum *names[text_dimension_count]; // by name id
};

// What a scan groups by.
struct WantedGroups {
    GroupBy grouped; // what the query groups by
    GroupBy folded;  // texts that it wants the least or greatest of
    bool spans;      // the hours of each group are wanted
    bool streams;    // cells of some segments are groups as they lie
};

// Puts those segments first that are to be rolled up and returns how many they are; the others are to be streamed.
// `hours` are all that the query may find. A query by the texts in one hour becomes one by hour and flow key. In
// guarded().
uint64_t arrange_segments(SegmentList &segments, WantedGroups &wanted, HourRange hours);

// A roll-up. min() and max() of the hour are its spans. Those of a text dimension it does not know; so it groups by
// that dimension too, and what it gives is folded here.
class RolledGroups {
  public:
    RolledGroups(const WantedGroups &wanted, const Condition &condition);

    // In guarded(): adds a segment that is read through `source`; returns what was read of its beginning.
    uint64_t add(ToastSource &source, uint64_t wanted);
    // In guarded(), when all are added: what is folded, and what streamed segments will ask for.
    void finish();
    Overlay *overlay() { return overlay_ ? &*overlay_ : nullptr; } // of a query by hour and flow key
    void leave_rest();                                             // in guarded(): what streamed segments took is gone
    // Phase one or three: the names become values in `context`.
    ReadyGroups ready(MemoryContext context);

    uint64_t cells_read() const noexcept { return rollup_.stats().cells; }

  private:
    void fold();
    bool same_group(const Group &a, const Group &b) const;
    bool before(const Group &a, const Group &b) const;

    WantedGroups wanted_;
    Rollup rollup_;
    bool own_groups_ = false; // not the roll-up's
    std::vector<Group> groups_;
    std::vector<HourSpan> spans_;
    std::vector<NameExtremes> extremes_;
    std::optional<Overlay> overlay_;
};

// The cells of one segment, each of them a group by hour and flow key: no other segment that is streamed has its hours.
class StreamedGroups {
  public:
    // In make_in_context(): `context` is the segment's.
    StreamedGroups(const SegmentRow &row, MemoryContext context, const Condition &condition, uint64_t wanted,
                   Overlay *overlay);

    // In guarded(): decodes the next groups; false at the end.
    bool advance(ReadyGroups &ready);

    uint64_t cells_read() const noexcept { return cells_.cells_read(); }
    uint64_t bytes_read() const noexcept { return source_.bytes_read(); }
    uint64_t prefix_read() const noexcept { return reader_.prefix_read(); }

  private:
    void give_all_names();
    void give_names(std::span<const Group> groups);

    MemoryContext context_;
    ToastSource source_;
    SegmentReader reader_;
    CellStream cells_;
    bool named_ = false;                                         // all names have their values
    std::array<std::vector<Datum>, text_dimension_count> names_; // by name id; 0 where not made yet
};

} // namespace fas::pg
