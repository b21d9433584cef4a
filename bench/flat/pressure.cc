// What the store does under load that lasts: questions beside writers, long ingest, an old snapshot, a steady rate, and
// batches that are small.
#include <algorithm>
#include <numeric>
#include <thread>

#include "../host.hh"
#include "parts.hh"

namespace bench::flat {
namespace {

using Clock = std::chrono::steady_clock;

std::string calls_of(const Written &written) {
    double p50 = written.call_ms(0.5), p99 = written.call_ms(0.99);
    return "p50 " + fixed(p50, 2) + " ms, p99 " + fixed(p99, 2) + " ms (" + ratio(p99, p50) + " times), slowest " +
           fixed(written.call_ms(1), 1) + " ms, of " + std::to_string(written.calls.size()) + " calls";
}

std::string megabytes(double bytes) { return fixed(bytes / 1e6, 0) + " MB"; }

bool long_enough(const Options &options, double seconds, double wanted, bool &full) {
    if (free_disk(options) < options.free_disk)
        full = true;
    return seconds >= wanted || full;
}

double mean_of(const std::vector<double> &values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(std::max<size_t>(1, values.size()));
}

std::string early(bool full, double seconds) {
    return full ? " **Ended after " + fixed(seconds, 0) + " s, because the disk was nearly full.**" : "";
}

// The calls of those seconds in which the machine's host left its processors alone.
std::string undisturbed(const Written &written, const std::vector<ProcessorTime> &seconds) {
    constexpr double little = 0.02;
    Written quiet;
    std::vector<bool> is_quiet;
    for (size_t i = 1; i < seconds.size(); ++i)
        is_quiet.push_back(stolen_share(seconds[i - 1], seconds[i]) < little);
    for (const Call &call : written.calls)
        if (auto second = static_cast<size_t>(call.at); second < is_quiet.size() && is_quiet[second])
            quiet.calls.push_back(call);
    auto count = std::count(is_quiet.begin(), is_quiet.end(), true);
    return ".\n\nIn the " + std::to_string(count) + " seconds in which that was less than " + fixed(100 * little, 0) +
           "%: " + (quiet.calls.empty() ? "no call" : calls_of(quiet));
}

// Looks at the store every so often while it is written.
struct Sample {
    double at;
    Size size;
};

} // namespace

std::string measure_writers(const Options &options) {
    say("Q1 while four writers ingest");
    Connection control(options.conninfo);
    make_store(control);
    Feed feed({});
    std::atomic<uint64_t> next{0};
    write(options, {.feed = feed, .next = next, .connections = 4, .upto = feed.batches_of(options.base)});
    Asker asker(options, feed.hours_before(next), 7);
    Asked quiet = asker.ask_times(300), busy;
    double seconds = std::min(60.0, options.seconds);
    std::atomic<bool> done{false};
    std::thread reader([&] {
        while (!done)
            asker.ask(busy);
    });
    Written written =
        write(options,
              {.feed = feed, .next = next, .connections = 4, .goes_on = [&](double spent) { return spent < seconds; }});
    done = true;
    reader.join();
    return "## Q1 while four writers ingest\n\n" + fixed(static_cast<double>(options.base) / 1e6, 1) +
           " million flows stored; four connections ingest batches of 1,000 at full speed for " + fixed(seconds, 0) +
           " s, another one asks Q1 for random hours.\n\n| | Q1 p50, ms | p99, ms | slowest, ms | answers |\n"
           "|---|--:|--:|--:|--:|\n| quiet | " +
           fixed(quiet.median(), 2) + " | " + fixed(quiet.percentile_of(0.99), 2) + " | " +
           fixed(quiet.percentile_of(1), 1) + " | " + std::to_string(quiet.ms.size()) + " |\n| four writers | " +
           fixed(busy.median(), 2) + " | " + fixed(busy.percentile_of(0.99), 2) + " | " +
           fixed(busy.percentile_of(1), 1) + " | " + std::to_string(busy.ms.size()) + " |\n\np99 with writers is " +
           ratio(busy.percentile_of(0.99), quiet.median()) + " times the quiet median. The slowest hundredth takes " +
           busy.slowest_hundredth() + " for a processor (backend and client; of all answers " +
           fixed(mean_of(busy.queued_ms), 2) + " of " + fixed(mean_of(busy.ms), 2) + " ms); quiet " +
           quiet.slowest_hundredth() + ". Ingest meanwhile: " + fixed(written.rate(), 0) + " thousand flows/s; " +
           calls_of(written) + ".\n\n";
}

std::string measure_calls(const Options &options) {
    say("one connection for long");
    Connection control(options.conninfo);
    make_store(control);
    Feed feed({});
    std::atomic<uint64_t> next{0};
    bool full = false;
    std::vector<ProcessorTime> seconds; // at the beginning of each
    Written written = write(options, {.feed = feed, .next = next, .goes_on = [&](double spent) {
                                          while (spent >= static_cast<double>(seconds.size()))
                                              seconds.push_back(processor_time());
                                          return !long_enough(options, spent, options.seconds, full);
                                      }});
    double tenth = written.seconds / 10;
    std::string text = "## One connection for " + fixed(written.seconds, 0) + " s\n\n" + fixed(written.flows / 1e6, 0) +
                       " million flows in batches of 1,000: " + fixed(written.rate(), 0) + " thousand flows/s; " +
                       calls_of(written) + "." + early(full, written.seconds) +
                       "\n\nThousand flows/s in each tenth of the time:";
    for (int i = 0; i < 10; ++i)
        text += " " + fixed(written.rate_between(i * tenth, (i + 1) * tenth), 0);
    text += ".\n\nProcessor time that the machine's host gave to others, in each tenth, %:";
    for (size_t i = 0; i < 10 && seconds.size() > 10; ++i)
        text += " " + fixed(100 * stolen_share(seconds[i * (seconds.size() - 1) / 10],
                                               seconds[(i + 1) * (seconds.size() - 1) / 10]),
                            0);
    text += undisturbed(written, seconds);
    Size size = size_of(control);
    return text + ".\n\nIn the end " + fixed(size.total / size.flows, 1) + " bytes/flow on disk, " +
           fixed(size.live / size.flows, 2) + " of them live; " + fixed(size.segments, 0) + " segments, " +
           fixed(size.level0, 0) + " of level 0.\n\n";
}

std::string measure_snapshot(const Options &options) {
    say("an old snapshot under full ingest");
    Connection control(options.conninfo), holder(options.conninfo);
    make_store(control);
    Feed feed({});
    std::atomic<uint64_t> next{0};
    write(options, {.feed = feed, .next = next, .connections = 4, .upto = feed.batches_of(options.sizes.front())});
    Size before = size_of(control);
    holder.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM flow_segments");
    double wal = wal_position(control);
    bool full = false;
    std::atomic<bool> done{false};
    Asked first, last;
    auto start = Clock::now();
    std::thread reader([&] { // hours of the last day, which moves on
        while (!done) {
            double at = seconds_since(start);
            std::vector<uint32_t> hours = feed.hours_before(next);
            hours.erase(hours.begin(), hours.end() - std::min<std::ptrdiff_t>(24, std::ssize(hours)));
            Asker asker(options, hours, static_cast<uint64_t>(at * 1000));
            Asked dropped;
            asker.ask(dropped); // a new session's first
            for (int i = 0; i < 5; ++i)
                asker.ask(at < options.seconds / 10 ? first : at > options.seconds * 0.9 || full ? last : dropped);
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
    });
    Written written = write(options, {.feed = feed, .next = next, .connections = 4, .goes_on = [&](double seconds) {
                                          return !long_enough(options, seconds, options.seconds, full);
                                      }});
    done = true;
    reader.join();
    Size after = size_of(control);
    double ten = written.seconds / 10, begin = written.rate_between(0, ten);
    double end = written.rate_between(written.seconds - ten, written.seconds);
    wal = wal_position(control) - wal;
    holder.run("COMMIT");
    auto vacuum = Clock::now();
    control.run("VACUUM flow_segments");
    double vacuumed = seconds_since(vacuum);
    return "## A REPEATABLE READ snapshot held for " + fixed(written.seconds, 0) + " s under full ingest\n\n" +
           "Four connections ingest batches of 1,000 (" + fixed(written.flows / 1e6, 0) +
           " million flows) while another session's snapshot is open; a fifth asks Q1 for hours of the last day." +
           early(full, written.seconds) +
           "\n\n| | first tenth | last tenth | last to first |\n|---|--:|--:|--:|\n| ingest, thousand flows/s | " +
           fixed(begin, 0) + " | " + fixed(end, 0) + " | takes " + ratio(begin, end) + " times as long |\n| Q1, ms | " +
           fixed(first.median(), 2) + " | " + fixed(last.median(), 2) + " | " + ratio(last.median(), first.median()) +
           " |\n\nCalls: " + calls_of(written) + ". What grows: the table from " + megabytes(before.total) + " to " +
           megabytes(after.total) + ", of which " + megabytes(after.live) +
           " are live; rows that can't be removed yet: " + fixed(after.dead_rows, 0) + ", " + fixed(after.segments, 0) +
           " live ones; WAL " + fixed(wal / written.flows, 1) +
           " bytes/flow. VACUUM after the snapshot's end: " + fixed(vacuumed, 1) + " s.\n\n";
}

std::string measure_steady(const Options &options) {
    say("half the highest rate, with autovacuum");
    Connection control(options.conninfo);
    Feed feed({});
    make_store(control);
    std::atomic<uint64_t> next{0};
    double probe = std::min(20.0, options.seconds);
    double highest = 1000 * write(options, {.feed = feed,
                                            .next = next,
                                            .connections = 4,
                                            .goes_on = [&](double seconds) { return seconds < probe; }})
                                .rate();
    make_store(control);
    next = 0;
    bool full = false;
    std::vector<Sample> samples;
    std::atomic<bool> done{false};
    auto start = Clock::now();
    std::thread watcher([&] {
        double every = std::min(5.0, options.seconds / 20);
        while (!done) {
            if (seconds_since(start) >= every * static_cast<double>(samples.size() + 1))
                samples.push_back({seconds_since(start), size_of(control)});
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    });
    Written written = write(
        options, {.feed = feed, .next = next, .connections = 4, .pace = highest / 2, .goes_on = [&](double seconds) {
                      return !long_enough(options, seconds, options.seconds, full);
                  }});
    done = true;
    watcher.join();
    Sample peak = samples.at(0), worst = samples.at(0);
    double least = 1e300, most = 0, least_free = 1e300, most_free = 0;
    std::string course, free_course;
    for (size_t i = 0; i < samples.size(); ++i) {
        const Size &size = samples[i].size;
        double times = size.total / size.live;
        if (size.total > peak.size.total)
            peak = samples[i];
        if (times > worst.size.total / worst.size.live)
            worst = samples[i];
        if (samples[i].at >= written.seconds / 2) {
            least = std::min(least, times);
            most = std::max(most, times);
            least_free = std::min(least_free, size.total - size.live);
            most_free = std::max(most_free, size.total - size.live);
        }
        if (i % std::max<size_t>(1, samples.size() / 10) == 0) {
            course += " " + fixed(times, 2);
            free_course += " " + fixed((size.total - size.live) / 1e6, 0);
        }
    }
    const Size &end = samples.back().size;
    return "## Half the highest rate for " + fixed(written.seconds, 0) + " s, with autovacuum\n\nFour connections, " +
           fixed(highest / 1000, 0) + " thousand flows/s at most, here " + fixed(written.rate(), 0) + " (" +
           fixed(written.flows / 1e6, 0) + " million flows)." + early(full, written.seconds) + " In the end " +
           megabytes(end.total) + " on disk, " + megabytes(end.live) + " live: " + ratio(end.total, end.live) +
           " times. Over the second half between " + fixed(least, 2) + " and " + fixed(most, 2) +
           " times; in the course of time:" + course +
           ". What is not live, MB, over the second half: " + fixed(least_free / 1e6, 0) + " to " +
           fixed(most_free / 1e6, 0) + "; in the course of time:" + free_course +
           ". Largest: " + megabytes(peak.size.total) + " after " + fixed(peak.at, 0) + " s; worst ratio " +
           ratio(worst.size.total, worst.size.live) + " after " + fixed(worst.at, 0) +
           " s. Calls: " + calls_of(written) + ".\n\n";
}

namespace {

constexpr const char *into_plain =
    "INSERT INTO plain (hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) SELECT hour, src_app, dest_app, vpc_id, "
    "bytes_tx, bytes_rx FROM json_to_recordset($1::json) AS f(src_app text, dest_app text, vpc_id text, bytes_tx "
    "bigint, "
    "bytes_rx bigint, hour int)";

std::string small_batches(const Options &options, uint32_t batch, size_t connections) {
    Connection control(options.conninfo);
    make_store(control);
    control.run(
        "DROP TABLE IF EXISTS plain; CREATE TABLE plain (hour int NOT NULL, src_app text NOT NULL, dest_app text "
        "NOT NULL, vpc_id text NOT NULL, bytes_tx bigint NOT NULL, bytes_rx bigint NOT NULL);"
        "CREATE INDEX ON plain (hour)");
    Feed feed({.day_flows = 100'000, .batch = batch});
    std::atomic<uint64_t> next_fas{0}, next_plain{0};
    Written fas, plain;
    double round = std::min(5.0, options.seconds / 20);
    for (int i = 0; i < 4; ++i) {
        auto goes_on = [&](double seconds) { return seconds < round; };
        fas += write(options, {.feed = feed, .next = next_fas, .connections = connections, .goes_on = goes_on});
        plain += write(options, {.feed = feed,
                                 .next = next_plain,
                                 .connections = connections,
                                 .statement = into_plain,
                                 .goes_on = goes_on});
    }
    control.run("DROP TABLE plain");
    return "| " + std::to_string(batch) + " | " + std::to_string(connections) + " | " + fixed(fas.rate(), 1) + " | " +
           fixed(plain.rate(), 1) + " | " + ratio(fas.rate(), plain.rate()) + " | " + fixed(fas.call_ms(0.5), 2) +
           " / " + fixed(fas.call_ms(0.99), 2) + " / " + fixed(fas.call_ms(1), 1) + " | " +
           fixed(plain.call_ms(0.5), 2) + " / " + fixed(plain.call_ms(0.99), 2) + " / " + fixed(plain.call_ms(1), 1) +
           " |\n";
}

} // namespace

std::string measure_small(const Options &options) {
    say("small batches");
    std::string text =
        "## Small batches\n\nfas and a plain table with an index on (hour), in turns.\n\n| flows a batch | "
        "connections | fas, thousand flows/s | plain table | ratio | fas, p50 / p99 / max, ms | plain "
        "table |\n|--:|--:|--:|--:|--:|--:|--:|\n";
    for (uint32_t batch : {10u, 100u})
        for (size_t connections : {1u, 4u})
            text += small_batches(options, batch, connections);
    return text + "\n";
}

} // namespace bench::flat
