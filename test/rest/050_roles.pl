# Roles through HTTP: without a token, with tokens of each role, with tokens that are forged, expired or ask for too much,
# for each choice of what anonymous requests may do.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MIME::Base64 qw(encode_base64url decode_base64url);
use RestTest;
use Test::More;

my $db = new_database('rest_roles');
psql('CREATE TABLE api_neighbour (x int); CREATE SCHEMA other; CREATE TABLE other.secret (x int); GRANT ALL ON SCHEMA other TO PUBLIC; GRANT ALL ON other.secret TO PUBLIC', db => $db);
my $secret = 'a key for the tests alone, 32 characters or more';
my $service = start_service(db => $db, anon => 'none', secret => "$secret\n");
my $port = $service->{port};
my $body = '[{"hour":1,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":2}]';

sub bearer { my ($token) = @_; return ('Authorization' => "Bearer $token") }
sub role { my ($role, %claims) = @_; return bearer(token($secret, role => $role, %claims)) }

# Without a token.
is_error(get($port, '/flows?hour=1'), 401, undef, 'anonymous: no reading');
is_error(post($port, '/flows', $body), 401, undef, 'anonymous: no posting');
is_error(request($service->{socket}, 'GET', '/flows?hour=eq.1'), 401, undef, 'anonymous at PostgREST itself: no reading');
like(get($port, '/flows?hour=1')->{headers}{'www-authenticate'} // '', qr/^Bearer/, '401 says how to authenticate');

# Each role.
is(json_of(post($port, '/flows', $body, role('fas_writer')))->{taken}, 1, 'the writer posts');
is_error(get($port, '/flows?hour=1', role('fas_writer')), 403, undef, 'the writer can\'t read');
is_deeply(json_of(get($port, '/flows?hour=1', role('fas_reader'))), [ flow(1, 'a', 'b', 'v', 1, 2) ], 'the reader reads');
is_error(post($port, '/flows', $body, role('fas_reader')), 403, undef, 'the reader can\'t post');
is_error(get($port, '/flows?hour=1', role('fas_anon')), 403, undef, 'a token for the anonymous role gives no more than that has');
is(get($port, '/flows?hour=1', role('fas_reader', exp => time + 60))->{status}, 200, 'a token that still holds');

# The tokens that rest/token makes; PostgREST leaves out a line end after the secret.
for my $end ('', "\n")
{
    RestTest::spew("$ENV{FAS_REST_TMP}/secret-for-token", "$secret$end");
    my @command = (root() . '/rest/token', "$ENV{FAS_REST_TMP}/secret-for-token", 'fas_reader', 60);
    is(RestTest::quietly("$ENV{FAS_REST_TMP}/token", "$ENV{FAS_REST_TMP}/token.err", @command), 0, 'rest/token' . ($end ? ', a secret with a line end' : ''));
    chomp(my $made = RestTest::slurp("$ENV{FAS_REST_TMP}/token"));
    is(get($port, '/flows?hour=1', bearer($made))->{status}, 200, 'its token works');
}

# Past nginx, at PostgREST itself: what else the roles could reach there.
for my $case (
    [ 'GET', '/flows?hour=eq.1', 'fas_writer' ], [ 'GET', '/rpc/flows_by_hour?hour=1', 'fas_writer' ], [ 'GET', '/rpc/flows_query', 'fas_writer' ],
    [ 'POST', '/rpc/flows_ingest', 'fas_reader' ], [ 'POST', '/flows', 'fas_writer' ], [ 'PATCH', '/flows?hour=eq.1', 'fas_writer' ], [ 'DELETE', '/flows?hour=eq.1', 'fas_writer' ],
    [ 'POST', '/flows', 'fas_reader' ], [ 'PATCH', '/flows?hour=eq.1', 'fas_reader' ], [ 'DELETE', '/flows?hour=eq.1', 'fas_reader' ],
    map { my $path = $_; map { [ 'GET', $path, $_ ], [ 'POST', $path, $_ ] } qw(fas_reader fas_writer) }
        qw(/flow_segments /flow_batches /rpc/flows_expire /rpc/flows_compact /rpc/flows_check /api_neighbour /secret /rpc/pg_read_file /pg_authid /rpc/flows_ingest_receipt /rpc/refuse /rpc/order_list))
{
    my ($method, $path, $role) = @$case;
    my $sent = $method eq 'GET' || $method eq 'DELETE' ? undef : $method eq 'PATCH' ? '{"hour":2}' : $path eq '/flows' ? '{"hour":1,"src_app":"a"}' : '[]';
    my $answer = request($service->{socket}, $method, $path, headers => [ role($role), 'Content-Type' => $path =~ /rpc/ ? 'text/plain' : 'application/json' ], body => $sent);
    # 55000: the view takes no rows from anybody.
    my $refused = $answer->{status} >= 400 && $answer->{status} < 500 || $answer->{body} =~ /"code":"55000"/;
    my $ok = $refused && $answer->{body} !~ /"src_app"\s*:/;
    ok($ok, "at PostgREST itself, $role: $method $path is refused") or diag($answer->{raw});
}
for my $profile (qw(other public pg_catalog fas_rest information_schema))
{
    my $answer = request($service->{socket}, 'GET', '/secret', headers => [ role('fas_reader'), 'Accept-Profile' => $profile ]);
    is($answer->{status}, 406, "Accept-Profile: $profile is refused");
    $answer = get($port, '/flows?hour=1', role('fas_reader'), 'Accept-Profile' => $profile);
    is($answer->{status}, 200, "nginx does not hand on Accept-Profile: $profile");
}

# Tokens that must not work: 401, and what a token with a role that nobody may take gets.
my $good = token($secret, role => 'fas_reader');
my ($head, $claims, $signature) = split /\./, $good;
my %bad = (
    'another key' => token('another key that is 32 characters long', role => 'fas_reader'),
    'an empty key' => token('', role => 'fas_reader'),
    'expired' => token($secret, role => 'fas_reader', exp => time - 120),
    'not valid yet' => token($secret, role => 'fas_reader', nbf => time + 600),
    'no signature' => "$head.$claims.",
    'algorithm none' => encode_base64url('{"alg":"none","typ":"JWT"}') . ".$claims.",
    'algorithm none, signature kept' => encode_base64url('{"alg":"none","typ":"JWT"}') . ".$claims.$signature",
    'algorithm RS256' => encode_base64url('{"alg":"RS256","typ":"JWT"}') . ".$claims.$signature",
    'claims exchanged' => "$head." . encode_base64url('{"role":"fas_writer"}') . ".$signature",
    'two parts' => "$head.$claims", 'four parts' => "$good.x", 'nothing' => '', 'no base64' => '!.!.!',
    'claims that are no object' => do { my $text = "$head." . encode_base64url('[]'); $text . '.' . encode_base64url(Digest::SHA::hmac_sha256($text, $secret)) },
    'exp as text' => token($secret, role => 'fas_reader', exp => 'tomorrow'),
);
for my $name (sort keys %bad)
{
    my $answer = get($port, '/flows?hour=1', bearer($bad{$name}));
    is_error($answer, 401, undef, "refused, a token: $name");
}
for my $role ('postgres', 'fas_authenticator', 'nobody_at_all', 'pg_read_all_data', 'pg_execute_server_program', '', 'fas_reader; SET ROLE postgres', q{fas_reader', 'x', true), set_config('role', 'postgres}, 'FAS_READER', 'none', 'public')
{
    for my $answer (get($port, '/flows?hour=1', role($role)), post($port, '/flows', $body, role($role)))
    {
        is_error($answer, $answer->{status} == 403 ? 403 : 401, undef, "refused, a token for role \"$role\"");
    }
}
is_error(get($port, '/flows?hour=1', bearer(token($secret, sub => 'x'))), 401, undef, 'refused, a token without a role');
is(get($port, '/flows?hour=1', 'Authorization' => "bearer $good")->{status}, 200, 'the scheme in lower case');
isnt(get($port, '/flows?hour=1', 'Authorization' => 'Basic ' . encode_base64url('postgres:postgres'))->{status}, 200, 'Basic authentication gives nothing');
is(get($port, "/flows?hour=1&jwt=$good")->{status}, 401, 'a token in the query string is none');
is(psql(q(SELECT flows FROM flows_aggregate('{}')), db => $db), 1, 'one flow was posted by whoever may, no other');

stop_service($service);

# What the operator lets anonymous requests do.
for my $case ([ 'read', 200, 401 ], [ 'write', 401, 200 ], [ 'all', 200, 200 ])
{
    my ($choice, $reading, $posting) = @$case;
    my $open = start_service(db => $db, anon => $choice, secret => $secret);
    is(get($open->{port}, '/flows?hour=1')->{status}, $reading, "anon=$choice: reading $reading");
    is(post($open->{port}, '/flows', '[]')->{status}, $posting, "anon=$choice: posting $posting");
    is(get($open->{port}, '/flows?hour=1', role('fas_reader'))->{status}, 200, "anon=$choice: tokens work as well");
    stop_service($open);
}

# The server listens for this machine alone, and the operator's pages are his.
{
    my $open = start_service(db => $db, anon => 'all');
    my @listening = map { /^\s*\d+: ([0-9A-F]{8}):([0-9A-F]{4}) \S+ 0A / ? [ $1, hex $2 ] : () } split /\n/, RestTest::slurp('/proc/net/tcp');
    for my $name (qw(port admin))
    {
        is(join(' ', map { $_->[0] } grep { $_->[1] == $open->{$name} } @listening), '0100007F', "$name: on loopback alone");
    }
    my @listening6 = map { /^\s*\d+: ([0-9A-F]{32}):([0-9A-F]{4}) \S+ 0A / ? hex $2 : () } split /\n/, RestTest::slurp('/proc/net/tcp6');
    ok(!grep({ $_ == $open->{port} || $_ == $open->{admin} } @listening6), 'and on no address of IPv6');
    is(get($open->{admin}, "/$_")->{status}, 200, "/$_ at the admin port") for qw(live ready metrics);
    is(get($open->{port}, "/$_")->{status}, 404, "/$_ not at nginx") for qw(live ready metrics);
    like(get($open->{admin}, '/metrics')->{body}, qr/^# TYPE pgrst_/m, 'metrics as Prometheus reads them');
    isnt(get($open->{port}, '/flows?hour=1', bearer($good))->{status}, 200, 'where no key is set, a token gives nothing');
    stop_service($open);
}

done_testing();
