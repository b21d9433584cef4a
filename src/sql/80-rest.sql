-- What rest/api.sql stands on: the parameters of a query string, and rows as one text.

CREATE FUNCTION fas_query_parameters(query text) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_query_parameters(text) IS
    'The parameters of a URL''s query string, percent-decoded, as an object of strings; one that is given twice is refused';

CREATE FUNCTION fas_json_agg_add(internal, record) RETURNS internal
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_json_agg_add(internal, record) IS 'Transition function of fas_json_agg';
CREATE FUNCTION fas_json_agg_final(internal) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_json_agg_final(internal) IS 'Final function of fas_json_agg';
CREATE AGGREGATE fas_json_agg(record) (
    SFUNC = fas_json_agg_add,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = fas_json_agg_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE fas_json_agg(record) IS
    'Rows as a JSON array of objects, as json_agg() but quicker; numbers and truth values as such, all else as strings; [] when there is no row';

CREATE FUNCTION fas_csv_agg_add(internal, record) RETURNS internal
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_csv_agg_add(internal, record) IS 'Transition function of fas_csv_agg';
CREATE FUNCTION fas_csv_agg_final(internal) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_csv_agg_final(internal) IS 'Final function of fas_csv_agg';
CREATE AGGREGATE fas_csv_agg(record) (
    SFUNC = fas_csv_agg_add,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = fas_csv_agg_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE fas_csv_agg(record) IS 'Rows as lines of CSV without a heading; empty when there is no row';
