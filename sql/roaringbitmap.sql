--
-- The type roaringbitmap: text and binary forms, hostile bytes, its functions,
-- and rb_build_agg also in parallel, over window frames, and with nothing to do.
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
FROM unnest(ARRAY['', ' ', '{', '}', '{,}', '{1,}', '{,1}', '{1 2}', '{1}{2}', '{1},', '{a}', '{1.5}', '{1e3}', '{+1}', '{0x1}', '{NULL}', '{4294967296}', '{-2147483649}',
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
WHERE p.proname ~ '^(rb_|roaringbitmap)' AND obj_description(p.oid, 'pg_proc') IS NULL;
DROP TABLE bitmaps, again, everything, outcome;
DROP FUNCTION code_of;
DROP EXTENSION fas;
