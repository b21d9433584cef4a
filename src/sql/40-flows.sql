-- The relation "flows": every flow, one row each, served by fas's own foreign-data wrapper. Conditions on dimensions go
-- down to segments and their inverted indexes, GROUP BY dimensions with sums and counts goes down to cells.

CREATE FUNCTION fas_fdw_handler() RETURNS fdw_handler
    LANGUAGE c STRICT AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_fdw_handler() IS 'Callbacks of the foreign-data wrapper fas';

CREATE FUNCTION fas_fdw_validator(text[], oid) RETURNS void
    LANGUAGE c STRICT AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION fas_fdw_validator(text[], oid) IS 'Refuses options: the wrapper fas has none';

-- The schema of the handler tells which store a foreign table reads.
CREATE FOREIGN DATA WRAPPER fas HANDLER fas_fdw_handler VALIDATOR fas_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER fas IS 'Reads and takes network flows';

CREATE SERVER fas_server FOREIGN DATA WRAPPER fas;
COMMENT ON SERVER fas_server IS 'The store of flows of this database';
GRANT USAGE ON FOREIGN SERVER fas_server TO @extowner@ WITH GRANT OPTION;

CREATE FOREIGN TABLE flows (
    hour integer NOT NULL,
    src_app text COLLATE pg_catalog."C" NOT NULL,
    dest_app text COLLATE pg_catalog."C" NOT NULL,
    vpc_id text COLLATE pg_catalog."C" NOT NULL,
    bytes_tx bigint NOT NULL,
    bytes_rx bigint NOT NULL
) SERVER fas_server;
COMMENT ON FOREIGN TABLE flows IS
    'Every flow, one row each. INSERT and COPY add flows; rights on this relation decide who reads and who ingests.';
COMMENT ON COLUMN flows.hour IS 'Hour: 0 to 2147483647';
COMMENT ON COLUMN flows.src_app IS 'Source application; not empty';
COMMENT ON COLUMN flows.dest_app IS 'Destination application; not empty';
COMMENT ON COLUMN flows.vpc_id IS 'Virtual private cloud; not empty';
COMMENT ON COLUMN flows.bytes_tx IS 'Bytes sent: 0 or more';
COMMENT ON COLUMN flows.bytes_rx IS 'Bytes received: 0 or more';

-- The same store, added up: what flows_by_hour() reads. A plain query of it is one scan, where GROUP BY over "flows"
-- in a function would be a subquery below the caller's. Everybody may name it; who may read it is who may read "flows".
CREATE FOREIGN TABLE flow_totals (
    hour integer NOT NULL,
    src_app text COLLATE pg_catalog."C" NOT NULL,
    dest_app text COLLATE pg_catalog."C" NOT NULL,
    vpc_id text COLLATE pg_catalog."C" NOT NULL,
    bytes_tx numeric NOT NULL,
    bytes_rx numeric NOT NULL,
    flows bigint NOT NULL
) SERVER fas_server OPTIONS (totals 'true');
COMMENT ON FOREIGN TABLE flow_totals IS
    'The exact sums of each hour and flow key, one row each. Whoever may read "flows" may read it.';
COMMENT ON COLUMN flow_totals.hour IS 'Hour: 0 to 2147483647';
COMMENT ON COLUMN flow_totals.src_app IS 'Source application';
COMMENT ON COLUMN flow_totals.dest_app IS 'Destination application';
COMMENT ON COLUMN flow_totals.vpc_id IS 'Virtual private cloud';
COMMENT ON COLUMN flow_totals.bytes_tx IS 'Bytes sent';
COMMENT ON COLUMN flow_totals.bytes_rx IS 'Bytes received';
COMMENT ON COLUMN flow_totals.flows IS 'How many flows these are';
GRANT SELECT ON flow_totals TO PUBLIC;

-- How one query with one plan groups by whatever dimensions its caller names: GROUP BY flow_group(hour, ...). The
-- wrapper knows flow_group() and aggregates cells by the dimensions whose flag is true.
CREATE FUNCTION flow_group(value integer, grouped boolean) RETURNS integer
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'flow_group';
COMMENT ON FUNCTION flow_group(integer, boolean) IS 'The value where it is grouped by, else NULL';

CREATE FUNCTION flow_group(value text, grouped boolean) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'flow_group';
COMMENT ON FUNCTION flow_group(text, boolean) IS 'The value where it is grouped by, else NULL';

CREATE FUNCTION flow_grouped(group_by text[], dimension text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'flow_grouped';
COMMENT ON FUNCTION flow_grouped(text[], text) IS
    'Whether the dimension is among those to group by (NULL: all are); an unknown name there is an error';
