// Questions to one stored bitmap, both widths: answered where the bitmap lies, from slices of a TOASTed datum, without
// building it. Also rb_select(), which copies the containers that it needs, and rb_iterate(), which goes through them
// one by one. The reading is in core/bitmap/view.hh.
//
// Everything a question needs is made inside guarded() and is gone when it is answered; what rb_iterate() keeps between
// its calls belongs to the memory context that lives as long as they go on.
#include "postgres.hh"

extern "C" {
#include "access/detoast.h"
#include "funcapi.h"
}

#include <cstddef>
#include <limits>
#include <memory_resource>
#include <optional>

#include "../core/bitmap/gather.hh"
#include "../core/bitmap/view.hh"
#include "bitmap_width.hh"
#include "bitmap_writing.hh"
#include "datum.hh"
#include "guard.hh"
#include "toast_reader.hh"
#include "toast_source.hh"

namespace fas::pg {

namespace {

// A slice costs about what 16 KB do. So of a small value all is fetched at once; how small depends on how many slices a
// question needs: one, when the answer is at the front, or some more, and more of those that have many parts.
constexpr Size slice_cost = 16 * 1024;
template <class Width> constexpr Size small_value = 2 * slice_cost;
template <> constexpr Size small_value<Width64> = 8 * slice_cost;

// Of 32 bits, the header is at the front; of 64 bits, each bucket has one of its own.
template <class Width> constexpr Size small_for_header = slice_cost;
template <> constexpr Size small_for_header<Width64> = small_value<Width64>;

// Calls f(view) inside guarded().
template <class Width, class F> void read_bitmap(Datum datum, F f, Size small = small_value<Width>) {
    struct varlena *value = ToastReader::argument(datum);
    guarded([&] {
        ToastReader reader(value);
        const ByteWindow window = reader.window(Room::first, small);
        if (window.is_whole()) {
            BitmapView view(window.whole(), view_width<Width>);
            f(view);
        } else {
            ToastSource source(value, CurrentMemoryContext);
            BitmapView view(source, view_width<Width>);
            f(view);
        }
    });
    if (PointerGetDatum(value) != datum)
        pfree(value);
}

template <class Width> Datum rb_cardinality(FunctionCallInfo fcinfo) {
    uint64_t members = 0;
    read_bitmap<Width>(
        PG_GETARG_DATUM(0), [&](BitmapView &view) { members = view.cardinality(); }, small_for_header<Width>);
    PG_RETURN_INT64(static_cast<int64>(members));
}

template <class Width> Datum rb_is_empty(FunctionCallInfo fcinfo) {
    bool empty = false;
    read_bitmap<Width>(
        PG_GETARG_DATUM(0), [&](BitmapView &view) { empty = view.empty(); }, slice_cost);
    PG_RETURN_BOOL(empty);
}

template <class Width> bool contains(Datum bitmap, Datum element) {
    auto member = Width::value_of(element);
    bool found = false;
    read_bitmap<Width>(bitmap, [&](BitmapView &view) { found = view.contains(member); });
    return found;
}

template <class Width> Datum rb_contains(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(contains<Width>(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

template <class Width> Datum rb_containedby(FunctionCallInfo fcinfo) {
    PG_RETURN_BOOL(contains<Width>(PG_GETARG_DATUM(1), PG_GETARG_DATUM(0)));
}

template <class Width> Datum element_or_null(FunctionCallInfo fcinfo, const std::optional<uint64_t> &member) {
    if (!member)
        PG_RETURN_NULL();
    PG_RETURN_DATUM(Width::datum_of(static_cast<typename Width::Value>(*member)));
}

template <class Width> Datum rb_min(FunctionCallInfo fcinfo) {
    std::optional<uint64_t> member;
    read_bitmap<Width>(
        PG_GETARG_DATUM(0), [&](BitmapView &view) { member = view.minimum(); }, slice_cost); // mostly at the front, too
    return element_or_null<Width>(fcinfo, member);
}

template <class Width> Datum rb_max(FunctionCallInfo fcinfo) {
    std::optional<uint64_t> member;
    read_bitmap<Width>(PG_GETARG_DATUM(0), [&](BitmapView &view) { member = view.maximum(); });
    return element_or_null<Width>(fcinfo, member);
}

template <class Width> Datum rb_rank(FunctionCallInfo fcinfo) {
    auto member = Width::value_of(PG_GETARG_DATUM(1));
    uint64_t members = 0;
    read_bitmap<Width>(PG_GETARG_DATUM(0), [&](BitmapView &view) { members = view.rank(member); });
    PG_RETURN_INT64(static_cast<int64>(members));
}

template <class Width> Datum rb_index(FunctionCallInfo fcinfo) {
    auto member = Width::value_of(PG_GETARG_DATUM(1));
    int64 index = -1;
    read_bitmap<Width>(PG_GETARG_DATUM(0), [&](BitmapView &view) {
        if (auto found = view.index(member))
            index = static_cast<int64>(*found);
    });
    PG_RETURN_INT64(index);
}

template <class Width> Datum rb_range_cardinality(FunctionCallInfo fcinfo) {
    const MemberRange<Width> range(PG_GETARG_INT64(1), PG_GETARG_INT64(2));
    uint64_t members = 0;
    read_bitmap<Width>(PG_GETARG_DATUM(0), [&](BitmapView &view) {
        if (!range.is_empty)
            members = view.range_cardinality(range.first, range.last);
    });
    PG_RETURN_INT64(static_cast<int64>(members));
}

struct Selection {
    int64 limit, offset;
    bool reverse;
};

// Which members of the `count` in a range are wanted: from `begin` to before `end`, counted from the first of them.
// `offset` members are passed over, from the end when in reverse.
struct Wanted {
    uint64_t begin = 0, end = 0;

    Wanted(const Selection &selection, uint64_t count) noexcept {
        if (selection.limit <= 0)
            return;
        __int128 from = selection.offset, to = from + selection.limit;
        if (selection.reverse) {
            from = static_cast<__int128>(count) - to;
            to = static_cast<__int128>(count) - selection.offset;
        }
        auto clamp = [&](__int128 n) {
            return n < 0 ? 0 : n > static_cast<__int128>(count) ? count : static_cast<uint64_t>(n);
        };
        begin = clamp(from);
        end = clamp(to);
    }
};

template <class Width> Datum rb_select(FunctionCallInfo fcinfo) {
    Selection selection{PG_GETARG_INT64(1), PG_GETARG_INT64(2), PG_GETARG_BOOL(3)};
    // A negative offset: with 32 bits the window begins before the first member, with 64 bits at it (pg_roaringbitmap's
    // users have both).
    if (view_width<Width> == BitmapWidth::bits64 && selection.offset < 0)
        selection.offset = 0;
    const MemberRange<Width> range(PG_GETARG_INT64(4), PG_GETARG_INT64(5));
    struct varlena *result = nullptr;
    read_bitmap<Width>(PG_GETARG_DATUM(0), [&](BitmapView &view) {
        std::byte first_memory[1024];
        std::pmr::monotonic_buffer_resource memory(first_memory, sizeof first_memory);
        BitmapGatherer selected(memory, Gathering::unite);
        if (!range.is_empty) {
            constexpr auto last_value = std::numeric_limits<typename Width::Value>::max();
            uint64_t before = range.first == 0 ? 0 : view.rank(range.first - 1);
            uint64_t with = range.last == last_value ? view.cardinality() : view.rank(range.last);
            if (with < before)
                throw_bad_bitmap("A container has another number of members than its header says.");
            Wanted wanted(selection, with - before);
            if (wanted.begin < wanted.end) {
                auto first = view.select(before + wanted.begin), last = view.select(before + wanted.end - 1);
                if (!first || !last)
                    throw_bad_bitmap("A container has fewer members than its header says.");
                selected.gather_range(view, *first, *last);
            }
        }
        result = varlena_of_gathered<Width>(selected);
    });
    PG_RETURN_POINTER(result);
}

// What rb_iterate() keeps: the value itself where the caller's memory may not live as long as the calls go on.
class Iteration {
  public:
    Iteration(struct varlena *value, MemoryContext context, BitmapWidth width)
        : source_(value, context), cursor_(source_, width) {}
    bool take(uint64_t &member) noexcept { return cursor_.take(member); }
    bool next(uint64_t &member) { return cursor_.next(member); }

  private:
    ToastSource source_;
    BitmapCursor cursor_;
};

// It reads nearly all of most values, so that more is fetched at once than for other questions.
constexpr Size small_iterated = 8 * slice_cost;

template <class Width> Iteration *begin_iteration(FunctionCallInfo fcinfo, MemoryContext context) {
    MemoryContext saved = MemoryContextSwitchTo(context);
    struct varlena *value = reinterpret_cast<struct varlena *>(PG_GETARG_POINTER(0));
    if (VARATT_IS_EXTERNAL_ONDISK(value) && toast_raw_datum_size(PG_GETARG_DATUM(0)) > small_iterated) {
        size_t size = VARSIZE_ANY(value); // of the pointer
        value = static_cast<struct varlena *>(memcpy(palloc(size), value, size));
    } else {
        value = PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
    }
    auto *iteration = make_in_context<Iteration>(context, value, context, view_width<Width>);
    MemoryContextSwitchTo(saved);
    return iteration;
}

template <class Width> Datum rb_iterate(FunctionCallInfo fcinfo) {
    if (SRF_IS_FIRSTCALL()) {
        FuncCallContext *call = SRF_FIRSTCALL_INIT();
        call->user_fctx = begin_iteration<Width>(fcinfo, call->multi_call_memory_ctx);
    }
    FuncCallContext *call = SRF_PERCALL_SETUP();
    auto *iteration = static_cast<Iteration *>(call->user_fctx);
    uint64_t member = 0;
    bool found = iteration->take(member);
    if (!found)
        guarded([&] { found = iteration->next(member); });
    if (!found)
        SRF_RETURN_DONE(call);
    SRF_RETURN_NEXT(call, Width::datum_of(static_cast<typename Width::Value>(member)));
}

} // namespace

FAS_BITMAP_FUNCTION(cardinality, rb_cardinality)
FAS_BITMAP_FUNCTION(is_empty, rb_is_empty)
FAS_BITMAP_FUNCTION(contains, rb_contains)
FAS_BITMAP_FUNCTION(containedby, rb_containedby)
FAS_BITMAP_FUNCTION(min, rb_min)
FAS_BITMAP_FUNCTION(max, rb_max)
FAS_BITMAP_FUNCTION(rank, rb_rank)
FAS_BITMAP_FUNCTION(index, rb_index)
FAS_BITMAP_FUNCTION(range_cardinality, rb_range_cardinality)
FAS_BITMAP_FUNCTION(select, rb_select)
FAS_BITMAP_FUNCTION(iterate, rb_iterate)

} // namespace fas::pg
