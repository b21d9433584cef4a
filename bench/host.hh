// What the machine itself was doing while something was measured.
#pragma once

namespace bench {

// Processor time since the machine came up, over all cores, in ticks.
struct ProcessorTime {
    double all = 0;
    double stolen = 0; // a virtual machine's: it was ready to run, and its host ran another
};

ProcessorTime processor_time(); // of /proc/stat; zeros where there is none

// Which share of the processor time between the two was stolen: 0 to 1.
double stolen_share(const ProcessorTime &from, const ProcessorTime &to);

// Seconds that a process of one thread has been ready to run so far while others had the processors; 0 where the kernel
// does not tell.
double queued_seconds(int process);
double queued_seconds_of_this_thread();

} // namespace bench
