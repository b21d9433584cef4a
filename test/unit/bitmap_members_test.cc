// Lists of members and words of bitsets, several at a time, against the standard library's set operations.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <vector>

#include "core/bitmap/bits.hh"
#include "core/bitmap/members.hh"
#include "core/bitmap/words.hh"
#include "core/bytes.hh"

using namespace fas;

namespace {

using Members = std::vector<uint16_t>;

// In the portable format, at an odd address.
std::vector<uint8_t> bytes_of(const Members &members) {
    std::vector<uint8_t> bytes(1 + 2 * members.size());
    for (size_t i = 0; i < members.size(); ++i)
        store<uint16_t>(bytes.data() + 1 + 2 * i, members[i]);
    return bytes;
}

Members random_members(std::mt19937 &random, size_t count, uint32_t range) {
    std::vector<bool> has(range);
    for (size_t i = 0; i < count; ++i)
        has[random() % range] = true;
    Members members;
    for (uint32_t i = 0; i < range; ++i)
        if (has[i])
            members.push_back(static_cast<uint16_t>(65535 - (range - 1 - i) * (65535 / range)));
    return members;
}

void check_pair(const Members &a, const Members &b) {
    const std::vector<uint8_t> bytes = bytes_of(b);
    const uint8_t *theirs = bytes.data() + 1;
    const auto a_count = static_cast<uint32_t>(a.size()), b_count = static_cast<uint32_t>(b.size());
    Members expected, kept = a, out(a.size() + b.size() + merge_slack);

    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(expected));
    kept.resize(keep_shared(kept.data(), a_count, theirs, b_count));
    ASSERT_EQ(kept, expected);

    expected.clear();
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(expected));
    Members united = out;
    united.resize(unite_members(a.data(), a_count, theirs, b_count, united.data()));
    ASSERT_EQ(united, expected);

    expected.clear();
    std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(expected));
    Members toggled = out;
    toggled.resize(toggle_members(a.data(), a_count, theirs, b_count, toggled.data()));
    ASSERT_EQ(toggled, expected);

    expected.clear();
    std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(expected));
    Members missing(b.size() + merge_slack);
    const uint32_t count = find_missing(a.data(), a_count, theirs, b_count, missing.data());
    if (count != not_few) {
        missing.resize(count);
        ASSERT_EQ(missing, expected);
    }
}

} // namespace

TEST(bitmap_members, pairs_of_lists) {
    std::mt19937 random(1);
    const size_t counts[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 40, 100, 470, 1000, 2048};
    for (size_t a_count : counts)
        for (size_t b_count : counts)
            for (uint32_t range : {64u, 2048u, 65535u}) {
                Members a = random_members(random, a_count, range), b = random_members(random, b_count, range);
                check_pair(a, b);
                Members part; // of a, with a few more
                for (uint16_t member : a)
                    if (random() % 4 != 0)
                        part.push_back(member);
                for (size_t i = 0; i < b_count / 16; ++i)
                    part.push_back(static_cast<uint16_t>(random()));
                std::sort(part.begin(), part.end());
                part.erase(std::unique(part.begin(), part.end()), part.end());
                check_pair(a, part);
                check_pair(part, a);
                check_pair(a, a);
            }
}

TEST(bitmap_members, borders) {
    const Members low{0, 1, 2, 3, 4, 5, 6, 7}, high{65528, 65529, 65530, 65531, 65532, 65533, 65534, 65535};
    Members both = low;
    both.insert(both.end(), high.begin(), high.end());
    for (const Members &a : {low, high, both})
        for (const Members &b : {low, high, both, Members{0}, Members{65535}, Members{}}) {
            check_pair(a, b);
            check_pair(b, a);
        }
}

TEST(bitmap_members, what_is_kept_of_any_bytes_is_a_part) {
    std::mt19937 random(2);
    for (int round = 0; round < 3000; ++round) {
        const Members mine = random_members(random, random() % 200, 1000);
        Members theirs(random() % 200), kept = mine, missing(theirs.size() + merge_slack);
        for (uint16_t &member : theirs)
            member = random() % 2 == 0 || mine.empty() ? static_cast<uint16_t>(random()) : mine[random() % mine.size()];
        const std::vector<uint8_t> bytes = bytes_of(theirs);
        const auto count = static_cast<uint32_t>(theirs.size());
        kept.resize(keep_shared(kept.data(), static_cast<uint32_t>(mine.size()), bytes.data() + 1, count));
        ASSERT_TRUE(std::adjacent_find(kept.begin(), kept.end(), std::greater_equal<>()) == kept.end());
        ASSERT_TRUE(std::includes(mine.begin(), mine.end(), kept.begin(), kept.end()));
        const uint32_t found =
            find_missing(mine.data(), static_cast<uint32_t>(mine.size()), bytes.data() + 1, count, missing.data());
        ASSERT_TRUE(found == not_few || found <= count);
    }
}

TEST(bitmap_members, order_and_runs) {
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
        Members members = random_members(random, random() % 100, 200);
        std::vector<uint8_t> bytes = bytes_of(members);
        const auto count = static_cast<uint32_t>(members.size());
        ASSERT_TRUE(ascends(bytes.data() + 1, count));
        uint32_t runs = 0;
        for (size_t i = 0; i < members.size(); ++i)
            runs += i == 0 || members[i - 1] + 1 != members[i];
        ASSERT_EQ(count_runs(members.data(), count), runs);
        if (count < 2)
            continue;
        const size_t wrong = 1 + random() % (count - 1);
        members[wrong] = static_cast<uint16_t>(members[wrong - 1] - random() % (members[wrong - 1] + 1u));
        bytes = bytes_of(members);
        ASSERT_FALSE(ascends(bytes.data() + 1, count));
    }
    Members all(4096);
    for (size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<uint16_t>(61440 + i);
    ASSERT_EQ(count_runs(all.data(), 4096), 1u);
}

TEST(bitmap_members, words) {
    std::mt19937_64 random(4);
    std::vector<uint64_t> mine(1024), theirs(1024);
    for (int round = 0; round < 50; ++round) {
        for (uint64_t &word : mine)
            word = round % 3 == 0 ? random() : round % 3 == 1 ? ~uint64_t{0} : random() & random() & random();
        std::vector<uint8_t> bytes(8193);
        for (size_t i = 0; i < 1024; ++i) {
            theirs[i] = round % 5 == 0 ? ~mine[i] : random();
            store<uint64_t>(bytes.data() + 1 + 8 * i, theirs[i]);
        }
        auto united = mine, toggled = mine, kept = mine;
        unite_words(united.data(), bytes.data() + 1);
        toggle_words(toggled.data(), bytes.data() + 1);
        const bool any = keep_words(kept.data(), bytes.data() + 1);
        uint32_t runs = 0;
        uint64_t below = 0;
        bool expected = false;
        for (size_t i = 0; i < 1024; ++i) {
            ASSERT_EQ(united[i], mine[i] | theirs[i]);
            ASSERT_EQ(toggled[i], mine[i] ^ theirs[i]);
            ASSERT_EQ(kept[i], mine[i] & theirs[i]);
            expected |= kept[i] != 0;
            for (unsigned bit = 0; bit < 64; ++bit, below = mine[i] >> (bit - 1) & 1)
                runs += (mine[i] >> bit & 1) != 0 && below == 0;
        }
        ASSERT_EQ(any, expected);
        ASSERT_EQ(count_runs(mine.data(), 32768), runs);
        ASSERT_GT(count_runs(mine.data(), 0), 0u);
        ASSERT_GT(count_runs(mine.data(), runs - 1), runs - 1);
    }
}
