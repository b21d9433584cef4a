-- The type roaringbitmap and its first functions. Names and meanings are pg_roaringbitmap's.

CREATE TYPE roaringbitmap;

CREATE FUNCTION roaringbitmap_in(cstring) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap_in';
COMMENT ON FUNCTION roaringbitmap_in(cstring) IS 'Text input of type roaringbitmap: {1,2,3}, or \x and hexadecimal digits';

-- Stable: it depends on fas.roaring_output_format.
CREATE FUNCTION roaringbitmap_out(roaringbitmap) RETURNS cstring
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap_out';
COMMENT ON FUNCTION roaringbitmap_out(roaringbitmap) IS 'Text output of type roaringbitmap, as fas.roaring_output_format says';

CREATE FUNCTION roaringbitmap_recv(internal) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap_recv';
COMMENT ON FUNCTION roaringbitmap_recv(internal) IS 'Binary input of type roaringbitmap: the portable Roaring format';

CREATE FUNCTION roaringbitmap_send(roaringbitmap) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap_send';
COMMENT ON FUNCTION roaringbitmap_send(roaringbitmap) IS 'Binary output of type roaringbitmap: the portable Roaring format';

CREATE TYPE roaringbitmap (
    INPUT = roaringbitmap_in,
    OUTPUT = roaringbitmap_out,
    RECEIVE = roaringbitmap_recv,
    SEND = roaringbitmap_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE roaringbitmap IS 'A set of integers from 0 to 4294967295, as a compressed Roaring bitmap';

CREATE FUNCTION rb_build(integer[]) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_build';
COMMENT ON FUNCTION rb_build(integer[]) IS 'The bitmap of an array''s elements; -1 stands for 4294967295, and so on';

CREATE FUNCTION rb_to_array(roaringbitmap) RETURNS integer[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_to_array';
COMMENT ON FUNCTION rb_to_array(roaringbitmap) IS 'A bitmap''s members in ascending order; those above 2147483647 come last, as negative integers';

CREATE FUNCTION rb_cardinality(roaringbitmap) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_cardinality';
COMMENT ON FUNCTION rb_cardinality(roaringbitmap) IS 'How many members a bitmap has';

CREATE FUNCTION rb_and(roaringbitmap, roaringbitmap) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_and';
COMMENT ON FUNCTION rb_and(roaringbitmap, roaringbitmap) IS 'The members that both bitmaps have';

CREATE FUNCTION rb_or(roaringbitmap, roaringbitmap) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_or';
COMMENT ON FUNCTION rb_or(roaringbitmap, roaringbitmap) IS 'The members that either bitmap has';

-- rb_build_agg

CREATE FUNCTION rb_build_agg_add(internal, integer) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_build_agg_add';
COMMENT ON FUNCTION rb_build_agg_add(internal, integer) IS 'Transition function of rb_build_agg';

CREATE FUNCTION rb_agg_combine_or(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_agg_combine_or';
COMMENT ON FUNCTION rb_agg_combine_or(internal, internal) IS 'Combine function of bitmap aggregates that gather members';

CREATE FUNCTION rb_agg_serial(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_agg_serial';
COMMENT ON FUNCTION rb_agg_serial(internal) IS 'Serialization function of bitmap aggregates';

CREATE FUNCTION rb_agg_deserial(bytea, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_agg_deserial';
COMMENT ON FUNCTION rb_agg_deserial(bytea, internal) IS 'Deserialization function of bitmap aggregates';

CREATE FUNCTION rb_agg_final(internal) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_agg_final';
COMMENT ON FUNCTION rb_agg_final(internal) IS 'Final function of bitmap aggregates';

CREATE AGGREGATE rb_build_agg(integer) (
    SFUNC = rb_build_agg_add,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb_agg_final,
    COMBINEFUNC = rb_agg_combine_or,
    SERIALFUNC = rb_agg_serial,
    DESERIALFUNC = rb_agg_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb_build_agg(integer) IS 'The bitmap of all integers that are not null; NULL when there is none';
