// What the REST service needs of C++: the parameters of a query string, and the rows of a cursor as one text, a JSON
// array or CSV.
//
// Rows go from the executor's slots into one buffer, which becomes the result as it is. An aggregate over records
// (json_agg(), or one of our own) makes a tuple of each row only to take it apart again, and its text is copied four
// times on its way out of plpgsql: 7,500 rows took twice as long. Everything is plain memory of PostgreSQL's; nothing
// throws, but for parse_query_string(), which is guarded.
#include "postgres.hh"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
}

#include <string>

#include "../core/query_string.hh"
#include "../core/text_writer.hh"
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

// What PostgreSQL hands rows to.
struct Receiver {
    DestReceiver base; // first: PostgreSQL sees no more than this
    Format format;
    MemoryContext context; // of the result
    MemoryContext scratch; // for one value
    StringInfoData text;   // a varlena's header, and rows so far
    Column *columns;
    uint64_t rows;
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

Column describe(const FormData_pg_attribute *attribute, bool is_first) {
    Column column{};
    Oid type = getBaseType(attribute->atttypid);
    column.kind = kind_of(type);
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type, &output, &is_varlena);
    fmgr_info(output, &column.output);

    std::string_view name(NameStr(attribute->attname));
    auto *buffer = static_cast<char *>(palloc(name.size() * json_growth + quotes_size + 2));
    char *end = buffer;
    if (!is_first)
        *end++ = ',';
    end = write_json_string(end, name);
    *end++ = ':';
    column.name = buffer;
    column.name_size = static_cast<size_t>(end - buffer);
    return column;
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

void start_rows(DestReceiver *self, int, TupleDesc row) {
    auto &receiver = *reinterpret_cast<Receiver *>(self);
    MemoryContext saved = MemoryContextSwitchTo(receiver.context);
    receiver.columns = static_cast<Column *>(palloc0(sizeof(Column) * (static_cast<size_t>(row->natts) + 1)));
    for (int i = 0; i < row->natts; ++i) {
        receiver.columns[i] = describe(TupleDescAttr(row, i), i == 0);
        if (receiver.format == Format::csv) {
            append(&receiver.text, i > 0 ? "," : "");
            append_text(&receiver.text, NameStr(TupleDescAttr(row, i)->attname), Format::csv);
        }
    }
    append(&receiver.text, receiver.format == Format::csv ? "\n" : "");
    MemoryContextSwitchTo(saved);
}

bool receive_row(TupleTableSlot *slot, DestReceiver *self) {
    auto &receiver = *reinterpret_cast<Receiver *>(self);
    StringInfo target = &receiver.text;
    MemoryContext saved = MemoryContextSwitchTo(receiver.scratch);
    slot_getallattrs(slot);
    if (receiver.format == Format::json)
        append(target, receiver.rows > 0 ? ",\n{" : "{");
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
        Column &column = receiver.columns[i];
        if (receiver.format == Format::json)
            append(target, {column.name, column.name_size});
        else if (i > 0)
            append(target, ",");
        if (!slot->tts_isnull[i])
            append_value(target, column, slot->tts_values[i], receiver.format);
        else if (receiver.format == Format::json)
            append(target, "null");
    }
    append(target, receiver.format == Format::json ? "}" : "\n");
    ++receiver.rows;
    MemoryContextSwitchTo(saved);
    MemoryContextReset(receiver.scratch);
    return true;
}

void ignore(DestReceiver *) {}

// All rows that the cursor has left.
text *text_of_rows(const char *cursor, Format format) {
    Portal portal = GetPortalByName(cursor);
    if (!PortalIsValid(portal))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_CURSOR), errmsg("cursor \"%s\" does not exist", cursor)));
    Receiver receiver{};
    receiver.base = {receive_row, start_rows, ignore, ignore, DestNone};
    receiver.format = format;
    receiver.context = CurrentMemoryContext;
    receiver.scratch = AllocSetContextCreate(CurrentMemoryContext, "fas rows as text", ALLOCSET_SMALL_SIZES);
    initStringInfo(&receiver.text);
    appendStringInfoSpaces(&receiver.text, VARHDRSZ);
    append(&receiver.text, format == Format::json ? "[" : "");
    (void)PortalRunFetch(portal, FETCH_FORWARD, FETCH_ALL, &receiver.base);
    append(&receiver.text, format == Format::json ? "]" : "");
    MemoryContextDelete(receiver.scratch);
    SET_VARSIZE(receiver.text.data, receiver.text.len);
    return reinterpret_cast<text *>(receiver.text.data);
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

FAS_FUNCTION(fas_rows_json) { PG_RETURN_TEXT_P(text_of_rows(text_to_cstring(PG_GETARG_TEXT_PP(0)), Format::json)); }

FAS_FUNCTION(fas_rows_csv) { PG_RETURN_TEXT_P(text_of_rows(text_to_cstring(PG_GETARG_TEXT_PP(0)), Format::csv)); }

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
