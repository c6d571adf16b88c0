#!/usr/bin/perl

# Configurations that depend on a number nginx told before, or on its version,
# and `nginx -t` beside a gateway that runs.  The table of others: config.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx;

my $One = 'server 127.0.0.1:3001;';

# What `nginx -t` says of an upstream u and more at the level of http.
sub check {
    my ($upstream, $server, $http, $env) = @_;

    my $ng = WaGateway::Nginx->new(port => 1984, conf => <<"END",
http {
    access_log off;
    @{[$http || '']}
    upstream u {
        $upstream
    }
    server {
        listen 127.0.0.1:1984;
        @{[defined $server ? $server : 'location / { proxy_pass http://u; }']}
    }
}
END
        env => $env);

    return $ng->test;
}


sub good {
    my ($name, @conf) = @_;
    my ($status, $text) = check(@conf);
    ok($status == 0 && $text !~ /\[(?:emerg|alert|crit)\]/, $name)
        or diag($text);
}


sub bad {
    my ($name, $re, @conf) = @_;
    my ($status, $text) = check(@conf);
    my @lines = grep { /\[emerg\]/ } split /\n/, $text;

    ok($status == 1 && @lines == 1 && $lines[0] =~ /$re/
       && $text !~ /\[(?:alert|crit)\]/, $name)
        or diag("exit status $status: $text");
}


# A zone too small for its instances names the size that is enough.

my ($least) = (check("wa_gateway zone=w:32k; $One"))[1]
              =~ /too small for 1 instances .* at least (\d+)k/;
ok($least, 'the least zone is named');

for my $n (50, 200, 4000) {
    my $servers = join '', map { 'server 127.1.' . int($_ / 250) . '.'
                                 . ($_ % 250 + 1) . ':3000;' } 1 .. $n;

    my ($status, $text) = check("wa_gateway zone=w:32k; $servers");
    my ($size) = $text =~ /zone "w" of 32k is too small for $n instances of upstream "u", at least (\d+)k is needed/;

    ok($status == 1 && $size, "a zone too small for $n instances")
        or diag($text);
    next unless $size;

    good("$n instances start with the size named",
         "wa_gateway zone=w:${size}k; $servers");

    cmp_ok(($size - $least) * 1024 / $n, '<=', 1536,
           "which is at most 1.5 KB for each of $n");
}

bad('what says -t also says a start', qr/too small for 300 instances/,
    'wa_gateway zone=w:64k; ' . join '', map { "server 127.0.0.1:$_;" }
                                         10001 .. 10300);


# From 1.29.7 on nginx does not care what stands before "keepalive".
{
    my ($nginx) = WaGateway::Nginx->new->command;
    my ($major, $minor, $patch) =
        qx('$nginx' -v 2>&1) =~ /nginx\/(\d+)\.(\d+)\.(\d+)/;
    my @conf = "keepalive 8; wa_gateway; $One";

    if ($major * 1e6 + $minor * 1e3 + $patch < 1029007) {
        bad('keepalive before wa_gateway', qr/must stand before "keepalive"/, @conf);
    } else {
        good('keepalive before wa_gateway', @conf);
    }
}


# `nginx -t` beside a gateway that runs does not touch it.
{
    my $fake = WaGateway::Fake->new;
    my $ng = WaGateway::Nginx->start(workers => 2,
        upstream => 'wa_gateway; server ' . $fake->name . ';');

    $ng->request('POST', '/', body => 'x') for 1 .. 3;
    my $before = $ng->status;
    my ($status) = $ng->test;
    my $after = $ng->status;

    is($status, 0, 'nginx -t');
    is_deeply($after->{instances}, $before->{instances},
              'nothing changed where it runs');
    is($after->{gateway}{generation}, $before->{gateway}{generation},
       'it is no reload');
    $ng->clean;
}

done_testing;
