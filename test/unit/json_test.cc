// What parse_flows takes and what it refuses, with code, message and detail.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/error.hh"
#include "core/json.hh"

using namespace fas;

namespace {

struct Flow {
    uint32_t hour;
    std::array<std::string, text_dimension_count> names;
    std::array<uint64_t, metric_count> metrics;
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
    uint64_t taken = 0;
    std::vector<Flow> flows;
};

Outcome parse(std::string_view text, JsonOptions options = {}) {
    Collector sink;
    Outcome out;
    try {
        out.taken = parse_flows(text, options, sink);
        out.flows = std::move(sink.flows);
    } catch (const Error &e) {
        out.code = e.sqlstate();
        out.message = e.message();
        out.detail = e.detail();
    }
    return out;
}

// A flow whose members can be replaced by name; an empty value leaves the member out.
std::string flow_with(const std::string &name = "", const std::string &value = "") {
    std::string out = "{";
    const std::pair<const char *, const char *> members[] = {{"src_app", "\"a\""}, {"dest_app", "\"b\""},
                                                             {"vpc_id", "\"v\""},  {"bytes_tx", "1"},
                                                             {"bytes_rx", "2"},    {"hour", "3"}};
    for (const auto &[member, normal] : members) {
        std::string text = member == name ? value : normal;
        if (!text.empty())
            out += (out.size() > 1 ? ",\"" : "\"") + std::string(member) + "\":" + text;
    }
    return out + "}";
}

std::string batch(const std::string &flow) { return "[" + flow + "]"; }
std::string with_member(const std::string &member) {
    std::string flow = flow_with();
    return batch(flow.substr(0, flow.size() - 1) + "," + member + "}");
}

void expect_refused(const std::string &text, const char *code) {
    Outcome out = parse(text);
    EXPECT_EQ(out.code, code) << text.substr(0, 200) << "\n" << out.message << "\n" << out.detail;
    if (!out.code.empty()) {
        EXPECT_EQ(out.message.find('\n'), std::string::npos);
        EXPECT_FALSE(out.detail.empty());
        EXPECT_EQ(out.detail.back(), '.') << out.detail;
    }
}

const Flow plain{3, {"a", "b", "v"}, {1, 2}};

} // namespace

TEST(Json, TakesFlows) {
    EXPECT_EQ(parse(batch(flow_with())).flows, std::vector{plain});
    EXPECT_EQ(parse("[]").taken, 0u);
    EXPECT_EQ(parse("[]").code, "");
    EXPECT_EQ(parse(" \t\r\n[ \n] \r").code, "");
    Outcome two = parse("[" + flow_with() + " ,\n" + flow_with("hour", "0") + "]");
    EXPECT_EQ(two.taken, 2u);
    EXPECT_EQ(two.flows.at(1).hour, 0u);
}

TEST(Json, TakesMembersInAnyOrderAndSpacing) {
    EXPECT_EQ(
        parse(R"( [ { "hour" : 3 , "bytes_rx" :2,"vpc_id": "v","dest_app":"b" ,"bytes_tx":1,"src_app":"a"} ] )").flows,
        std::vector{plain});
    // The order changes from flow to flow, too.
    EXPECT_EQ(parse(R"([{"hour":3,"bytes_rx":2,"vpc_id":"v","dest_app":"b","bytes_tx":1,"src_app":"a"},)"
                    R"({"src_app":"a","vpc_id":"v","hour":3,"dest_app":"b","bytes_tx":1,"x":0,"bytes_rx":2}])")
                  .flows,
              (std::vector{plain, plain}));
}

TEST(Json, TakesOtherNamesAndEscapedNames) {
    EXPECT_EQ(
        parse(R"([{"source_app":"a","destination_app":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":2,"hour":3}])").flows,
        std::vector{plain});
    EXPECT_EQ(
        parse(R"([{"\u0073rc_app":"a","dest\u005fapp":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":2,"h\u006fur":3}])")
            .flows,
        std::vector{plain});
}

TEST(Json, TakesNamesEscapedThroughout) {
    EXPECT_EQ(
        parse(R"([{"\u0064\u0065\u0073\u0074\u0069\u006e\u0061\u0074\u0069\u006f\u006e\u005f\u0061\u0070\u0070":"b",)"
              R"("src_app":"a","vpc_id":"v","bytes_tx":1,"bytes_rx":2,"hour":3}])")
            .flows,
        std::vector{plain});
    EXPECT_EQ(parse(with_member("\"\\u0068our" + std::string(1000, 'x') + "\":1")).flows, std::vector{plain});
}

TEST(Json, TakesAnyNameOfAnApp) {
    const std::pair<const char *, std::string> names[] = {
        {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
        {R"("\u00e9\u20AC\uD83D\uDE00x")", "é€😀x"},
        {"\"é€😀\"", "é€😀"},
        {R"("a,b")", "a,b"},
        {R"("null")", "null"},
        {R"(" ")", " "},
        {R"("\u0001\u001f\u007f\uffff")", "\x01\x1f\x7f\xef\xbf\xbf"},
        {"\"\x7f\"", "\x7f"},
    };
    for (const auto &[json, name] : names)
        for (size_t d = 0; d < text_dimension_count; ++d) {
            Outcome out = parse(batch(flow_with(std::string(dimension_names[d + 1]), json)));
            ASSERT_EQ(out.code, "") << json << out.detail;
            EXPECT_EQ(out.flows.at(0).names[d], name);
        }
    std::string huge(100000, 'x');
    EXPECT_EQ(parse(batch(flow_with("vpc_id", "\"" + huge + "\""))).flows.at(0).names[2], huge);
}

TEST(Json, TakesIntegersInRange) {
    for (const char *metric : {"bytes_tx", "bytes_rx"})
        for (const char *value : {"0", "-0", "9", "123456789012345678", "999999999999999999", "1000000000000000000",
                                  "9223372036854775807"}) {
            Outcome out = parse(batch(flow_with(metric, value)));
            ASSERT_EQ(out.code, "") << value << out.detail;
            EXPECT_EQ(out.flows[0].metrics[metric[6] == 't' ? 0 : 1],
                      std::strtoull(value[0] == '-' ? "0" : value, nullptr, 10));
        }
    EXPECT_EQ(parse(batch(flow_with("hour", "2147483647"))).flows.at(0).hour, max_hour);
    EXPECT_EQ(parse(batch(flow_with("hour", "0"))).flows.at(0).hour, 0u);
}

// Digits are read eight at a time, where the text has so many bytes left.
TEST(Json, TakesIntegersOfEveryLength) {
    const std::string digits = "987654321012345678";
    for (size_t first = 0; first < digits.size(); ++first)
        for (size_t count = 1; first + count <= digits.size(); ++count) {
            const std::string value = digits.substr(first, count);
            if (value[0] == '0' && count > 1)
                continue;
            const uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
            for (const char *behind : {"", " ", "\n", "\t "}) {
                ASSERT_EQ(parse(batch(flow_with("bytes_tx", value + behind))).flows.at(0).metrics[0], number);
                const Outcome out = parse(batch(flow_with("hour", value + behind))); // nothing but "}]" follows
                ASSERT_EQ(out.code, number <= max_hour ? "" : "22023") << value;
                if (number <= max_hour) {
                    ASSERT_EQ(out.flows.at(0).hour, number);
                }
            }
            for (const char *behind : {".0", "e0", "E1"})
                ASSERT_EQ(parse(batch(flow_with("hour", value + behind))).code, "22023") << value << behind;
            for (const char *behind : {"/", ":", "\xc2\xba", "\xe2\x80\x80", "a", "-"})
                ASSERT_EQ(parse(batch(flow_with("bytes_rx", value + behind))).code, "22P02") << value << behind;
            if (count > 1) {
                ASSERT_EQ(parse(batch(flow_with("bytes_rx", "0" + value))).code, "22P02") << value;
            }
        }
}

TEST(Json, RefusesOtherValues) {
    for (const char *field : {"src_app", "dest_app", "vpc_id"})
        for (const char *value : {"null", "5", "true", "false", "[]", "{}", "[\"a\"]", "\"\"", "\"\\u0000\"",
                                  "\"a\\u0000b\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"", "\"\\ud800\\ud800\"",
                                  "\"\\udc00\\ud800\"", "\"\\uD83Dxxxxxxxxxx\""})
            expect_refused(batch(flow_with(field, value)), "22023");
    for (const char *field : {"bytes_tx", "bytes_rx", "hour"})
        for (const char *value : {"null", "\"5\"", "true", "[]", "{}", "-1", "-9223372036854775808", "1.5", "5.0",
                                  "0.0", "1e3", "1E+3", "1e-3", "0e0", "9223372036854775808", "18446744073709551616",
                                  "99999999999999999999999999999999999999", "1e400", "-0.0"})
            expect_refused(batch(flow_with(field, value)), "22023");
    for (const char *value : {"2147483648", "4294967296", "9223372036854775807"})
        expect_refused(batch(flow_with("hour", value)), "22023");
}

TEST(Json, SaysWhichFlowAndFieldAndWhatWasFound) {
    Outcome out = parse("[" + flow_with() + "," + flow_with("bytes_tx", "1e3") + "]");
    EXPECT_EQ(out.message, "invalid value for \"bytes_tx\" in flow 1");
    EXPECT_EQ(out.detail, "Expected an integer from 0 to 9223372036854775807, found 1e3 (flows are counted from 0).");
    out = parse(batch(flow_with("hour", "{\"a\":\n1}")));
    EXPECT_EQ(out.detail, "Expected an integer, found an object (flows are counted from 0).");
    out = parse(batch(flow_with("vpc_id", "12")));
    EXPECT_EQ(out.detail, "Expected a string that is not empty, found 12 (flows are counted from 0).");
    out = parse(batch(flow_with("dest_app", "")));
    EXPECT_EQ(out.message, "missing \"dest_app\" in flow 0");
    // Long values are cut between characters.
    out = parse(batch(flow_with("hour", "\"" + std::string(38, 'x') + "éé\"")));
    EXPECT_EQ(out.detail, "Expected an integer, found \"" + std::string(38, 'x') + "... (flows are counted from 0).");
    EXPECT_EQ(parse("{\"a\":1}").detail, "Found an object.");
    EXPECT_EQ(parse("[17]").message, "flow 0 is not a JSON object");
}

TEST(Json, RefusesMissingAndDuplicateMembers) {
    for (const char *field : {"src_app", "dest_app", "vpc_id", "bytes_tx", "bytes_rx", "hour"})
        expect_refused(batch(flow_with(field, "")), "22023");
    expect_refused("[{}]", "22023");
    for (const char *member :
         {"\"src_app\":\"a\"", "\"source_app\":\"a\"", "\"destination_app\":\"b\"", "\"vpc_id\":\"v\"",
          "\"bytes_tx\":1", "\"bytes_rx\":2", "\"hour\":3", "\"h\\u006fur\":3"})
        expect_refused(with_member(member), "22023");
    EXPECT_NE(parse(with_member("\"source_app\":\"z\"")).detail.find("source_app"), std::string::npos);
    EXPECT_EQ(parse(with_member("\"x\":1,\"x\":2")).code, ""); // ignored members may come twice
}

TEST(Json, RefusesWhatIsNoArrayOfObjects) {
    for (const char *text :
         {"{}", "1", "-1.5e3", "\"[]\"", "null", "true", "false", "[1]", "[null]", "[[]]", "[\"a\"]", "[true]"})
        expect_refused(text, "22023");
    expect_refused(batch(flow_with() + ",[" + flow_with() + "]"), "22023");
}

TEST(Json, RefusesWhatIsNoJson) {
    std::string flow = flow_with();
    for (const std::string &text : std::vector<std::string>{"",
                                                            " ",
                                                            "\n\t",
                                                            "[",
                                                            "]",
                                                            "[1",
                                                            "[{",
                                                            "[{\"",
                                                            "[{\"hour\"",
                                                            "[{\"hour\":",
                                                            "[{\"hour\":3",
                                                            "[{\"hour\":3}",
                                                            "[,]",
                                                            "[" + flow + ",]",
                                                            "[" + flow + "",
                                                            "[" + flow + flow + "]",
                                                            "[" + flow + "]]",
                                                            "[" + flow + "],",
                                                            "[" + flow + "] x",
                                                            "[] []",
                                                            "[]\f",
                                                            "\xEF\xBB\xBF[]",
                                                            "[{,}]",
                                                            "[{\"x\":1,}]",
                                                            "[{\"x\" 1}]",
                                                            "[{x:1}]",
                                                            "[{'x':1}]",
                                                            "[{\"x\":1 \"y\":2}]",
                                                            "[{1:2}]",
                                                            "nul",
                                                            "tru",
                                                            "[nulll]",
                                                            "[truefalse]",
                                                            "{\"a\":1",
                                                            "[1 2]",
                                                            "[01]",
                                                            "[-]",
                                                            "[+1]",
                                                            "[.5]",
                                                            "[1.]",
                                                            "[1e]",
                                                            "[1e+]",
                                                            "[0x1]",
                                                            "[NaN]",
                                                            "[Infinity]",
                                                            "[-Infinity]",
                                                            "[1,]",
                                                            "[\"\\x\"]",
                                                            "[\"\\u12\"]",
                                                            "[\"\\u12g4\"]",
                                                            "[\"\\",
                                                            "[\"a\nb\"]",
                                                            "[\"\t\"]",
                                                            std::string("[]\0", 3),
                                                            std::string("\0[]", 3),
                                                            std::string("[\"\0\"]", 5),
                                                            "[// x\n]",
                                                            "[/**/]",
                                                            "[\"abc]",
                                                            "undefined"})
        expect_refused(text, "22P02");
}

TEST(Json, ValidatesWhatItIgnores) {
    for (const char *member : {"\"x\":1", "\"x\":-1.5e-300", "\"x\":1e99999", "\"x\":123456789012345678901234567890",
                               "\"x\":null", "\"x\":true", "\"x\":false", "\"x\":\"\"", "\"x\":\"\\u0000\"", "\"x\":[]",
                               "\"x\":{}", "\"x\":[1,[2,{\"a\":[]}],{\"a\":{\"b\":null}}]", "\"\":1",
                               "\"x\\ud83d\\ude00\":1", "\"\\u0000\":1", "\"HOUR\":\"x\"", "\"hour \":\"x\""})
        EXPECT_EQ(parse(with_member(member)).code, "") << member;
    for (const char *member :
         {"\"x\":tru",        "\"x\":[1 2 3]",   "\"x\":[1,]",   "\"x\":{\"a\"}", "\"x\":{\"a\":}",
          "\"x\":{\"a\":1,}", "\"x\":01",        "\"x\":1.",     "\"x\":-",       "\"x\":.1",
          "\"x\":\"\\q\"",    "\"x\":\"\\u00\"", "\"x\":\"\n\"", "\"x\":[}",      "\"x\":{]",
          "\"x\":{\"a\":1]",  "\"x\":[1}",       "\"x\":",       "\"x\"",         "x:1",
          "\"x\":'a'",        "\"x\":nul",       "\"x\":nulll",  "\"x\":{1:2}",   "\"x\":{\"a\":1 \"b\":2}",
          "\"x\":1e",         "\"x\":1e5.5"})
        expect_refused(with_member(member), "22P02");
    // Half a surrogate pair is no character, wherever it stands; jsonb refuses it everywhere too.
    for (const char *member :
         {"\"x\":\"\\ud800\"", "\"x\":[{\"y\":\"\\udfff\"}]", "\"\\ud800\":1", "\"x\":{\"\\udc00\":1}"})
        expect_refused(with_member(member), "22023");
}

TEST(Json, RefusesInvalidUtf8Everywhere) {
    for (const char *bytes :
         {"\x80", "\xff", "\xc3", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80"}) {
        expect_refused(batch(flow_with("src_app", "\"" + std::string(bytes) + "\"")), "22P02");
        expect_refused(with_member("\"x\":\"a" + std::string(bytes) + "\""), "22P02");
        expect_refused(with_member("\"x" + std::string(bytes) + "\":1"), "22P02");
        expect_refused(batch(flow_with()) + bytes, "22P02");
    }
    EXPECT_EQ(parse("[\"\xc3\xa9\xff\"]").detail, "The byte at offset 4 does not begin a valid UTF-8 character.");
}

TEST(Json, TextThatIsNoJsonComesFirst) {
    // A flow before the mistake is wrong too: what ::json refuses has ::json's code.
    expect_refused("[" + flow_with("hour", "-1") + ",", "22P02");
    expect_refused("[1, 2, x]", "22P02");
    expect_refused("{\"a\":tru}", "22P02");
    expect_refused("[{\"hour\":3,\"hour\":tru}]", "22P02");
}

TEST(Json, GivesTheOffset) {
    EXPECT_EQ(parse("[{\"x\":tru}]").detail, "At byte offset 9: expected true, found \"}\".");
    EXPECT_EQ(parse("[\n").detail, "At byte offset 2: expected an object, found the end of the text.");
    EXPECT_EQ(parse("[{} é]").detail, "At byte offset 4: expected \",\" or \"]\", found \"é\".");
    EXPECT_EQ(parse("[\"a\nb\"]").detail,
              "At byte offset 3: expected the end of a string that began before, found the control character 10.");
}

TEST(Json, NestingIsLimitedWithoutRecursion) {
    for (const char *open : {"[", "{\"a\":"}) {
        std::string million;
        for (int i = 0; i < 1000000; ++i)
            million += open;
        expect_refused(million, "54001");
        expect_refused("[" + million, "54001");
        expect_refused(with_member("\"x\":" + million), "54001");
    }
    std::string fits = std::string(1022, '[') + std::string(1022, ']');
    EXPECT_EQ(parse(with_member("\"x\":" + fits)).code, "");
    expect_refused(with_member("\"x\":[" + fits + "]"), "54001");
}

TEST(Json, JsonbsNumbers) {
    JsonOptions jsonb{true};
    for (const char *value : {"5.0", "5.000", "0.0", "7"})
        EXPECT_EQ(parse(batch(flow_with("hour", value)), jsonb).code, "") << value;
    EXPECT_EQ(parse(batch(flow_with("bytes_tx", "9223372036854775807.00")), jsonb).flows.at(0).metrics[0], max_metric);
    for (const char *value : {"5.1", "5.01", "-5.0", "9223372036854775808.0", "1e3"})
        EXPECT_EQ(parse(batch(flow_with("bytes_tx", value)), jsonb).code, "22023") << value;
    EXPECT_EQ(parse(batch(flow_with("hour", "2147483648.0")), jsonb).code, "22023");
}

TEST(Json, EveryTruncationIsRefused) {
    std::string text = "[" + flow_with() +
                       R"(,{"x":[1.5e3,"\u00e9\n",{"y":null}],"hour":3,"src_app":"é","dest_app":"b","vpc_id":)"
                       R"("\ud83d\ude00","bytes_tx":1,"bytes_rx":2}])";
    ASSERT_EQ(parse(text).taken, 2u);
    for (size_t n = 0; n < text.size(); ++n)
        expect_refused(text.substr(0, n), "22P02");
    // The text ends where its memory ends: sanitizers see a read beyond.
    for (size_t n = 0; n < text.size(); ++n) {
        std::vector<char> exact(text.begin(), text.begin() + static_cast<ptrdiff_t>(n));
        EXPECT_EQ(parse({exact.data(), exact.size()}).code, "22P02");
    }
}

TEST(Json, ManyFlowsComeInOrder) {
    std::mt19937_64 random(7);
    std::string text = "[";
    std::vector<Flow> flows;
    for (int i = 0; i < 20000; ++i) {
        Flow f{static_cast<uint32_t>(random() >> 33),
               {"app" + std::to_string(random() % 50), std::string(1 + random() % 30, 'y'), "v"},
               {random() >> (1 + random() % 60), random() >> (1 + random() % 60)}};
        text += (i > 0 ? ",{" : "{");
        text += "\"src_app\":\"" + f.names[0] + "\",\"dest_app\":\"" + f.names[1] +
                "\",\"vpc_id\":\"v\",\"bytes_tx\":" + std::to_string(f.metrics[0]) +
                ",\"bytes_rx\":" + std::to_string(f.metrics[1]) + ",\"hour\":" + std::to_string(f.hour) + "}";
        flows.push_back(std::move(f));
    }
    Outcome out = parse(text + "]");
    EXPECT_EQ(out.taken, flows.size());
    EXPECT_TRUE(out.flows == flows);
}
