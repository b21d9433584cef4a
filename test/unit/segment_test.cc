// The reader: pieces agree with the whole, the index with the cells, little is fetched for little, and bytes that are
// no segment are refused with SQLSTATE XX001.
#include <gtest/gtest.h>

#include "core/segment_format.hh"
#include "core/segment_writer.hh"
#include "../fuzz/segment_damage.hh"
#include "segment_model.hh"

using namespace fas;
using namespace fas::test;

namespace {

// Counts what is fetched, as TOAST would.
class CountingSource final : public ByteSource {
  public:
    explicit CountingSource(Bytes bytes) : under_(bytes) {}
    uint64_t size() const noexcept override { return under_.size(); }
    Bytes fetch(uint64_t offset, uint64_t length) override {
        bytes += length;
        ++fetches;
        return under_.fetch(offset, length);
    }
    uint64_t bytes = 0, fetches = 0;

  private:
    MemorySource under_;
};

Flows large(size_t flows, uint32_t hours) {
    std::mt19937_64 random(11);
    return random_flows(random, {.flows = flows, .hours = hours, .first_hour = 100, .apps = 70, .vpcs = 5});
}

TEST(Segment, PiecesOfRowsAgreeWithTheWhole) {
    std::mt19937_64 random(1);
    Flows flows = large(60000, 6);
    for (size_t i = 0; i < 20000; ++i) // a cell of many blocks
        flows.push_back({103, {"app1", "svc-1", "vpc-1"}, {i, max_metric - i}});
    flows = in_order(flows);
    const SegmentBytes bytes = build(flows);
    MemorySource source(bytes);
    SegmentReader reader(source);
    RowColumns rows;
    for (int i = 0; i < 3000; ++i) {
        const auto begin = static_cast<uint32_t>(random() % flows.size());
        const uint64_t most = i % 10 == 0 ? 40000 : i % 3 == 0 ? 3 : 300;
        const auto end = static_cast<uint32_t>(std::min<uint64_t>(flows.size(), begin + random() % most));
        reader.read_rows({begin, end}, rows);
        ASSERT_EQ(rows.metrics[0].size(), end - begin);
        for (uint32_t row = begin; row < end; ++row)
            for (size_t m = 0; m < metric_count; ++m)
                ASSERT_EQ(rows.metrics[m][row - begin], flows[row].metrics[m]) << begin << " " << end << " " << row;
    }
}

TEST(Segment, PiecesOfCellsAgreeWithTheWhole) {
    std::mt19937_64 random(2);
    const SegmentBytes bytes = build(large(30000, 4));
    MemorySource source(bytes);
    SegmentReader reader(source), pieces(source);
    CellColumns all, some;
    reader.read_cells({0, reader.header().cells}, all);
    std::vector<uint32_t> keys;
    for (int i = 0; i < 500; ++i) {
        const auto begin = static_cast<uint32_t>(random() % (reader.header().cells + 1));
        const auto end = static_cast<uint32_t>(begin + random() % (reader.header().cells - begin + 1));
        pieces.read_cells({begin, end}, some);
        pieces.read_cell_keys({begin, end}, keys);
        ASSERT_EQ(keys, some.key);
        ASSERT_EQ(some.first_row.size(), some.key.size() + 1);
        ASSERT_TRUE(std::equal(some.key.begin(), some.key.end(), all.key.begin() + begin));
        ASSERT_TRUE(std::equal(some.first_row.begin(), some.first_row.end(), all.first_row.begin() + begin));
        for (size_t m = 0; m < metric_count; ++m)
            ASSERT_TRUE(std::equal(some.sums[m].begin(), some.sums[m].end(), all.sums[m].begin() + begin));
    }
    EXPECT_THROW(reader.read_cells({0, reader.header().cells + 1}, some), Error);
    EXPECT_THROW(reader.read_cells({1, 0}, some), Error);
    EXPECT_THROW(reader.read_cell_keys({5, 4}, keys), Error);
    RowColumns rows;
    EXPECT_THROW(reader.read_rows({0, reader.header().flows + 1}, rows), Error);
    EXPECT_THROW(reader.read_rows({2, 1}, rows), Error);
}

TEST(Segment, IndexAgreesWithCells) {
    const SegmentBytes bytes = build(large(60000, 5));
    MemorySource source(bytes);
    SegmentReader reader(source);
    ASSERT_TRUE(reader.header().has_index);
    std::vector<uint32_t> keys;
    reader.read_cell_keys({0, reader.header().cells}, keys);
    for (size_t t = 0; t < text_dimension_count; ++t) {
        std::vector<std::vector<uint32_t>> expected(reader.header().names[t]);
        for (uint32_t cell = 0; cell < keys.size(); ++cell)
            expected[reader.key_ids(t)[keys[cell]]].push_back(cell);
        for (uint32_t id = 0; id < expected.size(); ++id)
            ASSERT_EQ(reader.name_cells(t, id).values(), expected[id]);
        EXPECT_THROW(reader.name_cells(t, reader.header().names[t]), Error);
    }
}

TEST(Segment, SmallSegmentsHaveNoIndex) {
    const SegmentBytes bytes = build(large(1000, 1));
    MemorySource source(bytes);
    SegmentReader reader(source);
    EXPECT_FALSE(reader.header().has_index);
    EXPECT_THROW(reader.name_cells(0, 0), Error);
}

TEST(Segment, FindsNames) {
    const SegmentBytes bytes = build(large(5000, 1));
    MemorySource source(bytes);
    for (size_t t = 0; t < text_dimension_count; ++t) {
        SegmentReader reader(source), finder(source); // finds without having decoded the names, and with
        const auto names = reader.names(t);
        for (uint32_t id = 0; id < names.size(); ++id)
            for (SegmentReader *each : {&reader, &finder}) {
                ASSERT_EQ(each->find_name(t, names[id]), (Range{id, id + 1}));
                const Range prefix = each->find_prefix(t, names[id].substr(0, 4));
                for (uint32_t other = 0; other < names.size(); ++other)
                    ASSERT_EQ(names[other].starts_with(names[id].substr(0, 4)),
                              prefix.begin <= other && other < prefix.end);
            }
        EXPECT_EQ(finder.find_name(t, "absent").size(), 0u);
        EXPECT_EQ(finder.find_name(t, "").size(), 0u);
        EXPECT_EQ(finder.find_prefix(t, ""), (Range{0, static_cast<uint32_t>(names.size())}));
        EXPECT_EQ(finder.find_prefix(t, "\xff").size(), 0u);
    }
}

TEST(Segment, FetchesLittleForLittle) {
    const SegmentBytes bytes = build(large(400000, 24));
    ASSERT_GT(bytes.size(), 1000000u);
    CountingSource source(bytes);
    SegmentReader reader(source);
    EXPECT_EQ(source.fetches, 1u);
    EXPECT_LE(source.bytes, 2000u);
    EXPECT_EQ(reader.hours().size(), 24u); // came with the header
    EXPECT_EQ(source.fetches, 1u);
    reader.name_cells(0, 3);
    EXPECT_LT(source.bytes, 16000u);
    CellColumns cells;
    reader.read_cells(reader.hours()[7].cells, cells);
    EXPECT_LT(source.bytes, bytes.size() / 12);
    RowColumns rows;
    reader.read_rows({200000, 200100}, rows);
    EXPECT_LT(source.bytes, bytes.size() / 8);
    EXPECT_EQ(source.bytes, reader.bytes_fetched());
    EXPECT_LT(source.fetches, 40u);
}

TEST(Segment, ASmallOneIsOneFetch) {
    for (const size_t flows : {1u, 10u, 100u, 500u}) {
        const SegmentBytes bytes = build(large(flows, 3));
        ASSERT_LT(bytes.size(), 16384u);
        CountingSource source(bytes);
        SegmentReader reader(source);
        reader.fetch_all();
        for (size_t t = 0; t < text_dimension_count; ++t) {
            EXPECT_EQ(reader.names(t).size(), reader.header().names[t]);
            EXPECT_EQ(reader.key_ids(t).size(), reader.header().keys);
        }
        RowColumns rows;
        reader.read_rows({0, reader.header().flows}, rows);
        EXPECT_EQ(source.fetches, 1u);
        EXPECT_EQ(source.bytes, bytes.size());
    }
}

TEST(Segment, ForgottenNamesAreReadAgain) {
    const SegmentBytes bytes = build(large(1000, 2));
    MemorySource source(bytes);
    SegmentReader reader(source);
    for (size_t t = 0; t < text_dimension_count; ++t) {
        const auto copy = [&] { return std::vector<std::string>(reader.names(t).begin(), reader.names(t).end()); };
        const std::vector<std::string> names = copy();
        const std::vector<uint32_t> ids(reader.key_ids(t).begin(), reader.key_ids(t).end());
        reader.forget_names();
        EXPECT_EQ(reader.key_id(t, 5), ids[5]);
        EXPECT_EQ(reader.name(t, 1), names[1]);
        EXPECT_EQ(copy(), names);
        EXPECT_TRUE(std::equal(ids.begin(), ids.end(), reader.key_ids(t).begin(), reader.key_ids(t).end()));
    }
}

TEST(Segment, TruncatedIsRefused) {
    const SegmentBytes bytes = build(large(3000, 2));
    for (size_t length = 0; length < bytes.size(); length += length < 200 ? 1 : 97) {
        MemorySource source(Bytes(bytes).first(length));
        try {
            SegmentReader reader(source);
            FAIL() << length;
        } catch (const Error &error) {
            EXPECT_STREQ(error.sqlstate(), sqlstate::data_corrupted);
        }
    }
    SegmentBytes longer = bytes;
    longer.push_back(0);
    EXPECT_NE(problem_of(longer), "");
}

TEST(Segment, AnUnknownVersionIsNamed) {
    SegmentBytes bytes = build(large(10, 1));
    store<uint16_t>(bytes.data() + format::at_version, 2);
    try {
        MemorySource source(bytes);
        SegmentReader reader(source);
        FAIL();
    } catch (const Error &error) {
        EXPECT_STREQ(error.sqlstate(), sqlstate::data_corrupted);
        EXPECT_NE(error.detail().find("version is 2"), std::string::npos);
        EXPECT_NE(error.hint(), "");
    }
}

// Counts that the bytes can't hold are refused when the header is read, before anything is allocated for them.
TEST(Segment, ImpossibleCountsAreRefusedAtOnce) {
    const SegmentBytes good = build(large(1000, 2));
    for (size_t field = format::at_flows; field < format::at_reserved; field += 4)
        for (const uint32_t value : {0u, 0x7fffffffu, 0xffffffffu}) {
            if ((field == format::at_hour_min && value == 0) || (field == format::at_hour_max && value == max_hour))
                continue; // the hour directory tells
            SegmentBytes bytes = good;
            store<uint32_t>(bytes.data() + field, value);
            repair_checksums(bytes);
            MemorySource source(bytes);
            EXPECT_THROW(SegmentReader reader(source), Error) << field << " " << value;
        }
    for (const size_t field : {format::at_flags, format::at_reserved}) {
        SegmentBytes bytes = good;
        bytes[field] |= 4;
        repair_checksums(bytes);
        MemorySource source(bytes);
        EXPECT_THROW(SegmentReader reader(source), Error) << field;
    }
}

} // namespace
