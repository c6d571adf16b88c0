#!/usr/bin/perl

# Runs the tests that are named, or all; screen short, logs in build/t/.
# Test::Nginx files run twice: in a single process and with a master and
# several workers; a table of configurations runs once.

use strict;
use warnings;

use Cwd ();
use File::Path qw(make_path remove_tree);
use TAP::Parser;
use Time::HiRes qw(time);

my $root = shift @ARGV;
my @files = @ARGV;
my $workers = 4;

if (@files) {
    @files = map { /^\// ? $_ : -e $_ ? Cwd::abs_path($_) : "$root/$_" } @files;
}

chdir $root or die "$root: $!\n";

# as `prove -r t` finds them
@files = sort glob('t/*.t t/*/*.t') unless @files;
s/^\Q$root\E\/// for @files;

my $logs = "$root/build/" . ($ENV{WA_GATEWAY_TEST_LOGS} || 't');
remove_tree($logs);
make_path($logs);

# The tests decide what is set, not the shell they were started from, but for
# how hard they try.
delete @ENV{grep { !/^WA_GATEWAY_TEST_/ && /^(?:WA_GATEWAY_|HEALTH_CHECK_|VENDOR|PORT$|HOST$|INSTANCES$
                        |REQUEST_TIMEOUT$|WORKERS$|GATEWAY_LANG$|API_KEY$
                        |API_KEY_FILE$|TRUSTED_PROXIES$|SENDER$|PACE_|IDEMPOTENCY|JOURNAL$|STORE_URL$
                        |DEFAULT_COUNTRY$|ALLOW_DANGEROUS$|ADMIN_KEY$|STATE_FILE$
                        |DNS_REFRESH$|RESOLVER$)/x }
            keys %ENV};

# A path with blanks could not be given in this variable.
my $module = 'build/ngx_http_wa_gateway_module.so';
$ENV{TEST_NGINX_LOAD_MODULES} ||= "$root/$module";
$ENV{TEST_NGINX_BINARY} ||= 'nginx';
$ENV{TEST_NGINX_RANDOMIZE} = 1 unless defined $ENV{TEST_NGINX_RANDOMIZE};
$ENV{PERL5LIB} = join ':', "$root/t/lib",
                 defined $ENV{PERL5LIB} ? $ENV{PERL5LIB} : ();

my ($passed, $failed) = (0, 0);

for my $file (@files) {
    if (!-f $file) {
        report($file, { failed => 1, why => ['no such file'] });
        next;
    }

    if (!runs_twice($file)) {
        report($file, run_file($file, $file, {}));
        next;
    }

    report($file, run_file($file, "$file-single",
                           { TEST_NGINX_MASTER_PROCESS => 'off' }));
    report("$file, $workers workers",
           run_file($file, "$file-workers",
                    { TEST_NGINX_MASTER_PROCESS => 'on' },
                    "-MWaGateway::Workers=$workers"));
}

print 'logs: ', $logs =~ m{^\Q$root\E/(.*)}, "/\n" if $failed;
print "$passed passed, $failed failed\n";

exit($failed || !$passed ? 1 : 0);


sub runs_twice {
    my ($file) = @_;

    open my $fh, '<', $file or return 0;

    while (<$fh>) {
        last if /^__(?:DATA|END)__/;
        return 0 if /^use WaGateway::Socket 'table'/;
        return 1 if /^\s*(?:use|require)\s+Test::Nginx\b/;
    }

    return 0;
}


sub run_file {
    my ($file, $name, $env, @switches) = @_;

    (my $log = $name) =~ s/[^\w.-]+/_/g;
    $log = "$logs/$log.log";

    local @ENV{keys %$env} = values %$env;

    my $start = time;
    my $pid = open my $out, '-|';
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        open STDERR, '>', "$log.err" or die "$log.err: $!\n";
        exec $^X, @switches, $file or die "$^X: $!\n";
    }

    open my $copy, '>', $log or die "$log: $!\n";

    my $tap = '';
    while (<$out>) {
        $tap .= $_;
        print $copy $_;
    }

    close $out;
    my $status = $?;

    open my $err, '<', "$log.err" or die "$log.err: $!\n";
    my @said = <$err>;
    print $copy @said;
    close $copy;
    unlink "$log.err";

    my $result = parse($tap, $status);
    $result->{time} = time - $start;

    # On a machine that is gone afterwards this is all that is left.
    push @{$result->{why}}, map { chomp; $_ } @said > 20 ? @said[-20 .. -1]
                                                         : @said
        if $result->{failed};

    return $result;
}


sub parse {
    my ($tap, $status) = @_;

    # one that died at once said nothing, which is no TAP
    my $parser = TAP::Parser->new({ tap => $tap eq '' ? "\n" : $tap });
    my (@why, $skip);

    while (my $line = $parser->next) {
        if ($line->is_test && !$line->is_ok) {
            push @why, $line->as_string;

        } elsif ($line->is_bailout) {
            push @why, $line->as_string;

        } elsif ($line->is_plan && $line->has_skip) {
            $skip = $line->explanation;
        }
    }

    my $skipped = $parser->skipped;
    my $bad = @why;

    # A plan that was not kept and a bad exit count even if all that ran
    # passed.
    if ($parser->tests_planned && !defined $skip
        && $parser->tests_planned != $parser->tests_run)
    {
        my $less = $parser->tests_planned - $parser->tests_run;
        $bad += $less > 0 ? $less : 1;
        push @why, sprintf 'planned %d, ran %d',
                           $parser->tests_planned, $parser->tests_run;

    } elsif (!defined $skip && !$parser->tests_planned) {
        $bad++;
        push @why, 'no plan';

    } elsif ($parser->parse_errors) {
        $bad++;
        push @why, $parser->parse_errors;
    }

    if ($status && !$bad) {
        $bad++;
        push @why, $status & 127 ? 'killed by signal ' . ($status & 127)
                                 : 'exit status ' . ($status >> 8);
    }

    my $good = () = $parser->passed;

    return { passed => $good - $skipped, failed => $bad, why => \@why,
             skipped => $skipped, skip_all => $skip };
}


sub report {
    my ($name, $r) = @_;

    $passed += $r->{passed} || 0;
    $failed += $r->{failed};

    my $note = $r->{failed} ? "FAILED $r->{failed}"
             : defined $r->{skip_all} ? "skipped: $r->{skip_all}"
             : "ok $r->{passed}";

    $note .= ", skipped $r->{skipped}" if $r->{skipped};
    printf "%-44s %s%s\n", $name, $note,
           $r->{time} ? sprintf(' (%.1f s)', $r->{time}) : '';

    print "    $_\n" for @{$r->{why}};
}
