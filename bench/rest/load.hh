// What the load client was told to do, and what it found. Owned by main; writers and readers of load.cc share one Run.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace bench {

struct LoadOptions {
    int port = 9527;
    int writers = 64;
    int readers = 4;
    int batch = 100;
    int seconds = 30;
    int hours = 24;
    int patience = 60;  // seconds that a batch is retried for
    bool keys = false;  // each batch has an Idempotency-Key
    bool retry = false; // what failed is sent again with its key, until it is acknowledged
    std::string path = "/flows";
    std::string name = "load"; // the vpc_id of every flow, and the beginning of each batch key
    std::string token;         // a JWT
    std::string ledger;        // a file for the acknowledged sums: hour, flows, bytes_tx, bytes_rx
    uint64_t seed = 1;
};

struct Sums {
    uint64_t flows = 0, bytes_tx = 0, bytes_rx = 0;

    Sums &operator+=(const Sums &other) {
        flows += other.flows;
        bytes_tx += other.bytes_tx;
        bytes_rx += other.bytes_rx;
        return *this;
    }
};

// What one client saw. `statuses` counts answers by HTTP status, 0 stands for no answer at all.
struct Findings {
    std::vector<Sums> acknowledged; // by hour
    std::map<int, uint64_t> statuses;
    std::vector<float> milliseconds; // of each answer with status 200
    uint64_t batches = 0, repeated = 0, abandoned = 0, no_retry_after = 0;
    double longest_wait = 0;                  // seconds from the first try of a batch to its acknowledgement
    std::map<std::string, uint64_t> wrong;    // what was not as it must be, and how often
    std::map<std::string, uint64_t> troubles; // answers other than 200, shortened

    void add(const Findings &other);
};

struct Run {
    LoadOptions options;
    std::atomic<uint64_t> sent{0};         // flows in batches that were sent at least once
    std::atomic<uint64_t> acknowledged{0}; // flows in batches that were acknowledged
    std::atomic<bool> over{false};
    std::mutex mutex; // guards the findings
    Findings writers, readers;
};

} // namespace bench
