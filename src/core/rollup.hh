// Segments -> totals: exact sums and counts by any subset of the dimensions, under a condition. The one aggregate
// query engine: the wrapper's pushed-down aggregates and flow_rollup_agg stand on it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "filter.hh"
#include "segment.hh"
#include "select.hh"

namespace fas {

// A set of dimensions.
struct GroupBy {
    uint8_t mask = 0; // bit of static_cast<int>(Dimension)
    bool has(Dimension d) const noexcept { return (mask >> static_cast<int>(d)) & 1; }
    void add(Dimension d) noexcept { mask = static_cast<uint8_t>(mask | 1u << static_cast<int>(d)); }
    bool operator==(const GroupBy &) const = default;
};

struct RollupStats {
    uint64_t segments = 0;
    uint64_t cells = 0; // cells whose sums were read; 0 when hour directories or headers sufficed
    SelectStats select;
};

// One group. hour and name ids are meaningful only for grouped dimensions; ids index names(d) of the roll-up.
struct Group {
    uint32_t hour = 0;
    std::array<uint32_t, text_dimension_count> name_ids{};
    Totals totals;
};

// The first and the last hour that a group has flows in.
struct HourSpan {
    uint32_t first = max_hour;
    uint32_t last = 0;
    void add(uint32_t hour) noexcept { add(HourSpan{hour, hour}); }
    void add(HourSpan other) noexcept {
        first = std::min(first, other.first);
        last = std::max(last, other.last);
    }
};

class Rollup {
  public:
    // With `spans`, the hours that each group spans are kept too.
    explicit Rollup(GroupBy group_by, Condition condition = Condition::everything(), bool spans = false);
    ~Rollup();
    Rollup(Rollup &&) noexcept;
    Rollup &operator=(Rollup &&) noexcept;

    GroupBy group_by() const noexcept;
    void add(SegmentReader &segment);
    void add(const Rollup &other); // combine: same group_by, both with spans or none (else Error 22023)

    // Groups in no promised order. With an empty group_by there is at most one group (none when nothing matched).
    std::span<const Group> groups() const noexcept;
    std::span<const HourSpan> spans() const noexcept; // of each group; empty unless kept
    // The names that ids of `groups()` point to: dense 0..n-1; only of grouped text dimensions. Views live as long as
    // the roll-up and no add() happens; there is room before each (see intern.hh).
    std::span<const std::string_view> names(size_t text_index) const noexcept;

    const RollupStats &stats() const noexcept;
    size_t memory() const noexcept;

    // For parallel aggregation and user-built stores; spans do not travel. deserialize throws
    // invalid_binary_representation.
    std::vector<uint8_t> serialize() const;
    static Rollup deserialize(Bytes bytes);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace fas
