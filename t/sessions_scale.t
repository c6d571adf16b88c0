#!/usr/bin/perl

# Many sessions: a long list is read and told in small pieces, so that others
# have their turn; hundreds of instances are known after one list of each.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(sum);
use Test::More;
use Time::HiRes qw(time);
use WaGateway::Nginx qw(poll slurp);
use WaGateway::Sessions qw(gateway sessions difference);
use WaGateway::Vendor;


# The turns of the event loop, as the debug log has them: the lines of each.
sub turns {
    my ($ng, $from) = @_;
    return split /^.*\] \d+#\d+: worker cycle$/m,
                 substr $ng->log, $from || 0;
}


sub most { return (sort { $b <=> $a } @_)[0] }


# A thousand in a megabyte; none of them is there in the end.
{
    my $fake = WaGateway::Vendor->new('waha', key => 'k', sessions => 1000,
                                      item => 1024);
    my $ng = gateway(fakes => [$fake], level => 'debug',
                     check => 'interval=1s timeout=60s',
                     parameters => 'zone=z:2m sessions=2000')->start;

    ok((poll { sessions($ng, 'limit=0')->{ready} == 1000 }),
       'a list of 1,000');

    $fake->sessions([]);
    ok((poll { sessions($ng, 'limit=0')->{total} == 0 }), 'all of them go');
    $ng->stop;

    my @turns = turns($ng);
    my $name = quotemeta $fake->url;
    my ($bytes, @read, @steps, @told) = (0);

    for (@turns) {
        my ($n, $reads) = (0, 0);

        # what is read of the list, each time that there is a turn for it
        while (/transport read handler: $name\n((?:.*\n)*?)(?=.*wa_gateway|\z)/g) {
            my $lines = $1;
            $n += $1 while $lines =~ /recv: fd:\d+ (\d+) of 4096$/mg;
        }

        $bytes += $n;
        push @read, $n if $n;
        push @steps, $n if $n = () = /round step handler: $name$/mg;
        push @told, $n if $n = () = / wa_gateway: session \S+ /g;
    }

    cmp_ok($bytes, '>', 1_000_000, 'a megabyte was read');
    cmp_ok(most(@read), '<=', 65536, 'no more than 64 KB of it in a turn');
    cmp_ok(scalar @steps, '>=', 1000 / 128,
           'and told in as many turns as it takes');
    is(most(@steps), 1, 'a part of it in a turn');
    is(sum(@told), 1000, 'each that went has a line');
    cmp_ok(most(@told), '<=', 128, 'not all of these in one turn');
}


# Those of some instances are told, and then others have their turn: whatever
# of them the answer has, in the order of the instances, each once.
{
    my @farm = WaGateway::Vendor->farm(12, 'waha', key => 'k',
                                       sessions => 100);
    my $ng = gateway(fakes => \@farm, level => 'debug',
                     check => 'interval=10m timeout=60s',
                     parameters => 'zone=z:2m sessions=2000')->start;

    ok((poll { sessions($ng, 'limit=0')->{ready} == 1200 } 120),
       '1,200 sessions of 12 instances');

    for ('limit=0', 'limit=10000', 'limit=150&offset=990', 'state=down') {
        my $before = length $ng->log;
        my $answer = sessions($ng, $_);

        my @looked = grep { $_ }
            map { sum(0, /sessions of peer \d+, looked at: (\d+)$/mg) }
                turns($ng, $before);

        is(sum(@looked), 1200, "$_: each is looked at");
        cmp_ok(most(@looked), '<=', 600, "$_: not all in one turn");

        my @names = map { "$_->{instance} $_->{session}" }
                        @{$answer->{sessions}};
        my @all = map { my $i = $_;
                        map { $farm[$i]->url . " $_" }
                            sort map { "s$i-$_" } 1 .. 100 } 0 .. $#farm;
        my ($limit) = /limit=(\d+)/;
        my $offset = /offset=(\d+)/ ? $1 : 0;

        @all = () if /state/;
        is($answer->{total}, scalar @all, "$_: how many");

        splice @all, 0, $offset;
        splice @all, $limit if defined $limit && $limit < @all;
        is_deeply(\@names, \@all, "$_: who, in which order");
    }

    $ng->stop;
    is(join('', $ng->logged('\[(?:alert|crit|emerg|error)\]')), '',
       'a quiet log');
}


# Five hundred instances, with twenty each, by four workers.
for my $vendor ('waha', 'wwebjs') {
    my @farm = WaGateway::Vendor->farm(500, $vendor, key => 'k',
                                       sessions => 20);
    my $ng = gateway(fakes => \@farm, workers => 4,
                     check => 'interval=10m timeout=60s',
                     parameters => 'zone=z:16m sessions=10000');
    my $start = time;

    $ng->start;

    ok((poll { sessions($ng, 'limit=0')->{ready} == 10_000 } 240),
       "$vendor: 10,000 sessions of 500 instances");
    diag(sprintf '%s: known after %.1f s', $vendor, time - $start);

    is(difference($ng, @farm), undef, "$vendor: each is as it is");

    # the second ones are spread over the interval
    cmp_ok(most(map { $_->count('list') } @farm), '<=', 2,
           "$vendor: after one list of each, or two");

    my @asked = map { WaGateway::Vendor::asked_at_once($_) } @farm;
    cmp_ok(most(@asked), '<=', 16, "$vendor: no more than 16 asked at once");

    $ng->stop;
    is(join('', $ng->logged('\[(?:alert|crit|emerg|error)\]')), '',
       "$vendor: a quiet log");
}

done_testing;
