// Writes the workload of workload.hh as JSON batches, CSV, or psql scripts. `generate --help` says how.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "workload.hh"

namespace {

constexpr const char *usage = R"(usage: generate [options]

Writes a seeded, repeatable stream of flows in the order in which they would arrive.

  --seed N          another seed, other flows (1)
  --flows N         how many (1000000)
  --hours N         of how many hours (24)
  --first-hour N    the first of them, in hours since 1970 (480000: 2024-10-04 00:00 UTC)
  --keys N          distinct flow keys (10000)
  --apps N          distinct applications (three for ten keys)
  --vpcs N          distinct VPCs (20)
  --late SHARE      share of flows that arrive after their hour (0.05) ...
  --late-hours N    ... by up to this many hours (3)
  --shuffle-hours   the hours arrive in random order
  --batch N         flows in a batch, for json and sql (1000)
  --format F        json   one JSON array a line: the body of one POST
                    sql    one line a batch: SELECT flows_ingest('[...]', 'PREFIX-000001');
                    csv    hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx, without a header: for COPY
                    none   no flows, only the ledger
  --key-prefix P    the PREFIX of batch keys in sql ("batch")
  --output FILE     instead of standard output
  --parts N         deal the batches (csv: lines) out to FILE.1 ... FILE.N; needs --output
  --ledger FILE     also write what is true of the flows, counted here, apart from any database:
                    CSV hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx,flows, a line for each (hour, flow key)
  --quiet           no summary on standard error
)";

enum class Format { json, sql, csv, none };

struct Settings {
    workload::Options workload;
    Format format = Format::json;
    uint64_t batch = 1000;
    std::string key_prefix = "batch";
    std::string output;
    std::string ledger;
    uint32_t parts = 1;
    bool quiet = false;
};

[[noreturn]] void refuse(const std::string &why) {
    std::fprintf(stderr, "generate: %s (generate --help says how)\n", why.c_str());
    std::exit(2);
}

uint64_t number_of(const std::string &option, const char *text, uint64_t most) {
    uint64_t value = 0;
    auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
    if (error != std::errc() || *end != '\0' || value > most)
        refuse(option + " wants a whole number up to " + std::to_string(most) + ", not \"" + text + "\"");
    return value;
}

double share_of(const std::string &option, const char *text) {
    char *end = nullptr;
    double value = std::strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= 0.0 && value <= 1.0))
        refuse(option + " wants a number from 0 to 1, not \"" + text + "\"");
    return value;
}

Format format_of(std::string_view text) {
    if (text == "json")
        return Format::json;
    if (text == "sql")
        return Format::sql;
    if (text == "csv")
        return Format::csv;
    if (text == "none")
        return Format::none;
    refuse("unknown format \"" + std::string(text) + "\"");
}

void set_option(Settings &settings, const std::string &option, const char *value) {
    constexpr uint64_t most = 0x7fffffff;
    workload::Options &workload = settings.workload;
    auto small = [&] { return static_cast<uint32_t>(number_of(option, value, most)); };
    if (option == "--seed")
        workload.seed = number_of(option, value, UINT64_MAX);
    else if (option == "--flows")
        workload.flows = number_of(option, value, uint64_t{1} << 40);
    else if (option == "--hours")
        workload.hours = small();
    else if (option == "--first-hour")
        workload.first_hour = small();
    else if (option == "--keys")
        workload.keys = small();
    else if (option == "--apps")
        workload.apps = small();
    else if (option == "--vpcs")
        workload.vpcs = small();
    else if (option == "--late")
        workload.late = share_of(option, value);
    else if (option == "--late-hours")
        workload.late_hours = small();
    else if (option == "--batch")
        settings.batch = number_of(option, value, most);
    else if (option == "--format")
        settings.format = format_of(value);
    else if (option == "--key-prefix")
        settings.key_prefix = value;
    else if (option == "--output")
        settings.output = value;
    else if (option == "--parts")
        settings.parts = small();
    else if (option == "--ledger")
        settings.ledger = value;
    else
        refuse("unknown option " + option);
}

Settings parse_arguments(int count, char **arguments) {
    Settings settings;
    for (int i = 1; i < count; ++i) {
        std::string option = arguments[i];
        if (option == "--help") {
            std::fputs(usage, stdout);
            std::exit(0);
        } else if (option == "--quiet") {
            settings.quiet = true;
        } else if (option == "--shuffle-hours") {
            settings.workload.shuffle_hours = true;
        } else if (i + 1 == count) {
            refuse("unknown option, or no value for " + option);
        } else {
            set_option(settings, option, arguments[++i]);
        }
    }
    if (settings.batch == 0 || settings.parts == 0)
        refuse("--batch and --parts want at least 1");
    if (settings.parts > 1 && settings.output.empty())
        refuse("--parts needs --output");
    if (uint64_t{settings.workload.first_hour} + settings.workload.hours > uint64_t{1} << 31)
        refuse("the last hour would be above 2147483647");
    if (settings.key_prefix.find_first_of("'\\") != std::string::npos)
        refuse("--key-prefix must have no quote and no backslash");
    return settings;
}

class File {
  public:
    File(const std::string &path, bool standard_output) : path_(path) {
        file_ = standard_output ? stdout : std::fopen(path.c_str(), "w");
        if (file_ == nullptr)
            throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
    }
    ~File() {
        if (file_ != nullptr && file_ != stdout)
            std::fclose(file_);
    }
    File(const File &) = delete;
    File &operator=(const File &) = delete;

    void write(std::string_view text) {
        if (std::fwrite(text.data(), 1, text.size(), file_) != text.size())
            fail();
    }
    void close() {
        bool bad = file_ == stdout ? std::fflush(file_) != 0 : std::fclose(file_) != 0;
        file_ = nullptr;
        if (bad)
            fail();
    }

  private:
    [[noreturn]] void fail() { throw std::runtime_error("cannot write " + path_ + ": " + std::strerror(errno)); }
    std::string path_;
    std::FILE *file_;
};

void append_number(std::string &text, uint64_t value) {
    char digits[24];
    auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    text.append(digits, end);
}

struct CellTotal {
    uint64_t bytes_tx = 0, bytes_rx = 0, flows = 0;
};

// Names hold letters, digits and '-' only, so that neither JSON nor CSV nor SQL needs quoting.
class Writer {
  public:
    explicit Writer(const Settings &settings) : settings_(settings), workload_(settings.workload) {
        if (!settings.ledger.empty())
            cells_.resize(static_cast<size_t>(settings.workload.hours) * settings.workload.keys);
        if (settings.format == Format::none)
            return;
        for (uint32_t part = 1; part <= settings.parts; ++part)
            files_.push_back(std::make_unique<File>(settings.parts == 1 ? settings.output
                                                                        : settings.output + "." + std::to_string(part),
                                                    settings.output.empty()));
    }

    void run() {
        workload::Flow flow{};
        while (workload_.next(flow)) {
            count(flow);
            if (settings_.format == Format::csv)
                csv_line(flow);
            else if (settings_.format != Format::none)
                add_to_batch(flow);
        }
        if (in_batch_ > 0)
            end_batch();
        for (auto &file : files_)
            file->close();
        if (!settings_.ledger.empty())
            write_ledger();
        if (!settings_.quiet)
            summarize();
    }

  private:
    void count(const workload::Flow &flow) {
        ++flows_;
        late_ += flow.late;
        bytes_tx_ += flow.bytes_tx;
        bytes_rx_ += flow.bytes_rx;
        if (cells_.empty())
            return;
        size_t hour = flow.hour - settings_.workload.first_hour;
        CellTotal &cell = cells_[hour * settings_.workload.keys + flow.key];
        cell.bytes_tx += flow.bytes_tx;
        cell.bytes_rx += flow.bytes_rx;
        ++cell.flows;
    }

    void append_key_csv(uint32_t key) {
        const workload::FlowKey &names = workload_.keys()[key];
        text_ += workload_.apps()[names.src_app];
        text_ += ',';
        text_ += workload_.apps()[names.dest_app];
        text_ += ',';
        text_ += workload_.vpcs()[names.vpc_id];
    }

    void csv_line(const workload::Flow &flow) {
        text_.clear();
        append_number(text_, flow.hour);
        text_ += ',';
        append_key_csv(flow.key);
        text_ += ',';
        append_number(text_, flow.bytes_tx);
        text_ += ',';
        append_number(text_, flow.bytes_rx);
        text_ += '\n';
        files_[(flows_ - 1) % files_.size()]->write(text_);
    }

    void add_to_batch(const workload::Flow &flow) {
        if (in_batch_ == 0) {
            text_ = settings_.format == Format::sql ? "SELECT flows_ingest('[" : "[";
        } else {
            text_ += ',';
        }
        const workload::FlowKey &names = workload_.keys()[flow.key];
        text_ += "{\"src_app\":\"";
        text_ += workload_.apps()[names.src_app];
        text_ += "\",\"dest_app\":\"";
        text_ += workload_.apps()[names.dest_app];
        text_ += "\",\"vpc_id\":\"";
        text_ += workload_.vpcs()[names.vpc_id];
        text_ += "\",\"bytes_tx\":";
        append_number(text_, flow.bytes_tx);
        text_ += ",\"bytes_rx\":";
        append_number(text_, flow.bytes_rx);
        text_ += ",\"hour\":";
        append_number(text_, flow.hour);
        text_ += '}';
        if (++in_batch_ == settings_.batch)
            end_batch();
    }

    void end_batch() {
        ++batches_;
        text_ += ']';
        if (settings_.format == Format::sql) {
            std::string number = std::to_string(batches_);
            text_ += "', '" + settings_.key_prefix + "-" + std::string(number.size() < 6 ? 6 - number.size() : 0, '0') +
                     number + "');";
        }
        text_ += '\n';
        files_[(batches_ - 1) % files_.size()]->write(text_);
        in_batch_ = 0;
    }

    void write_ledger() {
        File file(settings_.ledger, false);
        for (size_t i = 0; i < cells_.size(); ++i) {
            const CellTotal &cell = cells_[i];
            if (cell.flows == 0)
                continue;
            ++pairs_;
            text_.clear();
            append_number(text_, settings_.workload.first_hour + i / settings_.workload.keys);
            text_ += ',';
            append_key_csv(static_cast<uint32_t>(i % settings_.workload.keys));
            for (uint64_t value : {cell.bytes_tx, cell.bytes_rx, cell.flows}) {
                text_ += ',';
                append_number(text_, value);
            }
            text_ += '\n';
            file.write(text_);
        }
        file.close();
    }

    void summarize() const {
        std::string text = "flows " + std::to_string(flows_) + ", late " + std::to_string(late_) + ", bytes_tx " +
                           std::to_string(bytes_tx_) + ", bytes_rx " + std::to_string(bytes_rx_);
        if (batches_ > 0)
            text += ", batches " + std::to_string(batches_);
        if (!cells_.empty())
            text += ", (hour, flow key) pairs " + std::to_string(pairs_);
        std::fprintf(stderr, "%s\n", text.c_str());
    }

    const Settings &settings_;
    workload::Workload workload_;
    std::vector<std::unique_ptr<File>> files_;
    std::vector<CellTotal> cells_;
    std::string text_;
    uint64_t in_batch_ = 0, batches_ = 0, flows_ = 0, late_ = 0, bytes_tx_ = 0, bytes_rx_ = 0, pairs_ = 0;
};

} // namespace

int main(int count, char **arguments) {
    Settings settings = parse_arguments(count, arguments);
    try {
        Writer(settings).run();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "generate: %s\n", error.what());
        return 1;
    }
    return 0;
}
