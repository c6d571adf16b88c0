package WaGateway::Vendor::Quepasa;

# quepasa 3.26.0625.1500, its API v3 and v4, with and without the prefix.  The
# key is MASTERKEY; its clients name a session by its own token, see token(),
# and it has no other name.  A session can have token.  One that is elsewhere
# is unknown.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);

use parent -norequire, 'WaGateway::Vendor';

my ($True, $False) = ($WaGateway::Vendor::True, $WaGateway::Vendor::False);

my %States = (
    ready     => ['Ready', 'ready'],
    starting  => ['Connecting', 'starting'],
    login     => ['UnVerified', 'login'],
    down      => ['Disconnected', 'down'],
    stopped   => ['Stopped', 'down'],
    elsewhere => ['-', undef],
);

my %Code = (UnVerified => 2, Connecting => 4, Stopped => 6, Ready => 11,
            Disconnected => 13);

my $Prefix = qr{^(?:/api)?(?:/current|/v4)?};


sub states { return \%States }


sub framework { return 'chi' }


# Of each prefix.
my $Each = <<'END';
GET    none list   health
GET    none other  environment login/config
POST   none danger account spam restore/auto restore/manual
GET    none danger restore
POST   own  login  info
GET|PATCH own other info
DELETE own  danger info message message/:x
GET    own  login  scan paircode
GET    own  danger command
GET    own  other  message message/:x receive download download/:x
POST   own  other  read redispatch/:x
GET|POST own send  send
POST   own  send   send/:x sendtext sendtext/:x senddocument sendurl
POST   own  send   sendbinary sendbinary/:x sendbinary/:x/:x sendencoded
GET|POST own other picinfo picdata
GET|POST|DELETE own other webhook rabbitmq labels chat/labels
GET    own  other  invite contacts useridentifier getphone groups/getall
POST   own  check  isonwhatsapp
POST   own  other  userinfo contact/search groups/create chat/presence
POST   own  danger groups/leave
PUT    own  other  groups/name edit
END

my $V3 = <<'END';
GET    path other  -
GET|POST path send /send
POST   path send   /send/:x /sendtext /senddocument /sendurl /sendencoded
GET    path other  /receive /download /download/:x /invite/:x
GET|POST|DELETE path danger /webhook
GET|POST path other /labels
END

# v5 wants a token of a user, or a session's; it may name another in its body.
my $Map = join '',
    (map { lines($Each, $_) }
     '/', '/current/', '/v4/', '/api/', '/api/current/', '/api/v4/'),
    (map { lines($V3, $_) } '/v3/bot/:session', '/api/v3/bot/:session'),
    "GET|POST|DELETE own danger /api/v5/ sessions messages session/disable\n",
    "GET none other / healthapi\n";


# With a prefix before what follows methods, place and kind.
sub lines {
    my ($text, $prefix) = @_;
    return map { s/^(\S+\s+\S+\s+\S+\s+)/$1$prefix /r . "\n" }
           split /\n/, $text;
}


sub map { return $Map }


sub place {
    my ($self, $q, $place, $name) = @_;

    # the path has the token
    if ($place eq 'path') {
        my $s = $self->by_token($name);
        return $s ? $s->{name} : $name;
    }

    return $self->SUPER::place($q, $place, $name) if $place ne 'own';

    my $s = $self->named($q);
    return $s ? $s->{name} : undef;
}


sub by_token {
    my ($self, $token) = @_;
    return defined $token
           ? ($self->index_of('token_of')->{$token} || [])->[0] : undef;
}


# The path, the query, whose names have no case, the header.
sub parameter {
    my ($self, $q, $name) = @_;
    my $query = $self->queried($q);
    my ($key) = grep { lc eq $name } sort keys %$query;

    return $query->{$key} if defined $key;
    return $q->{header}{"x-quepasa-$name"};
}


sub named {
    my ($self, $q) = @_;
    my ($path) = $q->{path} =~ m{^(?:/api)?/v3/bot/([^/]+)};

    return $self->by_token(defined $path ? $path
                                         : $self->parameter($q, 'token'));
}


sub routes {
    return (
        ['GET', qr{$Prefix/health$}, 'list', \&health],
        ['GET', qr{^/healthapi$}, 'other', sub { running() }],
        ['POST', qr{$Prefix/info$}, 'login', \&create],
        ['DELETE', qr{$Prefix/info$}, 'danger', \&delete_info],
        ['GET', qr{$Prefix/command$}, 'danger', \&command_of],
        ['GET POST', qr{$Prefix/send$}, 'send', \&send_any],
        ['POST', qr{$Prefix/send(?:text|url|encoded)$}, 'send', \&send_any],
        ['GET POST', qr{^(?:/api)?/v3/bot/[^/]+/send$}, 'send', \&send_any],
        ['POST', qr{$Prefix/isonwhatsapp$}, 'check', \&check],
    );
}


sub refuse { return }


sub wrong { return [$_[0], { success => $False, status => $_[1] }] }


sub unknown { wrong(400, 'the requested whatsapp server was not found') }


sub running {
    return [200, { success => $True, status => 'application is running',
                   timestamp => '2026-01-02T03:04:05.678Z' }];
}


sub not_found {
    return [404, "404 page not found\n", { 'Content-Type' => 'text/plain' }];
}


sub bad_json { return wrong(400, 'invalid json body: unexpected EOF') }


sub unproved {
    return [200, { success => $True, status => 'sended with success' }];
}


sub token_of {
    my ($self, $s) = @_;
    return defined $s->{token} ? $s->{token} : lc $self->secret($s, 'token');
}


# The gateway never shows the token.
sub label { return substr sha256_hex($_[0]->token_of($_[1])), 0, 12 }


sub number_told { return defined $_[1]{number} && $_[1]{state} ne 'login' }


sub wid {
    my ($self, $s) = @_;
    return $self->number_told($s) ? "$s->{number}:12\@s.whatsapp.net" : '';
}


sub listed { return $_[1]{state} ne 'elsewhere' }


sub not_ready {
    my ($self, $s, $state) = @_;
    return wrong(503, 'server (' . $self->wid($s) . ') not ready yet ! '
                      . "current status: $state.");
}


sub faults { return {
    not_connected => sub { $_[0]->not_ready($_[2], 'Disconnected') },
    unknown => sub { unknown() },
    bad_key => sub { unknown() },
    not_on_whatsapp => sub {
        wrong(400, 'no signal session established with ' . $_[3]) },
    bad_body => sub {
        wrong(400, 'text not found, do not send empty messages') },
    throttled => sub { wrong(400, 'server returned error 463') },
    gone_on => sub {
        wrong(400, 'timed out waiting for message send response') },
    no_id => sub { $_[0]->unproved },
    empty => sub { [200, ''] },
} }


sub item {
    my ($self, $s) = @_;
    my $state = $self->state_of($s);

    my $text = WaGateway::Vendor::fill_in(
        '{"token":token@,"wid":wid@,"state":state@,"state_code":code@'
        . ',"diagnostic":{"note":"pad@"}}',
        token => $self->token_of($s), wid => $self->wid($s),
        state => $state, code => \($Code{$state} || 1), pad => \'PAD');
    my $pad = $self->padding(length $text);

    $text =~ s/PAD/$pad/;
    return $text;
}


# One that is neither ready nor stopped makes all of it unhealthy.
sub list {
    my ($self, @items) = @_;
    my $bad = $self->unhealthy;

    return '{"success":' . ($bad ? 'false' : 'true')
           . ',"timestamp":"2026-01-02T03:04:05.678Z"'
           . (@items ? ',"items":[' . join(',', @items) . ']' : '')
           . ',"stats":{"total":' . @items . ",\"unhealthy\":$bad}}\n";
}


sub unhealthy {
    my ($self) = @_;
    my @listed = grep { $self->listed($_) } $self->all;

    return @listed ? scalar grep { $self->state_of($_)
                                   !~ /^(?:Ready|Stopped)$/ } @listed : 1;
}


sub master {
    my ($self, $q) = @_;
    my $given = $self->parameter($q, 'masterkey');

    return defined $self->{key} && defined $given
           && lc $given eq lc $self->{key};
}


sub health {
    my ($self, $q) = @_;

    return [$self->unhealthy ? 400 : 200, $self->list_text]
        if $self->master($q);

    my $token = $self->parameter($q, 'token');
    return running() unless defined $token && $token ne '';

    my $s = $self->by_token($token);

    return [200, { success => $False, status => 'invalid token: the '
                   . 'requested whatsapp server was not found' }]
        unless $s && $self->listed($s);

    my $state = $self->state_of($s);
    return [200, { success => $state =~ /^(?:Ready|Stopped)$/ ? $True
                                                              : $False,
                   status => "server state is $state", state => $state,
                   wid => $self->wid($s) }];
}


sub server {
    my ($self, $q) = @_;
    my $s = $self->named($q);

    die unknown() unless $s && $self->listed($s);
    return $s;
}


sub create {
    my ($self, $q) = @_;
    my $token = $self->parameter($q, 'token');

    return wrong(400, 'missing token') unless defined $token && $token ne '';

    if (!$self->by_token($token)) {
        $self->put($token, state => 'login', token => $token);
        $self->changed;
    }

    return [200, { success => $True, status => 'server created' }];
}


sub delete_info {
    my ($self, $q) = @_;

    $self->do_drop($self->server($q)->{name});
    return [200, { success => $True, status => 'server deleted' }];
}


sub command_of {
    my ($self, $q) = @_;
    my $s = $self->server($q);
    my $action = $self->parameter($q, 'action') || '';

    return wrong(400, "invalid action: $action")
        unless $action =~ /^(?:start|stop|restart)\z/;

    $self->turns($s, $action eq 'stop' ? 'stopped'
                     : defined $s->{number} ? 'ready' : 'login');
    return [200, { success => $True, status => $action }];
}


sub send_any {
    my ($self, $q) = @_;
    my $s = $self->server($q);
    my $body = $q->{method} eq 'POST' ? $self->members($q) : {};

    $body = { map { lc $_ => $body->{$_} } keys %$body };

    for (qw(chatid text url)) {
        $body->{$_} = $self->parameter($q, $_) unless defined $body->{$_};
    }

    my $to = defined $body->{chatid} ? $body->{chatid} : '';
    $to =~ s/ //g;

    return wrong(400, 'chat id missing') if $to eq '';
    return wrong(400, 'invalid chatid length') if length $to < 8;
    return wrong(400, "invalid suffix @ recipient $to")
        if $to =~ /\@(?!g\.us\z|s\.whatsapp\.net\z|lid\z)/;

    $to =~ s/^\+//;
    $to .= '@s.whatsapp.net' unless $to =~ /@/;

    my $file = defined $body->{url} ? $body->{url} : $body->{content};
    my $text = $body->{text};

    return wrong(400, 'text not found, do not send empty messages')
        unless defined $file || defined $text && $text ne '';
    return wrong(400, 'error converting text to json poll: invalid character')
        if defined $text && $text =~ /^\s*poll:/;
    return $self->not_ready($s, $self->state_of($s))
        if $s->{state} ne 'ready';

    my $id = $self->send_out($q, $s, to => $to, id => $body->{id},
        text => $text, defined $file ? (media => {
            %{WaGateway::Vendor::media($file)}, mimetype => $body->{mime},
            filename => $body->{filename} }) : ());

    return [200, { success => $True, status => 'sended with success',
        message => { id => $id, wid => $self->wid($s), chatId => $to } }];
}


sub check {
    my ($self, $q) = @_;

    $self->server($q);
    return [200, { success => $True, total => 0, registered => [] }];
}


1;
