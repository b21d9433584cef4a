--
-- flows_by_hour, flows_aggregate, flows_new_keys: plain SQL that is inlined.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
INSERT INTO flows VALUES
  (1, 'app1', 'app2', 'vpc1', 11, 10), (1, 'app1', 'app2', 'vpc1', 21, 20), (2, 'app1', 'app2', 'vpc1', 31, 30), (2, 'app1', 'app2', 'vpc1', 41, 40), (2, 'app1', 'app2', 'vpc1', 51, 50),
  (2, 'app1', 'app3', 'vpc1', 61, 60), (2, 'app1', 'app3', 'vpc1', 71, 70), (2, 'app1', 'app3', 'vpc1', 81, 80), (2, 'app2', 'app4', 'vpc1', 91, 90), (2, 'app2', 'app4', 'vpc1', 101, 100);
INSERT INTO flows VALUES (3, 'B', 'app2', 'vpc2', 9223372036854775807, 0), (3, 'B', 'app2', 'vpc2', 9223372036854775807, 0), (3, 'a', 'app2', 'vpc2', 9223372036854775807, 1), (3, 'app1', 'app3', 'vpc1', 0, 0);

SELECT * FROM flows_by_hour(2) ORDER BY src_app, dest_app;
SELECT * FROM flows_by_hour(3) ORDER BY src_app;
SELECT * FROM flows_by_hour(4);
SELECT * FROM flows_by_hour(-1);
SELECT * FROM flows_by_hour(NULL);

SELECT * FROM flows_aggregate() ORDER BY 1, 2, 3, 4;
SELECT * FROM flows_aggregate(NULL, 2, 2) ORDER BY 1, 2, 3, 4;
SELECT * FROM flows_aggregate('{hour}') ORDER BY 1;
SELECT * FROM flows_aggregate('{vpc_id,src_app,src_app,vpc_id}', 2) ORDER BY 2, 4;
SELECT * FROM flows_aggregate(group_by => '{dest_app}', hour_to => 2, src_app => '{app1,nobody,NULL}', vpc_id => '{vpc1}') ORDER BY 3;
SELECT * FROM flows_aggregate('{}');
SELECT * FROM flows_aggregate('{}', 3, 3, NULL, '{app2}');
SELECT * FROM flows_aggregate('{}', 5, 9);
SELECT * FROM flows_aggregate('{}', 3, 2);
SELECT * FROM flows_aggregate('{}', src_app => '{}');
SELECT * FROM flows_aggregate('{}', dest_app => '{NULL}');
SELECT * FROM flows_aggregate('{hour}', 5, 9);
SELECT * FROM flows_aggregate('{src_app}', vpc_id => '{}');
SELECT * FROM flows_aggregate('{hour,nothing}');
SELECT * FROM flows_aggregate('{Hour}', 1, 1);
SELECT * FROM flows_aggregate('{hour,NULL}');
SELECT * FROM flows_aggregate('{hour,bytes_tx}', 5, 9);
SELECT * FROM flows_aggregate('{{hour},{src_app}}', 1, 1);

SELECT * FROM flows_new_keys(2, 1) ORDER BY 1, 2;
SELECT * FROM flows_new_keys(3, 2) ORDER BY 1, 2;
SELECT * FROM flows_new_keys(3, 3) ORDER BY 1, 2;
SELECT * FROM flows_new_keys(3, 4) ORDER BY 1, 2;
SELECT * FROM flows_new_keys(3, NULL) ORDER BY 1, 2;
SELECT * FROM flows_new_keys(4, 1);
SELECT * FROM flows_new_keys(NULL, 1);

-- What they promise about their results.
SELECT attname, format_type(atttypid, atttypmod), collname FROM pg_type t JOIN pg_attribute a ON attrelid = typrelid LEFT JOIN pg_collation c ON c.oid = attcollation
WHERE typname IN ('flow_hour_total', 'flow_total', 'flow_key_total') AND attnum > 0 ORDER BY typname, attnum;
SELECT string_agg(src_app, ' ') FROM (SELECT src_app FROM flows_by_hour(3) ORDER BY src_app) x;
SELECT proname, provolatile, proisstrict, prosecdef, proparallel FROM pg_proc WHERE proname IN ('flows_by_hour', 'flows_aggregate', 'flows_new_keys') ORDER BY 1;

-- They are inlined, and aggregate cells, with custom and with generic plans; no function scan, no Aggregate of PostgreSQL's.
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    line := trim(leading ' ->' FROM line);
    IF line ~ 'Foreign Scan|Function|Condition:|Aggregate' THEN RETURN NEXT line; END IF;
  END LOOP;
END $$;
SELECT * FROM plan('SELECT * FROM flows_by_hour(2) WHERE src_app LIKE ''app%'' ORDER BY bytes_tx LIMIT 3');
SELECT * FROM plan('SELECT * FROM flows_aggregate(''{hour,src_app}'', 1, 2, NULL, ''{app2}'')');
SELECT * FROM plan('SELECT * FROM flows_new_keys(2, 1)');
SET plan_cache_mode = force_generic_plan;
PREPARE h(int) AS SELECT * FROM flows_by_hour($1);
PREPARE a(text[], int, int, text[], text[], text[]) AS SELECT * FROM flows_aggregate($1, $2, $3, $4, $5, $6) ORDER BY 1, 2, 3, 4;
PREPARE n(int, int) AS SELECT * FROM flows_new_keys($1, $2) ORDER BY 1, 2, 3;
SELECT * FROM plan('EXECUTE h(1)');
SELECT * FROM plan('EXECUTE a(NULL, NULL, NULL, NULL, NULL, NULL)');
SELECT * FROM plan('EXECUTE n(2, 1)');
EXECUTE h(1);
EXECUTE h(NULL);
EXECUTE a(NULL, 2, 2, NULL, NULL, NULL);
EXECUTE a('{vpc_id}', NULL, NULL, '{app1,a}', NULL, NULL);
EXECUTE a('{hour,dest_app}', NULL, 2, NULL, '{app3,app4,NULL}', '{vpc1}');
EXECUTE a('{}', NULL, NULL, NULL, NULL, NULL);
EXECUTE a('{}', 7, NULL, NULL, NULL, NULL);
EXECUTE a('{}', NULL, NULL, NULL, NULL, '{}');
EXECUTE a('{wrong}', 7, NULL, NULL, NULL, NULL);
EXECUTE n(2, 1);
RESET plan_cache_mode;
-- The store is looked at a second time only for '{}'.
CREATE FUNCTION never_executed(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE line text; n bigint := 0;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    n := n + (line ~ 'Foreign Scan on flows.*never executed')::int;
  END LOOP;
  RETURN n;
END $$;
SET plan_cache_mode = force_generic_plan;
SELECT never_executed('EXECUTE a(''{hour}'', 7, NULL, NULL, NULL, NULL)'), never_executed('EXECUTE a(''{}'', 7, NULL, NULL, NULL, NULL)');
RESET plan_cache_mode;
DEALLOCATE ALL;

-- Not inlined (arguments with sub-selects, used more than once), as a join's parameter, in a view, in other functions.
SELECT hour, bytes_rx FROM flows_aggregate((SELECT ARRAY['hour']), (SELECT min(hour) FROM flows), (SELECT 2)) ORDER BY 1;
SELECT g, h.src_app, h.bytes_rx FROM generate_series(1, 3) g, flows_by_hour(g) h WHERE h.dest_app = 'app2' ORDER BY 1, 2;
SELECT g, a.bytes_rx, a.flows FROM generate_series(1, 4) g, flows_aggregate('{}', g, g) a ORDER BY 1;
SELECT count(*) FROM (SELECT (flows_by_hour(g)).* FROM generate_series(1, 3) g) x;
SELECT ROW(f.*)::flow_hour_total FROM flows_by_hour(1) f;

-- A caller's search_path shadows nothing.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.wrong(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR hostile.= (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.wrong);
CREATE OPERATOR hostile.>= (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.wrong);
CREATE OPERATOR hostile.< (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.wrong);
CREATE FUNCTION hostile.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.same);
CREATE AGGREGATE hostile.sum(bigint) (SFUNC = int8pl, STYPE = bigint, INITCOND = '666');
CREATE FUNCTION hostile.flow_group(int, boolean) RETURNS int LANGUAGE sql AS 'SELECT 666';
CREATE FUNCTION hostile.flow_grouped(text[], text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE DOMAIN hostile.text AS int;
CREATE TABLE hostile.flows (hour int);
SELECT n.nspname AS here FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'fas' \gset
SET search_path = hostile, pg_catalog;
SELECT src_app, dest_app, bytes_tx, bytes_rx FROM :here.flows_by_hour(1);
SELECT hour, src_app, bytes_rx, flows FROM :here.flows_aggregate('{hour}', 1, 1);
SELECT flows FROM :here.flows_aggregate('{}', 8, 9);
SELECT src_app, dest_app, bytes_rx FROM :here.flows_new_keys(2, 1);
SET search_path = '';
SELECT src_app, dest_app, bytes_tx, bytes_rx FROM :here.flows_by_hour(1);
RESET search_path;

-- Rights: those on flows, of whoever asks.
CREATE ROLE fas_test_reader;
SET ROLE fas_test_reader;
SELECT * FROM flows_by_hour(1);
SELECT * FROM flows_aggregate('{}');
SELECT * FROM flows_new_keys(2, 1);
RESET ROLE;
GRANT SELECT ON flows TO fas_test_reader;
SET ROLE fas_test_reader;
SELECT bytes_tx FROM flows_by_hour(1);
SELECT bytes_rx FROM flows_aggregate('{}', 1, 1);
SELECT count(*) FROM flows_new_keys(2, 1);
SELECT count(*) FROM flow_segments;
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA hostile CASCADE;
DROP FUNCTION plan, never_executed;
REVOKE ALL ON flows FROM fas_test_reader;
DROP ROLE fas_test_reader;
TRUNCATE flow_segments;
