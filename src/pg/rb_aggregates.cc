// The bitmap aggregates of both widths: rb_build_agg, rb_or_agg, rb_and_agg, rb_xor_agg, and their cardinalities.
//
// The state is a BitmapGatherer (core/bitmap/gather.hh) whose memory, to the last byte, is palloc'd in the aggregate's
// context: PostgreSQL sees how large it is (HashAggregate spills by it), and it goes with the context, so that nothing
// is to be destroyed. Final functions may be called again and again, and between transitions: they settle what is lazy
// in the state, which no caller can see.
//
// Between processes a state travels as its bitmap. A state that was deserialised is only read by the combine function
// that follows: it stays the bytes that it came as.
#include "postgres.hh"

extern "C" {
#include "access/detoast.h"
#include "utils/memutils.h"
}

#include <memory_resource>
#include <new>

#include "../core/bitmap/gather.hh"
#include "../core/bitmap/view.hh"
#include "aggregate.hh"
#include "bitmap_width.hh"
#include "bitmap_writing.hh"
#include "datum.hh"
#include "guard.hh"
#include "toast_source.hh"

namespace fas::pg {

namespace {

// Memory of a context, for phase two: fails with bad_alloc, never by a jump.
class ContextMemory final : public std::pmr::memory_resource {
  public:
    explicit ContextMemory(MemoryContext context) noexcept : context_(context) {}

  private:
    void *do_allocate(size_t size, size_t) override {
        void *out = MemoryContextAllocExtended(context_, size, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
        if (out == nullptr)
            throw std::bad_alloc();
        return out;
    }
    void do_deallocate(void *pointer, size_t, size_t) override { pfree(pointer); }
    bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }

    MemoryContext context_;
};

// What a further bitmap does to the state.
enum class Fold { unite, toggle, intersect };

struct State {
    State(MemoryContext context, Fold fold) noexcept
        : memory(context), gatherer(memory, fold == Fold::toggle ? Gathering::toggle : Gathering::unite) {}

    ContextMemory memory;
    BitmapGatherer gatherer;
    // Of a frame that moves: its bitmaps that are not null, of which there may be none; else not counted.
    uint64 frame_inputs = 1;
    const struct varlena *received = nullptr; // of a deserialised state: its bitmap, and the gatherer is empty
};

// For phases one and three. Never destroyed: its memory goes with the context.
State *make_state(MemoryContext context, Fold fold) {
    return new (MemoryContextAlloc(context, sizeof(State))) State(context, fold);
}

void fold_in(State &state, Fold fold, bool is_first, BitmapView &view) {
    if (fold == Fold::intersect && !is_first)
        state.gatherer.intersect(view);
    else
        state.gatherer.gather(view);
}

template <class Width> Datum rb_build_trans(FunctionCallInfo fcinfo) {
    auto *state = state_argument<State>(fcinfo, 0);
    if (!PG_ARGISNULL(1)) {
        if (state == nullptr)
            state = make_state(aggregate_context(fcinfo), Fold::unite);
        auto member = Width::value_of(PG_GETARG_DATUM(1));
        if (!state->gatherer.take(member))
            guarded([&] { state->gatherer.add(member); });
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

// An intersection with a large value fetches only the containers that it still has.
template <class Width> void intersect_slices(State &state, struct varlena *value) {
    guarded([&] {
        ToastSource source(value, CurrentMemoryContext);
        BitmapView view(source, view_width<Width>);
        state.gatherer.intersect(view);
    });
}

template <class Width, Fold fold> void fold_datum(State &state, bool is_first, Datum datum) {
    auto *given = reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
    if (fold == Fold::intersect && !is_first) {
        if (state.gatherer.empty())
            return;
        if (VARATT_IS_EXTERNAL_ONDISK(given) && !state.gatherer.needs_all(toast_raw_datum_size(datum) - VARHDRSZ)) {
            intersect_slices<Width>(state, given);
            return;
        }
    }
    struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);
    guarded([&] {
        BitmapView view(payload_of(value), view_width<Width>);
        fold_in(state, fold, is_first, view);
    });
    if (value != given)
        pfree(value);
}

template <class Width, Fold fold> Datum fold_trans(FunctionCallInfo fcinfo) {
    auto *state = state_argument<State>(fcinfo, 0);
    if (!PG_ARGISNULL(1)) {
        bool is_first = state == nullptr;
        if (is_first)
            state = make_state(aggregate_context(fcinfo), fold);
        fold_datum<Width, fold>(*state, is_first, PG_GETARG_DATUM(1));
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

template <class Width, Fold fold> Datum fold_combine(FunctionCallInfo fcinfo) {
    MemoryContext context = aggregate_context(fcinfo);
    auto *state = state_argument<State>(fcinfo, 0);
    auto *other = state_argument<State>(fcinfo, 1);
    if (other != nullptr) {
        bool is_first = state == nullptr;
        if (is_first)
            state = make_state(context, fold);
        guarded([&] {
            const struct varlena *bytes = other->received;
            if (bytes == nullptr)
                bytes = varlena_of_gathered<Width>(other->gatherer);
            BitmapView view(payload_of(bytes), view_width<Width>);
            fold_in(*state, fold, is_first, view);
        });
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

// A frame that moves: the symmetric difference is its own inverse, and a bitmap that leaves is toggled once more. The
// state is there from the first row on, null or not: PostgreSQL wants that of a transition that can be inverted.
template <class Width> Datum rb_xor_moving_trans(FunctionCallInfo fcinfo) {
    auto *state = state_argument<State>(fcinfo, 0);
    if (state == nullptr) {
        state = make_state(aggregate_context(fcinfo), Fold::toggle);
        state->frame_inputs = 0;
    }
    if (!PG_ARGISNULL(1)) {
        fold_datum<Width, Fold::toggle>(*state, false, PG_GETARG_DATUM(1));
        ++state->frame_inputs;
    }
    PG_RETURN_POINTER(state);
}

template <class Width> Datum rb_xor_inverse(FunctionCallInfo fcinfo) {
    aggregate_context(fcinfo);
    auto *state = state_argument<State>(fcinfo, 0);
    if (state != nullptr && !PG_ARGISNULL(1)) {
        fold_datum<Width, Fold::toggle>(*state, false, PG_GETARG_DATUM(1));
        guarded([&] { state->gatherer.shed(); });
        --state->frame_inputs;
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

template <class Width> Datum rb_or_trans(FunctionCallInfo fcinfo) { return fold_trans<Width, Fold::unite>(fcinfo); }
template <class Width> Datum rb_xor_trans(FunctionCallInfo fcinfo) { return fold_trans<Width, Fold::toggle>(fcinfo); }
template <class Width> Datum rb_and_trans(FunctionCallInfo fcinfo) {
    return fold_trans<Width, Fold::intersect>(fcinfo);
}
template <class Width> Datum rb_or_combine(FunctionCallInfo fcinfo) { return fold_combine<Width, Fold::unite>(fcinfo); }
template <class Width> Datum rb_xor_combine(FunctionCallInfo fcinfo) {
    return fold_combine<Width, Fold::toggle>(fcinfo);
}
template <class Width> Datum rb_and_combine(FunctionCallInfo fcinfo) {
    return fold_combine<Width, Fold::intersect>(fcinfo);
}

template <class Width> Datum rb_final(FunctionCallInfo fcinfo) {
    aggregate_context(fcinfo);
    auto *state = state_argument<State>(fcinfo, 0);
    if (state == nullptr || state->frame_inputs == 0)
        PG_RETURN_NULL();
    struct varlena *result = nullptr;
    guarded([&] { result = varlena_of_gathered<Width>(state->gatherer); });
    PG_RETURN_POINTER(result);
}

template <class Width> Datum rb_cardinality_final(FunctionCallInfo fcinfo) {
    aggregate_context(fcinfo);
    auto *state = state_argument<State>(fcinfo, 0);
    if (state == nullptr || state->frame_inputs == 0)
        PG_RETURN_NULL();
    uint64_t members = 0;
    guarded([&] { members = state->gatherer.cardinality(); });
    PG_RETURN_INT64(static_cast<int64>(members));
}

// Strict: PostgreSQL passes a state that is there.
template <class Width> Datum rb_serialize(FunctionCallInfo fcinfo) { return rb_final<Width>(fcinfo); }

// Strict. The bytes are checked here, once; they and the state live until the combine function is through.
template <class Width> Datum rb_deserialize(FunctionCallInfo fcinfo) {
    aggregate_context(fcinfo);
    bytea *bytes = PG_GETARG_BYTEA_PP(0);
    guarded([&] { check_bitmap(payload_of(bytes), view_width<Width>, sqlstate::invalid_binary_representation); });
    State *state = make_state(CurrentMemoryContext, Fold::unite);
    state->received = bytes;
    PG_RETURN_POINTER(state);
}

} // namespace

FAS_BITMAP_FUNCTION(build_trans, rb_build_trans)
FAS_BITMAP_FUNCTION(or_trans, rb_or_trans)
FAS_BITMAP_FUNCTION(and_trans, rb_and_trans)
FAS_BITMAP_FUNCTION(xor_trans, rb_xor_trans)
FAS_BITMAP_FUNCTION(xor_moving_trans, rb_xor_moving_trans)
FAS_BITMAP_FUNCTION(xor_inverse, rb_xor_inverse)
FAS_BITMAP_FUNCTION(or_combine, rb_or_combine)
FAS_BITMAP_FUNCTION(and_combine, rb_and_combine)
FAS_BITMAP_FUNCTION(xor_combine, rb_xor_combine)
FAS_BITMAP_FUNCTION(final, rb_final)
FAS_BITMAP_FUNCTION(cardinality_final, rb_cardinality_final)
FAS_BITMAP_FUNCTION(serialize, rb_serialize)
FAS_BITMAP_FUNCTION(deserialize, rb_deserialize)

} // namespace fas::pg
