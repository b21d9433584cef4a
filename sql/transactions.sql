--
-- Flows and transactions: a batch is there when its transaction commits, whole
-- or not at all, whatever the statement that brought it. Savepoints, isolation
-- levels, read-only transactions, an empty search_path, cursors, CTEs,
-- RETURNING, plpgsql, parallel plans.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

CREATE FUNCTION batch(app text, n int DEFAULT 1, h int DEFAULT 1) RETURNS text LANGUAGE sql AS $$
  SELECT json_agg(json_build_object('hour', h, 'src_app', app, 'dest_app', 'd', 'vpc_id', 'v', 'bytes_tx', i, 'bytes_rx', 1))::text FROM generate_series(1, n) i
$$;
CREATE VIEW apps AS SELECT src_app, count(*) AS flows, sum(bytes_tx) AS tx FROM flows GROUP BY src_app ORDER BY src_app;

-- Rolled back: nothing, by any way in; the batch key is free again.
BEGIN;
SELECT flows_ingest(batch('gone'), 'key');
INSERT INTO flows VALUES (1, 'gone', 'd', 'v', 1, 1);
COPY flows FROM STDIN;
1	gone	d	v	1	1
\.
SELECT * FROM apps;
ROLLBACK;
SELECT * FROM apps;
SELECT taken, repeated FROM flows_ingest_receipt(batch('kept'), 'key');
SELECT taken, repeated FROM flows_ingest_receipt(batch('kept'), 'key');
SELECT * FROM apps;

-- A receipt says when; the same key with other flows is refused, and names its case.
SELECT a.received_at = b.received_at AS same_time, a.repeated, b.repeated
FROM flows_ingest_receipt(batch('kept'), 'key') a, flows_ingest_receipt(batch('kept'), 'key') b;
\set VERBOSITY sqlstate
SELECT flows_ingest(batch('other'), 'key');
\set VERBOSITY default
-- The digest is of the parsed flows: blanks, order of members, and the way in do not matter.
SELECT flows_ingest(batch('kept')::jsonb, 'key'), flows_ingest((batch('kept')::jsonb)::text, 'key'), flows_ingest(batch('kept')::json, 'key');
SELECT * FROM apps;
-- But the order of flows does.
SELECT flows_ingest('[' || trim('[]' from batch('x')) || ',' || trim('[]' from batch('y')) || ']', 'two');
\set VERBOSITY sqlstate
SELECT flows_ingest('[' || trim('[]' from batch('y')) || ',' || trim('[]' from batch('x')) || ']', 'two');
\set VERBOSITY default
DELETE FROM flow_segments;
DELETE FROM flow_batches;

-- Savepoints.
BEGIN;
SELECT flows_ingest(batch('one'));
SAVEPOINT a;
SELECT flows_ingest(batch('two'), 'k');
SAVEPOINT b;
INSERT INTO flows VALUES (1, 'three', 'd', 'v', 1, 1);
SELECT * FROM apps;
ROLLBACK TO b;
SELECT * FROM apps;
INSERT INTO flows VALUES (1, 'four', 'd', 'v', 4, 1);
ROLLBACK TO a;
SELECT * FROM apps;
SELECT flows_ingest(batch('five'), 'k');
RELEASE a;
COMMIT;
SELECT * FROM apps;
SELECT batch_key, taken FROM flow_batches;

-- An error inside of a subtransaction takes with it only what came there.
DO $$
BEGIN
  INSERT INTO flows VALUES (1, 'six', 'd', 'v', 1, 1);
  BEGIN
    INSERT INTO flows VALUES (1, 'seven', 'd', 'v', 1, 1), (1, 'seven', 'd', 'v', -1, 1);
  EXCEPTION WHEN numeric_value_out_of_range THEN RAISE NOTICE 'refused';
  END;
  BEGIN
    PERFORM flows_ingest('[{"src_app":"seven"}]');
  EXCEPTION WHEN invalid_parameter_value THEN RAISE NOTICE 'refused';
  END;
  BEGIN
    PERFORM flows_ingest(batch('seven'));
    RAISE division_by_zero;
  EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'refused';
  END;
  INSERT INTO flows VALUES (1, 'six', 'd', 'v', 2, 1);
END $$;
SELECT * FROM apps;
DELETE FROM flow_segments;
DELETE FROM flow_batches;

-- INSERT ... RETURNING, in CTEs, several in one statement, of what is there already.
INSERT INTO flows VALUES (1, 'r', 'd', 'v', 1, 2), (2, 'r', 'd', 'v', 3, 4) RETURNING hour, src_app, bytes_tx + bytes_rx AS sum;
WITH a AS (INSERT INTO flows VALUES (1, 'cte', 'd', 'v', 10, 1) RETURNING *), b AS (INSERT INTO flows SELECT hour, 'cte2', dest_app, vpc_id, bytes_tx * 2, 1 FROM a RETURNING *)
SELECT src_app, bytes_tx FROM a UNION ALL SELECT src_app, bytes_tx FROM b ORDER BY 1;
WITH a AS (INSERT INTO flows VALUES (1, 'unseen', 'd', 'v', 10, 1)) SELECT count(*) AS none FROM flows WHERE src_app = 'unseen';
INSERT INTO flows (bytes_rx, bytes_tx, vpc_id, dest_app, src_app, hour) SELECT bytes_rx, bytes_tx, vpc_id, dest_app, 'copy', hour FROM flows WHERE src_app = 'r' RETURNING hour;
INSERT INTO flows SELECT * FROM flows WHERE false;
INSERT INTO flows SELECT f.* FROM flows f, generate_series(1, 3) WHERE f.src_app = 'copy';
SELECT * FROM apps;

-- plpgsql: what a loop has put in, the next turn sees; cursors see what was there.
DO $$
DECLARE n bigint; f record;
BEGIN
  FOR i IN 1..5 LOOP
    INSERT INTO flows VALUES (9, 'loop', 'd', 'v', i, 0);
    PERFORM flows_ingest(batch('loop', 1, 9));
    SELECT count(*) INTO n FROM flows WHERE src_app = 'loop';
    RAISE NOTICE '%', n;
  END LOOP;
  FOR f IN SELECT * FROM flows WHERE src_app = 'loop' LOOP
    INSERT INTO flows VALUES (9, 'loop2', f.dest_app, f.vpc_id, f.bytes_tx, f.bytes_rx);
  END LOOP;
END $$;
SELECT * FROM apps WHERE src_app LIKE 'loop%';
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT src_app, bytes_tx FROM flows WHERE src_app = 'loop2' ORDER BY bytes_tx;
DECLARE d CURSOR WITH HOLD FOR SELECT bytes_tx FROM flows WHERE src_app = 'r' ORDER BY 1;
FETCH 2 FROM c;
SELECT flows_ingest(batch('loop2', 3, 9));
DELETE FROM flow_segments;
FETCH ALL FROM c;
FETCH BACKWARD 2 FROM c;
ROLLBACK;
BEGIN;
DECLARE d CURSOR WITH HOLD FOR SELECT bytes_tx FROM flows WHERE src_app = 'r' ORDER BY 1;
COMMIT;
FETCH ALL FROM d;
CLOSE d;
-- Rescans: a correlated subquery and a nested loop.
SELECT a.app, (SELECT sum(bytes_tx) FROM flows f WHERE f.src_app = a.app) AS tx, (SELECT count(*) FROM flows f WHERE f.src_app = a.app AND f.hour = a.h) AS n
FROM (VALUES ('loop', 9), ('r', 1), ('r', 2), ('nobody', 1), ('cte', 1)) a(app, h) ORDER BY 1, h;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT a.app, count(f.src_app), sum(f.bytes_tx) FROM (VALUES ('loop'), ('r'), ('nobody')) a(app) LEFT JOIN flows f ON f.src_app = a.app GROUP BY 1 ORDER BY 1;
SELECT a.h, f.* FROM (VALUES (1), (2), (3)) a(h), LATERAL (SELECT src_app, sum(bytes_tx) AS tx FROM flows WHERE hour = a.h AND src_app IN ('r', 'cte') GROUP BY src_app) f ORDER BY 1, 2;
SELECT a.h, f.src_app, f.bytes_tx FROM (VALUES (1), (2), (3)) a(h), flows_by_hour(a.h) f WHERE f.src_app IN ('r', 'cte') ORDER BY 1, 2;
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT count(*) FROM (SELECT * FROM flows LIMIT 3) f;
SELECT EXISTS (SELECT FROM flows WHERE src_app = 'r') AS yes, EXISTS (SELECT FROM flows WHERE src_app = 'nobody') AS no;

-- Isolation levels: what a transaction wrote itself it sees; upkeep is refused there.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM flows WHERE src_app = 'rr';
SELECT flows_ingest(batch('rr', 3), 'rr');
SELECT taken, repeated FROM flows_ingest_receipt(batch('rr', 3), 'rr');
INSERT INTO flows VALUES (1, 'rr', 'd', 'v', 1, 1);
SELECT * FROM apps WHERE src_app = 'rr';
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT flows_ingest(batch('ser', 3));
SELECT * FROM apps WHERE src_app IN ('rr', 'ser');
COMMIT;
\set VERBOSITY sqlstate
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM flows_compact();
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT * FROM flows_compact();
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT flows_expire(1);
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT flows_expire(1);
ROLLBACK;
-- Many ingests in a transaction of each level merge there, or not: never an error.
\set VERBOSITY default
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(flows_ingest(batch('many'))) FROM generate_series(1, 300);
SELECT * FROM apps WHERE src_app = 'many';
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(flows_ingest(batch('many'))) FROM generate_series(1, 300);
COMMIT;
BEGIN;
SELECT count(flows_ingest(batch('many'))) FROM generate_series(1, 300);
SAVEPOINT s;
SELECT count(flows_ingest(batch('many'))) FROM generate_series(1, 300);
SELECT * FROM apps WHERE src_app = 'many';
ROLLBACK TO s;
SELECT * FROM apps WHERE src_app = 'many';
COMMIT;
SELECT * FROM apps WHERE src_app = 'many';

-- A compaction that rolls back changes nothing; one that commits changes no answer.
CREATE TEMP TABLE before AS SELECT * FROM flows;
BEGIN;
SELECT flows > 0 AS merged FROM flows_compact();
SELECT count(*) AS differ FROM ((TABLE flows EXCEPT ALL TABLE before) UNION ALL (TABLE before EXCEPT ALL TABLE flows)) d;
SELECT flows_expire(9) > 0 AS dropped;
SELECT min(hour) FROM flows;
ROLLBACK;
SELECT count(*) AS differ FROM ((TABLE flows EXCEPT ALL TABLE before) UNION ALL (TABLE before EXCEPT ALL TABLE flows)) d;
SELECT flows IS NOT NULL AS merged FROM flows_compact();
SELECT count(*) AS differ FROM ((TABLE flows EXCEPT ALL TABLE before) UNION ALL (TABLE before EXCEPT ALL TABLE flows)) d;

-- An expire that rolls back.
BEGIN;
SELECT flows_expire(9) = (SELECT count(*) FROM before WHERE hour < 9) AS dropped;
ROLLBACK;
SELECT count(*) AS differ FROM ((TABLE flows EXCEPT ALL TABLE before) UNION ALL (TABLE before EXCEPT ALL TABLE flows)) d;

-- Read-only transactions read, and write nothing.
BEGIN READ ONLY;
SELECT count(*) FROM flows WHERE src_app = 'r';
SELECT src_app, bytes_tx FROM flows_by_hour(2);
SELECT flows FROM flows_aggregate('{}', 2, 2);
SELECT src_app FROM flows_new_keys(2, 1);
SELECT count(*) FROM flows_check();
SELECT flows > 0 AS some FROM flows_stats();
SELECT flow_merge_agg(segment) IS NOT NULL AS merged FROM flow_segments;
COMMIT;
\set VERBOSITY sqlstate
BEGIN READ ONLY;
SELECT flows_ingest(batch('ro'));
ROLLBACK;
BEGIN READ ONLY;
INSERT INTO flows VALUES (1, 'ro', 'd', 'v', 1, 1);
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM flows_compact();
ROLLBACK;
BEGIN READ ONLY;
SELECT flows_expire(5);
ROLLBACK;
\set VERBOSITY default
SELECT count(*) FROM flows WHERE src_app = 'ro';

-- An empty search_path, and one where another schema's objects lie in wait.
SET search_path = '';
SELECT public.flows_ingest('[{"hour":3,"src_app":"path","dest_app":"d","vpc_id":"v","bytes_tx":1,"bytes_rx":1}]');
SELECT public.flows_ingest('[{"hour":3,"src_app":"path","dest_app":"d","vpc_id":"v","bytes_tx":1,"bytes_rx":1}]'::json, 'path');
SELECT repeated FROM public.flows_ingest_receipt('[{"hour":3,"src_app":"path","dest_app":"d","vpc_id":"v","bytes_tx":1,"bytes_rx":1}]', 'path');
INSERT INTO public.flows VALUES (3, 'path', 'd', 'v', 1, 1);
SELECT * FROM public.flows_by_hour(3);
SELECT * FROM public.flows_aggregate('{src_app}', 3, 3);
SELECT * FROM public.flows_new_keys(3, 1);
SELECT sum(bytes_tx) FROM public.flows WHERE hour = 3;
SELECT flows IS NOT NULL AS done FROM public.flows_compact();
SELECT public.flows_expire(0);
SELECT flows > 0 AS some FROM public.flows_stats();
SELECT * FROM public.flows_check();
SELECT count(*) > 5 AS keys FROM public.flow_segments s, public.flow_segment_keys(s.segment) k WHERE public.rb_cardinality(k.indexes) > 0;
RESET search_path;
CREATE SCHEMA trap;
CREATE TABLE trap.flows (hour int, src_app text, dest_app text, vpc_id text, bytes_tx bigint, bytes_rx bigint);
CREATE TABLE trap.flow_segments (id bigint);
CREATE TABLE trap.flow_batches (batch_key text);
CREATE FUNCTION trap.sum_all(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 666::bigint';
CREATE AGGREGATE trap.sum(bigint) (SFUNC = int8pl, STYPE = bigint, INITCOND = '666');
CREATE AGGREGATE trap.count(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '666');
CREATE FUNCTION trap.always(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR trap.= (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.always);
SET search_path = trap, public, pg_catalog;
SELECT * FROM flows_by_hour(3);
SELECT bytes_tx, flows FROM flows_aggregate('{src_app}', 3, 3);
SELECT src_app FROM flows_new_keys(3, 1);
SELECT flows_ingest('[{"hour":3,"src_app":"path","dest_app":"d","vpc_id":"v","bytes_tx":1,"bytes_rx":1}]', 'trap');
SELECT flows IS NOT NULL AS done FROM flows_compact();
RESET search_path;
SELECT count(*) FROM trap.flows;
SELECT * FROM flows_by_hour(3);
SET client_min_messages = warning;
DROP SCHEMA trap CASCADE;
RESET client_min_messages;

-- Parallel plans: the aggregates split, and say the same; the foreign scan stays right beside them.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
CREATE TABLE stored AS SELECT segment FROM flow_segments;
CREATE TABLE numbers AS SELECT i, 'p' || i % 13 AS app, i::bigint * 9000000000000 AS n FROM generate_series(1, 30000) i;
INSERT INTO stored SELECT flow_segment_agg(i % 24, app, 'd', 'v', n, i) FROM numbers GROUP BY i % 97;
ALTER TABLE stored SET (parallel_workers = 2);
ALTER TABLE numbers SET (parallel_workers = 2);
ANALYZE stored, numbers;
CREATE FUNCTION plan_has(query text, pattern text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    IF line ~* pattern THEN RETURN true; END IF;
  END LOOP;
  RETURN false;
END $$;
SELECT plan_has('SELECT flow_rollup_agg(segment, ''{src_app}'') FROM stored', 'Partial Aggregate') AS rollup,
       plan_has('SELECT flow_merge_agg(segment) FROM stored', 'Partial Aggregate') AS merge,
       plan_has('SELECT flow_segment_agg(i % 24, app, ''d'', ''v'', n, i) FROM numbers', 'Partial Aggregate') AS build;
CREATE TEMP TABLE parallel_rollup AS SELECT t.* FROM (SELECT flow_rollup_agg(segment, '{src_app,hour}') AS r FROM stored) x, unnest(r) t;
CREATE TEMP TABLE parallel_merge AS SELECT f.hour, f.src_app, f.dest_app, f.vpc_id, f.bytes_tx, f.bytes_rx FROM (SELECT flow_merge_agg(segment) AS m FROM stored) x, flow_segment_flows(m) f;
CREATE TEMP TABLE parallel_build AS SELECT f.hour, f.src_app, f.dest_app, f.vpc_id, f.bytes_tx, f.bytes_rx FROM (SELECT flow_segment_agg(i % 24, app, 'd', 'v', n, i) AS m FROM numbers) x, flow_segment_flows(m) f;
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial_flows AS SELECT f.hour, f.src_app, f.dest_app, f.vpc_id, f.bytes_tx, f.bytes_rx FROM stored s, flow_segment_flows(s.segment) f;
SELECT count(*) AS differ FROM ((TABLE parallel_merge EXCEPT ALL TABLE serial_flows) UNION ALL (TABLE serial_flows EXCEPT ALL TABLE parallel_merge)) d;
SELECT count(*) AS differ FROM (SELECT hour, src_app, bytes_tx, bytes_rx, flows FROM parallel_rollup EXCEPT SELECT hour, src_app, sum(bytes_tx), sum(bytes_rx), count(*) FROM serial_flows GROUP BY 1, 2) d;
SELECT count(*) = (SELECT count(DISTINCT (hour, src_app)) FROM serial_flows) AS complete FROM parallel_rollup;
SELECT count(*) AS differ FROM (TABLE parallel_build EXCEPT ALL SELECT i % 24, app COLLATE "C", 'd' COLLATE "C", 'v' COLLATE "C", n, i FROM numbers) d;
SELECT count(*) FROM parallel_build;
-- As window functions, and on nothing but NULL.
SELECT sum(cardinality(r)) FROM (SELECT flow_rollup_agg(segment, '{}') OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS r FROM (SELECT segment, row_number() OVER () AS n FROM stored LIMIT 10) s) x;
SELECT flow_rollup_agg(NULL::flow_segment, '{hour}') IS NULL AS a, flow_merge_agg(NULL::flow_segment) IS NULL AS b, flow_segment_agg(NULL, NULL, NULL, NULL, NULL, NULL) IS NULL AS c FROM generate_series(1, 3);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

DROP TABLE stored, numbers;
DROP VIEW apps;
DROP FUNCTION batch, plan_has;
SELECT * FROM flows_check();
TRUNCATE flow_segments, flow_batches;
