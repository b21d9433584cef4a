--
-- What ingest refuses before it stores anything, beside bad flows (bad_input):
-- missing rights, transactions that may not write, a store that is not whole.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

\set flow '[{"hour":7,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":5,"bytes_rx":6}]'
\set bad '[{"hour":7,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":5}]'
\set VERBOSITY sqlstate

-- The batch whole, or nothing; neither its key.
SELECT flows_ingest('[{"hour":7,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":5,"bytes_rx":6},{"hour":-1,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":5,"bytes_rx":6}]', 'key');
SELECT flows_ingest(:'bad'::json, 'key');
SELECT flows_ingest(:'bad'::jsonb, 'key');
\set VERBOSITY default
SELECT count(*) FROM flows;
SELECT count(*) FROM flow_batches;

-- Transactions that may not write.
BEGIN READ ONLY;
SELECT flows_ingest(:'flow');
ROLLBACK;
BEGIN READ ONLY;
SELECT taken FROM flows_ingest_receipt(:'flow', 'key');
ROLLBACK;
BEGIN READ ONLY;
SELECT flows_compact();
ROLLBACK;
BEGIN READ ONLY;
SELECT flows_expire(1);
ROLLBACK;
BEGIN READ ONLY;
SELECT segments FROM flows_stats();
SELECT count(*) FROM flows_check();
COMMIT;

-- A store that is not whole; it heals when the table is back.
ALTER TABLE flow_segments RENAME TO hidden;
SELECT flows_ingest(:'flow');
SELECT flows_compact();
ALTER TABLE hidden RENAME TO flow_segments;
ALTER TABLE flow_batches RENAME TO hidden;
SELECT flows_ingest(:'flow');
ALTER TABLE hidden RENAME TO flow_batches;
SELECT flows_ingest(:'flow', 'key');

-- The owner's own triggers are heeded, and one that drops the row does not go unnoticed.
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing BEFORE INSERT ON flow_segments FOR EACH ROW EXECUTE FUNCTION nothing();
SELECT flows_ingest(:'flow');
SELECT flows_ingest(:'flow', 'other key');
DROP TRIGGER nothing ON flow_segments;
SELECT batch_key FROM flow_batches;
SELECT count(*) FROM flows;

-- DROP and CREATE EXTENSION, ALTER SCHEMA, in one session: statements are prepared anew.
DROP EXTENSION fas;
CREATE EXTENSION fas;
SELECT flows_ingest(:'flow', 'key'), count(*) FROM flows;
DROP EXTENSION fas;
CREATE SCHEMA "Some schema";
CREATE EXTENSION fas SCHEMA "Some schema";
SELECT "Some schema".flows_ingest(:'flow', 'key');
ALTER SCHEMA "Some schema" RENAME TO plain;
SELECT plain.flows_ingest(:'flow', 'key'), plain.flows_ingest(:'flow');
SELECT count(*) FROM plain.flows;
SELECT segments_read FROM plain.flows_compact();
SELECT plain.flows_expire(100);
DROP EXTENSION fas;
-- Nothing is left.
SELECT count(*) FROM pg_class WHERE relnamespace = 'plain'::regnamespace;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'plain'::regnamespace;
DROP SCHEMA plain;
DROP FUNCTION nothing();
