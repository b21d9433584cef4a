// The state of the bitmap aggregates: members and bitmaps gathered by either, odd number and all, against CRoaring.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <unordered_map>

#include "core/bitmap/bitmap.hh"
#include "core/bitmap/bitmap64.hh"
#include "core/bitmap/gather.hh"

using namespace fas;

namespace {

// Memory that goes as a whole, as a memory context does; what is given back must have been taken, in its right size.
class Room final : public std::pmr::memory_resource {
  public:
    ~Room() override {
        for (auto [pointer, size] : taken_)
            std::free(pointer);
    }
    size_t held = 0;

  private:
    void *do_allocate(size_t size, size_t) override {
        void *out = std::malloc(size);
        taken_[out] = size;
        held += size;
        return out;
    }
    void do_deallocate(void *pointer, size_t size, size_t) override {
        auto found = taken_.find(pointer);
        ASSERT_TRUE(found != taken_.end() && found->second == size);
        taken_.erase(found);
        held -= size;
        std::free(pointer);
    }
    bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }
    std::unordered_map<void *, size_t> taken_;
};

template <class AnyBitmap> std::vector<uint8_t> bytes_of(const AnyBitmap &bitmap) {
    std::vector<uint8_t> out(bitmap.serialized_size());
    bitmap.serialize(out.data());
    return out;
}

std::vector<uint8_t> bytes_of(BitmapGatherer &gatherer, BitmapWidth width) {
    BitmapWriter writer(gatherer, width);
    std::vector<uint8_t> out(writer.size());
    writer.write(out.data());
    return out;
}

// CRoaring decides about runs from plain containers: then its smallest form is the one and only.
template <class AnyBitmap> std::vector<uint8_t> smallest(const AnyBitmap &bitmap) {
    auto values = bitmap.values();
    AnyBitmap plain = AnyBitmap::of(values);
    plain.optimize();
    return bytes_of(plain);
}

template <class AnyBitmap> struct Kind;
template <> struct Kind<Bitmap> {
    static constexpr BitmapWidth width = BitmapWidth::bits32;
    using Value = uint32_t;
    static uint64_t base(std::mt19937 &random) { return uint64_t{random() % 7 == 0 ? 0xffff : random() % 9} << 16; }
};
template <> struct Kind<Bitmap64> {
    static constexpr BitmapWidth width = BitmapWidth::bits64;
    using Value = uint64_t;
    static uint64_t base(std::mt19937 &random) {
        return uint64_t{random() % 4} << 62 | uint64_t{random() % 3} << 32 | uint64_t{random() % 3} << 16;
    }
};

// Some containers of any kind.
template <class AnyBitmap> AnyBitmap random_bitmap(std::mt19937 &random, uint32_t containers) {
    std::vector<typename Kind<AnyBitmap>::Value> values;
    auto take = [&](uint64_t value) { values.push_back(static_cast<typename Kind<AnyBitmap>::Value>(value)); };
    for (uint32_t i = random() % (containers + 1); i > 0; --i) {
        uint64_t base = Kind<AnyBitmap>::base(random);
        uint32_t begin = random() % 65536, length = random() % 40000, step = 2 + random() % 3;
        switch (random() % 8) {
        case 0:
            for (uint32_t n = random() % 6; n > 0; --n)
                take(base | random() % 65536);
            break;
        case 1:
            for (uint32_t n = random() % 3000; n > 0; --n)
                take(base | random() % 65536);
            break;
        case 2:
            for (uint32_t n = 0; n < 6000; ++n)
                take(base | random() % 65536);
            break;
        case 3: // a run
            for (uint32_t low = begin; low < 65536 && low < begin + length; ++low)
                take(base | low);
            break;
        case 4: // many runs
            for (uint32_t low = begin % 50; low < 65536; ++low)
                if (low / 64 % step == 0)
                    take(base | low);
            break;
        case 5: // every other member: the most runs
            for (uint32_t low = begin % 2; low < begin; low += 2)
                take(base | low);
            break;
        case 6: // everything
            for (uint32_t low = 0; low < 65536; ++low)
                take(base | low);
            break;
        default: // a few, within a few
            for (uint32_t n = random() % 50; n > 0; --n)
                take(base | random() % 64);
            break;
        }
    }
    AnyBitmap out = AnyBitmap::of(values);
    if (random() % 2 != 0)
        out.optimize();
    return out;
}

template <class AnyBitmap> class BitmapGather : public testing::Test {
  protected:
    static constexpr BitmapWidth width = Kind<AnyBitmap>::width;

    static void gather(BitmapGatherer &to, const AnyBitmap &from) {
        std::vector<uint8_t> bytes = bytes_of(from);
        MemorySource source(bytes);
        BitmapView view(source, width);
        to.gather(view);
    }
    static void intersect(BitmapGatherer &to, const AnyBitmap &from) {
        std::vector<uint8_t> bytes = bytes_of(from);
        MemorySource source(bytes);
        BitmapView view(source, width);
        to.intersect(view);
    }
    static void expect(BitmapGatherer &gatherer, const AnyBitmap &expected) {
        EXPECT_EQ(gatherer.cardinality(), expected.cardinality());
        std::vector<uint8_t> bytes = bytes_of(gatherer, width);
        EXPECT_EQ(bytes, smallest(expected));
        EXPECT_NO_THROW(check_bitmap(bytes, width, "22P03"));
        EXPECT_EQ(bytes_of(gatherer, width), bytes); // asking changes nothing
    }
};

using Kinds = testing::Types<Bitmap, Bitmap64>;
TYPED_TEST_SUITE(BitmapGather, Kinds);

} // namespace

TYPED_TEST(BitmapGather, Nothing) {
    Room room;
    BitmapGatherer gatherer(room, Gathering::unite);
    EXPECT_TRUE(gatherer.empty());
    this->expect(gatherer, TypeParam());
    this->gather(gatherer, TypeParam());
    this->expect(gatherer, TypeParam());
}

TYPED_TEST(BitmapGather, UnitesBitmaps) {
    std::mt19937 random(21);
    for (int i = 0; i < 24; ++i) {
        Room room;
        BitmapGatherer gatherer(room, Gathering::unite);
        TypeParam expected;
        for (int n = 0; n < 1 + i % 12; ++n) {
            TypeParam next = random_bitmap<TypeParam>(random, i % 3 == 0 ? 1 : 8);
            this->gather(gatherer, next);
            expected |= next;
            if (n % 5 == 3)
                this->expect(gatherer, expected); // as a window function does
        }
        this->expect(gatherer, expected);
    }
}

// What comes is there already, but for its end, its middle, or a run that touches another.
TYPED_TEST(BitmapGather, UnitesRunsThatAreMostlyThere) {
    using Value = typename Kind<TypeParam>::Value;
    std::mt19937 random(32);
    for (int i = 0; i < 60; ++i) {
        Room room;
        BitmapGatherer gatherer(room, Gathering::unite);
        TypeParam expected;
        const uint32_t distance = 8 + random() % 200, length = 3 + random() % (distance - 3);
        for (int n = 0; n < 8; ++n) {
            std::vector<Value> values;
            const uint32_t runs = 1 + random() % 150, odd = random() % 200;
            for (uint32_t run = 0, first = random() % 3 * distance; run < runs; ++run, first += distance)
                for (uint32_t low = first; low < first + (run == odd ? distance : length) && low < 65536; ++low)
                    values.push_back(static_cast<Value>(low + (run == odd ? random() % 3 : 0)));
            TypeParam next = TypeParam::of(values);
            next.optimize();
            this->gather(gatherer, next);
            expected |= next;
            this->expect(gatherer, expected);
        }
    }
}

TYPED_TEST(BitmapGather, TogglesBitmaps) {
    std::mt19937 random(22);
    for (int i = 0; i < 24; ++i) {
        Room room;
        BitmapGatherer gatherer(room, Gathering::toggle);
        TypeParam expected;
        for (int n = 0; n < 1 + i % 12; ++n) {
            TypeParam next = random_bitmap<TypeParam>(random, i % 3 == 0 ? 1 : 8);
            this->gather(gatherer, next);
            expected ^= next;
            if (n % 5 == 3)
                this->expect(gatherer, expected);
            if (n % 4 == 1) { // and back: all gone
                this->gather(gatherer, expected);
                this->expect(gatherer, TypeParam());
                this->gather(gatherer, expected);
            }
        }
        this->expect(gatherer, expected);
    }
}

TYPED_TEST(BitmapGather, IntersectsBitmaps) {
    std::mt19937 random(23);
    for (int i = 0; i < 40; ++i) {
        Room room;
        BitmapGatherer gatherer(room, Gathering::unite);
        TypeParam expected = random_bitmap<TypeParam>(random, 30);
        this->gather(gatherer, expected);
        for (int n = 0; n < 1 + i % 4; ++n) {
            TypeParam next = random_bitmap<TypeParam>(random, 30);
            this->intersect(gatherer, next);
            expected &= next;
            this->expect(gatherer, expected);
            EXPECT_EQ(gatherer.empty(), expected.empty());
        }
    }
}

// In many containers, again and again, by stretches and scattered, also with questions in between; and toggled.
TYPED_TEST(BitmapGather, AddsMembersOfManyContainers) {
    using Value = typename Kind<TypeParam>::Value;
    std::mt19937_64 random(29);
    for (const Gathering gathering : {Gathering::unite, Gathering::toggle}) {
        Room room;
        BitmapGatherer gatherer(room, gathering);
        TypeParam expected;
        auto add = [&](uint64_t value) {
            const auto member = static_cast<Value>(value);
            gatherer.add(member);
            if (gathering == Gathering::toggle && expected.contains(member))
                expected.remove(member);
            else
                expected.add(member);
        };
        for (int i = 0; i < 12; ++i) {
            const uint64_t step = uint64_t{1} << (i * 3 % 17), begin = random() >> 8;
            for (uint64_t n = 0; n < 5000; ++n)
                add(i % 3 == 0 ? random() : i % 3 == 1 ? begin + n * step : random() % 20000000);
            if (i % 4 == 2)
                this->expect(gatherer, expected);
            add(7); // an odd number of times, or an even one
        }
        this->expect(gatherer, expected);
    }
}

// A frame that moves on and on, over containers that are all new: what has left it takes no room.
TYPED_TEST(BitmapGather, ShedsWhatLeftTheFrame) {
    using Value = typename Kind<TypeParam>::Value;
    std::mt19937 random(31);
    Room room;
    BitmapGatherer gatherer(room, Gathering::toggle);
    std::vector<TypeParam> rows;
    size_t most = 0;
    constexpr size_t frame = 4;
    for (size_t i = 0; i < 400; ++i) {
        std::vector<Value> values;
        for (uint64_t n = 0, count = i % 5 == 0 ? 9000 : 1 + random() % 300; n < count; ++n)
            values.push_back(static_cast<Value>((uint64_t{i} << 17) + random() % 150000));
        rows.push_back(TypeParam::of(values));
        this->gather(gatherer, rows[i]);
        if (i >= frame) {
            this->gather(gatherer, rows[i - frame]);
            gatherer.shed();
        }
        most = std::max(most, room.held);
        if (i % 50 == 49) {
            TypeParam expected;
            for (size_t n = i + 1 - frame; n <= i; ++n)
                expected ^= rows[n];
            this->expect(gatherer, expected);
        }
    }
    EXPECT_LT(most, 64 * 8192 + 65536); // of some 800 containers
    for (size_t n = rows.size() - frame; n < rows.size(); ++n)
        this->gather(gatherer, rows[n]);
    this->expect(gatherer, TypeParam());
}

// What is kept until it is added takes no more room than what has come.
TEST(BitmapGatherMemory, AddingIsBounded) {
    for (const uint64_t count : {1, 60, 300, 5000, 100000}) {
        Room room;
        BitmapGatherer gatherer(room, Gathering::unite);
        for (uint64_t i = 0; i < count; ++i)
            gatherer.add(i % 50);
        EXPECT_LE(room.held, 1024 + std::min<uint64_t>(2 * count, 8192)) << count;
    }
}

TYPED_TEST(BitmapGather, AddsMembers) {
    std::mt19937 random(24);
    for (int i = 0; i < 20; ++i) {
        Room room;
        BitmapGatherer gatherer(room, Gathering::unite);
        TypeParam expected;
        uint32_t span = i % 5 == 0 ? 100 : i % 5 == 1 ? 70000 : 300000;
        for (uint32_t n = 0; n < 30000; ++n) {
            auto member = static_cast<typename Kind<TypeParam>::Value>(
                i % 3 == 0 ? uint64_t{n} * (1 + span / 30000)
                           : Kind<TypeParam>::base(random) * (i % 2) + random() % span);
            gatherer.add(member);
            expected.add(member);
        }
        gatherer.add(0);
        expected.add(0);
        this->expect(gatherer, expected);
        TypeParam more = random_bitmap<TypeParam>(random, 8);
        this->gather(gatherer, more);
        gatherer.add(1);
        expected |= more;
        expected.add(1);
        this->expect(gatherer, expected);
    }
}

TYPED_TEST(BitmapGather, ManyContainersInAnyOrder) {
    std::mt19937 random(25);
    for (Gathering gathering : {Gathering::unite, Gathering::toggle}) {
        Room room;
        BitmapGatherer gatherer(room, gathering);
        TypeParam expected;
        for (int n = 0; n < 40000; ++n) {
            uint64_t wide = uint64_t{random()} << 32 | random();
            auto member = static_cast<typename Kind<TypeParam>::Value>(n % 4 == 0 ? wide % 5000000 : wide);
            gatherer.add(member);
            if (gathering == Gathering::toggle && expected.contains(member)) {
                TypeParam one;
                one.add(member);
                expected ^= one;
            } else {
                expected.add(member);
            }
            if (n == 20000)
                this->expect(gatherer, expected);
        }
        this->expect(gatherer, expected);
    }
}

TYPED_TEST(BitmapGather, Ranges) {
    std::mt19937 random(26);
    using Value = typename Kind<TypeParam>::Value;
    for (int i = 0; i < 40; ++i) {
        TypeParam from = random_bitmap<TypeParam>(random, 8);
        std::vector<Value> values = from.values(), inside;
        if (values.empty())
            continue;
        Value first = values[random() % values.size()], last = values[random() % values.size()];
        if (first > last)
            std::swap(first, last);
        for (Value value : values)
            if (value >= first && value <= last)
                inside.push_back(value);
        Room room;
        BitmapGatherer gatherer(room, Gathering::unite);
        std::vector<uint8_t> bytes = bytes_of(from);
        MemorySource source(bytes);
        BitmapView view(source, this->width);
        gatherer.gather_range(view, first, last);
        this->expect(gatherer, TypeParam::of(inside));
    }
}

TEST(BitmapGatherMemory, StaysInProportion) {
    Room room;
    BitmapGatherer gatherer(room, Gathering::unite);
    for (int round = 0; round < 50; ++round) // the same members again and again
        for (uint32_t i = 0; i < 40000; ++i)
            gatherer.add(i * 1000);
    EXPECT_LT(room.held, 400000u);

    Room everything;
    BitmapGatherer all(everything, Gathering::unite);
    Bitmap bitmap;
    bitmap.add_range(0, uint64_t{1} << 32);
    bitmap.optimize();
    std::vector<uint8_t> bytes = bytes_of(bitmap);
    for (int i = 0; i < 3; ++i) {
        MemorySource source(bytes);
        BitmapView view(source, BitmapWidth::bits32);
        all.gather(view);
    }
    for (uint32_t i = 0; i < 65536; ++i)
        all.add(uint64_t{i} << 16 | i);
    EXPECT_EQ(all.cardinality(), uint64_t{1} << 32);
    EXPECT_LT(everything.held, 4000000u);
}

TEST(BitmapGatherHostile, AnyBytes) {
    std::mt19937 random(27);
    int refused = 0;
    for (BitmapWidth width : {BitmapWidth::bits32, BitmapWidth::bits64})
        for (int i = 0; i < 400; ++i) {
            std::vector<uint8_t> wrong = width == BitmapWidth::bits32 ? bytes_of(random_bitmap<Bitmap>(random, 2))
                                                                      : bytes_of(random_bitmap<Bitmap64>(random, 2));
            for (uint32_t n = 1 + random() % 4; n > 0; --n)
                wrong[random() % (i % 2 != 0 ? std::min<size_t>(48, wrong.size()) : wrong.size())] =
                    static_cast<uint8_t>(random());
            if (i % 5 == 0)
                wrong.resize(random() % wrong.size());
            Bitmap some = random_bitmap<Bitmap>(random, 2);
            for (int how = 0; how < 3; ++how) {
                Room room;
                BitmapGatherer gatherer(room, how == 1 ? Gathering::toggle : Gathering::unite);
                MemorySource source(wrong);
                try {
                    BitmapView view(source, width);
                    gatherer.add(random() % 200000);
                    gatherer.gather(view);
                    gatherer.gather(view);
                    if (how == 2)
                        gatherer.intersect(view);
                    EXPECT_NO_THROW(check_bitmap(bytes_of(gatherer, width), width, "22P03"));
                } catch (const Error &e) {
                    EXPECT_EQ(std::string(e.sqlstate()), "XX001");
                    ++refused;
                }
            }
        }
    EXPECT_GT(refused, 300);
}
