# The documented requests through nginx and PostgREST: what the two older services document works unchanged, the ten-flow
# example comes out, slices, totals, new talkers, CSV, order and limit.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use RestTest;
use Test::More;

my $service = start_service(db => new_database('rest_documented'));
my $port = $service->{port};
my $curl = find_program('curl');
my @json = ('Content-Type' => 'application/json');

sub rows_are
{
    my ($target, $expected, $name, @headers) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer = get($port, $target, @headers);
    is($answer->{status}, 200, "$name: status 200") or diag($answer->{raw});
    return is_deeply(sorted(json_of($answer)), sorted($expected), $name) || diag("of $target: $answer->{body}");
}

sub sorted
{
    my ($rows) = @_;
    return $rows unless ref $rows eq 'ARRAY';
    my $coder = JSON::PP->new->canonical->allow_nonref->allow_bignum;
    return [ sort { $coder->encode($a) cmp $coder->encode($b) } @$rows ];
}

subtest 'The commands of the older services, word for word' => sub {
    plan skip_all => 'curl is not here' unless $curl;
    my $say = sub {
        my $command = shift =~ s/localhost:9527/localhost:$port/r;
        my $out = qx($command 2>/dev/null);
        utf8::decode($out);
        return json_of(Encode::encode_utf8($out));
    };
    my $body = q('[{"src_app": "foo", "dest_app": "bar", "vpc_id": "vpc-0", "bytes_tx": 100, "bytes_rx": 500, "hour": 1}]');
    is_deeply($say->(q(curl 'localhost:9527/flow?hour=1')), [], 'nothing yet');
    is_deeply($say->("curl -X POST localhost:9527/flow -H 'Content-Type: application/json' -d $body"),
        { taken => 1, repeated => JSON::PP::false }, 'POST /flow');
    is_deeply($say->(q(curl 'localhost:9527/flow?hour=1')), [ flow(1, 'foo', 'bar', 'vpc-0', 100, 500) ], 'GET /flow?hour=1');
    is_deeply($say->("curl -X POST localhost:9527/flows -d $body"), { taken => 1, repeated => JSON::PP::false },
        'POST /flows by plain curl -d, which calls it a form');
    is_deeply($say->(q(curl 'localhost:9527/flows?hour=1')), [ flow(1, 'foo', 'bar', 'vpc-0', 200, 1000) ], 'GET /flows?hour=1');
    is_deeply($say->("curl -d $body 'localhost:9527/flow'"), { taken => 1, repeated => JSON::PP::false }, 'POST /flow by plain curl -d');
    is_deeply($say->(q(curl -G localhost:9527/flows -d hour=1)), [ flow(1, 'foo', 'bar', 'vpc-0', 300, 1500) ], 'curl -G -d hour=1');
    is_deeply($say->(q(curl 'localhost:9527/flows?hour=2')), [], 'another hour has none');
};

# The ten flows of the example, as hours 11 and 12.
my @ten = (
    flow(11, 'app1', 'app2', 'vpc1', 11, 10), flow(11, 'app1', 'app2', 'vpc1', 21, 20), flow(12, 'app1', 'app2', 'vpc1', 31, 30),
    flow(12, 'app1', 'app2', 'vpc1', 41, 40), flow(12, 'app1', 'app2', 'vpc1', 51, 50), flow(12, 'app1', 'app3', 'vpc1', 61, 60),
    flow(12, 'app1', 'app3', 'vpc1', 71, 70), flow(12, 'app1', 'app3', 'vpc1', 81, 80), flow(12, 'app2', 'app4', 'vpc1', 91, 90),
    flow(12, 'app2', 'app4', 'vpc1', 101, 100));

subtest 'POST: bodies and answers' => sub {
    my $answer = post_flows($port, \@ten);
    is($answer->{status}, 200, 'status 200');
    like($answer->{headers}{'content-type'}, qr{^application/json}, 'JSON');
    is_deeply(json_of($answer), { taken => 10, repeated => JSON::PP::false }, 'ten taken');
    is_deeply(json_of(post($port, '/flows', '[]', @json)), { taken => 0, repeated => JSON::PP::false }, 'an empty array');
    my $one = q([{"hour":20,"src_app":"ü","dest_app":"日本","vpc_id":"v","bytes_tx":0,"bytes_rx":9223372036854775807}]);
    utf8::encode($one);
    for my $type ('application/json', 'application/json; charset=utf-8', 'text/plain', 'application/x-www-form-urlencoded')
    {
        is_deeply(json_of(post($port, '/flows', $one, 'Content-Type' => $type)), { taken => 1, repeated => JSON::PP::false }, "as $type");
    }
    is_deeply(json_of(post($port, '/flows', $one)), { taken => 1, repeated => JSON::PP::false }, 'without a content type');
    my $got = get($port, '/flows?hour=20');
    like($got->{body}, qr/"bytes_rx": ?46116860184273879035\b/, 'a sum beyond 64 bits, exact, as a number');
    my $text = $got->{body};
    utf8::decode($text);
    like($text, qr/"src_app": ?"ü".*"dest_app": ?"日本"/, 'names in UTF-8');
    my $odd = q([{"destination_app":"b","note":{"x":[1,null]},"hour":21,"vpc_id":"v","bytes_rx":1,"source_app":"a","bytes_tx":2},)
        . q({"hour":21,"src_app":"a","dest_app":"b","vpc_id":"v","bytes_tx":2,"bytes_rx":1}]);
    is_deeply(json_of(post($port, '/flows', $odd, @json)), { taken => 2, repeated => JSON::PP::false },
        'the other names of members, members that nobody knows, different members in each flow');
    rows_are('/flows?hour=21', [ flow(21, 'a', 'b', 'v', 4, 2) ], 'both counted');
};

subtest 'GET of one hour' => sub {
    rows_are('/flows?hour=11', [ flow(11, 'app1', 'app2', 'vpc1', 32, 30) ], 'hour 11');
    my $twelve = [ flow(12, 'app1', 'app2', 'vpc1', 123, 120), flow(12, 'app1', 'app3', 'vpc1', 213, 210),
        flow(12, 'app2', 'app4', 'vpc1', 192, 190) ];
    rows_are('/flows?hour=12', $twelve, 'hour 12');
    rows_are('/flow?hour=12', $twelve, 'hour 12 by /flow');
    rows_are('/flows?hour=2147483647', [], 'the last hour there is');
    rows_are('/flows?hour=0', [], 'hour 0');
    my $answer = get($port, '/flows?hour=12');
    is(join(' ', sort keys %{ json_of($answer)->[0] }), 'bytes_rx bytes_tx dest_app hour src_app vpc_id', 'six members, no more');
    is(request($port, 'GET', '/flows?hour=12', body => '{"x":1}')->{body}, $answer->{body}, 'a GET with a body: the body means nothing');
    my $head = request($port, 'HEAD', '/flows?hour=12');
    is($head->{status}, 200, 'HEAD: 200');
    is($head->{body}, '', 'HEAD: no body');
};

subtest 'Slices' => sub {
    rows_are('/flows?hour_from=11&hour_to=12&group_by=dest_app',
        [ { dest_app => 'app2', bytes_tx => 155, bytes_rx => 150, flows => 5 }, { dest_app => 'app3', bytes_tx => 213, bytes_rx => 210, flows => 3 },
            { dest_app => 'app4', bytes_tx => 192, bytes_rx => 190, flows => 2 } ], 'by dest_app');
    rows_are('/flows?group_by=dest_app&hour=12&src_app=app1',
        [ { dest_app => 'app2', bytes_tx => 123, bytes_rx => 120, flows => 3 }, { dest_app => 'app3', bytes_tx => 213, bytes_rx => 210, flows => 3 } ],
        'group_by with hour=');
    rows_are('/flows?hour_from=11&hour_to=12&group_by=hour,src_app&dest_app=app2',
        [ { hour => 11, src_app => 'app1', bytes_tx => 32, bytes_rx => 30, flows => 2 }, { hour => 12, src_app => 'app1', bytes_tx => 123, bytes_rx => 120, flows => 3 } ],
        'by two dimensions, one filtered');
    rows_are('/flows?hour_from=11&hour_to=12&group_by=vpc_id&vpc_id=vpc1', [ { vpc_id => 'vpc1', bytes_tx => 560, bytes_rx => 550, flows => 10 } ], 'vpc_id=');
    rows_are('/flows?hour_from=11&hour_to=12&group_by=vpc_id&vpc_id=other', [], 'a VPC that nobody has');
    is_error(get($port, '/flows?hour_from=12&hour_to=11&group_by=vpc_id'), 400, qr/hour_from.*hour_to/, 'the last hour before the first: refused');
    my $values = encode_name('["app2","app4"]');
    rows_are("/flows?hour_from=11&hour_to=12&group_by=dest_app&dest_app=$values",
        [ { dest_app => 'app2', bytes_tx => 155, bytes_rx => 150, flows => 5 }, { dest_app => 'app4', bytes_tx => 192, bytes_rx => 190, flows => 2 } ],
        'several values as a JSON array');
    my @order = map { $_->{dest_app} } @{ json_of(get($port, '/flows?hour_from=11&hour_to=12&group_by=dest_app&order=bytes_tx.desc&limit=2')) };
    is("@order", 'app3 app4', 'order=bytes_tx.desc&limit=2');
    @order = map { $_->{dest_app} } @{ json_of(get($port, '/flows?hour_from=11&hour_to=12&group_by=dest_app&order=bytes_tx.asc')) };
    is("@order", 'app2 app4 app3', 'order=bytes_tx.asc');
    my $all = json_of(get($port, '/flows?hour_from=11&hour_to=12'));
    is(scalar @$all, 4, 'without group_by: by all four dimensions');
    rows_are('/flows?hour_from=11&hour_to=12&group_by=[]', [ { bytes_tx => 560, bytes_rx => 550, flows => 10 } ], 'the totals of everything');
    rows_are('/flows?hour=1000&group_by=[]', [ { bytes_tx => 0, bytes_rx => 0, flows => 0 } ], 'totals of nothing');
    rows_are('/flows?hour=12&new_since=11', [ flow(12, 'app1', 'app3', 'vpc1', 213, 210), flow(12, 'app2', 'app4', 'vpc1', 192, 190) ], 'new talkers');
    rows_are('/flows?hour=12&new_since=11&src_app=app2', [ flow(12, 'app2', 'app4', 'vpc1', 192, 190) ], 'new talkers, filtered');
    rows_are('/flows?hour=11&new_since=0', [ flow(11, 'app1', 'app2', 'vpc1', 32, 30) ], 'new talkers of the first hour');
    my %seen;
    for my $page (0 .. 4)
    {
        $seen{"$_->{hour} $_->{src_app} $_->{dest_app}"}++ for @{ json_of(get($port, "/flows?hour_from=11&hour_to=12&limit=1&offset=$page")) };
    }
    is(join(', ', map { "$_: $seen{$_}" } sort keys %seen), '11 app1 app2: 1, 12 app1 app2: 1, 12 app1 app3: 1, 12 app2 app4: 1', 'limit and offset: pages fit together');
    rows_are('/flows?hour=12&limit=0', [], 'limit=0');
    my $csv = get($port, '/flows?hour_from=11&hour_to=12&group_by=dest_app&order=bytes_tx.desc', Accept => 'text/csv');
    is($csv->{status}, 200, 'CSV: 200');
    like($csv->{headers}{'content-type'}, qr{^text/csv}, 'CSV: its type');
    is((split /\r?\n/, $csv->{body})[0] =~ tr/,//, 3, 'CSV: a head with four columns');
    is(get($port, '/flows?hour=1000', Accept => 'text/csv')->{body} =~ s/\s+$//r, 'src_app,dest_app,vpc_id,bytes_tx,bytes_rx,hour', 'CSV of nothing: the head alone');
    like($csv->{body}, qr/app3.*\n.*app4.*\n.*app2/, 'CSV: in order');
};

done_testing();
