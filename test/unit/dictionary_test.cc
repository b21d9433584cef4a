// Dictionaries: names of any kind survive, look-ups agree with a sorted list, and bytes that lie are refused. The
// builder's interning and sorting of names is here too.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <string>

#include "core/dictionary.hh"
#include "core/intern.hh"

using namespace fas;

namespace {

using Names = std::vector<std::string>;

std::vector<uint8_t> encode(const Names &names) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    std::vector<uint8_t> bytes;
    append_dictionary(views, bytes);
    return bytes;
}

Names decode(const std::vector<uint8_t> &bytes, uint32_t count) {
    std::vector<std::string_view> views;
    std::unique_ptr<char[]> arena;
    Dictionary(bytes, count).decode(views, arena);
    for (std::string_view view : views) { // its reader's to use, and no other name's
        EXPECT_EQ(reinterpret_cast<uintptr_t>(view.data()) % name_room, 0u);
        std::memset(room_before(view), 0xff, name_room);
    }
    return {views.begin(), views.end()};
}

std::string refusal(const std::vector<uint8_t> &bytes, uint32_t count) {
    try {
        decode(bytes, count);
        return "";
    } catch (const Error &error) {
        return error.sqlstate();
    }
}

Names odd_names() {
    const std::string long_name(100000, 'x');
    std::set<std::string> names = {"a",
                                   "A",
                                   "aa",
                                   "ab",
                                   "null",
                                   "0",
                                   ",",
                                   ",,",
                                   "a,b",
                                   "\"",
                                   "'",
                                   "\n",
                                   "\t\r\n",
                                   " ",
                                   "  ",
                                   "\xc3\xa9",
                                   "e\xcc\x81",
                                   "\xf0\x9f\x98\x80",
                                   "\xf4\x8f\xbf\xbf",
                                   "\xef\xbf\xbf",
                                   "\x01",
                                   "\x7f",
                                   long_name,
                                   long_name + "y",
                                   long_name + "z",
                                   std::string(100000, 'x') + "\xc3\xa9",
                                   "name",
                                   "Name",
                                   "NAME",
                                   "naMe"};
    std::string growing;
    for (int i = 0; i < 60; ++i)
        names.insert(growing += "p"); // shared prefixes around every limit of the entry's first byte
    for (int i = 0; i < 40; ++i)
        names.insert(std::string("q").append(static_cast<size_t>(i), 'r').append("s"));
    return {names.begin(), names.end()};
}

TEST(Dictionary, NamesOfAnyKind) {
    const Names names = odd_names();
    const auto bytes = encode(names);
    EXPECT_GE(bytes.size(), least_dictionary_bytes(static_cast<uint32_t>(names.size())));
    EXPECT_EQ(decode(bytes, static_cast<uint32_t>(names.size())), names);
    for (const size_t count : {1, 2, 15, 16, 17, 31, 32, 33}) {
        const Names some(names.begin(), names.begin() + static_cast<ptrdiff_t>(count));
        EXPECT_EQ(decode(encode(some), static_cast<uint32_t>(count)), some);
    }
}

TEST(Dictionary, LookUpsAgreeWithASortedList) {
    std::mt19937 random(1);
    for (const size_t size : {1, 5, 16, 17, 48, 500}) {
        std::set<std::string> set;
        while (set.size() < size) {
            std::string name;
            for (size_t i = 0, length = 1 + random() % 6; i < length; ++i)
                name += static_cast<char>('a' + random() % 4);
            set.insert(name);
        }
        const Names names(set.begin(), set.end());
        const auto bytes = encode(names);
        const Dictionary dictionary(bytes, static_cast<uint32_t>(size));
        for (int i = 0; i < 2000; ++i) {
            std::string asked;
            for (size_t k = 0, length = random() % 7; k < length; ++k)
                asked += static_cast<char>('`' + random() % 6);
            const auto at = std::lower_bound(names.begin(), names.end(), asked);
            const auto id = static_cast<uint32_t>(at - names.begin());
            ASSERT_EQ(dictionary.lower_bound(asked), id) << asked;
            if (id < size) {
                ASSERT_EQ(dictionary.equals(id, asked), *at == asked) << asked;
            }
        }
    }
}

TEST(Dictionary, PrefixSuccessor) {
    std::string out;
    EXPECT_TRUE(prefix_successor("ab", out));
    EXPECT_EQ(out, "ac");
    EXPECT_TRUE(prefix_successor("a\xff\xff", out));
    EXPECT_EQ(out, "b");
    EXPECT_FALSE(prefix_successor("", out));
    EXPECT_FALSE(prefix_successor("\xff\xff", out));
}

// The parts of an entry by hand: one byte shared << 4 | length - 1, then the suffix.
TEST(Dictionary, BytesThatLieAreRefused) {
    const auto dictionary = [](std::initializer_list<int> data) {
        std::vector<uint8_t> bytes = {static_cast<uint8_t>(data.size()), 0, 0, 0};
        for (const int byte : data)
            bytes.push_back(static_cast<uint8_t>(byte));
        return bytes;
    };
    EXPECT_EQ(refusal(dictionary({0x00, 'a', 0x10, 'b'}), 2), "");                    // a, ab
    EXPECT_EQ(refusal(dictionary({0x10, 'a'}), 1), "XX001");                          // shares with nothing
    EXPECT_EQ(refusal(dictionary({0x00, 'b', 0x00, 'a'}), 2), "XX001");               // descends
    EXPECT_EQ(refusal(dictionary({0x00, 'a', 0x00, 'a'}), 2), "XX001");               // equal
    EXPECT_EQ(refusal(dictionary({0x01, 'a', 'b', 0x10, 'a'}), 2), "XX001");          // ab, aa
    EXPECT_EQ(refusal(dictionary({0x00, 'a', 0x20, 'b'}), 2), "XX001");               // shares more than there is
    EXPECT_EQ(refusal(dictionary({0x00, 'a', 'x'}), 1), "XX001");                     // trailing byte
    EXPECT_EQ(refusal(dictionary({0x02, 'a'}), 1), "XX001");                          // ends early
    EXPECT_EQ(refusal(dictionary({0x00, 0}), 1), "XX001");                            // NUL
    EXPECT_EQ(refusal(dictionary({0x00, 0xff}), 1), "XX001");                         // no UTF-8
    EXPECT_EQ(refusal(dictionary({0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f}), 1), "XX001"); // a length of 4 GB
    const Names names = odd_names();
    const auto good = encode(names);
    for (const uint32_t count : {uint32_t{0}, uint32_t{1}, static_cast<uint32_t>(names.size() - 1),
                                 static_cast<uint32_t>(names.size() + 1), UINT32_MAX})
        EXPECT_EQ(refusal(good, count), "XX001") << count;
    for (size_t at = 0; at < 32; ++at) { // the directory
        std::vector<uint8_t> bytes = good;
        bytes[at] ^= 0x41;
        EXPECT_EQ(refusal(bytes, static_cast<uint32_t>(names.size())), "XX001") << at;
    }
}

TEST(Utf8, WhatPostgresqlTakes) {
    for (const char *good : {"a", "abcdefgh", "abcdefghi", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                             "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "12345678\xc3\xa9", "\x7f"})
        EXPECT_TRUE(is_utf8(good)) << good;
    for (const char *bad :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "abcdefgh\xff", "a\xe2\x82", "\xe2\x28\xa1"})
        EXPECT_FALSE(is_utf8(bad)) << bad;
    EXPECT_FALSE(is_utf8(std::string_view("a\0b", 3)));
    EXPECT_FALSE(is_utf8(std::string_view("abcdefg\0ijklmnop", 16)));
    EXPECT_TRUE(is_utf8(""));
    // A NUL is found at each place, whatever stands beside it.
    for (size_t at = 0; at < 16; ++at)
        for (const char beside : {'\x01', 'a', '\x7f'}) {
            std::string text(16, beside);
            EXPECT_TRUE(is_utf8(text));
            text[at] = '\0';
            EXPECT_FALSE(is_utf8(text)) << at;
        }
}

TEST(NameTable, NumbersAndRanks) {
    std::mt19937 random(2);
    Names names = odd_names();
    names.push_back(std::string("a\0", 2)); // the table takes any bytes
    names.push_back(std::string("a\0b", 3));
    names.push_back(std::string("\0", 1));
    for (int i = 0; i < 3000; ++i)
        names.push_back(std::string("service-with-a-long-shared-prefix-").append(std::to_string(i)));
    for (int i = 0; i < 50; ++i) // differ far behind the depth that is sorted by bytes
        names.push_back(std::string(200, 'k').append(std::to_string(i)));
    std::shuffle(names.begin(), names.end(), random);
    NameTable table;
    for (int round = 0; round < 2; ++round)
        for (size_t i = 0; i < names.size(); ++i)
            ASSERT_EQ(table.add(std::string(names[i])), i);
    std::vector<std::string_view> sorted;
    const std::vector<uint32_t> ranks = rank_names(table, sorted);
    Names expected = names;
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(Names(sorted.begin(), sorted.end()), expected);
    for (size_t i = 0; i < names.size(); ++i)
        ASSERT_EQ(sorted[ranks[i]], names[i]);
}

TEST(RecordTable, Numbers) {
    RecordTable<3> table;
    for (int round = 0; round < 2; ++round)
        for (uint32_t i = 0; i < 20000; ++i)
            ASSERT_EQ(table.add({i / 100, i % 100, i % 7}), i);
    EXPECT_EQ(table[12345], (std::array<uint32_t, 3>{123, 45, 12345 % 7}));
}

} // namespace
