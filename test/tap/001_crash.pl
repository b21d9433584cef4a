# kill -9 of the postmaster and all backends while several sessions post batches and one compacts: after the restart every
# acknowledged batch is there exactly once, no batch is there in part, and retries with keys make the sums exact.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 4;
my $enough = 30000;    # batches of each client in a round: more than it gets through
my $node = new_node('crash', autovacuum_naptime => '1s');
$node->safe_psql('postgres', q{
    CREATE EXTENSION fas;
    -- Batch n of a client: 40 flows of eight hours, as one application "client-n", under that key.
    CREATE FUNCTION post(client text, n int) RETURNS bigint LANGUAGE sql AS $$
      SELECT flows_ingest((SELECT json_agg(json_build_object('hour', (n + i) % 8, 'src_app', client || '-' || n, 'dest_app', 'd' || i % 5, 'vpc_id', 'v', 'bytes_tx', n + i, 'bytes_rx', 1))::text
                           FROM generate_series(0, 39) i), client || '-' || n)
    $$;
});

sub script_of
{
    my ($client, @numbers) = @_;
    return join '', map { "SELECT post('$client', $_);\n\\echo acknowledged $client-$_\n" } @numbers;
}

# What is stored, by application; each must be a whole batch, and stored with its key.
sub check_store
{
    my ($round, $acknowledged) = @_;
    my %stored;
    for my $line (split /\n/, $node->safe_psql('postgres', 'SELECT src_app, count(*), sum(bytes_tx), sum(bytes_rx) FROM flows GROUP BY 1'))
    {
        my ($app, @figures) = split /\|/, $line;
        $stored{$app} = "@figures";
    }
    my @wrong = grep { my ($n) = /-(\d+)$/; $stored{$_} ne '40 ' . (40 * $n + 780) . ' 40' } sort keys %stored;
    is("@wrong", '', "$round: every batch that is there is there whole, and once");
    my @lost = grep { !exists $stored{$_} } sort keys %$acknowledged;
    is("@lost", '', "$round: every acknowledged batch is there");
    is($node->safe_psql('postgres', q{
        SELECT count(*) FROM (SELECT DISTINCT src_app FROM flows) f FULL JOIN flow_batches ON src_app = batch_key COLLATE "C" WHERE src_app IS NULL OR batch_key IS NULL}),
        '0', "$round: batches and keys are there together");
    is($node->safe_psql('postgres', q{SELECT sum(flows) FROM flow_segments}), $node->safe_psql('postgres', 'SELECT count(*) FROM flows'), "$round: segments say how many flows they hold");
    no_problem($node, "$round: every segment is in order");
    return scalar keys %stored;
}

my %acknowledged;
my @next = (1) x $clients;
for my $round (1 .. 4)
{
    # Crash when some more are known to be in, at another moment in each round; the second round kills one backend alone.
    my $wanted = $node->safe_psql('postgres', 'SELECT count(*) FROM flow_batches') + 130 * $round + 17;
    my @sessions = map { my $c = $_; start_session($node, script_of("c$c", $next[$c] .. $next[$c] + $enough)) } 0 .. $clients - 1;
    my $compaction = start_session($node, "SELECT count(*) FROM flows_compact();\n" x 5000);
    $node->poll_query_until('postgres', "SELECT count(*) >= $wanted FROM flow_batches", 't') or die 'no batch comes in';
    if ($round == 2)
    {
        $node->safe_psql('postgres', 'ALTER SYSTEM SET restart_after_crash = on; SELECT pg_reload_conf()');
        my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY query ~ 'flows_compact' DESC LIMIT 1});
        kill 9, $pid;
    }
    else
    {
        kill_everything($node);
    }
    finish_session($_) for @sessions, $compaction;
    $node->start if $round != 2;
    $node->poll_query_until('postgres', 'SELECT true', 't');
    my $before = keys %acknowledged;
    for my $c (0 .. $clients - 1)
    {
        $acknowledged{$_} = 1 for $sessions[$c]{out} =~ /^acknowledged (\S+)$/mg;
        # The next round begins with what was acknowledged last: a retry.
        my @numbers = $sessions[$c]{out} =~ /^acknowledged \S+-(\d+)$/mg;
        $next[$c] = $numbers[-1] if @numbers;
    }
    cmp_ok(scalar keys %acknowledged, '>', $before, "round $round: some were acknowledged before the crash");
    is(scalar(grep { $_->{run}->result(0) == 0 } @sessions), 0, "round $round: nobody was through");
    check_store("round $round", \%acknowledged);
}

# Everyone retries everything, and some more, with keys.
my @last = map { $_ + 20 } @next;
my @sessions = map { start_session($node, script_of("c$_", 1 .. $last[$_])) } 0 .. $clients - 1;
is(finish_session($_), 0, 'a client retries all of its batches') for @sessions;
$acknowledged{$_} = 1 for map { $_->{out} =~ /^acknowledged (\S+)$/mg } @sessions;
my ($batches, $tx) = (0, 0);
for my $n (@last)
{
    $batches += $n;
    $tx += 40 * $n * ($n + 1) / 2 + 780 * $n;
}
is(check_store('retried', \%acknowledged), $batches, 'all batches are there');
is($node->safe_psql('postgres', 'SELECT flows, bytes_tx, bytes_rx FROM flows_aggregate($${}$$)'), join('|', 40 * $batches, $tx, 40 * $batches), 'sums are exact');
is($node->safe_psql('postgres', 'SELECT sum(h.bytes_tx) FROM generate_series(0, 7) n, flows_by_hour(n) h'), $tx, 'sums by hour are exact');
$node->safe_psql('postgres', 'SELECT * FROM flows_compact()');
is($node->safe_psql('postgres', 'SELECT bytes_tx FROM flows_aggregate($${}$$)'), $tx, 'and after a compaction');

$node->stop;
done_testing();
