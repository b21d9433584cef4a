-- Operators and array casts of both bitmap types. Names and meanings are pg_roaringbitmap's.

CREATE OPERATOR & (
    LEFTARG = roaringbitmap,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_and,
    COMMUTATOR = &
);
COMMENT ON OPERATOR & (roaringbitmap, roaringbitmap) IS 'The members that both bitmaps have';

CREATE OPERATOR | (
    LEFTARG = roaringbitmap,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_or,
    COMMUTATOR = |
);
COMMENT ON OPERATOR | (roaringbitmap, roaringbitmap) IS 'The members that either bitmap has';

CREATE OPERATOR | (
    LEFTARG = roaringbitmap,
    RIGHTARG = integer,
    FUNCTION = rb_add,
    COMMUTATOR = |
);
COMMENT ON OPERATOR | (roaringbitmap, integer) IS 'The bitmap with one member more';

CREATE OPERATOR | (
    LEFTARG = integer,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_add,
    COMMUTATOR = |
);
COMMENT ON OPERATOR | (integer, roaringbitmap) IS 'The bitmap with one member more';

CREATE OPERATOR # (
    LEFTARG = roaringbitmap,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_xor,
    COMMUTATOR = #
);
COMMENT ON OPERATOR # (roaringbitmap, roaringbitmap) IS 'The members that one bitmap has and the other has not';

CREATE OPERATOR - (
    LEFTARG = roaringbitmap,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_andnot
);
COMMENT ON OPERATOR - (roaringbitmap, roaringbitmap) IS 'The members that the first bitmap has and the second has not';

CREATE OPERATOR - (
    LEFTARG = roaringbitmap,
    RIGHTARG = integer,
    FUNCTION = rb_remove
);
COMMENT ON OPERATOR - (roaringbitmap, integer) IS 'The bitmap without that member';

CREATE OPERATOR << (
    LEFTARG = roaringbitmap,
    RIGHTARG = bigint,
    FUNCTION = rb_shiftleft
);
COMMENT ON OPERATOR << (roaringbitmap, bigint) IS 'Each member less that number; what would leave the range of members is dropped';

CREATE OPERATOR >> (
    LEFTARG = roaringbitmap,
    RIGHTARG = bigint,
    FUNCTION = rb_shiftright
);
COMMENT ON OPERATOR >> (roaringbitmap, bigint) IS 'Each member plus that number; what would leave the range of members is dropped';

CREATE OPERATOR @> (
    LEFTARG = roaringbitmap,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_contains,
    COMMUTATOR = <@,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR @> (roaringbitmap, roaringbitmap) IS 'Does the first bitmap have all members of the second?';

CREATE OPERATOR @> (
    LEFTARG = roaringbitmap,
    RIGHTARG = integer,
    FUNCTION = rb_contains,
    COMMUTATOR = <@,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR @> (roaringbitmap, integer) IS 'Does the bitmap have that member?';

CREATE OPERATOR <@ (
    LEFTARG = roaringbitmap,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_containedby,
    COMMUTATOR = @>,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (roaringbitmap, roaringbitmap) IS 'Does the second bitmap have all members of the first?';

CREATE OPERATOR <@ (
    LEFTARG = integer,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_containedby,
    COMMUTATOR = @>,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (integer, roaringbitmap) IS 'Does the bitmap have that member?';

CREATE OPERATOR && (
    LEFTARG = roaringbitmap,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_intersect,
    COMMUTATOR = &&,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR && (roaringbitmap, roaringbitmap) IS 'Is there a member that both bitmaps have?';

CREATE OPERATOR = (
    LEFTARG = roaringbitmap,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_equals,
    COMMUTATOR = =,
    NEGATOR = <>,
    RESTRICT = eqsel,
    JOIN = eqjoinsel,
    HASHES,
    MERGES
);
COMMENT ON OPERATOR = (roaringbitmap, roaringbitmap) IS 'Do both bitmaps have the same members?';

CREATE OPERATOR <> (
    LEFTARG = roaringbitmap,
    RIGHTARG = roaringbitmap,
    FUNCTION = rb_not_equals,
    COMMUTATOR = <>,
    NEGATOR = =,
    RESTRICT = neqsel,
    JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (roaringbitmap, roaringbitmap) IS 'Does one bitmap have a member that the other has not?';

CREATE OPERATOR & (
    LEFTARG = roaringbitmap64,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_and,
    COMMUTATOR = &
);
COMMENT ON OPERATOR & (roaringbitmap64, roaringbitmap64) IS 'The members that both bitmaps have';

CREATE OPERATOR | (
    LEFTARG = roaringbitmap64,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_or,
    COMMUTATOR = |
);
COMMENT ON OPERATOR | (roaringbitmap64, roaringbitmap64) IS 'The members that either bitmap has';

CREATE OPERATOR | (
    LEFTARG = roaringbitmap64,
    RIGHTARG = bigint,
    FUNCTION = rb64_add,
    COMMUTATOR = |
);
COMMENT ON OPERATOR | (roaringbitmap64, bigint) IS 'The bitmap with one member more';

CREATE OPERATOR | (
    LEFTARG = bigint,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_add,
    COMMUTATOR = |
);
COMMENT ON OPERATOR | (bigint, roaringbitmap64) IS 'The bitmap with one member more';

CREATE OPERATOR # (
    LEFTARG = roaringbitmap64,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_xor,
    COMMUTATOR = #
);
COMMENT ON OPERATOR # (roaringbitmap64, roaringbitmap64) IS 'The members that one bitmap has and the other has not';

CREATE OPERATOR - (
    LEFTARG = roaringbitmap64,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_andnot
);
COMMENT ON OPERATOR - (roaringbitmap64, roaringbitmap64) IS 'The members that the first bitmap has and the second has not';

CREATE OPERATOR - (
    LEFTARG = roaringbitmap64,
    RIGHTARG = bigint,
    FUNCTION = rb64_remove
);
COMMENT ON OPERATOR - (roaringbitmap64, bigint) IS 'The bitmap without that member';

CREATE OPERATOR << (
    LEFTARG = roaringbitmap64,
    RIGHTARG = bigint,
    FUNCTION = rb64_shiftleft
);
COMMENT ON OPERATOR << (roaringbitmap64, bigint) IS 'Each member less that number; what would leave the range of members is dropped';

CREATE OPERATOR >> (
    LEFTARG = roaringbitmap64,
    RIGHTARG = bigint,
    FUNCTION = rb64_shiftright
);
COMMENT ON OPERATOR >> (roaringbitmap64, bigint) IS 'Each member plus that number; what would leave the range of members is dropped';

CREATE OPERATOR @> (
    LEFTARG = roaringbitmap64,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_contains,
    COMMUTATOR = <@,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR @> (roaringbitmap64, roaringbitmap64) IS 'Does the first bitmap have all members of the second?';

CREATE OPERATOR @> (
    LEFTARG = roaringbitmap64,
    RIGHTARG = bigint,
    FUNCTION = rb64_contains,
    COMMUTATOR = <@,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR @> (roaringbitmap64, bigint) IS 'Does the bitmap have that member?';

CREATE OPERATOR <@ (
    LEFTARG = roaringbitmap64,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_containedby,
    COMMUTATOR = @>,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (roaringbitmap64, roaringbitmap64) IS 'Does the second bitmap have all members of the first?';

CREATE OPERATOR <@ (
    LEFTARG = bigint,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_containedby,
    COMMUTATOR = @>,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR <@ (bigint, roaringbitmap64) IS 'Does the bitmap have that member?';

CREATE OPERATOR && (
    LEFTARG = roaringbitmap64,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_intersect,
    COMMUTATOR = &&,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR && (roaringbitmap64, roaringbitmap64) IS 'Is there a member that both bitmaps have?';

CREATE OPERATOR = (
    LEFTARG = roaringbitmap64,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_equals,
    COMMUTATOR = =,
    NEGATOR = <>,
    RESTRICT = eqsel,
    JOIN = eqjoinsel,
    HASHES,
    MERGES
);
COMMENT ON OPERATOR = (roaringbitmap64, roaringbitmap64) IS 'Do both bitmaps have the same members?';

CREATE OPERATOR <> (
    LEFTARG = roaringbitmap64,
    RIGHTARG = roaringbitmap64,
    FUNCTION = rb64_not_equals,
    COMMUTATOR = <>,
    NEGATOR = =,
    RESTRICT = neqsel,
    JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (roaringbitmap64, roaringbitmap64) IS 'Does one bitmap have a member that the other has not?';

-- Arrays: here, because the functions come after the types.
CREATE CAST (integer[] AS roaringbitmap) WITH FUNCTION rb_build(integer[]);
COMMENT ON CAST (integer[] AS roaringbitmap) IS 'The bitmap of an array''s elements';
CREATE CAST (roaringbitmap AS integer[]) WITH FUNCTION rb_to_array(roaringbitmap);
COMMENT ON CAST (roaringbitmap AS integer[]) IS 'A bitmap''s members';
CREATE CAST (bigint[] AS roaringbitmap64) WITH FUNCTION rb64_build(bigint[]);
COMMENT ON CAST (bigint[] AS roaringbitmap64) IS 'The bitmap of an array''s elements';
CREATE CAST (roaringbitmap64 AS bigint[]) WITH FUNCTION rb64_to_array(roaringbitmap64);
COMMENT ON CAST (roaringbitmap64 AS bigint[]) IS 'A bitmap''s members';
