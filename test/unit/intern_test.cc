// Sorting names: src/core/intern.cc, against std::sort; and the dictionary of what comes out.
#include "core/intern.hh"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/dictionary.hh"

namespace fas {
namespace {

std::vector<std::string> names_of(const NameTable &table) {
    std::vector<std::string> names(table.size());
    for (size_t id = 0; id < names.size(); ++id)
        names[id] = table[id];
    return names;
}

void expect_sorted(const std::vector<std::string> &names) {
    NameTable table;
    for (const std::string &name : names)
        table.add(name);
    std::vector<std::string> expected = names_of(table);
    std::sort(expected.begin(), expected.end());

    std::vector<std::string_view> sorted;
    const std::vector<uint32_t> ranks = rank_names(table, sorted);
    ASSERT_EQ(std::vector<std::string>(sorted.begin(), sorted.end()), expected);
    for (size_t id = 0; id < table.size(); ++id)
        ASSERT_EQ(expected[ranks[id]], table[id]);

    std::vector<uint8_t> bytes;
    append_dictionary(sorted, bytes);
    std::vector<std::string_view> decoded;
    std::unique_ptr<char[]> arena;
    Dictionary(bytes, static_cast<uint32_t>(sorted.size())).decode(decoded, arena);
    ASSERT_EQ(decoded, sorted);
}

TEST(Intern, NamesOfAnyLengthAreSorted) {
    std::mt19937 random(1);
    for (size_t count : {1, 2, 16, 17, 63, 64, 65, 500})
        for (size_t longest : {1, 7, 8, 9, 30, 100, 300})
            for (int letters : {1, 2, 26}) {
                std::vector<std::string> names;
                for (size_t i = 0; i < count; ++i) {
                    std::string name(1 + random() % longest, 'a');
                    for (char &c : name)
                        c = static_cast<char>('a' + random() % letters);
                    names.push_back(name);
                }
                expect_sorted(names);
            }
}

// Prefixes of each other, of every length around the words that are compared at a time.
TEST(Intern, PrefixesComeBeforeWhatTheyBegin) {
    for (size_t first = 1; first < 20; ++first) {
        std::vector<std::string> names;
        for (size_t length = 90; length >= first; --length) {
            names.push_back(std::string(length, 'x'));
            names.push_back(std::string(length, 'x') + "a");
            names.push_back(std::string(length, 'x') + "\xc3\xa4");
        }
        expect_sorted(names);
    }
}

TEST(Intern, SharedPrefixes) {
    const std::string text(40, 'q');
    for (size_t same = 0; same <= 40; ++same)
        for (size_t more = 0; more < 12; ++more) {
            const std::string other = text.substr(0, same) + std::string(more, 'r');
            EXPECT_EQ(shared_prefix(text, other), same);
            EXPECT_EQ(shared_prefix(other, text), same);
        }
}

// Few keys and many, on both sides of what counting_sort() holds without memory of its own.
TEST(Intern, CountingSortIsStable) {
    std::mt19937 random(2);
    for (size_t keys : {1, 2, 255, 256, 257, 1000}) {
        std::vector<std::pair<uint32_t, uint32_t>> items(3000), scratch;
        for (uint32_t i = 0; i < items.size(); ++i)
            items[i] = {static_cast<uint32_t>(random() % keys), i};
        auto expected = items;
        std::sort(expected.begin(), expected.end());
        counting_sort(items, keys, scratch, [](const auto &item) { return item.first; });
        EXPECT_EQ(items, expected);
    }
}

} // namespace
} // namespace fas
