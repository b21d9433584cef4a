// The aggregate flow_rollup_agg: segments -> totals, as an array of flow_total.
//
// The state is a core Rollup, owned by the aggregate's memory context. Segments are read through ToastSource, so only
// the parts that the roll-up needs leave TOAST.
#include "rollup_agg.hh"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
}

#include <algorithm>
#include <numeric>

#include "aggregate.hh"
#include "datum.hh"
#include "guard.hh"
#include "numeric.hh"
#include "toast_source.hh"

namespace fas::pg {

namespace {

struct RollupState {
    explicit RollupState(GroupBy group_by) : rollup(group_by) {}
    Rollup rollup;
    std::vector<uint8_t> group_by_bytes; // the array that was last parsed, so that each row costs a comparison
};

constexpr size_t column_count = dimension_count + metric_count + 1;

// The state for this row's group_by, made or checked.
RollupState *state_for_row(FunctionCallInfo fcinfo, MemoryContext context) {
    if (PG_ARGISNULL(2))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("group_by is null"),
                        errhint("For one sum over everything, pass an empty array: '{}'.")));
    auto *state = state_argument<RollupState>(fcinfo, 0);
    ArrayType *names = PG_GETARG_ARRAYTYPE_P(2);
    Bytes bytes = payload_of(reinterpret_cast<struct varlena *>(names));
    if (state != nullptr && std::ranges::equal(bytes, state->group_by_bytes))
        return state;

    GroupBy group_by = group_by_of_array(names);
    if (state == nullptr)
        state = make_in_context<RollupState>(context, group_by);
    else if (!(state->rollup.group_by() == group_by))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("group_by changes within one aggregate"),
                        errhint("Pass the same group_by for every row of a group.")));
    guarded([&] { state->group_by_bytes.assign(bytes.begin(), bytes.end()); });
    return state;
}

// Groups by hour, then names bytewise: the ordinals of `rollup.groups()`, in palloc'd memory. Called in phase two.
uint32_t *sorted_groups(const Rollup &rollup) {
    std::span<const Group> groups = rollup.groups();
    std::array<std::vector<uint32_t>, text_dimension_count> ranks; // a name's place in bytewise order
    for (size_t t = 0; t < text_dimension_count; ++t) {
        std::span<const std::string_view> names = rollup.names(t);
        std::vector<uint32_t> by_name(names.size());
        std::iota(by_name.begin(), by_name.end(), 0);
        std::ranges::sort(by_name, {}, [&](uint32_t id) { return names[id]; });
        ranks[t].resize(names.size());
        for (uint32_t i = 0; i < by_name.size(); ++i)
            ranks[t][by_name[i]] = i;
    }
    auto *order = static_cast<uint32_t *>(allocate(CurrentMemoryContext, groups.size() * sizeof(uint32_t) + 1));
    std::iota(order, order + groups.size(), 0);
    GroupBy by = rollup.group_by();
    std::sort(order, order + groups.size(), [&](uint32_t left, uint32_t right) {
        const Group &a = groups[left], &b = groups[right];
        if (by.has(Dimension::hour) && a.hour != b.hour)
            return a.hour < b.hour;
        for (size_t t = 0; t < text_dimension_count; ++t)
            if (by.has(text_dimension(t)) && a.name_ids[t] != b.name_ids[t])
                return ranks[t][a.name_ids[t]] < ranks[t][b.name_ids[t]];
        return false;
    });
    return order;
}

// The row type of the elements of what the calling function returns: flow_total, wherever it was installed.
TupleDesc element_row_type(FunctionCallInfo fcinfo, Oid *element_type) {
    *element_type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
    TupleDesc row_type = OidIsValid(*element_type) ? lookup_rowtype_tupdesc_copy(*element_type, -1) : nullptr;
    if (row_type == nullptr || row_type->natts != static_cast<int>(column_count))
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("type flow_total is not as fas made it"),
                        errhint("Create the extension again.")));
    return BlessTupleDesc(row_type);
}

// Each name of a grouped dimension once, as a text.
Datum *datums_of_names(std::span<const std::string_view> names) {
    auto *datums = static_cast<Datum *>(
        MemoryContextAllocHuge(CurrentMemoryContext, std::max<size_t>(names.size(), 1) * sizeof(Datum)));
    for (size_t i = 0; i < names.size(); ++i)
        datums[i] = datum_of_text(names[i]);
    return datums;
}

Datum datum_of_group(const Group &group, GroupBy by, Datum *const *names, TupleDesc row_type) {
    Datum values[column_count];
    bool nulls[column_count] = {};
    values[0] = Int32GetDatum(static_cast<int32>(group.hour));
    nulls[0] = !by.has(Dimension::hour);
    for (size_t t = 0; t < text_dimension_count; ++t) {
        nulls[1 + t] = !by.has(text_dimension(t));
        values[1 + t] = nulls[1 + t] ? Datum{0} : names[t][group.name_ids[t]];
    }
    for (size_t m = 0; m < metric_count; ++m)
        values[dimension_count + m] = numeric_of(group.totals.sums[m]);
    values[column_count - 1] = Int64GetDatum(static_cast<int64>(group.totals.flows));
    return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

Datum array_of_rollup(FunctionCallInfo fcinfo, const Rollup *rollup) {
    MemoryContext result_context = CurrentMemoryContext;
    MemoryContext work = AllocSetContextCreate(result_context, "fas roll-up result", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(work);

    uint32_t *order = nullptr;
    guarded([&] { order = sorted_groups(*rollup); });
    Oid element_type;
    TupleDesc row_type = element_row_type(fcinfo, &element_type);
    GroupBy by = rollup->group_by();
    Datum *names[text_dimension_count];
    for (size_t t = 0; t < text_dimension_count; ++t)
        names[t] = datums_of_names(by.has(text_dimension(t)) ? rollup->names(t) : std::span<const std::string_view>{});

    size_t count = rollup->groups().size();
    if (count > MaxAllocSize / sizeof(Datum))
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many groups for one array: %zu", count),
                        errhint("Group by fewer dimensions, or aggregate fewer segments at a time.")));
    auto *elements = static_cast<Datum *>(palloc(std::max<size_t>(count, 1) * sizeof(Datum)));
    for (size_t i = 0; i < count; ++i) {
        if (i % 1024 == 0)
            CHECK_FOR_INTERRUPTS();
        elements[i] = datum_of_group(rollup->groups()[order[i]], by, names, row_type);
    }
    MemoryContextSwitchTo(result_context);
    ArrayType *result = construct_array(elements, static_cast<int>(count), element_type, -1, false, TYPALIGN_DOUBLE);
    MemoryContextDelete(work);
    PG_RETURN_ARRAYTYPE_P(result);
}

} // namespace

GroupBy group_by_of_array(ArrayType *names) {
    Datum *elements;
    bool *nulls;
    int count;
    deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
    GroupBy group_by;
    for (int i = 0; i < count; ++i) {
        if (nulls[i])
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("group_by holds a null"),
                            errhint("The dimensions are hour, src_app, dest_app and vpc_id.")));
        std::string_view name = text_view(DatumGetTextPP(elements[i]));
        // dimension_of_name returns a std::optional of a plain enum: nothing to destroy.
        auto dimension = dimension_of_name(name);
        if (!dimension)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                            errmsg("unknown dimension \"%.*s\"",
                                   pg_mbcliplen(name.data(), static_cast<int>(name.size()), 200), name.data()),
                            errhint("The dimensions are hour, src_app, dest_app and vpc_id.")));
        group_by.add(*dimension);
    }
    return group_by;
}

FAS_FUNCTION(flow_rollup_agg_add) {
    MemoryContext context = aggregate_context(fcinfo);
    auto *state = state_argument<RollupState>(fcinfo, 0);
    if (!PG_ARGISNULL(1)) {
        state = state_for_row(fcinfo, context);
        auto *datum = reinterpret_cast<struct varlena *>(DatumGetPointer(PG_GETARG_DATUM(1)));
        guarded([&] {
            ToastSource source(datum, CurrentMemoryContext);
            SegmentReader reader(source);
            state->rollup.add(reader);
        });
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

FAS_FUNCTION(flow_rollup_combine) {
    MemoryContext context = aggregate_context(fcinfo);
    auto *state = state_argument<RollupState>(fcinfo, 0);
    auto *other = state_argument<RollupState>(fcinfo, 1);
    if (other != nullptr) {
        if (state == nullptr)
            state = make_in_context<RollupState>(context, other->rollup.group_by());
        guarded([&] { state->rollup.add(other->rollup); });
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

// Strict: PostgreSQL passes a state that is there.
FAS_FUNCTION(flow_rollup_serial) {
    aggregate_context(fcinfo);
    auto *state = state_argument<RollupState>(fcinfo, 0);
    struct varlena *bytes = nullptr;
    guarded([&] { bytes = to_varlena(state->rollup.serialize()); });
    PG_RETURN_POINTER(bytes);
}

// Strict. The state is only read by the combine function that follows, so it lives in the short-lived context.
FAS_FUNCTION(flow_rollup_deserial) {
    aggregate_context(fcinfo);
    bytea *bytes = PG_GETARG_BYTEA_PP(0);
    auto *state = make_in_context<RollupState>(CurrentMemoryContext, GroupBy{});
    guarded([&] { state->rollup = Rollup::deserialize(payload_of(bytes)); });
    PG_RETURN_POINTER(state);
}

FAS_FUNCTION(flow_rollup_final) {
    aggregate_context(fcinfo);
    auto *state = state_argument<RollupState>(fcinfo, 0);
    if (state == nullptr)
        PG_RETURN_NULL();
    return array_of_rollup(fcinfo, &state->rollup);
}

} // namespace fas::pg
