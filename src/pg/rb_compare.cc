// Order and hash of bitmaps, for their btree and hash operator classes: see ../core/bitmap/order.hh.
#include "bitmap_width.hh"

#include "../core/bitmap/order.hh"
#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

template <class Width>
constexpr BitmapWidth width_of = sizeof(typename Width::Value) == 8 ? BitmapWidth::bits64 : BitmapWidth::bits32;

// Comparison functions are called very often in one memory context, so what was detoasted is freed.
template <class Width> int compare_arguments(FunctionCallInfo fcinfo) {
    struct varlena *left = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
    struct varlena *right = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
    int result = 0;
    guarded([&] { result = compare_bitmaps(payload_of(left), payload_of(right), width_of<Width>); });
    PG_FREE_IF_COPY(left, 0);
    PG_FREE_IF_COPY(right, 1);
    return result;
}

template <class Width> uint64_t hash_argument(FunctionCallInfo fcinfo, uint64_t seed) {
    struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
    uint64_t result = 0;
    guarded([&] { result = hash_bitmap(payload_of(value), width_of<Width>, seed); });
    PG_FREE_IF_COPY(value, 0);
    return result;
}

template <class Width> Datum compare(FunctionCallInfo fcinfo) { PG_RETURN_INT32(compare_arguments<Width>(fcinfo)); }
template <class Width> Datum less(FunctionCallInfo fcinfo) { PG_RETURN_BOOL(compare_arguments<Width>(fcinfo) < 0); }
template <class Width> Datum less_or_equal(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(compare_arguments<Width>(fcinfo) <= 0);
}
template <class Width> Datum greater(FunctionCallInfo fcinfo) { PG_RETURN_BOOL(compare_arguments<Width>(fcinfo) > 0); }
template <class Width> Datum greater_or_equal(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(compare_arguments<Width>(fcinfo) >= 0);
}

// PostgreSQL wants the low half of the extended hash with seed 0 to be the plain hash.
template <class Width> Datum hash(FunctionCallInfo fcinfo) {
    PG_RETURN_UINT32(static_cast<uint32>(hash_argument<Width>(fcinfo, 0)));
}
template <class Width> Datum hash_extended(FunctionCallInfo fcinfo) {
    PG_RETURN_UINT64(hash_argument<Width>(fcinfo, static_cast<uint64_t>(PG_GETARG_INT64(1))));
}

} // namespace

FAS_BITMAP_FUNCTION(cmp, compare)
FAS_BITMAP_FUNCTION(lt, less)
FAS_BITMAP_FUNCTION(le, less_or_equal)
FAS_BITMAP_FUNCTION(gt, greater)
FAS_BITMAP_FUNCTION(ge, greater_or_equal)
FAS_BITMAP_FUNCTION(hash, hash)
FAS_BITMAP_FUNCTION(hash_extended, hash_extended)

} // namespace fas::pg
