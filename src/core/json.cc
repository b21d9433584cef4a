// See json.hh. A FlowParser belongs to one call; nothing is shared. What it holds beside the text is one string for
// each text dimension, used only when a name has escapes.
#include "json.hh"

#include <algorithm>
#include <string>

#include "error.hh"
#include "interrupt.hh"
#include "json_reader.hh"

namespace fas {

namespace {

// Fields of a flow: text dimensions, then metrics, then the hour.
constexpr unsigned first_metric = text_dimension_count;
constexpr unsigned hour_field = text_dimension_count + metric_count;
constexpr unsigned field_count = hour_field + 1;

constexpr std::string_view field_name(unsigned field) {
    if (field < first_metric)
        return dimension_names[field + 1];
    return field < hour_field ? metric_names[field - first_metric] : dimension_names[0];
}

// The member names that JSON may use: each field's own, then further ones.
struct MemberName {
    JsonKey key;
    unsigned field;
};
constexpr std::array<MemberName, 2> other_names = {{{JsonKey("source_app"), 0}, {JsonKey("destination_app"), 1}}};
constexpr unsigned member_name_count = field_count + other_names.size();
constexpr std::array<MemberName, member_name_count> member_names = [] {
    std::array<MemberName, member_name_count> out{};
    for (unsigned i = 0; i < field_count; ++i)
        out[i] = {JsonKey(field_name(i)), i};
    for (unsigned i = 0; i < other_names.size(); ++i)
        out[field_count + i] = other_names[i];
    return out;
}();

// A longer member name is none of them, however it is escaped (\u0061 is six bytes for one), and need not be kept.
constexpr size_t longest_escaped_name = [] {
    size_t longest = 0;
    for (const MemberName &member : member_names)
        longest = std::max(longest, member.key.name.size());
    return longest * 6;
}();

class FlowParser {
  public:
    FlowParser(std::string_view text, const JsonOptions &options, FlowSink &sink)
        : text_(text), options_(options), sink_(sink), reader_(text) {
        for (unsigned i = 0; i < member_name_count; ++i)
            successor_[i] = static_cast<uint8_t>((i + 1) % field_count);
    }

    uint64_t run();

  private:
    void flow();
    void member();
    unsigned member_name();
    unsigned find_member(std::string_view name);
    void text_field(unsigned field);
    uint64_t integer_field(unsigned field, uint64_t limit);
    uint64_t integer(std::string_view token, uint64_t limit, unsigned field);
    std::string which() const { return " in flow " + std::to_string(index_); }
    [[noreturn]] void refuse(std::string message, std::string detail);
    [[noreturn]] void refuse_value(unsigned field, const char *wanted, const char *at);
    [[noreturn]] void refuse_missing();
    [[noreturn]] void refuse_surrogate(std::string message);

    std::string_view text_;
    const JsonOptions &options_;
    FlowSink &sink_;
    JsonReader reader_;
    uint64_t index_ = 0; // of the flow being read
    unsigned seen_ = 0;  // a bit for each field of it
    FlowView flow_;
    std::array<std::string, text_dimension_count> unescaped_;
    std::string unescaped_key_;
    // Flows of one batch have their members in the same order: the entry that followed each entry last time is tried
    // before all others.
    std::array<uint8_t, member_name_count> successor_;
    unsigned last_member_ = field_count - 1;
};

// Text that is no JSON is 22P02 even when a flow before the mistake is wrong too: so the rest is read first.
void FlowParser::refuse(std::string message, std::string detail) {
    JsonReader whole(text_);
    whole.skip_value(0);
    whole.finish();
    throw Error(sqlstate::invalid_parameter_value, std::move(message), std::move(detail),
                "Flows are a JSON array of objects with src_app, dest_app and vpc_id (strings, not empty), bytes_tx "
                "and bytes_rx (integers from 0 to 9223372036854775807) and hour (an integer from 0 to 2147483647).");
}

void FlowParser::refuse_value(unsigned field, const char *wanted, const char *at) {
    refuse("invalid value for \"" + std::string(field_name(field)) + "\"" + which(),
           "Expected " + std::string(wanted) + ", found " + reader_.describe(at) + " (flows are counted from 0).");
}

void FlowParser::refuse_missing() {
    unsigned field = 0;
    while (seen_ >> field & 1)
        ++field;
    refuse("missing \"" + std::string(field_name(field)) + "\"" + which(),
           "The object has no member of that name (flows are counted from 0).");
}

void FlowParser::refuse_surrogate(std::string message) {
    std::string escape(reader_.lone_surrogate(), 6);
    refuse(std::move(message), "Found " + escape +
                                   ", half of a surrogate pair, which is no character (flows are "
                                   "counted from 0).");
}

// Reads a member's name: its entry of member_names, or member_name_count when it is none of them.
unsigned FlowParser::member_name() {
    unsigned guess = successor_[last_member_];
    if (reader_.accept_key(member_names[guess].key)) [[likely]]
        return guess;
    JsonString key = reader_.key();
    if (!key.escaped)
        return find_member(key.raw);
    if (reader_.lone_surrogate() != nullptr || key.raw.size() > longest_escaped_name)
        return member_name_count;
    JsonReader::unescape(key.raw, unescaped_key_);
    return find_member(unescaped_key_);
}

unsigned FlowParser::find_member(std::string_view name) {
    unsigned i = 0;
    while (i < member_name_count && member_names[i].key.name != name)
        ++i;
    if (i < member_name_count)
        successor_[last_member_] = static_cast<uint8_t>(i);
    return i;
}

void FlowParser::text_field(unsigned field) {
    constexpr const char *wanted = "a string that is not empty";
    const char *at = reader_.position();
    if (*at != '"')
        refuse_value(field, wanted, at);
    JsonString value = reader_.string();
    std::string_view name = value.raw;
    if (value.escaped) {
        if (reader_.lone_surrogate() != nullptr)
            refuse_surrogate("invalid value for \"" + std::string(field_name(field)) + "\"" + which());
        JsonReader::unescape(value.raw, unescaped_[field]);
        name = unescaped_[field];
        if (name.find('\0') != std::string_view::npos)
            refuse_value(field, "a string without \\u0000", at);
    }
    if (name.empty())
        refuse_value(field, wanted, at);
    flow_.names[field] = name;
}

// The slow way to an integer: signs, many digits, and everything that is to be refused.
uint64_t FlowParser::integer(std::string_view token, uint64_t limit, unsigned field) {
    const char *wanted =
        limit == max_hour ? "an integer from 0 to 2147483647" : "an integer from 0 to 9223372036854775807";
    static_assert(max_hour == 2147483647 && max_metric == 9223372036854775807ULL);
    const char *at = token.data();
    if (options_.zero_fraction_is_integer) {
        size_t point = token.find('.');
        if (point != token.npos && token.find_first_not_of('0', point + 1) == token.npos)
            token = token.substr(0, point);
    }
    if (token == "-0")
        return 0;
    uint64_t value = 0;
    for (char c : token) {
        auto digit = static_cast<unsigned char>(c - '0');
        if (digit > 9 || value > (limit - digit) / 10)
            refuse_value(field, wanted, at);
        value = value * 10 + digit;
    }
    return value;
}

uint64_t FlowParser::integer_field(unsigned field, uint64_t limit) {
    const char *at = reader_.position();
    uint64_t value;
    if (reader_.small_integer(value) && value <= limit) [[likely]]
        return value;
    if (reader_.position() == at) {
        if (*at != '-' && (*at < '0' || *at > '9'))
            refuse_value(field, "an integer", at);
        return integer(reader_.number(), limit, field);
    }
    return integer({at, static_cast<size_t>(reader_.position() - at)}, limit, field);
}

void FlowParser::member() {
    unsigned found = member_name();
    if (reader_.peek() == '\0')
        reader_.fail("expected a JSON value");
    if (found == member_name_count) {
        reader_.skip_value(2);
        if (reader_.lone_surrogate() != nullptr)
            refuse_surrogate("invalid string in a member that is ignored" + which());
        return;
    }
    last_member_ = found;
    unsigned field = member_names[found].field;
    if (seen_ >> field & 1)
        refuse("duplicate \"" + std::string(field_name(field)) + "\"" + which(),
               "The second of the two is named \"" + std::string(member_names[found].key.name) +
                   "\" (flows are counted from 0).");
    seen_ |= 1u << field;
    if (field < first_metric)
        text_field(field);
    else if (field < hour_field)
        flow_.metrics[field - first_metric] = integer_field(field, max_metric);
    else
        flow_.hour = static_cast<uint32_t>(integer_field(field, max_hour));
}

void FlowParser::flow() {
    seen_ = 0;
    if (reader_.peek() != '{') {
        if (reader_.peek() == '\0')
            reader_.fail("expected an object");
        refuse("flow " + std::to_string(index_) + " is not a JSON object",
               "Found " + reader_.describe(reader_.position()) + " (flows are counted from 0).");
    }
    reader_.advance();
    if (reader_.peek() == '}')
        reader_.advance();
    else
        do
            member();
        while (reader_.more('}'));
    if (seen_ != (1u << field_count) - 1)
        refuse_missing();
    sink_.add(flow_);
}

uint64_t FlowParser::run() {
    if (reader_.peek() == '\0')
        reader_.fail("expected an array of flows");
    if (reader_.peek() != '[')
        refuse("flows must be a JSON array", "Found " + reader_.describe(reader_.position()) + ".");
    reader_.advance();
    if (reader_.peek() == ']') {
        reader_.advance();
    } else {
        do {
            flow();
            if (++index_ % 4096 == 0)
                poll();
        } while (reader_.more(']'));
    }
    reader_.finish();
    return index_;
}

} // namespace

uint64_t parse_flows(std::string_view text, const JsonOptions &options, FlowSink &sink) {
    return FlowParser(text, options, sink).run();
}

} // namespace fas
