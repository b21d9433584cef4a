// libFuzzer: any bytes as the JSON of flows. The answer is flows or one of three SQLSTATEs; what is taken is JSON to
// another parser (simdjson's DOM) too, and what is refused as no JSON is none to it.
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <simdjson.h>

#include "core/error.hh"
#include "core/json.hh"

using namespace fas;

namespace {

void check(bool holds) {
    if (!holds)
        std::abort();
}

// Checks what the builder relies on.
struct Checker final : FlowSink {
    uint64_t flows = 0;
    void add(const FlowView &flow) override {
        ++flows;
        check(flow.hour <= max_hour);
        for (uint64_t metric : flow.metrics)
            check(metric <= max_metric);
        for (std::string_view name : flow.names)
            check(!name.empty() && name.find('\0') == name.npos && simdjson::validate_utf8(name.data(), name.size()));
    }
};

enum class Verdict { json, no_json, unknown };

// simdjson limits numbers and depth, refuses half surrogate pairs, and newer versions pass over a byte order mark.
Verdict other_parser(const std::string &text) {
    static simdjson::dom::parser parser;
    if (text.starts_with("\xEF\xBB\xBF"))
        return Verdict::no_json;
    simdjson::dom::element root;
    switch (parser.parse(text).get(root)) {
    case simdjson::SUCCESS:
        return Verdict::json;
    case simdjson::NUMBER_ERROR:
    case simdjson::DEPTH_ERROR:
    case simdjson::STRING_ERROR:
        return Verdict::unknown;
    default:
        return Verdict::no_json;
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    // A copy without a byte behind it, so that reading too far is seen.
    std::vector<char> exact(data, data + size);
    std::string_view text(exact.data(), exact.size());
    for (bool jsonb : {false, true}) {
        Checker checker;
        Verdict verdict = other_parser(std::string(text));
        try {
            check(parse_flows(text, {jsonb}, checker) == checker.flows);
            check(verdict != Verdict::no_json);
        } catch (const Error &e) {
            std::string code = e.sqlstate();
            check(code == sqlstate::invalid_parameter_value || code == sqlstate::invalid_text_representation ||
                  code == sqlstate::statement_too_complex);
            check(code == sqlstate::invalid_text_representation
                      ? verdict != Verdict::json
                      : verdict != Verdict::no_json || code == sqlstate::statement_too_complex);
            check(!e.message().empty() && !e.detail().empty());
            check(simdjson::validate_utf8(e.detail().data(), e.detail().size()) && e.detail().size() < 400);
            check(e.message().find('\n') == std::string::npos);
        }
    }
    return 0;
}
