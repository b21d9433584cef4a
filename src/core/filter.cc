// See filter.hh. Plain values; nothing is shared.
#include "filter.hh"

#include <algorithm>

namespace fas {

namespace {

template <class Value, class Wanted> bool compare(Comparison comparison, const Value &value, const Wanted &wanted) {
    if (comparison == Comparison::in || comparison == Comparison::not_in) {
        bool found = std::find(wanted.begin(), wanted.end(), value) != wanted.end();
        return found == (comparison == Comparison::in);
    }
    if (wanted.empty())
        return false;
    switch (comparison) {
    case Comparison::less:
        return value < wanted[0];
    case Comparison::less_equal:
        return value <= wanted[0];
    case Comparison::greater:
        return value > wanted[0];
    case Comparison::greater_equal:
        return value >= wanted[0];
    default:
        return false;
    }
}

bool any_leaf(const Condition &condition, bool text) noexcept {
    if (condition.kind == Condition::Kind::leaf)
        return (condition.dimension != Dimension::hour) == text;
    return std::any_of(condition.children.begin(), condition.children.end(),
                       [text](const Condition &child) { return any_leaf(child, text); });
}

constexpr HourRange no_hours = {1, 0};

// The bounds of one leaf on the hour. Bounds are kept within the valid hours, so that nothing can overflow.
HourRange leaf_bounds(const Condition &leaf) {
    HourRange range;
    if (leaf.dimension != Dimension::hour || leaf.comparison == Comparison::not_in)
        return range;
    if (leaf.hours.empty())
        return no_hours;
    int64_t bound = std::clamp<int64_t>(leaf.hours[0], -1, int64_t{max_hour} + 1);
    switch (leaf.comparison) {
    case Comparison::in: {
        bool any = false;
        for (int64_t hour : leaf.hours) {
            if (hour < 0 || hour > max_hour)
                continue;
            range.first = any ? std::min(range.first, hour) : hour;
            range.last = any ? std::max(range.last, hour) : hour;
            any = true;
        }
        return any ? range : no_hours;
    }
    case Comparison::less:
        range.last = std::min(range.last, bound - 1);
        break;
    case Comparison::less_equal:
        range.last = std::min(range.last, bound);
        break;
    case Comparison::greater:
        range.first = std::max(range.first, bound + 1);
        break;
    case Comparison::greater_equal:
        range.first = std::max(range.first, bound);
        break;
    default:
        return no_hours;
    }
    return range;
}

} // namespace

Condition Condition::nothing() {
    Condition out;
    out.kind = Kind::none;
    return out;
}

Condition Condition::conjunction(std::vector<Condition> children) {
    Condition out;
    out.kind = Kind::conjunction;
    out.children = std::move(children);
    return out;
}

Condition Condition::disjunction(std::vector<Condition> children) {
    Condition out;
    out.kind = Kind::disjunction;
    out.children = std::move(children);
    return out;
}

Condition Condition::hour_leaf(Comparison comparison, std::vector<int64_t> hours) {
    Condition out;
    out.kind = Kind::leaf;
    out.comparison = comparison;
    out.hours = std::move(hours);
    return out;
}

Condition Condition::name_leaf(Dimension dimension, Comparison comparison, std::vector<std::string> names) {
    Condition out;
    out.kind = Kind::leaf;
    out.dimension = dimension;
    out.comparison = comparison;
    out.names = std::move(names);
    return out;
}

bool Condition::matches(uint32_t hour, const std::array<std::string_view, text_dimension_count> &flow_names) const {
    auto child_matches = [&](const Condition &child) { return child.matches(hour, flow_names); };
    switch (kind) {
    case Kind::all:
        return true;
    case Kind::none:
        return false;
    case Kind::conjunction:
        return std::all_of(children.begin(), children.end(), child_matches);
    case Kind::disjunction:
        return std::any_of(children.begin(), children.end(), child_matches);
    case Kind::leaf:
        break;
    }
    if (dimension == Dimension::hour)
        return compare(comparison, int64_t{hour}, hours);
    std::string_view name = flow_names[text_index(dimension)];
    if (comparison == Comparison::prefix)
        return !names.empty() && name.starts_with(names[0]);
    if (comparison == Comparison::not_prefix)
        return !names.empty() && !name.starts_with(names[0]);
    return compare(comparison, name, names);
}

bool Condition::mentions_text() const noexcept { return any_leaf(*this, true); }
bool Condition::mentions_hour() const noexcept { return any_leaf(*this, false); }

HourRange hour_bounds(const Condition &condition) {
    switch (condition.kind) {
    case Condition::Kind::all:
        return {};
    case Condition::Kind::none:
        return no_hours;
    case Condition::Kind::leaf:
        return leaf_bounds(condition);
    case Condition::Kind::conjunction: {
        HourRange range;
        for (const Condition &child : condition.children) {
            HourRange bounds = hour_bounds(child);
            range.first = std::max(range.first, bounds.first);
            range.last = std::min(range.last, bounds.last);
        }
        return range.empty() ? no_hours : range;
    }
    case Condition::Kind::disjunction: {
        HourRange range = no_hours;
        for (const Condition &child : condition.children) {
            HourRange bounds = hour_bounds(child);
            if (bounds.empty())
                continue;
            range = range.empty() ? bounds
                                  : HourRange{std::min(range.first, bounds.first), std::max(range.last, bounds.last)};
        }
        return range;
    }
    }
    return no_hours;
}

} // namespace fas
