-- A GIN index on a million bitmaps against a sequential scan. Run it by psql in a database that has fas:
--   psql -X -f bench/roaring/index.sql
-- Rows have 1 to 40 members out of a million, evenly drawn; one row in a thousand has 20,000 of them.
\timing on
SET max_parallel_workers_per_gather = 0;
SET maintenance_work_mem = '512MB';
SET jit = off;
SELECT setseed(0.1);
DROP TABLE IF EXISTS million;
CREATE TABLE million AS
    SELECT i AS id, CASE WHEN i % 1000 = 0 THEN (SELECT rb_build_agg(((j::bigint * 419707 + i) % 1000000)::int) FROM generate_series(1, 20000) j)
                         ELSE rb_build(ARRAY(SELECT ((i::bigint * 2654435761 + j::bigint * j * 40503 * (i % 977 + 1)) % 1000000)::int FROM generate_series(1, 1 + i % 40) j)) END AS b
    FROM generate_series(1, 1000000) i;
VACUUM ANALYZE million;
\timing off
DROP FUNCTION IF EXISTS timed;
CREATE FUNCTION timed(condition text, by_index boolean, OUT plan text, OUT matches bigint, OUT estimate float8, OUT ms numeric) LANGUAGE plpgsql AS $$
DECLARE times numeric[] := '{}'; report json;
BEGIN
  PERFORM set_config('enable_seqscan', CASE WHEN by_index THEN 'off' ELSE 'on' END, true), set_config('enable_bitmapscan', CASE WHEN by_index THEN 'on' ELSE 'off' END, true);
  FOR i IN 1 .. CASE WHEN by_index THEN 9 ELSE 3 END LOOP
    EXECUTE 'EXPLAIN (ANALYZE, TIMING off, FORMAT json) SELECT id FROM million WHERE ' || condition INTO report;
    times := times || (report->0->>'Execution Time')::numeric;
  END LOOP;
  plan := report->0->'Plan'->>'Node Type'; matches := report->0->'Plan'->>'Actual Rows'; estimate := report->0->'Plan'->>'Plan Rows';
  ms := (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY t) FROM unnest(times) t);
END $$;
\timing on
CREATE INDEX million_gin ON million USING gin (b);
\timing off
SELECT pg_size_pretty(pg_table_size('million')) AS "table", pg_size_pretty(pg_relation_size('million_gin')) AS "index";
SELECT condition, i.matches, i.estimate, i.ms AS index_ms, s.ms AS scan_ms, round(s.ms / i.ms, 1) AS ratio, s.matches = i.matches AS same
FROM (VALUES ('b @> 123456'), ('b @> ''{123456,654321}'''), ('b && ''{1,22,333,4444,55555}'''), ('b && rb_fill(''{}'', 500000, 500100)'), ('b && rb_fill(''{}'', 400000, 500000)'),
             ('b @> 4000000'), ('b = (SELECT b FROM million WHERE id = 777)'), ('b <@ rb_fill(''{}'', 0, 5000)'), ('b @> (SELECT b FROM million WHERE id = 5000)')) q (condition),
     LATERAL timed(condition, true) i, LATERAL timed(condition, false) s;
\timing on
INSERT INTO million SELECT 2000000 + i, rb_build(ARRAY(SELECT (i * 31 + j * 7919) % 1000000 FROM generate_series(1, 20) j)) FROM generate_series(1, 10000) i;
DROP INDEX million_gin;
INSERT INTO million SELECT 3000000 + i, rb_build(ARRAY(SELECT (i * 31 + j * 7919) % 1000000 FROM generate_series(1, 20) j)) FROM generate_series(1, 10000) i;
DROP TABLE million;
DROP FUNCTION timed;
