-- What rest/api.sql stands on: the parameters of a query string, and the rows of a cursor as one text.

CREATE FUNCTION fas_query_parameters(query text) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_query_parameters(text) IS
    'The parameters of a URL''s query string, percent-decoded, as an object of strings; one that is given twice is refused';

CREATE FUNCTION fas_rows_json(rows refcursor) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_rows_json(refcursor) IS
    'The rows that a cursor has left, as a JSON array of objects: like json_agg(), but quicker; numbers and truth values are such, all else are strings';

CREATE FUNCTION fas_rows_csv(rows refcursor) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_rows_csv(refcursor) IS
    'The rows that a cursor has left, as CSV with the columns'' names in the first line';
