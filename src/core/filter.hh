// Conditions on dimensions, as the foreign-data wrapper hands them down: a tree of AND and OR over leaves.
//
// NOT has been pushed into the leaves by whoever builds the tree (not_in, less <-> greater_equal, prefix <->
// not_prefix), and SQL's NULLs have been resolved there too (a leaf that compares with NULL is Kind::none), so that
// two-valued logic is right here. Texts compare bytewise (collation "C").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flow.hh"

namespace fas {

enum class Comparison : uint8_t { in, not_in, less, less_equal, greater, greater_equal, prefix, not_prefix };

struct Condition {
    enum class Kind : uint8_t { all, none, conjunction, disjunction, leaf };

    Kind kind = Kind::all;
    std::vector<Condition> children; // of a conjunction or disjunction

    // Of a leaf. `in` and `not_in` take any number of values, the others exactly one. Hours may be any 64-bit number
    // (an SQL bigint may be compared with an hour); prefix and not_prefix are for texts only.
    Dimension dimension = Dimension::hour;
    Comparison comparison = Comparison::in;
    std::vector<int64_t> hours;
    std::vector<std::string> names;

    static Condition everything() { return {}; }
    static Condition nothing();
    static Condition conjunction(std::vector<Condition> children);
    static Condition disjunction(std::vector<Condition> children);
    static Condition hour_leaf(Comparison comparison, std::vector<int64_t> hours);
    static Condition name_leaf(Dimension dimension, Comparison comparison, std::vector<std::string> names);

    // Whether a flow with this hour and these names meets the condition: the definition that every quicker way
    // (select.hh) must agree with. Used by tests and by small loops.
    bool matches(uint32_t hour, const std::array<std::string_view, text_dimension_count> &names) const;

    bool mentions_text() const noexcept; // a leaf below here is on a text dimension
    bool mentions_hour() const noexcept;
};

// The smallest range of hours, both ends included, outside of which nothing can match; empty when first > last.
// This is what prunes segments.
struct HourRange {
    int64_t first = 0;
    int64_t last = max_hour;
    bool empty() const noexcept { return first > last; }
};
HourRange hour_bounds(const Condition &condition);

} // namespace fas
