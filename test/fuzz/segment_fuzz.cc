// libFuzzer: any bytes into the segment's reader, its verifier, the merge, selection and roll-up. Whatever they are,
// the answer is a result or SQLSTATE XX001 (54000 where a merge would be too large), never anything worse; and a
// segment that passes the verifier merges into one that passes too, with the sums that it must have.
//
// The mutator starts from real segments, small ones with and without an inverted index, and repairs checksums after
// most mutations, since bytes with a wrong checksum are refused before anything is decoded.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "core/builder.hh"
#include "core/merge.hh"
#include "core/rollup.hh"
#include "core/segment.hh"
#include "core/segment_writer.hh"
#include "core/select.hh"
#include "segment_damage.hh"

using namespace fas;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

namespace {

void check(bool holds) {
    if (!holds)
        std::abort();
}

// Runs `f`; false when it throws one of the errors that bad bytes may raise.
template <class F> bool succeeds(F f) {
    try {
        f();
        return true;
    } catch (const Error &error) {
        check(std::strcmp(error.sqlstate(), sqlstate::data_corrupted) == 0 ||
              std::strcmp(error.sqlstate(), sqlstate::program_limit_exceeded) == 0);
        check(!error.message().empty());
        return false;
    }
}

constexpr uint32_t many = 1 << 18; // more cells or rows than this are looked at in part

void read_everything(ByteSource &source) {
    SegmentReader reader(source);
    const SegmentHeader &header = reader.header();
    const uint32_t cells = std::min(header.cells, many), rows = std::min(header.flows, many);
    succeeds([&] {
        for (const HourEntry &hour : reader.hours())
            check(hour.hour <= max_hour && hour.cells.end <= header.cells && hour.rows.end <= header.flows);
    });
    for (size_t t = 0; t < text_dimension_count; ++t) {
        succeeds([&] {
            const auto names = reader.names(t);
            check(names.size() == header.names[t]);
            for (size_t id = 0; id < names.size(); ++id) {
                check(!names[id].empty() && (id == 0 || names[id - 1] < names[id]));
                if (id < 64) {
                    check(reader.find_name(t, names[id]) == Range{uint32_t(id), uint32_t(id) + 1});
                    const Range found = reader.find_prefix(t, names[id].substr(0, 2));
                    check(found.begin <= id && id < found.end);
                }
            }
        });
        succeeds([&] { check(reader.find_name(t, "app-7").end <= header.names[t]); });
        succeeds([&] { check(reader.find_prefix(t, "a").end <= header.names[t]); });
        succeeds([&] {
            for (const uint32_t id : reader.key_ids(t))
                check(id < header.names[t]);
        });
        if (header.has_index)
            for (uint32_t id = 0; id < std::min(header.names[t], 64u); ++id)
                succeeds([&] { check(reader.name_cells(t, id).maximum() < header.cells); });
    }
    CellColumns columns;
    RowColumns metrics;
    std::vector<uint32_t> keys;
    succeeds([&] { reader.read_cells({0, cells}, columns); });
    succeeds([&] { reader.read_cell_keys({cells / 2, cells}, keys); });
    for (const Range range : {Range{rows / 3, rows / 2}, Range{rows - 1, rows}, Range{0, rows}, Range{1, 0}})
        succeeds([&] {
            reader.read_rows(range, metrics);
            for (const auto &values : metrics.metrics)
                for (const uint64_t value : values)
                    check(value <= max_metric);
        });
}

void query(ByteSource &source) {
    SegmentReader reader(source);
    if (reader.header().cells > many)
        return;
    const Condition condition = Condition::disjunction(
        {Condition::name_leaf(Dimension::src_app, Comparison::in, {"app-1", "b"}),
         Condition::conjunction({Condition::hour_leaf(Comparison::greater, {2}),
                                 Condition::name_leaf(Dimension::vpc_id, Comparison::not_prefix, {"v"})})});
    for (const SelectWay way : {SelectWay::by_cost, SelectWay::order, SelectWay::index, SelectWay::scan})
        succeeds([&] { select_cells(reader, condition, nullptr, way); });
    for (const uint8_t mask : {0, 1, 2, 15}) {
        succeeds([&] { Rollup(GroupBy{mask}).add(reader); });
        succeeds([&] { Rollup(GroupBy{mask}, condition).add(reader); });
    }
}

void merge(ByteSource &source, bool valid) {
    SegmentReader one(source), other(source);
    if (one.header().flows > many)
        return;
    SegmentReader *inputs[] = {&one, &other};
    SegmentBytes merged;
    const bool done = succeeds([&] { merged = merge_segments(inputs); });
    check(done || !valid);
    succeeds([&] { merge_and_split(inputs, {.max_flows = 7, .own_hour_flows = 5}, one.header().hour_min + 1); });
    if (!valid)
        return;
    MemorySource merged_source(merged);
    verify_segment(merged_source);
    SegmentReader result(merged_source);
    Totals twice = one.header().totals;
    twice.add(one.header().totals);
    check(result.header().totals == twice && result.header().cells == one.header().cells &&
          result.header().keys == one.header().keys);
}

void run(const std::vector<uint8_t> &bytes) {
    MemorySource source(bytes);
    if (!succeeds([&] { SegmentReader reader(source); }))
        return;
    read_everything(source);
    query(source);
    bool valid = false;
    {
        SegmentReader reader(source);
        if (reader.header().flows <= 16 * many)
            valid = succeeds([&] { verify_segment(source); });
    }
    merge(source, valid);
}

// A small segment of any shape; with an inverted index half of the time.
SegmentBytes make_segment(std::mt19937 &random) {
    std::array<std::vector<std::string>, text_dimension_count> texts;
    std::array<std::vector<std::string_view>, text_dimension_count> views;
    NameSpans names;
    KeyColumns keys;
    for (size_t t = 0; t < text_dimension_count; ++t) {
        const size_t count = 1 + random() % (t == 2 ? 3 : 40);
        for (size_t i = 0; i < count; ++i)
            texts[t].push_back((random() % 2 ? "app-" : "b\xc3\xa9") + std::to_string(1000 + i));
        std::sort(texts[t].begin(), texts[t].end());
        views[t].assign(texts[t].begin(), texts[t].end());
        names[t] = views[t];
    }
    // A key for each combination of the first names, one more for each name that is left.
    const size_t most = std::max({views[0].size(), views[1].size(), views[2].size()});
    for (size_t k = 0; k < most; ++k)
        for (size_t t = 0; t < text_dimension_count; ++t)
            keys[t].push_back(static_cast<uint32_t>(std::min(k, views[t].size() - 1)));
    SegmentWriter writer(names, keys, random() % 2 ? 0 : UINT32_MAX);
    const size_t hours = 1 + random() % 4;
    for (uint32_t h = 0, hour = random() % 3; h < hours; ++h, hour += 1 + random() % 3)
        for (uint32_t key = 0; key < most; ++key)
            if (h == 0 || random() % 3 != 0) {
                writer.begin_cell(hour, key);
                for (size_t row = 0, rows = 1 + random() % (random() % 8 ? 3 : 300); row < rows; ++row)
                    writer.add_row({random() % 8 ? random() % 5000 : max_metric - random() % 9, random() % 70000});
            }
    return writer.finish();
}

} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<uint8_t> bytes(data, data + size);
    if (size < format::header_size || random() % 16 == 0)
        bytes = make_segment(random);
    size_t length = std::min(bytes.size(), max_size);
    std::memcpy(data, bytes.data(), length);
    for (int i = 0, times = random() % 4; i < times; ++i) {
        if (random() % 2) {
            length = LLVMFuzzerMutate(data, length, max_size);
        } else if (length > format::header_size) { // a few bytes changed in place, no lengths
            const size_t at = random() % length;
            data[at] =
                random() % 2 ? static_cast<uint8_t>(random()) : static_cast<uint8_t>(data[at] ^ 1u << random() % 8);
        }
    }
    if (random() % 16 != 0) {
        bytes.assign(data, data + length);
        test::repair_checksums(bytes);
        std::memcpy(data, bytes.data(), length);
    }
    return length;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    run(std::vector<uint8_t>(data, data + size)); // a copy with nothing behind it, so that ASan sees every overrun
    return 0;
}
