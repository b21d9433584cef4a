-- Aggregates over integers and over bitmaps. Names and meanings are pg_roaringbitmap's, support functions included. All
-- aggregates of one width have states of one kind, so they share their final, serial and deserial functions.

CREATE FUNCTION rb_final(internal) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_final';
COMMENT ON FUNCTION rb_final(internal) IS 'Final function of bitmap aggregates: the bitmap';

CREATE FUNCTION rb_cardinality_final(internal) RETURNS bigint
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_cardinality_final';
COMMENT ON FUNCTION rb_cardinality_final(internal) IS 'Final function of bitmap aggregates: its cardinality';

CREATE FUNCTION rb_serialize(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_serialize';
COMMENT ON FUNCTION rb_serialize(internal) IS 'Serialization function of bitmap aggregates';

CREATE FUNCTION rb_deserialize(bytea, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_deserialize';
COMMENT ON FUNCTION rb_deserialize(bytea, internal) IS 'Deserialization function of bitmap aggregates';

CREATE FUNCTION rb_build_trans(internal, integer) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_build_trans';
COMMENT ON FUNCTION rb_build_trans(internal, integer) IS 'Transition function of rb_build_agg';

CREATE FUNCTION rb_or_trans(internal, roaringbitmap) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_or_trans';
COMMENT ON FUNCTION rb_or_trans(internal, roaringbitmap) IS 'Transition function of rb_or_agg';

CREATE FUNCTION rb_or_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_or_combine';
COMMENT ON FUNCTION rb_or_combine(internal, internal) IS 'Combine function of rb_or_agg and rb_build_agg';

CREATE FUNCTION rb_and_trans(internal, roaringbitmap) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_and_trans';
COMMENT ON FUNCTION rb_and_trans(internal, roaringbitmap) IS 'Transition function of rb_and_agg';

CREATE FUNCTION rb_and_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_and_combine';
COMMENT ON FUNCTION rb_and_combine(internal, internal) IS 'Combine function of rb_and_agg';

CREATE FUNCTION rb_xor_trans(internal, roaringbitmap) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_xor_trans';
COMMENT ON FUNCTION rb_xor_trans(internal, roaringbitmap) IS 'Transition function of rb_xor_agg';

CREATE FUNCTION rb_xor_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_xor_combine';
COMMENT ON FUNCTION rb_xor_combine(internal, internal) IS 'Combine function of rb_xor_agg';

CREATE FUNCTION rb_xor_moving_trans(internal, roaringbitmap) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_xor_moving_trans';
COMMENT ON FUNCTION rb_xor_moving_trans(internal, roaringbitmap) IS 'Transition function of rb_xor_agg in a window frame that moves';

CREATE FUNCTION rb_xor_inverse(internal, roaringbitmap) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb_xor_inverse';
COMMENT ON FUNCTION rb_xor_inverse(internal, roaringbitmap) IS 'Inverse transition function of rb_xor_agg in a window frame that moves';

CREATE AGGREGATE rb_build_agg(integer) (
    SFUNC = rb_build_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb_final,
    COMBINEFUNC = rb_or_combine,
    SERIALFUNC = rb_serialize,
    DESERIALFUNC = rb_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb_build_agg(integer) IS 'The bitmap of all integers that are not null; NULL when there is none';

CREATE AGGREGATE rb_or_agg(roaringbitmap) (
    SFUNC = rb_or_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb_final,
    COMBINEFUNC = rb_or_combine,
    SERIALFUNC = rb_serialize,
    DESERIALFUNC = rb_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb_or_agg(roaringbitmap) IS 'The members that any of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb_or_cardinality_agg(roaringbitmap) (
    SFUNC = rb_or_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb_cardinality_final,
    COMBINEFUNC = rb_or_combine,
    SERIALFUNC = rb_serialize,
    DESERIALFUNC = rb_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb_or_cardinality_agg(roaringbitmap) IS 'How many members any of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb_and_agg(roaringbitmap) (
    SFUNC = rb_and_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb_final,
    COMBINEFUNC = rb_and_combine,
    SERIALFUNC = rb_serialize,
    DESERIALFUNC = rb_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb_and_agg(roaringbitmap) IS 'The members that all of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb_and_cardinality_agg(roaringbitmap) (
    SFUNC = rb_and_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb_cardinality_final,
    COMBINEFUNC = rb_and_combine,
    SERIALFUNC = rb_serialize,
    DESERIALFUNC = rb_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb_and_cardinality_agg(roaringbitmap) IS 'How many members all of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb_xor_agg(roaringbitmap) (
    SFUNC = rb_xor_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb_final,
    COMBINEFUNC = rb_xor_combine,
    SERIALFUNC = rb_serialize,
    DESERIALFUNC = rb_deserialize,
    MSFUNC = rb_xor_moving_trans,
    MINVFUNC = rb_xor_inverse,
    MSTYPE = internal,
    MSSPACE = 1024,
    MFINALFUNC = rb_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb_xor_agg(roaringbitmap) IS 'The members that an odd number of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb_xor_cardinality_agg(roaringbitmap) (
    SFUNC = rb_xor_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb_cardinality_final,
    COMBINEFUNC = rb_xor_combine,
    SERIALFUNC = rb_serialize,
    DESERIALFUNC = rb_deserialize,
    MSFUNC = rb_xor_moving_trans,
    MINVFUNC = rb_xor_inverse,
    MSTYPE = internal,
    MSSPACE = 1024,
    MFINALFUNC = rb_cardinality_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb_xor_cardinality_agg(roaringbitmap) IS 'How many members an odd number of the bitmaps have; NULL when there is no bitmap';

CREATE FUNCTION rb64_final(internal) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_final';
COMMENT ON FUNCTION rb64_final(internal) IS 'Final function of bitmap aggregates: the bitmap';

CREATE FUNCTION rb64_cardinality_final(internal) RETURNS bigint
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_cardinality_final';
COMMENT ON FUNCTION rb64_cardinality_final(internal) IS 'Final function of bitmap aggregates: its cardinality';

CREATE FUNCTION rb64_serialize(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_serialize';
COMMENT ON FUNCTION rb64_serialize(internal) IS 'Serialization function of bitmap aggregates';

CREATE FUNCTION rb64_deserialize(bytea, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_deserialize';
COMMENT ON FUNCTION rb64_deserialize(bytea, internal) IS 'Deserialization function of bitmap aggregates';

CREATE FUNCTION rb64_build_trans(internal, bigint) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_build_trans';
COMMENT ON FUNCTION rb64_build_trans(internal, bigint) IS 'Transition function of rb64_build_agg';

CREATE FUNCTION rb64_or_trans(internal, roaringbitmap64) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_or_trans';
COMMENT ON FUNCTION rb64_or_trans(internal, roaringbitmap64) IS 'Transition function of rb64_or_agg';

CREATE FUNCTION rb64_or_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_or_combine';
COMMENT ON FUNCTION rb64_or_combine(internal, internal) IS 'Combine function of rb64_or_agg and rb64_build_agg';

CREATE FUNCTION rb64_and_trans(internal, roaringbitmap64) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_and_trans';
COMMENT ON FUNCTION rb64_and_trans(internal, roaringbitmap64) IS 'Transition function of rb64_and_agg';

CREATE FUNCTION rb64_and_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_and_combine';
COMMENT ON FUNCTION rb64_and_combine(internal, internal) IS 'Combine function of rb64_and_agg';

CREATE FUNCTION rb64_xor_trans(internal, roaringbitmap64) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_xor_trans';
COMMENT ON FUNCTION rb64_xor_trans(internal, roaringbitmap64) IS 'Transition function of rb64_xor_agg';

CREATE FUNCTION rb64_xor_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_xor_combine';
COMMENT ON FUNCTION rb64_xor_combine(internal, internal) IS 'Combine function of rb64_xor_agg';

CREATE FUNCTION rb64_xor_moving_trans(internal, roaringbitmap64) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_xor_moving_trans';
COMMENT ON FUNCTION rb64_xor_moving_trans(internal, roaringbitmap64) IS 'Transition function of rb64_xor_agg in a window frame that moves';

CREATE FUNCTION rb64_xor_inverse(internal, roaringbitmap64) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_xor_inverse';
COMMENT ON FUNCTION rb64_xor_inverse(internal, roaringbitmap64) IS 'Inverse transition function of rb64_xor_agg in a window frame that moves';

CREATE AGGREGATE rb64_build_agg(bigint) (
    SFUNC = rb64_build_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb64_final,
    COMBINEFUNC = rb64_or_combine,
    SERIALFUNC = rb64_serialize,
    DESERIALFUNC = rb64_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb64_build_agg(bigint) IS 'The bitmap of all integers that are not null; NULL when there is none';

CREATE AGGREGATE rb64_or_agg(roaringbitmap64) (
    SFUNC = rb64_or_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb64_final,
    COMBINEFUNC = rb64_or_combine,
    SERIALFUNC = rb64_serialize,
    DESERIALFUNC = rb64_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb64_or_agg(roaringbitmap64) IS 'The members that any of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb64_or_cardinality_agg(roaringbitmap64) (
    SFUNC = rb64_or_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb64_cardinality_final,
    COMBINEFUNC = rb64_or_combine,
    SERIALFUNC = rb64_serialize,
    DESERIALFUNC = rb64_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb64_or_cardinality_agg(roaringbitmap64) IS 'How many members any of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb64_and_agg(roaringbitmap64) (
    SFUNC = rb64_and_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb64_final,
    COMBINEFUNC = rb64_and_combine,
    SERIALFUNC = rb64_serialize,
    DESERIALFUNC = rb64_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb64_and_agg(roaringbitmap64) IS 'The members that all of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb64_and_cardinality_agg(roaringbitmap64) (
    SFUNC = rb64_and_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb64_cardinality_final,
    COMBINEFUNC = rb64_and_combine,
    SERIALFUNC = rb64_serialize,
    DESERIALFUNC = rb64_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb64_and_cardinality_agg(roaringbitmap64) IS 'How many members all of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb64_xor_agg(roaringbitmap64) (
    SFUNC = rb64_xor_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb64_final,
    COMBINEFUNC = rb64_xor_combine,
    SERIALFUNC = rb64_serialize,
    DESERIALFUNC = rb64_deserialize,
    MSFUNC = rb64_xor_moving_trans,
    MINVFUNC = rb64_xor_inverse,
    MSTYPE = internal,
    MSSPACE = 1024,
    MFINALFUNC = rb64_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb64_xor_agg(roaringbitmap64) IS 'The members that an odd number of the bitmaps have; NULL when there is no bitmap';

CREATE AGGREGATE rb64_xor_cardinality_agg(roaringbitmap64) (
    SFUNC = rb64_xor_trans,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = rb64_cardinality_final,
    COMBINEFUNC = rb64_xor_combine,
    SERIALFUNC = rb64_serialize,
    DESERIALFUNC = rb64_deserialize,
    MSFUNC = rb64_xor_moving_trans,
    MINVFUNC = rb64_xor_inverse,
    MSTYPE = internal,
    MSSPACE = 1024,
    MFINALFUNC = rb64_cardinality_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE rb64_xor_cardinality_agg(roaringbitmap64) IS 'How many members an odd number of the bitmaps have; NULL when there is no bitmap';
