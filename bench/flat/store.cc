// See store.hh.
#include "store.hh"

#include <sys/statvfs.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "../host.hh"

namespace bench::flat {

using Clock = std::chrono::steady_clock;

double percentile_of(std::vector<double> values, double share) {
    if (values.empty())
        return 0;
    size_t at = std::min(values.size() - 1, static_cast<size_t>(std::ceil(share * static_cast<double>(values.size()))));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

double Written::call_ms(double share) const {
    std::vector<double> all;
    for (const Call &call : calls)
        all.push_back(call.ms);
    return percentile_of(std::move(all), share);
}

double Written::rate_between(double from, double to) const {
    double sum = 0;
    for (const Call &call : calls)
        if (call.at >= from && call.at < to)
            sum += call.flows;
    return sum / (to - from) / 1000;
}

Written &Written::operator+=(const Written &other) {
    for (Call call : other.calls) {
        call.at += seconds;
        calls.push_back(call);
    }
    seconds += other.seconds;
    flows += other.flows;
    return *this;
}

Written write(const Options &options, const Job &job) {
    Written written;
    std::mutex mutex;
    std::vector<std::unique_ptr<Connection>> connections;
    for (size_t i = 0; i < job.connections; ++i) {
        connections.push_back(std::make_unique<Connection>(options.conninfo));
        connections.back()->prepare_batch(job.statement);
    }
    std::atomic<uint64_t> sent{0};
    auto start = Clock::now();
    in_threads(job.connections, [&](size_t i) {
        std::vector<Call> calls;
        std::string json;
        while (!job.goes_on || job.goes_on(seconds_since(start))) {
            if (job.pace > 0) {
                double due = static_cast<double>(sent) / job.pace - seconds_since(start);
                if (due > 0)
                    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(due, 0.2)));
                if (due > 0.2)
                    continue; // look whether it goes on
            }
            uint64_t number = job.next++;
            if (number >= job.upto) {
                --job.next;
                break;
            }
            auto flows = static_cast<uint32_t>(job.feed.write(number, json));
            double ms = 1000 * connections[i]->time_batch(json);
            sent += flows;
            calls.push_back({seconds_since(start), ms, flows});
        }
        std::lock_guard lock(mutex);
        written.calls.insert(written.calls.end(), calls.begin(), calls.end());
    });
    written.seconds = seconds_since(start);
    written.flows = static_cast<double>(sent);
    std::sort(written.calls.begin(), written.calls.end(), [](const Call &a, const Call &b) { return a.at < b.at; });
    return written;
}

double Asked::median() const { return flat::percentile_of(ms, 0.5); }
double Asked::percentile_of(double share) const { return flat::percentile_of(ms, share); }
double Asked::us_per_row() const { return rows == 0 ? 0 : 1000 * median() / (rows / static_cast<double>(ms.size())); }

std::string Asked::slowest_hundredth() const {
    const double from = percentile_of(0.99);
    double all = 0, queued = 0, count = 0;
    for (size_t i = 0; i < ms.size(); ++i)
        if (ms[i] >= from) {
            all += ms[i];
            queued += queued_ms[i];
            ++count;
        }
    return count == 0 ? "-" : fixed(all / count, 2) + " ms, " + fixed(queued / count, 2) + " of them queued";
}

Asker::Asker(const Options &options, std::vector<uint32_t> hours, uint64_t seed)
    : connection_(options.conninfo), hours_(std::move(hours)), random_(seed) {
    if (hours_.empty())
        throw std::runtime_error("no hour is complete: store more flows");
}

std::string Asker::next_question() {
    uint32_t hour = hours_[random_.below(static_cast<uint32_t>(hours_.size()))];
    return "SELECT src_app, dest_app, vpc_id, bytes_tx, bytes_rx FROM flows_by_hour(" + std::to_string(hour) + ")";
}

void Asker::ask(Asked &asked) {
    const std::string question = next_question();
    const auto queued = [&] { return queued_seconds(connection_.process()) + queued_seconds_of_this_thread(); };
    const double before = queued();
    asked.ms.push_back(1000 * connection_.time_counting(question, asked.rows));
    asked.queued_ms.push_back(1000 * (queued() - before));
}

Asked Asker::ask_times(int count) {
    Asked warm, asked;
    for (int i = 0; i < 3; ++i)
        ask(warm);
    for (int i = 0; i < count; ++i)
        ask(asked);
    return asked;
}

namespace {

// The first number behind `key` in EXPLAIN's JSON: the plan's uppermost node's. 0 where there is none.
double first_number(const std::string &json, const std::string &key) {
    const size_t at = json.find(key);
    return at == std::string::npos ? 0 : std::strtod(json.c_str() + at + key.size(), nullptr);
}

} // namespace

Reads Asker::explain_times(int count) {
    Reads reads;
    for (int i = 0; i < count; ++i) {
        const std::string json = connection_.value("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + next_question());
        reads.segments += first_number(json, R"("Segments": "read )") / count;
        reads.blocks += first_number(json, R"("Shared Read Blocks": )") / count;
        // PostgreSQL 17 has another name for it.
        reads.ms +=
            (first_number(json, R"("I/O Read Time": )") + first_number(json, R"("Shared I/O Read Time": )")) / count;
    }
    return reads;
}

void make_store(Connection &connection) {
    connection.run("DROP EXTENSION IF EXISTS fas CASCADE; CREATE EXTENSION fas; CHECKPOINT");
}

void book_rewrites(Connection &connection) {
    connection.run(
        "DROP TABLE IF EXISTS public.rewrites;"
        "CREATE TABLE public.rewrites (flows bigint);"
        "CREATE OR REPLACE FUNCTION public.book_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO public.rewrites SELECT sum(flows) FROM gone; RETURN NULL; END $$;"
        "CREATE TRIGGER book_rewrite AFTER DELETE ON flow_segments REFERENCING OLD TABLE AS gone FOR EACH STATEMENT "
        "EXECUTE FUNCTION public.book_rewrite()");
}

Size size_of(Connection &connection) {
    Size size;
    size.total = connection.number("SELECT total_bytes FROM flows_stats()");
    size.live = connection.number("SELECT live_bytes FROM flows_stats()");
    size.flows = connection.number("SELECT coalesce(sum(flows), 0) FROM flow_segments");
    size.segments = connection.number("SELECT count(*) FROM flow_segments");
    size.level0 = connection.number("SELECT count(*) FROM flow_segments WHERE level = 0");
    size.dead_rows = connection.number("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'flow_segments'");
    return size;
}

double wal_position(Connection &connection) {
    return connection.number("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
}

double rewritten_flows(Connection &connection) {
    return connection.number("SELECT coalesce(sum(flows), 0) FROM public.rewrites");
}

double free_disk(const Options &options) {
    struct statvfs disk {};
    if (statvfs(options.data_directory.c_str(), &disk) != 0)
        return 1e300;
    return static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
}

void say(const std::string &text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

std::string fixed(double value, int decimals) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::string ratio(double value, double to) { return to > 0 ? fixed(value / to, 2) : "-"; }

} // namespace bench::flat
