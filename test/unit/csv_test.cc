// What parse_csv_flows takes and what it refuses, with code, message and detail.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/csv.hh"
#include "core/csv_reader.hh"
#include "core/error.hh"
#include "core/json.hh"

using namespace fas;

namespace {

struct Flow {
    uint32_t hour;
    std::array<std::string, text_dimension_count> names;
    std::array<uint64_t, metric_count> metrics; // bytes_tx, bytes_rx
    bool operator==(const Flow &) const = default;
};

struct Collector final : FlowSink {
    std::vector<Flow> flows;
    void add(const FlowView &f) override {
        flows.push_back(
            {f.hour, {std::string(f.names[0]), std::string(f.names[1]), std::string(f.names[2])}, f.metrics});
    }
};

struct Outcome {
    std::string code; // empty: taken
    std::string message, detail;
    std::vector<Flow> flows;
};

Outcome parse(std::string_view text) {
    // Without a byte behind it, so that a sanitizer sees who reads too far.
    std::vector<char> exact(text.begin(), text.end());
    Collector sink;
    Outcome out;
    try {
        const uint64_t taken = parse_csv_flows({exact.data(), exact.size()}, sink);
        EXPECT_EQ(taken, sink.flows.size());
        out.flows = std::move(sink.flows);
    } catch (const Error &e) {
        out.code = e.sqlstate();
        out.message = e.message();
        out.detail = e.detail();
        EXPECT_FALSE(e.hint().empty());
    }
    return out;
}

void expect_flows(std::string_view text, const std::vector<Flow> &flows) {
    Outcome out = parse(text);
    EXPECT_EQ(out.code, "") << text << ": " << out.message << ": " << out.detail;
    EXPECT_EQ(out.flows, flows) << text;
}

void expect_refused(std::string_view text, const char *code, const char *message, const char *detail) {
    Outcome out = parse(text);
    EXPECT_EQ(out.code, code) << text;
    EXPECT_EQ(out.message, message) << text;
    EXPECT_EQ(out.detail, detail) << text;
}

const std::vector<Flow> two = {{1, {"a", "b", "v"}, {5, 6}}, {2, {"c", "d", "w"}, {7, 8}}};

TEST(Csv, LineEnds) {
    for (const char *text : {"1,a,b,v,5,6\n2,c,d,w,7,8\n", "1,a,b,v,5,6\n2,c,d,w,7,8", "1,a,b,v,5,6\r\n2,c,d,w,7,8\r\n",
                             "1,a,b,v,5,6\r\n2,c,d,w,7,8\r", "\n\r\n1,a,b,v,5,6\n\n\n2,c,d,w,7,8\n\r\n\r",
                             "\xEF\xBB\xBF"
                             "1,a,b,v,5,6\n2,c,d,w,7,8",
                             "\"1\",\"a\",\"b\",\"v\",\"5\",\"6\"\r\n\"2\",c,\"d\",w,\"7\",8"})
        expect_flows(text, two);
}

TEST(Csv, Nothing) {
    for (const char *text :
         {"", "\n", "\r\n\r\n", "\r", "\xEF\xBB\xBF", "hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx",
          "\xEF\xBB\xBFhour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx\r\n\r\n"})
        expect_flows(text, {});
}

TEST(Csv, Headers) {
    expect_flows("hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx\n1,a,b,v,5,6\n2,c,d,w,7,8\n", two);
    expect_flows("\nbytes_rx,bytes_tx,vpc_id,destination_app,source_app,hour\r\n6,5,v,b,a,1\r\n8,7,w,d,c,2", two);
    expect_flows("id,\"hour\",\"src_app\",dest_app,vpc_id,bytes_tx,bytes_rx,remark\n,1,a,b,v,5,6,\n"
                 "x,2,c,d,w,7,8,\"any, \"\"thing\"\"\n\"\n",
                 two);
    // A header elsewhere is data, and so are names of apps that are names of columns.
    expect_flows("1,src_app,dest_app,vpc_id,5,6", {{1, {"src_app", "dest_app", "vpc_id"}, {5, 6}}});
    expect_refused("1,a,b,v,5,6\nhour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx\n", "22023",
                   "invalid value for \"hour\" in line 2",
                   "Expected an integer from 0 to 2147483647, found \"hour\" (lines are counted from 1).");
    expect_refused("hour,src_app,dest_app,vpc_id,bytes_tx,hour,bytes_rx\n", "22023", "duplicate \"hour\" in line 1",
                   "The header names it twice (lines are counted from 1).");
    expect_refused("hour,src_app,source_app,dest_app,vpc_id,bytes_tx,bytes_rx\n", "22023",
                   "duplicate \"src_app\" in line 1", "The header names it twice (lines are counted from 1).");
    expect_refused("hour,src_app,dest_app,vpc_id,bytes_tx\n", "22023", "wrong number of fields in line 1",
                   "Expected 6 as a flow has, found 5 (lines are counted from 1).");
    expect_refused("hour,src_app,dest_app,vpc_id,bytes_tx,x\n", "22023", "invalid value for \"hour\" in line 1",
                   "Expected an integer from 0 to 2147483647, found \"hour\" (lines are counted from 1).");
    expect_refused("hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx,n\n1,a,b,v,5,6\n", "22023",
                   "wrong number of fields in line 2",
                   "Expected 7 as the header has, found 6 (lines are counted from 1).");
}

TEST(Csv, Quotes) {
    expect_flows("1,\"a,\"\"\n\",\"b\r\",\"\"\"\"\"\",5,6\n", {{1, {"a,\"\n", "b\r", "\"\""}, {5, 6}}});
    const char *code = "22P02";
    expect_refused("1,a,b,v,5,6\n1,a\"b,c,v,5,6", code, "invalid CSV in line 2",
                   "A quotation mark stands within a field that does not begin with one.");
    expect_refused("1,a, \"b\",v,5,6", code, "invalid CSV in line 1",
                   "A quotation mark stands within a field that does not begin with one.");
    expect_refused("1,\"a\"b,c,v,5,6", code, "invalid CSV in line 1",
                   "Something follows the quotation mark that closes a field.");
    expect_refused("1,\"a\" ,c,v,5,6", code, "invalid CSV in line 1",
                   "Something follows the quotation mark that closes a field.");
    for (const char *text :
         {"1,a,b,v,5,6\n2,\"c,d,w,7,8\n3,e,f,v,1,1\n", "1,a,b,v,5,6\n\"", "\n\"\"\"", "\n\"\"\"x\"\""})
        expect_refused(text, code, "invalid CSV in line 2", "The quotation mark that opens a field is not closed.");
    expect_refused("1,a,b,v,5,6\r2,c,d,w,7,8\r", code, "invalid CSV in line 1",
                   "A carriage return stands neither before a line feed nor between quotation marks.");
    expect_refused("\r1,a,b,v,5,6", code, "invalid CSV in line 1",
                   "A carriage return stands neither before a line feed nor between quotation marks.");
    // Lines are those of the file, also where a field has several.
    expect_refused("1,\"a\n\n\",b,v,5,6\n1,a,b,v,x,6", "22023", "invalid value for \"bytes_tx\" in line 4",
                   "Expected an integer from 0 to 9223372036854775807, found \"x\" (lines are counted from 1).");
}

TEST(Csv, Numbers) {
    const auto number = [](const std::string &hour, const std::string &tx) {
        return parse(hour + ",a,b,v," + tx + ",6");
    };
    for (const auto &[text, value] : std::vector<std::pair<std::string, uint64_t>>{
             {"0", 0},
             {"-0", 0},
             {"007", 7},
             {"12345678", 12345678},
             {"123456789", 123456789},
             {"1234567890123456", 1234567890123456},
             {"12345678901234567", 12345678901234567},
             {"9223372036854775807", 9223372036854775807},
             {"00000000000000000000000000009223372036854775807", 9223372036854775807},
             {"\"42\"", 42}}) {
        Outcome out = number("1", text);
        ASSERT_EQ(out.code, "") << text << out.detail;
        EXPECT_EQ(out.flows[0].metrics[0], value) << text;
        out = parse("1,a,b,v,6," + text); // at the end of the text
        ASSERT_EQ(out.code, "") << text << out.detail;
        EXPECT_EQ(out.flows[0].metrics[1], value) << text;
    }
    for (const char *text :
         {"-1", "+1", "1.0", "1e3", " 1", "1 ", "0x10", "9223372036854775808", "99999999999999999999", "1/",
          "1:", "12345678a", "1234567/", "a", "12345678:0123456", "\xC3\xA9", "null"}) {
        Outcome out = number("1", text);
        EXPECT_EQ(out.code, "22023") << text;
        EXPECT_EQ(out.message, "invalid value for \"bytes_tx\" in line 1") << text;
        EXPECT_EQ(out.detail, "Expected an integer from 0 to 9223372036854775807, found \"" + std::string(text) +
                                  "\" (lines are counted from 1).");
    }
    EXPECT_EQ(number("2147483647", "1").flows[0].hour, 2147483647u);
    for (const char *text : {"2147483648", "4294967297", "1234567890123", "-1"})
        EXPECT_EQ(number(text, "1").message, "invalid value for \"hour\" in line 1") << text;
    EXPECT_EQ(number("1", "").detail, "Expected an integer from 0 to 9223372036854775807, found an empty field (lines "
                                      "are counted from 1).");
}

// Each count of digits, against an independent reading, also next to bytes that are no digits.
TEST(Csv, EveryLengthOfNumber) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 20000; ++round) {
        const uint64_t value = (random() >> 1) >> (random() % 63);
        const std::string text = "1,a,b,v," + std::to_string(value) + "," + std::to_string(value / 7) + "\n";
        Outcome out = parse(text);
        ASSERT_EQ(out.code, "");
        ASSERT_EQ(out.flows[0].metrics, (std::array<uint64_t, 2>{value, value / 7}));
        std::string bad = text;
        bad[8 + random() % std::to_string(value).size()] = "/:. -+"[random() % 6];
        out = parse(bad);
        ASSERT_TRUE(out.code == "22023" || out.flows[0].metrics[0] == 0) << bad; // "-0"
    }
}

TEST(Csv, Names) {
    const std::string longest(100000, 'x');
    expect_flows("1," + longest + ", b ,\xE2\x82\xAC,5,6", {{1, {longest, " b ", "\xE2\x82\xAC"}, {5, 6}}});
    expect_refused("1,a,,v,5,6", "22023", "invalid value for \"dest_app\" in line 1",
                   "Expected a name that is not empty, found an empty field (lines are counted from 1).");
    expect_refused("1,a,b,\"\",5,6", "22023", "invalid value for \"vpc_id\" in line 1",
                   "Expected a name that is not empty, found an empty field (lines are counted from 1).");
    expect_refused(longest + ",a,b,v,5,6", "22023", "invalid value for \"hour\" in line 1",
                   ("Expected an integer from 0 to 2147483647, found \"" + longest.substr(0, 40) +
                    "\"... (lines are counted from 1).")
                       .c_str());
    Outcome cut = parse(std::string(39, 'x') + "\xE2\x82\xAC,a,b,v,5,6");
    EXPECT_NE(cut.detail.find("found \"" + std::string(39, 'x') + "\"..."), std::string::npos) << cut.detail;
}

TEST(Csv, Counts) {
    expect_refused("1,a,b,v,5,6\n1,a,b,v,5\n", "22023", "wrong number of fields in line 2",
                   "Expected 6 as a flow has, found 5 (lines are counted from 1).");
    expect_refused("1,a,b,v,5,6,\n", "22023", "wrong number of fields in line 1",
                   "Expected 6 as a flow has, found 7 (lines are counted from 1).");
    expect_refused("1,a,b,v,5,6,", "22023", "wrong number of fields in line 1",
                   "Expected 6 as a flow has, found 7 (lines are counted from 1).");
    expect_refused("1,extra,a,b,v,5,6", "22023", "wrong number of fields in line 1",
                   "Expected 6 as a flow has, found 7 (lines are counted from 1).");
    expect_refused("1,b,v,5,6", "22023", "wrong number of fields in line 1",
                   "Expected 6 as a flow has, found 5 (lines are counted from 1).");
    expect_refused(" \n", "22023", "wrong number of fields in line 1",
                   "Expected 6 as a flow has, found 1 (lines are counted from 1).");
    expect_refused("1;a;b;v;5;6\n", "22023", "wrong number of fields in line 1",
                   "Expected 6 as a flow has, found 1 (lines are counted from 1).");
}

// What was written with every name quoted, or only where it must be, in either line end, comes back; and is what JSON
// gives.
TEST(Csv, RoundTripAndJson) {
    std::mt19937_64 random(2);
    const std::vector<std::string> pieces = {
        "a", ",", "\"", "\n", "\r", "\r\n", "\xC3\xA9", " ", "longer-piece-of-a-name"};
    for (int round = 0; round < 300; ++round) {
        std::vector<Flow> flows;
        std::string csv, json = "[";
        const bool always = random() % 2 == 0;
        const std::string line_end = random() % 2 == 0 ? "\n" : "\r\n";
        for (uint64_t n = random() % 20; n-- > 0;) {
            Flow flow{static_cast<uint32_t>(random() >> 33), {}, {random() >> 1, random() % 100}};
            csv += std::to_string(flow.hour);
            json += (json.size() > 1 ? ",{\"hour\":" : "{\"hour\":") + std::to_string(flow.hour);
            for (size_t t = 0; t < text_dimension_count; ++t) {
                std::string quoted, escaped;
                for (uint64_t k = 1 + random() % 4; k-- > 0;)
                    flow.names[t] += pieces[random() % pieces.size()];
                for (const char c : flow.names[t]) {
                    quoted += c == '"' ? "\"\"" : std::string(1, c);
                    escaped += c == '"' ? "\\\"" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : std::string(1, c);
                }
                const bool must = flow.names[t].find_first_of(",\"\r\n") != std::string::npos;
                csv += always || must ? ",\"" + quoted + "\"" : "," + quoted;
                json += ",\"" + std::string(dimension_names[t + 1]) + "\":\"" + escaped + "\"";
            }
            for (size_t m = 0; m < metric_count; ++m) {
                csv += "," + std::to_string(flow.metrics[m]);
                json += ",\"" + std::string(metric_names[m]) + "\":" + std::to_string(flow.metrics[m]);
            }
            csv += line_end;
            json += "}";
            flows.push_back(flow);
        }
        expect_flows(csv, flows);
        Collector by_json;
        parse_flows(json + "]", {}, by_json);
        ASSERT_EQ(by_json.flows, flows);
    }
}

} // namespace
