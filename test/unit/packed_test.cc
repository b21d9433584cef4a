// The integer codec: every width, every way of packing, random access, and blocks that lie.
#include <gtest/gtest.h>

#include <random>

#include "core/bytes.hh"
#include "core/checksum.hh"
#include "core/packed.hh"

using namespace fas;

namespace {

using Values = std::vector<uint64_t>;

Values round_trip(const Values &values, size_t *size = nullptr) {
    std::vector<uint8_t> bytes;
    pack_block(values, bytes);
    if (size != nullptr)
        *size = bytes.size();
    EXPECT_LE(bytes.size(), packed_block_most_bytes);
    Values out(packed_block);
    unpack_block(bytes, bytes.size(), static_cast<uint32_t>(values.size()), out.data());
    // With room behind the block the same comes out by another way.
    Values again(packed_block);
    std::vector<uint8_t> roomy(bytes);
    roomy.resize(bytes.size() + 2000, 0xff);
    unpack_block(Bytes(roomy).first(bytes.size()), roomy.size(), static_cast<uint32_t>(values.size()), again.data());
    out.resize(values.size());
    again.resize(values.size());
    EXPECT_EQ(out, again);
    return out;
}

uint64_t random_below_width(std::mt19937_64 &random, unsigned width) {
    return width == 0 ? 0 : random() >> (64 - width);
}

TEST(Packed, EveryWidthAndCount) {
    std::mt19937_64 random(1);
    for (unsigned width = 0; width <= 64; ++width)
        for (const size_t count : {1, 2, 3, 7, 8, 9, 15, 63, 64, 100, 127, 128}) {
            Values values(count);
            for (uint64_t &value : values)
                value = random_below_width(random, width);
            ASSERT_EQ(round_trip(values), values) << width << " bits, " << count << " values";
            std::sort(values.begin(), values.end());
            ASSERT_EQ(round_trip(values), values) << width << " bits, ascending, " << count << " values";
        }
}

TEST(Packed, OutliersArePatched) {
    std::mt19937_64 random(2);
    for (unsigned width = 0; width < 62; ++width)
        for (unsigned outlier = width + 2; outlier <= 64; outlier += 7) {
            Values values(packed_block);
            for (uint64_t &value : values)
                value = random_below_width(random, width);
            values[0] = 1; // does not ascend
            values[5] = values[100] = uint64_t{1} << (outlier - 1);
            size_t size = 0;
            ASSERT_EQ(round_trip(values, &size), values);
            if (outlier > width + 8) {
                EXPECT_LT(size, packed_block * (width + 2) / 8 + 40) << width << " " << outlier;
            }
        }
}

TEST(Packed, SizesAreWhatTheFormatPromises) {
    size_t size = 0;
    round_trip(Values(128, 7), &size);
    EXPECT_EQ(size, packed_block_least_bytes); // code, base
    Values rising(128);
    for (size_t i = 0; i < 128; ++i)
        rising[i] = 1000000 + 17 * i;
    round_trip(rising, &size);
    EXPECT_EQ(size, 5u); // code, base in 3 bytes, step
}

TEST(Packed, ExtremesDoNotOverflow) {
    const uint64_t most = UINT64_MAX;
    for (const Values &values : {Values{most}, Values{0, most}, Values{most, 0}, Values{most, most, most},
                                 Values{0, 0, most}, Values{most - 1, most, most - 1}, Values{0}})
        EXPECT_EQ(round_trip(values), values);
}

TEST(Packed, BlocksThatLieAreRefused) {
    std::vector<uint8_t> good;
    Values values(100);
    std::mt19937_64 random(3);
    for (uint64_t &value : values)
        value = random() % 1000;
    values[50] = UINT64_MAX;
    pack_block(values, good);
    Values out(packed_block);
    const auto refused = [&](const std::vector<uint8_t> &bytes, uint32_t count = 100) {
        try {
            unpack_block(bytes, bytes.size(), count, out.data());
            return false;
        } catch (const Error &error) {
            return std::string(error.sqlstate()) == sqlstate::data_corrupted;
        }
    };
    EXPECT_FALSE(refused(good));
    for (size_t length = 0; length < good.size(); ++length)
        EXPECT_TRUE(refused({good.begin(), good.begin() + static_cast<ptrdiff_t>(length)})) << length;
    std::vector<uint8_t> longer(good);
    longer.push_back(0);
    EXPECT_TRUE(refused(longer));
    EXPECT_TRUE(refused({0xff, 0, 0}));                 // delta and patched at once
    EXPECT_TRUE(refused({3, 0, 0x80}, 2));              // bits behind the last value
    EXPECT_FALSE(refused({3, 0, 0x3f}, 2));             // the same without them
    EXPECT_TRUE(refused({65, 0, 1, 8, 2, 1}, 2));       // patches a third value of two
    EXPECT_TRUE(refused({65, 0, 2, 8, 1, 1, 1, 1}, 2)); // the same value twice
    EXPECT_TRUE(refused({65 + 60, 0, 0, 5}, 0));        // more than 64 bits
    EXPECT_TRUE(refused({0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}, 2)); // base of 65 bits
}

struct Column {
    explicit Column(const Values &values) {
        ColumnWriter writer;
        writer.push(std::span(values).first(values.size() / 2));
        for (const uint64_t value : std::span(values).subspan(values.size() / 2))
            writer.push(value);
        EXPECT_EQ(writer.count(), values.size());
        bytes = {9, 9, 9}; // not at the source's beginning
        const ColumnWriter *columns[] = {values.empty() ? nullptr : &writer, nullptr};
        append_column_set(columns, bytes);
        EXPECT_LE(bytes.size(), 3 + most_column_set_bytes(columns));
    }
    std::vector<uint8_t> bytes;
};

TEST(ColumnSet, RandomAccess) {
    std::mt19937_64 random(4);
    for (const size_t count : {0, 1, 127, 128, 129, 1000, 5000}) {
        Values values(count);
        for (size_t i = 0; i < count; ++i)
            values[i] = i / 300 % 2 ? i * 3 : random() >> random() % 40;
        const Column column(values);
        MemorySource source(column.bytes);
        ColumnSet set(source, 3, column.bytes.size() - 3, 2, static_cast<uint32_t>(count), 2);
        EXPECT_EQ(set.has(1), count == 0);
        for (int i = 0; i < 200; ++i) {
            const auto begin = static_cast<uint32_t>(random() % (count + 1));
            const auto end = static_cast<uint32_t>(begin + random() % (count - begin + 1));
            Values out(end - begin), zeros(end - begin, 1);
            set.read(0, begin, end, out.data());
            ASSERT_TRUE(std::equal(out.begin(), out.end(), values.begin() + begin));
            set.read(1, begin, end, zeros.data());
            ASSERT_EQ(std::count(zeros.begin(), zeros.end(), 0u), end - begin);
        }
        Values out(1);
        EXPECT_THROW(set.read(0, 0, static_cast<uint32_t>(count + 1), out.data()), Error);
        EXPECT_THROW(set.read(0, 1, 0, out.data()), Error);
    }
}

TEST(ColumnSet, NarrowReadsRefuseWideValues) {
    Values values(200, 5);
    values[150] = uint64_t{1} << 32;
    const Column column(values);
    MemorySource source(column.bytes);
    ColumnSet set(source, 3, column.bytes.size() - 3, 2, 200, 2);
    std::vector<uint32_t> out(200);
    set.read(0, 0, 150, out.data());
    EXPECT_EQ(out[149], 5u);
    EXPECT_THROW(set.read(0, 0, 151, out.data()), Error);
    set.read(0, 151, 200, out.data()); // beside it in the same block
}

TEST(ColumnSet, DirectoriesThatLieAreRefused) {
    const Column column(Values(300, 77));
    const auto opens = [&](std::vector<uint8_t> bytes, uint32_t count = 300, uint32_t optional = 2) {
        MemorySource source(bytes);
        try {
            ColumnSet set(source, 3, bytes.size() - 3, 2, count, optional);
            Values out(count);
            set.read(0, 0, count, out.data());
            return true;
        } catch (const Error &error) {
            EXPECT_STREQ(error.sqlstate(), sqlstate::data_corrupted);
            return false;
        }
    };
    EXPECT_TRUE(opens(column.bytes));
    EXPECT_FALSE(opens(column.bytes, 300, 0)); // the second column is not optional
    EXPECT_FALSE(opens(column.bytes, 0));
    EXPECT_FALSE(opens(column.bytes, 128));
    EXPECT_FALSE(opens(column.bytes, 500));
    EXPECT_FALSE(opens(column.bytes, UINT32_MAX));
    for (size_t at = 3; at < column.bytes.size(); ++at)
        for (const int change : {1, 0x80}) {
            std::vector<uint8_t> bytes = column.bytes;
            bytes[at] = static_cast<uint8_t>(bytes[at] ^ change);
            const bool opened = opens(bytes); // a change of values is not seen here
            EXPECT_FALSE(opened && at < 3 + 8 + 6) << "lengths and block sizes, at " << at;
        }
    for (size_t length = 3; length < column.bytes.size(); ++length)
        EXPECT_FALSE(opens({column.bytes.begin(), column.bytes.begin() + static_cast<ptrdiff_t>(length)}));
}

TEST(Checksum, KnownAnswersBothWays) {
    const std::string digits = "123456789";
    const Bytes bytes(reinterpret_cast<const uint8_t *>(digits.data()), digits.size());
    EXPECT_EQ(crc32c(bytes), 0xe3069283u);
    EXPECT_EQ(crc32c_portable(bytes), 0xe3069283u);
    EXPECT_EQ(crc32c(std::vector<uint8_t>(32, 0)), 0x8a9136aau); // RFC 3720, B.4
    std::mt19937_64 random(5);
    std::vector<uint8_t> noise(20000);
    for (uint8_t &byte : noise)
        byte = static_cast<uint8_t>(random());
    for (size_t i = 0; i < 200; ++i) {
        const Bytes part = Bytes(noise).subspan(i, random() % (i % 2 == 0 ? 700 : 19000));
        const size_t cut = random() % (part.size() + 1);
        ASSERT_EQ(crc32c(part), crc32c_portable(part));
        ASSERT_EQ(crc32c(part.subspan(cut), crc32c(part.first(cut))), crc32c(part)); // continues
    }
}

} // namespace
