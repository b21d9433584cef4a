-- Table `many` for the aggregates: a million members in bitmaps of `size` members each. Variables as in make_cell.sql.
SET client_min_messages = warning;
DROP TABLE IF EXISTS many;
CREATE TABLE many (b :t, v :e);
SELECT format('%s_build_agg', :'p') AS build_agg, format('%s_runoptimize', :'p') AS optimize \gset
INSERT INTO many (b)
    SELECT :build_agg(CAST(member(:'shape', g * 37 + i, :size, :wide) AS :e)) FROM generate_series(0, greatest(10, 1000000 / :size) - 1) g, generate_series(0, :size - 1) i GROUP BY g;
UPDATE many SET b = :optimize(b) WHERE :'shape' = 'runs';
VACUUM many;
