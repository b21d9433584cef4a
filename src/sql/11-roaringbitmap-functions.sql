-- Functions of roaringbitmap that make bitmaps or compare two. Names and meanings are pg_roaringbitmap's.

CREATE FUNCTION rb_build(integer[]) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_build';
COMMENT ON FUNCTION rb_build(integer[]) IS 'The bitmap of an array''s elements';

CREATE FUNCTION rb_to_array(roaringbitmap) RETURNS integer[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_to_array';
COMMENT ON FUNCTION rb_to_array(roaringbitmap) IS 'A bitmap''s members in ascending order as unsigned numbers; negative elements come last';

-- Two bitmaps make one

CREATE FUNCTION rb_and(roaringbitmap, roaringbitmap) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_and';
COMMENT ON FUNCTION rb_and(roaringbitmap, roaringbitmap) IS 'The members that both bitmaps have';

CREATE FUNCTION rb_or(roaringbitmap, roaringbitmap) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_or';
COMMENT ON FUNCTION rb_or(roaringbitmap, roaringbitmap) IS 'The members that either bitmap has';

CREATE FUNCTION rb_xor(roaringbitmap, roaringbitmap) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_xor';
COMMENT ON FUNCTION rb_xor(roaringbitmap, roaringbitmap) IS 'The members that one bitmap has and the other has not';

CREATE FUNCTION rb_andnot(roaringbitmap, roaringbitmap) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_andnot';
COMMENT ON FUNCTION rb_andnot(roaringbitmap, roaringbitmap) IS 'The members that the first bitmap has and the second has not';

-- How many members they would make

CREATE FUNCTION rb_and_cardinality(roaringbitmap, roaringbitmap) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_and_cardinality';
COMMENT ON FUNCTION rb_and_cardinality(roaringbitmap, roaringbitmap) IS 'How many members both bitmaps have';

CREATE FUNCTION rb_or_cardinality(roaringbitmap, roaringbitmap) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_or_cardinality';
COMMENT ON FUNCTION rb_or_cardinality(roaringbitmap, roaringbitmap) IS 'How many members either bitmap has';

CREATE FUNCTION rb_xor_cardinality(roaringbitmap, roaringbitmap) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_xor_cardinality';
COMMENT ON FUNCTION rb_xor_cardinality(roaringbitmap, roaringbitmap) IS 'How many members one bitmap has and the other has not';

CREATE FUNCTION rb_andnot_cardinality(roaringbitmap, roaringbitmap) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_andnot_cardinality';
COMMENT ON FUNCTION rb_andnot_cardinality(roaringbitmap, roaringbitmap) IS 'How many members the first bitmap has and the second has not';

CREATE FUNCTION rb_jaccard_dist(roaringbitmap, roaringbitmap) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_jaccard_dist';
COMMENT ON FUNCTION rb_jaccard_dist(roaringbitmap, roaringbitmap) IS 'What both bitmaps have, as a fraction of what either has; NaN when both are empty';

-- Two bitmaps compared

CREATE FUNCTION rb_equals(roaringbitmap, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_equals';
COMMENT ON FUNCTION rb_equals(roaringbitmap, roaringbitmap) IS 'Do both bitmaps have the same members?';

CREATE FUNCTION rb_not_equals(roaringbitmap, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_not_equals';
COMMENT ON FUNCTION rb_not_equals(roaringbitmap, roaringbitmap) IS 'Does one bitmap have a member that the other has not?';

CREATE FUNCTION rb_intersect(roaringbitmap, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_intersect';
COMMENT ON FUNCTION rb_intersect(roaringbitmap, roaringbitmap) IS 'Is there a member that both bitmaps have?';

CREATE FUNCTION rb_contains(roaringbitmap, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_contains_bitmap';
COMMENT ON FUNCTION rb_contains(roaringbitmap, roaringbitmap) IS 'Does the first bitmap have all members of the second?';

CREATE FUNCTION rb_containedby(roaringbitmap, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_containedby_bitmap';
COMMENT ON FUNCTION rb_containedby(roaringbitmap, roaringbitmap) IS 'Does the second bitmap have all members of the first?';

-- One bitmap changed. Both ends of a range are clamped to 0 and 4294967296.

CREATE FUNCTION rb_add(roaringbitmap, integer) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_add';
COMMENT ON FUNCTION rb_add(roaringbitmap, integer) IS 'The bitmap with one member more';

CREATE FUNCTION rb_add(integer, roaringbitmap) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_add_to';
COMMENT ON FUNCTION rb_add(integer, roaringbitmap) IS 'The bitmap with one member more';

CREATE FUNCTION rb_remove(roaringbitmap, integer) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_remove';
COMMENT ON FUNCTION rb_remove(roaringbitmap, integer) IS 'The bitmap without that member';

CREATE FUNCTION rb_fill(roaringbitmap, range_start bigint, range_end bigint) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_fill';
COMMENT ON FUNCTION rb_fill(roaringbitmap, bigint, bigint) IS 'The bitmap with all members from range_start up to, not including, range_end';

CREATE FUNCTION rb_clear(roaringbitmap, range_start bigint, range_end bigint) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_clear';
COMMENT ON FUNCTION rb_clear(roaringbitmap, bigint, bigint) IS 'The bitmap without its members from range_start up to, not including, range_end';

CREATE FUNCTION rb_flip(roaringbitmap, range_start bigint, range_end bigint) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_flip';
COMMENT ON FUNCTION rb_flip(roaringbitmap, bigint, bigint) IS 'The bitmap with the members from range_start up to, not including, range_end that it had not, and without those that it had';

CREATE FUNCTION rb_range(roaringbitmap, range_start bigint, range_end bigint) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_range';
COMMENT ON FUNCTION rb_range(roaringbitmap, bigint, bigint) IS 'The members of a bitmap from range_start up to, not including, range_end';

CREATE FUNCTION rb_shiftright(roaringbitmap, bigint) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_shiftright';
COMMENT ON FUNCTION rb_shiftright(roaringbitmap, bigint) IS 'Each member plus that number; what would leave the range of members is dropped';

CREATE FUNCTION rb_shiftleft(roaringbitmap, bigint) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_shiftleft';
COMMENT ON FUNCTION rb_shiftleft(roaringbitmap, bigint) IS 'Each member less that number; what would leave the range of members is dropped';

CREATE FUNCTION rb_runoptimize(roaringbitmap) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_runoptimize';
COMMENT ON FUNCTION rb_runoptimize(roaringbitmap) IS 'The same set, with runs of members stored as runs where that is smaller';
