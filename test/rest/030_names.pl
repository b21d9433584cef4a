# Any name can be asked for: each is posted as all three dimensions, then asked for alone and in a JSON array, among others
# that look like it. PostgREST takes some of them for filters of its own; the way that values travel must not.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Encode 'encode_utf8';
use JSON::PP;
use RestTest;
use Test::More;

my @names = (
    'in.gateway', 'is', 'eq.x', 'not.a', 'a,b', '{x}', 'a b+c', 'ü',
    # further operators and words of PostgREST
    'eq', 'eq.', 'neq.1', 'in.(a,b)', 'in', '(a)', 'not', 'not.eq.x', 'is.null', 'null', 'like.*', 'ilike.*a*', 'fts.x', 'cs.{a}', 'and', 'or', 'any', 'gt.0',
    'eq(any).{a,b}', 'order', 'select', 'limit', 'hour', 'src_app', 'asc', 'bytes_tx.desc',
    # characters that mean something to URLs, nginx, JSON, SQL, CSV
    '*', '%', '%41', '%2525', '+', '++', ' ', ' a ', 'a&hour=5', 'a=b', 'a#b', 'a?b', 'a/../b', '/', '..', 'a;b', ';', '"', '"a"', "'", q('; DROP TABLE flows; --), '\\', 'a\\nb', '\\u0041',
    '$1', '$args', '${x}', '$$', ':a', '@', '`id`', '|', '^', '~', '<script>', "a\tb", "a\nb", "a\r\nX-Evil: 1", "\x01", "\x7f", chr(0xa0), '[', ']', '[]', '{', '}', '{}', '["a"]', '["a","b"]', '[1]',
    'a.b.c', '-', '--', '1', '1e3', 'true', 'false', 'NULL', '"null"', 'e' . chr(0x301), "\x{e9}", '日本', '😀', chr(0x10FFFF), chr(0xFEFF), chr(0x202E) . 'x', 'ß', 'SS', 'ss', 'İ', 'i',
    'x' x 255, 'ü' x 700);

my $service = start_service(db => new_database('rest_names'));
my $port = $service->{port};

my $number = 0;
my @flows = map { ++$number; flow(5, $_, $_, $_, $number, 1000 + $number) } @names;
is(json_of(post_flows($port, \@flows))->{taken}, scalar @names, 'all of them posted');

sub label
{
    my ($name) = @_;
    $name = substr($name, 0, 20) . '... (' . length($name) . ' characters)' if length $name > 40;
    $name =~ s/([^\x21-\x22\x24-\x7e ])/sprintf '\\x{%x}', ord $1/ge; # not '#' either: TAP has its own use for it
    return $name;
}

sub array_of { return encode_name(JSON::PP->new->encode([@_])) }

my $range = 'hour_from=0&hour_to=9';
$number = 0;
for my $name (@names)
{
    ++$number;
    my @wrong;
    # As a scalar a text that is a JSON array means its elements, so such a name is asked for within an array alone.
    my @forms = ($name =~ /^\[/ ? () : encode_name($name), array_of($name), array_of('nobody', $name, 'no "one"'));
    for my $dimension (qw(src_app dest_app vpc_id))
    {
        for my $value (@forms)
        {
            my $answer = get($port, "/flows?$range&group_by=$dimension&$dimension=$value");
            my $rows = json_of($answer);
            next if $answer->{status} == 200 && ref $rows eq 'ARRAY' && @$rows == 1 && $rows->[0]{$dimension} eq $name && $rows->[0]{bytes_tx} == $number;
            push @wrong, substr("$dimension=$value", 0, 200) . ": $answer->{status} " . substr $answer->{body}, 0, 300;
        }
    }
    ok(!@wrong, 'asked for by name: ' . label($name)) or diag(join "\n", @wrong);
}

is(json_of(get($port, "/flows?$range&group_by=src_app&src_app=a+b%2Bc"))->[0]{src_app}, 'a b+c', 'a plus sign stands for a space, as forms write it');
is(json_of(get($port, "/flows?$range&group_by=src_app&src_app=" . encode_utf8('ü')))->[0]{src_app}, 'ü', 'bytes beyond ASCII that nobody encoded');
is(json_of(get($port, "/flows?$range&group_by=src_app&src_app=a,b"))->[0]{src_app}, 'a,b', 'a comma that nobody encoded');
my $two = json_of(get($port, "/flows?$range&group_by=src_app&src_app=" . array_of('in.gateway', 'a,b')));
is(join(' ', sort map { $_->{src_app} } @$two), 'a,b in.gateway', 'two of them in one array');
is_deeply(json_of(get($port, "/flows?$range&group_by=src_app&src_app=" . array_of())), [], 'an empty array matches nothing');

my $hour = json_of(get($port, '/flows?hour=5'));
is_deeply([ sort map { $_->{src_app} } @$hour ], [ sort @names ], 'the hour has every name, as it was posted');

done_testing();
