// Whether ingest and Q1 stay as quick while the store grows, and what that costs: WAL, rewrites, bytes, segments.
#include <chrono>
#include <stdexcept>

#include "parts.hh"

namespace bench::flat {
namespace {

struct Stage {
    std::string name;
    Written sample; // one connection, right after the size was reached
    Asked question;
    Reads reads;
    Size size;
    double wal = 0, rewrites = 0; // per flow since the stage before
};

class Growth {
  public:
    Growth(const Options &options, bool shuffled)
        : options_(options), control_(options.conninfo), feed_(feed_options(options, shuffled)) {
        make_store(control_);
        book_rewrites(control_);
        wal_ = wal_begin_ = wal_position(control_);
    }

    void reach(uint64_t flows) {
        sent_ +=
            write(options_, {.feed = feed_, .next = next_, .connections = 4, .upto = feed_.batches_of(flows)}).flows;
        Stage stage;
        stage.name = fixed(static_cast<double>(flows) / 1e6, flows % 1'000'000 == 0 ? 0 : 1) + " million";
        ask(stage);
        uint64_t sample = feed_.batches_of(2 * options_.sizes.front());
        stage.sample = write(options_, {.feed = feed_, .next = next_, .upto = next_ + sample});
        sent_ += stage.sample.flows;
        if (double stored = control_.number("SELECT flows FROM flows_aggregate('{}')"); stored != sent_)
            throw std::runtime_error(fixed(sent_, 0) + " flows were sent, " + fixed(stored, 0) + " are there");
        finish(stage);
    }

    void compact() {
        Stage stage;
        auto start = std::chrono::steady_clock::now();
        while (control_.number("SELECT segments_read FROM flows_compact()") > 0)
            continue;
        stage.name = "after flows_compact()";
        double seconds = seconds_since(start);
        if (seconds > 0.5) // else the measurement of memory has done it
            stage.name += ", " + fixed(seconds, 1) + " s";
        control_.run("VACUUM flow_segments");
        ask(stage);
        finish(stage);
    }

    std::string report(const std::string &title) const;
    const Feed &feed() const { return feed_; }
    std::atomic<uint64_t> &next() { return next_; }

  private:
    static FeedOptions feed_options(const Options &options, bool shuffled) {
        FeedOptions made;
        made.day_flows = options.sizes.front();
        // As many days as the largest size has flows for, and what the samples add.
        if (shuffled)
            made.shuffled_days = static_cast<uint32_t>(options.sizes.back() / options.sizes.front() + 3);
        return made;
    }
    void ask(Stage &stage) {
        Asker asker(options_, feed_.hours_before(next_), ++asked_);
        stage.question = asker.ask_times(48);
        stage.reads = asker.explain_times(48);
    }
    void finish(Stage &stage) {
        stage.size = size_of(control_);
        double wal = wal_position(control_), rewritten = rewritten_flows(control_);
        if (stage.sample.flows > 0) {
            stage.wal = (wal - wal_) / (stage.size.flows - flows_);
            stage.rewrites = (rewritten - rewritten_) / (stage.size.flows - flows_);
        } else { // the last one sums up
            stage.wal = (wal - wal_begin_) / stage.size.flows;
            stage.rewrites = rewritten / stage.size.flows;
        }
        wal_ = wal;
        rewritten_ = rewritten;
        flows_ = stage.size.flows;
        say("  " + stage.name + ": " + fixed(stage.sample.flows > 0 ? stage.sample.rate() : 0, 0) +
            " thousand flows/s, Q1 " + fixed(stage.question.median(), 2) + " ms");
        stages_.push_back(std::move(stage));
    }

    const Options &options_;
    Connection control_;
    Feed feed_;
    std::atomic<uint64_t> next_{0};
    uint64_t asked_ = 0;
    double sent_ = 0;
    double wal_begin_ = 0, wal_ = 0, rewritten_ = 0, flows_ = 0;
    std::vector<Stage> stages_;
};

std::string Growth::report(const std::string &title) const {
    std::string text = "## " + title + "\n\n";
    text += "| flows stored | ingest, thousand flows/s | call p50 / p99 / max, ms | Q1, ms | rows | Q1, µs a row | "
            "it opens segments | reads blocks (ms for that) | segments (level 0) | bytes/flow, total / live | WAL, "
            "bytes/flow | rewrites/flow |\n";
    text += "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    for (const Stage &stage : stages_) {
        bool written = stage.sample.flows > 0;
        text += "| " + stage.name + " | " + (written ? fixed(stage.sample.rate(), 0) : "-") + " | " +
                (written ? fixed(stage.sample.call_ms(0.5), 2) + " / " + fixed(stage.sample.call_ms(0.99), 2) + " / " +
                               fixed(stage.sample.call_ms(1), 1)
                         : "-") +
                " | " + fixed(stage.question.median(), 2) + " | " +
                fixed(stage.question.rows / static_cast<double>(stage.question.ms.size()), 0) + " | " +
                fixed(stage.question.us_per_row(), 3) + " | " + fixed(stage.reads.segments, 1) + " | " +
                fixed(stage.reads.blocks, 1) + " (" + fixed(stage.reads.ms, 2) + ") | " +
                fixed(stage.size.segments, 0) + " (" + fixed(stage.size.level0, 0) + ") | " +
                fixed(stage.size.total / stage.size.flows, 1) + " / " + fixed(stage.size.live / stage.size.flows, 2) +
                " | " + fixed(stage.wal, 1) + " | " + fixed(stage.rewrites, 2) + " |\n";
    }
    size_t last = options_.sizes.size() - 1;
    const Stage &first_stage = stages_.front(), &last_stage = stages_[last];
    text +=
        "\nLast to first: ingest takes " + ratio(first_stage.sample.rate(), last_stage.sample.rate()) +
        " times as long, Q1 " + ratio(last_stage.question.median(), first_stage.question.median()) + " times (" +
        ratio(last_stage.question.us_per_row(), first_stage.question.us_per_row()) +
        " times for each row of its answer). WAL and rewrites are per flow since the line above; in the last line over "
        "everything, per flow stored.\n\n";
    return text;
}

} // namespace

std::string measure_growth(const Options &options, bool shuffled, bool with_memory) {
    say(std::string("growth, hours ") + (shuffled ? "shuffled" : "in order"));
    Growth growth(options, shuffled);
    for (uint64_t flows : options.sizes)
        growth.reach(flows);
    std::string memory;
    if (with_memory)
        memory = measure_memory(options, growth.feed(), growth.next());
    growth.compact();
    return growth.report(std::string("Growing, hours ") +
                         (shuffled ? "in random order" : "in order, 5% up to 3 hours late")) +
           memory;
}

} // namespace bench::flat
