// Which columns a foreign table has, which store it reads, and who may read or write through it.
//
// The owner of `flows` can ALTER it, and whoever has USAGE on the server can make a foreign table of another shape: so
// names, types and collations are checked before anything is read or written. Takes no lock: callers hold the table.
#include "postgres.hh"

extern "C" {
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

#include "fdw_wrapper.hh"

namespace fas::pg {

namespace {

// Sums of bigints are numeric, as sum() has it.
Oid type_of_column(int column, bool totals) {
    if (column == static_cast<int>(Dimension::hour))
        return INT4OID;
    if (column < first_metric)
        return TEXTOID;
    return totals && column != flows_column ? NUMERICOID : INT8OID;
}

int column_of_name(const char *name, bool totals) {
    for (int c = 0; c < column_count + (totals ? 1 : 0); ++c)
        if (column_name(c) == name)
            return c;
    return -1;
}

const char flow_hint[] = "The columns of a foreign table of fas are hour integer, src_app, dest_app and vpc_id text "
                         "COLLATE \"C\", bytes_tx and bytes_rx bigint; a table that is only read may leave some out.";
const char totals_hint[] =
    "The columns of a foreign table of totals are hour integer, src_app, dest_app and vpc_id text "
    "COLLATE \"C\", bytes_tx and bytes_rx numeric, flows bigint; it may leave some out.";

void check_column(Relation table, Form_pg_attribute attribute, int column, bool totals) {
    const char *table_name = RelationGetRelationName(table);
    const char *shape_hint = totals ? totals_hint : flow_hint;
    if (column < 0)
        ereport(ERROR,
                (errcode(ERRCODE_DATATYPE_MISMATCH),
                 errmsg("foreign table \"%s\" has a column that no flow has", table_name),
                 errdetail("There is no \"%s\" in a flow.", NameStr(attribute->attname)), errhint("%s", shape_hint)));
    Oid type = type_of_column(column, totals);
    if (attribute->atttypid != type)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("foreign table \"%s\" has a column of the wrong type", table_name),
                        errdetail("Column \"%s\" has type %s, and must have type %s.", NameStr(attribute->attname),
                                  format_type_be(attribute->atttypid), format_type_be(type)),
                        errhint("%s", shape_hint)));
    if (type == TEXTOID && attribute->attcollation != C_COLLATION_OID && attribute->attcollation != POSIX_COLLATION_OID)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("foreign table \"%s\" has a column of the wrong collation", table_name),
                        errdetail("Column \"%s\" must have collation \"C\".", NameStr(attribute->attname)),
                        errhint("%s", shape_hint)));
}

// The option is checked when it is set.
bool has_totals(Oid table) {
    ListCell *cell;
    foreach (cell, GetForeignTable(table)->options)
        if (strcmp(lfirst_node(DefElem, cell)->defname, "totals") == 0)
            return defGetBoolean(lfirst_node(DefElem, cell));
    return false;
}

} // namespace

TableShape check_shape(Relation table, bool for_insert) {
    TableShape shape = {};
    shape.totals = has_totals(RelationGetRelid(table));
    TupleDesc desc = RelationGetDescr(table);

    for (int i = 0; i < desc->natts; ++i) {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);
        if (attribute->attisdropped)
            continue;
        int column = column_of_name(NameStr(attribute->attname), shape.totals);
        check_column(table, attribute, column, shape.totals);
        shape.attnum[column] = attribute->attnum;
    }
    for (int c = 0; c < column_count && for_insert; ++c)
        if (shape.attnum[c] == 0)
            ereport(ERROR,
                    (errcode(ERRCODE_DATATYPE_MISMATCH),
                     errmsg("foreign table \"%s\" lacks a column that every flow has", RelationGetRelationName(table)),
                     errdetail("Column \"%s\" is missing.", column_name(c).data()), errhint("%s", flow_hint)));
    return shape;
}

Store store_of_table(Oid table) {
    ForeignTable *foreign = GetForeignTable(table);
    ForeignServer *server = GetForeignServer(foreign->serverid);
    ForeignDataWrapper *wrapper = GetForeignDataWrapper(server->fdwid);
    return store_of_schema(get_func_namespace(wrapper->fdwhandler));
}

void require_select_through(const Store &store, Oid table, Oid user) {
    if (table != store.flows)
        require_select(store, user);
}

void require_insert_through(const Store &store, Oid table, Oid user) {
    if (table != store.flows)
        require_insert(store, user);
}

} // namespace fas::pg
