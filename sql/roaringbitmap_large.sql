-- Questions to two large stored bitmaps, which are read in pieces: the answers are those for the same values in memory, also
-- where one side is compressed, small, or not stored at all.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS fas CASCADE;
CREATE EXTENSION fas;
RESET client_min_messages;
CREATE TABLE large (name text, b roaringbitmap, w roaringbitmap64);
INSERT INTO large SELECT 'sparse', rb_build_agg(i * 141), rb64_build_agg(i * 141::bigint * 1000) FROM generate_series(1, 300000) i;
INSERT INTO large SELECT 'shifted', rb_shiftright(b, 65536 * 100), rb64_shiftright(w, 65536 * 100) FROM large WHERE name = 'sparse';
INSERT INTO large SELECT 'dense', rb_build_agg(i * 3), rb64_build_agg(i * 3::bigint + 5000000000 * (i % 2)) FROM generate_series(1, 3000000) i;
INSERT INTO large SELECT 'one less', rb_remove(b, 141 * 300000), rb64_remove(w, 141000::bigint * 300000) FROM large WHERE name = 'sparse';
INSERT INTO large VALUES ('few', '{282,8999999}', '{282000,5000000003}'), ('none', '{}', '{}');
ALTER TABLE large ALTER b SET STORAGE extended, ALTER w SET STORAGE extended;
INSERT INTO large SELECT 'runs', rb_fill(rb_fill('{}', 5, 9000000), 20000000, 30000000), rb64_runoptimize(rb64_fill(w, 100000, 9000000)) FROM large WHERE name = 'dense';
SELECT count(*), bool_and(pg_column_size(b) > 100000) FILTER (WHERE name IN ('sparse', 'shifted', 'dense')) AS large FROM large;
SELECT x.name, y.name AS other, rb_equals(x.b, y.b) AS equal, rb_intersect(x.b, y.b) AS common, rb_contains(x.b, y.b) AS has, rb_and_cardinality(x.b, y.b) AS both,
       rb64_equals(x.w, y.w) AS equal64, rb64_intersect(x.w, y.w) AS common64, rb64_containedby(y.w, x.w) AS has64, rb64_and_cardinality(x.w, y.w) AS both64
FROM large x, large y ORDER BY 1, 2;
-- Nothing: in memory and in pieces agree, for every pair.
SELECT x.name, y.name AS other
FROM large x, large y, rb_or(x.b, '{}') xb, rb_or(y.b, '{}') yb, rb64_or(x.w, '{}') xw, rb64_or(y.w, '{}') yw
WHERE (rb_equals(x.b, y.b), rb_not_equals(x.b, y.b), rb_intersect(x.b, y.b), rb_contains(x.b, y.b), rb_and_cardinality(x.b, y.b), rb_or_cardinality(x.b, y.b), rb_xor_cardinality(x.b, y.b), rb_andnot_cardinality(x.b, y.b), coalesce(rb_jaccard_dist(x.b, y.b), -1))
      IS DISTINCT FROM (rb_equals(xb, yb), rb_not_equals(xb, yb), rb_intersect(xb, yb), rb_contains(xb, yb), rb_and_cardinality(xb, yb), rb_or_cardinality(xb, yb), rb_xor_cardinality(xb, yb), rb_andnot_cardinality(xb, yb), coalesce(rb_jaccard_dist(xb, yb), -1))
   OR (rb64_equals(x.w, y.w), rb64_not_equals(x.w, y.w), rb64_intersect(x.w, y.w), rb64_contains(x.w, y.w), rb64_and_cardinality(x.w, y.w), rb64_or_cardinality(x.w, yw), rb64_xor_cardinality(xw, y.w), rb64_andnot_cardinality(x.w, y.w), coalesce(rb64_jaccard_dist(x.w, y.w), -1))
      IS DISTINCT FROM (rb64_equals(xw, yw), rb64_not_equals(xw, yw), rb64_intersect(xw, yw), rb64_contains(xw, yw), rb64_and_cardinality(xw, yw), rb64_or_cardinality(xw, yw), rb64_xor_cardinality(xw, yw), rb64_andnot_cardinality(xw, yw), coalesce(rb64_jaccard_dist(xw, yw), -1));
DROP TABLE large;
DROP EXTENSION fas;
