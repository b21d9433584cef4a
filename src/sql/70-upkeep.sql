-- Upkeep: merge now, drop old hours, sizes and debt, soundness.

CREATE FUNCTION @extschema@.flows_compact(
    OUT segments_read bigint, OUT segments_written bigint, OUT flows bigint)
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME', 'flows_compact';
CREATE FUNCTION @extschema@.flows_expire(before_hour integer) RETURNS bigint
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME', 'flows_expire';
CREATE FUNCTION @extschema@.flows_stats(
    OUT segments bigint, OUT level0_segments bigint, OUT flows bigint, OUT hours bigint, OUT live_bytes bigint,
    OUT total_bytes bigint, OUT dead_bytes bigint, OUT batch_keys bigint, OUT oldest_level0 timestamptz)
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME', 'flows_stats';
CREATE FUNCTION @extschema@.flows_check(OUT segment_id bigint, OUT problem text) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME', 'flows_check';

COMMENT ON FUNCTION @extschema@.flows_compact() IS
    'Merges the segments that can be merged with profit, by hour, and returns how many it read and wrote and the flows in them. A second call right after finds nothing to do.';
COMMENT ON FUNCTION @extschema@.flows_expire(integer) IS
    'Drops every flow of an hour before before_hour, and batch keys that are older than fas.batch_key_retention; returns how many flows it dropped.';
COMMENT ON FUNCTION @extschema@.flows_stats() IS
    'Sizes and debt of the store: segments, those not merged yet (level0_segments, the oldest from oldest_level0), flows, distinct hours, bytes of the segments alone (live_bytes), of flow_segments with indexes and TOAST (total_bytes), an estimate of what is neither live nor index (dead_bytes: not vacuumed yet, or free for new segments), and batch keys.';
COMMENT ON FUNCTION @extschema@.flows_check() IS
    'Verifies every segment, and that its row agrees with it: one row for each that is damaged, none when all is well.';
