-- flow_segments.hours: a segment whose hours have gaps names them, so that a scan leaves it out without opening it.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
SET fas.auto_compact = off;

CREATE FUNCTION one_flow(hour int, bytes bigint) RETURNS text LANGUAGE sql AS $$
  SELECT format('{"hour":%s,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":%s,"bytes_rx":1}', hour, bytes) $$;
CREATE FUNCTION batch(VARIADIC hours int[]) RETURNS text LANGUAGE sql AS $$
  SELECT '[' || string_agg(one_flow(hour, hour % 1000 + 1), ',') || ']' FROM unnest(hours) AS hour $$;
CREATE FUNCTION segments_read(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line ~ 'Segments:' THEN RETURN NEXT trim(regexp_replace(line, ' of .*', '')); END IF;
  END LOOP;
END $$;

-- No gap, no set.
SELECT flows_ingest(batch(1)), flows_ingest(batch(5, 6, 7)), flows_ingest(batch(7, 3, 1)), flows_ingest(batch(2147483647, 0, 2147483646));
SELECT hour_min, hour_max, flows, hours FROM flow_segments ORDER BY id;
SELECT * FROM segments_read('SELECT * FROM flows_by_hour(3)');
SELECT * FROM segments_read('SELECT * FROM flows_by_hour(4)');
SELECT * FROM segments_read('SELECT * FROM flows WHERE hour = 1');
SELECT * FROM segments_read('SELECT * FROM flows WHERE hour BETWEEN 4 AND 5');
SELECT * FROM segments_read('SELECT * FROM flows WHERE hour BETWEEN 8 AND 2147483645');
SELECT * FROM segments_read('SELECT sum(bytes_tx) FROM flows WHERE hour >= 2147483646');
SELECT * FROM segments_read('SELECT sum(bytes_tx) FROM flows');
SELECT h, (SELECT sum(bytes_tx) FROM flows_by_hour(h)) AS bytes_tx
FROM unnest('{0,1,2,3,4,5,6,7,8,1000,2147483646,2147483647}'::int[]) AS h;

-- What merges write has them too, and what flows_expire() trims.
SELECT segments_read, segments_written, flows FROM flows_compact();
SELECT level, hour_min, hour_max, flows, hours FROM flow_segments ORDER BY hour_min, id;
SELECT flows_expire(2);
SELECT level, hour_min, hour_max, flows, hours FROM flow_segments ORDER BY hour_min, id;
SELECT * FROM flows_check();
TRUNCATE flow_segments;

-- Runs take little room, a thousand hours apart too much: then any of them may be there.
SELECT flows_ingest(batch(VARIADIC array_agg(h))) FROM generate_series(10, 50000) AS h WHERE h < 20000 OR h > 40000;
SELECT flows_ingest(batch(VARIADIC array_agg(h))) FROM generate_series(10, 2010, 2) AS h;
SELECT hour_min, hour_max, flows, rb_cardinality(hours) AS hours, rb_min(hours), rb_max(hours) FROM flow_segments ORDER BY id;
SELECT * FROM segments_read('SELECT * FROM flows_by_hour(30000)');
SELECT * FROM segments_read('SELECT * FROM flows_by_hour(11)');
SELECT count(*) FROM flows_by_hour(30000);
TRUNCATE flow_segments;

-- By the executor, where the owner has given the table something to heed.
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER heed AFTER INSERT ON flow_segments FOR EACH STATEMENT EXECUTE FUNCTION nothing();
SELECT flows_ingest(batch(3, 9)), flows_ingest(batch(3, 4));
DROP TRIGGER heed ON flow_segments;
SELECT hour_min, hour_max, hours FROM flow_segments ORDER BY id;

-- A row without a set, as one that someone has made by hand: all that its ends allow may be there.
UPDATE flow_segments SET hours = NULL;
SELECT * FROM segments_read('SELECT * FROM flows_by_hour(5)');
SELECT * FROM flows_check();
-- A row that says another set is found out.
UPDATE flow_segments SET hours = '{3,8}' WHERE hour_max = 9;
SELECT segment_id = (SELECT min(id) FROM flow_segments) AS first, problem FROM flows_check();

TRUNCATE flow_segments;

-- What ingests merge of hours that come in any order is cut between them, into no less than 1,024 flows; hours near
-- each other stay together.
ALTER SEQUENCE flow_segments_id_seq RESTART 7; -- the tenth will be due to merge
RESET fas.auto_compact;
CREATE FUNCTION many_flows(hour int, flows int) RETURNS bigint LANGUAGE sql AS $$
  SELECT flows_ingest('[' || string_agg(one_flow(hour - (n % 8 = 0)::int, n), ',') || ']')
  FROM generate_series(1, flows) AS n $$;
SELECT many_flows(3000, 2100), many_flows(1000, 2200);
SELECT many_flows(hour, 2300) FROM unnest('{5000,9000,1010,7000,3001}'::int[]) AS hour;
SELECT flows_ingest('[' || string_agg(one_flow(8000 + 13 * n, n), ',') || ']') FROM generate_series(1, 2100) AS n;
SELECT many_flows(6000, 2400) FROM generate_series(1, 2);
SELECT level, hour_min, hour_max, flows, hours FROM flow_segments
WHERE hour_max < 8000 ORDER BY hour_min, id;
SELECT level, hour_min, hour_max, flows, rb_cardinality(hours) AS hours FROM flow_segments
WHERE hour_max > 8000 ORDER BY hour_min, id;
SELECT * FROM segments_read('SELECT * FROM flows_by_hour(3000)');
SELECT * FROM segments_read('SELECT * FROM flows_by_hour(4999)');
SELECT * FROM flows_check();
-- flows_compact() brings them together, and is done then.
SELECT segments_written, flows FROM flows_compact();
SELECT level, hour_min, hour_max, flows FROM flow_segments ORDER BY hour_min, id;
SELECT * FROM flows_compact();
SELECT sum(bytes_rx) FROM flows;

TRUNCATE flow_segments;
DROP FUNCTION one_flow, batch, many_flows, segments_read, nothing;
