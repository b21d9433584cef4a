-- fas: network flows in, exact hourly sums out. This script is joined from src/sql/*.sql.
--
-- Every name of a flow is UTF-8, in the segments too, so other databases are refused before anything is made.
CREATE FUNCTION @extschema@.fas_require_utf8() RETURNS void
    LANGUAGE C VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fas_require_utf8';
SELECT @extschema@.fas_require_utf8();
DROP FUNCTION @extschema@.fas_require_utf8();
