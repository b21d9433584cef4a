// What the aggregates' support functions have in common.
#pragma once

#include "postgres.hh"

namespace fas::pg {

// Where an aggregate's state lives. Raises when the function was not called as part of an aggregate (from SQL, say).
inline MemoryContext aggregate_context(FunctionCallInfo fcinfo) {
    MemoryContext context = nullptr;
    if (!AggCheckCallContext(fcinfo, &context))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("aggregate support function called outside of an aggregate")));
    return context;
}

// The state argument, or null where there is none yet.
template <class State> State *state_argument(FunctionCallInfo fcinfo, int n) {
    return fcinfo->args[n].isnull ? nullptr : reinterpret_cast<State *>(DatumGetPointer(fcinfo->args[n].value));
}

} // namespace fas::pg
