#!/usr/bin/perl

# wa_gateway_store: two gateways with one store know of each other's sends.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Nginx qw(poll);
use WaGateway::Send qw(fake send_gateway post start_post answer_of seen told);
use WaGateway::Store;

my %Text = (chatId => '966511111111', message => 'hi');
my $n = 0;

my $store = WaGateway::Store->start;
my $one = fake('wuzapi', sessions => [
    { name => 'main', number => '966500000001', token => 't-main' }]);


sub key { return 'k-' . ++$n . '-' . $$ }

sub keyed { return (headers => ["Idempotency-Key: $_[0]"]) }

sub replayed { return $_[0]{headers}{'idempotency-replayed'} || '-' }

sub text { return post($_[0], '/send-message', { %Text }, keyed($_[1])) }

sub begin {
    my ($ng, $key) = @_;
    return start_post($ng, '/send-message', { %Text }, keyed($key));
}


# A gateway that has met the store.
sub shared {
    my ($parameters, %o) = @_;
    my $upstream = delete $o{upstream} || '';

    my $ng = send_gateway(fakes => [$one], workers => 2, %o,
        upstream => "wa_gateway_passive off; wa_gateway_idempotency on;\n"
            . 'wa_gateway_store ' . $store->url . " $parameters;\n$upstream");

    poll { $ng->log =~ /store "\Q@{[$store->name]}\E" is up/ }
        or die $ng->log;

    return $ng;
}


# How often each key was seen.
sub counts {
    my %seen;

    for ($one->ledger) {
        $seen{$1}++ if $_->{headers} =~ /^Idempotency-Key: *(\S+)/mi;
    }

    return \%seen;
}


{
    my ($a, $b) = map { shared('timeout=2s') } 1, 2;
    my $key = key();

    my $first = text($a, $key);
    is(told($first), '200 success', 'one is sent');
    is(replayed($first), '-', 'it is no repeat');

    my $r = text($b, $key);
    is("$r->{status} $r->{body}", "$first->{status} $first->{body}",
       'the other gateway gives the same answer');
    is(replayed($r), 'true', 'and says that it is one of before');

    is_deeply(counts(), { $key => 1 }, 'it was sent once');
}

done_testing;
