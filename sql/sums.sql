-- Sums come as numerics that fas writes itself: each is the numeric that PostgreSQL makes, whatever its length.
\set VERBOSITY terse
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

-- One flow key for each value, in src_app: around every power of two and of ten, with zeros at the end and inside.
CREATE TABLE plain (hour int, src_app text, dest_app text, vpc_id text, bytes_tx bigint, bytes_rx bigint);
INSERT INTO plain
SELECT 1, v::text, 'b', 'v', v, 9223372036854775807 - v
  FROM (SELECT DISTINCT least(greatest(base + off, 0), 9223372036854775807)::bigint AS v
          FROM (SELECT 2::numeric ^ e FROM generate_series(0, 63) e
                UNION ALL SELECT 10::numeric ^ e FROM generate_series(0, 18) e
                UNION ALL SELECT m * 10::numeric ^ e FROM generate_series(0, 16) e, (VALUES (9999), (10001), (1020)) AS t(m)) AS b(base),
               generate_series(-2, 2) AS off) AS t;
INSERT INTO flows SELECT * FROM plain;
-- The binary form shows sign, weight, scale and every digit.
CREATE FUNCTION wrong() RETURNS TABLE (src_app text, fas bytea, postgres bytea) LANGUAGE sql AS $$
  SELECT p.src_app, numeric_send(f.tx) || numeric_send(f.rx), numeric_send(p.tx) || numeric_send(p.rx)
    FROM (SELECT f.src_app, sum(bytes_tx) AS tx, sum(bytes_rx) AS rx FROM flows f GROUP BY f.src_app) f
    FULL JOIN (SELECT p.src_app, sum(bytes_tx) AS tx, sum(bytes_rx) AS rx FROM plain p GROUP BY p.src_app) p USING (src_app)
   WHERE (numeric_send(f.tx) || numeric_send(f.rx)) IS DISTINCT FROM (numeric_send(p.tx) || numeric_send(p.rx))
$$;
SELECT count(*) > 300 AS many FROM plain;
SELECT * FROM wrong();

-- Sums above bigint: the same again and again, and what PostgreSQL calculates with them.
INSERT INTO plain SELECT p.* FROM plain p, generate_series(1, 12);
INSERT INTO flows SELECT p.* FROM plain p WHERE ctid > '(0,0)' OFFSET (SELECT count(*) / 13 FROM plain);
SELECT (SELECT count(*) FROM flows) = (SELECT count(*) FROM plain) AS same_count;
SELECT * FROM wrong();
SELECT a.total = b.total AND a.text = b.text AND a.hash = b.hash AND a.size = b.size AS same
  FROM (SELECT sum(s) AS total, string_agg(s::text, ',' ORDER BY s) AS text, sum(hash_numeric(s)) AS hash, max(s) - min(s) AS size
          FROM (SELECT sum(bytes_tx) AS s FROM flows GROUP BY src_app) t) a,
       (SELECT sum(s) AS total, string_agg(s::text, ',' ORDER BY s) AS text, sum(hash_numeric(s)) AS hash, max(s) - min(s) AS size
          FROM (SELECT sum(bytes_tx) AS s FROM plain GROUP BY src_app) t) b;
-- Nodes that keep rows keep what they were given: sorts, hashes, windows, materialised CTEs, arrays.
WITH kept AS MATERIALIZED (SELECT src_app, sum(bytes_tx) AS s, lag(sum(bytes_tx)) OVER (ORDER BY src_app) AS before FROM flows GROUP BY src_app)
SELECT count(*) FILTER (WHERE k.s <> p.s) AS wrong, count(*) FILTER (WHERE k.before IS NOT NULL) + 1 = count(*) AS windowed
  FROM kept k JOIN (SELECT src_app, sum(bytes_tx) AS s FROM plain GROUP BY src_app) p USING (src_app);

-- First and last hours, with and without what else is asked for beside them.
INSERT INTO flows SELECT h, 'app' || h % 5, 'b', 'vpc' || h % 3, h, 1 FROM generate_series(10, 40) h;
SELECT src_app, min(hour), max(hour), count(*) FROM flows WHERE hour >= 10 GROUP BY src_app ORDER BY src_app;
SELECT min(hour), max(hour), count(*) FROM flows;
SELECT min(hour), max(hour) FROM flows WHERE src_app = 'app1';
SELECT min(hour), max(hour) FROM flows WHERE src_app = 'nobody';
SELECT src_app, min(vpc_id), max(vpc_id), min(hour), max(hour) FROM flows WHERE hour >= 10 GROUP BY src_app HAVING min(hour) > 11 ORDER BY src_app;
SELECT hour, min(hour), max(hour) FROM flows WHERE hour BETWEEN 10 AND 12 GROUP BY hour ORDER BY hour;

DROP FUNCTION wrong();
DROP TABLE plain;
DROP EXTENSION fas;
