// Set algebra of two bitmaps: and, or, xor, andnot, how many members these have, and comparisons, for both widths.
// What is computed, and on bytes that are not decoded, is in core/bitmap/set.hh.
#include "postgres.hh"

#include <utility>

#include "../core/bitmap/set.hh"
#include "bitmap_width.hh"
#include "datum.hh"
#include "guard.hh"
#include "toast_reader.hh"
#include "varlena_sink.hh"

namespace fas::pg {

namespace {

// Both bitmaps of a call, detoasted.
struct Operands {
    explicit Operands(FunctionCallInfo fcinfo)
        : left(payload_of(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)))),
          right(payload_of(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1)))) {}
    Bytes left, right;
};

template <class Width, SetOperation operation> Datum combine_two(FunctionCallInfo fcinfo) {
    const Operands operands(fcinfo);
    struct varlena *result = nullptr;
    guarded([&] {
        // One bucket is written in one piece; of many, the result is mostly no larger than both together.
        const bool is_wide = sizeof(typename Width::Value) == 8;
        VarlenaSink out(is_wide ? operands.left.size() + operands.right.size() : 0);
        combine<typename Width::Value>(operation, operands.left, operands.right, out);
        result = out.take();
    });
    PG_RETURN_POINTER(result);
}

// Up to this size a value is read at once: pieces cost more than they save, where a question needs most of it, or may
// know the answer early.
constexpr size_t small_to_count = 256 * 1024, small_to_compare = 48 * 1024;

// f(left, right), which are windows over the bitmaps of a call.
template <class F> void ask_two(FunctionCallInfo fcinfo, size_t small, F f) {
    const struct varlena *left = ToastReader::argument(PG_GETARG_DATUM(0));
    const struct varlena *right = ToastReader::argument(PG_GETARG_DATUM(1));
    guarded([&] {
        ToastReader first(left), second(right);
        f(first.window(Room::first, small), second.window(Room::second, small));
    });
}

template <class Width, SetOperation operation> Datum count_two(FunctionCallInfo fcinfo) {
    uint64_t count = 0;
    ask_two(fcinfo, small_to_count, [&](ByteWindow &&left, ByteWindow &&right) {
        count = count_combined<typename Width::Value>(operation, std::move(left), std::move(right));
    });
    PG_RETURN_INT64(static_cast<int64>(count));
}

template <class Predicate> Datum compare_two(FunctionCallInfo fcinfo, Predicate predicate) {
    bool answer = false;
    ask_two(fcinfo, small_to_compare,
            [&](ByteWindow &&left, ByteWindow &&right) { answer = predicate(std::move(left), std::move(right)); });
    PG_RETURN_BOOL(answer);
}

template <class Width> Datum rb_and(FunctionCallInfo fcinfo) {
    return combine_two<Width, SetOperation::intersection>(fcinfo);
}
template <class Width> Datum rb_or(FunctionCallInfo fcinfo) {
    return combine_two<Width, SetOperation::union_of>(fcinfo);
}
template <class Width> Datum rb_xor(FunctionCallInfo fcinfo) {
    return combine_two<Width, SetOperation::symmetric_difference>(fcinfo);
}
template <class Width> Datum rb_andnot(FunctionCallInfo fcinfo) {
    return combine_two<Width, SetOperation::difference>(fcinfo);
}
template <class Width> Datum rb_and_cardinality(FunctionCallInfo fcinfo) {
    return count_two<Width, SetOperation::intersection>(fcinfo);
}
template <class Width> Datum rb_or_cardinality(FunctionCallInfo fcinfo) {
    return count_two<Width, SetOperation::union_of>(fcinfo);
}
template <class Width> Datum rb_xor_cardinality(FunctionCallInfo fcinfo) {
    return count_two<Width, SetOperation::symmetric_difference>(fcinfo);
}
template <class Width> Datum rb_andnot_cardinality(FunctionCallInfo fcinfo) {
    return count_two<Width, SetOperation::difference>(fcinfo);
}

template <class Width> Datum rb_jaccard_dist(FunctionCallInfo fcinfo) {
    double index = 0;
    ask_two(fcinfo, small_to_count, [&](ByteWindow &&left, ByteWindow &&right) {
        index = jaccard_index<typename Width::Value>(std::move(left), std::move(right));
    });
    PG_RETURN_FLOAT8(index);
}

template <class Width> Datum rb_equals(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, equals<typename Width::Value>);
}
template <class Width> Datum rb_not_equals(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, [](ByteWindow &&left, ByteWindow &&right) {
        return !equals<typename Width::Value>(std::move(left), std::move(right));
    });
}
template <class Width> Datum rb_intersect(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, intersects<typename Width::Value>);
}
template <class Width> Datum rb_containedby_bitmap(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, is_subset<typename Width::Value>);
}
template <class Width> Datum rb_contains_bitmap(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, [](ByteWindow &&left, ByteWindow &&right) {
        return is_subset<typename Width::Value>(std::move(right), std::move(left));
    });
}

} // namespace

FAS_BITMAP_FUNCTION(and, rb_and)
FAS_BITMAP_FUNCTION(or, rb_or)
FAS_BITMAP_FUNCTION(xor, rb_xor)
FAS_BITMAP_FUNCTION(andnot, rb_andnot)
FAS_BITMAP_FUNCTION(and_cardinality, rb_and_cardinality)
FAS_BITMAP_FUNCTION(or_cardinality, rb_or_cardinality)
FAS_BITMAP_FUNCTION(xor_cardinality, rb_xor_cardinality)
FAS_BITMAP_FUNCTION(andnot_cardinality, rb_andnot_cardinality)
FAS_BITMAP_FUNCTION(jaccard_dist, rb_jaccard_dist)
FAS_BITMAP_FUNCTION(equals, rb_equals)
FAS_BITMAP_FUNCTION(not_equals, rb_not_equals)
FAS_BITMAP_FUNCTION(intersect, rb_intersect)
FAS_BITMAP_FUNCTION(containedby_bitmap, rb_containedby_bitmap)
FAS_BITMAP_FUNCTION(contains_bitmap, rb_contains_bitmap)

} // namespace fas::pg
