# Cancel works in every long loop: statement_timeout ends each of them long before it would have ended by itself, leaves
# nothing half done, and the connection goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'time';

my $node = new_node('cancel', synchronous_commit => 'off', autovacuum => 'off', work_mem => '64MB', max_parallel_workers_per_gather => 0, jit => 'off');
my $n = 1500000;
$node->safe_psql('postgres', qq{
    CREATE EXTENSION fas;
    -- Keys of their own for most flows, in an order that no run-length code likes: the work is large, for its number of flows.
    CREATE FUNCTION flow_rows(n int) RETURNS TABLE (hour int, src_app text, dest_app text, vpc_id text, bytes_tx bigint, bytes_rx bigint) LANGUAGE sql AS
      'SELECT hashint4(i) & 31, ''application'' || (hashint4(i + 7) & 65535), ''peer'' || (hashint4(i * 3) & 65535), ''vpc'' || i % 3, (hashint8(i) & 2147483647)::bigint * 1000003, i::bigint FROM generate_series(1, n) i';
    CREATE UNLOGGED TABLE rows AS SELECT * FROM flow_rows($n);
    CREATE UNLOGGED TABLE body AS SELECT '[' || string_agg(format('{"hour":%s,"src_app":"%s","dest_app":"%s","vpc_id":"%s","bytes_tx":%s,"bytes_rx":%s}', hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx), ',') || ']' AS t FROM rows;
    INSERT INTO flows SELECT * FROM rows;
    -- The largest segment there can be, and its parts.
    CREATE UNLOGGED TABLE parts AS SELECT flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) AS segment FROM (SELECT *, row_number() OVER () AS i FROM rows LIMIT 1000000) r GROUP BY i % 4;
    CREATE UNLOGGED TABLE whole AS SELECT flow_merge_agg(segment) AS segment FROM parts;
});
my $before = $node->safe_psql('postgres', q{SELECT count(*), sum(bytes_tx) FROM flows});

# Puts the store back where a late cancel came too late.
sub undo
{
    return if $node->safe_psql('postgres', 'SELECT count(*), sum(bytes_tx) FROM flows') eq $before;
    $node->safe_psql('postgres', 'TRUNCATE flow_segments, flow_batches; INSERT INTO flows SELECT * FROM rows');
    return;
}

my @loops = (
    [ 'ingest of text', 'SELECT flows_ingest(t) FROM body' ],
    [ 'ingest with a key', q{SELECT flows_ingest(t, 'k') FROM body} ],
    [ 'INSERT', 'INSERT INTO flows SELECT * FROM rows' ],
    [ 'build', 'SELECT flow_segment_agg(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx) FROM (SELECT * FROM rows LIMIT 1000000) r' ],
    [ 'merge', 'SELECT flow_merge_agg(segment) FROM parts' ],
    [ 'roll-up', q{SELECT cardinality(flow_rollup_agg(segment, '{hour,src_app,dest_app,vpc_id}')) FROM whole} ],
    [ 'flows of a segment', 'SELECT max(f.bytes_tx) FROM whole, flow_segment_flows(segment) f' ],
    [ 'keys of a segment', 'SELECT max(rb_cardinality(k.indexes)) FROM whole, flow_segment_keys(segment) k' ],
    [ 'check', 'SELECT * FROM flows_check()' ],
    [ 'rows', 'SELECT count(*) FROM flows WHERE bytes_tx <> bytes_rx' ],
    [ 'cells', 'SELECT count(*) FROM (SELECT src_app, dest_app, sum(bytes_tx) FROM flows GROUP BY 1, 2) s' ],
    [ 'flows_aggregate', 'SELECT count(*) FROM flows_aggregate()' ],
    [ 'compaction', 'SELECT * FROM flows_compact()' ],
    [ 'retention', 'SELECT flows_expire(17)' ],
    [ 'new keys', 'SELECT count(*) FROM flows_new_keys(31, 0)' ]);
for my $loop (@loops)
{
    my ($name, $statement) = @$loop;
    # How long it takes by itself (undone), and how long when it is cancelled early on, and late.
    my $begin = time;
    $node->safe_psql('postgres', "BEGIN; $statement; ROLLBACK");
    my $full = time - $begin;
    for my $part (0.1, 0.6)
    {
        my $timeout = int($full * $part * 1000) || 1;
        $begin = time;
        my $code = code_of($node, "SET statement_timeout = $timeout;\n$statement");
        my $took = time - $begin;
        note(sprintf '%s: %.2f s by itself, %.2f s cancelled at %.2f s', $name, $full, $took, $timeout / 1000);
        # Times vary on a busy machine: late, it may have been through before.
        $part < 0.5 ? is($code, '57014', "$name is cancelled") : like($code, qr/^(?:57014)?$/, "$name is cancelled late, or through");
        cmp_ok($took, '<', $timeout / 1000 + 2 + 0.2 * $full, "$name ends soon after");
        undo();
    }
}
is($node->safe_psql('postgres', q{SELECT count(*), sum(bytes_tx) FROM flows}), $before, 'nothing is half done');
is($node->safe_psql('postgres', 'SELECT count(*) FROM flow_batches'), 0, 'no key is kept');
no_problem($node, 'every segment is in order');

$node->stop;
done_testing();
