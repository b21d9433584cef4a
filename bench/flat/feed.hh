// An endless supply of JSON batches that costs its sender next to nothing: one day of the workload is drawn and written
// as JSON once; each later day is the same text with other hours.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "../workload.hh"

namespace bench::flat {

struct FeedOptions {
    uint64_t day_flows = 1'000'000;
    uint32_t batch = 1000;
    uint32_t keys = 10'000;
    uint32_t shuffled_days = 0; // the hours of so many days come in random order; 0: ascending, for ever
    uint64_t seed = 1;
};

// Only read once it is made: any number of threads may share it.
class Feed {
  public:
    explicit Feed(const FeedOptions &options);

    // Batch `number` as JSON, the flows of one hour and its stragglers; returns how many flows it has.
    size_t write(uint64_t number, std::string &json) const;
    // The same as lines of CSV.
    std::string csv(uint64_t number) const;
    uint64_t batches_of(uint64_t flows) const; // about so many flows
    // Hours all of whose flows but stragglers are in the batches before `number`.
    std::vector<uint32_t> hours_before(uint64_t number) const;

  private:
    struct Template {
        std::string json;
        std::vector<uint32_t> hours_at; // offsets of the flows' hours in it
    };
    struct Place {
        uint32_t slot;
        size_t batch;
    };
    void make_batches(const workload::Workload &names, uint32_t hour, const std::vector<workload::Flow> &flows);
    Place place_of(uint64_t number) const;
    uint32_t hour_of(uint32_t slot) const { return order_.empty() ? slot : order_[slot]; } // since the first

    FeedOptions options_;
    std::array<std::vector<Template>, 24> batches_;
    std::array<uint64_t, 25> batches_before_{}; // an hour of the day
    std::vector<uint32_t> order_;               // of hours, when shuffled
    std::vector<uint64_t> shuffled_before_;
};

} // namespace bench::flat
