// The groups of some segments, which are added to the cells of others where they meet: what came late for an hour lies
// in a small segment, and almost everything of that hour in a large one, which need not go through a roll-up for that.
#pragma once

#include <vector>

#include "rollup.hh"
#include "segment.hh"

namespace fas {

class Overlay {
  public:
    using Ids = std::array<uint32_t, text_dimension_count>;

    // A roll-up by all four dimensions. It must outlive the overlay and nothing may be added to it meanwhile.
    explicit Overlay(const Rollup &rollup);

    // The groups whose hour and names a segment may have, in its own name ids and in the order of its cells.
    struct Candidate {
        uint32_t hour;
        Ids ids;
        uint32_t group; // for take()
    };
    // `few`: names are better looked up one by one than in all names of the segment.
    std::vector<Candidate> candidates(SegmentReader &segment, bool few) const;

    // The sums of a group, which belongs to somebody else from now on.
    const Totals &take(uint32_t group);
    std::vector<Group> rest() const; // what nobody took

  private:
    const Rollup &rollup_;
    std::vector<uint32_t> by_hour_; // numbers of groups
    std::vector<bool> taken_;
};

} // namespace fas
