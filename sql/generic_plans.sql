--
-- Prepared statements: under generic and custom plans the answers are those of
-- a plain table, and sums come from the cells.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

CREATE TEMP TABLE plain AS
  SELECT i % 24 AS hour, ('app' || i % 17) COLLATE "C" AS src_app, ('app' || i % 13) COLLATE "C" AS dest_app, ('vpc' || i % 3) COLLATE "C" AS vpc_id, i::bigint AS bytes_tx, (i * 7)::bigint AS bytes_rx
  FROM generate_series(1, 9000) i;
INSERT INTO flows SELECT * FROM plain WHERE bytes_tx % 3 = 0;
INSERT INTO flows SELECT * FROM plain WHERE bytes_tx % 3 = 1;
INSERT INTO flows SELECT * FROM plain WHERE bytes_tx % 3 = 2;

-- Whether the plan of a statement has a line like this.
CREATE FUNCTION plan_has(query text, pattern text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
    IF line ~* pattern THEN RETURN true; END IF;
  END LOOP;
  RETURN false;
END $$;

PREPARE one_hour(int) AS SELECT src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx) FROM flows WHERE hour = $1 GROUP BY 1, 2, 3;
PREPARE hours(int, int) AS SELECT hour, sum(bytes_tx), count(*) FROM flows WHERE hour BETWEEN $1 AND $2 GROUP BY hour ORDER BY hour;
PREPARE peers(text) AS SELECT dest_app, sum(bytes_tx), count(*) FROM flows WHERE src_app = $1 GROUP BY dest_app ORDER BY dest_app;
PREPARE some_apps(text[]) AS SELECT src_app, sum(bytes_rx), count(*) FROM flows WHERE src_app = ANY ($1) GROUP BY src_app ORDER BY src_app;
PREPARE either(text, int) AS SELECT sum(bytes_tx), count(*) FROM flows WHERE src_app = $1 OR hour = $2;
PREPARE begins(text) AS SELECT count(*), sum(bytes_tx) FROM flows WHERE src_app LIKE $1;
PREPARE row_wise(text, bigint) AS SELECT hour, bytes_tx FROM flows WHERE src_app = $1 AND bytes_tx < $2 ORDER BY bytes_tx;
PREPARE by_hour(int) AS SELECT src_app, dest_app, bytes_tx, bytes_rx FROM flows_by_hour($1) WHERE src_app = 'app5' ORDER BY dest_app LIMIT 2;
PREPARE aggregate(text[], int, int, text[]) AS SELECT * FROM flows_aggregate($1, $2, $3, $4) ORDER BY 1, 2, 3, 4 LIMIT 4;
PREPARE new_keys(int, int) AS SELECT count(*), sum(bytes_tx) FROM flows_new_keys($1, $2);

SET plan_cache_mode = force_generic_plan;
EXECUTE hours(3, 4);
EXECUTE hours(4, 3);
EXECUTE hours(NULL, 4);
EXECUTE hours(-2147483648, 0);
EXECUTE peers('app3');
EXECUTE peers('nobody');
EXECUTE peers(NULL);
EXECUTE some_apps('{app1,app2,NULL,nobody}');
EXECUTE some_apps('{}');
EXECUTE some_apps(NULL);
EXECUTE either('app1', 5);
EXECUTE either(NULL, 5);
EXECUTE begins('app1%');
EXECUTE begins('%1');
EXECUTE begins(NULL);
EXECUTE row_wise('app1', 60);
EXECUTE by_hour(2);
EXECUTE by_hour(24);
EXECUTE by_hour(NULL);
EXECUTE aggregate('{src_app}', 1, 3, NULL);
EXECUTE aggregate('{hour,vpc_id}', NULL, NULL, '{app1,app2}');
EXECUTE aggregate('{}', 0, 23, NULL);
EXECUTE aggregate('{}', 0, 23, '{}');
EXECUTE aggregate('{src_app,dest_app,vpc_id,hour}', 23, NULL, '{app7}');
EXECUTE new_keys(5, 2);
EXECUTE new_keys(5, 5);
SET plan_cache_mode = force_custom_plan;
EXECUTE hours(3, 4);
EXECUTE hours(4, 3);
EXECUTE hours(NULL, 4);
EXECUTE hours(-2147483648, 0);
EXECUTE peers('app3');
EXECUTE peers(NULL);
EXECUTE some_apps('{app1,app2,NULL,nobody}');
EXECUTE some_apps('{}');
EXECUTE either('app1', 5);
EXECUTE either(NULL, 5);
EXECUTE begins('app1%');
EXECUTE begins('%1');
EXECUTE row_wise('app1', 60);
EXECUTE by_hour(2);
EXECUTE aggregate('{src_app}', 1, 3, NULL);
EXECUTE aggregate('{}', 0, 23, '{}');
EXECUTE aggregate('{src_app,dest_app,vpc_id,hour}', 23, NULL, '{app7}');
EXECUTE new_keys(5, 2);

-- The plain table agrees.
SELECT hour, sum(bytes_tx), count(*) FROM plain WHERE hour BETWEEN 3 AND 4 GROUP BY hour ORDER BY hour;
SELECT dest_app, sum(bytes_tx), count(*) FROM plain WHERE src_app = 'app3' GROUP BY dest_app ORDER BY dest_app;
SELECT src_app, sum(bytes_rx), count(*) FROM plain WHERE src_app = ANY ('{app1,app2,NULL,nobody}') GROUP BY src_app ORDER BY src_app;
SELECT sum(bytes_tx), count(*) FROM plain WHERE src_app = 'app1' OR hour = 5;
SELECT count(*), sum(bytes_tx) FROM plain WHERE src_app LIKE 'app1%';
SELECT count(*), sum(bytes_tx) FROM plain WHERE src_app LIKE '%1';
SELECT src_app, dest_app, sum(bytes_tx), sum(bytes_rx) FROM plain WHERE hour = 2 AND src_app = 'app5' GROUP BY 1, 2 ORDER BY 2 LIMIT 2;
SELECT src_app, sum(bytes_tx), sum(bytes_rx), count(*) FROM plain WHERE hour BETWEEN 1 AND 3 GROUP BY 1 ORDER BY 1 LIMIT 4;
SELECT sum(bytes_tx), sum(bytes_rx), count(*) FROM plain;
SELECT count(*), sum(tx) FROM (SELECT sum(bytes_tx) AS tx FROM plain p WHERE hour = 5 AND NOT EXISTS (SELECT FROM plain o WHERE o.hour IN (2, 3, 4) AND (o.src_app, o.dest_app, o.vpc_id) = (p.src_app, p.dest_app, p.vpc_id))
  GROUP BY src_app, dest_app, vpc_id) k;
SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), count(*) FROM plain WHERE hour >= 23 AND src_app = 'app7' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT 4;

-- Plans: a foreign scan that aggregates from cells, with no Aggregate of PostgreSQL's above it.
CREATE TEMP TABLE plans (id int GENERATED ALWAYS AS IDENTITY, q text);
INSERT INTO plans (q) VALUES ('EXECUTE one_hour(1)'), ('EXECUTE hours(1, 2)'), ('EXECUTE peers(''app1'')'), ('EXECUTE some_apps(''{app1,app2}'')'), ('EXECUTE either(''app1'', 1)'), ('EXECUTE by_hour(1)'),
  ('EXECUTE aggregate(''{src_app}'', 1, 3, NULL)'), ('EXECUTE aggregate(''{}'', NULL, NULL, ''{app1}'')'),
  ('SELECT sum(bytes_tx) FROM flows'), ('SELECT count(*) FROM flows'), ('SELECT * FROM flows_by_hour(1)'),
  ('SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), count(*) FROM flows GROUP BY 1, 2, 3, 4');
SET plan_cache_mode = force_generic_plan;
SELECT q, plan_has(q, 'Foreign Scan') AS foreign_scan, plan_has(q, 'cells') AS cells, plan_has(q, 'Aggregate *$') AS aggregate_above FROM plans ORDER BY id;
SET plan_cache_mode = force_custom_plan;
SELECT q, plan_has(q, 'Foreign Scan') AS foreign_scan, plan_has(q, 'cells') AS cells, plan_has(q, 'Aggregate *$') AS aggregate_above FROM plans ORDER BY id;
-- Rows where rows are asked for.
SELECT plan_has('SELECT * FROM flows', 'Foreign Scan') AS foreign_scan, plan_has('SELECT * FROM flows', 'cells') AS cells;
SELECT plan_has('SELECT sum(bytes_tx) FROM flows WHERE bytes_rx > 5', 'Aggregate *$') AS aggregate_above;

-- Plans notice what comes after them: new flows, other hours, compaction, an altered table.
SET plan_cache_mode = force_generic_plan;
INSERT INTO flows VALUES (3, 'app3', 'new', 'v', 1000000, 1), (90, 'app3', 'new', 'v', 2000000, 1);
EXECUTE hours(3, 90);
SELECT flows IS NOT NULL AS merged FROM flows_compact();
EXECUTE hours(90, 95);
EXECUTE peers('app16');
ALTER FOREIGN TABLE flows ADD COLUMN more int;
\set VERBOSITY sqlstate
EXECUTE peers('app16');
EXECUTE by_hour(2);
\set VERBOSITY default
ALTER FOREIGN TABLE flows DROP COLUMN more;
EXECUTE peers('app16');
EXECUTE by_hour(2);

-- Inside of plpgsql and SQL functions, called often.
CREATE FUNCTION total(app text) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT sum(bytes_tx) FROM flows WHERE src_app = app);
END $$;
CREATE FUNCTION plain_total(app text) RETURNS numeric LANGUAGE sql STABLE AS $$ SELECT sum(bytes_tx) FROM plain WHERE src_app = app $$;
SELECT count(*) AS wrong FROM generate_series(0, 20) i WHERE i <> 3 AND total('app' || i) IS DISTINCT FROM plain_total('app' || i);
SELECT count(*) AS wrong FROM generate_series(4, 30) h WHERE (SELECT sum(bytes_tx) FROM flows_by_hour(h)) IS DISTINCT FROM (SELECT sum(bytes_tx) FROM plain WHERE hour = h);
SELECT count(*) AS wrong FROM generate_series(4, 30) h WHERE (SELECT bytes_tx FROM flows_aggregate('{}', h, h)) IS DISTINCT FROM (SELECT coalesce(sum(bytes_tx), 0) FROM plain WHERE hour = h);
RESET plan_cache_mode;
DEALLOCATE ALL;
DROP FUNCTION plan_has, total, plain_total;
TRUNCATE flow_segments;
