--
-- Compaction: by ingests, as the drawn id says, and by flows_compact(). Sums
-- never change; segments become few, and those of one hour come together.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

-- The plain table that got the same flows, and the comparison of everything.
CREATE TABLE plain (hour int, src_app text, dest_app text, vpc_id text, bytes_tx bigint, bytes_rx bigint);
CREATE VIEW differences AS
  SELECT hour, src_app, dest_app, vpc_id FROM
    (SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx) AS tx, sum(bytes_rx) AS rx, count(*) AS n FROM flows GROUP BY 1, 2, 3, 4) f
  FULL JOIN
    (SELECT hour, src_app COLLATE "C" AS src_app, dest_app COLLATE "C" AS dest_app, vpc_id COLLATE "C" AS vpc_id, sum(bytes_tx) AS tx, sum(bytes_rx) AS rx, count(*) AS n FROM plain GROUP BY 1, 2, 3, 4) p
  USING (hour, src_app, dest_app, vpc_id)
  WHERE (f.tx, f.rx, f.n) IS DISTINCT FROM (p.tx, p.rx, p.n);
CREATE VIEW shape AS SELECT level, count(*) AS segments, sum(flows) AS flows FROM flow_segments GROUP BY level ORDER BY level;
-- `n` flows of batch `b`, in hours around `b / per_hour`.
CREATE FUNCTION post(b int, n int, per_hour int) RETURNS bigint LANGUAGE sql AS $$
  WITH made AS (
    INSERT INTO plain SELECT greatest(b / per_hour - (CASE WHEN i % 10 = 0 THEN i % 7 ELSE 0 END), 0), 'app' || (b * 7 + i) % 90, 'dest' || i % 11, 'vpc' || i % 3, b + i, i
    FROM generate_series(1, n) i RETURNING *)
  SELECT flows_ingest(json_agg(made)) FROM made
$$;

-- Without it, every batch stays as it came.
SET fas.auto_compact = off;
SELECT count(post(b, 5, 100)) FROM generate_series(1, 130) b;
SELECT * FROM shape;
RESET fas.auto_compact;
-- With it, for batches so small, the ids that are multiples of 192 merge.
TRUNCATE flow_segments, plain;
SELECT setval('flow_segments_id_seq', 1, false);
SELECT count(post(b, 5, 100)) FROM generate_series(1, 191) b;
SELECT * FROM shape;
SELECT post(192, 5, 100);
SELECT * FROM shape;
SELECT count(*) FROM differences;
-- Level by level; level 0 never grows beyond what is due.
SELECT count(post(b, 100, 300)) FROM generate_series(193, 2300) b;
SELECT level, segments < CASE level WHEN 0 THEN 192 ELSE 40 END AS few FROM shape;
SELECT count(*) FROM differences;
SELECT * FROM flows_check();
-- Larger batches merge sooner.
TRUNCATE flow_segments, plain;
SELECT count(post(b, 9000, 10)) FROM generate_series(1, 40) b;
SELECT count(*) FILTER (WHERE level = 0) < 16 AS few, max(flows) <= 262144 AS bounded, count(*) FILTER (WHERE level = 2) > 0 AS parted FROM flow_segments;
SELECT count(*) FROM differences;

-- flows_compact(): all is sealed, hours with enough flows have segments of their own.
SELECT segments_read > 0 AS read, segments_written > 0 AS written, flows > 0 AS flows FROM flows_compact();
SELECT level, hour_min = hour_max AS one_hour, count(*) = count(DISTINCT hour_min) AS one_each, sum(flows) > 320000 AS most FROM flow_segments WHERE flows > 40000 GROUP BY 1, 2;
SELECT count(*) FROM differences;
-- A second call finds nothing to do, and no row changes.
CREATE TEMP TABLE before AS SELECT id, level, flows FROM flow_segments;
SELECT * FROM flows_compact();
SELECT count(*) FROM (TABLE before EXCEPT SELECT id, level, flows FROM flow_segments) x;
-- A straggler more is merged with what is small, not with everything.
SELECT post(3, 10, 1);
SELECT segments_read, flows < (SELECT sum(flows) FROM flow_segments) / 4 AS little FROM flows_compact();
SELECT * FROM flows_compact();
SELECT count(*) FROM differences;

-- Many tiny batches, each alone in its hour.
TRUNCATE flow_segments, plain;
SET fas.auto_compact = off;
SELECT count(post(b, 1, 1)) FROM generate_series(1, 1500) b;
RESET fas.auto_compact;
SELECT segments_read >= 1500 AS read FROM flows_compact();
SELECT level, count(*), sum(flows) FROM flow_segments GROUP BY level;
SELECT * FROM flows_compact();
SELECT count(*) FROM differences;

-- A segment is never larger than fas.max_segment_flows while hours can be parted.
TRUNCATE flow_segments, plain;
SELECT count(post(b, 2000, 2)) FROM generate_series(0, 19) b;
SET fas.max_segment_flows = 5000;
SELECT segments_read > 0 AS read FROM flows_compact();
SELECT max(flows) <= 5000 AS bounded, sum(flows) FROM flow_segments;
SELECT * FROM flows_compact();
RESET fas.max_segment_flows;
SELECT segments_read > 0 AS read FROM flows_compact();
SELECT level, count(*), sum(flows) FROM flow_segments GROUP BY level;
SELECT * FROM flows_compact();
SELECT count(*) FROM differences;

-- In one transaction with ingests; rolled back; in a savepoint.
BEGIN;
SELECT count(post(b, 3, 5)) FROM generate_series(1, 200) b;
SELECT segments_read > 0 AS read FROM flows_compact();
SELECT count(*) FROM differences;
SAVEPOINT s;
SELECT count(post(b, 3, 5)) FROM generate_series(1, 200) b;
SELECT segments_read > 0 AS read FROM flows_compact();
ROLLBACK TO s;
SELECT count(*) FROM differences;
ROLLBACK;
SELECT count(*) FROM differences;
SELECT * FROM flows_check();

-- Where a transaction keeps one snapshot, an ingest only inserts, and flows_compact() is refused.
TRUNCATE flow_segments, plain;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(post(b, 5, 100)) FROM generate_series(1, 300) b;
SELECT * FROM shape;
COMMIT;
\set VERBOSITY sqlstate
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT flows_compact();
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT flows_compact();
ROLLBACK;
\set VERBOSITY default
SELECT segments_read > 0 AS read FROM flows_compact();
SELECT count(*) FROM differences;

-- An error in the middle of a merge is the statement's error, and the session goes on after it.
TRUNCATE flow_segments, plain;
SET fas.auto_compact = off;
SELECT count(post(b, 5, 100)) FROM generate_series(1, 40) b;
RESET fas.auto_compact;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'ZZ001'; END $$;
CREATE TRIGGER refuse BEFORE DELETE ON flow_segments FOR EACH STATEMENT EXECUTE FUNCTION refuse();
\set VERBOSITY terse
SELECT flows_compact();
SELECT 'goes on';
BEGIN;
SELECT count(post(b, 5, 100)) FROM generate_series(1, 3) b;
SAVEPOINT s;
SELECT flows_compact();
ROLLBACK TO s;
SELECT count(post(b, 5, 100)) FROM generate_series(4, 6) b;
COMMIT;
SELECT count(post(b, 5, 100)) FROM generate_series(1, 192) b;
DO $$ BEGIN PERFORM flows_compact(); EXCEPTION WHEN sqlstate 'ZZ001' THEN RAISE NOTICE 'caught'; END $$;
\set VERBOSITY default
DROP TRIGGER refuse ON flow_segments;
DROP FUNCTION refuse;
SELECT count(*) FROM differences;
SELECT segments_read > 0 AS read FROM flows_compact();
SELECT count(*) FROM differences;

-- An empty store.
TRUNCATE flow_segments, plain;
SELECT * FROM flows_compact();

DROP VIEW differences, shape;
DROP FUNCTION post;
DROP TABLE plain;
DROP EXTENSION fas;
