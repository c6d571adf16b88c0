package WaGateway::Nginx;

# An nginx with the module for the plain Perl tests, and HTTP by hand.

use strict;
use warnings;

use Cwd qw(abs_path);
use Errno qw(EINTR);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);
use WaGateway::Fake;

our @EXPORT_OK = qw(http send_request read_answer poll slurp);

my $Root = abs_path(dirname(__FILE__) . '/../../..');
my $Main = $$;
my %Running;


# Waits until the code returns something true; how long only tells a test that
# fails from one that hangs.
sub poll(&;$) {
    my ($code, $seconds) = @_;
    my $end = time + ($seconds || 60);

    while (1) {
        my $r = $code->();
        return $r if $r;
        return if time > $end;
        sleep 0.01;
    }
}


sub slurp {
    my ($name) = @_;
    open my $fh, '<:raw', $name or return '';
    local $/;
    my $text = <$fh>;
    return defined $text ? $text : '';
}


# Options are parts of the configuration: upstream, location, server, http,
# main, events; workers, 0 for a single process; conf is all of it; level of
# the error log; env of the process.
sub new {
    my ($class, %o) = @_;

    my $self = bless { workers => 1, %o }, $class;

    $self->{port} ||= WaGateway::Fake::free_port();
    $self->{dir} = tempdir('wa-nginx-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    return $self;
}


sub start {
    my ($class, %o) = @_;

    my $self = ref $class ? $class : $class->new(%o);
    my ($status, $text) = $self->test;
    die "nginx -t: $text\n" if $status;

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/stderr.log";
        open STDERR, '>&', \*STDOUT;
        %ENV = (%ENV, %{$self->{env} || {}});
        exec $self->command or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    $Running{$pid} = 1;

    poll { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $self->{port}) }
        or die "nginx does not listen: " . slurp("$self->{dir}/stderr.log")
               . $self->log;

    # the master listens before it has workers
    poll { $self->worker_pids >= $self->{workers} } if $self->{workers};

    return $self;
}


sub command {
    my ($self) = @_;
    return ($ENV{TEST_NGINX_BINARY} || 'nginx', '-p', $self->{dir},
            '-e', "$self->{dir}/error.log", '-c', "$self->{dir}/nginx.conf");
}


# `nginx -t`: exit status and what it said.
sub test {
    my ($self) = @_;

    $self->write_conf;

    local %ENV = (%ENV, %{$self->{env} || {}});
    my @command = ($self->command, '-t');
    splice @command, 3, 2, '-e', 'stderr';

    my $text = '';
    my $pid = open my $out, '-|';
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }

    while (my $line = <$out>) { $text .= $line }
    close $out;

    return ($? >> 8, $text);
}


sub write_conf {
    my ($self) = @_;

    open my $fh, '>:raw', "$self->{dir}/nginx.conf" or die "$!\n";
    print $fh $self->conf;
    close $fh or die "$!\n";
}


sub preamble {
    my ($self) = @_;

    my $module = $ENV{TEST_NGINX_LOAD_MODULES}
                 || "$Root/build/ngx_http_wa_gateway_module.so";

    # an nginx that has it inside
    my $load = $module eq 'none' ? '' : "load_module \"$module\";";
    my $user = $> == 0 ? 'user root;' : '';
    my $main = $self->{main} || '';
    my $events = $self->{events} || '';
    my $processes = $self->{workers} ? "worker_processes $self->{workers};"
                                     : 'master_process off;';
    my $error_log = $self->{level} || 'info';

    return <<"END";
$load
$user
daemon off;
$processes
pid nginx.pid;
error_log error.log $error_log;
$main
events { worker_connections 1024; $events }
END
}


sub conf {
    my ($self) = @_;

    return $self->preamble . $self->{conf} if defined $self->{conf};

    my %p = map { $_ => defined $self->{$_} ? $self->{$_} : '' }
            qw(http upstream server location);
    my $scheme = $self->{scheme} || 'http';

    return $self->preamble . <<"END";
http {
    log_format test '\$request_method \$uri \$status '
                    '"\$wa_gateway_instance" \$wa_gateway_attempts '
                    '\$wa_gateway_sent';
    access_log access.log test;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    client_max_body_size 200m;
    $p{http}
    upstream u {
        $p{upstream}
    }
    server {
        listen 127.0.0.1:$self->{port};
        wa_gateway_errors en;
        add_header X-WA-Instance \$wa_gateway_instance always;
        add_header X-WA-Attempts \$wa_gateway_attempts always;
        $p{server}
        location = /status { wa_gateway_status u; }
        location = /health { wa_gateway_health u; }
        location / {
            proxy_pass $scheme://u;
            $p{location}
        }
    }
}
END
}


sub port { return $_[0]{port} }

sub log { return slurp("$_[0]{dir}/error.log") }

sub access { return slurp("$_[0]{dir}/access.log") }


# Lines of the error log that match.
sub logged {
    my ($self, $re) = @_;
    return grep { /$re/ } split /\n/, $self->log;
}


sub request {
    my ($self, $method, $path, %o) = @_;
    return http($self->{port}, $method, $path, %o);
}


sub status {
    my ($self) = @_;
    my $r = $self->request('GET', '/status');

    return eval { JSON::PP::decode_json($r->{body}) }
           || die "/status: $r->{status} $r->{body}\n" . $self->log;
}


# What /status says of one instance; the name is that of a fake's.
sub instance {
    my ($self, $name) = @_;
    return $self->status->{instances}{details}{"http://$name"};
}


sub worker_pids {
    my ($self) = @_;
    my @pids;

    return $self->{pid} unless $self->{workers};

    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid, $parent) = slurp($stat) =~ /^(\d+) \(.*\) \S+ (\d+) / or next;
        push @pids, $pid if $parent == $self->{pid};
    }

    return @pids;
}


# A reload; true when only workers of the new configuration are left.
sub reload {
    my ($self, %o) = @_;

    @$self{keys %o} = values %o;
    $self->write_conf;

    my %old = map { $_ => 1 } $self->worker_pids;
    kill 'HUP', $self->{pid};

    return poll {
        my @pids = $self->worker_pids;
        @pids == $self->{workers} && !grep { $old{$_} } @pids;
    };
}


sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;

    kill 'QUIT', $pid;

    # a request that hangs is not waited for
    my $gone = poll { waitpid($pid, POSIX::WNOHANG()) == $pid } 5;

    if (!$gone) {
        kill 'TERM', $pid;
        $gone = poll { waitpid($pid, POSIX::WNOHANG()) == $pid };
    }

    if (!$gone) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }

    delete $Running{$pid};
}


# One test: nothing in the log that must never be there.
# What the log has that is worse than errors, but for processes that were
# killed, and the locks they held, which nginx opens.
sub alarms {
    my ($self) = @_;
    my @lines = $self->logged('\[(?:alert|crit|emerg)\]|exited on signal|'
                              . 'runtime error|AddressSanitizer');
    my $killed = qr/process (\d+) exited on signal 9/;
    my %killed = map { /$killed/ ? ($1 => 1) : () } @lines;

    return grep { !/$killed/ && !(/was locked by (\d+)/ && $killed{$1}) }
           @lines;
}
sub clean {
    my ($self, $name) = @_;

    $self->stop;

    my @bad = grep { /\[(?:alert|crit|emerg)\]|signal 11|signal 6/ }
              split /\n/, $self->log;

    Test::More::is(join("\n", @bad), '',
                   $name || 'no alert, no crit, no emerg is logged');
}


END {
    if ($$ == $Main && %Running) {
        my $status = $?;
        for my $pid (keys %Running) {
            kill 'TERM', $pid;
            waitpid $pid, 0;
        }
        $? = $status;
    }
}


# HTTP: { status, head, headers, body, whole }, status 0 when nothing came.
# Options: body, headers (lines), socket (kept open, reused), timeout.
sub http {
    my ($port, $method, $path, %o) = @_;

    my $s = send_request($port, $method, $path, %o)
        or return { status => 0, head => '', headers => {}, body => '' };

    return read_answer($s, $method, %o);
}


sub send_request {
    my ($port, $method, $path, %o) = @_;

    my $s = $o{socket}
            || IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port, Timeout => 60)
        or return;

    my $head = join '', map { "$_\r\n" } @{$o{headers} || []};
    my $body = defined $o{body} ? $o{body} : '';

    $head .= "Host: gateway.test\r\n" unless $head =~ /^Host:/mi;
    $head .= "Connection: close\r\n" unless $o{socket} || $o{keep};

    if (ref $body) {
        $head .= "Content-Length: $o{length}\r\n" if defined $o{length};

    } elsif (defined $o{body} || $method =~ /^(?:POST|PUT|PATCH)$/) {
        $head .= 'Content-Length: ' . length($body) . "\r\n"
            unless $head =~ /^(?:Content-Length|Transfer-Encoding):/mi;
    }

    local $SIG{PIPE} = 'IGNORE';
    $s->blocking(1);

    put($s, "$method $path HTTP/1.1\r\n$head\r\n") or return $s;

    if (ref $body) {
        while (defined(my $piece = $body->())) {
            put($s, $piece) or last;
        }

    } elsif (length $body) {
        put($s, $body);
    }

    return $s;
}


sub put {
    my ($s, $data) = @_;
    my $at = 0;

    while ($at < length $data) {
        my $n = syswrite $s, $data, 65536, $at;
        next if !defined $n && $! == EINTR;
        return 0 unless defined $n;
        $at += $n;
    }

    return 1;
}


sub read_answer {
    my ($s, $method, %o) = @_;

    my $end = time + ($o{timeout} || 60);
    my $in = '';
    my $closed;

    my $more = sub {
        my ($n, $left);

        do {
            $left = $end - time;
            return 0 if $closed || $left <= 0;

            my $r = '';
            vec($r, fileno $s, 1) = 1;
            $n = select $r, undef, undef, $left;
        } while ($n < 0 && $! == EINTR);

        return 0 unless $n > 0;

        do {
            $n = sysread $s, $in, 262144, length $in;
        } while (!defined $n && $! == EINTR);

        $closed = 1 unless $n;
        return $n;
    };

    my ($head, %headers);

    while (1) {
        if ($in =~ s/^(.*?\r\n)\r\n//s) {
            $head = $1;
            last unless $head =~ m{^HTTP/1\.\d 1(?!01)};
            next;
        }
        $more->() or return { status => 0, head => $in, headers => {},
                              body => '', whole => 0 };
    }

    my ($status) = $head =~ m{^HTTP/1\.\d (\d+)};

    while ($head =~ /^([^:\r\n]+): *(.*?)\r$/mg) {
        my $name = lc $1;
        $headers{$name} = defined $headers{$name} ? "$headers{$name}, $2" : $2;
    }

    my ($body, $whole) = ('', 1);

    if ($method eq 'HEAD' || $status == 204 || $status == 304) {

        # no body

    } elsif (($headers{'transfer-encoding'} || '') eq 'chunked') {
        while (1) {
            if ($in =~ /^([0-9a-f]+)\r\n/i) {
                my ($line, $n) = (length $&, hex $1);

                if (length $in >= $line + $n + 2) {
                    last if $n == 0;
                    $body .= substr $in, $line, $n;
                    substr $in, 0, $line + $n + 2, '';
                    next;
                }
            }
            next if $more->();
            $in =~ s/^[0-9a-f]+\r\n//i;
            $body .= $in;
            $whole = 0;
            last;
        }

    } elsif (defined $headers{'content-length'}) {
        my $n = $headers{'content-length'};
        while (length $in < $n) { $more->() or last }
        $body = substr $in, 0, $n;
        $whole = length $body == $n;

    } else {
        while ($more->()) { }
        $body = $in;
    }

    if ($method eq 'HEAD' && !$o{socket} && !$o{keep}) {
        while ($more->()) { }
        $body = $in;
    }

    my $r = { status => $status, head => $head, headers => \%headers,
              body => $body, whole => $whole };

    $r->{socket} = $s if $o{socket} || $o{keep};

    return $r;
}


1;
