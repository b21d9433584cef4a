--
-- Batch keys: a retry is harmless, a key belongs to its flows, old keys go.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

CREATE FUNCTION batch(n int, h int DEFAULT 1) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(json_agg(json_build_object('hour', h, 'src_app', 's' || i, 'dest_app', 'd', 'vpc_id', 'v', 'bytes_tx', i, 'bytes_rx', 1)), '[]')::text
  FROM generate_series(1, n) i
$$;

-- First, repeated, repeated through the others.
SELECT taken, repeated FROM flows_ingest_receipt(batch(3), 'k');
SELECT taken, repeated FROM flows_ingest_receipt(batch(3), 'k');
SELECT flows_ingest(batch(3), 'k') AS text, flows_ingest(batch(3)::json, 'k') AS json, flows_ingest(batch(3)::jsonb, 'k') AS jsonb;
SELECT count(*) FROM flows;
-- The repetition tells when the first was received.
BEGIN;
SELECT pg_sleep(0.01) \g /dev/null
SELECT received_at < now() AS earlier, received_at = (SELECT received_at FROM flow_batches) AS as_stored
FROM flows_ingest_receipt(batch(3), 'k');
COMMIT;

-- Other flows under the key: more, fewer, none, another value, another order.
SELECT flows_ingest(batch(4), 'k');
SELECT flows_ingest(batch(2), 'k');
SELECT flows_ingest('[]', 'k');
SELECT flows_ingest(batch(3, 2), 'k');
SELECT flows_ingest((SELECT json_agg(f ORDER BY i DESC) FROM json_array_elements(batch(3)::json) WITH ORDINALITY a(f, i)), 'k');
\set VERBOSITY sqlstate
SELECT flows_ingest(batch(4), 'k');
\set VERBOSITY default
SELECT count(*) FROM flows;
-- An empty batch has a key too.
SELECT taken, repeated FROM flows_ingest_receipt('[]', 'empty');
SELECT taken, repeated FROM flows_ingest_receipt('[]', 'empty');
SELECT flows_ingest(batch(1), 'empty');

-- 1 to 255 bytes, of any characters; case and blanks count.
SELECT flows_ingest('[]', '');
SELECT flows_ingest('[]', repeat('x', 256));
SELECT flows_ingest('[]', repeat('é', 128));
SELECT flows_ingest('[]', repeat('é', 127) || 'e'), flows_ingest('[]', repeat('x', 255)), flows_ingest('[]', ' ');
SELECT repeated FROM flows_ingest_receipt(batch(1), 'K');
SELECT repeated FROM flows_ingest_receipt(batch(1), 'k ');
SELECT repeated FROM flows_ingest_receipt(batch(1), '%s "quoted"');
SELECT flows_ingest(batch(2), '%s "quoted"');
SELECT count(*), max(octet_length(batch_key)) FROM flow_batches;

-- Key and flows together: a savepoint, a rollback.
TRUNCATE flow_segments, flow_batches;
BEGIN;
SAVEPOINT s;
SELECT flows_ingest(batch(3), 'k');
ROLLBACK TO s;
SELECT taken, repeated FROM flows_ingest_receipt(batch(2), 'k');
SELECT taken, repeated FROM flows_ingest_receipt(batch(2), 'k');
COMMIT;
BEGIN;
SELECT flows_ingest(batch(3), 'gone');
ROLLBACK;
SELECT batch_key, taken FROM flow_batches;
SELECT count(*) FROM flows;
-- Twice in one statement.
SELECT flows_ingest(batch(5), 'twice') FROM generate_series(1, 2);
SELECT count(*) FROM flows;

-- Retention: an expired key counts again, whether or not it was dropped yet.
TRUNCATE flow_segments, flow_batches;
SELECT flows_ingest(batch(3), 'k');
SHOW fas.batch_key_retention;
UPDATE flow_batches SET received_at = now() - interval '7 days' + interval '1 minute';
SELECT taken, repeated FROM flows_ingest_receipt(batch(3), 'k');
UPDATE flow_batches SET received_at = now() - interval '7 days' - interval '1 second';
SELECT taken, repeated, received_at = now() AS is_now FROM flows_ingest_receipt(batch(4), 'k');
SELECT batch_key, taken, received_at > now() - interval '1 hour' AS renewed FROM flow_batches;
SELECT taken, repeated FROM flows_ingest_receipt(batch(4), 'k');
SELECT count(*) FROM flows;

-- Dropped in bounded steps by keyed ingests, oldest first; not by others, and none that is young.
TRUNCATE flow_segments, flow_batches;
INSERT INTO flow_batches (batch_key, taken, digest, received_at)
SELECT 'old ' || i, 0, '', now() - interval '8 days' + i * interval '1 second' FROM generate_series(1, 250) i;
INSERT INTO flow_batches (batch_key, taken, digest, received_at) VALUES ('young', 0, '', now() - interval '6 days');
SELECT flows_ingest(batch(1));
SELECT count(*) FROM flow_batches;
SELECT flows_ingest(batch(1), 'a');
SELECT count(*), min(substr(batch_key, 5)::int) FILTER (WHERE batch_key LIKE 'old %') AS oldest_first FROM flow_batches;
SELECT flows_ingest(batch(1), 'b');
SELECT count(*) FROM flow_batches;
SELECT flows_ingest(batch(1), 'c');
SELECT batch_key FROM flow_batches ORDER BY 1;
-- flows_expire() drops them all; SERIALIZABLE writers none.
INSERT INTO flow_batches (batch_key, taken, digest, received_at)
SELECT 'old ' || i, 0, '', now() - interval '8 days' FROM generate_series(1, 2500) i;
SELECT count(*) FROM flow_batches;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT flows_ingest(batch(1), 'd');
COMMIT;
SELECT count(*) FROM flow_batches;
SELECT flows_expire(0);
SELECT batch_key FROM flow_batches ORDER BY 1;
-- A shorter retention, by whoever may set it.
SET fas.batch_key_retention = '1h';
UPDATE flow_batches SET received_at = now() - interval '2 hours' WHERE batch_key < 'c';
SELECT flows_expire(0);
SELECT batch_key FROM flow_batches ORDER BY 1;
RESET fas.batch_key_retention;

DROP FUNCTION batch;
DROP EXTENSION fas;
