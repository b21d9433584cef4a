-- The store: segments and batch keys lie in ordinary tables, so transactions, crash recovery, replication and backup
-- are PostgreSQL's. Only fas's functions and the foreign table "flows" write them, as the tables' owner.

-- Not an identity column: an explicit sequence is dumped with its value.
CREATE SEQUENCE @extschema@.flow_segments_id_seq AS bigint;

CREATE TABLE @extschema@.flow_segments (
    id bigint PRIMARY KEY DEFAULT nextval('@extschema@.flow_segments_id_seq'),
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 3),
    hour_min integer NOT NULL CHECK (hour_min >= 0),
    hour_max integer NOT NULL CHECK (hour_max >= hour_min),
    flows bigint NOT NULL CHECK (flows > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    segment @extschema@.flow_segment NOT NULL,
    hours @extschema@.roaringbitmap
) WITH (
    -- Segments are small in number and large in size, and each is deleted by the merge that takes it up: what is dead
    -- must be reusable soon. With PostgreSQL's defaults the store takes about four times its live size. The pace, 2.5
    -- times the default, keeps up with a million flows a second; a vacuum at full speed takes a core and the disk away
    -- from ingest, and, while an old snapshot is held, does so without end.
    autovacuum_vacuum_cost_delay = 2,
    autovacuum_vacuum_cost_limit = 500,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_analyze_scale_factor = 0.05,
    toast.autovacuum_vacuum_cost_delay = 2,
    toast.autovacuum_vacuum_cost_limit = 500,
    toast.autovacuum_vacuum_scale_factor = 0.02,
    toast.autovacuum_vacuum_insert_scale_factor = 0.2
);
ALTER SEQUENCE @extschema@.flow_segments_id_seq OWNED BY @extschema@.flow_segments.id;
CREATE INDEX flow_segments_hours_idx ON @extschema@.flow_segments (hour_max, hour_min);

CREATE TABLE @extschema@.flow_batches (
    batch_key text COLLATE "C" PRIMARY KEY CHECK (octet_length(batch_key) BETWEEN 1 AND 255),
    taken bigint NOT NULL CHECK (taken >= 0),
    digest bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
) WITH (
    autovacuum_vacuum_scale_factor = 0.05
);
CREATE INDEX flow_batches_received_at_idx ON @extschema@.flow_batches (received_at);

SELECT pg_catalog.pg_extension_config_dump('@extschema@.flow_segments', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.flow_segments_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.flow_batches', '');

COMMENT ON SEQUENCE @extschema@.flow_segments_id_seq IS
    'Ids of flow_segments; which id an ingest draws also tells it whether a merge is due.';
COMMENT ON TABLE @extschema@.flow_segments IS
    'Where the flows lie: one row for each segment. Written by fas alone.';
COMMENT ON COLUMN @extschema@.flow_segments.id IS 'Ascends with the order of arrival.';
COMMENT ON COLUMN @extschema@.flow_segments.level IS
    'Compaction: 0 as ingested, 1 and 2 merged by ingests, 3 sealed by flows_compact().';
COMMENT ON COLUMN @extschema@.flow_segments.hour_min IS 'The first hour that has a flow in the segment.';
COMMENT ON COLUMN @extschema@.flow_segments.hour_max IS 'The last hour that has a flow in the segment.';
COMMENT ON COLUMN @extschema@.flow_segments.flows IS 'How many flows the segment holds.';
COMMENT ON COLUMN @extschema@.flow_segments.created_at IS 'When the transaction began that stored or merged it.';
COMMENT ON COLUMN @extschema@.flow_segments.segment IS 'The flows: an immutable, compressed column store.';
COMMENT ON COLUMN @extschema@.flow_segments.hours IS
    'The hours that have a flow in the segment, where not all from hour_min to hour_max have: scans leave it out by that. NULL: any of them may.';
COMMENT ON INDEX @extschema@.flow_segments_hours_idx IS 'Finds the segments that may hold an hour, and expired ones.';
COMMENT ON TABLE @extschema@.flow_batches IS
    'Batch keys of the last fas.batch_key_retention: a batch that is sent again under its key is not counted again.';
COMMENT ON COLUMN @extschema@.flow_batches.batch_key IS 'What the sender calls the batch: 1 to 255 bytes.';
COMMENT ON COLUMN @extschema@.flow_batches.taken IS 'How many flows the batch held.';
COMMENT ON COLUMN @extschema@.flow_batches.digest IS 'SHA-256 of the batch''s flows, in order.';
COMMENT ON COLUMN @extschema@.flow_batches.received_at IS 'When the transaction began that stored the batch.';
COMMENT ON INDEX @extschema@.flow_batches_received_at_idx IS 'Finds the oldest keys, to drop them.';
