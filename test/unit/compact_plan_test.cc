// What ingests merge, and when: src/pg/compact_plan.cc, on a model of the store in which one connection ingests.
#include "pg/compact_plan.hh"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace fas::pg {
namespace {

struct Segment {
    int64_t id;
    int level;
    int64_t flows;
};

// As merge_after_ingest() does it; every merge writes one segment.
class Model {
  public:
    void ingest(int64_t flows) {
        ++calls;
        ingested += flows;
        int64_t id = store(level_of_ingest(flows, false), flows);
        Search search = search_due(id, flows);
        for (int level = 0; search.level < 0 && level < 3; ++level)
            if (debt_[level] > 0)
                search = search_for_debt(level, debt_[level]);
        if (search.level >= 0)
            merge(id, search);
        size_t small = 0;
        for (const Segment &segment : segments_)
            small += segment.level < 2 ? 1 : 0;
        most_small = std::max(most_small, small);
    }

    int64_t calls = 0, ingested = 0, rewritten = 0, largest_merge = 0;
    int64_t merges[3] = {}, merged[3] = {}; // by level searched: how many, and the flows in them
    size_t most_small = 0;                  // segments below level 2

  private:
    int64_t store(int level, int64_t flows) {
        segments_.push_back({++last_id_, level, flows});
        return last_id_;
    }

    void merge(int64_t id, const Search &search) {
        std::vector<Candidate> found;
        for (const Segment &segment : segments_)
            if (segment.id > id - search.window && segment.id <= id && segment.level == search.level &&
                segment.flows < search.below && found.size() < 2 * max_ingest_rows)
                found.push_back({segment.id, segment.flows});
        size_t chosen = choose_candidates(search, found);
        bool goes_on = chosen > 0 && is_worth_another(search, std::span(found).subspan(chosen));
        debt_[search.level] = debt_after(debt_[search.level], search, goes_on);
        if (chosen == 0)
            return;
        int64_t flows = 0;
        for (size_t i = 0; i < chosen; ++i) {
            flows += found[i].flows;
            std::erase_if(segments_, [&](const Segment &segment) { return segment.id == found[i].id; });
        }
        ++merges[search.level];
        merged[search.level] += flows;
        rewritten += flows;
        largest_merge = std::max(largest_merge, flows);
        store(level_of_merge(search.level, flows), flows);
    }

    std::vector<Segment> segments_;
    int64_t debt_[3] = {};
    int64_t last_id_ = 0;
};

Model after(int64_t calls, int64_t flows) {
    Model model;
    for (int64_t i = 0; i < calls; ++i)
        model.ingest(flows);
    return model;
}

TEST(CompactPlan, MergesStayBoundedWhateverTheBatches) {
    for (int64_t flows :
         {1, 10, 63, 64, 100, 256, 257, 500, 512, 513, 1000, 1023, 1024, 1025, 1500, 2047, 2048, 5000}) {
        Model model = after(20'000, flows);
        EXPECT_LE(model.largest_merge, max_ingest_merge) << flows;
        EXPECT_LE(model.rewritten, 2 * model.ingested) << flows;
        EXPECT_LE(model.most_small, max_ingest_rows + 64 + 8) << flows;
    }
}

// Agents send batches of any size, so the stride that an id is held against changes from call to call.
TEST(CompactPlan, MergesStayBoundedWhenBatchesDiffer) {
    std::mt19937 random(1);
    for (int most_bits : {4, 8, 10, 12, 14, 17}) {
        Model model;
        for (int i = 0; i < 50'000; ++i)
            model.ingest(1 +
                         static_cast<int64_t>(random() % (1u << (1 + random() % static_cast<unsigned>(most_bits)))));
        EXPECT_LE(model.largest_merge, max_ingest_merge) << most_bits;
        EXPECT_LE(model.rewritten, 3 * model.ingested) << most_bits;
        EXPECT_LE(model.most_small, 4 * max_ingest_rows) << most_bits;
    }
}

// The calls that merge are fewer than the one in a hundred that a 99th percentile leaves out.
TEST(CompactPlan, MergesOfSmallBatchesAreRare) {
    for (int64_t flows : {1, 10, 32, 100, 256, 500, 512, 513, 1000, 1023, 1024, 1500, 2047}) {
        Model model = after(20'000, flows);
        EXPECT_GT(model.merges[0], 0) << flows;
        EXPECT_LE((model.merges[0] + model.merges[1] + model.merges[2]) * 1000, 9 * model.calls) << flows;
        EXPECT_GE(model.merged[0], model.ingested - max_ingest_rows * flows) << flows; // nothing was left behind
    }
    Model usual = after(50'000, 1000);
    EXPECT_LE((usual.merges[0] + usual.merges[1] + usual.merges[2]) * 1000, 6 * usual.calls);
}

// What is worth a segment of level 2 as it is, is not written twice to become one.
TEST(CompactPlan, BatchesOfSomeHundredFlowsAreRewrittenOnce) {
    for (int64_t flows : {400, 512, 1000, 1024, 2047}) {
        Model model = after(20'000, flows);
        EXPECT_LE(model.rewritten, model.ingested) << flows;
        EXPECT_GE(model.merged[0] / model.merges[0], 1 << 16) << flows;
    }
}

// Smaller ones pass level 1, and merges to level 2 take a good part of what they may.
TEST(CompactPlan, SmallerBatchesPassLevel1) {
    for (int64_t flows : {10, 32, 100, 256}) {
        Model model = after(100'000, flows);
        EXPECT_GT(model.merges[1], 0) << flows;
        EXPECT_GE(model.merged[1] / model.merges[1], 1 << 16) << flows;
        EXPECT_LE(model.ingested - model.merged[1], max_ingest_merge + max_ingest_rows * flows) << flows;
    }
}

TEST(CompactPlan, EveryLevelIsSearchedWhateverTheBatches) {
    for (int64_t flows : {1, 100, 1000, 2047, 2048, 100'000}) {
        int64_t due[3] = {};
        for (int64_t id = 1; id <= 100'000; ++id)
            if (Search search = search_due(id, flows); search.level >= 0)
                ++due[search.level];
        EXPECT_GE(due[0], 500) << flows;
        EXPECT_GE(due[1], 8) << flows;
        EXPECT_GE(due[2], 8) << flows;
    }
}

} // namespace
} // namespace fas::pg
