#!/usr/bin/perl

# In turn, exactly, whoever may be chosen: the sessions that a limited key may
# use, those whose vendor has a template, those of one name or number; for each
# of these over all workers, whatever others send meanwhile.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(max min);
use Test::More;
use WaGateway::Cheap qw(send_many text);
use WaGateway::Nginx qw(poll);

my $keys = <<'END';
key-all
key-ace label=ace sessions=a,c,e
key-bc label=bc sessions=b,c
key-n label=n numbers=966500000004,966500000006
END

my $cheap = WaGateway::Cheap->new(3);


sub gateway_of {
    my ($upstream, $http) = @_;

    my $ng = WaGateway::Nginx->new(workers => 4,
        http => "keepalive_requests 1000000;\n" . $cheap->vendor
                . ($http || ''),
        upstream => "wa_gateway zone=u:2m sessions=100;\n"
            . "wa_gateway_check interval=100ms;\n$upstream",
        server => <<'END');
location = /sessions { wa_gateway_sessions u; }
location = /send-message {
    wa_gateway_api_key file=keys;
    wa_gateway_send text;
    proxy_pass http://u;
    add_header X-Worker $pid always;
}
END
    open my $fh, '>', "$ng->{dir}/keys" or die "$!\n";
    print $fh $keys;
    close $fh or die "$!\n";

    return $ng->start;
}


# What came of bodies over connections to whichever worker takes them: by the
# mark that each has, the sessions and how often; and how many workers had one.
sub sent {
    my ($ng, $n, @of) = @_;
    my (%of, %worker, %at);
    my $to = 0;

    @at{map { "http://127.0.0.1:$_" } $cheap->ports} = 0 .. 2;

    for my $connection (1 .. 24) {
        my @bodies = map { my $mark = $_->[0];
                           [text(sprintf('96651%07d', ++$to), $_->[2]),
                            "X-Api-Key: $_->[1]"] } (@of) x $n;
        my @r = send_many($ng->port, @bodies);

        for my $i (0 .. $#r) {
            my $r = $r[$i];
            my $what = $r->{json}{success} ? $r->{json}{session}
                                           : $r->{json}{code};
            $what .= $at{$r->{json}{instance}} if $what eq 'twin';
            $of{$of[$i % @of][0]}{$what}++;
            $worker{$1} = 1 if $r->{head} =~ /^X-Worker: (\d+)/m;
        }
    }

    return (\%of, scalar keys %worker);
}


sub exact {
    my ($of, $name, @sessions) = @_;

    is(join(' ', sort keys %{$of->{$name}}), join(' ', @sessions),
       "$name: all of them, and no others");
    cmp_ok(max(values %{$of->{$name}}) - min(values %{$of->{$name}}), '<=', 1,
           "$name: in turn")
        or diag join ' ', map { "$_ $of->{$name}{$_}" } @sessions;
}


$cheap->sessions(0, a => '966500000001', b => '966500000002',
                 c => '966500000003', d => '966500000004');
$cheap->sessions(1, e => '966500000005', f => '966500000006',
                 twin => '966500000007');
$cheap->sessions(2, twin => '966500000007', other => '966500000007');
{
    my $ng = gateway_of($cheap->upstream);
    $cheap->settled($ng, 9);

    # numbers that fit nothing else: one has as much as the other at any time
    my ($of, $workers) = sent($ng, 5, ['ace', 'key-ace'], ['bc', 'key-bc'],
        ['n', 'key-n'], ['twin', 'key-all', '"session":"twin"'],
        ['number', 'key-all', '"from":"966500000007"'], ['all', 'key-all'],
        ['bc', 'key-bc']);

    cmp_ok($workers, '>', 1, 'several workers took them');
    exact($of, 'ace', qw(a c e));
    exact($of, 'bc', qw(b c));
    exact($of, 'n', qw(d f));
    exact($of, 'twin', qw(twin1 twin2));
    exact($of, 'number', qw(other twin1 twin2));
    exact($of, 'all', qw(a b c d e f other twin1 twin2));
    $ng->clean;
}


# A vendor that cannot send it is passed over.
{
    my ($dumb) = $cheap->vendor =~ /(.*)/s;
    $dumb =~ s/wa_gateway_vendor cheap/wa_gateway_vendor dumb/;
    $dumb =~ s/^    text .*?;$/    media * url POST \/m '{"to":"<to>","url":"<url>"}';/ms;
    my ($p, $q, $r) = $cheap->ports;
    my $ng = gateway_of(<<"END", $dumb);
wa_gateway_instances vendor=cheap http://127.0.0.1:$p;
wa_gateway_instances vendor=dumb http://127.0.0.1:$q;
wa_gateway_instances vendor=cheap http://127.0.0.1:$r;
END
    $cheap->sessions(2, x => '966500000008');
    $cheap->settled($ng, 8);
    my ($of) = sent($ng, 7, ['text', 'key-all'], ['bc', 'key-bc'],
                    ['text', 'key-all'], ['text', 'key-all']);

    exact($of, 'text', qw(a b c d x));
    exact($of, 'bc', qw(b c));
    $ng->clean;
}


# Many keys, over a reload, then more than are told apart: none of these has
# one of its sessions only.
{
    $keys = join '', map { "key-$_ label=l$_ sessions=a,d\n" } 1 .. 300;
    my $ng = gateway_of($cheap->upstream);
    $cheap->settled($ng, 8);
    my ($of) = sent($ng, 1, map { ["k$_", "key-$_"] } 1 .. 100);
    my $uneven = sub {
        return join ' ', grep { ($of->{"k$_"}{a} || 0) != 12 } 1 .. 100;
    };

    is($uneven->(), '', 'a hundred keys: exact');
    ok($ng->reload, 'a reload');
    ($of) = sent($ng, 1, map { ["k$_", "key-$_"] } 1 .. 100);
    is($uneven->(), '', 'a hundred keys: exact still');

    ($of) = sent($ng, 1, map { ["k$_", "key-$_"] } 1 .. 300);
    is(join(' ', grep { keys %{$of->{"k$_"}} != 2 } 1 .. 300), '',
       'three hundred: both sessions of each');
    $ng->clean;
}

done_testing;
