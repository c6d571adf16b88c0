package WaGateway::Sessions;

# A gateway in front of pretended WhatsApp servers, and what it says of their
# sessions beside what is true.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use JSON::PP ();
use WaGateway::Nginx qw(poll);

our @EXPORT_OK = qw(gateway sessions listing truth known difference differs
                    events);

my $Root = abs_path(dirname(__FILE__) . '/../../..');


# The upstream's lines for fakes, in their order, with their keys.
sub instances {
    return join '', map {
        my $key = defined $_->key ? sprintf '"key=%s"', $_->key : '';
        "wa_gateway_instances vendor=$_->{vendor} $key " . $_->url . ";\n"
    } @_;
}


# Options: fakes, parameters (of wa_gateway), check (of wa_gateway_check),
# vendors (files of theirs, if not those of the project), and those of
# WaGateway::Nginx.
sub gateway {
    my (%o) = @_;

    my $fakes = delete $o{fakes};
    my $parameters = delete $o{parameters} || '';
    my $check = delete $o{check} || 'interval=200ms timeout=10s';
    my $vendors = delete $o{vendors} || "$Root/conf/vendors/*.conf";
    my $http = delete $o{http} || '';
    my $server = delete $o{server} || '';
    my $upstream = delete $o{upstream} || '';

    return WaGateway::Nginx->new(%o,
        http => "include $vendors;\n$http",
        upstream => "wa_gateway $parameters;\n" . instances(@$fakes)
                    . "wa_gateway_check $check;\n$upstream",
        server => "location = /sessions { wa_gateway_sessions u; }\n"
                  . "location = /metrics { wa_gateway_metrics; }\n$server");
}


# What /sessions answers.
sub sessions {
    my ($ng, $query) = @_;
    my $r = $ng->request('GET', '/sessions' . ($query ? "?$query" : ''));

    return eval { JSON::PP::decode_json($r->{body}) }
           || die "/sessions: $r->{status} $r->{body}\n" . $ng->log;
}


# Sessions as lines that can be compared.
sub listing {
    my @lines = map {
        join ' ', $_->{instance}, $_->{session},
                  map { defined $_ ? $_ : '-' }
                  @{$_}{qw(number state vendorState)}
    } @_;

    # JSON is characters, a fake has bytes
    for (@lines) {
        utf8::encode($_) if utf8::is_utf8($_);
    }

    return join "\n", sort @lines;
}


# A number that is not told any more is still known.
sub forgotten {
    my ($got, $want) = @_;
    my %untold = map { ("$_->{instance} $_->{session}" => 1) }
                 grep { !defined $_->{number} } @$want;

    return map { { %$_, $untold{"$_->{instance} $_->{session}"}
                        ? (number => undef) : () } } @$got;
}


# All that is true of fakes; what another server runs is not theirs.
sub truth {
    return map {
        my $fake = $_;
        map { { %$_, instance => $fake->url } }
        grep { !$_->{elsewhere} } $fake->truth;
    } @_;
}


# The difference between what is known and what is true; nothing if there is
# none.
sub difference {
    my ($ng, @fakes) = @_;
    my @want = truth(@fakes);
    my $all = sessions($ng, 'limit=10000')->{sessions};
    my $want = listing(@want);
    my $got = listing(forgotten($all, \@want));

    return $got eq $want ? undef : "got:\n$got\ninstead of:\n$want\n";
}


# The same, once it is the last of many looks.
sub differs {
    my ($ng, @fakes) = @_;
    my $differs;

    return if poll { !defined($differs = difference($ng, @fakes)) };
    return $differs;
}


# One session, once it is as it should be: state, number ...; or as it is.
sub known {
    my ($ng, $session, %want) = @_;
    my $s;

    poll {
        ($s) = grep { !$want{instance} || $_->{instance} eq $want{instance} }
               @{sessions($ng, "session=$session")->{sessions}};

        $s && !grep {
            (defined $s->{$_} ? $s->{$_} : '') ne $want{$_}
        } keys %want;
    };

    return $s || {};
}


sub events {
    my ($ng, $session) = @_;

    return grep { defined $_->{session}
                  && (!defined $session || $_->{session} eq $session) }
           @{$ng->status->{events}};
}

1;
