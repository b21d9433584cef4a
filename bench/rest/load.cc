// The load client: many agents that post batches of flows over HTTP for some seconds, and readers beside them.
//
// It knows the exact sums of what was acknowledged and writes them to a ledger, so that whoever runs it can compare
// them with the store. The readers check while it runs: the totals that they are told never shrink, hold whole batches
// only, all that was acknowledged before they asked, and nothing that was not sent. With --retry a batch that failed is
// sent again under its key until it is acknowledged: PostgREST and PostgreSQL may then be killed meanwhile.
//
// Exits with 1 when anything was not as it must be. `load --help` lists the options.
#include "http.hh"
#include "load.hh"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void pause_for(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

struct Batch {
    std::string key, body;
    std::vector<Sums> sums; // by hour
};

Batch make_batch(const LoadOptions &options, int client, uint64_t number, std::mt19937_64 &random) {
    Batch batch;
    batch.key =
        options.name + "-" + std::to_string(options.seed) + "-" + std::to_string(client) + "-" + std::to_string(number);
    batch.sums.resize(static_cast<size_t>(options.hours));
    batch.body = "[";
    char flow[256];
    for (int i = 0; i < options.batch; ++i) {
        uint64_t dice = random();
        auto hour = static_cast<unsigned>(dice % static_cast<unsigned>(options.hours));
        auto from = static_cast<unsigned>((dice >> 8) % 100), to = static_cast<unsigned>((dice >> 16) % 30);
        uint64_t tx = (dice >> 24) % 1000000, rx = (dice >> 44) % 1000000;
        std::snprintf(
            flow, sizeof flow,
            "%s{\"src_app\": \"sender-%u\", \"dest_app\": \"receiver-%u\", \"vpc_id\": \"%s\", \"bytes_tx\": %" PRIu64
            ", \"bytes_rx\": %" PRIu64 ", \"hour\": %u}",
            i == 0 ? "" : ", ", from, to, options.name.c_str(), tx, rx, hour);
        batch.body += flow;
        batch.sums[hour] += {1, tx, rx};
    }
    batch.body += "]";
    return batch;
}

// The number after "name": in a JSON text, from `at` on; false when there is none.
bool next_number(const std::string &json, const char *name, size_t &at, uint64_t &number) {
    std::string member = std::string("\"") + name + "\":";
    at = json.find(member, at);
    if (at == std::string::npos)
        return false;
    at += member.size();
    number = std::strtoull(json.c_str() + at, nullptr, 10);
    return true;
}

std::string authorization(const LoadOptions &options) {
    return options.token.empty() ? "" : "Authorization: Bearer " + options.token + "\r\n";
}

void note_trouble(Findings &found, const HttpAnswer &answer) {
    ++found.troubles[std::to_string(answer.status) + " " + answer.body.substr(0, 150)];
    if (answer.status == 503 && answer.header("Retry-After").empty())
        ++found.no_retry_after;
}

class Writer {
  public:
    Writer(Run &run, int number)
        : run_(run), options_(run.options), number_(number),
          random_(options_.seed * 1000 + static_cast<uint64_t>(number)), http_(std::to_string(options_.port), 30) {
        found_.acknowledged.resize(static_cast<size_t>(options_.hours));
    }

    void work() {
        for (uint64_t n = 0; !run_.over; ++n)
            deliver(make_batch(options_, number_, n, random_));
        std::lock_guard lock(run_.mutex);
        run_.writers.add(found_);
    }

  private:
    void deliver(const Batch &batch) {
        run_.sent += static_cast<uint64_t>(options_.batch);
        auto start = Clock::now();
        ++found_.batches;
        for (int tries = 1; !post(batch, tries); ++tries) {
            if (!options_.retry || seconds_since(start) > options_.patience) {
                ++found_.abandoned;
                return;
            }
        }
        found_.longest_wait = std::max(found_.longest_wait, seconds_since(start));
        run_.acknowledged += static_cast<uint64_t>(options_.batch);
        for (size_t hour = 0; hour < batch.sums.size(); ++hour)
            found_.acknowledged[hour] += batch.sums[hour];
    }

    // Whether the batch was acknowledged.
    bool post(const Batch &batch, int tries) {
        std::string headers = "Content-Type: application/json\r\n" + authorization(options_);
        if (options_.keys)
            headers += "Idempotency-Key: " + batch.key + "\r\n";
        auto start = Clock::now();
        HttpAnswer answer;
        try {
            answer = http_.post(options_.path, headers, batch.body);
        } catch (const HttpTrouble &trouble) {
            ++found_.statuses[0];
            ++found_.troubles[trouble.what()];
            pause_for(0.05);
            return false;
        }
        ++found_.statuses[answer.status];
        if (answer.status != 200) {
            note_trouble(found_, answer);
            double asked = std::atof(answer.header("Retry-After").c_str());
            pause_for(std::clamp(asked, 0.05, 1.0));
            return false;
        }
        found_.milliseconds.push_back(static_cast<float>(seconds_since(start) * 1000));
        check_receipt(answer.body, tries);
        return true;
    }

    void check_receipt(const std::string &body, int tries) {
        uint64_t taken = 0;
        size_t at = 0;
        bool repeated = body.find("true") != std::string::npos;
        if (!next_number(body, "taken", at, taken) || taken != static_cast<uint64_t>(options_.batch))
            ++found_.wrong["a receipt for another number of flows: " + body.substr(0, 100)];
        if (repeated && tries == 1)
            ++found_.wrong["the first try was called a repetition"];
        found_.repeated += repeated ? 1 : 0;
    }

    Run &run_;
    const LoadOptions &options_;
    int number_;
    std::mt19937_64 random_;
    HttpClient http_;
    Findings found_;
};

class Reader {
  public:
    Reader(Run &run, int number)
        : run_(run), options_(run.options), random_(options_.seed * 1000 + 999983 + static_cast<uint64_t>(number)),
          http_(std::to_string(options_.port), 30), hour_sums_(static_cast<size_t>(options_.hours)) {}

    void work() {
        while (!run_.over) {
            ask_totals();
            ask_hour(random_() % hour_sums_.size());
        }
        std::lock_guard lock(run_.mutex);
        run_.readers.add(found_);
    }

  private:
    bool ask(const std::string &target, HttpAnswer &answer) {
        auto start = Clock::now();
        try {
            answer = http_.get(target, authorization(options_));
        } catch (const HttpTrouble &trouble) {
            ++found_.statuses[0];
            ++found_.troubles[trouble.what()];
            pause_for(0.05);
            return false;
        }
        ++found_.statuses[answer.status];
        if (answer.status != 200) {
            note_trouble(found_, answer);
            pause_for(0.05);
            return false;
        }
        found_.milliseconds.push_back(static_cast<float>(seconds_since(start) * 1000));
        if (answer.body.size() < 2 || answer.body.front() != '[' || answer.body.back() != ']')
            ++found_.wrong["an answer that is no array: " + answer.body.substr(0, 100)];
        return true;
    }

    void ask_totals() {
        uint64_t known = run_.acknowledged, flows = 0;
        HttpAnswer answer;
        if (!ask(options_.path + "?hour_from=0&hour_to=2147483647&group_by=vpc_id&vpc_id=" + options_.name, answer))
            return;
        uint64_t possible = run_.sent;
        size_t at = 0;
        next_number(answer.body, "flows", at, flows);
        if (flows < known || flows < last_flows_)
            ++found_.wrong["flows that were acknowledged, or seen before, were missing"];
        if (flows > possible)
            ++found_.wrong["more flows than were sent"];
        if (flows % static_cast<uint64_t>(options_.batch) != 0)
            ++found_.wrong["a part of a batch was visible"];
        last_flows_ = std::max(flows, last_flows_);
    }

    void ask_hour(size_t hour) {
        HttpAnswer answer;
        if (!ask(options_.path + "?hour=" + std::to_string(hour), answer))
            return;
        uint64_t sum = 0, bytes = 0;
        for (size_t at = 0; next_number(answer.body, "bytes_tx", at, bytes);)
            sum += bytes;
        if (sum < hour_sums_[hour])
            ++found_.wrong["the sum of an hour shrank"];
        hour_sums_[hour] = sum;
    }

    Run &run_;
    const LoadOptions &options_;
    std::mt19937_64 random_;
    HttpClient http_;
    Findings found_;
    std::vector<uint64_t> hour_sums_;
    uint64_t last_flows_ = 0;
};

double percentile(std::vector<float> &values, double part) {
    if (values.empty())
        return 0;
    auto at = std::min(values.size() - 1, static_cast<size_t>(part * static_cast<double>(values.size())));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

// How much was wrong. Where nothing is retried, nothing but 200 is right.
uint64_t report(const char *who, Findings &found, double seconds, bool retried) {
    auto &times = found.milliseconds;
    std::printf("%s: %zu answers with 200 in %.1f s (%.0f/s)", who, times.size(), seconds,
                static_cast<double>(times.size()) / seconds);
    std::printf(", p50 %.1f ms, p99 %.1f ms", percentile(times, 0.5), percentile(times, 0.99));
    std::printf(", slowest %.1f ms\n", percentile(times, 1));
    for (const auto &[status, count] : found.statuses)
        if (status != 200)
            std::printf("%s: %" PRIu64 " times %s %d\n", who, count, status == 0 ? "no answer," : "status", status);
    for (const auto &[what, count] : found.troubles)
        std::printf("%s: %" PRIu64 " times: %s\n", who, count, what.c_str());
    if (found.no_retry_after > 0)
        std::printf("%s: %" PRIu64 " answers 503 without Retry-After\n", who, found.no_retry_after);
    uint64_t wrong = found.abandoned + found.no_retry_after;
    for (const auto &[status, count] : found.statuses)
        wrong += status != 200 && !retried ? count : 0;
    for (const auto &[what, count] : found.wrong) {
        std::printf("%s: WRONG, %" PRIu64 " times: %s\n", who, count, what.c_str());
        wrong += count;
    }
    return wrong;
}

bool write_ledger(const LoadOptions &options, const Findings &found) {
    if (options.ledger.empty())
        return true;
    std::FILE *file = std::fopen(options.ledger.c_str(), "w");
    if (file == nullptr)
        return false;
    for (size_t hour = 0; hour < found.acknowledged.size(); ++hour) {
        const Sums &sums = found.acknowledged[hour];
        if (sums.flows > 0)
            std::fprintf(file, "%zu|%" PRIu64 "|%" PRIu64 "|%" PRIu64 "\n", hour, sums.bytes_tx, sums.bytes_rx,
                         sums.flows);
    }
    return std::fclose(file) == 0;
}

void usage() {
    std::puts("load --port N [--writers N] [--readers N] [--batch N] [--seconds N] [--hours N] [--keys] [--retry]\n"
              "     [--patience SECONDS] [--path /flows] [--name VPC] [--token JWT] [--ledger FILE] [--seed N]\n"
              "Posts batches of flows for some seconds; see the head of load.cc. --retry implies --keys.");
}

bool parse(int count, char **arguments, LoadOptions &options) {
    std::map<std::string, int *> numbers = {{"--port", &options.port},        {"--writers", &options.writers},
                                            {"--readers", &options.readers},  {"--batch", &options.batch},
                                            {"--seconds", &options.seconds},  {"--hours", &options.hours},
                                            {"--patience", &options.patience}};
    std::map<std::string, std::string *> texts = {{"--path", &options.path},
                                                  {"--name", &options.name},
                                                  {"--token", &options.token},
                                                  {"--ledger", &options.ledger}};
    for (int i = 1; i < count; ++i) {
        std::string name = arguments[i];
        if (name == "--keys")
            options.keys = true;
        else if (name == "--retry")
            options.keys = options.retry = true;
        else if (i + 1 == count)
            return false;
        else if (numbers.count(name) != 0 && std::atoi(arguments[i + 1]) >= 0)
            *numbers[name] = std::atoi(arguments[++i]);
        else if (texts.count(name) != 0)
            *texts[name] = arguments[++i];
        else if (name == "--seed")
            options.seed = std::strtoull(arguments[++i], nullptr, 10);
        else
            return false;
    }
    return options.hours > 0 && options.batch > 0;
}

int work(Run &run) {
    auto start = Clock::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < run.options.writers; ++i)
        threads.emplace_back([&run, i] { Writer(run, i).work(); });
    for (int i = 0; i < run.options.readers; ++i)
        threads.emplace_back([&run, i] { Reader(run, i).work(); });
    pause_for(run.options.seconds);
    run.over = true;
    for (auto &thread : threads)
        thread.join();
    double seconds = seconds_since(start);
    uint64_t wrong = report("writers", run.writers, seconds, run.options.retry) +
                     report("readers", run.readers, seconds, run.options.retry);
    std::printf("writers: %" PRIu64 " batches of %d, %" PRIu64 " flows acknowledged (%.0f/s), %" PRIu64
                " repeated, %" PRIu64 " given up, longest wait %.1f s\n",
                run.writers.batches, run.options.batch, run.acknowledged.load(),
                static_cast<double>(run.acknowledged) / seconds, run.writers.repeated, run.writers.abandoned,
                run.writers.longest_wait);
    if (!write_ledger(run.options, run.writers)) {
        std::printf("cannot write %s\n", run.options.ledger.c_str());
        return 1;
    }
    return wrong == 0 ? 0 : 1;
}

} // namespace

void Findings::add(const Findings &other) {
    acknowledged.resize(std::max(acknowledged.size(), other.acknowledged.size()));
    for (size_t hour = 0; hour < other.acknowledged.size(); ++hour)
        acknowledged[hour] += other.acknowledged[hour];
    for (const auto &[status, count] : other.statuses)
        statuses[status] += count;
    milliseconds.insert(milliseconds.end(), other.milliseconds.begin(), other.milliseconds.end());
    batches += other.batches;
    repeated += other.repeated;
    abandoned += other.abandoned;
    no_retry_after += other.no_retry_after;
    longest_wait = std::max(longest_wait, other.longest_wait);
    for (const auto &[what, count] : other.wrong)
        wrong[what] += count;
    for (const auto &[what, count] : other.troubles)
        troubles[what] += count;
}

} // namespace bench

int main(int count, char **arguments) {
    bench::Run run;
    if (!bench::parse(count, arguments, run.options)) {
        bench::usage();
        return 2;
    }
    return bench::work(run);
}
