// The workload that demo and benchmarks share: a made-up company's flows, drawn from a seed.
//
// Nothing here is random but the seed: the same seed and options give the same flows. What is modelled, because it
// decides how a flow store behaves: few flow keys carry most flows and a long tail shows up now and then; volume
// follows the day; some keys are born late (new talkers); byte counts have a heavy tail, and the two metrics of a flow
// and the flows of a key resemble each other; a share of flows arrives hours after its hour.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace workload {

struct Options {
    uint64_t seed = 1;
    uint64_t flows = 1'000'000;
    uint32_t hours = 24;
    uint32_t first_hour = 480'000; // hours since 1970: 2024-10-04 00:00 UTC
    uint32_t keys = 10'000;
    uint32_t apps = 0; // 0: keys * 3 / 10
    uint32_t vpcs = 20;
    double late = 0.05;         // share of flows that arrive late
    uint32_t late_hours = 3;    // by how many hours at most
    bool shuffle_hours = false; // hours arrive in random order instead of ascending
};

struct FlowKey {
    uint32_t src_app, dest_app, vpc_id;
};

struct Flow {
    uint32_t key;  // index into keys()
    uint32_t hour; // absolute
    uint64_t bytes_tx, bytes_rx;
    bool late;
};

// xoshiro256**, seeded by splitmix64.
class Random {
  public:
    explicit Random(uint64_t seed);
    uint64_t next();
    double uniform();               // [0, 1)
    uint32_t below(uint32_t bound); // [0, bound)
    double normal();                // mean 0, deviation 1

  private:
    uint64_t state_[4];
    double spare_ = 0;
    bool has_spare_ = false;
};

class Workload {
  public:
    explicit Workload(const Options &options);

    const std::vector<std::string> &apps() const { return apps_; }
    const std::vector<std::string> &vpcs() const { return vpcs_; }
    const std::vector<FlowKey> &keys() const { return keys_; }

    // The flows in order of arrival; false when all are out.
    bool next(Flow &flow);

  private:
    struct KeyProfile {
        double log_tx; // of the key's typical flow
        double log_rx;
        uint32_t birth; // first hour, relative, that the key may be seen in
    };
    void name_apps();
    void draw_keys();
    void build_alias_table(const std::vector<double> &weights);
    void plan_hours();
    uint32_t draw_key(uint32_t hour);

    Options options_;
    Random random_;
    std::vector<std::string> apps_, vpcs_;
    std::vector<FlowKey> keys_;
    std::vector<KeyProfile> profiles_;
    std::vector<double> alias_share_;
    std::vector<uint32_t> alias_other_;
    std::vector<uint32_t> hour_order_; // relative hours in order of arrival
    std::vector<uint64_t> hour_flows_; // flows that arrive while that hour is the current one
    size_t position_ = 0;              // in hour_order_
    uint64_t sent_in_hour_ = 0;
};

} // namespace workload
