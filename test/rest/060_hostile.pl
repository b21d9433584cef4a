# Hostile clients: headers that PostgREST would obey, paths around nginx, smuggled and oversized requests, response
# splitting, slow connections. Nothing of it may change an answer, reach another function, or stop the service.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Socket::INET;
use RestTest;
use Test::More;
use Time::HiRes 'time';

my $db = new_database('rest_hostile');
my $service = start_service(db => $db);
my $port = $service->{port};
my @json = ('Content-Type' => 'application/json');

sub stored { return psql(q(SELECT flows FROM flows_aggregate('{}')), db => $db) }
sub body { my ($n, $name) = @_; return '[' . join(',', map { qq({"hour":1,"src_app":"$name$_","dest_app":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":2}) } 1 .. $n) . ']' }

is(json_of(post($port, '/flows', body(3, 'a')))->{taken}, 3, 'three flows of hour 1');
is(json_of(post($port, '/flows', body(2, 'a') =~ s/"hour":1/"hour":2/gr))->{taken}, 2, 'two of hour 2');
my $hour = get($port, '/flows?hour=1')->{body};

# Headers of PostgREST, and of nginx's own way to it, that a client sends.
for my $case (
    [ 'X-Fas-Query' => '?hour=2' ], [ 'x-fas-query' => '?hour=2' ], [ 'X_Fas_Query' => '?hour=2' ], [ 'X-Fas-Query' => '?hour=2', 'X-Fas-Query' => '?hour=2' ], [ 'Connection' => 'X-Fas-Query' ],
    [ 'Range' => '0-0' ], [ 'Range' => 'bytes=0-1' ], [ 'Range-Unit' => 'items', 'Range' => '0-0' ], [ 'Prefer' => 'count=exact' ], [ 'Prefer' => 'params=single-object' ], [ 'Prefer' => 'max-affected=0, handling=strict' ],
    [ 'Accept-Profile' => 'public' ], [ 'Content-Profile' => 'public' ], [ 'X-HTTP-Method-Override' => 'DELETE' ], [ 'X-HTTP-Method' => 'POST' ], [ 'X-Original-URL' => '/flow_segments' ], [ 'X-Rewrite-URL' => '/flow_segments' ],
    [ 'Forwarded' => 'host=evil' ], [ 'X-Forwarded-Host' => 'evil' ], [ 'Host' => 'evil' ], [ 'Upgrade' => 'h2c', 'HTTP2-Settings' => 'AAMAAABk' ], [ 'Expect' => '100-continue' ], [ 'If-Modified-Since' => 'Mon, 01 Jan 2035 00:00:00 GMT' ], [ 'If-None-Match' => '*' ],
    [ 'Cookie' => 'a=b; role=postgres' ], [ 'role' => 'postgres' ], [ 'Accept-Encoding' => 'gzip, deflate' ], [ 'Accept' => '*/*;q=0.1, application/json' ], [ 'Accept' => 'text/html,application/xhtml+xml,*/*;q=0.8' ], [ 'Proxy' => 'x' ], [ 'Idempotency-Key' => 'x' ])
{
    my $answer = get($port, '/flows?hour=1', @$case);
    if ($case->[0] eq 'Host') # two of them
    {
        is($answer->{status}, 400, 'two Host headers: 400');
        next;
    }
    is("$answer->{status} $answer->{body}", "200 $hour", 'no other answer by the header ' . join ': ', @$case);
}
for my $type (qw(application/vnd.pgrst.plan application/vnd.pgrst.plan+json application/vnd.pgrst.object+json application/octet-stream application/geo+json text/xml))
{
    is_error(get($port, '/flows?hour=1', Accept => $type), 406, undef, "406 for Accept: $type");
}
my $count = stored();
for my $case ([ 'Prefer' => 'tx=rollback' ], [ 'Prefer' => 'return=minimal' ], [ 'Prefer' => 'params=multiple-objects' ], [ 'Prefer' => 'missing=default, resolution=ignore-duplicates' ], [ 'X-Fas-Query' => '?hour=2' ], [ 'Content-Profile' => 'public' ],
    [ 'Accept' => 'text/csv' ], [ 'Accept' => 'application/vnd.pgrst.object+json' ], [ 'X-HTTP-Method-Override' => 'GET' ])
{
    my $answer = post($port, '/flows', body(1, 'b'), @json, @$case);
    my $acknowledged = $answer->{status} == 200 ? json_of($answer)->{taken} : 0;
    $count += $acknowledged;
    is(stored(), $count, "what is acknowledged is stored, with the header $case->[0]: $case->[1] ($answer->{status})") or diag($answer->{raw});
    ok($answer->{status} < 500, '... and no error of the server');
}

# Paths around the documented ones.
for my $path ('/-/query', '/-/ingest', '/-/problem', '/-/', '/rpc/flows_query', '/rpc/flows_ingest', '/rpc/', '/flows%3Fhour=1', '/flows;hour=1', '/flows%00', '/flows%20', '/flows.json', '/rpc/..%2fflows_query', '/flows/%2e%2e/rpc/flows_query', '/%2d/query', '/./-/query', '/openapi.json/..%2f..%2fpostgrest.conf', '/..%2fpostgrest.conf', '/jwt-secret', '/fas.conf', '/../fas.conf', '/-/../jwt-secret')
{
    for my $method (qw(GET POST))
    {
        my $answer = request($port, $method, $path, body => $method eq 'POST' ? body(1, 'c') : undef);
        my $ok = $answer->{status} == 404 || $answer->{status} == 400 || $answer->{status} == 405;
        ok($ok && $answer->{body} =~ /^\{/ && $answer->{body} !~ /src_app"\s*:/, "$method $path leads nowhere") or diag($answer->{raw});
    }
}
is(stored(), $count, 'and stored nothing');
$hour = get($port, '/flows?hour=1')->{body};
is(raw_request($port, "GET http://evil.example/flows?hour=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")->{body}, $hour, 'an absolute URI is its path');
is(raw_request($port, "GET /%66lows?hour=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")->{status}, 200, 'an encoded letter is the letter');

# Requests that two parsers could take for different ones.
my $one = body(1, 'd');
my $chunked = join '', map { sprintf("%x\r\n%s\r\n", length, $_) } unpack('(a7)*', $one), '';
my $answer = raw_request($port, "POST /flows HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n$chunked\r\n");
is($answer->{status}, 200, 'a body in chunks') or diag($answer->{raw});
is(stored(), ++$count, 'is stored');
my %odd = (
    'a length and chunks' => "POST /flows HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /rpc/flows_query HTTP/1.1\r\nHost: x\r\n\r\n",
    'two lengths' => "POST /flows HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 20\r\nConnection: close\r\n\r\n[]",
    'a negative length' => "POST /flows HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\nConnection: close\r\n\r\n[]",
    'a length that is no number' => "POST /flows HTTP/1.1\r\nHost: x\r\nContent-Length: 2x\r\nConnection: close\r\n\r\n[]",
    'an unknown transfer encoding' => "POST /flows HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    'no Host' => "GET /flows?hour=1 HTTP/1.1\r\nConnection: close\r\n\r\n",
    'a zero byte in a header' => "GET /flows?hour=1 HTTP/1.1\r\nHost: x\r\nX: a\0b\r\nConnection: close\r\n\r\n",
    'a control character in the URL' => "GET /flows?hour=1\x01 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    'a space in the URL' => "GET /flows?hour=1 &x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    'no HTTP at all' => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    'HTTP/9' => "GET /flows?hour=1 HTTP/9.9\r\nHost: x\r\n\r\n",
    'no version' => "FLOWS\r\n\r\n",
);
for my $name (sort keys %odd)
{
    my $got = raw_request($port, $odd{$name}, timeout => 10);
    ok($got->{status} >= 400 && $got->{status} < 600 && $got->{status} != 500 && $got->{status} != 502, "refused, $name: $got->{status}") or diag($got->{raw});
}
is(stored(), $count, 'nothing of these was stored');
is(raw_request($port, "GET /flows?hour=1 HTTP/1.0\r\n\r\n")->{status}, 200, 'HTTP/1.0');

# Answers stay one answer, whatever a name or a key holds.
for my $target ('/flows?hour=1%0d%0aX-Evil:%201', '/flows?hour=1&src_app=[%0d%0aX-Evil:%201', '/flows?hour=1&a%0d%0aX-Evil:%201=2', '/flows?hour=1&order=x%0d%0aX-Evil:%201', '/flows?hour=1&group_by=%0d%0aX-Evil:%201')
{
    my $got = get($port, $target);
    is_error($got, 400, undef, "one answer for $target");
    ok(!exists $got->{headers}{'x-evil'}, '... without a header of the client\'s');
}
for my $key ("k\x01", "k\x7f", "k\xff", "k\xc3\xbc", "\xed\xa0\x80", "k" x 5000, '{"a":1}', '\\', '"', "a\tb")
{
    my $got = post($port, '/flows', '[]', 'Idempotency-Key' => $key);
    ok($got->{status} == 200 || $got->{status} == 400, 'a batch key of odd bytes: ' . unpack('H20', $key) . ": $got->{status}") or diag($got->{raw});
}
my $twice = post($port, '/flows', '[]', 'Idempotency-Key' => 'one', 'Idempotency-Key' => 'two');
ok($twice->{status} == 200 || $twice->{status} == 400, "two batch keys: $twice->{status}");
for my $claim ("Bearer \xff\xfe", 'Bearer ' . 'a' x 9000, "Bearer \t", 'Bearer', 'x' x 100)
{
    my $got = get($port, '/flows?hour=1', Authorization => $claim);
    ok($got->{status} < 500 && $got->{status} >= 200, 'an odd Authorization: ' . substr(unpack('H*', $claim), 0, 30) . ": $got->{status}") or diag($got->{raw});
}

# Sizes.
is_error(get($port, '/flows?hour=1&src_app=' . 'a' x 40_000), 414, undef, 'a URL of 40 kB');
my $answer_big = get($port, '/flows?hour=1', 'X-Large' => 'a' x 40_000);
ok($answer_big->{status} == 400 || $answer_big->{status} == 431, "a header of 40 kB: $answer_big->{status}") or diag($answer_big->{raw});
$answer_big = get($port, '/flows?hour=1', map { ("X-$_" => 'a' x 1000) } 1 .. 300);
ok($answer_big->{status} == 400 || $answer_big->{status} == 431, "headers of 300 kB: $answer_big->{status}") or diag(substr $answer_big->{raw}, 0, 500);
my @many = map { "name-$_" } 1 .. 1500;
$answer_big = get($port, '/flows?hour=1&src_app=' . encode_name('["' . join('","', @many, 'a1') . '"]') =~ s/%2D/-/gr =~ s/%22%2C%22/","/gr);
is($answer_big->{status}, 200, 'a question with 1,501 names') or diag(substr $answer_big->{raw}, 0, 500);
is_error(get($port, '/flows?' . join('&', map { "p$_=1" } 1 .. 3000)), 400, undef, '3,000 parameters');
is_error(get($port, '/flows?hour=1&src_app=' . '[' x 20_000), 400, undef, 'brackets, 20,000 deep');
is_error(get($port, '/flows?hour=1&src_app=' . '[%22a%22,' x 3000), 400, undef, 'arrays in arrays, never closed');

# Slow clients do not take the place of the others: half a request each, and then silence.
my @slow;
for my $n (1 .. 150)
{
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or next;
    print {$socket} $n % 2 ? "POST /flows HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n[{" : "GET /flows?hour=1 HTTP/1.1\r\nHost:";
    $socket->flush;
    push @slow, $socket;
}
is(scalar @slow, 150, '150 slow connections');
my $start = time;
is(get($port, '/flows?hour=1')->{status}, 200, 'beside them a question is answered') for 1 .. 3;
is(json_of(post($port, '/flows', body(1, 'e')))->{taken}, 1, 'and a batch taken');
cmp_ok(time - $start, '<', 10, 'soon');
close $_ for @slow;
is(stored(), ++$count, 'nothing of the half requests was stored');
# Clients that hang up before the answer comes.
for (1 .. 30)
{
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or next;
    print {$socket} "GET /flows?hour=1 HTTP/1.1\r\nHost: x\r\n\r\n";
    close $socket;
}
is(get($port, '/flows?hour=1')->{status}, 200, 'clients that hang up leave it well');
my $flood = join '', map { "GET /flows?hour=1 HTTP/1.1\r\nHost: x\r\n" . ($_ == 100 ? "Connection: close\r\n" : '') . "\r\n" } 1 .. 100;
my $answers = () = raw_request($port, $flood)->{raw} =~ m{HTTP/1\.1 200}g;
is($answers, 100, '100 requests in one go on one connection: each is answered');

# A body just below the limit is taken; memory of the server's does not grow with what clients announce.
my $large = '[' . join(',', map { sprintf '{"hour":%d,"src_app":"app-%d","dest_app":"to-%d","vpc_id":"large","bytes_tx":%d,"bytes_rx":%d,"note":"%s"}', $_ % 24, $_ % 700, $_ % 300, $_, 2 * $_, 'x' x 900 } 1 .. 30_000) . ']';
cmp_ok(length $large, '>', 28_000_000, 'a batch of 30,000 flows, 30 MB with what is ignored');
is(json_of(post($port, '/flows', $large))->{taken}, 30_000, 'is taken');
is(psql(q(SELECT flows, bytes_tx, bytes_rx FROM flows_aggregate('{}', vpc_id => '{large}')), db => $db), '30000|450015000|900030000', 'with exact sums');

is(psql('SELECT * FROM flows_check()', db => $db), '', 'flows_check finds nothing');
is(get($port, '/flows?hour=2')->{status}, 200, 'in the end the service still answers');
done_testing();
