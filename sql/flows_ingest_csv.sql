--
-- Flows as CSV: what flows_ingest_csv() takes and refuses, batch keys, the view
-- flows_csv for INSERT and COPY, rights; the same flows by JSON are the same.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
DROP ROLE IF EXISTS fas_csv_writer, fas_csv_nobody;
CREATE EXTENSION fas;
RESET client_min_messages;

-- Taken: with and without a header, in another order, with columns that are ignored, either line end, quotes.
SELECT flows_ingest_csv(E'1,app1,app2,vpc1,11,10\n1,app1,app2,vpc1,21,20\n');
SELECT flows_ingest_csv(E'hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx\r\n2,app1,app3,vpc1,61,60\r\n2,app1,app3,vpc1,71,70');
SELECT flows_ingest_csv(E'remark,bytes_rx,bytes_tx,hour,vpc_id,destination_app,source_app\n"a, b",90,91,2,vpc1,app4,app2\n');
SELECT flows_ingest_csv(E'\uFEFF3,"a,b","say ""hi""","two\nlines",9223372036854775807,-0\n\n');
SELECT * FROM flows ORDER BY 1, 2, 3, 4, 5;
SELECT * FROM flows_by_hour(2) ORDER BY 1, 2, 3;

-- Nothing in it.
SELECT flows_ingest_csv(''), flows_ingest_csv(E'\n\r\n'),
       flows_ingest_csv('hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx'), flows_ingest_csv(NULL), flows_ingest_csv(NULL, 'k');

-- Refused, and nothing is changed.
TRUNCATE flow_segments, flow_batches;
CREATE FUNCTION refusal(csv text) RETURNS TABLE (code text, message text, detail text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM flows_ingest_csv(csv, 'the key');
  message := 'taken'; RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  RETURN NEXT;
END $$;
\pset format unaligned
SELECT r.* FROM unnest(ARRAY[
  E'1,a,b,v,1,2\n1,a,b,v,1\n',
  E'1,a,b,v,1,2\n1,a,b,v,1,2,\n',
  E'1,a,b,v,1,2\n1,b,v,1,2\n',
  E'hour,src_app,dest_app,vpc_id,bytes_tx\n1,a,b,v,1\n',
  E'hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx,bytes_rx\n',
  E'Hour,src_app,dest_app,vpc_id,bytes_tx,bytes_rx\n1,a,b,v,1,2\n',
  E'1;a;b;v;1;2\n',
  E'1,a,b,v,1,2\n\n2,a,b,v,-1,2\n',
  '1,a,b,v,1,9223372036854775808',
  '2147483648,a,b,v,1,2',
  '1,a,b,v,1.0,2',
  '1,a,b,v, 1,2',
  '1,a,b,v,,2',
  '1,,b,v,1,2',
  '1,a,b,"",1,2',
  E'1,a,b,v,1,2\n1,"a,b,v,1,2\n1,a,b,v,1,2\n',
  '1,a"x,b,v,1,2',
  '1,"a"x,b,v,1,2',
  E'1,a,b,v,1,2\r1,a,b,v,1,2'
]) WITH ORDINALITY t(csv, n), refusal(csv) r ORDER BY n;
\pset format aligned
SELECT flows_ingest_csv(E'1,a,b,v,1,2\n1,a,b,v,many,2\n');
SELECT (SELECT count(*) FROM flow_segments) AS segments, (SELECT count(*) FROM flow_batches) AS keys;

-- Batch keys: the same flows are the same batch, in CSV and in JSON, with a header or without.
SELECT flows_ingest_csv(E'1,a,b,v,1,2\n2,a,b,v,3,4\n', 'k1');
SELECT flows_ingest_csv(E'1,a,b,v,1,2\n2,a,b,v,3,4\n', 'k1');
SELECT flows_ingest_csv(E'bytes_rx,bytes_tx,hour,src_app,dest_app,vpc_id\n2,1,1,a,b,v\n4,3,2,a,b,v\n', 'k1');
SELECT taken, repeated FROM flows_ingest_receipt('[
  {"hour": 1, "src_app": "a", "dest_app": "b", "vpc_id": "v", "bytes_tx": 1, "bytes_rx": 2},
  {"hour": 2, "src_app": "a", "dest_app": "b", "vpc_id": "v", "bytes_tx": 3, "bytes_rx": 4}]', 'k1');
SELECT flows_ingest_csv(E'1,a,b,v,1,2\n2,a,b,v,3,5\n', 'k1');
SELECT flows_ingest_csv('1,a,b,v,1,2', '');
SELECT flows_ingest_csv('1,a,b,v,1,2', NULL);
SELECT count(*), sum(bytes_tx), sum(bytes_rx) FROM flows;

-- The view: each row is a batch; NULL is passed over; there is nothing to read.
TRUNCATE flow_segments, flow_batches;
INSERT INTO flows_csv VALUES (E'1,a,b,v,1,2\n1,a,b,v,3,4\n', 'k1'), ('2,a,b,v,5,6', NULL), (NULL, 'k2');
INSERT INTO flows_csv (csv) VALUES ('3,a,b,v,7,8');
COPY flows_csv FROM STDIN (FORMAT csv);
"4,a,b,v,9,10
4,""a,1"",b,v,11,12
",k3
"1,a,b,v,1,2
1,a,b,v,3,4
",k1
\.
\copy flows_csv FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\002\000\000\000\0165,a,b,v,13,14\n\000\000\000\002k4\377\377"' (FORMAT binary)
\copy flows_csv FROM PROGRAM 'printf "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\002\000\000\000\0165,a,b,v,13,14\n\000\000\000\002k4\377\377"' (FORMAT binary)
COPY flows_csv FROM STDIN (FORMAT csv);
"6,a,b,v,1,2",k5
"7,a,b,v,1,x",k6
\.
SELECT * FROM flows ORDER BY 1, 5;
SELECT * FROM flows_csv;
SELECT batch_key, taken FROM flow_batches ORDER BY 1;

-- Its trigger is for it alone.
CREATE VIEW other_view AS SELECT 1 AS a;
CREATE TRIGGER t INSTEAD OF INSERT ON other_view FOR EACH ROW EXECUTE FUNCTION flows_csv_insert();
INSERT INTO other_view VALUES (1);
CREATE TEMP TABLE other_table (csv text, batch_key text);
CREATE TRIGGER t BEFORE INSERT ON other_table FOR EACH ROW EXECUTE FUNCTION flows_csv_insert();
INSERT INTO other_table VALUES ('8,a,b,v,1,2', NULL);
SELECT flows_csv_insert();
DROP VIEW other_view;

-- Rights on "flows" decide; a read-only transaction refuses.
CREATE ROLE fas_csv_writer;
CREATE ROLE fas_csv_nobody;
GRANT INSERT ON flows TO fas_csv_writer;
SET ROLE fas_csv_writer;
SELECT flows_ingest_csv('9,a,b,v,1,2', 'k9');
INSERT INTO flows_csv VALUES ('9,a,b,v,1,2', 'k9'), ('9,a,b,v,3,4', NULL);
SET ROLE fas_csv_nobody;
SELECT flows_ingest_csv('9,a,b,v,1,2');
INSERT INTO flows_csv VALUES ('9,a,b,v,1,2', NULL);
SELECT * FROM flows_csv;
RESET ROLE;
BEGIN READ ONLY;
SELECT flows_ingest_csv('9,a,b,v,1,2');
ROLLBACK;
SELECT bytes_tx, bytes_rx FROM flows WHERE hour = 9 ORDER BY 1;
DROP OWNED BY fas_csv_writer;
DROP ROLE fas_csv_writer, fas_csv_nobody;

-- Many flows of many hours, the late ones among them: as JSON and as CSV they are the same, and whole hours
-- have segments of their own at once. (131,072 flows or more are parted by hour.)
TRUNCATE flow_segments, flow_batches;
CREATE TEMP TABLE many AS
  SELECT (i / 50000 - (i % 7 = 0 AND i > 50000)::int)::int AS hour, 'app' || i % 97 AS src_app, 'dest "' || i % 89 || '"' AS dest_app,
         'vpc,' || i % 3 AS vpc_id, i::bigint AS bytes_tx, (i * 7919::bigint) % 100003 AS bytes_rx
  FROM generate_series(0, 199999) i;
SELECT flows_ingest_csv(string_agg(format('%s,%s,"%s","%s",%s,%s', hour, src_app, replace(dest_app, '"', '""'), vpc_id,
                                          bytes_tx, bytes_rx), E'\n' ORDER BY bytes_tx), 'many') FROM many;
SELECT hour_min, hour_max, sum(flows) AS flows FROM flow_segments GROUP BY 1, 2 ORDER BY 1, 2;
SELECT taken, repeated FROM (SELECT json_agg(m ORDER BY bytes_tx)::text AS t FROM many m) j, flows_ingest_receipt(j.t, 'many');
SELECT count(*) FROM (SELECT * FROM flows EXCEPT ALL SELECT * FROM many) d;
SELECT count(*) FROM (SELECT * FROM many EXCEPT ALL SELECT * FROM flows) d;
SELECT * FROM flows_check();
