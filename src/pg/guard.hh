// Where C++ and PostgreSQL's longjmp meet: the only try/catch of src/pg, in both directions.
//
// Every SQL function has three phases. (1) PostgreSQL code reads the arguments into plain views. (2) guarded(...)
// runs core C++; nothing inside may call PostgreSQL code that can raise, except through call_postgres(). (3)
// PostgreSQL code builds the result. No object with a destructor lives in the function outside of phase two: what
// must live longer is made with make_in_context().
//
//   SegmentBytes stays inside; results leave phase two through plain pointers:
//     struct varlena *result = nullptr;
//     guarded([&] { result = to_varlena(core_call(...)); });
//     PG_RETURN_POINTER(result);
#pragma once

#include "postgres.hh"

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace fas::pg {

// Plain function pointers keep the templates small; see guard.cc.
void run_guarded(void (*body)(void *), void *closure);
void run_postgres(void (*body)(void *), void *closure);

// Runs `f`. A fas::Error, a std::bad_alloc, a PostgreSQL error caught by call_postgres(), or anything else thrown is
// copied to plain memory, the catch block is left, and then ereport() (or ReThrowError()) is called.
template <class F> void guarded(F &&f) {
    using Fn = std::remove_reference_t<F>;
    run_guarded([](void *closure) { (*static_cast<Fn *>(closure))(); },
                const_cast<void *>(static_cast<const void *>(&f)));
}

// The other way: C++ inside guarded() calls PostgreSQL code that may raise. A raised error is caught, carried as a C++
// exception through the C++ frames (running their destructors), and re-raised by the enclosing guarded(). `f` itself
// must hold no object with a destructor. Guard a batch of work, not a row: it costs a sigsetjmp.
template <class F> void call_postgres(F &&f) {
    using Fn = std::remove_reference_t<F>;
    run_postgres([](void *closure) { (*static_cast<Fn *>(closure))(); },
                 const_cast<void *>(static_cast<const void *>(&f)));
}

// Upkeep must go on where one stored segment is damaged. Runs `f`, which is PostgreSQL code (phases and guarded() calls
// of its own), in a subtransaction. When it raises data_corrupted or program_limit_exceeded, the subtransaction is
// rolled back, message and detail are copied to `problem`, and the answer is false; every other error goes on.
bool run_surviving(void (*body)(void *), void *closure, char *problem, size_t size);
template <class F> bool survives_damage(F &&f, char *problem, size_t size) {
    using Fn = std::remove_reference_t<F>;
    return run_surviving([](void *closure) { (*static_cast<Fn *>(closure))(); },
                         const_cast<void *>(static_cast<const void *>(&f)), problem, size);
}

// In phase two: a varlena in the current memory context with `bytes` as its payload. Never raises: throws
// bad_alloc, or Error 54000 above MaxAllocSize.
struct varlena *to_varlena(std::span<const uint8_t> bytes);
// In phase two: raw palloc'd memory in `context`, same rules.
void *allocate(MemoryContext context, size_t size);

// A C++ object owned by a memory context: destroyed when the context is reset or deleted, errors included. Call it in
// phase one or three, not inside guarded().
void *prepare_owner(MemoryContext context, void (*destroy)(void *)); // returns a slot
void set_owned(void *slot, void *object) noexcept;

template <class T, class... Args> T *make_in_context(MemoryContext context, Args &&...args) {
    void *slot = prepare_owner(context, [](void *object) { delete static_cast<T *>(object); });
    T *object = nullptr;
    guarded([&] { object = new T(std::forward<Args>(args)...); });
    set_owned(slot, object);
    return object;
}

void install_poll_hook(); // called by _PG_init

} // namespace fas::pg
