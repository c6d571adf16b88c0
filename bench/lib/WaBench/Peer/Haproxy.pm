package WaBench::Peer::Haproxy;

use strict;
use warnings;

use parent 'WaBench::Peer';


sub name { return 'HAProxy' }

sub found { return system('command -v haproxy >/dev/null') == 0 }

sub version { return `haproxy -v` =~ /version (\d[\d.]*\d)/ ? $1 : '?' }


sub command {
    my ($self) = @_;
    return ('haproxy', '-W', '-f', "$self->{dir}/haproxy.cfg");
}


sub hot {
    my ($self) = @_;
    kill 'USR2', $self->{pid};
}


# How a server is chosen, where it is not in turn; sections for that.
sub choice { return '' }

sub sections { return '' }


sub config {
    my ($self) = @_;

    my $i = 0;
    my $servers = join '', map { "    server s" . ++$i . " $_ check\n" }
                           @{$self->{instances}};
    my $interval = $self->ms($self->{interval});
    my $check = $self->ms($self->{timeout});
    my $timeout = $self->ms($self->{request_timeout});
    my $prometheus = `haproxy -vv` =~ /prometheus-exporter/
        ? "    http-request use-service prometheus-exporter "
          . "if { path /metrics }\n" : '';

    return ('haproxy.cfg' => <<"END");
global
    maxconn 2048
    nbthread $self->{workers}
    stats socket $self->{dir}/stats mode 600 level admin expose-fd listeners
    hard-stop-after 5s
    tune.pool-high-fd-ratio 90
    tune.pool-low-fd-ratio 80
    spread-checks 10

defaults
    mode http
    timeout client 60s
    timeout connect $timeout
    timeout server $timeout
    timeout check $check
    timeout http-keep-alive 60s
    option redispatch 1
    retries 3
    http-reuse always

@{[$self->sections]}frontend f
    bind 127.0.0.1:$self->{port} backlog 4096
$prometheus    http-response set-header X-Bench $self->{generation}
    default_backend b

backend b
    balance roundrobin
@{[$self->choice]}    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host localhost
    http-check expect status 200
    http-response set-header X-WA-Instance %[srv_name]
    default-server inter $interval fall 1 rise 1 pool-purge-delay 600s
    default-server observe layer4 error-limit 1 on-error mark-down
$servers
END
}


1;
