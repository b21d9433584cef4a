-- Indexes on bitmaps: btree and hash by the set, GIN by the members; and what the planner should know.

-- GIN, both widths

CREATE FUNCTION rb_gin_compare_partial(bigint, bigint, smallint, internal) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_gin_compare_partial';
COMMENT ON FUNCTION rb_gin_compare_partial(bigint, bigint, smallint, internal) IS 'GIN support: whether an index key is in the range that a query looks for';

CREATE FUNCTION rb_gin_options(internal) RETURNS void
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_gin_options';
COMMENT ON FUNCTION rb_gin_options(internal) IS 'GIN support: the operator classes'' option max_keys';

-- roaringbitmap: order and hash

CREATE FUNCTION rb_cmp(roaringbitmap, roaringbitmap) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_cmp';
COMMENT ON FUNCTION rb_cmp(roaringbitmap, roaringbitmap) IS 'Below, at or above zero: the order of the sorted lists of members';

CREATE FUNCTION rb_lt(roaringbitmap, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_lt';
COMMENT ON FUNCTION rb_lt(roaringbitmap, roaringbitmap) IS 'Whether the first bitmap comes before the second one, in the order of rb_cmp';

CREATE FUNCTION rb_le(roaringbitmap, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_le';
COMMENT ON FUNCTION rb_le(roaringbitmap, roaringbitmap) IS 'Whether the first bitmap comes before or equals the second one, in the order of rb_cmp';

CREATE FUNCTION rb_gt(roaringbitmap, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_gt';
COMMENT ON FUNCTION rb_gt(roaringbitmap, roaringbitmap) IS 'Whether the first bitmap comes after the second one, in the order of rb_cmp';

CREATE FUNCTION rb_ge(roaringbitmap, roaringbitmap) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_ge';
COMMENT ON FUNCTION rb_ge(roaringbitmap, roaringbitmap) IS 'Whether the first bitmap comes after or equals the second one, in the order of rb_cmp';

CREATE FUNCTION rb_hash(roaringbitmap) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_hash';
COMMENT ON FUNCTION rb_hash(roaringbitmap) IS 'Hash of a bitmap; equal sets hash alike, however they are encoded';

CREATE FUNCTION rb_hash_extended(roaringbitmap, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_hash_extended';
COMMENT ON FUNCTION rb_hash_extended(roaringbitmap, bigint) IS 'Hash of a bitmap in 64 bits, with a seed';

CREATE OPERATOR < (
    LEFTARG = roaringbitmap, RIGHTARG = roaringbitmap, FUNCTION = rb_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (roaringbitmap, roaringbitmap) IS 'the order of rb_cmp';

CREATE OPERATOR <= (
    LEFTARG = roaringbitmap, RIGHTARG = roaringbitmap, FUNCTION = rb_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (roaringbitmap, roaringbitmap) IS 'the order of rb_cmp';

CREATE OPERATOR > (
    LEFTARG = roaringbitmap, RIGHTARG = roaringbitmap, FUNCTION = rb_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (roaringbitmap, roaringbitmap) IS 'the order of rb_cmp';

CREATE OPERATOR >= (
    LEFTARG = roaringbitmap, RIGHTARG = roaringbitmap, FUNCTION = rb_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (roaringbitmap, roaringbitmap) IS 'the order of rb_cmp';

CREATE OPERATOR CLASS roaringbitmap_ops DEFAULT FOR TYPE roaringbitmap USING btree AS
    OPERATOR 1 <,
    OPERATOR 2 <=,
    OPERATOR 3 =,
    OPERATOR 4 >=,
    OPERATOR 5 >,
    FUNCTION 1 rb_cmp(roaringbitmap, roaringbitmap);
COMMENT ON OPERATOR CLASS roaringbitmap_ops USING btree IS 'Order of bitmaps, by their sorted members';
COMMENT ON OPERATOR FAMILY roaringbitmap_ops USING btree IS 'Order of bitmaps, by their sorted members';

CREATE OPERATOR CLASS roaringbitmap_ops DEFAULT FOR TYPE roaringbitmap USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 rb_hash(roaringbitmap),
    FUNCTION 2 rb_hash_extended(roaringbitmap, bigint);
COMMENT ON OPERATOR CLASS roaringbitmap_ops USING hash IS 'Equality of bitmaps, whatever their encoding';
COMMENT ON OPERATOR FAMILY roaringbitmap_ops USING hash IS 'Equality of bitmaps, whatever their encoding';

-- roaringbitmap: GIN

CREATE FUNCTION rb_gin_extract_value(roaringbitmap, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_gin_extract_value';
COMMENT ON FUNCTION rb_gin_extract_value(roaringbitmap, internal) IS 'GIN support: the index keys of a bitmap';

CREATE FUNCTION rb_gin_extract_query(roaringbitmap, internal, smallint, internal, internal, internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_gin_extract_query';
COMMENT ON FUNCTION rb_gin_extract_query(roaringbitmap, internal, smallint, internal, internal, internal, internal) IS 'GIN support: the index keys that a query looks for';

CREATE FUNCTION rb_gin_consistent(internal, smallint, roaringbitmap, integer, internal, internal, internal) RETURNS "char"
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_gin_consistent';
COMMENT ON FUNCTION rb_gin_consistent(internal, smallint, roaringbitmap, integer, internal, internal, internal) IS 'GIN support: whether a row with these keys qualifies';

CREATE OPERATOR CLASS roaringbitmap_ops DEFAULT FOR TYPE roaringbitmap USING gin AS
    OPERATOR 1 &&,
    OPERATOR 2 @>,
    OPERATOR 3 <@,
    OPERATOR 4 =,
    OPERATOR 5 @> (roaringbitmap, integer),
    FUNCTION 1 btint8cmp(bigint, bigint),
    FUNCTION 2 rb_gin_extract_value(roaringbitmap, internal),
    FUNCTION 3 rb_gin_extract_query(roaringbitmap, internal, smallint, internal, internal, internal, internal),
    FUNCTION 5 rb_gin_compare_partial(bigint, bigint, smallint, internal),
    FUNCTION 6 rb_gin_consistent(internal, smallint, roaringbitmap, integer, internal, internal, internal),
    FUNCTION 7 rb_gin_options(internal),
    STORAGE bigint;
COMMENT ON OPERATOR CLASS roaringbitmap_ops USING gin IS 'Bitmaps by their members; max_keys (8192) bounds the index keys of one bitmap';
COMMENT ON OPERATOR FAMILY roaringbitmap_ops USING gin IS 'Bitmaps by their members';

-- roaringbitmap64: order and hash

CREATE FUNCTION rb64_cmp(roaringbitmap64, roaringbitmap64) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_cmp';
COMMENT ON FUNCTION rb64_cmp(roaringbitmap64, roaringbitmap64) IS 'Below, at or above zero: the order of the sorted lists of members';

CREATE FUNCTION rb64_lt(roaringbitmap64, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_lt';
COMMENT ON FUNCTION rb64_lt(roaringbitmap64, roaringbitmap64) IS 'Whether the first bitmap comes before the second one, in the order of rb64_cmp';

CREATE FUNCTION rb64_le(roaringbitmap64, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_le';
COMMENT ON FUNCTION rb64_le(roaringbitmap64, roaringbitmap64) IS 'Whether the first bitmap comes before or equals the second one, in the order of rb64_cmp';

CREATE FUNCTION rb64_gt(roaringbitmap64, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_gt';
COMMENT ON FUNCTION rb64_gt(roaringbitmap64, roaringbitmap64) IS 'Whether the first bitmap comes after the second one, in the order of rb64_cmp';

CREATE FUNCTION rb64_ge(roaringbitmap64, roaringbitmap64) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_ge';
COMMENT ON FUNCTION rb64_ge(roaringbitmap64, roaringbitmap64) IS 'Whether the first bitmap comes after or equals the second one, in the order of rb64_cmp';

CREATE FUNCTION rb64_hash(roaringbitmap64) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_hash';
COMMENT ON FUNCTION rb64_hash(roaringbitmap64) IS 'Hash of a bitmap; equal sets hash alike, however they are encoded';

CREATE FUNCTION rb64_hash_extended(roaringbitmap64, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_hash_extended';
COMMENT ON FUNCTION rb64_hash_extended(roaringbitmap64, bigint) IS 'Hash of a bitmap in 64 bits, with a seed';

CREATE OPERATOR < (
    LEFTARG = roaringbitmap64, RIGHTARG = roaringbitmap64, FUNCTION = rb64_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (roaringbitmap64, roaringbitmap64) IS 'the order of rb64_cmp';

CREATE OPERATOR <= (
    LEFTARG = roaringbitmap64, RIGHTARG = roaringbitmap64, FUNCTION = rb64_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (roaringbitmap64, roaringbitmap64) IS 'the order of rb64_cmp';

CREATE OPERATOR > (
    LEFTARG = roaringbitmap64, RIGHTARG = roaringbitmap64, FUNCTION = rb64_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (roaringbitmap64, roaringbitmap64) IS 'the order of rb64_cmp';

CREATE OPERATOR >= (
    LEFTARG = roaringbitmap64, RIGHTARG = roaringbitmap64, FUNCTION = rb64_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (roaringbitmap64, roaringbitmap64) IS 'the order of rb64_cmp';

CREATE OPERATOR CLASS roaringbitmap64_ops DEFAULT FOR TYPE roaringbitmap64 USING btree AS
    OPERATOR 1 <,
    OPERATOR 2 <=,
    OPERATOR 3 =,
    OPERATOR 4 >=,
    OPERATOR 5 >,
    FUNCTION 1 rb64_cmp(roaringbitmap64, roaringbitmap64);
COMMENT ON OPERATOR CLASS roaringbitmap64_ops USING btree IS 'Order of bitmaps, by their sorted members';
COMMENT ON OPERATOR FAMILY roaringbitmap64_ops USING btree IS 'Order of bitmaps, by their sorted members';

CREATE OPERATOR CLASS roaringbitmap64_ops DEFAULT FOR TYPE roaringbitmap64 USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 rb64_hash(roaringbitmap64),
    FUNCTION 2 rb64_hash_extended(roaringbitmap64, bigint);
COMMENT ON OPERATOR CLASS roaringbitmap64_ops USING hash IS 'Equality of bitmaps, whatever their encoding';
COMMENT ON OPERATOR FAMILY roaringbitmap64_ops USING hash IS 'Equality of bitmaps, whatever their encoding';

-- roaringbitmap64: GIN

CREATE FUNCTION rb64_gin_extract_value(roaringbitmap64, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_gin_extract_value';
COMMENT ON FUNCTION rb64_gin_extract_value(roaringbitmap64, internal) IS 'GIN support: the index keys of a bitmap';

CREATE FUNCTION rb64_gin_extract_query(roaringbitmap64, internal, smallint, internal, internal, internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_gin_extract_query';
COMMENT ON FUNCTION rb64_gin_extract_query(roaringbitmap64, internal, smallint, internal, internal, internal, internal) IS 'GIN support: the index keys that a query looks for';

CREATE FUNCTION rb64_gin_consistent(internal, smallint, roaringbitmap64, integer, internal, internal, internal) RETURNS "char"
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_gin_consistent';
COMMENT ON FUNCTION rb64_gin_consistent(internal, smallint, roaringbitmap64, integer, internal, internal, internal) IS 'GIN support: whether a row with these keys qualifies';

CREATE OPERATOR CLASS roaringbitmap64_ops DEFAULT FOR TYPE roaringbitmap64 USING gin AS
    OPERATOR 1 &&,
    OPERATOR 2 @>,
    OPERATOR 3 <@,
    OPERATOR 4 =,
    OPERATOR 5 @> (roaringbitmap64, bigint),
    FUNCTION 1 btint8cmp(bigint, bigint),
    FUNCTION 2 rb64_gin_extract_value(roaringbitmap64, internal),
    FUNCTION 3 rb64_gin_extract_query(roaringbitmap64, internal, smallint, internal, internal, internal, internal),
    FUNCTION 5 rb_gin_compare_partial(bigint, bigint, smallint, internal),
    FUNCTION 6 rb64_gin_consistent(internal, smallint, roaringbitmap64, integer, internal, internal, internal),
    FUNCTION 7 rb_gin_options(internal),
    STORAGE bigint;
COMMENT ON OPERATOR CLASS roaringbitmap64_ops USING gin IS 'Bitmaps by their members; max_keys (8192) bounds the index keys of one bitmap';
COMMENT ON OPERATOR FAMILY roaringbitmap64_ops USING gin IS 'Bitmaps by their members';

-- The planner: estimates from the column's statistics by trying the operator on the values that they hold, instead of
-- a constant; functions that are operators use the operators' indexes and estimates. Costs are in units of
-- cpu_operator_cost: rough settings, set by judgement for bitmaps of some thousand members, not measured.

CREATE FUNCTION rb_support(internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_support';
COMMENT ON FUNCTION rb_support(internal) IS 'Planner support: indexes and estimates for functions on bitmaps';

ALTER OPERATOR @> (roaringbitmap, roaringbitmap) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER OPERATOR @> (roaringbitmap, integer) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER OPERATOR <@ (roaringbitmap, roaringbitmap) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER OPERATOR <@ (integer, roaringbitmap) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER OPERATOR && (roaringbitmap, roaringbitmap) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER FUNCTION rb_contains(roaringbitmap, integer) COST 5 SUPPORT rb_support;
ALTER FUNCTION rb_containedby(integer, roaringbitmap) COST 5 SUPPORT rb_support;
ALTER FUNCTION rb_contains(roaringbitmap, roaringbitmap) COST 20 SUPPORT rb_support;
ALTER FUNCTION rb_containedby(roaringbitmap, roaringbitmap) COST 20 SUPPORT rb_support;
ALTER FUNCTION rb_intersect(roaringbitmap, roaringbitmap) COST 20 SUPPORT rb_support;
ALTER FUNCTION rb_equals(roaringbitmap, roaringbitmap) COST 10 SUPPORT rb_support;
ALTER FUNCTION rb_iterate(roaringbitmap) SUPPORT rb_support;
ALTER FUNCTION rb_not_equals(roaringbitmap, roaringbitmap) COST 10;
ALTER FUNCTION rb_and(roaringbitmap, roaringbitmap) COST 50;
ALTER FUNCTION rb_and_cardinality(roaringbitmap, roaringbitmap) COST 20;
ALTER FUNCTION rb_or(roaringbitmap, roaringbitmap) COST 50;
ALTER FUNCTION rb_or_cardinality(roaringbitmap, roaringbitmap) COST 20;
ALTER FUNCTION rb_xor(roaringbitmap, roaringbitmap) COST 50;
ALTER FUNCTION rb_xor_cardinality(roaringbitmap, roaringbitmap) COST 20;
ALTER FUNCTION rb_andnot(roaringbitmap, roaringbitmap) COST 50;
ALTER FUNCTION rb_andnot_cardinality(roaringbitmap, roaringbitmap) COST 20;

ALTER OPERATOR @> (roaringbitmap64, roaringbitmap64) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER OPERATOR @> (roaringbitmap64, bigint) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER OPERATOR <@ (roaringbitmap64, roaringbitmap64) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER OPERATOR <@ (bigint, roaringbitmap64) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER OPERATOR && (roaringbitmap64, roaringbitmap64) SET (RESTRICT = matchingsel, JOIN = matchingjoinsel);
ALTER FUNCTION rb64_contains(roaringbitmap64, bigint) COST 5 SUPPORT rb_support;
ALTER FUNCTION rb64_containedby(bigint, roaringbitmap64) COST 5 SUPPORT rb_support;
ALTER FUNCTION rb64_contains(roaringbitmap64, roaringbitmap64) COST 20 SUPPORT rb_support;
ALTER FUNCTION rb64_containedby(roaringbitmap64, roaringbitmap64) COST 20 SUPPORT rb_support;
ALTER FUNCTION rb64_intersect(roaringbitmap64, roaringbitmap64) COST 20 SUPPORT rb_support;
ALTER FUNCTION rb64_equals(roaringbitmap64, roaringbitmap64) COST 10 SUPPORT rb_support;
ALTER FUNCTION rb64_iterate(roaringbitmap64) SUPPORT rb_support;
ALTER FUNCTION rb64_not_equals(roaringbitmap64, roaringbitmap64) COST 10;
ALTER FUNCTION rb64_and(roaringbitmap64, roaringbitmap64) COST 50;
ALTER FUNCTION rb64_and_cardinality(roaringbitmap64, roaringbitmap64) COST 20;
ALTER FUNCTION rb64_or(roaringbitmap64, roaringbitmap64) COST 50;
ALTER FUNCTION rb64_or_cardinality(roaringbitmap64, roaringbitmap64) COST 20;
ALTER FUNCTION rb64_xor(roaringbitmap64, roaringbitmap64) COST 50;
ALTER FUNCTION rb64_xor_cardinality(roaringbitmap64, roaringbitmap64) COST 20;
ALTER FUNCTION rb64_andnot(roaringbitmap64, roaringbitmap64) COST 50;
ALTER FUNCTION rb64_andnot_cardinality(roaringbitmap64, roaringbitmap64) COST 20;
