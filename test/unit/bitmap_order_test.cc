// Order, hash and index keys of serialized bitmaps, against plain sets; each set in several encodings.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "core/bitmap/bitmap.hh"
#include "core/bitmap/bitmap64.hh"
#include "core/bitmap/keys.hh"
#include "core/bitmap/order.hh"
#include "portable_writer.hh"

using namespace fas;
using portable::Encoding;

namespace {

using Set = std::vector<uint64_t>; // ascending
constexpr BitmapWidth widths[] = {BitmapWidth::bits32, BitmapWidth::bits64};

std::vector<uint8_t> encode(const Set &set, BitmapWidth width, const portable::Chooser &choose) {
    return width == BitmapWidth::bits64 ? portable::Writer::write64(set, choose)
                                        : portable::Writer::write32(set, choose);
}

std::vector<uint8_t> encode_anyhow(const Set &set, BitmapWidth width, std::mt19937_64 &random) {
    return encode(set, width, [&](uint64_t) { return static_cast<Encoding>(random() % 3); });
}

// Few containers with few distinct contents, so that many pairs share long beginnings.
Set random_set(std::mt19937_64 &random, BitmapWidth width) {
    const uint64_t borders[] = {0, 65535, 65536, uint64_t{1} << 31, 0xffffffff};
    const uint64_t wide_borders[] = {uint64_t{1} << 32, uint64_t{1} << 63,    (uint64_t{1} << 63) - 1,
                                     ~uint64_t{0},      uint64_t{0xa1} << 56, (uint64_t{0xa2} << 56) | 5};
    Set out;
    for (uint64_t key = 0; key < 3; ++key) {
        const uint64_t base = key * 65536 + (width == BitmapWidth::bits64 && key == 2 ? uint64_t{7} << 32 : 0);
        switch (random() % 24 / 5) {
        case 0: // few
            for (uint64_t i = random() % 4; i > 0; --i)
                out.push_back(base + random() % 5);
            break;
        case 1: // a bitset
            for (uint64_t i = 0; i < 10000; i += 2)
                out.push_back(base + i);
            break;
        case 2: // runs
            for (uint64_t i = 100; i < 6000; ++i)
                out.push_back(base + i);
            break;
        case 4: // all
            for (uint64_t i = 0; i < 65536; ++i)
                out.push_back(base + i);
            break;
        default:
            break;
        }
    }
    if (random() % 3 == 0)
        out.push_back(borders[random() % std::size(borders)]);
    if (width == BitmapWidth::bits64 && random() % 3 == 0)
        out.push_back(wide_borders[random() % std::size(wide_borders)]);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    if (!out.empty() && random() % 4 == 0)
        out.pop_back();
    return out;
}

bool has(const Set &set, uint64_t member) { return std::binary_search(set.begin(), set.end(), member); }

int sign(int value) { return (value > 0) - (value < 0); }

int expected_order(const Set &a, const Set &b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end())   ? -1
           : std::lexicographical_compare(b.begin(), b.end(), a.begin(), a.end()) ? 1
                                                                                  : 0;
}

bool is_in(IndexKey key, const std::vector<KeyRange> &ranges, bool exact_only) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const KeyRange &range) {
        return range.first <= key && key <= range.last && (range.is_exact || !exact_only);
    });
}

struct Answer {
    bool may, must;
};

Answer ask_any(const std::vector<IndexKey> &row, const std::vector<KeyRange> &ranges) {
    Answer out{false, false};
    for (IndexKey key : row) {
        out.may = out.may || is_in(key, ranges, false);
        out.must = out.must || is_in(key, ranges, true);
    }
    return out;
}

Answer ask_all(const std::vector<IndexKey> &row, const Probes &probes) {
    Answer out{false, false};
    for (uint8_t level = 0; level < 8; ++level) {
        bool any = false, all = true;
        for (size_t i = 0; i < probes.keys.size(); ++i) {
            if (probes.levels[i] != level)
                continue;
            any = true;
            all = all && std::binary_search(row.begin(), row.end(), probes.keys[i]);
        }
        out.may = out.may || (any && all);
        out.must = out.must || (any && all && level == 0 && probes.is_exact);
    }
    return out;
}

} // namespace

TEST(BitmapOrder, IsThatOfSortedMembers) {
    std::mt19937_64 random(1);
    for (BitmapWidth width : widths) {
        int seen[3] = {};
        for (int round = 0; round < 200; ++round) {
            const Set a = random_set(random, width), b = round % 5 == 0 ? a : random_set(random, width);
            const std::vector<uint8_t> left = encode_anyhow(a, width, random), right = encode_anyhow(b, width, random);
            const int expected = expected_order(a, b);
            ASSERT_EQ(sign(compare_bitmaps(left, right, width)), expected) << round;
            ASSERT_EQ(sign(compare_bitmaps(right, left, width)), -expected) << round;
            ASSERT_EQ(hash_bitmap(left, width, 0) == hash_bitmap(right, width, 0), expected == 0) << round;
            ASSERT_EQ(hash_bitmap(left, width, 7) == hash_bitmap(right, width, 7), expected == 0) << round;
            ++seen[expected + 1];
        }
        EXPECT_GT(*std::min_element(seen, seen + 3), 20);
    }
}

// The order must not change: btree indexes are built on it.
TEST(BitmapOrder, Examples) {
    const Set sorted[] = {{}, {0}, {0, 1}, {0, 1, 70000}, {0, 2}, {0, 65536}, {1}, {65535}, {65536}, {0xffffffff}};
    for (BitmapWidth width : widths)
        for (size_t i = 0; i < std::size(sorted); ++i)
            for (size_t j = 0; j < std::size(sorted); ++j)
                EXPECT_EQ(
                    sign(compare_bitmaps(encode(sorted[i], width, portable::always(Encoding::smallest)),
                                         encode(sorted[j], width, portable::always(Encoding::always_runs)), width)),
                    (i > j) - (i < j))
                    << i << ' ' << j;
}

// Nor may the hash: hash indexes are.
TEST(BitmapOrder, HashIsWhatItWas) {
    EXPECT_EQ(
        hash_bitmap(encode({}, BitmapWidth::bits32, portable::always(Encoding::smallest)), BitmapWidth::bits32, 0),
        hash_bitmap(encode({}, BitmapWidth::bits64, portable::always(Encoding::smallest)), BitmapWidth::bits64, 0));
    const Set set = {1, 2, 3, 70000, 0xffffffff};
    EXPECT_EQ(
        hash_bitmap(encode(set, BitmapWidth::bits32, portable::always(Encoding::smallest)), BitmapWidth::bits32, 0),
        uint64_t{18256855685704277643u});
}

TEST(BitmapOrder, SmallSetsHashApart) {
    std::set<uint64_t> hashes;
    std::set<uint32_t> halves;
    size_t count = 0;
    for (uint64_t a = 0; a < 150; ++a)
        for (uint64_t b = a; b < 150; ++b, ++count) {
            const uint64_t hash = hash_bitmap(
                encode(a == b ? Set{a} : Set{a, b}, BitmapWidth::bits32, portable::always(Encoding::smallest)),
                BitmapWidth::bits32, 0);
            hashes.insert(hash);
            halves.insert(static_cast<uint32_t>(hash));
        }
    EXPECT_EQ(hashes.size(), count);
    EXPECT_GE(halves.size() + 3, count); // 0.02 collisions of 32 bits are to be expected
}

TEST(BitmapWalk, RefusesWhatIsNoBitmap) {
    std::mt19937_64 random(2);
    for (BitmapWidth width : widths) {
        for (int round = 0; round < 100; ++round) {
            std::vector<uint8_t> bytes = encode_anyhow(random_set(random, width), width, random);
            std::vector<uint8_t> longer = bytes, shorter(bytes.begin(), bytes.end() - 1 - random() % bytes.size());
            longer.push_back(0);
            EXPECT_THROW(hash_bitmap(longer, width, 0), Error);
            EXPECT_THROW(hash_bitmap(shorter, width, 0), Error);
            bytes[random() % bytes.size()] ^= static_cast<uint8_t>(1 << random() % 8);
            try {
                index_keys(bytes, width, 256);
                compare_bitmaps(bytes, bytes, width);
            } catch (const Error &e) {
                EXPECT_STREQ(e.sqlstate(), "XX001");
            }
        }
    }
}

// Whatever a row and a query are: what the index rules out does not qualify, and what it is sure of does.
TEST(BitmapKeys, FindWhatQualifies) {
    std::mt19937_64 random(3);
    for (BitmapWidth width : widths) {
        int sure_any = 0, ruled_out_any = 0, sure_all = 0, ruled_out_all = 0;
        for (int round = 0; round < 150; ++round) {
            const Set row = random_set(random, width);
            Set query = random_set(random, width);
            if (round % 4 == 0) { // some of the row's members
                query.clear();
                std::sample(row.begin(), row.end(), std::back_inserter(query), 1 + random() % 80, random);
            }
            const std::vector<uint8_t> bytes = encode_anyhow(query, width, random);
            const std::vector<IndexKey> keys =
                index_keys(encode_anyhow(row, width, random), width, 256 << random() % 5);
            ASSERT_TRUE(std::is_sorted(keys.begin(), keys.end()));
            ASSERT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
            ASSERT_EQ(keys.empty(), row.empty());

            const bool overlaps =
                std::any_of(query.begin(), query.end(), [&](uint64_t member) { return has(row, member); });
            const Answer any = ask_any(keys, ranges_of_bitmap(bytes, width));
            ASSERT_TRUE(any.may || !overlaps);
            ASSERT_TRUE(!any.must || overlaps);
            sure_any += any.must;
            ruled_out_any += !any.may;

            const bool contains = std::includes(row.begin(), row.end(), query.begin(), query.end());
            const Answer all = ask_all(keys, probes_of_bitmap(bytes, width));
            ASSERT_TRUE(all.may || !contains || query.empty());
            ASSERT_TRUE(!all.must || contains);
            sure_all += all.must;
            ruled_out_all += !all.may;

            const uint64_t member = query.empty() || round % 2 == 0 ? random() % 200000 : query.back();
            const Answer one = ask_all(keys, probes_of_member(member, width));
            ASSERT_TRUE(one.may || !has(row, member));
            ASSERT_TRUE(!one.must || has(row, member));
        }
        EXPECT_GT(sure_any, 1);
        EXPECT_GT(ruled_out_any, 1);
        EXPECT_GT(sure_all, 1);
        EXPECT_GT(ruled_out_all, 1);
    }
}

TEST(BitmapKeys, AreNoMoreThanWanted) {
    Bitmap full;
    full.add_range(0, uint64_t{1} << 32);
    full.optimize();
    std::vector<uint8_t> bytes(full.serialized_size());
    full.serialize(bytes.data());
    EXPECT_EQ(index_keys(bytes, BitmapWidth::bits32, 256).size(), 256);
    EXPECT_EQ(index_keys(bytes, BitmapWidth::bits32, 70000).size(), 65536);
    EXPECT_EQ(ranges_of_bitmap(bytes, BitmapWidth::bits32).size(), 4); // one range on each level
    EXPECT_TRUE(ranges_of_bitmap(bytes, BitmapWidth::bits32)[0].is_exact);

    std::mt19937_64 random(4);
    Set sparse;
    for (int i = 0; i < 50000; ++i)
        sparse.push_back(random());
    std::sort(sparse.begin(), sparse.end());
    const std::vector<uint8_t> wide = encode(sparse, BitmapWidth::bits64, portable::always(Encoding::smallest));
    EXPECT_LE(index_keys(wide, BitmapWidth::bits64, 8192).size(), 8192);
    EXPECT_EQ(index_keys(wide, BitmapWidth::bits64, 50000).size(), 50000);
    EXPECT_LE(ranges_of_bitmap(wide, BitmapWidth::bits64).size(), 8 * 128);
    EXPECT_LE(probes_of_bitmap(wide, BitmapWidth::bits64).keys.size(), 8 * 64);
}
