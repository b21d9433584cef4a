--
-- Indexes on bitmaps: order and hash look at sets, not at bytes; GIN finds what a sequential scan finds,
-- whatever the sizes of rows and queries; the planner knows when.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
SET fas.roaring_output_format = 'array';
SET max_parallel_workers_per_gather = 0;

SELECT am.amname, c.opcname, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am am ON am.oid = c.opcmethod
WHERE c.opcname LIKE 'roaringbitmap%' ORDER BY 2, 1;

-- The order of sorted members: unsigned, and a set comes before its continuations.
SELECT b FROM (VALUES ('{1,2}'::roaringbitmap), ('{}'), ('{-1}'), ('{1}'), ('{2147483648}'), ('{1,3}'), (NULL), ('{2}'), ('{1,2,70000}'), ('{65536}')) v (b) ORDER BY b;
SELECT b FROM (VALUES ('{1,2}'::roaringbitmap64), ('{}'), ('{-1}'), ('{1}'), ('{9223372036854775808}'), ('{4294967296}'), ('{1,4294967296}'), ('{2}')) v (b) ORDER BY b DESC;
SELECT '{1,2}'::roaringbitmap < '{1,3}' AS lt, '{1,2}'::roaringbitmap <= '{1,2}' AS le, '{1,2}'::roaringbitmap > '{1}' AS gt, '{}'::roaringbitmap >= '{1}' AS ge,
       rb_cmp('{5}', '{4,6}') AS cmp, rb64_cmp('{}', '{}') AS cmp64;

-- One set, encoded in two ways: as runs, and as an array. As a value of another encoding it is the same.
CREATE TABLE encoded (n int, b roaringbitmap);
INSERT INTO encoded VALUES
    (1, '\x3b3000000100000400010001000400'::roaringbitmap),
    (2, '\x3a30000001000000000004001000000001000200030004000500'::roaringbitmap),
    (3, '{7}');
SELECT n, b, b::bytea FROM encoded ORDER BY n;
SELECT b, count(*), array_agg(n ORDER BY n) FROM encoded GROUP BY b ORDER BY b;
SELECT count(DISTINCT b), count(DISTINCT rb_hash(b)), count(DISTINCT rb_hash_extended(b, 42)) FROM encoded;
SELECT count(*) FROM encoded a JOIN encoded b ON a.b = b.b;
SET enable_hashjoin = off; SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM encoded a JOIN encoded b ON a.b = b.b;
SELECT count(*) FROM encoded a JOIN encoded b ON a.b = b.b;
RESET enable_hashjoin; RESET enable_nestloop;
-- Hash indexes on disk depend on these.
SELECT rb_hash('{1,2,3}'), rb_hash('{}'), rb64_hash('{1,2,3}'), rb64_hash('{9223372036854775808}'), rb_hash_extended('{1,2,3}', 0), rb_hash_extended('{1,2,3}', 1);
SELECT bool_and(rb_hash(b)::bit(32) = rb_hash_extended(b, 0)::bit(32)) AS low_halves FROM encoded;

-- UNIQUE: btree for bitmaps that fit into an index row, exclusion with a hash index for any.
CREATE UNIQUE INDEX ON encoded (b);
DELETE FROM encoded WHERE n = 2;
CREATE UNIQUE INDEX ON encoded (b);
INSERT INTO encoded VALUES (4, '{5,4,3,2,1}');
CREATE TABLE large (b roaringbitmap, EXCLUDE USING hash (b WITH =));
INSERT INTO large SELECT rb_build_agg(i * 3) FROM generate_series(1, 100000) i;
INSERT INTO large SELECT rb_build_agg(i * 3) FROM generate_series(1, 99999) i;
\set VERBOSITY terse
INSERT INTO large SELECT rb_build_agg(i * 3) FROM generate_series(1, 100000) i;
\set VERBOSITY default
SELECT count(*) FROM large;

-- Damaged bytes are an error, not an answer.
CREATE FUNCTION code_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE query;
  RETURN 'accepted';
EXCEPTION WHEN others THEN RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
CREATE TABLE damaged (b bytea);
INSERT INTO damaged VALUES ('\x3a30000001000000000001001000000002000100'), ('\x3a300000ffffffff'), ('\x'), ('\x3b30000001000000000000');
UPDATE pg_attribute SET atttypid = 'roaringbitmap'::regtype WHERE attrelid = 'damaged'::regclass AND attname = 'b';
SELECT code_of(format('SELECT rb_hash(b), b < b FROM damaged OFFSET %s LIMIT 1', i)) FROM generate_series(0, 3) i;
SELECT code_of('CREATE INDEX ON damaged USING gin (b)');
UPDATE pg_attribute SET atttypid = 'bytea'::regtype WHERE attrelid = 'damaged'::regclass AND attname = 'b';
DROP TABLE damaged;

-- GIN. Rows: none, few members, many scattered, a bitset, long runs, everything, NULL; a small max_keys makes most of
-- them large ones.
CREATE TABLE held (n int, b roaringbitmap, w roaringbitmap64);
INSERT INTO held (n, b)
    SELECT i, CASE i % 8
        WHEN 0 THEN rb_build(ARRAY[i, i * 2, i * 3])
        WHEN 1 THEN rb_build(ARRAY[i % 50, -i, i * 70000])
        WHEN 2 THEN (SELECT rb_build_agg((j * 7919 + i) % 100000) FROM generate_series(1, 300) j)
        WHEN 3 THEN (SELECT rb_build_agg(j * 2) FROM generate_series(i, i + 6000) j)
        WHEN 4 THEN rb_fill('{}', i * 10, i * 10 + 500000)
        WHEN 5 THEN rb_build(ARRAY[i % 20])
        WHEN 6 THEN '{}'
        ELSE CASE WHEN i % 16 = 7 THEN NULL ELSE rb_fill('{}', 4294967290 - i, 4294967296) END END
    FROM generate_series(0, 799) i;
INSERT INTO held SELECT 800, rb_fill('{}', 0, 4294967296);
UPDATE held SET w = CASE WHEN n % 3 = 0 THEN rb64_shiftright(b::roaringbitmap64, -6782744073709551616)
                         WHEN n % 3 = 1 THEN rb64_shiftright(b::roaringbitmap64, 9223372036854775000) ELSE b::roaringbitmap64 END
WHERE n < 800;
CREATE TABLE asked (n int, b roaringbitmap, w roaringbitmap64);
INSERT INTO asked (n, b) SELECT row_number() OVER (), b FROM (
    VALUES ('{}'::roaringbitmap), ('{5}'), ('{5,6}'), ('{16,32,48}'), ('{100000,200000}'), ('{-1}'), ('{-1,-2,-3}'), (rb_fill('{}', 0, 4294967296)), (rb_fill('{}', 100, 4000)),
           (rb_fill('{}', 600000, 4294960000)), ((SELECT rb_build_agg(j * 2) FROM generate_series(83, 6083) j)), ((SELECT rb_build_agg(j * 2000) FROM generate_series(0, 100000) j)),
           ((SELECT rb_build_agg(j * 977) FROM generate_series(1, 130) j)), ((SELECT b FROM held WHERE n = 10)), ((SELECT b FROM held WHERE n = 44))) v (b);
UPDATE asked SET w = CASE n % 3 WHEN 0 THEN rb64_shiftright(b::roaringbitmap64, -6782744073709551616) WHEN 1 THEN rb64_shiftright(b::roaringbitmap64, 9223372036854775000) ELSE b::roaringbitmap64 END;
INSERT INTO asked (n, b, w) VALUES (100, '{}', '{}'), (101, '{}', '{9223372036854775808}'), (102, '{}', (SELECT w FROM held WHERE n = 3)), (103, '{}', rb64_fill('{}', 0, 1000000));

-- Every operator, every query: what the index finds, and what a sequential scan finds.
CREATE FUNCTION found(condition text, by_index boolean) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE result int[]; line text; plan text := '';
BEGIN
  PERFORM set_config('enable_seqscan', CASE WHEN by_index THEN 'off' ELSE 'on' END, true);
  PERFORM set_config('enable_bitmapscan', CASE WHEN by_index THEN 'on' ELSE 'off' END, true);
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) SELECT n FROM held WHERE ' || condition LOOP plan := plan || line; END LOOP;
  IF (plan LIKE '%Bitmap Index Scan%') <> by_index THEN RAISE 'another plan: %', plan; END IF;
  EXECUTE 'SELECT coalesce(array_agg(n ORDER BY n), ''{}'') FROM held WHERE ' || condition INTO result;
  RETURN result;
END $$;
CREATE FUNCTION compare_all(OUT form text, OUT queries bigint, OUT rows_found bigint, OUT differences bigint) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT form, count(*), sum(cardinality(scan)), count(*) FILTER (WHERE scan <> idx) FROM (
    SELECT form, found(condition, false) AS scan, found(condition, true) AS idx FROM (
      SELECT form, format(form, quote_literal(b::text) || '::roaringbitmap') FROM asked, unnest('{b && %s,b @> %s,b <@ %s,b = %s,"rb_contains(b, %s)","rb_intersect(%s, b)","rb_equals(%s, b)","rb_contains(%s, b)"}'::text[]) form WHERE n < 100
      UNION ALL SELECT form, format(form, quote_literal(w::text) || '::roaringbitmap64') FROM asked, unnest('{w && %s,w @> %s,w <@ %s,w = %s,"rb64_containedby(%s, w)"}'::text[]) form
      UNION ALL SELECT form, format(form, e) FROM unnest('{0,5,16,49,999,100000,70000,-1,-8,-2147483648}'::int[]) e, unnest('{b @> (%s),(%s) <@ b,"rb_contains(b, %s)","rb_containedby(%s, b)"}'::text[]) form
      UNION ALL SELECT form, format(form, e) FROM unnest('{0,5,49,-1,9223372036854775000,9223372036854775008,-6782744073709551616,-6782744073709551610}'::bigint[]) e, unnest('{w @> (%s),"rb64_contains(w, (%s)::bigint)"}'::text[]) form
    ) q (form, condition)) f GROUP BY form ORDER BY form COLLATE "C" $$;
SET fas.roaring_output_format = 'bytea';
CREATE INDEX held_b ON held USING gin (b);
CREATE INDEX held_w ON held USING gin (w);
SELECT * FROM compare_all();
DROP INDEX held_b, held_w;
CREATE INDEX held_b ON held USING gin (b roaringbitmap_ops (max_keys = 256));
CREATE INDEX held_w ON held USING gin (w roaringbitmap64_ops (max_keys = 256));
SELECT sum(rows_found), sum(differences) FROM compare_all();
-- Rows that come later, through the pending list and without.
UPDATE held SET b = b | 5, w = w | 5::bigint WHERE n % 5 = 0;
DELETE FROM held WHERE n % 7 = 3;
SELECT sum(rows_found), sum(differences) FROM compare_all();
VACUUM held;
SELECT sum(rows_found), sum(differences) FROM compare_all();
CREATE INDEX ON held USING gin (b roaringbitmap_ops (max_keys = 255));

-- Plans and estimates: rows that are estimated and rows that are, by the operator and by its function.
SET fas.roaring_output_format = 'array';
CREATE TABLE many (n int, b roaringbitmap);
INSERT INTO many SELECT i, rb_build(ARRAY[i % 10, 1000 + i % 1000, i]) FROM generate_series(1, 20000) i;
CREATE INDEX ON many USING gin (b);
ANALYZE many;
EXPLAIN (COSTS OFF) SELECT * FROM many WHERE b @> 1500;
EXPLAIN (COSTS OFF) SELECT * FROM many WHERE 1500 <@ b;
EXPLAIN (COSTS OFF) SELECT * FROM many WHERE rb_contains(b, 1500);
EXPLAIN (COSTS OFF) SELECT * FROM many WHERE rb_intersect('{1500,1501}', b);
EXPLAIN (COSTS OFF) SELECT * FROM many m, (VALUES (1500), (1501)) v (x) WHERE m.b @> v.x;
-- Every row: not by index.
EXPLAIN (COSTS OFF) SELECT * FROM many WHERE b @> '{}';
CREATE FUNCTION estimate_of(condition text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) SELECT * FROM many WHERE ' || condition INTO plan;
  RETURN plan->0->'Plan'->>'Plan Rows';
END $$;
SELECT condition, estimate_of(condition) BETWEEN low AND high AS sane FROM (VALUES
    ('b @> 3', 500, 6000), ('rb_contains(b, 3)', 500, 6000), ('b @> 1500', 1, 400), ('b && ''{1,2,3,4,5}''', 5000, 16000), ('rb_intersect(b, ''{1,2,3,4,5}'')', 5000, 16000),
    ('b @> ''{}''', 19000, 20000), ('b @> ''{3,4}''', 1, 100), ('b = ''{1,2}''', 1, 10), ('b <> ''{1,2}''', 19000, 20000), ('b < ''{5}''', 8000, 12000), ('b <@ ''{7}''', 1, 100)) v (condition, low, high);
EXPLAIN SELECT rb_iterate('{1,2,3,4,5,6,7}');
EXPLAIN SELECT rb64_iterate(rb64_fill('{}', 0, 123456));

SET client_min_messages = warning;
DROP TABLE encoded, large, held, asked, many;
DROP FUNCTION code_of, found, compare_all, estimate_of;
DROP EXTENSION fas CASCADE;
