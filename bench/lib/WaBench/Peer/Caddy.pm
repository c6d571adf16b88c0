package WaBench::Peer::Caddy;

use strict;
use warnings;

use parent 'WaBench::Peer';

use WaBench::Process qw(launch);
use WaGateway::Fake;


sub name { return 'Caddy' }

sub found { return system('command -v caddy >/dev/null') == 0 }

sub version { return `caddy version` =~ /(\d[\d.]*)/ ? $1 : '?' }


sub env {
    my ($self) = @_;
    return { GOMAXPROCS => $self->{workers}, HOME => $self->{dir} };
}


sub command {
    my ($self) = @_;
    return ('caddy', 'run', '--config', "$self->{dir}/Caddyfile",
            '--adapter', 'caddyfile');
}


sub hot {
    my ($self) = @_;
    my $pid = launch(['caddy', 'reload', '--config', "$self->{dir}/Caddyfile",
                      '--adapter', 'caddyfile', '--address',
                      "127.0.0.1:$self->{admin}"],
                     out => "$self->{dir}/reload", env => $self->env);
    waitpid $pid, 0;
}


sub policy { return 'round_robin' }


sub config {
    my ($self) = @_;

    $self->{admin} ||= WaGateway::Fake::free_port();

    my $timeout = $self->ms($self->{request_timeout});

    return (Caddyfile => <<"END");
{
    admin 127.0.0.1:$self->{admin}
    auto_https off
    grace_period 5s
    log {
        level ERROR
    }
}

http://:$self->{port} {
    bind 127.0.0.1
    header X-Bench $self->{generation}
    reverse_proxy @{$self->{instances}} {
        lb_policy @{[$self->policy]}
        lb_try_duration $timeout
        health_uri /health
        health_interval @{[$self->ms($self->{interval})]}
        health_timeout @{[$self->ms($self->{timeout})]}
        health_status 200
        fail_duration @{[$self->ms($self->{fail_duration} || 30)]}
        max_fails 1
        header_down X-WA-Instance {http.reverse_proxy.upstream.hostport}
        transport http {
            dial_timeout $timeout
            response_header_timeout $timeout
            keepalive 60s
            keepalive_idle_conns 16384
            keepalive_idle_conns_per_host 512
        }
    }
}
END
}


1;
