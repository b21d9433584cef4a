// The type roaringbitmap: sets of 32-bit unsigned integers in the portable Roaring format, and its first functions.
//
// Names and meanings are pg_roaringbitmap's. Where SQL's integer stands for a member, it is the same 32 bits read as a
// signed number: members above 2147483647 are negative there. Text names members as they are, 0 to 4294967295.
// C symbols bear a prefix, because PostgreSQL loads modules into one name space and another extension has the same.
#include "postgres.hh"

extern "C" {
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
}

#include <charconv>
#include <cstring>

#include "../core/interrupt.hh"
#include "aggregate.hh"
#include "bitmap_datum.hh"
#include "guard.hh"
#include "hex.hh"
#include "settings.hh"

namespace fas::pg {

namespace {

constexpr const char *type_name = "roaringbitmap";
constexpr uint64_t poll_every = 65536; // values

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

const char *skip_blanks(const char *at) noexcept {
    while (is_blank(*at))
        ++at;
    return at;
}

[[noreturn]] void throw_not_an_array(std::string detail) {
    throw Error(sqlstate::invalid_text_representation, std::string("invalid input syntax for type ") + type_name,
                std::move(detail), "Write {1,2,3}, or the portable Roaring format as \\x and hexadecimal digits.");
}

// One member; moves `at` behind it.
uint32_t parse_member(const char *&at, const char *end) {
    int64_t value = 0;
    auto [rest, failure] = std::from_chars(at, end, value);
    if (failure == std::errc::result_out_of_range ||
        (failure == std::errc{} && (value < INT32_MIN || value > UINT32_MAX)))
        throw Error(sqlstate::numeric_value_out_of_range, std::string("value is out of range for type ") + type_name,
                    "A member is an integer from 0 to 4294967295, or its 32 bits as a negative integer.");
    if (failure != std::errc{})
        throw_not_an_array("A member is not an integer.");
    at = rest;
    return static_cast<uint32_t>(value);
}

// `{1,2,3}`, members in any order and any number of times.
Bitmap parse_array(const char *text) {
    const char *end = text + std::strlen(text);
    const char *at = skip_blanks(text);
    if (*at != '{')
        throw_not_an_array("The text begins with neither { nor \\x.");
    at = skip_blanks(at + 1);
    Bitmap out;
    if (*at == '}') {
        ++at;
    } else {
        for (uint64_t count = 1;; ++count) {
            if (count % poll_every == 0)
                poll();
            out.add(parse_member(at, end));
            at = skip_blanks(at);
            if (*at == '}') {
                ++at;
                break;
            }
            if (*at != ',')
                throw_not_an_array("Members are parted by commas, and } ends them.");
            at = skip_blanks(at + 1);
        }
    }
    if (*skip_blanks(at) != '\0')
        throw_not_an_array("Something follows the closing brace.");
    return out;
}

// The members in palloc'd memory, in ascending order as unsigned numbers. In phase two; throws where they could not
// be one array value.
uint32_t *members_of(const Bitmap &bitmap, uint64_t count) {
    if (count > (MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / sizeof(uint32_t))
        throw Error(sqlstate::program_limit_exceeded, "bitmap has too many members for one value",
                    "It has " + std::to_string(count) + " members.");
    auto *members = static_cast<uint32_t *>(allocate(CurrentMemoryContext, count * sizeof(uint32_t) + 1));
    roaring_bitmap_to_uint32_array(bitmap.get(), members);
    return members;
}

// The text form as an array; members take at most ten digits and a comma, and the size is counted before.
char *array_text(const Bitmap &bitmap) {
    uint64_t count = bitmap.cardinality();
    uint32_t *members = members_of(bitmap, count);
    size_t size = 3;
    for (uint64_t i = 0; i < count; ++i)
        size += 1 + (members[i] < 10 ? 1 : members[i] < 1000 ? 3 : members[i] < 1000000 ? 6 : 10);
    auto *out = static_cast<char *>(allocate(CurrentMemoryContext, size));
    char *at = out;
    *at++ = '{';
    for (uint64_t i = 0; i < count; ++i) {
        if (i % poll_every == 0)
            poll();
        at = std::to_chars(at, out + size, members[i]).ptr;
        *at++ = ',';
    }
    if (count > 0)
        --at;
    *at++ = '}';
    *at = '\0';
    return out;
}

void validate(const struct varlena *plain, const char *state) {
    guarded([&] { Bitmap::deserialize(payload_of(plain), state); });
}

// The elements of an integer[] without NULLs. For phase one.
std::span<const uint32_t> members_argument(ArrayType *array) {
    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("array must be one-dimensional")));
    if (array_contains_nulls(array))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
    return {reinterpret_cast<const uint32_t *>(ARR_DATA_PTR(array)),
            static_cast<size_t>(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)))};
}

template <class Combine> Datum combine_two(FunctionCallInfo fcinfo, Combine combine) {
    struct varlena *left = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
    struct varlena *right = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
    struct varlena *result = nullptr;
    guarded([&] {
        Bitmap combined = combine(bitmap_of(left), bitmap_of(right));
        result = varlena_of_bitmap(combined);
    });
    PG_RETURN_POINTER(result);
}

struct varlena *varlena_of_state(const Bitmap *state) {
    struct varlena *result = nullptr;
    guarded([&] {
        Bitmap copy = state->copy(); // optimised for output; the state is as it was
        result = varlena_of_bitmap(copy);
    });
    return result;
}

} // namespace

FAS_FUNCTION(fas_roaringbitmap_in) {
    const char *text = PG_GETARG_CSTRING(0);
    struct varlena *result = nullptr;
    if (is_hex(text)) {
        result = varlena_of_hex(text, type_name);
        validate(result, sqlstate::invalid_text_representation);
    } else {
        guarded([&] {
            Bitmap bitmap = parse_array(text);
            result = varlena_of_bitmap(bitmap);
        });
    }
    PG_RETURN_POINTER(result);
}

FAS_FUNCTION(fas_roaringbitmap_out) {
    struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
    if (settings::roaring_output_format == settings::roaring_output_bytea)
        PG_RETURN_CSTRING(hex_of_varlena(value));
    char *result = nullptr;
    guarded([&] { result = array_text(bitmap_of(value)); });
    PG_RETURN_CSTRING(result);
}

FAS_FUNCTION(fas_roaringbitmap_recv) {
    auto *buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    int length = buffer->len - buffer->cursor;
    auto *value = static_cast<struct varlena *>(palloc(VARHDRSZ + length));
    SET_VARSIZE(value, VARHDRSZ + length);
    pq_copymsgbytes(buffer, VARDATA(value), length);
    validate(value, sqlstate::invalid_binary_representation);
    PG_RETURN_POINTER(value);
}

FAS_FUNCTION(fas_roaringbitmap_send) { PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0)); }

FAS_FUNCTION(fas_rb_build) {
    std::span<const uint32_t> members = members_argument(PG_GETARG_ARRAYTYPE_P(0));
    struct varlena *result = nullptr;
    guarded([&] {
        Bitmap bitmap = Bitmap::of(members);
        result = varlena_of_bitmap(bitmap);
    });
    PG_RETURN_POINTER(result);
}

FAS_FUNCTION(fas_rb_to_array) {
    struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
    uint64_t count = 0;
    uint32_t *members = nullptr;
    guarded([&] {
        Bitmap bitmap = bitmap_of(value);
        count = bitmap.cardinality();
        members = members_of(bitmap, count);
    });
    if (count == 0)
        PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT4OID));
    // construct_array would want a Datum for each member; an integer[] is laid out as the members are.
    size_t size = ARR_OVERHEAD_NONULLS(1) + count * sizeof(uint32_t);
    auto *array = static_cast<ArrayType *>(palloc(size));
    SET_VARSIZE(array, size);
    array->ndim = 1;
    array->dataoffset = 0;
    array->elemtype = INT4OID;
    ARR_DIMS(array)[0] = static_cast<int>(count);
    ARR_LBOUND(array)[0] = 1;
    std::memcpy(ARR_DATA_PTR(array), members, count * sizeof(uint32_t));
    pfree(members);
    PG_RETURN_ARRAYTYPE_P(array);
}

FAS_FUNCTION(fas_rb_cardinality) {
    struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
    uint64_t count = 0;
    guarded([&] { count = bitmap_of(value).cardinality(); });
    PG_RETURN_INT64(static_cast<int64>(count));
}

FAS_FUNCTION(fas_rb_and) {
    return combine_two(fcinfo, [](const Bitmap &left, const Bitmap &right) { return left & right; });
}

FAS_FUNCTION(fas_rb_or) {
    return combine_two(fcinfo, [](const Bitmap &left, const Bitmap &right) { return left | right; });
}

// rb_build_agg: the state is a Bitmap that the aggregate's memory context owns.
FAS_FUNCTION(fas_rb_build_agg_add) {
    MemoryContext context = aggregate_context(fcinfo);
    auto *state = state_argument<Bitmap>(fcinfo, 0);
    if (!PG_ARGISNULL(1)) {
        auto member = static_cast<uint32_t>(PG_GETARG_INT32(1));
        if (state == nullptr)
            state = make_in_context<Bitmap>(context);
        guarded([&] { state->add(member); });
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

FAS_FUNCTION(fas_rb_agg_combine_or) {
    MemoryContext context = aggregate_context(fcinfo);
    auto *state = state_argument<Bitmap>(fcinfo, 0);
    auto *other = state_argument<Bitmap>(fcinfo, 1);
    if (other != nullptr) {
        if (state == nullptr)
            state = make_in_context<Bitmap>(context);
        guarded([&] { *state |= *other; });
    }
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(state);
}

// Strict: PostgreSQL passes a state that is there.
FAS_FUNCTION(fas_rb_agg_serial) {
    aggregate_context(fcinfo);
    PG_RETURN_POINTER(varlena_of_state(state_argument<Bitmap>(fcinfo, 0)));
}

// Strict. The state is only read by the combine function that follows, so it lives in the short-lived context.
FAS_FUNCTION(fas_rb_agg_deserial) {
    aggregate_context(fcinfo);
    bytea *bytes = PG_GETARG_BYTEA_PP(0);
    auto *state = make_in_context<Bitmap>(CurrentMemoryContext);
    guarded([&] { *state = Bitmap::deserialize(payload_of(bytes), sqlstate::invalid_binary_representation); });
    PG_RETURN_POINTER(state);
}

FAS_FUNCTION(fas_rb_agg_final) {
    aggregate_context(fcinfo);
    auto *state = state_argument<Bitmap>(fcinfo, 0);
    if (state == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(varlena_of_state(state));
}

} // namespace fas::pg
