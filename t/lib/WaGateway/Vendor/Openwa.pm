package WaGateway::Vendor::Openwa;

# OpenWA.  A session is addressed by its id, which is its name here; the real
# one's are UUIDs, and have names besides.  One that is stopped has no engine;
# one that is elsewhere is unknown.

use strict;
use warnings;

use parent -norequire, 'WaGateway::Vendor';

my ($True, $False) = ($WaGateway::Vendor::True, $WaGateway::Vendor::False);

my %States = (
    ready     => ['ready', 'ready'],
    starting  => ['initializing', 'starting'],
    login     => ['qr_ready', 'login'],
    down      => ['failed', 'down'],
    stopped   => ['disconnected', 'down'],
    elsewhere => ['-', undef],
);

my %Error = (400 => 'Bad Request', 401 => 'Unauthorized', 403 => 'Forbidden',
             404 => 'Not Found', 409 => 'Conflict',
             413 => 'Payload Too Large', 501 => 'Not Implemented');

my $Item = '{"id":id@,"name":name@,"status":status@,"phone":phone@,'
    . '"pushName":push@,"connectedAt":"2026-01-02T03:04:05.678Z",'
    . '"lastActive":null,"createdAt":"2026-01-02T03:04:05.678Z",'
    . '"updatedAt":"2026-01-02T03:04:05.678Z","lastError":error@,'
    . '"restriction":null,"engineLoaded":engine@}';

# What a message may have; what it has besides is refused.
my %Text = map { $_ => 1 } qw(chatId text mentions linkPreview
                              customLinkPreview quotedMessageId);
my %Media = map { $_ => 1 } qw(chatId url base64 mimetype filename caption
                               mentions quotedMessageId ptt);


sub states { return \%States }


sub map { return <<'END' }
GET    none other  /api/health - /live /ready /sessions
GET    none list   /api/     sessions
POST   none login  /api/     sessions
GET    path ask    /api/sessions/ :session
DELETE path danger /api/sessions/ :session
POST   path danger /api/sessions/ :session/stop :session/logout
POST   path danger /api/sessions/ :session/force-kill
POST   path login  /api/sessions/ :session/start :session/pairing-code
GET    path login  /api/sessions/ :session/qr
GET|PATCH path other /api/sessions/ :session/config
GET|PATCH path danger /api/sessions/ :session/proxy
GET    path other  /api/sessions/ :session/messages :session/chats
GET    path other  /api/sessions/ :session/groups :session/contacts
GET    path check  /api/sessions/ :session/contacts/check/:x
POST   path send   /api/sessions/ :session/messages/send-text
POST   path send   /api/sessions/ :session/messages/send-template
POST   path send   /api/sessions/ :session/messages/send-image
POST   path send   /api/sessions/ :session/messages/send-video
POST   path send   /api/sessions/ :session/messages/send-audio
POST   path send   /api/sessions/ :session/messages/send-document
POST   path send   /api/sessions/ :session/messages/send-location
POST   path send   /api/sessions/ :session/messages/send-contact
POST   path send   /api/sessions/ :session/messages/send-sticker
POST   path send   /api/sessions/ :session/messages/send-poll
POST   path send   /api/sessions/ :session/messages/send-bulk
POST   path send   /api/sessions/ :session/messages/reply
POST   path send   /api/sessions/ :session/messages/forward
POST   path other  /api/sessions/ :session/messages/react
POST   path danger /api/sessions/ :session/messages/delete
POST   path danger /api/sessions/ :session/chats/delete
DELETE path danger /api/sessions/ :session/chats/:x/messages
POST   path danger /api/sessions/ :session/groups/:x/leave
GET|POST none danger /api/auth/ api-keys
DELETE none danger /api/auth/ api-keys/:x
GET|POST none danger /api/infra/ config restart
POST   none danger / mcp
END


sub routes {
    my $s = qr{([^/]+)};
    my $kind = qr{(image|video|audio|document)};

    return (
        ['GET', qr{^/api/sessions$}, 'list', \&sessions_of],
        ['POST', qr{^/api/sessions$}, 'login', \&create],
        ['GET', qr{^/api/sessions/$s$}, 'ask', \&ask],
        ['DELETE', qr{^/api/sessions/$s$}, 'danger', \&delete_session],
        ['POST', qr{^/api/sessions/$s/(start)$}, 'login', \&action],
        ['POST', qr{^/api/sessions/$s/(stop|logout|force-kill)$}, 'danger',
         \&action],
        ['GET', qr{^/api/sessions/$s/qr$}, 'login', \&qr],
        ['POST', qr{^/api/sessions/$s/messages/send-text$}, 'send',
         \&send_text],
        ['POST', qr{^/api/sessions/$s/messages/send-$kind$}, 'send',
         \&send_media],
        ['GET', qr{^/api/sessions/$s/contacts/check/$s$}, 'check', \&check],
        ['GET', qr{^/api/health(?:/live|/ready)?$}, 'other',
         sub { [200, { status => 'ok' }] }],
    );
}


sub refuse {
    my ($self, $q) = @_;
    my $given = $q->{header}{'x-api-key'};

    ($given) = ($q->{header}{authorization} || '') =~ /^Bearer (.*)/s
        unless defined $given;

    return if !defined $self->{key} || $q->{path} =~ m{^/api/health}i
              || defined $given && $given eq $self->{key};

    return wrong(401, 'Invalid API key');
}


sub wrong {
    my ($status, $message, %more) = @_;

    return [$status, { statusCode => $status, message => $message,
                       error => $Error{$status}, %more }];
}


sub not_found {
    my ($self, $q) = @_;
    return wrong(404, "Cannot $q->{method} $q->{target}");
}


sub bad_json {
    return wrong(400, 'Unexpected end of JSON input');
}


sub inactive {
    my ($name) = @_;
    return wrong(400, "Session '$name' is not active. Start the session "
                      . 'first.');
}


# WhatsApp has taken it, nobody knows as what.
sub unproved {
    return [201, { messageId => undef, timestamp => 1700000000,
                   unconfirmed => $True }];
}


sub listed { return $_[1]{state} ne 'elsewhere' }


sub faults { return {
    not_connected => sub { wrong(409, 'The session is not connected') },
    stopped => sub { inactive($_[2]{name}) },
    unknown => sub {
        wrong(404, "Session with id '$_[2]{name}' not found") },
    bad_key => sub { wrong(401, 'Invalid API key') },
    not_on_whatsapp => sub {
        wrong(400, "Recipient '$_[3]' is not reachable on WhatsApp") },
    bad_body => sub { wrong(400, ['property x should not exist']) },
    too_large => sub {
        wrong(413, 'Media exceeds the maximum size') },
    not_supported => sub {
        wrong(501, 'The active engine cannot serve this operation') },
    throttled => sub { [429, { statusCode => 429,
        error => 'Too Many Requests', code => 'SEND_PACING_LIMITED',
        message => 'Daily send allowance of 20 reached',
        retryAfterSeconds => 3600 },
        defined $_[0]{retry_after}
            ? { 'Retry-After' => $_[0]{retry_after} } : ()] },
    gone_on => sub { [503, { statusCode => 503,
        message => 'The engine did not answer in time',
        error => 'Service Unavailable' }] },
    no_id => sub { [201, { messageId => '', timestamp => 1700000000 }] },
    unconfirmed => sub { $_[0]->unproved },
    empty => sub { [201, ''] },
} }


sub item {
    my ($self, $s) = @_;
    my $status = $self->state_of($s);
    my $ready = $s->{state} eq 'ready';

    my $text = WaGateway::Vendor::fill_in($Item,
        id => $s->{name}, name => "the shop's $s->{name}",
        status => $status, phone => $ready ? $s->{number} : undef,
        push => \'"PUSH"', error => $status eq 'failed' ? 'spawn' : undef,
        engine => $s->{state} eq 'stopped' ? $False : $True);
    my $push = 'خالد \\"status\\":\\"ready\\" } ] '
               . $self->padding(length $text);

    $text =~ s/PUSH/$push/;
    return $text;
}


sub list {
    my ($self, @items) = @_;
    return '[' . join(',', @items) . ']';
}


sub sessions_of {
    my ($self, $q) = @_;
    my ($limit, $offset, $name) = @{$q->{query}}{qw(limit offset name)};

    return wrong(400, 'name must be a single non-empty value')
        if defined $name && $name eq '';
    return [200, $self->list_text]
        if !defined $name && !$offset && $self->all <= 1000;

    my @found = grep { $self->listed($_) } $self->all;

    @found = grep { $_->{name} eq $name } @found if defined $name;
    splice @found, 0, $offset if $offset;
    $limit = 1000 if !$limit || $limit > 1000;
    splice @found, $limit if @found > $limit;

    return [200, $self->list(map { $self->item_text($_) } @found)];
}


sub known {
    my ($self, $name) = @_;
    my $s = $self->{s}{$name};

    die wrong(404, "Session with id '$name' not found")
        unless $s && $self->listed($s);
    return $s;
}


sub ask {
    my ($self, $q, $name) = @_;
    return [200, $self->item_text($self->known($name))];
}


sub create {
    my ($self, $q) = @_;
    my $body = $self->members($q);
    my $name = $body->{name};

    return wrong(400, ['name should not be empty'])
        unless defined $name && $name ne '';
    return wrong(409, "Session '$name' already exists") if $self->{s}{$name};

    $self->do_put($name, state => 'stopped');
    return [201, $self->item_text($self->{s}{$name})];
}


sub delete_session {
    my ($self, $q, $name) = @_;

    $self->known($name);
    $self->do_drop($name);
    return [204, ''];
}


sub action {
    my ($self, $q, $name, $what) = @_;
    my $s = $self->known($name);

    delete $s->{number} if $what eq 'logout';
    $self->turns($s, $what ne 'start' ? 'stopped'
                     : defined $s->{number} ? 'ready' : 'login');

    return [200, $self->item_text($s)];
}


sub qr {
    my ($self, $q, $name) = @_;

    return wrong(400, 'QR code is not ready')
        if $self->known($name)->{state} ne 'login';
    return [200, { qrCode => $self->png_url($self->known($name)),
                   status => 'qr_ready' }];
}


sub valid {
    my ($self, $q, $may, @must) = @_;
    my $body = $self->members($q);
    my @wrong = ((map { "property $_ should not exist" }
                  grep { !$may->{$_} } sort keys %$body),
                 map { "$_ must be a string" }
                 grep { !defined $body->{$_} || ref $body->{$_} } @must);

    die wrong(400, \@wrong) if @wrong;
    return $body;
}


sub send_text {
    my ($self, $q, $name) = @_;
    my $body = $self->valid($q, \%Text, qw(chatId text));

    return $self->message($q, $name, $body, text => $body->{text});
}


sub send_media {
    my ($self, $q, $name, $kind) = @_;
    my $body = $self->valid($q, \%Media, 'chatId');
    my $file = defined $body->{base64} ? $body->{base64} : $body->{url};

    return wrong(400, 'Either url or base64 must be provided')
        unless defined $file;
    return wrong(400, 'mimetype is required when using base64 data')
        if defined $body->{base64} && !defined $body->{mimetype};

    return $self->message($q, $name, $body, text => $body->{caption},
        media => { %{WaGateway::Vendor::media($file)}, type => $kind,
                   mimetype => $body->{mimetype},
                   filename => $body->{filename} });
}


# One without an engine is not looked for any further.
sub message {
    my ($self, $q, $name, $body, %o) = @_;
    my $s = $self->{s}{$name};

    return inactive($name) if !$s || $s->{state} =~ /^(?:stopped|elsewhere)$/;
    return wrong(409, 'The session is not connected')
        if $s->{state} ne 'ready';
    return wrong(400, "Recipient '$body->{chatId}' is not reachable on "
                      . 'WhatsApp') if $self->stranger($body->{chatId});

    my $id = $self->send_out($q, $s, to => $body->{chatId}, %o);

    return [201, { messageId => "true_$body->{chatId}_$id",
                   timestamp => 1700000000 }];
}


sub check {
    my ($self, $q, $name, $number) = @_;

    $self->known($name);
    return [200, { number => $number,
                   exists => $self->stranger($number) ? $False : $True }];
}


1;
