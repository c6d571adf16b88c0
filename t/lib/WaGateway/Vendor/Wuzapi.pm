package WaGateway::Vendor::Wuzapi;

# wuzapi.  The key is its admin token; its clients name a session by its own
# token, see token().  A session can have token and display (its
# name, which need not be its own).  One that is stopped or elsewhere has no
# client here.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);

use parent -norequire, 'WaGateway::Vendor';

my ($True, $False) = ($WaGateway::Vendor::True, $WaGateway::Vendor::False);

# connected and logged in, as the gateway joins them
my %States = (
    ready     => ['true,true', 'ready'],
    starting  => ['false,true', 'down'],
    login     => ['true,false', 'login'],
    down      => ['false,false', 'down'],
    stopped   => ['false,false', 'down'],
    elsewhere => ['false,false', 'down'],
);

my $Item = '{"connected":connected@,"events":"Message,ReadReceipt",'
    . '"expiration":0,"hmac_configured":true,"id":id@,"jid":jid@,"loggedIn":'
    . 'logged@,"name":name@,"proxy_config":{"enabled":true,'
    . '"proxy_url":proxy@},"proxy_url":proxy@,"qrcode":qr@,'
    . '"s3_config":{"access_key":"***",'
    . '"bucket":"media","enabled":true,"endpoint":"https://s3.example.com",'
    . '"media_delivery":"both","path_style":false,"public_url":"","region":'
    . '"eu","retention_days":30},"token":token@,"webhook":'
    . '"https://app.example.com/hooks?name=x\u0026token=pad@"}';


sub states { return \%States }


sub framework { return 'mux' }


sub map { return <<'END' }
GET    none other  /         health
GET    none list   /admin/   users users/:x
POST   body=name login /admin/ users
DELETE none danger /admin/   users/:x users/:x/full
POST   own  login  /session/ connect pairphone
GET    own  login  /session/ qr
GET    own  ask    /session/ status
POST   own  danger /session/ disconnect logout proxy s3/config s3/test
GET|DELETE own danger /session/ s3/config hmac/config
POST   own  danger /session/ hmac/config
GET|POST own other /session/ history
GET|POST|PUT own other /     webhook
DELETE own  danger /         webhook
POST   own  send   /chat/send/ text image audio document video sticker
POST   own  send   /chat/send/ location contact buttons list poll edit
POST   own  other  /chat/    delete react presence markread downloadimage
POST   own  check  /user/    check
POST   own  other  /user/    presence info avatar
GET    own  other  /user/    contacts
GET    own  other  /group/   list info invitelink
POST   own  other  /group/   photo name create
GET    own  other  /newsletter/ list
END


sub place {
    my ($self, $q, $place, $name) = @_;

    return $self->SUPER::place($q, $place, $name) if $place ne 'own';

    my $s = $self->named($q);
    return $s ? $s->{name} : undef;
}


# The token of the header, else those of the query in a row.
sub named {
    my ($self, $q) = @_;
    my $token = $q->{header}{token};

    $token = WaGateway::Vendor::Map::qs(
        ($q->{target} =~ /\?(.*)/s)[0])->{token}
        unless defined $token && $token ne '';

    return defined $token
           ? ($self->index_of('token_of')->{$token} || [])->[0] : undef;
}


sub routes {
    my $s = qr{([^/]+)};

    return (
        ['GET', qr{^/admin/users$}, 'list', sub { [200, $_[0]->list_text] }],
        ['GET', qr{^/admin/users/$s$}, 'list', \&user],
        ['POST', qr{^/admin/users$}, 'login', \&add_user],
        ['DELETE', qr{^/admin/users/$s(?:/full)?$}, 'danger', \&delete_user],
        ['GET', qr{^/session/status$}, 'ask', \&ask],
        ['POST', qr{^/session/(connect)$}, 'login', \&action],
        ['POST', qr{^/session/(disconnect|logout)$}, 'danger', \&action],
        ['GET', qr{^/session/qr$}, 'login', \&qr],
        ['POST', qr{^/chat/send/text$}, 'send', \&send_text],
        ['POST', qr{^/chat/send/(image|document|video|audio)$}, 'send',
         \&send_media],
        ['POST', qr{^/user/check$}, 'check', \&check],
        ['DELETE', qr{^/webhook$}, 'danger', \&delete_webhook],
        ['GET', qr{^/health$}, 'other', \&health],
    );
}


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


sub refuse {
    my ($self, $q) = @_;

    return if $q->{path} eq '/health' || !$q->{route};

    if ($q->{path} =~ m{^/admin/}) {
        my $given = $q->{header}{authorization};
        return wrong(401, 'unauthorized')
            unless defined $given && $given eq ($self->{key} || '');
        return;
    }

    $q->{s} = $self->named($q);
    return $q->{s} ? undef : wrong(401, 'unauthorized');
}


sub wrong {
    my ($status, $error) = @_;
    return [$status, { code => $status, error => $error, success => $False },
            { 'Content-Type' => 'application/json' }];
}


sub done {
    my ($data) = @_;
    return [200, { code => 200, data => $data, success => $True },
            { 'Content-Type' => 'application/json' }];
}


sub not_found {
    return [404, "404 page not found\n",
            { 'Content-Type' => 'text/plain; charset=utf-8' }];
}


sub bad_json { return wrong(400, 'could not decode Payload') }


# An error that was passed as text.
sub unproved { return [500, { code => 500, success => $True }] }


sub here { return $_[0]{state} !~ /^(?:stopped|elsewhere)$/ }


sub number_told { return defined $_[1]{number} && $_[1]{state} ne 'login' }


sub jid {
    my ($self, $s) = @_;
    return $self->number_told($s) ? "$s->{number}:12\@s.whatsapp.net" : '';
}


sub id { return lc $_[0]->secret($_[1], 'id') }


sub faults { return {
    not_connected => sub {
        wrong(500, 'error sending message: websocket not connected') },
    unknown => sub { wrong(401, 'unauthorized') },
    bad_key => sub { wrong(401, 'unauthorized') },
    bad_body => sub { wrong(400, 'missing Body in Payload') },
    not_on_whatsapp => sub {
        wrong(500, "error sending message: no signal session with $_[3]") },
    throttled => sub {
        wrong(500, 'error sending message: server returned error 463') },
    gone_on => sub {
        wrong(500, 'error sending message: timed out waiting for message '
              . 'send response') },
    no_id => sub { done({ Details => 'Sent', Timestamp => 1700000000 }) },
    '500_success' => sub { $_[0]->unproved },
    empty => sub { [200, ''] },
} }


sub item {
    my ($self, $s) = @_;
    my ($connected, $logged) = split /,/, $self->state_of($s);

    my $proxy = 'http://u17:' . $self->secret($s, 'proxy')
                . '@proxy.example.com:3128';
    my $text = WaGateway::Vendor::fill_in($Item,
        connected => \$connected, logged => \$logged, id => $self->id($s),
        jid => $self->jid($s), name => $self->display($s), proxy => $proxy,
        qr => $s->{state} eq 'login' ? 'data:image/png;base64,QUJD' : '',
        token => $self->token_of($s), pad => \'PAD');
    my $pad = $self->padding(length $text);

    $text =~ s/PAD/$pad/;
    return $text;
}


sub list {
    my ($self, @items) = @_;

    return '{"code":200,"data":[' . join(',', @items)
           . "],\"success\":true}\n";
}


sub user {
    my ($self, $q, $id) = @_;
    my @found = grep { $self->id($_) eq $id } $self->all;

    return [200, $self->list(map { $self->item_text($_) } @found)];
}


sub add_user {
    my ($self, $q) = @_;
    my $body = $self->payload($q);

    return wrong(400, 'missing name or token')
        unless defined $body->{name} && defined $body->{token};
    return wrong(409, 'user with this token already exists')
        if grep { $self->token_of($_) eq $body->{token} } $self->all;

    my $handle = $self->{s}{$body->{name}} ? lc $self->message_id
                                           : $body->{name};
    my $s = $self->put($handle, state => 'stopped', token => $body->{token},
                       display => $body->{name});
    $self->changed;

    return [201, { code => 201, success => $True, data => {
        id => $self->id($s), name => $body->{name},
        token => $body->{token} } }];
}


sub delete_user {
    my ($self, $q, $id) = @_;
    my ($s) = grep { $self->id($_) eq $id } $self->all;

    return wrong(404, 'user not found') unless $s;

    $self->do_drop($s->{name});
    return done({ id => $id, details => 'user deleted successfully' });
}


sub ask {
    my ($self, $q) = @_;
    my $s = $q->{s};
    my ($connected, $logged) = map { $_ eq 'true' ? $True : $False }
                               split /,/, $self->state_of($s);

    return done({ id => $self->id($s), name => $self->display($s),
                  token => $self->token_of($s), jid => $self->jid($s),
                  connected => $connected, loggedIn => $logged,
                  webhook => 'https://app.example.com/hooks',
                  events => 'Message' });
}


# Names of members are alike in any case.
sub payload {
    my ($self, $q) = @_;
    my $body = $self->members({ %$q, header => {
        'content-type' => 'application/json' } });

    return { map { lc $_ => $body->{$_} } keys %$body };
}


sub client {
    my ($q) = @_;

    die wrong(500, 'no session') unless here($q->{s});
    return $q->{s};
}


sub send_text {
    my ($self, $q) = @_;
    my $s = client($q);
    my $body = $self->payload($q);

    for (qw(Phone Body)) {
        return wrong(400, "missing $_ in Payload")
            unless defined $body->{lc $_} && $body->{lc $_} ne '';
    }

    return $self->message($q, $s, $body, text => $body->{body});
}


sub send_media {
    my ($self, $q, $what) = @_;
    my $s = client($q);
    my $body = $self->payload($q);

    for ('Phone', ucfirst $what, $what eq 'document' ? 'FileName' : ()) {
        return wrong(400, "missing $_ in Payload")
            unless defined $body->{lc $_} && $body->{lc $_} ne '';
    }

    return wrong(400, "$what data should start with \"data:\"")
        unless ref $body->{$what} || $body->{$what} =~ m{^(?:data:|https?://)};

    return $self->message($q, $s, $body, text => $body->{caption},
        media => { %{WaGateway::Vendor::media($body->{$what})},
                   filename => $body->{filename} });
}


sub message {
    my ($self, $q, $s, $body, %o) = @_;

    my $to = $body->{phone} =~ s/^\+//r;
    $to .= '@s.whatsapp.net' unless $to =~ /@/;

    return wrong(500, "error sending message: can't send message to unknown "
                      . "server $1")
        if $to =~ /\@(?!s\.whatsapp\.net$|g\.us$|lid$|newsletter$)(.*)/;
    return wrong(500, 'error sending message: '
                 . ($s->{state} eq 'login'
                    ? "the store doesn't contain a device JID"
                    : 'websocket not connected'))
        if $s->{state} ne 'ready';

    my $id = $self->send_out($q, $s, to => $to, id => $body->{id}, %o);

    return done({ Details => 'Sent', Timestamp => 1700000000, Id => $id });
}


sub check {
    my ($self, $q) = @_;
    my $s = client($q);
    my $body = $self->payload($q);

    return wrong(400, 'missing Phone in Payload')
        unless ref $body->{phone} && @{$body->{phone}};
    return wrong(500, 'failed to check if users are on WhatsApp: websocket '
                      . 'not connected') if $s->{state} ne 'ready';

    return done({ Users => [map { {
        Query => $_, JID => "$_\@s.whatsapp.net", VerifiedName => '',
        IsInWhatsapp => $self->stranger($_) ? $False : $True } }
        @{$body->{phone}}] });
}


sub delete_webhook {
    return done({ Details => 'Webhook and events deleted successfully' });
}


sub qr {
    my ($self, $q) = @_;
    my $s = client($q);

    return wrong(500, 'already logged in') if $s->{state} eq 'ready';
    return wrong(500, 'not connected') if $s->{state} ne 'login';
    return done({ QRCode => $self->png_url($s) });
}


sub action {
    my ($self, $q, $what) = @_;
    my $s = $q->{s};
    my $on = $s->{state} =~ /^(?:ready|login)$/;

    if ($what eq 'connect') {
        return wrong(409, 'already connected') if $on;

        $self->turns($s, defined $s->{number} ? 'ready' : 'login');
        return done({ webhook => '', jid => $self->jid($s), events => '',
                      details => 'Connected!' });
    }

    client($q);

    if ($what eq 'disconnect') {
        return wrong(500, 'cannot disconnect because it is not logged in')
            unless $on;

        $self->turns($s, 'stopped');
        return done({ Details => 'Disconnected' });
    }

    return wrong(500, 'could not logout as it was not logged in')
        unless $s->{state} eq 'ready';

    delete $s->{number};
    $self->turns($s, 'stopped');
    return done({ Details => 'Logged out' });
}


sub health {
    my ($self) = @_;
    my @here = grep { here($_) } $self->all;

    return [200, { status => 'ok', active_connections => scalar @here,
        total_users => scalar $self->all,
        connected_users => scalar(grep { $_->{state} =~ /ready|login/ } @here),
        logged_in_users => scalar(grep { $_->{state} eq 'ready' } @here) }];
}


1;
