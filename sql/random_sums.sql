--
-- The sums, always: random flows go to fas and to a plain table, and every way
-- of asking must give the same answers from both. Many seeds, batch sizes, ways
-- in and orders of hours; metrics up to 2^63-1 with sums above 2^64; before and
-- after compaction, after expire, and after late flows.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
SET synchronous_commit = off;

CREATE TABLE plain (hour int, src_app text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint);
CREATE TABLE incoming (batch int, LIKE plain);
CREATE TABLE outcome (run int, step text, difference text);

-- Zero, the largest, small and any size between.
CREATE FUNCTION random_metric() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT CASE WHEN r < 0.1 THEN 0
              WHEN r < 0.2 THEN 9223372036854775807
              WHEN r < 0.5 THEN floor(random() * 1500)::bigint
              ELSE floor(random() ^ 6 * 9.2e18)::bigint END
  FROM random() r
$$;

-- `n` flows of `hours` hours and `apps` applications in batches of about `size`.
CREATE PROCEDURE generate(n int, size int, first_hour int, hours int, apps int, hour_order text) LANGUAGE sql AS $$
  TRUNCATE incoming;
  INSERT INTO incoming
  SELECT (i - 1) / size,
         first_hour + CASE hour_order WHEN 'ascending' THEN (i - 1)::bigint * hours / n
                                      WHEN 'descending' THEN (n - i)::bigint * hours / n
                                      ELSE floor(random() * hours) END::int,
         'app' || floor(random() ^ 2 * apps)::int,
         CASE WHEN random() < 0.05 THEN 'näme,"' || floor(random() * 5)::int ELSE 'app' || floor(random() ^ 2 * apps)::int END,
         'vpc' || floor(random() * 3)::int,
         random_metric(), random_metric()
  FROM generate_series(1, n) i;
$$;

-- Each batch in a transaction of its own, through another way in each time.
CREATE PROCEDURE take() LANGUAGE plpgsql AS $$
DECLARE
  b int;
  body json;
BEGIN
  FOR b IN SELECT DISTINCT batch FROM incoming ORDER BY batch LOOP
    SELECT json_agg(json_build_object('hour', hour, 'src_app', src_app, 'dest_app', dest_app, 'vpc_id', vpc_id,
                                      'bytes_tx', bytes_tx, 'bytes_rx', bytes_rx)) INTO body FROM incoming WHERE batch = b;
    CASE b % 5
      WHEN 0 THEN PERFORM flows_ingest(body);
      WHEN 1 THEN PERFORM flows_ingest(body::jsonb);
      WHEN 2 THEN INSERT INTO flows SELECT hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx FROM incoming WHERE batch = b;
      ELSE PERFORM flows_ingest(body::text);
    END CASE;
    COMMIT;
  END LOOP;
  INSERT INTO plain SELECT hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx FROM incoming;
  COMMIT;
END $$;

CREATE FUNCTION plain_aggregate(g text[], a int, b int, s text[], d text[], v text[])
RETURNS TABLE (hour int, src_app text, dest_app text, vpc_id text, bytes_tx numeric, bytes_rx numeric, flows bigint)
LANGUAGE sql STABLE AS $$
  WITH chosen AS (
    SELECT * FROM plain p
    WHERE (a IS NULL OR p.hour >= a) AND (b IS NULL OR p.hour <= b) AND (s IS NULL OR p.src_app = ANY (s))
      AND (d IS NULL OR p.dest_app = ANY (d)) AND (v IS NULL OR p.vpc_id = ANY (v)))
  SELECT CASE WHEN 'hour' = ANY (g) THEN c.hour END AS h, CASE WHEN 'src_app' = ANY (g) THEN c.src_app END AS s,
         CASE WHEN 'dest_app' = ANY (g) THEN c.dest_app END AS d, CASE WHEN 'vpc_id' = ANY (g) THEN c.vpc_id END AS v,
         sum(c.bytes_tx), sum(c.bytes_rx), count(*)
  FROM chosen c GROUP BY 1, 2, 3, 4
  UNION ALL SELECT NULL, NULL, NULL, NULL, 0, 0, 0 WHERE g = '{}' AND NOT EXISTS (SELECT FROM chosen)
$$;

-- All that a query says, in one word.
CREATE FUNCTION word(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format('SELECT count(*) || '' '' || coalesce(md5(string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C")), '''') FROM (%s) t', query) INTO answer;
  RETURN answer;
END $$;

CREATE FUNCTION same(label text, from_fas text, from_plain text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  IF word(from_fas) IS DISTINCT FROM word(from_plain) THEN
    RETURN NEXT label || ': ' || from_fas;
  END IF;
END $$;

CREATE FUNCTION random_app() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'app' || floor(random() ^ 2 * 12)::int $$;

-- Where fas and the plain table differ: no row when all is well.
CREATE FUNCTION differences() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  lo int; hi int; a int; b int;
  g text[]; s text[]; d text[]; v text[];
  i int; q text; conditions text[]; c text;
BEGIN
  SELECT min(hour), max(hour) INTO lo, hi FROM plain;
  RETURN QUERY SELECT same('every flow', 'SELECT * FROM flows', 'SELECT * FROM plain');

  RETURN QUERY SELECT same('flows_by_hour',
    format('SELECT h.* FROM generate_series(%s, %s) n, flows_by_hour(n) h', greatest(lo - 1, 0), hi + 1),
    'SELECT src_app, dest_app, vpc_id, sum(bytes_tx) AS bytes_tx, sum(bytes_rx) AS bytes_rx, hour FROM plain GROUP BY 1, 2, 3, 6');

  -- flows_aggregate: all subsets of the dimensions, by random filters.
  FOR i IN 0..31 LOOP
    g := CASE WHEN i & 1 > 0 THEN '{hour}'::text[] ELSE '{}' END || CASE WHEN i & 2 > 0 THEN '{src_app}'::text[] ELSE '{}' END
      || CASE WHEN i & 4 > 0 THEN '{dest_app}'::text[] ELSE '{}' END || CASE WHEN i & 8 > 0 THEN '{vpc_id}'::text[] ELSE '{}' END;
    a := CASE WHEN random() < 0.5 THEN lo - 1 + floor(random() * (hi - lo + 2))::int END;
    b := CASE WHEN random() < 0.5 THEN lo + floor(random() * (hi - lo + 2))::int END;
    s := CASE WHEN random() < 0.3 THEN ARRAY[random_app(), random_app(), NULL, 'nobody'] END;
    d := CASE WHEN random() < 0.3 THEN ARRAY[random_app(), 'näme,"1', random_app()] END;
    v := CASE WHEN random() < 0.2 THEN ARRAY['vpc1'] WHEN random() < 0.05 THEN '{}'::text[] END;
    q := format('(%L, %L, %L, %L::text[], %L::text[], %L::text[])', g, a, b, s, d, v);
    RETURN QUERY SELECT same('flows_aggregate', 'SELECT * FROM flows_aggregate' || q, 'SELECT * FROM plain_aggregate' || q);
  END LOOP;

  -- Plain SQL over either relation.
  conditions := ARRAY['true', 'false', 'hour = ' || lo, format('hour BETWEEN %s AND %s', lo + (hi - lo) / 3, lo + (hi - lo) / 2),
    format('hour IN (%s, %s, -5)', lo, hi), 'hour <> ' || lo, 'hour < ' || hi::bigint + 3000000000, 'hour = ' || lo || ' OR src_app = ' || quote_literal(random_app()),
    'src_app = ' || quote_literal(random_app()), 'src_app <> ' || quote_literal(random_app()),
    'NOT (src_app = ' || quote_literal(random_app()) || ' AND vpc_id = ''vpc0'')',
    'dest_app LIKE ''app1%''', 'dest_app NOT LIKE ''app%''', 'dest_app LIKE ''%1''', 'dest_app IN (''app1'', ''app2'', NULL)',
    'dest_app NOT IN (''app0'', ''app1'')', 'src_app = dest_app', 'src_app > ''app3'' AND src_app <= ''app7''', 'src_app IS NULL', 'vpc_id IS NOT NULL AND hour >= 0',
    'src_app || ''x'' = ''app1x''', 'bytes_tx = 0', 'bytes_tx > bytes_rx AND vpc_id = ''vpc2''', 'vpc_id = NULL', 'hour % 2 = 0 AND vpc_id <> ''vpc1''',
    'src_app = ANY (ARRAY[''app0'', ''app4'', NULL])', 'src_app <> ALL (ARRAY[''app0'', ''app4''])'];
  FOREACH c IN ARRAY conditions LOOP
    RETURN QUERY SELECT same('plain SQL', 'SELECT * FROM flows WHERE ' || c, 'SELECT * FROM plain WHERE ' || c);
    q := (ARRAY[
      'SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), count(*) FROM %1$I WHERE %2$s GROUP BY 1, 2, 3, 4',
      'SELECT sum(bytes_tx), count(*), sum(bytes_rx), sum(bytes_tx) FROM %1$I WHERE %2$s',
      'SELECT dest_app, sum(bytes_rx) AS s, count(bytes_tx) FROM %1$I WHERE %2$s GROUP BY dest_app HAVING sum(bytes_rx) > 1000'])[1 + floor(random() * 3)::int];
    RETURN QUERY SELECT same('plain SQL', format(q, 'flows', c), format(q, 'plain', c));
  END LOOP;
  FOREACH q IN ARRAY ARRAY[
    'SELECT DISTINCT vpc_id, src_app FROM %I',
    'SELECT count(*) FROM %I',
    'SELECT min(hour), max(hour), avg(bytes_tx), max(bytes_rx), count(DISTINCT src_app), min(src_app COLLATE "C") FROM %I',
    'SELECT vpc_id, hour / 3, sum(bytes_tx + 0.5) FROM %I GROUP BY 1, 2',
    'SELECT sum(bytes_tx) FILTER (WHERE vpc_id = ''vpc1''), sum(DISTINCT bytes_rx) FROM %I GROUP BY hour',
    'SELECT src_app, sum(bytes_tx) AS s FROM %I GROUP BY src_app ORDER BY s DESC, src_app LIMIT 3',
    'SELECT hour, src_app, sum(bytes_tx) FROM %I GROUP BY ROLLUP (hour, src_app)',
    'SELECT vpc_id, sum(sum(bytes_tx)) OVER (ORDER BY vpc_id) FROM %I GROUP BY vpc_id',
    'SELECT a.src_app, count(*) FROM (SELECT DISTINCT src_app, dest_app FROM %1$I) a JOIN (SELECT DISTINCT src_app FROM %1$I) b ON a.dest_app = b.src_app GROUP BY 1',
    'SELECT 1 FROM %I GROUP BY hour',
    'SELECT upper(src_app), sum(bytes_tx) FROM %I GROUP BY src_app',
    'SELECT bytes_tx, count(*) FROM %I GROUP BY bytes_tx'] LOOP
    RETURN QUERY SELECT same('plain SQL', format(q, 'flows'), format(q, 'plain'));
  END LOOP;

  -- New talkers.
  FOR i IN 1..6 LOOP
    a := lo + floor(random() * (hi - lo + 1))::int;
    b := lo + floor(random() * (a - lo + 2))::int;
    RETURN QUERY SELECT same('flows_new_keys', format('SELECT * FROM flows_new_keys(%s, %s)', a, b), format(
      'SELECT src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx) FROM plain p WHERE hour = %1$s AND NOT EXISTS
         (SELECT FROM plain o WHERE o.hour >= %2$s AND o.hour < %1$s AND (o.src_app, o.dest_app, o.vpc_id) = (p.src_app, p.dest_app, p.vpc_id))
       GROUP BY 1, 2, 3', a, b));
  END LOOP;

  -- The aggregates over the stored segments, and segments made anew.
  RETURN QUERY SELECT same('flow_rollup_agg',
    'SELECT t.* FROM (SELECT flow_rollup_agg(segment, ''{vpc_id,hour}'') AS r FROM flow_segments) x, unnest(r) t',
    'SELECT * FROM plain_aggregate(''{vpc_id,hour}'', NULL, NULL, NULL, NULL, NULL)');
  RETURN QUERY SELECT same('flow_merge_agg',
    'SELECT f.hour, f.src_app, f.dest_app, f.vpc_id, f.bytes_tx, f.bytes_rx FROM (SELECT flow_merge_agg(segment) AS m FROM flow_segments) x, flow_segment_flows(m) f',
    'SELECT * FROM plain');
  RETURN QUERY SELECT same('flow_segment_agg',
    'SELECT f.hour, f.src_app, f.dest_app, f.vpc_id, f.bytes_tx, f.bytes_rx FROM (SELECT flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) AS m FROM plain) x, flow_segment_flows(m) f',
    'SELECT * FROM plain');
  RETURN QUERY SELECT same('keys of segments',
    'SELECT k.src_app, k.dest_app, k.vpc_id, sum(t.bytes_tx), sum(t.flows) FROM flow_segments s, flow_segment_keys(s.segment) k, flow_segment_sum(s.segment, k.indexes) t WHERE k.src_app IN (''app1'', ''app2'') GROUP BY 1, 2, 3',
    'SELECT src_app, dest_app, vpc_id, sum(bytes_tx), count(*)::numeric FROM plain WHERE src_app IN (''app1'', ''app2'') GROUP BY 1, 2, 3');
  RETURN QUERY SELECT same('flows_stats', 'SELECT flows, hours FROM flows_stats()', 'SELECT count(*), count(DISTINCT hour) FROM plain');
  RETURN QUERY SELECT 'flows_check: ' || problem FROM flows_check();
  RETURN QUERY SELECT same('columns of flow_segments', 'SELECT min(hour_min), max(hour_max), sum(flows) FROM flow_segments', 'SELECT min(hour), max(hour), count(*)::numeric FROM plain');
END $$;

CREATE PROCEDURE compact() LANGUAGE plpgsql AS $$
DECLARE n int := 0; did record;
BEGIN
  LOOP
    SELECT * INTO did FROM flows_compact();
    COMMIT;
    EXIT WHEN did.segments_read = 0 OR n > 100;
    n := n + 1;
  END LOOP;
  IF n > 100 THEN RAISE EXCEPTION 'compaction never ends'; END IF;
END $$;

CREATE PROCEDURE run(number int, n int, size int, first_hour int, hours int, apps int, hour_order text) LANGUAGE plpgsql AS $$
DECLARE middle int := first_hour + hours / 2; dropped bigint; gone bigint;
BEGIN
  PERFORM setseed(number / 1000.0);
  TRUNCATE plain, flow_segments, flow_batches;
  COMMIT;
  CALL generate(n, size, first_hour, hours, apps, hour_order);
  CALL take();
  INSERT INTO outcome SELECT number, 'taken', d FROM differences() d;
  COMMIT;
  CALL compact();
  INSERT INTO outcome SELECT number, 'compacted', d FROM differences() d;
  COMMIT;
  SELECT flows_expire(middle) INTO dropped;
  COMMIT;
  DELETE FROM plain WHERE hour < middle;
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF dropped IS DISTINCT FROM gone THEN
    INSERT INTO outcome VALUES (number, 'expire', format('flows_expire said %s, %s were there', dropped, gone));
  END IF;
  INSERT INTO outcome SELECT number, 'expired', d FROM differences() d;
  COMMIT;
  CALL generate(n / 10 + 1, size, first_hour, hours, apps, 'random'); -- late flows, of expired hours too
  CALL take();
  INSERT INTO outcome SELECT number, 'late', d FROM differences() d;
  COMMIT;
  CALL compact();
  INSERT INTO outcome SELECT number, 'late, compacted', d FROM differences() d;
  COMMIT;
END $$;

CALL run(1, 300, 10, 0, 5, 10, 'random');
CALL run(2, 1, 1, 0, 1, 1, 'ascending');
CALL run(3, 2000, 7, 100, 24, 5, 'ascending');
CALL run(4, 2000, 50, 490000, 24, 20, 'descending');
CALL run(5, 5000, 500, 490000, 48, 30, 'random');
CALL run(6, 6000, 300, 2147483600, 40, 40, 'random');
CALL run(7, 9000, 9000, 7, 3, 200, 'ascending');
CALL run(8, 1000, 1, 50, 1, 3, 'random');
CALL run(9, 3000, 100, 1000, 1000, 15, 'random');

-- The largest sums there are: exact, no wrap.
TRUNCATE flow_segments;
INSERT INTO flows SELECT 7, 'a', 'b', 'c', 9223372036854775807, 9223372036854775807 FROM generate_series(1, 100000);
SELECT * FROM flows_by_hour(7);
SELECT sum(bytes_tx) = 100000::numeric * 9223372036854775807 AS exact, sum(bytes_rx) > 2::numeric ^ 64 AS large FROM flows;

-- Nothing may differ.
SELECT * FROM outcome ORDER BY 1, 2, 3;

DROP TABLE plain, incoming, outcome;
DROP PROCEDURE generate, take, compact, run;
DROP FUNCTION random_metric, plain_aggregate, word, same, random_app, differences;
TRUNCATE flow_segments;
