--
-- The aggregates of both widths: NULLs, empty groups, FILTER, DISTINCT, window frames, many groups, in parallel, and damaged values.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
SET fas.roaring_output_format = 'array';
CREATE FUNCTION code_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE query;
  RETURN 'accepted';
EXCEPTION WHEN others THEN RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

-- Each group: what all aggregates make of it. NULLs don't count; nothing but NULLs is NULL, and so is no row.
CREATE TABLE groups (g text, n int, b roaringbitmap);
INSERT INTO groups VALUES ('null', 1, NULL), ('null', 2, NULL), ('empty', 1, '{}'), ('one', 1, '{1}'), ('two', 1, '{1,10,100}'), ('two', 2, '{2,10}'), ('same', 1, '{1,10}'), ('same', 2, '{1,10}'),
  ('null first', 1, NULL), ('null first', 2, '{1,10,100}'), ('null first', 3, '{1}'), ('null between', 1, '{1,10,100}'), ('null between', 2, NULL), ('null between', 3, '{1,10,100,101}'),
  ('empty last', 1, '{1,10}'), ('empty last', 2, '{}'), ('empty first', 1, '{}'), ('empty first', 2, '{4294967295}'), ('three', 1, '{1,2,70000}'), ('three', 2, '{2,3,70000}'), ('three', 3, '{2,4,4294967295}');
SELECT g, rb_or_agg(b ORDER BY n) AS "or", rb_or_cardinality_agg(b ORDER BY n) AS n_or, rb_and_agg(b ORDER BY n) AS "and", rb_and_cardinality_agg(b ORDER BY n) AS n_and, rb_xor_agg(b ORDER BY n) AS "xor", rb_xor_cardinality_agg(b ORDER BY n) AS n_xor
FROM groups GROUP BY g ORDER BY g;
CREATE VIEW groups64 AS SELECT g, n, (SELECT rb64_build_agg(m * 5000000000) FROM rb_iterate(b) m) AS b, b IS NULL AS is_null FROM groups;
SELECT g, rb64_or_agg(b ORDER BY n) AS "or", rb64_or_cardinality_agg(b ORDER BY n) AS n_or, rb64_and_agg(b ORDER BY n) AS "and", rb64_and_cardinality_agg(b ORDER BY n) AS n_and, rb64_xor_agg(b ORDER BY n) AS "xor", rb64_xor_cardinality_agg(b ORDER BY n) AS n_xor
FROM (SELECT g, n, CASE WHEN is_null THEN NULL ELSE coalesce(b, '{}') END AS b FROM groups64) x GROUP BY g ORDER BY g;
SELECT rb_or_agg(b) IS NULL AND rb_and_agg(b) IS NULL AND rb_xor_agg(b) IS NULL AND rb_or_cardinality_agg(b) IS NULL AND rb_build_agg(n) IS NULL AND rb64_build_agg(n) IS NULL AS no_row_is_null FROM groups WHERE false;
SELECT rb_or_agg(b) FILTER (WHERE n > 1) AS filtered, rb_or_agg(b) FILTER (WHERE n > 9) IS NULL AS filtered_out, rb_xor_agg(DISTINCT b) FILTER (WHERE g = 'same') AS "distinct", rb_xor_agg(b) FILTER (WHERE g = 'same') AS not_distinct FROM groups;
SELECT rb_build_agg(i) AS build, rb_build_agg(DISTINCT i) AS "distinct", rb_build_agg(i) FILTER (WHERE i > 5) AS filtered, rb64_build_agg(i) AS build64 FROM (VALUES (7), (NULL), (1), (-1), (7), (2147483647)) v(i);
SELECT rb_build_agg(NULL::int) IS NULL AS nulls, rb64_build_agg(NULL::bigint) IS NULL AS nulls64 FROM generate_series(1, 3);
SELECT rb64_build_agg(i) AS ends FROM unnest('{-9223372036854775808,9223372036854775807,0,-1,4294967296}'::bigint[]) i;

-- Window functions: frames that grow and frames that move. A final function is called between transitions, and changes nothing.
SELECT i, rb_build_agg(i) OVER (ORDER BY i) AS so_far, rb_build_agg(i) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS around, rb_build_agg(i) OVER (PARTITION BY i % 2) AS kind
FROM generate_series(1, 6) i ORDER BY i;
CREATE TABLE frames AS
SELECT i, (SELECT rb_build_agg(CASE k % 3 WHEN 0 THEN (i * 7919 + k * 31) % 200000 WHEN 1 THEN i % 5 * 1000 + k ELSE 300000 + k * (i % 4) END) FROM generate_series(1, 3000) k) AS b FROM generate_series(1, 40) i;
CREATE VIEW framed AS
SELECT i, rb_or_agg(b) OVER w AS o, rb_and_agg(b) OVER w AS a, rb_xor_agg(b) OVER w AS x, rb_or_cardinality_agg(b) OVER w AS no, rb_and_cardinality_agg(b) OVER w AS na, rb_xor_cardinality_agg(b) OVER w AS nx,
       rb64_or_agg(b::roaringbitmap64) OVER w AS o64, rb64_and_agg(b::roaringbitmap64) OVER w AS a64, rb64_xor_agg(b::roaringbitmap64) OVER w AS x64, first_value(i) OVER w AS lo, last_value(i) OVER w AS hi
FROM frames WINDOW w AS (ORDER BY i ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING)
UNION ALL
SELECT i, rb_or_agg(b) OVER w, rb_and_agg(b) OVER w, rb_xor_agg(b) OVER w, rb_or_cardinality_agg(b) OVER w, rb_and_cardinality_agg(b) OVER w, rb_xor_cardinality_agg(b) OVER w,
       rb64_or_agg(b::roaringbitmap64) OVER w, rb64_and_agg(b::roaringbitmap64) OVER w, rb64_xor_agg(b::roaringbitmap64) OVER w, 1, i
FROM frames WINDOW w AS (ORDER BY i);
SELECT count(*), bool_and(o = (SELECT rb_or_agg(b) FROM frames WHERE i BETWEEN lo AND hi)) AS "or", bool_and(a = (SELECT rb_and_agg(b) FROM frames WHERE i BETWEEN lo AND hi)) AS "and",
       bool_and(x = (SELECT rb_xor_agg(b) FROM frames WHERE i BETWEEN lo AND hi)) AS "xor", bool_and(no = rb_cardinality(o) AND na = rb_cardinality(a) AND nx = rb_cardinality(x)) AS cardinalities,
       bool_and(o64 = o::roaringbitmap64 AND a64 = a::roaringbitmap64 AND x64 = x::roaringbitmap64) AS same64
FROM framed;
-- The same, one by one, with the functions of two bitmaps; and from plain numbers.
WITH RECURSIVE fold(i, o, a, x) AS (
  SELECT 1, b, b, b FROM frames WHERE i = 1
  UNION ALL SELECT f.i, rb_or(o, b), rb_and(a, b), rb_xor(x, b) FROM fold, frames f WHERE f.i = fold.i + 1)
SELECT bool_and(fold.o = w.o AND fold.a = w.a AND fold.x = w.x) AS one_by_one FROM fold JOIN (SELECT * FROM framed WHERE lo = 1 AND hi = i) w USING (i);
SELECT rb_or_agg(b) = (SELECT rb_build(array_agg(m)) FROM frames, rb_iterate(b) m) AS numbers_or,
       rb_and_agg(b) = (SELECT coalesce(rb_build_agg(m), '{}') FROM (SELECT m FROM frames, rb_iterate(b) m GROUP BY m HAVING count(*) = 40) y) AS numbers_and,
       rb_xor_agg(b) = (SELECT rb_build_agg(m) FROM (SELECT m FROM frames, rb_iterate(b) m GROUP BY m HAVING count(*) % 2 = 1) y) AS numbers_xor FROM frames;
SELECT rb_or_agg(a) = rb_or_agg(b) AS shared FROM (SELECT b AS a, b FROM frames) x;
DROP VIEW framed;

-- Frames that move take back what leaves them: xor does that itself, all others are computed anew. Against the same rows without
-- a window: NULLs, nothing but NULLs, repetitions, FILTER, frames that overlap, do not, or begin behind the row.
CREATE TABLE moving AS
SELECT i, CASE WHEN i % 11 IN (3, 4, 5, 6) THEN NULL WHEN i % 6 = 0 THEN '{}' WHEN i % 6 = 1 THEN rb_build('{1,2,3}')
          ELSE (SELECT rb_build_agg(CASE i % 4 WHEN 0 THEN (i * 7919 + k * 31) % 200000 WHEN 1 THEN i * 60000 + k WHEN 2 THEN (i * 104729 + k * 7919) % 65536 ELSE k * 2 END) FROM generate_series(1, 1 + i * 997 % 6000) k) END AS b
FROM generate_series(1, 60) i;
CREATE FUNCTION wrong_frames(OUT frames int, OUT row_count bigint, OUT nulls bigint, OUT wrong bigint) LANGUAGE plpgsql AS $$
DECLARE
  f record;
  r record;
BEGIN
  frames := 0; row_count := 0; nulls := 0; wrong := 0;
  FOR f IN SELECT lo, hi FROM (VALUES (-1, 0), (0, 0), (0, 1), (-1, 1), (-3, 2), (-3, -1), (2, 5), (-10, 0), (-40, -30), (1, 1), (-2, 30), (-59, 59)) v(lo, hi) LOOP
    EXECUTE format($q$
      SELECT count(*) AS n, count(*) FILTER (WHERE x IS NULL) AS nulls, count(*) FILTER (WHERE x IS DISTINCT FROM e.x0 OR n IS DISTINCT FROM e.n0 OR y IS DISTINCT FROM e.y0 OR m IS DISTINCT FROM e.m0 OR z IS DISTINCT FROM e.z0
          OR x::bytea IS DISTINCT FROM e.x0::bytea OR o IS DISTINCT FROM e.o0 OR a IS DISTINCT FROM e.a0 OR s IS DISTINCT FROM e.s0) AS wrong
      FROM (SELECT i, rb_xor_agg(b) OVER w AS x, rb_xor_cardinality_agg(b) OVER w AS n, rb64_xor_agg(b::roaringbitmap64) OVER w AS y, rb64_xor_cardinality_agg(b::roaringbitmap64) OVER w AS m,
                   rb_xor_agg(b) FILTER (WHERE i %% 3 = 0) OVER w AS z, rb_or_cardinality_agg(b) OVER w AS o, rb_and_agg(b) OVER w AS a, rb_build_agg(i %% 4) OVER w AS s
            FROM moving WINDOW w AS (ORDER BY i ROWS BETWEEN %1$s AND %2$s)) t,
           LATERAL (SELECT rb_xor_agg(b) AS x0, rb_xor_cardinality_agg(b) AS n0, rb64_xor_agg(b::roaringbitmap64) AS y0, rb64_xor_cardinality_agg(b::roaringbitmap64) AS m0,
                           rb_xor_agg(b) FILTER (WHERE i %% 3 = 0) AS z0, rb_or_cardinality_agg(b) AS o0, rb_and_agg(b) AS a0, rb_build_agg(i %% 4) AS s0
                    FROM moving WHERE moving.i BETWEEN t.i + (%3$s) AND t.i + (%4$s)) e $q$,
      CASE WHEN f.lo <= 0 THEN -f.lo || ' PRECEDING' ELSE f.lo || ' FOLLOWING' END, CASE WHEN f.hi < 0 THEN -f.hi || ' PRECEDING' ELSE f.hi || ' FOLLOWING' END, f.lo, f.hi) INTO r;
    frames := frames + 1; row_count := row_count + r.n; nulls := nulls + r.nulls; wrong := wrong + r.wrong;
  END LOOP;
END $$;
SELECT * FROM wrong_frames();
SELECT aggfnoid::regproc, aggminvtransfn FROM pg_aggregate WHERE aggfnoid::text ~ '^rb.*_agg$' AND aggminvtransfn <> 0 ORDER BY aggfnoid::text COLLATE "C";
DROP FUNCTION wrong_frames();
DROP TABLE moving;

-- Containers of every kind meet each other: arrays, bitsets, runs, everything.
CREATE TABLE kinds (kind text, b roaringbitmap);
INSERT INTO kinds SELECT 'few', rb_build('{0,1,5,65535,65536,200000}');
INSERT INTO kinds SELECT 'array', rb_build_agg(i * 37 % 262144) FROM generate_series(1, 7000) i;
INSERT INTO kinds SELECT 'bitset', rb_build_agg(i * 3) FROM generate_series(1, 80000) i;
INSERT INTO kinds SELECT 'runs', rb_build_agg(i) FROM generate_series(1, 250000) i WHERE i % 500 > 99;
INSERT INTO kinds SELECT 'many runs', rb_build_agg(i) FROM generate_series(1, 250000) i WHERE i % 50 > 9;
INSERT INTO kinds SELECT 'everything', rb_fill('{}', 0, 262144);
SELECT count(*), bool_and(o = rb_or(a.b, b.b) AND n = rb_and(a.b, b.b) AND x = rb_xor(a.b, b.b)) AS right, bool_and(no = rb_cardinality(o) AND nn = rb_cardinality(n) AND nx = rb_cardinality(x)) AS counted
FROM kinds a, kinds b, LATERAL (SELECT rb_or_agg(c) AS o, rb_and_agg(c) AS n, rb_xor_agg(c) AS x, rb_or_cardinality_agg(c) AS no, rb_and_cardinality_agg(c) AS nn, rb_xor_cardinality_agg(c) AS nx FROM (VALUES (a.b), (b.b)) v(c)) y;

-- Many groups, hashed within little memory or sorted; members in any order.
CREATE TABLE many AS SELECT i % 5000 AS g, (i * 7919::bigint % 300007 * 1000)::int AS n, i % 7 AS part FROM generate_series(1, 60000) i;
ANALYZE many;
SET work_mem = '64kB';
CREATE TABLE hashed AS SELECT g, rb_build_agg(n) AS b, rb64_build_agg(n) AS b64 FROM many GROUP BY g;
SET enable_hashagg = off;
CREATE TABLE sorted AS SELECT g, rb_build_agg(n) AS b, rb64_build_agg(n) AS b64 FROM many GROUP BY g;
RESET enable_hashagg;
RESET work_mem;
SELECT count(*), bool_and(h.b = s.b AND h.b64 = s.b64) AS same, sum(rb_cardinality(h.b)) FROM hashed h JOIN sorted s USING (g);
SELECT bool_and(h.b = rb_build(a)) AS right FROM hashed h JOIN (SELECT g, array_agg(n) AS a FROM many GROUP BY g) m USING (g);

-- In parallel: the same as in one process.
ALTER TABLE many SET (parallel_workers = 2);
CREATE TABLE parts AS SELECT part, g % 10 AS g, rb_build_agg(n) AS b, rb64_build_agg(n * 100000::bigint) AS b64 FROM many GROUP BY 1, 2;
ALTER TABLE parts SET (parallel_workers = 2);
ANALYZE parts;
CREATE VIEW all_of AS
SELECT rb_or_agg(b) AS o, rb_and_agg(rb_fill(b, 5, 5000)) AS a, rb_xor_agg(b) AS x, rb_or_cardinality_agg(b) AS no, rb_and_cardinality_agg(rb_fill(b, 5, 5000)) AS na, rb_xor_cardinality_agg(b) AS nx, rb64_or_agg(b64) AS o64, rb64_and_agg(rb64_fill(b64, -9, 0)) AS a64, rb64_xor_agg(b64) AS x64,
       rb64_or_cardinality_agg(b64) AS no64, rb64_and_cardinality_agg(rb64_fill(b64, -9, 0)) AS na64, rb64_xor_cardinality_agg(b64) AS nx64 FROM parts;
CREATE VIEW all_built AS SELECT rb_build_agg(n) AS b, rb64_build_agg(n) AS b64 FROM many;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE alone AS SELECT * FROM all_of, all_built;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT rb_or_agg(b), rb_and_cardinality_agg(b), rb64_xor_agg(b64) FROM parts;
SELECT (SELECT t FROM alone t) = (SELECT t FROM (SELECT * FROM all_of, all_built) t) AS same, no, na, nx = rb_cardinality(x) AS nx, no64, na64 FROM alone;
SELECT rb_or_agg(b) IS NULL AND rb_and_agg(b) IS NULL AND rb64_xor_agg(b64) IS NULL AS nothing FROM parts WHERE part < 0;
SELECT rb_build_agg(n) IS NULL AS nothing, rb_build_agg(n) FILTER (WHERE n < 40000) AS some FROM many WHERE g < 0 OR n < 90000;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- All integers there are, in a state that stays small.
SELECT rb_or_cardinality_agg(b) AS n_or, rb_and_cardinality_agg(b) AS n_and, rb_xor_cardinality_agg(b) AS n_xor, pg_column_size(rb_or_agg(b)) < 1000000 AS small
FROM (SELECT rb_fill('{}', 0, 4294967296) AS b FROM generate_series(1, 3) UNION ALL SELECT '{5,6}') x;

-- Damaged values are data_corrupted, or do no harm.
CREATE FUNCTION forged(bytea) RETURNS roaringbitmap LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
SELECT bytes, code_of(format('SELECT rb_or_agg(forged(%L)) FROM generate_series(1, 2)', bytes)) AS "or", code_of(format('SELECT rb_and_agg(forged(%L)) FROM generate_series(1, 2)', bytes)) AS "and"
FROM unnest('{"","\\x3a30","\\x3a30000001000000","\\x3a300000ffffffff","\\x3a30000001000000000000001000000005","\\x3b3000000100000100010000000500"}'::bytea[]) bytes;
CREATE TABLE outcome (code text);
DO $$
DECLARE
  good bytea; bad bytea; aggregate text;
BEGIN
  PERFORM setseed(0.5);
  SELECT roaringbitmap_send(rb_or_agg(b)) INTO good FROM kinds WHERE kind IN ('few', 'runs');
  FOR i IN 1 .. 500 LOOP
    bad := good;
    FOR j IN 0 .. floor(random() * 3)::int LOOP bad := set_byte(bad, floor(power(random(), 3) * length(bad))::int, floor(random() * 256)::int); END LOOP;
    IF i % 5 = 0 THEN bad := substr(bad, 1, floor(random() * length(bad))::int); END IF;
    FOREACH aggregate IN ARRAY '{or,and,xor,or_cardinality,and_cardinality,xor_cardinality}'::text[] LOOP
      BEGIN
        EXECUTE format('SELECT rb_%s_agg(c) FROM (SELECT b FROM kinds UNION ALL VALUES ($1), ($1)) v(c)', aggregate) USING forged(bad);
        INSERT INTO outcome VALUES ('accepted');
      EXCEPTION WHEN others THEN INSERT INTO outcome VALUES (SQLSTATE);
      END;
    END LOOP;
  END LOOP;
END $$;
SELECT code, count(*) > 100 AS many FROM outcome GROUP BY code ORDER BY code;

-- Every function and aggregate of bitmaps says what it is; the aggregates run in parallel.
SELECT count(*) AS silent FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass WHERE p.proname ~ '^(rb_|rb64_|roaringbitmap)' AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT count(*) AS aggregates, bool_and(p.proparallel = 's' AND a.aggcombinefn <> 0 AND a.aggserialfn <> 0 AND a.aggdeserialfn <> 0) AS parallel FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.proname ~ '^rb(64)?_';

DROP VIEW groups64, all_of, all_built;
DROP TABLE groups, frames, kinds, many, hashed, sorted, parts, alone, outcome;
DROP FUNCTION code_of, forged;
DROP EXTENSION fas;
