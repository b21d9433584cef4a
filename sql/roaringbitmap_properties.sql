--
-- Every function and operator on bitmaps of both widths against PostgreSQL's own arrays: random sets of all three kinds
-- of containers, and the borders 0, 65535, 65536, 2^31, 2^32-1, 2^63, 2^64-1. Nothing is printed of the sets; `wrong` is
-- the number of rows where bitmap and array differ.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
SELECT setseed(0.5);

-- The model: an array of bigints without repetition, in unsigned order. Elements of 32 bits are 0 to 4294967295 in it.
CREATE FUNCTION un(v bigint) RETURNS numeric IMMUTABLE LANGUAGE sql AS $$ SELECT CASE WHEN v < 0 THEN v + 18446744073709551616 ELSE v::numeric END $$;
CREATE FUNCTION back(v numeric) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$ SELECT (CASE WHEN v > 9223372036854775807 THEN v - 18446744073709551616 ELSE v END)::bigint $$;
CREATE FUNCTION lt(a bigint, b bigint) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$ SELECT (a < 0, a) < (b < 0, b) $$;
CREATE FUNCTION sorted(bigint[]) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT coalesce(array_agg(v ORDER BY v < 0, v), '{}') FROM (SELECT DISTINCT v FROM unnest($1) v) s $$;
CREATE FUNCTION m_and(bigint[], bigint[]) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT sorted(array(SELECT unnest($1) INTERSECT SELECT unnest($2))) $$;
CREATE FUNCTION m_andnot(bigint[], bigint[]) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT sorted(array(SELECT unnest($1) EXCEPT SELECT unnest($2))) $$;
CREATE FUNCTION m_or(bigint[], bigint[]) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT sorted($1 || $2) $$;
CREATE FUNCTION m_xor(bigint[], bigint[]) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT m_or(m_andnot($1, $2), m_andnot($2, $1)) $$;
CREATE FUNCTION m_series(lo bigint, n int) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT array(SELECT back(un(lo) + i) FROM generate_series(0, n - 1) i) $$;
CREATE FUNCTION m_shift(bigint[], by bigint, top numeric) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT array(SELECT back(un(v) + by) FROM unnest($1) v WHERE un(v) + by BETWEEN 0 AND top ORDER BY un(v)) $$;
CREATE FUNCTION m_in(bigint[], lo bigint, hi bigint) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT array(SELECT v FROM unnest($1) v WHERE NOT lt(v, lo) AND (lt(v, hi) OR hi = 0) ORDER BY v < 0, v) $$;
CREATE FUNCTION m_select(bigint[], k bigint, skipped bigint, reverse boolean, lo bigint, hi bigint) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS
    $$ SELECT sorted(array(SELECT v FROM unnest(m_in($1, lo, hi)) v ORDER BY CASE WHEN reverse THEN -un(v) ELSE un(v) END OFFSET skipped LIMIT k)) $$;

-- Between the model and the types.
CREATE FUNCTION el32(bigint) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT (CASE WHEN $1 > 2147483647 THEN $1 - 4294967296 ELSE $1 END)::int $$;
CREATE FUNCTION el64(bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION of32(bigint[]) RETURNS roaringbitmap IMMUTABLE LANGUAGE sql AS $$ SELECT rb_build(array(SELECT el32(v) FROM unnest($1) v)) $$;
CREATE FUNCTION of64(bigint[]) RETURNS roaringbitmap64 IMMUTABLE LANGUAGE sql AS $$ SELECT rb64_build($1) $$;
CREATE FUNCTION m32(roaringbitmap) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT array(SELECT v::bigint & 4294967295 FROM unnest(rb_to_array($1)) WITH ORDINALITY u (v, i) ORDER BY i) $$;
CREATE FUNCTION m64(roaringbitmap64) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT rb64_to_array($1) $$;

-- A random set: some borders, and containers of every kind at places that two sets are likely to share.
CREATE FUNCTION random_set(wide boolean) RETURNS bigint[] VOLATILE LANGUAGE plpgsql AS $$
DECLARE
  borders bigint[] := '{0,1,65535,65536,2147483647,2147483648,4294967294,4294967295}';
  bases bigint[] := '{0,65536,2147418112,2147483648,4294901760}';
  result bigint[] := '{}';
  base bigint;
BEGIN
  IF wide THEN
    borders := borders || '{4294967296,9223372036854775807,-9223372036854775808,-1,-2}'::bigint[];
    bases := bases || '{4294967296,9223372036854710272,-9223372036854775808,-65536}'::bigint[];
  END IF;
  FOR i IN 1 .. (random() * 3)::int LOOP result := result || borders[1 + floor(random() * cardinality(borders))::int]; END LOOP;
  FOR i IN 1 .. floor(random() * 4)::int LOOP
    base := bases[1 + floor(random() * cardinality(bases))::int];
    CASE floor(random() * 4)::int
      WHEN 0 THEN result := result || array(SELECT base + floor(random() * 300)::bigint FROM generate_series(1, 50));
      WHEN 1 THEN result := result || array(SELECT base + v FROM generate_series(floor(random() * 2)::int, 10000, 2) v);
      WHEN 2 THEN result := result || array(SELECT base + v FROM generate_series(floor(random() * 200)::int, 3000 + floor(random() * 2000)::int) v);
      ELSE result := result || array(SELECT base + v FROM generate_series(0, 65535, 13) v);
    END CASE;
  END LOOP;
  RETURN sorted(result);
END $$;

-- Twice as many of 64 bits. Elements x, and y that a probably has; a range of n from lo; a shift; a limit and an offset.
CREATE TABLE drawn (wide boolean, g int, ma bigint[], mb bigint[], x bigint, y bigint, lo bigint, n int, by bigint, k bigint, skipped bigint);
INSERT INTO drawn SELECT i % 3 > 0, i / 8, random_set(i % 3 > 0), random_set(i % 3 > 0), 0, 0, 0, 0, 0, floor(random() * 50), floor(random() * 50) FROM generate_series(1, 45) i;
UPDATE drawn SET mb = ma WHERE random() < 0.1;
UPDATE drawn SET mb = sorted(ma[1 : 10]) WHERE random() < 0.1;
UPDATE drawn SET n = 1 + floor(random() * 5000)::int,
    x = (ARRAY[0, 65535, 65536, 2147483648, 4294967295, 5, 70000, CASE WHEN wide THEN '-9223372036854775808'::bigint ELSE 7 END, CASE WHEN wide THEN -1 ELSE 9 END])[1 + floor(random() * 9)::int],
    y = coalesce(ma[1 + floor(random() * cardinality(ma))::int], 3),
    by = (ARRAY[1, -1, 65536, -65536, 1000, -70001, 4294967295, -4294967295, 2147483648, 0])[1 + floor(random() * 10)::int];
UPDATE drawn SET lo = CASE WHEN random() < 0.5 THEN y ELSE x END;
-- The range must not go beyond the last element; its end is 0 where that is 2^64.
UPDATE drawn SET n = least(n, (CASE WHEN wide THEN 18446744073709551616 ELSE 4294967296 END - un(lo)))::int;
ALTER TABLE drawn ADD hi bigint;
UPDATE drawn SET hi = CASE WHEN un(lo) + n = 18446744073709551616 THEN 0 ELSE back(un(lo) + n) END;

-- {p} is rb or rb64, {w} 32 or 64, {t} the type; a and b are bitmaps, one of them run-optimized in every other row.
CREATE TABLE properties (name text, holds text);
INSERT INTO properties VALUES
    ('build, to_array', 'm{w}(a) = ma AND m{w}(b) = mb'),
    ('iterate', 'array(SELECT {p}_iterate(a)) = {p}_to_array(a)'),
    ('cardinality', '{p}_cardinality(a) = cardinality(ma)'),
    ('is_empty', '{p}_is_empty(a) = (cardinality(ma) = 0)'),
    ('min, max', '{p}_min(a) IS NOT DISTINCT FROM el{w}(ma[1]) AND {p}_max(a) IS NOT DISTINCT FROM el{w}(ma[cardinality(ma)])'),
    ('and', 'm{w}({p}_and(a, b)) = m_and(ma, mb) AND m{w}(a & b) = m_and(ma, mb)'),
    ('or', 'm{w}({p}_or(a, b)) = m_or(ma, mb) AND m{w}(a | b) = m_or(ma, mb)'),
    ('xor', 'm{w}({p}_xor(a, b)) = m_xor(ma, mb) AND m{w}(a # b) = m_xor(ma, mb)'),
    ('andnot', 'm{w}({p}_andnot(a, b)) = m_andnot(ma, mb) AND m{w}(a - b) = m_andnot(ma, mb)'),
    ('and_cardinality', '{p}_and_cardinality(a, b) = cardinality(m_and(ma, mb))'),
    ('or_cardinality', '{p}_or_cardinality(a, b) = cardinality(m_or(ma, mb))'),
    ('xor_cardinality', '{p}_xor_cardinality(a, b) = cardinality(m_xor(ma, mb))'),
    ('andnot_cardinality', '{p}_andnot_cardinality(a, b) = cardinality(m_andnot(ma, mb))'),
    ('jaccard_dist', 'cardinality(m_or(ma, mb)) = 0 OR abs({p}_jaccard_dist(a, b) - cardinality(m_and(ma, mb))::float8 / cardinality(m_or(ma, mb))) < 1e-12'),
    ('contains element', '{p}_contains(a, el{w}(x)) = (x = ANY (ma)) AND (a @> el{w}(y)) = (y = ANY (ma)) AND {p}_containedby(el{w}(x), a) = (x = ANY (ma)) AND (el{w}(y) <@ a) = (y = ANY (ma))'),
    ('contains bitmap', '{p}_contains(a, b) = (ma @> mb) AND (b @> a) = (mb @> ma) AND {p}_containedby(a, b) = (ma <@ mb) AND (b <@ a) = (mb <@ ma)'),
    ('intersect', '{p}_intersect(a, b) = (ma && mb) AND (a && b) = (ma && mb)'),
    ('equals', '{p}_equals(a, b) = (ma = mb) AND (a = b) = (ma = mb) AND {p}_not_equals(a, b) = (ma <> mb) AND (a <> b) = (ma <> mb)'),
    ('order', 'sign({p}_cmp(a, b)) = btarraycmp(array(SELECT un(v) FROM unnest(ma) v), array(SELECT un(v) FROM unnest(mb) v)) AND (a < b) = ({p}_cmp(a, b) < 0) AND (a <= b) = ({p}_cmp(a, b) <= 0) AND (a > b) = ({p}_cmp(a, b) > 0) AND (a >= b) = ({p}_cmp(a, b) >= 0)'),
    ('hash', '({p}_hash(a) = {p}_hash(b)) = (ma = mb) AND {p}_hash_extended(a, 9) = {p}_hash_extended({p}_runoptimize(a), 9)'),
    ('add', 'm{w}({p}_add(a, el{w}(x))) = m_or(ma, ARRAY[x]) AND m{w}({p}_add(el{w}(y), a)) = m_or(ma, ARRAY[y]) AND m{w}(a | el{w}(x)) = m_or(ma, ARRAY[x]) AND m{w}(el{w}(x) | a) = m_or(ma, ARRAY[x])'),
    ('remove', 'm{w}({p}_remove(a, el{w}(x))) = m_andnot(ma, ARRAY[x]) AND m{w}(a - el{w}(y)) = m_andnot(ma, ARRAY[y])'),
    ('fill', 'm{w}({p}_fill(a, lo, hi)) = m_or(ma, m_series(lo, n))'),
    ('clear', 'm{w}({p}_clear(a, lo, hi)) = m_andnot(ma, m_series(lo, n))'),
    ('flip', 'm{w}({p}_flip(a, lo, hi)) = m_xor(ma, m_series(lo, n))'),
    ('range', 'm{w}({p}_range(a, lo, hi)) = m_in(ma, lo, hi)'),
    ('range_cardinality', '{p}_range_cardinality(a, lo, hi) = cardinality(m_in(ma, lo, hi))'),
    ('rank', '{p}_rank(a, el{w}(x)) = cardinality(array(SELECT v FROM unnest(ma) v WHERE NOT lt(x, v))) AND {p}_rank(a, el{w}(y)) = cardinality(array(SELECT v FROM unnest(ma) v WHERE NOT lt(y, v)))'),
    ('index', '{p}_index(a, el{w}(x)) = coalesce(array_position(ma, x), 0) - 1 AND {p}_index(a, el{w}(y)) = coalesce(array_position(ma, y), 0) - 1'),
    ('select', 'm{w}({p}_select(a, k, skipped)) = m_select(ma, k, skipped, false, 0, 0) AND m{w}({p}_select(a, k, skipped, false, lo, hi)) = m_select(ma, k, skipped, false, lo, hi)'),
    ('select, reverse', 'm{w}({p}_select(a, k, skipped, true)) = m_select(ma, k, skipped, true, 0, 0) AND m{w}({p}_select(a, k, skipped, true, lo, hi)) = m_select(ma, k, skipped, true, lo, hi)'),
    ('shift', 'm{w}({p}_shiftright(a, by)) = m_shift(ma, by, {top}) AND m{w}({p}_shiftleft(a, by)) = m_shift(ma, -by, {top}) AND m{w}(a >> by) = m_shift(ma, by, {top}) AND m{w}(a << by) = m_shift(ma, -by, {top})'),
    ('runoptimize', 'm{w}({p}_runoptimize(a)) = ma AND length({p}_runoptimize(a)::bytea) <= length(a::bytea)'),
    ('text and bytes', 'm{w}(a::text::{t}) = ma AND m{w}(a::bytea::{t}) = ma AND m{w}(a::bytea::text::{t}) = ma AND {t}_send(a) = a::bytea'),
    ('array casts', 'a::{e}[] = {p}_to_array(a) AND m{w}({p}_to_array(a)::{t}) = ma'),
    ('width casts', '{casts}');
CREATE FUNCTION check_all(wide boolean, OUT name text, OUT checked bigint, OUT wrong bigint) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
  w text := CASE WHEN wide THEN '64' ELSE '32' END;
  p text := CASE WHEN wide THEN 'rb64' ELSE 'rb' END;
  t text := CASE WHEN wide THEN 'roaringbitmap64' ELSE 'roaringbitmap' END;
  property record;
BEGIN
  FOR property IN SELECT q.name, replace(replace(replace(replace(replace(replace(q.holds, '{casts}', CASE WHEN wide THEN 'true' ELSE 'rb64_to_array(a::roaringbitmap64) = sorted(array(SELECT el32(v)::bigint FROM unnest(ma) v)) AND m32(a::roaringbitmap64::roaringbitmap) = ma' END),
                         '{top}', CASE WHEN wide THEN '18446744073709551615' ELSE '4294967295' END), '{w}', w), '{p}', p), '{t}', t), '{e}', CASE WHEN wide THEN 'bigint' ELSE 'int' END) AS holds FROM properties q LOOP
    name := property.name;
    EXECUTE format('SELECT count(*), count(*) FILTER (WHERE (%s) IS NOT TRUE) FROM sets%s', property.holds, w) INTO checked, wrong;
    RETURN NEXT;
  END LOOP;
END $$;
CREATE TABLE sets32 AS SELECT row_number() OVER () AS i, d.*, CASE WHEN random() < 0.5 THEN of32(ma) ELSE rb_runoptimize(of32(ma)) END AS a, CASE WHEN random() < 0.5 THEN of32(mb) ELSE rb_runoptimize(of32(mb)) END AS b FROM drawn d WHERE NOT wide;
CREATE TABLE sets64 AS SELECT row_number() OVER () AS i, d.*, CASE WHEN random() < 0.5 THEN of64(ma) ELSE rb64_runoptimize(of64(ma)) END AS a, CASE WHEN random() < 0.5 THEN of64(mb) ELSE rb64_runoptimize(of64(mb)) END AS b FROM drawn d WHERE wide;
SELECT * FROM check_all(false);
SET fas.roaring_output_format = 'bytea';
SELECT * FROM check_all(true);
SET fas.roaring_output_format = 'array';
SELECT name, wrong FROM check_all(false) WHERE name ~ 'text' UNION ALL SELECT name, wrong FROM check_all(true) WHERE name ~ 'text';

-- Aggregates, by groups, against the same in arrays.
CREATE FUNCTION m_toggle(bigint[], bigint[]) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT CASE WHEN $1 IS NULL THEN $2 ELSE m_xor($1, $2) END $$;
CREATE FUNCTION m_common(bigint[], bigint[]) RETURNS bigint[] IMMUTABLE LANGUAGE sql AS $$ SELECT CASE WHEN $1 IS NULL THEN $2 ELSE m_and($1, $2) END $$;
CREATE AGGREGATE m_xor_agg(bigint[]) (SFUNC = m_toggle, STYPE = bigint[]);
CREATE AGGREGATE m_and_agg(bigint[]) (SFUNC = m_common, STYPE = bigint[]);
SELECT count(*), bool_and(m32(rb_or_agg) = o), bool_and(m32(rb_and_agg) = n), bool_and(m32(rb_xor_agg) = x), bool_and(oc = cardinality(o) AND nc = cardinality(n) AND xc = cardinality(x)), bool_and(m32(built) = o) FROM (
    SELECT rb_or_agg(a), rb_and_agg(a), rb_xor_agg(a), rb_or_cardinality_agg(a) AS oc, rb_and_cardinality_agg(a) AS nc, rb_xor_cardinality_agg(a) AS xc,
           (SELECT rb_build_agg(el32(v)) FROM sets32 i, unnest(ma) v WHERE i.g = s.g) AS built, sorted((SELECT array_agg(v) FROM sets32 i, unnest(ma) v WHERE i.g = s.g)) AS o, m_and_agg(ma) AS n, m_xor_agg(ma) AS x
    FROM sets32 s GROUP BY g HAVING max(cardinality(ma)) > 0) q;
SELECT count(*), bool_and(m64(rb64_or_agg) = o), bool_and(m64(rb64_and_agg) = n), bool_and(m64(rb64_xor_agg) = x), bool_and(oc = cardinality(o) AND nc = cardinality(n) AND xc = cardinality(x)), bool_and(m64(built) = o) FROM (
    SELECT rb64_or_agg(a), rb64_and_agg(a), rb64_xor_agg(a), rb64_or_cardinality_agg(a) AS oc, rb64_and_cardinality_agg(a) AS nc, rb64_xor_cardinality_agg(a) AS xc,
           (SELECT rb64_build_agg(v) FROM sets64 i, unnest(ma) v WHERE i.g = s.g) AS built, sorted((SELECT array_agg(v) FROM sets64 i, unnest(ma) v WHERE i.g = s.g)) AS o, m_and_agg(ma) AS n, m_xor_agg(ma) AS x
    FROM sets64 s GROUP BY g HAVING max(cardinality(ma)) > 0) q;
-- The sets are as various as they should be.
SELECT count(*), count(*) FILTER (WHERE cardinality(ma) = 0) > 0 AS none, max(cardinality(ma)) > 8000 AS large, count(*) FILTER (WHERE ma = mb) > 0 AS same, count(*) FILTER (WHERE ma && mb AND ma <> mb) > 5 AS overlapping,
       count(*) FILTER (WHERE '{0,65535,65536,2147483648,4294967295,-9223372036854775808,-1}' && ma) > 10 AS borders FROM drawn;

SET client_min_messages = warning;
DROP TABLE drawn, properties, sets32, sets64;
DROP AGGREGATE m_xor_agg(bigint[]), m_and_agg(bigint[]);
DROP FUNCTION check_all, un, back, lt, sorted, m_and, m_andnot, m_or, m_xor, m_series, m_shift, m_in, m_select, el32, el64, of32, of64, m32, m64, random_set, m_toggle, m_common;
DROP EXTENSION fas CASCADE;
