// The aggregates flow_segment_agg and flow_merge_agg: rows -> segment, segments -> segment.
//
// Both have the same state, so they share their combine, serial, deserial and final functions. Between processes a
// state travels as the segment that it would become.
#include "postgres.hh"

extern "C" {
#include "utils/builtins.h"
#include "utils/memutils.h"
}

#include "aggregate.hh"
#include "datum.hh"
#include "guard.hh"
#include "segment_state.hh"

namespace fas::pg {

namespace {

// Argument 0 is the state; then come the dimensions and the metrics in their order.
constexpr int first_dimension = 1;
constexpr int first_metric = first_dimension + static_cast<int>(dimension_count);
constexpr int argument_end = first_metric + static_cast<int>(metric_count);

const char *column_name(int argument) {
    std::string_view name =
        argument < first_metric ? dimension_names[argument - first_dimension] : metric_names[argument - first_metric];
    return pnstrdup(name.data(), name.size());
}

[[noreturn]] void raise_out_of_range(int argument, int64 value) {
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("%s is out of range: %lld", column_name(argument), static_cast<long long>(value)),
                    errdetail("An hour is 0 to 2147483647, a metric 0 to 9223372036854775807.")));
    pg_unreachable();
}

bool all_arguments_null(FunctionCallInfo fcinfo) {
    for (int i = first_dimension; i < argument_end; ++i)
        if (!PG_ARGISNULL(i))
            return false;
    return true;
}

void refuse_nulls(FunctionCallInfo fcinfo) {
    for (int i = first_dimension; i < argument_end; ++i)
        if (PG_ARGISNULL(i))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s of a flow is null", column_name(i)),
                            errdetail("Every column of a flow has a value. Only rows in which all are null are "
                                      "passed over.")));
}

// The row's flow, checked; its names point to the arguments.
FlowView flow_of_arguments(FunctionCallInfo fcinfo) {
    refuse_nulls(fcinfo);
    FlowView flow;
    int32 hour = PG_GETARG_INT32(first_dimension);
    if (hour < 0)
        raise_out_of_range(first_dimension, hour);
    flow.hour = static_cast<uint32_t>(hour);
    for (size_t i = 0; i < text_dimension_count; ++i) {
        int argument = first_dimension + static_cast<int>(text_dimension(i));
        flow.names[i] = text_view(PG_GETARG_TEXT_PP(argument));
        if (flow.names[i].empty())
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                            errmsg("%s of a flow is an empty string", column_name(argument)),
                            errhint("Give what has no name a name of its own, such as \"unknown\".")));
    }
    for (size_t m = 0; m < metric_count; ++m) {
        int argument = first_metric + static_cast<int>(m);
        int64 value = PG_GETARG_INT64(argument);
        if (value < 0)
            raise_out_of_range(argument, value);
        flow.metrics[m] = static_cast<uint64_t>(value);
    }
    return flow;
}

struct varlena *segment_of_state(const SegmentState *state) {
    struct varlena *segment = nullptr;
    guarded([&] { segment = to_varlena(state->build()); });
    return segment;
}

} // namespace

FAS_FUNCTION(flow_segment_agg_add) {
    MemoryContext context = aggregate_context(fcinfo);
    auto *state = state_argument<SegmentState>(fcinfo, 0);
    if (!all_arguments_null(fcinfo)) {
        FlowView flow = flow_of_arguments(fcinfo);
        if (state == nullptr)
            state = make_in_context<SegmentState>(context);
        guarded([&] { state->add_flow(flow); });
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

FAS_FUNCTION(flow_merge_agg_add) {
    MemoryContext context = aggregate_context(fcinfo);
    auto *state = state_argument<SegmentState>(fcinfo, 0);
    if (!PG_ARGISNULL(1)) {
        struct varlena *segment = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
        if (state == nullptr)
            state = make_in_context<SegmentState>(context);
        guarded([&] { state->add_segment(payload_of(segment)); });
        PG_FREE_IF_COPY(segment, 1);
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

FAS_FUNCTION(flow_segment_combine) {
    MemoryContext context = aggregate_context(fcinfo);
    auto *state = state_argument<SegmentState>(fcinfo, 0);
    auto *other = state_argument<SegmentState>(fcinfo, 1);
    if (other != nullptr) {
        if (state == nullptr)
            state = make_in_context<SegmentState>(context);
        guarded([&] { state->add(*other); });
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

// Strict: PostgreSQL passes a state that is there.
FAS_FUNCTION(flow_segment_serial) {
    aggregate_context(fcinfo);
    PG_RETURN_POINTER(segment_of_state(state_argument<SegmentState>(fcinfo, 0)));
}

// Strict. The state is only read by the combine function that follows, so it lives in the short-lived context.
FAS_FUNCTION(flow_segment_deserial) {
    aggregate_context(fcinfo);
    bytea *bytes = PG_GETARG_BYTEA_PP(0);
    auto *state = make_in_context<SegmentState>(CurrentMemoryContext);
    guarded([&] { state->add_segment(payload_of(bytes)); });
    PG_RETURN_POINTER(state);
}

FAS_FUNCTION(flow_segment_final) {
    aggregate_context(fcinfo);
    auto *state = state_argument<SegmentState>(fcinfo, 0);
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(segment_of_state(state));
}

} // namespace fas::pg
