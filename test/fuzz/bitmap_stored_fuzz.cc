// libFuzzer: stored bytes that have gone bad, under every function that works on them where they lie. Each either
// answers or refuses with data_corrupted; for bytes that are sound, the answer is CRoaring's.
#include "bitmap_input.hh"

#include <cmath>
#include <memory_resource>
#include <optional>

#include "core/bitmap/bitmap.hh"
#include "core/bitmap/bitmap64.hh"
#include "core/bitmap/edit.hh"
#include "core/bitmap/gather.hh"
#include "core/bitmap/keys.hh"
#include "core/bitmap/order.hh"
#include "core/bitmap/set.hh"
#include "../unit/memory_reader.hh"

using namespace fas;
using namespace fas::test;

namespace {

constexpr const char *corrupted = sqlstate::data_corrupted;
constexpr uint64_t most_listed = 1 << 20;

// What a function made; null when it refused.
template <class F> std::optional<std::vector<uint8_t>> made(F &&f) {
    VectorSink sink;
    if (!holds_or_refuses([&] { f(sink); }, corrupted, sqlstate::program_limit_exceeded))
        return {};
    return sink.take();
}

template <class Bitmap> struct Operand {
    const ExactBytes exact;
    std::optional<Bitmap> bitmap; // where the bytes are sound
    Bytes bytes() const { return exact.bytes(); }

    Operand(FuzzInput &input, BitmapWidth width) : exact(input.bitmap(width)) {
        if (is_sound<typename Bitmap::Value>(bytes()))
            bitmap = Bitmap::deserialize(bytes(), corrupted);
    }
};

// The result of sound operands is sound, and is `expected`.
template <class Bitmap>
void expect(const std::optional<std::vector<uint8_t>> &result, bool is_sound_input, const Bitmap *expected) {
    if (!is_sound_input)
        return;
    check(result.has_value() && is_sound<typename Bitmap::Value>(*result));
    if (expected != nullptr)
        check(Bitmap::deserialize(*result, corrupted) == *expected);
}

template <class Bitmap> void check_combinations(const Operand<Bitmap> &a, const Operand<Bitmap> &b) {
    using Value = typename Bitmap::Value;
    const bool both = a.bitmap && b.bitmap;
    const auto model = [&](SetOperation operation) -> Bitmap {
        switch (operation) {
        case SetOperation::intersection:
            return *a.bitmap & *b.bitmap;
        case SetOperation::union_of:
            return *a.bitmap | *b.bitmap;
        case SetOperation::symmetric_difference:
            return *a.bitmap ^ *b.bitmap;
        default:
            return *a.bitmap - *b.bitmap;
        }
    };
    for (SetOperation operation : {SetOperation::intersection, SetOperation::union_of,
                                   SetOperation::symmetric_difference, SetOperation::difference}) {
        const auto result = made([&](ByteSink &out) { combine<Value>(operation, a.bytes(), b.bytes(), out); });
        uint64_t count = 0;
        const bool is_counted =
            holds_or_refuses([&] { count = count_combined<Value>(operation, a.bytes(), b.bytes()); }, corrupted);
        if (!both)
            continue;
        const Bitmap expected = model(operation);
        expect(result, true, &expected);
        check(is_counted && count == expected.cardinality());
    }
}

template <class Bitmap> void check_questions(const Operand<Bitmap> &a, const Operand<Bitmap> &b, BitmapWidth width) {
    using Value = typename Bitmap::Value;
    const bool both = a.bitmap && b.bitmap;
    bool is_equal = false, is_within = false, overlaps = false;
    int order = 0;
    double index = 0;
    bool answered = holds_or_refuses([&] { is_equal = equals<Value>(a.bytes(), b.bytes()); }, corrupted);
    answered = holds_or_refuses([&] { is_within = is_subset<Value>(a.bytes(), b.bytes()); }, corrupted) && answered;
    answered = holds_or_refuses([&] { overlaps = intersects<Value>(a.bytes(), b.bytes()); }, corrupted) && answered;
    answered = holds_or_refuses([&] { index = jaccard_index<Value>(a.bytes(), b.bytes()); }, corrupted) && answered;
    answered = holds_or_refuses([&] { order = compare_bitmaps(a.bytes(), b.bytes(), width); }, corrupted) && answered;
    if (!both)
        return;
    const Bitmap common = *a.bitmap & *b.bitmap;
    check(answered && is_equal == (*a.bitmap == *b.bitmap) && is_equal == (order == 0));
    check(is_within == (common == *a.bitmap) && overlaps == !common.empty());
    const uint64_t either = (*a.bitmap | *b.bitmap).cardinality();
    check(either == 0
              ? std::isnan(index)
              : std::abs(index - static_cast<double>(common.cardinality()) / static_cast<double>(either)) < 1e-9);
}

// The same questions through windows that move on, as large values are asked.
template <class Bitmap> void check_streams(const Operand<Bitmap> &a, const Operand<Bitmap> &b, size_t room) {
    using Value = typename Bitmap::Value;
    const bool both = a.bitmap && b.bitmap;
    const auto ask = [&](auto question, auto expected) {
        MemoryReader left(a.bytes(), room), right(b.bytes(), room);
        const auto answer = [&] {
            const auto got = question(left.window(), right.window());
            check(!both || got == expected());
        };
        check(holds_or_refuses(answer, corrupted) || !both);
    };
    ask(equals<Value>, [&] { return *a.bitmap == *b.bitmap; });
    ask(intersects<Value>, [&] { return !(*a.bitmap & *b.bitmap).empty(); });
    ask(is_subset<Value>, [&] { return (*a.bitmap & *b.bitmap) == *a.bitmap; });
    ask([](ByteWindow &&x,
           ByteWindow &&y) { return count_combined<Value>(SetOperation::difference, std::move(x), std::move(y)); },
        [&] { return (*a.bitmap - *b.bitmap).cardinality(); });
}

template <class Bitmap> void check_changes(const Operand<Bitmap> &a, FuzzInput &input, BitmapWidth width) {
    using Value = typename Bitmap::Value;
    auto first = static_cast<Value>(input.member(width)), last = static_cast<Value>(input.member(width));
    if (input.byte() % 2 == 0)
        last = static_cast<Value>(first + last % 200000);
    if (first > last)
        std::swap(first, last);
    // A range of billions has too many containers to be made in a fuzzer's time.
    if (last - first > uint64_t{1} << 26)
        last = static_cast<Value>(first + (uint64_t{1} << 26));
    for (Change kind : {Change::fill, Change::clear, Change::flip, Change::keep}) {
        const auto result = made([&](ByteSink &out) { change<Value>(kind, a.bytes(), first, last, out); });
        if (!a.bitmap)
            continue;
        Bitmap expected = a.bitmap->copy(), range;
        range.add_closed(first, last);
        if (kind == Change::fill)
            expected |= range;
        else if (kind == Change::clear)
            expected = expected - range;
        else if (kind == Change::flip)
            expected ^= range;
        else
            expected &= range;
        expect(result, true, &expected);
    }
    const auto optimized = made([&](ByteSink &out) { run_optimize<Value>(a.bytes(), out); });
    expect(optimized, a.bitmap.has_value(), a.bitmap ? &*a.bitmap : nullptr);

    const auto by = static_cast<__int128>(static_cast<int64_t>(input.member(BitmapWidth::bits64))) *
                    (input.byte() % 2 == 0 ? 1 : -1);
    const auto shifted = made([&](ByteSink &out) { shift<Value>(a.bytes(), by, out); });
    expect<Bitmap>(shifted, a.bitmap.has_value(), nullptr);
    if (!a.bitmap || a.bitmap->cardinality() > most_listed)
        return;
    std::vector<Value> moved;
    for (Value value : a.bitmap->values()) {
        const __int128 place = static_cast<__int128>(value) + by;
        if (place >= 0 && place <= std::numeric_limits<Value>::max())
            moved.push_back(static_cast<Value>(place));
    }
    check(Bitmap::deserialize(*shifted, corrupted) == Bitmap::of(moved));
}

template <class Bitmap> void check_reads(const Operand<Bitmap> &a, FuzzInput &input, BitmapWidth width) {
    const uint64_t member = input.member(width), other = input.member(width);
    const auto ask = [&](auto question) {
        MemorySource source(a.bytes());
        const bool answered = holds_or_refuses(
            [&] {
                BitmapView view(source, width);
                question(view);
            },
            corrupted);
        check(answered || !a.bitmap);
    };
    ask([&](BitmapView &view) { view.cardinality(); });
    ask([&](BitmapView &view) { view.empty(); });
    ask([&](BitmapView &view) { view.contains(member); });
    ask([&](BitmapView &view) { view.rank(member); });
    ask([&](BitmapView &view) { view.index(member); });
    ask([&](BitmapView &view) { view.minimum(); });
    ask([&](BitmapView &view) { view.maximum(); });
    ask([&](BitmapView &view) { view.select(member % 100000); });
    ask([&](BitmapView &view) { view.range_cardinality(member, other); });
    ask([&](BitmapView &view) {
        std::pmr::monotonic_buffer_resource memory;
        BitmapGatherer toggled(memory, Gathering::toggle), ranged(memory, Gathering::unite);
        toggled.gather(view);
        view.rewind();
        ranged.gather_range(view, std::min(member, other), std::max(member, other));
        view.rewind();
        toggled.intersect(view);
        toggled.cardinality();
    });
    MemorySource source(a.bytes());
    holds_or_refuses(
        [&] {
            BitmapCursor cursor(source, width);
            uint64_t value = 0;
            for (uint64_t i = 0; i < most_listed && cursor.next(value); ++i) {
            }
        },
        corrupted);
    holds_or_refuses([&] { index_keys(a.bytes(), width, 1000); }, corrupted);
    holds_or_refuses([&] { probes_of_bitmap(a.bytes(), width); }, corrupted);
    holds_or_refuses([&] { ranges_of_bitmap(a.bytes(), width); }, corrupted);
    holds_or_refuses([&] { hash_bitmap(a.bytes(), width, 0); }, corrupted);
    if (width == BitmapWidth::bits64)
        made([&](ByteSink &out) {
            holds_or_refuses([&] { narrow(a.bytes(), out); }, corrupted, sqlstate::numeric_value_out_of_range);
        });
    else
        made([&](ByteSink &out) { widen(a.bytes(), out); });
}

template <class Bitmap> void use(FuzzInput &input, BitmapWidth width) {
    const Operand<Bitmap> a(input, width), b(input, width);
    check_reads(a, input, width);
    check_combinations(a, b);
    check_questions(a, b, width);
    check_streams(a, b, input.number());
    check_changes(a, input, width);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzInput input(data, size);
    if (input.byte() % 2 == 0)
        use<Bitmap>(input, BitmapWidth::bits32);
    else
        use<Bitmap64>(input, BitmapWidth::bits64);
    return 0;
}
