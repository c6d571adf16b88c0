#!/usr/bin/perl

# What becomes of a message of the one way when a server does not send it, or
# does not say so: what the client is told, that it goes elsewhere only if it
# was proven not to be sent, and that nothing is ever sent twice.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;
use WaGateway::Nginx qw(poll slurp);
use WaGateway::Send qw(vendors fake pair shown send_gateway post start_post
                       answer_of seen told);
use WaGateway::Sessions qw(sessions known events);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

my @hello = (chatId => '966511111111', message => 'geheim-x');
my $named = { @hello, session => 'main' };

# What proves that a message was not sent because of the session, that it was
# refused for itself, that its number is throttled; all else is unproved.
my %Cells = (
    waha => {
        not_connected => 'session', unknown => 'session', bad_key => 'session',
        bad_body => 'none', gone_on => 'none', no_id => 'none',
        empty => 'none', stack => 'none' },
    evolution => {
        not_connected => 'none', unknown => 'session', bad_key => 'session',
        licence => 'session', not_on_whatsapp => 'message',
        bad_body => 'none', gone_on => 'none', no_id => 'none',
        empty => 'none', stack => 'none' },
    wwebjs => {
        not_connected => 'session', unknown => 'session', bad_key => 'session',
        not_on_whatsapp => 'none', no_lid => 'none', bad_body => 'none',
        gone_on => 'none', no_id => 'none', send_failure => 'none',
        empty => 'none', stack => 'none' },
    wppconnect => {
        not_connected => 'session', unknown => 'session', bad_key => 'session',
        not_on_whatsapp => 'none', bad_body => 'none', gone_on => 'none',
        no_id => 'none', send_failure => 'none', empty => 'none',
        stack => 'none' },
    gowa => {
        not_connected => 'session', unknown => 'session', bad_key => 'session',
        no_client => 'none', not_on_whatsapp => 'message',
        bad_body => 'message', malformed => 'none', throttled => 'paced',
        gone_on => 'none', no_id => 'none', empty => 'none', stack => 'none' },
    wuzapi => {
        not_connected => 'none', unknown => 'session', bad_key => 'session',
        not_on_whatsapp => 'none', throttled => 'none', bad_body => 'message',
        gone_on => 'none', no_id => 'none', '500_success' => 'none',
        empty => 'none', stack => 'none' },
    'evolution-go' => {
        not_connected => 'session', no_client => 'session',
        unknown => 'session', bad_key => 'session', licence => 'session',
        not_on_whatsapp => 'none', throttled => 'none', bad_body => 'message',
        gone_on => 'none', no_id => 'none', empty => 'none', stack => 'none' },
    quepasa => {
        not_connected => 'session', unknown => 'session', bad_key => 'session',
        not_on_whatsapp => 'none', throttled => 'none', bad_body => 'none',
        gone_on => 'none', no_id => 'none', empty => 'none', stack => 'none' },
    openwa => {
        not_connected => 'session', unknown => 'session', bad_key => 'session',
        stopped => 'message', not_on_whatsapp => 'message',
        bad_body => 'message', too_large => 'message',
        not_supported => 'message', throttled => 'paced', gone_on => 'none',
        no_id => 'none', unconfirmed => 'none', empty => 'none',
        stack => 'none' },
);

my %Told = (session => '503 session_down no', message => '422 rejected no',
            none => '502 unconfirmed unknown', paced => '429 paced no');

# The vendors' files, but none has a timeout that nobody can wait for.
my $Files = tempdir('wa-vendors-XXXXXX', TMPDIR => 1, CLEANUP => 1);

for my $name (glob "$FindBin::Bin/../conf/vendors/*.conf") {
    my $text = slurp($name);
    my ($base) = $name =~ m{([^/]+)$};

    $text =~ s/^\s*timeout\s[^;]*;//m;
    open my $fh, '>', "$Files/$base" or die "$base: $!\n";
    print $fh $text;
    close $fh or die "$base: $!\n";
}


sub counted { return join ' ', map { scalar(my @sent = $_->sent) } @_ }


# An error has nothing of the server's inside, and nothing of the message but
# what its success without proof has.
sub leaks {
    my ($r) = @_;
    my $body = $r->{body};

    $body =~ s/"data":\{.*\}// if $r->{code} eq 'unconfirmed';
    return $body =~ /geheim|stack|at Server|\.js/ ? $r->{body} : '';
}


# To the session "main".
sub named { return { @hello, session => shown($_[0], 'main') } }


# A session whose last send was confirmed.
sub settle {
    my ($ng, $fake) = @_;

    return poll {
        my $before = my @sent = $fake->sent;
        post($ng, '/send-message', named($fake->{vendor}), headers =>
             ['X-WA-Instance: ' . $fake->url])->{status} == 200
            && (my @now = $fake->sent) > $before;
    };
}


for my $vendor (vendors()) {
    my $cells = $Cells{$vendor};
    my $named = named($vendor);
    my $fake = fake($vendor);
    my $ng = send_gateway(fakes => [$fake]);

    # alone
    for my $mode (sort keys %$cells) {
        my $proof = $cells->{$mode};

        $fake->set(send => $mode, retry_after => 1);
        $fake->forget;
        my $r = post($ng, '/send-message', $named);

        is(told($r), $Told{$proof}, "$vendor: $mode is $proof")
            or diag($r->{body});
        is(seen($fake), 1, "$vendor: $mode: it is not tried again");
        is(leaks($r), '', "$vendor: $mode: it tells no more");
        ok(!defined $r->{json}{data}, "$vendor: $mode: no answer is told")
            if $mode =~ /^(?:stack|gone_on)$/;
        is($r->{headers}{'retry-after'} ? 1 : 0,
           $proof =~ /^(?:session|paced)$/ ? 1 : 0,
           "$vendor: $mode: when to try again");
        if ($proof eq 'message') {
            my ($l) = grep { $_->{kind} eq 'send' } $fake->ledger;
            is($json->encode($r->{json}{data}),
               $json->encode($json->decode($l->{answer})),
               "$vendor: $mode: with what the server said");
        }

        is($ng->status->{instances}{details}{$fake->url}{state}, 'up',
           "$vendor: $mode: its instance is up");

        $fake->set(send => '');
        ok(settle($ng, $fake), "$vendor: $mode: it is over");
    }

    $ng->clean("$vendor: nothing worse than errors is logged");
    unlike($ng->log, qr/geheim-x/, "$vendor: no message is logged");

    # with another way to the same number
    my @two = pair($vendor);
    $ng = send_gateway(fakes => \@two);

    for my $mode (sort keys %$cells) {
        my $proof = $cells->{$mode};

        $two[0]->set(send => $mode, retry_after => 1);
        $_->forget for @two;
        my @r = map { post($ng, '/send-message', $named) } 1, 2;
        my @told = sort map { told($_) } @r;

        if ($proof eq 'session') {
            is("@told", '200 success 200 success',
               "$vendor: $mode: it goes another way");
            is(counted(@two), '0 2', "$vendor: $mode: once");
            cmp_ok(seen($two[0]), '>=', 1, "$vendor: $mode: it was tried");
            is((grep { $_->{json}{instance} ne $two[1]->url } @r), 0,
               "$vendor: $mode: the client knows which way");

        } elsif ($proof eq 'paced') {
            like("@told", qr/^(?:200 success|429 paced no) 429 paced no$/,
                 "$vendor: $mode: it goes no other way");
            is(seen($two[0]), 1, "$vendor: $mode: and is not tried again");

        } else {
            is("@told", "200 success $Told{$proof}",
               "$vendor: $mode: it goes no other way");
            is(seen($two[0]) . seen($two[1]), '11',
               "$vendor: $mode: each is seen once");
        }

        my $attempts = 0;
        $attempts += $_->{headers}{'x-wa-attempts'} for @r;
        is($attempts, seen(@two), "$vendor: $mode: as many attempts");

        $two[0]->set(send => '');
        ok(settle($ng, $two[0]), "$vendor: $mode: both are as they were");
    }

    $ng->clean("$vendor: nothing worse than errors is logged");
}


# All of an answer, whatever its size is and however it comes.
for my $vendor (vendors()) {
    my $named = named($vendor);
    my $fake = fake($vendor);
    my $ng = send_gateway(fakes => [$fake]);

    for my $chunked (0, 1) {
        $fake->set(send => 'big', chunked => $chunked);
        my $r = post($ng, '/send-message', $named);

        is(told($r), '200 success', "$vendor: the id in 2 MB");
        ok(exists $r->{json}{data} && !defined $r->{json}{data},
           "$vendor: which are not passed on");

        # a proof that comes in pieces is one
        $fake->set(send => 'not_connected', chunked => $chunked);
        $r = post($ng, '/send-message', $named);
        is(told($r), $Told{$Cells{$vendor}{not_connected}},
           "$vendor: an error, " . ($chunked ? 'chunked' : 'with a length'));
        $fake->set(send => '');
        settle($ng, $fake);
    }

    # what is cut is no success
    $fake->set(chunked => 0);

    for my $mode ('cut', 'short', 'html', 'garbage', 'deep') {
        $fake->misbehave('send', "after:$mode");
        $fake->forget;
        my $r = post($ng, '/send-message', $named);

        like(told($r), qr/^502 (?:unconfirmed|bad_gateway) unknown$/,
             "$vendor: $mode");
        is(seen($fake), 1, "$vendor: $mode: once");

        $fake->misbehave('send', '');
        settle($ng, $fake);
    }

    # one that comes slowly
    $fake->misbehave('send', 'drip:0.2');
    is(told(post($ng, '/send-message', $named)), '200 success',
       "$vendor: an answer in pieces");

    $ng->clean("$vendor: nothing worse than errors is logged");
}


# Connections.
{
    my @two = pair('waha');
    my $ng = send_gateway(fakes => \@two, vendors => "$Files/*.conf",
                          text => 'proxy_read_timeout 300ms;');

    # broken after it was written
    for my $mode ('reset', 'timeout') {
        my $want = $mode eq 'reset' ? '502 bad_gateway unknown'
                                    : '504 timeout unknown';
        $_->set(send => $mode) for @two;
        $_->forget for @two;

        is(told(post($ng, '/send-message', $named)), $want, $mode);
        is(seen(@two), 1, "$mode: it is not tried again");

        $_->set(send => '') for @two;
        ok((poll { told(post($ng, '/send-message', $named))
                   eq '200 success' }), "$mode: it is over");
    }

    $ng->stop;

    # refused
    @two = pair('waha');
    $ng = send_gateway(fakes => \@two, check => 'interval=60s timeout=10s');
    $two[0]->stop;

    my @r = map { post($ng, '/send-message', $named) } 1 .. 4;
    is(join(' ', map { told($_) } @r), join(' ', ('200 success') x 4),
       'refused: it goes another way');
    is(scalar(my @sent = $two[1]->sent), 4, 'refused: once');
    is($ng->status->{instances}{details}{$two[0]->url}{state}, 'down',
       'refused: the instance is down');

    $two[1]->stop;
    my $r = post($ng, '/send-message', $named);
    like(told($r), qr/^50[23] (?:bad_gateway|no_instances|session_down) no$/,
         'refused: by all');

    $ng->clean('connections: nothing worse than errors is logged');
}


# Another session, if any may send.
{
    my @fakes = (fake('wwebjs'), fake('wwebjs', sessions => [
        { name => 'other', number => '966500000002' }]));
    my $ng = send_gateway(fakes => \@fakes);

    $fakes[0]->set(send => 'not_connected');
    my @r = map { post($ng, '/send-message', { @hello }) } 1 .. 4;

    is(join(' ', map { "$_->{status} $_->{json}{session}" } @r),
       join(' ', ('200 other') x 4), 'any: another session sends it');
    is(counted(@fakes), '0 4', 'any: once');
    cmp_ok(seen($fakes[0]), '>=', 1, 'any: the first one was tried');

    my $r = post($ng, '/send-message', $named);
    is(told($r), '503 session_down no', 'any: not if one is named');
    is(counted(@fakes), '0 4', 'any: nobody sends that');

    # nobody
    $fakes[1]->set(send => 'not_connected');
    $_->forget for @fakes;
    $r = post($ng, '/send-message', { @hello });
    like(told($r), qr/^503 (?:session_down|no_session) no$/,
         'any: nobody can');
    is(join(' ', map { seen($_) } @fakes), '1 1', 'any: each was tried once');

    $ng->clean('any: nothing worse than errors is logged');
}


# As nginx may be set up.
for my $how (
    ['unbuffered', 'proxy_buffering off;'],
    ['kept alive', 'proxy_http_version 1.1; proxy_set_header Connection "";'],
    ['both', 'proxy_buffering off; proxy_http_version 1.1;
              proxy_set_header Connection "";'],
    ['small buffers', 'proxy_buffer_size 1k; proxy_buffers 4 1k;
                       proxy_busy_buffers_size 2k;'],
    ['intercepted', 'proxy_intercept_errors on;
                     error_page 404 422 500 502 /health;'],
    ['compressed', 'gzip on; gzip_types *; gzip_min_length 1;
                    gunzip on;'],
) {
    my ($name, $text) = @$how;
    my @two = pair('waha');
    my $ng = send_gateway(fakes => \@two, text => $text, workers => 2);

    for my $chunked (0, 1) {
        $_->set(chunked => $chunked) for @two;
        $two[0]->set(send => 'not_connected');
        $_->forget for @two;
        my @r = map { post($ng, '/send-message', $named) } 1 .. 4;

        is(join(' ', map { told($_) } @r), join(' ', ('200 success') x 4),
           "$name: it goes another way");
        is(counted(@two), '0 4', "$name: once");

        $_->set(send => 'big') for @two;
        $_->forget for @two;
        is(told(post($ng, '/send-message', $named)), '200 success',
           "$name: 2 MB");
        is(seen(@two), 1, "$name: once");

        $_->set(send => 'stack') for @two;
        $_->forget for @two;
        my $r = post($ng, '/send-message', $named);
        is(told($r), '502 unconfirmed unknown', "$name: an error");
        is(leaks($r), '', "$name: of which nothing is told");
        is(seen(@two), 1, "$name: once");

        $_->set(send => '') for @two;
        settle($ng, $_) for @two;
    }

    # where the client wants it so
    is(post($ng, '/send-message', $named, headers => ['Accept-Encoding: gzip'])
       ->{headers}{'content-encoding'} || '',
       $name eq 'compressed' ? 'gzip' : '', "$name: as the client has it");

    $ng->clean("$name: nothing worse than errors is logged");
}


# Where nothing is to be tried again.
{
    my @two = pair('waha');
    my $ng = send_gateway(fakes => \@two, text => 'proxy_next_upstream off;');

    $two[0]->set(send => 'not_connected');
    my @r = map { post($ng, '/send-message', $named) } 1, 2;

    is(join(' ', sort map { told($_) } @r),
       '200 success 503 session_down no', 'off: it goes no other way');
    is(join(' ', map { seen($_) } @two), '1 1', 'off: each is seen once');
    $ng->clean('off: nothing worse than errors is logged');
}


# In Arabic.
{
    my $fake = fake('gowa');
    my $ng = send_gateway(fakes => [$fake], text => 'wa_gateway_errors ar;');
    my %said;

    for my $mode ('not_connected', 'not_on_whatsapp', 'no_id', 'throttled') {
        $fake->set(send => $mode);
        my $r = post($ng, '/send-message', $named);

        like($r->{json}{error}, qr/\p{Arabic}/, "in Arabic: $r->{code}");
        like($r->{json}{details}, qr/\p{Arabic}/, 'with what became of it');
        $said{$r->{json}{error}}++;
    }

    is(scalar keys %said, 4, 'in Arabic: each in its own words');
    $ng->clean('in Arabic: nothing worse than errors is logged');
}


# A number that is throttled.
{
    my @fakes = (fake('gowa'), fake('gowa'), fake('gowa', sessions => [
        { name => 'other', number => '966500000002' }]));
    my $ng = send_gateway(fakes => \@fakes);

    $_->set(send => 'throttled', retry_after => 1000) for @fakes[0, 1];
    my $r = post($ng, '/send-message', $named);

    is(told($r), '429 paced no', 'throttled');
    is($r->{headers}{'retry-after'}, 1000, 'throttled: for so long');
    is(seen(@fakes), 1, 'throttled: nobody else sends it');
    is(leaks($r), '', 'throttled: it tells no more');

    # it rests, wherever it is
    $_->set(send => '') for @fakes;
    $_->forget for @fakes;
    $r = post($ng, '/send-message', $named);
    is(told($r), '429 paced no', 'throttled: named again');
    like($r->{headers}{'retry-after'}, qr/^(?:9\d\d|1000)$/,
         'throttled: for what is left');
    is(told(post($ng, '/send-message', { @hello, from => '966500000001' })),
       '429 paced no', 'throttled: named by its number');
    is(seen(@fakes), 0, 'throttled: nobody is asked');

    my @r = map { post($ng, '/send-message', { @hello }) } 1 .. 4;
    is(join(' ', map { "$_->{status} $_->{json}{session}" } @r),
       join(' ', ('200 other') x 4), 'throttled: another number sends');

    for (@fakes) {
        is($ng->status->{instances}{details}{$_->url}{state}, 'up',
           'throttled: no instance is down');
    }

    is(known($ng, 'main')->{state}, 'ready', 'throttled: nor the session');

    $fakes[2]->set(send => 'throttled', retry_after => 1);
    is(told(post($ng, '/send-message', { @hello })), '429 paced no',
       'throttled: the last one');
    $fakes[2]->set(send => '');
    is(told(post($ng, '/send-message', { @hello })), '429 paced no',
       'throttled: all');
    ok((poll { told(post($ng, '/send-message', { @hello }))
               eq '200 success' }), 'throttled: until its time is over');
    ok(!scalar(my @none = map { $_->sent } @fakes[0, 1]),
       'throttled: the others are not asked yet');

    # without a time
    my $fake = fake('gowa');
    my $other = send_gateway(fakes => [$fake]);
    $fake->set(send => 'throttled');
    $r = post($other, '/send-message', $named);
    is(told($r), '429 paced no', 'throttled: nobody knows for how long');
    like($r->{headers}{'retry-after'}, qr/^[1-9]\d*$/,
         'throttled: the client is told something');
    $other->clean('throttled: nothing worse than errors is logged');

    $ng->clean('throttled: nothing worse than errors is logged');
}


# A session whose sends are not confirmed.
{
    my $fake = fake('wwebjs');
    my $ng = send_gateway(fakes => [$fake],
                          check => 'interval=60s timeout=10s');
    my $suspect = sub {
        scalar grep { ($_->{reason} || '') =~ /suspect/ } events($ng, 'main')
    };

    $fake->set(send => 'no_id');
    post($ng, '/send-message', $named) for 1, 2;
    $fake->set(send => '');
    is(told(post($ng, '/send-message', $named)), '200 success',
       'suspect: one that is confirmed');
    $fake->set(send => 'no_id');
    post($ng, '/send-message', $named) for 1, 2;
    is($suspect->(), 0, 'suspect: not for two in a row');

    my $asked = $fake->count('ask');
    post($ng, '/send-message', $named);
    is($suspect->(), 1, 'suspect: for three');
    ok((poll { $fake->count('ask') > $asked }), 'suspect: it is asked again');
    is(known($ng, 'main', state => 'ready')->{state}, 'ready',
       'suspect: and is ready');
    is($ng->status->{instances}{details}{$fake->url}{state}, 'up',
       'suspect: its instance is up');

    # one tries it
    is(told(post($ng, '/send-message', $named)), '502 unconfirmed unknown',
       'suspect: one more that is not confirmed');
    is($suspect->(), 2, 'suspect: is enough');
    known($ng, 'main', state => 'ready');

    $fake->set(send => '');
    is(told(post($ng, '/send-message', $named)), '200 success',
       'suspect: one that is');
    $fake->set(send => 'no_id');
    post($ng, '/send-message', $named) for 1, 2;
    is($suspect->(), 2, 'suspect: and it is trusted as before');

    # what was counted
    my $messages = known($ng, 'main')->{messages};
    is($messages->{sent} . ' ' . $messages->{unknown}, '2 8',
       'suspect: how many were sent, and of how many it is not known');
    is($messages->{failed}, 0, 'suspect: none failed');

    $ng->clean('suspect: nothing worse than errors is logged');
}


# What is counted.
{
    my $fake = fake('gowa');
    my $ng = send_gateway(fakes => [$fake]);

    for my $mode ('', '', '', 'not_connected', 'not_on_whatsapp', 'no_id',
                  'stack', 'reset')
    {
        known($ng, 'main', state => 'ready');
        $fake->set(send => $mode);
        post($ng, '/send-message', $named);
    }

    my $s = known($ng, 'main');
    is(join(' ', @{$s->{messages}}{qw(sent failed unknown)}), '3 2 3',
       'counted: sent, not sent, unknown');
    like($s->{lastSent}, qr/^20\d\d-/, 'counted: and when');

    $ng->clean('counted: nothing worse than errors is logged');
}


# A client that leaves, a gateway that is reloaded.
{
    my $fake = fake('evolution');
    my $ng = send_gateway(fakes => [$fake], workers => 1,
        http => 'log_format ids "$status $wa_gateway_session '
                . '$wa_gateway_number $wa_gateway_message_id";',
        text => 'access_log ids.log ids;');
    my $lines = sub { split /\n/, slurp("$ng->{dir}/ids.log") };

    $fake->set(send => 'hold');
    my $s = start_post($ng, '/send-message', $named);
    ok((poll { $fake->held == 1 }), 'a client leaves: it is being sent');
    close $s;

    # the worker has seen that before it answers this
    $ng->status;
    $fake->set(send => '');
    is($fake->release, 1, 'a client leaves: the server answers');
    ok((poll { $lines->() == 1 }), 'a client leaves: the send ends');

    my ($sent) = $fake->sent;
    my ($line) = $lines->();
    is($line, "200 main 966500000001 $sent->{id}",
       'a client leaves: the log has what came of it');
    is(known($ng, 'main')->{messages}{sent}, 1,
       'a client leaves: it is counted');
    is(seen($fake), 1, 'a client leaves: it was sent once');

    # a reload
    $fake->forget;
    $fake->set(send => 'hold');
    $s = start_post($ng, '/send-message', $named);
    ok((poll { $fake->held == 1 }), 'a reload: it is being sent');

    my %old = map { $_ => 1 } $ng->worker_pids;
    kill 'HUP', $ng->{pid};
    ok((poll { grep { !$old{$_} } $ng->worker_pids }),
       'a reload: there are new workers');
    $fake->set(send => '');
    is($fake->release, 1, 'a reload: the server answers');

    my $r = answer_of($s);
    ($sent) = $fake->sent;
    is(told($r) . " $r->{json}{messageId}", "200 success $sent->{id}",
       'a reload: the client is told');
    is(seen($fake), 1, 'a reload: it was sent once');
    ok((poll { !grep { $old{$_} } $ng->worker_pids }),
       'a reload: the old workers end');
    is(known($ng, 'main')->{messages}{sent}, 2, 'a reload: it is counted');

    # both
    $fake->set(send => 'hold');
    $s = start_post($ng, '/send-message', $named);
    poll { $fake->held == 1 };
    %old = map { $_ => 1 } $ng->worker_pids;
    kill 'HUP', $ng->{pid};
    poll { grep { !$old{$_} } $ng->worker_pids };
    close $s;
    $fake->set(send => '');
    is($fake->release, 1, 'both: the server answers');
    ok((poll { !grep { $old{$_} } $ng->worker_pids }), 'both: it ends');
    is(known($ng, 'main')->{messages}{sent}, 3, 'both: it is counted');

    $ng->clean('leaving: nothing worse than errors is logged');
}

done_testing;
