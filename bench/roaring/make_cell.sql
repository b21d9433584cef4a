-- Table `cell` for one shape, size and width. Variables: shape, size, wide (true or false), p (rb or rb64), t (the type),
-- e (the type of the elements). Half of a's members are b's, too; of shape runs, both are run-optimized.
SET work_mem = '1GB';
SET client_min_messages = warning;
DROP TABLE IF EXISTS cell;
CREATE TABLE cell (a :t, a2 :t, b :t, m :e, n :e, x :e, lo bigint, hi bigint, elements :e[], bytes bytea, hex text, listed text);
ALTER TABLE cell ALTER elements SET STORAGE external, ALTER bytes SET STORAGE external, ALTER hex SET STORAGE external,
    ALTER listed SET STORAGE external;
SELECT format('%s_build', :'p') AS build, format('%s_runoptimize', :'p') AS optimize \gset
INSERT INTO cell (a, b, m, n, x, lo, hi, elements)
    SELECT :build(ours), :build(others), m,
           m + CASE :'shape' WHEN 'sparse' THEN 141 WHEN 'dense' THEN 1 ELSE 110 - (:size / 3) % 100 END, x, lo, hi, ours
    FROM (SELECT array_agg(v) FILTER (WHERE i < :size) AS ours, array_agg(v) FILTER (WHERE i >= :size / 2) AS others,
                 max(v) FILTER (WHERE i = :size / 3) AS m, max(v) FILTER (WHERE i = :size / 2) AS x,
                 max(v) FILTER (WHERE i = :size / 4) AS lo, max(v) FILTER (WHERE i = :size * 3 / 4) AS hi
          FROM (SELECT i, CAST(member(:'shape', i, :size, :wide) AS :e) AS v
                FROM generate_series(0::bigint, :size * 3 / 2 - 1) i) s) s;
UPDATE cell SET a = :optimize(a), b = :optimize(b) WHERE :'shape' = 'runs';
UPDATE cell SET a2 = a, bytes = a::bytea, hex = a::bytea::text, listed = elements::text;
VACUUM cell;
