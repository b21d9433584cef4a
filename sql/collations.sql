--
-- Conditions on names in a database with an ICU collation, where 'a' < 'B':
-- everything that is asked of `flows` is asked of a plain table with the same
-- column types, and of one with the database's own collation where the
-- condition names its collation. Nothing may differ.
--
\set original :DBNAME
SET client_min_messages = warning;
DROP DATABASE IF EXISTS fas_test_icu;
CREATE DATABASE fas_test_icu TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C';
\c fas_test_icu
SET client_min_messages = warning;
CREATE EXTENSION fas;
SELECT 'a' < 'B' AS icu;
CREATE COLLATION nobody_minds_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
RESET client_min_messages;

CREATE TABLE plain (hour int, src_app text COLLATE "C", dest_app text COLLATE "C", vpc_id text COLLATE "C", bytes_tx bigint, bytes_rx bigint);
INSERT INTO plain
  SELECT 1 + n % 4, s, d, v, n, n * 7
  FROM (SELECT s, d, v, row_number() OVER () AS n
        FROM unnest(ARRAY['a', 'A', 'b', 'B', 'ab', 'aB', 'Ab', 'AB', 'ä', 'Ä', 'ae', 'z', 'Z', '_', '-', 'a-b', 'a b', 'é', U&'e\0301', 'ss', 'ß', '1', '10', '2', 'ñ', '~', 'ω', 'app%', 'app_', 'app\', 'application']) s,
             unnest(ARRAY['a', 'B', 'c', 'Ç', 'app', 'APP']) d, unnest(ARRAY['v', 'V']) v) x;
SELECT flows_ingest((SELECT json_agg(p)::text FROM plain p));

CREATE TABLE conditions (c text);
INSERT INTO conditions
  SELECT format(t, quote_literal(x), quote_literal(y), coll)
  FROM unnest(ARRAY['src_app %3$s = %1$s', 'src_app %3$s <> %1$s', 'src_app %3$s < %1$s', 'src_app %3$s <= %1$s', 'src_app %3$s > %1$s', 'src_app %3$s >= %1$s', '%1$s > src_app %3$s', 'src_app < %1$s %3$s',
                    'src_app %3$s BETWEEN %1$s AND %2$s', 'src_app %3$s IN (%1$s, %2$s)', 'src_app %3$s NOT IN (%1$s, %2$s)', 'src_app = ANY (ARRAY[%1$s, %2$s] %3$s)', 'src_app %3$s <> ALL (ARRAY[%1$s, %2$s])',
                    'NOT (src_app %3$s < %1$s OR dest_app %3$s = %2$s)', 'dest_app %3$s < %2$s AND src_app %3$s >= %1$s', 'src_app %3$s < dest_app %3$s', 'src_app = dest_app %3$s', 'vpc_id %3$s = ''v''', 'dest_app %3$s = ''app''']) t,
       unnest(ARRAY['', 'COLLATE "C"', 'COLLATE "POSIX"', 'COLLATE "default"', 'COLLATE "en-US-x-icu"', 'COLLATE german', 'COLLATE nobody_minds_case']) coll,
       (VALUES ('a', 'B'), ('B', 'a'), ('ä', 'z'), ('AB', 'é')) v(x, y);
INSERT INTO conditions
  SELECT format(t, quote_literal(x), coll)
  FROM unnest(ARRAY['src_app %2$s LIKE %1$s', 'src_app %2$s NOT LIKE %1$s', 'src_app %2$s ILIKE %1$s', 'dest_app %2$s LIKE %1$s AND hour = 2']) t,
       unnest(ARRAY['', 'COLLATE "C"', 'COLLATE "default"', 'COLLATE "en-US-x-icu"']) coll,
       unnest(ARRAY['a%', 'A%', '%', '', '%b', '_', '__', 'ä%', 'ap\%', 'app\%', 'app\_', 'app\\', 'app_', 'app%', 'a_', 'a%b', '_b%', '%\%', U&'e\0301%', 'é%']) x;
INSERT INTO conditions
  SELECT format(t, coll) FROM unnest(ARRAY['src_app %1$s ^@ ''a''', 'starts_with(src_app %1$s, ''app'')', 'src_app %1$s ~ ''^a''', 'src_app %1$s ~* ''^A''', 'src_app %1$s SIMILAR TO ''a%%''', 'lower(src_app %1$s) = ''a''', 'upper(dest_app %1$s) = ''APP''',
    'src_app %1$s IS NOT DISTINCT FROM ''a''', 'src_app %1$s IS DISTINCT FROM ''a''', '(src_app %1$s, dest_app) < (''a'', ''B'')', '(src_app %1$s, dest_app) = (''a'', ''B'')', 'src_app %1$s ~<~ ''b''', 'src_app %1$s = ''a''::varchar', 'src_app %1$s = ''a''::name',
    'src_app %1$s = ''a ''::bpchar', 'src_app::varchar %1$s < ''b''', 'src_app::bpchar %1$s = ''a''', 'src_app %1$s > ''a'' IS TRUE', 'CASE WHEN src_app %1$s < ''b'' THEN hour = 1 ELSE hour = 2 END', 'coalesce(src_app %1$s, '''') < ''b''']) t,
    unnest(ARRAY['', 'COLLATE "C"', 'COLLATE "default"', 'COLLATE "en-US-x-icu"']) coll;

CREATE FUNCTION answer(relation text, c text, OUT rows text, OUT sums text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT count(*) || '' '' || coalesce(sum(bytes_tx * hour), 0) FROM %I WHERE %s', relation, c) INTO rows;
  EXECUTE format('SELECT md5(string_agg(g::text, E''\n'' ORDER BY g::text COLLATE "C")) FROM (SELECT src_app, hour, sum(bytes_rx), count(*) FROM %I WHERE %s GROUP BY src_app, hour) g', relation, c) INTO sums;
EXCEPTION WHEN others THEN
  rows := SQLSTATE;
END $$;
SELECT count(*) > 700 AS many, count(DISTINCT f.rows) > 100 AS different, count(*) FILTER (WHERE f.rows ~ '^[0-9A-Z]{5}$' AND f.sums IS NULL) < 80 AS few_errors
FROM conditions, answer('plain', c) f;
SELECT c, f, p FROM conditions, answer('flows', c) f, answer('plain', c) p WHERE f IS DISTINCT FROM p ORDER BY c COLLATE "C";
-- The same from compacted segments.
TRUNCATE flow_segments;
SELECT count(flows_ingest((json_build_array(p))::text)) > 300 AS many FROM plain p;
SELECT flows IS NOT NULL AS merged FROM flows_compact();
SELECT count(*) = (SELECT count(*) FROM plain) AS complete FROM flows;
SELECT c, f, p FROM conditions, answer('flows', c) f, answer('plain', c) p WHERE f IS DISTINCT FROM p ORDER BY c COLLATE "C";

-- Results are bytewise: ORDER BY, GROUP BY, min, max, and joins.
SELECT string_agg(src_app, ' ') FROM (SELECT DISTINCT src_app FROM flows WHERE src_app IN ('a', 'A', 'b', 'B', '_', 'ä') ORDER BY src_app) s;
SELECT string_agg(src_app, ' ') FROM (SELECT DISTINCT src_app FROM flows_aggregate('{src_app}') WHERE src_app IN ('a', 'A', 'b', 'B', '_', 'ä') ORDER BY src_app) s;
SELECT string_agg(src_app, ' ') FROM (SELECT DISTINCT src_app FROM flows_by_hour(1) WHERE src_app IN ('a', 'A', 'b', 'B', '_', 'ä') ORDER BY src_app) s;
SELECT string_agg(src_app, ' ') FROM (SELECT DISTINCT src_app COLLATE "en-US-x-icu" AS src_app FROM flows WHERE src_app IN ('a', 'A', 'b', 'B', '_', 'ä') ORDER BY 1) s;
SELECT min(src_app), max(src_app), min(src_app COLLATE "en-US-x-icu"), max(src_app COLLATE "en-US-x-icu") FROM flows WHERE src_app IN ('a', 'A', 'b', 'B');
SELECT count(*) FROM (SELECT src_app COLLATE nobody_minds_case, sum(bytes_tx) FROM flows GROUP BY 1) g;
SELECT count(*) FROM (SELECT src_app COLLATE nobody_minds_case, sum(bytes_tx) FROM plain GROUP BY 1) g;
SELECT count(*) FROM (SELECT DISTINCT src_app COLLATE nobody_minds_case FROM flows) g;
SELECT count(*) FROM (SELECT src_app, sum(bytes_tx) FROM flows GROUP BY src_app HAVING src_app COLLATE "en-US-x-icu" < 'b') g;
SELECT count(*) FROM (SELECT src_app, sum(bytes_tx) FROM plain GROUP BY src_app HAVING src_app COLLATE "en-US-x-icu" < 'b') g;
CREATE TABLE names (name text);
INSERT INTO names VALUES ('a'), ('B'), ('ä'), ('none');
SELECT count(*) FROM flows JOIN names ON src_app = name COLLATE "C";
SELECT count(*) FROM plain JOIN names ON src_app = name COLLATE "C";
SELECT count(*) FROM flows JOIN names ON src_app = name COLLATE nobody_minds_case;
SELECT count(*) FROM plain JOIN names ON src_app = name COLLATE nobody_minds_case;
PREPARE p(text) AS SELECT count(*) FROM flows WHERE src_app COLLATE "en-US-x-icu" < $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE p('B');
SELECT count(*) FROM plain WHERE src_app COLLATE "en-US-x-icu" < 'B';
\set VERBOSITY sqlstate
SELECT count(*) FROM flows JOIN names ON src_app = name;
SELECT count(*) FROM plain JOIN names ON src_app = name;
\set VERBOSITY default

-- Other encodings are refused.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS fas_test_latin1;
DROP DATABASE IF EXISTS fas_test_ascii;
CREATE DATABASE fas_test_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C';
CREATE DATABASE fas_test_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C';
\c fas_test_latin1
\set VERBOSITY sqlstate
CREATE EXTENSION fas;
\set VERBOSITY default
SELECT count(*) FROM pg_extension WHERE extname = 'fas';
\c fas_test_ascii
\set VERBOSITY sqlstate
CREATE EXTENSION fas;
\set VERBOSITY default
SELECT count(*) FROM pg_extension WHERE extname = 'fas';
\c :original
SET client_min_messages = warning;
DROP DATABASE IF EXISTS fas_test_icu;
DROP DATABASE IF EXISTS fas_test_latin1;
DROP DATABASE IF EXISTS fas_test_ascii;
