// Set algebra of two bitmaps: and, or, xor, andnot, how many members these have, and comparisons, for both widths.
// What is computed, and on bytes that are not decoded, is in core/bitmap/set.hh.
#include "postgres.hh"

#include "../core/bitmap/set.hh"
#include "bitmap_width.hh"
#include "datum.hh"
#include "guard.hh"
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

template <class Width, SetOperation operation> Datum count_two(FunctionCallInfo fcinfo) {
    const Operands operands(fcinfo);
    uint64_t count = 0;
    guarded([&] { count = count_combined<typename Width::Value>(operation, operands.left, operands.right); });
    PG_RETURN_INT64(static_cast<int64>(count));
}

template <class Predicate> Datum compare_two(FunctionCallInfo fcinfo, Predicate predicate) {
    const Operands operands(fcinfo);
    bool answer = false;
    guarded([&] { answer = predicate(operands.left, operands.right); });
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
    const Operands operands(fcinfo);
    double index = 0;
    guarded([&] { index = jaccard_index<typename Width::Value>(operands.left, operands.right); });
    PG_RETURN_FLOAT8(index);
}

template <class Width> Datum rb_equals(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, [](Bytes left, Bytes right) { return equals<typename Width::Value>(left, right); });
}
template <class Width> Datum rb_not_equals(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, [](Bytes left, Bytes right) { return !equals<typename Width::Value>(left, right); });
}
template <class Width> Datum rb_intersect(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, [](Bytes left, Bytes right) { return intersects<typename Width::Value>(left, right); });
}
template <class Width> Datum rb_containedby_bitmap(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, [](Bytes left, Bytes right) { return is_subset<typename Width::Value>(left, right); });
}
template <class Width> Datum rb_contains_bitmap(FunctionCallInfo fcinfo) {
    return compare_two(fcinfo, [](Bytes left, Bytes right) { return is_subset<typename Width::Value>(right, left); });
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
