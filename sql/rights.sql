--
-- Rights: a trusted extension that a plain role installs, owns, grants from and
-- drops; rights on "flows" decide; nobody else gets at the store.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
DROP SCHEMA IF EXISTS fas_rights CASCADE;
DROP ROLE IF EXISTS fas_installer, fas_writer_role, fas_reader_role, fas_column_role, fas_nobody;
RESET client_min_messages;
CREATE ROLE fas_installer;
CREATE ROLE fas_writer_role;
CREATE ROLE fas_reader_role;
CREATE ROLE fas_column_role;
CREATE ROLE fas_nobody;
SELECT current_database() AS db, current_user AS me \gset
GRANT CREATE ON DATABASE :"db" TO fas_installer;
\set flow '[{"hour":7,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":5,"bytes_rx":6}]'

SET ROLE fas_installer;
CREATE SCHEMA fas_rights;
GRANT USAGE ON SCHEMA fas_rights TO PUBLIC;
CREATE EXTENSION fas SCHEMA fas_rights;
SET search_path = fas_rights;

-- The relations are the installer's, the functions are not.
SELECT relname, relkind, relowner::regrole FROM pg_class
WHERE relnamespace = 'fas_rights'::regnamespace AND relkind IN ('r', 'S', 'f') ORDER BY 1;
SELECT proowner::regrole = 'fas_installer'::regrole AS installers, count(*) > 0 AS there
FROM pg_proc WHERE pronamespace = 'fas_rights'::regnamespace GROUP BY 1;

-- The installer does everything.
SELECT flows_ingest(:'flow', 'k'), flows_ingest(:'flow');
INSERT INTO flows VALUES (8, 'a', 'b', 'v', 1, 1);
SELECT count(*) FROM flows;
SELECT segments_read FROM flows_compact();
SELECT flows_expire(1);
SELECT segments, flows FROM flows_stats();
SELECT * FROM flows_check();
SELECT count(*) FROM flow_segments;
GRANT SELECT ON flows TO fas_reader_role;
GRANT INSERT ON flows TO fas_writer_role;
GRANT INSERT (hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) ON flows TO fas_column_role;

-- A reader reads, and no more.
SET ROLE fas_reader_role;
SELECT count(*) FROM flows;
SELECT * FROM flows_by_hour(7);
SELECT bytes_tx, flows FROM flows_aggregate(group_by => '{}');
SELECT segments, flows FROM flows_stats();
SELECT flows_ingest(:'flow');
SELECT flows_ingest(:'flow'::json, 'k');
SELECT flows_ingest(:'flow'::jsonb);
SELECT * FROM flows_ingest_receipt(:'flow', 'k');
INSERT INTO flows VALUES (8, 'a', 'b', 'v', 1, 1);
SELECT count(*) FROM flow_segments;
SELECT count(*) FROM flow_batches;
SELECT nextval('flow_segments_id_seq');
SELECT flows_compact();
SELECT flows_expire(1);
SELECT * FROM flows_check();

-- A writer writes, and no more; merges due are made as the owner.
SET ROLE fas_writer_role;
SELECT flows_ingest(:'flow'), flows_ingest(:'flow'::json, 'w'), flows_ingest(:'flow'::jsonb);
SELECT taken, repeated FROM flows_ingest_receipt(:'flow', 'w');
INSERT INTO flows VALUES (8, 'a', 'b', 'v', 1, 1);
SELECT count(flows_ingest(:'flow')) FROM generate_series(1, 200);
SELECT count(*) FROM flows;
SELECT * FROM flows_by_hour(7);
SELECT * FROM flows_stats();
DELETE FROM flow_batches;
SELECT flows_compact();
SELECT current_user;

-- A right on every column is one on the relation.
SET ROLE fas_column_role;
SELECT flows_ingest(:'flow');

-- Who has no right learns nothing, not even whether the flows are good.
SET ROLE fas_nobody;
SELECT flows_ingest('no JSON at all', '');
SELECT flows_ingest(:'flow', 'w');
SELECT count(*) FROM flows;
SELECT * FROM flows_stats();
-- What needs no right: values of one's own.
SELECT hour, bytes_tx FROM flow_segment_flows((SELECT flow_segment_agg(1, 'a', 'b', 'c', 2, 3)));

-- The installer passes upkeep on.
SET ROLE fas_installer;
SELECT count(*) FROM flows;
GRANT EXECUTE ON FUNCTION flows_compact(), flows_expire(integer), flows_check() TO fas_nobody;
SET ROLE fas_nobody;
SELECT segments_read > 0 AS read FROM flows_compact();
SELECT flows_expire(8);
SELECT * FROM flows_check();
SET ROLE fas_installer;
SELECT * FROM flows;

-- A function that runs as its owner ingests by that owner's rights.
CREATE FUNCTION post(flows text) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = fas_rights AS 'SELECT flows_ingest(flows)';
SET ROLE fas_nobody;
SELECT fas_rights.post(:'flow');

-- The owner of the store is who owns flow_segments now.
RESET ROLE;
ALTER TABLE flow_segments OWNER TO fas_reader_role;
ALTER TABLE flow_batches OWNER TO fas_reader_role;
SET ROLE fas_writer_role;
SELECT flows_ingest(:'flow', 'new owner');
RESET ROLE;
ALTER TABLE flow_segments OWNER TO fas_installer;
ALTER TABLE flow_batches OWNER TO fas_installer;

-- Every object of the extension has a comment.
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'fas') AND deptype = 'e'
  AND obj_description(objid, classid::regclass::name) IS NULL
  AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND classid = 'pg_type'::regclass AND (t.typrelid <> 0 OR t.typelem <> 0))
ORDER BY 1;

-- Its owner drops it, and nothing is left.
SET ROLE fas_installer;
DROP FUNCTION post(text);
DROP EXTENSION fas;
SELECT count(*) FROM pg_class WHERE relnamespace = 'fas_rights'::regnamespace;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'fas_rights'::regnamespace;
DROP SCHEMA fas_rights;
RESET ROLE;
RESET search_path;
REVOKE CREATE ON DATABASE :"db" FROM fas_installer;
DROP ROLE fas_installer, fas_writer_role, fas_reader_role, fas_column_role, fas_nobody;
