--
-- Ingest: the six functions and which one a call gets, NULLs, the number taken,
-- and how a batch comes to lie in flow_segments.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

\set flow '{"hour":7,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":5,"bytes_rx":6}'
\set flows '[' :flow ',{"hour":3,"source_app":"c","destination_app":"d","vpc_id":"v","bytes_tx":0,"bytes_rx":9223372036854775807}]'

-- Unknown literals, untyped parameters and NULL go to text.
SELECT flows_ingest(:'flows') AS literal, flows_ingest(:'flows'::text) AS text, flows_ingest(:'flows'::json) AS json,
       flows_ingest(:'flows'::jsonb) AS jsonb, flows_ingest(:'flows'::varchar) AS varchar;
PREPARE untyped AS SELECT flows_ingest($1);
EXECUTE untyped(:'flows');
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'untyped';
SELECT flows_ingest(NULL) IS NULL AS literal, flows_ingest(NULL::text) IS NULL AS text,
       flows_ingest(NULL::json) IS NULL AS json, flows_ingest(NULL::jsonb) IS NULL AS jsonb;
SELECT flows_ingest(NULL, 'k') IS NULL AS text, flows_ingest(NULL::json, 'k') IS NULL AS json,
       flows_ingest(NULL::jsonb, 'k') IS NULL AS jsonb, flows_ingest_receipt(NULL, 'k') IS NULL AS receipt;
SELECT flows_ingest(flows => :'flows', batch_key => NULL) AS no_key;
SELECT taken, repeated, received_at = now() AS is_now FROM flows_ingest_receipt(:'flows', NULL);
SELECT count(*) AS batches FROM flow_batches;

-- All nine are there, and nothing else is.
SELECT hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx, count(*) FROM flows GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1;
SELECT count(*) AS segments, min(level), max(level), min(hour_min), max(hour_max), min(flows), max(flows)
FROM flow_segments;

-- An empty array stores nothing.
TRUNCATE flow_segments;
SELECT flows_ingest('[]'), flows_ingest(' [ ] '::json), flows_ingest('[]'::jsonb);
SELECT count(*) FROM flow_segments;

-- jsonb has normalised numbers and merged members before fas sees them.
SELECT flows_ingest('[{"hour":5.0,"src_app":"x","src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":1e3,"bytes_rx":0}]'::jsonb);
SELECT * FROM flows;

-- Large batches are cut, and start at the level of their size.
TRUNCATE flow_segments;
SET fas.max_segment_flows = 100;
SELECT flows_ingest(json_agg(json_build_object('hour', i % 5, 'src_app', 'a' || i % 7, 'dest_app', 'b', 'vpc_id', 'v', 'bytes_tx', i, 'bytes_rx', 1)))
FROM generate_series(1, 1001) i;
SELECT level, count(*), sum(flows), min(flows), max(flows) FROM flow_segments GROUP BY level;
SELECT hour, count(*), sum(bytes_tx), sum(bytes_rx) FROM flows GROUP BY hour ORDER BY hour;
RESET fas.max_segment_flows;
TRUNCATE flow_segments;
SET fas.auto_compact = off;
SELECT flows_ingest(json_agg(json_build_object('hour', 1, 'src_app', 'a', 'dest_app', 'b', 'vpc_id', 'v', 'bytes_tx', i, 'bytes_rx', 1)))
FROM unnest('{2047,2048,131071}'::int[]) n, generate_series(1, n) i GROUP BY n ORDER BY n;
SELECT level, flows FROM flow_segments ORDER BY flows;
-- An ingest of so many flows that it would be parted at once: hours with enough flows have segments of their own.
TRUNCATE flow_segments;
SELECT flows_ingest(json_agg(json_build_object('hour', least(i / 16384, 7) + i % 131 / 130, 'src_app', 'a' || i % 7, 'dest_app', 'b', 'vpc_id', 'v', 'bytes_tx', i, 'bytes_rx', 1)))
FROM generate_series(0, 131071) i;
SELECT level, hour_min, hour_max, flows FROM flow_segments ORDER BY 2, 3;
SELECT hour, count(*), sum(bytes_tx), sum(bytes_rx) FROM flows GROUP BY hour ORDER BY hour;
-- A statement with more flows than a segment may hold keeps the hours that flows still come in for, so that there is one
-- segment for each hour nevertheless, and little for compaction to do.
TRUNCATE flow_segments;
SET fas.max_segment_flows = 150000;
INSERT INTO flows SELECT i / 40000 - (CASE WHEN i > 40000 AND i % 20 = 0 THEN 1 ELSE 0 END), 'a' || i % 97, 'b' || i % 7, 'v', i, 1 FROM generate_series(0, 399999) i;
SELECT level, hour_min, hour_max, flows FROM flow_segments ORDER BY 2, 3, 4;
SELECT hour, count(*), sum(bytes_tx), sum(bytes_rx) FROM flows GROUP BY hour ORDER BY hour;
SELECT segments_read, flows FROM flows_compact();
SELECT level, count(*), sum(flows) FROM flow_segments GROUP BY level;
-- In any order of hours too.
TRUNCATE flow_segments;
INSERT INTO flows SELECT i % 9, 'a' || i % 97, 'b' || i % 7, 'v', i, 1 FROM generate_series(0, 399999) i;
SELECT level, hour_min = hour_max AS one_hour, count(*), sum(flows) FROM flow_segments GROUP BY 1, 2;
SELECT hour, count(*), sum(bytes_tx), sum(bytes_rx) FROM flows GROUP BY hour ORDER BY hour;
SELECT * FROM flows_check();
RESET fas.max_segment_flows;

-- Every way in makes the same segments.
TRUNCATE flow_segments;
SELECT flows_ingest(:'flows'), flows_ingest(:'flows'::json), flows_ingest(:'flows'::jsonb);
INSERT INTO flows VALUES (7, 'a', 'b', 'v', 5, 6), (3, 'c', 'd', 'v', 0, 9223372036854775807);
SELECT count(*) AS segments, count(DISTINCT segment::text) AS different FROM flow_segments;
RESET fas.auto_compact;

-- A name is qualified everywhere: nothing of the caller's path is used.
CREATE SCHEMA decoy;
CREATE TABLE decoy.flow_segments (LIKE flow_segments);
CREATE FUNCTION decoy.nextval(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 1/0::bigint';
CREATE FUNCTION decoy.less(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT 1/0 = 1';
CREATE OPERATOR decoy.<= (FUNCTION = decoy.less, LEFTARG = integer, RIGHTARG = integer);
CREATE OPERATOR decoy.>= (FUNCTION = decoy.less, LEFTARG = integer, RIGHTARG = integer);
SET search_path = decoy, pg_catalog;
SELECT public.flows_ingest(:'flows', 'decoy');
SELECT count(*) FROM public.flows;
SELECT segments_read > 0 AS read FROM public.flows_compact();
SET search_path = '';
SELECT public.flows_ingest(:'flows', 'empty path');
SELECT count(*) FROM public.flows;
SELECT count(*) FROM decoy.flow_segments;
RESET search_path;

SET client_min_messages = warning;
DROP SCHEMA decoy CASCADE;
RESET client_min_messages;

-- What an owner gives flow_segments is heeded: triggers, rules, columns, constraints and indexes of any kind.
TRUNCATE flow_segments;
CREATE TABLE heard (id bigint, flows bigint);
CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.heard VALUES (NEW.id, NEW.flows); RETURN NEW; END $$;
CREATE TRIGGER hear AFTER INSERT ON flow_segments FOR EACH ROW EXECUTE FUNCTION hear();
SELECT flows_ingest(:'flows');
DROP TRIGGER hear ON flow_segments;
SELECT count(*) AS heard FROM heard JOIN flow_segments USING (id, flows);
CREATE RULE also AS ON INSERT TO flow_segments DO ALSO INSERT INTO heard VALUES (-1, NEW.flows);
SELECT flows_ingest(:'flows');
DROP RULE also ON flow_segments;
SELECT count(*) AS heard FROM heard WHERE id = -1;
ALTER TABLE flow_segments ADD CONSTRAINT few CHECK (flows > 5) NOT VALID;
\set VERBOSITY sqlstate
SELECT flows_ingest(:'flows');
\set VERBOSITY default
ALTER TABLE flow_segments DROP CONSTRAINT few;
TRUNCATE flow_segments;
-- An operator class of the owner's own is called as in any statement of fas's: nothing of the caller's is on its path.
CREATE FUNCTION strict_compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF current_setting('search_path') !~ '^pg_catalog' THEN RAISE 'search_path is %', current_setting('search_path'); END IF;
  RETURN btint4cmp($1, $2);
END $$;
CREATE OPERATOR CLASS strict_ops FOR TYPE int USING btree AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 strict_compare(int, int);
CREATE INDEX strict ON flow_segments (hour_min strict_ops);
SELECT flows_ingest(:'flows') > 0 AS taken FROM generate_series(1, 3);
DROP INDEX strict;
DROP OPERATOR FAMILY strict_ops USING btree;
DROP FUNCTION strict_compare;
TRUNCATE flow_segments;
CREATE INDEX ON flow_segments ((flows / 10));
SELECT flows_ingest(:'flows');
SET enable_seqscan = off;
SELECT count(*) FROM flow_segments WHERE flows / 10 >= 0;
RESET enable_seqscan;
CREATE UNIQUE INDEX one_only ON flow_segments (hour_min);
\set VERBOSITY sqlstate
SELECT flows_ingest(:'flows');
\set VERBOSITY default
DROP INDEX one_only;
SELECT count(*), count(DISTINCT created_at), bool_and(created_at <= now()) FROM flow_segments;
BEGIN;
TRUNCATE flow_segments;
SELECT flows_ingest(:'flows');
SELECT bool_and(created_at = now()) AS same FROM flow_segments;
ROLLBACK;
ALTER TABLE flow_segments ADD COLUMN note text DEFAULT 'mine';
SELECT flows_ingest(:'flows');
SELECT note, count(*) FROM flow_segments GROUP BY note;
ALTER TABLE flow_segments DROP COLUMN note;
SELECT flows_ingest(:'flows');
SELECT count(*) FROM flow_segments;
DROP TABLE heard;
DROP FUNCTION hear;
DROP EXTENSION fas;
