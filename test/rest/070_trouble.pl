# When the database is slow or gone: what clients are told, with which status, and that a retry with its key makes it right.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use RestTest;
use Test::More;
use Time::HiRes qw(sleep time);

my $db = new_database('rest_trouble');
my $service = start_service(db => $db, env => { PGRST_DB_POOL => 2, PGRST_DB_POOL_ACQUISITION_TIMEOUT => 1 });
my $port = $service->{port};
my $flow = '{"hour":1,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":2}';
my @key = ('Idempotency-Key' => 'trouble-1');

# A session that holds a lock on the store until it is told to let go.
sub lock_store
{
    my ($seconds) = @_;
    my $locker = background(sub {
        psql("BEGIN; LOCK TABLE flow_segments IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep($seconds); ROLLBACK", db => $db);
        return 1;
    });
    for (1 .. 100)
    {
        last if psql(q(SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'flow_segments'::regclass), db => $db);
        sleep 0.1;
    }
    return $locker;
}

# The pool of two is taken by two that wait for a lock; the third is told to come back.
{
    my $locker = lock_store(3.5);
    my @waiting = map { background(sub { get($port, '/flows?hour=1') }) } 1 .. 2;
    sleep 0.7;
    my $start = time;
    my $answer = post($port, '/flows', "[$flow]", @key);
    my $took = time - $start;
    is_error($answer, 503, undef, 'no connection is free: 503');
    like($answer->{headers}{'retry-after'} // '', qr/^\d+$/, 'with Retry-After, in seconds');
    cmp_ok($took, '<', 3, 'after the second that the pool waits');
    is(request($port, 'HEAD', '/flows?hour=1')->{status}, 503, 'a HEAD is told the same');
    is(result_of($_)->{status}, 200, 'who waited gets an answer in the end') for @waiting;
    result_of($locker);
    is_deeply(json_of(post($port, '/flows', "[$flow]", @key)), { taken => 1, repeated => JSON::PP::false }, 'the retry with its key is taken');
    is_deeply(json_of(post($port, '/flows', "[$flow]", @key)), { taken => 1, repeated => JSON::PP::true }, 'and counts once');
}

# A statement that takes too long is cancelled: the roles' timeouts hold, as the operator sets them.
{
    my $all_roles = sub {
        my ($setting) = @_;
        psql(join(';', map { "ALTER ROLE $_ $setting" } qw(fas_reader fas_writer fas_anon fas_authenticator)), db => $db);
    };
    $all_roles->(q(SET statement_timeout = '700ms'));
    my $brief = start_service(db => $db);
    my $locker = lock_store(3);
    my $start = time;
    my @answers = map { result_of($_) } background(sub { get($brief->{port}, '/flows?hour=1') }),
        background(sub { post($brief->{port}, '/flows', "[$flow]", 'Idempotency-Key' => 'trouble-2') });
    cmp_ok(time - $start, '<', 2.8, 'a statement ends with statement_timeout of its role');
    is_error($answers[0], 504, undef, 'GET beyond it: 504');
    is_error($answers[1], 504, undef, 'POST beyond it: 504');
    result_of($locker);
    is(json_of(post($brief->{port}, '/flows', "[$flow]", 'Idempotency-Key' => 'trouble-2'))->{taken}, 1, 'the retry with its key');
    is(psql(q(SELECT flows FROM flows_aggregate('{}')), db => $db), 2, 'both batches are there, once');
    stop_service($brief);
    $all_roles->(q(SET statement_timeout = '30s'));
}

# A backend is terminated in the middle of a POST: no answer that tells of a query, and the retry is right.
{
    my $locker = lock_store(2.5);
    my $posting = background(sub { post($port, '/flows', "[$flow]", 'Idempotency-Key' => 'trouble-3') });
    sleep 1;
    psql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'fas_authenticator' AND wait_event_type = 'Lock'), db => $db);
    my $answer = result_of($posting);
    cmp_ok($answer->{status}, '>=', 500, "a backend is terminated: $answer->{status}");
    is_error($answer, $answer->{status}, undef, 'an error as any other');
    result_of($locker);
    my $again = json_of(post($port, '/flows', "[$flow]", 'Idempotency-Key' => 'trouble-3'));
    is($again->{taken}, 1, 'the retry with its key');
    is(psql(q(SELECT flows FROM flows_aggregate('{}')), db => $db), 3, 'exact');
}

# PostgREST is gone, and comes back.
{
    my $restart = background(sub { restart_postgrest($service, 'KILL', 2); 1 });
    sleep 0.7;
    my $answer = get($port, '/flows?hour=1');
    is_error($answer, $answer->{status}, undef, 'PostgREST is gone: an error as any other');
    ok($answer->{status} == 502 || $answer->{status} == 503, "status $answer->{status}");
    is($answer->{headers}{'retry-after'} ? 1 : 0, $answer->{status} == 503 ? 1 : 0, '503 has Retry-After');
    result_of($restart);
    my $status = 0;
    for (1 .. 100)
    {
        $status = get($port, '/flows?hour=1')->{status};
        last if $status == 200;
        sleep 0.1;
    }
    is($status, 200, 'it is back, and is asked again without a restart of nginx');
}

# A role that api.sql has not granted anything; a database whose API is dropped.
{
    psql('DROP SCHEMA api CASCADE; NOTIFY pgrst', db => $db);
    sleep 1.5;
    my $answer = get($port, '/flows?hour=1');
    cmp_ok($answer->{status}, '>=', 400, "without the schema: $answer->{status}");
    is_error($answer, $answer->{status}, undef, 'an error as any other');
    install_api($db, vars => { anon => 'all' });
    my $status = 0;
    for (1 .. 100)
    {
        $status = get($port, '/flows?hour=1')->{status};
        last if $status == 200;
        sleep 0.1;
    }
    is($status, 200, 'installed again: PostgREST is told, nothing is restarted');
}

done_testing();
