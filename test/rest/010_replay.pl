# PostgREST's own statements, replayed by psql: needs neither PostgREST nor nginx. Proves the roles and their rights, the
# read-only transactions, request.headers, types, and that api.sql can be run again; HTTP is for the tests after this one.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use JSON::PP;
use RestTest;
use Test::More;

my $db = new_database('rest_replay', vars => { anon => 'none' });
psql(q{CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.secret (x int); CREATE TABLE public.other (x int)}, db => $db);

my $coder = JSON::PP->new->canonical->ascii->allow_bignum;

sub quoted { my ($text) = @_; return q(') . $text =~ s/'/''/gr . q(') }

# The transaction of one request: as PostgREST 14 sends it: what it knows of the request by set_config, then one prepared
# statement.
sub replay
{
    my (%request) = @_;
    my $method = $request{method} // 'GET';
    my $mode = $method eq 'POST' ? 'READ WRITE' : 'READ ONLY';
    my %headers = (host => 'localhost:9528', accept => '*/*', %{ $request{headers} // {} });
    my %settings = (
        search_path => '"api", "public"', role => $request{role}, 'request.method' => $method, 'request.path' => $request{path} // '/rpc/flows_query',
        'request.jwt.claims' => $coder->encode({ role => $request{role} }), 'request.headers' => $coder->encode(\%headers), 'request.cookies' => '{}');
    my $set = join ', ', map { "set_config(" . quoted($_) . ', ' . quoted($settings{$_}) . ', true)' } sort keys %settings;
    my $arguments = join ', ', map { quoted($_) } @{ $request{arguments} // [] };
    $arguments = "($arguments)" if length $arguments;
    my $types = @{ $request{types} // [] } ? '(' . join(', ', @{ $request{types} }) . ')' : '';
    return "BEGIN ISOLATION LEVEL READ COMMITTED $mode;\n\\o /dev/null\nSELECT $set;\n\\o\nPREPARE request$types AS $request{statement};\n"
        . "EXECUTE request$arguments;\n" . ($request{after} // '') . "COMMIT;\n";
}

my $scalar = q(WITH pgrst_source AS (SELECT pgrst_call.pgrst_scalar FROM (SELECT %s AS pgrst_scalar) pgrst_call)
    SELECT coalesce((json_agg(_postgrest_t.pgrst_scalar) -> 0)::text, 'null') FROM (SELECT * FROM pgrst_source) _postgrest_t);
my $plain = q(WITH pgrst_source AS (SELECT pgrst_call.pgrst_scalar FROM (SELECT %s AS pgrst_scalar) pgrst_call)
    SELECT (SELECT pgrst_scalar FROM pgrst_source LIMIT 1));
my $rows = q(WITH pgrst_source AS (SELECT pgrst_call.* FROM %s pgrst_call)
    SELECT coalesce(json_agg(_postgrest_t), '[]')::text FROM (SELECT "pgrst_source".* FROM pgrst_source) _postgrest_t);

sub ingest
{
    my ($role, $body, %headers) = @_;
    return replay(role => $role, method => 'POST', path => '/rpc/flows_ingest', headers => { 'x-fas-query' => '?', %headers }, types => ['text'],
        arguments => [$body], statement => sprintf($scalar, '"api"."flows_ingest"($1::text)'));
}

sub query
{
    my ($role, $query, %headers) = @_;
    return replay(role => $role, headers => { defined $query ? ('x-fas-query' => "?$query") : (), %headers }, statement => sprintf($plain, '"api"."flows_query"()'));
}

sub by_hour
{
    my ($role, $hour) = @_;
    return replay(role => $role, types => ['integer'], arguments => [$hour], statement => sprintf($rows, '"api"."flows_by_hour"("hour" := $1)'));
}

sub view
{
    my ($role, $where, @arguments) = @_;
    return replay(role => $role, types => [ map { 'unknown' } @arguments ], arguments => \@arguments,
        statement => qq(WITH pgrst_source AS (SELECT "api"."flows".* FROM "api"."flows" WHERE $where)
            SELECT coalesce(json_agg(_postgrest_t), '[]')::text FROM (SELECT * FROM pgrst_source) _postgrest_t));
}

my @as = (db => $db, user => 'fas_authenticator');

sub fails_with
{
    my ($script, $code, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $error = psql_fails($script, @as);
    return like($error, qr/(?:ERROR|FATAL):\s+(?:$code):/, $name) || diag("of: $script");
}

# What a script answers, as text or as data; undef, and why, when it fails.
sub text
{
    my ($script, @where) = @_;
    my $text = eval { psql($script, @where ? @where : @as) };
    diag($@) unless defined $text;
    return $text;
}

sub data { return eval { $coder->decode(text(@_)) } }

my $flow = '{"hour":1,"src_app":"foo","dest_app":"bar","vpc_id":"vpc-0","bytes_tx":100,"bytes_rx":500}';
my $sums = { hour => 1, src_app => 'foo', dest_app => 'bar', vpc_id => 'vpc-0', bytes_tx => 300, bytes_rx => 1500 };

subtest 'Posting' => sub {
    is_deeply(data(ingest('fas_writer', "[$flow]")), { taken => 1, repeated => JSON::PP::false }, 'a batch');
    my @key = ('idempotency-key' => q(it's "odd" \\ $1));
    is_deeply(data(ingest('fas_writer', "[$flow,$flow]", @key)), { taken => 2, repeated => JSON::PP::false }, 'one with a key');
    is_deeply(data(ingest('fas_writer', "[$flow,$flow]", @key)), { taken => 2, repeated => JSON::PP::true }, 'again');
    fails_with(ingest('fas_writer', "[$flow]", @key), '23505', 'the key with another body: 23505, a 409');
    fails_with(ingest('fas_writer', '[{"hour":1}]'), '22023', 'a bad flow: 22023, a 400');
    fails_with(ingest('fas_writer', '[}'), '22P02', 'no JSON: 22P02, a 400');
    fails_with(ingest('fas_writer', ''), '22P02', 'an empty body: 22P02, a 400');
    fails_with(ingest('fas_writer', '[]', 'idempotency-key' => 'k' x 256), '22023', 'a key that is too long: 22023, a 400');
    fails_with(ingest('fas_writer', '[]', 'x-fas-query' => '?key=1'), '22023', 'parameters: 22023, a 400');
    fails_with(ingest('fas_writer', "[$flow]") =~ s/READ WRITE/READ ONLY/r, '25006', 'a read-only transaction: 25006');
    my $json = replay(role => 'fas_writer', method => 'POST', types => ['json'], arguments => ["[$flow]"],
        statement => sprintf($scalar, '"api"."flows_ingest"($1::json)')) =~ s/COMMIT;/ROLLBACK;/r;
    is_deeply(data($json), { taken => 1, repeated => JSON::PP::false }, 'as json, when a client talks to PostgREST itself');
};

subtest 'Asking' => sub {
    is_deeply(data(by_hour('fas_reader', 1)), [$sums], 'flows_by_hour');
    is_deeply(data(by_hour('fas_reader', 2)), [], 'an hour without flows');
    is_deeply(data(view('fas_reader', '"api"."flows"."hour" = $1', 1)), [$sums], 'the view, hour=eq.1');
    is_deeply(data(query('fas_reader', 'hour=1')), [$sums], 'flows_query, hour=1');
    is_deeply(data(query('fas_reader', 'hour_from=0&hour_to=9&group_by=dest_app')), [ { dest_app => 'bar', bytes_tx => 300, bytes_rx => 1500, flows => 3 } ], 'a slice');
    like(text(query('fas_reader', 'hour=1', accept => 'text/csv')), qr/^src_app,dest_app,vpc_id,bytes_tx,bytes_rx,hour\r?\nfoo,bar,vpc-0,300,1500,1\b/, 'CSV');
    fails_with(query('fas_reader', 'hour=x'), '22023', 'a bad hour: 22023, a 400');
    fails_with(query('fas_reader', 'colour=red'), '22023', 'an unknown parameter: 22023, a 400');
    fails_with(query('fas_reader', ''), '22023', 'no parameter: 22023, a 400');
    fails_with(query('fas_reader', undef), '22023', 'without the header: 22023, a 400');
    fails_with(replay(role => 'fas_reader', statement => sprintf($rows, '"api"."flows_by_hour"()')), '22023', 'flows_by_hour without an hour: 22023, a 400');
    my $status = replay(role => 'fas_reader', headers => { 'x-fas-query' => '?hour=1' }, statement => sprintf($plain, '"api"."flows_query"()'),
        after => "SELECT current_setting('response.headers');\n");
    like(text($status), qr{"Content-Type"\s*:\s*"application/json}, 'the content type is set');
    my $generic = "SET plan_cache_mode = force_generic_plan;\n" . by_hour('fas_reader', 1);
    is_deeply(data($generic), [$sums], 'a generic plan');
    my $explain = view('fas_reader', '"api"."flows"."hour" = $1', 1) =~ s/EXECUTE request/EXPLAIN (COSTS off) EXECUTE request/r;
    like(text($explain), qr/Aggregate: cells/, 'the view: from cells, not from rows');
    like(text("SET plan_cache_mode = force_generic_plan;\n$explain"), qr/Aggregate: cells/, 'the same by a generic plan');
    $explain = by_hour('fas_reader', 1) =~ s/EXECUTE request/EXPLAIN (COSTS off) EXECUTE request/r;
    like(text("SET plan_cache_mode = force_generic_plan;\n$explain"), qr/Aggregate: cells/, 'flows_by_hour by a generic plan: from cells');
};

# What nobody of these may do: a name, the statement, and how it fails where not for want of a right (42501): because nobody
# can, or not within a transaction.
my @forbidden = (
    [ 'read the segments', 'SELECT count(*) FROM public.flow_segments' ],
    [ 'read the batch keys', 'SELECT count(*) FROM public.flow_batches' ],
    [ 'draw from the sequence', q(SELECT nextval(pg_get_serial_sequence('public.flow_segments', 'id'))) ],
    [ 'write a segment', 'INSERT INTO public.flow_segments SELECT * FROM public.flow_segments' ],
    [ 'delete segments', 'DELETE FROM public.flow_segments' ],
    [ 'delete batch keys', 'DELETE FROM public.flow_batches' ],
    [ 'truncate the segments', 'TRUNCATE public.flow_segments' ],
    [ 'lock the segments', 'LOCK TABLE public.flow_segments IN ACCESS EXCLUSIVE MODE' ],
    [ 'drop flows', 'DROP FOREIGN TABLE public.flows' ],
    [ 'alter flows', 'ALTER FOREIGN TABLE public.flows ADD CHECK (hour > 5)' ],
    [ 'put a trigger on flows', 'CREATE TRIGGER t BEFORE INSERT ON public.flows FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()' ],
    [ 'grant on flows', 'GRANT SELECT ON public.flows TO fas_writer', 'warns' ],
    [ 'delete flows', 'DELETE FROM public.flows', '0A000' ],
    [ 'update flows', 'UPDATE public.flows SET hour = 0', '0A000' ],
    [ 'truncate flows', 'TRUNCATE public.flows', '0A000' ],
    [ 'call flows_expire', 'SELECT public.flows_expire(2147483647)' ],
    [ 'call flows_compact', 'SELECT * FROM public.flows_compact()' ],
    [ 'call flows_check', 'SELECT * FROM public.flows_check()' ],
    [ 'drop the extension', 'DROP EXTENSION fas' ],
    [ 'read another schema', 'SELECT * FROM elsewhere.secret' ],
    [ 'read another table', 'SELECT * FROM public.other' ],
    [ 'create a table in api', 'CREATE TABLE api.mine (x int)' ],
    [ 'create a function in api', 'CREATE FUNCTION api.mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$' ],
    [ 'replace a function of api', 'CREATE OR REPLACE FUNCTION api.flows_ingest(text) RETURNS json LANGUAGE sql AS $$ SELECT NULL::json $$' ],
    [ 'create a table in public', 'CREATE TABLE public.mine (x int)' ],
    [ 'create a function in public', 'CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$' ],
    [ 'create a schema', 'CREATE SCHEMA mine' ],
    [ 'create a role', 'CREATE ROLE mine' ],
    [ 'make itself a superuser', 'ALTER ROLE CURRENT_USER SUPERUSER' ],
    [ 'make the authenticator a superuser', 'ALTER ROLE fas_authenticator SUPERUSER' ],
    [ 'give the authenticator a password', q(ALTER ROLE fas_authenticator PASSWORD 'x') ],
    [ 'grant itself the owner', 'GRANT postgres TO fas_writer' ],
    [ 'grant itself the files', 'GRANT pg_read_server_files TO fas_writer' ],
    [ 'become the superuser', 'SET LOCAL ROLE postgres' ],
    [ 'become the superuser by setting', q(SELECT set_config('role', 'postgres', true)) ],
    [ 'become another session', 'SET SESSION AUTHORIZATION postgres' ],
    [ 'read a file', q(SELECT pg_read_file('PG_VERSION')) ],
    [ 'list a directory', q(SELECT pg_ls_dir('.')) ],
    [ 'run a program', q(COPY (SELECT 1) TO PROGRAM 'true') ],
    [ 'write a file', q(COPY (SELECT 1) TO '/tmp/fas-rest-never') ],
    [ 'read the passwords', 'SELECT rolpassword FROM pg_authid' ],
    [ 'change a setting', q(ALTER SYSTEM SET log_min_messages = 'panic'), '25001' ],
    [ 'use a C library', q(CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE c AS 'fas', 'flows_ingest_text') ],
    [ 'make a foreign table on the server', 'CREATE FOREIGN TABLE pg_temp.mine (hour int) SERVER fas_server' ],
    [ 'create a server', 'CREATE SERVER mine FOREIGN DATA WRAPPER fas' ],
    [ 'end the others', 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = 10 AND pid <> pg_backend_pid()', 'none' ],
);
my %further = (
    fas_writer => [
        [ 'read flows', 'SELECT * FROM public.flows' ], [ 'count flows', 'SELECT count(*) FROM public.flows' ], [ 'read api.flows', 'SELECT * FROM api.flows' ],
        [ 'call api.flows_by_hour', 'SELECT * FROM api.flows_by_hour(1)' ], [ 'call api.flows_query', 'SELECT api.flows_query()' ],
        [ 'call flows_by_hour', 'SELECT * FROM public.flows_by_hour(1)' ], [ 'call flows_aggregate', 'SELECT * FROM public.flows_aggregate()' ],
        [ 'call flows_new_keys', 'SELECT * FROM public.flows_new_keys(1, 0)' ], [ 'call flows_stats', 'SELECT * FROM public.flows_stats()' ],
        [ 'copy flows out', 'COPY (SELECT * FROM public.flows) TO STDOUT' ], [ 'insert and read back', 'INSERT INTO public.flows (SELECT * FROM public.flows)' ],
        [ 'return what it inserts', q(INSERT INTO public.flows VALUES (1, 'a', 'b', 'c', 1, 1) RETURNING *) ],
        [ 'become a reader through PUBLIC', 'GRANT fas_reader TO fas_writer' ] ],
    fas_reader => [
        [ 'call api.flows_ingest', q(SELECT api.flows_ingest('[]')) ], [ 'call flows_ingest', q(SELECT public.flows_ingest('[]')) ],
        [ 'call flows_ingest with a key', q(SELECT public.flows_ingest('[]', 'k')) ], [ 'call flows_ingest_receipt', q(SELECT * FROM public.flows_ingest_receipt('[]', 'k')) ],
        [ 'call flows_ingest as json', q(SELECT public.flows_ingest('[]'::json)) ], [ 'call flows_ingest as jsonb', q(SELECT public.flows_ingest('[]'::jsonb)) ],
        [ 'insert', q(INSERT INTO public.flows VALUES (1, 'a', 'b', 'c', 1, 1)) ], [ 'insert into api.flows', q(INSERT INTO api.flows (src_app) VALUES ('a')), '55000' ],
        [ 'delete from api.flows', 'DELETE FROM api.flows', '55000' ] ],
    fas_anon => [
        [ 'call api.flows_ingest', q(SELECT api.flows_ingest('[]')) ], [ 'call flows_ingest', q(SELECT public.flows_ingest('[]')) ],
        [ 'read flows', 'SELECT * FROM public.flows' ], [ 'read api.flows', 'SELECT * FROM api.flows' ],
        [ 'call api.flows_by_hour', 'SELECT * FROM api.flows_by_hour(1)' ], [ 'call api.flows_query', 'SELECT api.flows_query()' ] ],
);
$further{fas_authenticator} = [ @{ $further{fas_anon} }, [ 'insert', q(INSERT INTO public.flows VALUES (1, 'a', 'b', 'c', 1, 1)) ] ];

for my $role (qw(fas_writer fas_reader fas_anon fas_authenticator))
{
    for my $case (@forbidden, @{ $further{$role} })
    {
        my ($name, $sql, $how) = @$case;
        my $become = $role eq 'fas_authenticator' ? '' : "SET LOCAL ROLE $role;";
        my $script = "BEGIN; $become\n$sql;\nROLLBACK;\n";
        next if $role eq 'fas_authenticator' && $name =~ /password/; # any role may give itself one
        if ($how && $how =~ /^(?:warns|none)$/)
        {
            # PostgreSQL lets these pass without doing anything; what counts is that nothing was done.
            psql_fails($script =~ s/ROLLBACK/COMMIT/r, @as);
            ok($how eq 'none' || psql(q(SELECT has_table_privilege('fas_writer', 'public.flows', 'SELECT')), db => $db) eq 'f', "$role can't $name");
            next;
        }
        fails_with($script, $how // '42501', "$role can't $name");
    }
}

subtest 'Who may become whom' => sub {
    is(psql(q{SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE pg_has_role('fas_authenticator', oid, 'MEMBER')}, db => $db),
        'fas_anon fas_authenticator fas_reader fas_writer', 'the authenticator: the three and no other');
    is(psql(q{SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE pg_has_role('fas_authenticator', oid, 'USAGE')}, db => $db),
        'fas_authenticator', 'it inherits nothing of them');
    for my $role (qw(fas_reader fas_writer fas_anon))
    {
        is(psql(qq{SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE pg_has_role('$role', oid, 'MEMBER')}, db => $db), $role, "$role: nobody else");
        ok(psql_fails('SELECT 1', db => $db, user => $role), "$role can't log in");
    }
    is(psql(q{SELECT count(*) FROM pg_roles WHERE rolname ~ '^fas_' AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)}, db => $db), 0, 'none has an attribute');
    is(psql(q{SELECT count(*) FROM pg_authid WHERE rolname ~ '^fas_' AND rolpassword IS NOT NULL}, db => $db), 0, 'none has a password that somebody else chose');
    # Whoever has a right in api or fas_rest beside the three, and functions that run with more rights than the caller's.
    is(psql(q{SELECT string_agg(p.oid::regprocedure::text, ' ') FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
               WHERE nspname IN ('api', 'fas_rest') AND (prosecdef OR has_function_privilege('public', p.oid, 'EXECUTE'))}, db => $db), '',
        'no function of api runs with its owner\'s rights, none is open to PUBLIC');
};

subtest 'What the operator lets anonymous requests do' => sub {
    my %can = (
        none => '', read => 'read', write => 'write', all => 'read write');
    for my $choice (qw(all read none write none))
    {
        install_api($db, vars => { anon => $choice });
        my @can;
        push @can, 'read' unless psql_fails(query('fas_anon', 'hour=1'), @as);
        push @can, 'write' unless psql_fails(ingest('fas_anon', '[]'), @as);
        is("@can", $can{$choice}, "anon=$choice, installed over what was there");
    }
    ok(do { eval { install_api($db, vars => { anon => 'everything' }) }; $@ }, 'an unknown choice is refused');
    is_deeply(data(by_hour('fas_reader', 1)), [$sums], 'flows are as they were');
    install_api($db);
    ok(psql_fails(query('fas_anon', 'hour=1'), @as), 'without a choice: nothing');
};

subtest 'Elsewhere' => sub {
    new_database('rest_net', schema => 'net');
    my @there = (db => 'rest_net', user => 'fas_authenticator');
    is_deeply(data(ingest('fas_writer', "[$flow,$flow,$flow]"), @there), { taken => 3, repeated => JSON::PP::false }, 'fas in a schema that search_path does not name: posting');
    is_deeply(data(query('fas_reader', 'hour=1'), @there), [$sums], 'asking');
    is_deeply(data(by_hour('fas_reader', 1), @there), [$sums], 'flows_by_hour');
    psql('CREATE DATABASE rest_without_fas', db => 'postgres');
    ok(do { eval { install_api('rest_without_fas') }; $@ =~ /CREATE EXTENSION fas/ }, 'a database without fas: refused, saying what to do');
    new_database('rest_taken', without_api => 1);
    psql('CREATE SCHEMA api; CREATE TABLE api.precious (x int); INSERT INTO api.precious VALUES (1)', db => 'rest_taken');
    ok(do { eval { install_api('rest_taken') }; $@ =~ /api/ }, 'a database that has another schema api: refused');
    is(psql('SELECT count(*) FROM api.precious', db => 'rest_taken'), 1, '... which is left as it was');
};

done_testing();
