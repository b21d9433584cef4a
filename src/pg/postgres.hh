// PostgreSQL's headers, as C, before anything else: every file of src/pg includes this one first.
//
// PGDLLEXPORT is empty on 14 and 15, and we compile with -fvisibility=hidden: without the definition below not even
// the magic block would be found.
#pragma once

extern "C" {
#include "postgres.h"

#include "fmgr.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
}

#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))

// An SQL-callable function: FAS_FUNCTION(flow_segment_in) { ... PG_RETURN_...; }
#define FAS_FUNCTION(name)                                                                                             \
    extern "C" {                                                                                                       \
    PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                                                          \
    PG_FUNCTION_INFO_V1(name);                                                                                         \
    }                                                                                                                  \
    Datum name([[maybe_unused]] PG_FUNCTION_ARGS)
