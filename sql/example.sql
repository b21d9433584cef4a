--
-- The example of the model that fas descends from: ten flows, the three tables
-- that it is drawn with (metrics by index, hour -> bitmap, flow key -> bitmap),
-- and the answer, from SQL alone.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;

SELECT flows_ingest('[
  {"hour":1,"src_app":"app1","dest_app":"app2","vpc_id":"vpc1","bytes_rx":10,"bytes_tx":11},
  {"hour":1,"src_app":"app1","dest_app":"app2","vpc_id":"vpc1","bytes_rx":20,"bytes_tx":21},
  {"hour":2,"src_app":"app1","dest_app":"app2","vpc_id":"vpc1","bytes_rx":30,"bytes_tx":31},
  {"hour":2,"src_app":"app1","dest_app":"app2","vpc_id":"vpc1","bytes_rx":40,"bytes_tx":41},
  {"hour":2,"src_app":"app1","dest_app":"app2","vpc_id":"vpc1","bytes_rx":50,"bytes_tx":51},
  {"hour":2,"src_app":"app1","dest_app":"app3","vpc_id":"vpc1","bytes_rx":60,"bytes_tx":61},
  {"hour":2,"src_app":"app1","dest_app":"app3","vpc_id":"vpc1","bytes_rx":70,"bytes_tx":71},
  {"hour":2,"src_app":"app1","dest_app":"app3","vpc_id":"vpc1","bytes_rx":80,"bytes_tx":81},
  {"hour":2,"src_app":"app2","dest_app":"app4","vpc_id":"vpc1","bytes_rx":90,"bytes_tx":91},
  {"hour":2,"src_app":"app2","dest_app":"app4","vpc_id":"vpc1","bytes_rx":100,"bytes_tx":101}
]');

-- One batch is one segment.
SELECT level, hour_min, hour_max, flows FROM flow_segments;

-- Metrics by index.
SELECT f.index, f.bytes_rx, f.bytes_tx
FROM flow_segments s, flow_segment_flows(s.segment) f ORDER BY f.index;

-- Hour -> bitmap.
SELECT h.hour, rb_to_array(h.indexes) AS indexes
FROM flow_segments s, flow_segment_hours(s.segment) h ORDER BY h.hour;

-- Flow key -> bitmap.
SELECT k.src_app, k.dest_app, k.vpc_id, rb_to_array(k.indexes) AS indexes
FROM flow_segments s, flow_segment_keys(s.segment) k ORDER BY 1, 2, 3;

-- The answer as the model computes it: the sum over the AND of two bitmaps.
SELECT h.hour, k.src_app, k.dest_app, k.vpc_id, t.bytes_rx, t.bytes_tx, t.flows
FROM flow_segments s,
     flow_segment_hours(s.segment) h,
     flow_segment_keys(s.segment) k,
     flow_segment_sum(s.segment, rb_and(h.indexes, k.indexes)) t
WHERE rb_cardinality(rb_and(h.indexes, k.indexes)) > 0
ORDER BY 1, 2, 3, 4;

-- The answer as people ask for it.
SELECT * FROM flows_by_hour(1) ORDER BY 1, 2, 3;
SELECT * FROM flows_by_hour(2) ORDER BY 1, 2, 3;
SELECT * FROM flows_by_hour(0);
SELECT * FROM flows_by_hour(3);
SELECT * FROM flows_by_hour(-1);
SELECT * FROM flows_by_hour(NULL);

SELECT * FROM flows_aggregate() ORDER BY hour, src_app, dest_app;
SELECT * FROM flows_aggregate('{dest_app}') ORDER BY dest_app;
SELECT * FROM flows_aggregate('{}');
SELECT * FROM flows_aggregate('{}', 3, 4);
SELECT * FROM flows_aggregate(group_by => '{hour,hour,src_app}', src_app => '{app1,nobody,NULL}') ORDER BY hour;
SELECT * FROM flows_aggregate('{hour}', dest_app => '{}');
SELECT * FROM flows_aggregate('{hour}', vpc_id => '{NULL}');
SELECT * FROM flows_aggregate('{hour}', 2, 1);
SELECT * FROM flows_new_keys(2, 1) ORDER BY 1, 2, 3;
SELECT * FROM flows_new_keys(2, 2) ORDER BY 1, 2, 3;
\set VERBOSITY sqlstate
SELECT * FROM flows_aggregate('{nonsense}');
SELECT * FROM flows_aggregate('{hour,NULL}');
\set VERBOSITY default

-- Every flow, one row each, and the same answers from plain SQL.
SELECT * FROM flows ORDER BY hour, src_app, dest_app, bytes_tx;
SELECT hour, src_app, dest_app, vpc_id, sum(bytes_rx), sum(bytes_tx), count(*) FROM flows GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT count(*), sum(bytes_tx) FROM flows WHERE hour = 2 AND dest_app <> 'app3';

-- The three aggregates, on a store of a user's own.
CREATE TEMP TABLE mine AS
  SELECT flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) AS segment FROM flows GROUP BY hour;
SELECT count(*) FROM mine;
SELECT t.* FROM (SELECT flow_rollup_agg(segment, '{src_app}') AS totals FROM mine) r, unnest(r.totals) t ORDER BY t.src_app;
SELECT f.* FROM (SELECT flow_merge_agg(segment) AS merged FROM mine) m, flow_segment_flows(m.merged) f ORDER BY f.index;
SELECT flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) IS NULL AS nothing_is_null FROM flows WHERE false;

-- A row-level bitmap of a user's own; an index beyond the segment's end.
SELECT t.* FROM flow_segments s, flow_segment_sum(s.segment, rb_build('{0,2,9}')) t;
SELECT t.* FROM flow_segments s, flow_segment_sum(s.segment, rb_build('{}')) t;

SELECT * FROM flows_check();
SELECT segments, flows, hours, batch_keys FROM flows_stats();
