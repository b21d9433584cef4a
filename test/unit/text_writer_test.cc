// JSON strings and CSV fields: escapes, quotes, and that no more is written than promised.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/text_writer.hh"

using namespace fas;

namespace {

// In a buffer of exactly the promised size, so that ASan sees a byte too many.
std::string written(char *(*write)(char *, std::string_view) noexcept, std::string_view text, size_t growth) {
    std::vector<char> buffer(quotes_size + growth * text.size());
    char *end = write(buffer.data(), text);
    return {buffer.data(), end};
}
std::string json(std::string_view text) { return written(write_json_string, text, json_growth); }
std::string csv(std::string_view text) { return written(write_csv_field, text, csv_growth); }

TEST(TextWriter, JsonPlain) {
    EXPECT_EQ(json(""), "\"\"");
    EXPECT_EQ(json("app1"), "\"app1\"");
    EXPECT_EQ(json("ü 😀 /'\x7f"), "\"ü 😀 /'\x7f\"");
}

TEST(TextWriter, JsonEscapes) {
    EXPECT_EQ(json("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(json("\b\f\n\r\t"), R"("\b\f\n\r\t")");
    EXPECT_EQ(json(std::string_view("\0\x01\x1f\x20", 4)), R"("\u0000\u0001\u001f ")");
    EXPECT_EQ(json(std::string(100, '\x02')).size(), quotes_size + json_growth * 100);
}

TEST(TextWriter, CsvPlain) {
    EXPECT_EQ(csv("app1"), "app1");
    EXPECT_EQ(csv("a b;c'd\\"), "a b;c'd\\");
    EXPECT_EQ(csv("ü"), "ü");
}

TEST(TextWriter, CsvQuotes) {
    EXPECT_EQ(csv(""), "\"\"");
    EXPECT_EQ(csv("a,b"), "\"a,b\"");
    EXPECT_EQ(csv("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(csv("a\nb"), "\"a\nb\"");
    EXPECT_EQ(csv("a\r"), "\"a\r\"");
    EXPECT_EQ(csv(" a"), "\" a\"");
    EXPECT_EQ(csv("a "), "\"a \"");
    EXPECT_EQ(csv(std::string(100, '"')).size(), quotes_size + csv_growth * 100);
}

} // namespace
