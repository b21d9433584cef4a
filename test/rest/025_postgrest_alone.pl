# PostgREST without nginx, for whoever has one already: its own paths, filters and formats give the same sums; the function
# that nginx asks answers nobody else; the OpenAPI page says what there is.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use RestTest;
use Test::More;

my $db = new_database('rest_alone');
my $service = start_service(db => $db, env => { NGINX => find_program('nginx') // 'nginx' }); # a name that nginx itself takes for something else
my $alone = $service->{socket};
my @json = ('Content-Type' => 'application/json');
my $flows = '[{"hour":1,"src_app":"foo","dest_app":"bar","vpc_id":"v","bytes_tx":100,"bytes_rx":500},{"hour":1,"src_app":"in.gateway","dest_app":"b","vpc_id":"v","bytes_tx":7,"bytes_rx":8}]';
my @rows = (flow(1, 'foo', 'bar', 'v', 300, 1500), flow(1, 'in.gateway', 'b', 'v', 21, 24));

is_deeply(json_of(post($alone, '/rpc/flows_ingest', $flows, 'Content-Type' => 'text/plain')), { taken => 2, repeated => JSON::PP::false }, 'flows_ingest, text/plain');
is_deeply(json_of(post($alone, '/rpc/flows_ingest', $flows, @json)), { taken => 2, repeated => JSON::PP::false }, 'flows_ingest, application/json');
my @key = ('Idempotency-Key' => 'k1');
is_deeply(json_of(post($alone, '/rpc/flows_ingest', $flows, 'Content-Type' => 'text/plain', @key)), { taken => 2, repeated => JSON::PP::false }, 'with a key');
is_deeply(json_of(post($alone, '/rpc/flows_ingest', $flows, @json, @key)), { taken => 2, repeated => JSON::PP::true }, 'again, as JSON');
is_error(post($alone, '/rpc/flows_ingest', '[]', @json, @key), 409, qr/key/, 'the key with another body: 409');
is_error(post($alone, '/rpc/flows_ingest', '[{"hour":1}]', 'Content-Type' => 'text/plain'), 400, qr/flow 0/, 'a bad flow: 400');

for my $target ('/rpc/flows_by_hour?hour=1&order=src_app', '/flows?hour=eq.1&order=src_app', '/flows?hour=in.(1,2)&order=bytes_tx.desc', '/rpc/flows_by_hour?hour=1&order=bytes_rx.desc&limit=2')
{
    is_deeply(json_of(get($alone, $target)), \@rows, "GET $target");
}
is_deeply(json_of(get($alone, '/rpc/flows_by_hour?hour=1&src_app=eq.in.gateway')), [ $rows[1] ], 'a row filter');
is_deeply(json_of(get($alone, '/flows?hour=eq.1&src_app=eq.foo&select=bytes_tx,dest_app')), [ { bytes_tx => 300, dest_app => 'bar' } ], 'the view: filters and columns');
like(get($alone, '/rpc/flows_by_hour?hour=1&order=src_app', Accept => 'text/csv')->{body}, qr/^src_app,dest_app,vpc_id,bytes_tx,bytes_rx,hour\nfoo,bar,v,300,1500,1\nin\.gateway,b,v,21,24,1/, 'CSV');
is_deeply(json_of(get($alone, '/rpc/flows_by_hour?hour=7')), [], 'an hour without flows');
is_error(get($alone, '/rpc/flows_by_hour'), 400, qr/hour/, 'without an hour: 400');
is_error(get($alone, '/rpc/flows_by_hour?hour='), 400, undef, 'an empty hour: 400');
is_error(get($alone, '/rpc/flows_by_hour?hour=abc'), 400, qr/abc/, 'an hour that is none: 400');
is_error(get($alone, '/rpc/flows_by_hour?hour=2147483648'), 400, undef, 'an hour out of range: 400');
is_error(get($alone, '/flows?hour=1'), 400, undef, 'hour=1 on the view is a malformed filter: 400');
is_error(get($alone, '/rpc/flows_query'), 400, qr/flows_by_hour/, 'flows_query without nginx: 400, which says what to ask');
is_error(request($alone, 'DELETE', '/rpc/flows_by_hour?hour=1'), 405, undef, 'another method: 405');
is(get($alone, "/rpc/$_")->{status}, 404, "$_ is not served") for qw(flows_expire flows_compact flows_aggregate flow_group rb_build fas_query_parameters);
is(get($alone, "/$_")->{status}, 404, "$_ is not served") for qw(flow_segments flow_batches);

# The statements that 010_replay replays are the ones that PostgREST sends.
psql(q(ALTER SYSTEM SET log_statement = 'all'; SELECT pg_reload_conf()), db => 'postgres');
select undef, undef, undef, 0.5;
my $log = "$ENV{FAS_CLUSTER}/log";
my $before = -s $log;
get($alone, '/rpc/flows_by_hour?hour=1');
post($alone, '/rpc/flows_ingest', '[]', 'Content-Type' => 'text/plain');
get($service->{port}, '/flows?hour=1');
psql(q(ALTER SYSTEM RESET log_statement; SELECT pg_reload_conf()), db => 'postgres');
open my $file, '<', $log or die "$log: $!\n";
seek $file, $before, 0;
my $statements = do { local $/ = undef; <$file> };
like($statements, qr/BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY/, 'GET: a read-only transaction');
like($statements, qr/BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE/, 'POST: one that writes');
like($statements, qr/set_config\('search_path', \$\d+, true\), set_config\('role', \$\d+, true\), set_config\('request\.jwt\.claims', \$\d+, true\), set_config\('request\.method'.*set_config\('request\.path'.*set_config\('request\.headers'/,
    'what it knows of the request by set_config');
like($statements, qr/"api"\."flows_by_hour"\(\s*"hour" := /, 'the call of flows_by_hour');
like($statements, qr/"api"\."flows_ingest"\(/, 'of flows_ingest');
like($statements, qr/"api"\."flows_query"\(/, 'of flows_query');

# The page that describes it, from PostgREST and from nginx.
for my $case ([ 'PostgREST', $alone, '/', [ '/rpc/flows_ingest', '/rpc/flows_by_hour', '/flows' ] ], [ 'nginx', $service->{port}, '/', [ '/flows', '/flow' ] ])
{
    my ($who, $where, $path, $paths) = @$case;
    my $answer = get($where, $path);
    is($answer->{status}, 200, "$who: the OpenAPI page");
    my $page = json_of($answer);
    ok($page->{openapi} || $page->{swagger}, '... is one');
    ok($page->{paths}{$_}, "... has $_") for @$paths;
    like($page->{info}{title} // '', qr/\w/, '... has a title');
    unlike($answer->{body}, qr/flow_segments|flow_batches|flows_expire|fas_rest/, '... names nothing that is not served');
}
my $page = json_of(get($service->{port}, '/'));
for my $path (qw(/flows /flow))
{
    for my $method (qw(get post))
    {
        my $entry = $page->{paths}{$path}{$method};
        ok($entry && length($entry->{summary} // '') && length($entry->{description} // $entry->{summary} // ''), "nginx's page: $method $path has its summary");
    }
}
like(get($service->{port}, '/')->{body}, qr/Idempotency-Key/, "nginx's page names the batch key");

done_testing();
