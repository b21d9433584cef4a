-- The REST API of fas for PostgREST: schema "api" is what PostgREST serves, schema "fas_rest" helps it, and four roles.
--
--     psql -v anon=none -f rest/api.sql DATABASE     once the database has fas; as its owner, with CREATEROLE
--
-- anon: what requests without a token may do: none (default), read, write, all. Roles are the cluster's, so this holds
-- for each of its databases. The script may be run again at any time: it replaces what it made.
--
--     fas_reader          asks                     fas_anon    whoever comes without a token: as `anon` says
--     fas_writer          posts, nothing else      fas_authenticator    PostgREST itself: may become one of the three
--
-- fas_authenticator may log in, and has no password until the operator gives it one (\password fas_authenticator).
\set ON_ERROR_STOP on
\if :{?anon}
\else
    \set anon none
\endif
SELECT :'anon' NOT IN ('none', 'read', 'write', 'all') AS is_unknown \gset
\if :is_unknown
    DO $$ BEGIN RAISE 'anon must be none, read, write or all'; END $$;
\endif

BEGIN;
SET LOCAL client_min_messages = error;

-- What functions below find without a schema's name: fas's own objects, wherever it was installed.
SELECT quote_ident(min(nspname)) AS fas, count(*) = 0 AS is_missing
  FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'fas' \gset
\if :is_missing
    DO $$ BEGIN RAISE 'this database has no extension fas: CREATE EXTENSION fas'; END $$;
\endif
SELECT set_config('search_path', 'pg_catalog, ' || :'fas' || ', pg_temp', true) \g /dev/null

-- Roles. A request that takes longer than the timeout is cancelled; the operator may set another.
SELECT format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', role)
  FROM unnest('{fas_reader,fas_writer,fas_anon}'::text[]) AS role
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
SELECT 'CREATE ROLE fas_authenticator LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS',
       'ALTER ROLE fas_authenticator SET statement_timeout = "30s"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fas_authenticator') \gexec
REVOKE fas_reader, fas_writer FROM fas_anon;
GRANT fas_reader, fas_writer, fas_anon TO fas_authenticator;
SELECT format('GRANT %I TO fas_anon', role)
  FROM (VALUES ('fas_reader', '{read,all}'::text[]), ('fas_writer', '{write,all}')) AS given(role, choices)
 WHERE :'anon' = ANY (choices) \gexec

-- Only what this script made is replaced; its comments tell. Objects of your own go into schemas of your own.
SELECT string_agg(quote_ident(nspname), ' and ') AS taken, count(*) > 0 AS is_taken
  FROM pg_namespace
 WHERE nspname IN ('api', 'fas_rest')
   AND coalesce(obj_description(oid, 'pg_namespace'), '') !~ '^(fas: network flows|Helpers of schema api)' \gset
\if :is_taken
    SELECT set_config('fas_rest.taken', :'taken', true) \g /dev/null
    DO $$ BEGIN
        RAISE 'schema % is there already and not of fas', current_setting('fas_rest.taken')
            USING HINT = 'Rename it, or serve fas from a database of its own.';
    END $$;
\endif
DROP SCHEMA IF EXISTS api, fas_rest CASCADE;
CREATE SCHEMA api;
CREATE SCHEMA fas_rest;
COMMENT ON SCHEMA fas_rest IS 'Helpers of schema api; PostgREST does not serve it.';
COMMENT ON SCHEMA api IS $$fas: network flows
Batches of flows go in, exact sums come out. These are PostgREST's own paths; nginx in front of it (rest/nginx.conf)
serves the documented ones, `POST /flows` and `GET /flows?hour=1`, with an OpenAPI page of their own.$$;

-- == Posting

-- The raw body is the one unnamed argument: nginx sends it as text/plain, so that PostgREST does not parse it.
CREATE FUNCTION api.flows_ingest(text) RETURNS json
    LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
    headers jsonb := coalesce(nullif(current_setting('request.headers', true), ''), '{}');
    receipt record;
BEGIN
    IF headers ->> 'x-fas-query' <> '?' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'flows are posted without parameters',
            DETAIL = format('The request has the parameters "%s".', left(substr(headers ->> 'x-fas-query', 2), 100)),
            HINT = 'A batch key goes into the header Idempotency-Key.';
    END IF;
    receipt := flows_ingest_receipt($1, headers ->> 'idempotency-key');
    RETURN format('{"taken": %s, "repeated": %s}', receipt.taken, receipt.repeated::text);
END $$;
COMMENT ON FUNCTION api.flows_ingest(text) IS $$Stores a batch of flows
The body is a JSON array of flows, e.g.
`[{"src_app": "foo", "dest_app": "bar", "vpc_id": "vpc-0", "bytes_tx": 100, "bytes_rx": 500, "hour": 1}]`. It is stored
whole or not at all. With the header `Idempotency-Key` a batch that is sent again is not counted again. As `text/plain`
it is read as it stands, and quicker; as `application/json` PostgREST parses it first.$$;

CREATE FUNCTION api.flows_ingest(json) RETURNS json
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC SELECT api.flows_ingest($1::text); END;
COMMENT ON FUNCTION api.flows_ingest(json) IS $$Stores a batch of flows
As with `text/plain`; but PostgREST refuses arrays whose objects differ in their members.$$;

-- == Asking, by PostgREST's own means: order=, limit=, select=, row filters, text/csv

CREATE FUNCTION fas_rest.missing_hour() RETURNS integer
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RAISE invalid_parameter_value USING MESSAGE = 'the parameter "hour" is missing',
        DETAIL = 'Every question is about an hour.', HINT = 'Ask for ?hour=1, for instance.';
END $$;
COMMENT ON FUNCTION fas_rest.missing_hour() IS 'Raises 22023: the default of a parameter that has none';

CREATE FUNCTION api.flows_by_hour(hour integer DEFAULT fas_rest.missing_hour())
    RETURNS TABLE (src_app text, dest_app text, vpc_id text, bytes_tx numeric, bytes_rx numeric, hour integer)
    LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT f.src_app, f.dest_app, f.vpc_id, f.bytes_tx, f.bytes_rx, f.hour FROM flows_by_hour($1) AS f; END;
COMMENT ON FUNCTION api.flows_by_hour(integer) IS $$The sums of an hour
One row for each (`src_app`, `dest_app`, `vpc_id`) that has flows in the hour, e.g. `?hour=1&order=bytes_tx.desc&limit=10`.$$;

CREATE VIEW api.flows AS
    SELECT f.src_app, f.dest_app, f.vpc_id, sum(f.bytes_tx) AS bytes_tx, sum(f.bytes_rx) AS bytes_rx, f.hour
      FROM flows AS f GROUP BY f.hour, f.src_app, f.dest_app, f.vpc_id;
COMMENT ON VIEW api.flows IS $$The sums of each hour
One row for each hour and (`src_app`, `dest_app`, `vpc_id`), e.g. `?hour=eq.1&src_app=eq.foo`. Ask with a condition on
`hour`: without one, everything is read.$$;
COMMENT ON COLUMN api.flows.src_app IS 'Source application';
COMMENT ON COLUMN api.flows.dest_app IS 'Destination application';
COMMENT ON COLUMN api.flows.vpc_id IS 'Virtual private cloud';
COMMENT ON COLUMN api.flows.bytes_tx IS 'Bytes sent, summed';
COMMENT ON COLUMN api.flows.bytes_rx IS 'Bytes received, summed';
COMMENT ON COLUMN api.flows.hour IS 'Hour';
-- The asker's rights on flows decide, not the view's owner's (before PostgreSQL 15 the right on the view has to do).
SELECT 'ALTER VIEW api.flows SET (security_invoker = true)' WHERE current_setting('server_version_num')::int >= 150000 \gexec

-- == Asking, as nginx hands it on: GET /flows?...

-- The parameters travel in a header, raw, because PostgREST takes a value like "in.gateway" for a filter.
CREATE FUNCTION fas_rest.refuse(message text, detail text, hint text) RETURNS void
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RAISE invalid_parameter_value USING MESSAGE = message, DETAIL = detail, HINT = hint;
END $$;
COMMENT ON FUNCTION fas_rest.refuse(text, text, text) IS 'Raises 22023, which PostgREST answers with 400';

CREATE FUNCTION fas_rest.integer_parameter(parameters jsonb, name text) RETURNS integer
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    value text := parameters ->> name;
BEGIN
    IF value !~ '^[0-9]+$' OR length(value) > 20 OR value::numeric > 2147483647 THEN
        PERFORM fas_rest.refuse(format('parameter "%s" must be an integer from 0 to 2147483647', name),
            format('Found "%s".', left(value, 100)), format('Give it as %s=1, for instance.', name));
    END IF;
    RETURN value;
END $$;
COMMENT ON FUNCTION fas_rest.integer_parameter(jsonb, text) IS 'The parameter''s value; NULL where it is not given';

-- A value, or several as a JSON array of strings.
CREATE FUNCTION fas_rest.names_parameter(parameters jsonb, name text) RETURNS text[]
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    value text := parameters ->> name;
    many jsonb;
BEGIN
    IF value = '' THEN
        PERFORM fas_rest.refuse(format('parameter "%s" is empty', name), 'No name of a flow is empty.',
            'Leave it out to have no condition.');
    ELSIF value NOT LIKE '[%' THEN
        RETURN ARRAY[value];
    END IF;
    BEGIN
        many := value; -- NULL stays NULL
    EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
        many := '0';
    END;
    IF jsonb_typeof(many) <> 'array' OR jsonb_path_exists(many, 'strict $[*] ? (@.type() != "string" || @ == "")') THEN
        PERFORM fas_rest.refuse(format('parameter "%s" must be a name, or a JSON array of names', name),
            format('Found "%s", which begins like an array.', left(value, 100)),
            format('Several values are given as %1$s=["a","b"], and one that begins with a bracket as %1$s=["[a"].', name));
    END IF;
    RETURN CASE WHEN many IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(many)) END;
END $$;
COMMENT ON FUNCTION fas_rest.names_parameter(jsonb, text) IS 'The parameter''s values; NULL where it is not given';

-- "bytes_tx.desc,src_app" as an ORDER BY list of these columns alone.
CREATE FUNCTION fas_rest.order_list(wanted text, columns text[]) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    item text;
    parts text[];
    result text[] := '{}';
BEGIN
    FOREACH item IN ARRAY coalesce(string_to_array(wanted, ','), '{}') LOOP
        parts := regexp_match(item, '^([a-z_]+)(?:\.(asc|desc))?$');
        IF parts IS NULL OR parts[1] <> ALL (columns) THEN
            PERFORM fas_rest.refuse('parameter "order" must name columns of the answer',
                format('Found "%s".', left(item, 100)),
                format('Give columns, each with .asc or .desc, separated by commas. The answer has %s.', array_to_string(columns, ', ')));
        END IF;
        result := result || format('%I %s', parts[1], coalesce(parts[2], 'asc'));
    END LOOP;
    RETURN nullif(array_to_string(result, ', '), '');
END $$;
COMMENT ON FUNCTION fas_rest.order_list(text, text[]) IS 'An ORDER BY list from the parameter order';

-- Which of the two a header Accept likes best: 'json', 'csv', or NULL for neither.
CREATE FUNCTION fas_rest.answer_format(accept text) RETURNS text
    LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT format
      FROM regexp_split_to_table(lower(coalesce(nullif(accept, ''), '*/*')), ',') WITH ORDINALITY AS range(text, place),
           LATERAL (SELECT btrim(split_part(range.text, ';', 1)) AS type,
                           coalesce(substring(range.text FROM ';\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?:;|$)'), '1')::numeric AS weight) AS r,
           LATERAL (VALUES ('csv', '{text/csv,text/*}'::text[]),
                           ('json', '{application/json,application/*,*/*}')) AS known(format, types)
     WHERE type = ANY (types) AND weight > 0 ORDER BY weight DESC, place LIMIT 1
$$;
COMMENT ON FUNCTION fas_rest.answer_format(text) IS 'json or csv, as a header Accept asks for; NULL for anything else';

CREATE DOMAIN api."*/*" AS text;
COMMENT ON DOMAIN api."*/*" IS 'An answer whose Content-Type the function sets';

CREATE FUNCTION api.flows_query() RETURNS api."*/*"
    LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
    headers jsonb := coalesce(nullif(current_setting('request.headers', true), ''), '{}');
    format text := fas_rest.answer_format(headers ->> 'accept');
    known text[] := '{hour,hour_from,hour_to,src_app,dest_app,vpc_id,group_by,new_since,order,limit,offset}';
    dimensions text[] := '{hour,src_app,dest_app,vpc_id}';
    columns text[]; -- of the answer, in their order
    parameters jsonb;
    wrong text;
    hour_from integer;
    hour_to integer;
    new_since integer;
    group_by text[];
    source text := 'flows_aggregate($1, $2, $3, $4, $5, $6)';
    rows refcursor;
BEGIN
    IF headers ->> 'x-fas-query' IS NULL THEN
        PERFORM fas_rest.refuse('this function answers GET /flows, which a proxy hands on', 'The header X-Fas-Query is missing.',
            'Ask for /rpc/flows_by_hour?hour=1 or /flows?hour=eq.1, or put nginx in front (rest/nginx.conf).');
    ELSIF format IS NULL THEN
        RAISE SQLSTATE 'PGRST' USING
            MESSAGE = json_build_object('code', 'FAS406', 'message', 'there is no answer of an acceptable type',
                'details', format('The request accepts "%s".', left(headers ->> 'accept', 100)),
                'hint', 'The types are application/json and text/csv.'),
            DETAIL = '{"status": 406, "headers": {}}';
    END IF;

    parameters := fas_query_parameters(headers ->> 'x-fas-query');
    SELECT name INTO wrong FROM jsonb_object_keys(parameters) AS name WHERE name <> ALL (known) ORDER BY name LIMIT 1;
    IF wrong IS NOT NULL THEN
        PERFORM fas_rest.refuse(format('unknown parameter "%s"', left(wrong, 100)), 'Nothing that is given is ignored.',
            format('The parameters are %s.', array_to_string(known, ', ')));
    END IF;

    -- One hour, or the first and the last of several.
    IF NOT (parameters ? 'hour' AND NOT parameters ?| '{hour_from,hour_to}'
            OR NOT parameters ? 'hour' AND parameters ?& '{hour_from,hour_to}') THEN
        PERFORM fas_rest.refuse('give either "hour", or both "hour_from" and "hour_to"',
            format('The request has %s.', coalesce((SELECT string_agg(name, ' and ' ORDER BY name) FROM jsonb_object_keys(parameters) AS name
                                                     WHERE name IN ('hour', 'hour_from', 'hour_to')), 'none of them')),
            'Ask for ?hour=1 or ?hour_from=1&hour_to=24, for instance; both ends belong to it.');
    END IF;
    hour_from := coalesce(fas_rest.integer_parameter(parameters, 'hour'), fas_rest.integer_parameter(parameters, 'hour_from'));
    hour_to := coalesce(fas_rest.integer_parameter(parameters, 'hour'), fas_rest.integer_parameter(parameters, 'hour_to'));
    IF hour_from > hour_to THEN
        PERFORM fas_rest.refuse('"hour_from" is after "hour_to"', format('Found %s and %s.', hour_from, hour_to), 'Exchange them.');
    END IF;

    -- By which dimensions; and what the answer's columns are.
    group_by := dimensions;
    columns := '{src_app,dest_app,vpc_id,bytes_tx,bytes_rx,hour}';
    IF parameters ? 'group_by' THEN
        group_by := CASE WHEN parameters ->> 'group_by' LIKE '[%' THEN fas_rest.names_parameter(parameters, 'group_by')
                         ELSE string_to_array(parameters ->> 'group_by', ',') END;
        IF NOT group_by <@ dimensions OR parameters ->> 'group_by' = '' THEN
            PERFORM fas_rest.refuse('parameter "group_by" must name dimensions', format('Found "%s".', left(parameters ->> 'group_by', 100)),
                'Give some of hour, src_app, dest_app, vpc_id, separated by commas, or [] for the totals of everything.');
        END IF;
    END IF;
    IF parameters ? 'group_by' OR parameters ? 'hour_from' THEN
        columns := ARRAY(SELECT d FROM unnest(dimensions) AS d WHERE d = ANY (group_by)) || '{bytes_tx,bytes_rx,flows}';
    END IF;
    new_since := fas_rest.integer_parameter(parameters, 'new_since');
    IF new_since IS NOT NULL THEN
        IF NOT parameters ? 'hour' OR parameters ? 'group_by' OR new_since >= hour_from THEN
            PERFORM fas_rest.refuse('parameter "new_since" goes with a later "hour", and without "group_by"',
                format('Found new_since %s.', new_since),
                'Ask for ?hour=24&new_since=1, for instance: the flow keys of hour 24 that hours 1 to 23 do not have.');
        END IF;
        source := '(SELECT *, $2 AS hour FROM flows_new_keys($2, $7)
                     WHERE ($4 IS NULL OR src_app = ANY ($4)) AND ($5 IS NULL OR dest_app = ANY ($5)) AND ($6 IS NULL OR vpc_id = ANY ($6)))';
    END IF;

    -- Order, and a page of it: what is left open is ordered by the dimensions, so that pages fit together.
    IF parameters ?| '{order,limit,offset}' THEN
        source := format('%s AS t ORDER BY %s LIMIT %s OFFSET %s', source,
            concat_ws(', ', fas_rest.order_list(parameters ->> 'order', columns),
                      (SELECT string_agg(c, ', ') FROM unnest(columns) AS c WHERE c = ANY (dimensions)), '1'),
            coalesce(fas_rest.integer_parameter(parameters, 'limit')::text, 'ALL'),
            coalesce(fas_rest.integer_parameter(parameters, 'offset'), 0));
    ELSE
        source := source || ' AS t';
    END IF;

    OPEN rows FOR EXECUTE format('SELECT %s FROM %s', array_to_string(columns, ', '), source)
        USING group_by, hour_from, hour_to, fas_rest.names_parameter(parameters, 'src_app'),
              fas_rest.names_parameter(parameters, 'dest_app'), fas_rest.names_parameter(parameters, 'vpc_id'), new_since;
    PERFORM set_config('response.headers', json_build_array(json_build_object('Content-Type',
        CASE format WHEN 'csv' THEN 'text/csv; charset=utf-8' ELSE 'application/json; charset=utf-8' END))::text, true);
    IF format = 'csv' THEN
        RETURN fas_rows_csv(rows);
    END IF;
    RETURN fas_rows_json(rows);
END $$;
COMMENT ON FUNCTION api.flows_query() IS $sql$For nginx: GET /flows and GET /flow
The parameters come in the header `X-Fas-Query`, as they stood in the request. Without a proxy, ask `/rpc/flows_by_hour`.$sql$;

-- == Rights: everything is revoked, then each role gets what it needs. Rights on flows decide.

REVOKE ALL ON SCHEMA api, fas_rest FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA api FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA api, fas_rest FROM PUBLIC;
REVOKE ALL ON TYPE api."*/*" FROM PUBLIC;
GRANT USAGE ON SCHEMA api TO fas_reader, fas_writer, fas_anon;
SELECT format('GRANT USAGE ON SCHEMA %s TO fas_reader, fas_writer', :'fas') \gexec
REVOKE ALL ON flows FROM fas_reader, fas_writer, fas_anon, fas_authenticator;

GRANT INSERT ON flows TO fas_writer;
GRANT EXECUTE ON FUNCTION api.flows_ingest(text), api.flows_ingest(json) TO fas_writer;

GRANT SELECT ON flows TO fas_reader;
GRANT USAGE ON SCHEMA fas_rest TO fas_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA fas_rest TO fas_reader;
GRANT EXECUTE ON FUNCTION api.flows_query(), api.flows_by_hour(integer) TO fas_reader;
GRANT SELECT ON api.flows TO fas_reader;
GRANT USAGE ON TYPE api."*/*" TO fas_reader;

COMMIT;
NOTIFY pgrst, 'reload schema';
