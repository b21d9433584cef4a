--
-- flow_totals: the sums of each hour and flow key as a relation, the same whatever is asked of it beside, and below it.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
DROP ROLE IF EXISTS fas_test_reader;
CREATE EXTENSION fas;
RESET client_min_messages;
SET fas.max_segment_flows = 200;

-- Plain flows beside, and what their totals are.
CREATE TABLE plain AS SELECT (i * 7) % 12 AS hour, 'app' || i % 5 AS src_app, 'app' || i % 7 AS dest_app, 'vpc' || i % 3 AS vpc_id,
  i::bigint * 1000003 AS bytes_tx, (i % 10)::bigint AS bytes_rx FROM generate_series(1, 1500) i;
INSERT INTO flows (hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) SELECT * FROM plain WHERE hour % 2 = 0;
INSERT INTO flows (hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) SELECT * FROM plain WHERE hour % 2 = 1 OR hour = 4;
INSERT INTO plain SELECT * FROM plain WHERE hour = 4;
CREATE VIEW totals AS SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx) AS bytes_tx, sum(bytes_rx) AS bytes_rx, count(*) AS flows FROM plain GROUP BY 1, 2, 3, 4;
SELECT count(*) FROM flow_segments;
SELECT count(*) AS totals, (SELECT count(*) FROM ((TABLE flow_totals EXCEPT ALL TABLE totals) UNION ALL (TABLE totals EXCEPT ALL TABLE flow_totals)) d) AS wrong FROM flow_totals;

-- Any columns in any order, none, twice, in expressions; conditions that go down and that don't.
CREATE FUNCTION wrong(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; other text := replace(query, 'flow_totals', 'totals');
BEGIN
  EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) d', '(' || query || ')', '(' || other || ')') INTO n;
  RETURN n;
END $$;
SELECT query, wrong(query) FROM (VALUES
  ('SELECT count(*) FROM flow_totals'), ('SELECT 1 FROM flow_totals'), ('SELECT vpc_id, hour FROM flow_totals'), ('SELECT flows, flows, bytes_rx FROM flow_totals WHERE hour = 4'),
  ('SELECT bytes_rx - bytes_tx, upper(src_app) FROM flow_totals WHERE hour BETWEEN 3 AND 5 AND src_app IN (''app1'', ''app4'')'),
  ('SELECT src_app FROM flow_totals WHERE bytes_tx > 5000000 AND hour <> 3'), ('SELECT hour FROM flow_totals WHERE flows > 1 OR dest_app = ''app6'''),
  ('SELECT dest_app FROM flow_totals WHERE src_app < dest_app'), ('SELECT src_app FROM flow_totals WHERE hour IS NULL'), ('SELECT src_app FROM flow_totals WHERE flows IS NOT NULL AND bytes_rx IS NOT NULL'),
  ('SELECT src_app FROM flow_totals WHERE src_app LIKE ''%1'''), ('SELECT hour, src_app FROM flow_totals ORDER BY bytes_tx, 1, 2 LIMIT 5'),
  -- added up further
  ('SELECT sum(bytes_tx), sum(bytes_rx) FROM flow_totals'), ('SELECT src_app, sum(bytes_tx) FROM flow_totals WHERE hour < 6 GROUP BY 1'),
  ('SELECT hour, count(*), count(src_app), sum(flows), avg(bytes_tx) FROM flow_totals GROUP BY hour'), ('SELECT DISTINCT src_app, vpc_id FROM flow_totals'),
  ('SELECT hour, min(src_app), max(dest_app), min(bytes_tx), max(flows) FROM flow_totals GROUP BY 1'), ('SELECT min(hour), max(hour) FROM flow_totals WHERE src_app = ''app2'''),
  ('SELECT vpc_id, sum(bytes_tx) FROM flow_totals GROUP BY 1 HAVING count(*) > 140'), ('SELECT sum(bytes_rx) FROM flow_totals WHERE hour = 100'), ('SELECT sum(flows), sum(DISTINCT bytes_rx) FROM flow_totals'),
  ('SELECT flows, count(*) FROM flow_totals GROUP BY 1'), ('SELECT DISTINCT flows FROM flow_totals'), ('SELECT hour, src_app, sum(bytes_tx) FROM flow_totals GROUP BY ROLLUP (1, 2)'),
  -- joined: with itself, with other relations, from the side
  ('SELECT a.src_app, b.bytes_tx FROM flow_totals a JOIN flow_totals b ON a.src_app = b.dest_app AND a.hour = b.hour WHERE a.hour = 2'),
  ('SELECT h, t.src_app, t.bytes_tx FROM generate_series(1, 20, 3) h JOIN flow_totals t ON t.hour = h'), ('SELECT h, t.bytes_tx FROM generate_series(9, 14) h LEFT JOIN flow_totals t ON t.hour = h'),
  ('SELECT n, t.flows FROM (VALUES (''app1''), (''none''), (NULL)) v(n) JOIN flow_totals t ON n IN (src_app, dest_app)'), ('SELECT h, s.* FROM generate_series(3, 5) h, LATERAL (SELECT t::text FROM flow_totals t WHERE t.hour >= h AND t.hour < h + 2 ORDER BY t LIMIT 3) s'),
  ('SELECT p.hour FROM plain p WHERE EXISTS (SELECT FROM flow_totals t WHERE t.hour = p.hour AND t.bytes_tx = p.bytes_tx)')) q (query);

-- A join takes the other side's values to the store: one hour is read, not every one.
ANALYZE flows, flow_totals;
CREATE TABLE hours AS SELECT 7 AS hour;
CREATE TABLE apps AS SELECT 'app3' AS app;
ANALYZE hours, apps;
EXPLAIN (COSTS OFF) SELECT h.hour, t.src_app FROM hours h, flows_by_hour(h.hour) t;
EXPLAIN (COSTS OFF) SELECT a.app, f.bytes_tx FROM apps a JOIN flows f ON f.src_app = a.app;
SELECT count(*), sum(t.bytes_tx) = (SELECT sum(bytes_tx) FROM plain WHERE hour = 7) AS exact FROM hours h, flows_by_hour(h.hour) t;
SELECT count(*), sum(f.bytes_tx) = (SELECT sum(bytes_tx) FROM plain WHERE src_app = 'app3') AS exact FROM apps a JOIN flows f ON f.src_app = a.app;
SELECT count(*), sum(f.bytes_tx) = (SELECT sum(bytes_tx) FROM plain WHERE src_app = 'app3' AND hour = 7) AS exact FROM apps a, hours h, flows f WHERE f.src_app = a.app AND f.hour = h.hour;

-- Rows as such, and rows that an UPDATE or a lock may have to look at again.
SELECT t FROM flow_totals t WHERE hour = 4 AND src_app = 'app1' AND dest_app = 'app1';
SELECT tableoid::regclass, hour FROM flow_totals WHERE hour = 4 AND src_app = 'app1' AND dest_app = 'app1';
UPDATE hours h SET hour = t.hour + 1 FROM flow_totals t WHERE t.hour = h.hour AND t.src_app = 'app1' AND t.dest_app = 'app1' RETURNING h.hour;
SELECT h.hour, t.flows FROM hours h JOIN flow_totals t USING (hour) WHERE t.src_app = 'app1' AND t.dest_app = 'app0' FOR UPDATE OF h;

-- It is what is stored that changes, not this.
INSERT INTO flow_totals VALUES (1, 'a', 'b', 'v', 1, 2, 3);
COPY flow_totals FROM stdin;
\.
UPDATE flow_totals SET flows = 1;
DELETE FROM flow_totals;
SELECT relname, pg_relation_is_updatable(oid, false) FROM pg_class WHERE relname IN ('flows', 'flow_totals') ORDER BY 1;

-- Columns of the wrong kind; the option.
CREATE FOREIGN TABLE wrong_totals (hour int, bytes_tx bigint) SERVER fas_server OPTIONS (totals 'on');
SELECT * FROM wrong_totals;
CREATE FOREIGN TABLE more_totals (bytes_rx numeric, flows bigint, hour int) SERVER fas_server OPTIONS (totals 'on');
SELECT * FROM more_totals WHERE hour = 4 ORDER BY 1 DESC, 2 LIMIT 2;
ALTER FOREIGN TABLE more_totals DROP COLUMN flows;
SELECT * FROM more_totals WHERE hour = 4 ORDER BY 1 DESC LIMIT 2;
SELECT m IS NOT NULL AS whole FROM more_totals m WHERE hour = 4 LIMIT 1;
ALTER FOREIGN TABLE more_totals OPTIONS (SET totals 'false');
SELECT * FROM more_totals;
CREATE FOREIGN TABLE flows_of_mine (hour int, flows bigint) SERVER fas_server;
SELECT * FROM flows_of_mine;
CREATE FOREIGN TABLE unsure (hour int) SERVER fas_server OPTIONS (totals 'perhaps');
CREATE FOREIGN TABLE unsure (hour int) SERVER fas_server OPTIONS (total 'true');
CREATE SERVER unsure FOREIGN DATA WRAPPER fas OPTIONS (totals 'true');

-- Rights: those on flows.
CREATE ROLE fas_test_reader;
SET ROLE fas_test_reader;
SELECT count(*) FROM flow_totals;
SELECT count(*) FROM flows_by_hour(4);
EXPLAIN SELECT * FROM flows_by_hour(4);
RESET ROLE;
GRANT SELECT ON flows TO fas_test_reader;
SET ROLE fas_test_reader;
SELECT count(*) FROM flow_totals;
SELECT count(*) FROM flows_by_hour(4);
RESET ROLE;
REVOKE SELECT ON flows FROM fas_test_reader;
DROP EXTENSION fas CASCADE;
DROP ROLE fas_test_reader;
DROP TABLE plain CASCADE;
DROP TABLE hours, apps;
DROP FUNCTION wrong(text);
