#!/usr/bin/perl

# What the gateway knows of sessions is what is true of the instances: listed,
# asked for, logged in and out, come, gone and moved.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(gateway sessions known differs events);
use WaGateway::Vendor;

my %Key = (gowa => 'admin:geheim');
my @Vendors = @ARGV ? @ARGV : qw(waha evolution wwebjs wppconnect gowa wuzapi);


sub fake {
    my ($vendor, @sessions) = @_;

    return WaGateway::Vendor->new($vendor, key => $Key{$vendor} || 'geheim',
        sessions => [map { { name => $_->[0], number => $_->[1],
                             state => $_->[2] || 'ready' } } @sessions]);
}


sub ended {
    my ($ng, $name, @secrets) = @_;

    $ng->stop;

    unlike($ng->log, qr/\[(?:alert|crit|emerg)\]|exited on signal/,
           "$name: nothing worse than warnings");

    for my $secret ('geheim', @secrets) {
        unlike($ng->log, qr/\Q$secret\E/, "$name: no secret in the log");
    }
}


for my $vendor (@Vendors) {
    my $one = fake($vendor, ['main', '966500000001'],
                   ['sales', '966500000002', 'login'],
                   ['begun', '966500000003', 'starting']);
    my $two = fake($vendor, ['support', '966500000004'],
                   ['broken', '966500000005', 'down']);

    my $ng = gateway(fakes => [$one, $two], workers => 2)->start;

    is(differs($ng, $one, $two), undef, "$vendor: all are known");

    my $all = sessions($ng);
    is($all->{ready}, 2, "$vendor: two can send");
    is($all->{sessions}[0]{vendor}, $vendor, "$vendor: whose they are");

    my $status = $ng->status;
    is($status->{sessions}{ready}, 2, "$vendor: as /status says");
    is($status->{instances}{healthy}, 2, "$vendor: both are healthy");
    is($status->{instances}{details}{$one->url}{sessions}{ready}, 1,
       "$vendor: and one of each");

    # logged out: nobody can send there, though it is up
    $two->session('support', state => 'login');
    is(known($ng, 'support', state => 'login')->{state}, 'login',
       "$vendor: logged out");
    is(differs($ng, $one, $two), undef, "$vendor: as it is");

    $status = $ng->status;
    is($status->{instances}{details}{$two->url}{state}, 'up',
       "$vendor: its instance is up");
    is($status->{instances}{details}{$two->url}{healthy}, JSON::PP::false,
       "$vendor: but not healthy");

    # logged in
    $one->session('sales', state => 'ready');
    is(known($ng, 'sales', state => 'ready',
             number => '966500000002')->{number}, '966500000002',
       "$vendor: logged in, with its number");

    my @events = grep { $_->{to} eq 'ready' } events($ng, 'sales');
    is(scalar @events, 1, "$vendor: which is one event");
    is($events[0]{instance}, $one->url, "$vendor: of its instance");

    # come and gone
    $two->session('fresh', number => '966500000009', state => 'ready');
    is(known($ng, 'fresh', state => 'ready')->{state}, 'ready',
       "$vendor: a new one is found");
    is(differs($ng, $one, $two), undef, "$vendor: with its number");

    $two->remove('fresh');
    ok((poll { !@{sessions($ng, 'session=fresh')->{sessions}} }),
       "$vendor: a removed one is forgotten");
    is(join(' ', map { defined $_->{to} ? $_->{to} : '-' }
                 events($ng, 'fresh')), 'ready -',
       "$vendor: it came, it went, nothing else");

    # moved; where it was is asked seldom, as two lists without it that come
    # before it is elsewhere are no move
    $one->misbehave('list', 'slow:3');
    $one->remove('main');
    $two->session('main', number => '966500000001', state => 'ready');
    is(known($ng, 'main', instance => $two->url, state => 'ready',
             number => '966500000001')->{number}, '966500000001',
       "$vendor: one that moved is where it is");
    ok((poll { @{sessions($ng, 'session=main')->{sessions}} == 1 }),
       "$vendor: and nowhere else");
    $one->misbehave('list', '');
    is(differs($ng, $one, $two), undef, "$vendor: all as they are");

    is(join("\n", map { "$_->{instance} $_->{reason}" } events($ng, 'main')),
       $two->url . ' moved from ' . $one->url, "$vendor: that is one event");

    # a key that is refused
    $one->set(key => 'another');
    ok((poll { my $i = $ng->status->{instances}{details}{$one->url};
               $i->{state} eq 'down' && $i->{reason} }),
       "$vendor: with another key the instance is down");
    like($ng->status->{instances}{details}{$one->url}{reason},
         qr/^key refused: status 40[013]$/, "$vendor: which is told");

    my ($s) = @{sessions($ng, 'session=sales')->{sessions}};
    like("$s->{state}, $s->{reason}", qr/^down, (?:instance down|no answer)$/,
         "$vendor: and nobody can send there");

    $one->set(key => $Key{$vendor} || 'geheim');
    is(known($ng, 'sales', state => 'ready')->{state}, 'ready',
       "$vendor: until it is right again");

    # an outage is no reason to forget anybody
    $one->stop;
    ok((poll { $ng->status->{instances}{details}{$one->url}{state} eq 'down' }),
       "$vendor: the instance is gone");
    is(scalar @{sessions($ng, 'session=sales')->{sessions}}, 1,
       "$vendor: its sessions are not");
    $one->start;
    is(differs($ng, $one, $two), undef, "$vendor: all are back");

    for ('/sessions', '/status', '/metrics') {
        unlike($ng->request('GET', $_)->{body}, qr/geheim/,
               "$vendor: no key in $_");
    }

    ended($ng, $vendor);
}

done_testing;
