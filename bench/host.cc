// See host.hh.
#include "host.hh"

#include <fstream>
#include <string>

namespace bench {

ProcessorTime processor_time() {
    ProcessorTime time;
    std::ifstream file("/proc/stat");
    std::string label;
    file >> label; // "cpu", then: user nice system idle iowait irq softirq steal; guests' time is part of user
    constexpr int stolen_field = 7;
    double ticks = 0;
    for (int field = 0; field <= stolen_field && file >> ticks; ++field) {
        time.all += ticks;
        if (field == stolen_field)
            time.stolen = ticks;
    }
    return time;
}

namespace {

double queued_seconds_in(const std::string &path) { // nanoseconds on a processor, nanoseconds queued, slices
    std::ifstream file(path);
    double run = 0, queued = 0;
    file >> run >> queued;
    return queued / 1e9;
}

} // namespace

double queued_seconds(int process) { return queued_seconds_in("/proc/" + std::to_string(process) + "/schedstat"); }
double queued_seconds_of_this_thread() { return queued_seconds_in("/proc/thread-self/schedstat"); }

double stolen_share(const ProcessorTime &from, const ProcessorTime &to) {
    return to.all > from.all ? (to.stolen - from.stolen) / (to.all - from.all) : 0;
}

} // namespace bench
