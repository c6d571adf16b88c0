package WaGateway::Store;

# A store of its own, redis-server or valkey-server, in a folder that is
# removed.  It keeps what it acknowledged: appendfsync always, unless told.
#
#   my $store = WaGateway::Store->start;
#   $store->kill; $store->start_again; $store->empty; $store->freeze;

use strict;
use warnings;

use Exporter qw(import);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use WaGateway::Fake;
use WaGateway::Nginx qw(poll slurp);
use WaGateway::Send qw(send_gateway post start_post);

our @EXPORT_OK = qw(shared up key text over begin replayed counts);

my %Text = (chatId => '966511111111', message => 'hi');
my $N = 0;

my $Main = $$;
my %Running;


# The program of this Debian.
sub program {
    for my $name (qw(valkey-server redis-server)) {
        for my $dir (split /:/, $ENV{PATH} || '/usr/bin') {
            return "$dir/$name" if -x "$dir/$name";
        }
    }

    die "no redis-server or valkey-server\n";
}


# Options: password, args (of the program), port, database (that gateways are
# told), address and inside (of WaGateway::Partition), sentinel: it is one, that
# watches nothing.
sub start {
    my ($class, %o) = @_;
    my $self = bless { args => [], address => '127.0.0.1', inside => [], %o },
                     $class;

    $self->{port} ||= WaGateway::Fake::free_port();
    $self->{dir} = tempdir('wa-store-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    return $self->start_again;
}


sub start_again {
    my ($self) = @_;

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/log";
        open STDERR, '>&', \*STDOUT;
        exec @{$self->{inside}}, program(), $self->arguments
            or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    $Running{$pid} = 1;

    poll { my $r = eval { $self->ask('PING') };
           defined $r && ($r eq 'PONG' || $r =~ /^-/) }
        or die 'the store does not answer: ' . slurp("$self->{dir}/log");

    return $self;
}


# Of the program.
sub arguments {
    my ($self) = @_;
    my @all = ('--port', $self->{port},
               @{$self->{inside}} ? ('--protected-mode', 'no')
                                  : ('--bind', $self->{address}),
               '--dir', $self->{dir}, '--daemonize', 'no',
               defined $self->{password} ? ('--requirepass', $self->{password})
                                         : (), @{$self->{args}});

    if ($self->{sentinel}) {
        # it writes to that
        open my $out, '>', "$self->{dir}/sentinel" or die "sentinel: $!\n";
        close $out;
        return ("$self->{dir}/sentinel", '--sentinel', @all);
    }

    return ('--save', '', '--appendonly', 'yes', '--appendfsync', 'always',
            @all);
}


sub port { return $_[0]{port} }

sub name {
    my ($self) = @_;
    return "$self->{address}:$self->{port}/" . ($self->{database} || 0);
}


sub url {
    my ($self, $more) = @_;
    my $login = defined $self->{password} ? ":$self->{password}\@" : '';
    return "redis://$login$self->{address}:$self->{port}"
           . ($self->{database} ? "/$self->{database}" : '') . ($more || '');
}


sub signal {
    my ($self, $name) = @_;
    CORE::kill $name, $self->{pid};
}


sub freeze { return $_[0]->signal('STOP') }

sub thaw { return $_[0]->signal('CONT') }


sub kill {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;

    CORE::kill 'CONT', $pid;
    CORE::kill 'KILL', $pid;
    waitpid $pid, 0;
    delete $Running{$pid};

    return $self;
}


# The same, as it is reached another way: address, port.
sub by {
    my ($self, %o) = @_;
    return bless { %$self, %o }, ref $self;
}


# What it kept is gone.
sub empty {
    my ($self) = @_;
    remove_tree(glob("$self->{dir}/appendonly*"), glob("$self->{dir}/*.rdb"));
    return $self;
}


# An answer of the store: text, a number, undef, a list, or "-" and an error.
sub ask {
    my ($self, @command) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => $self->{address},
                                  PeerPort => $self->{port}, Timeout => 5)
        or return;

    put($s, 'AUTH', $self->{password}) && get($s)
        if defined $self->{password};

    put($s, @command);
    return get($s);
}


sub put {
    my ($s, @command) = @_;

    return print $s join '', '*' . @command . "\r\n",
                   map { '$' . length($_) . "\r\n$_\r\n" } @command;
}


sub get {
    my ($s) = @_;
    my $line = <$s>;

    return unless defined $line;

    my ($type, $rest) = $line =~ /^(.)(.*?)\r?\n\z/;

    return $rest if $type eq '+' || $type eq ':';
    return "-$rest" if $type eq '-';
    return [map { scalar get($s) } 1 .. $rest] if $type eq '*';
    return if $rest < 0;

    my $text = '';
    while (length $text < $rest + 2) {
        my $n = read $s, $text, $rest + 2 - length $text, length $text;
        return if !$n;
    }

    return substr $text, 0, $rest;
}


# Names of keys that begin so, without the prefix.
sub keys_of {
    my ($self, $kind) = @_;
    return map { s/^wa_gateway:\Q$kind\E://r }
           @{$self->ask('KEYS', "wa_gateway:$kind:*")};
}


# A gateway that has met the store.  Options: pace, parameters (of
# wa_gateway_store), and those of WaGateway::Send.
sub shared {
    my ($store, %o) = @_;
    my $parameters = delete $o{parameters} || 'timeout=500ms';
    my $pace = delete $o{pace};
    my $waits = exists $o{waits} ? delete $o{waits} : 1;
    my $upstream = delete $o{upstream} || '';

    my $ng = send_gateway(workers => 2, %o,
        upstream => "wa_gateway_passive off; wa_gateway_idempotency on;\n"
            . ($pace ? "wa_gateway_pace $pace;\n" : '')
            . 'wa_gateway_store ' . $store->url . " $parameters;\n$upstream");

    up($store, $ng) if $waits;

    return $ng;
}


# All workers have met it: as many connections as there are of them, and each
# claims.
sub up {
    my ($store, @ngs) = @_;

    for my $ng (@ngs) {
        poll {
            my $s = $ng->status->{store} or die "no store\n";
            $s->{up} && $s->{workers} == ($ng->{workers} || 1);
        } or die "the store is not met:\n" . $ng->log;
    }

    return 1;
}


sub key { return 'k-' . ++$N . '-' . $$ }

sub replayed { return $_[0]{headers}{'idempotency-replayed'} || '-' }


# A send with a key; its answer.  Options: to, headers.
sub text {
    my ($ng, $key, %o) = @_;
    return post($ng, '/send-message', body(%o), headers_of($key, %o));
}


# The same, once a send with this key is over for the store: a gateway tells it
# of that when its client has the answer.
sub over {
    my ($ng, $key, %o) = @_;
    my $r;

    poll { ($r = text($ng, $key, %o))->{status} != 409 };

    return $r;
}


# The same, whose answer is read later.
sub begin {
    my ($ng, $key, %o) = @_;
    return start_post($ng, '/send-message', body(%o), headers_of($key, %o));
}


sub body {
    my (%o) = @_;
    return { %Text, map { defined $o{$_} ? ($_ => $o{$_}) : () }
                    qw(chatId message session from) };
}


sub headers_of {
    my ($key, %o) = @_;
    my @headers = (@{$o{headers} || []},
                   defined $key ? "Idempotency-Key: $key" : ());

    return @headers ? (headers => \@headers) : ();
}


# How often each key was seen by an instance.
sub counts {
    my %seen;

    for (map { $_->ledger } @_) {
        $seen{$1}++ if $_->{headers} =~ /^Idempotency-Key: *(\S+)/mi;
    }

    return \%seen;
}


END {
    if ($$ == $Main) {
        local $?;
        for my $pid (keys %Running) {
            CORE::kill 'CONT', $pid;
            CORE::kill 'KILL', $pid;
            waitpid $pid, 0;
        }
    }
}

1;
