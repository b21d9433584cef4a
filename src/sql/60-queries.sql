-- The questions: plain SQL over "flows" that PostgreSQL inlines into the caller's query, so that conditions and
-- aggregates go down to the cells whatever the plan (generic ones too). No SET, no STRICT, no SECURITY DEFINER: any of
-- them would keep the functions from being inlined. Every name is qualified: the caller's search_path is not trusted.

CREATE TYPE flow_hour_total AS (
    src_app text COLLATE pg_catalog."C",
    dest_app text COLLATE pg_catalog."C",
    vpc_id text COLLATE pg_catalog."C",
    bytes_tx numeric,
    bytes_rx numeric,
    hour integer
);
COMMENT ON TYPE flow_hour_total IS 'Exact sums of a flow key in an hour';

CREATE FUNCTION flows_by_hour(hour integer) RETURNS SETOF flow_hour_total
    LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT f.src_app, f.dest_app, f.vpc_id, f.bytes_tx, f.bytes_rx, f.hour
      FROM @extschema@.flow_totals AS f
     WHERE f.hour OPERATOR(pg_catalog.=) $1
$$;
COMMENT ON FUNCTION flows_by_hour(integer) IS 'The sums of each flow key in an hour';

-- The second part gives the one row of group_by = '{}' when nothing matches; with CASE it looks at the store only for
-- that group_by (PostgreSQL would evaluate the cheap-looking NOT EXISTS first).
CREATE FUNCTION flows_aggregate(
    group_by text[] DEFAULT '{hour,src_app,dest_app,vpc_id}', hour_from integer DEFAULT NULL,
    hour_to integer DEFAULT NULL, src_app text[] DEFAULT NULL, dest_app text[] DEFAULT NULL,
    vpc_id text[] DEFAULT NULL) RETURNS SETOF flow_total
    LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT @extschema@.flow_group(f.hour, @extschema@.flow_grouped($1, 'hour')),
           @extschema@.flow_group(f.src_app, @extschema@.flow_grouped($1, 'src_app')),
           @extschema@.flow_group(f.dest_app, @extschema@.flow_grouped($1, 'dest_app')),
           @extschema@.flow_group(f.vpc_id, @extschema@.flow_grouped($1, 'vpc_id')),
           pg_catalog.sum(f.bytes_tx), pg_catalog.sum(f.bytes_rx), pg_catalog.count(*)
      FROM @extschema@.flows AS f
     WHERE f.hour OPERATOR(pg_catalog.>=) COALESCE($2, 0) AND f.hour OPERATOR(pg_catalog.<=) COALESCE($3, 2147483647)
       AND ($4 IS NULL OR f.src_app OPERATOR(pg_catalog.=) ANY ($4))
       AND ($5 IS NULL OR f.dest_app OPERATOR(pg_catalog.=) ANY ($5))
       AND ($6 IS NULL OR f.vpc_id OPERATOR(pg_catalog.=) ANY ($6))
     GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT NULL::pg_catalog.int4, NULL::pg_catalog.text COLLATE pg_catalog."C",
           NULL::pg_catalog.text COLLATE pg_catalog."C", NULL::pg_catalog.text COLLATE pg_catalog."C",
           0::pg_catalog.numeric, 0::pg_catalog.numeric, 0::pg_catalog.int8
     WHERE CASE WHEN @extschema@.flow_grouped($1, 'hour') OR @extschema@.flow_grouped($1, 'src_app')
                     OR @extschema@.flow_grouped($1, 'dest_app') OR @extschema@.flow_grouped($1, 'vpc_id') THEN false
                ELSE NOT EXISTS (
                     SELECT FROM @extschema@.flows AS f
                      WHERE f.hour OPERATOR(pg_catalog.>=) COALESCE($2, 0)
                        AND f.hour OPERATOR(pg_catalog.<=) COALESCE($3, 2147483647)
                        AND ($4 IS NULL OR f.src_app OPERATOR(pg_catalog.=) ANY ($4))
                        AND ($5 IS NULL OR f.dest_app OPERATOR(pg_catalog.=) ANY ($5))
                        AND ($6 IS NULL OR f.vpc_id OPERATOR(pg_catalog.=) ANY ($6))) END
$$;
COMMENT ON FUNCTION flows_aggregate(text[], integer, integer, text[], text[], text[]) IS
    'Sums and counts by any dimensions, of any hours (both ends included) and any names (NULL: no condition)';

CREATE TYPE flow_key_total AS (
    src_app text COLLATE pg_catalog."C",
    dest_app text COLLATE pg_catalog."C",
    vpc_id text COLLATE pg_catalog."C",
    bytes_tx numeric,
    bytes_rx numeric
);
COMMENT ON TYPE flow_key_total IS 'Exact sums of a flow key';

-- A key whose first hour since since_hour is the last hour asked for has flows in that hour alone: one pass finds the
-- new keys, and their sums are the hour's.
CREATE FUNCTION flows_new_keys(hour integer, since_hour integer) RETURNS SETOF flow_key_total
    LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT f.src_app, f.dest_app, f.vpc_id, pg_catalog.sum(f.bytes_tx), pg_catalog.sum(f.bytes_rx)
      FROM @extschema@.flows AS f
     WHERE f.hour OPERATOR(pg_catalog.>=) LEAST(COALESCE($2, 0), $1) AND f.hour OPERATOR(pg_catalog.<=) $1
     GROUP BY f.src_app, f.dest_app, f.vpc_id
    HAVING pg_catalog.min(f.hour) OPERATOR(pg_catalog.=) $1
$$;
COMMENT ON FUNCTION flows_new_keys(integer, integer) IS
    'The flow keys of an hour that no hour from since_hour (NULL: the first) up to the one before has';
