# A streaming replica: the same sums as the primary during and after ingest and compaction; reading works there, writing is
# refused clearly; promoted, it takes flows.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_node('primary', allows_streaming => 1, hot_standby_feedback => 'on');
$primary->safe_psql('postgres', 'CREATE EXTENSION fas');
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# While batches come in and are merged, each snapshot of the standby holds whole batches, and agrees with itself.
my @sessions = map {
    my $c = $_;
    start_session($primary, join '', map { batch_sql("c$c", $_) . ($_ % 20 == 0 ? "SELECT count(*) FROM flows_compact();\n" : '') } 1 .. 900)
} 1 .. 2;
my ($looks, $torn, $seen) = (0, 0, 0);
while ($looks < 200)
{
    my $answer = $standby->safe_psql('postgres', q{
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        SELECT (SELECT count(*) FROM (SELECT src_app FROM flows GROUP BY 1 HAVING count(*) <> 40) t),
               (SELECT flows FROM flows_aggregate('{}')),
               (SELECT coalesce(sum(h.bytes_rx), 0) FROM generate_series(0, 7) n, flows_by_hour(n) h),
               (SELECT count(*) FROM flows WHERE bytes_tx + bytes_rx > 0),
               (SELECT count(*) FROM flows_check());
        COMMIT;});
    my ($parts, $flows, $by_hour, $rows, $problems) = split /\|/, $answer;
    $looks++;
    $torn++ if $parts != 0 || $flows != $by_hour || $flows != $rows || $problems != 0;
    $seen++ if $flows > 0 && $flows < 72000;
    last if $flows == 72000;
}
is($torn, 0, "$looks looks at the standby meanwhile: whole batches, one answer");
cmp_ok($seen, '>', 0, "$seen of them while batches came in");
is(finish_session($_), 0, 'a writer ends well') for @sessions;

$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is(all_flows($standby), all_flows($primary), 'every flow is on the standby');
$primary->safe_psql('postgres', 'SELECT * FROM flows_compact(); SELECT flows_expire(2); VACUUM flow_segments');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is(all_flows($standby), all_flows($primary), 'and after compaction, retention and vacuum');
for my $query ('SELECT * FROM flows_by_hour(3) ORDER BY 1, 2, 3', 'SELECT * FROM flows_aggregate() ORDER BY 1, 2, 3, 4', 'SELECT * FROM flows_new_keys(4, 3) ORDER BY 1, 2, 3',
    'SELECT dest_app, sum(bytes_tx) FROM flows GROUP BY 1 ORDER BY 1', 'SELECT segments, flows, hours, batch_keys FROM flows_stats()', 'SELECT * FROM flows_check()',
    'SELECT s.id, h.hour, rb_cardinality(h.indexes) FROM flow_segments s, flow_segment_hours(s.segment) h ORDER BY 1, 2')
{
    is($standby->safe_psql('postgres', $query), $primary->safe_psql('postgres', $query), "there too: $query");
}

# Refused: 25006, and in words about a read-only transaction or recovery.
my $one = q{'[{"hour":1,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":1}]'};
for my $statement ("SELECT flows_ingest($one)", "SELECT flows_ingest($one, 'key')", "SELECT flows_ingest($one\::jsonb)", "SELECT * FROM flows_ingest_receipt($one, 'key')",
    q{INSERT INTO flows VALUES (1, 'a', 'b', 'v', 1, 1)}, "COPY flows FROM STDIN;\n1\ta\tb\tv\t1\t1\n\\.\n", 'SELECT * FROM flows_compact()', 'SELECT flows_expire(1)')
{
    is(code_of($standby, $statement), '25006', 'refused there: ' . substr($statement, 0, 40));
}
my (undef, undef, $words) = $standby->psql('postgres', "SELECT flows_ingest($one)");
like($words, qr/read-only|recovery/, 'and it says why');

$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
my $before = $standby->safe_psql('postgres', 'SELECT count(*) FROM flows');
is($standby->safe_psql('postgres', batch_sql('c1', 900)), '40', 'promoted: it knows the batch keys');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM flows'), $before, 'a repetition there is not counted');
$standby->safe_psql('postgres', batch_sql('promoted', 1));
is($standby->safe_psql('postgres', 'SELECT count(*) FROM flows'), $before + 40, 'it takes new flows');
$standby->safe_psql('postgres', 'SELECT * FROM flows_compact()');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM flows'), $before + 40, 'and merges');
no_problem($standby, 'every segment is in order');

$standby->stop;
$primary->stop;
done_testing();
