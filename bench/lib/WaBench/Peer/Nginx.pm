package WaBench::Peer::Nginx;

# Stock nginx as one would set it up for the job, and the same with wa_gateway.
#
# With sessions (of each instance) the instances of wa_gateway are WAHA's, or
# another vendor's, and /send-text and /send-media are its own way to send;
# with pace, the arguments of wa_gateway_pace, from budgets; with keys there is
# room for one in each request; with store, a URL, they are shared.  Of the zone:
# room, its size, and more, places for sessions that come later.

use strict;
use warnings;

use parent 'WaBench::Peer';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use WaGateway::Nginx qw(http poll);

my $Root = abs_path(dirname(__FILE__) . '/../../../..');
my $Nginx = $ENV{TEST_NGINX_BINARY} || 'nginx';
my $Module = $ENV{TEST_NGINX_LOAD_MODULES}
             || "$Root/build/ngx_http_wa_gateway_module.so";


sub name { return 'stock nginx' }

sub ours { return 0 }

sub found { return 1 }

sub checks { return $_[0]->ours }

sub binary { return $Nginx }


sub version {
    my ($class) = @_;
    my $binary = $class->binary;

    return `$binary -v 2>&1` =~ m{nginx/(\S+)} ? $1 : '?';
}


sub end_signal { return 'QUIT' }


sub command {
    my ($self) = @_;
    return ($self->binary, '-p', $self->{dir}, '-e', "$self->{dir}/error.log",
            '-c', "$self->{dir}/nginx.conf");
}


sub hot {
    my ($self) = @_;
    kill 'HUP', $self->{pid};
}


sub config {
    my ($self) = @_;

    my $so = $self->{module} || $Module;
    my $module = $self->ours ? "load_module $so;" : '';
    my $processes = $self->{workers} ? "worker_processes $self->{workers};"
                                     : 'master_process off;';
    my $user = $> == 0 ? 'user root;' : '';
    my $vendor = $self->vendor
        ? "include $Root/conf/vendors/$self->{vendor}.conf;" : '';

    return ('nginx.conf' => <<"END");
$module
$user
daemon off;
$processes
pid nginx.pid;
error_log error.log error;
worker_shutdown_timeout 5s;
events { worker_connections 19000; }
http {
    $vendor
    access_log off;
    keepalive_requests 100000000;
    client_max_body_size 150m;
    client_body_buffer_size 1m;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
@{[$self->maps]}@{[$self->upstream]}
@{[$self->server]}
}
END
}


sub upstream {
    my ($self) = @_;

    my $n = @{$self->{instances}};
    my $server = $self->vendor
        ? "wa_gateway_instances vendor=$self->{vendor} key=secret http://"
        : 'server ';
    my $servers = join '', map { "        $server$_@{[$self->mark]};\n" }
                           @{$self->{instances}};
    my $rest = $self->ours ? $self->balancer : <<"END";
        keepalive @{[$n + 512]};
        keepalive_timeout 60s;
        keepalive_requests 1000000;
END

    my $most = $n * ($self->{sessions} || 0) + ($self->{more} || 0);
    my $known = $self->vendor ? " sessions=$most" : '';
    my $room = $self->{room} || '24m';
    my $zone = $self->ours ? "wa_gateway zone=u:$room$known;"
                           : "zone u $room;";

    return "    upstream u {\n        $zone\n@{[$self->choice]}$servers"
           . "$rest    }\n";
}


# How an instance is chosen, where it is not the usual way; what is behind its
# address; what is at http's level; what the location of all requests has
# besides.
sub choice { return '' }

sub mark { return '' }

sub maps { return '' }

sub passed { return '' }


sub new {
    my ($class, %o) = @_;
    return $class->SUPER::new(vendor => 'waha', %o);
}


# The sessions of stock nginx are nobody's.
sub vendor {
    my ($self) = @_;
    return $self->ours && $self->{sessions};
}


sub balancer {
    my ($self) = @_;

    my $uri = $self->vendor ? '' : 'uri=/health ';
    my $check = $self->{interval}
        ? "        wa_gateway_check ${uri}interval="
          . $self->ms($self->{interval}) . ' timeout='
          . $self->ms($self->{timeout}) . ";\n" : '';

    # keys of requests, too, for those that have some
    my $kept = $self->{keys} ? ' ttl=4s zone=keys:128m' : '';
    my $keys = $self->vendor ? "        wa_gateway_idempotency on$kept;\n"
                             : '';
    my $store = $self->{store} ? "        wa_gateway_store $self->{store};\n"
                               : '';
    my $pace = $self->{pace} ? "        wa_gateway_pace $self->{pace};\n" : '';

    # as many idle connections in all as stock nginx may keep
    return $check . $keys . $store . $pace . <<'END';
        wa_gateway_passive error_fails=1 status=500-599 status_fails=3;
        wa_gateway_keepalive connections=512 timeout=60s requests=1000000;
END
}


sub server {
    my ($self) = @_;

    my $timeout = $self->ms($self->{request_timeout});
    my $reuseport = $self->{reuseport} ? ' reuseport' : '';
    my $instance = $self->ours ? '$wa_gateway_instance' : '$upstream_addr';
    my $more = $self->ours ? <<'END' : '';
        wa_gateway_errors en;
        location = /status { wa_gateway_status u; }
        location = /health { wa_gateway_health u; }
        location = /metrics { wa_gateway_metrics; }
        location = /plain { return 204; }
END

    my $sends = $self->vendor ? <<'END' : '';
        location = /sessions { wa_gateway_sessions u; }
        location = /send-text { wa_gateway_send text; proxy_pass http://u; }
        location = /send-media { wa_gateway_send media; proxy_pass http://u; }
END

    return <<"END";
    server {
        listen 127.0.0.1:$self->{port} backlog=4096$reuseport;
$more$sends        add_header X-WA-Instance $instance always;
        add_header X-Bench $self->{generation} always;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_connect_timeout $timeout;
        proxy_send_timeout $timeout;
        proxy_read_timeout $timeout;
        location / { @{[$self->passed]}proxy_pass http://u; }
    }
END
}


# With sessions: once all of them are known.
sub answers {
    my ($self, $seconds) = @_;
    my $all = $self->vendor ? @{$self->{instances}} * $self->{sessions} : 0;

    return $all ? poll { $self->ready == $all } $seconds
                : $self->SUPER::answers($seconds);
}


# How many sessions are known to be ready.
sub ready {
    my ($self) = @_;
    my $r = http($self->port, 'GET', '/sessions?limit=0');

    return $r->{body} =~ /"ready":\s*(\d+)/ ? $1 : 0;
}


1;
