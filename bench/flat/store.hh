// The store that is watched while flows come in: writers, questions, sizes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../client.hh"
#include "feed.hh"

namespace bench::flat {

struct Options {
    std::string conninfo, report, data_directory;
    std::vector<uint64_t> sizes = {1'000'000, 10'000'000, 100'000'000};
    uint64_t base = 10'000'000; // flows stored before it is put under pressure
    double seconds = 600;       // of each long part
    double free_disk = 10e9;    // less than that, and a long part ends early
    std::vector<std::string> parts;
    std::vector<std::string> about;
};

struct Call {
    double at; // seconds since the writers began
    double ms;
    uint32_t flows;
};

struct Written {
    std::vector<Call> calls; // by time
    double seconds = 0;
    double flows = 0;
    double rate() const { return flows / seconds / 1000; } // thousand flows/s, by the wall's clock
    double call_ms(double share) const;                    // percentile
    double rate_between(double from, double to) const;     // of the calls that ended then
    Written &operator+=(const Written &other);
};

constexpr const char *ingest = "SELECT flows_ingest($1::text)";

// Writes batches from `next` on by so many connections until `upto` is reached or `goes_on` says no; with a pace
// (flows/s over all of them) no faster than that.
struct Job {
    const Feed &feed;
    std::atomic<uint64_t> &next;
    size_t connections = 1;
    uint64_t upto = UINT64_MAX;
    double pace = 0;
    std::string statement = ingest;
    std::function<bool(double seconds)> goes_on = {};
};
Written write(const Options &options, const Job &job);

struct Asked {
    std::vector<double> ms;
    std::vector<double> queued_ms; // of each answer: what backend and client waited for a processor
    double rows = 0;               // of all answers
    double median() const;
    double percentile_of(double share) const;
    double us_per_row() const;
    std::string slowest_hundredth() const; // what it waited for
};

// Where answers come from, on average.
struct Reads {
    double segments = 0;
    double blocks = 0, ms = 0; // from outside shared_buffers
};

// Q1, one hour by flow key, for hours picked at random among `hours`.
class Asker {
  public:
    Asker(const Options &options, std::vector<uint32_t> hours, uint64_t seed);
    void ask(Asked &asked);
    Asked ask_times(int count);
    Reads explain_times(int count); // of other hours: those that ask_times() has asked for have been read

  private:
    std::string next_question();
    Connection connection_;
    std::vector<uint32_t> hours_;
    workload::Random random_;
};

struct Size {
    double total = 0, live = 0, flows = 0, segments = 0, level0 = 0, dead_rows = 0;
};

// A fresh, empty store.
void make_store(Connection &connection);
// Has a trigger book what merges read from now on. With it, merges take the longer way that triggers need.
void book_rewrites(Connection &connection);
Size size_of(Connection &connection);
double wal_position(Connection &connection);
double rewritten_flows(Connection &connection); // that merges have read since book_rewrites()
double free_disk(const Options &options);

double percentile_of(std::vector<double> values, double share); // 0 of none

void say(const std::string &text);
std::string fixed(double value, int decimals);
std::string ratio(double value, double to); // "1.07", or "-"

} // namespace bench::flat
