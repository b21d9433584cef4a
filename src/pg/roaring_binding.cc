// Makes CRoaring fas's own. State: one table of function pointers, written once by _PG_init.
//
// Why not simply link libroaring: PostgreSQL loads modules RTLD_GLOBAL, so that an undefined roaring_bitmap_or of ours
// would bind to the first one in the process. pg_roaringbitmap exports a whole CRoaring of another version, with
// palloc as its memory hook: its memory vanishes with a memory context, and its failed allocations longjmp through our
// C++ frames. An extension that links Debian's libroaring.so and installs a hook there would do the same to us,
// because a library is loaded once for a process. And Debian has no static library to put into fas.so.
//
// So fas.so defines the functions itself, hidden, and each jumps through a pointer into a copy of libroaring that
// nobody else can see: dlmopen() gives it a link namespace of its own, with its own libc, so that neither its symbols
// nor its hook nor its allocator are anybody else's. Where that fails (a process has few namespaces), dlopen() with
// RTLD_LOCAL and RTLD_DEEPBIND still keeps foreign symbols out; only the memory hook of an extension that links the
// very same file is then shared.
//
// Memory that CRoaring returns is freed by CRoaring alone (roaring_bitmap_free, roaring_free), never by free().
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>

#include <cstdio>

#include <roaring/roaring.h>
#include <roaring/roaring64.h>

#include "roaring_binding.hh"

namespace fas::pg {

namespace {

struct Functions {
#define FORWARD(result, name, parameters, arguments) result(*name) parameters;
#include "roaring_functions.inc"
#undef FORWARD
};

Functions bound;
void *library = nullptr;

// CRoaring 4.0 has soname 16, 5.1 has 27; what fas uses is the same in all of them. First what fas is tested with.
constexpr int sonames[] = {21, 22, 20, 19, 18, 17, 16, 23, 24, 25, 26, 27};

#if defined(__SANITIZE_ADDRESS__)
constexpr int dlopen_flags = RTLD_NOW | RTLD_LOCAL; // AddressSanitizer refuses RTLD_DEEPBIND
#elif defined(RTLD_DEEPBIND)
constexpr int dlopen_flags = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
#else
#error "fas needs RTLD_DEEPBIND (glibc) to keep its CRoaring apart from other extensions'"
#endif

void *open_library(const char *name) noexcept {
#if !defined(__SANITIZE_ADDRESS__)
    if (void *handle = dlmopen(LM_ID_NEWLM, name, RTLD_NOW))
        return handle;
#endif
    return dlopen(name, dlopen_flags);
}

template <class Function> bool bind(void *handle, const char *name, Function *&out) noexcept {
    out = reinterpret_cast<Function *>(dlsym(handle, name));
    return out != nullptr;
}

// The name of the first function that the library lacks, or null.
const char *bind_all(void *handle, Functions &out) noexcept {
#define FORWARD(result, name, parameters, arguments)                                                                   \
    if (!bind(handle, #name, out.name))                                                                                \
        return #name;
#include "roaring_functions.inc"
#undef FORWARD
    return nullptr;
}

} // namespace

bool load_roaring(char *error, size_t size) noexcept {
    if (library != nullptr)
        return true;
    bool found = false;
    std::snprintf(error, size, "No library of CRoaring was found.");
    for (int number : sonames) {
        char name[32];
        std::snprintf(name, sizeof name, "libroaring.so.%d", number);
        void *handle = open_library(name);
        if (handle == nullptr) {
            // The reason worth telling is that of the library we know best.
            const char *reason = dlerror();
            if (number == sonames[0] && reason != nullptr)
                std::snprintf(error, size, "The dynamic linker says: %s.", reason);
            continue;
        }
        Functions functions;
        const char *missing = bind_all(handle, functions);
        if (missing == nullptr) {
            bound = functions;
            library = handle;
            return true;
        }
        if (!found)
            std::snprintf(error, size, "%s lacks the function %s.", name, missing);
        found = true;
        dlclose(handle);
    }
    return false;
}

} // namespace fas::pg

// The functions that the rest of fas calls. CRoaring's header declares them in this namespace, with C linkage; hidden,
// so that calls bind to these at link time, and nobody outside finds them.
extern "C" {
namespace roaring {
namespace api {
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#define FORWARD(result, name, parameters, arguments)                                                                   \
    __attribute__((visibility("hidden"))) result name parameters { return fas::pg::bound.name arguments; }
#include "roaring_functions.inc"
#undef FORWARD
} // namespace api
} // namespace roaring
}
