package WaGateway::Vendor::Map;

# All routes of a real server, and where each names its session.  A line of a
# map is: methods, place, kind, prefix, and what follows it in paths, "-" for
# nothing.  In a path ":session" is the session, ":x" any segment.  The place
# is path, body=NAME, query=NAME, or own: the vendor's file knows.
#
# How paths are read is the framework's: express compares without case, allows
# a "/" at the end and decodes segments once; fiber does, and does not decode;
# mux decodes first, compares with case and allows no "/" more; chi neither
# decodes nor allows anything.

use strict;
use warnings;

my %Maps;


sub routes {
    my ($fake) = @_;

    return $Maps{$fake->{vendor}} ||= [map {
        my ($methods, $place, $kind, $prefix, @suffixes) = split ' ';

        map {
            my $path = $prefix . ($_ eq '-' ? '' : $_);
            my $re = join '/', map {
                $_ eq ':session' ? '(?<session>[^/]+)' : /^:/ ? '[^/]+'
                : $_ eq '**' ? '.*' : quotemeta
            } split m{/}, $path, -1;

            { methods => [split /\|/, $methods], place => $place,
              kind => $kind, path => $path,
              re => exact($fake) ? qr{^$re\z} : qr{^$re\z}i };
        } @suffixes;
    } grep { /\S/ } split /\n/, $fake->map];
}


sub exact { return $_[0]->framework =~ /^(?:mux|chi)\z/ }


# The path as the framework compares it; undef if it cannot be read.
sub path {
    my ($fake, $q) = @_;
    my $path = $q->{path};

    return WaGateway::Vendor::decoded($path) if $fake->framework eq 'mux';
    return $path if exact($fake);

    return undef if $fake->framework eq 'express'
                    && $path =~ /%(?![0-9A-Fa-f]{2})/;

    $path =~ s{(?<=.)/\z}{};
    return $path;
}


# A route's own expression, which was made with case.
sub compares {
    my ($fake, $re) = @_;

    return $re if exact($fake);
    return $fake->{compares}{$re} ||= do {
        my $text = "$re";
        $text =~ s/\(\?\^:/(?^i:/g;
        qr/$text/;
    };
}


sub argument {
    my ($fake, $text) = @_;

    return $fake->framework eq 'express' ? WaGateway::Vendor::decoded($text)
                                         : $text;
}


# The first route that fits, and the session it is for, as the server takes
# it.
sub find {
    my ($fake, $q) = @_;

    my $path = path($fake, $q);
    my $method = $q->{method} eq 'HEAD' ? 'GET' : $q->{method};

    return unless defined $path;

    for my $route (@{routes($fake)}) {
        next unless grep { $_ eq '*' || $_ eq $method } @{$route->{methods}};
        $path =~ $route->{re} or next;

        my $name = defined $+{session} ? argument($fake, $+{session}) : undef;

        return ($route, $fake->place($q, $route->{place}, $name));
    }

    return;
}


# As qs reads a query: brackets make arrays and objects, the first ones may
# stand before the name; a name that is given twice has both values.
sub qs {
    my ($text) = @_;
    my %value;

    for (grep { length } split /&/, defined $text ? $text : '') {
        my ($name, $v) = map { WaGateway::Vendor::decoded(tr/+/ /r) }
                         split /=/, $_, 2;

        $name =~ s/^\[([^\[\]]*)\].*/$1/s or $name =~ s/\[[^\[\]]*\].*//s;
        push @{$value{$name}}, defined $v ? $v : '';
    }

    return { map { $_ => join ',', @{$value{$_}} } keys %value };
}


1;
