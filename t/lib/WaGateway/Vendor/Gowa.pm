package WaGateway::Vendor::Gowa;

# GOWA (go-whatsapp-web-multidevice).  The key is "user:password".  A session
# that is stopped has no client yet; one that is throttled is told so when it
# sends; one that is elsewhere is unknown.

use strict;
use warnings;

use MIME::Base64 qw(encode_base64);

use parent -norequire, 'WaGateway::Vendor';

my ($True, $False) = ($WaGateway::Vendor::True, $WaGateway::Vendor::False);

my %States = (
    ready     => ['logged_in', 'ready'],
    starting  => ['connecting', 'starting'],
    login     => ['connected', 'login'],
    down      => ['disconnected', 'down'],
    stopped   => ['disconnected', 'down'],
    elsewhere => ['-', undef],
);


sub states { return \%States }


sub framework { return 'fiber' }


sub map { return <<'END' }
GET    none other  /         health app/info
GET    none list   /         devices
POST   body=device_id login / devices
GET    path ask    /devices/ :session :session/status
DELETE path danger /devices/ :session
GET    path login  /devices/ :session/login
POST   path login  /devices/ :session/login/code
POST   path danger /devices/ :session/logout :session/reconnect
GET|PATCH path other /devices/ :session/webhook
GET|PUT|DELETE path danger /devices/ :session/chatwoot/config
POST   path other  /chatwoot/ webhook/:session
GET    none list   /chatwoot/ configs
POST   none danger /mcp      -
GET    own  login  /app/     login login-with-code passkey
POST   own  login  /app/     passkey/response passkey/confirm
GET    own  danger /app/     logout reconnect
GET    own  list   /app/     devices
GET    own  ask    /app/     status
POST   own  other  /call/    reject
GET    own  other  /         chats ws
GET    own  other  /chat/    :x/messages
POST   own  other  /chat/    :x/pin :x/disappearing :x/archive
POST   own  other  /group    - /join-with-link /participants /name /topic
POST   own  danger /group/   leave
GET    own  other  /group/   info info-from-link participants invite-link
POST   own  other  /message/ :x/reaction :x/revoke :x/delete :x/update
POST   own  other  /message/ :x/read :x/star :x/unstar
POST   own  send   /message/ :x/forward
GET    own  other  /message/ :x/download
POST   own  other  /newsletter/ unfollow
GET    own  other  /newsletter/ messages
POST   own  send   /send/    message image file video sticker contact link
POST   own  send   /send/    location audio poll
POST   own  other  /send/    presence chat-presence
GET    own  other  /user/    info avatar my/privacy my/groups my/contacts
GET    own  check  /user/    check
POST   own  other  /user/    avatar pushname
END


sub place {
    my ($self, $q, $place, $name) = @_;

    return $self->SUPER::place($q, $place, $name) if $place ne 'own';

    my $s = eval { $self->chosen($q) };
    return $s->{name} if $s;

    my ($id) = grep { defined && $_ ne '' } $q->{header}{'x-device-id'},
                                            $q->{query}{device_id};
    return $id;
}


sub native {
    my ($self, $q, $route, $name) = @_;

    $self->chosen($q) if $route->{place} eq 'own';
    return $self->SUPER::native($q, $route, $name);
}


sub routes {
    my $s = qr{([^/]+)};

    return (
        ['GET', qr{^/devices$}, 'list', sub { [200, $_[0]->list_text] }],
        ['POST', qr{^/devices$}, 'login', \&add_device],
        ['GET', qr{^/devices/$s$}, 'number', \&device],
        ['GET', qr{^/devices/$s/status$}, 'ask', \&device_status],
        ['DELETE', qr{^/devices/$s$}, 'danger', \&remove_device],
        ['POST', qr{^/devices/$s/(logout|reconnect)$}, 'danger',
         \&device_action],
        ['GET', qr{^/app/status$}, 'ask', \&status],
        ['POST', qr{^/send/message$}, 'send', \&send_text],
        ['POST', qr{^/send/(image|file|video|audio)$}, 'send', \&send_media],
        ['GET', qr{^/user/check$}, 'check', \&check],
        ['GET', qr{^/chats$}, 'other', \&chats],
        ['GET', qr{^/app/(login|login-with-code)$}, 'login', \&login],
        ['GET', qr{^/devices/$s/login$}, 'login', \&device_login],
        ['GET', qr{^/statics/qrcode/scan-qr-$s\.png$}, 'login', \&qr],
        ['GET', qr{^/app/(logout|reconnect)$}, 'danger', \&app_action],
        ['GET', qr{^/health$}, 'other', sub { [200, 'OK', plain()] }],
        ['GET', qr{^/app/info$}, 'other',
         sub { done('Fetch app info success', { version => 'v9.2.0' }) }],
    );
}


# Basic authentication of the framework, which knows nothing of codes.
sub refuse {
    my ($self, $q) = @_;
    my $given = $q->{header}{authorization};

    return if !defined $self->{key} || $q->{path} eq '/health'
              || defined $given
                 && $given eq 'Basic ' . encode_base64($self->{key}, '');

    return unauthorized();
}


sub unauthorized {
    return [401, 'Unauthorized', { %{plain()},
        'WWW-Authenticate' => 'Basic realm="Restricted", charset="UTF-8"' }];
}


sub plain { return { 'Content-Type' => 'text/plain; charset=utf-8' } }


sub wrong {
    my ($status, $code, $message, $results) = @_;

    return [$status, { code => $code, message => $message,
                       $results ? (results => $results) : () }];
}


sub broken { return wrong(500, 'INTERNAL_SERVER_ERROR', $_[0]) }


sub done {
    my ($message, $results) = @_;

    return [200, { code => 'SUCCESS', message => $message,
                   defined $results ? (results => $results) : () }];
}


# All but the routes of devices wants a device first.
sub not_found {
    my ($self, $q) = @_;

    $self->chosen($q);
    return [404, 'Not Found', plain()];
}


sub bad_json {
    return broken("invalid character '}' looking for beginning of object key");
}


sub unproved {
    my ($self) = @_;
    return done('Message sent', { message_id => '', status => 'Sent' });
}


sub listed { return $_[1] && $_[1]{state} ne 'elsewhere' }


sub number_told { return defined $_[1]{number} && $_[1]{state} ne 'login' }


sub jid {
    my ($self, $s) = @_;
    return $self->number_told($s) ? "$s->{number}\@s.whatsapp.net" : '';
}


sub faults { return {
    not_connected => sub {
        wrong(401, 'AUTHENTICATION_ERROR', 'you are not connect to services '
              . 'server, please reconnect') },
    other_401 => sub { wrong(401, 'SOMETHING_ELSE', 'nobody knows what') },
    long_401 => sub { wrong(401, 'AUTHENTICATION_ERROR', 'x' x 3000) },
    no_client => sub {
        wrong(500, 'INVALID_WA_CLI', 'your WhatsApp CLI is invalid or '
              . 'empty') },
    unknown => sub { no_device($_[2]{name}) },
    bad_key => sub { unauthorized() },
    not_on_whatsapp => sub {
        wrong(400, 'INVALID_JID', "Phone $_[3] is not on whatsapp") },
    bad_body => sub {
        wrong(400, 'VALIDATION_ERROR', 'message: cannot be blank.') },
    malformed => sub { bad_json() },
    throttled => sub { throttled($_[0]{retry_after}) },
    gone_on => sub {
        wrong(504, 'GATEWAY_TIMEOUT', 'request timed out') },
    no_id => sub { $_[0]->unproved },
    empty => sub { [200, ''] },
} }


# It tells no time, but what is before it may.
sub throttled {
    my ($after) = @_;

    my $answer = wrong(429, 'WA_REACHOUT_TIMELOCK', 'WhatsApp rejected this '
                       . 'send with error 463 (reach-out timelock).');

    push @$answer, { 'Retry-After' => $after } if defined $after;
    return $answer;
}


sub item {
    my ($self, $s) = @_;

    my $text = $self->device_text($s, '');
    return $text if length $text >= ($self->{item} || 0);
    return $self->device_text($s, ' ' . $self->padding(length($text) + 1));
}


sub device_text {
    my ($self, $s, $pad) = @_;
    my $jid = $self->jid($s);

    return WaGateway::Vendor::fill_in(
        '{"id":id@name@,"state":state@jid@,'
        . '"created_at":"2026-01-02T03:04:05.678901234+03:00"}',
        id => $s->{name}, state => $self->state_of($s),
        name => \($jid || $pad
                  ? qq(,"display_name":"سارة \\u0026 \\"state\\" }$pad") : ''),
        jid => \($jid ? qq(,"jid":"$jid") : ''));
}


sub list {
    my ($self, @items) = @_;

    return '{"code":"SUCCESS","message":"List devices"'
           . (@items ? ',"results":[' . join(',', @items) . ']' : '') . '}';
}


sub known {
    my ($self, $id) = @_;
    my $s = $self->{s}{$id};

    return $s if $self->listed($s);
    die broken("device $id not found");
}


sub device {
    my ($self, $q, $id) = @_;
    my $text = $self->item_text($self->known($id));

    return [200, qq({"code":"SUCCESS","message":"Device info",)
                 . qq("results":$text})];
}


sub told {
    my ($self, $s) = @_;

    my $on = $s->{state} =~ /^(?:ready|login)$/;

    return (is_connected => $on ? $True : $False,
            is_logged_in => $s->{state} eq 'ready' ? $True : $False,
            device_id => $s->{name});
}


sub device_status {
    my ($self, $q, $id) = @_;
    return done('Device status', { $self->told($self->known($id)) });
}


# The device of the header, else of the query; without one the only device.
sub chosen {
    my ($self, $q) = @_;

    my $id = $q->{header}{'x-device-id'};
    $id = defined $id ? WaGateway::Vendor::decoded($id =~ tr/+/ /r) : '';
    $id =~ s/^\s+|\s+$//g;
    $id = $q->{query}{device_id} if $id eq '';

    my @all = grep { $self->listed($_) } $self->all;

    if (!defined $id || $id eq '') {
        return $all[0] if @all == 1;
        die wrong(400, 'DEVICE_ID_REQUIRED', 'device_id is required via '
                  . 'X-Device-Id header or device_id query');
    }

    my $s = $self->{s}{$id};
    return $s if $self->listed($s);

    ($s) = grep { $self->jid($_) eq $id } @all;
    return $s if $s;

    die no_device($id);
}


sub no_device {
    my ($id) = @_;

    return wrong(404, 'DEVICE_NOT_FOUND', 'device not found; create a device '
                 . 'first from /api/devices or provide a valid X-Device-Id',
                 { device_id => $id });
}


sub status {
    my ($self, $q) = @_;
    my $s = $self->chosen($q);

    return done('Connection status retrieved',
                { $self->told($s), jid => $self->jid($s) });
}


# Dies unless it can send.
sub logged_in {
    my ($s) = @_;

    die wrong(500, 'INVALID_WA_CLI',
              'your WhatsApp CLI is invalid or empty')
        if $s->{state} eq 'stopped';
    die wrong(401, 'AUTHENTICATION_ERROR', 'you are not logged in')
        if $s->{state} eq 'login';
    die wrong(401, 'AUTHENTICATION_ERROR',
              'you are not connect to services server, please reconnect')
        if $s->{state} ne 'ready';
}


sub send_text {
    my ($self, $q) = @_;
    my $s = $self->chosen($q);
    my $body = $self->members($q);

    return wrong(400, 'VALIDATION_ERROR', 'message: cannot be blank.')
        unless defined $body->{message} && $body->{message} ne '';

    return $self->message($q, $s, $body->{phone}, text => $body->{message});
}


sub send_media {
    my ($self, $q, $what) = @_;
    my $s = $self->chosen($q);
    my $body = $self->members($q);
    my ($file) = grep { defined } @$body{"${what}_url", $what};

    return wrong(400, 'VALIDATION_ERROR',
                 "either ${\ucfirst $what} or ${\ucfirst $what}URL must be "
                 . 'provided') unless defined $file;

    return $self->message($q, $s, $body->{phone}, text => $body->{caption},
                          media => WaGateway::Vendor::media($file));
}


sub message {
    my ($self, $q, $s, $phone, %o) = @_;

    return wrong(400, 'VALIDATION_ERROR', 'phone number cannot be empty')
        unless defined $phone && $phone ne '';
    return wrong(400, 'VALIDATION_ERROR', 'phone number must be in '
                 . 'international format (should not start with 0).')
        if $phone =~ /^\+?0/;

    my $to = $phone =~ /@/ ? $phone
             : $phone . (length $phone <= 15 ? '@s.whatsapp.net' : '@g.us');
    $to =~ s/^\+//;

    logged_in($s);

    return wrong(400, 'INVALID_JID', "Phone $to is not on whatsapp")
        if $to =~ /\@s\.whatsapp\.net$/ && $self->stranger($to);
    return broken("can't send message to unknown server $1")
        if $to =~ /\@(?!s\.whatsapp\.net$|g\.us$|lid$|newsletter$)(.*)/;
    return throttled($self->{retry_after}) if $s->{throttled};

    my $id = $self->send_out($q, $s, to => $to, %o);
    my $status = "Message sent to $to (server timestamp: 2026-01-02)";

    return done($status, { message_id => $id, status => $status });
}


sub check {
    my ($self, $q) = @_;
    my $s = $self->chosen($q);

    logged_in($s);
    return done('Success check user', { is_on_whatsapp =>
        $self->stranger($q->{query}{phone} || '') ? $False : $True });
}


sub chats {
    my ($self, $q) = @_;

    $self->chosen($q);
    return done('Success get chat list', { data => [] });
}


sub login {
    my ($self, $q) = @_;
    return $self->logs_in($q, $self->chosen($q));
}


sub device_login {
    my ($self, $q, $id) = @_;
    return $self->logs_in($q, $self->known($id));
}


# The code of before is void, and its image is gone.
sub logs_in {
    my ($self, $q, $s) = @_;

    return wrong(400, 'ALREADY_LOGGED_IN', 'you are already logged in.')
        if $s->{state} eq 'ready';

    $self->turns($s, 'login');
    $s->{qr} = lc $self->secret($s, 'link' . ++$s->{logins});

    return done('Login success', { device_id => $s->{name}, qr_duration => 30,
        qr_link => "http://$q->{header}{host}/statics/qrcode/"
                   . "scan-qr-$s->{qr}.png" });
}


sub qr {
    my ($self, $q, $name) = @_;
    my ($s) = grep { ($_->{qr} || '') eq $name } $self->all;

    return $s ? [200, $self->png($s), { 'Content-Type' => 'image/png' }]
              : [404, 'Not Found', plain()];
}


sub app_action {
    my ($self, $q, $what) = @_;
    my $s = $self->chosen($q);

    $self->acted($s, $what);
    return done($what eq 'logout' ? 'Success logout' : 'Reconnect success',
                { device_id => $s->{name} });
}


sub device_action {
    my ($self, $q, $id, $what) = @_;

    $self->acted($self->known($id), $what);
    return done(ucfirst "$what requested");
}


sub acted {
    my ($self, $s, $what) = @_;

    delete $s->{number} if $what eq 'logout';
    die broken("device $s->{name} is not logged in (session deleted)")
        if $what eq 'reconnect' && !defined $s->{number};

    $self->turns($s, $what eq 'logout' ? 'down' : 'ready');
}


sub add_device {
    my ($self, $q) = @_;
    my $body = $self->members($q);
    my $id = defined $body->{device_id} && $body->{device_id} ne ''
             ? $body->{device_id} : lc $self->message_id;

    $self->do_put($id, state => 'down') unless $self->{s}{$id};
    return done('Device added', { id => $id, state => 'disconnected',
                                  display_name => '', jid => '' });
}


sub remove_device {
    my ($self, $q, $id) = @_;

    $self->do_drop($id);
    return done('Device removed');
}


1;
