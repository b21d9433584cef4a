--
-- What goes down to segments and cells, and that the answers are those of a
-- plain table whether it does or not.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
CREATE TABLE plain (hour int, src_app text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint);
INSERT INTO plain
  SELECT n % 7, s, d, 'v' || n % 11, n * 1000003 % 997, 9223372036854775807 - n
  FROM (SELECT s, d, row_number() OVER () AS n
        FROM unnest('{a,A,b,B,ab,aB,ä,ae,z,_,a_b,a%,app1,app2,app10,é,"null",1}'::text[]) s, unnest('{a,B,c,app}'::text[]) d, generate_series(1, 9)) x;
INSERT INTO flows SELECT * FROM plain WHERE hour < 3;
INSERT INTO flows SELECT * FROM plain WHERE hour >= 3 AND src_app < 'b';
INSERT INTO flows SELECT * FROM plain WHERE hour >= 3 AND src_app >= 'b';

-- The lines of a plan that say what goes down and what does not.
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    line := trim(leading ' ->' FROM line);
    IF line ~ 'Condition:|Aggregate|Group|Unique|Rows:|^Filter:|Result|One-Time' THEN RETURN NEXT line; END IF;
  END LOOP;
END $$;
CREATE FUNCTION where_plan(condition text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(line, ' | ') FROM plan('SELECT 1 FROM flows WHERE ' || condition) line WHERE line NOT LIKE 'Rows:%'
$$;

-- Conditions.
CREATE TABLE conditions (id int GENERATED ALWAYS AS IDENTITY, c text);
INSERT INTO conditions (c) VALUES
  ('hour = 3'), ('3 = hour'), ('hour <> 3'), ('2 < hour'), ('hour <= 3::bigint'), ('hour >= 3::smallint'), ('hour > 9223372036854775807'), ('hour::bigint < 4'), ('hour BETWEEN 2 AND 4'),
  ('hour BETWEEN SYMMETRIC 4 AND 2'), ('hour IN (1, 3, 77)'), ('hour NOT IN (1, 3, 77)'), ('hour = ANY (''{1,NULL}''::bigint[])'), ('hour <> ALL (''{1,NULL}''::int[])'), ('hour = ANY (NULL::int[])'), ('hour = ANY (''{}''::int[])'), ('hour <> ALL (''{}''::int[])'),
  ('hour = NULL'), ('NOT hour = NULL'), ('hour = 3.0'), ('hour % 2 = 0'), ('hour + 1 = 3'), ('hour = 1 + 2'), ('-hour < 0'),
  ('src_app = ''a'''), ('''a'' = src_app'), ('src_app <> ''a'''), ('src_app < ''b'''), ('src_app >= ''b'' AND src_app < ''c'''), ('''b'' < src_app'), ('src_app = ''nobody'''), ('src_app = '''''),
  ('src_app IN (''a'', ''A'', NULL)'), ('src_app NOT IN (''a'', ''A'')'), ('src_app NOT IN (''a'', NULL)'), ('src_app = ANY (''{}'')'), ('src_app <> ANY (''{a,b}'')'), ('src_app = ALL (''{a}'')'), ('src_app < ANY (''{a,b}'')'),
  ('src_app LIKE ''app%'''), ('src_app LIKE ''app1'''), ('src_app LIKE ''a\%'''), ('src_app LIKE ''a\_b%'''), ('src_app LIKE ''a%b'''), ('src_app LIKE ''app_'''), ('src_app LIKE ''%b'''), ('src_app LIKE ''%'''), ('src_app LIKE '''''), ('src_app LIKE NULL'),
  ('src_app NOT LIKE ''app%'''), ('src_app NOT LIKE ''a%b'''), ('NOT (src_app LIKE ''a%b'' AND hour = 3)'), ('src_app LIKE ''a!%%'' ESCAPE ''!'''), ('src_app ILIKE ''A%'''), ('src_app ^@ ''app'''), ('NOT src_app ^@ ''app'''), ('src_app ~ ''^a'''),
  ('src_app COLLATE "en-US-x-icu" = ''a'''), ('src_app COLLATE "en-US-x-icu" < ''b'''), ('src_app COLLATE "en-US-x-icu" IN (''a'', ''b'')'), ('src_app COLLATE "POSIX" < ''b'''), ('src_app::varchar = ''a'''), ('src_app::bpchar = ''a'''), ('src_app = ''a''::name'), ('lower(src_app) = ''a'''),
  ('src_app = dest_app'), ('src_app < dest_app AND hour = 3'), ('bytes_tx > 500'), ('bytes_tx > 500 AND hour = 3'), ('bytes_tx > 500 OR hour = 3'),
  ('hour IS NULL'), ('hour IS NOT NULL'), ('bytes_tx IS NULL'), ('NOT (src_app IS NULL OR hour = 3)'), ('(hour = 3) IS TRUE'), ('(hour = 3) IS NOT TRUE'), ('src_app IS DISTINCT FROM ''a'''),
  ('hour = 3 OR src_app = ''a'''), ('NOT (hour = 3 OR src_app = ''a'')'), ('NOT (hour < 3 AND NOT src_app = ''a'')'), ('(hour = 3 AND src_app = ''a'') OR (hour = 4 AND (dest_app = ''c'' OR vpc_id LIKE ''v1%''))'),
  ('(hour = 3 AND bytes_tx > 500) OR (hour = 4 AND bytes_tx < 100)'), ('NOT ((hour = 3 AND bytes_tx > 500) OR src_app = ''a'')'), ('(src_app, dest_app) = (''a'', ''B'')'), ('(src_app, dest_app) IN ((''a'', ''B''), (''z'', ''c''))'), ('(hour, src_app) > (3, ''b'')'),
  ('CASE WHEN hour = 3 THEN src_app = ''a'' ELSE false END'), ('coalesce(hour, 0) = 3'), ('hour = (SELECT 3)'), ('hour = (SELECT max(hour) FROM plain) - 1'), ('hour IN (SELECT 3 UNION SELECT 4)'), ('EXISTS (SELECT FROM plain p WHERE p.hour = flows.hour + 4)'),
  ('random() < 0 OR hour = 3'), ('hour = 3 AND random() >= 0'), ('true'), ('false'), ('NULL::boolean'), ('hour = 3 OR now() IS NULL'), ('now() IS NOT NULL');
-- Plans with a NULL test or a sub-select differ between versions of PostgreSQL.
SELECT c, where_plan(c) FROM conditions WHERE c !~ 'IS (NOT )?NULL|SELECT' OR c ~ 'now' ORDER BY id;

-- Each of them, asked of both relations: rows, cells, one total, with least and greatest, DISTINCT.
CREATE TABLE questions (q text);
INSERT INTO questions VALUES
  ('SELECT flows.* FROM @ AS flows WHERE %s'),
  ('SELECT src_app, bytes_rx FROM @ AS flows WHERE %s'),
  ('SELECT 1 FROM @ AS flows WHERE %s'),
  ('SELECT vpc_id, hour, sum(bytes_tx), sum(bytes_rx), count(*), avg(bytes_rx) FROM @ AS flows WHERE %s GROUP BY 1, 2'),
  ('SELECT count(dest_app), sum(bytes_rx), min(hour), max(hour), min(src_app), max(dest_app), avg(bytes_tx) FROM @ AS flows WHERE %s'),
  ('SELECT src_app, max(vpc_id), min(hour), sum(bytes_tx) FROM @ AS flows WHERE %s GROUP BY 1 HAVING count(*) > 4'),
  ('SELECT DISTINCT dest_app, hour FROM @ AS flows WHERE %s');
CREATE FUNCTION differs(question text, condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE answer boolean;
BEGIN
  EXECUTE format('WITH a AS (%s), b AS (%s) SELECT EXISTS (TABLE a EXCEPT ALL TABLE b) OR EXISTS (TABLE b EXCEPT ALL TABLE a)',
                 format(replace(question, '@', 'flows'), condition), format(replace(question, '@', 'plain'), condition)) INTO answer;
  RETURN answer;
END $$;
SELECT c, q FROM conditions, questions WHERE differs(q, c) ORDER BY id;
-- Nor does NOT lose or gain a row.
SELECT c, q FROM conditions, questions WHERE differs(q, 'NOT (' || c || ')') ORDER BY id;
-- Combinations of two and three.
CREATE TABLE combinations AS
  SELECT format(form, a.c, b.c, c.c) AS c
  FROM (SELECT count(*)::int AS n FROM conditions) x, conditions a, conditions b, conditions c,
       unnest('{"(%1$s) AND (%2$s)","(%1$s) OR (%2$s)","NOT ((%1$s) OR ((%2$s) AND NOT (%3$s)))","(%1$s) AND ((%2$s) OR (%3$s))"}'::text[]) WITH ORDINALITY f(form, k)
  WHERE b.id = 1 + (a.id * 31 + k * 17) % n AND c.id = 1 + (a.id * 57 + k * 5) % n;
SELECT count(*) > 300 AS many FROM combinations;
SELECT c, q FROM combinations, questions WHERE differs(q, c);

-- Aggregates: what cells answer, and what PostgreSQL computes from rows.
CREATE TABLE aggregates (id int GENERATED ALWAYS AS IDENTITY, q text);
INSERT INTO aggregates (q) VALUES
  ('SELECT count(*) FROM @'), ('SELECT sum(bytes_tx), sum(bytes_rx), count(hour), avg(bytes_rx) FROM @ WHERE hour = 99'), ('SELECT min(hour), max(hour), min(src_app), max(vpc_id) FROM @'), ('SELECT count(*) FROM @ HAVING count(*) > 5000'),
  ('SELECT hour, src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), count(*) FROM @ GROUP BY 1, 2, 3, 4'), ('SELECT sum(bytes_tx) FROM @ GROUP BY src_app, hour'), ('SELECT src_app FROM @ GROUP BY src_app'), ('SELECT DISTINCT src_app, hour FROM @ WHERE hour < 3'),
  ('SELECT hour * 2, upper(src_app), sum(bytes_tx) / count(*) + hour FROM @ GROUP BY hour, src_app HAVING sum(bytes_tx) > 100 AND hour < 5'), ('SELECT src_app, generate_series(1, 2), count(*) FROM @ GROUP BY src_app'),
  ('SELECT flow_group(hour, true), flow_group(src_app, 1 > 2), flow_group(vpc_id, NULL), count(*) FROM @ GROUP BY 1, 2, 3'), ('SELECT flow_group(hour, false), count(*) FROM @ WHERE hour > 99 GROUP BY 1'), ('SELECT hour, flow_group(hour, false), max(hour) FROM @ GROUP BY 1, 2'),
  ('SELECT flow_group(hour, hour > 2), count(*) FROM @ GROUP BY 1'), ('SELECT hour + 1, count(*) FROM @ GROUP BY 1'), ('SELECT src_app COLLATE "en-US-x-icu", count(*) FROM @ GROUP BY 1'), ('SELECT hour, sum(bytes_tx) FILTER (WHERE src_app = ''a'') FROM @ GROUP BY 1'), ('SELECT hour, max(bytes_tx) FROM @ GROUP BY 1'),
  ('SELECT hour, sum(bytes_tx + 1) FROM @ GROUP BY 1'), ('SELECT hour, sum(bytes_tx) FROM @ GROUP BY 1 HAVING max(bytes_rx) > 5'), ('SELECT min(src_app COLLATE "en-US-x-icu") FROM @'), ('SELECT hour, sum(bytes_tx) FROM @ WHERE bytes_rx > 5 GROUP BY 1'), ('SELECT hour, bytes_tx, count(*) FROM @ GROUP BY 1, 2'), ('SELECT sum(hour) FROM @'), ('SELECT max(t::text) FROM @ t');
SELECT q, (SELECT string_agg(line, ' | ') FROM plan(replace(q, '@', 'flows')) line) FROM aggregates ORDER BY id;
-- These plans differ between versions of PostgreSQL; the answers do not.
INSERT INTO aggregates (q) VALUES
  ('SELECT hour, row_number() OVER (ORDER BY hour), sum(sum(bytes_tx)) OVER (ORDER BY hour) FROM @ GROUP BY hour'), ('SELECT hour, count(DISTINCT src_app) FROM @ GROUP BY 1'), ('SELECT hour, string_agg(src_app, '','' ORDER BY src_app, bytes_tx) FROM @ GROUP BY 1'), ('SELECT hour, src_app, count(*), grouping(hour) FROM @ GROUP BY ROLLUP (hour, src_app)'),
  ('SELECT DISTINCT ON (hour) hour, src_app FROM @ ORDER BY hour, src_app'), ('SELECT DISTINCT bytes_tx FROM @ WHERE hour = 3'), ('SELECT count(*) FROM @ a JOIN @ b USING (hour, src_app)'), ('SELECT hour, src_app, count(*) FROM @ WHERE hour = 3 AND src_app = ''a'' GROUP BY 1, 2'), ('SELECT hour, count(*) FROM (SELECT DISTINCT hour, src_app FROM @) x GROUP BY 1'),
  ('SELECT hour, n FROM (SELECT hour, count(*) AS n FROM @ GROUP BY 1) x WHERE n > 80 AND hour < 4'), ('SELECT src_app FROM @ WHERE hour = 1 INTERSECT SELECT src_app FROM @ WHERE hour = 2'), ('SELECT hour, sum(bytes_tx) FROM @ GROUP BY 1 UNION ALL SELECT NULL, sum(bytes_rx) FROM @');
SELECT q FROM aggregates WHERE differs(q || ' /* %s */', '') ORDER BY id;

-- Values that come late: generic plans, parameters of joins and of subqueries, NULL among them.
SET plan_cache_mode = force_generic_plan;
PREPARE p(int, text, text[], boolean, text, bigint[]) AS
  SELECT hour, flow_group(src_app, $4), count(*), sum(bytes_rx) FROM flows
  WHERE (hour >= $1 OR $4) AND src_app <> $2 AND (dest_app = ANY ($3) OR $3 IS NULL) AND ($5 IS NULL OR src_app ^@ $5) AND NOT hour = ANY ($6) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM plan('EXECUTE p(5, ''z'', NULL, NULL, ''app'', ''{}'')');
EXECUTE p(5, 'z', NULL, NULL, 'app', '{}');
EXECUTE p(5, 'z', '{a,NULL}', false, 'app1', '{6}');
EXECUTE p(NULL, 'app1', '{a,B}', true, 'app1', '{6,5,4,3}');
EXECUTE p(1, NULL, NULL, false, NULL, '{}');
EXECUTE p(1, 'z', NULL, false, NULL, '{NULL}');
PREPARE l(text) AS SELECT count(*) FROM flows WHERE src_app LIKE $1;
SELECT * FROM plan('EXECUTE l(''app%'')');
EXECUTE l('app%');
EXECUTE l('%1');
EXECUTE l('a\%');
EXECUTE l('app\');
EXECUTE l(NULL);
-- Values that are not needed are not computed, as in PostgreSQL.
PREPARE d(int) AS SELECT count(*) FROM flows WHERE $1 = 0 OR hour = 6 / $1;
EXECUTE d(0);
EXECUTE d(2);
RESET plan_cache_mode;
DEALLOCATE ALL;
SELECT h, x.* FROM generate_series(5, 8) h LEFT JOIN LATERAL (SELECT min(src_app), sum(bytes_tx), count(*) FROM flows WHERE hour = h AND src_app < 'b') x ON true;
SELECT h, (SELECT sum(bytes_tx) FROM flows WHERE hour = h) IS NOT DISTINCT FROM (SELECT sum(bytes_tx) FROM plain WHERE hour = h) AS same FROM generate_series(0, 7) h;
SELECT a, n FROM unnest('{a,B,nobody}'::text[]) a, LATERAL (SELECT count(*) AS n FROM (SELECT * FROM flows WHERE src_app = a OFFSET 0) f) x ORDER BY n;
SELECT count(*) FROM plain p WHERE hour = 3 AND EXISTS (SELECT FROM flows f WHERE f.hour = p.hour + 1 AND f.src_app = p.src_app AND f.bytes_tx > p.bytes_tx);
SELECT count(*) FROM plain p WHERE hour = 3 AND EXISTS (SELECT FROM plain f WHERE f.hour = p.hour + 1 AND f.src_app = p.src_app AND f.bytes_tx > p.bytes_tx);
-- A join that reads the table again and again.
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT count(*), sum(f.bytes_tx) FROM generate_series(1, 3) g, flows f WHERE f.hour = 3 AND f.bytes_tx > g * 100;
SELECT count(*), sum(f.bytes_tx) FROM generate_series(1, 3) g, plain f WHERE f.hour = 3 AND f.bytes_tx > g * 100;
SELECT count(*) FROM (SELECT src_app, sum(bytes_tx) s FROM flows GROUP BY 1) a JOIN (SELECT src_app, sum(bytes_tx) s FROM flows GROUP BY 1) b ON a.s <= b.s;
SELECT count(*) FROM (SELECT src_app, sum(bytes_tx) s FROM plain GROUP BY 1) a JOIN (SELECT src_app, sum(bytes_tx) s FROM plain GROUP BY 1) b ON a.s <= b.s;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- How much is read: segments by their hours, of columns what is needed. Sizes are left out.
CREATE FUNCTION reads(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line !~ 'Bytes Read|Planning|Execution' THEN RETURN NEXT line; END IF;
  END LOOP;
END $$;
SELECT * FROM reads('SELECT count(*) FROM flows WHERE hour = 1');
SELECT * FROM reads('SELECT count(*) FROM flows WHERE hour > 99');
SELECT * FROM reads('SELECT bytes_rx FROM flows WHERE hour IN (1, 2) AND src_app = ''a''');
SELECT * FROM reads('SELECT 1 FROM flows WHERE src_app = ''a''');
SELECT * FROM reads('SELECT * FROM flows WHERE bytes_tx < 20 AND hour = 6 LIMIT 1');
DROP TABLE plain, conditions, questions, combinations, aggregates;
DROP FUNCTION plan, where_plan, differs, reads;
TRUNCATE flow_segments;
