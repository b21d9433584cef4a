--
-- `flows` altered by its owner, and foreign tables of others on fas's server:
-- the right answer or a clear error, never a wrong answer, and no way around
-- the rights on `flows`.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
DROP ROLE IF EXISTS fas_test_other;
CREATE EXTENSION fas;
RESET client_min_messages;

CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS $$
  SELECT flows_ingest('[{"hour":1,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":10,"bytes_rx":1},
                        {"hour":1,"src_app":"a","dest_app":"c","vpc_id":"v","bytes_tx":20,"bytes_rx":2},
                        {"hour":2,"src_app":"b","dest_app":"c","vpc_id":"w","bytes_tx":30,"bytes_rx":3}]')
$$;
SELECT fill();

-- What each way of reading and writing says now; writes are undone.
CREATE FUNCTION says(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  BEGIN
    EXECUTE query INTO answer;
    RAISE EXCEPTION USING ERRCODE = 'ZZZZZ', MESSAGE = coalesce(answer, 'done');
  EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN RETURN SQLERRM;
            WHEN others THEN RETURN SQLSTATE;
  END;
END $$;
CREATE VIEW state AS SELECT
  says('SELECT count(*) || '' '' || sum(bytes_tx) FROM flows WHERE src_app = ''a''') AS cells,
  says('SELECT string_agg(concat_ws('','', hour, src_app, dest_app, bytes_rx), '' '' ORDER BY bytes_rx) FROM flows WHERE bytes_rx < 3') AS rows,
  says('SELECT sum(bytes_tx) FROM flows_by_hour(1)') AS by_hour,
  says('SELECT string_agg(dest_app || bytes_rx, '' '' ORDER BY dest_app) FROM flows_aggregate(''{dest_app}'')') AS aggregate,
  says('SELECT count(*) FROM flows_new_keys(2, 1)') AS new_keys,
  says('SELECT flows_ingest(''[{"hour":1,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":10,"bytes_rx":1}]'')') AS ingest,
  says('INSERT INTO flows (hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) VALUES (1, ''i'', ''b'', ''v'', 1, 2) RETURNING src_app || bytes_rx') AS insert,
  says('SELECT flows IS NOT NULL FROM flows_compact()') AS compact;
SELECT * FROM state;

-- A further column; gone again.
ALTER FOREIGN TABLE flows ADD COLUMN more text;
SELECT * FROM state;
ALTER FOREIGN TABLE flows DROP COLUMN more;
SELECT * FROM state;

-- A column dropped, and made again at the end.
ALTER FOREIGN TABLE flows DROP COLUMN src_app;
SELECT * FROM state;
ALTER FOREIGN TABLE flows ADD COLUMN src_app text;
SELECT * FROM state; -- with the database's collation
ALTER FOREIGN TABLE flows ALTER COLUMN src_app TYPE text COLLATE "C";
SELECT * FROM state;
SELECT * FROM flows ORDER BY bytes_tx;
SELECT f.src_app, f FROM flows f WHERE f.dest_app = 'c' ORDER BY 1;

-- Retyped and renamed.
ALTER FOREIGN TABLE flows ALTER COLUMN hour TYPE bigint;
SELECT * FROM state;
ALTER FOREIGN TABLE flows ALTER COLUMN hour TYPE int;
ALTER FOREIGN TABLE flows ALTER COLUMN bytes_tx TYPE numeric;
SELECT * FROM state;
ALTER FOREIGN TABLE flows ALTER COLUMN bytes_tx TYPE bigint;
ALTER FOREIGN TABLE flows ALTER COLUMN dest_app TYPE varchar(10) COLLATE "C";
SELECT * FROM state;
ALTER FOREIGN TABLE flows ALTER COLUMN dest_app TYPE text COLLATE "C";
ALTER FOREIGN TABLE flows RENAME COLUMN bytes_tx TO sent;
SELECT * FROM state;
ALTER FOREIGN TABLE flows RENAME COLUMN bytes_rx TO bytes_tx;
SELECT * FROM state;
ALTER FOREIGN TABLE flows RENAME COLUMN bytes_tx TO bytes_rx;
ALTER FOREIGN TABLE flows RENAME COLUMN sent TO bytes_tx;
SELECT * FROM state;

-- The table's own constraints and defaults.
ALTER FOREIGN TABLE flows ADD CONSTRAINT few CHECK (hour < 100 AND src_app <> dest_app);
ALTER FOREIGN TABLE flows ALTER COLUMN vpc_id SET DEFAULT 'v0', ALTER COLUMN bytes_rx SET DEFAULT 7;
\set VERBOSITY sqlstate
INSERT INTO flows (hour, src_app, dest_app, bytes_tx) VALUES (100, 'x', 'y', 1);
INSERT INTO flows (hour, src_app, dest_app, bytes_tx) VALUES (99, 'x', 'y', 1), (99, 'x', 'x', 1);
COPY flows (hour, src_app, dest_app, bytes_tx) FROM STDIN;
101	x	y	1
\.
\set VERBOSITY default
INSERT INTO flows (hour, src_app, dest_app, bytes_tx) VALUES (99, 'x', 'y', 1) RETURNING hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx;
COPY flows (src_app, hour, dest_app, bytes_tx) FROM STDIN;
x	99	z	1
\.
SELECT dest_app, vpc_id, bytes_rx FROM flows WHERE src_app = 'x' ORDER BY 1;
ALTER FOREIGN TABLE flows DROP CONSTRAINT few;
ALTER FOREIGN TABLE flows ALTER COLUMN vpc_id DROP DEFAULT, ALTER COLUMN bytes_rx DROP DEFAULT;
INSERT INTO flows (hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) VALUES (100, 'x', 'x', 'v', 1, 1);

-- The table under another name, and in another schema.
ALTER FOREIGN TABLE flows RENAME TO streams;
SELECT says('SELECT sum(bytes_tx) FROM streams') AS streams, says('SELECT flows_ingest(''[]'')') AS ingest, says('SELECT sum(bytes_tx) FROM flows_by_hour(1)') AS by_hour;
ALTER FOREIGN TABLE streams RENAME TO flows;
SELECT * FROM state;

-- What foreign tables can't do, they say.
\set VERBOSITY sqlstate
UPDATE flows SET hour = 1;
DELETE FROM flows WHERE hour = 1;
TRUNCATE flows;
INSERT INTO flows (hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) VALUES (1, 'a', 'b', 'v', 1, 1) ON CONFLICT (hour) DO NOTHING;
SELECT * FROM flows TABLESAMPLE SYSTEM (10);
CREATE INDEX ON flows (hour);
\set VERBOSITY default
SELECT tableoid::regclass, count(*) FROM flows GROUP BY 1;
SELECT count(*) FROM (SELECT * FROM flows FOR UPDATE) f;
ANALYZE flows;
SELECT * FROM state;
DROP EXTENSION fas CASCADE;
CREATE EXTENSION fas;
SELECT fill();

-- Foreign tables of a user's own: columns in another order, some of them, and what is none of ours.
SELECT srvname AS server FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE fdwname LIKE 'fas%' \gset
SELECT count(*) FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE fdwname LIKE 'fas%';
CREATE FOREIGN TABLE mine (bytes_rx bigint, vpc_id text COLLATE "C", src_app text COLLATE "C", hour int, dest_app text COLLATE "C", bytes_tx bigint) SERVER :server;
SELECT * FROM mine ORDER BY bytes_rx;
SELECT vpc_id, sum(bytes_rx) AS rx, sum(bytes_tx) AS tx, count(*) FROM mine GROUP BY 1 ORDER BY 1;
INSERT INTO mine VALUES (4, 'w', 'm', 5, 'n', 40);
SELECT * FROM flows WHERE src_app = 'm';
SELECT a.src_app, b.dest_app FROM flows a JOIN mine b ON a.dest_app = b.src_app ORDER BY 1, 2;
CREATE FOREIGN TABLE fewer (hour int, bytes_tx bigint) SERVER :server;
SELECT says('SELECT sum(bytes_tx) FROM fewer') IN ('100', '42804') AS right_or_clear, says('INSERT INTO fewer VALUES (1, 1) RETURNING hour') IN ('42804', '23502') AS clear;
CREATE FOREIGN TABLE other_type (hour int, src_app text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx int) SERVER :server;
CREATE FOREIGN TABLE other_collation (hour int, src_app text, dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint) SERVER :server;
CREATE FOREIGN TABLE other_name (hour int, src text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint) SERVER :server;
CREATE FOREIGN TABLE no_column () SERVER :server;
SELECT says('SELECT count(*) FROM other_type') AS type, says('SELECT count(*) FROM other_collation') AS collation, says('SELECT count(*) FROM other_name') AS name,
       says('INSERT INTO other_type VALUES (1, ''a'', ''b'', ''c'', 1, 1) RETURNING hour') AS type_in, says('INSERT INTO other_collation VALUES (1, ''a'', ''b'', ''c'', 1, 1) RETURNING hour') AS collation_in,
       says('INSERT INTO other_name VALUES (1, ''a'', ''b'', ''c'', 1, 1) RETURNING hour') AS name_in, says('SELECT count(*) FROM no_column') IN ('4', '42804') AS none;
\set VERBOSITY sqlstate
CREATE FOREIGN TABLE with_options (hour int OPTIONS (nonsense 'x')) SERVER :server;
CREATE FOREIGN TABLE with_options (hour int) SERVER :server OPTIONS (nonsense 'x');
\set VERBOSITY default
DROP FOREIGN TABLE fewer, other_type, other_collation, other_name, no_column;

-- As a partition: INSERT and COPY find their way.
CREATE TABLE parted (hour int, src_app text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint) PARTITION BY RANGE (hour);
CREATE TABLE recent PARTITION OF parted FOR VALUES FROM (1000) TO (2147483647);
CREATE FOREIGN TABLE old PARTITION OF parted FOR VALUES FROM (0) TO (1000) SERVER :server;
INSERT INTO parted VALUES (1001, 'p', 'q', 'v', 1, 1), (900, 'p', 'q', 'v', 2, 2), (901, 'p', 'r', 'v', 3, 3);
COPY parted FROM STDIN;
902	p	s	v	4	4
1002	p	s	v	5	5
\.
SELECT hour, dest_app, bytes_tx FROM flows WHERE src_app = 'p' ORDER BY hour;
SELECT hour, dest_app, bytes_tx FROM recent ORDER BY hour;
SELECT dest_app, sum(bytes_tx), count(*) FROM parted WHERE src_app = 'p' GROUP BY 1 ORDER BY 1;
SET enable_partitionwise_aggregate = on;
SELECT hour, sum(bytes_tx), count(*) FROM parted WHERE src_app = 'p' GROUP BY 1 ORDER BY 1;
SELECT dest_app, sum(bytes_tx), count(*) FROM parted WHERE src_app = 'p' GROUP BY 1 ORDER BY 1;
RESET enable_partitionwise_aggregate;
\set VERBOSITY sqlstate
UPDATE parted SET hour = 5 WHERE hour = 1001 AND false;
INSERT INTO parted VALUES (903, 'p', 't', 'v', 1, -1);
\set VERBOSITY default
SELECT count(*) FROM flows WHERE src_app = 'p';
DROP TABLE parted;

-- A foreign table is no way around the rights on `flows`.
CREATE ROLE fas_test_other;
GRANT USAGE ON FOREIGN SERVER :server TO fas_test_other;
CREATE SCHEMA theirs AUTHORIZATION fas_test_other;
SET ROLE fas_test_other;
CREATE FOREIGN TABLE theirs.flows (hour int, src_app text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint) SERVER :server;
SELECT says('SELECT count(*) FROM theirs.flows') AS cells, says('SELECT max(src_app) FROM theirs.flows') AS rows, says('SELECT max(src_app) FROM theirs.flows WHERE false') IN ('done', '42501') AS nothing,
       says('INSERT INTO theirs.flows VALUES (1, ''x'', ''y'', ''z'', 1, 1) RETURNING hour') AS insert;
\set VERBOSITY sqlstate
COPY theirs.flows FROM STDIN;
1	x	y	z	1	1
\.
\set VERBOSITY default
RESET ROLE;
GRANT SELECT ON flows TO fas_test_other;
SET ROLE fas_test_other;
SELECT says('SELECT count(*) FROM theirs.flows') AS cells, says('INSERT INTO theirs.flows VALUES (1, ''x'', ''y'', ''z'', 1, 1) RETURNING hour') AS insert;
RESET ROLE;
REVOKE SELECT ON flows FROM fas_test_other;
GRANT INSERT ON flows TO fas_test_other;
SET ROLE fas_test_other;
SELECT says('SELECT count(*) FROM theirs.flows') AS cells, says('INSERT INTO theirs.flows VALUES (1, ''x'', ''y'', ''z'', 1, 1) RETURNING hour') AS insert;
RESET ROLE;
-- Nor is a prepared plan that outlives them.
GRANT SELECT ON flows TO fas_test_other;
SET ROLE fas_test_other;
PREPARE q AS SELECT count(*) FROM theirs.flows;
SET plan_cache_mode = force_generic_plan;
EXECUTE q;
RESET ROLE;
REVOKE SELECT ON flows FROM fas_test_other;
SET ROLE fas_test_other;
\set VERBOSITY sqlstate
EXECUTE q;
\set VERBOSITY default
RESET ROLE;
RESET plan_cache_mode;
SELECT * FROM flows_check();
SET client_min_messages = warning;
DROP SCHEMA theirs CASCADE;
DROP EXTENSION fas CASCADE;
DROP FUNCTION says(text) CASCADE;
DROP FUNCTION fill();
DROP ROLE fas_test_other;
CREATE EXTENSION fas;
