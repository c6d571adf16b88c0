package WaGateway::Launcher;

# What the plain Perl tests of bin/wa-gateway share: a checkout of their own,
# free ports, pretended instances that do more than say what came, HTTP by hand, a reader of nginx.conf.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVTIMEO);
use IPC::Open3 qw(open3);
use POSIX qw(:sys_wait_h setpgid);
use Symbol qw(gensym);
use Time::HiRes qw(sleep time);
use WaGateway::Fake;

our @EXPORT = qw(checkout root free_port http instance launch parse_conf read_file
                 run_command until_true write_file);

our $Root = abs_path(dirname(__FILE__) . '/../../..');

our $Held = tempdir('wa-held-XXXXXX', TMPDIR => 1, CLEANUP => 1) . '/held';

my $Main = $$;
my @Children;

# So that END sees to the children.
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);


sub root { return $Root }


# A copy of the checkout, with what was built: .env and run/ are its own.
sub checkout {
    my $dir = tempdir('wa-gateway-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my @parts = grep { -e "$Root/$_" } qw(Makefile bin conf config html src);
    push @parts, map { s/^.*\///r } glob("'$Root'/*.c"), glob("'$Root'/*.h");

    chmod 0755, $dir;
    system('cp', '-a', (map { "$Root/$_" } @parts), $dir) == 0
        or die "cp failed\n";

    if (-d "$Root/build") {
        mkdir "$dir/build";
        system('cp', '-a', (grep { -e || -l } map { "$Root/build/$_" }
            qw(module nginx ngx_http_wa_gateway_module.so)), "$dir/build") == 0
            or die "cp failed\n";
    }

    return $dir;
}


sub free_port { return WaGateway::Fake::free_port() }


sub read_file {
    my ($name) = @_;
    open my $fh, '<:raw', $name or return;
    local $/;
    return scalar <$fh>;
}


sub write_file {
    my ($name, $text) = @_;
    open my $fh, '>:raw', $name or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
}


sub until_true(&;$) {
    my ($code, $seconds) = @_;
    my $end = time + ($seconds || 60);

    while (time < $end) {
        my $r = $code->();
        return $r if $r;
        sleep 0.02;
    }

    return;
}


sub clean_env {
    my ($set) = @_;

    delete @ENV{grep { /^(?:WA_|HEALTH_CHECK_|VENDOR|PACE_)/ } keys %ENV};
    delete @ENV{qw(PORT HOST INSTANCES REQUEST_TIMEOUT WORKERS GATEWAY_LANG
                   API_KEY API_KEY_FILE TRUSTED_PROXIES SENDER IDEMPOTENCY
                   IDEMPOTENCY_TTL JOURNAL STORE_URL DEFAULT_COUNTRY
                   ALLOW_DANGEROUS ADMIN_KEY STATE_FILE DNS_REFRESH
                   RESOLVER)};

    for (keys %$set) {
        $ENV{$_} = $set->{$_} if defined $set->{$_};
    }
}


# ($status, $stdout, $stderr)
sub run_command {
    my ($env, @command) = @_;

    local %ENV = %ENV;
    clean_env($env);

    my ($out, $err) = ('', '');
    my $pid = open3(my $in, my $o = gensym, my $e = gensym, @command);
    close $in;

    my $select = IO::Select->new($o, $e);

    while (my @ready = $select->can_read) {
        for my $fh (@ready) {
            my $n = sysread $fh, my $buf, 65536;

            if (!$n) {
                $select->remove($fh);
            } elsif ($fh == $o) {
                $out .= $buf;
            } else {
                $err .= $buf;
            }
        }
    }

    waitpid $pid, 0;
    return ($? >> 8, $out, $err);
}


# `run` in the background, in a process group of its own, as a shell with job
# control would have it.
sub launch {
    my ($env, @command) = @_;

    my $log = File::Temp->new(TEMPLATE => 'wa-gateway-log-XXXXXX', TMPDIR => 1);
    chmod 0666, $log->filename;
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        setpgid(0, 0);
        clean_env($env);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $log->filename;
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }

    push @Children, $pid;

    return bless { pid => $pid, log => $log }, __PACKAGE__;
}


sub output { return read_file($_[0]{log}->filename) }


sub says {
    my ($self, $re, $seconds) = @_;
    return until_true { $self->output =~ $re } $seconds;
}


sub signal { return kill $_[1], $_[0]{pid} }

sub signal_group { return kill $_[1], -$_[0]{pid} }


# The exit status; undef when it is still there after the time.
sub ended {
    my ($self, $seconds) = @_;

    return $self->{status} if defined $self->{status};

    until_true {
        return 0 if waitpid($self->{pid}, WNOHANG) != $self->{pid};
        $self->{status} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
        @Children = grep { $_ != $self->{pid} } @Children;
        1;
    } $seconds;

    return $self->{status};
}


# A pretended instance.  GET /held answers when the file $Held is gone; /events
# sends one event.
sub instance {
    my ($port) = @_;

    return WaGateway::Fake->new(port => $port,
                                handler => sub { serve($_[0], $port) });
}


sub serve {
    my ($c, $port) = @_;

    while (defined(my $request = WaGateway::Fake::read_whole($c))) {
        my ($line, $headers, $body) =
            $request =~ /^(.*?)\r\n(.*?)\r\n\r\n(.*)$/s or return;
        my ($path) = $line =~ /^\S+ (\S+)/;

        if ($path eq '/ws') {
            print $c "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     . "Connection: Upgrade\r\n\r\n";
            while (sysread $c, my $data, 4096) { print $c "echo:$data" }
            return;
        }

        if ($path eq '/events') {
            print $c "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     . "Connection: close\r\n\r\ndata: one\n\n";
            sysread $c, my $data, 1;
            return;
        }

        until_true { !-e $Held } if $path eq '/held';

        (my $seen = "$line\n$headers") =~ s/\r//g;
        my $answer = $path eq '/echo' ? $seen
                   : qq({"success":true,"instance":$port,"bytes":)
                     . length($body) . '}';

        print $c "HTTP/1.1 200 OK\r\nContent-Type: "
                 . ($path eq '/echo' ? 'text/plain' : 'application/json')
                 . "\r\nContent-Length: " . length($answer) . "\r\n\r\n$answer";
    }
}


# The whole answer as text, '' when nobody listens.
sub http {
    my ($port, $path, %o) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port,
                                  Timeout => 60) or return '';
    setsockopt $s, SOL_SOCKET, SO_RCVTIMEO, pack 'l!l!', 60, 0;

    my $body = defined $o{body} ? $o{body} : '';
    my $method = $o{method} || ($body eq '' ? 'GET' : 'POST');
    my $head = join '', map { "$_\r\n" } @{$o{headers} || []};
    my $close = $o{open} ? '' : "Connection: close\r\n";

    $head .= "Host: gateway.test\r\n" unless $head =~ /^Host:/mi;
    $head .= 'Content-Length: ' . length($body) . "\r\n" if $body ne '';

    local $SIG{PIPE} = 'IGNORE';
    print $s "$method $path HTTP/1.1\r\n$head$close\r\n$body";

    return $s if $o{open};

    my $answer = '';
    while (sysread $s, $answer, 65536, length $answer) { }

    return $answer;
}


# nginx.conf as nginx's lexer has it: a list of [name, args...], where a block
# is [name, args..., [ ... ]].  Dies where nginx would.
sub parse_conf {
    my ($text) = @_;

    my @stack = [];
    my @words;

    pos($text) = 0;

    while (1) {
        if ($text =~ /\G(?:\s+|#[^\n]*)/gc) {
            next;

        } elsif ($text =~ /\G;/gc) {
            die "unexpected ;\n" unless @words;
            push @{$stack[-1]}, [@words];
            @words = ();

        } elsif ($text =~ /\G\{/gc) {
            die "unexpected {\n" unless @words;
            my $block = [];
            push @{$stack[-1]}, [@words, $block];
            push @stack, $block;
            @words = ();

        } elsif ($text =~ /\G\}/gc) {
            die "unexpected }\n" if @words || @stack == 1;
            pop @stack;

        } elsif ($text =~ /\G(["'])/gc) {
            my ($q, $word) = ($1, '');

            until ($text =~ /\G$q/gc) {
                if ($text =~ /\G\\([\\"'])/gc) {
                    $word .= $1;
                } elsif ($text =~ /\G(\\[trn])/gc) {
                    $word .= { '\t' => "\t", '\r' => "\r", '\n' => "\n" }->{$1};
                } elsif ($text =~ /\G(.)/gcs) {
                    $word .= $1;
                } else {
                    die "no closing quote\n";
                }
            }

            die "no blank after a quote\n" unless $text =~ /\G(?=[\s;{)])/gc;
            push @words, $word;

        } elsif ($text =~ /\G((?:\$\{|\\.|[^\s;{])+)/gcs) {
            push @words, $1;

        } elsif ($text =~ /\G\z/gc) {
            last;

        } else {
            die 'no word at ' . substr($text, pos $text, 20) . "\n";
        }
    }

    die "unexpected end\n" if @words || @stack != 1;
    return $stack[0];
}


END {
    if ($$ == $Main) {
        my $status = $?;
        my @left = @Children;

        kill 'TERM', @left;
        for my $pid (@left) {
            until_true { waitpid($pid, WNOHANG) } 3 or kill 'KILL', $pid;
        }
        $? = $status;
    }
}

1;
