# Beside pg_roaringbitmap, which brings a CRoaring of its own into the same backend: both orders of loading, in turn and at
# once. Runs where a copy of it is installed in the server's tree (make install DESTDIR=... in its sources), else says that it did not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use FasTest;
use PostgreSQL::Test::Utils;
use Test::More;

my ($directory) = run_command([ 'pg_config', '--pkglibdir' ]);
skip_everything("pg_roaringbitmap is not installed ($directory/roaringbitmap.so): NOT TESTED beside it") unless -e "$directory/roaringbitmap.so";

my $node = new_node('beside');
$node->safe_psql('postgres', q{CREATE SCHEMA other; CREATE EXTENSION roaringbitmap SCHEMA other; CREATE EXTENSION fas; CREATE TABLE kept (b roaringbitmap, o other.roaringbitmap)});
$node->safe_psql('postgres', batch_sql('a', $_)) for 1 .. 20;
# A segment large enough for its inverted index, so that bitmaps are used by filters.
$node->safe_psql('postgres', q{INSERT INTO flows SELECT 50 + i % 3, 'app' || i % 200, 'd' || i % 149, 'v' || i % 5, i, 1 FROM generate_series(1, 100000) i});

my $ours = q{SELECT rb_cardinality(rb_and(rb_build('{1,2,3,100000,2000000}'), rb_build('{2,3,4,2000000}'))), rb_to_array(rb_or(rb_build('{1,5}'), rb_build('{70000}'))), (SELECT rb_cardinality(rb_build_agg(i)) FROM generate_series(1, 200000) i);};
my $theirs = q{SELECT other.rb_cardinality(other.rb_and(other.rb_build('{1,2,3,100000,2000000}'), other.rb_build('{2,3,4,2000000}'))), other.rb_to_array(other.rb_or(other.rb_build('{1,5}'), other.rb_build('{70000}'))), (SELECT other.rb_cardinality(other.rb_build_agg(i)) FROM generate_series(1, 200000) i);};
my $bitmaps = '3|{1,5,70000}|200000';
my $segments = q{SELECT sum(rb_cardinality(h.indexes)), count(*) FROM flow_segments s, flow_segment_hours(s.segment) h WHERE h.hour >= 50;
    SELECT count(*), sum(bytes_tx) FROM flows WHERE src_app = 'app7' AND dest_app <> 'd3' AND hour >= 50;
    SELECT flows FROM flows_compact() WHERE flows < 0; SELECT count(*) FROM flows_check();};
my $plain = $node->safe_psql('postgres', q{SELECT count(*), sum(i) FROM generate_series(1, 100000) i WHERE i % 200 = 7 AND i % 149 <> 3});
my $answers = "100000|3\n$plain\n0";

for my $round (1 .. 2)
{
    is($node->safe_psql('postgres', "$ours $segments $theirs $ours $segments $theirs"), join("\n", ($bitmaps, $answers, $bitmaps) x 2), "fas is loaded first ($round)");
    is($node->safe_psql('postgres', "$theirs $ours $segments $theirs $segments $ours"), join("\n", $bitmaps, $bitmaps, $answers, $bitmaps, $answers, $bitmaps), "pg_roaringbitmap is loaded first ($round)");
}
# Values of either, passed through the other's bytes (the portable format is a standard), and errors in between.
is($node->safe_psql('postgres', q{
    SELECT count(*) FROM generate_series(1, 50) n, LATERAL (SELECT rb_build(array_agg(i)) AS b, other.rb_build(array_agg(i)) AS o FROM generate_series(1, n * 1000, n) i) x WHERE rb_to_array(b) = other.rb_to_array(o);
    DO $$ BEGIN FOR i IN 1..200 LOOP
        BEGIN PERFORM other.rb_cardinality('\x3a30'::other.roaringbitmap); EXCEPTION WHEN others THEN NULL; END;
        BEGIN PERFORM rb_cardinality('\x3a30'::roaringbitmap); EXCEPTION WHEN others THEN NULL; END;
        PERFORM rb_cardinality(rb_build(ARRAY[i, i + 1])); PERFORM other.rb_cardinality(other.rb_build(ARRAY[i, i + 1]));
    END LOOP; END $$;
    INSERT INTO kept SELECT rb_build(ARRAY[i, i * 70000]), other.rb_build(ARRAY[i, i * 70000]) FROM generate_series(1, 20000) i;
    SELECT sum(rb_cardinality(b)), sum(other.rb_cardinality(o)) FROM kept;}), "50\n40000|40000", 'both, in turn, with errors');
# With one preloaded by every backend, and by the postmaster.
for my $setting ("session_preload_libraries = 'fas,roaringbitmap'", "session_preload_libraries = 'roaringbitmap,fas'", "shared_preload_libraries = 'roaringbitmap,fas'", "shared_preload_libraries = 'fas,roaringbitmap'")
{
    $node->append_conf('postgresql.conf', "session_preload_libraries = ''\nshared_preload_libraries = ''\n$setting");
    $node->restart;
    is($node->safe_psql('postgres', "$segments $theirs $ours"), join("\n", $answers, $bitmaps, $bitmaps), $setting);
}
unlike(slurp_file($node->logfile), qr/terminated by signal/, 'no crash');

$node->stop;
done_testing();
