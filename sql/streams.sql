-- Groups by hour and flow key: streamed from segments whose hours do not overlap, the others added to them. Against the
-- same flows in a plain table, whatever segments they lie in.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
CREATE TABLE plain (hour int, src_app text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint);
-- Hours 1 to 6, each in a segment of its own; what came late for hours 2 to 5 in one segment, with keys that no other
-- has; hours 8 to 9 in a segment that overlaps nothing.
INSERT INTO plain SELECT h, 'app' || i % 40, 'dest' || i % 7, 'vpc' || i % 3, h * i, 9223372036854775807 - i FROM generate_series(1, 6) h, generate_series(1, 900) i;
INSERT INTO flow_segments (level, hour_min, hour_max, flows, segment)
  SELECT 3, hour, hour, count(*), flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) FROM plain GROUP BY hour ORDER BY hour;
CREATE TABLE late AS SELECT h AS hour, 'app' || i % 45 AS src_app, 'dest' || i % 9 AS dest_app, 'vpc' || i % 3 AS vpc_id, i::bigint AS bytes_tx, 7::bigint AS bytes_rx FROM generate_series(2, 5) h, generate_series(1, 60) i WHERE h <> 4;
INSERT INTO flows TABLE late;
INSERT INTO plain TABLE late;
CREATE TABLE alone AS SELECT h AS hour, 'a' AS src_app, 'b' || i AS dest_app, 'c' AS vpc_id, i::bigint AS bytes_tx, 0::bigint AS bytes_rx FROM generate_series(8, 9) h, generate_series(1, 20) i;
INSERT INTO flows TABLE alone;
INSERT INTO plain TABLE alone;
SELECT level, hour_min, hour_max, flows FROM flow_segments ORDER BY id;

-- What differs between a query over `flows` (%s) and the same over the plain table.
CREATE FUNCTION differences(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) d', format(query, 'flows'), format(query, 'plain')) INTO n;
  RETURN n;
END $$;
CREATE TABLE questions (n serial, query text);
INSERT INTO questions (query) VALUES
  ('SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), count(*) FROM %s GROUP BY 1, 2, 3, 4'),
  ('SELECT vpc_id, hour, sum(bytes_rx), dest_app, src_app FROM %s GROUP BY dest_app, vpc_id, hour, src_app'),
  ('SELECT src_app, dest_app, vpc_id, sum(bytes_tx), count(*) FROM %s WHERE hour = 3 GROUP BY 1, 2, 3'),
  ('SELECT src_app, dest_app, vpc_id, sum(bytes_tx), count(*) FROM %s WHERE hour BETWEEN 3 AND 4 GROUP BY 1, 2, 3'),
  ('SELECT src_app, dest_app, vpc_id, sum(bytes_tx), count(*) FROM %s WHERE hour = 7 GROUP BY 1, 2, 3'),
  ('SELECT src_app, dest_app, vpc_id, min(hour), max(hour), min(src_app), max(dest_app), avg(bytes_tx), count(bytes_rx) FROM %s WHERE hour = 5 GROUP BY 1, 2, 3'),
  ('SELECT hour, src_app, dest_app, vpc_id, min(hour), max(hour), min(vpc_id), avg(bytes_rx) FROM %s GROUP BY 1, 2, 3, 4'),
  ('SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx) FROM %s GROUP BY 1, 2, 3, 4 HAVING sum(bytes_tx) %% 2 = 0 AND count(*) > 2'),
  ('SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx) FROM %s WHERE src_app IN (''app3'', ''app41'', ''a'') AND hour <> 3 GROUP BY 1, 2, 3, 4'),
  ('SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx) FROM %s WHERE src_app = ''app3'' AND dest_app = ''dest8'' GROUP BY 1, 2, 3, 4'),
  ('SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx) FROM %s WHERE dest_app LIKE ''dest8%%'' OR hour IN (1, 5, 8) GROUP BY 1, 2, 3, 4'),
  ('SELECT DISTINCT hour, src_app, dest_app, vpc_id FROM %s'),
  ('SELECT DISTINCT src_app, dest_app, vpc_id FROM %s WHERE hour = 2'),
  ('SELECT hour, src_app, min(vpc_id), max(dest_app), sum(bytes_tx) FROM %s GROUP BY 1, 2'),
  ('SELECT count(*), sum(bytes_tx), min(hour) FROM %s WHERE hour = 7');
SELECT n, differences(query) FROM questions ORDER BY n;
SELECT count(*) FROM (SELECT hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx, flows FROM flow_totals EXCEPT ALL SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), count(*) FROM plain GROUP BY 1, 2, 3, 4) d;
SELECT h, count(*), sum(bytes_tx), sum(bytes_rx) FROM generate_series(1, 9) h, flows_by_hour(h) GROUP BY h ORDER BY h;
SELECT count(*), sum(bytes_tx), sum(flows) FROM flows_aggregate('{vpc_id,hour,src_app,dest_app}', 3, 8, NULL, ARRAY['dest1', 'dest8', 'b2']);
SELECT count(*), sum(bytes_tx), sum(flows) FROM flows_aggregate('{vpc_id,src_app,dest_app}', 3, 3);

-- What is read, and how much of it when not all is asked for.
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM flows_by_hour(3);
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM flow_totals LIMIT 5;

-- Again and again: a plain rescan, one with another hour, a cursor that goes on while segments are merged away.
SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SELECT v, count(*), sum(t.bytes_tx) FROM (VALUES (1), (2), (3)) v(v) LEFT JOIN flow_totals t ON t.hour <> v.v + 1 GROUP BY v ORDER BY v;
SELECT v, (SELECT count(*) FROM flow_totals t WHERE t.hour = v.v AND t.bytes_tx > 50) FROM (VALUES (2), (3), (3), (7), (9)) v(v);
RESET enable_material; RESET enable_hashjoin; RESET enable_mergejoin;
BEGIN;
DECLARE all_totals CURSOR FOR SELECT hour, bytes_tx FROM flow_totals;
MOVE 500 IN all_totals;
SELECT segments_read > 0 AS merged FROM flows_compact();
CREATE FUNCTION rest_of(c refcursor) RETURNS TABLE (n bigint, bytes numeric) LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
  n := 0; bytes := 0;
  LOOP
    FETCH c INTO r;
    EXIT WHEN NOT FOUND;
    n := n + 1; bytes := bytes + r.bytes_tx;
  END LOOP;
  RETURN NEXT;
END $$;
SELECT n + 500 = (SELECT count(*) FROM (SELECT FROM plain GROUP BY hour, src_app, dest_app, vpc_id) g) AS as_many FROM rest_of('all_totals');
ROLLBACK;

-- As many segments as batches: most of them overlap, and are rolled up; then compacted.
TRUNCATE flow_segments;
DO $$ BEGIN
  FOR n IN 0..29 LOOP INSERT INTO flows SELECT * FROM plain WHERE abs(hashtext(src_app || dest_app || hour)) % 30 = n; END LOOP;
END $$;
SELECT n, differences(query) FROM questions ORDER BY n;
SELECT flows FROM flows_compact();
SELECT n, differences(query) FROM questions ORDER BY n;

-- A row that does not tell the truth about its segment's hours.
TRUNCATE flow_segments;
INSERT INTO flows TABLE alone;
ALTER TABLE flow_segments DISABLE TRIGGER ALL;
UPDATE flow_segments SET hour_max = 8;
SELECT count(*) FROM flows_by_hour(8);
DROP FUNCTION differences;
DROP TABLE plain, late, alone, questions;
DROP EXTENSION fas;
