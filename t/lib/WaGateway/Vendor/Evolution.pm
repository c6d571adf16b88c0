package WaGateway::Vendor::Evolution;

# Evolution API v2.  A session can have db, what the database's column says of
# it; a change that is not final is not written there.  A number that was not
# written to before is looked up first, so a send fails otherwise for it.

use strict;
use warnings;

use parent -norequire, 'WaGateway::Vendor';

my ($True, $False) = ($WaGateway::Vendor::True, $WaGateway::Vendor::False);

my %States = (
    ready     => ['open', 'ready'],
    starting  => ['connecting', 'starting'],
    login     => ['close', 'login'],
    down      => ['refused', 'down'],
    stopped   => ['close', 'login'],
    elsewhere => ['-', undef],
);

my %Error = (400 => 'Bad Request', 401 => 'Unauthorized', 403 => 'Forbidden',
             404 => 'Not Found', 500 => 'Internal Server Error');

my $Item = '{"id":id@,"name":name@,"connectionStatus":db@,"ownerJid":jid@,'
    . '"profileName":profile@,"profilePicUrl":null,"integration":'
    . '"WHATSAPP-BAILEYS","number":number@,"businessId":null,"token":token@,'
    . '"clientName":"evolution","disconnectionReasonCode":null,'
    . '"disconnectionObject":"{\"name\":\"x\",\"state\":\"open\"}",'
    . '"disconnectionAt":null,"createdAt":"2026-01-02T03:04:05.678Z",'
    . '"updatedAt":"2026-01-02T03:04:05.678Z","Chatwoot":{"id":cid@,"enabled":'
    . 'true,"accountId":"1","token":ctoken@,"url":'
    . '"https://chat.example.com","nameInbox":"inbox","number":"4400000001",'
    . '"ignoreJids":[],"instanceId":id@},"Proxy":{"enabled":true,"host":'
    . '"proxy.example.com","port":"3128","protocol":"http","username":"u17",'
    . '"password":password@,"instanceId":id@},"Rabbitmq":null,"Nats":null,'
    . '"Sqs":null,"Websocket":null,"Setting":{"rejectCall":false,"msgCall":'
    . 'pad@,"groupsIgnore":false,"alwaysOnline":true,"readMessages":false,'
    . '"readStatus":false,"syncFullHistory":false,"wavoipToken":wavoip@,'
    . '"instanceId":id@},"_count":{"Message":12,"Contact":3,"Chat":4}}';


sub states { return \%States }


sub map { return <<'END' }
GET    none other  /          - metrics webhook/meta
POST   none danger /          verify-creds
POST   none other  /          webhook/meta webhook/evolution
GET    none list   /instance/ fetchInstances
POST   body=instanceName login /instance/ create
GET    own  login  /instance/ connect/:session
GET    own  ask    /instance/ connectionState/:session
POST   own  danger /instance/ restart/:session
POST   own  other  /instance/ setPresence/:session
DELETE own  danger /instance/ logout/:session delete/:session
POST   own  send   /message/  sendText/:session sendMedia/:session
POST   own  send   /message/  sendPtv/:session sendWhatsAppAudio/:session
POST   own  send   /message/  sendStatus/:session sendSticker/:session
POST   own  send   /message/  sendLocation/:session sendContact/:session
POST   own  send   /message/  sendPoll/:session sendList/:session
POST   own  send   /message/  sendButtons/:session sendTemplate/:session
POST   own  other  /message/  sendReaction/:session
POST   own  other  /call/     offer/:session
POST   own  check  /chat/     whatsappNumbers/:session
POST   own  other  /chat/     findChats/:session findContacts/:session
POST   own  other  /chat/     findMessages/:session archiveChat/:session
POST   own  other  /chat/     markMessageAsRead/:session
POST   own  other  /chat/     updateMessage/:session sendPresence/:session
POST   own  other  /chat/     fetchProfile/:session
GET    own  other  /chat/     findChatByRemoteJid/:session
GET    own  other  /chat/     fetchPrivacySettings/:session
DELETE own  danger /chat/     deleteMessageForEveryone/:session
DELETE own  danger /chat/     removeProfilePicture/:session
POST   own  other  /group/    create/:session updateGroupSubject/:session
GET    own  other  /group/    fetchAllGroups/:session participants/:session
GET    own  other  /group/    findGroupInfos/:session inviteCode/:session
POST   own  send   /group/    sendInvite/:session
DELETE own  other  /group/    leaveGroup/:session
POST   own  other  /business/ getCatalog/:session
GET    own  other  /label/    findLabels/:session
POST   own  other  /label/    handleLabel/:session
GET    own  other  /settings/ find/:session
POST   own  other  /settings/ set/:session
GET    own  other  /template/ find/:session
GET    own  danger /proxy/    find/:session
POST   own  danger /proxy/    set/:session
POST   own  danger /baileys/  getAuthState/:session sendNode/:session
POST   own  danger /baileys/  onWhatsapp/:session
GET    own  other  /webhook/  find/:session
POST   own  other  /webhook/  set/:session
GET    own  other  /rabbitmq/ find/:session
POST   own  other  /websocket/ set/:session
GET    own  danger /chatwoot/ find/:session
POST   own  danger /chatwoot/ set/:session
POST   own  other  /chatwoot/ webhook/:session
GET|POST own danger /openai/  creds/:session
DELETE own  danger /openai/   creds/:x/:session
GET    own  other  /openai/   find/:session fetch/:x/:session
GET    own  other  /dify/     find/:session fetch/:x/:session
DELETE own  other  /dify/     delete/:x/:session
POST   own  other  /typebot/  start/:session
POST   own  other  /s3/       getMedia/:session
END


# A name in the query takes the place of the path's.
sub place {
    my ($self, $q, $place, $name) = @_;

    return $self->SUPER::place($q, $place, $name) if $place ne 'own';

    my $query = $self->queried($q);
    return defined $query->{instanceName} ? $query->{instanceName} : $name;
}


sub routes {
    my $s = qr{([^/]+)};

    return (
        ['GET', qr{^/instance/fetchInstances$}, 'list', \&instances],
        ['GET', qr{^/instance/connectionState/$s$}, 'ask', \&ask],
        ['POST', qr{^/message/sendText/$s$}, 'send', \&send_text],
        ['POST', qr{^/message/sendMedia/$s$}, 'send', \&send_media],
        ['POST', qr{^/chat/whatsappNumbers/$s$}, 'check', \&check],
        ['POST', qr{^/chat/findChats/$s$}, 'other', \&chats],
        ['POST', qr{^/instance/create$}, 'login', \&create],
        ['GET', qr{^/instance/connect/$s$}, 'login', \&connect],
        ['POST', qr{^/instance/restart/$s$}, 'danger', \&restart],
        ['DELETE', qr{^/instance/logout/$s$}, 'danger', \&logout],
        ['DELETE', qr{^/instance/delete/$s$}, 'danger', \&delete_instance],
        ['GET', qr{^/metrics$}, 'list', \&metrics],
        ['GET', qr{^/$}, 'other', sub { [200, { status => 200,
            message => 'Welcome to the Evolution API, it is working!',
            version => '2.3.7', clientName => 'evolution' }] }],
    );
}


# Whether the instance exists is looked at first, then the key.
sub refuse {
    my ($self, $q) = @_;
    my ($name) = $q->{path} =~ m{^/[a-z]+/[A-Za-z]+/([^/]+)$};

    return if $q->{path} =~ m{^/(?:metrics)?$};

    my $s;
    if (defined $name) {
        $name = WaGateway::Vendor::decoded($name);
        $s = $self->{s}{$name} || die unknown($name);
    }

    my $key = $q->{header}{apikey};

    return if defined $key && $key eq $self->global;
    return if defined $key && $s && $key eq $self->token_of($s);
    return if defined $key && $q->{kind} eq 'list' && $self->owner($key);

    return wrong(401, 'Unauthorized');
}


sub wrong {
    my ($status, $message) = @_;
    return [$status, { status => $status, error => $Error{$status},
                       response => { message => $message } }];
}


sub unknown { return wrong(404, [qq(The "$_[0]" instance does not exist)]) }


sub not_found {
    my ($self, $q) = @_;
    return wrong(404, ["Cannot $q->{method} $q->{target}"]);
}


sub bad_json { return wrong(400, 'Unexpected token } in JSON at position 1') }


# With object storage a media's answer is empty.
sub unproved { return [201, ''] }


sub token_of {
    my ($self, $s) = @_;
    return $self->secret($s, 'token');
}


sub global { return defined $_[0]{key} ? $_[0]{key} : '' }


sub owner {
    my ($self, $key) = @_;
    return grep { $self->token_of($_) eq $key } $self->all;
}


sub here { return $_[1] && $_[1]{state} ne 'elsewhere' }


sub number_told { return defined $_[1]{number} && $_[1]{state} ne 'login' }


sub faults { return {
    not_connected => sub { wrong(400, ['Error: Connection Closed']) },
    unknown => sub { unknown($_[2]{name}) },
    bad_key => sub { wrong(401, 'Unauthorized') },
    not_on_whatsapp => sub {
        wrong(400, [{ jid => $_[3], exists => $False,
                      number => $_[3] =~ s/@.*//r }]) },
    bad_body => sub {
        wrong(400, [['instance requires property "text"']]) },
    licence => sub { [503, { error => 'service not activated',
        code => 'LICENSE_REQUIRED',
        register_url => 'https://example.com/register' }] },
    gone_on => sub { wrong(400, ['Error: Timed Out']) },
    no_id => sub { [201, { status => 'PENDING',
                           messageTimestamp => 1700000000 }] },
    empty => sub { $_[0]->unproved },
} }


sub item {
    my ($self, $s) = @_;

    my $jid = $self->number_told($s) ? "$s->{number}\@s.whatsapp.net" : undef;
    my $db = defined $s->{db} ? $s->{db}
             : $s->{state} =~ /^(?:login|stopped)$/ ? 'close' : 'open';
    my %value = (
        id => $self->id($s), cid => lc $self->secret($s, 'chatwoot'),
        name => $s->{name}, db => $db, jid => $jid,
        profile => defined $jid ? 'خالد "the shop" } ]' : undef,
        number => undef, token => $self->token_of($s),
        ctoken => $self->secret($s, 'ctoken'),
        password => $self->secret($s, 'proxy'),
        wavoip => $self->secret($s, 'wavoip'), pad => '');

    $value{pad} = $self->padding(length WaGateway::Vendor::fill_in($Item,
                                                                   %value));
    return WaGateway::Vendor::fill_in($Item, %value);
}


sub id {
    my ($self, $s) = @_;

    return join '-', unpack 'a8a4a4a4a12', lc $self->secret($s, 'id');
}


sub list {
    my ($self, @items) = @_;
    return '[' . join(',', @items) . ']';
}


sub instances {
    my ($self, $q) = @_;
    my ($name, $id, $number) = @{$q->{query}}{qw(instanceName instanceId
                                                 number)};
    my @found = $self->all;

    @found = $self->owner($q->{header}{apikey})
        if $q->{header}{apikey} ne $self->global;

    return [200, $self->list_text]
        unless @found < $self->all || defined $name || defined $id
               || defined $number;

    @found = grep { $_->{name} eq $name } @found if defined $name;
    @found = grep { $self->id($_) eq $id } @found if defined $id;
    @found = () if defined $number;

    my ($what) = grep { defined } $name, $id, $number;

    return wrong(404, [qq(Instance "$what" not found)])
        if defined $what && !grep { $self->here($_) } @found;
    return [200, $self->list(map { $self->item_text($_) } @found)];
}


# A name in the query takes the place of the one that was looked at.
sub meant {
    my ($self, $q, $name) = @_;

    $name = $self->place($q, 'own', $name);
    return $self->here($self->{s}{$name}) ? ($name, $self->{s}{$name}) : $name;
}


sub ask {
    my ($self, $q, $name) = @_;
    ($name, my $s) = $self->meant($q, $name);

    return [200, { instance => { instanceName => $name,
                   $s ? (state => $self->state_of($s)) : () } }];
}


sub sender {
    my ($self, $q, $name, $what) = @_;
    ($name, my $s) = $self->meant($q, $name);

    die wrong(500, "Cannot read properties of undefined (reading '$what')")
        unless $s;

    return $s;
}


sub send_text {
    my ($self, $q, $name) = @_;
    my $body = $self->members($q);

    needs($body, 'number', 'text');

    return $self->message($q, $self->sender($q, $name, 'textMessage'), $body,
                          text => $body->{text});
}


sub send_media {
    my ($self, $q, $name) = @_;
    my $body = $self->members($q);
    my $media = defined $body->{file} ? $body->{file} : $body->{media};

    needs($body, 'number', 'mediatype');
    die wrong(400, ['Owned media must be a url or base64'])
        unless defined $media;

    return $self->message($q, $self->sender($q, $name, 'mediaMessage'), $body,
        text => $body->{caption},
        media => { %{WaGateway::Vendor::media($media)},
                   mimetype => $body->{mimetype}, type => $body->{mediatype},
                   filename => $body->{fileName} });
}


sub needs {
    my ($body, @names) = @_;
    my @lacks = grep { !defined $body->{$_} } @names;

    die wrong(400, [[map { qq(instance requires property "$_") } @lacks]])
        if @lacks;
}


sub message {
    my ($self, $q, $s, $body, %o) = @_;

    my ($to) = $body->{number} =~ /^\+?([^@]+)/;
    my $jid = $body->{number} =~ /\@(?:g\.us|lid)$/ ? $body->{number}
              : $to . (length $to >= 18 ? '@g.us' : '@s.whatsapp.net');

    if ($s->{state} ne 'ready') {
        return $s->{seen}{$jid} ? wrong(400, ['Error: Connection Closed'])
                                : wrong(500, 'Connection Closed');
    }

    return wrong(400, [{ jid => $jid, exists => $False, number => $to }])
        if $self->stranger($to);

    $s->{seen}{$jid} = 1;
    my $id = $self->send_out($q, $s, to => $jid, %o);

    return [201, { key => { remoteJid => $jid, fromMe => $True, id => $id },
        pushName => '', status => 'PENDING',
        message => { conversation => $o{text} }, contextInfo => undef,
        messageType => $o{media} ? 'documentMessage' : 'conversation',
        messageTimestamp => 1700000000, instanceId => $self->id($s),
        source => 'unknown' }];
}


sub check {
    my ($self, $q, $name) = @_;
    my $body = $self->members($q);
    my $s = $self->sender($q, $name, 'whatsappNumber');

    return wrong(500, 'Connection Closed') if $s->{state} ne 'ready';
    return [200, [map { {
        jid => "$_\@s.whatsapp.net", number => $_,
        exists => $self->stranger($_) ? $False : $True } }
        @{$body->{numbers} || []}]];
}


sub chats {
    my ($self, $q, $name) = @_;

    $self->sender($q, $name, 'fetchChats');
    return [200, '[]'];
}


sub create {
    my ($self, $q) = @_;
    my $body = $self->members($q);
    my $name = $body->{instanceName};

    needs($body, 'instanceName');
    return wrong(403, [qq(This name "$name" is already in use.)])
        if $self->{s}{$name};

    my $s = $self->put($name, state => 'starting');
    $self->changed;

    return [201, { instance => {
        instanceName => $name, instanceId => $self->id($s),
        integration => 'WHATSAPP-BAILEYS', status => 'connecting' },
        hash => $self->token_of($s), settings => {} }];
}


sub connect {
    my ($self, $q, $name) = @_;
    ($name, my $s) = $self->meant($q, $name);

    return [200, { error => $True, message => '[object Object]' }] unless $s;

    if ($s->{state} eq 'ready') {
        return $self->ask($q, $name);
    }

    $self->turns($s, 'starting');
    return [200, { pairingCode => undef,
                   code => '2@' . $self->secret($s, 'qr'),
                   base64 => $self->png_url($s), count => 1 }];
}


sub restart {
    my ($self, $q, $name) = @_;
    ($name, my $s) = $self->meant($q, $name);

    return [200, { error => $True, message => '[object Object]' }]
        if !$s || $self->state_of($s) eq 'close';

    $self->turns($s, 'starting');
    return [200, { instance => { instanceName => $name,
                                 state => 'connecting' } }];
}


sub logout {
    my ($self, $q, $name) = @_;
    ($name, my $s) = $self->meant($q, $name);

    return wrong(400, [qq(The "$name" instance is not connected)])
        if $s && $self->state_of($s) eq 'close';

    $self->turns($s, 'login') if $s;
    return [200, { status => 'SUCCESS', error => $False,
                   response => { message => 'Instance logged out' } }];
}


sub delete_instance {
    my ($self, $q, $name) = @_;
    ($name) = $self->meant($q, $name);

    $self->do_drop($name);
    return [200, { status => 'SUCCESS', error => $False,
                   response => { message => 'Instance deleted' } }];
}


sub metrics {
    my ($self) = @_;

    my $text = join '', map {
        qq(evolution_instance_up{instance="$_->{name}",)
        . 'integration="WHATSAPP-BAILEYS"} '
        . ($_->{state} eq 'ready' ? 1 : 0) . "\n"
    } grep { $self->here($_) } $self->all;

    return [200, "# TYPE evolution_instance_up gauge\n$text",
            { 'Content-Type' => 'text/plain; version=0.0.4; charset=utf-8' }];
}


1;
