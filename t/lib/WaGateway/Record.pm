package WaGateway::Record;

# What t/tools/record writes down: requests, answers, what the instances saw,
# lines of logs, each with what changes from run to run taken out.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use IO::Select;
use IO::Socket::INET;
use IO::Uncompress::Gunzip qw(gunzip);
use Time::HiRes qw(time);
use WaGateway::Nginx qw(poll slurp);

my $Root = abs_path(dirname(__FILE__) . '/../../..');


sub new {
    my ($class) = @_;
    return bless { text => '', cases => 0, names => {}, fakes => [] }, $class;
}


sub text { return $_[0]{text} }

sub cases { return $_[0]{cases} }


# A port, a directory, and the name that stands for it.
sub name {
    my ($self, $what, $name) = @_;
    $self->{names}{$what} = $name;

    my $any = join '|', map { quotemeta } sort { length $b <=> length $a }
                                               keys %{$self->{names}};
    $self->{named} = qr/(?<![\w.])($any)(?!\w)/;
}


# An instance whose ledger is told of.
sub fake {
    my ($self, $name, $fake) = @_;

    $self->name($fake->port, "<$name>");
    push @{$self->{fakes}}, { name => $name, fake => $fake };
}


# The nginx that is asked from here on.
sub nginx {
    my ($self, $ng) = @_;

    $self->{ng} = $ng;
    $self->name($ng->port, '<port>');
    $self->name($ng->{dir}, '<dir>');
    $self->{logged} = length $ng->log;
    $self->{accessed} = length $ng->access;
}


sub section {
    my ($self, $title) = @_;
    $self->{text} .= "\n\n######## $title\n";
}


sub title {
    my ($self, $title) = @_;

    $self->{title} = $title = $self->plain($title);
    $self->{cases}++;
    $self->{text} .= "\n==== $title\n";
}


sub write_lines {
    my ($self, $mark, @lines) = @_;

    for (@lines) {
        my $line = $self->plain($_);
        $line =~ s/([\x00-\x08\x0a-\x1f\x7f])/sprintf '\\x%02x', ord $1/ge;
        $self->{text} .= "$mark$line\n";
    }
}


# Without what another run has otherwise.
sub plain {
    my ($self, $text) = @_;
    my $named = $self->{named};

    # before names: a pid may be the number of a port
    $text =~ s/\] \d+#\d+: (?:\*\d+ )?/] /;
    $text =~ s/\b((?:worker )?process) \d+/$1 <pid>/g;
    $text =~ s/(from|pid) \d+\b/$1 <pid>/g;

    $text =~ s/$named/$self->{names}{$1}/g;
    $text =~ s/\Q$Root\E/<root>/g;
    $text =~ s{nginx/\d+\.\d+\.\d+}{nginx/<version>}g;
    $text =~ s/"nginx":"[\d.]+"/"nginx":"<version>"/g;
    $text =~ s/nginx="[\d.]+"/nginx="<version>"/g;
    $text =~ s/"version":"[\d.]+"/"version":"<version>"/g;
    $text =~ s/\{version="[\d.]+"/{version="<version>"/g;
    $text =~ s{wa_gateway/\d+\.\d+\.\d+}{wa_gateway/<version>}g;

    $text =~ s/\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT/<date>/g;
    $text =~ s/\d{4}-\d\d-\d\dT[\d:]{8}(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/<time>/g;
    $text =~ s/ETag: .*/ETag: <etag>/;
    $text =~ s/Retry-After: [1-9]\d*/Retry-After: <n>/;

    $text =~ s/"(uptime|responseTime|p50|p95|p99)":[\d.]+/"$1":<n>/g;
    $text =~ s/"(failed|consecutiveFailures)":[1-9]\d*(?=[^{}]*"lastStatus)/"$1":<n>/g;

    $text =~ s/^(wa_gateway_\w+_seconds(?:_sum)?\{.*\}) [\d.]+$/$1 <n>/mg;
    $text =~ s/^(wa_gateway_request_duration_seconds_bucket\{.*le="[\d.]+"\}) \d+$/$1 <n>/mg;
    $text =~ s/^(wa_gateway_checks_total\{.*"fail"\}) [1-9]\d*$/$1 <n>/mg;

    $text =~ s{^\d{4}/\d\d/\d\d [\d:]{8} }{};
    $text =~ s/ for [\d.]+s\)/ for <n>s)/;
    $text =~ s/^(\[\w+\] .*?), client: .*?(, upstream: "[^"]*")?(?:, host: "[^"]*")?$/$1 . ($2 || '')/e;
    $text =~ s/(\btime=|upstream_time=")[\d.]+/$1<n>/g;

    return $text;
}


# One case: the bytes that are sent on a connection, and what becomes of it.
# Options: methods (of all the requests in it), seen (requests that an instance
# has to have got, which may be later than the answer), quiet (the answer alone
# is written).
sub play {
    my ($self, $title, $bytes, %o) = @_;
    my @methods = @{$o{methods} || [$bytes =~ /^(\S+)/]};
    my ($head, $body) = split /(?<=\r\n\r\n)/, $bytes, 2;

    $self->title($title);

    $self->write_lines('> ', map { s/\r\z//r } split(/\n/, $head =~ s/\r\n\z//r),
                       defined $body && length $body ? '' : ());
    $self->write_body('> ', $body) if defined $body && length $body;

    my $in = $self->exchange($bytes);
    my $answers = $self->write_answers($in, @methods);

    poll { $self->unseen >= $o{seen} } 60 if $o{seen};

    $self->write_seen unless $o{quiet};
    $self->write_logged($answers, $o{quiet});
}


# All that comes until the other side closes.
sub exchange {
    my ($self, $bytes) = @_;
    my $in = '';
    my $end = time + 60;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 30,
                                  PeerPort => $self->{ng}->port)
        or return "no connection: $!";

    local $SIG{PIPE} = 'IGNORE';
    $s->blocking(0);

    my ($r, $w) = (IO::Select->new($s), IO::Select->new($s));

    while (time < $end) {
        my ($can_read, $can_write) = IO::Select->select($r, length $bytes ? $w
                                                        : undef, undef, 1);

        if (@{$can_write || []}) {
            my $n = syswrite $s, $bytes, 65536;
            $bytes = defined $n ? substr $bytes, $n : '';
        }

        if (@{$can_read || []}) {
            my $n = sysread $s, $in, 65536, length $in;
            return $in unless $n;
        }
    }

    return "$in\n(still open after a minute)";
}


# How many answers there were.
sub write_answers {
    my ($self, $in, @methods) = @_;
    my $n = 0;

    if ($in eq '') {
        $self->write_lines('< ', '(closed without an answer)');
        return 1;
    }

    while (length $in) {
        if ($in !~ s/\A(HTTP\/1\.\d (\d+).*?\r\n)\r\n//s) {
            $self->write_body('< ', $in);
            return $n || 1;
        }

        my ($head, $status) = ($1, $2);
        my $interim = $status < 200 && $status != 101;
        my $method = $interim ? '' : shift @methods || '';
        my $body = '';

        if ($interim || $method eq 'HEAD' || $status =~ /^(?:204|304)/) {
            # none

        } elsif ($head =~ /^Transfer-Encoding: chunked\r$/mi) {
            while ($in =~ s/\A([0-9a-f]+)\r\n//i) {
                my $size = hex $1;
                $body .= substr $in, 0, $size, '';
                $in =~ s/\A\r\n//;
                $body .= '(cut)' if $size && $in eq '';
                last if !$size;
            }

        } elsif ($head =~ /^Content-Length: (\d+)\r$/mi) {
            $body = substr $in, 0, $1, '';
            $body .= '(cut)' if length $body < $1;

        } else {
            ($body, $in) = ($in, '');
        }

        # A length that is that of the body says no more than that.
        my $length = length $body;
        $head =~ s/^(Content-Length:) $length\r$/$1 <length>\r/mi
            if $self->{files}{$body} || $self->plain($body) ne $body;

        $head =~ s/^(Content-Length:) \d+\r$/$1 <length>\r/mi
            if $method eq 'HEAD' && $head =~ /^Cache-Control: no-/mi;

        $n++ unless $interim;
        $self->write_lines('< ', map { s/\r\z//r } split(/\n/, $head),
                           length $body ? '' : ());

        if ($head =~ /^Content-Encoding: gzip\r$/mi && length $body) {
            my $packed = $body;
            gunzip(\$packed => \$body);
            $self->write_lines('< ', '(gzip)');
        }

        $self->write_body('< ', $body) if length $body;
    }

    return $n;
}


# A long body is there once; one of a file, and a very long one, not at all.
sub write_body {
    my ($self, $mark, $body) = @_;
    my $plain = $self->plain($body);
    my $before = $self->{bodies}{$plain};
    my @lines;

    if ($self->{files}{$body}) {
        @lines = "($self->{files}{$body})";

    } elsif (length $body > 40000) {
        @lines = (substr($plain, 0, 100) . ' ...',
                  sprintf '(%d bytes, MD5 %s)', length $plain, md5_hex($plain));

    } elsif (length $body > 600 && defined $before) {
        @lines = "(as in \"$before\")";

    } else {
        $self->{bodies}{$plain} = $self->{title};

        # All of /status in a line is hard to read.
        $plain =~ s/,(?="(?:instances|http:.*?|requests|loadBalancer|events)":)/,\n/g
            if $plain =~ /^\{"gateway":/;

        @lines = split /\n/, $plain;
    }

    $self->write_lines($mark, @lines);
}


# A body that need not be told.
sub file {
    my ($self, $name, $title) = @_;
    $self->{files}{slurp($name)} = $title;
}


sub unseen {
    my ($self) = @_;
    my $n = 0;

    $n += $_->{fake}->count for @{$self->{fakes}};
    return $n;
}


# What instances got since the last case.
sub write_seen {
    my ($self) = @_;

    for my $f (@{$self->{fakes}}) {
        for my $seen ($f->{fake}->ledger) {
            my @head = map { s/\r\z//r } split /\n/, $seen->{headers};
            my $body = $seen->{length} ? " ($seen->{length} bytes"
                                         . ($seen->{whole} ? ')' : ', cut)')
                                       : '';

            utf8::encode($_) for @head;
            $self->write_lines("$f->{name}: ", shift(@head) . $body, @head);
        }

        $f->{fake}->forget;
    }
}


# Instances that are checked are asked at any time: what they saw is no matter.
sub forget {
    my ($self) = @_;
    $_->{fake}->forget for @{$self->{fakes}};
}


# The access log's lines of a case, so many, and what nginx said of it.
sub write_logged {
    my ($self, $lines, $quiet) = @_;
    my $ng = $self->{ng};
    my $access;

    poll {
        $access = substr $ng->access, $self->{accessed};
        ($access =~ tr/\n//) >= $lines;
    } 60;

    $self->{accessed} += length $access;
    return if $quiet;

    $self->write_lines('log: ', split /\n/, $access);
    $self->write_errors;
}


# Of the error log what is a warning, or the module's.
sub write_errors {
    my ($self) = @_;
    my $new = substr $self->{ng}->log, $self->{logged};

    $new =~ s/[^\n]*\z//;
    $self->{logged} += length $new;
    $self->write_lines('', grep { /\[(?:warn|error|crit|alert|emerg)\]/
                                  || /\[(?:notice|info)\].*wa_gateway/ }
                           split /\n/, $new);
}


# What `nginx -t` says of a configuration.
sub configuration {
    my ($self, $title, $ng) = @_;
    my ($status, $text) = $ng->test;

    $self->name($ng->{dir}, '<dir>');
    $self->title($title);
    $self->write_lines('', "exit status $status",
                       grep { !/^\s*$/ } split /\n/, $text);
}


1;
