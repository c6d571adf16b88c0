package WaGateway::Vendor::Wppconnect;

# wppconnect-server, as t/vendors/run finds it.  The key is its secretKey.  All
# sessions are listed, as their tokens are stored, and stay so when they are
# ended; one that is unknown is as one that is closed.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);

use parent -norequire, 'WaGateway::Vendor';

my ($True, $False) = ($WaGateway::Vendor::True, $WaGateway::Vendor::False);

my %States = (
    ready     => ['CONNECTED', 'ready'],
    starting  => ['INITIALIZING', 'starting'],
    login     => ['QRCODE', 'login'],
    down      => ['CLOSED', 'down'],
    stopped   => ['CLOSED', 'down'],
    elsewhere => ['CLOSED', 'down'],
);


sub states { return \%States }


sub map { return <<'END' }
POST own  token  /api/ :session/:x/generate-token
GET  none list   /api/ :x/show-all-sessions
POST none danger /api/ :x/start-all :x/restore-sessions
GET  none danger /api/ :x/backup-sessions
POST own  danger /api/ :session/:x/clear-session-data
GET  own  ask    /api/:session/ check-connection-session status-session
GET  own  number /api/:session/ get-phone-number
GET  own  login  /api/:session/ qrcode-session
POST own  login  /api/:session/ start-session
POST own  danger /api/:session/ logout-session close-session set-limit
POST own  danger /api/:session/ clear-chat clear-all-chats delete-chat
POST own  danger /api/:session/ delete-all-chats archive-all-chats
PUT  own  danger /api/:session/ delete-all-labels
POST own  send   /api/:session/ send-message send-image send-sticker
POST own  send   /api/:session/ send-sticker-gif send-reply send-file
POST own  send   /api/:session/ send-file-base64 send-voice send-status
POST own  send   /api/:session/ send-voice-base64 send-link-preview
POST own  send   /api/:session/ send-location send-mentioned send-buttons
POST own  send   /api/:session/ send-list-message send-order-message
POST own  send   /api/:session/ send-poll-message send-pix-key
POST own  send   /api/:session/ send-link-catalog send-text-storie
POST own  send   /api/:session/ send-image-storie send-video-storie
POST own  send   /api/:session/ forward-messages contact-vcard
POST own  other  /api/:session/ edit-message delete-message react-message
POST own  other  /api/:session/ send-seen send-mute typing recording
POST own  other  /api/:session/ archive-chat pin-chat list-chats chatwoot
POST own  other  /api/:session/ create-group leave-group block-contact
POST own  other  /api/:session/ subscribe-presence download-media newsletter
PUT|DELETE own other /api/:session/ newsletter/:x
PUT  own  other  /api/:session/ delete-label/:x
GET  own  other  /api/:session/ all-chats all-contacts all-groups
GET  own  other  /api/:session/ contact/:x contact/pn-lid/:x
GET  own  other  /api/:session/ get-messages/:x profile/:x votes/:x
GET  own  other  /api/:session/ take-screenshot host-device blocklist
GET  own  other  /api/:session/ group-members/:x get-all-labels
GET  own  check  /api/:session/ check-number-status/:x
GET  none other  / healthz metrics api-docs
GET  none danger / unhealthy
END


# What is behind a colon is a token.
sub place {
    my ($self, $q, $place, $name) = @_;
    return defined $name ? $name =~ s/:.*//sr : undef;
}


sub native {
    my ($self, $q, $route, $name) = @_;

    $self->allowed($q, ($q->{path} =~ m{^/api/([^/]+)}i
                        ? WaGateway::Vendor::decoded($1) : ''))
        if defined $name && $q->{path} !~ m{/chatwoot/?$}i;

    return $self->SUPER::native($q, $route, $name);
}


sub routes {
    my $s = qr{([^/]+)};

    return (
        ['GET', qr{^/api/$s/show-all-sessions$}, 'list', \&sessions_of],
        ['POST', qr{^/api/$s/$s/generate-token$}, 'token', \&generate],
        ['GET', qr{^/api/$s/status-session$}, 'ask', \&ask],
        ['GET', qr{^/api/$s/check-connection-session$}, 'ask', \&check_state],
        ['GET', qr{^/api/$s/get-phone-number$}, 'number', \&number],
        ['POST', qr{^/api/$s/send-message$}, 'send', \&send_text],
        ['POST', qr{^/api/$s/send-(?:image|file|file-base64)$}, 'send',
         \&send_media],
        ['GET', qr{^/api/$s/check-number-status/$s$}, 'check', \&check],
        ['GET', qr{^/api/$s/all-chats$}, 'other', \&chats],
        ['POST', qr{^/api/$s/start-session$}, 'login', \&start_session],
        ['GET', qr{^/api/$s/qrcode-session$}, 'login', \&qr],
        ['POST', qr{^/api/$s/close-session$}, 'danger', \&close_session],
        ['POST', qr{^/api/$s/logout-session$}, 'danger', \&logout],
        ['POST', qr{^/api/$s/start-all$}, 'danger', \&start_all],
        ['POST', qr{^/api/$s/$s/clear-session-data$}, 'danger', \&clear],
        ['GET', qr{^/unhealthy$}, 'danger', \&unhealthy],
        ['GET', qr{^/healthz$}, 'other',
         sub { [200, { uptime => 3600, message => 'OK' }] }],
    );
}


sub not_found {
    my ($self, $q) = @_;
    return page(404, "Cannot $q->{method} $q->{path}");
}


sub bad_json { return page(400, 'SyntaxError: Unexpected token') }


sub page {
    my ($status, $text) = @_;

    return [$status, "<!DOCTYPE html>\n<html lang=\"en\">\n<body>\n"
                     . "<pre>$text</pre>\n</body>\n</html>\n",
            { 'Content-Type' => 'text/html; charset=utf-8' }];
}


# 201, and yet it was not sent.
sub unproved {
    my ($self, $answer) = @_;

    return [201, { status => 'success', mapper => 'return', response => [
        { id => 'true_1@c.us_3EB000', ack => -1, isSendFailure => $True }] }];
}


sub faults { return {
    not_connected => sub { disconnected(@_[1, 2]) },
    unknown => sub { disconnected($_[1], undef) },
    bad_body => sub { wrong(@_[1, 2]) },
    bad_key => sub {
        [401, { error => 'Check that the Session and Token are correct' }] },
    not_on_whatsapp => sub { no_number(@_[1, 2, 3]) },
    gone_on => sub { wrong($_[1], $_[1]{sender}) },
    no_id => sub { named($_[1], $_[1]{sender}, 201,
                         { status => 'success', response => [],
                           mapper => 'return' }) },
    send_failure => sub { $_[0]->unproved },
    empty => sub { [201, ''] },
} }


sub item { return WaGateway::Vendor::text($_[1]{name}) }


sub list {
    my ($self, @items) = @_;
    return '{"response":[' . join(',', @items) . ']}';
}


sub secret_is {
    my ($self, $secret) = @_;
    return $secret eq (defined $self->{key} ? $self->{key}
                                            : 'THISISMYSECURETOKEN');
}


sub sessions_of {
    my ($self, $q, $secret) = @_;

    return [400, { response => $False, message => 'The token is incorrect' }]
        unless $self->secret_is($secret);
    return [200, $self->list_text];
}


# As bcrypt's: with a salt, so that each is another.
sub generate {
    my ($self, $q, $name, $secret) = @_;

    return [400, { response => $False,
                   message => 'The SECRET_KEY is incorrect' }]
        unless $self->secret_is($secret);

    my $salt = substr md5_hex(++$self->{salts}) . 'x', 0, 22;
    my $token = '$2b$10$' . $salt . $self->hash($salt, $name);

    return [201, { status => 'success', session => $name, token => $token,
                   full => "$name:$token" }];
}


sub hash {
    my ($self, $salt, $name) = @_;

    my $key = defined $self->{key} ? $self->{key} : 'THISISMYSECURETOKEN';
    return substr md5_hex("$salt $name$key"), 0, 31;
}


# The name of the session, when its token is there and right.
sub allowed {
    my ($self, $q, $session) = @_;
    my ($name, $token) = split /:/, $session, 2;

    if (!defined $token) {
        $token = ($q->{header}{authorization} || '') =~ /^\S+ (\S+)/
                 ? $1 : die [401, { message => 'Token is not present. Check '
                                    . 'your header and try again' }];
    }

    my ($salt, $hash) = $token =~ /^\$2b\$10\$(.{22})(.{31})$/;

    die [401, { error => 'Check that the Session and Token are correct' }]
        unless defined $salt && $hash eq $self->hash($salt, $name);

    return $name;
}


sub ask {
    my ($self, $q, $session) = @_;
    my $name = $self->allowed($q, $session);
    my $s = $self->{s}{$name};
    my $state = $s ? $self->state_of($s) : 'CLOSED';

    return [200, { status => 'CLOSED', qrcode => undef }]
        if $state eq 'CLOSED';
    return [200, { status => $state, version => '2.10.4',
                   $state eq 'QRCODE'
                       ? (qrcode => 'data:image/png;base64,QUJD',
                          urlcode => '2@' . $self->secret($s, 'qr'))
                       : (qrcode => undef) }];
}


sub check_state {
    my ($self, $q, $session) = @_;
    my $s = $self->{s}{$self->allowed($q, $session)};
    my $on = $s && $s->{state} eq 'ready';

    return [200, { status => $on ? $True : $False,
                   message => $on ? 'Connected' : 'Disconnected' }];
}


sub connected {
    my ($self, $q, $session) = @_;
    my $s = $self->{s}{$self->allowed($q, $session)};

    die disconnected($q, $s) unless $s && $s->{state} eq 'ready';

    return $s;
}


sub disconnected {
    my ($q, $s) = @_;

    return named($q, $s, 404, { response => undef, status => 'Disconnected',
        message => 'A sessão do WhatsApp não está ativa.' });
}


sub no_number {
    my ($q, $s, $to) = @_;

    return named($q, $s, 400, { response => undef, status => 'Connected',
                                message => 'O número ' . ($to =~ s/@.*//r)
                                           . ' não existe.' });
}


# JSON is answered with the session, unless the type says more than that.
sub named {
    my ($q, $s, $status, $data) = @_;

    $data->{session} = $s && $s->{state} ne 'stopped' ? $s->{name} : ''
        if plain_json($q);

    return [$status, $data];
}


sub plain_json {
    return ($_[0]{header}{'content-type'} || '') eq 'application/json';
}


sub number {
    my ($self, $q, $session) = @_;
    my $s = $self->connected($q, $session);

    return [200, { status => 'success', response => "$s->{number}\@c.us",
                   mapper => 'device' }];
}


sub send_text {
    my ($self, $q, $session) = @_;
    my $body = $self->members($q);
    my $s = $self->connected($q, $session);

    return $self->messages($q, $s, $body, text => $body->{message});
}


sub send_media {
    my ($self, $q, $session) = @_;
    my $body = $self->members($q);
    my $s = $self->connected($q, $session);
    my ($file) = grep { defined } @$body{qw(path base64 file)};

    # it says so, and goes on; for what is answered so far see named()
    return plain_json($q) ? wrong($q, $s)
                          : [401, { message => 'Sending the file is mandatory' }]
        unless defined $file;

    return $self->messages($q, $s, $body,
        text => defined $body->{message} ? $body->{message}
                                         : $body->{caption},
        media => { %{WaGateway::Vendor::media($file)},
                   filename => $body->{filename} });
}


sub wrong {
    my ($q, $s) = @_;

    return named($q, $s, 500, { status => 'Error',
        message => 'Erro ao enviar a mensagem.',
        error => { level => 'error' } });
}


# One that is not on WhatsApp is answered with 400, and the others are sent to.
sub messages {
    my ($self, $q, $s, $body, %o) = @_;

    my @to = recipients($body);
    my ($bad) = grep { $self->stranger($_) } @to;
    my @sent;

    # a number is no text, and the server stumbles
    return disconnected($q, $s) if $q->{body} =~ /"phone"\s*:\s*-?\d/;
    return [400, '"Error sending message"'] unless @to || plain_json($q);
    return wrong($q, $s) unless defined $o{text} || $o{media};

    for my $to (grep { !$self->stranger($_) } @to) {
        my $id = $self->send_out($q, $s, to => $to, %o);

        push @sent, $o{media} ? { id => "true_${to}_$id", ack => 1 }
                    : { id => "true_${to}_$id", body => $o{text}, ack => 1,
                        type => 'chat', t => 1700000000, self => 'out',
                        from => "$s->{number}\@c.us", to => $to,
                        fromMe => $True, isSendFailure => $False };
    }

    return no_number($q, $s, $bad) if defined $bad;
    return named($q, $s, 201, { status => 'success', response => \@sent,
                                mapper => 'return' });
}


sub recipients {
    my ($body) = @_;

    my $phone = defined $body->{phone} ? $body->{phone} : '';
    my @to;

    for (ref $phone ? @$phone : split /\s*[,;]\s*/, $phone) {
        my $to = s/@.*//r;

        if ($body->{isGroup}) {
            push @to, "$to\@g.us";
        } elsif ($body->{isNewsletter}) {
            push @to, "$to\@newsletter";
        } else {
            $to =~ s/[^\w ]//g;
            push @to, $to . ($body->{isLid} || length $to > 14 ? '@lid'
                                                               : '@c.us')
                if $to ne '';
        }
    }

    return @to;
}


sub check {
    my ($self, $q, $session, $phone) = @_;

    $self->connected($q, $session);
    return [200, { status => 'success', response => {
        id => { _serialized => "$phone\@c.us" },
        numberExists => $self->stranger($phone) ? $False : $True } }];
}


sub chats {
    my ($self, $q, $session) = @_;

    $self->connected($q, $session);
    return [200, { status => 'success', response => [], mapper => 'chat' }];
}


sub start_session {
    my ($self, $q, $session) = @_;
    my $answer = $self->ask($q, $session);

    $self->starts($self->allowed($q, $session));
    return $answer;
}


sub starts {
    my ($self, $name) = @_;
    my $s = $self->{s}{$name};

    return if $s && $self->state_of($s) ne 'CLOSED';
    $self->do_put($name, cleared => 0,
                  state => $s && defined $s->{number} && !$s->{cleared}
                           ? 'ready' : 'login');
}


sub qr {
    my ($self, $q, $session) = @_;
    my $s = $self->{s}{$self->allowed($q, $session)};

    return [200, $self->png($s), { 'Content-Type' => 'image/png' }]
        if $s && $s->{state} eq 'login';
    return [200, { status => undef, message => 'Session not started. Please, '
        . 'use the /start-session route, for initialization your session' }]
        if !$s || $self->state_of($s) eq 'CLOSED';
    return [200, { status => $self->state_of($s),
                   message => 'QRCode is not available...' }];
}


# One that is not ready has no browser to be closed yet, but it is forgotten.
sub close_session {
    my ($self, $q, $session) = @_;
    my $s = $self->{s}{$self->allowed($q, $session)};
    my $state = $s ? $s->{state} : 'login';

    $self->turns($s, 'stopped') if $s;

    return [500, { status => $False, message => 'Error closing session',
                   error => { level => 'error' } }]
        if $state =~ /^(?:login|starting)$/;
    return [200, { status => $True,
                   message => 'Session successfully closed' }];
}


sub logout {
    my ($self, $q, $session) = @_;
    my $s = $self->connected($q, $session);

    $self->do_put($s->{name}, state => 'stopped', cleared => 1);
    return [200, { status => $True,
                   message => 'Session successfully closed' }];
}


# A wrong secret is told, and hinders nobody.
sub start_all {
    my ($self, $q, $secret) = @_;

    $self->starts($_->{name}) for $self->all;

    return [400, { response => 'error', message => 'The token is incorrect' }]
        unless $self->secret_is($secret);
    return [201, { status => 'success', message => 'Starting all sessions' }];
}


# Of a session that runs it takes what it needs to begin again.
sub clear {
    my ($self, $q, $name, $secret) = @_;

    $self->{s}{$name}{cleared} = 1 if $self->{s}{$name};

    return [400, { response => 'error', message => 'The token is incorrect' }]
        unless $self->secret_is($secret);
    return [200, { success => $True }];
}


sub unhealthy {
    my ($self) = @_;

    WaGateway::Vendor::Loop::exit_soon($self);
    return [503, ''];
}


1;
