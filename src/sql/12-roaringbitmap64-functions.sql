-- Functions of roaringbitmap64 that make bitmaps or compare two: those of roaringbitmap, with bigint elements.

CREATE FUNCTION rb64_build(bigint[]) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_build';
COMMENT ON FUNCTION rb64_build(bigint[]) IS 'The bitmap of an array''s elements';

CREATE FUNCTION rb64_to_array(roaringbitmap64) RETURNS bigint[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_to_array';
COMMENT ON FUNCTION rb64_to_array(roaringbitmap64) IS 'A bitmap''s members in ascending order as unsigned numbers; negative elements come last';

-- Two bitmaps make one

CREATE FUNCTION rb64_and(roaringbitmap64, roaringbitmap64) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_and';
COMMENT ON FUNCTION rb64_and(roaringbitmap64, roaringbitmap64) IS 'The members that both bitmaps have';

CREATE FUNCTION rb64_or(roaringbitmap64, roaringbitmap64) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_or';
COMMENT ON FUNCTION rb64_or(roaringbitmap64, roaringbitmap64) IS 'The members that either bitmap has';

CREATE FUNCTION rb64_xor(roaringbitmap64, roaringbitmap64) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_xor';
COMMENT ON FUNCTION rb64_xor(roaringbitmap64, roaringbitmap64) IS 'The members that one bitmap has and the other has not';

CREATE FUNCTION rb64_andnot(roaringbitmap64, roaringbitmap64) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_andnot';
COMMENT ON FUNCTION rb64_andnot(roaringbitmap64, roaringbitmap64) IS 'The members that the first bitmap has and the second has not';

-- How many members they would make

CREATE FUNCTION rb64_and_cardinality(roaringbitmap64, roaringbitmap64) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_and_cardinality';
COMMENT ON FUNCTION rb64_and_cardinality(roaringbitmap64, roaringbitmap64) IS 'How many members both bitmaps have';

CREATE FUNCTION rb64_or_cardinality(roaringbitmap64, roaringbitmap64) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_or_cardinality';
COMMENT ON FUNCTION rb64_or_cardinality(roaringbitmap64, roaringbitmap64) IS 'How many members either bitmap has';

CREATE FUNCTION rb64_xor_cardinality(roaringbitmap64, roaringbitmap64) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_xor_cardinality';
COMMENT ON FUNCTION rb64_xor_cardinality(roaringbitmap64, roaringbitmap64) IS 'How many members one bitmap has and the other has not';

CREATE FUNCTION rb64_andnot_cardinality(roaringbitmap64, roaringbitmap64) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_andnot_cardinality';
COMMENT ON FUNCTION rb64_andnot_cardinality(roaringbitmap64, roaringbitmap64) IS 'How many members the first bitmap has and the second has not';

CREATE FUNCTION rb64_jaccard_dist(roaringbitmap64, roaringbitmap64) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_jaccard_dist';
COMMENT ON FUNCTION rb64_jaccard_dist(roaringbitmap64, roaringbitmap64) IS 'What both bitmaps have, as a fraction of what either has; NaN when both are empty';

-- Two bitmaps compared

CREATE FUNCTION rb64_equals(roaringbitmap64, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_equals';
COMMENT ON FUNCTION rb64_equals(roaringbitmap64, roaringbitmap64) IS 'Do both bitmaps have the same members?';

CREATE FUNCTION rb64_not_equals(roaringbitmap64, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_not_equals';
COMMENT ON FUNCTION rb64_not_equals(roaringbitmap64, roaringbitmap64) IS 'Does one bitmap have a member that the other has not?';

CREATE FUNCTION rb64_intersect(roaringbitmap64, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_intersect';
COMMENT ON FUNCTION rb64_intersect(roaringbitmap64, roaringbitmap64) IS 'Is there a member that both bitmaps have?';

CREATE FUNCTION rb64_contains(roaringbitmap64, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_contains_bitmap';
COMMENT ON FUNCTION rb64_contains(roaringbitmap64, roaringbitmap64) IS 'Does the first bitmap have all members of the second?';

CREATE FUNCTION rb64_containedby(roaringbitmap64, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_containedby_bitmap';
COMMENT ON FUNCTION rb64_containedby(roaringbitmap64, roaringbitmap64) IS 'Does the second bitmap have all members of the first?';

-- One bitmap changed. Both ends of a range are unsigned; 0 as range_end stands for 2^64.

CREATE FUNCTION rb64_add(roaringbitmap64, bigint) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_add';
COMMENT ON FUNCTION rb64_add(roaringbitmap64, bigint) IS 'The bitmap with one member more';

CREATE FUNCTION rb64_add(bigint, roaringbitmap64) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_add_to';
COMMENT ON FUNCTION rb64_add(bigint, roaringbitmap64) IS 'The bitmap with one member more';

CREATE FUNCTION rb64_remove(roaringbitmap64, bigint) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_remove';
COMMENT ON FUNCTION rb64_remove(roaringbitmap64, bigint) IS 'The bitmap without that member';

CREATE FUNCTION rb64_fill(roaringbitmap64, range_start bigint, range_end bigint) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_fill';
COMMENT ON FUNCTION rb64_fill(roaringbitmap64, bigint, bigint) IS 'The bitmap with all members from range_start up to, not including, range_end';

CREATE FUNCTION rb64_clear(roaringbitmap64, range_start bigint, range_end bigint) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_clear';
COMMENT ON FUNCTION rb64_clear(roaringbitmap64, bigint, bigint) IS 'The bitmap without its members from range_start up to, not including, range_end';

CREATE FUNCTION rb64_flip(roaringbitmap64, range_start bigint, range_end bigint) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_flip';
COMMENT ON FUNCTION rb64_flip(roaringbitmap64, bigint, bigint) IS 'The bitmap with the members from range_start up to, not including, range_end that it had not, and without those that it had';

CREATE FUNCTION rb64_range(roaringbitmap64, range_start bigint, range_end bigint) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_range';
COMMENT ON FUNCTION rb64_range(roaringbitmap64, bigint, bigint) IS 'The members of a bitmap from range_start up to, not including, range_end';

CREATE FUNCTION rb64_shiftright(roaringbitmap64, bigint) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_shiftright';
COMMENT ON FUNCTION rb64_shiftright(roaringbitmap64, bigint) IS 'Each member plus that number; what would leave the range of members is dropped';

CREATE FUNCTION rb64_shiftleft(roaringbitmap64, bigint) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_shiftleft';
COMMENT ON FUNCTION rb64_shiftleft(roaringbitmap64, bigint) IS 'Each member less that number; what would leave the range of members is dropped';

CREATE FUNCTION rb64_runoptimize(roaringbitmap64) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_runoptimize';
COMMENT ON FUNCTION rb64_runoptimize(roaringbitmap64) IS 'The same set, with runs of members stored as runs where that is smaller';
