--
-- Functions and operators that make bitmaps or compare two, of both widths: small cases by eye, then all of them against PostgreSQL's arrays on
-- random sets of every kind of container and at the borders; results that would be too large; stored bytes that have gone bad.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
CREATE FUNCTION code_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE query;
  RETURN 'accepted';
EXCEPTION WHEN others THEN RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

-- By eye.
SELECT a & b AS "and", a | b AS "or", a # b AS "xor", a - b AS "andnot", rb_and_cardinality(a, b), rb_or_cardinality(a, b), rb_xor_cardinality(a, b), rb_andnot_cardinality(a, b), rb_jaccard_dist(a, b)
FROM (VALUES ('{1,2,3}'::roaringbitmap, '{3,4,-1}'::roaringbitmap), ('{}', '{7}'), ('{7}', '{}'), ('{}', '{}'), ('{1,70000}', '{70000,140000}')) v(a, b);
SELECT a & b AS "and", a | b AS "or", a # b AS "xor", a - b AS "andnot", rb64_and_cardinality(a, b), rb64_or_cardinality(a, b), rb64_xor_cardinality(a, b), rb64_andnot_cardinality(a, b), rb64_jaccard_dist(a, b)
FROM (VALUES ('{1,2,3}'::roaringbitmap64, '{3,4,-1}'::roaringbitmap64), ('{}', '{7}'), ('{7}', '{}'), ('{}', '{}'), ('{1,4294967296}', '{4294967296,8589934592}')) v(a, b);
SELECT a = b AS eq, a <> b AS ne, a && b AS common, a @> b AS contains, a <@ b AS contained
FROM (VALUES ('{1,2,3}'::roaringbitmap, '{3,2}'::roaringbitmap), ('{1}', '{1}'), ('{1}', '{2}'), ('{}', '{}'), ('{}', '{1}'), ('{1,70000}', '{1,140000}')) v(a, b);
SELECT a = b AS eq, a <> b AS ne, a && b AS common, a @> b AS contains, a <@ b AS contained
FROM (VALUES ('{1,2,3}'::roaringbitmap64, '{3,2}'::roaringbitmap64), ('{1}', '{1}'), ('{1}', '{4294967297}'), ('{}', '{}'), ('{}', '{1}'), ('{1,4294967296}', '{1,8589934592}')) v(a, b);
SELECT '{1,2}'::roaringbitmap | 3, 3 | '{1,2}'::roaringbitmap, '{1,2}'::roaringbitmap - 2, '{1,2}'::roaringbitmap @> 2, 3 <@ '{1,2}'::roaringbitmap, '{1,2}'::roaringbitmap | -1, '{1,-1}'::roaringbitmap - (-1);
SELECT '{1,2}'::roaringbitmap64 | 3::bigint, 3::bigint | '{1,2}'::roaringbitmap64, '{1,2}'::roaringbitmap64 - 2::bigint, '{1,2}'::roaringbitmap64 @> 2::bigint, 3::bigint <@ '{1,2}'::roaringbitmap64, '{-1}'::roaringbitmap64 | 1::bigint;
SELECT rb_fill('{1}', 3, 6), rb_clear('{1,2,3}', 2, 3), rb_flip('{1,2,3}', 2, 5), rb_range('{1,2,3}', 2, 9), rb_fill('{1}', 5, 5), rb_clear('{1}', 5, 1), rb_range('{1}', 5, 1), rb_fill('{}', 4294967294, 99999999999), rb_clear('{0,-1}', -5, 99999999999);
SELECT rb64_fill('{1}', 3, 6), rb64_clear('{1,2,3}', 2, 3), rb64_flip('{1,2,3}', 2, 5), rb64_range('{1,2,3}', 2, 9), rb64_fill('{1}', 5, 5), rb64_clear('{1}', 5, 1), rb64_range('{1}', 5, 1), rb64_fill('{}', -2, 0), rb64_range('{1,-3,-1}', -3, 0), rb64_fill('{}', 4294967295, 4294967297);
SELECT '{0,1,65535,-1}'::roaringbitmap << 1, '{0,1,65535,-1}'::roaringbitmap >> 1, '{0,1,-1}'::roaringbitmap >> 4294967295, '{0,1,-1}'::roaringbitmap << 4294967295, '{0}'::roaringbitmap >> 4294967296, '{5}'::roaringbitmap << -9223372036854775808, '{5}'::roaringbitmap >> -2;
SELECT '{0,1,4294967295,-1}'::roaringbitmap64 << 1, '{0,1,4294967295,-1}'::roaringbitmap64 >> 1, '{0,1,-1}'::roaringbitmap64 >> 9223372036854775807, '{0,1,-1}'::roaringbitmap64 << -9223372036854775808, '{-1,7}'::roaringbitmap64 << 4294967296;
SELECT rb_build('{}'), rb_build(ARRAY[[3,1],[2,2]]), rb_build(NULL) IS NULL, code_of($$SELECT rb_build('{1,NULL}')$$), rb64_build(ARRAY[3,1,-1]), rb64_to_array('{}'), code_of($$SELECT rb64_build('{1,NULL}')$$);
SELECT rb_equals(b, rb_runoptimize(b)) AS same_set, length(b::bytea) > length(rb_runoptimize(b)::bytea) AS smaller FROM rb_build(ARRAY(SELECT generate_series(1, 1000))) b;

-- Random sets, against arrays. Kinds: few members, many near each other, runs, and all of them with borders.
CREATE TABLE sets (id int, kind text, members bigint[]);
SELECT setseed(0.75);
INSERT INTO sets
SELECT i, kind, ARRAY(SELECT DISTINCT m FROM (
    SELECT floor(random() * 400000)::bigint AS m FROM generate_series(1, CASE WHEN kind IN ('few', 'all') THEN floor(random() * 300)::int ELSE 0 END)
    UNION ALL SELECT 65536 * 2 + floor(random() * 20000)::bigint FROM generate_series(1, CASE WHEN kind IN ('many', 'all') THEN 7000 ELSE 0 END)
    UNION ALL SELECT s + k FROM (SELECT floor(random() * 300000)::bigint AS s FROM generate_series(1, 3)) r, generate_series(0, CASE WHEN kind IN ('runs', 'all') THEN floor(random() * 5000)::int ELSE -1 END) k
    UNION ALL SELECT b FROM unnest('{0,65535,65536,131071,2147483647,2147483648,4294967295}'::bigint[]) b WHERE kind IN ('borders', 'all') AND random() < 0.6) u
  WHERE i >= 0 ORDER BY m)
FROM generate_series(1, 4) i, unnest('{none,few,many,runs,borders,all}'::text[]) kind WHERE kind <> 'none' OR i = 1;
CREATE FUNCTION narrow(members bigint[]) RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(array_agg((CASE WHEN m > 2147483647 THEN m - 4294967296 ELSE m END)::integer ORDER BY m), '{}') FROM unnest(members) m $$;
-- Half of them with runs; 64 bits also with members in three buckets.
CREATE TABLE narrow_bitmaps AS SELECT id, kind, members, CASE WHEN id % 2 = 0 THEN rb_runoptimize(rb_build(narrow(members))) ELSE rb_build(narrow(members)) END AS b FROM sets;
CREATE TABLE wide_bitmaps AS
SELECT id, kind, s.members, CASE WHEN id % 2 = 0 THEN rb64_runoptimize(rb64_build(s.members)) ELSE rb64_build(s.members) END AS b
FROM (SELECT id, kind, ARRAY(SELECT m + 4294967296 * (CASE WHEN m % 3 = 0 THEN 0 WHEN id % 3 = 0 THEN 1 ELSE 2147483646 END) FROM unnest(members) m ORDER BY 1) AS members FROM sets) s;
SELECT bool_and(rb_to_array(b) = narrow(members)) AS narrow FROM narrow_bitmaps;
SELECT bool_and(rb64_to_array(b) = members) AS wide FROM wide_bitmaps;
CREATE FUNCTION and_of(x bigint[], y bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$ SELECT ARRAY(SELECT unnest(x) INTERSECT SELECT unnest(y) ORDER BY 1) $$;
CREATE FUNCTION or_of(x bigint[], y bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$ SELECT ARRAY(SELECT unnest(x) UNION SELECT unnest(y) ORDER BY 1) $$;
CREATE FUNCTION without(x bigint[], y bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$ SELECT ARRAY(SELECT unnest(x) EXCEPT SELECT unnest(y) ORDER BY 1) $$;
CREATE TABLE pairs AS
SELECT x.b AS a, y.b, narrow(c) AS common, narrow(u) AS either, narrow(l) AS left_only, narrow(without(y.members, x.members)) AS right_only
FROM narrow_bitmaps x JOIN narrow_bitmaps y ON (y.id + x.id) % 4 = 2 OR x.members = y.members, LATERAL (SELECT and_of(x.members, y.members), or_of(x.members, y.members), without(x.members, y.members) OFFSET 0) s(c, u, l);
SELECT count(*) > 100 AS enough, bool_and(rb_to_array(a & b) = common) AS "and", bool_and(rb_to_array(a | b) = either) AS "or", bool_and((a # b) = rb_build(left_only || right_only)) AS "xor", bool_and(rb_to_array(a - b) = left_only) AS "andnot",
       bool_and(rb_and_cardinality(a, b) = cardinality(common)) AS n_and, bool_and(rb_or_cardinality(a, b) = cardinality(either)) AS n_or, bool_and(rb_xor_cardinality(a, b) = cardinality(left_only || right_only)) AS n_xor,
       bool_and(rb_andnot_cardinality(a, b) = cardinality(left_only)) AS n_andnot, bool_and((a && b) = (common <> '{}')) AS common, bool_and((a @> b) = (right_only = '{}')) AS contains, bool_and((a <@ b) = (left_only = '{}')) AS contained,
       bool_and((a = b) = (left_only || right_only = '{}')) AS eq, bool_and((a <> b) = (left_only || right_only <> '{}')) AS ne, bool_and(a @> (a & b) AND (a | b) @> b AND NOT (a - b) && b AND (a & b) = (b & rb_runoptimize(a)) AND (a | b) = (rb_runoptimize(b) | a)) AS laws,
       bool_and(rb_jaccard_dist(a, b) = CASE WHEN either = '{}' THEN 'NaN' ELSE cardinality(common)::float8 / cardinality(either) END) AS jaccard FROM pairs;
CREATE TABLE pairs64 AS
SELECT x.b AS a, y.b, and_of(x.members, y.members) AS common, or_of(x.members, y.members) AS either, without(x.members, y.members) AS left_only, without(y.members, x.members) AS right_only
FROM wide_bitmaps x JOIN wide_bitmaps y ON (y.id + x.id) % 4 = 2 OR x.members = y.members;
SELECT count(*) > 100 AS enough, bool_and(rb64_to_array(a & b) = common) AS "and", bool_and(rb64_to_array(a | b) = either) AS "or", bool_and((a # b) = rb64_build(left_only || right_only)) AS "xor", bool_and(rb64_to_array(a - b) = left_only) AS "andnot",
       bool_and(rb64_and_cardinality(a, b) = cardinality(common)) AS n_and, bool_and(rb64_or_cardinality(a, b) = cardinality(either)) AS n_or, bool_and(rb64_xor_cardinality(a, b) = cardinality(left_only || right_only)) AS n_xor,
       bool_and(rb64_andnot_cardinality(a, b) = cardinality(left_only)) AS n_andnot, bool_and((a && b) = (common <> '{}')) AS common, bool_and((a @> b) = (right_only = '{}')) AS contains, bool_and((a <@ b) = (left_only = '{}')) AS contained,
       bool_and((a = b) = (left_only || right_only = '{}')) AS eq, bool_and((a <> b) = (left_only || right_only <> '{}')) AS ne, bool_and(a @> (a & b) AND (a | b) @> b AND NOT (a - b) && b AND (a & b) = (b & rb64_runoptimize(a)) AND (a | b) = (rb64_runoptimize(b) | a)) AS laws,
       bool_and(rb64_jaccard_dist(a, b) = CASE WHEN either = '{}' THEN 'NaN' ELSE cardinality(common)::float8 / cardinality(either) END) AS jaccard FROM pairs64;
-- One bitmap: elements, ranges, shifts.
SELECT count(*) > 100 AS enough, bool_and(rb_to_array(rb_add(b, e)) = narrow(or_of(members, ARRAY[m]))) AS "add", bool_and(rb_add(e, b) = rb_add(b, e)) AS add_to, bool_and(rb_to_array(rb_remove(b, e)) = narrow(without(members, ARRAY[m]))) AS remove
FROM narrow_bitmaps, unnest('{0,1,65535,65536,135000,2147483647,2147483648,4294967295}'::bigint[]) m, LATERAL (SELECT (narrow(ARRAY[m]))[1]) n(e);
SELECT count(*) > 100 AS enough, bool_and(rb64_to_array(rb64_add(b, m)) = or_of(members, ARRAY[m])) AS "add", bool_and(rb64_add(m, b) = rb64_add(b, m)) AS add_to, bool_and(rb64_to_array(rb64_remove(b, m)) = without(members, ARRAY[m])) AS remove
FROM wide_bitmaps, unnest('{0,1,65535,65536,135000,4294967295,4294967296,9223372036854775807}'::bigint[]) m;
SELECT count(*) > 40 AS enough, bool_and(rb_to_array(rb_range(b, f, t)) = narrow(inside)) AS "range", bool_and(rb_to_array(rb_clear(b, f, t)) = narrow(without(members, inside))) AS clear,
       bool_and(rb_to_array(rb_fill(b, f, t)) = narrow(or_of(members, whole))) AS fill, bool_and(rb_to_array(rb_flip(b, f, t)) = narrow(or_of(without(members, inside), without(whole, inside)))) AS flip
FROM narrow_bitmaps, (VALUES (0::bigint, 1::bigint), (0, 65536), (1, 65535), (65535, 65537), (130000, 150001), (131072, 196608), (4294960000, 4294967296)) v(f, t),
     LATERAL (SELECT ARRAY(SELECT m FROM unnest(members) m WHERE m >= f AND m < t), ARRAY(SELECT generate_series(f, t - 1)) OFFSET 0) s(inside, whole) WHERE id = 2 OR kind = 'none';
SELECT count(*) > 40 AS enough, bool_and(rb64_to_array(rb64_range(b, f, t)) = inside) AS "range", bool_and(rb64_to_array(rb64_clear(b, f, t)) = without(members, inside)) AS clear,
       bool_and(rb64_to_array(rb64_fill(b, f, t)) = or_of(members, whole)) AS fill, bool_and(rb64_to_array(rb64_flip(b, f, t)) = or_of(without(members, inside), without(whole, inside))) AS flip
FROM wide_bitmaps, (VALUES (0::bigint, 1::bigint), (0, 65536), (65535, 65537), (130000, 150001), (4294967296, 4294990000), (4294960000, 4294970000), (9223372036854770000, 9223372036854775807)) v(f, t),
     LATERAL (SELECT ARRAY(SELECT m FROM unnest(members) m WHERE m >= f AND m < t), ARRAY(SELECT generate_series(f, t - 1)) OFFSET 0) s(inside, whole) WHERE id = 2 OR kind = 'none';
SELECT bool_and(rb_to_array(rb_shiftright(b, d)) = narrow(ARRAY(SELECT m + d FROM unnest(members) m WHERE m + d BETWEEN 0 AND 4294967295))) AS "right", bool_and(rb_shiftleft(b, d) = rb_shiftright(b, -d)) AS "left"
FROM narrow_bitmaps, unnest('{0,1,-1,65536,-65536,100001,-131073,4294967295,-4294967295,4294967296}'::bigint[]) d;
SELECT bool_and(rb64_to_array(rb64_shiftright(b, d)) = ARRAY(SELECT (m + d)::bigint FROM unnest(members::numeric[]) m WHERE m + d BETWEEN 0 AND 9223372036854775807)) AS "right", bool_and(rb64_shiftleft(b, d) = rb64_shiftright(b, -d)) AS "left"
FROM wide_bitmaps, unnest('{0,1,-1,65536,100001,-131073,4294967295,-4294967295,4294967296,-4294967297,9223372036854775807,-9223372036854775807}'::bigint[]) d WHERE d <= 0 OR NOT EXISTS (SELECT FROM unnest(members::numeric[]) m WHERE m + d > 9223372036854775807);
SELECT bool_and(b::roaringbitmap64::roaringbitmap = b) AS there_and_back FROM narrow_bitmaps;
SELECT bool_and((b::bigint[])::roaringbitmap64 = b) AS arrays FROM wide_bitmaps;

-- What would be too large a value is refused before it is made.
SELECT code_of('SELECT rb64_fill(''{}'', 0, 0)'), code_of('SELECT rb64_flip(''{5}'', 0, 0)'), code_of('SELECT rb64_to_array(rb64_fill(''{}'', 0, 8589934592))'), length(rb64_fill('{}', 4294967296, 8589934592)::bytea);

-- Stored bytes that have gone bad: a result, or data_corrupted; never worse.
CREATE FUNCTION forged(bytea) RETURNS roaringbitmap LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
CREATE FUNCTION forged64(bytea) RETURNS roaringbitmap64 LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
CREATE TABLE outcome (width int, code text);
CREATE FUNCTION attack(width int, bad bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  call text;
BEGIN
  FOREACH call IN ARRAY ARRAY['p_and(x, y)', 'p_or(x, y)', 'p_xor(y, x)', 'p_andnot(x, y)', 'p_andnot(y, x)', 'p_or_cardinality(x, y)', 'p_jaccard_dist(x, x)', 'x = y', 'x @> y', 'x <@ y', 'x && y', 'p_add(x, 5)', 'p_remove(x, 131073)',
                              'p_fill(x, 10, 140000)', 'p_clear(x, 10, 140000)', 'p_flip(x, 10, 140000)', 'p_range(x, 10, 140000)', 'p_shiftright(x, 70000)', 'p_runoptimize(x)', 'p_to_array(x)', 'x::text', 'x::other'] LOOP
    BEGIN
      call := replace(regexp_replace(call, '\mp_', CASE width WHEN 32 THEN 'rb_' ELSE 'rb64_' END), 'other', CASE width WHEN 32 THEN 'roaringbitmap64' ELSE 'roaringbitmap' END);
      IF width = 32 THEN
        EXECUTE format('SELECT %s FROM (SELECT forged($1) AS x, b AS y FROM narrow_bitmaps WHERE kind = ''all'' AND id = 1) v', call) USING bad;
      ELSE
        EXECUTE format('SELECT %s FROM (SELECT forged64($1) AS x, b AS y FROM wide_bitmaps WHERE kind = ''all'' AND id = 1) v', call) USING bad;
      END IF;
      INSERT INTO outcome VALUES (width, 'a result');
    EXCEPTION WHEN others THEN INSERT INTO outcome VALUES (width, SQLSTATE);
    END;
  END LOOP;
END $$;
DO $$
DECLARE
  good bytea;
  bad bytea;
  width int;
BEGIN
  PERFORM setseed(0.5);
  FOREACH width IN ARRAY '{32,64}'::int[] LOOP
    FOR i IN 1 .. 40 LOOP
      IF width = 32 THEN
        good := (SELECT b::bytea FROM narrow_bitmaps WHERE kind = (ARRAY['few', 'many', 'runs', 'all'])[1 + i % 4] AND id = 2 + i % 3);
      ELSE
        good := (SELECT b::bytea FROM wide_bitmaps WHERE kind = (ARRAY['few', 'many', 'runs', 'all'])[1 + i % 4] AND id = 2 + i % 3);
      END IF;
      bad := good;
      FOR j IN 0 .. floor(random() * 3)::int LOOP
        bad := set_byte(bad, floor(power(random(), 3) * length(bad))::int, floor(random() * 256)::int);
      END LOOP;
      IF i % 6 = 0 THEN bad := substr(bad, 1, floor(random() * length(bad))::int); END IF;
      PERFORM attack(width, bad);
    END LOOP;
  END LOOP;
END $$;
-- 22003 is what narrowing answers to members that are no integers.
SELECT width, code, count(*) > 100 AS many FROM outcome WHERE code <> '22003' GROUP BY width, code ORDER BY width, code;
DROP TABLE sets, narrow_bitmaps, wide_bitmaps, pairs, pairs64, outcome;
DROP FUNCTION code_of, narrow, and_of, or_of, without, forged, forged64, attack;
DROP EXTENSION fas;
