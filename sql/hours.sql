--
-- Hours and batches of any shape: a batch of many hours, an hour of many
-- batches, an hour first seen after later ones, thousands of tiny batches, one
-- batch of a million flows, no flows at all, the first and the last hour.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
SET synchronous_commit = off;

-- No flows: taken, and nothing is stored.
SELECT flows_ingest('[]'), flows_ingest(' [ ] '::json), flows_ingest('[]'::jsonb), flows_ingest(NULL) IS NULL AS null_is_null;
SELECT taken, repeated FROM flows_ingest_receipt('[]', 'no flows');
SELECT taken, repeated FROM flows_ingest_receipt('[]', 'no flows');
SELECT count(*) FROM flow_segments;
SELECT count(*) FROM flows;
SELECT sum(bytes_tx), count(*) FROM flows;
SELECT * FROM flows_aggregate('{}');
SELECT segments_read, segments_written, flows FROM flows_compact();
SELECT flows_expire(100);
SELECT * FROM flows_check();

-- The first and the last hour, in one batch.
SELECT flows_ingest('[{"hour":2147483647,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":0},
                      {"hour":0,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":9223372036854775807,"bytes_rx":2}]');
SELECT * FROM flows ORDER BY hour;
SELECT * FROM flows_by_hour(0) UNION ALL SELECT * FROM flows_by_hour(2147483647);
SELECT * FROM flows_aggregate('{hour}', 1, 2147483647);
SELECT * FROM flows_new_keys(2147483647, 0);
SELECT * FROM flows_new_keys(2147483647, 1);
SELECT * FROM flows_new_keys(0, 0);
SELECT flows_expire(2147483647);
SELECT * FROM flows;
SELECT flows_expire(0), flows_expire(-1);
SELECT count(*) FROM flows;
TRUNCATE flow_segments;

-- A batch of 5,000 hours; each of them has its flows.
SELECT flows_ingest((SELECT json_agg(json_build_object('hour', h, 'src_app', 'a' || h % 7, 'dest_app', 'b', 'vpc_id', 'v', 'bytes_tx', h, 'bytes_rx', 1))::text
                     FROM generate_series(5000, 1, -1) h));
SELECT count(*), sum(f.bytes_tx) FROM generate_series(1, 5000) h, flows_by_hour(h) f WHERE f.hour = h AND f.bytes_tx = h;
-- An earlier hour after later ones, and an hour of many batches.
SELECT count(flows_ingest(format('[{"hour":%s,"src_app":"late","dest_app":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":1}]', h))) FROM generate_series(600, 1, -1) h;
SELECT count(flows_ingest('[{"hour":77,"src_app":"many","dest_app":"b","vpc_id":"v","bytes_tx":3,"bytes_rx":1}]')) FROM generate_series(1, 500) h;
SELECT * FROM flows_by_hour(77) ORDER BY src_app;
SELECT flows > 0 AS merged FROM flows_compact();
SELECT * FROM flows_by_hour(77) ORDER BY src_app;
SELECT count(*), sum(bytes_tx), sum(bytes_rx) FROM flows;
SELECT * FROM flows_check();
TRUNCATE flow_segments;

-- 10,000 tiny batches, each in a transaction of its own; segments stay few.
CREATE PROCEDURE tiny() LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..10000 LOOP
    PERFORM flows_ingest(format('[{"hour":%s,"src_app":"app%s","dest_app":"b","vpc_id":"v","bytes_tx":%s,"bytes_rx":1}]', i / 500, i % 100, i));
    COMMIT;
  END LOOP;
END $$;
CALL tiny();
SELECT count(*) < 1000 AS few FROM flow_segments;
SELECT count(*), sum(bytes_tx), sum(bytes_rx) FROM flows;
SELECT count(*), sum(bytes_tx), sum(flows) FROM flows_aggregate();
SELECT count(*) FROM (SELECT i / 500, ('app' || i % 100) COLLATE "C", i FROM generate_series(1, 10000) i EXCEPT ALL SELECT hour, src_app, bytes_tx FROM flows) d;
SELECT flows IS NOT NULL AS merged FROM flows_compact();
SELECT count(*) FROM (SELECT i / 500, ('app' || i % 100) COLLATE "C", i FROM generate_series(1, 10000) i EXCEPT ALL SELECT hour, src_app, bytes_tx FROM flows) d;
SELECT count(*), sum(bytes_tx), sum(flows) FROM flows_aggregate();
SELECT * FROM flows_check();
TRUNCATE flow_segments;

-- One batch of a million flows, by JSON and by INSERT.
CREATE TEMP TABLE million AS
  SELECT (490000 + i % 24) AS hour, ('app' || i % 1000) COLLATE "C" AS src_app, ('app' || i % 501) COLLATE "C" AS dest_app, ('vpc' || i % 3) COLLATE "C" AS vpc_id,
         i::bigint AS bytes_tx, i::bigint * i AS bytes_rx
  FROM generate_series(1, 1000000) i;
SELECT flows_ingest((SELECT '[' || string_agg(format('{"hour":%s,"src_app":"%s","dest_app":"%s","vpc_id":"%s","bytes_tx":%s,"bytes_rx":%s}',
                                                     hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx), ',') || ']' FROM million));
SELECT count(*), sum(bytes_tx), sum(bytes_rx) FROM flows;
SELECT count(*), sum(bytes_tx), sum(bytes_rx), sum(flows) FROM flows_aggregate();
SELECT count(*) AS differ FROM (
  SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), count(*) FROM million GROUP BY 1, 2, 3, 4
  EXCEPT SELECT * FROM flows_aggregate()) d;
SELECT max(flows) <= 1048576 AS within_the_limit FROM flow_segments;
INSERT INTO flows SELECT * FROM million;
SELECT flows IS NOT NULL AS merged FROM flows_compact();
SELECT count(*), sum(bytes_tx), sum(bytes_rx), sum(flows) FROM flows_aggregate();
SELECT max(flows) <= 1048576 AS within_the_limit FROM flow_segments;
SELECT * FROM flows_by_hour(490005) ORDER BY bytes_tx DESC LIMIT 3;
SELECT flows_expire(490023);
SELECT count(*), min(hour), sum(bytes_tx) = (SELECT 2 * sum(bytes_tx) FROM million WHERE hour = 490023) AS right FROM flows;
SELECT * FROM flows_check();
DROP PROCEDURE tiny;
TRUNCATE flow_segments, flow_batches;
