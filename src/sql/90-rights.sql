-- Rights. In a trusted extension the script runs as the bootstrap superuser; the relations become the installer's, who
-- can then use, grant, dump and restore them. C functions stay with the superuser. Rights on "flows" decide who reads
-- and who ingests; the store's own tables are readable by their owner and whom the owner grants.

ALTER TABLE @extschema@.flow_segments OWNER TO @extowner@; -- its sequence follows
ALTER TABLE @extschema@.flow_batches OWNER TO @extowner@;
ALTER FOREIGN TABLE @extschema@.flows OWNER TO @extowner@;
ALTER FOREIGN TABLE @extschema@.flow_totals OWNER TO @extowner@;
ALTER VIEW @extschema@.flows_csv OWNER TO @extowner@;
GRANT INSERT ON @extschema@.flows_csv TO PUBLIC; -- who may not INSERT into "flows" is refused by its trigger

REVOKE ALL ON FUNCTION @extschema@.flows_compact(), @extschema@.flows_expire(integer), @extschema@.flows_check()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.flows_compact(), @extschema@.flows_expire(integer), @extschema@.flows_check()
    TO @extowner@ WITH GRANT OPTION;
