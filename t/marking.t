# wa_gateway_passive: what traffic tells of an instance takes it out.  How long
# for, answers that are cut, clients that go away, crowds: marking_faults.t.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket 'restart';
use Test::Nginx::Socket 'no_plan';
use WaGateway::Fake;
use WaGateway::Nginx qw(slurp);

our %fake = map { $_ => WaGateway::Fake->new } 'A', 'B';
our %name = map { $_ => $fake{$_}->name } keys %fake;

$name{C} = '127.0.0.1:' . WaGateway::Fake::free_port();
@ENV{map { "TEST_NGINX_$_" } keys %name} = values %name;


# The requests of a block: each line of "ask" has the instance, its mode and the
# status, "out" if that takes it out, and who answers if it is another one.  They
# take turns while they are up, so that requests to others may come between.
sub asked {
    my ($block, @up) = @_;
    my $method = $block->method || 'POST';
    my @asked;

    for (split /\n/, $block->ask) {
        my ($who, $mode, $status, $out, $other) = split;

        die "$who is not up\n" unless grep { $_ eq $who } @up;

        while ($up[0] ne $who) {
            push @asked, [$up[0], "$method /m", 200, qr{"path":"/m"}];
            push @up, shift @up;
        }

        my $path = ($mode eq 'hang' ? '/hang' : '/m') . "?fake=$mode";
        my $body = $mode =~ /^(?:json|status)/ ? qr/"path":"\Q$path\E"/
                                               : qr/<title>$status /;

        push @asked, [$other || $who, "$method $path", $status, $body];
        push @up, shift @up;
        @up = grep { $_ ne $who } @up if $out;
    }

    return @asked;
}


# What /status says in the end: "marked" has who is down and why, in the order
# of events, and "failed" whose attempts failed, and how many.
sub state {
    my ($block, @servers) = @_;
    my @marked = map { [split / /, $_, 2] } split /\n/, $block->marked || '';
    my %why = map { @$_ } @marked;
    my %failed = split ' ', $block->failed || '';

    my $events = join ',', map {
        qr/\{"time":"[^"]*","instance":"http:\/\/\Q$name{$_->[0]}\E",
            "from":"up","to":"down","reason":"/x . qr/\Q$_->[1]\E"\}/
    } @marked;

    my $details = join '', map {
        my $state = defined $why{$_}
            ? qr/"healthy":false,.*?"state":"down","reason":"\Q$why{$_}\E",/
            : qr/"healthy":true,.*?"state":"up","reason":null,/;
        my $failed = defined $failed{$_} ? $failed{$_} : '\d+';

        qr/"http:\/\/\Q$name{$_}\E":\{$state.*?"inFlight":0,"failed":$failed,.*/
    } @servers;

    return qr/$details"events":\[$events\]\}\z/;
}


# The lines of the log that tell of a change of state.
sub told {
    my ($block) = @_;

    return map { "[warn] http://$name{$_->[0]} is down: $_->[1]\n" }
           map { [split / /, $_, 2] } split /\n/, $block->marked || '';
}


add_block_preprocessor(sub {
    my $block = shift;
    my @servers = split ' ', $block->servers || 'A B';
    my @asked = asked($block, @servers);

    WaGateway::Socket::quiet($block);

    $block->set_value('request', [(map { $_->[1] =~ /^POST/ ? "$_->[1]\nx"
                                                            : $_->[1] } @asked),
                                  'GET /status']);
    $block->set_value('error_code', [(map { $_->[2] } @asked), 200]);
    $block->set_value('response_headers',
                      [(map { "X-Instance: http://$name{$_->[0]}" } @asked),
                       'Content-Type: application/json; charset=utf-8']);
    $block->set_value('response_body_like',
                      [(map { $_->[3] } @asked), state($block, @servers)]);

    $block->set_value('http_config', "upstream u { wa_gateway; "
        . "wa_gateway_keepalive off; wa_gateway_passive " . $block->passive . ';'
        . join('', map { "server \$TEST_NGINX_$_;" } @servers) . '}');
    $block->set_value('config', <<'END');
        add_header X-Instance $wa_gateway_instance always;
        location / { proxy_pass http://u; }
        location /hang { proxy_pass http://u; proxy_read_timeout 200ms; }
        location = /status { wa_gateway_status u; }
END
});

add_response_body_check(sub {
    my ($block, undef, $n) = @_;
    return if $n < $#{$block->request};

    my @lines = map { /(\[\w+\]) .*?wa_gateway: (\S+ is .*?)(?: \(\w+ for |,|$)/
                      ? "$1 $2\n" : () }
                split /\n/, slurp($Test::Nginx::Util::ErrLogFile);

    Test::More::is(join('', @lines), join('', told($block)),
                   $block->name . ' - changes of state in the log');
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: a reset takes an instance out, and it gets nothing more
--- passive: eject=1h
--- ask
A reset 502 out
B json 200
B json 200
B json 200
--- marked
A reset
--- failed
A 1
B 0



=== TEST 2: a connection that is closed before an answer does
--- passive: eject=1h
--- ask
A close 502 out
B json 200
B json 200
B json 200
--- marked
A closed before answer
--- failed
A 1
B 0



=== TEST 3: no answer in time does
--- passive: eject=1h
--- ask
A hang 504 out
B json 200
B json 200
B json 200
--- marked
A timeout
--- failed
A 1
B 0



=== TEST 4: an answer that is no HTTP does
--- passive: eject=1h
--- ask
A garbage 502 out
B json 200
B json 200
B json 200
--- marked
A invalid answer
--- failed
A 1
B 0



=== TEST 5: a header that is cut short does
--- passive: eject=1h
--- ask
A half_head 502 out
B json 200
B json 200
B json 200
--- marked
A closed before answer
--- failed
A 1
B 0



=== TEST 6: a refused connect does, and is hidden from who found out
--- servers: C B
--- passive: eject=1h
--- ask
C json 200 out B
B json 200
B json 200
B json 200
B json 200
B json 200
--- marked
C connect ECONNREFUSED
--- failed
C 1
B 0



=== TEST 7: two failures are less than error_fails=3
--- passive: error_fails=3 eject=1h
--- ask
A reset 502
A reset 502
A json 200
--- failed
A 2
B 0



=== TEST 8: the third takes it out
--- passive: error_fails=3 eject=1h
--- ask
A reset 502
A reset 502
A reset 502 out
B json 200
B json 200
--- marked
A reset
--- failed
A 3
B 0



=== TEST 9: of several kinds as well
--- passive: error_fails=3 eject=1h
--- ask
A close 502
A garbage 502
A hang 504 out
B json 200
--- marked
A timeout



=== TEST 10: an answer between them counts anew, whatever its status
--- passive: error_fails=3 eject=1h
--- ask
A reset 502
A reset 502
A json 200
A reset 502
A reset 502
A status:404 404
A reset 502
A reset 502
A status:500 500
A reset 502
A reset 502
--- failed
A 8
B 0



=== TEST 11: error_fails=0 never takes one out
--- passive: error_fails=0 eject=1h
--- ask
A reset 502
A close 502
A garbage 502
A reset 502
A half_head 502
--- failed
A 5
B 0



=== TEST 12: the third of three statuses takes it out, and all pass
--- passive: eject=1h
--- ask
A status:500 500
A status:503 503
A status:502 502 out
B json 200
B json 200
--- marked
A status 502
--- failed
A 0
B 0



=== TEST 13: so it is for GET
--- method: GET
--- passive: eject=1h
--- ask
A status:500 500
A status:503 503
A status:502 502 out
B json 200
B json 200
--- marked
A status 502



=== TEST 14: two of three do not
--- passive: eject=1h
--- ask
A status:500 500
A status:503 503
A json 200



=== TEST 15: a status never takes out the last one that is up
--- passive: eject=1h
--- ask
A status:500 500
A status:500 500
A status:500 500 out
B status:500 500
B status:500 500
B status:500 500
B status:500 500
B status:500 500
B status:500 500
--- marked
A status 500



=== TEST 16: for GET neither
--- method: GET
--- passive: eject=1h
--- ask
A status:500 500
A status:500 500
A status:500 500 out
B status:500 500
B status:500 500
B status:500 500
B status:500 500
B status:500 500
B status:500 500
--- marked
A status 500



=== TEST 17: a failure of the transport takes out the last one as well
--- passive: eject=1h
--- ask
A status:500 500
A status:500 500
A status:500 500 out
B status:500 500
B reset 502
--- marked
A status 500
B reset



=== TEST 18: and for GET
--- method: GET
--- passive: eject=1h
--- ask
A status:500 500
A status:500 500
A status:500 500 out
B status:500 500
B reset 502
--- marked
A status 500
B reset



=== TEST 19: a success between them counts anew
--- passive: status_fails=3 eject=1h
--- ask
A status:500 500
A status:500 500
A json 200
A status:500 500
A status:500 500
A status:404 404
A status:500 500
A status:500 500
A status:302 302
A status:500 500
A status:500 500



=== TEST 20: 4xx never takes one out
--- passive: status_fails=3 eject=1h
--- ask eval
CORE::join "\n", map { ("A status:$_ $_") x 4 }
           400, 401, 403, 404, 408, 409, 422, 429, 499



=== TEST 21: only the statuses of the list do
--- passive: status=503 status_fails=1 eject=1h
--- ask
A status:500 500
A status:502 502
A status:504 504
A status:599 599



=== TEST 22: one of these does with status_fails=1
--- passive: status=503 status_fails=1 eject=1h
--- ask
A status:503 503 out
B json 200
B json 200
--- marked
A status 503



=== TEST 23: a range of statuses ends where it says
--- passive: status=500,502-504 status_fails=1 eject=1h
--- ask
A status:501 501
A status:505 505
A status:504 504 out
B status:501 501
--- marked
A status 504



=== TEST 24: and begins there
--- passive: status=502-504,599 status_fails=1 eject=1h
--- ask
A status:500 500
A status:501 501
A status:502 502 out
B json 200
--- marked
A status 502



=== TEST 25: status_fails=0 never takes one out
--- passive: status_fails=0 eject=1h
--- ask
A status:500 500
A status:500 500
A status:500 500
A status:500 500
A status:500 500
A status:500 500



=== TEST 26: off never does, but failures are counted
--- passive: off
--- ask
A reset 502
A close 502
A garbage 502
A status:500 500
A status:500 500
A status:500 500
A status:500 500
--- failed
A 3
B 0
