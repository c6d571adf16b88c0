#!/usr/bin/perl

# In a container: a pretended server.  VENDOR, ADDRESS, PORT, KEY and SESSIONS
# (name=number,...) are in the environment.  Each message that is sent is told
# before it is answered.  With arguments: a command for the one that runs.

use strict;
use warnings;

use JSON::PP ();
use WaGateway::Vendor;

if (@ARGV) {
    my ($method, @arguments) = @ARGV;
    my ($control) = glob '/tmp/wa-vendor-*/control' or die "no server\n";
    my $fake = bless { control => $control, id => 1 }, 'WaGateway::Vendor';

    print JSON::PP->new->allow_nonref->encode(
        scalar $fake->command($method, @arguments)), "\n";
    exit;
}

{
    no warnings 'redefine';
    my $send_out = \&WaGateway::Vendor::send_out;

    *WaGateway::Vendor::send_out = sub {
        my ($self, $request, $session, %o) = @_;
        my $id = $send_out->(@_);

        syswrite STDOUT, "sent $session->{name} $o{text}\n";
        return $id;
    };
}

my @sessions = map { my ($name, $number) = split /=/;
                     { name => $name, number => $number } }
               split /,/, $ENV{SESSIONS};

$SIG{TERM} = sub { exit };

my $fake = WaGateway::Vendor->new($ENV{VENDOR}, wait => 0, key => $ENV{KEY},
    address => $ENV{ADDRESS} || '0.0.0.0', port => $ENV{PORT} || 3000,
    sessions => \@sessions);

syswrite STDOUT, "a $ENV{VENDOR} on " . $fake->name . "\n";
sleep while 1;
