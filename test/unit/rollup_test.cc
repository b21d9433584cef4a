// Roll-ups against plain loops over the same flows, combined and serialised in every way.
#include <gtest/gtest.h>

#include "core/rollup.hh"
#include "sample.hh"

using namespace fas;

namespace {

sample::Answer answer_of(const Rollup &rollup) {
    sample::Answer out;
    GroupBy by = rollup.group_by();
    for (const Group &group : rollup.groups()) {
        auto text = [&](unsigned d) {
            return by.has(static_cast<Dimension>(d)) ? std::string(rollup.names(d - 1)[group.name_ids[d - 1]])
                                                     : std::string();
        };
        auto [at, fresh] =
            out.insert({{by.has(Dimension::hour) ? group.hour : 0, text(1), text(2), text(3)}, group.totals});
        EXPECT_TRUE(fresh) << "a group comes twice";
    }
    return out;
}

void add(Rollup &rollup, const SegmentBytes &bytes) {
    MemorySource source(bytes);
    SegmentReader segment(source);
    rollup.add(segment);
}

std::vector<sample::Flow> concatenate(const std::vector<std::vector<sample::Flow>> &batches) {
    std::vector<sample::Flow> out;
    for (const auto &batch : batches)
        out.insert(out.end(), batch.begin(), batch.end());
    return out;
}

} // namespace

TEST(Rollup, EveryGroupingAgreesWithPlainLoops) {
    for (uint32_t seed = 0; seed < 12; ++seed) {
        sample::Random random(seed);
        std::vector<std::vector<sample::Flow>> batches;
        std::vector<SegmentBytes> segments;
        for (size_t i = 0; i < 4; ++i) {
            batches.push_back(sample::flows(random, i == 0 && seed < 2 ? 30000 : 1 + random() % 800));
            segments.push_back(sample::segment(batches.back()));
        }
        std::vector<sample::Flow> all = concatenate(batches);
        for (uint8_t mask = 0; mask < 16; ++mask)
            for (int c = 0; c < 6; ++c) {
                Condition condition = c == 0 ? Condition::everything() : sample::condition(random, 2);
                sample::Answer expected = sample::rollup(all, mask, condition);
                Rollup whole(GroupBy{mask}, condition), half(GroupBy{mask}, condition);
                for (size_t i = 0; i < segments.size(); ++i)
                    add(i % 2 != 0 ? half : whole, segments[i]);
                whole.add(half);
                EXPECT_EQ(answer_of(whole), expected) << "seed " << seed << " mask " << int{mask} << " condition " << c;
                EXPECT_EQ(whole.stats().segments, segments.size());

                Rollup copy = Rollup::deserialize(whole.serialize());
                EXPECT_EQ(copy.group_by(), whole.group_by());
                EXPECT_EQ(answer_of(copy), expected);
                Rollup again(GroupBy{mask});
                again.add(copy);
                EXPECT_EQ(answer_of(again), expected);
            }
    }
}

// Many names and few cells are answered name by name and key by key; spans, hour by hour.
TEST(Rollup, FewCellsAndSpansAgreeWithPlainLoops) {
    sample::Random random(7);
    std::vector<std::vector<sample::Flow>> batches(3);
    std::vector<SegmentBytes> segments;
    for (auto &batch : batches) {
        for (size_t i = 0; i < 6000; ++i) {
            auto app = [&] { return "application-" + std::to_string(random() % 1500); };
            batch.push_back({1 + static_cast<uint32_t>(random() % sample::hours),
                             {app(), app(), "vpc-" + std::to_string(random() % 9)},
                             {random() % 1000, random() % 1000}});
        }
        segments.push_back(sample::segment(batch));
    }
    const std::vector<sample::Flow> all = concatenate(batches);
    const std::vector<Condition> conditions = {
        Condition::everything(),
        Condition::name_leaf(Dimension::src_app, Comparison::in, {"application-17", "application-1499", "nobody"}),
        Condition::name_leaf(Dimension::dest_app, Comparison::in, {"application-3"}),
        Condition::name_leaf(Dimension::src_app, Comparison::prefix, {"application-10"}),
        Condition::hour_leaf(Comparison::in, {5}),
        Condition::hour_leaf(Comparison::less_equal, {2}),
    };
    for (uint8_t mask = 0; mask < 16; ++mask)
        for (const Condition &condition : conditions) {
            Rollup rollup(GroupBy{mask}, condition, true), half(GroupBy{mask}, condition, true);
            for (size_t i = 0; i < segments.size(); ++i)
                add(i == 1 ? half : rollup, segments[i]);
            rollup.add(half);
            EXPECT_EQ(answer_of(rollup), sample::rollup(all, mask, condition)) << "mask " << int{mask};

            Rollup by_hour(GroupBy{static_cast<uint8_t>(mask | 1)}, condition);
            for (const SegmentBytes &bytes : segments)
                add(by_hour, bytes);
            std::map<sample::Answer::key_type, std::pair<uint32_t, uint32_t>> expected;
            for (const auto &[at, totals] : answer_of(by_hour)) {
                auto group = at;
                if ((mask & 1) == 0)
                    std::get<0>(group) = 0;
                auto [span, fresh] = expected.insert({group, {std::get<0>(at), std::get<0>(at)}});
                span->second.second = std::max(span->second.second, std::get<0>(at)); // hours ascend
            }
            std::span<const Group> groups = rollup.groups();
            ASSERT_EQ(rollup.spans().size(), groups.size());
            for (size_t g = 0; g < groups.size(); ++g) {
                auto text = [&](unsigned d) {
                    return mask >> d & 1 ? std::string(rollup.names(d - 1)[groups[g].name_ids[d - 1]]) : std::string();
                };
                const auto span = expected.at({mask & 1 ? groups[g].hour : 0, text(1), text(2), text(3)});
                EXPECT_EQ(rollup.spans()[g].first, span.first);
                EXPECT_EQ(rollup.spans()[g].last, span.second);
            }
        }
}

TEST(Rollup, SumsBeyond64BitsAreExact) {
    std::vector<sample::Flow> flows(5000, {3, {"a", "b", "v"}, {max_metric, max_metric}});
    Rollup rollup(GroupBy{2});
    for (int i = 0; i < 3; ++i)
        add(rollup, sample::segment(flows));
    ASSERT_EQ(rollup.groups().size(), 1u);
    EXPECT_EQ(rollup.groups()[0].totals.sums[1], uint128{max_metric} * 15000);
    EXPECT_EQ(rollup.groups()[0].totals.flows, 15000u);
    EXPECT_EQ(answer_of(Rollup::deserialize(rollup.serialize())), answer_of(rollup));
}

TEST(Rollup, NothingMatchesGivesNoGroup) {
    sample::Random random(3);
    SegmentBytes bytes = sample::segment(sample::flows(random, 100));
    for (uint8_t mask = 0; mask < 16; ++mask) {
        Rollup rollup(GroupBy{mask}, Condition::hour_leaf(Comparison::greater, {1000}));
        add(rollup, bytes);
        EXPECT_TRUE(rollup.groups().empty());
    }
}

TEST(Rollup, HoursAndTotalsReadNoCells) {
    sample::Random random(4);
    std::vector<sample::Flow> flows = sample::flows(random, 20000);
    SegmentBytes bytes = sample::segment(flows);
    for (uint8_t mask : {0, 1})
        for (const Condition &condition : {Condition::everything(), Condition::hour_leaf(Comparison::in, {2, 3, 9}),
                                           Condition::hour_leaf(Comparison::less, {7})}) {
            Rollup rollup(GroupBy{mask}, condition);
            add(rollup, bytes);
            EXPECT_EQ(rollup.stats().cells, 0u);
            EXPECT_EQ(rollup.stats().select.cells_scanned, 0u);
            EXPECT_EQ(answer_of(rollup), sample::rollup(flows, mask, condition));
        }
    // With the header alone: nothing but its first piece is fetched.
    MemorySource source(bytes);
    SegmentReader segment(source);
    uint64_t before = segment.bytes_fetched();
    Rollup total(GroupBy{0}, Condition::hour_leaf(Comparison::greater_equal, {0}));
    total.add(segment);
    EXPECT_EQ(segment.bytes_fetched(), before);
}

TEST(Rollup, CombiningDifferentGroupingsIsRefused) {
    Rollup a(GroupBy{1}), b(GroupBy{2});
    try {
        a.add(b);
        FAIL();
    } catch (const Error &e) {
        EXPECT_STREQ(e.sqlstate(), sqlstate::invalid_parameter_value);
    }
}

TEST(Rollup, MemoryGrowsWithGroupsNotWithSegments) {
    sample::Random random(5);
    SegmentBytes bytes = sample::segment(sample::flows(random, 2000));
    Rollup rollup(GroupBy{15});
    add(rollup, bytes);
    add(rollup, bytes); // the groups of the first segment alone need no hash table
    size_t once = rollup.memory();
    for (int i = 0; i < 50; ++i)
        add(rollup, bytes);
    EXPECT_EQ(rollup.memory(), once);
    EXPECT_GT(once, rollup.groups().size() * sizeof(Group));
}

TEST(Rollup, DeserializeRefusesWrongBytes) {
    sample::Random random(6);
    std::vector<sample::Flow> flows = sample::flows(random, 60);
    auto refused = [](Bytes bytes) {
        try {
            Rollup::deserialize(bytes);
        } catch (const Error &e) {
            EXPECT_STREQ(e.sqlstate(), sqlstate::invalid_binary_representation);
            return true;
        }
        return false;
    };
    for (uint8_t mask = 0; mask < 16; ++mask) {
        Rollup rollup(GroupBy{mask});
        add(rollup, sample::segment(flows));
        std::vector<uint8_t> bytes = rollup.serialize();
        EXPECT_FALSE(refused(bytes));
        for (size_t n = 0; n < bytes.size(); ++n)
            EXPECT_TRUE(refused(Bytes(bytes).first(n)));
        for (int i = 0; i < 300; ++i) {
            std::vector<uint8_t> wrong = bytes;
            wrong[random() % std::min<size_t>(wrong.size(), 200)] = static_cast<uint8_t>(random());
            refused(wrong);
        }
        bytes.push_back(0);
        EXPECT_TRUE(refused(bytes));
    }
}

TEST(Rollup, DeserializeRefusesWhatNoRollupHolds) {
    auto bytes = [](std::string_view name1, std::string_view name2, uint32_t id1, uint32_t id2, uint32_t hour) {
        std::vector<uint8_t> out = {'F', 'A', 'S', 'R', 1, 1 | 2};
        auto put = [&](uint64_t value, size_t size) {
            for (size_t i = 0; i < size; ++i)
                out.push_back(static_cast<uint8_t>(value >> 8 * i));
        };
        put(2, 4);
        for (std::string_view name : {name1, name2}) {
            put(name.size(), 4);
            out.insert(out.end(), name.begin(), name.end());
        }
        put(2, 8);
        for (uint32_t id : {id1, id2}) {
            put(hour, 4);
            put(id, 4);
            for (int i = 0; i < 4; ++i)
                put(7, 8);
            put(1, 8);
        }
        return out;
    };
    auto taken = [](const std::vector<uint8_t> &b) {
        try {
            return Rollup::deserialize(b).groups().size();
        } catch (const Error &e) {
            EXPECT_STREQ(e.sqlstate(), "22P03");
            return size_t{0};
        }
    };
    EXPECT_EQ(taken(bytes("a", "b", 0, 1, 5)), 2u);
    EXPECT_EQ(taken(bytes("a", "a", 0, 1, 5)), 0u);          // a name twice
    EXPECT_EQ(taken(bytes("a", "", 0, 1, 5)), 0u);           // an empty one
    EXPECT_EQ(taken(bytes("a", "\xff", 0, 1, 5)), 0u);       // not UTF-8
    EXPECT_EQ(taken(bytes("a", {"b\0", 2}, 0, 1, 5)), 0u);   // a NUL
    EXPECT_EQ(taken(bytes("a", "b", 0, 0, 5)), 0u);          // a group twice
    EXPECT_EQ(taken(bytes("a", "b", 0, 2, 5)), 0u);          // an id without a name
    EXPECT_EQ(taken(bytes("a", "b", 0, 1, 0x80000000)), 0u); // an hour out of range
}
