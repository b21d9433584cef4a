// See compact_plan.hh.
#include "compact_plan.hh"

#include <algorithm>
#include <bit>
#include <cassert>
#include <tuple>
#include <unordered_set>

namespace fas::pg {

namespace {

constexpr int64_t level2_flows = 1 << 16; // a merge that brings so many together needs no level 1 before it
constexpr int64_t large_batch = 1 << 11;  // batches of so many flows have level 1 as they come
constexpr size_t max_group_rows = 512;    // a reader costs memory, whatever its segment's size

int64_t rounded_up(int64_t flows) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(flows))); }

// How many ids lie between two merges of a level; what merges write draws ids too.
//
// A merge is large beside the batches that it takes up, so what decides a call's tail is how many calls do one: fewer
// than one in a hundred, those of level 1 included. Hence as many batches are taken up as one merge may take; more
// would gain writers little, and a question opens up to so many more segments, at some 30 microseconds each where a
// batch has 1,000 flows.
constexpr auto level0_stride = static_cast<int64_t>(max_ingest_rows);
// Of batches above these flows so many would not fit one merge.
constexpr int64_t most_by_level0_stride = 1024, shorter_level0_stride = 128;
// So far apart, whoever draws the id looks for what others have left behind: batches differ, and so do their strides.
constexpr int64_t rare_stride = 64 * level0_stride;

// For small batches as many merges of level 0 as fill a merge of level 1, a power of two of them, so that every rare
// stride is one of these too.
int64_t level1_stride(int64_t flows) {
    if (flows >= large_batch)
        return 8; // a merge is not much larger than the batch
    const auto merges = static_cast<uint64_t>(max_ingest_merge / (level0_stride * rounded_up(flows)));
    return level0_stride * static_cast<int64_t>(std::bit_floor(std::clamp<uint64_t>(merges, 4, 64)));
}

int64_t level2_stride(int64_t flows) {
    return flows >= large_batch ? level0_stride : std::min(4 * level1_stride(flows), rare_stride);
}

// What a merge of level 1 brings together at most; and smaller segments than what it takes up, so that a few fit.
int64_t most_flows(int64_t flows) {
    return flows >= large_batch ? std::min(8 * rounded_up(flows), max_ingest_merge) : max_ingest_merge;
}
int64_t size_limit(int64_t most) { return most < max_ingest_merge ? most / 4 : parted_ingest_flows; }

// `flows`: of the batch whose ingest searches.
Search search_of_level(int level, int64_t window, int64_t flows) {
    switch (level) {
    case 0:
        return {0, window, large_batch, max_ingest_merge, 3, large_batch};
    case 1: {
        const int64_t most = most_flows(flows);
        return {1, window, size_limit(most), most, flows >= large_batch ? 4u : 8u, level2_flows};
    }
    default:
        return {2, window, cut_flows, max_ingest_merge, 8, own_hour_flows};
    }
}

} // namespace

int level_of_ingest(int64_t flows, bool has_own_hour) {
    return has_own_hour || flows >= parted_ingest_flows ? 2 : flows >= large_batch ? 1 : 0;
}

int level_of_merge(int level, int64_t flows) { return flows >= level2_flows ? 2 : std::min(level + 1, 2); }

// Windows reach back further than to the last due id: one that found its segments locked, or that was drawn in a
// transaction that only inserts or rolled back, is made up for by the next. Ids right behind one that is due often go
// to what that search's merge has written, so the levels' ids lie far from each other.
Search search_due(int64_t id, int64_t flows) {
    if (id % (flows <= most_by_level0_stride ? level0_stride : shorter_level0_stride) == 0)
        return search_of_level(0, 4 * level0_stride, flows);
    constexpr int64_t level1_offset = level0_stride / 2, level2_offset = level0_stride - 1;
    const int64_t second = level1_stride(flows), third = level2_stride(flows);
    if (id % rare_stride == level1_offset)
        return search_of_level(1, 4 * rare_stride, 1);
    if (id % second == level1_offset % second)
        return search_of_level(1, std::max<int64_t>(4 * second, 64), flows);
    if (id % rare_stride == level2_offset)
        return search_of_level(2, 4 * rare_stride, flows);
    if (id % third == level2_offset)
        return search_of_level(2, 4 * third, flows);
    return {-1, 0, 0, 0, 0, 0};
}

size_t choose_candidates(const Search &search, std::span<const Candidate> candidates) {
    size_t rows = 0;
    int64_t flows = 0;
    while (rows < candidates.size() && rows < max_ingest_rows && flows + candidates[rows].flows <= search.most_flows)
        flows += candidates[rows++].flows;
    bool is_worth_it = rows >= 2 && (rows >= search.least_rows || flows >= search.least_flows);
    return is_worth_it ? rows : 0;
}

bool is_worth_another(const Search &search, std::span<const Candidate> left) {
    return choose_candidates(search, left) > 0;
}

int64_t debt_after(int64_t debt, const Search &search, bool goes_on) {
    if (goes_on)
        return std::max(debt, search.window);
    return search.window >= debt ? 0 : debt;
}

Search search_for_debt(int level, int64_t debt) { return search_of_level(level, debt, 1); }

// An hour's own segments must fit in one of max_flows even when its flows come from a merge that is full.
int64_t own_hour_threshold(int64_t max_flows) { return std::clamp<int64_t>(max_flows / 2, 1, own_hour_flows); }

bool CompactionPlan::is_mixed(const SegmentInfo &segment) const noexcept {
    return !segment.has_one_hour() || segment.flows < own_hour_threshold(max_flows_);
}

void CompactionPlan::remove(std::span<const int64_t> ids) {
    std::unordered_set<int64_t> gone(ids.begin(), ids.end());
    std::erase_if(segments_, [&](const SegmentInfo &segment) { return gone.contains(segment.id); });
}

// A large sealed segment stays out of a group whose others are small beside it: to rewrite it for every few flows
// would make compaction's work grow with the store.
void CompactionPlan::close_group(std::vector<SegmentInfo> &group, std::vector<std::vector<int64_t>> &out) const {
    int64_t total = 0;
    for (const SegmentInfo &segment : group)
        total += segment.flows;
    while (!group.empty()) {
        auto largest = std::max_element(group.begin(), group.end(), [](const SegmentInfo &a, const SegmentInfo &b) {
            return std::tuple(a.is_sealed(), a.flows) < std::tuple(b.is_sealed(), b.flows);
        });
        if (!largest->is_sealed() || largest->flows <= std::max(4 * (total - largest->flows), small_segment_flows))
            break;
        total -= largest->flows;
        group.erase(largest);
    }
    bool must_part = group.size() == 1 && !group[0].is_sealed() && !group[0].has_one_hour();
    if (group.size() >= 2 || must_part) {
        std::vector<int64_t> &ids = out.emplace_back();
        for (const SegmentInfo &segment : group)
            ids.push_back(segment.id);
    }
    group.clear();
}

std::vector<std::vector<int64_t>> CompactionPlan::round() const {
    std::vector<SegmentInfo> sorted = segments_;
    // First what is mixed; then hour by hour, smallest first, so that small ones find each other.
    std::sort(sorted.begin(), sorted.end(), [this](const SegmentInfo &a, const SegmentInfo &b) {
        auto order = [this](const SegmentInfo &s) {
            bool mixed = is_mixed(s);
            return std::tuple(!mixed, s.hour_min, s.hour_max, mixed ? 0 : s.flows, s.id);
        };
        return order(a) < order(b);
    });
    std::vector<std::vector<int64_t>> groups;
    std::vector<SegmentInfo> group;
    int64_t total = 0;
    auto close = [&] {
        close_group(group, groups);
        total = 0;
    };
    for (const SegmentInfo &segment : sorted) {
        bool mixed = is_mixed(segment);
        if (segment.is_sealed() && mixed && segment.flows > max_flows_ / 2)
            continue; // full enough; and small ones on both sides of it may meet
        bool is_other_kind =
            !group.empty() && (is_mixed(group[0]) != mixed || (!mixed && group[0].hour_min != segment.hour_min));
        if (is_other_kind || total + segment.flows > max_flows_ || group.size() >= max_group_rows)
            close();
        group.push_back(segment);
        total += segment.flows;
    }
    close();
    return groups;
}

std::vector<int64_t> CompactionPlan::to_seal() const {
    std::vector<int64_t> ids;
    for (const SegmentInfo &segment : segments_)
        if (!segment.is_sealed())
            ids.push_back(segment.id);
    return ids;
}

} // namespace fas::pg
