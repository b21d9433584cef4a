--
-- Bad input: through text, json and jsonb, by INSERT and by COPY. Refused whole
-- with the promised SQLSTATE, and nothing is stored. Then at random: what ::json
-- refuses, flows_ingest(text) refuses, and the three ways agree.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

CREATE TYPE outcome AS (code text, said text);
CREATE FUNCTION try(body text, way text) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE o outcome; d text; n bigint;
BEGIN
  EXECUTE format('SELECT flows_ingest($1::%s)', way) INTO n USING body;
  RETURN ROW('taken'::text, n::text)::outcome;
EXCEPTION WHEN others THEN
  GET STACKED DIAGNOSTICS o.code = RETURNED_SQLSTATE, o.said = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL;
  o.said := o.said || ' / ' || d;
  RETURN o;
END $$;

-- A good flow, with one member put in place of another, or more text at its end.
CREATE FUNCTION flow(member text DEFAULT NULL, value text DEFAULT NULL, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
  SELECT '{' || string_agg('"' || k || '":' || CASE WHEN k = member THEN value ELSE v END, ',') FILTER (WHERE NOT (k = member AND value IS NULL) OR member IS NULL) || more || '}'
  FROM (VALUES ('hour', '5'), ('src_app', '"s"'), ('dest_app', '"d"'), ('vpc_id', '"v"'), ('bytes_tx', '1'), ('bytes_rx', '2')) m(k, v)
$$;
SELECT flow(), flow('hour', '7'), flow('hour'), flow(more => ',"x":1');

CREATE TEMP TABLE bad (id int GENERATED ALWAYS AS IDENTITY, what text, body text, field text);
-- No JSON.
INSERT INTO bad (what, body) VALUES
  ('nothing', ''), ('blanks', E' \n\t'), ('a word', 'hello'), ('truncated', '[' || flow()), ('truncated in a flow', left('[' || flow(), -3)), ('truncated in a string', '[{"src_app":"x'),
  ('truncated in a number', '[{"hour":'), ('only [', '['), ('only ]', ']'), ('junk after the array', '[' || flow() || '] x'), ('a second array', '[' || flow() || '][]'), ('a comma after the array', '[],'),
  ('a trailing comma', '[' || flow() || ',]'), ('a leading comma', '[,' || flow() || ']'), ('no comma', '[' || flow() || ' ' || flow() || ']'), ('a trailing comma in a flow', '[' || replace(flow(), '}', ',}') || ']'),
  ('single quotes', '[' || replace(flow(), '"', '''') || ']'), ('bare name', '[' || replace(flow(), '"hour"', 'hour') || ']'), ('comment', '[/* x */' || flow() || ']'), ('byte-order mark', U&'\FEFF' || '[' || flow() || ']'),
  ('NaN', '[' || flow('hour', 'NaN') || ']'), ('Infinity', '[' || flow('bytes_tx', 'Infinity') || ']'), ('hexadecimal', '[' || flow('bytes_tx', '0x10') || ']'), ('plus', '[' || flow('bytes_tx', '+1') || ']'),
  ('leading zero', '[' || flow('bytes_tx', '01') || ']'), ('leading point', '[' || flow('bytes_tx', '.5') || ']'), ('trailing point', '[' || flow('bytes_tx', '5.') || ']'), ('minus alone', '[' || flow('bytes_tx', '-') || ']'),
  ('two numbers', '[' || flow('bytes_tx', '1 2') || ']'), ('bad literal ignored', '[' || flow(more => ',"x":tru') || ']'), ('bad literal ignored, deep', '[' || flow(more => ',"x":[{"y":nul}]') || ']'),
  ('no comma ignored', '[' || flow(more => ',"x":[1 2 3]') || ']'), ('bad number ignored', '[' || flow(more => ',"x":1.e5') || ']'), ('leading zero ignored', '[' || flow(more => ',"x":00') || ']'),
  ('bad escape ignored', '[' || flow(more => ',"x":"\q"') || ']'), ('short \u ignored', '[' || flow(more => ',"x":"\u12"') || ']'), ('bad escape', '[' || flow('src_app', '"\x41"') || ']'), ('line break in a string', '[' || flow('src_app', E'"a\nb"') || ']'),
  ('tab in a string ignored', '[' || flow(more => E',"x":"\t"') || ']'), ('control character in a name', '[' || flow('dest_app', E'"\x01"') || ']'), ('unclosed object ignored', '[' || flow(more => ',"x":{"y":1') || ']'), ('wrong bracket ignored', '[' || flow(more => ',"x":[1}') || ']'),
  ('colon twice', '[' || flow('hour', ':5') || ']'), ('member without value', '[{"hour"}]'), ('number as member name', '[{1:2}]'), ('junk after a literal', '[' || flow(more => ',"x":nullx') || ']'),
  ('bad in the second flow', '[' || flow() || ',' || flow(more => ',"x":fals') || ']'), ('quote missing', '[' || replace(flow(), '"s"', '"s') || ']'), ('vertical tab as blank', E'[\x0b]'), ('no-break space as blank', U&'[\00A0]');
-- JSON that is no array of flows.
INSERT INTO bad (what, body) VALUES
  ('a number', '5'), ('a string', '"x"'), ('true', 'true'), ('null', 'null'), ('an object', flow()), ('an empty object', '{}'), ('an object around it', '{"flows":[' || flow() || ']}'),
  ('an array of numbers', '[1]'), ('an array of null', '[null]'), ('an array of strings', '["x"]'), ('an array of arrays', '[[' || flow() || ']]'), ('an array of an empty array', '[[]]'), ('the second is no object', '[' || flow() || ',7]'),
  ('an empty object in it', '[{}]'), ('the last is an empty object', '[' || flow() || ',{}]');
-- Each field: missing, null, of a wrong type.
INSERT INTO bad (what, body, field)
  SELECT f || ' ' || coalesce(v, 'missing'), '[' || flow() || ',' || flow(f, v) || ',' || flow() || ']', f
  FROM unnest('{hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx}'::text[]) WITH ORDINALITY a(f, i), unnest(ARRAY[NULL, 'null', 'true', '[]', '{}', '{"a":1}', '[1]']) WITH ORDINALITY b(v, j) ORDER BY i, j;
INSERT INTO bad (what, body, field)
  SELECT f || ' ' || v, '[' || flow() || ',' || flow(f, v) || ']', f FROM unnest('{src_app,dest_app,vpc_id}'::text[]) WITH ORDINALITY a(f, i), unnest(ARRAY['""', '0', '5', '-1', '1.5']) WITH ORDINALITY b(v, j) ORDER BY i, j;
INSERT INTO bad (what, body, field)
  SELECT f || ' ' || v, '[' || flow() || ',' || flow(f, v) || ']', f FROM unnest('{hour,bytes_tx,bytes_rx}'::text[]) WITH ORDINALITY a(f, i),
    unnest(ARRAY['"5"', '""', '-1', '-9223372036854775808', '-9223372036854775809', '1.5', '0.1', '9223372036854775808', '18446744073709551615', '18446744073709551616', '18446744073709551621', '1' || repeat('0', 40), '1e-1', '1e400', '-1e2']) WITH ORDINALITY b(v, j) ORDER BY i, j;
INSERT INTO bad (what, body, field)
  SELECT 'hour ' || v, '[' || flow() || ',' || flow('hour', v) || ']', 'hour' FROM unnest('{2147483648,4294967295,4294967296,4294967301,9223372036854775807}'::text[]) v;
-- Numbers that jsonb normalises.
INSERT INTO bad (what, body, field)
  SELECT f || ' ' || v, '[' || flow() || ',' || flow(f, v) || ']', f FROM unnest('{hour,bytes_tx}'::text[]) WITH ORDINALITY a(f, i), unnest('{1e3,1E3,5.0,5.000,10e-1,0.5e1,0e0,-0.0,0.0,1e18}'::text[]) WITH ORDINALITY b(v, j) ORDER BY i, j;
-- Duplicate members; jsonb keeps the last.
INSERT INTO bad (what, body, field)
  SELECT 'twice ' || f, '[' || flow() || ',' || flow(more => ',' || m) || ']', f FROM (VALUES ('hour', '"hour":5'), ('hour', '"hour":6'), ('src_app', '"src_app":"z"'), ('src_app', '"source_app":"s"'), ('dest_app', '"destination_app":"d"'),
    ('dest_app', '"dest_app":"d"'), ('vpc_id', '"vpc_id":"v"'), ('bytes_tx', '"bytes_tx":1'), ('bytes_rx', '"bytes_rx":2'), ('hour', '"h\u006fur":5')) d(f, m);
-- Characters that no text can hold.
INSERT INTO bad (what, body) VALUES
  ('\u0000 as a name', '[' || flow('src_app', '"\u0000"') || ']'), ('\u0000 in a name', '[' || flow('vpc_id', '"a\u0000b"') || ']'), ('lone high surrogate', '[' || flow('src_app', '"\ud800"') || ']'), ('lone low surrogate', '[' || flow('src_app', '"\udc00x"') || ']'),
  ('two high surrogates', '[' || flow('src_app', '"\ud800\ud800"') || ']'), ('high surrogate and another', '[' || flow('src_app', '"\ud800\u0041"') || ']'), ('surrogates turned', '[' || flow('src_app', '"\udc00\ud800"') || ']');
-- Too deep.
INSERT INTO bad (what, body) VALUES
  ('a million deep', repeat('[', 1000000)), ('a million deep, closed', repeat('[', 1000000) || repeat(']', 1000000)), ('a million deep, ignored', '[' || flow(more => ',"x":' || repeat('[', 1000000) || repeat(']', 1000000)) || ']'),
  ('a million objects deep', '[' || flow(more => ',"x":' || repeat('{"a":', 1000000) || '1' || repeat('}', 1000000)) || ']');

-- What each way answers.
SELECT what, (try(body, 'text')).code AS text, (try(body, 'json')).code AS json, (try(body, 'jsonb')).code AS jsonb FROM bad ORDER BY id;

-- jsonb took a few of those, and nothing else is stored.
SELECT count(*), count(*) FILTER (WHERE bytes_tx NOT IN (1, 1000, 5, 0, 1000000000000000000)) AS strange FROM flows;
TRUNCATE flow_segments;
SELECT count(*) AS taken FROM bad, LATERAL (VALUES ((try(body, 'text')).code), ((try(body, 'json')).code)) t(code) WHERE code = 'taken';
SELECT count(*) FROM flow_segments;

-- An error of a flow names its index and the field; one of text that is no JSON names a byte.
SELECT what, said FROM bad, LATERAL (VALUES ('text'), ('json'), ('jsonb')) w(way), LATERAL try(body, way) t
WHERE field IS NOT NULL AND code = '22023' AND NOT (said LIKE '%' || field || '%' AND said ~ '\m1\M') ORDER BY id;
SELECT what, said FROM bad, LATERAL try(body, 'text') t WHERE code = '22P02' AND NOT (said ~* 'byte' AND said ~ '\d') ORDER BY id;

-- A key with a bad batch is not kept: the same key serves the corrected batch.
\set VERBOSITY sqlstate
SELECT flows_ingest('[' || flow('hour', '-1') || ']', 'key');
SELECT flows_ingest('nonsense', 'key');
SELECT flows_ingest('[]', '');
SELECT flows_ingest('[]', repeat('k', 256));
SELECT flows_ingest('[]', NULL);
-- Invalid UTF-8 does not even get here.
SELECT flows_ingest(E'[\xff]');
SELECT flows_ingest(convert_from('\x5b22ff225d', 'UTF8'));
\set VERBOSITY default
SELECT count(*) FROM flow_batches;
SELECT flows_ingest('[' || flow() || ']', 'key');
SELECT flows_ingest('[]', repeat('k', 255));
TRUNCATE flow_segments, flow_batches;

-- What is not bad.
CREATE TEMP TABLE good (id int GENERATED ALWAYS AS IDENTITY, what text, body text);
INSERT INTO good (what, body) VALUES
  ('unknown members', '[' || flow(more => ',"x":1,"y":{"hour":"z","deep":[[[]]]},"hours":-1.5e400,"":null') || ']'), ('unknown members twice', '[' || flow(more => ',"x":1,"x":"z"') || ']'),
  ('blanks', E' \t\r\n[ \n' || replace(replace(flow(), ',', E'\n,\t'), ':', ' : ') || E'\r\n]\n '), ('the largest', '[' || flow('bytes_tx', '9223372036854775807') || ',' || flow('hour', '2147483647') || ']'),
  ('minus zero', '[' || flow('bytes_tx', '-0') || ',' || flow('hour', '-0') || ']'), ('zeros', '[' || flow('bytes_tx', '0') || ',' || flow('hour', '0') || ']'), ('other names', '[{"source_app":"s","destination_app":"d","vpc_id":"v","hour":5,"bytes_tx":1,"bytes_rx":2}]'),
  ('upper case is another member', '[' || flow(more => ',"Hour":"x","SRC_APP":7') || ']'), ('surrogate pair', '[' || flow('src_app', '"\ud83d\ude00"') || ']'), ('escapes', '[' || flow('src_app', '"\"\\\/\b\f\n\r\t\u00e9"') || ']'),
  ('500 deep, ignored', '[' || flow(more => ',"x":' || repeat('[', 500) || repeat(']', 500)) || ']'), ('order of members', '[{"bytes_rx":2,"vpc_id":"v","bytes_tx":1,"dest_app":"d","src_app":"s","hour":5}]');
SELECT what, (try(body, 'text')).code AS text, (try(replace(body, 'e400', ''), 'json')).code AS json, (try(replace(body, 'e400', ''), 'jsonb')).code AS jsonb FROM good ORDER BY id;
SELECT hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx, count(*) FROM flows GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 5, 6;
TRUNCATE flow_segments;

-- At random: good text with some bytes taken out, put in, doubled, or moved.
CREATE FUNCTION mutate(t text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  bits text[] := ARRAY['"', '{', '}', '[', ']', ',', ':', '\', '\u0000', '\ud800', '\udc00', '1', '-', '.', 'e', '0', 'null', 'true', ' ', E'\n', E'\x01', 'é', '9999999999', '"x":1,', '""', '[]', '{}', 'tru', '1.0', '\u0041', '//'];
  at int; n int;
BEGIN
  FOR i IN 1..1 + floor(random() * 3)::int LOOP
    at := 1 + floor(random() * length(t))::int;
    n := floor(random() ^ 2 * 12)::int;
    CASE floor(random() * 5)::int
      WHEN 0 THEN t := overlay(t PLACING '' FROM at FOR n);
      WHEN 1 THEN t := overlay(t PLACING bits[1 + floor(random() * array_length(bits, 1))::int] FROM at FOR 0);
      WHEN 2 THEN t := overlay(t PLACING bits[1 + floor(random() * array_length(bits, 1))::int] FROM at FOR 1);
      WHEN 3 THEN t := overlay(t PLACING substr(t, 1 + floor(random() * length(t))::int, n) FROM at FOR 0);
      ELSE t := CASE WHEN random() < 0.3 THEN left(t, at) ELSE overlay(t PLACING substr(t, at, n) FROM at FOR 0) END;
    END CASE;
  END LOOP;
  RETURN t;
END $$;
CREATE TEMP TABLE mutants (id int, body text);
DO $$
DECLARE seeds text[] := ARRAY['[' || flow() || ']', '[' || flow() || ',' || flow('src_app', '"a\u00e9\ud83d\ude00b"') || ']', '[' || flow(more => ',"x":{"y":[1,-2.5e3,"z",null,true,false,{}]}') || ', ' || flow('hour', '0') || ']'];
BEGIN
  PERFORM setseed(0.42);
  INSERT INTO mutants SELECT i, mutate(seeds[1 + i % 3]) FROM generate_series(1, 6000) i;
END $$;
CREATE FUNCTION json_code(body text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM body::json;
  RETURN 'json';
EXCEPTION WHEN others THEN
  RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE tried AS
  SELECT id, body, json_code(body) AS json_says, (try(body, 'text')).code AS text, (try(body, 'json')).code AS json, (try(body, 'jsonb')).code AS jsonb FROM mutants ORDER BY id;
-- Enough of each kind to mean something.
SELECT count(*) FILTER (WHERE json_says <> 'json') > 1000 AS no_json, count(*) FILTER (WHERE json_says = 'json' AND text <> 'taken') > 300 AS no_flows, count(*) FILTER (WHERE text = 'taken') > 300 AS taken FROM tried;
-- What ::json refuses is refused.
SELECT * FROM tried WHERE json_says <> 'json' AND (text = 'taken' OR json <> json_says) ORDER BY id;
-- text and json agree, and jsonb takes all that they take.
SELECT * FROM tried WHERE json_says = 'json' AND text <> json ORDER BY id;
SELECT * FROM tried WHERE text = 'taken' AND jsonb NOT IN ('taken', '22P05', '22P02') ORDER BY id;
SELECT text, json, count(*) > 0 AS seen FROM tried WHERE json_says = 'json' GROUP BY 1, 2 ORDER BY 1, 2;
-- What was taken is what PostgreSQL reads there (by text, json and perhaps jsonb: all of them or nothing).
TRUNCATE flow_segments;
SELECT count(*) > 300 AS taken FROM tried, LATERAL try(body, 'text') t WHERE text = 'taken' AND t.code = 'taken';
SELECT count(*) AS differ FROM (
  SELECT f.hour, coalesce(f.src_app, f.source_app) COLLATE "C", coalesce(f.dest_app, f.destination_app) COLLATE "C", f.vpc_id COLLATE "C", f.bytes_tx, f.bytes_rx
  FROM tried, json_to_recordset(body::json) f(hour int, src_app text, source_app text, dest_app text, destination_app text, vpc_id text, bytes_tx bigint, bytes_rx bigint) WHERE text = 'taken'
  EXCEPT ALL TABLE flows) d;

-- INSERT: SQL's own codes.
TRUNCATE flow_segments;
\set VERBOSITY sqlstate
INSERT INTO flows VALUES (1, 's', 'd', 'v', 1, 1), (NULL, 's', 'd', 'v', 1, 1);
INSERT INTO flows VALUES (1, NULL, 'd', 'v', 1, 1);
INSERT INTO flows VALUES (1, 's', NULL, 'v', 1, 1);
INSERT INTO flows VALUES (1, 's', 'd', NULL, 1, 1);
INSERT INTO flows VALUES (1, 's', 'd', 'v', NULL, 1);
INSERT INTO flows VALUES (1, 's', 'd', 'v', 1, NULL);
INSERT INTO flows (hour, src_app, dest_app, vpc_id, bytes_tx) VALUES (1, 's', 'd', 'v', 1);
INSERT INTO flows VALUES (-1, 's', 'd', 'v', 1, 1);
INSERT INTO flows VALUES (1, 's', 'd', 'v', -1, 1);
INSERT INTO flows VALUES (1, 's', 'd', 'v', 1, -9223372036854775808);
INSERT INTO flows VALUES (1, '', 'd', 'v', 1, 1);
INSERT INTO flows VALUES (1, 's', '', 'v', 1, 1);
INSERT INTO flows VALUES (1, 's', 'd', '', 1, 1);
INSERT INTO flows VALUES (2147483648, 's', 'd', 'v', 1, 1);
INSERT INTO flows VALUES (1, 's', 'd', 'v', 9223372036854775808, 1);
INSERT INTO flows VALUES (1, 's', 'd', 'v', '1.5', 1);
INSERT INTO flows VALUES ('x', 's', 'd', 'v', 1, 1);
INSERT INTO flows SELECT 1, 's', 'd', 'v', CASE WHEN i = 5000 THEN -1 ELSE 1 END, 1 FROM generate_series(1, 5000) i;
UPDATE flows SET bytes_tx = 1;
DELETE FROM flows;
-- COPY, the same.
COPY flows FROM STDIN;
1	s	d	v	1	1
\N	s	d	v	1	1
\.
COPY flows FROM STDIN;
1	s	d	v	1	\N
\.
COPY flows FROM STDIN;
1	s	\N	v	1	1
\.
COPY flows FROM STDIN;
1	s	d	v	1	1
-1	s	d	v	1	1
\.
COPY flows FROM STDIN;
1	s	d	v	-1	1
\.
COPY flows FROM STDIN;
1		d	v	1	1
\.
COPY flows FROM STDIN;
2147483648	s	d	v	1	1
\.
COPY flows FROM STDIN;
1	s	d	v	9223372036854775808	1
\.
COPY flows FROM STDIN;
1	s	d	v	1.5	1
\.
COPY flows FROM STDIN;
1	s	d	v	1
\.
COPY flows FROM STDIN (FORMAT csv);
1,s,d,v,"",1
\.
\set VERBOSITY default
SELECT count(*) AS stored FROM flow_segments;
SELECT count(*) AS stored FROM flows;
SELECT * FROM flows_check();

DROP FUNCTION try, flow, mutate, json_code;
DROP TYPE outcome;
TRUNCATE flow_segments, flow_batches;
