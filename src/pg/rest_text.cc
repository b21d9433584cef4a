// What the REST service needs of C++: the parameters of a query string, and rows as one JSON array or as CSV lines.
//
// The two aggregates are json_agg() and COPY's CSV for a few column types, quicker because the columns are looked up
// once, not for each row. Their state is plain memory of the aggregate's context; nothing here can throw, but for
// parse_query_string(), which is guarded.
#include "postgres.hh"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
}

#include <string>

#include "../core/query_string.hh"
#include "../core/text_writer.hh"
#include "aggregate.hh"
#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

enum class Format { json, csv };
enum class Kind { int4, int8, boolean, text, number, other };

struct Column {
    Kind kind;
    FmgrInfo output;  // of numbers that are not integers, and of other types
    const char *name; // with all that stands before a value in JSON
    size_t name_size;
};

struct Rows {
    StringInfoData text; // rows so far, with what separates them
    Oid type;
    int32 typmod;
    TupleDesc row;
    Column *columns;
    Datum *values;
    bool *nulls;
};

constexpr size_t longest_number = 24; // of the integers

Kind kind_of(Oid type) {
    switch (type) {
    case INT4OID:
        return Kind::int4;
    case INT8OID:
        return Kind::int8;
    case BOOLOID:
        return Kind::boolean;
    case TEXTOID:
    case VARCHAROID:
        return Kind::text;
    case INT2OID:
    case FLOAT4OID:
    case FLOAT8OID:
    case NUMERICOID:
        return Kind::number;
    default:
        return Kind::other;
    }
}

Column describe(const FormData_pg_attribute *attribute, bool is_first, MemoryContext context) {
    Column column{};
    Oid type = getBaseType(attribute->atttypid);
    column.kind = kind_of(type);
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type, &output, &is_varlena);
    fmgr_info_cxt(output, &column.output, context);

    std::string_view name(NameStr(attribute->attname));
    auto *buffer = static_cast<char *>(MemoryContextAlloc(context, name.size() * json_growth + quotes_size + 2));
    char *end = buffer;
    if (!is_first)
        *end++ = ',';
    end = write_json_string(end, name);
    *end++ = ':';
    column.name = buffer;
    column.name_size = static_cast<size_t>(end - buffer);
    return column;
}

Rows *make_rows(HeapTupleHeader row, MemoryContext context) {
    MemoryContext saved = MemoryContextSwitchTo(context);
    auto *rows = static_cast<Rows *>(palloc0(sizeof(Rows)));
    initStringInfo(&rows->text);
    rows->type = HeapTupleHeaderGetTypeId(row);
    rows->typmod = HeapTupleHeaderGetTypMod(row);
    rows->row = lookup_rowtype_tupdesc_copy(rows->type, rows->typmod);
    auto count = static_cast<size_t>(rows->row->natts);
    rows->columns = static_cast<Column *>(palloc0(sizeof(Column) * (count + 1)));
    rows->values = static_cast<Datum *>(palloc0(sizeof(Datum) * (count + 1)));
    rows->nulls = static_cast<bool *>(palloc0(sizeof(bool) * (count + 1)));
    bool is_first = true;
    for (size_t i = 0; i < count; ++i) {
        const FormData_pg_attribute *attribute = TupleDescAttr(rows->row, i);
        if (attribute->attisdropped)
            continue;
        rows->columns[i] = describe(attribute, is_first, context);
        is_first = false;
    }
    MemoryContextSwitchTo(saved);
    return rows;
}

// Room for `size` bytes more; returns where they go.
char *reserve(StringInfo target, size_t size) {
    if (static_cast<size_t>(target->len) + size >= MaxAllocSize)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("rows make more than 1 GB of text"),
                        errhint("Ask for fewer rows at once.")));
    enlargeStringInfo(target, static_cast<int>(size));
    return target->data + target->len;
}

void written(StringInfo target, const char *end) {
    target->len = static_cast<int>(end - target->data);
    target->data[target->len] = '\0';
}

void append(StringInfo target, std::string_view part) {
    char *out = reserve(target, part.size());
    memcpy(out, part.data(), part.size());
    written(target, out + part.size());
}

void append_text(StringInfo target, std::string_view value, Format format) {
    char *out = reserve(target, quotes_size + value.size() * (format == Format::json ? json_growth : csv_growth));
    written(target, format == Format::json ? write_json_string(out, value) : write_csv_field(out, value));
}

// NaN and the infinities are no JSON numbers.
bool is_plain_number(const char *digits) {
    if (*digits == '-')
        ++digits;
    return *digits >= '0' && *digits <= '9';
}

void append_value(StringInfo target, Column &column, Datum value, Format format) {
    switch (column.kind) {
    case Kind::int4: {
        char *out = reserve(target, longest_number);
        written(target, out + pg_ltoa(DatumGetInt32(value), out));
        return;
    }
    case Kind::int8: {
        char *out = reserve(target, longest_number);
        written(target, out + pg_lltoa(DatumGetInt64(value), out));
        return;
    }
    case Kind::boolean:
        append(target, DatumGetBool(value) ? "true" : "false");
        return;
    case Kind::text:
        append_text(target, text_view(DatumGetTextPP(value)), format);
        return;
    case Kind::number:
    case Kind::other: {
        const char *shown = OutputFunctionCall(&column.output, value);
        if (column.kind == Kind::number && is_plain_number(shown))
            append(target, shown);
        else
            append_text(target, shown, format);
        return;
    }
    }
}

void append_row(Rows &rows, HeapTupleHeader row, Format format) {
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(row);
    tuple.t_data = row;
    heap_deform_tuple(&tuple, rows.row, rows.values, rows.nulls);

    StringInfo target = &rows.text;
    if (format == Format::json)
        append(target, target->len > 0 ? ",\n{" : "{");
    bool is_first = true;
    for (int i = 0; i < rows.row->natts; ++i) {
        Column &column = rows.columns[i];
        if (column.name == nullptr) // dropped
            continue;
        if (format == Format::json)
            append(target, {column.name, column.name_size});
        else if (!is_first)
            append(target, ",");
        is_first = false;
        if (!rows.nulls[i])
            append_value(target, column, rows.values[i], format);
        else if (format == Format::json)
            append(target, "null");
    }
    append(target, format == Format::json ? "}" : "\n");
}

Datum add_row(FunctionCallInfo fcinfo, Format format) {
    MemoryContext context = aggregate_context(fcinfo);
    Rows *rows = state_argument<Rows>(fcinfo, 0);
    if (!PG_ARGISNULL(1)) {
        HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(1);
        if (rows == nullptr)
            rows = make_rows(row, context);
        else if (rows->type != HeapTupleHeaderGetTypeId(row) || rows->typmod != HeapTupleHeaderGetTypMod(row))
            ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("rows of one aggregate must be of one type")));
        append_row(*rows, row, format);
    }
    if (rows == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_POINTER(rows);
}

// The rows between `open` and `close`. The state stays as it is.
Datum finish_rows(FunctionCallInfo fcinfo, std::string_view open, std::string_view close) {
    (void)aggregate_context(fcinfo);
    const Rows *rows = state_argument<Rows>(fcinfo, 0);
    std::string_view body;
    if (rows != nullptr)
        body = {rows->text.data, static_cast<size_t>(rows->text.len)};
    size_t size = VARHDRSZ + open.size() + body.size() + close.size();
    auto *result = static_cast<text *>(palloc(size));
    SET_VARSIZE(result, size);
    char *out = VARDATA(result);
    memcpy(out, open.data(), open.size());
    memcpy(out + open.size(), body.data(), body.size());
    memcpy(out + open.size() + body.size(), close.data(), close.size());
    PG_RETURN_TEXT_P(result);
}

// {"name":"value",...}, with a NUL at the end.
std::string json_object(const std::vector<QueryParameter> &parameters) {
    std::string out = "{";
    auto add = [&out](std::string_view text) {
        size_t at = out.size();
        out.resize(at + quotes_size + json_growth * text.size());
        out.resize(static_cast<size_t>(write_json_string(out.data() + at, text) - out.data()));
    };
    for (const QueryParameter &parameter : parameters) {
        if (out.size() > 1)
            out += ',';
        add(parameter.name);
        out += ':';
        add(parameter.value);
    }
    out += '}';
    out += '\0';
    return out;
}

} // namespace

FAS_FUNCTION(fas_json_agg_add) { return add_row(fcinfo, Format::json); }
FAS_FUNCTION(fas_json_agg_final) { return finish_rows(fcinfo, "[", "]"); }
FAS_FUNCTION(fas_csv_agg_add) { return add_row(fcinfo, Format::csv); }
FAS_FUNCTION(fas_csv_agg_final) { return finish_rows(fcinfo, "", ""); }

FAS_FUNCTION(fas_query_parameters) {
    text *query = PG_GETARG_TEXT_PP(0);
    struct varlena *json = nullptr;
    guarded([&] {
        std::string object = json_object(parse_query_string(text_view(query)));
        json = to_varlena({reinterpret_cast<const uint8_t *>(object.data()), object.size()});
    });
    PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(VARDATA(json))));
}

} // namespace fas::pg
