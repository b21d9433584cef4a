-- What is measured: one expression for each cell, with the names of both extensions alike. {p} stands for rb or rb64, {t}
-- for the type, {e} for the element's type. Arguments come from the one row of table `cell`: bitmaps a and b, an
-- element m that a has and one (n) that it has not, the middle x, a range from lo to hi, a's elements as an array, and
-- its two text forms and bytes.
CREATE TABLE cells (name text PRIMARY KEY, expression text NOT NULL);
INSERT INTO cells (name, expression) VALUES
    ('cardinality', 'count({p}_cardinality(a))'),
    ('is_empty', 'count({p}_is_empty(a))'),
    ('contains element, hit', 'count({p}_contains(a, m))'),
    ('contains element, miss', 'count({p}_contains(a, n))'),
    ('containedby element', 'count({p}_containedby(m, a))'),
    ('min', 'count({p}_min(a))'),
    ('max', 'count({p}_max(a))'),
    ('rank', 'count({p}_rank(a, x))'),
    ('index', 'count({p}_index(a, m))'),
    ('range_cardinality', 'count({p}_range_cardinality(a, lo, hi))'),
    ('select', 'count({p}_select(a, 10, 100))'),
    ('select, reverse, of a range', 'count({p}_select(a, 10, 100, true, lo, hi))'),
    ('and', 'count({p}_and(a, b))'),
    ('or', 'count({p}_or(a, b))'),
    ('xor', 'count({p}_xor(a, b))'),
    ('andnot', 'count({p}_andnot(a, b))'),
    ('and_cardinality', 'count({p}_and_cardinality(a, b))'),
    ('or_cardinality', 'count({p}_or_cardinality(a, b))'),
    ('xor_cardinality', 'count({p}_xor_cardinality(a, b))'),
    ('andnot_cardinality', 'count({p}_andnot_cardinality(a, b))'),
    ('contains bitmap', 'count({p}_contains(a, b))'),
    ('containedby bitmap', 'count({p}_containedby(b, a))'),
    ('intersect', 'count({p}_intersect(a, b))'),
    ('equals, same', 'count({p}_equals(a, a2))'),
    ('equals, other', 'count({p}_equals(a, b))'),
    ('not_equals', 'count({p}_not_equals(a, a2))'),
    ('jaccard_dist', 'count({p}_jaccard_dist(a, b))'),
    ('add', 'count({p}_add(a, n))'),
    ('remove', 'count({p}_remove(a, m))'),
    ('fill', 'count({p}_fill(a, lo, hi))'),
    ('clear', 'count({p}_clear(a, lo, hi))'),
    ('flip', 'count({p}_flip(a, lo, hi))'),
    ('range', 'count({p}_range(a, lo, hi))'),
    ('shiftright', 'count({p}_shiftright(a, 1000))'),
    ('shiftleft', 'count({p}_shiftleft(a, 65536))'),
    ('runoptimize', 'count({p}_runoptimize(a))'),
    ('build', 'count({p}_build(elements))'),
    ('to_array', 'count({p}_to_array(a))'),
    ('bytea cast, from', 'count(bytes::{t})'),
    ('text in, bytea', 'count({t}_in(hex::cstring))'),
    ('text in, array', 'count({t}_in(listed::cstring))'),
    ('text out, bytea', 'count({t}_out(a))'),
    ('send', 'count({t}_send(a))'),
    ('iterate', 'iterate');

-- Milliseconds that go by; or, on a machine that is busy with other things, that this backend has had of a processor
-- (the kernel counts them at its ticks, so a measurement should take many).
CREATE FUNCTION now_ms() RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('bench.clock', true) = 'cpu' THEN
    RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e6;
  END IF;
  RETURN extract(epoch FROM clock_timestamp())::float8 * 1000;
END $$;

-- Milliseconds of one call: the expression is computed so often that it takes `target` milliseconds, twice at least
-- unless one call takes longer. The row is read from its table anew in each call, as in any query.
CREATE FUNCTION measure(expression text, p text, t text, target float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  body text := replace(replace(expression, '{p}', p), '{t}', t);
  query text;
  begun float8;
  ms float8;
  loops bigint := 1;
BEGIN
  query := CASE WHEN expression = 'iterate' THEN format('SELECT count(*) FROM (SELECT %s_iterate(a) FROM cell CROSS JOIN generate_series(1, %%s) g OFFSET 0) s', p)
                ELSE format('SELECT %s FROM cell CROSS JOIN generate_series(1, %%s) g', replace(body, '%', '%%')) END;
  -- A session's first call loads the library: some milliseconds, which are nobody's.
  EXECUTE format('SELECT %1$s_cardinality(%1$s_build(''{1}''))', p);
  LOOP
    begun := now_ms();
    EXECUTE format(query, loops);
    ms := now_ms() - begun;
    EXIT WHEN ms >= target * 0.7 OR (loops = 1 AND ms >= target * 0.5) OR loops >= 100000;
    -- Not at once to where one short look says: it may have seen nothing of a clock that ticks.
    loops := least(100000, loops * greatest(2, least(16, target / greatest(ms, 0.001))))::bigint;
  END LOOP;
  RETURN ms / loops;
END $$;

-- Milliseconds of a whole query, an aggregate say: repeated until `target` has gone by.
CREATE FUNCTION measure_query(query text, target float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  begun float8 := now_ms();
  loops int := 0;
BEGIN
  LOOP
    EXECUTE query;
    loops := loops + 1;
    EXIT WHEN now_ms() - begun >= target;
  END LOOP;
  RETURN (now_ms() - begun) / loops;
END $$;

-- What an expression that gives a bitmap gives, whatever the kinds of its containers: its members, or, of many, how many
-- there are, the ends and where the middle lies.
CREATE FUNCTION digest(bitmap text, p text) RETURNS text LANGUAGE sql AS $$
  SELECT format('CASE WHEN %2$s_cardinality(%1$s) <= 200000 THEN md5(%2$s_to_array(%1$s)::text) ELSE concat_ws('' '','
                '%2$s_cardinality(%1$s), %2$s_min(%1$s), %2$s_max(%1$s), %2$s_rank(%1$s, (SELECT x FROM cell))) END', bitmap, p) $$;

-- The answer that a cell's expression gives: both systems must give the same.
CREATE FUNCTION answer(expression text, p text, t text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  value text := replace(replace(substring(expression FROM '^count\((.*)\)$'), '{p}', p), '{t}', t);
  given text;
  result text;
BEGIN
  IF expression = 'iterate' THEN
    value := format('(SELECT md5(string_agg(v::text, '','' ORDER BY v)) FROM (SELECT %s_iterate(a) AS v FROM cell OFFSET 0) s)', p);
  ELSIF value LIKE '%\_out(%' OR value LIKE '%\_send(%' THEN
    RETURN NULL; -- containers may be of other kinds: what reads them is compared
  END IF;
  EXECUTE format('SELECT pg_typeof(%s)::text FROM cell', value) INTO given;
  EXECUTE format('SELECT %s FROM cell', CASE WHEN given = t THEN digest(value, p) ELSE format('md5((%s)::text)', value) END) INTO result;
  RETURN result;
END $$;

-- Member i (from 0) of a bitmap of a shape: about 470, 32768, or 51200 of 65536 (in runs of 100) to a container. Those
-- of 64 bits lie in eight stretches, far from each other.
CREATE FUNCTION member(shape text, i bigint, size bigint, wide boolean) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE shape WHEN 'sparse' THEN i * 140 + i * 7919 % 140 WHEN 'dense' THEN i * 2 ELSE i / 100 * 128 + i % 100 END
         + CASE WHEN wide THEN (i * 8 / size) << 33 ELSE 0 END $$;
