#!/usr/bin/perl

# Keys of sends while workers are killed, configurations and zones change, room
# is short and many repeat at once: no key is seen twice by an instance.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Select;
use Test::More;
use WaGateway::Nginx qw(poll read_answer);
use WaGateway::Send qw(fake send_gateway post start_post answer_of seen told);

my %Text = (chatId => '966511111111', message => 'hi');
my $Idempotency = 'wa_gateway_passive off; wa_gateway_idempotency on';
my $n = 0;

my $one = fake('wuzapi', sessions => [
    { name => 'main', number => '966500000001', token => 't-main' }]);
my @fakes = ($one);


sub key { return 'k-' . ++$n . '-' . $$ }

sub keyed { return (headers => ["Idempotency-Key: $_[0]"]) }

sub replayed { return $_[0]{headers}{'idempotency-replayed'} || '-' }

sub text { return post($_[0], '/send-message', { %Text }, keyed($_[1])) }

sub begin {
    my ($ng, $key) = @_;
    return start_post($ng, '/send-message', { %Text }, keyed($key));
}


# How often each key was seen.
sub counts {
    my %seen;

    for ($one->ledger) {
        $seen{$1}++ if $_->{headers} =~ /^Idempotency-Key: *(\S+)/mi;
    }

    return \%seen;
}


sub gateway_of {
    my ($parameters, %o) = @_;

    return send_gateway(fakes => \@fakes, upstream => "$Idempotency"
                        . " $parameters;", %o);
}


# A worker is killed before a request is whole, while an instance has it, and
# after it was answered.
{
    my $ng = gateway_of('', workers => 2);
    my ($early, $flight, $late) = map { key() } 1 .. 3;

    my $whole = JSON::PP::encode_json(\%Text);
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1:' . $ng->port)
        or die "connect: $!\n";
    print $s "POST /send-message HTTP/1.1\r\nHost: x\r\nIdempotency-Key: "
             . "$early\r\nContent-Type: application/json\r\nContent-Length: "
             . length($whole) . "\r\n\r\n" . substr $whole, 0, 5;

    my $answer = text($ng, $late);
    is(told($answer), '200 success', 'one is answered');

    $one->misbehave('send', 'slow:3600');
    my $held = begin($ng, $flight);
    ok((poll { seen(@fakes) == 2 }), 'one is in flight');

    my @old = $ng->worker_pids;
    kill 'KILL', @old;
    ok((poll { my %old = map { $_ => 1 } @old;
               my @now = $ng->worker_pids;
               @now == 2 && !grep { $old{$_} } @now }),
       'both workers are killed, and new ones there');

    $one->misbehave('send', '');

    my $r = text($ng, $flight);
    is(told($r), '502 unconfirmed unknown', 'what was in flight is unknown');
    is(replayed($r), 'true', 'and not sent again');
    like($r->{json}{details} || '', qr/stopped/, 'why it is not known');
    is(told(text($ng, $flight)), '502 unconfirmed unknown', 'for good');

    $r = text($ng, $late);
    is("$r->{status} $r->{body}", "$answer->{status} $answer->{body}",
       'what was answered is there');

    is(told(text($ng, $early)), '200 success',
       'what was not read was not claimed');

    is_deeply(counts(), { $early => 1, $flight => 1, $late => 1 },
              'each was seen once');

    like($ng->log, qr/exited on signal 9/, 'the workers were killed');
    unlike($ng->log, qr/exited on signal (?!9\b)/, 'and none died otherwise');
}

# A reload, and one that changes the zone's size.
for my $parameters ('', 'zone=x:2m') {
    my $name = $parameters ? 'another size' : 'reload';
    my $ng = gateway_of('zone=x:1m', workers => 2);
    my ($flight, $late, $next) = map { key() } 1 .. 3;

    my $answer = text($ng, $late);

    $one->misbehave('send', 'slow:2');
    my $s = begin($ng, $flight);
    ok((poll { seen(@fakes) == 2 }), "$name: one is in flight");

    $ng->{upstream} =~ s/zone=x:1m/$parameters/ if $parameters;
    $ng->write_conf;
    kill 'HUP', $ng->{pid};

    # of a worker of before or of now
    my $r;
    poll {
        $r = text($ng, $flight);
        $r->{status} != 409;
    };

    if ($parameters) {
        like(told($r), qr/^(?:200 success|502 unconfirmed unknown)$/,
             "$name: what was in flight has one outcome");
    } else {
        is(told($r), '200 success', "$name: what was in flight is sent");
    }

    is(told(answer_of($s)), '200 success', "$name: its client was told");
    is(replayed($r), 'true', "$name: it is not sent again");

    $one->misbehave('send', '');
    $r = text($ng, $late);
    is("$r->{status} $r->{body} " . replayed($r),
       "$answer->{status} $answer->{body} true",
       "$name: what was answered is there");

    ok((poll { told(text($ng, $next)) eq '200 success' }), "$name: goes on");
    is_deeply(counts(), { $flight => 1, $late => 1, $next => 1 },
              "$name: each was seen once");

    $ng->clean("$name: nothing worse than errors is logged");
}

# Room is short: answers go first, then nothing is sent; a zone that has no
# room for what is not forgotten is refused.
{
    my $ng = gateway_of('zone=x:32k', workers => 2);
    my (@keys, $r);

    while (@keys < 1000) {
        my $key = key();

        $r = text($ng, $key);
        last if $r->{status} != 200;
        push @keys, $key;
    }

    is(told($r), '503 store_full no', 'after ' . @keys . ' keys it is full');
    is($r->{headers}{'retry-after'}, 60, 'for a while');
    cmp_ok(scalar @keys, '>', 100, 'most of the room is for keys');
    is(seen(@fakes), scalar @keys, 'nothing is sent then');
    like($ng->log, qr/zone "x" has no room for another key/, 'it is logged');

    $r = text($ng, $keys[0]);
    is("$r->{status} " . replayed($r), '200 true', 'the first is known');
    is($r->{json}{dataKept} ? 'kept' : 'not kept', 'not kept',
       'but not what it was answered');
    is(seen(@fakes), scalar @keys, 'and not sent again');

    ok(!(grep { $_ != 1 } values %{counts()}), 'each was seen once');

    # more of it
    $ng->{upstream} =~ s/zone=x:32k/zone=x:1m/;
    ok($ng->reload, 'a reload gives it more room');
    is(told(text($ng, key())), '200 success', 'there is room');
    is(replayed(text($ng, $keys[-1])), 'true', 'what was known is known');

    $ng->{upstream} =~ s/zone=x:1m/zone=x:32k/;
    $ng->write_conf;
    kill 'HUP', $ng->{pid};
    ok((poll { $ng->log =~ /has room for \d+ keys of requests, \d+ are not/ }),
       'one without room is refused');
    is(replayed(text($ng, $keys[0])), 'true', 'and all goes on');

    unlike($ng->log, qr/\[(?:alert|crit)\]/, 'nothing worse is logged');
}

# Answers that are too long to be kept.
{
    my $ng = gateway_of('', workers => 1);

    my $pad = 'x' x 20_000;
    $one->misbehave('send', 'after:body:{"code":200,"data":{"Id":"3EB0F00D",'
                            . qq("Pad":"$pad"},"success":true}));

    my $key = key();
    my ($first, $second) = map { text($ng, $key) } 1, 2;

    is($first->{json}{messageId}, '3EB0F00D', 'a long answer');
    is(length $first->{json}{data}{data}{Pad}, 20_000, 'as it is');
    is("$second->{status} " . replayed($second), '200 true', 'its repeat');
    is($second->{json}{messageId}, '3EB0F00D', 'has what matters');
    ok(exists $second->{json}{data} && !defined $second->{json}{data}
       && exists $second->{json}{dataKept} && !$second->{json}{dataKept},
       'and says that the rest is not kept');
    is($second->{json}{number}, '966500000001', 'and whose it was');

    $key = key();
    my @native = ('/chat/send/text', '{"Phone":"1","Body":"x"}',
                  headers => ["Idempotency-Key: $key", 'token: t-main']);
    ($first, $second) = map { post($ng, @native) } 1, 2;
    cmp_ok(length $first->{body}, '>', 20_000, 'native: a long answer');
    is("$second->{status} " . replayed($second), '200 true',
       'native: its repeat');
    ok($second->{json} && exists $second->{json}{dataKept},
       'native: it says that it is not kept');
    is(seen(@fakes), 2, 'each was seen once');

    $one->misbehave('send', '');
    $ng->clean('nothing worse than errors is logged');
}

# Many of one key at once, and many keys.
{
    my $ng = gateway_of('', workers => 4);
    my $key = key();

    $one->misbehave('send', 'slow:1');
    my @socks = map { begin($ng, $key) } 1 .. 200;
    my %told;
    $told{told(answer_of($_))}++ for @socks;
    $one->misbehave('send', '');

    is(seen(@fakes), 1, '200 at once: one was seen');
    is(join(' ', sort keys %told), '200 success 409 in_flight unknown',
       '200 at once: the others wait or get its answer')
        or diag(explain(\%told));

    my @keys = map { key() } 1 .. 50;
    @socks = map { my $k = $_; map { begin($ng, $k) } 1 .. 4 } @keys;
    answer_of($_) for @socks;
    is(told(text($ng, $_)), '200 success', "key $_") for @keys;
    is_deeply(counts(), { $key => 1, map { $_ => 1 } @keys },
              'each was seen once');

    $ng->clean('nothing worse than errors is logged');
}

done_testing();
