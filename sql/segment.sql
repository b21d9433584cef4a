--
-- The type flow_segment, its three aggregates and its inspection functions, by
-- themselves: no table of the extension is used here.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

CREATE FUNCTION code_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
  EXECUTE query;
  RETURN 'accepted';
EXCEPTION WHEN others THEN RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

-- The example of the model: ten flows, in no order except within a cell.
CREATE TABLE example (hour int, src_app text, dest_app text, vpc_id text, bytes_rx bigint, bytes_tx bigint);
INSERT INTO example VALUES
  (2, 'app2', 'app4', 'vpc1', 90, 91), (2, 'app1', 'app2', 'vpc1', 30, 31), (2, 'app1', 'app3', 'vpc1', 60, 61), (1, 'app1', 'app2', 'vpc1', 10, 11),
  (2, 'app1', 'app2', 'vpc1', 40, 41), (2, 'app1', 'app3', 'vpc1', 70, 71), (2, 'app2', 'app4', 'vpc1', 100, 101), (1, 'app1', 'app2', 'vpc1', 20, 21),
  (2, 'app1', 'app3', 'vpc1', 80, 81), (2, 'app1', 'app2', 'vpc1', 50, 51);
CREATE TABLE segments (name text PRIMARY KEY, segment flow_segment);
INSERT INTO segments SELECT 'example', flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) FROM example;

-- Metrics by index; hour -> bitmap; flow key -> bitmap; the sums of hour 2.
SELECT f.* FROM segments, flow_segment_flows(segment) f WHERE name = 'example' ORDER BY index;
SELECT h.* FROM segments, flow_segment_hours(segment) h WHERE name = 'example' ORDER BY hour;
SELECT k.* FROM segments, flow_segment_keys(segment) k WHERE name = 'example' ORDER BY src_app, dest_app, vpc_id;
SELECT k.src_app, k.dest_app, k.vpc_id, s.*
FROM segments, flow_segment_hours(segment) h, flow_segment_keys(segment) k, flow_segment_sum(segment, rb_and(h.indexes, k.indexes)) s
WHERE name = 'example' AND h.hour = 2 ORDER BY 1, 2, 3;
SELECT t.* FROM (SELECT flow_rollup_agg(segment, '{hour,src_app,dest_app,vpc_id}') AS totals FROM segments WHERE name = 'example') r, unnest(totals) t;

-- flow_segment_sum: any rows, no rows, rows that are not there.
SELECT (flow_segment_sum(segment, '{0,9}')).*, (flow_segment_sum(segment, '{}')).* FROM segments;
SELECT flow_segment_sum(segment, '{3,10}') FROM segments;
SELECT flow_segment_sum(segment, '{4294967295}') FROM segments;
SELECT flow_segment_sum(NULL, '{1}') IS NULL AS no_segment, flow_segment_sum(segment, NULL) IS NULL AS no_rows FROM segments;
SELECT count(*) FROM flow_segment_flows(NULL);

-- Result columns sort and compare bytewise, whatever the database's collation.
SELECT DISTINCT pg_collation_for(src_app), pg_collation_for(vpc_id) FROM segments, flow_segment_flows(segment)
UNION ALL SELECT DISTINCT pg_collation_for(src_app), pg_collation_for(vpc_id) FROM segments, flow_segment_keys(segment)
UNION ALL SELECT DISTINCT pg_collation_for(t.src_app), pg_collation_for(t.vpc_id) FROM (SELECT flow_rollup_agg(segment, '{src_app}') FROM segments) r(a), unnest(a) t;

-- Set-returning functions in the select list, under LIMIT, and in a lateral that is scanned again.
SELECT (flow_segment_hours(segment)).hour FROM segments ORDER BY 1 LIMIT 1;
SELECT i, (SELECT sum(bytes_tx) FROM flow_segment_flows(segment) WHERE index < i) FROM segments, generate_series(0, 3) i ORDER BY i;

-- flow_segment_agg: no rows, rows of NULLs, a NULL among values, values out of range.
SELECT flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) IS NULL AS no_rows FROM example WHERE hour = 7;
SELECT flow_segment_agg(NULL, NULL, NULL, NULL, NULL, NULL) IS NULL AS all_null FROM example;
SELECT count(*) FROM (SELECT flow_segment_agg(h, a, b, c, t, r) s FROM (VALUES (1, 'a', 'b', 'c', 1, 2), (NULL, NULL, NULL, NULL, NULL, NULL)) v(h, a, b, c, t, r)) x, flow_segment_flows(s);
SELECT v, code_of(format('SELECT flow_segment_agg(%s)', v)) FROM unnest(ARRAY[
  $$NULL, 'a', 'b', 'c', 1, 2$$, $$1, NULL, 'b', 'c', 1, 2$$, $$1, 'a', NULL, 'c', 1, 2$$, $$1, 'a', 'b', NULL, 1, 2$$, $$1, 'a', 'b', 'c', NULL, 2$$, $$1, 'a', 'b', 'c', 1, NULL$$,
  $$1, '', 'b', 'c', 1, 2$$, $$1, 'a', '', 'c', 1, 2$$, $$1, 'a', 'b', '', 1, 2$$, $$-1, 'a', 'b', 'c', 1, 2$$, $$1, 'a', 'b', 'c', -1, 2$$, $$1, 'a', 'b', 'c', 1, -9223372036854775808$$,
  $$0, 'a', 'b', 'c', 0, 0$$, $$2147483647, 'a', 'b', 'c', 9223372036854775807, 9223372036854775807$$]) v;
-- The error says which value, and what is right.
SELECT flow_segment_agg(-5, 'a', 'b', 'c', 1, 2);
SELECT flow_segment_agg(5, 'a', 'b', NULL, 1, 2);
SELECT flow_segment_agg(5, 'a', '', 'c', 1, 2);

-- Sums beyond 64 bits are exact; numerics of every size come out right.
SELECT t.* FROM (SELECT flow_rollup_agg(s, '{}') a FROM (SELECT flow_segment_agg(1, 'a', 'b', 'c', 9223372036854775807, i) s FROM generate_series(1, 5000) i) x) y, unnest(a) t;
SELECT count(*) FILTER (WHERE (flow_segment_sum(s, indexes)).bytes_tx = want) AS right, count(*) FROM (
  SELECT n, n * 9223372036854775807::numeric AS want, flow_segment_agg(1, 'a', 'b', 'c', 9223372036854775807, 1) s, rb_build_agg((i - 1)::int) indexes
  FROM generate_series(1, 60) n, generate_series(1, n) i GROUP BY n) x;

SELECT bytes_tx, bytes_rx FROM (SELECT flow_segment_agg(1, 'a', 'b', 'c', t, r) s FROM (VALUES (9000000000000000000, 9223372036854775807), (9000000000000000000, 1), (2000000000000000000, 9223372036854765808)) v(t, r)) x,
  flow_segment_sum(s, '{0,1,2}');

-- Names of any kind come back as they went in.
WITH names(name) AS (VALUES ('a'), ('A'), ('ä'), ('null'), ('0'), ('a,b'), ('"'), (''''), (E'\n'), (E'\\'), ('日本'), (repeat('x', 100000)), (repeat('x', 99999) || 'y')),
     built AS (SELECT flow_segment_agg(3, a.name, b.name, 'v', 1, 2) s FROM names a, names b)
SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM names WHERE name = f.src_app) AND EXISTS (SELECT FROM names WHERE name = f.dest_app)) AS known,
       count(DISTINCT (src_app, dest_app)) AS pairs FROM built, flow_segment_flows(s) f;

-- A larger set, against plain SQL.
CREATE TABLE plain AS
  SELECT i % 30 AS hour, 'app' || i % 97 AS src_app, 'app' || i % 89 AS dest_app, 'vpc' || i % 3 AS vpc_id, (i::bigint * i) AS bytes_tx, i::bigint AS bytes_rx
  FROM generate_series(1, 60000) i;
ALTER TABLE plain SET (parallel_workers = 2);
ANALYZE plain;
INSERT INTO segments SELECT 'part ' || bytes_rx % 7, flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) FROM plain GROUP BY 1;
INSERT INTO segments SELECT 'merged', flow_merge_agg(segment) FROM segments WHERE name LIKE 'part %';
INSERT INTO segments SELECT 'direct', flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) FROM plain;
CREATE FUNCTION same_as_plain(name text) RETURNS TABLE (flows bigint, sums bigint, rows bigint) LANGUAGE sql AS $$
  WITH f AS MATERIALIZED (SELECT f.* FROM segments s, flow_segment_flows(segment) f WHERE s.name LIKE $1),
       t AS (SELECT t.* FROM (SELECT flow_rollup_agg(segment, '{hour,src_app,dest_app,vpc_id}') a FROM segments s WHERE s.name LIKE $1) r, unnest(a) t),
       p AS (SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), count(*) FROM plain GROUP BY 1, 2, 3, 4)
  SELECT (SELECT count(*) FROM ((SELECT hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx FROM f EXCEPT ALL TABLE plain) UNION ALL (TABLE plain EXCEPT ALL SELECT hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx FROM f)) d),
         (SELECT count(*) FROM ((TABLE t EXCEPT ALL TABLE p) UNION ALL (TABLE p EXCEPT ALL TABLE t)) d),
         (SELECT count(*) FROM f)
$$;
SELECT n, s.* FROM unnest(ARRAY['part %', 'merged', 'direct']) n, same_as_plain(n) s;
-- Order of rows, and hours and keys as bitmaps of the same rows.
SELECT count(*) FILTER (WHERE (p.hour, p.src_app, p.dest_app, p.vpc_id) > (f.hour, f.src_app, f.dest_app, f.vpc_id)) AS unordered, max(f.index)
FROM (SELECT f.*, row_number() OVER (ORDER BY index) - 1 AS n FROM segments, flow_segment_flows(segment) f WHERE name = 'merged') f
JOIN (SELECT f.*, row_number() OVER (ORDER BY index) AS n FROM segments, flow_segment_flows(segment) f WHERE name = 'merged') p USING (n);
SELECT count(*), sum(rb_cardinality(indexes)) FROM segments, flow_segment_hours(segment) WHERE name = 'merged';
SELECT count(*), sum(rb_cardinality(indexes)) FROM segments, flow_segment_keys(segment) WHERE name = 'merged';
SELECT count(*) AS keys, count(*) FILTER (WHERE (s.bytes_tx, s.bytes_rx, s.flows) = (p.tx, p.rx, p.n)) AS same
FROM segments, flow_segment_keys(segment) k, flow_segment_sum(segment, k.indexes) s,
     (SELECT src_app, dest_app, vpc_id, sum(bytes_tx) tx, sum(bytes_rx) rx, count(*) n FROM plain GROUP BY 1, 2, 3) p
WHERE name = 'merged' AND (k.src_app, k.dest_app, k.vpc_id) = (p.src_app, p.dest_app, p.vpc_id) AND k.src_app < 'app2';

-- flow_merge_agg: nothing, NULLs, one.
SELECT flow_merge_agg(segment) IS NULL AS no_rows FROM segments WHERE name = '';
SELECT flow_merge_agg(NULL) IS NULL AS all_null FROM segments;
SELECT count(*) FROM (SELECT flow_merge_agg(s) m FROM (SELECT segment FROM segments WHERE name = 'example' UNION ALL SELECT NULL) x(s)) y, flow_segment_flows(m);

-- flow_rollup_agg: every subset of the dimensions against plain SQL, sorted; what group_by may be.
SELECT g, cardinality(a) AS groups, (SELECT count(*) FROM (
    (SELECT (t).* FROM unnest(a) t EXCEPT ALL
     SELECT CASE WHEN 'hour' = ANY (g) THEN hour END, CASE WHEN 'src_app' = ANY (g) THEN src_app END, CASE WHEN 'dest_app' = ANY (g) THEN dest_app END,
            CASE WHEN 'vpc_id' = ANY (g) THEN vpc_id END, sum(bytes_tx), sum(bytes_rx), count(*) FROM plain GROUP BY 1, 2, 3, 4) UNION ALL
    (SELECT CASE WHEN 'hour' = ANY (g) THEN hour END, CASE WHEN 'src_app' = ANY (g) THEN src_app END, CASE WHEN 'dest_app' = ANY (g) THEN dest_app END,
            CASE WHEN 'vpc_id' = ANY (g) THEN vpc_id END, sum(bytes_tx), sum(bytes_rx), count(*) FROM plain GROUP BY 1, 2, 3, 4
     EXCEPT ALL SELECT (t).* FROM unnest(a) t)) d) AS differing,
  (SELECT bool_and(t = o) FROM (SELECT t, row_number() OVER () n FROM unnest(a) t) x
   JOIN (SELECT o, row_number() OVER (ORDER BY (o).hour, (o).src_app, (o).dest_app, (o).vpc_id) n FROM unnest(a) o) y USING (n)) AS sorted
FROM (SELECT g, flow_rollup_agg(segment, g) a FROM segments,
      (SELECT ARRAY(SELECT d FROM unnest(ARRAY['hour', 'src_app', 'dest_app', 'vpc_id']) WITH ORDINALITY u(d, i) WHERE (n >> (i - 1)::int) & 1 = 1) g FROM generate_series(0, 15) n) x
      WHERE name LIKE 'part %' GROUP BY g) r ORDER BY g;
SELECT flow_rollup_agg(segment, '{hour,hour,hour}') AS repeated, flow_rollup_agg(segment, '{{vpc_id},{hour}}') AS any_shape FROM segments WHERE name = 'example';
SELECT flow_rollup_agg(segment, '{}') IS NULL AS no_rows FROM segments WHERE name = '';
SELECT flow_rollup_agg(NULL, '{hour}') IS NULL AS all_null FROM segments;
SELECT flow_rollup_agg(segment, '{hour,sources}') FROM segments;
SELECT flow_rollup_agg(segment, ARRAY['hour', NULL]) FROM segments;
SELECT flow_rollup_agg(segment, NULL) FROM segments;
SELECT flow_rollup_agg(segment, CASE WHEN name = 'example' THEN '{hour}'::text[] ELSE '{vpc_id}' END) FROM segments;
SELECT cardinality(flow_rollup_agg(segment, CASE WHEN name = 'example' THEN '{hour,vpc_id}'::text[] ELSE '{vpc_id,hour}' END)) AS same_set FROM segments;

-- Window frames: a state is asked for its result many times.
SELECT bytes_rx, (SELECT array_agg(f.bytes_rx ORDER BY f.index) FROM flow_segment_flows(so_far) f) AS so_far, (SELECT array_agg(f.bytes_rx ORDER BY f.index) FROM flow_segment_flows(around) f) AS around
FROM (SELECT bytes_rx, flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) OVER (ORDER BY bytes_rx) AS so_far,
             flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) OVER (ORDER BY bytes_rx ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS around FROM example) w ORDER BY bytes_rx;
SELECT name, (SELECT count(*) FROM flow_segment_flows(so_far)) AS so_far, (SELECT count(*) FROM flow_segment_flows(pair)) AS pair, totals[1].flows
FROM (SELECT name, flow_merge_agg(segment) OVER (ORDER BY name) AS so_far, flow_merge_agg(segment) OVER (ORDER BY name ROWS 1 PRECEDING) AS pair,
             flow_rollup_agg(segment, '{}') OVER (ORDER BY name) AS totals FROM segments WHERE name LIKE 'part %') w ORDER BY name;

-- In parallel: the same flows and the same sums. (The order of rows within a cell is open there.)
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) FROM plain;
INSERT INTO segments SELECT 'parallel', s FROM (SELECT flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) s FROM plain OFFSET 0) x;
CREATE TABLE parts AS SELECT name, segment FROM segments, generate_series(1, 40) WHERE name LIKE 'part %';
ALTER TABLE parts SET (parallel_workers = 2);
ANALYZE parts;
EXPLAIN (COSTS OFF) SELECT flow_merge_agg(segment), flow_rollup_agg(segment, '{hour}') FROM parts;
CREATE TABLE merged AS SELECT flow_merge_agg(segment) AS m, flow_rollup_agg(segment, '{src_app,hour}') AS t FROM parts;
SELECT same_as_plain('parallel');
SELECT (SELECT count(*) FROM flow_segment_flows(m)) AS flows, cardinality(t) AS groups,
       (SELECT count(*) FROM (SELECT (x).hour, (x).src_app, (x).bytes_tx, (x).bytes_rx, (x).flows FROM unnest(t) x
                              EXCEPT ALL SELECT hour, src_app, 40 * sum(bytes_tx), 40 * sum(bytes_rx), 40 * count(*) FROM plain GROUP BY 1, 2) d) AS differing,
       (SELECT count(*) FROM (SELECT hour, src_app, sum(bytes_tx), count(*) FROM flow_segment_flows(m) GROUP BY 1, 2
                              EXCEPT ALL SELECT hour, src_app, 40 * sum(bytes_tx), 40 * count(*) FROM plain GROUP BY 1, 2) d) AS merge_differing
FROM merged;
SELECT count(*) FROM parts WHERE (SELECT (flow_segment_sum(segment, '{0}')).flows) = 1;
SELECT flow_rollup_agg(segment, '{hour}') IS NULL AS no_rows, flow_merge_agg(segment) IS NULL AS nothing FROM parts WHERE name = '';
SELECT code_of('SELECT flow_rollup_agg(segment, ARRAY[left(name, 0)]) FROM parts');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Text and binary forms give the same segment back.
SELECT count(*) AS same FROM segments WHERE (segment::text)::flow_segment::bytea = segment::bytea AND (segment::bytea)::flow_segment::bytea = segment::bytea AND flow_segment_send(segment) = segment::bytea;
\set file `mktemp`
\setenv FAS_TEST_FILE :file
\copy segments to program 'cat > "$FAS_TEST_FILE"' (format binary)
CREATE TABLE again (LIKE segments);
\copy again from program 'cat "$FAS_TEST_FILE"' (format binary)
SELECT count(*) AS same FROM segments a JOIN again b USING (name) WHERE a.segment::bytea = b.segment::bytea;
DROP TABLE again;
SELECT attstorage FROM pg_attribute WHERE attrelid = 'segments'::regclass AND attname = 'segment';

-- What is no segment, through each door.
SELECT left(t, 20) AS t, code_of(format('SELECT %L::flow_segment', t)) FROM unnest(ARRAY['', 'x', '{}', '\', '\x0', '\xzz', '\x00 0', '\x', '\x00', '\x46415347', '\x' || repeat('00', 300), '\x' || repeat('ff', 300)]) WITH ORDINALITY u(t, n) ORDER BY n;
SELECT code_of($$SELECT '\x00'::bytea::flow_segment$$), code_of($$SELECT ''::bytea::flow_segment$$);
SELECT code_of($$CREATE TABLE t AS SELECT 1; INSERT INTO segments VALUES ('bytes', '\x00'::bytea)$$) AS no_assignment_cast;
\copy (SELECT 'hostile', decode('46415347010000', 'hex')) to program 'cat > "$FAS_TEST_FILE"' (format binary)
\copy segments from program 'cat "$FAS_TEST_FILE"' (format binary)
\! rm -f "$FAS_TEST_FILE"

-- Hostile bytes: good segments with a few bytes changed, cut short, or with parts put in each other's places. The text input refuses all that differ;
-- stored unseen (bytes go bad on disk), every reader answers, with rows or with XX001, and goes on.
CREATE FUNCTION unverified(bytea) RETURNS flow_segment LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
CREATE TABLE outcome (way text, code text);
CREATE FUNCTION spoil(good bytea, i int) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  bad bytea := good;
  n int := length(good);
  a int; b int; l int;
BEGIN
  FOR j IN 0 .. floor(random() * 4)::int LOOP
    a := floor(CASE WHEN random() < 0.5 THEN random() * least(n, 256) ELSE random() * n END)::int;
    bad := set_byte(bad, a, (ARRAY[0, 1, 127, 128, 255, floor(random() * 256)::int, get_byte(bad, a) # (1 << floor(random() * 8)::int)])[1 + floor(random() * 7)::int]);
  END LOOP;
  IF i % 7 = 0 THEN bad := substr(bad, 1, floor(random() * n)::int); END IF;
  IF i % 11 = 0 THEN
    l := 1 + floor(random() * n / 4)::int; a := floor(random() * (n - l))::int; b := floor(random() * (n - l))::int;
    bad := overlay(bad PLACING substr(good, b + 1, l) FROM a + 1 FOR l);
  END IF;
  IF i % 13 = 0 THEN bad := bad || substr(good, 1, 1 + floor(random() * 40)::int); END IF;
  RETURN bad;
END $$;
CREATE PROCEDURE read_spoilt(which text, times int) LANGUAGE plpgsql AS $$
DECLARE
  good bytea := (SELECT segment::bytea FROM segments WHERE name = which);
  bad bytea;
  s flow_segment;
  query text;
BEGIN
  FOR i IN 1 .. times LOOP
    bad := spoil(good, i);
    CONTINUE WHEN bad = good;
    BEGIN
      s := ('\x' || encode(bad, 'hex'))::flow_segment;
      INSERT INTO outcome VALUES ('input', 'accepted');
    EXCEPTION WHEN others THEN INSERT INTO outcome VALUES ('input', SQLSTATE);
    END;
    s := unverified(bad);
    FOREACH query IN ARRAY ARRAY['SELECT count(*) FROM flow_segment_flows($1)', 'SELECT count(*) FROM flow_segment_hours($1)', 'SELECT count(*) FROM flow_segment_keys($1)',
                                 'SELECT flow_segment_sum($1, ''{0,3,7}'')', 'SELECT flow_merge_agg($1)', 'SELECT flow_rollup_agg($1, ''{hour,src_app,dest_app,vpc_id}'')', 'SELECT flow_rollup_agg($1, ''{hour}'')'] LOOP
      BEGIN
        EXECUTE query USING s;
        INSERT INTO outcome VALUES (query, 'answered');
      EXCEPTION WHEN others THEN INSERT INTO outcome VALUES (query, SQLSTATE);
      END;
    END LOOP;
  END LOOP;
END $$;
SELECT setseed(0.5);
CALL read_spoilt('example', 2000);
INSERT INTO segments SELECT 'small', flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) FROM (SELECT * FROM plain WHERE bytes_rx <= 700) x;
CALL read_spoilt('small', 1000);
SELECT count(*) > 2500 AS many, count(*) FILTER (WHERE code <> 'XX001') AS other FROM outcome WHERE way = 'input';
SELECT count(DISTINCT way) AS ways, count(*) FILTER (WHERE code NOT IN ('answered', 'XX001')) AS other, count(*) FILTER (WHERE code = 'XX001') > 1000 AS refused FROM outcome WHERE way <> 'input';

-- Long work is cancelled soon (within a second; twice that is allowed here, for a machine under load).
SET statement_timeout = '100ms';
CREATE FUNCTION cancelled(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE started timestamptz := clock_timestamp();
BEGIN
  EXECUTE query;
  RETURN false;
EXCEPTION WHEN query_canceled THEN RETURN clock_timestamp() - started < interval '2 s';
END $$;
SELECT cancelled('SELECT flow_segment_agg(1, ''app'' || i, ''b'', ''c'', i, i) FROM generate_series(1, 3000000) i');
SELECT cancelled('SELECT flow_merge_agg(segment) FROM segments, generate_series(1, 1000) WHERE name = ''merged''');
SELECT cancelled('SELECT flow_merge_agg(segment) FROM parts');
SELECT cancelled('SELECT count(*) FROM segments, generate_series(1, 1000), flow_segment_flows(segment) WHERE name = ''merged''');
RESET statement_timeout;

-- Every object says what it is.
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
WHERE p.proname ~ '^flow_' AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
WHERE p.proname ~ '^flow_' AND p.proparallel <> 's';

DROP TABLE segments, parts, merged, plain, example, outcome;
DROP FUNCTION unverified, same_as_plain, spoil, cancelled, code_of;
DROP PROCEDURE read_spoilt;
DROP EXTENSION fas;
SELECT count(*) FROM pg_class WHERE relname ~ '^flow' UNION ALL SELECT count(*) FROM pg_proc WHERE proname ~ '^(flow|rb_)' UNION ALL SELECT count(*) FROM pg_type WHERE typname ~ '^(flow|roaring)';
