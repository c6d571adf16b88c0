package WaGateway::Vendor::Waha;

# WAHA (devlikeapro/waha).  Options: wait (seconds that a send waits for its
# session, 5), worker (its WAHA_WORKER_ID).

use strict;
use warnings;

use MIME::Base64 qw(encode_base64);

use parent -norequire, 'WaGateway::Vendor';

my ($True, $False) = ($WaGateway::Vendor::True, $WaGateway::Vendor::False);

my %States = (
    ready     => ['WORKING', 'ready'],
    starting  => ['STARTING', 'starting'],
    login     => ['SCAN_QR_CODE', 'login'],
    down      => ['FAILED', 'down'],
    stopped   => ['STOPPED', 'down'],
    elsewhere => ['STOPPED', 'down'],
);

# What is inside has names and states, too.
my $Item = '{"name":name@,"status":status@,"config":{"metadata":'
    . '{"user.id":"17","status":"FAILED","note":note@},"webhooks":[{"url":'
    . '"https://app.example.com/hooks/waha","events":["message.any",'
    . '"session.status"],"hmac":{"key":hmac@},"retries":{"delaySeconds":2,'
    . '"attempts":15},"customHeaders":[{"name":"X-Token","value":token@}]}],'
    . '"proxy":{"server":"proxy.example.com:3128","username":"u17",'
    . '"password":password@},"debug":false,"noweb":{"markOnline":true,'
    . '"store":{"enabled":true,"fullSync":false}}},"me":me@worker@,'
    . '"presence":presence@,"timestamps":{"activity":activity@},"apps":null';


sub states { return \%States }


sub map { return <<'END' }
GET        none         other  /            ping health api/version
GET        none         other  /api/server/ version status
GET        none         danger /api/server/ environment debug/cpu
GET        none         danger /api/server/ debug/heapsnapshot
GET        path         danger /api/server/ debug/browser/trace/:session
POST       none         danger /api/server/ stop
GET|POST   none         danger /api/        keys
POST       none         danger /api/keys/   control media
PUT|DELETE none         danger /api/keys/   :x
GET        query=session danger /api/       apps
POST       body=session danger /api/        apps
GET|PUT|DELETE none     danger /api/apps/   :x
POST       none         danger /mcp         -
GET        none         list   /api/sessions -
POST       body=name    login  /api/sessions -
POST       body=name    danger /api/sessions/ start stop logout
GET        path         ask    /api/sessions/ :session
PUT|DELETE path         danger /api/sessions/ :session
GET        path         other  /api/sessions/ :session/me
POST       path         danger /api/sessions/ :session/start :session/stop
POST       path         danger /api/sessions/ :session/logout :session/restart
GET        query=session send  /api/        sendText
POST       body=session send   /api/        sendText sendImage sendFile
POST       body=session send   /api/        sendVoice sendVideo sendPoll reply
POST       body=session send   /api/        sendLocation sendContactVcard
POST       body=session send   /api/        sendLinkPreview sendButtons
POST       body=session send   /api/        sendList forwardMessage
POST       body=session send   /api/send/   link-custom-preview buttons/reply
POST       body=session other  /api/        sendSeen startTyping stopTyping
POST       body=session other  /api/        sendPollVote
PUT        body=session other  /api/        reaction star
GET        query=session other /api/        screenshot checkNumberStatus
GET        query=session other /api/        messages contacts
GET        query=session other /api/contacts/ all about check-exists
GET        query=session other /api/contacts/ profile-picture
POST       body=session other  /api/contacts/ block unblock
GET        query=session other /ws          -
GET        none         other  /api/files/  **
GET        path         login  /api/:session/ auth/qr auth/passkey/challenge
GET        path         login  /api/:session/ auth/passkey/confirmation
POST       path         login  /api/:session/ auth/passkey auth/request-code
POST       path         login  /api/:session/ auth/passkey/confirm
POST       path         send   /api/:session/ status/text status/image
POST       path         send   /api/:session/ status/voice status/video events
POST       path         other  /api/:session/ status/delete calls/reject
GET|POST   path         other  /api/:session/ channels groups labels presence
GET|DELETE path         other  /api/:session/ channels/:x groups/:x
GET        path         other  /api/:session/ chats chats/overview
GET        path         other  /api/:session/ chats/:x/messages
GET        path         other  /api/:session/ chats/:x/messages/:x
GET        path         other  /api/:session/ chats/:x/picture
DELETE     path         danger /api/:session/ chats/:x chats/:x/messages
DELETE     path         danger /api/:session/ chats/:x/messages/:x
PUT        path         other  /api/:session/ chats/:x/messages/:x
POST       path         other  /api/:session/ chats/:x/archive chats/:x/unread
GET|PUT    path         other  /api/:session/ contacts/:x
GET        path         other  /api/:session/ groups/count groups/join-info
GET        path         other  /api/:session/ groups/:x/participants
POST       path         other  /api/:session/ groups/join groups/:x/leave
POST       path         other  /api/:session/ groups/:x/participants/add
PUT        path         other  /api/:session/ groups/:x/subject
DELETE     path         other  /api/:session/ groups/:x/picture
GET        path         other  /api/:session/ lids lids/count lids/:x
GET        path         other  /api/:session/ lids/pn/:x
POST       path         other  /api/:session/ media/convert/voice
GET        path         other  /api/:session/ new-message-id presence/:x
GET        path         other  /api/:session/ profile status/new-message-id
PUT        path         other  /api/:session/ profile/name profile/status
END


sub routes {
    my $s = qr{([^/]+)};

    return (
        ['GET', qr{^/api/sessions/?$}, 'list', \&sessions_of],
        ['POST', qr{^/api/sessions/?$}, 'login', \&create],
        ['POST', qr{^/api/sessions/(start)$}, 'login', \&old_action],
        ['POST', qr{^/api/sessions/(stop|logout)$}, 'danger', \&old_action],
        ['GET', qr{^/api/sessions/$s$}, 'ask', \&ask],
        ['GET', qr{^/api/sessions/$s/me$}, 'number', \&number],
        ['DELETE', qr{^/api/sessions/$s$}, 'danger', \&delete_session],
        ['PUT', qr{^/api/sessions/$s$}, 'danger', \&update],
        ['POST', qr{^/api/sessions/$s/(start)$}, 'login', \&action],
        ['POST', qr{^/api/sessions/$s/(stop|logout|restart)$}, 'danger',
         \&action],
        ['POST GET', qr{^/api/sendText$}, 'send', \&send_text],
        ['POST', qr{^/api/send(?:Image|File|Voice|Video)$}, 'send',
         \&send_media],
        ['GET', qr{^/api/contacts/check-exists$}, 'check', \&check],
        ['POST', qr{^/api/server/stop$}, 'danger', \&stop_server],
        ['GET', qr{^/api/server/environment$}, 'danger', \&environment],
        ['GET', qr{^/api/server/status$}, 'other', \&status],
        ['GET', qr{^/ping$}, 'other', sub { [200, { message => 'pong' }] }],
        ['GET', qr{^/health$}, 'other',
         sub { [200, { status => 'ok', info => {}, error => {} }] }],
        ['GET', qr{^/api/$s/auth/qr$}, 'login', \&qr],
        ['GET', qr{^/api/$s/new-message-id$}, 'other',
         sub { [200, { id => $_[0]->message_id }] }],
        ['GET', qr{^/api/$s/chats$}, 'other', \&chats],
    );
}


sub refuse {
    my ($self, $q) = @_;
    my $key = $q->{header}{'x-api-key'};

    $key = $q->{query}{'x-api-key'} unless defined $key;

    return if !defined $self->{key} || $q->{path} eq '/ping'
              || defined $key && $key eq $self->{key};

    return [401, { message => 'Unauthorized', statusCode => 401 }];
}


sub not_found {
    my ($self, $q) = @_;
    return wrong(404, "Cannot $q->{method} $q->{target}");
}


sub bad_json {
    return wrong(400, 'Unexpected token } in JSON at position 1');
}


sub wrong {
    my ($status, $message) = @_;
    my %error = (400 => 'Bad Request', 404 => 'Not Found',
                 422 => 'Unprocessable Entity');

    return [$status, { statusCode => $status, message => $message,
                       error => $error{$status} }];
}


sub unproved {
    my ($self, $answer) = @_;
    return [$answer->[0], { timestamp => 1700000000, fromMe => $True }];
}


sub faults { return {
    not_connected => sub { unexpected($_[2]{name}, 'FAILED', 'WORKING') },
    unknown => sub { not_here($_[2]{name}) },
    bad_key => sub { [401, { message => 'Unauthorized', statusCode => 401 }] },
    bad_body => sub { wrong(400, ['text must be a string']) },
    gone_on => sub { [500, { statusCode => 500,
                             message => 'Internal server error' }] },
    no_id => sub { $_[0]->unproved($_[2]) },
    empty => sub { [201, ''] },
} }


sub item {
    my ($self, $s) = @_;

    my $here = $s->{state} ne 'stopped';
    my $worker = $s->{state} eq 'elsewhere' ? $s->{worker} || 'another'
                                            : $self->worker;
    my $text = WaGateway::Vendor::fill_in($Item,
        name => $s->{name}, status => $self->state_of($s),
        note => \'"NOTE"', hmac => $self->secret($s, 'hmac'),
        token => $self->secret($s, 'token'),
        password => $self->secret($s, 'proxy'),
        me => me($s), presence => $s->{state} eq 'ready' ? 'online' : undef,
        worker => \($here ? qq(,"assignedWorker":"$worker") : ''),
        activity => \($s->{state} eq 'ready' ? 1700000000000 : 'null'));

    my $note = 'a \\"name\\": } ] , خالد ' . $self->padding(length $text);
    $text =~ s/NOTE/$note/;

    return "$text}";
}


sub me {
    my ($s) = @_;

    return undef unless $s->{state} eq 'ready' && defined $s->{number};
    return { id => "$s->{number}\@c.us", lid => "7$s->{number}\@lid",
             jid => "$s->{number}:12\@s.whatsapp.net", pushName => 'سارة' };
}


sub worker {
    my ($self) = @_;
    return defined $self->{worker} ? $self->{worker} : "waha-$self->{id}";
}


sub list {
    my ($self, @items) = @_;
    return '[' . join(',', @items) . ']';
}


sub sessions_of {
    my ($self, $q) = @_;

    return [200, $self->list_text] if ($q->{query}{all} || '') eq 'true';
    return [200, $self->list(map { $self->item_text($_) }
                             grep { running($_) } $self->all)];
}


sub running { return $_[0] && $_[0]{state} !~ /^(?:stopped|elsewhere)$/ }


sub known {
    my ($self, $name) = @_;
    return $self->{s}{$name} || die wrong(404, 'Session not found');
}


sub ask {
    my ($self, $q, $name) = @_;
    return $self->told($self->known($name));
}


sub told {
    my ($self, $s, $status) = @_;

    my $text = $self->item_text($s);
    $text =~ s/\}$/,"engine":{"engine":"GOWS","gows":{"connected":true}}}/;
    return [$status || 200, $text];
}


sub number {
    my ($self, $q, $name) = @_;
    return [200, WaGateway::Vendor::text(me($self->here($name)))];
}


# The session if it runs here.
sub here {
    my ($self, $name) = @_;
    my $s = $self->{s}{$name};

    return $s if running($s);
    die not_here($name);
}


sub not_here {
    my ($name) = @_;

    return wrong(404, "We didn't find a session with name '$name'.\n"
                 . 'Please start it first by using POST '
                 . "/api/sessions/$name/start request");
}


# Does it as soon as the session can send, if it can in time.
sub working {
    my ($self, $name, $do) = @_;

    die wrong(400, 'Session name is required')
        unless defined $name && $name ne '';

    my $s = $self->here($name);
    my $ready = sub { $s->{state} eq 'ready' ? $do->($s) : undef };

    return $ready->() || {
        wait => defined $self->{wait} ? $self->{wait} : 5,
        until => $ready,
        then => sub {
            unexpected($name, $self->state_of($s), 'WORKING') } };
}


sub unexpected {
    my ($name, $status, $expected) = @_;

    return [422, { error => 'Session status is not as expected. Try again '
                            . 'later or restart the session',
                   session => $name, status => $status,
                   expected => [$expected] }];
}


sub send_text {
    my ($self, $q) = @_;
    my $body = $q->{method} eq 'GET'
        ? { %{$self->queried($q)}, chatId => $q->{query}{phone} }
        : $self->members($q);

    return $self->working($body->{session}, sub {
        my ($s) = @_;

        for (qw(chatId text)) {
            return wrong(400, ["$_ must be a string"])
                if !defined $body->{$_} || ref $body->{$_};
        }

        return $self->message($q, $s, $body, text => $body->{text});
    });
}


sub send_media {
    my ($self, $q) = @_;
    my $body = $self->members($q);
    my $file = $body->{file};

    return $self->working($body->{session}, sub {
        my ($s) = @_;

        return wrong(400, ['chatId must be a string'])
            if !defined $body->{chatId} || ref $body->{chatId};
        return wrong(400, ['file must have mimetype, and url or data'])
            unless ref $file eq 'HASH' && $file->{mimetype}
                   && (defined $file->{url} || defined $file->{data});

        return $self->message($q, $s, $body, text => $body->{caption},
            media => { %{WaGateway::Vendor::media(defined $file->{url}
                         ? $file->{url} : $file->{data})},
                       mimetype => $file->{mimetype},
                       filename => $file->{filename} });
    });
}


sub message {
    my ($self, $q, $s, $body, %o) = @_;

    # the caller's own id is for text
    my $id = $o{media} ? undef : $body->{id};
    $id = $self->send_out($q, $s, to => $body->{chatId}, id => $id, %o);

    return [201, { id => "true_$body->{chatId}_$id", timestamp => 1700000000,
                   from => "$s->{number}\@c.us", fromMe => $True,
                   source => 'api', to => $body->{chatId}, body => $o{text},
                   hasMedia => $o{media} ? $True : $False,
                   ack => 1, ackName => 'SERVER', vCards => [] }];
}


sub check {
    my ($self, $q) = @_;
    my $phone = $q->{query}{phone} || '';

    return $self->working($q->{query}{session}, sub {
        my $there = !$self->stranger($phone);
        return [200, { numberExists => $there ? $True : $False,
                       $there ? (chatId => "$phone\@c.us") : () }];
    });
}


sub create {
    my ($self, $q) = @_;
    my $body = $self->members($q);
    my $name = defined $body->{name} ? $body->{name}
                                     : 'session_' . $self->message_id;

    return wrong(400, ['name must match /^[a-zA-Z0-9_-]*$/'])
        unless $name =~ /^[a-zA-Z0-9_-]{1,54}\z/;
    return wrong(422, "Session '$name' already exists. Use PUT to update it.")
        if $self->{s}{$name};

    my $start = !defined $body->{start} || $body->{start};
    $self->do_put($name, state => $start ? 'starting' : 'stopped');

    return $self->told($self->{s}{$name}, 201);
}


sub delete_session {
    my ($self, $q, $name) = @_;

    $self->do_drop($name);
    return [200, ''];
}


sub update {
    my ($self, $q, $name) = @_;
    my $s = $self->known($name);

    $self->starts($s) if running($s);
    return $self->told($s);
}


sub action {
    my ($self, $q, $name, $what) = @_;
    my $s = $self->known($name);
    my $ran = running($s);

    delete $s->{number} if $what eq 'logout';

    if ($what eq 'stop') {
        $self->turns($s, 'stopped');
    } elsif ($what ne 'logout' || $ran) {
        $self->starts($s);
    }

    return $self->told($s, 201);
}


# One that was logged in comes back by itself.
sub starts {
    my ($self, $s) = @_;
    $self->turns($s, defined $s->{number} ? 'ready' : 'login');
}


sub old_action {
    my ($self, $q, $what) = @_;
    my $body = $self->members($q);
    my $name = $body->{name};

    if ($what eq 'start') {
        $self->do_put($name, state => 'starting') unless $self->{s}{$name};
        $self->starts($self->{s}{$name});
        return $self->told($self->{s}{$name}, 201);
    }

    if ($what eq 'logout' || $body->{logout}) {
        $self->do_drop($name);
    } elsif ($self->{s}{$name}) {
        $self->turns($self->{s}{$name}, 'stopped');
    }

    return [201, ''];
}


sub qr {
    my ($self, $q, $name) = @_;
    my $s = $self->here($name);

    return unexpected($name, $self->state_of($s), 'SCAN_QR_CODE')
        if $s->{state} ne 'login';
    return [200, { value => '2@' . $self->secret($s, 'qr') }]
        if ($q->{query}{format} || '') eq 'raw';
    return [200, { mimetype => 'image/png',
                   data => encode_base64($self->png($s), '') }]
        if ($q->{header}{accept} || '') eq 'application/json';
    return [200, $self->png($s), { 'Content-Type' => 'image/png' }];
}


sub chats {
    my ($self, $q, $name) = @_;
    return $self->working($name, sub { [200, '[]'] });
}


sub status {
    my ($self) = @_;
    return [200, { startTimestamp => 1700000000000, uptime => 3600000,
                   worker => { id => $self->worker } }];
}


sub environment {
    my ($self) = @_;
    return [200, { WAHA_API_KEY => $self->{key},
                   WHATSAPP_DEFAULT_ENGINE => 'GOWS' }];
}


sub stop_server {
    my ($self) = @_;

    WaGateway::Vendor::Loop::exit_soon($self);
    return [201, { stopping => $True }];
}


1;
