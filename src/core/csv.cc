// See csv.hh. A parser belongs to one call; nothing is shared.
#include "csv.hh"

#include <algorithm>
#include <string>
#include <vector>

#include "csv_reader.hh"
#include "error.hh"
#include "interrupt.hh"

namespace fas {

namespace {

// Fields of a flow, in the order of the relation `flows`: the hour, text dimensions, metrics.
constexpr unsigned first_name = 1;
constexpr unsigned first_metric = dimension_count;
constexpr unsigned field_count = dimension_count + metric_count;
constexpr unsigned ignored_field = field_count;

constexpr std::string_view field_name(unsigned field) {
    return field < first_metric ? dimension_names[field] : metric_names[field - first_metric];
}

// The field that a header calls so; ignored_field for none. JSON knows the same further names.
unsigned find_field(std::string_view name) {
    for (unsigned field = 0; field < field_count; ++field)
        if (name == field_name(field))
            return field;
    if (name == "source_app")
        return static_cast<unsigned>(Dimension::src_app);
    return name == "destination_app" ? static_cast<unsigned>(Dimension::dest_app) : ignored_field;
}

constexpr const char *hint = "Without a first line that names them, the columns are hour, src_app, dest_app, vpc_id, "
                             "bytes_tx, bytes_rx. Names are not empty, bytes_tx and bytes_rx are integers from 0 to "
                             "9223372036854775807, hour is an integer from 0 to 2147483647.";

// One to eight digits, of which eight bytes can be read from `p` on; false where one of them is no digit.
bool few_digits(const char *p, size_t count, uint64_t &value) noexcept {
    constexpr uint64_t zeros = 0x3030303030303030, high_halves = 0xf0f0f0f0f0f0f0f0;
    static_assert(std::endian::native == std::endian::little, "the first digit is the lowest byte");
    uint64_t x;
    std::memcpy(&x, p, 8);
    const size_t unused = 64 - 8 * count; // bits; they become zeros before the number
    x = x << unused | (zeros & ((uint64_t{1} << unused) - 1));
    if ((x & high_halves) != zeros || ((x + 0x0606060606060606) & high_halves) != zeros)
        return false;
    x = (x & 0x0f0f0f0f0f0f0f0f) * (10 << 8 | 1) >> 8;
    x = (x & 0x00ff00ff00ff00ff) * (100 << 16 | 1) >> 16;
    value = (x & 0x0000ffff0000ffff) * (uint64_t{10000} << 32 | 1) >> 32;
    return true;
}

class CsvFlowParser {
  public:
    CsvFlowParser(std::string_view text, FlowSink &sink) : sink_(sink), reader_(text) {}

    uint64_t run();

  private:
    void read_header();
    void flow();
    void take(unsigned field, const CsvField &value);
    uint64_t integer(unsigned field, std::string_view digits, uint64_t limit);
    void text_field(unsigned field, const CsvField &value);
    std::string where() const { return " in line " + std::to_string(reader_.line_of(line_)); }
    [[noreturn]] void refuse(std::string message, std::string detail) const;
    [[noreturn]] void refuse_value(unsigned field, const char *wanted, std::string_view found);
    void require_count();

    FlowSink &sink_;
    CsvReader reader_;
    const char *line_ = nullptr;  // where the line being read begins
    std::vector<uint8_t> fields_; // by column
    FlowView flow_;
    std::array<std::string, text_dimension_count> unescaped_;
};

void CsvFlowParser::refuse(std::string message, std::string detail) const {
    throw Error(sqlstate::invalid_parameter_value, std::move(message),
                std::move(detail) + " (lines are counted from 1).", hint);
}

// A value in the wrong place is most often a line with too few or too many fields: then that is what is said.
void CsvFlowParser::refuse_value(unsigned field, const char *wanted, std::string_view found) {
    require_count();
    constexpr size_t longest = 40;
    std::string shown;
    if (found.size() > longest) {
        size_t size = longest;
        while ((static_cast<unsigned char>(found[size]) & 0xC0) == 0x80)
            --size;
        shown = "\"" + std::string(found.substr(0, size)) + "\"...";
    } else {
        shown = found.empty() ? "an empty field" : "\"" + std::string(found) + "\"";
    }
    refuse("invalid value for \"" + std::string(field_name(field)) + "\"" + where(),
           "Expected " + std::string(wanted) + ", found " + shown);
}

void CsvFlowParser::require_count() {
    reader_.go_back(line_);
    size_t count = 1;
    for (CsvField field; reader_.read(field) == CsvReader::End::field; ++count)
        if (count % 65536 == 0)
            poll();
    if (count == fields_.size())
        return;
    std::string expected = std::to_string(fields_.size());
    refuse("wrong number of fields" + where(), "Expected " + expected + " as " +
                                                   (fields_.size() == field_count ? "a flow has" : "the header has") +
                                                   ", found " + std::to_string(count));
}

void CsvFlowParser::text_field(unsigned field, const CsvField &value) {
    std::string_view name = value.raw;
    if (value.doubled) {
        std::string &unescaped = unescaped_[field - first_name];
        CsvReader::unescape(name, unescaped);
        name = unescaped;
    }
    if (name.empty()) [[unlikely]]
        refuse_value(field, "a name that is not empty", name);
    flow_.names[field - first_name] = name;
}

uint64_t CsvFlowParser::integer(unsigned field, std::string_view digits, uint64_t limit) {
    uint64_t value, upper = 0;
    const size_t size = digits.size();
    if (size - 1 < 8 && reader_.end() - digits.data() >= 8) [[likely]] {
        if (few_digits(digits.data(), size, value) && value <= limit) [[likely]]
            return value;
    } else if (size - 9 < 8) {
        if (few_digits(digits.data(), size - 8, upper) && few_digits(digits.data() + size - 8, 8, value) &&
            (value += upper * 100000000) <= limit)
            return value;
    }
    // Many digits, the text's last bytes, and everything that is to be refused.
    static_assert(max_hour == 2147483647 && max_metric == 9223372036854775807ULL);
    const char *wanted =
        limit == max_hour ? "an integer from 0 to 2147483647" : "an integer from 0 to 9223372036854775807";
    if (digits == "-0")
        return 0;
    if (digits.empty())
        refuse_value(field, wanted, digits);
    value = 0;
    for (const char c : digits) {
        const auto digit = static_cast<unsigned char>(c - '0');
        if (digit > 9 || value > (limit - digit) / 10)
            refuse_value(field, wanted, digits);
        value = value * 10 + digit;
    }
    return value;
}

inline void CsvFlowParser::take(unsigned field, const CsvField &value) {
    if (field == static_cast<unsigned>(Dimension::hour))
        flow_.hour = static_cast<uint32_t>(integer(field, value.raw, max_hour));
    else if (field < first_metric)
        text_field(field, value);
    else if (field < field_count)
        flow_.metrics[field - first_metric] = integer(field, value.raw, max_metric);
}

void CsvFlowParser::flow() {
    CsvField value;
    const size_t last = fields_.size() - 1;
    for (size_t column = 0; column < last; ++column) {
        const CsvReader::End end = reader_.read(value);
        take(fields_[column], value);
        if (end != CsvReader::End::field) [[unlikely]]
            require_count(); // does not come back
    }
    const CsvReader::End end = reader_.read(value);
    take(fields_[last], value);
    if (end != CsvReader::End::line) [[unlikely]]
        require_count();
    sink_.add(flow_);
}

// Decides what the columns are. A first line that is no header is read again, as a flow.
void CsvFlowParser::read_header() {
    unsigned seen = 0, twice = ignored_field;
    CsvReader::End end;
    do {
        CsvField value;
        end = reader_.read(value);
        const unsigned field = find_field(value.raw);
        if (field != ignored_field && (seen >> field & 1))
            twice = field;
        seen |= field != ignored_field ? 1u << field : 0;
        fields_.push_back(static_cast<uint8_t>(field));
        if (fields_.size() % 65536 == 0)
            poll();
    } while (end == CsvReader::End::field);
    if (seen != (1u << field_count) - 1) {
        fields_.resize(field_count);
        for (unsigned field = 0; field < field_count; ++field)
            fields_[field] = static_cast<uint8_t>(field);
        reader_.go_back(line_);
    } else if (twice != ignored_field) {
        refuse("duplicate \"" + std::string(field_name(twice)) + "\"" + where(), "The header names it twice");
    }
}

uint64_t CsvFlowParser::run() {
    uint64_t flows = 0;
    while (reader_.find_line()) {
        line_ = reader_.position();
        if (fields_.empty()) {
            read_header();
            if (reader_.position() != line_)
                continue;
        }
        flow();
        if (++flows % 4096 == 0)
            poll();
    }
    return flows;
}

} // namespace

uint64_t parse_csv_flows(std::string_view text, FlowSink &sink) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark))
        text.remove_prefix(byte_order_mark.size());
    return CsvFlowParser(text, sink).run();
}

} // namespace fas
