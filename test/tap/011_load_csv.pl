# scripts/load-csv: a file in several parts comes in whole, by either way; run again, nothing is counted twice; what is
# refused is named, and once it is mended the rest comes in.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('load_csv', synchronous_commit => 'off');
$node->safe_psql('postgres', 'CREATE EXTENSION fas');
my $directory = PostgreSQL::Test::Utils::tempdir();
my ($script) = grep { -e } map { "$FindBin::RealBin/../$_" } qw(load-csv ../scripts/load-csv);

# 40 MB: three parts. Columns in an order of their own, so that a part without the header would be wrong.
my $n = 600_000;
sub write_file
{
    my ($name, $change) = @_;
    open(my $file, '>', "$directory/$name") or die "$name: $!";
    print $file "remark,bytes_rx,bytes_tx,hour,dest_app,src_app,vpc_id\r\n";
    for my $i (1 .. $n)
    {
        my $line = sprintf "\"any, thing %d\",%d,%d,%d,payments-%d,\"check\"\"out-%d\",vpc-%d\r\n", $i % 7, $i, 3 * $i, $i / 100_000, $i % 90, $i % 77, $i % 3;
        $line = $change->($i, $line) if $change;
        print $file $line;
    }
    close $file or die "$name: $!";
    return "$directory/$name";
}

sub load { return run_command([ 'perl', $script, @_, '-d', $node->connstr('postgres') ]) }
sub stored { return $node->safe_psql('postgres', q{SELECT count(*), sum(bytes_tx), sum(bytes_rx), count(DISTINCT src_app) FROM flows}) }
sub keys_of { return $node->safe_psql('postgres', q{SELECT string_agg(batch_key, ' ' ORDER BY batch_key) FROM flow_batches}) }
sub empty { return $node->safe_psql('postgres', 'TRUNCATE flow_segments, flow_batches') }

my $sum = $n * ($n + 1) / 2;
my $everything = join '|', $n, 3 * $sum, $sum, 77;
my $file = write_file('flows.csv');
for my $way ([], ['-s'], [ '-j', 1 ])
{
    empty();
    my ($out, $err) = load(@$way, $file);
    is("$out$err", '', "loads quietly: @$way");
    is(stored(), $everything, 'every flow is there, once');
    is(keys_of(), 'flows.csv #1 flows.csv #2 flows.csv #3', 'its parts are batches with keys');
}
my ($out, $err) = load("-s", $file);
is("$out$err" . stored(), $everything, 'again, the other way: nothing is counted twice');
system("cat '$file' | '$^X' '$script' -k flows.csv - -d '" . $node->connstr('postgres') . "'");
is("$?" . stored(), "0$everything", 'from standard input, under its name: the same');

# A wrong line in the second part, then mended to another length: the parts that had come in are recognized.
empty();
($out, $err) = load('-k', 'other', write_file('wrong.csv', sub { my ($i, $line) = @_; $i == 400_000 ? "wrong,$line" : $line }));
like($err, qr/wrong number of fields in line (\d+)/, 'a wrong line is refused');
like($err, qr/part 2 was not loaded; its first line is line (\d+) of .*wrong\.csv \(and line 2 of the part, behind the header\)/, 'its part is named');
my ($in_part) = $err =~ /in line (\d+)/;
my ($first) = $err =~ /its first line is line (\d+)/;
is($first + $in_part - 2, 400_001, 'the two lead to the line');
unlike(keys_of(), qr/#2/, 'nothing of that part was stored');
($out, $err) = load('-k', 'other', $file);
is("$out$err" . stored(), $everything, 'after the line was mended, the rest comes in, once');

# What it can't do, it says.
for my $case ([ 'no file', qr/cannot open/, "$directory/none" ], [ 'no name for standard input', qr/usage/, '-' ], [ 'no database', qr/does not exist.*part 1 was not loaded/s, $file, '-d', $node->connstr('none') ])
{
    my ($what, $expected, @arguments) = @$case;
    ($out, $err) = run_command([ 'perl', $script, @arguments ]);
    like($err, $expected, $what);
}

no_problem($node, 'all segments are sound');
$node->stop;
done_testing();
