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

double stolen_share(const ProcessorTime &from, const ProcessorTime &to) {
    return to.all > from.all ? (to.stolen - from.stolen) / (to.all - from.all) : 0;
}

} // namespace bench
