// See guard.hh. This file holds the only try/catch and the only PG_TRY of src/pg.
//
// An error of PostgreSQL that call_postgres() catches stays where PostgreSQL put it, on the error stack, while C++
// unwinds; guarded() then hands it on with PG_RE_THROW(). Copying it out instead (CopyErrorData) would allocate in a
// place where a failure would jump over C++ frames. So nothing between the two may swallow a PostgresError, and no
// destructor may call PostgreSQL code that can raise.
#include "postgres.hh"

extern "C" {
#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
}

#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>

#include "../core/error.hh"
#include "../core/interrupt.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

// A PostgreSQL error on its way through C++ frames; the error itself is on PostgreSQL's error stack.
struct PostgresError {};

// What leaves the catch block: plain memory on run_guarded's stack, no destructor.
struct PlainError {
    char sqlstate[6];
    char message[1024];
    char detail[4096];
    char hint[1024];
};

// Copies at most size - 1 bytes and never ends inside a UTF-8 sequence: texts may quote a user's names.
void copy_text(char *out, size_t size, const char *text, size_t length) noexcept {
    size_t n = length < size ? length : size - 1;
    if (n < length)
        while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80)
            --n;
    std::memcpy(out, text, n);
    out[n] = '\0';
}

void fill(PlainError &out, const char *sqlstate, const char *message) noexcept {
    copy_text(out.sqlstate, sizeof out.sqlstate, sqlstate, 5);
    copy_text(out.message, sizeof out.message, message, std::strlen(message));
    out.detail[0] = out.hint[0] = '\0';
}

void fill(PlainError &out, const Error &e) noexcept {
    fill(out, e.sqlstate(), e.message().c_str());
    copy_text(out.detail, sizeof out.detail, e.detail().data(), e.detail().size());
    copy_text(out.hint, sizeof out.hint, e.hint().data(), e.hint().size());
}

// What a hostile segment calls a name may be no UTF-8, and the client's encoding conversion would choke on it.
void make_valid(char *text) noexcept {
    size_t length = std::strlen(text);
    for (size_t i = 0; i < length;) {
        auto *at = reinterpret_cast<unsigned char *>(text + i);
        size_t n = static_cast<size_t>(pg_utf_mblen(at));
        if (n <= length - i && pg_utf8_islegal(at, static_cast<int>(n))) {
            i += n;
        } else {
            text[i++] = '?';
        }
    }
}

[[noreturn]] void raise(PlainError &e) {
    const char *s = e.sqlstate;
    make_valid(e.message);
    make_valid(e.detail);
    make_valid(e.hint);
    ereport(ERROR, (errcode(MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4])), errmsg_internal("%s", e.message),
                    e.detail[0] != '\0' ? errdetail_internal("%s", e.detail) : 0,
                    e.hint[0] != '\0' ? errhint("%s", e.hint) : 0));
    pg_unreachable();
}

void poll_postgres() {
    if (InterruptPending)
        call_postgres([] { CHECK_FOR_INTERRUPTS(); });
}

struct Owner {
    MemoryContextCallback callback;
    void *object;
    void (*destroy)(void *);
};

} // namespace

void run_guarded(void (*body)(void *), void *closure) {
    enum { ok, plain, postgres } outcome = ok;
    PlainError error;

    try {
        body(closure);
    } catch (const PostgresError &) {
        outcome = postgres;
    } catch (const Error &e) {
        fill(error, e);
        outcome = plain;
    } catch (const std::bad_alloc &) {
        fill(error, sqlstate::out_of_memory, "out of memory");
        outcome = plain;
    } catch (const std::length_error &) { // a vector or string was to hold more than it can
        fill(error, sqlstate::program_limit_exceeded, "too much data for one value");
        outcome = plain;
    } catch (const std::exception &e) {
        fill(error, "XX000", e.what());
        outcome = plain;
    } catch (...) {
        fill(error, "XX000", "unexpected C++ exception");
        outcome = plain;
    }
    // The catch blocks are left, so the exception objects are gone: now PostgreSQL may jump.
    if (outcome == postgres)
        PG_RE_THROW();
    if (outcome == plain)
        raise(error);
}

void run_postgres(void (*body)(void *), void *closure) {
    volatile bool raised = false;

    PG_TRY();
    { body(closure); }
    PG_CATCH();
    { raised = true; }
    PG_END_TRY();
    if (raised)
        throw PostgresError{};
}

bool run_surviving(void (*body)(void *), void *closure, char *problem, size_t size) {
    MemoryContext context = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    volatile bool is_sound = true;

    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(context);
    PG_TRY();
    {
        body(closure);
        ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        ErrorData *error = CopyErrorData();
        FlushErrorState();
        // Whatever the error is: PostgreSQL's own abort would take this subtransaction for a savepoint of the user's,
        // and leave the session in it.
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(context);
        CurrentResourceOwner = owner;
        if (error->sqlerrcode != ERRCODE_DATA_CORRUPTED && error->sqlerrcode != ERRCODE_PROGRAM_LIMIT_EXCEEDED)
            ReThrowError(error);
        snprintf(problem, size, "%s%s%s", error->message, error->detail != nullptr ? ": " : "",
                 error->detail != nullptr ? error->detail : "");
        problem[pg_mbcliplen(problem, static_cast<int>(strlen(problem)), static_cast<int>(size) - 1)] = '\0';
        FreeErrorData(error);
        is_sound = false;
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    return is_sound;
}

struct varlena *to_varlena(std::span<const uint8_t> bytes) {
    size_t size = bytes.size() + VARHDRSZ;
    auto *out = static_cast<struct varlena *>(allocate(CurrentMemoryContext, size));
    SET_VARSIZE(out, size);
    if (!bytes.empty())
        std::memcpy(VARDATA(out), bytes.data(), bytes.size());
    return out;
}

void *allocate(MemoryContext context, size_t size) {
    if (!AllocSizeIsValid(size))
        throw Error(sqlstate::program_limit_exceeded, "result is too large",
                    "A value of " + std::to_string(size) + " bytes was asked for; PostgreSQL's limit is 1 GB.");
    void *out = MemoryContextAllocExtended(context, size, MCXT_ALLOC_NO_OOM);
    if (out == nullptr)
        throw std::bad_alloc();
    return out;
}

void *prepare_owner(MemoryContext context, void (*destroy)(void *)) {
    auto *owner = static_cast<Owner *>(MemoryContextAllocZero(context, sizeof(Owner)));
    owner->destroy = destroy;
    owner->callback.arg = owner;
    owner->callback.func = [](void *arg) {
        auto *o = static_cast<Owner *>(arg);
        if (o->object != nullptr)
            o->destroy(o->object);
    };
    MemoryContextRegisterResetCallback(context, &owner->callback);
    return owner;
}

void set_owned(void *slot, void *object) noexcept { static_cast<Owner *>(slot)->object = object; }

void install_poll_hook() { poll_hook = poll_postgres; }

} // namespace fas::pg
