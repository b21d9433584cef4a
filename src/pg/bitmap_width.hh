// The two widths of bitmap types, as traits, so that a function for roaringbitmap (32 bits, rb_…) and for
// roaringbitmap64 (64 bits, rb64_…) is written once. A function of both is a template over the width:
//
//   template <class Width> Datum cardinality(FunctionCallInfo fcinfo) { ... Width::Bitmap ... }
//   FAS_BITMAP_FUNCTION(cardinality, cardinality) // fas_rb_cardinality and fas_rb64_cardinality
//
// An element is what SQL calls a member: an integer or a bigint of the same bits; members are unsigned.
#pragma once

#include "postgres.hh"

extern "C" {
#include "catalog/pg_type.h"
}

#include "../core/bitmap/bitmap.hh"
#include "../core/bitmap/bitmap64.hh"

namespace fas::pg {

struct Width32 {
    using Bitmap = fas::Bitmap;
    using Value = uint32_t;
    using Element = int32;
    static constexpr const char *type_name = "roaringbitmap";
    static constexpr const char *element_name = "integer";
    static constexpr Oid element_type = INT4OID;
    static Value value_of(Datum element) noexcept { return static_cast<Value>(DatumGetInt32(element)); }
    static Datum datum_of(Value value) noexcept { return Int32GetDatum(static_cast<Element>(value)); }
};

struct Width64 {
    using Bitmap = fas::Bitmap64;
    using Value = uint64_t;
    using Element = int64;
    static constexpr const char *type_name = "roaringbitmap64";
    static constexpr const char *element_name = "bigint";
    static constexpr Oid element_type = INT8OID;
    static Value value_of(Datum element) noexcept { return static_cast<Value>(DatumGetInt64(element)); }
    static Datum datum_of(Value value) noexcept { return Int64GetDatum(static_cast<Element>(value)); }
};

// A range [range_start, range_end) of SQL's bigints as members [first, last]. 32 bits: both ends are clamped to 0 and
// 2^32. 64 bits: both are unsigned, and 0 as the end stands for 2^64.
template <class Width> struct MemberRange {
    typename Width::Value first = 0, last = 0;
    bool is_empty = true;

    MemberRange(int64 start, int64 end) noexcept;
};

template <> inline MemberRange<Width32>::MemberRange(int64 start, int64 end) noexcept {
    constexpr int64 limit = INT64CONST(0x100000000);
    start = start < 0 ? 0 : start;
    end = end > limit ? limit : end;
    if (start < end) {
        first = static_cast<uint32_t>(start);
        last = static_cast<uint32_t>(end - 1);
        is_empty = false;
    }
}

template <> inline MemberRange<Width64>::MemberRange(int64 start, int64 end) noexcept {
    auto from = static_cast<uint64_t>(start), to = static_cast<uint64_t>(end);
    if (from < to || to == 0) {
        first = from;
        last = to - 1;
        is_empty = false;
    }
}

} // namespace fas::pg

// Both SQL-callable functions of one template.
#define FAS_BITMAP_FUNCTION(name, function)                                                                            \
    FAS_FUNCTION(fas_rb_##name) { return function<fas::pg::Width32>(fcinfo); }                                         \
    FAS_FUNCTION(fas_rb64_##name) { return function<fas::pg::Width64>(fcinfo); }
