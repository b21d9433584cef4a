// The handle on CRoaring: set algebra, the wire format, and what deserialize refuses.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <set>

#include "core/bitmap/bitmap.hh"

using namespace fas;

namespace {

std::vector<uint8_t> bytes_of(const Bitmap &bitmap) {
    std::vector<uint8_t> out(bitmap.serialized_size());
    bitmap.serialize(out.data());
    return out;
}

// Sparse, dense, and runs, over several containers.
std::set<uint32_t> random_set(std::mt19937 &random) {
    std::set<uint32_t> out;
    for (uint32_t i = random() % 3000; i > 0; --i)
        out.insert(random() % 300000);
    uint32_t begin = random() % 200000;
    for (uint32_t i = random() % 20000; i > 0; --i)
        out.insert(begin + i);
    if (random() % 2 != 0)
        out.insert(0xffffffff);
    return out;
}

Bitmap bitmap_of(const std::set<uint32_t> &set) {
    std::vector<uint32_t> values(set.begin(), set.end());
    return Bitmap::of(values);
}

std::vector<uint32_t> list(const std::set<uint32_t> &set) { return {set.begin(), set.end()}; }

template <class Operation>
std::vector<uint32_t> combine(const std::set<uint32_t> &a, const std::set<uint32_t> &b, Operation f) {
    std::vector<uint32_t> out;
    f(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
    return out;
}

} // namespace

TEST(Bitmap, AlgebraAgreesWithSets) {
    std::mt19937 random(1);
    for (int i = 0; i < 50; ++i) {
        std::set<uint32_t> a = random_set(random), b = random_set(random);
        Bitmap x = bitmap_of(a), y = bitmap_of(b);
        if (i % 2 != 0)
            x.optimize();
        auto united = combine(a, b, [](auto... args) { std::set_union(args...); });
        EXPECT_EQ((x & y).values(), combine(a, b, [](auto... args) { std::set_intersection(args...); }));
        EXPECT_EQ((x | y).values(), united);
        EXPECT_EQ((x - y).values(), combine(a, b, [](auto... args) { std::set_difference(args...); }));
        Bitmap z = x.copy();
        EXPECT_EQ((z |= y).values(), united);
        EXPECT_EQ(x.values(), list(a)); // the copy is a copy
        EXPECT_EQ(x == y, a == b);
        EXPECT_TRUE(x == x.copy());
        EXPECT_EQ(x.cardinality(), a.size());
        if (!a.empty()) {
            EXPECT_EQ(x.minimum(), *a.begin());
            EXPECT_EQ(x.maximum(), *a.rbegin());
            EXPECT_TRUE(x.contains(*a.begin()));
        }
        EXPECT_EQ(x.contains(299999), a.count(299999) != 0);
    }
}

TEST(Bitmap, Ranges) {
    Bitmap b;
    EXPECT_TRUE(b.empty());
    b.add_range(5, 5);
    b.add_range(7, 3);
    EXPECT_TRUE(b.empty());
    b.add_range(0xfffffffe, uint64_t{1} << 32);
    b.add_range(10, 13);
    EXPECT_EQ(b.values(), (std::vector<uint32_t>{10, 11, 12, 0xfffffffe, 0xffffffff}));
    Bitmap all;
    all.add_range(0, uint64_t{1} << 32);
    EXPECT_EQ(all.cardinality(), uint64_t{1} << 32);
}

TEST(Bitmap, Moves) {
    Bitmap a = Bitmap::of(std::vector<uint32_t>{1, 2});
    Bitmap b = std::move(a);
    EXPECT_EQ(b.cardinality(), 2u);
    Bitmap c;
    c = std::move(b);
    EXPECT_EQ(c.cardinality(), 2u);
}

TEST(Bitmap, RoundTrip) {
    std::mt19937 random(2);
    for (int i = 0; i < 50; ++i) {
        Bitmap x = bitmap_of(i == 0 ? std::set<uint32_t>() : random_set(random));
        if (i % 2 != 0)
            x.optimize();
        EXPECT_TRUE(Bitmap::deserialize(bytes_of(x), "22P03") == x);
    }
}

TEST(Bitmap, DeserializeRefusesWhatIsNotExactlyOneBitmap) {
    std::mt19937 random(3);
    Bitmap x = bitmap_of(random_set(random));
    x.optimize();
    std::vector<uint8_t> bytes = bytes_of(x);
    auto code = [](Bytes b) -> std::string {
        try {
            Bitmap::deserialize(b, "22P03");
        } catch (const Error &e) {
            EXPECT_FALSE(e.detail().empty());
            return e.sqlstate();
        }
        return "";
    };
    EXPECT_EQ(code(bytes), "");
    for (size_t n = 0; n < bytes.size(); n = n < 100 ? n + 1 : n + 97)
        EXPECT_EQ(code(Bytes(bytes).first(n)), "22P03") << n;
    bytes.push_back(0);
    EXPECT_EQ(code(bytes), "22P03");
    // Containers out of order: well-formed, but not a bitmap that CRoaring may be given.
    Bitmap two = Bitmap::of(std::vector<uint32_t>{1, 0x10001});
    std::vector<uint8_t> swapped = bytes_of(two);
    std::swap(swapped[8], swapped[12]);
    EXPECT_EQ(code(swapped), "22P03");
}

TEST(Bitmap, DeserializeTakesAnyBytesSafely) {
    std::mt19937 random(4);
    Bitmap x = bitmap_of(random_set(random));
    x.optimize();
    const std::vector<uint8_t> bytes = bytes_of(x);
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
        std::vector<uint8_t> wrong = bytes;
        for (uint32_t n = 1 + random() % 4; n > 0; --n)
            wrong[random() % (i % 2 != 0 ? 64 : wrong.size())] = static_cast<uint8_t>(random());
        try {
            Bitmap b = Bitmap::deserialize(wrong, "22P03");
            EXPECT_EQ((b | x).cardinality(), b.cardinality() + (x - b).cardinality());
        } catch (const Error &) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 100);
}
