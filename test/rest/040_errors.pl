# What a client can get wrong, and what it is told: always JSON with code, message, details and hint, never a query or a
# function's text; what was refused is not stored.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Compress::Gzip 'gzip';
use RestTest;
use Test::More;

my $db = new_database('rest_errors');
my $service = start_service(db => $db);
my $port = $service->{port};
my @json = ('Content-Type' => 'application/json');

sub stored { return psql(q(SELECT flows FROM flows_aggregate('{}')), db => $db) }

# Bodies: a name, the body, what the answer must name.
my $good = '{"hour":1,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":1,"bytes_rx":2}';
sub without { return '{' . join(',', grep { !/^"$_[0]"/ } split /,/, $good =~ s/^\{|\}$//gr) . '}' }
sub with { my ($member, $value) = @_; return $good =~ s/("$member":)("[^"]*"|\d+)/$1$value/r }
my @bodies = (
    [ 'nothing', '', qr/./ ],
    [ 'white space', " \n", qr/./ ],
    [ 'no JSON', 'hello', qr/offset|byte|position/i ],
    [ 'truncated', "[$good", qr/offset|byte|position/i ],
    [ 'something after the array', "[$good] x", qr/offset|byte|position/i ],
    [ 'two arrays', '[][]', qr/./ ],
    [ 'an object', $good, qr/array/ ],
    [ 'a number', '5', qr/array/ ],
    [ 'null', 'null', qr/array/ ],
    [ 'a string', '"x"', qr/array/ ],
    [ 'an array of arrays', '[[]]', qr/flow 0/ ],
    [ 'a null among the flows', "[$good,null]", qr/flow 1/ ],
    [ 'a negative metric in the third flow', "[$good,$good," . with('bytes_tx', -1) . ']', qr/bytes_tx.*flow 2.*-1/s ],
    [ 'a fraction', '[' . with('bytes_rx', '1.5') . ']', qr/bytes_rx.*1\.5/s ],
    [ 'an hour as text', '[' . with('hour', '"1"') . ']', qr/hour/ ],
    [ 'an hour out of range', '[' . with('hour', '2147483648') . ']', qr/hour.*2147483648/s ],
    [ 'a metric out of range', '[' . with('bytes_tx', '9223372036854775808') . ']', qr/bytes_tx.*9223372036854775808/s ],
    [ 'an empty name', '[' . with('src_app', '""') . ']', qr/src_app/ ],
    [ 'a name that is null', '[' . with('vpc_id', 'null') . ']', qr/vpc_id/ ],
    [ 'a name with U+0000', '[' . with('src_app', '"a\u0000"') . ']', qr/src_app/ ],
    [ 'half of a surrogate pair', '[' . with('src_app', '"\ud800"') . ']', qr/src_app/ ],
    [ 'a member twice', '[' . $good =~ s/^\{/{"hour":1,/r . ']', qr/hour/ ],
    [ 'bad UTF-8', '[' . with('src_app', qq("\xff\xfe")) . ']', qr/./ ],
    [ 'a zero byte', "[\0$good]", qr/./ ],
    [ 'very deep', '[' x 100000, qr/./ ],
    map { [ "no $_", '[' . without($_) . ']', qr/\b$_/ ] } qw(hour src_app dest_app vpc_id bytes_tx bytes_rx));
for my $case (@bodies)
{
    my ($name, $body, $pattern) = @$case;
    is_error(post($port, '/flows', $body, @json), 400, $pattern, "400 for a body: $name");
}
is(stored(), 0, 'nothing of these was stored');

# Query strings.
my @queries = (
    [ '', qr/hour/ ], [ '?', qr/hour/ ], [ '?hour=', qr/hour/ ], [ '?hour=abc', qr/hour/ ], [ '?hour=1.5', qr/hour/ ], [ '?hour=1e3', qr/hour/ ],
    [ '?hour=-1', undef ], [ '?hour=2147483648', qr/hour/ ], [ '?hour=99999999999999999999999', qr/hour/ ], [ '?hour=0x10', qr/hour/ ], [ '?hour=1_000', qr/hour/ ], [ '?hour=eq.1', qr/hour/ ], [ '?hour=NULL', qr/hour/ ], [ '?hour=%201', undef ], [ '?hour=1%00', qr/./ ],
    [ '?hour=%D9%A1', qr/hour/ ], # an Arabic digit
    [ '?hour', qr/hour/ ], [ '?=1', qr/./ ], [ '?Hour=1', qr/Hour/ ], [ '?hour=1&hour=2', qr/hour/ ],
    [ '?hour_from=1', qr/hour_to/ ], [ '?hour_to=1', qr/hour_from/ ], [ '?hour=1&hour_from=1&hour_to=2', qr/hour/ ], [ '?hour=1&hour_from=1', qr/hour/ ], [ '?hour_from=a&hour_to=2', qr/hour_from/ ], [ '?src_app=a', qr/hour/ ],
    [ '?hour=1&colour=red', qr/colour.*(?:src_app|known)/s ], [ '?hour=1&source_app=a', qr/source_app/ ], [ '?hour=1&select=src_app', qr/./ ], [ '?hour=1&and=(src_app.eq.a)', qr/and/ ],
    [ '?hour=1&group_by=colour', qr/colour/ ], [ '?hour=1&group_by=hour,', undef ], [ '?hour=1&group_by=bytes_tx', qr/bytes_tx/ ],
    [ '?hour=1&group_by=dest_app&order=colour', qr/colour/ ], [ '?hour=1&group_by=dest_app&order=bytes_tx.sideways', qr/sideways/ ], [ '?hour=1&group_by=dest_app&order=bytes_tx%20desc;drop%20table%20flows', qr/./ ], [ '?hour=1&group_by=dest_app&order=(select%201)', qr/./ ],
    [ '?hour=1&group_by=dest_app&limit=-1', qr/limit/ ], [ '?hour=1&group_by=dest_app&limit=x', qr/limit/ ], [ '?hour=1&group_by=dest_app&limit=99999999999999999999', qr/limit/ ], [ '?hour=1&group_by=dest_app&limit=1;', qr/limit/ ],
    [ '?hour=1&src_app=[', qr/src_app/ ], [ '?hour=1&src_app=["a",1]', qr/src_app/ ], [ '?hour=1&src_app=["a"', qr/src_app/ ], [ '?hour=1&src_app=[null]', qr/src_app/ ], [ '?hour=1&src_app=[["a"]]', qr/src_app/ ],
    [ '?hour=1&src_app=a&src_app=b', qr/src_app/ ], [ '?hour=1&src_app=%FF', qr/./ ], [ '?hour=1&src_app=%C3', qr/./ ], [ '?hour=1&src_app=%ED%A0%80', qr/./ ], [ '?hour=1&src_app=a%00b', qr/./ ], [ '?hour=1&src_app=%zz', qr/./ ], [ '?hour=1&src_app=%4', qr/./ ], [ '?hour=1&src_app=%', qr/./ ],
    [ '?hour=1&%73elect=1', qr/select/ ]);
for my $case (@queries)
{
    my ($query, $pattern) = @$case;
    next unless defined $pattern; # what either answer is right for
    is_error(get($port, "/flows$query"), 400, $pattern, "400 for GET /flows$query" =~ s/#/(number sign)/r);
}
like(get($port, '/flows?hour=1&colour=red')->{body}, qr/hour_from.*group_by|group_by.*hour_from/s, 'an unknown parameter: the known ones are named');
is(get($port, '/flows?hour=-1')->{status}, 400, 'a negative hour: refused') or diag(get($port, '/flows?hour=-1')->{raw});

# Methods and paths.
for my $path ('/flows', '/flow')
{
    for my $method (qw(PUT PATCH DELETE TRACE PROPFIND FOO))
    {
        my $answer = request($port, $method, "$path?hour=1", headers => [@json], body => $method eq 'TRACE' ? undef : '[]');
        is_error($answer, 405, undef, "405 for $method $path") if $method ne 'TRACE';
        is($answer->{status}, 405, 'TRACE: 405') if $method eq 'TRACE';
        is(join(' ', sort split /,\s*/, $answer->{headers}{allow} // ''), 'GET HEAD OPTIONS POST', "$method $path: Allow") unless $method eq 'TRACE';
    }
    my $options = request($port, 'OPTIONS', $path);
    ok($options->{status} == 200 || $options->{status} == 204, "OPTIONS $path: works");
    is(join(' ', sort split /,\s*/, $options->{headers}{allow} // ''), 'GET HEAD OPTIONS POST', "OPTIONS $path: Allow");
    is($options->{headers}{'access-control-allow-origin'}, undef, "OPTIONS $path: no CORS");
}
my $cross = get($port, '/flows?hour=1', Origin => 'http://evil.example');
is($cross->{headers}{'access-control-allow-origin'}, undef, 'no CORS unless it is set');
my $preflight = request($port, 'OPTIONS', '/flows', headers => [ Origin => 'http://evil.example', 'Access-Control-Request-Method' => 'POST' ]);
is($preflight->{headers}{'access-control-allow-origin'}, undef, 'nor for a preflight');

for my $path (qw(/flowss /flows/1 /flow/ /Flows /rpc/nothing /nothing /flow_segments /flow_batches /index.html /live /ready /metrics /flows%2f /.git/config /flows/../flow_batches))
{
    is_error(get($port, "$path?hour=1"), 404, undef, "404 for $path");
}

# Bodies and headers that nginx judges.
is_error(post($port, '/flows', do { gzip(\"[$good]", \my $zipped); $zipped }, @json, 'Content-Encoding' => 'gzip'), 415, qr/gzip|encod/i, '415 for a gzip body');
is_error(post($port, '/flows', "[$good]", @json, 'Content-Encoding' => 'br'), 415, qr/encod/i, '415 for another encoding');
is(post($port, '/flows', '[]', @json, 'Content-Encoding' => 'identity')->{status}, 200, 'Content-Encoding: identity is none');
for my $type ('multipart/form-data; boundary=x', 'application/xml', 'text/csv', 'application/json; charset=iso-8859-1', 'text/plain;charset=utf-16', 'image/png', 'application/x-ndjson')
{
    my $answer = post($port, '/flows', "[$good]", 'Content-Type' => $type);
    is_error($answer, 415, qr/./, "415 for $type");
}
is_error(post($port, '/flows?columns=src_app', "[$good]", @json), 400, qr/columns/, '400 for parameters of a POST');
is_error(post($port, '/flows?hour=1', "[$good]", @json), 400, qr/hour/, '400 for others');
is(post($port, '/flows?', '[]', @json)->{status}, 200, 'a question mark alone is none');
is_error(request($port, 'POST', '/flows', headers => [ @json, 'Content-Length' => 68_000_000 ], timeout => 10), 413, qr/64|large|limit/i, '413 for a body above the limit, before it is sent');
is_error(get($port, '/flows?hour=1', Accept => 'application/xml'), 406, undef, '406 for a type that there is none of');
is_error(get($port, '/flows?hour=1', Authorization => 'Bearer nonsense'), 401, undef, '401 for a token that is none');
is_error(post($port, '/flows', "[$good]", @json, Authorization => 'Bearer a.b.c'), 401, undef, '401 for another');
is(stored(), 0, 'still nothing stored');

# Batch keys.
my @key = ('Idempotency-Key' => '7f0e');
is_deeply(json_of(post($port, '/flows', "[$good,$good]", @json, @key)), { taken => 2, repeated => JSON::PP::false }, 'a batch with a key');
is_deeply(json_of(post($port, '/flow', "[$good, $good ]", @json, @key)), { taken => 2, repeated => JSON::PP::true }, 'again: a repetition');
is(stored(), 2, 'it counts once');
is_error(post($port, '/flows', "[$good]", @json, @key), 409, qr/key/, '409: the key with another body');
is(stored(), 2, 'which is not stored');
is_error(post($port, '/flows', "[$good]", @json, 'Idempotency-Key' => 'x' x 256), 400, qr/key/i, '400: a key of 256 bytes');
is(json_of(post($port, '/flows', '[]', @json, 'Idempotency-Key' => 'x' x 255))->{taken}, 0, 'a key of 255 bytes');
my $empty = post($port, '/flows', "[$good]", @json, 'Idempotency-Key' => '');
ok($empty->{status} == 400 || $empty->{status} == 200, 'an empty key: refused, or none') or diag($empty->{raw});
is(json_of(post($port, '/flows', '[]', 'iDEMPOTENCY-kEY' => q(it's "odd"; \\ $1 %41)))->{repeated}, JSON::PP::false, 'a key of odd characters');
is(json_of(post($port, '/flows', '[]', 'Idempotency-Key' => q(it's "odd"; \\ $1 %41)))->{repeated}, JSON::PP::true, 'known again');

done_testing();
