package WaGateway::Vendor::Wwebjs;

# wwebjs-api (avoylenko), as t/vendors/run finds it.  A session that is
# stopped, or elsewhere, is not known to it; of one that is down it says that
# its tab is closed.  One that begins is not listed yet: starting is one that
# was connected before.

use strict;
use warnings;

use parent -norequire, 'WaGateway::Vendor';

my ($True, $False) = ($WaGateway::Vendor::True, $WaGateway::Vendor::False);

# state and message, as the gateway joins them
my %States = (
    ready     => ['CONNECTED,session_connected', 'ready'],
    starting  => ['OPENING,session_not_connected', 'starting'],
    login     => ['UNPAIRED,session_not_connected', 'login'],
    down      => ['null,browser tab closed', 'down'],
    stopped   => ['null,session_not_found', undef],
    elsewhere => ['null,session_not_found', undef],
);


sub states { return \%States }


sub map { return <<'END' }
GET  none other  /            ping
GET  none list   /session/    getSessions
GET  path ask    /session/    status/:session
GET  path login  /session/    start/:session qr/:session qr/:session/image
POST path login  /session/    requestPairingCode/:session
GET  none danger /session/    terminateAll terminateInactive
GET  path danger /session/    terminate/:session stop/:session restart/:session
GET  path other  /session/    getPageScreenshot/:session
GET  path number /client/     getClassInfo/:session
GET  path other  /client/     getChats/:session getContacts/:session
GET  path other  /client/     getState/:session getWWebVersion/:session
GET  path other  /client/     getChannels/:session
POST path send   /client/     sendMessage/:session
POST path other  /client/     getChats/:session getChatById/:session
POST path other  /client/     createGroup/:session sendSeen/:session
POST path other  /client/     setStatus/:session syncHistory/:session
POST path check  /client/     getNumberId/:session isRegisteredUser/:session
POST path danger /client/     runMethod/:session resetState/:session
DELETE path danger /client/   deleteProfilePicture/:session
POST path other  /chat/       fetchMessages/:session sendStateTyping/:session
POST path other  /chat/       getClassInfo/:session markUnread/:session
POST path danger /chat/       delete/:session clearMessages/:session
POST path danger /chat/       runMethod/:session
POST path other  /groupChat/  addParticipants/:session setSubject/:session
POST path other  /groupChat/  getInviteCode/:session
POST path danger /groupChat/  leave/:session runMethod/:session
POST path send   /message/    reply/:session forward/:session
POST path other  /message/    react/:session edit/:session delete/:session
POST path other  /message/    downloadMedia/:session getInfo/:session
POST path danger /message/    runMethod/:session
POST path other  /contact/    block/:session getAbout/:session
POST path send   /channel/    sendMessage/:session
POST path send   /channel/    sendChannelAdminInvite/:session
POST path other  /channel/    fetchMessages/:session mute/:session
POST path danger /channel/    deleteChannel/:session
POST path danger /channel/    transferChannelOwnership/:session
GET  path other  /ws/         :session
END


sub routes {
    my $s = qr{([^/]+)};

    return (
        ['GET', qr{^/session//?getSessions$}, 'list',
         sub { [200, $_[0]->list_text] }],
        ['GET', qr{^/session//?status/$s$}, 'ask', \&ask],
        ['GET', qr{^/client//?getClassInfo/$s$}, 'number', \&number],
        ['POST', qr{^/client//?sendMessage/$s$}, 'send', \&send_message],
        ['POST', qr{^/client//?isRegisteredUser/$s$}, 'check', \&check],
        ['GET POST', qr{^/client//?getChats/$s$}, 'other', \&chats],
        ['GET', qr{^/session//?start/$s$}, 'login', \&start_session],
        ['GET', qr{^/session//?qr/$s$}, 'login', \&qr],
        ['GET', qr{^/session//?qr/$s/(image)$}, 'login', \&qr],
        ['GET', qr{^/session//?terminateAll$}, 'danger', \&flush],
        ['GET', qr{^/session//?terminateInactive$}, 'danger', \&flush],
        ['GET', qr{^/session//?(terminate|stop|restart)/$s$}, 'danger', \&end],
        ['POST', qr{^/client//?(?:runMethod|resetState)/$s$}, 'danger', \&chats],
        ['GET', qr{^/ping$}, 'other',
         sub { [200, { success => $True, message => 'pong' }] }],
    );
}


sub refuse {
    my ($self, $q) = @_;
    my $key = $q->{header}{'x-api-key'};

    # the body is read before the key
    $self->members($q) if $q->{length};

    return if $q->{path} !~ m{^/(?:session|client|chat|groupChat|message
                                     |contact|channel)(?:/|$)}xi;
    return wrong(403, 'Invalid API key')
        if defined $self->{key} && (!defined $key || $key ne $self->{key});

    return wrong(422, 'Session should be alphanumerical or -')
        if $q->{path} =~ m{^/\w+//?\w+/([^/]+)}
           && WaGateway::Vendor::decoded($1) !~ /^[\w-]+\z/;

    return;
}


sub wrong {
    my ($status, $error) = @_;
    return [$status, { success => $False, error => $error }];
}


sub not_found {
    my ($self, $q) = @_;
    return page(404, "Cannot $q->{method} $q->{path}");
}


sub bad_json { return page(400, 'SyntaxError: Unexpected token') }


# Express's own
sub page {
    my ($status, $text) = @_;

    return [$status, "<!DOCTYPE html>\n<html lang=\"en\">\n<body>\n"
                     . "<pre>$text</pre>\n</body>\n</html>\n",
            { 'Content-Type' => 'text/html; charset=utf-8' }];
}


# The library gave no message back.
sub unproved { return [200, { success => $True }] }


sub listed { return $_[1]{state} !~ /^(?:stopped|elsewhere)$/ }


sub faults { return {
    not_connected => sub { wrong(404, 'session_not_connected') },
    unknown => sub { wrong(404, 'session_not_found') },
    bad_key => sub { wrong(403, 'Invalid API key') },
    not_on_whatsapp => sub { $_[0]->unproved },
    no_lid => sub { wrong(500, 'No LID for user') },
    bad_body => sub { wrong(400, 'invalid contentType') },
    gone_on => sub { wrong(500, 'Evaluation failed: timeout') },
    no_id => sub { $_[0]->unproved },
    send_failure => sub {
        $_[2][1]{message}{ack} = -1;
        return $_[2] },
    empty => sub { [200, ''] },
} }


sub item { return WaGateway::Vendor::text($_[1]{name}) }


sub list {
    my ($self, @items) = @_;
    return '{"success":true,"result":[' . join(',', @items) . ']}';
}


sub seen {
    my ($self, $name) = @_;

    my $s = $self->{s}{$name};
    my ($state, $message) = split /,/, $s ? $self->state_of($s)
                                          : $States{stopped}[0], 2;

    return ($s, { success => $state eq 'CONNECTED' ? $True : $False,
                  state => $state eq 'null' ? undef : $state,
                  message => $message });
}


# Always 200.
sub ask {
    my ($self, $q, $name) = @_;
    my ($s, $seen) = $self->seen($name);

    return [200, $seen];
}


# The session, if it is connected.
sub connected {
    my ($self, $name) = @_;
    my ($s, $seen) = $self->seen($name);

    die wrong(404, $seen->{message}) if $seen->{success} == $False;
    return $s;
}


sub number {
    my ($self, $q, $name) = @_;
    my $s = $self->connected($name);
    my $wid = { server => 'c.us', user => $s->{number},
                _serialized => "$s->{number}\@c.us" };

    return [200, { success => $True, sessionInfo => {
        pushname => 'سارة', wid => $wid, me => $wid,
        platform => 'android' } }];
}


sub send_message {
    my ($self, $q, $name) = @_;
    my $body = $self->members($q);
    my $s = $self->connected($name);
    my ($to, $type, $content) = @$body{qw(chatId contentType content)};
    my %what;

    if (defined $type && $type eq 'string') {
        %what = (text => $content);

    } elsif (defined $type && $type eq 'MessageMediaFromURL') {
        %what = (media => WaGateway::Vendor::media($content));

    } elsif (defined $type && $type eq 'MessageMedia') {
        return wrong(500, 'Cannot read properties of undefined')
            unless ref $content eq 'HASH' && defined $content->{data};

        %what = (media => { %{WaGateway::Vendor::media($content->{data})},
                            mimetype => $content->{mimetype},
                            filename => $content->{filename} });
    } else {
        return wrong(400, 'invalid contentType');
    }

    $what{text} = $body->{options}{caption} if $what{media};

    return wrong(500, 'Evaluation failed: invalid wid')
        if !defined $to || $to !~ /^[^@]+\@(?:c\.us|g\.us|lid|newsletter)$/;
    return $self->unproved if $self->stranger($to);

    my $id = $self->send_out($q, $s, to => $to, %what);

    return [200, { success => $True, message => {
        id => { fromMe => $True, remote => $to, id => $id,
                _serialized => "true_${to}_$id" },
        ack => 0, hasMedia => $what{media} ? $True : $False,
        body => $what{text}, type => $what{media} ? 'image' : 'chat',
        timestamp => 1700000000, from => "$s->{number}\@c.us", to => $to } }];
}


sub check {
    my ($self, $q, $name) = @_;
    my $body = $self->members($q);

    $self->connected($name);
    return [200, { success => $True,
                   result => $self->stranger($body->{number}) ? $False
                                                              : $True }];
}


sub chats {
    my ($self, $q, $name) = @_;

    $self->connected($name);
    return [200, { success => $True, chats => [] }];
}


sub start_session {
    my ($self, $q, $name) = @_;
    my $s = $self->{s}{$name};

    return wrong(422, "Session already exists for: $name")
        if $s && $self->listed($s);

    $self->do_put($name, state => $s && defined $s->{number} ? 'ready'
                                                             : 'login');
    return [200, { success => $True,
                   message => 'Session initiated successfully' }];
}


sub qr {
    my ($self, $q, $name, $image) = @_;
    my ($s, $seen) = $self->seen($name);

    return [200, { success => $False, message => $seen->{message} }]
        if $seen->{message} eq 'session_not_found';
    return [200, { success => $False,
                   message => 'qr code not ready or already scanned' }]
        unless $s->{state} eq 'login';
    return [200, $self->png($s), { 'Content-Type' => 'image/png' }] if $image;
    return [200, { success => $True, qr => '2@' . $self->secret($s, 'qr') }];
}


sub end {
    my ($self, $q, $what, $name) = @_;
    my ($s, $seen) = $self->seen($name);
    my %said = (stop => 'Session stopped', restart => 'Restarted',
                terminate => 'Logged out');

    if ($seen->{message} eq 'session_not_found') {
        return [200, $seen] if $what ne 'stop';

    } elsif ($what eq 'terminate') {
        $self->do_drop($name);

    } elsif ($what eq 'stop') {
        $self->turns($s, 'stopped');

    } else {
        $self->turns($s, defined $s->{number} ? 'ready' : 'login');
    }

    return [200, { success => $True, message => "$said{$what} successfully" }];
}


sub flush {
    my ($self, $q) = @_;

    for my $s (grep { $self->listed($_) } $self->all) {
        next if $q->{path} =~ /Inactive/ && $s->{state} eq 'ready';
        $self->do_drop($s->{name});
    }

    return [200, { success => $True,
                   message => 'Flush completed successfully' }];
}


1;
