# A user who is no superuser installs fas (trusted), uses it, lets a reader and a writer in, dumps, restores elsewhere, and
# drops it. DROP EXTENSION leaves nothing. Other schemas work; other encodings are refused.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('dump');
$node->safe_psql('postgres', q{
    CREATE ROLE app LOGIN; CREATE ROLE reader LOGIN; CREATE ROLE writer LOGIN; CREATE ROLE stranger LOGIN;
    CREATE DATABASE one; CREATE DATABASE two; CREATE DATABASE three;
    GRANT CREATE ON DATABASE one TO app; GRANT CREATE ON DATABASE two TO app; GRANT CREATE ON DATABASE three TO app;
});

sub as
{
    my ($user, $sql, $dbname) = @_;
    return $node->safe_psql($dbname // 'one', $sql, extra_params => [ '-U', $user ]);
}

sub refused
{
    my ($user, $sql, $dbname) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(code_of($node, $sql, user => $user, dbname => $dbname // 'one'), '42501', "$user may not: $sql");
}

# Everything that the catalogs know.
sub catalogs
{
    my ($dbname) = @_;
    # Sorted here: a large catalog is scanned from wherever another scan of it is.
    return join "\n", sort split /\n/, $node->safe_psql($dbname, join ' UNION ALL ', map { my ($table, $name) = @$_; "SELECT '" . (split ' ', $table)[0] . " ' || $name FROM $table" }
        ([ 'pg_class', 'oid::regclass' ], [ 'pg_proc', 'oid::regprocedure' ], [ 'pg_type', 'oid::regtype' ], [ 'pg_operator', 'oid::regoperator' ], [ 'pg_namespace', 'nspname' ],
            [ 'pg_foreign_data_wrapper', 'fdwname' ], [ 'pg_foreign_server', 'srvname' ], [ 'pg_foreign_table', 'ftrelid::regclass' ], [ 'pg_cast', 'oid' ], [ 'pg_opclass', 'opcname' ],
            [ 'pg_opfamily', 'opfname' ], [ 'pg_aggregate', 'aggfnoid' ], [ 'pg_extension', 'extname' ], [ 'pg_trigger', 'tgname' ], [ 'pg_default_acl', 'oid' ], [ 'pg_event_trigger', 'evtname' ],
            [ 'pg_constraint', 'conname' ], [ 'pg_sequence', 'seqrelid::regclass' ], [ 'pg_user_mapping', 'oid' ], [ 'pg_rewrite', 'rulename' ], [ 'pg_attrdef', 'oid' ],
            [ 'pg_description', q{objoid || ' ' || objsubid} ], [ 'pg_init_privs', q{objoid || ' ' || objsubid} ], [ 'pg_depend', q{classid || ' ' || objid || ' ' || objsubid || ' ' || refobjid} ],
            [ 'pg_shdepend WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())', q{classid || ' ' || objid || ' ' || refobjid || ' ' || deptype::text} ]));
}

my $empty = catalogs('one');
is(code_of($node, 'CREATE EXTENSION fas', user => 'stranger', dbname => 'one'), '42501', 'not without CREATE on the database');
as('app', 'CREATE EXTENSION fas');
is($node->safe_psql('one', q{SELECT extowner::regrole FROM pg_extension WHERE extname = 'fas'}), 'app', 'app owns the extension');

# Use.
as('app', batch_sql('app', $_)) for 1 .. 5;
as('app', q{INSERT INTO flows VALUES (100, 'a', 'b', 'v', 9223372036854775807, 1), (100, 'a', 'b', 'v', 9223372036854775807, 1)});
is(as('app', 'SELECT count(*) FROM flows'), 202, 'app uses it');
as('app', 'SELECT * FROM flows_compact(); SELECT flows_expire(0)');
is(as('app', 'SELECT count(*) FROM flows_check()'), 0, 'and keeps it up');
is(as('app', 'SELECT count(*) > 0 FROM flow_segments s, flow_segment_keys(s.segment)'), 't', 'and inspects it');

# Others: nothing; then exactly what is granted.
my $one = q{'[{"hour":1,"src_app":"x","dest_app":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":1}]'};
my @reads = ('SELECT count(*) FROM flows', 'SELECT count(*) FROM flows_by_hour(1)', 'SELECT count(*) FROM flows_aggregate()', 'SELECT count(*) FROM flows_new_keys(1, 0)', 'SELECT max(src_app) FROM flows WHERE bytes_tx > 1');
my @writes = ("SELECT flows_ingest($one)", "SELECT flows_ingest($one\::json)", "SELECT flows_ingest($one\::jsonb)", "SELECT flows_ingest($one, 'w')", "SELECT * FROM flows_ingest_receipt($one, 'w')", q{INSERT INTO flows VALUES (1, 'x', 'b', 'v', 1, 1)});
my @upkeep = ('SELECT * FROM flows_compact()', 'SELECT flows_expire(1)', 'SELECT * FROM flows_check()');
my @store = ('SELECT count(*) FROM flow_segments', 'SELECT count(*) FROM flow_batches', 'DELETE FROM flow_segments', 'TRUNCATE flow_batches', 'DROP EXTENSION fas', 'ALTER FOREIGN TABLE flows ADD COLUMN x int',
    q{INSERT INTO flow_batches VALUES ('x', 1, '', now())}, 'CREATE TRIGGER t BEFORE INSERT ON flows FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()');
refused('stranger', $_) for @reads, @writes, @upkeep, @store;
as('app', 'GRANT SELECT ON flows TO reader; GRANT INSERT ON flows TO writer');
is(code_of($node, $_, user => 'reader', dbname => 'one'), '', "reader may: $_") for @reads, 'SELECT flows FROM flows_stats()';
refused('reader', $_) for @writes, @upkeep, @store;
is(code_of($node, $_, user => 'writer', dbname => 'one'), '', "writer may: $_") for @writes;
refused('writer', $_) for @reads, @upkeep, @store;
# A writer's many batches are merged as the owner would.
as('writer', join '', map { "SELECT flows_ingest($one);" } 1 .. 300);
cmp_ok($node->safe_psql('one', 'SELECT count(*) FROM flow_segments'), '<', 200, "a writer's ingest merges");
is(as('reader', q{SELECT count(*) FROM flows WHERE src_app = 'x'}), 305, 'and all are there: the second use of a key was a repetition');
is($node->safe_psql('one', q{SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class WHERE relname IN ('flows', 'flow_segments', 'flow_batches')}), 'app', 'app owns the tables');
# A view of the owner lets others see a part.
as('app', 'CREATE SCHEMA views; CREATE VIEW views.hour_100 AS SELECT src_app, sum(bytes_tx) AS tx FROM public.flows WHERE hour = 100 GROUP BY 1; GRANT USAGE ON SCHEMA views TO stranger; GRANT SELECT ON views.hour_100 TO stranger');
is(as('stranger', 'SELECT * FROM views.hour_100'), 'a|18446744073709551614', "a view's owner is who must have the right");

# Dump and restore, by app.
my $dump = PostgreSQL::Test::Utils::tempdir() . '/fas.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-U', 'app', '-f', $dump, '-d', $node->connstr('one') ], 'app dumps');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-U', 'app', '-d', $node->connstr('two'), $dump ], 'app restores');
is(all_flows($node, dbname => 'two'), all_flows($node, dbname => 'one'), 'every flow is there');
is($node->safe_psql('two', 'SELECT * FROM flow_batches ORDER BY 1'), $node->safe_psql('one', 'SELECT * FROM flow_batches ORDER BY 1'), 'and every batch key');
is($node->safe_psql('two', 'SELECT id, level, flows FROM flow_segments ORDER BY 1'), $node->safe_psql('one', 'SELECT id, level, flows FROM flow_segments ORDER BY 1'), 'and the segments as they were');
is(as('reader', 'SELECT count(*) FROM flows', 'two'), as('reader', 'SELECT count(*) FROM flows', 'one'), 'the reader may there too');
refused('reader', $writes[0], 'two');
is(as('app', batch_sql('app', 3), 'two'), 40, 'a repetition is known there');
is(as('writer', "SELECT flows_ingest($one)", 'two'), 1, 'the writer may');
is($node->safe_psql('two', 'SELECT max(id) FROM flow_segments') > $node->safe_psql('one', 'SELECT max(id) FROM flow_segments'), 1, 'ids go on where they were');
is($node->safe_psql('two', 'SELECT count(*) FROM flows'), $node->safe_psql('one', 'SELECT count(*) + 1 FROM flows'), 'exactly one flow more');
is(as('app', 'SELECT count(*) FROM flows_check()', 'two'), 0, 'every segment is in order');
as('app', 'SELECT * FROM flows_compact()', 'two');
is($node->safe_psql('two', 'SELECT count(*) FROM flows'), $node->safe_psql('one', 'SELECT count(*) + 1 FROM flows'), 'after a compaction too');
$node->command_ok([ 'pg_dump', '-U', 'app', '-f', "$dump.sql", '-d', $node->connstr('two') ], 'as plain SQL');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-U', 'app', '-d', $node->connstr('three'), '-f', "$dump.sql" ], 'restored from that');
is(all_flows($node, dbname => 'three'), all_flows($node, dbname => 'two'), 'every flow is there');
$node->command_ok([ 'pg_dumpall', '-f', "$dump.all" ], 'the superuser dumps all');

# Drop.
as('app', 'DROP SCHEMA views CASCADE');
is(code_of($node, 'DROP EXTENSION fas', user => 'app', dbname => 'one'), '', 'app drops it, with flows in it and rights granted');
is(catalogs('one'), $empty, 'nothing is left behind');

# Another schema, and nothing on the path.
as('app', 'CREATE SCHEMA elsewhere; CREATE EXTENSION fas SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO reader, writer; GRANT SELECT ON elsewhere.flows TO reader; GRANT INSERT ON elsewhere.flows TO writer');
is($node->safe_psql('one', q{SELECT count(*) FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid JOIN pg_extension e ON d.refobjid = e.oid AND d.deptype = 'e'
    WHERE extname = 'fas' AND relnamespace <> 'elsewhere'::regnamespace}), 0, 'all of it is in that schema');
my $path = "SET search_path = '';";
is(as('writer', "$path SELECT elsewhere.flows_ingest($one), elsewhere.flows_ingest($one\::jsonb), elsewhere.flows_ingest($one, 'k'), elsewhere.flows_ingest($one, 'k')"), '1|1|1|1', 'ingest there');
as('writer', "$path INSERT INTO elsewhere.flows VALUES (1, 'x', 'b', 'v', 1, 1)");
is(as('reader', "$path SELECT * FROM elsewhere.flows_by_hour(1)"), 'x|b|v|4|4|1', 'and read');
is(as('reader', "$path SELECT flows FROM elsewhere.flows_aggregate('{}')"), '4', 'and aggregate');
is(as('reader', "$path SELECT count(*) FROM elsewhere.flows_new_keys(1, 0)"), '1', 'and ask for new talkers');
is(as('app', "$path SELECT flows FROM elsewhere.flows_compact(); SELECT elsewhere.flows_expire(1); SELECT count(*) FROM elsewhere.flows_check(); SELECT flows FROM elsewhere.flows_stats()") =~ /^4\n0\n0\n4$/, 1, 'and upkeep');
is(code_of($node, 'ALTER EXTENSION fas SET SCHEMA public', dbname => 'one'), '0A000', 'it does not move');
as('app', 'DROP EXTENSION fas; DROP SCHEMA elsewhere');
is(catalogs('one'), $empty, 'nothing is left behind');

# A new installation by the superuser, for a user who then only owns nothing.
$node->safe_psql('one', 'CREATE EXTENSION fas');
refused('app', $_) for @reads, @writes;
$node->safe_psql('one', 'DROP EXTENSION fas');
is(catalogs('one'), $empty, 'nothing is left behind');

for my $encoding ('LATIN1', 'SQL_ASCII')
{
    $node->safe_psql('postgres', "CREATE DATABASE other_$encoding TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'" . ($node->pg_version >= 15 ? ' LOCALE_PROVIDER libc' : ''));
    is(code_of($node, 'CREATE EXTENSION fas', dbname => "other_\L$encoding"), '0A000', "$encoding is refused");
    is($node->safe_psql("other_\L$encoding", q{SELECT count(*) FROM pg_class WHERE relname ~ '^flow'}), 0, 'and nothing of it stays');
}

$node->stop;
done_testing();
