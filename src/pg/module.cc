// What PostgreSQL sees first: the magic block and _PG_init, which binds CRoaring, lets the core's loops be cancelled,
// and defines the settings.
#include "postgres.hh"

extern "C" {
#include "utils/guc.h"
}

#include <climits>

#include "guard.hh"
#include "roaring_binding.hh"
#include "settings.hh"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

namespace fas::pg {

namespace settings {

int max_segment_flows = 1 << 20;
int batch_key_retention = 7 * 24 * 60 * 60;
bool auto_compact = true;
int roaring_output_format = roaring_output_array;

} // namespace settings

namespace {

const struct config_enum_entry roaring_output_formats[] = {
    {"array", settings::roaring_output_array, false},
    {"bytea", settings::roaring_output_bytea, false},
    {nullptr, 0, false},
};

void define_settings() {
    DefineCustomIntVariable("fas.max_segment_flows", "The most flows that one segment of the store holds.",
                            "Ingest and compaction part what is larger.", &settings::max_segment_flows, 1 << 20, 1,
                            1 << 24, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    // Dropping keys early lets a late retry count twice, for everybody: so not every writer's own choice.
    DefineCustomIntVariable("fas.batch_key_retention", "How long batch keys are remembered.",
                            "A batch that is sent again later than that counts again.", &settings::batch_key_retention,
                            7 * 24 * 60 * 60, 1, INT_MAX, PGC_SUSET, GUC_UNIT_S, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("fas.auto_compact", "Whether ingest merges small segments when a merge is due.",
                             "Where it is off, call flows_compact() from a job of your own.", &settings::auto_compact,
                             true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomEnumVariable("fas.roaring_output_format", "The text form of roaring bitmaps.",
                             "\"array\" is {1,2,3}; \"bytea\" is the portable Roaring format in hexadecimal. Both are "
                             "read back whatever the setting.",
                             &settings::roaring_output_format, settings::roaring_output_array, roaring_output_formats,
                             PGC_USERSET, 0, nullptr, nullptr, nullptr);
#if PG_VERSION_NUM >= 150000
    MarkGUCPrefixReserved("fas");
#else
    EmitWarningsOnPlaceholders("fas");
#endif
}

// A query takes a few megabytes and gives them back. Left alone, glibc returns them to the system each time and has
// them faulted in again by the next query, which costs a third of a short one. glibc learns better when a large piece
// is freed (its mmap threshold rises, and what it keeps with it), as any backend that hashed or sorted has done
// already; so free one. Its pages are never touched.
void teach_allocator() {
    constexpr size_t kept = 4 << 20;
    void *volatile piece = std::malloc(kept);
    std::free(piece);
}

} // namespace

} // namespace fas::pg

void _PG_init(void) {
    // First what can fail: PostgreSQL calls _PG_init again after an error, and a setting can't be defined twice.
    char reason[512];
    if (!fas::pg::load_roaring(reason, sizeof reason))
        ereport(ERROR,
                (errcode(ERRCODE_SYSTEM_ERROR), errmsg("could not load CRoaring, which fas needs"),
                 errdetail_internal("%s", reason), errhint("Install CRoaring 4 or later (Debian: libroaring21).")));
    fas::pg::install_poll_hook();
    fas::pg::teach_allocator();
    fas::pg::define_settings();
}
