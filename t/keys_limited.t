#!/usr/bin/perl

# Keys that are limited to numbers or sessions: what /sessions and /status tell
# whom, over a reload too.  What such a key is refused: keys.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use WaGateway::Nginx qw(poll);
use WaGateway::Sessions qw(gateway sessions differs);
use WaGateway::Vendor;

my $ng;
my @Numbers = map { "96650000000$_" } 0 .. 9;


sub fake {
    my ($vendor, @sessions) = @_;

    return WaGateway::Vendor->new($vendor, key => 'geheim',
        sessions => [map { { state => 'ready', %$_ } } @sessions]);
}


# What a path answers to a key.
sub at {
    my ($ng, $path, $key) = @_;
    my $r = $ng->request('GET', $path, headers => ["X-Api-Key: $key"]);

    return eval { JSON::PP::decode_json($r->{body}) }
           || die "$path: $r->{status} $r->{body}\n" . $ng->log;
}


# The sessions that a key sees, and that they are counted.
sub seen {
    my ($ng, $key, $query) = @_;
    my $all = at($ng, '/own/sessions' . ($query ? "?$query" : ''), $key);
    my @names = map { $_->{session} } @{$all->{sessions}};
    my $ready = grep { $_->{state} eq 'ready' } @{$all->{sessions}};

    return join ' ', sort(@names), "($all->{total}, $ready ready)"
        if $query || ($all->{total} == @names && $all->{ready} == $ready);

    return "total $all->{total}, ready $all->{ready} of @names";
}


# What /status counts for a key: instances, sessions, those of each instance.
sub counted {
    my ($status) = @_;
    my ($i, $s) = @$status{qw(instances sessions)};

    return join ', ', "$i->{total} $i->{healthy} $i->{unhealthy}",
                      "$s->{total} $s->{ready}",
                      map { my $d = $i->{details}{$_}{sessions};
                            "$_ $d->{total} $d->{ready}" }
                      sort keys %{$i->{details}};
}


# Whether an event is there, of a session or of an instance, for who sees all.
sub told {
    my ($what) = @_;

    return grep { ($_->{session} // $_->{instance}) . ' ' . ($_->{to} // '-')
                  eq $what } @{$ng->status->{events}};
}


sub own {
    my ($keys) = @_;

    # the others are asked without a key, by the tests
    return <<"END";
        location /own/ {
            wa_gateway_api_key $keys;
            location = /own/sessions { wa_gateway_sessions u; }
            location = /own/status { wa_gateway_status u; }
            location = /own/health { wa_gateway_health u; }
            location = /own/ssi { ssi on; ssi_types *; default_type text/html;
                                  alias ssi; }
        }
        location = /inside { internal; wa_gateway_sessions u; }
END
}


my $one = fake('waha', { name => 'main', number => $Numbers[1] },
               { name => 'sales', number => $Numbers[2] },
               { name => 'begun', number => $Numbers[3], state => 'starting' });
my $two = fake('gowa', { name => 'support', number => $Numbers[4] },
               { name => 'mainly', number => $Numbers[5], state => 'login' });

$ng = gateway(fakes => [$one, $two], workers => 2,
              server => own('all label=ops name sessions=main '
                            . "number numbers=+$Numbers[2],$Numbers[4] "
                            . "both sessions=mainly,main numbers=$Numbers[2] "
                            . 'none sessions=other login sessions=mainly'));

open my $ssi, '>', "$ng->{dir}/ssi" or die "ssi: $!\n";
print $ssi qq{<!--# include virtual="/inside" -->\n};
close $ssi or die "ssi: $!\n";

$ng->start;
is(differs($ng, $one, $two), undef, 'all sessions are known');

my ($here, $there) = ($one->url, $two->url);

is(seen($ng, 'all'), 'begun main mainly sales support (5, 3 ready)',
   'a key with a label alone sees all');
is(seen($ng, 'name'), 'main (1, 1 ready)', 'by name: that one, by its whole name');
is(seen($ng, 'number'), 'sales support (2, 2 ready)', 'by number');
is(seen($ng, 'both'), 'main mainly sales (3, 2 ready)', 'both add up');
is(seen($ng, 'none'), '(0, 0 ready)', 'a name that nobody has');

is(seen($ng, 'name', 'session=sales'), '(0, 0 ready)',
   'asking for another finds none');
is(seen($ng, 'name', "number=$Numbers[2]"), '(0, 0 ready)', 'nor by its number');
is(seen($ng, 'both', "instance=$here"), 'main sales (2, 2 ready)',
   'filters choose from what is its own');
is(seen($ng, 'both', 'limit=1&offset=1'), 'sales (3, 1 ready)', 'and so does a page');

is(counted(at($ng, '/own/status', 'all')),
   join(', ', '2 2 0', '5 3', sort("$here 3 2", "$there 2 1")),
   '/status: of all, without limits');
is(counted(at($ng, '/own/status', 'name')), "1 1 0, 1 1, $here 1 1",
   '/status: one instance, one session');
is(counted(at($ng, '/own/status', 'both')),
   join(', ', '2 1 1', '3 2', sort("$here 2 2", "$there 1 0")),
   '/status: healthy is where one of its own can send');
is(counted(at($ng, '/own/status', 'login')), "1 0 1, 1 0, $there 1 0",
   '/status: the second instance alone');
is(counted(at($ng, '/own/status', 'none')), '0 0 0, 0 0', '/status: nothing');
is(counted(at($ng, '/own/status?state=up', 'login')), "1 0 1, 1 0, $there 1 0",
   '/status: by state');

# currentIndex is of the instances that are told of, whosever turn it is

for my $turn (0, 1) {
    ok((poll { $ng->status->{loadBalancer}{currentIndex} == $turn
               || !$ng->request('GET', '/x') }), "the turn of instance $turn");

    is(join(' ', map { at($ng, '/own/status', $_)->{loadBalancer}{currentIndex} }
                 qw(both name login none)), "$turn 0 0 0",
       'as each key sees it');
}

is_deeply(at($ng, '/own/health', 'login')->{instances},
          at($ng, '/health', '')->{instances}, '/health tells of all');

my $included = $ng->request('GET', '/own/ssi', headers => ['X-Api-Key: name']);
like($included->{body}, qr/"session":"main"/, 'a subrequest tells of its own');
unlike($included->{body}, qr/sales|support/, 'and of no other');


# Events: of its sessions, and of the instances they are on.

$one->session('main', state => 'login');
$two->session('support', state => 'login');
ok((poll { told("main login") && told("support login") }),
   'sessions log out');

$two->stop;
ok((poll { told("$there down") }), 'an instance dies');

my @of = map { $_->{session} // $_->{instance} }
         @{at($ng, '/own/status', 'name')->{events}};
ok((grep { $_ eq 'main' } @of), 'its session is among the events');
is(join(' ', grep { $_ ne 'main' && $_ ne $here } @of), '',
   'and no other session or instance');

@of = map { $_->{session} // $_->{instance} }
      @{at($ng, '/own/status', 'number')->{events}};
ok((grep { $_ eq $there } @of), 'the instance of another is, for who has one there');
ok((grep { $_ eq 'support' || $_ eq 'sales' } @of), 'by number');
is(join(' ', grep { $_ eq 'main' || $_ eq 'mainly' } @of), '', 'and no other');

$two->start;
$two->session('support', state => 'ready');
$one->session('main', state => 'ready');
is(differs($ng, $one, $two), undef, 'both are back');


# A session that comes is seen at once by who may, and by nobody else.

$one->session('other', number => $Numbers[6], state => 'ready');
ok((poll { seen($ng, 'none') eq 'other (1, 1 ready)' }), 'one that came is seen');
is(seen($ng, 'name'), 'main (1, 1 ready)', 'by nobody else');


# A reload with other limits

ok($ng->reload(server => join("\n",
       'location = /sessions { wa_gateway_sessions u; }',
       own("name sessions=support number numbers=$Numbers[1] "
           . 'none both label=x sessions=sales'))), 'a reload');
is(seen($ng, 'name'), 'support (1, 1 ready)', 'other sessions');
is(seen($ng, 'number'), 'main (1, 1 ready)', 'another number');
is(seen($ng, 'both'), 'sales (1, 1 ready)', 'fewer');
is(seen($ng, 'none'), 'begun main mainly other sales support (6, 4 ready)',
   'none at all');
is($ng->request('GET', '/own/status', headers => ['X-Api-Key: all'])->{status},
   401, 'a key that went');

ended($ng);


# Requests: to its sessions, or to none

{
    my $first = fake('waha', { name => 'main', number => $Numbers[1] },
                     { name => 'sales', number => $Numbers[2] });
    my $second = fake('waha', { name => 'support', number => $Numbers[4] });
    my $ng = gateway(fakes => [$first, $second], workers => 2,
                     location => 'wa_gateway_api_key all name sessions=main '
                                 . "number numbers=$Numbers[2];")->start;
    is(differs($ng, $first, $second), undef, 'requests: all are known');

    my $sends = sub {
        my ($key, @names) = @_;
        my $r = $ng->request('POST', '/api/sendText',
            headers => ["X-Api-Key: $key", 'Content-Type: application/json',
                        @names],
            body => '{"session":"' . ($names[0] // '') =~ s/.*: //r
                    . '","chatId":"966500000099@c.us","text":"x"}');

        return "$r->{status} " . ($r->{body} =~ /"code":"(\w+)"/ ? $1 : '-');
    };

    is($sends->('name', 'X-WA-Session: main'), '201 -', 'it sends from its own');
    is($sends->('number', 'X-WA-Session: sales'), '201 -', 'by number too');
    is($sends->('all', 'X-WA-Session: support'), '201 -', 'without limits from any');

    my @sent = map { $_->sent } $first, $second;
    my @seen = map { $_->count('send') } $first, $second;

    is(join(' ', map { $_->{session} } @sent), 'main sales support',
       'each from the session that was named');

    for (['name', 'X-WA-Session: sales'], ['name', 'X-WA-Session: support'],
         ['number', 'X-WA-Session: main'], ['name', "X-WA-From: $Numbers[2]"],
         ['name', 'X-WA-Session: nobody'],
         ['name', 'X-WA-Instance: ' . $second->url],
         ['name', 'X-WA-Session: support', 'X-WA-Instance: ' . $second->url])
    {
        my ($key, @names) = @$_;
        is($sends->($key, @names), '403 forbidden_session', "$key: @names");
    }

    is(join(' ', map { $_->count('send') } $first, $second), "@seen",
       'of which no instance has heard');
    ended($ng);
}


# A name that is a secret: keys know the one that is shown.

{
    my $token = 'tok-geheim-1';
    my $wuzapi = fake('wuzapi',
        { name => 'shop', token => $token, number => $Numbers[1] },
        { name => 'twin', token => 'tok-2', display => 'same', number => $Numbers[2] },
        { name => 'other', token => 'tok-3', display => 'same', number => $Numbers[3] });
    my $ng = gateway(fakes => [$wuzapi], server => own("token sessions=$token"))->start;

    is(differs($ng, $wuzapi), undef, 'secret: all are known');

    my ($hash) = map { $_->{session} } @{sessions($ng, "number=$Numbers[2]")->{sessions}};
    like($hash, qr/^[0-9a-f]{12}$/, 'secret: a display name of two is none');
    is(seen($ng, 'token'), '(0, 0 ready)', 'secret: no key knows a token');

    $ng->stop;
    $ng = gateway(fakes => [$wuzapi],
                  server => own("shown sessions=shop same sessions=same "
                                . "hash sessions=$hash"))->start;
    is(differs($ng, $wuzapi), undef, 'secret: all are known again');
    is(seen($ng, 'shown'), 'shop (1, 1 ready)', 'secret: by the display name');
    is(seen($ng, 'same'), '(0, 0 ready)', 'secret: not by one that two have');
    is(seen($ng, 'hash'), "$hash (1, 1 ready)", 'secret: by its digits');
    ended($ng, $token);
}

done_testing;


sub ended {
    my ($ng, @secrets) = @_;

    $ng->stop;
    unlike($ng->log, qr/\[(?:alert|crit|emerg)\]|exited on signal/,
           'nothing worse than warnings');
    unlike($ng->log, qr/\Q$_\E/, 'no secret in the log') for 'geheim', @secrets;
}
