#!/usr/bin/perl

# Memory that runs out while messages are sent, sessions told and instances
# changed: the n-th allocation fails, for each n.  The request gets an error
# that says whether its message was sent, nobody crashes, nothing stays.
#
# Of nginx's pools most allocations are none of malloc(): under `make coverage`
# they are, and each fails there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use JSON::PP qw(encode_json);
use Test::More;
use WaGateway::Memory;
use WaGateway::Nginx qw(http poll);
use WaGateway::Send qw(fake post send_gateway);
use WaGateway::Sessions qw(differs);
use WaGateway::Store;

my $Most = 2000;
my $short = WaGateway::Memory->new;
plan skip_all => 'no compiler, or a sanitizer' unless $short;

my @Admin = ('X-Api-Key: admin-secret', 'Content-Type: application/json');
my @To = (chatId => '966511111111');
my @Native = ('/api/sendText', 'session', 'main', 'chatId', '966511111111@c.us', 'text');

my @fakes = (fake('waha'), fake('waha', sessions => [
    { name => 'main', number => '966500000001' },
    { name => 'in', state => 'login', number => undef } ]));
my $more = fake('waha');
my ($ng, $worker);
my $marks = 0;


sub begin {
    my ($upstream, %o) = @_;

    $ng = send_gateway(fakes => \@fakes, workers => 1, env => $short->env,
        parameters => 'zone=u:1m sessions=100 capacity=3',
        check => 'interval=1h timeout=60s',
        upstream => "wa_gateway_state state/u.json; $upstream",
        server => 'wa_gateway_admin_key admin-secret;
                   location = /instances { wa_gateway_control u; }
                   location = /login { wa_gateway_login u; }', %o);
    ($worker) = $ng->worker_pids;
}


# Does it with each allocation that fails, in turn; what came of each, and of
# which mark.
sub each_of {
    my ($name, $code, $after) = @_;
    my ($n, $again) = (1, 0);
    my (%came, $left, @all);

    while ($n < $Most) {
        my $mark = 'm' . ++$marks;

        $short->fail_at($n);
        my $r = $code->($mark);
        $left = $short->fail_at(0);

        push @all, [$r, $mark];
        $came{$r->{status}}++;
        $after->() if $after;

        # one that ends before its allocation is the last, or was refused for
        # what the one before it left
        last if $left > 0 && ($r->{status} =~ /^20/ || ++$again > 100);
        $n++ if $left <= 0;
    }

    cmp_ok($n, '>', 1, "$name: $n allocations failed, one by one ("
                       . join(' ', map { "$_: $came{$_}" } sort keys %came) . ')');
    cmp_ok($n, '<', $Most, "$name: each of them");
    like($all[-1][0]{status}, qr/^20/, "$name: and none") or diag $all[-1][0]{body};

    # of a native one nginx leaves out the length, and the instance says so
    is(join(' ', grep { !/^(?:0|20\d|500|502|503)$/ && !($_ == 400 && $name =~ /native/) }
                 keys %came), '', "$name: no other error")
        or diag join '', map { $_->[0]{body} } grep { $_->[0]{status} =~ /^4/ } @all;

    return @all;
}


sub sound {
    my ($name) = @_;

    is(join(' ', $ng->worker_pids), $worker, "$name: the worker lives");
    ok((poll { my $d = $ng->status->{instances}{details};
               !grep { $_->{requests}{inFlight} || $_->{state} ne 'up' } values %$d }),
       "$name: nothing is in flight, nobody is blamed");
    is(differs($ng, @fakes), undef, "$name: sessions are as they are");
}


sub ended {
    my ($name) = @_;

    $ng->stop;
    is(join("\n", grep { !/alloc|memalign|memory/ } $ng->alarms), '', "$name: a quiet log");
}


# Messages: whoever has a key repeats what was not told as sent, and is not told
# for ever that it is under way.
sub messages {
    my ($name, $code, $keyed, $after) = @_;
    my %sent;

    $_->forget for @fakes;

    my @all = each_of($name, $code, $after);

    for my $one ($keyed ? @all : ()) {
        my ($r, $mark) = @$one;
        poll { ($one->[2] = $code->($mark))->{status} !~ /^(?:409|503)$/ } if $r->{status} !~ /^20/;
    }

    # who is not waited for any more may be on its way
    sound($name);
    $sent{$_->{text}}++ for map { $_->sent } @fakes;

    my @wrong = grep {
        my ($r, $mark, $again) = @$_;
        my $told = $r->{status} =~ /^20/ ? 'yes' : ($r->{json} || {})->{sent} // '-';
        my $times = $sent{$mark} // 0;

        $times > 1
        || ($told eq 'yes' && $times != 1)
        || ($told eq 'no' && !$again && $times)
        || ($again && $again->{status} =~ /^20/ && $times != 1)
        || ($again && $again->{status} == 409);
    } @all;

    is(join("\n", map { "$_->[1], " . ($sent{$_->[1]} // 0) . " times: $_->[0]{body}"
                              . ($_->[2] ? $_->[2]{body} : '') } @wrong), '',
       "$name: none twice, none lost that was told as sent");
    is(post($ng, '/send-message', { @To, message => 'after' })->{status}, 200,
       "$name: others go on");
}


sub keyed { return headers => [qq(Idempotency-Key: "$_[0]")] }
sub text { return post($ng, '/send-message', { @To, message => $_[0] }, @_[1 .. $#_]) }

sub native {
    my ($path, @members) = @Native;
    return post($ng, $path, { @members, $_[0] }, @_[1 .. $#_]);
}


begin('wa_gateway_pace number=100000/m recipient=100000/m day=9999 burst=9999;
       wa_gateway_idempotency on zone=keys:1m;');

messages('a text', \&text);
messages('a form', sub {
    post($ng, '/send-message', "chatId=966511111111&message=$_[0]",
         headers => ['Content-Type: application/x-www-form-urlencoded', $Admin[0]])
});
messages('media', sub {
    post($ng, '/send-media', { @To, caption => $_[0], filename => 'a.pdf',
                               mimetype => 'application/pdf', data => 'T2dn' x 30000 })
});
messages('a native one', \&native);
messages('with a key', sub { text($_[0], keyed($_[0])) }, 1);
messages('native with a key', sub { native($_[0], keyed($_[0])) }, 1);

# What is told.
for my $path ('/sessions', '/status', '/metrics', '/health', '/instances', '/login?session=in') {
    my ($last) = (each_of("GET $path", sub { http($ng->port, 'GET', $path, headers => \@Admin) }))[-1];
    ok($last->[0]{whole} && length $last->[0]{body}, "GET $path: it is whole in the end");
    sound("GET $path");
}

# What is changed.
sub control {
    my ($method, $query, $body) = @_;
    return http($ng->port, $method, "/instances$query", headers => \@Admin,
                ($body ? (body => encode_json($body)) : ()));
}

sub listed { return scalar grep { $_ eq $more->url } keys %{$ng->status->{instances}{details}} }
my $name = '?name=' . $more->url;
my $add = sub { control('POST', '', { url => $more->url, vendor => 'waha', key => 'geheim-1' }) };

each_of('POST /instances', $add, sub {
    poll { !listed() || control('DELETE', $name)->{status} == 204 && !listed() };
});
sound('POST /instances');

is($add->()->{status}, 201, 'it is added');
each_of('PATCH /instances', sub { control('PATCH', $name, { weight => 2 + $marks % 7, maxConns => 9 }) });

each_of('DELETE /instances', sub { control('DELETE', $name) },
        sub { poll { listed() || $add->()->{status} == 201 } });
is(control('DELETE', $name)->{status}, 204, 'it is removed');
ok((poll { !listed() }), 'and gone');
sound('DELETE /instances');

ended('messages, pages, control');

# Where keys are kept besides.
begin('wa_gateway_idempotency on zone=keys:1m journal=' . tempdir(CLEANUP => 1) . '/keys;');
messages('with a journal', sub { text($_[0], keyed($_[0])) }, 1);
ended('with a journal');

my $store = WaGateway::Store->start;

begin('wa_gateway_idempotency on; wa_gateway_store ' . $store->url . ' timeout=5s;');
WaGateway::Store::up($store, $ng);
messages('with a store', sub { text($_[0], keyed($_[0])) }, 1,
         sub { WaGateway::Store::up($store, $ng) });
ended('with a store');

# While instances and sessions are asked.
begin('', check => 'interval=100ms timeout=60s');

for my $n (1 .. 150) {
    my $lists = $fakes[0]->count('list');

    $short->fail_at($n);
    poll { $short->left <= 0 || $fakes[0]->count('list') > $lists + 2 };
    last if $short->fail_at(0) > 0;
}

sound('lists');
is(text('lists')->{status}, 200, 'lists: messages go on');
ended('lists');

done_testing;
