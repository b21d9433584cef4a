// See guard.hh. This file holds the only try/catch and the only PG_TRY of src/pg.
#include "postgres.hh"

extern "C" {
#include "miscadmin.h"
#include "utils/memutils.h"
}

#include <cstring>
#include <exception>

#include "../core/error.hh"
#include "../core/interrupt.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

// A PostgreSQL error on its way through C++ frames.
struct PostgresError {
    ErrorData *data;
};

// What leaves the catch block: plain memory on run_guarded's stack, no destructor.
struct PlainError {
    char sqlstate[6];
    char message[1024];
    char detail[4096];
    char hint[1024];
};

// Copies at most size - 1 bytes and never ends inside a UTF-8 sequence: texts may quote a user's names.
void copy_text(char *out, size_t size, const std::string &text) noexcept {
    size_t n = text.size() < size ? text.size() : size - 1;
    if (n < text.size())
        while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80)
            --n;
    std::memcpy(out, text.data(), n);
    out[n] = '\0';
}

void fill(PlainError &out, const char *sqlstate, const std::string &message, const std::string &detail,
          const std::string &hint) noexcept {
    std::memcpy(out.sqlstate, sqlstate, 6);
    copy_text(out.message, sizeof out.message, message);
    copy_text(out.detail, sizeof out.detail, detail);
    copy_text(out.hint, sizeof out.hint, hint);
}

[[noreturn]] void raise(const PlainError &e) {
    const char *s = e.sqlstate;
    ereport(ERROR, (errcode(MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4])), errmsg("%s", e.message),
                    e.detail[0] != '\0' ? errdetail("%s", e.detail) : 0, e.hint[0] != '\0' ? errhint("%s", e.hint) : 0));
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
    ErrorData *data = nullptr;

    try {
        body(closure);
    } catch (const PostgresError &e) {
        data = e.data;
        outcome = postgres;
    } catch (const Error &e) {
        fill(error, e.sqlstate(), e.message(), e.detail(), e.hint());
        outcome = plain;
    } catch (const std::bad_alloc &) {
        std::memcpy(error.sqlstate, sqlstate::out_of_memory, 6);
        std::strcpy(error.message, "out of memory");
        error.detail[0] = error.hint[0] = '\0';
        outcome = plain;
    } catch (const std::exception &e) {
        std::memcpy(error.sqlstate, "XX000", 6);
        std::strncpy(error.message, e.what(), sizeof error.message - 1);
        error.message[sizeof error.message - 1] = '\0';
        error.detail[0] = error.hint[0] = '\0';
        outcome = plain;
    } catch (...) {
        std::memcpy(error.sqlstate, "XX000", 6);
        std::strcpy(error.message, "unexpected C++ exception");
        error.detail[0] = error.hint[0] = '\0';
        outcome = plain;
    }
    if (outcome == postgres)
        ReThrowError(data);
    if (outcome == plain)
        raise(error);
}

void run_postgres(void (*body)(void *), void *closure) {
    MemoryContext context = CurrentMemoryContext;
    ErrorData *volatile data = nullptr;

    PG_TRY();
    {
        body(closure);
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        data = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();
    if (data != nullptr)
        throw PostgresError{data};
}

struct varlena *to_varlena(std::span<const uint8_t> bytes) {
    size_t size = bytes.size() + VARHDRSZ;
    auto *out = static_cast<struct varlena *>(allocate(CurrentMemoryContext, size));
    SET_VARSIZE(out, size);
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
