-- Questions to one bitmap, answered from the parts of a stored bitmap that they need. Names and meanings are
-- pg_roaringbitmap's: members are unsigned, and an integer (bigint) stands for the same bits.

CREATE FUNCTION rb_cardinality(roaringbitmap) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_cardinality';
COMMENT ON FUNCTION rb_cardinality(roaringbitmap) IS 'How many members a bitmap has';

CREATE FUNCTION rb_is_empty(roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_is_empty';
COMMENT ON FUNCTION rb_is_empty(roaringbitmap) IS 'Has a bitmap no member?';

CREATE FUNCTION rb_contains(roaringbitmap, integer) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_contains';
COMMENT ON FUNCTION rb_contains(roaringbitmap, integer) IS 'Is the integer a member of the bitmap?';

CREATE FUNCTION rb_containedby(integer, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_containedby';
COMMENT ON FUNCTION rb_containedby(integer, roaringbitmap) IS 'Is the integer a member of the bitmap?';

CREATE FUNCTION rb_min(roaringbitmap) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_min';
COMMENT ON FUNCTION rb_min(roaringbitmap) IS 'A bitmap''s smallest member; NULL when it has none';

CREATE FUNCTION rb_max(roaringbitmap) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_max';
COMMENT ON FUNCTION rb_max(roaringbitmap) IS 'A bitmap''s largest member; NULL when it has none';

CREATE FUNCTION rb_rank(roaringbitmap, integer) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_rank';
COMMENT ON FUNCTION rb_rank(roaringbitmap, integer) IS 'How many members are this integer or smaller ones';

CREATE FUNCTION rb_index(roaringbitmap, integer) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_index';
COMMENT ON FUNCTION rb_index(roaringbitmap, integer) IS 'How many members are smaller than this one; -1 when it is not a member';

CREATE FUNCTION rb_range_cardinality(roaringbitmap, range_start bigint, range_end bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_range_cardinality';
COMMENT ON FUNCTION rb_range_cardinality(roaringbitmap, range_start bigint, range_end bigint) IS 'How many members there are from range_start to before range_end';

CREATE FUNCTION rb_select(roaringbitmap, bitset_limit bigint, bitset_offset bigint DEFAULT 0, reverse boolean DEFAULT false, range_start bigint DEFAULT 0, range_end bigint DEFAULT 4294967296) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_select';
COMMENT ON FUNCTION rb_select(roaringbitmap, bitset_limit bigint, bitset_offset bigint, reverse boolean, range_start bigint, range_end bigint) IS 'At most bitset_limit members after passing over bitset_offset, in ascending or reverse order, of those from range_start to before range_end';

CREATE FUNCTION rb_iterate(roaringbitmap) RETURNS SETOF integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'fas_rb_iterate';
COMMENT ON FUNCTION rb_iterate(roaringbitmap) IS 'A bitmap''s members in ascending order, as rows';

CREATE FUNCTION rb64_cardinality(roaringbitmap64) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_cardinality';
COMMENT ON FUNCTION rb64_cardinality(roaringbitmap64) IS 'How many members a bitmap has';

CREATE FUNCTION rb64_is_empty(roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_is_empty';
COMMENT ON FUNCTION rb64_is_empty(roaringbitmap64) IS 'Has a bitmap no member?';

CREATE FUNCTION rb64_contains(roaringbitmap64, bigint) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_contains';
COMMENT ON FUNCTION rb64_contains(roaringbitmap64, bigint) IS 'Is the integer a member of the bitmap?';

CREATE FUNCTION rb64_containedby(bigint, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_containedby';
COMMENT ON FUNCTION rb64_containedby(bigint, roaringbitmap64) IS 'Is the integer a member of the bitmap?';

CREATE FUNCTION rb64_min(roaringbitmap64) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_min';
COMMENT ON FUNCTION rb64_min(roaringbitmap64) IS 'A bitmap''s smallest member; NULL when it has none';

CREATE FUNCTION rb64_max(roaringbitmap64) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_max';
COMMENT ON FUNCTION rb64_max(roaringbitmap64) IS 'A bitmap''s largest member; NULL when it has none';

CREATE FUNCTION rb64_rank(roaringbitmap64, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_rank';
COMMENT ON FUNCTION rb64_rank(roaringbitmap64, bigint) IS 'How many members are this integer or smaller ones';

CREATE FUNCTION rb64_index(roaringbitmap64, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_index';
COMMENT ON FUNCTION rb64_index(roaringbitmap64, bigint) IS 'How many members are smaller than this one; -1 when it is not a member';

CREATE FUNCTION rb64_range_cardinality(roaringbitmap64, range_start bigint, range_end bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_range_cardinality';
COMMENT ON FUNCTION rb64_range_cardinality(roaringbitmap64, range_start bigint, range_end bigint) IS 'How many members there are from range_start to before range_end, both unsigned; 0 as range_end stands for no limit';

CREATE FUNCTION rb64_select(roaringbitmap64, bitset_limit bigint, bitset_offset bigint DEFAULT 0, reverse boolean DEFAULT false, range_start bigint DEFAULT 0, range_end bigint DEFAULT 0) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_select';
COMMENT ON FUNCTION rb64_select(roaringbitmap64, bitset_limit bigint, bitset_offset bigint, reverse boolean, range_start bigint, range_end bigint) IS 'At most bitset_limit members after passing over bitset_offset, in ascending or reverse order, of those from range_start to before range_end, both unsigned; 0 as range_end stands for no limit';

CREATE FUNCTION rb64_iterate(roaringbitmap64) RETURNS SETOF bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'fas_rb64_iterate';
COMMENT ON FUNCTION rb64_iterate(roaringbitmap64) IS 'A bitmap''s members in ascending order, as rows';

