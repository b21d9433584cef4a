// Bitmaps made of one bitmap: add, remove, fill, clear, flip, range, shifts, runoptimize, for both widths, and the
// conversions between them. What is computed is in core/bitmap/edit.hh.
#include "postgres.hh"

#include "../core/bitmap/edit.hh"
#include "bitmap_datum.hh"
#include "varlena_sink.hh"

namespace fas::pg {

namespace {

// The result of `f(bytes of argument n, sink)`, of width `Width`. One of 32 bits is written in one piece; of 64 bits,
// bucket by bucket, it is mostly no larger than this.
template <class Width, class F> Datum made_of(FunctionCallInfo fcinfo, int n, F f) {
    const Bytes bytes = payload_of(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(n)));
    struct varlena *result = nullptr;
    guarded([&] {
        constexpr size_t little = 64; // a member more may take so much: a bucket, a container
        VarlenaSink out(sizeof(typename Width::Value) == 8 ? bytes.size() + little : 0);
        f(bytes, out);
        result = out.take();
    });
    PG_RETURN_POINTER(result);
}

template <class Width> Datum change_one(FunctionCallInfo fcinfo, Change kind, int bitmap, int element) {
    const typename Width::Value value = Width::value_of(PG_GETARG_DATUM(element));
    return made_of<Width>(fcinfo, bitmap, [&](Bytes bytes, ByteSink &out) {
        change<typename Width::Value>(kind, bytes, value, value, out);
    });
}

template <class Width> Datum rb_add(FunctionCallInfo fcinfo) { return change_one<Width>(fcinfo, Change::fill, 0, 1); }
template <class Width> Datum rb_add_to(FunctionCallInfo fcinfo) {
    return change_one<Width>(fcinfo, Change::fill, 1, 0);
}
template <class Width> Datum rb_remove(FunctionCallInfo fcinfo) {
    return change_one<Width>(fcinfo, Change::clear, 0, 1);
}

template <class Width> Datum change_range(FunctionCallInfo fcinfo, Change kind) {
    const MemberRange<Width> range(PG_GETARG_INT64(1), PG_GETARG_INT64(2));
    if (range.is_empty) {
        if (kind != Change::keep)
            PG_RETURN_DATUM(PG_GETARG_DATUM(0));
        return made_of<Width>(fcinfo, 0, [](Bytes, ByteSink &out) {
            typename Width::Bitmap none;
            none.serialize(out.extend(none.serialized_size()));
        });
    }
    return made_of<Width>(fcinfo, 0, [&](Bytes bytes, ByteSink &out) {
        change<typename Width::Value>(kind, bytes, range.first, range.last, out);
    });
}

template <class Width> Datum rb_fill(FunctionCallInfo fcinfo) { return change_range<Width>(fcinfo, Change::fill); }
template <class Width> Datum rb_clear(FunctionCallInfo fcinfo) { return change_range<Width>(fcinfo, Change::clear); }
template <class Width> Datum rb_flip(FunctionCallInfo fcinfo) { return change_range<Width>(fcinfo, Change::flip); }
template <class Width> Datum rb_range(FunctionCallInfo fcinfo) { return change_range<Width>(fcinfo, Change::keep); }

template <class Width> Datum shift_by(FunctionCallInfo fcinfo, __int128 distance) {
    return made_of<Width>(fcinfo, 0,
                          [&](Bytes bytes, ByteSink &out) { shift<typename Width::Value>(bytes, distance, out); });
}

template <class Width> Datum rb_shiftright(FunctionCallInfo fcinfo) {
    return shift_by<Width>(fcinfo, __int128{PG_GETARG_INT64(1)});
}
template <class Width> Datum rb_shiftleft(FunctionCallInfo fcinfo) {
    return shift_by<Width>(fcinfo, -__int128{PG_GETARG_INT64(1)});
}

template <class Width> Datum rb_runoptimize(FunctionCallInfo fcinfo) {
    return made_of<Width>(fcinfo, 0,
                          [](Bytes bytes, ByteSink &out) { run_optimize<typename Width::Value>(bytes, out); });
}

} // namespace

FAS_BITMAP_FUNCTION(add, rb_add)
FAS_BITMAP_FUNCTION(add_to, rb_add_to)
FAS_BITMAP_FUNCTION(remove, rb_remove)
FAS_BITMAP_FUNCTION(fill, rb_fill)
FAS_BITMAP_FUNCTION(clear, rb_clear)
FAS_BITMAP_FUNCTION(flip, rb_flip)
FAS_BITMAP_FUNCTION(range, rb_range)
FAS_BITMAP_FUNCTION(shiftright, rb_shiftright)
FAS_BITMAP_FUNCTION(shiftleft, rb_shiftleft)
FAS_BITMAP_FUNCTION(runoptimize, rb_runoptimize)

FAS_FUNCTION(fas_rb64_from_roaringbitmap) { return made_of<Width64>(fcinfo, 0, widen); }
FAS_FUNCTION(fas_rb64_to_roaringbitmap) { return made_of<Width32>(fcinfo, 0, narrow); }

} // namespace fas::pg
