// What parse_query_string takes and what it refuses.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hh"
#include "core/query_string.hh"

using namespace fas;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs parse(std::string_view query) {
    Pairs out;
    for (QueryParameter &parameter : parse_query_string(query))
        out.emplace_back(std::move(parameter.name), std::move(parameter.value));
    return out;
}

// SQLSTATE, message and detail of a refusal; empty when it is taken.
std::string refusal(std::string_view query) {
    try {
        (void)parse_query_string(query);
    } catch (const Error &e) {
        EXPECT_FALSE(e.hint().empty());
        return std::string(e.sqlstate()) + ": " + e.message() + " | " + e.detail();
    }
    return {};
}

TEST(QueryString, NamesAndValuesInOrder) {
    EXPECT_EQ(parse("hour=1"), (Pairs{{"hour", "1"}}));
    EXPECT_EQ(parse("?b=2&a=1"), (Pairs{{"b", "2"}, {"a", "1"}}));
    EXPECT_EQ(parse("a=b=c&d=%3D"), (Pairs{{"a", "b=c"}, {"d", "="}}));
    EXPECT_EQ(parse("hour=&limit"), (Pairs{{"hour", ""}, {"limit", ""}}));
}

TEST(QueryString, EmptyPiecesArePassedOver) {
    for (const char *query : {"", "?", "&", "?&&&"})
        EXPECT_EQ(parse(query), Pairs{}) << query;
    EXPECT_EQ(parse("&a=1&&b=2&"), (Pairs{{"a", "1"}, {"b", "2"}}));
    EXPECT_EQ(parse("?"
                    "?=1"),
              (Pairs{{"?", "1"}})); // (in two parts: no trigraph)
}

TEST(QueryString, Decodes) {
    EXPECT_EQ(parse("x=a%20b%2Bc+d"), (Pairs{{"x", "a b+c d"}}));
    EXPECT_EQ(parse("x=%C3%bC&%c3%9f=1"), (Pairs{{"x", "ü"}, {"ß", "1"}}));
    EXPECT_EQ(parse("x=%26%3d%25"), (Pairs{{"x", "&=%"}}));
    EXPECT_EQ(parse("x=\xC3\xBC"), (Pairs{{"x", "ü"}})); // not encoded at all
    EXPECT_EQ(parse("x=%7F%01%0a"), (Pairs{{"x", "\x7f\x01\n"}}));
}

TEST(QueryString, RefusesWhatIsNoEncoding) {
    std::string message = "22023: percent sign without two hexadecimal digits in a parameter | ";
    EXPECT_EQ(refusal("a=%"), message + "Found \"%\".");
    EXPECT_EQ(refusal("a=1%2"), message + "Found \"1%2\".");
    EXPECT_EQ(refusal("a=%g0"), message + "Found \"%g0\".");
    EXPECT_EQ(refusal("a=%0g"), message + "Found \"%0g\".");
    EXPECT_EQ(refusal("a%=1"), message + "Found \"a%\".");
    EXPECT_EQ(refusal("a=%2&b=0"), message + "Found \"%2\".");
}

TEST(QueryString, RefusesWhatIsNoText) {
    EXPECT_EQ(refusal("a=%00"), "22023: null character in a parameter | Found \"%00\".");
    EXPECT_EQ(refusal(std::string_view("a=\0", 3)), "22023: null character in a parameter | Found \"?\".");
    for (const char *query : {"a=%ff", "a=%c3", "a=%c0%80", "a=%ed%a0%80", "a=%f4%90%80%80", "%fe=1"})
        EXPECT_TRUE(refusal(query).starts_with("22023: parameter is not UTF-8 | Found \"%")) << query;
    EXPECT_EQ(refusal("a=\xff"), "22023: parameter is not UTF-8 | Found \"?\".");
}

TEST(QueryString, RefusesRepeatedAndMissingNames) {
    EXPECT_EQ(refusal("hour=1&hour=2"), "22023: parameter \"hour\" is given twice | Parameters are given once.");
    EXPECT_EQ(refusal("hour=1&limit=3&%68our=1"),
              "22023: parameter \"hour\" is given twice | Parameters are given once.");
    EXPECT_EQ(refusal("=1"), "22023: parameter without a name | Found \"=1\".");
    EXPECT_EQ(refusal("hour=1&Hour=2"), "");
}

TEST(QueryString, ShowsLittleOfWhatIsWrong) {
    std::string text = refusal("a=" + std::string(5000, 'x') + "%");
    EXPECT_EQ(text.size(),
              std::string("22023: percent sign without two hexadecimal digits in a parameter | Found \"\".").size() +
                  63);
}

// Whatever is encoded comes back.
TEST(QueryString, RoundTrip) {
    std::mt19937 random(7);
    constexpr char digits[] = "0123456789ABCDEF";
    for (int round = 0; round < 200; ++round) {
        Pairs pairs;
        std::string query;
        for (unsigned i = 0; i < random() % 5; ++i) {
            std::string value;
            for (unsigned j = 0; j < random() % 20; ++j)
                value += static_cast<char>(1 + random() % 127);
            query += (i > 0 ? "&p" : "p") + std::to_string(i) + "=";
            for (char c : value) {
                if (random() % 3 == 0 || std::string_view("%&+=#").find(c) != std::string_view::npos)
                    query += {'%', digits[c >> 4], digits[c & 15]};
                else
                    query += c;
            }
            pairs.emplace_back("p" + std::to_string(i), value);
        }
        EXPECT_EQ(parse(query), pairs) << query;
    }
}

} // namespace
