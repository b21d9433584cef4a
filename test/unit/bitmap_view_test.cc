// Reading bitmaps where they lie: every question against CRoaring's answer, how little is fetched, and hostile bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>

#include "core/bitmap/bitmap.hh"
#include "core/bitmap/bitmap64.hh"
#include "core/bitmap/view.hh"

using namespace fas;

namespace {

constexpr auto bits32 = BitmapWidth::bits32, bits64 = BitmapWidth::bits64;

template <class AnyBitmap> std::vector<uint8_t> bytes_of(const AnyBitmap &bitmap) {
    std::vector<uint8_t> out(bitmap.serialized_size());
    bitmap.serialize(out.data());
    return out;
}

// Under each base (the bits above the low 16), a container of some kind.
std::set<uint64_t> random_set(std::mt19937 &random, const std::vector<uint64_t> &bases) {
    std::set<uint64_t> out;
    for (uint64_t base : bases) {
        uint32_t kind = random() % 5, begin = random() % 65536;
        if (kind == 0) // sparse
            for (uint32_t i = 1 + random() % 4000; i > 0; --i)
                out.insert(base | random() % 65536);
        if (kind == 1) // dense
            for (uint32_t i = 0; i < 8000; ++i)
                out.insert(base | random() % 65536);
        if (kind == 2) // runs
            for (uint32_t i = begin; i < 65536 && i < begin + 30000; ++i)
                if (i % 1000 != 7)
                    out.insert(base | i);
        if (kind == 3) // borders
            out.insert({base, base | 0xffff});
        if (kind == 4 && random() % 3 == 0) // everything
            for (uint32_t i = 0; i < 65536; ++i)
                out.insert(base | i);
    }
    return out;
}

std::vector<uint64_t> bases32(std::mt19937 &random) {
    std::vector<uint64_t> out;
    for (uint32_t i = random() % 8; i > 0; --i)
        out.push_back(uint64_t{random() % 12} << 16);
    if (random() % 2 != 0)
        out.push_back(0xffff0000);
    if (random() % 2 != 0)
        out.push_back(0x7fff0000);
    return out;
}

std::vector<uint64_t> bases64(std::mt19937 &random) {
    std::vector<uint64_t> out = bases32(random);
    for (uint32_t i = random() % 6; i > 0; --i)
        out.push_back(uint64_t{random() % 4} << 62 | uint64_t{random() % 3} << 32 | uint64_t{random() % 3} << 16);
    if (random() % 2 != 0)
        out.push_back(0xffffffffffff0000);
    return out;
}

// Remembers how much was fetched. Each slice is memory of its own, so that the sanitizer sees who reads beyond it.
class CountingSource final : public ByteSource {
  public:
    explicit CountingSource(Bytes bytes) : bytes_(bytes) {}
    uint64_t size() const noexcept override { return bytes_.size(); }
    Bytes fetch(uint64_t offset, uint64_t length) override {
        if (offset > bytes_.size() || length > bytes_.size() - offset)
            throw_corrupted("The test's source was asked for too much.");
        fetched += length;
        slices_.push_back(std::make_unique<std::vector<uint8_t>>(
            bytes_.begin() + static_cast<int64_t>(offset), bytes_.begin() + static_cast<int64_t>(offset + length)));
        return *slices_.back();
    }
    uint64_t fetched = 0;

  private:
    Bytes bytes_;
    std::vector<std::unique_ptr<std::vector<uint8_t>>> slices_;
};

std::vector<uint64_t> read_all(ByteSource &source, BitmapWidth width) {
    std::vector<uint64_t> out;
    BitmapCursor cursor(source, width);
    for (uint64_t member = 0; cursor.next(member);)
        out.push_back(member);
    return out;
}

void expect_answers(const std::vector<uint8_t> &bytes, const std::set<uint64_t> &set, BitmapWidth width,
                    std::mt19937 &random) {
    CountingSource source(bytes);
    BitmapView view(source, width);
    std::vector<uint64_t> list(set.begin(), set.end());
    const uint64_t most = width == bits32 ? 0xffffffff : ~uint64_t{0};

    EXPECT_NO_THROW(check_bitmap(bytes, width, sqlstate::data_corrupted));
    EXPECT_EQ(view.empty(), set.empty());
    EXPECT_EQ(view.cardinality(), set.size());
    EXPECT_EQ(read_all(source, width), list);
    EXPECT_EQ(view.minimum(), set.empty() ? std::nullopt : std::optional(list.front()));
    EXPECT_EQ(view.maximum(), set.empty() ? std::nullopt : std::optional(list.back()));
    EXPECT_EQ(view.select(set.size()), std::nullopt);
    EXPECT_EQ(view.range_cardinality(0, most), set.size());
    EXPECT_EQ(view.range_cardinality(5, 4), 0u);

    std::vector<uint64_t> asked = {0, 1, 65535, 65536, 65537, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    for (int i = 0; i < 30 && !list.empty(); ++i)
        for (uint64_t by : {-1, 0, 1})
            asked.push_back((list[random() % list.size()] + by) & most);
    if (width == bits64)
        asked.insert(asked.end(), {uint64_t{1} << 32, uint64_t{1} << 63, (uint64_t{1} << 63) - 1, ~uint64_t{0}});
    uint64_t other = asked[random() % asked.size()];
    for (uint64_t member : asked) {
        auto at = std::upper_bound(list.begin(), list.end(), member);
        auto rank = static_cast<uint64_t>(at - list.begin());
        bool is_in = set.count(member) != 0;
        EXPECT_EQ(view.contains(member), is_in) << member;
        EXPECT_EQ(view.rank(member), rank) << member;
        EXPECT_EQ(view.index(member), is_in ? std::optional(rank - 1) : std::nullopt) << member;
        if (is_in) {
            EXPECT_EQ(view.select(rank - 1), member);
        }
        uint64_t from = std::min(member, other), to = std::max(member, other);
        EXPECT_EQ(view.range_cardinality(from, to),
                  static_cast<uint64_t>(std::upper_bound(list.begin(), list.end(), to) -
                                        std::lower_bound(list.begin(), list.end(), from)));
    }
}

Bitmap bitmap_of(const std::set<uint64_t> &set) {
    std::vector<uint32_t> values(set.begin(), set.end());
    return Bitmap::of(values);
}
Bitmap64 bitmap64_of(const std::set<uint64_t> &set) {
    std::vector<uint64_t> values(set.begin(), set.end());
    return Bitmap64::of(values);
}

std::string code_of(Bytes bytes, BitmapWidth width) {
    try {
        check_bitmap(bytes, width, "22P03");
    } catch (const Error &e) {
        EXPECT_FALSE(e.detail().empty());
        return e.sqlstate();
    }
    return "";
}

// Whatever the bytes are: an answer or data_corrupted.
int ask_everything(Bytes bytes, BitmapWidth width) {
    int refused = 0;
    auto ask = [&](auto question) {
        try {
            CountingSource source(bytes);
            BitmapView view(source, width);
            question(view, source);
        } catch (const Error &e) {
            EXPECT_EQ(std::string(e.sqlstate()), "XX001");
            EXPECT_EQ(e.message(), "invalid roaring bitmap");
            ++refused;
        }
    };
    ask([](BitmapView &v, ByteSource &) { v.cardinality(); });
    ask([](BitmapView &v, ByteSource &) { v.empty(); });
    ask([](BitmapView &v, ByteSource &) { v.minimum(); });
    ask([](BitmapView &v, ByteSource &) { v.maximum(); });
    for (uint64_t member : {uint64_t{0}, uint64_t{70000}, uint64_t{0xffffffff}, ~uint64_t{0}}) {
        if (width == bits32)
            member &= 0xffffffff;
        ask([&](BitmapView &v, ByteSource &) { v.contains(member); });
        ask([&](BitmapView &v, ByteSource &) { v.index(member); });
        ask([&](BitmapView &v, ByteSource &) { v.select(member % 100000); });
        ask([&](BitmapView &v, ByteSource &) { v.range_cardinality(member / 2, member); });
    }
    ask([&](BitmapView &, ByteSource &s) {
        BitmapCursor cursor(s, width);
        uint64_t before = 0, member = 0;
        for (int i = 0; i < 300000 && cursor.next(member); ++i, before = member)
            EXPECT_TRUE(i == 0 || member > before);
    });
    return refused;
}

} // namespace

// The cursor decodes 256 members at a time: containers and runs that end with a block, before it and behind it.
TEST(BitmapView, CursorGoesOnBehindBlocks) {
    for (const uint32_t size : {1U, 15U, 16U, 255U, 256U, 257U, 511U, 512U, 513U, 5000U})
        for (const uint32_t step : {1U, 2U, 3U, 131U, 65536U}) {
            std::set<uint64_t> set;
            for (uint64_t i = 0; i < size; ++i)
                if (i * step <= 0xffffffff)
                    set.insert(i * step);
            set.insert(0xffffffff);
            for (const bool runs : {false, true}) {
                Bitmap bitmap = bitmap_of(set);
                if (runs)
                    bitmap.optimize();
                const std::vector<uint8_t> bytes = bytes_of(bitmap);
                MemorySource source(bytes);
                EXPECT_EQ(read_all(source, bits32), std::vector<uint64_t>(set.begin(), set.end()))
                    << size << " " << step;
            }
        }
}

TEST(BitmapView, AgreesWithSets32) {
    std::mt19937 random(11);
    for (int i = 0; i < 30; ++i) {
        std::set<uint64_t> set = i == 0 ? std::set<uint64_t>() : random_set(random, bases32(random));
        Bitmap bitmap = bitmap_of(set);
        if (i % 2 != 0)
            bitmap.optimize();
        expect_answers(bytes_of(bitmap), set, bits32, random);
    }
}

TEST(BitmapView, AgreesWithSets64) {
    std::mt19937 random(12);
    for (int i = 0; i < 30; ++i) {
        std::set<uint64_t> set = i == 0 ? std::set<uint64_t>() : random_set(random, bases64(random));
        Bitmap64 bitmap = bitmap64_of(set);
        if (i % 2 != 0)
            bitmap.optimize();
        expect_answers(bytes_of(bitmap), set, bits64, random);
    }
}

TEST(BitmapView, RunsWithoutOffsets) { // fewer than four containers, one of runs: no table of offsets
    std::mt19937 random(13);
    for (uint64_t containers = 1; containers <= 5; ++containers) {
        std::set<uint64_t> set;
        for (uint64_t key = 0; key < containers; ++key)
            for (uint64_t low = 0; low < 5000; ++low)
                if (key == 1 || low % (3 * key + 1) == 0)
                    set.insert(key << 16 | low);
        Bitmap bitmap = bitmap_of(set);
        bitmap.optimize();
        expect_answers(bytes_of(bitmap), set, bits32, random);
    }
}

TEST(BitmapView, AllMembers) {
    Bitmap all;
    all.add_range(0, uint64_t{1} << 32);
    all.optimize();
    std::vector<uint8_t> bytes = bytes_of(all);
    CountingSource source(bytes);
    BitmapView view(source, bits32);
    EXPECT_EQ(view.cardinality(), uint64_t{1} << 32);
    EXPECT_EQ(view.rank(0xffffffff), uint64_t{1} << 32);
    EXPECT_EQ(view.minimum(), 0u);
    EXPECT_EQ(view.maximum(), 0xffffffffu);
    EXPECT_EQ(view.select(0x80000001), 0x80000001u);
    EXPECT_EQ(code_of(bytes, bits32), "");
}

TEST(BitmapView, ReadsLittleOfLargeBitmaps) {
    std::mt19937 random(14);
    Bitmap dense;
    for (uint32_t i = 0; i < 2000000; ++i)
        dense.add(random() % (1u << 24));
    std::vector<uint8_t> bytes = bytes_of(dense);
    ASSERT_GT(bytes.size(), 2000000u);
    auto cost = [&](auto question) {
        CountingSource source(bytes);
        BitmapView view(source, bits32);
        question(view);
        return source.fetched;
    };
    EXPECT_LT(cost([](BitmapView &v) { v.contains(12345678); }), 5000u); // the keys and one byte
    EXPECT_LT(cost([](BitmapView &v) { v.cardinality(); }), 5000u);
    EXPECT_LT(cost([](BitmapView &v) { v.minimum(); }), 9000u); // one container
    EXPECT_LT(cost([](BitmapView &v) { v.maximum(); }), 9000u);
    EXPECT_LT(cost([](BitmapView &v) { v.rank(12345678); }), 17000u);
    EXPECT_LT(cost([](BitmapView &v) { v.empty(); }), 9u);

    Bitmap wide; // the most containers that there can be: the search must not read all keys
    for (uint32_t key = 0; key < 65536; ++key)
        if (key % 3 != 0)
            wide.add(key << 16 | 7);
    bytes = bytes_of(wide);
    EXPECT_LT(cost([](BitmapView &v) { EXPECT_TRUE(v.contains(0x80000007)); }), 17000u);
    EXPECT_LT(cost([](BitmapView &v) { EXPECT_FALSE(v.contains(0x80010007)); }), 17000u);
}

TEST(BitmapView, CheckRefusesWhatIsNotExactlyOneBitmap) {
    std::mt19937 random(15);
    for (BitmapWidth width : {bits32, bits64}) {
        std::set<uint64_t> set = random_set(random, {0, 0x10000, 0x20000, 0x30000, 0x50000});
        set.insert({1, 2, 3, 0x50001});
        Bitmap small = bitmap_of(set);
        Bitmap64 large = bitmap64_of(set);
        small.optimize();
        large.optimize();
        std::vector<uint8_t> bytes = width == bits32 ? bytes_of(small) : bytes_of(large);
        EXPECT_EQ(code_of(bytes, width), "");
        for (size_t n = 0; n < bytes.size(); n = n < 200 ? n + 1 : n + 997)
            EXPECT_EQ(code_of(Bytes(bytes).first(n), width), "22P03") << n;
        bytes.push_back(0);
        EXPECT_EQ(code_of(bytes, width), "22P03");
    }
}

TEST(BitmapView, CheckSeesWhatCRoaringPassesOver) {
    std::vector<uint32_t> members = {1, 0x10001, 0x20001, 0x30001};
    std::vector<uint8_t> bytes = bytes_of(Bitmap::of(members));
    bytes[8 + 4 * 4] += 2; // the first offset
    EXPECT_EQ(code_of(bytes, bits32), "22P03");
    Bitmap run;
    run.add_range(10, 100);
    run.optimize();
    bytes = bytes_of(run);
    EXPECT_EQ(code_of(bytes, bits32), "");
    bytes[7] += 1; // the cardinality of a container of runs
    EXPECT_EQ(code_of(bytes, bits32), "22P03");
}

TEST(BitmapView, TakesAnyBytesSafely) {
    std::mt19937 random(16);
    for (BitmapWidth width : {bits32, bits64}) {
        int refused = 0;
        for (int i = 0; i < 1500; ++i) {
            std::set<uint64_t> set;
            for (uint64_t base : {0, 0x10000, 0x70000})
                for (uint32_t n = random() % 40; n > 0; --n)
                    set.insert(base | random() % (i % 3 == 0 ? 50 : 65536));
            if (i % 100 == 0)
                for (uint64_t low = 0; low < 9000; ++low)
                    set.insert(0x20000 | low * 7);
            Bitmap small = bitmap_of(set);
            Bitmap64 large = bitmap64_of(set);
            if (i % 2 != 0) {
                small.optimize();
                large.optimize();
            }
            std::vector<uint8_t> wrong = width == bits32 ? bytes_of(small) : bytes_of(large);
            for (uint32_t n = 1 + random() % 4; n > 0; --n)
                wrong[random() % (i % 4 != 0 ? std::min<size_t>(64, wrong.size()) : wrong.size())] =
                    static_cast<uint8_t>(random() % 3 == 0 ? 255 : random());
            if (i % 5 == 0)
                wrong.resize(random() % wrong.size());
            refused += ask_everything(wrong, width);
            if (code_of(wrong, width).empty()) { // what passes the check is a bitmap for CRoaring too
                if (width == bits32) {
                    EXPECT_EQ(bytes_of(Bitmap::deserialize(wrong, "22P03")).size(), wrong.size());
                } else {
                    EXPECT_NO_THROW(Bitmap64::deserialize(wrong, "22P03"));
                }
            }
        }
        EXPECT_GT(refused, 1000);
    }
}
