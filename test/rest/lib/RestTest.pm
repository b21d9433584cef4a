# What the REST tests share: a database of their own with fas and the API in it, PostgREST's statements replayed by psql,
# an HTTP client that sends exactly what it is told, and JSON Web Tokens. Needs nothing beside Debian's perl.
package RestTest;

use strict;
use warnings;

use Digest::SHA 'hmac_sha256';
use Encode 'encode_utf8';
use Exporter 'import';
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use MIME::Base64 'encode_base64url';
use POSIX ();
use Storable ();
use Test::More;
use Time::HiRes 'time';

our @EXPORT = qw(
    new_database install_api psql psql_fails root free_port
    find_program skip_everything start_service stop_service restart_postgrest kill_database start_database
    background result_of request get post raw_request json_of encode_name token is_error flow post_flows
);

my $root = $ENV{FAS_ROOT} // die "run by test/rest/run\n";
my $json = JSON::PP->new->utf8->allow_nonref->allow_bignum;
my @services;
my $started = 0;
my $running = 0; # what quietly() waits for

sub root { return $root }

# psql ------------------------------------------------------------------------------------------------------------

# What a script prints; dies when it fails. Options: db, user, vars => { name => value }.
sub psql
{
    my ($script, %options) = @_;
    my ($ok, $out, $err) = run_psql($script, %options);
    die "psql failed: $err\nin: " . substr($script, 0, 500) . "\n" unless $ok;
    return $out;
}

# What psql says on standard error of a script that must fail; '' when it does not.
sub psql_fails
{
    my ($script, %options) = @_;
    my ($ok, $out, $err) = run_psql($script, %options);
    return $ok ? '' : $err;
}

sub run_psql
{
    my ($script, %options) = @_;
    my $base = "$ENV{FAS_REST_TMP}/psql.$$";
    spew("$base.sql", $script);
    my @command = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-d', $options{db} // $ENV{PGDATABASE});
    push @command, '-U', $options{user} if $options{user};
    push @command, '-v', "$_=$options{vars}{$_}" for sort keys %{ $options{vars} // {} };
    my $status = quietly("$base.out", "$base.err", @command, '-f', $options{file} // "$base.sql");
    my ($out, $err) = map { slurp("$base.$_") } qw(out err);
    unlink map { "$base.$_" } qw(sql out err);
    chomp $out;
    return ($status == 0, $out, $err);
}

# A new database with fas; with the API too, unless told otherwise.
sub new_database
{
    my ($name, %options) = @_;
    psql("DROP DATABASE IF EXISTS $name", db => 'postgres');
    psql("CREATE DATABASE $name", db => 'postgres');
    my $schema = $options{schema} // 'public';
    psql("CREATE SCHEMA IF NOT EXISTS $schema; CREATE EXTENSION fas SCHEMA $schema", db => $name);
    install_api($name, %options) unless $options{without_api};
    return $name;
}

sub install_api
{
    my ($name, %options) = @_;
    return psql('', db => $name, file => "$root/rest/api.sql", vars => $options{vars} // {});
}

# files and processes -----------------------------------------------------------------------------------------------

sub spew
{
    my ($path, $text) = @_;
    open my $file, '>:raw', $path or die "$path: $!\n";
    print {$file} utf8::is_utf8($text) ? encode_utf8($text) : $text;
    close $file or die "$path: $!\n";
    return;
}

sub slurp
{
    my ($path) = @_;
    open my $file, '<:raw', $path or return '';
    local $/ = undef;
    return <$file> // '';
}

# The exit status of a command whose output goes to files.
sub quietly
{
    my ($out, $err, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0)
    {
        open STDIN, '<', '/dev/null' and open STDOUT, '>', $out and open STDERR, '>', $err and exec @command;
        warn "$command[0]: $!\n";
        POSIX::_exit(127);
    }
    $running = $pid;
    waitpid $pid, 0;
    $running = 0;
    return $?;
}

sub find_program
{
    my ($name) = @_;
    for my $directory (split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin', '/sbin')
    {
        return "$directory/$name" if -x "$directory/$name" && !-d _;
    }
    return;
}

# Ends a test that can't run here, as one skipped assertion.
sub skip_everything
{
    my ($why) = @_;
    diag("SKIPPED: $why");
SKIP:
    {
        skip $why, 1;
    }
    done_testing();
    exit 0;
}

sub free_port
{
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0) or die "no free port: $!\n";
    return $socket->sockport;
}

# The service ---------------------------------------------------------------------------------------------------------

# A private nginx and PostgREST over a database: a hash of port (nginx), admin (PostgREST's admin port), socket
# (PostgREST's own), dir. Options: db, anon (all), secret, env => { NAME => value }. Ends the test, as skipped, where
# there is no PostgREST or nginx. What is started is stopped when the test ends, however it ends.
sub start_service
{
    my (%options) = @_;
    my $postgrest = $ENV{POSTGREST} // find_program('postgrest');
    skip_everything('no PostgREST: name one by POSTGREST, or have it on PATH') unless $postgrest && -x $postgrest;
    my $nginx = $ENV{NGINX} // find_program('nginx');
    skip_everything('no nginx: scripts/install-deps') unless $nginx && -x $nginx;
    my $service = {
        dir => "$ENV{FAS_REST_TMP}/" . ++$started . ".$$", port => free_port(), admin => free_port(), user => $ENV{FAS_SERVER_USER}
    };
    $service->{socket} = "$service->{dir}/postgrest.sock";
    my @arguments = (
        "database=$options{db}", 'anon=' . ($options{anon} // 'all'), "port=$service->{port}", "admin=$service->{admin}", "dir=$service->{dir}");
    if ($options{secret})
    {
        spew("$ENV{FAS_REST_TMP}/secret.$$", $options{secret});
        push @arguments, "secret=$ENV{FAS_REST_TMP}/secret.$$";
    }
    local %ENV = (%ENV, POSTGREST => $postgrest, %{ $options{env} // {} });
    push @services, $service;
    my $log = "$service->{dir}.log";
    quietly($log, "$log.err", "$root/rest/service", 'start', @arguments) == 0 or die "rest/service did not start:\n" . slurp($log) . slurp("$log.err");
    return $service;
}

sub stop_service
{
    my ($service) = @_;
    @services = grep { $_ != $service } @services;
    my $kept = "$root/build/rest-test";
    mkdir $kept;
    for my $log (glob "$service->{dir}/*.log")
    {
        spew("$kept/" . ($0 =~ m{([^/]+)\.pl$} ? "$1." : '') . ($log =~ m{([^/]+)$})[0], slurp($log));
    }
    my $log = "$service->{dir}.log";
    quietly($log, "$log.err", "$root/rest/service", 'stop', "dir=$service->{dir}") == 0 or warn "rest/service did not stop:\n" . slurp($log) . slurp("$log.err");
    return;
}

# Ends PostgREST by a signal, and starts it again after a while, with the command and the environment that it had.
sub restart_postgrest
{
    my ($service, $signal, $seconds) = @_;
    my $file = "$service->{dir}/postgrest.pid";
    chomp(my $pid = slurp($file));
    my @command = split /\0/, slurp("/proc/$pid/cmdline");
    my %environment = map { split /=/, $_, 2 } split /\0/, slurp("/proc/$pid/environ");
    my ($uid, $gid) = (stat "/proc/$pid")[ 4, 5 ];
    die "no PostgREST runs as $pid\n" unless @command;
    kill $signal, $pid;
    for (1 .. 200)
    {
        last unless kill 0, $pid;
        Time::HiRes::sleep(0.05);
    }
    Time::HiRes::sleep($seconds);
    my $child = fork // die "fork: $!\n";
    if ($child == 0)
    {
        my $again = fork // die "fork: $!\n"; # its parent is not this test
        POSIX::_exit(0) if $again;
        POSIX::setsid();
        ($(, $)) = ($gid, "$gid $gid");
        ($<, $>) = ($uid, $uid);
        %ENV = %environment;
        open STDIN, '<', '/dev/null' and open STDOUT, '>>', "$service->{dir}/postgrest.log" and open STDERR, '>&', \*STDOUT
            and open my $pid_file, '>', $file or POSIX::_exit(126);
        print {$pid_file} "$$\n";
        close $pid_file;
        chdir '/';
        exec @command or POSIX::_exit(127);
    }
    waitpid $child, 0;
    return;
}

# kill -9 of the private cluster's postmaster and all that it started, as when the machine's power fails.
sub kill_database
{
    my ($postmaster) = split /\n/, slurp("$ENV{FAS_CLUSTER}/data/postmaster.pid");
    die "no PostgreSQL runs\n" unless $postmaster;
    kill 'STOP', $postmaster; # it must not tell its children, nor they hear of its end, before they are dead too
    my @processes = (children_of($postmaster), $postmaster);
    kill 9, @processes;
    for my $pid (@processes)
    {
        for (1 .. 600)
        {
            last unless -d "/proc/$pid";
            Time::HiRes::sleep(0.05);
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
        push @children, $1 if slurp($path) =~ /^(\d+) \(.*\) \S (\d+) / && $2 == $parent;
    }
    return @children;
}

# Starts it again, and waits until it has recovered.
sub start_database
{
    my @command = (find_program('pg_ctl'), '-D', "$ENV{FAS_CLUSTER}/data", '-l', "$ENV{FAS_CLUSTER}/log", qw(-w -t 120 -s start));
    unshift @command, 'runuser', '-u', $ENV{FAS_SERVER_USER}, '--' if $< == 0;
    my $log = "$ENV{FAS_REST_TMP}/pg_ctl";
    quietly($log, "$log.err", 'sh', '-c', 'cd / && exec "$@"', '-', @command) == 0 or die "PostgreSQL did not start again:\n" . slurp($log) . slurp("$log.err");
    return;
}

# HTTP ----------------------------------------------------------------------------------------------------------------

# request(port, method, target, headers => [name => value, ...], body => bytes): a hash of status, reason, headers (lower
# case name => value; of several, joined by a comma), body. The target and headers are sent as they are. A port may be the
# path of a socket.
sub request
{
    my ($port, $method, $target, %options) = @_;
    my @headers = @{ $options{headers} // [] };
    my $text = "$method $target HTTP/1.1\r\nHost: localhost:$port\r\nConnection: close\r\n";
    while (my ($name, $value) = splice @headers, 0, 2)
    {
        $text .= "$name: $value\r\n";
    }
    my $body = $options{body};
    $text .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;
    return raw_request($port, "$text\r\n" . ($body // ''), head => $method eq 'HEAD', timeout => $options{timeout});
}

# Sends bytes as they are and reads one answer; status 0 when none came.
sub raw_request
{
    my ($port, $bytes, %options) = @_;
    my $answer = { status => 0, reason => '', headers => {}, body => '', raw => '' };
    my $socket = $port =~ m{/} ? IO::Socket::UNIX->new(Peer => $port) : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
    return $answer unless $socket;
    binmode $socket;
    local $SIG{PIPE} = 'IGNORE';
    local $SIG{ALRM} = sub { die "timeout\n" };
    my $received = '';
    eval {
        alarm($options{timeout} // 60);
        for (my $sent = 0; $sent < length $bytes;)
        {
            my $n = syswrite $socket, $bytes, 1 << 20, $sent;
            last unless defined $n; # the server may answer, and hang up, before it has read everything
            $sent += $n;
        }
        1 while sysread $socket, $received, 1 << 16, length $received;
        alarm(0);
    };
    alarm(0);
    close $socket;
    return parse_answer($answer, $received, $options{head});
}

sub parse_answer
{
    my ($answer, $received, $head) = @_;
    $answer->{raw} = $received;
    $received =~ s{^HTTP/1\.1 100[^\r]*\r\n\r\n}{}; # what Expect: 100-continue asks for
    my $end = index $received, "\r\n\r\n";
    return $answer if $end < 0;
    my ($first, @lines) = split /\r\n/, substr $received, 0, $end;
    @$answer{qw(status reason)} = ($1, $2) if $first =~ m{^HTTP/1\.[01] (\d{3}) ?(.*)$};
    for my $line (@lines)
    {
        my ($name, $value) = split /:\s*/, $line, 2;
        $name = lc $name;
        $answer->{headers}{$name} = defined $answer->{headers}{$name} ? "$answer->{headers}{$name}, $value" : $value;
    }
    my $body = substr $received, $end + 4;
    $body = join_chunks($body) if !$head && ($answer->{headers}{'transfer-encoding'} // '') =~ /chunked/i;
    $answer->{body} = $body;
    return $answer;
}

sub join_chunks
{
    my ($coded) = @_;
    my $body = '';
    while ($coded =~ /\G([0-9a-fA-F]+)[^\r\n]*\r\n/gc)
    {
        my $length = hex $1 or last;
        $body .= substr $coded, pos $coded, $length;
        pos($coded) = pos($coded) + $length + 2;
    }
    return $body;
}

# The JSON of an answer as Perl data; undef, and a note, when it is none.
sub json_of
{
    my ($answer) = @_;
    my $data = eval { $json->decode(ref $answer ? $answer->{body} : $answer) };
    diag('no JSON: ' . substr(ref $answer ? $answer->{body} : $answer, 0, 300)) unless defined $data;
    return $data;
}

sub get
{
    my ($port, $target, @headers) = @_;
    return request($port, 'GET', $target, headers => \@headers);
}

sub post
{
    my ($port, $target, $body, @headers) = @_;
    return request($port, 'POST', $target, body => $body, headers => \@headers);
}

# A name as a query string's value, every byte but letters and digits as %XX.
sub encode_name
{
    my ($name) = @_;
    my $bytes = encode_utf8($name);
    $bytes =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ge;
    return $bytes;
}

# Runs code in a process of its own; result_of() waits for what it returned.
sub background
{
    my ($code) = @_;
    pipe my $read, my $write or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0)
    {
        close $read;
        binmode $write;
        my $result = eval { $code->() } // { status => 0, body => "$@", headers => {} };
        print {$write} Storable::freeze(ref $result ? $result : \$result);
        close $write;
        POSIX::_exit(0); # not this test's END
    }
    close $write;
    binmode $read;
    return { pid => $pid, read => $read };
}

sub result_of
{
    my ($background) = @_;
    local $/ = undef;
    my $frozen = readline $background->{read};
    waitpid $background->{pid}, 0;
    return length($frozen // '') ? Storable::thaw($frozen) : undef;
}

# Flows ---------------------------------------------------------------------------------------------------------------

# One flow as a hash: flow(hour, src_app, dest_app, vpc_id, bytes_tx, bytes_rx).
sub flow
{
    my %flow;
    @flow{qw(hour src_app dest_app vpc_id)} = @_[0 .. 3];
    @flow{qw(bytes_tx bytes_rx)} = map { $_ + 0 } @_[4, 5];
    $flow{hour} += 0;
    return \%flow;
}

sub post_flows
{
    my ($port, $flows, @headers) = @_;
    return post($port, '/flows', $json->encode($flows), 'Content-Type' => 'application/json', @headers);
}

# Answers -------------------------------------------------------------------------------------------------------------

# An error as a client must get it: the status, a JSON object with exactly the four members, a message that says
# something, and nothing that a client must not see. The pattern is for code, message, details and hint, a line each.
sub is_error
{
    my ($answer, $status, $pattern, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @faults;
    push @faults, "status $answer->{status} ($answer->{reason}), not $status" if $answer->{status} != $status;
    push @faults, 'content type ' . ($answer->{headers}{'content-type'} // 'none')
        unless ($answer->{headers}{'content-type'} // '') =~ m{^application/json};
    my $error = eval { $json->decode($answer->{body}) };
    if (ref $error eq 'HASH')
    {
        push @faults, 'members: ' . join ' ', sort keys %$error
            unless join(' ', sort keys %$error) eq 'code details hint message';
        push @faults, 'no message' unless length($error->{message} // '');
        push @faults, 'no code' unless length($error->{code} // '');
        my $text = join "\n", map { $error->{$_} // '' } qw(code message details hint);
        push @faults, "does not match $pattern" if defined $pattern && $text !~ $pattern;
        push @faults, 'shows a query, a function body or a file'
            if $answer->{body} =~ /\bSELECT\b|\bWITH pgrst|PL\/pgSQL|CONTEXT|\.c:|\.cc:|stack/;
    }
    else
    {
        push @faults, 'the body is no JSON object';
    }
    my $ok = ok(!@faults, $name);
    diag(join("\n", @faults), "\nanswer: ", substr($answer->{raw}, 0, 900)) unless $ok;
    return $ok;
}

# JSON Web Tokens, HS256 ----------------------------------------------------------------------------------------------

sub token
{
    my ($secret, %claims) = @_;
    my $head = delete $claims{head} // { alg => 'HS256', typ => 'JWT' };
    my $text = join '.', map { encode_base64url($json->encode($_)) } $head, \%claims;
    return "$text." . encode_base64url(hmac_sha256($text, $secret));
}

# However this test ends, its services end; background processes are none of that.
my $main = $$;
$SIG{$_} = sub { $$ == $main ? exit 130 : POSIX::_exit(130) } for qw(INT TERM HUP);

END
{
    my $status = $?;
    if ($$ == $main)
    {
        kill 'TERM', $running and waitpid $running, 0 if $running;
        stop_service($_) for @services;
    }
    $? = $status;
}

1;
