// libFuzzer: any text as the CSV of flows. The answer is flows or one of two SQLSTATEs; what is taken is the same when
// it is written anew by the book, and a header that says what goes without saying changes nothing.
#include <cstdlib>
#include <string>
#include <vector>

#include <simdjson.h>

#include "core/csv.hh"
#include "core/error.hh"

using namespace fas;

namespace {

void check(bool holds) {
    if (!holds)
        std::abort();
}

// Checks what the builder relies on, and writes the flows down with every name quoted.
struct Writer final : FlowSink {
    uint64_t flows = 0;
    std::string csv;
    void add(const FlowView &flow) override {
        ++flows;
        check(flow.hour <= max_hour);
        csv += std::to_string(flow.hour);
        for (std::string_view name : flow.names) {
            check(!name.empty() && name.find('\0') == name.npos && simdjson::validate_utf8(name.data(), name.size()));
            csv += ",\"";
            for (const char c : name)
                csv += c == '"' ? "\"\"" : std::string(1, c);
            csv += '"';
        }
        for (uint64_t metric : flow.metrics) {
            check(metric <= max_metric);
            csv += "," + std::to_string(metric);
        }
        csv += "\r\n";
    }
};

// What a text that was taken gives.
std::string taken(const std::string &text) {
    Writer writer;
    check(parse_csv_flows(text, writer) == writer.flows);
    return writer.csv;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    // A copy without a byte behind it, so that reading too far is seen.
    std::vector<char> exact(data, data + size);
    std::string_view text(exact.data(), exact.size());
    if (text.find('\0') != text.npos || !simdjson::validate_utf8(text.data(), text.size()))
        return 0; // PostgreSQL has no such text
    Writer writer;
    try {
        check(parse_csv_flows(text, writer) == writer.flows);
        check(taken(writer.csv) == writer.csv);
        check(taken("hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx\n" + writer.csv) == writer.csv);
    } catch (const Error &e) {
        std::string code = e.sqlstate();
        check(code == sqlstate::invalid_parameter_value || code == sqlstate::invalid_text_representation);
        check(e.message().find(" in line ") != std::string::npos && e.message().find('\n') == std::string::npos);
        check(!e.detail().empty() && e.detail().size() < 400 && !e.hint().empty());
        check(simdjson::validate_utf8(e.detail().data(), e.detail().size()));
    }
    return 0;
}
