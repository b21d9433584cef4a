-- The types roaringbitmap and roaringbitmap64, their text and binary forms, and the casts between them and bytea.
-- Names and meanings are pg_roaringbitmap's.

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

-- Not compressed: the format is compact already, and functions read slices of what is stored out of line.
CREATE TYPE roaringbitmap (
    INPUT = roaringbitmap_in,
    OUTPUT = roaringbitmap_out,
    RECEIVE = roaringbitmap_recv,
    SEND = roaringbitmap_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE roaringbitmap IS 'A set of integers from 0 to 4294967295, as a compressed Roaring bitmap';

CREATE FUNCTION roaringbitmap(bytea) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap_from_bytea';
COMMENT ON FUNCTION roaringbitmap(bytea) IS 'The bitmap of bytes in the portable Roaring format';

CREATE CAST (roaringbitmap AS bytea) WITHOUT FUNCTION;
COMMENT ON CAST (roaringbitmap AS bytea) IS 'The bytes of a bitmap, in the portable Roaring format';
CREATE CAST (bytea AS roaringbitmap) WITH FUNCTION roaringbitmap(bytea);
COMMENT ON CAST (bytea AS roaringbitmap) IS 'The bitmap of bytes in the portable Roaring format';

CREATE TYPE roaringbitmap64;

CREATE FUNCTION roaringbitmap64_in(cstring) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap64_in';
COMMENT ON FUNCTION roaringbitmap64_in(cstring) IS 'Text input of type roaringbitmap64: {1,2,3}, or \x and hexadecimal digits';

-- Stable: it depends on fas.roaring_output_format.
CREATE FUNCTION roaringbitmap64_out(roaringbitmap64) RETURNS cstring
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap64_out';
COMMENT ON FUNCTION roaringbitmap64_out(roaringbitmap64) IS 'Text output of type roaringbitmap64, as fas.roaring_output_format says';

CREATE FUNCTION roaringbitmap64_recv(internal) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap64_recv';
COMMENT ON FUNCTION roaringbitmap64_recv(internal) IS 'Binary input of type roaringbitmap64: the portable Roaring format';

CREATE FUNCTION roaringbitmap64_send(roaringbitmap64) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap64_send';
COMMENT ON FUNCTION roaringbitmap64_send(roaringbitmap64) IS 'Binary output of type roaringbitmap64: the portable Roaring format';

-- Not compressed: the format is compact already, and functions read slices of what is stored out of line.
CREATE TYPE roaringbitmap64 (
    INPUT = roaringbitmap64_in,
    OUTPUT = roaringbitmap64_out,
    RECEIVE = roaringbitmap64_recv,
    SEND = roaringbitmap64_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE roaringbitmap64 IS 'A set of integers from 0 to 18446744073709551615, as a compressed Roaring bitmap';

CREATE FUNCTION roaringbitmap64(bytea) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_roaringbitmap64_from_bytea';
COMMENT ON FUNCTION roaringbitmap64(bytea) IS 'The bitmap of bytes in the portable Roaring format';

CREATE CAST (roaringbitmap64 AS bytea) WITHOUT FUNCTION;
COMMENT ON CAST (roaringbitmap64 AS bytea) IS 'The bytes of a bitmap, in the portable Roaring format';
CREATE CAST (bytea AS roaringbitmap64) WITH FUNCTION roaringbitmap64(bytea);
COMMENT ON CAST (bytea AS roaringbitmap64) IS 'The bitmap of bytes in the portable Roaring format';

CREATE FUNCTION rb64_to_roaringbitmap(roaringbitmap64) RETURNS roaringbitmap
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_to_roaringbitmap';
COMMENT ON FUNCTION rb64_to_roaringbitmap(roaringbitmap64) IS 'The same set of 32 bits, where each member is within the range of integer';

CREATE FUNCTION rb64_from_roaringbitmap(roaringbitmap) RETURNS roaringbitmap64
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_rb64_from_roaringbitmap';
COMMENT ON FUNCTION rb64_from_roaringbitmap(roaringbitmap) IS 'The same set of 64 bits; members are taken as signed integers';

CREATE CAST (roaringbitmap64 AS roaringbitmap) WITH FUNCTION rb64_to_roaringbitmap(roaringbitmap64);
COMMENT ON CAST (roaringbitmap64 AS roaringbitmap) IS 'The same set of 32 bits, where each member is within the range of integer';
CREATE CAST (roaringbitmap AS roaringbitmap64) WITH FUNCTION rb64_from_roaringbitmap(roaringbitmap);
COMMENT ON CAST (roaringbitmap AS roaringbitmap64) IS 'The same set of 64 bits; members are taken as signed integers';
