// Conditions: what matches, and the bounds on the hour.
#include <gtest/gtest.h>

#include <random>

#include "core/filter.hh"
#include "sample.hh"

using namespace fas;

namespace {

const std::array<std::string_view, text_dimension_count> names = {"app1", "app2", "vpc"};

bool hour_matches(Comparison comparison, std::vector<int64_t> hours, uint32_t hour) {
    return Condition::hour_leaf(comparison, std::move(hours)).matches(hour, names);
}
bool name_matches(Comparison comparison, std::vector<std::string> wanted, std::string_view name) {
    return Condition::name_leaf(Dimension::dest_app, comparison, std::move(wanted)).matches(0, {"", name, ""});
}

} // namespace

TEST(Filter, HourLeaves) {
    EXPECT_TRUE(hour_matches(Comparison::in, {1, 5, 9}, 5));
    EXPECT_FALSE(hour_matches(Comparison::in, {1, 9}, 5));
    EXPECT_FALSE(hour_matches(Comparison::in, {}, 5));
    EXPECT_TRUE(hour_matches(Comparison::not_in, {}, 5));
    EXPECT_FALSE(hour_matches(Comparison::not_in, {5}, 5));
    EXPECT_TRUE(hour_matches(Comparison::less, {6}, 5));
    EXPECT_FALSE(hour_matches(Comparison::less, {5}, 5));
    EXPECT_TRUE(hour_matches(Comparison::less_equal, {5}, 5));
    EXPECT_TRUE(hour_matches(Comparison::greater, {-1}, 0));
    EXPECT_FALSE(hour_matches(Comparison::greater, {int64_t{1} << 40}, max_hour));
    EXPECT_TRUE(hour_matches(Comparison::greater_equal, {max_hour}, max_hour));
}

TEST(Filter, NameLeaves) {
    EXPECT_TRUE(name_matches(Comparison::in, {"x", "a"}, "a"));
    EXPECT_FALSE(name_matches(Comparison::in, {"A"}, "a"));
    EXPECT_TRUE(name_matches(Comparison::not_in, {"A"}, "a"));
    EXPECT_TRUE(name_matches(Comparison::less, {"a"}, "B")); // bytewise: 'B' is 0x42
    EXPECT_TRUE(name_matches(Comparison::greater, {"z"}, "é"));
    EXPECT_TRUE(name_matches(Comparison::less_equal, {"a"}, "a"));
    EXPECT_TRUE(name_matches(Comparison::greater_equal, {"a"}, "ab"));
    EXPECT_TRUE(name_matches(Comparison::prefix, {""}, "a"));
    EXPECT_TRUE(name_matches(Comparison::prefix, {"ab"}, "abc"));
    EXPECT_FALSE(name_matches(Comparison::prefix, {"abc"}, "ab"));
    EXPECT_TRUE(name_matches(Comparison::not_prefix, {"abc"}, "ab"));
    EXPECT_FALSE(name_matches(Comparison::not_prefix, {"a"}, "ab"));
}

TEST(Filter, Trees) {
    Condition app1 = Condition::name_leaf(Dimension::src_app, Comparison::in, {"app1"});
    Condition late = Condition::hour_leaf(Comparison::greater, {5});
    EXPECT_TRUE(Condition::conjunction({app1, late}).matches(6, names));
    EXPECT_FALSE(Condition::conjunction({app1, late}).matches(5, names));
    EXPECT_TRUE(Condition::disjunction({app1, late}).matches(5, names));
    EXPECT_TRUE(Condition::conjunction({}).matches(5, names));
    EXPECT_FALSE(Condition::disjunction({}).matches(5, names));
    EXPECT_TRUE(Condition::everything().matches(5, names));
    EXPECT_FALSE(Condition::nothing().matches(5, names));
    EXPECT_TRUE(Condition::conjunction({app1, late}).mentions_text());
    EXPECT_TRUE(Condition::conjunction({app1, late}).mentions_hour());
    EXPECT_FALSE(late.mentions_text());
    EXPECT_FALSE(app1.mentions_hour());
    EXPECT_FALSE(Condition::everything().mentions_hour());
}

TEST(Filter, HourBounds) {
    auto bounds = [](const Condition &c) {
        HourRange r = hour_bounds(c);
        return r.empty() ? std::pair<int64_t, int64_t>(1, 0) : std::pair<int64_t, int64_t>(r.first, r.last);
    };
    using P = std::pair<int64_t, int64_t>;
    const P none{1, 0}, all{0, max_hour};
    auto hour = [](Comparison c, std::vector<int64_t> hours) { return Condition::hour_leaf(c, std::move(hours)); };
    EXPECT_EQ(bounds(Condition::everything()), all);
    EXPECT_EQ(bounds(Condition::nothing()), none);
    EXPECT_EQ(bounds(hour(Comparison::in, {7, 3, 5})), (P{3, 7}));
    EXPECT_EQ(bounds(hour(Comparison::in, {-7, 3, int64_t{1} << 40})), (P{3, 3}));
    EXPECT_EQ(bounds(hour(Comparison::in, {-7})), none);
    EXPECT_EQ(bounds(hour(Comparison::in, {})), none);
    EXPECT_EQ(bounds(hour(Comparison::not_in, {3})), all);
    EXPECT_EQ(bounds(hour(Comparison::less, {3})), (P{0, 2}));
    EXPECT_EQ(bounds(hour(Comparison::less, {0})), none);
    EXPECT_EQ(bounds(hour(Comparison::less, {INT64_MIN})), none);
    EXPECT_EQ(bounds(hour(Comparison::less_equal, {INT64_MAX})), all);
    EXPECT_EQ(bounds(hour(Comparison::greater, {INT64_MAX})), none);
    EXPECT_EQ(bounds(hour(Comparison::greater, {max_hour})), none);
    EXPECT_EQ(bounds(hour(Comparison::greater_equal, {INT64_MIN})), all);
    EXPECT_EQ(bounds(hour(Comparison::greater_equal, {9})), (P{9, max_hour}));
    Condition a = hour(Comparison::in, {3}), b = hour(Comparison::in, {9}),
              text = Condition::name_leaf(Dimension::vpc_id, Comparison::in, {"v"});
    EXPECT_EQ(bounds(Condition::conjunction({a, b})), none);
    EXPECT_EQ(bounds(Condition::conjunction({a, text})), (P{3, 3}));
    EXPECT_EQ(bounds(Condition::disjunction({a, b})), (P{3, 9}));
    EXPECT_EQ(bounds(Condition::disjunction({b, a})), (P{3, 9}));
    EXPECT_EQ(bounds(Condition::disjunction({a, text})), all);
    EXPECT_EQ(bounds(Condition::disjunction({hour(Comparison::in, {}), b})), (P{9, 9}));
    EXPECT_EQ(bounds(Condition::disjunction({})), none);
}

TEST(Filter, NothingMatchesOutsideTheBounds) {
    std::mt19937 random(5);
    int bounded = 0;
    for (int i = 0; i < 3000; ++i) {
        Condition condition = sample::condition(random, 3);
        HourRange range = hour_bounds(condition);
        bounded += range.first > 0 || range.last < max_hour;
        for (uint32_t hour = 0; hour < sample::hours + 3; ++hour)
            for (int n = 0; n < 5; ++n) {
                std::string src = sample::name(random), dest = sample::name(random), vpc = sample::name(random);
                if (condition.matches(hour, {src, dest, vpc})) {
                    EXPECT_GE(hour, range.first);
                    EXPECT_LE(hour, range.last);
                }
            }
    }
    EXPECT_GT(bounded, 300);
}
