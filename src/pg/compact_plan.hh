// Which segments to merge: decisions from the columns of flow_segments alone, without PostgreSQL.
//
// Levels: 0 as ingested, 1 and 2 merged by ingests, 3 sealed by flows_compact(). Sizes double as levels: what is large
// enough skips the lower ones, so no ingest ever merges more than max_ingest_merge flows. Flows of batches of some
// hundred or more go from level 0 to 2 at once, and are rewritten once (once more while their hour has few) before
// flows_compact() seals them; those of smaller batches, and of batches that are large enough for level 1 as they come,
// pass level 1. Where merges are large beside the batches they are due in fewer than one call in a hundred.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fas::pg {

inline constexpr int sealed_level = 3;
inline constexpr int64_t max_ingest_merge = 1 << 18; // flows that one ingest call merges at most
inline constexpr size_t max_ingest_rows = 192;       // segments, likewise
inline constexpr int64_t own_hour_flows = 1 << 14;   // an hour with so many flows gets segments of its own
inline constexpr int64_t cut_flows = 1 << 10;        // hours far from each other lie in segments of so many at least
inline constexpr int64_t small_segment_flows = 1 << 16;

// An ingest of so many flows parts them by hour itself (SegmentBuilder::take), to its end; fewer become one segment.
inline constexpr int64_t parted_ingest_flows = 1 << 17;

// A segment of this many flows, just ingested, or merged by an ingest, has this level. `has_own_hour`: all that its
// ingest has of an hour, and enough to be left alone.
int level_of_ingest(int64_t flows, bool has_own_hour);
int level_of_merge(int level, int64_t flows);

// A search for segments of one level that an ingest does.
struct Search {
    int level;           // -1: no merge is due
    int64_t window;      // ids to look back
    int64_t below;       // only segments with fewer flows
    int64_t most_flows;  // in one merge
    size_t least_rows;   // a merge of fewer gains nothing ...
    int64_t least_flows; // ... unless they hold so many flows
};

// Whether the ingest that drew `id` for a segment of `flows` flows is to merge, and what. Every K-th id is due; K is
// smaller for larger batches, so that no merge brings more than max_ingest_merge flows together.
Search search_due(int64_t id, int64_t flows);

struct Candidate {
    int64_t id;
    int64_t flows;
};

// How many of `candidates` (ascending by id) to merge, from the first; 0 when it gains nothing.
size_t choose_candidates(const Search &search, std::span<const Candidate> candidates);
// Whether what is left deserves another merge at once.
bool is_worth_another(const Search &search, std::span<const Candidate> left);

// *Debt*: what a search found and its merge did not take is left to the calls that follow and have no merge due
// themselves; as the ids to look back, 0 for none. A search that looks back less far does not settle a larger debt.
int64_t debt_after(int64_t debt, const Search &search, bool goes_on);
Search search_for_debt(int level, int64_t debt);

struct SegmentInfo {
    int64_t id;
    int32_t level;
    int32_t hour_min, hour_max;
    int64_t flows;
    bool is_sealed() const noexcept { return level >= sealed_level; }
    bool has_one_hour() const noexcept { return hour_min == hour_max; }
};

// From how many flows on an hour has segments of its own, where segments hold at most `max_flows`.
int64_t own_hour_threshold(int64_t max_flows);

// flows_compact()'s view of the store: what is there, and which groups of segments to merge next. *Mixed* segments, of
// several hours or of an hour with few flows, are merged and parted by hour; larger ones of one hour are merged with
// each other. Every merge leaves fewer unsealed flows, or fewer mixed segments, or fewer segments, so rounds come to an
// end; then another call finds nothing to do.
class CompactionPlan {
  public:
    explicit CompactionPlan(int64_t max_flows) : max_flows_(max_flows) {}

    void add(const SegmentInfo &segment) { segments_.push_back(segment); }
    void remove(std::span<const int64_t> ids); // merged away, or out of reach for this call

    // The groups of the next round, as ids; disjoint. None: nothing is left to gain.
    std::vector<std::vector<int64_t>> round() const;
    // Once no round is left: segments of one hour that need no merge, only their level.
    std::vector<int64_t> to_seal() const;

  private:
    bool is_mixed(const SegmentInfo &segment) const noexcept;
    void close_group(std::vector<SegmentInfo> &group, std::vector<std::vector<int64_t>> &out) const;
    std::vector<SegmentInfo> segments_;
    int64_t max_flows_;
};

} // namespace fas::pg
