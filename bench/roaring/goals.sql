-- Tables for the two goals: 100,000 bitmaps of 100 members, and ten million integers in random order.
SET work_mem = '1GB';
CREATE TABLE hundred AS SELECT rb_build_agg(((g::bigint * 7919 + i * 104729) % 10000000)::int) AS b, rb64_build_agg((g::bigint * 7919 + i * 104729) % 10000000) AS w
    FROM generate_series(1, 100000) g, generate_series(1, 100) i GROUP BY g;
CREATE TABLE integers AS SELECT ((i * 7368787) % 10000019)::int AS v FROM generate_series(1::bigint, 10000000) i;
VACUUM hundred, integers;
