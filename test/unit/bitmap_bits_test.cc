// What goes over all of a container, with whatever instructions this processor has: order, runs, bits.
#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <utility>
#include <vector>

#include "core/bitmap/bits.hh"
#include "core/bytes.hh"

using namespace fas;

namespace {

TEST(Bits, AscendOrNot) {
    for (uint32_t count = 0; count < 140; ++count) {
        std::vector<uint16_t> numbers(count);
        for (uint32_t i = 0; i < count; ++i)
            numbers[i] = static_cast<uint16_t>(i < count / 2 ? i : 0xff00 + i);
        const auto *data = reinterpret_cast<const uint8_t *>(numbers.data());
        EXPECT_TRUE(ascends(data, count));
        for (uint32_t i = 1; i < count; ++i) {
            const uint16_t right = std::exchange(numbers[i], numbers[i - 1]);
            EXPECT_FALSE(ascends(data, count)) << i << " of " << count;
            numbers[i] = right;
        }
    }
}

TEST(Bits, RunsAscendOrNot) {
    for (uint32_t count = 0; count < 70; ++count) {
        std::vector<uint8_t> bytes(1 + size_t{4} * count); // so that they lie anywhere
        uint8_t *runs = bytes.data() + 1;
        const auto put = [&](uint32_t i, uint32_t first, uint32_t last) {
            store<uint16_t>(runs + size_t{4} * i, static_cast<uint16_t>(first));
            store<uint16_t>(runs + size_t{4} * i + 2, static_cast<uint16_t>(last - first));
        };
        const auto first = [&](uint32_t i) { return 0x10000 - 900 * (count - i); };
        const auto last = [&](uint32_t i) { return first(i) + 898; }; // one is missing between any two
        uint32_t members = 7;
        for (uint32_t i = 0; i < count; ++i)
            put(i, first(i), last(i) + (i + 1 == count));
        EXPECT_TRUE(runs_ascend(runs, count, members));
        EXPECT_EQ(members, count * 899 + (count > 0));
        for (uint32_t i = 0; i < count; ++i) {
            put(i, first(i), last(i) + 1 + (i + 1 == count)); // touches the next, or the container's end
            EXPECT_FALSE(runs_ascend(runs, count, members)) << i << " of " << count;
            put(i, first(i), first(i) + 0xffff);
            EXPECT_EQ(runs_ascend(runs, count, members), first(i) == 0 && count == 1) << i << " of " << count;
            put(i, first(i), last(i) + (i + 1 == count));
            if (i > 0) {
                put(i - 1, first(i), last(i));
                EXPECT_FALSE(runs_ascend(runs, count, members)) << i << " of " << count;
                put(i - 1, first(i - 1), last(i - 1));
            }
        }
    }
}

TEST(Bits, Negate) {
    std::mt19937_64 random(3);
    for (size_t count = 0; count < 40; ++count) {
        std::vector<uint64_t> words(count), out(count + 1, 7);
        uint32_t ones = 0;
        for (uint64_t &word : words)
            ones += static_cast<uint32_t>(std::popcount(word = random()));
        const auto *from = reinterpret_cast<const uint8_t *>(words.data());
        EXPECT_EQ(negate_words(from, reinterpret_cast<uint8_t *>(out.data()), count), ones);
        for (size_t i = 0; i < count; ++i)
            EXPECT_EQ(out[i], ~words[i]);
        EXPECT_EQ(out[count], 7u);
    }
}

} // namespace
