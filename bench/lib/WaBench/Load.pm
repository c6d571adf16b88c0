package WaBench::Load;

# What drives the gateways: wrk for speed, bench/client.c for what became of
# each message.

use strict;
use warnings;

use Exporter qw(import);
use WaBench::Backend qw(program);
use WaBench::Process qw(launch load_cpus);
use WaGateway::Nginx qw(slurp);

our @EXPORT_OK = qw(wrk clients collect percentile median);

my $Bench = __FILE__ =~ s{/lib/WaBench/Load\.pm$}{}r;


# { requests, seconds, p50, p99 (us), errors }.  Options: what, size, and for
# requests that name a session, instances and sessions (of each), see post.lua;
# anywhere (on any core).
sub wrk {
    my ($port, $connections, $seconds, %o) = @_;

    my $cpus = load_cpus();
    my @pin = defined $cpus && !$o{anywhere} ? ('taskset', '-c', $cpus) : ();
    my $threads = 1;

    open my $out, '-|', @pin, 'wrk', "-t$threads", "-c$connections",
         "-d${seconds}s", '--timeout', '20s', '-s', "$Bench/post.lua",
         "http://127.0.0.1:$port", '--', $o{what} || 'message',
         map { $_ || 0 } @o{qw(size instances sessions)}
        or die "wrk: $!\n";
    my $text = join '', <$out>;
    close $out;

    my ($requests, $us, $p50, $p99, $errors)
        = $text =~ /^figures (\d+) (\d+) (\d+) (\d+) (\d+)/m
        or die "wrk: $text\n";

    return { requests => $requests, seconds => $us / 1e6, p50 => $p50,
             p99 => $p99, errors => $errors };
}


# Begins; collect() takes the results when all is over.
sub clients {
    my ($port, $clients, $seconds, $file) = @_;

    return { file => $file,
             pid => launch([program('client'), $port, $clients, $seconds],
                           out => $file, cpus => load_cpus()) };
}


# { began (Unix time), us, id, outcome } of each message.
sub collect {
    my ($run) = @_;

    waitpid $run->{pid}, 0;

    return map {
        my %r;
        @r{qw(began us id outcome)} = split;
        \%r;
    } split /\n/, slurp($run->{file});
}


sub percentile {
    my ($share, @values) = @_;

    return 0 unless @values;

    @values = sort { $a <=> $b } @values;
    return $values[int($share / 100 * $#values + 0.5)];
}


sub median { return percentile(50, @_) }


1;
