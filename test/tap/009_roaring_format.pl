# Bitmaps that other Roaring libraries write are read, and what fas writes is what they would: the public test files of the
# RoaringFormatSpec, byte for byte, made by a writer that knows nothing but the format's description (in Perl, below).
# Then hostile text and bytes at the doors: random damage to valid ones; each is taken or refused with the right code.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Digest::SHA 'sha256_hex';
use FasTest;
use Test::More;

# The portable format of sorted 32-bit members. $kind: 'smallest' (runs where they are smaller), 'plain' (never runs), or 'runs'.
sub write32
{
    my ($kind, @members) = @_;
    my (@keys, %low);
    for my $member (@members)
    {
        my $key = $member >> 16;
        push @keys, $key unless $low{$key};
        push @{ $low{$key} }, $member & 0xffff;
    }
    my (@bodies, @is_run);
    for my $key (@keys)
    {
        my @low = @{ $low{$key} };
        my @runs;
        for my $member (@low)
        {
            if (@runs && $runs[-1][1] + 1 == $member) { $runs[-1][1] = $member }
            else { push @runs, [ $member, $member ] }
        }
        my $plain = @low > 4096 ? 8192 : 2 * @low;
        my $run = $kind eq 'runs' || ($kind eq 'smallest' && 2 + 4 * @runs < $plain);
        push @is_run, $run ? 1 : 0;
        if ($run) { push @bodies, pack('v*', scalar @runs, map { ($_->[0], $_->[1] - $_->[0]) } @runs) }
        elsif (@low <= 4096) { push @bodies, pack('v*', @low) }
        else
        {
            my $bits = "\0" x 8192;
            vec($bits, $_, 1) = 1 for @low;
            push @bodies, $bits;
        }
    }
    my $count = @keys;
    my $has_runs = grep { $_ } @is_run;
    my $head = $has_runs ? pack('V', 12347 | ($count - 1) << 16) . pack('b*', join('', @is_run)) : pack('VV', 12346, $count);
    $head .= join '', map { pack 'vv', $_, @{ $low{$_} } - 1 } @keys;
    if (!$has_runs || $count >= 4)
    {
        my $at = length($head) + 4 * $count;
        for my $body (@bodies) { $head .= pack 'V', $at; $at += length $body }
    }
    return join '', $head, @bodies;
}

# The 64-bit extension: how many 32-bit bitmaps, then the high half and the bitmap, for each.
sub write64
{
    my ($kind, @members) = @_;
    my (@highs, %parts);
    for my $member (@members)
    {
        my $high = $member >> 32;
        push @highs, $high unless $parts{$high};
        push @{ $parts{$high} }, $member & 0xffffffff;
    }
    return pack('Q<', scalar @highs) . join '', map { pack('V', $_) . write32($kind, @{ $parts{$_} }) } @highs;
}

my $node = new_node('format');
$node->safe_psql('postgres', 'CREATE EXTENSION fas');
sub ask { return $node->safe_psql('postgres', "SET fas.roaring_output_format = 'array'; SET bytea_output = 'hex';" . $_[0]) }

# What the specification says is in its files: every 1000th number below 100000, three times each number from 100000 to
# 199999, and 700000 to 799999. Their digests are those of the files in RoaringFormatSpec/testdata.
my @members = ((map { 1000 * $_ } 0 .. 99), (map { 3 * $_ } 100000 .. 199999), 700000 .. 799999);
my %files = (
    plain => [ 72616, 'd719ae2e0150a362ef7cf51c361527585891f01460b1a92bcfb6a7257282a442' ],
    smallest => [ 48056, '1f1909bfdd354fa2f0694fe88b8076833ca5383ad9fc3f68f2709c84a2ab70e3' ]);
my $set = q{(SELECT array_agg(v::int ORDER BY v) FROM (SELECT 1000 * i AS v FROM generate_series(0, 99) i UNION ALL SELECT 3 * i FROM generate_series(100000, 199999) i UNION ALL SELECT generate_series(700000, 799999)) s)};
for my $kind (sort keys %files)
{
    my $bytes = write32($kind, @members);
    is(length($bytes) . ' ' . sha256_hex($bytes), "@{ $files{$kind} }", ($kind eq 'plain' ? 'bitmapwithoutruns.bin' : 'bitmapwithruns.bin') . ' is written as published');
    my $hex = unpack 'H*', $bytes;
    is(ask("WITH f AS (SELECT '\\x$hex'::roaringbitmap AS b) SELECT rb_cardinality(b), rb_to_array(b) = $set, b = rb_build($set), encode(sha256(b::bytea), 'hex'), encode(sha256(roaringbitmap_send(b)), 'hex') FROM f"),
        join('|', 200100, 't', 't', $files{$kind}[1], $files{$kind}[1]), '... read, and given back as it was');
}
is(ask("SELECT encode(sha256(rb_runoptimize(rb_build($set))::bytea), 'hex')"), $files{smallest}[1], 'fas writes bitmapwithruns.bin itself');
is(ask("SELECT encode(sha256(rb_build($set)::bytea), 'hex')"), $files{plain}[1], 'fas writes bitmapwithoutruns.bin itself');

# testdata64: bitmap64.bin and portable_bitmap64.bin.
my @even = map { 2 * $_ } 0 .. 32767;
my @first = (@even, (map { 2**32 + $_ } 0 .. 999_999), 2**48);
my @second = map { my $base = $_ * 2**32; map { $base + $_ } (0 .. 0x9000), (0xA000 .. 0x10000), 0x20000, 0x20005, (map { 0x80000 + $_ } @even) } 0, 1;
my %files64 = (
    'bitmap64.bin' => [ \@first, 'a0f752256dbbc2ca67659c4bedb0ac5b67f18fbef76d65e0cc95bfa442eb0a6a',
        q{(SELECT array_agg(v ORDER BY v) FROM (SELECT 2::bigint * i AS v FROM generate_series(0, 32767) i UNION ALL SELECT 4294967296 + i FROM generate_series(0, 999999) i UNION ALL SELECT 281474976710656) s)} ],
    'portable_bitmap64.bin' => [ \@second, 'b5a553a759167f5f9ccb3fa21552d943b4c73235635b753376f4faf62067d178',
        q{(SELECT array_agg(h * 4294967296 + v ORDER BY h, v) FROM generate_series(0::bigint, 1) h, (SELECT generate_series(0, 36864) AS v UNION ALL SELECT generate_series(40960, 65536) UNION ALL SELECT 131072 UNION ALL SELECT 131077 UNION ALL SELECT 524288 + 2 * i FROM generate_series(0, 32767) i) s)} ]);
for my $name (sort keys %files64)
{
    my ($values, $digest, $expected) = @{ $files64{$name} };
    my $bytes = write64('smallest', @$values);
    is(sha256_hex($bytes), $digest, "$name is written as published");
    my $hex = unpack 'H*', $bytes;
    is(ask("WITH f AS (SELECT '\\x$hex'::roaringbitmap64 AS b) SELECT rb64_cardinality(b), rb64_to_array(b) = $expected, b = rb64_build($expected), encode(sha256(b::bytea), 'hex'), encode(sha256(rb64_runoptimize(rb64_build($expected))::bytea), 'hex') FROM f"),
        join('|', scalar @$values, 't', 't', $digest, $digest), '... read, given back as it was, and written by fas itself');
}

# Every kind of container at every border, in every encoding, and back.
srand 20;
for my $round (1 .. 30)
{
    my %seen = map { $_ => 1 } (0, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)[ map { int rand 6 } 1 .. 3 ];
    for (1 .. 1 + int rand 3)
    {
        my ($base, $step, $count) = (65536 * (0, 1, 32767, 32768, 65535)[ rand 5 ], 1 + int rand 4, 1 + int rand 9000);
        $seen{ $base + $step * $_ } = 1 for grep { $step * $_ < 65536 } 0 .. $count;
    }
    my @sorted = sort { $a <=> $b } keys %seen;
    my $digest = ask("SELECT md5(string_agg((v % 4294967296)::text, ',' ORDER BY v)) FROM unnest('{" . join(',', @sorted) . "}'::bigint[]) v");
    my $forms = join ' UNION ALL ', map { my $hex = unpack 'H*', write32($_, @sorted); "SELECT '\\x$hex'::roaringbitmap AS b" } qw(plain runs smallest);
    my @wide = map { $_ + 2**33 * ($round % 3) } @sorted;
    my $wide = join ' UNION ALL ', map { my $hex = unpack 'H*', write64($_, @wide); "SELECT '\\x$hex'::roaringbitmap64 AS b" } qw(plain runs smallest);
    is(ask("SELECT count(DISTINCT b), min(rb_cardinality(b)), max(rb_cardinality(b)), count(DISTINCT rb_to_array(b)), min(md5((SELECT string_agg((e::bigint & 4294967295)::text, ',' ORDER BY e::bigint & 4294967295) FROM rb_iterate(b) e))) FROM ($forms) f;
            SELECT count(DISTINCT b), min(rb64_cardinality(b)), bool_and(rb64_to_array(b) = '{" . join(',', @wide) . "}') FROM ($wide) f"),
        join('|', 1, scalar @sorted, scalar @sorted, 1, $digest) . "\n" . join('|', 1, scalar @sorted, 't'), "random set $round");
}

# Damage at the doors. Whatever is let in must work in every function that is tried; errors have the right code.
$node->safe_psql('postgres', q{
    CREATE FUNCTION knock(form text, value bytea, wide boolean) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE t text := CASE WHEN wide THEN 'roaringbitmap64' ELSE 'roaringbitmap' END; p text := CASE WHEN wide THEN 'rb64' ELSE 'rb' END; said text;
    BEGIN
      BEGIN
        EXECUTE format(CASE form WHEN 'text' THEN 'SELECT %1$s_cardinality(convert_from($1, ''SQL_ASCII'')::%2$s)::text' WHEN 'hex' THEN 'SELECT %1$s_cardinality($1::text::%2$s)::text' ELSE 'SELECT %1$s_cardinality($1::%2$s)::text' END, p, t) INTO said USING value;
      EXCEPTION WHEN others THEN RETURN SQLSTATE; END;
      IF form = 'text' THEN RETURN 'taken'; END IF;
      IF said::numeric > 1000000 THEN RETURN 'taken'; END IF;
      EXECUTE format('SELECT %1$s_cardinality(b) = cardinality(%1$s_to_array(b)) AND %1$s_build(%1$s_to_array(b)) = b AND %1$s_hash(b) = %1$s_hash(%1$s_runoptimize(b)) AND %1$s_cardinality(%1$s_xor(b, %1$s_runoptimize(b))) = 0
        AND (SELECT count(*) FROM %1$s_iterate(b)) = %1$s_cardinality(b) AND (%1$s_is_empty(b) OR %1$s_contains(b, %1$s_min(b)) AND %1$s_rank(b, %1$s_max(b)) = %1$s_cardinality(b)) FROM (SELECT $1::%2$s AS b) s', p, t) INTO said USING value;
      RETURN CASE said WHEN 'true' THEN 'taken' ELSE 'WRONG' END;
    END $$});
my %told;
for my $round (1 .. 12)
{
    my @calls;
    for (1 .. 200)
    {
        my $wide = int rand 2;
        my @sorted = sort { $a <=> $b } keys %{ { map { int(rand(3)) * 65536 + int(rand 200) => 1 } 1 .. 1 + rand 60 } };
        my $bytes = $wide ? write64((qw(plain runs smallest))[ rand 3 ], @sorted) : write32((qw(plain runs smallest))[ rand 3 ], @sorted);
        my $form = (qw(text hex cast))[ rand 3 ];
        $bytes = '{' . join(',', @sorted) . '}' if $form eq 'text';
        for (1 .. rand 3) { substr($bytes, rand(length $bytes), rand(3), $form eq 'text' ? (split //, ' {},-+.0919eEx\\')[ rand 15 ] : chr int rand 256) }
        push @calls, sprintf("('%s', '\\x%s'::bytea, %s)", $form, unpack('H*', $bytes), $wide ? 'true' : 'false');
    }
    for my $line (split /\n/, $node->safe_psql('postgres', 'SELECT form, knock(form, value, wide), count(*) FROM (VALUES ' . join(',', @calls) . ') v (form, value, wide) GROUP BY 1, 2'))
    {
        my ($form, $answer, $count) = split /\|/, $line;
        $told{$form}{$answer} += $count;
    }
}
my %allowed = (text => [ qw(taken 22P02 22003) ], hex => [ qw(taken 22P02) ], cast => [ qw(taken 22P03) ]);
for my $form (sort keys %allowed)
{
    my %answers = %{ $told{$form} };
    my $list = join ', ', map { "$_: $answers{$_}" } sort keys %answers;
    is_deeply([ grep { my $answer = $_; !grep { $_ eq $answer } @{ $allowed{$form} } } sort keys %answers ], [], "door $form: $list");
    ok($answers{taken} && keys %answers > 1, '... some of each');
}

$node->stop;
done_testing();
