package WaGateway::Vendor::EvolutionGo;

# evolution-go 0.6.1.  The key is GLOBAL_API_KEY; its clients name a session by
# its own token, see token().  A session can have token and display (its name,
# which need not be its own).  One that is stopped or elsewhere has no client
# here: the real one would start it.  With "unlicensed" nothing is served.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);

use parent -norequire, 'WaGateway::Vendor';

my ($True, $False) = ($WaGateway::Vendor::True, $WaGateway::Vendor::False);

# "connected", which is whether somebody is logged in
my %States = (
    ready     => ['true', 'ready'],
    starting  => ['false', 'down'],
    login     => ['false', 'down'],
    down      => ['false', 'down'],
    stopped   => ['false', 'down'],
    elsewhere => ['false', 'down'],
);

my $Item = '{"id":id@,"name":name@,"token":token@,"webhook":'
    . '"https://app.example.com/hooks?token=x","rabbitmqEnable":"",'
    . '"websocketEnable":"","natsEnable":"","jid":jid@,"qrcode":qr@,'
    . '"connected":connected@,"expiration":0,"disconnect_reason":"",'
    . '"events":"MESSAGE","os_name":"pad@","proxy":"","client_name":'
    . '"evolution","createdAt":"2026-01-02T03:04:05.678Z","alwaysOnline":'
    . 'false,"rejectCall":false,"msgRejectCall":"","readMessages":false,'
    . '"ignoreGroups":false,"ignoreStatus":false}';


sub states { return \%States }


sub framework { return 'mux' }


sub map { return <<'END' }
GET    none other  /          server/ok manager ws
GET    none danger /license/  status register activate
GET    none list   /instance/ all
POST   body=name login /instance/ create
GET    none danger /instance/ info/:x logs/:x
DELETE none danger /instance/ delete/:x proxy/:x
POST   none danger /instance/ proxy/:x forcereconnect/:x
POST   own  login  /instance/ connect pair
GET    own  login  /instance/ qr
GET    own  ask    /instance/ status
POST   own  danger /instance/ disconnect reconnect
DELETE own  danger /instance/ logout
GET|PUT own other  /instance/ :x/advanced-settings
POST   own  send   /send/     text link media poll sticker location contact
POST   own  send   /send/     button list carousel status/text status/media
POST   own  check  /user/     check
POST   own  other  /user/     info avatar contacts privacy block unblock
GET    own  other  /user/     contacts privacy blocklist
POST   own  other  /message/  react presence markread downloadmedia status
POST   own  other  /message/  delete edit
POST   own  other  /chat/     pin unpin archive mute history-sync
GET    own  other  /group/    list myall
POST   own  other  /group/    info invitelink photo name create participant
POST   own  other  /group/    join
POST   own  danger /group/    leave
POST   own  other  /call/     reject
POST   own  other  /community/ create add remove
GET    own  other  /label/    list
POST   own  other  /label/    chat message edit
GET    own  other  /newsletter/ list
POST   own  other  /newsletter/ create info link subscribe messages
GET    own  other  /polls/    :x/results
END


sub place {
    my ($self, $q, $place, $name) = @_;

    return $self->SUPER::place($q, $place, $name) if $place ne 'own';

    my $s = $self->named($q);
    return $s ? $s->{name} : undef;
}


sub named {
    my ($self, $q) = @_;
    my $token = $q->{header}{apikey};

    return defined $token && $token ne ''
           ? ($self->index_of('token_of')->{$token} || [])->[0] : undef;
}


sub routes {
    my $x = qr{([^/]+)};

    return (
        ['GET', qr{^/instance/all$}, 'list', sub { [200, $_[0]->list_text] }],
        ['POST', qr{^/instance/create$}, 'login', \&create],
        ['DELETE', qr{^/instance/delete/$x$}, 'danger', \&delete_instance],
        ['POST', qr{^/instance/connect$}, 'login', \&connect],
        ['GET', qr{^/instance/qr$}, 'login', \&qr],
        ['GET', qr{^/instance/status$}, 'ask', \&ask],
        ['POST', qr{^/instance/disconnect$}, 'danger', \&disconnect],
        ['DELETE', qr{^/instance/logout$}, 'danger', \&logout],
        ['POST', qr{^/send/text$}, 'send', \&send_text],
        ['POST', qr{^/send/media$}, 'send', \&send_media],
        ['POST', qr{^/user/check$}, 'check', \&check],
        ['GET', qr{^/server/ok$}, 'other', sub { [200, { status => 'ok' }] }],
    );
}


# The licence is looked at before all else, then the key: that of the server
# for what is about instances by their id, a session's own for the rest.
sub refuse {
    my ($self, $q) = @_;
    my $given = $q->{header}{apikey};

    return if $q->{path} =~ m{^/(?:server/ok$|manager|license/)};
    return unlicensed() if $self->{unlicensed};
    return unless $q->{route};

    if ($q->{route}{place} ne 'own' && $q->{path} ne '/ws') {
        return unauthorized()
            unless defined $given && $given eq ($self->{key} || '');
        return;
    }

    $q->{s} = $self->named($q);
    return $q->{s} ? undef : unauthorized();
}


sub unauthorized { return [401, { error => 'not authorized' }] }


sub unlicensed {
    return [503, { error => 'service not activated',
        code => 'LICENSE_REQUIRED',
        register_url => 'http://localhost/manager/login',
        message => 'License required. Open the manager to activate your '
                   . 'license.' }];
}


sub wrong { return [$_[0], { error => $_[1] }] }


sub done {
    my ($data) = @_;
    return [200, { message => 'success', defined $data ? (data => $data)
                                                       : () }];
}


sub not_found {
    return [404, '404 page not found', { 'Content-Type' => 'text/plain' }];
}


sub bad_json { return wrong(400, 'Invalid JSON format') }


sub unproved { return done({ Info => { IsFromMe => $True }, Message => {} }) }


sub token_of {
    my ($self, $s) = @_;
    return defined $s->{token} ? $s->{token} : $self->secret($s, 'token');
}


sub display {
    my ($self, $s) = @_;
    return defined $s->{display} ? $s->{display} : $s->{name};
}


# As the gateway shows it, which never shows the token.
sub label {
    my ($self, $s) = @_;

    my $name = $self->display($s);
    return $name if @{$self->index_of('display')->{$name}} == 1;
    return substr sha256_hex($self->token_of($s)), 0, 12;
}


sub number_told { return defined $_[1]{number} && $_[1]{state} ne 'login' }


sub jid {
    my ($self, $s) = @_;
    return $self->number_told($s) ? "$s->{number}:12\@s.whatsapp.net" : '';
}


sub id {
    my ($self, $s) = @_;
    return join '-', unpack 'a8a4a4a4a12', lc $self->secret($s, 'id');
}


sub faults { return {
    not_connected => sub { wrong(500, 'client disconnected') },
    no_client => sub { wrong(500, 'no active session found') },
    unknown => sub { unauthorized() },
    bad_key => sub { unauthorized() },
    licence => sub { unlicensed() },
    not_on_whatsapp => sub {
        wrong(500, "number $_[3] is not registered on WhatsApp") },
    throttled => sub { wrong(500, 'server returned error 463') },
    bad_body => sub { wrong(400, 'message body is required') },
    gone_on => sub {
        wrong(500, 'timed out waiting for message send response') },
    no_id => sub { $_[0]->unproved },
    empty => sub { [200, ''] },
} }


sub item {
    my ($self, $s) = @_;

    my $text = WaGateway::Vendor::fill_in($Item,
        id => $self->id($s), name => $self->display($s),
        token => $self->token_of($s), jid => $self->jid($s),
        qr => $s->{state} eq 'login' ? '2@' . $self->secret($s, 'qr') : '',
        connected => \$self->state_of($s), pad => \'PAD');
    my $pad = $self->padding(length $text);

    $text =~ s/PAD/$pad/;
    return $text;
}


sub list {
    my ($self, @items) = @_;
    return '{"data":[' . join(',', @items) . '],"message":"success"}';
}


sub by_id {
    my ($self, $id) = @_;
    my ($s) = grep { $self->id($_) eq $id } $self->all;

    return $s || die wrong(500, 'record not found');
}


sub create {
    my ($self, $q) = @_;
    my $body = $self->members($q);

    for (qw(name token)) {
        return wrong(400, "$_ is required")
            unless defined $body->{$_} && $body->{$_} ne '';
    }

    return wrong(500, 'instance already exists')
        if $self->index_of('display')->{$body->{name}};
    return wrong(500, 'duplicate key value violates unique constraint')
        if $self->index_of('token_of')->{$body->{token}};

    my $s = $self->put($body->{name}, state => 'stopped',
                       token => $body->{token});
    $self->changed;

    return [200, '{"message":"success","data":' . $self->item_text($s) . '}'];
}


sub delete_instance {
    my ($self, $q, $id) = @_;

    $self->do_drop($self->by_id($id)->{name});
    return done();
}


sub connect {
    my ($self, $q) = @_;
    my $s = $q->{s};

    $self->turns($s, defined $s->{number} ? 'ready' : 'login')
        if $s->{state} ne 'ready';

    return done({ eventString => 'MESSAGE', jid => $self->jid($s),
                  webhookUrl => '' });
}


# It starts one that has no client.
sub qr {
    my ($self, $q) = @_;
    my $s = $q->{s};

    return wrong(400, 'session already logged in') if $s->{state} eq 'ready';

    $self->turns($s, 'login');
    return done({ Qrcode => $self->png_url($s),
                  Code => '2@' . $self->secret($s, 'qr') });
}


# The client, whose socket is open.
sub client {
    my ($s) = @_;

    die wrong(500, 'no active session found')
        if $s->{state} =~ /^(?:stopped|elsewhere)$/;
    die wrong(500, 'client disconnected')
        if $s->{state} =~ /^(?:starting|down)$/;
}


sub ask {
    my ($self, $q) = @_;
    my $s = $q->{s};

    eval { client($s); 1 } or return [400, $@->[1]];
    return done({ Connected => $True, Name => $self->display($s),
                  LoggedIn => $s->{state} eq 'ready' ? $True : $False });
}


sub disconnect {
    my ($self, $q) = @_;

    client($q->{s});
    $self->turns($q->{s}, 'stopped') if $q->{s}{state} eq 'ready';
    return done();
}


sub logout {
    my ($self, $q) = @_;

    eval { client($q->{s}); 1 } or return [400, $@->[1]];
    delete $q->{s}{number};
    $self->turns($q->{s}, 'stopped');
    return done();
}


sub send_text {
    my ($self, $q) = @_;
    my $body = $self->members($q);

    return wrong(400, 'phone number is required')
        unless defined $body->{number} && $body->{number} ne '';
    return wrong(400, 'message body is required')
        unless defined $body->{text} && $body->{text} ne '';

    return $self->message($q, $body, text => $body->{text});
}


sub send_media {
    my ($self, $q) = @_;
    my $body = $self->members($q);

    for (['number', 'phone number'], ['url', 'URL'], ['type', 'media type']) {
        return wrong(400, "$_->[1] is required")
            unless defined $body->{$_->[0]} && $body->{$_->[0]} ne '';
    }

    return wrong(500, 'unsupported protocol scheme ""')
        unless $body->{url} =~ m{^https?://}i;
    return wrong(500, 'invalid media type')
        unless $body->{type} =~ /^(?:image|video|audio|document)\z/;

    return $self->message($q, $body, text => $body->{caption},
        media => { link => $body->{url}, type => $body->{type},
                   filename => $body->{filename} });
}


sub message {
    my ($self, $q, $body, %o) = @_;
    my ($s, $to) = ($q->{s}, $body->{number});

    client($s);

    if ($to !~ /\@(?:s\.whatsapp\.net|g\.us|lid|newsletter)\z/) {
        $to =~ s/\D//g;
        return wrong(400, 'Invalid number format: invalid number format')
            if $to eq '';
        $to .= length $to >= 18 ? '@g.us' : '@s.whatsapp.net';
    }

    return wrong(500, "number $to is not registered on WhatsApp")
        if $self->stranger($to);
    return wrong(500, "the store doesn't contain a device JID")
        if $s->{state} ne 'ready';

    my $id = $self->send_out($q, $s, to => $to, id => $body->{id}, %o);

    return done({ Info => {
        Chat => $to, Sender => "$s->{number}:12\@s.whatsapp.net",
        IsFromMe => $True, IsGroup => $to =~ /g\.us\z/ ? $True : $False,
        ID => $id, ServerID => 0, PushName => '',
        Type => $o{media} ? 'DocumentMessage' : 'ExtendedTextMessage',
        Timestamp => '2026-01-02T03:04:05.678Z' },
        Message => { extendedTextMessage => { text => $o{text} } },
        MessageContextInfo => { stanzaID => '', participant => '' } });
}


sub check {
    my ($self, $q) = @_;
    my $body = $self->members($q);

    client($q->{s});

    return done({ Users => [map { {
        Query => $_, JID => "$_\@s.whatsapp.net", VerifiedName => '',
        IsInWhatsapp => $self->stranger($_) ? $False : $True } }
        @{$body->{number} || []}] });
}


1;
