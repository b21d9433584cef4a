--
-- Names of any kind: they come back as they went in, by every way in, and no
-- separator inside of a name can make two flow keys one.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

CREATE TEMP TABLE names (id int GENERATED ALWAYS AS IDENTITY, name text COLLATE "C");
INSERT INTO names (name) VALUES
  ('a'), ('A'), ('app'), ('App'), ('APP'), ('null'), ('NULL'), ('Null'), ('0'), ('00'), ('-1'), ('1e3'), ('true'), ('{}'), ('[]'), ('""'),
  (' '), ('  '), (' a'), ('a '), (E'\t'), (E'\n'), (E'a\nb'), (E'a\r\nb'), (E'\\'), (E'\\n'), (E'\\.'), (E'\\N'), ('"'), ('a"b'), (''''), ('it''s'), (','), ('a,b'),
  ('$1'), ('%s'), ('%'), ('_'), ('a%'), ('/etc/passwd'), ('10.0.0.1:443'), ('::1'), (E'\x01'), (E'\x1f'), (E'\x7f'), ('é'), (U&'e\0301'), ('ß'), ('SS'), ('ﬁ'),
  ('İ'), ('ı'), ('日本語'), ('👩‍👩‍👧'), (U&'\+01F600'), (U&'\FFFD'), (U&'\FFFF'), (U&'\+10FFFF'), (U&'\200B'), (U&'\202E' || 'abc'), (U&'\FEFF'), ('Ω'), (U&'\2126'),
  (repeat('x', 255)), (repeat('x', 256)), (repeat('x', 65535)), (repeat('x', 65536)), (repeat('é', 50000)), (repeat('x', 100000)), (repeat('x', 99999) || 'y');
SELECT count(*), count(DISTINCT name), max(octet_length(name)) FROM names;

CREATE TEMP TABLE plain AS
  SELECT 1 + n.id % 3 AS hour, n.name AS src_app, m.name AS dest_app, o.name AS vpc_id, n.id::bigint AS bytes_tx, m.id::bigint AS bytes_rx
  FROM names n JOIN names m ON m.id % 7 = n.id % 7 JOIN names o ON o.id = 1 + (n.id + m.id) % 70;
SELECT count(*) FROM plain;

-- Rows that differ, in all: single flows, and sums by hour.
CREATE FUNCTION differing() RETURNS TABLE (flows bigint, sums bigint) LANGUAGE sql AS $$
  SELECT (SELECT count(*) FROM ((TABLE flows EXCEPT ALL TABLE plain) UNION ALL (TABLE plain EXCEPT ALL TABLE flows)) d),
         (SELECT count(*) FROM (
            (SELECT f.* FROM generate_series(0, 4) h, flows_by_hour(h) f EXCEPT ALL
             SELECT src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), hour FROM plain GROUP BY 1, 2, 3, 6) UNION ALL
            (SELECT src_app, dest_app, vpc_id, sum(bytes_tx), sum(bytes_rx), hour FROM plain GROUP BY 1, 2, 3, 6 EXCEPT ALL
             SELECT f.* FROM generate_series(0, 4) h, flows_by_hour(h) f)) d)
$$;

SELECT flows_ingest((SELECT json_agg(p)::text FROM plain p));
SELECT * FROM differing();
TRUNCATE flow_segments;
SELECT flows_ingest((SELECT json_agg(p) FROM plain p));
SELECT * FROM differing();
TRUNCATE flow_segments;
SELECT flows_ingest((SELECT jsonb_agg(p) FROM plain p));
SELECT * FROM differing();
TRUNCATE flow_segments;
INSERT INTO flows SELECT * FROM plain;
SELECT * FROM differing();
TRUNCATE flow_segments;
\set file `mktemp`
\setenv FAS_TEST_FILE :file
\copy plain TO PROGRAM 'cat >"$FAS_TEST_FILE"' (FORMAT csv, FORCE_QUOTE *)
\copy flows FROM PROGRAM 'cat "$FAS_TEST_FILE"' (FORMAT csv)
SELECT * FROM differing();
\copy (SELECT * FROM flows) TO PROGRAM 'cat >"$FAS_TEST_FILE"' (FORMAT binary)
TRUNCATE flow_segments;
\copy flows FROM PROGRAM 'cat "$FAS_TEST_FILE"' (FORMAT binary)
SELECT * FROM differing();
\! rm -f "$FAS_TEST_FILE"
TRUNCATE flow_segments;

-- Each name with all of its characters escaped (\uXXXX), as JSON allows.
CREATE FUNCTION escaped(name text) RETURNS text LANGUAGE sql AS $$
  SELECT '"' || string_agg(CASE WHEN ascii(c) < 65536 THEN '\u' || lpad(to_hex(ascii(c)), 4, '0')
    ELSE '\u' || to_hex(55296 + (ascii(c) - 65536) / 1024) || '\u' || to_hex(56320 + (ascii(c) - 65536) % 1024) END, '' ORDER BY i) || '"'
  FROM unnest(string_to_array(name, NULL)) WITH ORDINALITY x(c, i)
$$;
SELECT flows_ingest((SELECT '[' || string_agg(format('{"\u0068our":%s,"src_app":%s,"dest_\u0061pp":%s,"vpc_id":%s,"bytes_tx":%s,"bytes_rx":%s}',
  hour, escaped(src_app), escaped(dest_app), escaped(vpc_id), bytes_tx, bytes_rx), ',') || ']'
  FROM plain WHERE length(src_app) < 300 AND length(dest_app) < 300 AND length(vpc_id) < 300));
SELECT count(*) AS differing FROM (SELECT * FROM flows EXCEPT ALL TABLE plain) d;
SELECT count(*) = (SELECT count(*) FROM plain WHERE length(src_app) < 300 AND length(dest_app) < 300 AND length(vpc_id) < 300) AS all_there FROM flows;
TRUNCATE flow_segments;

-- Compacted; asked for by name.
SELECT count(flows_ingest((json_build_array(p))::text)) > 400 AS many FROM plain p WHERE length(src_app || dest_app || vpc_id) < 1000;
INSERT INTO flows SELECT * FROM plain WHERE length(src_app || dest_app || vpc_id) >= 1000;
SELECT flows > 0 AS merged FROM flows_compact();
SELECT * FROM differing();
SELECT count(*) AS wrong FROM names n
WHERE (SELECT count(*) FROM flows f WHERE f.src_app = n.name) <> (SELECT count(*) FROM plain p WHERE p.src_app = n.name)
   OR (SELECT flows FROM flows_aggregate('{}', dest_app => ARRAY[n.name])) <> (SELECT count(*) FROM plain p WHERE p.dest_app = n.name)
   OR (SELECT coalesce(sum(bytes_rx), 0) FROM flows f WHERE f.vpc_id IN (n.name, 'nobody')) <> (SELECT coalesce(sum(bytes_rx), 0) FROM plain p WHERE p.vpc_id = n.name);
SELECT src_app, count(*) FROM flows WHERE src_app IN ('a', 'A', 'null', '0', ',') GROUP BY 1 ORDER BY 1;
SELECT count(*) AS empty_names FROM flows WHERE src_app = '' OR dest_app = '' OR vpc_id = '';
SELECT * FROM flows_check();
TRUNCATE flow_segments;

-- Separators: for every character c, (a c b, x, y), (a, b c x, y), (a, b, x c y) ... are all keys of their own.
CREATE TEMP TABLE separators AS
  SELECT chr(i) AS c FROM generate_series(1, 255) i UNION ALL VALUES (','), (', '), ('","'), (E'\t'), (E'\\x00'), ('\0'), ('--'), ('::'), (U&'\2063'), (U&'\FFFF'), ('/'), ('|'), ('||');
CREATE TEMP TABLE tricky AS
  SELECT DISTINCT 9 AS hour, s COLLATE "C" AS src_app, d COLLATE "C" AS dest_app, v COLLATE "C" AS vpc_id FROM separators,
    LATERAL (VALUES ('a' || c || 'b', 'x', 'y'), ('a', 'b' || c || 'x', 'y'), ('a', 'b', 'x' || c || 'y'), ('a' || c, 'b', 'x'), ('a', c || 'b', 'x'), ('a', 'b' || c, 'x'),
                    ('a', 'b', c || 'x'), (c, c, c), (c || c, c, c), (c, c || c, c), (c, c, c || c), ('a' || c || 'b' || c || 'x', c, 'y')) k(s, d, v);
SET fas.auto_compact = off;
INSERT INTO flows SELECT *, 1, 2 FROM tricky;
SELECT flows_ingest((SELECT json_agg(x) FROM (SELECT *, 1 AS bytes_tx, 2 AS bytes_rx FROM tricky) x)) = (SELECT count(*) FROM tricky) AS taken;
SELECT count(*) = (SELECT count(*) FROM tricky) AS keys, min(bytes_tx), max(bytes_tx), min(bytes_rx), max(bytes_rx) FROM flows_by_hour(9);
SELECT flows > 0 AS merged FROM flows_compact();
SELECT count(*) = (SELECT count(*) FROM tricky) AS keys, min(bytes_tx), max(bytes_tx), min(bytes_rx), max(bytes_rx) FROM flows_by_hour(9);
SELECT count(*) = (SELECT count(DISTINCT (src_app, dest_app)) FROM tricky) AS pairs, sum(flows) = 2 * (SELECT count(*) FROM tricky) AS flows FROM flows_aggregate('{src_app,dest_app}');
SELECT count(*) FROM ((SELECT src_app, dest_app, vpc_id FROM flows_by_hour(9)) EXCEPT SELECT src_app, dest_app, vpc_id FROM tricky) d;

-- Order and equality of flows are bytewise.
TRUNCATE flow_segments;
INSERT INTO flows SELECT 1, name, 'd', 'v', 1, 1 FROM names WHERE length(name) < 10;
SELECT count(DISTINCT src_app) = count(*) AS distinct_all, bool_and(ordered) AS bytewise FROM (
  SELECT src_app, convert_to(src_app, 'UTF8') > lag(convert_to(src_app, 'UTF8'), 1, '') OVER (ORDER BY src_app) AS ordered FROM flows) o;
SELECT count(*) FROM flows WHERE src_app BETWEEN 'A' AND 'a';
DROP FUNCTION differing, escaped;
TRUNCATE flow_segments;
