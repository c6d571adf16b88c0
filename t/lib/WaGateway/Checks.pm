package WaGateway::Checks;

# What the tests of the active checks share.

use strict;
use warnings;

use Exporter qw(import);
use Test::More ();
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);

our @EXPORT = qw(checked checks state settles spaces changes wait_count);


# nginx in front of fakes; the rest are options of WaGateway::Nginx, "check"
# is what follows wa_gateway_check, "more" further lines of the upstream.
sub checked {
    my ($fakes, $check, %o) = @_;

    my $more = delete $o{more} || '';
    my $param = delete $o{server} || '';

    return WaGateway::Nginx->start(%o, upstream => "
        wa_gateway zone=u:512k;
        wa_gateway_check $check;
        $more
        " . join "\n", map { 'server ' . (ref $_ ? $_->name : $_)
                             . " $param;" } @$fakes);
}


# The checks a fake saw: those of the path.
sub checks {
    my ($fake, $path) = @_;
    return $fake->ledger($path || '/health');
}


sub state {
    my ($ng, $fake) = @_;
    my $d = $ng->instance(ref $fake ? $fake->name : $fake) or return 'unknown';
    return $d->{state} . (defined $d->{reason} ? ": $d->{reason}" : '');
}


# One test: the state becomes this within so many seconds; returns how long
# that took.
sub settles {
    my ($ng, $fake, $want, $seconds, $name) = @_;

    my $start = time;
    my $got;

    my $ok = poll {
        $got = &state($ng, $fake);
        ref $want ? $got =~ $want : $got eq $want;
    } $seconds;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::ok($ok, $name) or Test::More::diag("it is $got, not $want");

    return time - $start;
}


# Seconds between checks.
sub spaces {
    my (@checks) = @_;
    return map { $checks[$_]{time} - $checks[$_ - 1]{time} } 1 .. $#checks;
}


# Log lines that tell of a change of state of this instance.
sub changes {
    my ($ng, $fake) = @_;
    my $name = 'http://' . (ref $fake ? $fake->name : $fake);
    return map { s/^.*?wa_gateway: //r }
           $ng->logged(qr/wa_gateway: \Q$name\E is /);
}


sub wait_count {
    my ($fake, $n, $seconds) = @_;
    return poll { checks($fake) >= $n } $seconds || 15;
}


1;
