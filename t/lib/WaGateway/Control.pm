package WaGateway::Control;

# Instances are added, changed and removed at run time, and what is told of
# them.

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();
use POSIX ();
use WaGateway::Nginx qw(http poll);

our @EXPORT_OK = qw(control_server control list agreed gone hands);

my @Json = ('X-Api-Key: admin-secret', 'Content-Type: application/json');
my $Main = $$;


sub control_server {
    return 'wa_gateway_admin_key admin-secret;'
           . 'location = /instances { wa_gateway_control u; }';
}


# The answer besides has json, a hash that may be empty.
sub control {
    my ($ng, $method, $name, $body) = @_;
    my $path = '/instances' . (defined $name ? "?name=$name" : '');
    my $r = http($ng->port, $method, $path, headers => \@Json,
                 (defined $body ? (body => JSON::PP::encode_json($body)) : ()));

    $r->{json} = eval { JSON::PP::decode_json($r->{body}) } || {};

    return $r;
}


# All that is told, and each instance by its URL; nothing where none is told.
sub list {
    my ($ng) = @_;
    my $r = control($ng, 'GET')->{json};
    return $r->{instances} ? ($r, map { $_->{url} => $_ } @{$r->{instances}})
                           : ();
}


# What is told of all, in few words; of many answers, so that each worker has
# been asked, and of several that differ all.
sub agreed {
    my ($ng) = @_;
    my %told;

    for (1 .. 40) {
        my ($r, %list) = list($ng);
        $told{join ' ', "free=" . ($r ? $r->{free} : 'none'),
              map { "$_=$list{$_}{admin}:$list{$_}{weight}" }
                  sort keys %list}++;
    }

    return join ' | ', sort keys %told;
}


sub gone {
    my ($ng, $url) = @_;
    return poll { my ($r, %list) = list($ng); $r && !$list{$url} };
}


# Processes of which each adds, drains and removes an instance of its own, for
# as long as a file is not there; code gets the method and status of answers.
sub hands {
    my ($ng, $enough, @urls) = @_;
    my @hands;

    for my $url (@urls) {
        my $pid = open my $pipe, '-|';
        die "fork: $!\n" unless defined $pid;

        if (!$pid) {
            my %said;

            while (getppid == $Main && !-e $enough) {
                for (['POST', undef, { url => $url, weight => 2 }],
                     ['PATCH', $url, { state => 'drain' }],
                     ['DELETE', $url])
                {
                    $said{"$_->[0] " . control($ng, @$_)->{status}}++;
                }
            }

            print STDOUT "$_ $said{$_}\n" for keys %said;
            STDOUT->flush;
            POSIX::_exit(0);
        }

        push @hands, $pipe;
    }

    return @hands;
}


1;
