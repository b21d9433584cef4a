--
-- The relation flows: INSERT and COPY, what they refuse, cursors, rights,
-- ANALYZE. What goes down is in pushdown.sql.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

-- A statement makes one segment, or several when it brings many flows.
INSERT INTO flows VALUES (1, 'a', 'b', 'v', 1, 2);
INSERT INTO flows (src_app, dest_app, vpc_id, hour, bytes_rx, bytes_tx) SELECT 'a' || i % 3, 'b', 'v', i % 4, i, i * 2 FROM generate_series(1, 1000) i;
COPY flows FROM STDIN;
5	x	y	z	0	0
2147483647	x	y	z	9223372036854775807	9223372036854775807
\.
COPY flows (bytes_rx, bytes_tx, vpc_id, dest_app, src_app, hour) FROM STDIN (FORMAT csv);
1,2,"a,b","q""uote","new
line",6
\.
INSERT INTO flows SELECT * FROM flows WHERE false;
SELECT flows, hour_min, hour_max FROM flow_segments ORDER BY id;
SET fas.max_segment_flows = 300;
INSERT INTO flows SELECT 7, 'many', 'b', 'v', i, i FROM generate_series(1, 1000) i;
RESET fas.max_segment_flows;
SELECT sum(flows), max(flows) <= 300 AS bounded FROM flow_segments WHERE hour_min = 7;
SELECT count(*), sum(bytes_tx), sum(bytes_rx) FROM flows WHERE hour = 7;
SELECT * FROM flows WHERE hour IN (5, 6, 2147483647) ORDER BY hour;
TRUNCATE flow_segments;

-- RETURNING, CTEs, functions, savepoints, prepared statements; a statement does not see its own flows.
INSERT INTO flows VALUES (1, 'r', 'b', 'v', 1, 2), (2, 'r', 'b', 'v', 3, 4) RETURNING hour * 10 AS ten, flows, tableoid::regclass;
WITH i AS (INSERT INTO flows SELECT hour, 'cte', dest_app, vpc_id, bytes_tx, bytes_rx FROM flows RETURNING src_app, bytes_tx), j AS (INSERT INTO flows VALUES (9, 'j', 'b', 'v', 0, 0) RETURNING 1)
SELECT i.*, (SELECT count(*) FROM flows) AS seen FROM i;
SELECT src_app, count(*) FROM flows GROUP BY 1 ORDER BY 1;
DO $$
BEGIN
  FOR i IN 1..5 LOOP
    BEGIN
      INSERT INTO flows VALUES (3, 'loop' || i, 'b', 'v', i, i);
      IF i % 2 = 0 THEN RAISE EXCEPTION 'no'; END IF;
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    IF (SELECT count(*) FROM flows WHERE hour = 3) <> (i + 1) / 2 THEN RAISE EXCEPTION 'wrong count'; END IF;
  END LOOP;
END $$;
BEGIN;
INSERT INTO flows VALUES (4, 'kept', 'b', 'v', 1, 1);
SAVEPOINT s;
INSERT INTO flows VALUES (4, 'undone', 'b', 'v', 1, 1);
ROLLBACK TO s;
COMMIT;
BEGIN;
INSERT INTO flows VALUES (4, 'rolled back', 'b', 'v', 1, 1);
ROLLBACK;
BEGIN READ ONLY;
SELECT count(*) FROM flows WHERE hour >= 3;
INSERT INTO flows VALUES (4, 'read only', 'b', 'v', 1, 1);
ROLLBACK;
PREPARE i(int, text) AS INSERT INTO flows VALUES ($1, $2, 'b', 'v', 1, 1);
EXECUTE i(4, 'prepared');
EXPLAIN (COSTS OFF) EXECUTE i(4, 'explained');
DEALLOCATE i;
SELECT src_app FROM flows WHERE hour >= 3 ORDER BY 1;

-- What is no flow.
INSERT INTO flows VALUES (1, 'a', 'b', 'v', 1, 1), (NULL, 'a', 'b', 'v', 1, 1);
INSERT INTO flows VALUES (1, NULL, 'b', 'v', 1, 1);
INSERT INTO flows (hour, src_app, dest_app, vpc_id, bytes_tx) VALUES (1, 'a', 'b', 'v', 1);
INSERT INTO flows VALUES (1, '', 'b', 'v', 1, 1);
INSERT INTO flows VALUES (-1, 'a', 'b', 'v', 1, 1);
INSERT INTO flows VALUES (1, 'a', 'b', 'v', -1, 1);
INSERT INTO flows VALUES (1, 'a', 'b', 'v', 1, -9223372036854775808);
INSERT INTO flows VALUES (2147483648, 'a', 'b', 'v', 1, 1);
INSERT INTO flows VALUES (1, 'a', 'b', 'v', 9223372036854775808, 1);
COPY flows FROM STDIN;
1	a	b	v	1	1
1	a	b	\N	1	1
\.
COPY flows FROM STDIN;
1	a	b		1	1
\.
ALTER FOREIGN TABLE flows ALTER COLUMN vpc_id DROP NOT NULL;
INSERT INTO flows VALUES (1, 'a', 'b', NULL, 1, 1);
ALTER FOREIGN TABLE flows ALTER COLUMN vpc_id SET NOT NULL;
INSERT INTO flows VALUES (1, 'a', 'b', 'v', 1, 1) ON CONFLICT DO NOTHING;
UPDATE flows SET hour = 2 WHERE hour = 1;
DELETE FROM flows;
SELECT count(*) FROM flows WHERE src_app = 'a';

-- Names as long as they come.
INSERT INTO flows VALUES (8, repeat('long', 50000), repeat('ä', 100000), 'v', 1, 1);
SELECT length(src_app), length(dest_app) FROM flows WHERE src_app LIKE 'longlong%' AND dest_app = repeat('ä', 100000);

-- Views with CHECK OPTION, generated columns.
CREATE VIEW late AS SELECT * FROM flows WHERE hour >= 10 WITH CHECK OPTION;
INSERT INTO late VALUES (10, 'view', 'b', 'v', 1, 1);
INSERT INTO late VALUES (9, 'view', 'b', 'v', 1, 1);
SELECT hour, src_app FROM late;
CREATE FOREIGN TABLE computed (hour int, src_app text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint GENERATED ALWAYS AS (bytes_tx * 2) STORED) SERVER fas_server;
INSERT INTO computed VALUES (11, 'computed', 'b', 'v', 21) RETURNING bytes_rx;
SELECT bytes_tx, bytes_rx FROM flows WHERE hour = 11;
DROP FOREIGN TABLE computed;
DROP VIEW late;

-- A foreign table of another shape says what is wrong.
CREATE FOREIGN TABLE shape (hour int, source text COLLATE "C") SERVER fas_server;
SELECT * FROM shape;
DROP FOREIGN TABLE shape;
CREATE FOREIGN TABLE shape (hour bigint) SERVER fas_server;
SELECT * FROM shape;
DROP FOREIGN TABLE shape;
CREATE FOREIGN TABLE shape (src_app text COLLATE "POSIX", dest_app text) SERVER fas_server;
SELECT count(*) FROM shape;
ALTER FOREIGN TABLE shape DROP COLUMN dest_app;
SELECT src_app, count(*) FROM shape GROUP BY 1 HAVING count(*) > 1 ORDER BY 1;
INSERT INTO shape VALUES ('x');
DROP FOREIGN TABLE shape;
CREATE SERVER more FOREIGN DATA WRAPPER fas OPTIONS (host 'x');

-- Cursors: forward, backward, beyond a compaction, held.
TRUNCATE flow_segments;
SET fas.max_segment_flows = 100;
INSERT INTO flows SELECT i / 100, 'app' || i % 2, 'b', 'v', i, i FROM generate_series(0, 999) i;
RESET fas.max_segment_flows;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT hour, bytes_tx FROM flows WHERE src_app = 'app1';
DECLARE n NO SCROLL CURSOR FOR SELECT hour, bytes_tx FROM flows WHERE src_app = 'app1';
DECLARE h CURSOR WITH HOLD FOR SELECT hour, sum(bytes_tx) FROM flows GROUP BY hour;
FETCH 2 FROM c;
FETCH 2 FROM n;
MOVE 240 FROM c;
FETCH BACKWARD 1 FROM c;
SELECT flows IS NOT NULL AS merged FROM flows_compact();
INSERT INTO flows VALUES (0, 'app1', 'b', 'v', 5000, 1);
MOVE FORWARD ALL IN n;
FETCH ABSOLUTE 500 FROM c;
FETCH FROM c;
SELECT count(*) FROM flows WHERE src_app = 'app1';
COMMIT;
MOVE FORWARD ALL IN h;
CLOSE h;

-- Rights: of the asking user on flows, by column, through views, for ANALYZE.
CREATE ROLE fas_test_reader;
CREATE ROLE fas_test_writer;
CREATE VIEW counted AS SELECT hour, count(*) FROM flows GROUP BY hour;
GRANT SELECT ON counted TO fas_test_writer;
GRANT SELECT (hour, bytes_tx) ON flows TO fas_test_reader;
GRANT INSERT ON flows TO fas_test_writer;
SET ROLE fas_test_reader;
SELECT hour, sum(bytes_tx) FROM flows WHERE hour = 3 GROUP BY 1;
SELECT max(bytes_tx) FROM flows WHERE hour = 3;
SELECT sum(bytes_rx) FROM flows;
SELECT count(*) FROM flows WHERE src_app = 'app1';
INSERT INTO flows VALUES (3, 'a', 'b', 'v', 1, 1);
SET ROLE fas_test_writer;
SELECT * FROM counted WHERE hour = 3;
SELECT count(*) FROM flows;
INSERT INTO flows VALUES (3, 'writer', 'b', 'v', 1, 1);
INSERT INTO flows VALUES (3, 'writer', 'b', 'v', 1, 1) RETURNING hour;
COPY flows FROM STDIN;
3	writer	b	v	1	1
\.
SELECT count(*) FROM flow_segments;
CREATE FOREIGN TABLE pg_temp.mine (hour int) SERVER fas_server;
RESET ROLE;
SELECT count(*) FROM flows WHERE src_app = 'writer';
DROP VIEW counted;
REVOKE ALL ON flows FROM fas_test_reader, fas_test_writer;
REVOKE ALL (hour, bytes_tx) ON flows FROM fas_test_reader;
DROP ROLE fas_test_reader;
DROP ROLE fas_test_writer;

-- ANALYZE samples the store; the planner then knows it.
ANALYZE flows;
SELECT reltuples FROM pg_class WHERE oid = 'flows'::regclass;
SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'flows' AND attname IN ('hour', 'src_app', 'dest_app') ORDER BY 1;
ANALYZE flows (hour);
SET default_statistics_target = 1;
ANALYZE flows;
RESET default_statistics_target;
TRUNCATE flow_segments;
ANALYZE flows;
SELECT count(*), sum(bytes_tx), min(hour) FROM flows;
SELECT hour, count(*) FROM flows GROUP BY 1;
SELECT * FROM flows;
