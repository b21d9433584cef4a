-- Ingest of CSV: by a function, and by a view that INSERT and COPY write to.

CREATE FUNCTION @extschema@.flows_ingest_csv(csv text) RETURNS bigint
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'flows_ingest_csv';
CREATE FUNCTION @extschema@.flows_ingest_csv(csv text, batch_key text) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'flows_ingest_csv';

COMMENT ON FUNCTION @extschema@.flows_ingest_csv(text) IS
    'Stores flows that come as CSV, whole or not at all, and returns how many it took.';
COMMENT ON FUNCTION @extschema@.flows_ingest_csv(text, text) IS
    'Stores flows that come as CSV under a batch key: sent again with the same flows, they are not counted again.';

CREATE VIEW @extschema@.flows_csv AS SELECT NULL::text AS csv, NULL::text AS batch_key WHERE false;

CREATE FUNCTION @extschema@.flows_csv_insert() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'flows_csv_insert';
CREATE TRIGGER flows_csv_insert INSTEAD OF INSERT ON @extschema@.flows_csv
    FOR EACH ROW EXECUTE FUNCTION @extschema@.flows_csv_insert();

COMMENT ON FUNCTION @extschema@.flows_csv_insert() IS 'The trigger of the view flows_csv.';
COMMENT ON VIEW @extschema@.flows_csv IS
    'A way in: each row that is inserted or copied here is CSV text for flows_ingest_csv(csv, batch_key). Always empty.';
COMMENT ON COLUMN @extschema@.flows_csv.csv IS 'The flows as CSV.';
COMMENT ON COLUMN @extschema@.flows_csv.batch_key IS 'Makes a retry harmless; NULL for none.';
