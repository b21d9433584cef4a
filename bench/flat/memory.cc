// What a backend's memory comes to: resident, without what it shares (shared buffers, program text), looked at every
// millisecond while it works.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "parts.hh"

namespace bench::flat {
namespace {

double private_bytes(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/statm");
    double size = 0, resident = 0, shared = 0;
    file >> size >> resident >> shared;
    return (resident - shared) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// What the kernel has seen at most, less what is shared in the end: a peak that a look each millisecond may have
// missed.
double private_bytes_at_most(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/status");
    double highest = 0, shared = 0, kilobytes = 0;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string name;
        words >> name >> kilobytes;
        if (name == "VmHWM:")
            highest = kilobytes;
        else if (name == "RssFile:" || name == "RssShmem:")
            shared += kilobytes;
    }
    return 1024 * (highest - shared);
}

class Watch {
  public:
    explicit Watch(int process)
        : process_(process), thread_([this] {
              while (!done_) {
                  peak_ = std::max(peak_, private_bytes(process_));
                  std::this_thread::sleep_for(std::chrono::milliseconds(1));
              }
          }) {}
    ~Watch() { stop(); }
    double stop() {
        done_ = true;
        if (thread_.joinable()) {
            thread_.join();
            peak_ = std::max(peak_, private_bytes_at_most(process_));
        }
        return peak_;
    }

  private:
    const int process_;
    std::atomic<bool> done_{false};
    double peak_ = 0;
    std::thread thread_; // last: it uses the others
};

class Memory {
  public:
    Memory(const Options &options, const Feed &feed, std::atomic<uint64_t> &next)
        : options_(options), feed_(feed), next_(next) {}

    std::string measure() {
        watch("500 batches of 1,000", [&](Connection &connection) {
            connection.prepare_batch(ingest);
            std::string json;
            for (int i = 0; i < 500; ++i) {
                feed_.write(next_++, json);
                connection.time_batch(json);
            }
        });
        std::string large = large_batch();
        watch("one batch of 100,000: " + fixed(static_cast<double>(large.size()) / 1e6, 0) + " MB of JSON",
              [&](Connection &connection) {
                  connection.prepare_batch(ingest);
                  connection.time_batch(large);
              });
        copy();
        questions();
        watch("flows_check()", [](Connection &connection) { connection.run("SELECT * FROM flows_check()"); });
        watch("flows_compact()", [](Connection &connection) {
            while (connection.number("SELECT segments_read FROM flows_compact()") > 0)
                continue;
        });
        return text_ + "\n";
    }

  private:
    template <typename Work> void watch(const std::string &name, Work work) {
        Connection connection(options_.conninfo);
        connection.run("SELECT 1");
        double before = private_bytes(connection.process());
        Watch watch(connection.process());
        auto start = std::chrono::steady_clock::now();
        work(connection);
        double seconds = seconds_since(start), peak = watch.stop();
        say("  " + name + ": " + fixed(peak / 1e6, 1) + " MB");
        text_ += "| " + name + " | " + fixed(before / 1e6, 1) + " | " + fixed(peak / 1e6, 1) + " | " +
                 fixed(seconds, 2) + " |\n";
    }

    std::string large_batch() {
        std::string large, json;
        for (int i = 0; i < 100; ++i) {
            feed_.write(next_++, json);
            large += (large.empty() ? "[" : ",") + json.substr(1, json.size() - 2);
        }
        return large + "]";
    }

    void copy() {
        std::string path = options_.report + ".csv";
        {
            std::ofstream file(path);
            for (int i = 0; i < 1000; ++i)
                file << feed_.csv(next_++);
        }
        watch("COPY of a million flows", [&](Connection &connection) {
            connection.load_file(
                "COPY flows (src_app, dest_app, vpc_id, bytes_tx, bytes_rx, hour) FROM STDIN (FORMAT csv)", path);
        });
        std::filesystem::remove(path);
    }

    void questions() {
        std::vector<uint32_t> hours = feed_.hours_before(next_);
        std::string hour = std::to_string(hours[hours.size() / 2]), last = std::to_string(hours.back());
        std::string app = Connection(options_.conninfo)
                              .value("SELECT src_app FROM flows_by_hour(" + hour + ") ORDER BY bytes_tx DESC LIMIT 1");
        const std::pair<const char *, std::string> asked[] = {
            {"Q1", "SELECT * FROM flows_by_hour(" + hour + ")"},
            {"Q2", "SELECT * FROM flows_aggregate('{src_app,dest_app,vpc_id}', " + last + " - 23, " + last + ")"},
            {"Q3", "SELECT * FROM flows_aggregate('{dest_app}', src_app => ARRAY['" + app + "'])"},
            {"Q4", "SELECT * FROM flows_aggregate('{vpc_id}')"},
            {"Q5", "SELECT * FROM flows_aggregate('{hour}')"},
            {"Q6", "SELECT * FROM flows_new_keys(" + hour + ", " + hour + " - 1)"},
            {"Q7", "SELECT * FROM flows_new_keys(" + hour + ", " + hour + " - 24)"},
            {"all hours, by flow key", "SELECT * FROM flows_aggregate('{src_app,dest_app,vpc_id}')"},
            {"by hour and flow key, counted by PostgreSQL", "SELECT count(*) FROM (SELECT hour, src_app, dest_app, "
                                                            "vpc_id, sum(bytes_tx) AS b FROM flows GROUP BY 1, 2, 3, "
                                                            "4) s WHERE b >= 0"},
            {"every flow, one by one", "SELECT count(*) FROM flows WHERE bytes_tx >= bytes_rx"},
            {"flows_stats()", "SELECT * FROM flows_stats()"}};
        for (const auto &[name, sql] : asked)
            watch(name, [&sql](Connection &connection) { connection.run(sql); });
    }

    const Options &options_;
    const Feed &feed_;
    std::atomic<uint64_t> &next_;
    std::string text_ =
        "## Memory of a backend at the largest size\n\nPrivate memory, that is resident without shared "
        "buffers and program text, before and at its highest; a new backend for each line.\n\n| what it "
        "did | before, MB | peak, MB | seconds |\n|---|--:|--:|--:|\n";
};

} // namespace

std::string measure_memory(const Options &options, const Feed &feed, std::atomic<uint64_t> &next) {
    say("memory");
    return Memory(options, feed, next).measure();
}

} // namespace bench::flat
