--
-- Retention: flows_expire() drops whole segments and trims those that straddle.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

CREATE FUNCTION batch(h int, n int) RETURNS text LANGUAGE sql AS $$
  SELECT json_agg(json_build_object('hour', h + i % 10, 'src_app', 's' || i % 4, 'dest_app', 'd', 'vpc_id', 'v', 'bytes_tx', i, 'bytes_rx', h))::text
  FROM generate_series(1, n) i
$$;
CREATE VIEW hours AS SELECT min(hour), max(hour), count(*), sum(bytes_tx) AS tx, sum(bytes_rx) AS rx FROM flows;

SET fas.auto_compact = off;
SELECT count(flows_ingest(batch(h, 100))) FROM generate_series(0, 90, 5) h;
SELECT * FROM hours;
-- Nothing to drop.
SELECT flows_expire(0), flows_expire(-5), flows_expire(-2147483648), flows_expire(NULL);
SELECT * FROM hours;
-- One by one; the number is that of the flows that are gone.
SELECT flows_expire(1);
SELECT * FROM hours;
SELECT flows_expire(1);
SELECT flows_expire(33);
SELECT * FROM hours;
SELECT min(hour_min), count(*), sum(flows) FROM flow_segments;
SELECT * FROM flows_check();
-- Of merged segments.
SELECT segments_read > 0 AS read FROM flows_compact();
SELECT flows_expire(50);
SELECT * FROM hours;
SELECT level, hour_min, hour_max FROM flow_segments;
SELECT * FROM flows_compact();
SELECT * FROM flows_check();
-- Rolled back.
BEGIN;
SELECT flows_expire(60);
SELECT * FROM hours;
ROLLBACK;
SELECT * FROM hours;
-- Late flows come in again, and go with the next.
SELECT flows_ingest(batch(3, 10));
SELECT flows_expire(50);
SELECT * FROM hours;
-- Everything; the last hour there is stays.
SELECT flows_ingest('[{"hour":2147483647,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":5,"bytes_rx":6}]');
SELECT flows_expire(2147483647);
SELECT * FROM flows;
SELECT count(*) FROM flow_segments;

-- Many small straddlers are merged as they are trimmed.
TRUNCATE flow_segments;
SELECT count(flows_ingest(batch(h, 10))) FROM generate_series(1, 700) h;
SELECT flows_expire(350);
SELECT * FROM hours;
SELECT level, count(*) FROM flow_segments GROUP BY level ORDER BY level;
SELECT * FROM flows_check();

-- In a transaction that keeps one snapshot it could miss what others have committed.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT flows_expire(1);
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT flows_expire(1);
ROLLBACK;

DROP VIEW hours;
DROP FUNCTION batch;
DROP EXTENSION fas;
