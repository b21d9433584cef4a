// flow_segments as a table that is read and written without the executor, where that is allowed.
#pragma once

#include "postgres.hh"

extern "C" {
#include "access/attnum.h"
#include "utils/rel.h"
}

#include "compact_plan.hh"
#include "store.hh"

namespace fas::pg {

inline constexpr AttrNumber id_column = 1, level_column = 2, flows_column = 5, segment_column = 7;

enum class RowCommand : uint8_t { insert, remove };

// Whether the table is as the script made it, as far as the command is concerned: the executor must do what triggers,
// rules, policies, partitioning, columns or constraints of the owner's ask for.
bool is_as_installed(Relation table, RowCommand command);

struct FoundSegment {
    int64_t id;
    int64_t flows;
    struct varlena *segment; // a copy; may be a TOAST pointer
};

// Deletes what choose_candidates() picks of the segments that `search` finds at or below `id`, but for rows that others
// have locked or changed: like the statements find_candidates and pick_segments, which cost several times as much.
// False, and nothing is done, where the executor is needed. `goes_on`: as is_worth_another() says.
struct TakenRows {
    FoundSegment *rows;
    size_t count;
    bool goes_on;
};
bool take_directly(const Store &store, int64_t id, const Search &search, TakenRows &taken);

} // namespace fas::pg
