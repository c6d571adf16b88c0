package WaGateway::Checks;

# What the tests of the active checks share.

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();
use Test::More ();
use Time::HiRes qw(sleep time);
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);

our @EXPORT = qw(checked several refused checks state settles spaces changes
                 wait_count);


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


# nginx with several upstreams, each with a /status/NAME: name and text.
sub several {
    my ($upstreams, %o) = @_;
    return ng_of($upstreams, %o)->start;
}


sub ng_of {
    my ($upstreams, %o) = @_;

    my $ng = WaGateway::Nginx->new(%o);
    my $http = $o{http} || '';

    $ng->{conf} = "http { access_log off; $http\n"
        . join('', map { "upstream $_ { wa_gateway zone=$_:256k; "
                         . "$upstreams->{$_} }\n" } sort keys %$upstreams)
        . "server { listen 127.0.0.1:$ng->{port};\n"
        . join('', map { "location = /status/$_ { wa_gateway_status $_; }\n" }
                   sort keys %$upstreams)
        . "} }\n";

    return $ng;
}


# What `nginx -t` says of an upstream it refuses, without the place.
sub refused {
    my ($upstream) = @_;

    my ($status, $text) = ng_of({ u => $upstream })->test;
    return "accepted: $text" unless $status;

    my ($line) = $text =~ /\[emerg\] \d+#\d+: (.*)/ or return $text;
    $line =~ s{ in \S+/nginx\.conf:\d+$}{};

    return $line;
}


# The checks a fake saw: those of the path.
sub checks {
    my ($fake, $path) = @_;
    return $fake->ledger($path || '/health');
}


# Of a fake, a name, or "/NAME" of several(): the state and the reason.
sub state {
    my ($ng, $fake) = @_;
    my $d;

    if (!ref $fake && $fake =~ m{^/}) {
        ($d) = values %{JSON::PP::decode_json($ng->request('GET',
                            "/status$fake")->{body})->{instances}{details}};
    } else {
        $d = $ng->instance(ref $fake ? $fake->name : $fake);
    }

    return 'unknown' unless $d;
    return $d->{state} . (defined $d->{reason} ? ": $d->{reason}" : '');
}


# One test: the state becomes this; returns how long that took.
sub settles {
    my ($ng, $fake, $want, $name) = @_;

    my $start = time;
    my $got;

    my $ok = poll {
        $got = &state($ng, $fake);
        ref $want ? $got =~ $want : $got eq $want;
    };

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
    my ($fake, $n) = @_;
    return poll { checks($fake) >= $n };
}


1;
