#!/usr/bin/perl

# What is known of sessions outlives reloads, zones of another size and killed
# workers, with many of them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes qw(time);
use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(gateway sessions listing known differs events);
use WaGateway::Vendor;


sub ended {
    my ($ng, $name) = @_;

    $ng->stop;
    is(join("\n", $ng->alarms), '', "$name: nothing worse than warnings");
}


# What of a session stays as long as nothing happens.
sub lasting {
    my ($ng) = @_;
    return join "\n", map { join ' ', @{$_}{qw(instance session state since)},
                                      $_->{number} || '-' }
                      @{sessions($ng)->{sessions}};
}


{
    my @fakes = map { WaGateway::Vendor->new($_, key => 'u:p', sessions => 5) }
                qw(waha wppconnect);
    my $ng = gateway(fakes => \@fakes, workers => 2,
                     parameters => 'zone=z:1m sessions=20')->start;

    is(differs($ng, @fakes), undef, 'all are known');
    my $before = lasting($ng);
    my $tokens = $fakes[1]->count('token');

    $ng->reload;
    is(lasting($ng), $before, 'after a reload too');

    $ng->{upstream} =~ s/sessions=20/sessions=40/;
    $ng->reload;
    is(lasting($ng), $before, 'with room for more');
    is($ng->status->{sessions}{capacity}, 40, 'which there is');

    $ng->{upstream} =~ s/zone=z:1m/zone=z:2m/;
    $ng->reload;
    is(lasting($ng), $before, 'in a zone of another size');

    $ng->{upstream} =~ s/zone=z:2m/zone=other:2m/;
    $ng->reload;
    is(lasting($ng), $before, 'of another name');

    for my $signal ('KILL', 'TERM') {
        for my $pid ($ng->worker_pids) {
            kill $signal, $pid;
            ok((poll { !grep { $_ == $pid } $ng->worker_pids }),
               "$signal: a worker is gone");
            ok((poll { $ng->worker_pids == 2 }), "$signal: another is there");
            is(lasting($ng), $before, "$signal: all are known");
        }
    }

    # whoever came after goes on
    $fakes[0]->session('late', number => '966500000077', state => 'ready');
    is(known($ng, 'late', state => 'ready')->{number}, '966500000077',
       'a new one is found');
    is(differs($ng, @fakes), undef, 'and all others');
    is($fakes[1]->count('token'), $tokens, 'no token was asked for again');

    # less room, then an instance less, then one of another kind
    $ng->{upstream} =~ s/sessions=40/sessions=5/;
    $ng->reload;
    is(scalar @{sessions($ng)->{sessions}}, 11, 'less room takes nobody away');
    $ng->{upstream} =~ s/sessions=5/sessions=40/;
    $ng->reload;

    my $instances = $ng->{upstream};
    my $url = $fakes[0]->url;
    $ng->{upstream} =~ s/^.*\Q$url\E;$//m;
    $ng->reload;
    ok((poll { sessions($ng)->{total} == 5 }),
       'those of an instance that is not configured are gone');

    $ng->{upstream} = $instances;
    $ng->reload;
    is(differs($ng, @fakes), undef, 'and back with it');

    $ng->{upstream} =~ s/vendor=waha/vendor=wuzapi/;
    $ng->reload;
    ok((poll { sessions($ng, "instance=$url")->{total} == 0 }),
       'those of another vendor are none of this one');

    ended($ng, 'few');
}


# Ten thousand, in one list and in many.
{
    my ($one) = WaGateway::Vendor->new('waha', key => 'k', sessions => 10_000);
    my $ng = gateway(fakes => [$one], workers => 2, check => 'interval=1s',
                     parameters => 'zone=z:8m sessions=10000')->start;

    ok((poll { sessions($ng, 'limit=0')->{total} == 10_000 }),
       '10,000 in one list are known');
    is(differs($ng, $one), undef, 'each of them');

    my ($some) = @{sessions($ng, 'limit=7&offset=4000')->{sessions}}[6];
    my ($same) = @{sessions($ng, 'limit=1&offset=4006')->{sessions}};
    is($some->{session}, $same->{session}, 'page by page');

    $ng->{upstream} =~ s/zone=z:8m/zone=z:16m/;
    $ng->reload;
    is(sessions($ng, 'limit=0')->{total}, 10_000, 'in a larger zone too');

    ended($ng, '10,000 in one');
}

{
    my @farm = WaGateway::Vendor->farm(200, 'wwebjs', key => 'k',
                                       sessions => 20);
    my $ng = gateway(fakes => \@farm, workers => 2, check => 'interval=1s',
                     parameters => 'zone=z:8m sessions=10000')->start;

    ok((poll { sessions($ng, 'limit=0')->{ready} == 4000 }),
       '20 of each of 200 instances are asked for, one by one');
    is(differs($ng, @farm), undef, 'and are as they said');
    cmp_ok(WaGateway::Vendor::asked_at_once($_), '<=', 16,
           'no more than 16 at once') for @farm[0, 1];

    ended($ng, 'many instances');
}

done_testing;
