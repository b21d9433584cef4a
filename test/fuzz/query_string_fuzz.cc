// libFuzzer: any bytes as a query string. The answer is parameters that hold what is promised, or SQLSTATE 22023; and
// each value goes through the JSON and CSV writers, in buffers of exactly the size that they may use.
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include <simdjson.h>

#include "core/error.hh"
#include "core/query_string.hh"
#include "core/text_writer.hh"

using namespace fas;

namespace {

void check(bool holds) {
    if (!holds)
        std::abort();
}

void check_writers(const std::string &text) {
    std::vector<char> json(quotes_size + json_growth * text.size()), csv(quotes_size + csv_growth * text.size());
    std::string written(json.data(), write_json_string(json.data(), text));
    simdjson::dom::parser parser;
    std::string_view read;
    check(parser.parse("[" + written + "]").at(0).get(read) == simdjson::SUCCESS && read == text);
    check(write_csv_field(csv.data(), text) <= csv.data() + csv.size());
}

void check_text(const std::string &text) {
    check(text.find('\0') == text.npos && simdjson::validate_utf8(text));
    check_writers(text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    std::vector<char> exact(data, data + size); // no byte behind it, so that reading too far is seen
    try {
        std::set<std::string> names;
        for (const QueryParameter &parameter : parse_query_string({exact.data(), exact.size()})) {
            check(!parameter.name.empty() && names.insert(parameter.name).second);
            check_text(parameter.name);
            check_text(parameter.value);
        }
    } catch (const Error &e) {
        check(std::string(e.sqlstate()) == "22023" && !e.message().empty());
        check(simdjson::validate_utf8(e.message()) && simdjson::validate_utf8(e.detail()));
    }
    return 0;
}
