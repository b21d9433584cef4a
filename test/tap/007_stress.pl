# Eight connections for a while: ingest, retries with keys, late hours, compaction, retention, queries, at all isolation levels,
# against a ledger that is written in the same transactions. At every moment a snapshot's sums are the ledger's, and nobody
# ever sees a serialization failure or a deadlock: sessions that only ingest under SERIALIZABLE don't either.
#
# FAS_STRESS_SECONDS=60 prove ... for a longer one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{FAS_STRESS_SECONDS} // 15;
my $node = new_node('stress', synchronous_commit => 'off', autovacuum_naptime => '1s', 'fas.batch_key_retention' => '7d');
$node->safe_psql('postgres', q{
    CREATE EXTENSION fas;
    CREATE TABLE ledger (hour int, src_app text COLLATE "C", tx numeric, rx numeric, flows bigint);
    -- What was done besides: so that the test can tell that it has tested it.
    CREATE TABLE deeds (what text, n bigint);
    CREATE FUNCTION body(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
      SELECT json_agg(json_build_object('hour', CASE WHEN n % 7 = 0 THEN (n + i) % 100 ELSE 100 + (n + i) % 24 END, 'src_app', 'app' || (n * i) % 37, 'dest_app', 'd' || i % 5, 'vpc_id', 'v',
        'bytes_tx', (hashint8(n * 1000 + i) & 2147483647)::bigint * 4000000000, 'bytes_rx', n))::text FROM generate_series(1, 5 + n % 40) i
    $$;
    -- Takes a batch, and writes down what it holds when it counts.
    CREATE FUNCTION book(n int, key text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE again boolean := false;
    BEGIN
      IF key IS NULL THEN PERFORM flows_ingest(body(n)); ELSE SELECT repeated INTO again FROM flows_ingest_receipt(body(n), key); END IF;
      IF again THEN
        INSERT INTO deeds VALUES ('repeated', 1);
      ELSE
        INSERT INTO ledger SELECT hour, src_app, sum(bytes_tx), sum(bytes_rx), count(*) FROM json_to_recordset(body(n)::json) f(hour int, src_app text COLLATE "C", bytes_tx bigint, bytes_rx bigint) GROUP BY 1, 2;
      END IF;
    END $$;
    -- Hours from 100 are never expired: flows and ledger agree in every snapshot. Earlier ones are there at most as often as booked.
    CREATE FUNCTION audit() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE wrong text;
    BEGIN
      SELECT string_agg(d::text, ' ') INTO wrong FROM (
        SELECT hour, src_app, sum(bytes_tx), sum(bytes_rx), count(*) FROM flows WHERE hour >= 100 GROUP BY 1, 2
        EXCEPT SELECT hour, src_app, sum(tx), sum(rx), sum(flows) FROM ledger WHERE hour >= 100 GROUP BY 1, 2 LIMIT 3) d;
      IF wrong IS NOT NULL THEN RAISE EXCEPTION 'flows that the ledger does not know: %', wrong; END IF;
      SELECT string_agg(d::text, ' ') INTO wrong FROM (
        SELECT hour, src_app, sum(tx), sum(rx), sum(flows) FROM ledger WHERE hour >= 100 GROUP BY 1, 2
        EXCEPT SELECT a.hour, a.src_app, a.bytes_tx, a.bytes_rx, a.flows FROM flows_aggregate('{hour,src_app}', 100) a LIMIT 3) d;
      IF wrong IS NOT NULL THEN RAISE EXCEPTION 'the ledger knows more: %', wrong; END IF;
      SELECT string_agg(d::text, ' ') INTO wrong FROM (
        SELECT f.hour, f.src_app, f.n, l.n FROM (SELECT hour, src_app, count(*) AS n FROM flows WHERE hour < 100 AND bytes_tx >= 0 GROUP BY 1, 2) f
        LEFT JOIN (SELECT hour, src_app, sum(flows) AS n FROM ledger WHERE hour < 100 GROUP BY 1, 2) l USING (hour, src_app) WHERE l.n IS NULL OR f.n > l.n LIMIT 3) d;
      IF wrong IS NOT NULL THEN RAISE EXCEPTION 'more than was booked: %', wrong; END IF;
      SELECT string_agg(d::text, ' ') INTO wrong FROM (
        SELECT a.src_app, a.tx, a.n, l.tx, l.n FROM (SELECT src_app, sum(bytes_tx) AS tx, count(*) AS n FROM flows WHERE hour = 107 AND src_app < 'app3' AND dest_app LIKE 'd%' GROUP BY 1) a
        FULL JOIN (SELECT src_app, sum(tx) AS tx, sum(flows) AS n FROM ledger WHERE hour = 107 AND src_app < 'app3' AND src_app <> 'app1' GROUP BY 1) l USING (src_app)
        WHERE src_app <> 'app1' AND (a.tx, a.n) IS DISTINCT FROM (l.tx, l.n) LIMIT 3) d;
      IF wrong IS NOT NULL THEN RAISE EXCEPTION 'one hour, some apps: %', wrong; END IF;
    END $$;
});

# Scripts for pgbench. Keys repeat: among the sessions of READ COMMITTED at once, in the others in turn.
my %scripts = (
    rc => q{\set n random(1, 100000)
        \set k random(1, 4000)
        SELECT book(:n, NULL);
        SELECT book(:k, 'rc' || :k);
        BEGIN;
        SELECT book(:n + 1, NULL);
        SAVEPOINT s;
        SELECT book(:n + 2, NULL);
        ROLLBACK TO s;
        SELECT book(:n + 3, NULL);
        COMMIT;
        SELECT sum(bytes_tx) FROM flows_by_hour(100 + :n % 24);
        BEGIN;
        SELECT book(:n, NULL);
        ROLLBACK;},
    rr => q{\set n random(1, 100000)
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        SELECT count(*) FROM flows WHERE hour = 105;
        SELECT book(:n, NULL);
        SELECT book(:n % 500, 'rr' || :n % 500);
        INSERT INTO flows SELECT 100 + :n % 24, 'app1', 'insert', 'v', 7, 8 FROM generate_series(1, 3);
        INSERT INTO ledger VALUES (100 + :n % 24, 'app1', 21, 24, 3);
        COMMIT;},
    ser => q{\set n random(1, 100000)
        BEGIN ISOLATION LEVEL SERIALIZABLE;
        SELECT book(:n, NULL);
        SELECT book(:n + 1, NULL);
        COMMIT;},
    # Twice the same snapshot, with others' commits in between.
    audit => q{BEGIN ISOLATION LEVEL REPEATABLE READ;
        SELECT audit();
        SELECT pg_sleep(0.02);
        SELECT audit();
        COMMIT;},
    # READ COMMITTED: each statement of audit() has a snapshot of its own. DEFERRABLE waits until nobody can make it fail.
    ask => q{SELECT audit();
        BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
        SELECT audit();
        COMMIT;},
    upkeep => q{\set h random(1, 90)
        INSERT INTO deeds SELECT 'merged', segments_read FROM flows_compact();
        \sleep 30 ms
        INSERT INTO deeds SELECT 'expired', flows_expire(:h);
        BEGIN;
        SELECT * FROM flows_compact();
        \sleep 30 ms
        ROLLBACK;
        BEGIN;
        SELECT flows_expire(:h);
        \sleep 30 ms
        ROLLBACK;
        SELECT count(*) FROM flows_check();});
my %clients = (rc => 2, rr => 1, ser => 2, audit => 1, ask => 1, upkeep => 1);
my $directory = PostgreSQL::Test::Utils::tempdir();
my %runs;
for my $name (sort keys %scripts)
{
    append_to_file("$directory/$name.sql", $scripts{$name} =~ s/\n\s+/\n/gr . "\n");
    my %run = (out => '', err => '');
    $run{run} = IPC::Run::start([ 'pgbench', '-n', '-M', 'simple', '-c', $clients{$name}, '-j', 1, '-T', $seconds, '-f', "$directory/$name.sql", $node->connstr('postgres') ], '>', \$run{out}, '2>', \$run{err});
    $runs{$name} = \%run;
}
for my $name (sort keys %runs)
{
    my $run = $runs{$name};
    IPC::Run::finish($run->{run});
    my ($done) = $run->{out} =~ /number of transactions actually processed: (\d+)/;
    my @errors = $run->{err} =~ /(?:ERROR|FATAL|aborted).*/g;
    is(join(' | ', @errors), '', "$name: no error");
    cmp_ok($done // 0, '>', 2, "$name: " . ($done // 0) . ' transactions');
}

for my $deed (qw(repeated merged expired))
{
    cmp_ok($node->safe_psql('postgres', "SELECT coalesce(sum(n), 0) FROM deeds WHERE what = '$deed'"), '>', 0, "there were some $deed");
}
is(code_of($node, 'SELECT audit()'), '', 'in the end the ledger agrees');
is($node->safe_psql('postgres', 'SELECT count(*), sum(bytes_tx), sum(bytes_rx) FROM flows WHERE hour >= 100'),
    $node->safe_psql('postgres', 'SELECT sum(flows), sum(tx), sum(rx) FROM ledger WHERE hour >= 100'), 'no flow is lost or doubled');
$node->safe_psql('postgres', 'SELECT * FROM flows_compact(); SELECT * FROM flows_compact()');
is(code_of($node, 'SELECT audit()'), '', 'and after a compaction');
$node->safe_psql('postgres', 'SELECT flows_expire(100)');
is($node->safe_psql('postgres', 'SELECT count(*) FROM flows WHERE hour < 100'), 0, 'retention has left nothing');
is(code_of($node, 'SELECT audit()'), '', 'nor taken too much');
no_problem($node, 'every segment is in order');
note($node->safe_psql('postgres', 'SELECT flows_stats()'));
my $log = slurp_file($node->logfile);
unlike($log, qr/deadlock detected|could not serialize|PANIC|terminated by signal/, 'no deadlock, no serialization failure, no crash');

$node->stop;
done_testing();
