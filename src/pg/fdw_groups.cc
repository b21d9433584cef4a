// See fdw_groups.hh.
#include "fdw_groups.hh"

extern "C" {
#include "utils/memutils.h"
}

#include <algorithm>

#include "../core/intern.hh"
#include "../core/interrupt.hh"
#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

// What is left to roll up costs more than streaming saves unless it is few flows, but it is held in memory: streaming
// is for answers where that matters, too.
constexpr double few_of_streamed = 0.25;
constexpr double many_flows = 1 << 22;

// A segment in the hours of a query.
struct Candidate {
    SegmentRow row;
    int64_t first, last;
    double flows; // of these hours, as far as the row tells
    bool streamed = false;

    // Of choose_streamed(): so many end before this one begins, and the most flows that it and those before it allow.
    size_t before = 0;
    double best = 0;

    Candidate(const SegmentRow &of, HourRange hours)
        : row(of), first(std::max<int64_t>(of.hour_min, hours.first)), last(std::min<int64_t>(of.hour_max, hours.last)),
          flows(static_cast<double>(of.flows) * static_cast<double>(std::max<int64_t>(last - first + 1, 1)) /
                static_cast<double>(std::max<int64_t>(int64_t{of.hour_max} - of.hour_min + 1, 1))) {}
};

// Marks segments of which no two have an hour in common, so that they have as many flows as possible; returns how many
// these are. `from` is sorted by the last hour.
double choose_streamed(std::vector<Candidate> &from) {
    const auto best = [&from](size_t n) { return n == 0 ? 0 : from[n - 1].best; };
    for (size_t i = 0; i < from.size(); ++i) {
        const auto end = std::lower_bound(from.begin(), from.begin() + static_cast<ptrdiff_t>(i), from[i].first,
                                          [](const Candidate &c, int64_t hour) { return c.last < hour; });
        from[i].before = static_cast<size_t>(end - from.begin());
        from[i].best = std::max(best(i), best(from[i].before) + from[i].flows);
    }
    for (size_t n = from.size(); n > 0;) {
        Candidate &last = from[n - 1];
        last.streamed = last.best > best(n - 1);
        n = last.streamed ? last.before : n - 1;
    }
    return best(from.size());
}

} // namespace

uint64_t arrange_segments(SegmentList &segments, WantedGroups &wanted, HourRange hours) {
    GroupBy key;
    for (size_t t = 0; t < text_dimension_count; ++t)
        key.add(text_dimension(t));
    const bool by_key = (wanted.grouped.mask & key.mask) == key.mask;
    if (!by_key || (!wanted.grouped.has(Dimension::hour) && hours.first != hours.last))
        return segments.count;
    wanted.grouped.add(Dimension::hour);
    wanted.folded = {}; // a group has one hour and one name in each dimension
    wanted.spans = false;

    std::vector<Candidate> candidates;
    candidates.reserve(segments.count);
    double flows = 0;
    for (uint64_t i = 0; i < segments.count; ++i)
        flows += candidates.emplace_back(segments.rows[i], hours).flows;
    std::ranges::sort(candidates, {}, &Candidate::last);
    const double streamed = choose_streamed(candidates);
    if (flows - streamed > streamed * few_of_streamed && flows < many_flows)
        return segments.count;
    wanted.streams = true;
    const auto rolled = std::ranges::stable_partition(candidates, [](const Candidate &c) { return !c.streamed; });
    std::ranges::transform(candidates, segments.rows, &Candidate::row);
    return static_cast<uint64_t>(rolled.begin() - candidates.begin());
}

// ---------------------------------------------------------------- a roll-up

RolledGroups::RolledGroups(const WantedGroups &wanted, const Condition &condition)
    : wanted_(wanted),
      rollup_({static_cast<uint8_t>(wanted.grouped.mask | wanted.folded.mask)}, condition, wanted.spans) {}

uint64_t RolledGroups::add(ToastSource &source, uint64_t wanted) {
    SegmentReader reader(source, wanted);
    rollup_.add(reader);
    return reader.prefix_read();
}

// Within one roll-up equal names have equal ids, so ids decide which rows fall together.
bool RolledGroups::same_group(const Group &a, const Group &b) const {
    if (wanted_.grouped.has(Dimension::hour) && a.hour != b.hour)
        return false;
    for (size_t t = 0; t < text_dimension_count; ++t)
        if (wanted_.grouped.has(text_dimension(t)) && a.name_ids[t] != b.name_ids[t])
            return false;
    return true;
}

bool RolledGroups::before(const Group &a, const Group &b) const {
    if (wanted_.grouped.has(Dimension::hour) && a.hour != b.hour)
        return a.hour < b.hour;
    for (size_t t = 0; t < text_dimension_count; ++t)
        if (wanted_.grouped.has(text_dimension(t)) && a.name_ids[t] != b.name_ids[t])
            return a.name_ids[t] < b.name_ids[t];
    return false;
}

void RolledGroups::finish() {
    if (wanted_.folded.mask != 0)
        fold();
    else if (wanted_.streams && !rollup_.groups().empty())
        overlay_.emplace(rollup_);
}

void RolledGroups::leave_rest() {
    groups_ = overlay_ ? overlay_->rest() : std::vector<Group>();
    own_groups_ = true;
}

void RolledGroups::fold() {
    own_groups_ = true;
    std::span<const Group> from = rollup_.groups();
    std::span<const HourSpan> spans = rollup_.spans();
    std::vector<uint32_t> order(from.size());
    for (uint32_t i = 0; i < order.size(); ++i)
        order[i] = i;
    poll();
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return before(from[a], from[b]); });
    for (uint32_t i : order) {
        const Group &next = from[i];
        if (groups_.empty() || !same_group(groups_.back(), next)) {
            groups_.push_back(next);
            extremes_.push_back({next.name_ids, next.name_ids});
            if (wanted_.spans)
                spans_.push_back(spans[i]);
            continue;
        }
        groups_.back().totals.add(next.totals);
        if (wanted_.spans)
            spans_.back().add(spans[i]);
        NameExtremes &into = extremes_.back();
        for (size_t t = 0; t < text_dimension_count; ++t) {
            if (!wanted_.folded.has(text_dimension(t)))
                continue;
            std::span<const std::string_view> names = rollup_.names(t);
            if (names[next.name_ids[t]] < names[into.lowest[t]])
                into.lowest[t] = next.name_ids[t];
            if (names[into.highest[t]] < names[next.name_ids[t]])
                into.highest[t] = next.name_ids[t];
        }
    }
}

ReadyGroups RolledGroups::ready(MemoryContext context) {
    ReadyGroups out = {};
    out.count = own_groups_ ? groups_.size() : rollup_.groups().size();
    out.groups = own_groups_ ? groups_.data() : rollup_.groups().data();
    if (wanted_.spans)
        out.spans = own_groups_ ? spans_.data() : rollup_.spans().data();
    if (!extremes_.empty())
        out.extremes = extremes_.data();
    for (size_t t = 0; t < text_dimension_count; ++t) {
        std::span<const std::string_view> names = rollup_.names(t);
        auto *values =
            static_cast<Datum *>(MemoryContextAllocHuge(context, sizeof(Datum) * std::max<size_t>(names.size(), 1)));
        values[0] = 0; // of a dimension that is not grouped
        for (size_t id = 0; id < names.size(); ++id)
            values[id] = text_in_place(names[id]);
        out.names[t] = values;
    }
    return out;
}

// ---------------------------------------------------------------- cells as they lie

StreamedGroups::StreamedGroups(const SegmentRow &row, MemoryContext context, const Condition &condition,
                               uint64_t wanted, Overlay *overlay)
    : context_(context), source_(row.segment, context), reader_(source_, wanted), cells_(reader_, condition, overlay) {
    // That no other segment has these hours was judged by the rows of flow_segments.
    const SegmentHeader &header = reader_.header();
    if (int64_t{header.hour_min} < row.hour_min || int64_t{header.hour_max} > row.hour_max)
        throw_corrupted("A segment has hours that its row in flow_segments does not name.");
}

bool StreamedGroups::advance(ReadyGroups &ready) {
    if (!cells_.advance())
        return false;
    std::span<const Group> groups = cells_.groups();
    if (cells_.few())
        give_names(groups);
    else if (!named_)
        give_all_names();
    ready = {groups.size(), groups.data(), nullptr, nullptr, {}};
    for (size_t t = 0; t < text_dimension_count; ++t)
        ready.names[t] = names_[t].data();
    return true;
}

void StreamedGroups::give_all_names() {
    for (size_t t = 0; t < text_dimension_count; ++t) {
        std::span<const std::string_view> names = reader_.names(t);
        names_[t].resize(names.size());
        for (size_t id = 0; id < names.size(); ++id)
            names_[t][id] = text_in_place(names[id]);
    }
    named_ = true;
}

void StreamedGroups::give_names(std::span<const Group> groups) {
    for (size_t t = 0; t < text_dimension_count; ++t) {
        names_[t].resize(reader_.header().names[t]);
        for (const Group &group : groups) {
            Datum &value = names_[t][group.name_ids[t]];
            if (value == 0)
                value = make_text(reader_.name(t, group.name_ids[t]), context_);
        }
    }
}

} // namespace fas::pg
