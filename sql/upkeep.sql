--
-- flows_stats() and flows_check(); what happens when a segment is damaged.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

CREATE FUNCTION batch(h int, n int) RETURNS text LANGUAGE sql AS $$
  SELECT json_agg(json_build_object('hour', h + 3 * (i % 3), 'src_app', 's' || i, 'dest_app', 'd', 'vpc_id', 'v', 'bytes_tx', i, 'bytes_rx', h))::text
  FROM generate_series(1, n) i
$$;
CREATE VIEW stats AS
  SELECT segments, level0_segments, flows, hours, live_bytes > 0 AS live, total_bytes >= live_bytes AS total, dead_bytes >= 0 AS dead, batch_keys, oldest_level0 <= now() AS oldest
  FROM flows_stats();

SELECT * FROM stats;
SELECT flows_ingest(batch(1, 10), 'a'), flows_ingest(batch(2, 10), 'b'), flows_ingest(batch(50, 1));
SELECT * FROM stats;
-- Hours are counted exactly, those that several segments share once.
SELECT hours, (SELECT count(DISTINCT hour) FROM flows) FROM flows_stats();
SELECT segments_read FROM flows_compact();
SELECT * FROM stats;
-- live_bytes is what the segments take, in line and in TOAST.
SELECT flows_ingest(batch(1, 3000));
SELECT live_bytes = (SELECT sum(pg_column_size(segment)) FROM flow_segments) AS segments, total_bytes = pg_total_relation_size('flow_segments') AS total FROM flows_stats();
-- dead_bytes: what was deleted, until VACUUM FULL.
SELECT count(flows_ingest(batch(1, 3000))) FROM generate_series(1, 20);
SELECT segments_read > 0 AS read FROM flows_compact();
SELECT dead_bytes > live_bytes AS much FROM flows_stats();
VACUUM FULL flow_segments;
SELECT dead_bytes < 20000 AS little FROM flows_stats();
SELECT * FROM flows_check();

-- Rows that don't say what their segment holds.
TRUNCATE flow_segments;
SELECT setval('flow_segments_id_seq', 1, false);
SET fas.auto_compact = off;
SELECT flows_ingest(batch(h, 100)) FROM generate_series(1, 4) h;
UPDATE flow_segments SET flows = flows + 1 WHERE id = 2;
UPDATE flow_segments SET hour_min = 0 WHERE id = 3;
UPDATE flow_segments SET hour_max = 99 WHERE id = 4;
SELECT * FROM flows_check() ORDER BY segment_id;
-- A merge puts that right.
SELECT flows > 0 AS flows FROM flows_compact();
SELECT * FROM flows_check();

-- Damaged bytes: no type would let them in, so an internal function brings them.
CREATE FUNCTION part(bytea, integer, integer) RETURNS flow_segment LANGUAGE internal IMMUTABLE STRICT AS 'bytea_substr';
CREATE FUNCTION flip(bytea, integer) RETURNS bytea LANGUAGE sql AS 'SELECT set_byte($1, $2, get_byte($1, $2) # 255)';
TRUNCATE flow_segments;
SELECT setval('flow_segments_id_seq', 1, false);
SELECT flows_ingest(batch(h, 100)) FROM generate_series(1, 8) h;
UPDATE flow_segments SET segment = part(segment::bytea, 1, length(segment::bytea) - 1) WHERE id = 2; -- truncated
UPDATE flow_segments SET segment = part(flip(segment::bytea, 0), 1, 100000) WHERE id = 3;           -- the header
UPDATE flow_segments SET segment = part(flip(segment::bytea, length(segment::bytea) - 1), 1, 100000) WHERE id = 4; -- the rows
UPDATE flow_segments SET segment = part('', 1, 1) WHERE id = 5;                                     -- nothing
UPDATE flow_segments SET segment = part(flip(segment::bytea, length(segment::bytea) / 2), 1, 100000) WHERE id = 6; -- within
SELECT segment_id, problem <> '' AS told FROM flows_check() ORDER BY segment_id;
-- Everything goes on: the statistics, the ingest that is to merge (it warns), flows_compact() (it warns).
SELECT segments, flows, hours > 0 AS hours FROM flows_stats();
RESET fas.auto_compact;
SET client_min_messages = error;
SELECT count(flows_ingest(batch(20, 2))) FROM generate_series(9, 70);
SELECT segments_read > 0 AS read FROM flows_compact();
RESET client_min_messages;
SELECT count(*) AS whole, sum(flows) FROM flow_segments WHERE id NOT IN (2, 3, 4, 5, 6);
SELECT count(*) FROM flow_segments WHERE id IN (2, 3, 4, 5, 6);
-- Readers don't: they say what is wrong.
\set VERBOSITY sqlstate
SELECT count(*) FROM flows WHERE bytes_tx > 0;
\set VERBOSITY default
-- Without the damaged ones all is well.
DELETE FROM flow_segments WHERE id IN (SELECT segment_id FROM flows_check());
SELECT * FROM flows_compact();
SELECT * FROM flows_check();
SELECT count(*), sum(bytes_rx) FROM flows;

DROP VIEW stats;
DROP FUNCTION batch;
DROP FUNCTION flip;
DROP EXTENSION fas CASCADE;
