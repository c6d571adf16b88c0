package WaGateway::Cheap;

# Instances that cost nearly nothing, for thousands of messages: an nginx that
# lists sessions from files, takes any send for sent, and keeps a ledger.  Of a
# vendor of its own: see vendor().
#
#   my $cheap = WaGateway::Cheap->new(2);
#   $cheap->sessions(0, a => 966500000001, b => 966500000002);
#   my $ng = WaGateway::Nginx->start(http => $cheap->vendor . ...,
#                                    upstream => $cheap->upstream);
#
# Option: bodies (the ledger has recipients, at the price of one more hop).

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);
use WaGateway::Fake;
use WaGateway::Nginx qw(poll slurp);
use WaGateway::Sessions ();

our @EXPORT_OK = qw(send_many text answers);


sub new {
    my ($class, $n, %o) = @_;

    my @ports = map { WaGateway::Fake::free_port() } 1 .. $n;
    my $send = $o{bodies} ? "proxy_pass http://127.0.0.1:$ports[0]/sent;"
                          : q(return 200 '{"id":"$request_id"}';);
    my $servers = join '', map { <<"END" } 0 .. $n - 1;
    server {
        listen 127.0.0.1:$ports[$_];
        root sessions;
        location = /list { try_files /$_ =404; }
        location /send/ {
            access_log ledger.log ledger;
            if (-f \$document_root/$_.500) { return 500 '{}'; }
            if (-f \$document_root/$_.reset) { return 444; }
            if (-f \$document_root/$_.gone) { return 404 '{}'; }
            if (-f \$document_root/$_.slow) { set \$limit_rate 200; }
            $send
        }
        location /sent { return 200 '{"id":"\$request_id"}'; }
        location /native/ {
            access_log ledger.log ledger;
            return 200 '{}';
        }
        location /refuse/ {
            access_log ledger.log ledger;
            return 422 '{}';
        }
    }
END
    my $ng = WaGateway::Nginx->new(workers => 1, conf => <<"END");
http {
    access_log off;
    client_body_buffer_size 64k;
    log_format ledger '\$msec \$request_time \$status \$server_port \$uri \$request_body';
    keepalive_requests 1000000;
    default_type application/json;
$servers
}
END
    my $self = bless { %o, ng => $ng, ports => \@ports }, $class;

    mkdir "$ng->{dir}/sessions";
    $self->sessions($_) for 0 .. $n - 1;
    $ng->{port} = $ports[0];
    $ng->start;

    return $self;
}


sub vendor {
    my ($self) = @_;
    my $uri = $self->{uri} || '/send/<session>';

    return <<"END";
wa_gateway_vendor cheap {
    list    GET /list items=\$ name=\$.name number=\$.number state=\$.state;
    state   ready ready;
    state   down down;
    session query=session;
    route   POST /native/send send;
    to      user=<id> group=<id>-group;
    text    POST $uri '{"to":"<to>","text":"<text>"}';
    sent    200 id=\$.id;
    unsent  message 422;
    unsent  session 404;
}
END
}


# Options: order (of the instances), weights (by instance).
sub upstream {
    my ($self, %o) = @_;
    my %weight = %{$o{weights} || {}};

    return join '', map {
        my $address = "127.0.0.1:$self->{ports}[$_]";

        $o{weights} ? "server $address weight=" . ($weight{$_} || 1) . ";\n"
                    : "wa_gateway_instances vendor=cheap http://$address;\n"
    } $o{order} ? @{$o{order}} : 0 .. $#{$self->{ports}};
}


sub ports { return @{$_[0]{ports}} }


# What an instance has from now on: names and numbers; a number may be an
# array of number and state, undef is none.
sub sessions {
    my ($self, $i, @sessions) = @_;
    my @list;

    while (my ($name, $what) = splice @sessions, 0, 2) {
        my ($number, $state) = ref $what ? @$what : $what;
        push @list, { name => $name, number => $number,
                      state => $state || 'ready' };
    }

    my $file = "$self->{ng}{dir}/sessions/$i";
    open my $fh, '>', "$file.new" or die "$file: $!\n";
    print $fh JSON::PP->new->canonical->encode(\@list);
    close $fh or die "$file: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
}


# Waits until so many sessions are ready, and known at all.
sub settled {
    my ($self, $ng, $ready, $total) = @_;

    return poll {
        my $all = WaGateway::Sessions::sessions($ng, 'limit=1');
        $all->{ready} == $ready && (!defined $total || $all->{total} == $total)
    };
}


# Sends to an instance go wrong until it is told "": 500, reset (nothing is
# answered), gone (a 404, which proves that nothing was sent), slow.
sub fault {
    my ($self, $i, $what) = @_;
    my $file = "$self->{ng}{dir}/sessions/$i";

    unlink map { "$file.$_" } grep { $_ ne $what } qw(500 reset gone slow);
    return if $what eq '';
    open my $fh, '>', "$file.$what" or die "$file.$what: $!\n";
}


# What came, in order of the answers: hashes of time (of the request), status,
# port, session, to.  An answer may be there before its line is, so it waits
# for that many.
sub ledger {
    my ($self, $least) = @_;
    my $file = "$self->{ng}{dir}/ledger.log";

    poll { slurp($file) =~ tr/\n// >= $least } if $least;

    return map {
        my ($time, $took, $status, $port, $path, $body) = split ' ', $_, 6;
        my (undef, undef, $session) = split m{/}, $path;
        my ($to) = $body =~ /^\{\\x22to\\x22:\\x22([\w-]+)/;
        { time => $time - $took, status => $status, port => $port,
          session => $session, to => $to };
    } split /\n/, slurp($file);
}


# For one more test, once nothing is on its way.
sub forget {
    my ($self) = @_;
    truncate "$self->{ng}{dir}/ledger.log", 0;
}


sub text {
    my ($to, $more) = @_;

    return sprintf '{"chatId":"%s","message":"x"%s}', $to,
                   defined $more ? ",$more" : '';
}


# The answers to many bodies over one connection, in order, several on the way
# at once: hashes of status, head, json.  A body may be an array of one and of
# headers.
sub send_many {
    my ($port, @bodies) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "connect: $!\n";
    my @answers;

    while (my @some = splice @bodies, 0, 50) {
        my $out = join '', map {
            my ($body, @headers) = ref $_ ? @$_ : $_;
            my $length = length $body;
            join '', map({ "$_\r\n" } 'POST /send-message HTTP/1.1',
                'Host: gateway.test', 'Content-Type: application/json',
                "Content-Length: $length", @headers, ''), $body
        } @some;

        WaGateway::Nginx::put($s, $out) or die "write: $!\n";
        push @answers, answers($s, scalar @some);
    }

    return @answers;
}


sub answers {
    my ($s, $n) = @_;
    my $in = '';
    my @answers;

    while (@answers < $n) {
        if ($in =~ /\A(.*?\r\n)\r\n/s) {
            my $head = $1;
            my ($length) = $head =~ /^Content-Length: (\d+)/mi
                or die "no length: $head\n";

            if (length $in >= length($head) + 2 + $length) {
                my $body = substr $in, length($head) + 2, $length;
                my ($status) = $head =~ m{\AHTTP/1.1 (\d+)};
                substr $in, 0, length($head) + 2 + $length, '';
                push @answers, { status => $status, head => $head,
                                 time => time,
                                 json => JSON::PP::decode_json($body) };
                next;
            }
        }

        sysread $s, $in, 262144, length $in or die "no answer: $in\n";
    }

    return @answers;
}


1;
