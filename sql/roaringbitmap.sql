--
-- The types roaringbitmap and roaringbitmap64: text and binary forms, casts, hostile bytes, the format as other
-- libraries write it; and rb_build_agg in parallel, over window frames, and with nothing to do.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

-- Text in: any order, duplicates, blanks, both ends; 32 bits as a negative integer.
SELECT '{}'::roaringbitmap AS none, '{1}'::roaringbitmap AS one, '{3,1,2,1}'::roaringbitmap AS unordered,
       E' { 1 ,\t2\n, 3 } '::roaringbitmap AS blanks, '{0,4294967295}'::roaringbitmap AS ends, '{-1,-2147483648,2147483647}'::roaringbitmap AS signed;

-- Text out, both forms; each is read back whatever the setting.
SHOW fas.roaring_output_format;
SET fas.roaring_output_format = 'bytea';
SELECT '{1,2,3}'::roaringbitmap AS small, '{}'::roaringbitmap AS none;
SELECT '{1,100,70000}'::roaringbitmap AS two_containers, rb_to_array((('{1,100,70000}'::roaringbitmap)::text)::roaringbitmap) AS back;
SET fas.roaring_output_format = 'neither';
RESET fas.roaring_output_format;
SELECT '\x3a300000010000000000020010000000010002000300'::roaringbitmap, '\x 3A30 0000 0100 0000 0000 0200 1000 0000 0100 0200 0300'::roaringbitmap;

-- Text that is neither form, and bytes that are no bitmap.
CREATE FUNCTION code_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE query;
  RETURN 'accepted';
EXCEPTION WHEN others THEN RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT t, code_of(format('SELECT %L::roaringbitmap', t))
FROM unnest(ARRAY['', ' ', '{', '}', '{,}', '{1,}', '{,1}', '{1 2}', '{1}{2}', '{1},', '{a}', '{1.5}', '{1e3}', '{+1}', '{+-1}', '{- 1}', '{0x1}', '{NULL}', '{4294967296}', '{-2147483649}',
                  '{99999999999999999999}', '1,2', '{1', '\', '\x', '\x3', '\xzz', '\x3a', '\x3a30000001', '\x3a30000000000000', '\x3a3000000000000000',
                  '\x3a30000001000000000002001000000003000200 0100', '\x3a300000010000000000020010000000010001000100', '\x3a300000ffffffff', '\x3b30ffff00000000000000']) WITH ORDINALITY u(t, n)
ORDER BY n;
-- Random bytes, and a good bitmap with some bytes changed: accepted or refused with 22P02, and what is accepted can be used.
CREATE TEMP TABLE outcome (code text, n int);
DO $$
DECLARE
  good bytea;
  bad bytea;
  b roaringbitmap;
BEGIN
  PERFORM setseed(0.25);
  SET LOCAL fas.roaring_output_format = 'bytea';
  good := decode(substr((SELECT rb_or(rb_build(array_agg(i * i)), rb_build(array_agg(i + 100000))) FROM generate_series(1, 3000) i)::text, 3), 'hex');
  FOR i IN 1 .. 3000 LOOP
    bad := good;
    FOR j IN 0 .. floor(random() * 3)::int LOOP
      bad := set_byte(bad, floor(power(random(), 2) * length(bad))::int, floor(random() * 256)::int);
    END LOOP;
    IF i % 5 = 0 THEN bad := substr(bad, 1, floor(random() * length(bad))::int); END IF;
    BEGIN
      b := ('\x' || encode(bad, 'hex'))::roaringbitmap;
      PERFORM rb_cardinality(rb_or(b, b)), rb_and(b, rb_build('{1,2,3}'));
      INSERT INTO outcome VALUES ('accepted', 1);
    EXCEPTION WHEN others THEN INSERT INTO outcome VALUES (SQLSTATE, 1);
    END;
  END LOOP;
END $$;
SELECT code, count(*) > 100 AS many FROM outcome GROUP BY code ORDER BY code;

-- Binary out is the portable format; COPY BINARY gives every bitmap back.
SELECT roaringbitmap_send('{1,2,3}') = '\x3a300000010000000000020010000000010002000300' AS portable;
CREATE TEMP TABLE bitmaps (id int, b roaringbitmap);
INSERT INTO bitmaps VALUES (1, '{}'), (2, '{7}'), (3, (SELECT rb_build_agg(i) FROM generate_series(1, 100000) i WHERE i % 3 <> 0)), (4, '{4294967295}'), (5, NULL);
\set file `mktemp`
\setenv FAS_TEST_FILE :file
\copy bitmaps to program 'cat > "$FAS_TEST_FILE"' (format binary)
CREATE TEMP TABLE again (LIKE bitmaps);
\copy again from program 'cat "$FAS_TEST_FILE"' (format binary)
\! rm -f "$FAS_TEST_FILE"
SELECT id, rb_cardinality(a.b), roaringbitmap_send(a.b) = roaringbitmap_send(b.b) AS same FROM bitmaps a JOIN again b USING (id) ORDER BY id;
SELECT attstorage FROM pg_attribute WHERE attrelid = 'bitmaps'::regclass AND attname = 'b';

-- rb_build and rb_to_array
SELECT rb_build('{3,1,2,2}') AS b, rb_build('{}') AS none, rb_build(ARRAY[-1, 0, 2147483647]) AS signed, rb_build(NULL) IS NULL AS null_is_null;
SELECT rb_to_array('{5,3}') AS a, rb_to_array('{}') AS none, rb_to_array('{4294967295,2147483648,1}') AS signed;
SELECT code_of($$SELECT rb_build('{1,NULL}')$$), code_of($$SELECT rb_build('{{1,2},{3,4}}')$$);
SELECT rb_to_array(rb_build(a)) = a AS same FROM (SELECT array_agg(i * 7) FROM generate_series(1, 200000) i) x(a);

-- The rest
SELECT rb_cardinality('{}') AS none, rb_cardinality('{1,2,3,2}') AS three, rb_cardinality(rb_build_agg(i)) AS many FROM generate_series(1, 200000) i;
SELECT rb_and('{1,2,3}', '{2,3,4}'), rb_or('{1,2,3}', '{2,3,4}'), rb_and('{1}', '{2}') AS nothing, rb_and('{1}', NULL) IS NULL AS null_is_null;
-- Every integer there is, in 900 kB: it can be used, and only what would be too large a value is refused.
CREATE TEMP TABLE everything AS
SELECT ('\x3b30ffff' || repeat('ff', 8192)
        || string_agg(lpad(to_hex(i % 256), 2, '0') || lpad(to_hex(i / 256), 2, '0') || 'ffff', '' ORDER BY i)
        || repeat('00000000', 65536) || repeat('01000000ffff', 65536))::roaringbitmap AS b
FROM generate_series(0, 65535) i;
SELECT rb_cardinality(b), rb_and(b, '{0,5,4294967295}'), rb_cardinality(rb_or(b, '{3}')) FROM everything;
SELECT code_of('SELECT rb_to_array(b) FROM everything'), code_of('SELECT b::text FROM everything');

-- 64 bits: the same, with the members of bigint.
SELECT '{}'::roaringbitmap64 AS none, '{3,1,2,1}'::roaringbitmap64 AS unordered, '{0,18446744073709551615}'::roaringbitmap64 AS ends, '{-1,-9223372036854775808,9223372036854775807,4294967296}'::roaringbitmap64 AS signed;
SELECT t, code_of(format('SELECT %L::roaringbitmap64', t))
FROM unnest(ARRAY['', '{', '{1,}', '{a}', '{18446744073709551616}', '{-9223372036854775809}', '{1', '\x', '\x00', '\x0000000000000000', '\x0100000000000000', '\xffffffffffffffff', '\x0000000000000000ff',
                  '\x0100000000000000050000003a30000000000000', '\x0100000000000000050000003a3000000100000000000000100000000700']) WITH ORDINALITY u(t, n)
ORDER BY n;
SET fas.roaring_output_format = 'bytea';
SELECT '{1,4294967298}'::roaringbitmap64 AS two_buckets, '{}'::roaringbitmap64 AS none, ('{1,-1}'::roaringbitmap64::text)::roaringbitmap64 = '{1,-1}' AS back;
RESET fas.roaring_output_format;
-- An empty bucket is forgiven, and gone.
SELECT '\x0200000000000000030000003a30000000000000050000003a3000000100000000000000100000000700'::roaringbitmap64 AS one,
       '\x0100000000000000030000003a30000000000000'::roaringbitmap64::bytea AS none;
-- So are offsets that are wrong, where all else is right.
SELECT '\x3a30000001000000000001001100000001000200'::roaringbitmap::bytea AS mended;

-- Casts: bytes both ways, arrays both ways, and between the widths as SQL's integers.
SELECT '{1,2,3}'::roaringbitmap::bytea AS narrow, '{1,2,3}'::roaringbitmap64::bytea AS wide;
SELECT '\x3a300000010000000000020010000000010002000300'::bytea::roaringbitmap, roaringbitmap('\x3a300000010000000000020010000000010002000300'::bytea),
       roaringbitmap64('\x0100000000000000000000003a300000010000000000020010000000010002000300'::bytea);
SELECT code_of($$SELECT '\x11'::bytea::roaringbitmap$$), code_of($$SELECT '\x3a30000000000000ff'::bytea::roaringbitmap$$), code_of($$SELECT '\x3a30000000000000'::bytea::roaringbitmap64$$);
SELECT ARRAY[3,-1,2]::roaringbitmap, '{3,-1,2}'::roaringbitmap::integer[], ARRAY[3,-1,4294967296]::roaringbitmap64, '{3,-1,4294967296}'::roaringbitmap64::bigint[];
SELECT '{0,2147483647,-2147483648,-1}'::roaringbitmap::roaringbitmap64 AS wide, '{0,2147483647,-2147483648,-1}'::roaringbitmap64::roaringbitmap AS narrow,
       '{}'::roaringbitmap::roaringbitmap64::bytea AS none, '{}'::roaringbitmap64::roaringbitmap::bytea AS none_narrow;
SELECT code_of(format('SELECT %L::roaringbitmap64::roaringbitmap', b))
FROM unnest('{"{5,2147483648}","{-2147483649,-1}","{1,4294967296}","{9223372036854775807}","{-9223372036854775808}"}'::text[]) b;

-- Binary forms of 64 bits.
SELECT roaringbitmap64_send('{1,2,3}') = '\x0100000000000000000000003a300000010000000000020010000000010002000300' AS portable;
CREATE TEMP TABLE bitmaps64 (id int, b roaringbitmap64);
INSERT INTO bitmaps64 VALUES (1, '{}'), (2, '{-1}'), (3, rb64_build(ARRAY(SELECT i * i * i FROM generate_series(1::bigint, 20000) i)));
\set file `mktemp`
\setenv FAS_TEST_FILE :file
\copy bitmaps64 to program 'cat > "$FAS_TEST_FILE"' (format binary)
CREATE TEMP TABLE again64 (LIKE bitmaps64);
\copy again64 from program 'cat "$FAS_TEST_FILE"' (format binary)
\! rm -f "$FAS_TEST_FILE"
SELECT id, cardinality(a.b::bigint[]), a.b::bytea = b.b::bytea AS same FROM bitmaps64 a JOIN again64 b USING (id) ORDER BY id;

-- The files that all Roaring libraries test with (bitmapwithoutruns.bin of 72616 bytes, bitmapwithruns.bin of 48056): multiples of 1000 below 100,000, three times
-- each number from 100,000 to 199,999, and all from 700,000 to 799,999. Made here from the format's specification, container by container, not by our code.
CREATE FUNCTION le(n bigint, bytes int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(lpad(to_hex((n >> (8 * i)) & 255), 2, '0'), '' ORDER BY i) FROM generate_series(0, bytes - 1) i $$;
CREATE TEMP TABLE expected_set AS
SELECT DISTINCT i FROM (SELECT k * 1000 FROM generate_series(0, 99) k UNION ALL SELECT 3 * k FROM generate_series(100000, 199999) k UNION ALL SELECT generate_series(700000, 799999)) v(i);
-- Containers: their members as an array, a bitset or runs, as each library would choose (a bitset above 4096 members; runs where asked for and smaller).
CREATE TEMP TABLE parts AS
SELECT key, (SELECT count(*) FROM expected_set WHERE i >> 16 = key) AS n, (SELECT string_agg(le(i & 65535, 2), '' ORDER BY i) FROM expected_set WHERE i >> 16 = key) AS members,
       (SELECT string_agg(lpad(to_hex(coalesce(b, 0)), 2, '0'), '' ORDER BY byte)
        FROM generate_series(0, 8191) byte LEFT JOIN (SELECT (m.i & 65535) >> 3 AS at, bit_or(1 << (m.i & 7)) AS b FROM expected_set m WHERE m.i >> 16 = key GROUP BY 1) w ON w.at = byte) AS bits,
       (SELECT le(count(*), 2) || string_agg(le(first & 65535, 2) || le(length - 1, 2), '' ORDER BY first)
        FROM (SELECT min(m.i) AS first, count(*) AS length FROM (SELECT m.i, m.i - row_number() OVER (ORDER BY m.i) AS g FROM expected_set m WHERE m.i >> 16 = key) m GROUP BY g) r) AS runs
FROM (SELECT DISTINCT i >> 16 FROM expected_set) k(key);
CREATE TEMP TABLE files AS
SELECT with_runs,
       (CASE WHEN with_runs THEN le(12347 | ((count(*) - 1) << 16), 4) || le(sum(CASE WHEN is_run THEN 1 << at ELSE 0 END), (count(*)::int + 7) / 8) ELSE le(12346, 4) || le(count(*), 4) END
        || string_agg(le(key, 2) || le(n - 1, 2), '' ORDER BY key) || string_agg(le(header + before, 4), '' ORDER BY key) || string_agg(data, '' ORDER BY key)) AS hex
FROM (SELECT *, (sum(length(data)) OVER w - length(data)) / 2 AS before, (row_number() OVER w)::int - 1 AS at,
             CASE WHEN with_runs THEN 4 + (count(*) OVER all_of_them + 7) / 8 ELSE 8 END + 8 * count(*) OVER all_of_them AS header
      FROM (SELECT with_runs, key, n, with_runs AND length(runs) < length(smaller) AS is_run, CASE WHEN with_runs AND length(runs) < length(smaller) THEN runs ELSE smaller END AS data
            FROM (SELECT *, CASE WHEN n > 4096 THEN bits ELSE members END AS smaller FROM parts) p, (VALUES (false), (true)) v(with_runs)) c
      WINDOW w AS (PARTITION BY with_runs ORDER BY key), all_of_them AS (PARTITION BY with_runs)) placed
GROUP BY with_runs, header;
SELECT with_runs, length(hex) / 2 AS bytes, rb_to_array(b) = (SELECT array_agg(i ORDER BY i) FROM expected_set) AS read,
       rb_build((SELECT array_agg(i) FROM expected_set))::bytea = b::bytea AS written_by_build, rb_runoptimize(b)::bytea = b::bytea AS written_by_runoptimize
FROM files, LATERAL (SELECT ('\x' || hex)::roaringbitmap) x(b) ORDER BY with_runs;

-- rb_build_agg: nothing, NULLs, groups, windows.
SELECT rb_build_agg(i) FROM generate_series(1, 0) i;
SELECT rb_build_agg(NULL::int) FROM generate_series(1, 3);
SELECT rb_build_agg(i) FROM (VALUES (3), (NULL), (1), (-1), (3)) v(i);
SELECT i % 3 AS g, rb_build_agg(i) FROM generate_series(1, 10) i GROUP BY g ORDER BY g;
SELECT i, rb_build_agg(i) OVER (ORDER BY i) AS so_far, rb_build_agg(i) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS around,
       rb_build_agg(i) OVER (PARTITION BY i % 2) AS kind FROM generate_series(1, 6) i ORDER BY i;

-- In parallel.
CREATE TABLE numbers AS SELECT i FROM generate_series(1, 50000) i;
ALTER TABLE numbers SET (parallel_workers = 2);
ANALYZE numbers;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT rb_build_agg(i) FROM numbers;
SELECT rb_cardinality(rb_build_agg(i)), rb_build_agg(i) FILTER (WHERE i < 4) FROM numbers;
SELECT rb_build_agg(i) FROM numbers WHERE i < 0;
DROP TABLE numbers;

-- Every function says what it is.
SELECT count(*) FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
WHERE p.proname ~ '^(rb_|rb64_|roaringbitmap)' AND obj_description(p.oid, 'pg_proc') IS NULL;
DROP TABLE bitmaps, again, everything, outcome, bitmaps64, again64, expected_set, parts, files;
DROP FUNCTION code_of, le;
DROP EXTENSION fas;
