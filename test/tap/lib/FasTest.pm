# What the TAP tests of fas share: a cluster of the kind that fas is for, sessions that run beside the test, and the
# questions that every test asks in the end.
package FasTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_node start_session finish_session batch_sql kill_everything code_of status_of all_flows no_problem skip_everything);

# A running cluster with UTF-8, ICU names where the server has them, and the settings given as name => value.
sub new_node
{
    my ($name, %settings) = @_;
    my $streaming = delete $settings{allows_streaming};
    my $node = PostgreSQL::Test::Cluster->new($name);
    my @locale = ('--encoding=UTF8', '--locale=C');
    push @locale, '--locale-provider=icu', '--icu-locale=en-US' if $node->pg_version >= 15 && initdb_has_icu();
    $node->init(extra => \@locale, $streaming ? (allows_streaming => 1) : ());
    %settings = (
        log_statement => 'none', shared_buffers => '32MB', max_connections => 30, max_wal_size => '512MB',
        log_min_messages => 'warning', log_min_error_statement => 'panic', %settings);
    $node->append_conf('postgresql.conf', join('', map { "$_ = '$settings{$_}'\n" } sort keys %settings));
    $node->start;
    return $node;
}

sub initdb_has_icu
{
    my ($help) = run_command([ 'initdb', '--help' ]);
    return $help =~ /--icu-locale/;
}

# A psql of its own, fed with a script, beside the test. It stops at its first error.
my $sessions = 0;

sub start_session
{
    my ($node, $script, %options) = @_;
    my $base = $PostgreSQL::Test::Utils::tmp_check . '/session_' . $node->name . '_' . ++$sessions;
    append_to_file("$base.sql", $script);
    my @command = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', "$base.sql", '-d', $node->connstr($options{dbname} // 'postgres'));
    my $run = IPC::Run::start(\@command, '<', '/dev/null', '>', "$base.out", '2>', "$base.err");
    return { run => $run, base => $base };
}

# Waits for it; returns its exit code. What it said is in {out} and {err}.
sub finish_session
{
    my ($session) = @_;
    IPC::Run::finish($session->{run});
    $session->{$_} = slurp_file("$session->{base}.$_") for qw(out err);
    unlink map { "$session->{base}.$_" } qw(sql out err);
    return $session->{run}->result(0);
}

# The statement that posts batch `n` of `client`: 40 flows of eight hours, as one application "client-n". Sums are known:
# bytes_tx 40 * n + 780, bytes_rx 40.
sub batch_sql
{
    my ($client, $n) = @_;
    my @flows = map {
        sprintf '{"hour":%d,"src_app":"%s-%d","dest_app":"d%d","vpc_id":"v","bytes_tx":%d,"bytes_rx":1}',
            ($n + $_) % 8, $client, $n, $_ % 5, $n + $_
    } 0 .. 39;
    return "SELECT flows_ingest('[" . join(',', @flows) . "]', '$client-$n');\n";
}

# kill -9 of the postmaster and of all its children, as when the machine's power fails.
sub kill_everything
{
    my ($node) = @_;
    my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
    kill 'STOP', $postmaster; # it must not tell its children, nor they hear of its end, before they are dead too
    my @processes = (children_of($postmaster), $postmaster);
    kill 9, @processes;
    $node->kill9; # tells the harness
    # Until nobody has their process ids any more: a new postmaster would take a zombie for a running one.
    for my $pid (@processes)
    {
        for (1 .. 600)
        {
            last unless -d "/proc/$pid";
            select undef, undef, undef, 0.1;
        }
    }
    return;
}

sub children_of
{
    my ($parent) = @_;
    my @children;
    for my $path (glob '/proc/[0-9]*/stat')
    {
        open my $stat, '<', $path or next;
        my $line = <$stat> // '';
        push @children, $1 if $line =~ /^(\d+) \(.*\) \S (\d+) / && $2 == $parent;
    }
    return @children;
}

# The SQLSTATE that a statement ends with; '' when it works.
sub code_of
{
    my ($node, $sql, %options) = @_;
    my ($code, $out, $err) = $node->psql($options{dbname} // 'postgres', "\\set VERBOSITY verbose\n$sql",
        on_error_stop => 1, $options{user} ? (extra_params => [ '-U', $options{user} ]) : ());
    return '' if $code == 0;
    return $err =~ /(?:ERROR|FATAL):\s+([0-9A-Z]{5}):/ ? $1 : "no SQLSTATE: $err";
}

# A number (in kB) of a backend's /proc/PID/status.
sub status_of
{
    my ($pid, $field) = @_;
    return slurp_file("/proc/$pid/status") =~ /^$field:\s+(\d+) kB/m ? $1 : die "no $field";
}

# Every flow, in one word.
sub all_flows
{
    my ($node, %options) = @_;
    return $node->safe_psql($options{dbname} // 'postgres',
        q{SELECT count(*) || ' ' || md5(string_agg(f::text, E'\n' ORDER BY f::text COLLATE "C")) FROM flows f});
}

sub no_problem
{
    my ($node, $name, %options) = @_;
    return is($node->safe_psql($options{dbname} // 'postgres', 'SELECT * FROM flows_check()'), '', $name);
}

# Ends a test that can't run here, as one skipped assertion: `prove --verbose` does not show a plan of "skip all".
sub skip_everything
{
    my ($why) = @_;
SKIP:
    {
        skip $why, 1;
    }
    done_testing();
    exit 0;
}

1;
