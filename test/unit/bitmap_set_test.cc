// Set algebra and changes on serialized bitmaps, against std::set, for both widths; and the checks that let CRoaring
// work on foreign bytes, against CRoaring's own.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <random>
#include <set>
#include <utility>

#include "core/bitmap/bitmap.hh"
#include "core/bitmap/bitmap64.hh"
#include "core/bitmap/edit.hh"
#include "core/bitmap/set.hh"
#include "memory_reader.hh"

using namespace fas;

namespace {

template <class Value> struct Width;
template <> struct Width<uint32_t> {
    using Bitmap = fas::Bitmap;
    static constexpr uint32_t far[] = {0, 0x10000, 0x7fff0000, 0xfffe0000};
};
template <> struct Width<uint64_t> {
    using Bitmap = fas::Bitmap64;
    static constexpr uint64_t far[] = {0, uint64_t{1} << 32, (uint64_t{1} << 63) - 70000, uint64_t{0} - 200000};
};

template <class Value> using Set = std::set<Value>;

// Sparse, dense, and runs, one or many, at four places far from each other.
template <class Value> Set<Value> random_set(std::mt19937_64 &random) {
    Set<Value> out;
    for (Value base : Width<Value>::far) {
        const unsigned kind = random() % 8;
        for (uint64_t i = kind & 1 ? random() % 300 : 0; i > 0; --i)
            out.insert(static_cast<Value>(base + random() % 130000));
        for (uint64_t i = kind == 2 ? 9000 : 0; i > 0; --i)
            out.insert(static_cast<Value>(base + random() % 20000));
        if (kind == 3)
            for (uint64_t at = random() % 20000, end = at + random() % 60000; at < end; at += 2 + random() % 40)
                for (uint64_t last = at + random() % 60; at < last; ++at)
                    out.insert(static_cast<Value>(base + at));
        const uint64_t begin = random() % 60000;
        for (uint64_t i = kind & 4 ? random() % 9000 : 0; i > 0; --i)
            out.insert(static_cast<Value>(base + begin + i));
    }
    return out;
}

// What has much in common with a set: some short stretches are turned over.
template <class Value> Set<Value> altered(Set<Value> set, std::mt19937_64 &random) {
    for (Value base : Width<Value>::far)
        for (uint64_t stretches = random() % 4; stretches > 0; --stretches) {
            const auto begin = static_cast<Value>(base + random() % 70000);
            for (uint64_t i = random() % 100; i > 0; --i)
                if (set.erase(static_cast<Value>(begin + i)) == 0)
                    set.insert(static_cast<Value>(begin + i));
        }
    return set;
}

template <class Value> std::vector<uint8_t> bytes_of(const Set<Value> &set, bool with_runs) {
    const std::vector<Value> values(set.begin(), set.end());
    auto bitmap = Width<Value>::Bitmap::of(values);
    if (with_runs)
        bitmap.optimize();
    std::vector<uint8_t> out(bitmap.serialized_size());
    bitmap.serialize(out.data());
    return out;
}

// Asks f(left, right) with windows that move on.
template <class F> auto streamed(const std::vector<uint8_t> &x, const std::vector<uint8_t> &y, size_t room, F &&f) {
    test::MemoryReader left(x, room), right(y, room);
    return f(left.window(), right.window());
}

// What `make(sink)` writes, which must be a sound bitmap.
template <class Value, class F> Set<Value> made(F &&make) {
    VectorSink sink;
    make(sink);
    const std::vector<uint8_t> bytes = sink.take();
    EXPECT_TRUE(is_sound<Value>(bytes));
    const auto values = Width<Value>::Bitmap::deserialize(bytes, sqlstate::data_corrupted).values();
    return {values.begin(), values.end()};
}

template <class Value> class BitmapSet : public testing::Test {};
using Widths = testing::Types<uint32_t, uint64_t>;
TYPED_TEST_SUITE(BitmapSet, Widths);

TYPED_TEST(BitmapSet, AlgebraIsThatOfSets) {
    using Value = TypeParam;
    std::mt19937_64 random(7);
    for (int round = 0; round < 60; ++round) {
        const auto a = random_set<Value>(random);
        const auto b = round % 7 == 0 ? a : round % 2 == 0 ? altered(a, random) : random_set<Value>(random);
        const auto x = bytes_of(a, random() % 2), y = bytes_of(b, random() % 2);
        Set<Value> both, either, one, left;
        std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
        std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::inserter(either, either.end()));
        std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(one, one.end()));
        std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(left, left.end()));
        const std::pair<SetOperation, const Set<Value> &> cases[] = {{SetOperation::intersection, both},
                                                                     {SetOperation::union_of, either},
                                                                     {SetOperation::symmetric_difference, one},
                                                                     {SetOperation::difference, left}};
        for (const auto &[operation, expected] : cases) {
            const SetOperation o = operation;
            EXPECT_EQ(made<Value>([&](ByteSink &out) { combine<Value>(o, x, y, out); }), expected);
            EXPECT_EQ(count_combined<Value>(o, x, y), expected.size());
            const auto count = [&](ByteWindow &&l, ByteWindow &&r) {
                return count_combined<Value>(o, std::move(l), std::move(r));
            };
            EXPECT_EQ(streamed(x, y, round % 2 == 0 ? 50 : 20000, count), expected.size());
        }
        EXPECT_EQ(equals<Value>(x, y), a == b);
        EXPECT_EQ(intersects<Value>(x, y), !both.empty());
        EXPECT_EQ(is_subset<Value>(x, y), left.empty());
        for (size_t room : {1, 1000, 10000, 100000}) {
            EXPECT_EQ(streamed(x, y, room, equals<Value>), a == b);
            EXPECT_TRUE(streamed(x, bytes_of(a, round % 2 == 0), room, equals<Value>));
            EXPECT_EQ(streamed(x, y, room, intersects<Value>), !both.empty());
            EXPECT_EQ(streamed(x, y, room, is_subset<Value>), left.empty());
        }
        const auto part = bytes_of(both, false);
        EXPECT_TRUE(streamed(part, x, 10000, is_subset<Value>));
        EXPECT_TRUE(is_subset<Value>(part, x));
        EXPECT_TRUE(is_subset<Value>(part, y));
        const double jaccard = jaccard_index<Value>(x, y);
        if (either.empty())
            EXPECT_TRUE(std::isnan(jaccard));
        else
            EXPECT_DOUBLE_EQ(jaccard, static_cast<double>(both.size()) / static_cast<double>(either.size()));
        std::vector<Value> members(checked_cardinality<Value>(x));
        copy_members(Bytes(x), members.data());
        EXPECT_TRUE(std::equal(members.begin(), members.end(), a.begin(), a.end()));
    }
}

// The low halves of a container's members: an array, a bitset or runs.
std::vector<uint16_t> random_container(std::mt19937_64 &random) {
    std::vector<uint16_t> out;
    const uint64_t kind = random() % 3, step = kind == 0 ? 100 + random() % 300 : kind == 1 ? 3 : 400;
    for (uint64_t at = random() % 100; at < 65000; at += 1 + random() % step)
        for (uint64_t last = at + (kind == 2 ? random() % 500 : 0); at <= last; ++at)
            out.push_back(static_cast<uint16_t>(at));
    return out;
}

template <class Value> void append(std::vector<Value> &out, uint64_t key, const std::vector<uint16_t> &lows) {
    for (uint16_t low : lows)
        out.push_back(static_cast<Value>(key << 16 | low));
}

template <class Value> std::vector<uint8_t> bytes_of(const std::vector<Value> &members) {
    auto bitmap = Width<Value>::Bitmap::of(members);
    bitmap.optimize();
    std::vector<uint8_t> out(bitmap.serialized_size());
    bitmap.serialize(out.data());
    return out;
}

// Many containers in one bucket, in every mixture of those that both have, those that are alike, and those that differ.
TYPED_TEST(BitmapSet, AlgebraOfManyContainers) {
    using Value = TypeParam;
    std::mt19937_64 random(11);
    for (int round = 0; round < 40; ++round) {
        std::vector<Value> a, b;
        const uint64_t alike = random() % 11, different = random() % 11; // of ten
        for (uint64_t key = 0; key < 40; ++key) {
            auto lows = random_container(random);
            if (random() % 10 < 8)
                append(a, key, lows);
            if (random() % 10 < different)
                lows = random_container(random);
            else if (random() % 10 >= alike)
                lows.erase(lows.begin() + static_cast<ptrdiff_t>(random() % lows.size()));
            if (random() % 10 < 8)
                append(b, key, lows);
        }
        const auto x = bytes_of(a), y = bytes_of(b);
        std::vector<Value> both, either, one, left;
        std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
        std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(either));
        std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(one));
        std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(left));
        const std::pair<SetOperation, const std::vector<Value> &> cases[] = {{SetOperation::intersection, both},
                                                                             {SetOperation::union_of, either},
                                                                             {SetOperation::symmetric_difference, one},
                                                                             {SetOperation::difference, left}};
        for (const auto &[operation, expected] : cases) {
            VectorSink sink;
            combine<Value>(operation, x, y, sink);
            const std::vector<uint8_t> bytes = sink.take();
            ASSERT_TRUE(is_sound<Value>(bytes));
            EXPECT_TRUE(Width<Value>::Bitmap::deserialize(bytes, sqlstate::data_corrupted).values() == expected);
            EXPECT_EQ(count_combined<Value>(operation, x, y), expected.size());
        }
    }
}

TYPED_TEST(BitmapSet, ChangesAreThoseOfSets) {
    using Value = TypeParam;
    std::mt19937_64 random(8);
    for (int round = 0; round < 30; ++round) {
        const auto set = random_set<Value>(random);
        const auto bytes = bytes_of(set, random() % 2);
        const Value base = Width<Value>::far[random() % 4];
        const auto first = static_cast<Value>(base + random() % 70000);
        const uint64_t width = round % 3 == 0 ? 0 : random() % (round % 5 == 1 ? 150000 : 50000);
        const auto last =
            static_cast<Value>(first + std::min<uint64_t>(width, std::numeric_limits<Value>::max() - first));
        Set<Value> range, inside, outside = set, filled = set, flipped = set;
        for (Value value = first;; ++value) {
            range.insert(value);
            if (outside.erase(value) > 0)
                inside.insert(value);
            filled.insert(value);
            if (flipped.erase(value) == 0)
                flipped.insert(value);
            if (value == last)
                break;
        }
        const std::pair<Change, const Set<Value> &> cases[] = {
            {Change::fill, filled}, {Change::clear, outside}, {Change::flip, flipped}, {Change::keep, inside}};
        for (const auto &[kind, expected] : cases) {
            const Change k = kind;
            EXPECT_EQ(made<Value>([&](ByteSink &out) { change<Value>(k, bytes, first, last, out); }), expected);
        }
        EXPECT_EQ(made<Value>([&](ByteSink &out) { run_optimize<Value>(bytes, out); }), set);
    }
}

// Ranges within a container of runs, which are done to its bytes; the borders of runs and of the container are hit
// often.
TYPED_TEST(BitmapSet, ChangesWithinRuns) {
    using Value = TypeParam;
    std::mt19937_64 random(12);
    for (int round = 0; round < 150; ++round) {
        std::vector<Value> members;
        for (const uint64_t key : {1, 2, 3, 7}) // of 64 bits, in one bucket
            for (uint64_t at = random() % 3, step = round % 2 ? 40 : 4000; at < 0x10000; at += 1 + random() % step)
                for (const uint64_t last = std::min<uint64_t>(0xffff, at + 3 + random() % (2 * step)); at <= last; ++at)
                    members.push_back(static_cast<Value>(key << 16 | at));
        const auto bytes = bytes_of(members);
        const auto border = [&]() -> uint64_t {
            const uint64_t some = members[random() % members.size()] & 0xffff, choice = random() % 8;
            return choice == 0 ? 0 : choice == 1 ? 0xffff : choice == 2 ? random() % 0x10000 : some;
        };
        const uint64_t base = std::array<uint64_t, 2>{2, 7}[random() % 2] << 16;
        auto [first, last] = std::minmax({base | border(), base | border()});
        for (uint64_t i = random() % 4; i > 0; --i) // so that they begin and end at, before and behind runs
            last = std::min(base | 0xffff, last + 1);
        std::vector<Value> range(last - first + 1), filled, cleared;
        std::iota(range.begin(), range.end(), static_cast<Value>(first));
        std::set_union(members.begin(), members.end(), range.begin(), range.end(), std::back_inserter(filled));
        std::set_difference(members.begin(), members.end(), range.begin(), range.end(), std::back_inserter(cleared));
        for (const Change kind : {Change::fill, Change::clear}) {
            VectorSink sink;
            change<Value>(kind, bytes, static_cast<Value>(first), static_cast<Value>(last), sink);
            const std::vector<uint8_t> result = sink.take();
            ASSERT_TRUE(is_sound<Value>(result));
            const auto values = Width<Value>::Bitmap::deserialize(result, sqlstate::data_corrupted).values();
            EXPECT_TRUE(values == (kind == Change::fill ? filled : cleared)) << first << " to " << last;
        }
    }
}

// Where little is left of runs, they become an array; and damage is found wherever the range is.
TEST(BitmapChange, RunsAreLookedAtAsTheyAreChanged) {
    std::vector<uint32_t> members;
    for (uint32_t i = 0; i < 3 * 65536; ++i)
        if (i % 64 < 60 && i / 65536 != 1)
            members.push_back(i);
    const std::vector<uint8_t> good = bytes_of(members); // two containers of 1024 runs
    const auto changed = [](std::vector<uint8_t> bytes, Change kind, uint32_t first, uint32_t last) {
        VectorSink sink;
        change<uint32_t>(kind, bytes, first, last, sink);
        return sink.take();
    };
    const size_t header = 4 + 1 + 2 * 4, container = 2 + 4 * 1024;
    EXPECT_EQ(good.size(), header + 2 * container);
    EXPECT_EQ(changed(good, Change::fill, 100, 300).size(), good.size() - 3 * 4); // three gaps
    EXPECT_EQ(changed(good, Change::clear, 1, 65534).size(), header + 2 * 1 + container);
    EXPECT_EQ(changed(good, Change::clear, 70000, 80000), good);
    for (const size_t at :
         {size_t{7}, header + 1, header + 2, header + 500, header + 4 + 4 * 1023, header + container - 2}) {
        std::vector<uint8_t> bad = good;
        bad[at] ^= 0x40;
        for (const Change kind : {Change::fill, Change::clear}) {
            EXPECT_THROW(changed(bad, kind, 100, 300), Error) << at;
            EXPECT_THROW(changed(bad, kind, 64000, 64010), Error) << at;
            EXPECT_THROW(changed(bad, kind, 64000, 70000), Error) << at;
        }
    }
    for (const int more : {-1, 1}) {
        std::vector<uint8_t> bad = good;
        bad.resize(good.size() + static_cast<size_t>(more));
        EXPECT_THROW(changed(bad, Change::fill, 100, 300), Error);
        EXPECT_THROW(changed(bad, Change::clear, 100, 100), Error);
    }
}

TYPED_TEST(BitmapSet, ShiftsAreThoseOfSets) {
    using Value = TypeParam;
    std::mt19937_64 random(9);
    const __int128 limit = std::numeric_limits<Value>::max();
    for (__int128 distance : {__int128{0}, __int128{1}, __int128{-1}, __int128{65536}, __int128{-70001},
                              __int128{1} << 32, -(__int128{1} << 32) - 5, limit, -limit, limit + 1}) {
        const auto set = random_set<Value>(random);
        Set<Value> expected;
        for (Value value : set)
            if (value + distance >= 0 && value + distance <= limit)
                expected.insert(static_cast<Value>(value + distance));
        const auto bytes = bytes_of(set, true);
        EXPECT_EQ(made<Value>([&](ByteSink &out) { shift<Value>(bytes, distance, out); }), expected);
    }
}

// What is_sound() accepts, CRoaring finds valid; and whatever the bytes, each function answers or throws.
TYPED_TEST(BitmapSet, DamagedBytes) {
    using Value = TypeParam;
    std::mt19937_64 random(10);
    int accepted = 0, refused = 0;
    for (int round = 0; round < 400; ++round) {
        const auto good = bytes_of(random_set<Value>(random), round % 2);
        auto bad = good;
        for (uint64_t i = random() % 3; i > 0; --i)
            bad[random() % 2 ? random() % std::min<size_t>(bad.size(), 60) : random() % bad.size()] =
                static_cast<uint8_t>(random());
        if (round % 5 == 0)
            bad.resize(random() % bad.size());
        if (is_sound<Value>(bad)) {
            ++accepted;
            EXPECT_NO_THROW(Width<Value>::Bitmap::deserialize(bad, sqlstate::data_corrupted));
        } else {
            ++refused;
        }
        for (int question = 0; question < 14; ++question) {
            try {
                VectorSink sink;
                const auto first = static_cast<Value>(random() % 70000);
                if (question < 4)
                    combine<Value>(static_cast<SetOperation>(question), bad, good, sink);
                else if (question < 8)
                    change<Value>(static_cast<Change>(question - 4), bad, first, static_cast<Value>(first + 70000),
                                  sink);
                else if (question == 8)
                    (void)(count_combined<Value>(SetOperation::union_of, good, bad) + equals<Value>(bad, good) +
                           intersects<Value>(bad, good) + is_subset<Value>(bad, good));
                else if (question == 9)
                    shift<Value>(bad, 12345, sink);
                else if (question == 10)
                    streamed(bad, good, random() % 20000, equals<Value>);
                else if (question == 11)
                    streamed(good, bad, random() % 20000, intersects<Value>);
                else if (question == 12)
                    streamed(bad, good, random() % 20000, is_subset<Value>);
                else
                    streamed(good, bad, random() % 20000, jaccard_index<Value>);
            } catch (const Error &e) {
                EXPECT_STREQ(e.sqlstate(), sqlstate::data_corrupted);
            }
        }
    }
    EXPECT_GT(accepted, 40);
    EXPECT_GT(refused, 100);
}

// A bitset that is turned over as a whole is counted on the way.
TEST(BitmapChange, WrongNumberOfMembersIsFound) {
    std::vector<uint32_t> members;
    for (uint32_t i = 0; i < 5 * 65536; i += 3)
        members.push_back(i);
    std::vector<uint8_t> bytes = bytes_of(members);
    const auto flip = [&] {
        VectorSink sink;
        change<uint32_t>(Change::flip, bytes, 100, 5 * 65536 - 100, sink);
        return sink.take();
    };
    EXPECT_TRUE(is_sound<uint32_t>(flip()));
    bytes[8 + 4 * 2 + 2] ^= 1; // of the third container
    EXPECT_THROW(flip(), Error);
}

// 2000 containers of 300 members; of 64 bits, in one bucket.
template <class Value> Set<Value> large_set(uint32_t first) {
    Set<Value> out;
    for (uint32_t key = first; key < first + 2000; ++key)
        for (uint32_t i = 0; i < 300; ++i)
            out.insert(static_cast<Value>(uint64_t{key} << 16 | i * 200));
    return out;
}

TYPED_TEST(BitmapSet, QuestionsReadWhatTheyNeed) {
    using Value = TypeParam;
    const auto x = bytes_of(large_set<Value>(0), false), y = bytes_of(large_set<Value>(1900), false);
    auto z = x;
    z.back() ^= 2;
    const auto read = [&](const auto &other, auto question, bool expected) {
        test::MemoryReader left(x, 30000), right(other, 30000);
        EXPECT_EQ(question(left.window(), right.window()), expected);
        return left.bytes_read();
    };
    EXPECT_LT(read(y, equals<Value>, false), 60000u);    // the headers tell
    EXPECT_LT(read(y, is_subset<Value>, false), 60000u); // so they do
    EXPECT_LT(read(y, intersects<Value>, true), 60000u); // the first container that both have
    EXPECT_GE(read(z, equals<Value>, false), x.size());  // all but the last member is the same
    EXPECT_LT(read(z, equals<Value>, false), x.size() * 11 / 10);
    EXPECT_LT(read(x, equals<Value>, true), x.size() * 11 / 10);
}

// Containers that are not one behind the other would be fetched again and again.
TYPED_TEST(BitmapSet, StreamsRefuseContainersOutOfOrder) {
    using Value = TypeParam;
    const auto good = bytes_of(large_set<Value>(0), false);
    auto bad = good;
    const size_t offsets = (sizeof(Value) == 8 ? 12 : 0) + 8 + 4 * 2000;
    std::swap_ranges(&bad[offsets + 40], &bad[offsets + 44], &bad[offsets + 80]);
    EXPECT_THROW(streamed(bad, good, 30000, intersects<Value>), Error);
    EXPECT_TRUE(streamed(good, good, 30000, intersects<Value>));
}

TEST(ByteWindow, GoesWhereItIsAsked) {
    std::vector<uint8_t> bytes(100000);
    for (size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<uint8_t>(i * 7 + i / 256);
    std::mt19937_64 random(3);
    for (size_t room : {1, 700, 9000, 50000}) {
        test::MemoryReader reader(bytes, room);
        ByteWindow window = reader.window();
        EXPECT_FALSE(window.is_whole());
        uint64_t at = 0;
        for (int i = 0; i < 2000; ++i) {
            at = random() % 4 == 0 ? random() % bytes.size() : at;
            const uint64_t length = std::min<uint64_t>(random() % (random() % 8 == 0 ? 20000 : 300), bytes.size() - at);
            const Bytes got = window.fetch(at, length);
            ASSERT_TRUE(std::equal(got.begin(), got.end(), bytes.begin() + static_cast<ptrdiff_t>(at)));
            ASSERT_EQ(got.size(), length);
            at += length;
        }
        EXPECT_THROW(window.fetch(99999, 2), Error);
        EXPECT_THROW(window.fetch(100001, 0), Error);
        EXPECT_THROW(window.fetch(UINT64_MAX, 2), Error);
    }
    test::MemoryReader reader(bytes, 200000);
    EXPECT_TRUE(reader.window(100000).is_whole());
    EXPECT_FALSE(reader.window(99999).is_whole());
}

TEST(BitmapWidths, ConvertAsSignedNumbers) {
    const Set<uint32_t> narrow_set = {0, 5, 70000, 0x7fffffff, 0x80000000, 0xffffffff};
    Set<uint64_t> wide_set;
    for (uint32_t value : narrow_set)
        wide_set.insert(static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value))));
    const auto x = bytes_of(narrow_set, false);
    const auto y = bytes_of(wide_set, false);
    EXPECT_EQ(made<uint64_t>([&](ByteSink &out) { widen(x, out); }), wide_set);
    EXPECT_EQ(made<uint32_t>([&](ByteSink &out) { narrow(y, out); }), narrow_set);
    for (uint64_t beyond : {uint64_t{0x80000000}, uint64_t{1} << 32, uint64_t{0xffffffff7fffffff}}) {
        const auto bytes = bytes_of(Set<uint64_t>{1, beyond}, false);
        VectorSink sink;
        EXPECT_THROW(narrow(bytes, sink), Error);
    }
}

TEST(BitmapWidths, RangesThatNoValueHolds) {
    const auto none = bytes_of(Set<uint64_t>(), false);
    VectorSink sink;
    EXPECT_THROW(change<uint64_t>(Change::fill, none, 0, UINT64_MAX, sink), Error);
    EXPECT_EQ(made<uint64_t>([&](ByteSink &out) { change<uint64_t>(Change::keep, none, 0, UINT64_MAX, out); }),
              Set<uint64_t>());
}

} // namespace
