-- The type flow_segment, its three aggregates, and its inspection functions.

CREATE TYPE flow_segment;

CREATE FUNCTION flow_segment_in(cstring) RETURNS flow_segment
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_in(cstring) IS 'Text input of type flow_segment: \x and hexadecimal digits, verified';

CREATE FUNCTION flow_segment_out(flow_segment) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_out(flow_segment) IS 'Text output of type flow_segment';

CREATE FUNCTION flow_segment_recv(internal) RETURNS flow_segment
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_recv(internal) IS 'Binary input of type flow_segment, verified';

CREATE FUNCTION flow_segment_send(flow_segment) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_send(flow_segment) IS 'Binary output of type flow_segment';

-- External: a segment is packed already, and readers fetch slices of it.
CREATE TYPE flow_segment (
    INPUT = flow_segment_in,
    OUTPUT = flow_segment_out,
    RECEIVE = flow_segment_recv,
    SEND = flow_segment_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE flow_segment IS 'Network flows as one immutable, compressed, self-contained column store';

CREATE FUNCTION flow_segment(bytea) RETURNS flow_segment
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'flow_segment_from_bytea';
COMMENT ON FUNCTION flow_segment(bytea) IS 'The segment that these bytes are, verified';

CREATE CAST (bytea AS flow_segment) WITH FUNCTION flow_segment(bytea);
COMMENT ON CAST (bytea AS flow_segment) IS 'The segment that these bytes are, verified';
CREATE CAST (flow_segment AS bytea) WITHOUT FUNCTION;
COMMENT ON CAST (flow_segment AS bytea) IS 'A segment''s bytes, in the format of docs/segment-format.md';

-- Rows to segment, segments to segment. The two aggregates have one kind of state.
-- SSPACE: what a state of a few flows or segments takes. PostgreSQL does not see that memory, so this is how it knows
-- when many groups are better sorted, or spilled, than hashed.

CREATE FUNCTION flow_segment_agg_add(internal, hour integer, src_app text, dest_app text, vpc_id text,
                                     bytes_tx bigint, bytes_rx bigint) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_agg_add(internal, integer, text, text, text, bigint, bigint)
    IS 'Transition function of flow_segment_agg';

CREATE FUNCTION flow_merge_agg_add(internal, segment flow_segment) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_merge_agg_add(internal, flow_segment) IS 'Transition function of flow_merge_agg';

CREATE FUNCTION flow_segment_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_combine(internal, internal) IS 'Combine function of flow_segment_agg and flow_merge_agg';

CREATE FUNCTION flow_segment_serial(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_serial(internal)
    IS 'Serialization function of flow_segment_agg and flow_merge_agg';

CREATE FUNCTION flow_segment_deserial(bytea, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_deserial(bytea, internal)
    IS 'Deserialization function of flow_segment_agg and flow_merge_agg';

CREATE FUNCTION flow_segment_final(internal) RETURNS flow_segment
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_final(internal) IS 'Final function of flow_segment_agg and flow_merge_agg';

CREATE AGGREGATE flow_segment_agg(hour integer, src_app text, dest_app text, vpc_id text,
                                  bytes_tx bigint, bytes_rx bigint) (
    SFUNC = flow_segment_agg_add,
    STYPE = internal,
    SSPACE = 32768,
    FINALFUNC = flow_segment_final,
    COMBINEFUNC = flow_segment_combine,
    SERIALFUNC = flow_segment_serial,
    DESERIALFUNC = flow_segment_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE flow_segment_agg(integer, text, text, text, bigint, bigint)
    IS 'The segment of these flows. Rows in which all columns are null are passed over, one null among values is refused; NULL when no row is left';

CREATE AGGREGATE flow_merge_agg(segment flow_segment) (
    SFUNC = flow_merge_agg_add,
    STYPE = internal,
    SSPACE = 32768,
    FINALFUNC = flow_segment_final,
    COMBINEFUNC = flow_segment_combine,
    SERIALFUNC = flow_segment_serial,
    DESERIALFUNC = flow_segment_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE flow_merge_agg(flow_segment)
    IS 'All flows of these segments as one segment. Nulls are passed over; NULL when no segment is left';

-- Segments to totals.

CREATE TYPE flow_total AS (
    hour integer,
    src_app text COLLATE pg_catalog."C",
    dest_app text COLLATE pg_catalog."C",
    vpc_id text COLLATE pg_catalog."C",
    bytes_tx numeric,
    bytes_rx numeric,
    flows bigint
);
COMMENT ON TYPE flow_total IS 'Exact sums over a group of flows; a dimension that was not grouped by is NULL';
COMMENT ON COLUMN flow_total.hour IS 'Hour';
COMMENT ON COLUMN flow_total.src_app IS 'Source application';
COMMENT ON COLUMN flow_total.dest_app IS 'Destination application';
COMMENT ON COLUMN flow_total.vpc_id IS 'Virtual private cloud';
COMMENT ON COLUMN flow_total.bytes_tx IS 'Bytes sent, summed';
COMMENT ON COLUMN flow_total.bytes_rx IS 'Bytes received, summed';
COMMENT ON COLUMN flow_total.flows IS 'Number of flows';

CREATE FUNCTION flow_rollup_agg_add(internal, segment flow_segment, group_by text[]) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_rollup_agg_add(internal, flow_segment, text[]) IS 'Transition function of flow_rollup_agg';

CREATE FUNCTION flow_rollup_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_rollup_combine(internal, internal) IS 'Combine function of flow_rollup_agg';

CREATE FUNCTION flow_rollup_serial(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_rollup_serial(internal) IS 'Serialization function of flow_rollup_agg';

CREATE FUNCTION flow_rollup_deserial(bytea, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_rollup_deserial(bytea, internal) IS 'Deserialization function of flow_rollup_agg';

CREATE FUNCTION flow_rollup_final(internal) RETURNS flow_total[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_rollup_final(internal) IS 'Final function of flow_rollup_agg';

CREATE AGGREGATE flow_rollup_agg(segment flow_segment, group_by text[]) (
    SFUNC = flow_rollup_agg_add,
    STYPE = internal,
    SSPACE = 32768,
    FINALFUNC = flow_rollup_final,
    COMBINEFUNC = flow_rollup_combine,
    SERIALFUNC = flow_rollup_serial,
    DESERIALFUNC = flow_rollup_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE flow_rollup_agg(flow_segment, text[])
    IS 'Exact sums over all flows of these segments, grouped by the dimensions that group_by names, in order of hour, src_app, dest_app, vpc_id. Null segments are passed over; NULL when no segment is left';

-- Inspection.

CREATE TYPE flow_segment_flow AS (
    index bigint,
    hour integer,
    src_app text COLLATE pg_catalog."C",
    dest_app text COLLATE pg_catalog."C",
    vpc_id text COLLATE pg_catalog."C",
    bytes_tx bigint,
    bytes_rx bigint
);
COMMENT ON TYPE flow_segment_flow IS 'One flow of a segment, with its row index';
COMMENT ON COLUMN flow_segment_flow.index IS 'Row index in the segment, from 0';
COMMENT ON COLUMN flow_segment_flow.hour IS 'Hour';
COMMENT ON COLUMN flow_segment_flow.src_app IS 'Source application';
COMMENT ON COLUMN flow_segment_flow.dest_app IS 'Destination application';
COMMENT ON COLUMN flow_segment_flow.vpc_id IS 'Virtual private cloud';
COMMENT ON COLUMN flow_segment_flow.bytes_tx IS 'Bytes sent';
COMMENT ON COLUMN flow_segment_flow.bytes_rx IS 'Bytes received';

CREATE TYPE flow_segment_key AS (
    src_app text COLLATE pg_catalog."C",
    dest_app text COLLATE pg_catalog."C",
    vpc_id text COLLATE pg_catalog."C",
    indexes roaringbitmap
);
COMMENT ON TYPE flow_segment_key IS 'One flow key of a segment, with the rows that have it';
COMMENT ON COLUMN flow_segment_key.src_app IS 'Source application';
COMMENT ON COLUMN flow_segment_key.dest_app IS 'Destination application';
COMMENT ON COLUMN flow_segment_key.vpc_id IS 'Virtual private cloud';
COMMENT ON COLUMN flow_segment_key.indexes IS 'Row indexes in the segment';

CREATE FUNCTION flow_segment_flows(segment flow_segment) RETURNS SETOF flow_segment_flow
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_flows(flow_segment)
    IS 'Every flow of a segment with its row index, in segment order: by hour, src_app, dest_app, vpc_id';

CREATE FUNCTION flow_segment_hours(segment flow_segment, OUT hour integer, OUT indexes roaringbitmap)
    RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 24 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_hours(flow_segment) IS 'The hours of a segment, each with the bitmap of its row indexes';

CREATE FUNCTION flow_segment_keys(segment flow_segment) RETURNS SETOF flow_segment_key
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_keys(flow_segment)
    IS 'The flow keys of a segment, each with the bitmap of its row indexes';

CREATE FUNCTION flow_segment_sum(segment flow_segment, indexes roaringbitmap,
                                 OUT bytes_tx numeric, OUT bytes_rx numeric, OUT flows bigint)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION flow_segment_sum(flow_segment, roaringbitmap)
    IS 'Exact sums over the rows of a segment that a bitmap names';
