# Many clients at once, for some seconds (bench/rest/run does it for longer): 64 that post batches of 100 flows, readers
# beside them. First with nothing in the way: no answer but 200, every acknowledged flow is there exactly once. Then while
# PostgREST is killed and PostgreSQL is killed and recovers: clients retry with their keys, and the sums are exact.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use RestTest;
use Test::More;
use Time::HiRes 'sleep';

my $seconds = $ENV{FAS_REST_SECONDS} // 4;
my $db = new_database('rest_load');
my $service = start_service(db => $db);
my $client = root() . '/build/bench/rest/load';

# Runs the client, and code beside it; its exit status, what it said, and the ledger of what was acknowledged.
sub load
{
    my ($name, $beside, @options) = @_;
    my $ledger = "$ENV{FAS_REST_TMP}/ledger";
    my @command = ($client, '--port', $service->{port}, '--seconds', $seconds, '--name', $name, '--ledger', $ledger, @options);
    my $running = background(sub {
        my $status = RestTest::quietly("$ledger.out", "$ledger.err", @command);
        return { status => $status };
    });
    $beside->() if $beside;
    my $status = result_of($running)->{status};
    my $said = RestTest::slurp("$ledger.out") . RestTest::slurp("$ledger.err");
    note($said);
    return ($status, $said, RestTest::slurp($ledger));
}

sub sums_of
{
    my ($name) = @_;
    return psql(qq(SELECT hour, bytes_tx, bytes_rx, flows FROM flows_aggregate('{hour}', vpc_id => '{$name}') ORDER BY hour), db => $db) . "\n";
}

my ($status, $said, $ledger) = load('calm', undef, '--writers', 64, '--readers', 4);
is($status, 0, 'calm: nothing but 200; totals and hours as they must be while it runs') or diag($said);
cmp_ok(length $ledger, '>', 100, 'calm: flows were acknowledged');
is(sums_of('calm'), $ledger, 'calm: each acknowledged flow is there, once, and no other');

# PostgREST looks for its database after 1, 2, 4, 8 seconds: given time, it finds it by itself; else the last restart helps.
my $clock = $seconds / 5;
($status, $said, $ledger) = load(
    'storm',
    sub {
        sleep $clock;
        restart_postgrest($service, 'TERM', 0.3);
        sleep $clock;
        kill_database();
        start_database();
        sleep 2 * $clock;
        restart_postgrest($service, 'KILL', 0);
    },
    '--writers', 64, '--readers', 4, '--retry');
is($status, 0, 'storm: every batch is acknowledged in the end; no wrong total on the way') or diag($said);
like($said, qr/no answer|status 50/, 'storm: the clients noticed');
is(sums_of('storm'), $ledger, 'storm: the sums are exact');
is(psql('SELECT * FROM flows_check()', db => $db), '', 'flows_check finds nothing');
is(psql('SELECT count(*) FROM flow_batches WHERE taken <> 100', db => $db), 0, 'each batch key stands for a whole batch');

my ($calm) = load('after', undef, '--writers', 4, '--readers', 1, '--seconds', 1);
is($calm, 0, 'afterwards all is calm again, without a restart of nginx');
is(get($service->{port}, '/flows?hour=1')->{status}, 200, 'and the service answers');

done_testing();
