# The backend does not grow: thousands of ingests and queries on one connection leave its memory as it was; one batch of a
# million flows takes what was promised.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_everything('needs /proc/PID/status') unless -r '/proc/self/status' && slurp_file('/proc/self/status') =~ /^RssAnon/m;

my $node = new_node('memory', jit => 'off', shared_buffers => '16MB', synchronous_commit => 'off', autovacuum_naptime => '1s');
$node->safe_psql('postgres', q{
    CREATE EXTENSION fas;
    CREATE FUNCTION batch(n int) RETURNS text LANGUAGE sql AS $$
      SELECT json_agg(json_build_object('hour', n / 100 + i % 3, 'src_app', 'app' || n % 50, 'dest_app', 'd' || i, 'vpc_id', 'v', 'bytes_tx', n * i, 'bytes_rx', i))::text FROM generate_series(1, 20) i
    $$;
});

# One round of everything, some of it failing.
sub round_of
{
    my ($n) = @_;
    my $h = int($n / 100);
    my @statements = (
        "SELECT flows_ingest(batch($n));", "SELECT flows_ingest(batch($n)::json);", "SELECT flows_ingest(batch($n)::jsonb, 'k$n');", "SELECT taken FROM flows_ingest_receipt(batch($n), 'k$n');",
        "SELECT count(*) FROM flows_by_hour($h);", "SELECT count(*) FROM flows_aggregate('{src_app}', $h, NULL);", "SELECT count(*) FROM flows_new_keys($h, 0);",
        "SELECT dest_app, sum(bytes_tx) FROM flows WHERE src_app = 'app1' GROUP BY 1;", "SELECT count(*) FROM flows WHERE bytes_tx > bytes_rx AND hour = $h;",
        "INSERT INTO flows VALUES ($h, 'i', 'd', 'v', 1, 1);", "SELECT count(*) FROM flow_segments s, flow_segment_keys(s.segment) k WHERE s.id % 10 = 0 AND rb_cardinality(k.indexes) > 1;",
        "SELECT flows_ingest('[' || left(batch($n), 300));", "SELECT flows_ingest('[{\"hour\":-1}]'::jsonb);", "INSERT INTO flows VALUES ($h, 'i', 'd', 'v', 1, -1);", "SELECT flow_segment_sum('\\x00', '{}');");
    push @statements, "SELECT * FROM flows_check();", "SELECT segments FROM flows_stats();", "SELECT flows_expire($h - 2);", 'SELECT * FROM flows_compact();' if $n % 100 == 99;
    return join("\n", @statements) . "\n";
}

# 17,000 statements in all; what the backend holds is written down on the way.
my $measure = q{SELECT 'held ' || sum(total_bytes) FROM pg_backend_memory_contexts;} . "\n" . '\! grep RssAnon /proc/$PID/status' . "\n";
my $script = "\\o /dev/null\nSELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\n";
for my $n (0 .. 1199)
{
    $script .= "\\o\n$measure\\o /dev/null\n" if $n == 300;
    $script .= round_of($n);
}
$script .= "\\o\n$measure";
my $file = PostgreSQL::Test::Utils::tempdir() . '/script.sql';
PostgreSQL::Test::Utils::append_to_file($file, $script);
my ($out, $err) = run_command([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $file ]);
my @held = $out =~ /^held (\d+)/mg;
my @anon = $out =~ /^RssAnon:\s+(\d+) kB/mg;
is(scalar(@held) + @anon, 4, 'measured twice');
is($node->safe_psql('postgres', 'SELECT count(*) FROM flow_batches'), 1200, 'all rounds ran');
is(scalar(() = $err =~ /ERROR/g), 1200 * 4, 'with as many errors as wanted');
note("memory contexts @held bytes, anonymous memory @anon kB");
cmp_ok($held[1] - $held[0], '<', 1024 * 1024, 'memory contexts do not grow');
cmp_ok($anon[1] - $anon[0], '<', 4 * 1024, 'the process does not grow by 4 MB in 900 rounds of 15 statements');

# One batch of a million flows: 64 MB + work_mem + twice its text. Three million by INSERT, which has no text, and all of
# them out again: 64 MB + work_mem, however many they are.
$node->safe_psql('postgres', q{
    TRUNCATE flow_segments;
    CREATE TABLE body (t text);
    ALTER TABLE body ALTER t SET STORAGE EXTERNAL;
    INSERT INTO body SELECT '[' || string_agg(format('{"hour":%s,"src_app":"app%s","dest_app":"app%s","vpc_id":"vpc%s","bytes_tx":%s,"bytes_rx":%s}',
        490000 + i % 24, i % 3001, i % 501, i % 3, i, i::bigint * 77777), ',') || ']' FROM generate_series(1, 1000000) i;
});
my $text = $node->safe_psql('postgres', 'SELECT octet_length(t) / 1024 FROM body');

# By how many kB a statement's peak lies above what the backend had before it, shared memory set aside.
sub peak_of
{
    my ($statement) = @_;
    my $session = $node->background_psql('postgres');
    my $pid = $session->query_safe('SELECT pg_backend_pid()');
    $session->query_safe('SELECT count(*) FROM flows_by_hour(1)');
    open my $clear, '>', "/proc/$pid/clear_refs" or return;
    print $clear "5\n";
    close $clear or return;
    my ($before, $shared) = (status_of($pid, 'VmRSS'), status_of($pid, 'RssShmem') + status_of($pid, 'RssFile'));
    $session->query_safe($statement);
    my $growth = status_of($pid, 'VmHWM') - $before - (status_of($pid, 'RssShmem') + status_of($pid, 'RssFile') - $shared);
    $session->quit;
    return $growth;
}

SKIP:
{
    skip 'needs PostgreSQL 15 or later', 4 unless $node->can('background_psql') && eval { require PostgreSQL::Test::BackgroundPsql; PostgreSQL::Test::BackgroundPsql->can('query_safe') };
    my $bound = 64 * 1024 + 4 * 1024;
    for my $way ([ 'flows_ingest(text)', 'SELECT flows_ingest(t) FROM body', $bound + 2 * $text ], [ 'with a key', q{SELECT flows_ingest(t, 'million') FROM body}, $bound + 2 * $text ],
        [ 'INSERT', q{INSERT INTO flows SELECT 490000 + i % 24, 'app' || i % 3001, 'app' || i % 501, 'vpc' || i % 3, i, i FROM generate_series(1, 3000000) i}, $bound ],
        [ 'every row out', 'SELECT max(bytes_tx + bytes_rx) FROM flows WHERE bytes_rx >= 0', $bound ])
    {
        my ($name, $statement, $limit) = @$way;
        my $peak = peak_of($statement);
        skip 'the peak can not be reset here', 1 unless defined $peak;
        note("$name: $peak kB of $limit kB (text $text kB)");
        cmp_ok($peak, '<=', $limit, "$name: the peak stays within bounds");
    }
}
$node->safe_psql('postgres', 'TRUNCATE flow_segments, flow_batches');

$node->stop;
done_testing();
