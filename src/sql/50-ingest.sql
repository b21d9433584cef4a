-- Ingest: a JSON array of flows in, the number taken back.
--
-- Six functions and no DEFAULTs: with a DEFAULT, calls with unknown literals would be ambiguous; without, they, untyped
-- parameters and NULL go to text, which is also the quickest way.

CREATE FUNCTION @extschema@.flows_ingest(flows text) RETURNS bigint
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'flows_ingest_text';
CREATE FUNCTION @extschema@.flows_ingest(flows text, batch_key text) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'flows_ingest_text';

CREATE FUNCTION @extschema@.flows_ingest(flows json) RETURNS bigint
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'flows_ingest_text';
CREATE FUNCTION @extschema@.flows_ingest(flows json, batch_key text) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'flows_ingest_text';

CREATE FUNCTION @extschema@.flows_ingest(flows jsonb) RETURNS bigint
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'flows_ingest_jsonb';
CREATE FUNCTION @extschema@.flows_ingest(flows jsonb, batch_key text) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'flows_ingest_jsonb';

CREATE FUNCTION @extschema@.flows_ingest_receipt(
    flows text, batch_key text, OUT taken bigint, OUT repeated boolean, OUT received_at timestamptz)
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'flows_ingest_receipt';

COMMENT ON FUNCTION @extschema@.flows_ingest(text) IS
    'Stores a JSON array of flows, whole or not at all, and returns how many it took.';
COMMENT ON FUNCTION @extschema@.flows_ingest(text, text) IS
    'Stores a JSON array of flows under a batch key: sent again with the same flows, it is not counted again.';
COMMENT ON FUNCTION @extschema@.flows_ingest(json) IS
    'Stores a JSON array of flows, whole or not at all, and returns how many it took.';
COMMENT ON FUNCTION @extschema@.flows_ingest(json, text) IS
    'Stores a JSON array of flows under a batch key: sent again with the same flows, it is not counted again.';
COMMENT ON FUNCTION @extschema@.flows_ingest(jsonb) IS
    'Stores a JSON array of flows, whole or not at all, and returns how many it took.';
COMMENT ON FUNCTION @extschema@.flows_ingest(jsonb, text) IS
    'Stores a JSON array of flows under a batch key: sent again with the same flows, it is not counted again.';
COMMENT ON FUNCTION @extschema@.flows_ingest_receipt(text, text) IS
    'Like flows_ingest(flows, batch_key), telling whether the batch was stored before and when it was received first.';
