-- What rest/api.sql stands on: query strings, and the rows of a cursor as JSON or CSV.
\set ECHO queries
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
\pset format unaligned

-- Query strings: test/unit has the cases, this is the way into SQL.
SELECT fas_query_parameters('?hour=1&src_app=a%20b%2Bc+%22%C3%BC%22&limit');
SELECT fas_query_parameters(''), fas_query_parameters(NULL) IS NULL AS null_gives_null;
SELECT fas_query_parameters('hour=1&hour=2');
SELECT fas_query_parameters('a=%zz');
SELECT fas_query_parameters('a=%00');
SELECT fas_query_parameters('a=%ff');
-- A whole header's worth.
SELECT length(fas_query_parameters('a=' || repeat('%22', 10000)) ->> 'a');

-- Every kind of column; NULL; names and values that need escapes.
BEGIN;
DECLARE kinds CURSOR FOR
    SELECT 1 AS "a""b,c", 2::bigint AS i8, 3::smallint AS i2, true AS t, 12345678901234567890123.50 AS n, 'NaN'::numeric AS nan,
           1.5::float8 AS f, '-Infinity'::float8 AS inf, -7 AS negative, E'quote " slash \\ line\nend'::text AS txt, ''::text AS empty,
           NULL::int AS nothing, 'v'::varchar AS v, '{"x": 1}'::jsonb AS j, ARRAY[1,2] AS arr
     FROM generate_series(1, 2);
SELECT fas_rows_json('kinds');
SELECT fas_rows_json('kinds'); -- none is left
MOVE ABSOLUTE 1 IN kinds;
SELECT fas_rows_csv('kinds');
SELECT fas_rows_csv('kinds');
COMMIT;

-- The same as json_agg(), read back.
SELECT flows_ingest((SELECT json_agg(json_build_object('hour', i % 2, 'src_app', 'app"' || i % 50, 'dest_app', E'\n' || i % 31, 'vpc_id', 'ü', 'bytes_tx', i, 'bytes_rx', 9223372036854775807)) FROM generate_series(1, 3000) AS i));
BEGIN;
DECLARE sums CURSOR FOR SELECT * FROM flows_by_hour(1) ORDER BY src_app, dest_app;
SELECT fas_rows_json('sums')::jsonb = (SELECT jsonb_agg(f ORDER BY src_app, dest_app) FROM flows_by_hour(1) AS f) AS same;
ROLLBACK;

-- Toasted values; a domain; no columns; no rows; a cursor of another command.
CREATE DOMAIN little AS int;
CREATE TABLE wide (id little, x text);
INSERT INTO wide SELECT 1, string_agg(md5(i::text), '') FROM generate_series(1, 10000) AS i;
BEGIN;
DECLARE wide_rows CURSOR FOR TABLE wide;
SELECT fas_rows_json('wide_rows')::jsonb = (SELECT jsonb_agg(w) FROM wide AS w) AS same;
DECLARE columnless CURSOR FOR SELECT FROM generate_series(1, 2);
SELECT fas_rows_json('columnless');
DECLARE rowless CURSOR FOR SELECT 1 AS one WHERE false;
SELECT fas_rows_json('rowless'), fas_rows_csv('rowless');
ROLLBACK;
DROP TABLE wide;
DROP DOMAIN little;

-- No cursor; an error of the query itself, and of the cursor's own reader.
SELECT fas_rows_json('nowhere');
SELECT fas_rows_csv(NULL) IS NULL AS null_gives_null;
BEGIN;
DECLARE failing CURSOR FOR SELECT 1 / (2 - i) AS x FROM generate_series(1, 3) AS i;
SELECT fas_rows_json('failing');
ROLLBACK;
BEGIN;
DECLARE myself CURSOR FOR SELECT fas_rows_json('myself') AS x;
SELECT fas_rows_json('myself');
ROLLBACK;

-- In plpgsql, as rest/api.sql does, with parameters and a page.
CREATE FUNCTION page(h int, n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    rows refcursor;
BEGIN
    OPEN rows FOR EXECUTE 'SELECT src_app, bytes_tx FROM flows_aggregate(''{src_app}'', $1, $1) ORDER BY 2 DESC LIMIT $2' USING h, n;
    RETURN fas_rows_json(rows);
END $$;
SELECT page(1, 2);
SELECT page(77, 2);
DROP FUNCTION page(int, int);
DROP EXTENSION fas;
