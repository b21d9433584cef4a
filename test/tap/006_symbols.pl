# The installed library exports what SQL calls, and nothing else; its CRoaring is its own.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use PostgreSQL::Test::Utils;
use Test::More;

my ($directory) = run_command([ 'pg_config', '--pkglibdir' ]);
my $library = "$directory/fas.so";
skip_everything('nm is not there') unless eval { (run_command([ 'nm', '--version' ]))[0] };
ok(-r $library, 'the library is installed') or BAIL_OUT('no fas.so');

my ($defined) = run_command([ 'nm', '-D', '--defined-only', $library ]);
my @names = map { (split ' ')[-1] } split /\n/, $defined;
my %entry = map { /^pg_finfo_(.+)$/ ? ($1 => 1) : () } @names;
cmp_ok(scalar keys %entry, '>', 20, 'SQL entry points are exported');
my @strange = grep { !/^pg_finfo_/ && !$entry{$_} && !/^(?:Pg_magic_func|_PG_init|_PG_fini)$/ } @names;
is("@strange", '', 'nothing else is');
my @missing = grep { my $n = $_; !grep { $_ eq $n } @names } keys %entry;
is("@missing", '', 'and each has its function');
ok((grep { $_ eq 'Pg_magic_func' } @names), 'with the magic block');

my ($undefined) = run_command([ 'nm', '-D', '--undefined-only', $library ]);
my @roaring = grep { /roaring|bitset_|croaring|container/ } map { (split ' ')[-1] } split /\n/, $undefined;
is("@roaring", '', "no symbol of CRoaring is left to the dynamic linker's choice");

done_testing();
