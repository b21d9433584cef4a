--
-- Real flows (packet captures) through every way in and every way out: the
-- figures that their README gives, computed apart from fas, must come out.
-- The file is not part of the project; FAS_REAL_FLOWS names it. Without it this
-- suite says so and stops (expected/real_flows_1.out).
--
\set present `test -r "$FAS_REAL_FLOWS" && echo true || echo false`
\if :present
\else
\echo skip: FAS_REAL_FLOWS names no readable file
\quit
\endif

SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

\set body `cat "$FAS_REAL_FLOWS"`
CREATE TEMP TABLE body AS SELECT :'body'::text AS t;
CREATE TEMP TABLE plain AS
  SELECT f.* FROM body, json_to_recordset(t::json)
    AS f(hour int, src_app text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint);
CREATE TEMP TABLE out_flows (LIKE plain);

-- What the README says, from rows of any origin.
CREATE FUNCTION figures(relation regclass, OUT flows bigint, OUT hours bigint, OUT keys bigint, OUT pairs bigint,
                        OUT tx numeric, OUT rx numeric, OUT zero_metric bigint, OUT hour_0 bigint)
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format($q$
    SELECT count(*), count(DISTINCT hour), count(DISTINCT (src_app, dest_app, vpc_id)),
           count(DISTINCT (hour, src_app, dest_app, vpc_id)), sum(bytes_tx), sum(bytes_rx),
           count(*) FILTER (WHERE bytes_tx = 0 OR bytes_rx = 0), count(*) FILTER (WHERE hour = 0)
    FROM %s$q$, relation) INTO flows, hours, keys, pairs, tx, rx, zero_metric, hour_0;
END $$;

-- The same through the functions: sums by hour, the two hours of the README, roll-ups.
CREATE VIEW by_hour AS
  SELECT h.hour, count(*) AS keys, sum(h.bytes_tx) AS tx, sum(h.bytes_rx) AS rx
  FROM (SELECT DISTINCT hour FROM flows) f, flows_by_hour(f.hour) h GROUP BY h.hour;
CREATE FUNCTION answers() RETURNS TABLE (question text, a numeric, b numeric, c numeric) LANGUAGE sql AS $$
  SELECT 'flows_by_hour: all', sum(keys), sum(tx), sum(rx) FROM by_hour
  UNION ALL SELECT 'flows_by_hour: 261765', keys, tx, rx FROM by_hour WHERE hour = 261765
  UNION ALL SELECT 'flows_by_hour: 0', keys, tx, rx FROM by_hour WHERE hour = 0
  UNION ALL SELECT 'flows_aggregate: pairs', count(*), sum(bytes_tx), sum(bytes_rx) FROM flows_aggregate()
  UNION ALL SELECT 'flows_aggregate: keys', count(*), sum(bytes_tx), sum(bytes_rx) FROM flows_aggregate('{src_app,dest_app,vpc_id}')
  UNION ALL SELECT 'flows_aggregate: hours', count(*), sum(bytes_tx), sum(bytes_rx) FROM flows_aggregate('{hour}')
  UNION ALL SELECT 'flows_aggregate: {}', flows, bytes_tx, bytes_rx FROM flows_aggregate('{}')
  UNION ALL SELECT 'plain SQL: pairs', count(*), sum(tx), sum(rx) FROM
      (SELECT sum(bytes_tx) AS tx, sum(bytes_rx) AS rx FROM flows GROUP BY hour, src_app, dest_app, vpc_id) s
  UNION ALL SELECT 'rows that differ', count(*), NULL, NULL FROM
      ((TABLE flows EXCEPT ALL TABLE plain) UNION ALL (TABLE plain EXCEPT ALL TABLE flows)) d
$$;

SELECT * FROM figures('plain');

-- In: flows_ingest(text)
SELECT flows_ingest(t) FROM body;
SELECT * FROM figures('flows');
SELECT * FROM answers();

-- In: flows_ingest(json)
TRUNCATE flow_segments;
SELECT flows_ingest(t::json) FROM body;
SELECT * FROM figures('flows');
SELECT * FROM answers();

-- In: flows_ingest(jsonb)
TRUNCATE flow_segments;
SELECT flows_ingest(t::jsonb) FROM body;
SELECT * FROM figures('flows');
SELECT * FROM answers();

-- In: INSERT
TRUNCATE flow_segments;
INSERT INTO flows SELECT * FROM plain;
SELECT * FROM figures('flows');
SELECT * FROM answers();

-- In: COPY
TRUNCATE flow_segments;
\set file `mktemp`
\setenv FAS_TEST_FILE :file
\copy plain TO PROGRAM 'cat >"$FAS_TEST_FILE"'
\copy flows FROM PROGRAM 'cat "$FAS_TEST_FILE"'
SELECT * FROM figures('flows');
SELECT * FROM answers();

-- In: one batch for each flow, the latest hours first, and compaction
TRUNCATE flow_segments;
DO $$
DECLARE one json;
BEGIN
  FOR one IN SELECT e FROM body, json_array_elements(t::json) e ORDER BY (e->>'hour')::int DESC LOOP
    PERFORM flows_ingest('[' || one::text || ']');
  END LOOP;
END $$;
SELECT * FROM figures('flows');
SELECT flows > 0 AS merged FROM flows_compact();
SELECT * FROM figures('flows');
SELECT * FROM answers();

-- Out: COPY
\copy (SELECT * FROM flows) TO PROGRAM 'cat >"$FAS_TEST_FILE"'
\copy out_flows FROM PROGRAM 'cat "$FAS_TEST_FILE"'
SELECT * FROM figures('out_flows');
SELECT count(*) AS rows_that_differ FROM ((TABLE out_flows EXCEPT ALL TABLE plain) UNION ALL (TABLE plain EXCEPT ALL TABLE out_flows)) d;
\! rm -f "$FAS_TEST_FILE"

-- Every hour, flow key and peer by itself.
SELECT count(*) AS wrong_hours FROM (SELECT DISTINCT hour FROM plain) p
WHERE (SELECT sum(bytes_tx) FROM flows f WHERE f.hour = p.hour) IS DISTINCT FROM (SELECT sum(bytes_tx) FROM plain f WHERE f.hour = p.hour);
SELECT count(*) AS wrong_peers FROM (SELECT DISTINCT dest_app FROM plain) p
WHERE (SELECT sum(bytes_rx) FROM flows f WHERE f.dest_app = p.dest_app) IS DISTINCT FROM (SELECT sum(bytes_rx) FROM plain f WHERE f.dest_app = p.dest_app);
SELECT * FROM flows_check();

DROP VIEW by_hour CASCADE;
DROP FUNCTION figures(regclass);
TRUNCATE flow_segments;
