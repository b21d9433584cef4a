// See overlay.hh.
#include "overlay.hh"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "interrupt.hh"

namespace fas {

namespace {

constexpr uint32_t not_looked_up = 0xffffffff;
constexpr uint32_t no_such_name = 0xfffffffe; // no segment has so many

// From the name ids of a roll-up to those of a segment, each looked up when it first comes.
class NameMap {
  public:
    NameMap(const Rollup &rollup, SegmentReader &segment, size_t text, bool few)
        : from_(rollup.names(text)), ids_(from_.size(), not_looked_up), segment_(segment), text_(text), few_(few) {}

    uint32_t operator[](uint32_t id) {
        if (ids_[id] == not_looked_up)
            ids_[id] = look_up(from_[id]);
        return ids_[id];
    }

  private:
    uint32_t look_up(std::string_view name) {
        if (few_) {
            const Range found = segment_.find_name(text_, name);
            return found.size() != 0 ? found.begin : no_such_name;
        }
        const auto names = segment_.names(text_);
        const auto at = std::lower_bound(names.begin(), names.end(), name);
        return at != names.end() && *at == name ? static_cast<uint32_t>(at - names.begin()) : no_such_name;
    }

    std::span<const std::string_view> from_;
    std::vector<uint32_t> ids_;
    SegmentReader &segment_;
    size_t text_;
    bool few_;
};

} // namespace

Overlay::Overlay(const Rollup &rollup)
    : rollup_(rollup), by_hour_(rollup.groups().size()), taken_(rollup.groups().size()) {
    const std::span<const Group> groups = rollup.groups();
    const auto hour_of = [&](uint32_t group) { return groups[group].hour; };
    std::iota(by_hour_.begin(), by_hour_.end(), 0);
    poll();
    if (!std::ranges::is_sorted(by_hour_, {}, hour_of))
        std::ranges::sort(by_hour_, {}, hour_of);
}

std::vector<Overlay::Candidate> Overlay::candidates(SegmentReader &segment, bool few) const {
    std::vector<Candidate> out;
    const std::span<const Group> groups = rollup_.groups();
    static_assert(text_dimension_count == 3, "a map for each");
    std::array<NameMap, text_dimension_count> maps = {
        NameMap(rollup_, segment, 0, few), NameMap(rollup_, segment, 1, few), NameMap(rollup_, segment, 2, few)};
    auto at = std::ranges::lower_bound(by_hour_, segment.header().hour_min, {},
                                       [&](uint32_t group) { return groups[group].hour; });
    for (; at != by_hour_.end() && groups[*at].hour <= segment.header().hour_max; ++at) {
        const Group &group = groups[*at];
        Candidate candidate{group.hour, {}, *at};
        bool known = true;
        for (size_t t = 0; t < text_dimension_count && known; ++t) {
            candidate.ids[t] = maps[t][group.name_ids[t]];
            known = candidate.ids[t] != no_such_name;
        }
        if (known)
            out.push_back(candidate);
    }
    poll();
    std::ranges::sort(out, {}, [](const Candidate &c) { return std::tie(c.hour, c.ids); });
    return out;
}

const Totals &Overlay::take(uint32_t group) {
    taken_[group] = true;
    return rollup_.groups()[group].totals;
}

std::vector<Group> Overlay::rest() const {
    std::vector<Group> out;
    for (uint32_t group = 0; group < taken_.size(); ++group)
        if (!taken_[group])
            out.push_back(rollup_.groups()[group]);
    return out;
}

} // namespace fas
