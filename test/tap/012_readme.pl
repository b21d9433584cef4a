# What README shows is what psql prints: each statement of its first five minutes, in their order, with its output.
# Blank lines and psql's counts of rows are left out of both.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use PostgreSQL::Test::Utils;
use Test::More;

my ($readme) = grep { -e } map { "$FindBin::RealBin/../$_" } qw(README.md ../README.md);
my ($minutes) = slurp_file($readme) =~ /^## Five minutes\n(.*?)^## /ms or die "README.md has no five minutes";

# Pairs of a statement, which begins behind the prompt and ends with a line that ends with a semicolon, and its output.
my @shown;
for my $block ($minutes =~ /^```\n(.*?)^```$/msg)
{
    push @shown, map { [ /\A(.*?;)\n(.*)\z/s ] } grep { /\S/ } split /^=> /m, $block;
}
cmp_ok(scalar @shown, '>', 10, 'README shows statements');

sub bare { return join "\n", grep { $_ ne '' && !/^\(\d+ rows?\)$/ } map { s/\s+$//r } split /\n/, shift }

my $node = new_node('readme');
for (@shown)
{
    my ($statement, $output) = @$_;
    my ($out, $err) = run_command([ 'psql', '-X', '-d', $node->connstr('postgres'), '-c', $statement ]);
    is(bare("$out$err"), bare($output), (split /\n/, $statement)[0]);
}

$node->stop;
done_testing();
