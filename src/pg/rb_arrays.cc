// Bitmaps from arrays, and arrays from bitmaps, for both widths.
#include "postgres.hh"

extern "C" {
#include "utils/array.h"
#include "utils/memutils.h"
}

#include "../core/bitmap/set.hh"
#include "bitmap_datum.hh"

namespace fas::pg {

namespace {

// Elements of an array without NULLs, of any number of dimensions, as members.
template <class Width> Datum rb_build(FunctionCallInfo fcinfo) {
    using Value = typename Width::Value;
    ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
    if (array_contains_nulls(array))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
    const std::span<const Value> members{reinterpret_cast<const Value *>(ARR_DATA_PTR(array)),
                                         static_cast<size_t>(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)))};
    struct varlena *result = nullptr;
    guarded([&] { result = varlena_from(Width::Bitmap::of(members)); });
    PG_RETURN_POINTER(result);
}

// An array of `count` elements that are laid out as the members are: construct_array() would want a Datum for each.
template <class Width> ArrayType *allocate_array(uint64_t count) {
    if (count > (MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / sizeof(typename Width::Value))
        throw Error(sqlstate::program_limit_exceeded, "bitmap has too many members for one value",
                    "It has " + std::to_string(count) + " members.");
    const size_t size = ARR_OVERHEAD_NONULLS(1) + count * sizeof(typename Width::Value);
    auto *array = static_cast<ArrayType *>(allocate(CurrentMemoryContext, size));
    SET_VARSIZE(array, size);
    array->ndim = 1;
    array->dataoffset = 0;
    array->elemtype = Width::element_type;
    ARR_DIMS(array)[0] = static_cast<int>(count);
    ARR_LBOUND(array)[0] = 1;
    return array;
}

template <class Width> Datum rb_to_array(FunctionCallInfo fcinfo) {
    using Value = typename Width::Value;
    const Bytes bytes = payload_of(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)));
    ArrayType *array = nullptr;
    guarded([&] {
        const uint64_t count = checked_cardinality<Value>(bytes);
        if (count == 0)
            return;
        array = allocate_array<Width>(count);
        copy_members<Value>(bytes, reinterpret_cast<Value *>(ARR_DATA_PTR(array)));
    });
    if (array == nullptr)
        array = construct_empty_array(Width::element_type);
    PG_RETURN_ARRAYTYPE_P(array);
}

} // namespace

FAS_BITMAP_FUNCTION(build, rb_build)
FAS_BITMAP_FUNCTION(to_array, rb_to_array)

} // namespace fas::pg
