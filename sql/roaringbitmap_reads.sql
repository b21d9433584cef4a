--
-- Questions to one bitmap of either width, answered in place: against arrays, on TOASTed, compressed and damaged values.
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

-- Small ones. Members are unsigned: -1 is the largest of them.
SELECT b, rb_cardinality(b) AS n, rb_is_empty(b) AS empty, rb_min(b) AS min, rb_max(b) AS max, rb_contains(b, 10) AS has10, rb_containedby(-1, b) AS has_last,
       rb_rank(b, 10) AS rank10, rb_rank(b, -1) AS rank_last, rb_index(b, 10) AS at10, rb_index(b, -1) AS at_last
FROM unnest('{"{}","{1}","{1,10,100}","{0,10,2147483647,2147483648,4294967295}"}'::roaringbitmap[]) b;
SELECT b, rb64_cardinality(b) AS n, rb64_is_empty(b) AS empty, rb64_min(b) AS min, rb64_max(b) AS max, rb64_contains(b, 10) AS has10, rb64_containedby(-1, b) AS has_last,
       rb64_rank(b, 10) AS rank10, rb64_rank(b, -1) AS rank_last, rb64_index(b, 10) AS at10, rb64_index(b, -1) AS at_last
FROM unnest('{"{}","{1}","{1,10,100}","{0,10,4294967296,9223372036854775807,-9223372036854775808,-1}"}'::roaringbitmap64[]) b;
SELECT rb_cardinality(NULL) IS NULL AND rb_is_empty(NULL) IS NULL AND rb_contains(NULL, 1) IS NULL AND rb_contains('{1}', NULL::int) IS NULL AND rb_min(NULL) IS NULL AND rb_rank('{1}', NULL) IS NULL
   AND rb_index(NULL, 1) IS NULL AND rb_range_cardinality('{1}', NULL, 1) IS NULL AND rb_select('{1}', NULL) IS NULL AND rb64_max(NULL) IS NULL AS null_is_null;

-- Ranges: 32 bits clamp both ends, 64 bits are unsigned, with 0 as the end of all.
SELECT f, t, rb_range_cardinality('{0,1,10,100,4294967294,4294967295}', f, t) AS n, rb_select('{0,1,10,100,4294967294,4294967295}', 9, 0, false, f, t) AS members
FROM (VALUES (0::bigint, 4294967296), (1, 4294967295), (3, 3), (-3, 3), (0, -1), (5, 2), (2, 9000000000000000000), (4294967295, 4294967296), (4294967296, 4294967300), (4294967297, 9000000000000000000),
             (-9223372036854775808, 9223372036854775807)) v(f, t);
SELECT f, t, rb64_range_cardinality('{0,1,10,4294967296,9223372036854775807,-9223372036854775808,-2,-1}', f, t) AS n,
       rb64_select('{0,1,10,4294967296,9223372036854775807,-9223372036854775808,-2,-1}', 9, 0, false, f, t) AS members
FROM (VALUES (0::bigint, 0::bigint), (1, -1), (3, 3), (-3, 3), (-3, 0), (-1, 0), (0, -1), (5, 2), (2, 9223372036854775807), (2, -9223372036854775808), (4294967296, 4294967297)) v(f, t);

-- rb_select: at most so many, after passing over some, from either end.
SELECT l, o, r, rb_select('{1,2,3,4,5,6,7,8,9}', l, o, r) AS members, rb64_select('{1,2,3,4,5,6,7,8,9}', l, o, r) AS members64
FROM (VALUES (5::bigint, 2::bigint, false), (5, 2, true), (0, 0, false), (-1, 0, false), (100, 0, true), (5, 7, false), (5, 7, true), (5, 9, false), (5, 9, true), (3, -2, false), (3, -2, true),
             (9223372036854775807, 9223372036854775807, false), (9223372036854775807, 1, true), (9223372036854775807, 1, false)) v(l, o, r);
SELECT rb_select('{1,2,3}', 2) AS two, rb_select('{}', 2) AS none, rb_select('{1,5,9}', 2, 0, true, 2) AS from2, rb_select('{1,5,9}', bitset_limit => 1, range_start => 5, range_end => 9) AS named;

-- Random sets with containers of all kinds, in one large value each (TOASTed), against plain numbers.
CREATE TABLE sets (id int, kind text, n bigint);
SELECT setseed(0.125);
INSERT INTO sets
SELECT 1, 'sparse', floor(random() * 4294967296)::bigint FROM generate_series(1, 20000)
UNION SELECT 2, 'dense', 65536 * 5 + floor(random() * 300000)::bigint FROM generate_series(1, 60000)
UNION SELECT 3, 'runs', i FROM generate_series(100000, 300000) i WHERE i % 100 > 30
UNION SELECT 4, 'mixed', CASE i % 3 WHEN 0 THEN floor(random() * 300000)::bigint WHEN 1 THEN 1000000 + i ELSE 4294967295 - floor(random() * random() * 200000)::bigint END FROM generate_series(1, 30000) i
UNION SELECT 6, 'regular', k * 65536::bigint + j FROM generate_series(0, 3000) k, generate_series(0, 2) j
UNION SELECT 5, 'borders', b FROM unnest('{0,1,65535,65536,65537,131071,131072,2147483647,2147483648,4294901760,4294967295}'::bigint[]) b;
CREATE TABLE stored (id int, kind text, b roaringbitmap, b64 roaringbitmap64);
CREATE FUNCTION signed(bigint) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ($1 - CASE WHEN $1 > 2147483647 THEN 4294967296 ELSE 0 END)::int';
-- The 64-bit members spread over several high halves, one of them negative.
CREATE FUNCTION spread(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 + ($1 % 4) * 4294967296 - CASE WHEN $1 % 4 = 3 THEN 9223372036854775807 ELSE 0 END';
INSERT INTO stored SELECT id, kind, rb_build_agg(signed(n)), rb64_build_agg(spread(n)) FROM sets GROUP BY id, kind;
SELECT kind, pg_column_size(b) > 8000 AS large, rb_cardinality(b) = n AS n, rb_min(b) = signed(least) AS min, rb_max(b) = signed(most) AS max, rb64_cardinality(b64) = n AS n64
FROM stored JOIN (SELECT id, count(*) AS n, min(n) AS least, max(n) AS most FROM sets GROUP BY id) s USING (id) ORDER BY id;
CREATE TABLE asked AS SELECT id, q FROM sets s, LATERAL (VALUES (n - 1), (n), (n + 1)) v(q) WHERE random() < 0.002 OR kind = 'borders';
INSERT INTO asked SELECT i, q FROM generate_series(1, 6) i, unnest('{0,65535,65536,2147483647,2147483648,4294967295}'::bigint[]) q;
DELETE FROM asked WHERE q NOT BETWEEN 0 AND 4294967295;
CREATE TABLE answers AS
SELECT DISTINCT id, q, member, rank FROM (
  SELECT id, q, asked, sum(counts) OVER (PARTITION BY id, q) > 0 AS member, sum(counts) OVER (PARTITION BY id ORDER BY q)::bigint AS rank
  FROM (SELECT id, n AS q, 1 AS counts, false AS asked FROM sets UNION ALL SELECT id, q, 0, true FROM asked) u) x
WHERE asked;
CREATE VIEW compared AS
SELECT id, count(*) > 20 AS many, bool_and(rb_contains(b, signed(q)) = member) AS contains, bool_and(rb_rank(b, signed(q)) = rank) AS rank,
       bool_and(rb_index(b, signed(q)) = CASE WHEN member THEN rank - 1 ELSE -1 END) AS index, bool_and(rb_range_cardinality(b, 0, q + 1) = rank) AS below,
       bool_and(rb_range_cardinality(b, q, 4294967296) = rb_cardinality(b) - rank + member::int) AS above,
       bool_and(rb_select(b, 1, rank - 1) = CASE WHEN rank = 0 THEN '{}' ELSE rb_select(b, 1, 0, true, 0, q + 1) END) AS selected,
       bool_and(rb64_contains(b64, spread(q)) = member) AS contains64
FROM stored JOIN answers USING (id) GROUP BY id;
SELECT * FROM compared ORDER BY id;
-- 64 bits against numbers of the same spread.
SELECT id, bool_and(rb64_rank(b64, x) = r) AS rank, bool_and(rb64_index(b64, x) = r - 1) AS index, bool_and(rb64_range_cardinality(b64, x, 0) = c - r + 1) AS above
FROM (SELECT id, spread(n) AS x, row_number() OVER (PARTITION BY id ORDER BY spread(n) < 0, spread(n)) AS r, count(*) OVER (PARTITION BY id) AS c, n FROM sets) s JOIN stored USING (id)
WHERE n % 97 = 0 OR kind = 'borders' GROUP BY id ORDER BY id;
SELECT kind, rb_select(b, 5000, 3000) = (SELECT rb_build_agg(signed(n)) FROM (SELECT n FROM sets s WHERE s.id = stored.id ORDER BY n OFFSET 3000 LIMIT 5000) x) AS forward,
       rb_select(b, 5000, 3000, true, 70000, 4294900000)
       = (SELECT rb_build_agg(signed(n)) FROM (SELECT n FROM sets s WHERE s.id = stored.id AND n BETWEEN 70000 AND 4294899999 ORDER BY n DESC OFFSET 3000 LIMIT 5000) x) AS backward
FROM stored WHERE kind <> 'borders' ORDER BY id;

-- rb_iterate: all members in order, and no more than are asked for.
SELECT kind, (SELECT array_agg(i) FROM rb_iterate(b) i) = rb_to_array(b) AS same, (SELECT array_agg(i) FROM rb64_iterate(b64) i) = rb64_to_array(b64) AS same64 FROM stored ORDER BY id;
SELECT rb_iterate('{3,1,4294967295}') AS i, rb64_iterate('{5,-1}') AS i64;
SELECT count(*) FROM rb_iterate('{}');
SELECT i FROM stored, rb_iterate(b) i WHERE kind = 'borders' LIMIT 4;
SELECT rb_iterate(b) FROM stored WHERE kind = 'runs' LIMIT 2;
SELECT rb_iterate(NULL) FROM generate_series(1, 2);

-- The same where values are compressed.
ALTER TABLE stored ALTER b SET STORAGE extended, ALTER b64 SET STORAGE extended;
UPDATE stored SET b = rb_or(b, '{}'), b64 = rb64_or(b64, '{}');
SELECT bool_or(pg_column_compression(b) IS NOT NULL) AND bool_or(pg_column_compression(b64) IS NOT NULL) AS some_are FROM stored;
SELECT bool_and(many AND contains AND rank AND index AND below AND above AND selected AND contains64) AS compressed FROM compared;
SELECT bool_and((SELECT array_agg(i) FROM rb_iterate(b) i) = rb_to_array(b)) AS compressed FROM stored;

-- Stored bytes that are damaged: an answer or data_corrupted, whatever is asked.
CREATE FUNCTION forged(bytea) RETURNS roaringbitmap LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
CREATE FUNCTION forged64(bytea) RETURNS roaringbitmap64 LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
SELECT bytes, code_of(format('SELECT rb_cardinality(forged(%L))', bytes)) AS cardinality, code_of(format('SELECT rb_contains(forged(%L), 5)', bytes)) AS contains, code_of(format('SELECT rb_max(forged(%L))', bytes)) AS max
FROM unnest('{"","\\x3a30","\\x3b30","\\x3a30000001000000","\\x3a300000ffffffff","\\x3a300000010000000000000010000000","\\x3a300000010000000000000000000000","\\x3a30000001000000000000001000000005",
              "\\x3a300000010000000000000020000000","\\x00000000"}'::bytea[]) bytes;
CREATE TABLE outcome (code text);
DO $$
DECLARE
  good bytea; good64 bytea; bad bytea; bad64 bytea; question text;
BEGIN
  PERFORM setseed(0.5);
  SELECT roaringbitmap_send(b), roaringbitmap64_send(b64) INTO good, good64
  FROM (SELECT rb_build_agg(x) AS b, rb64_build_agg(x::bigint * 70000) AS b64 FROM (SELECT i * i AS x FROM generate_series(1, 1000) i UNION ALL SELECT i + 2000000 FROM generate_series(1, 9000) i WHERE i % 100 > 3) m) x;
  FOR i IN 1 .. 400 LOOP
    bad := good; bad64 := good64;
    FOR j IN 0 .. floor(random() * 3)::int LOOP
      bad := set_byte(bad, floor(power(random(), 3) * length(bad))::int, floor(random() * 256)::int);
      bad64 := set_byte(bad64, floor(power(random(), 3) * length(bad64))::int, floor(random() * 256)::int);
    END LOOP;
    IF i % 5 = 0 THEN bad := substr(bad, 1, floor(random() * length(bad))::int); bad64 := substr(bad64, 1, floor(random() * length(bad64))::int); END IF;
    FOREACH question IN ARRAY '{cardinality($1),is_empty($1),contains($1\, 8649),min($1),max($1),rank($1\, 2001000),index($1\, 8649),"range_cardinality($1, 100, 2000500)","select($1, 50, 7)",iterate($1)}'::text[] LOOP
      BEGIN
        EXECUTE 'SELECT count(*) FROM (SELECT rb_' || question || ') x' USING forged(bad);
        INSERT INTO outcome VALUES ('accepted');
      EXCEPTION WHEN others THEN INSERT INTO outcome VALUES (SQLSTATE);
      END;
      BEGIN
        EXECUTE 'SELECT count(*) FROM (SELECT rb64_' || question || ') x' USING forged64(bad64);
        INSERT INTO outcome VALUES ('accepted');
      EXCEPTION WHEN others THEN INSERT INTO outcome VALUES (SQLSTATE);
      END;
    END LOOP;
  END LOOP;
END $$;
SELECT code, count(*) > 500 AS many FROM outcome GROUP BY code ORDER BY code;

DROP VIEW compared;
DROP TABLE sets, stored, asked, answers, outcome;
DROP FUNCTION code_of, signed, spread, forged, forged64;
DROP EXTENSION fas;
