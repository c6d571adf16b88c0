#!/usr/bin/perl

# The same for an nginx of one's own: the example is as safe as the template,
# and no name or answer can forge a line, a header or a metric.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use Test::More;
use WaGateway::Fake;
use WaGateway::Launcher ();
use WaGateway::Nginx qw(poll read_answer send_request slurp);

my $root = WaGateway::Launcher::root();
my ($example, $template) = map { slurp("$root/conf/$_") }
                           qw(nginx.conf.example wa_gateway.conf.template);


# Both configurations set the same

sub directives {
    my ($text, $name) = @_;
    $text =~ s/\s#[^\n]*//g;
    return map { s/\s+/ /gr } $text =~ /(?<!\S)($name\s[^;]*);/g;
}

for my $name (qw(proxy_ignore_headers proxy_hide_header proxy_redirect proxy_request_buffering
                 client_header_timeout client_body_timeout send_timeout
                 large_client_header_buffers client_max_body_size server_tokens
                 proxy_http_version))
{
    is_deeply([directives($example, $name)], [directives($template, $name)],
              "$name is the same in the example");
}

is(join(' ', sort map { (split)[1] } directives($example, 'proxy_set_header')),
   join(' ', grep { $_ ne 'Accept-Encoding' }
             sort map { (split)[1] } directives($template, 'proxy_set_header')),
   'the same headers are set');


# The example, with its limits

my @fakes = map { WaGateway::Fake->new } 1 .. 3;
my $ng = WaGateway::Nginx->new(workers => 2);
my ($http) = $example =~ /^(http \{\n.*)\z/ms;

$http =~ s/127\.0\.0\.1:300$_\b/$fakes[$_ - 1]->name/e for 1 .. 3;
$http =~ s/listen 127\.0\.0\.1:3000;/listen 127.0.0.1:$ng->{port};/;
$http =~ s/wa_gateway_errors ar;/wa_gateway_errors en;/;
$http =~ s{/var/log/nginx/}{}g;
$http =~ s{/var/lib/nginx/body}{body};
$http =~ s{/usr/share/wa_gateway/html/}{$root/html/};
is(scalar($http =~ s/^( *)# (limit_\w+ .*;)$/$1$2/mg), 6, 'the example has limits');
# the flood below is to meet the other one
ok($http =~ s/(limit_conn wa_connections) 20;/$1 200;/, 'one of connections');
ok($http =~ s/^( *)# (wa_gateway_api_key file=wa_gateway\.keys;)/$1$2/m, 'and keys in a file');
$http =~ s/(client_body_temp_path body;)/$1 proxy_temp_path proxy; fastcgi_temp_path f;
           uwsgi_temp_path u; scgi_temp_path s;/;

$ng->{conf} = $http;
open my $keys, '>', "$ng->{dir}/wa_gateway.keys" or die;
print $keys "k1\nk2\n";
close $keys;
$ng->start;

my @key = ('X-Api-Key: k2');
ok(poll { my $r = $ng->request('GET', '/status', headers => [@key]);
          $r->{body} =~ /"healthy":3,/ && $r->{body} !~ /"lastChecked":null/ },
   'the example works');

$_->say('{"ok":1}', head => ['X-Accel-Redirect: /status', 'X-Accel-Limit-Rate: 1',
                             'X-Powered-By: Express']) for @fakes;
$_->forget for @fakes;
my $r = $ng->request('POST', '/send', body => 'x', headers => [@key, 'Forwarded: for=x']);
is($r->{body}, '{"ok":1}', 'X-Accel-Redirect leads nowhere');
unlike($r->{head}, qr/X-Accel|Express/, 'and is not told');
my @sent = grep { $_->{path} eq '/send' } map { $_->ledger } @fakes;
is(scalar @sent, 1, 'nothing is sent twice');
unlike($sent[0]{headers}, qr/X-Api-Key|Forwarded: for=x/, 'the key ends here');
$_->mode('json') for @fakes;

# All at once, however fast this machine sends: 20, and 10 more a second, pass.
sleep 3;
my @workers = $ng->worker_pids;
kill 'STOP', @workers;
my @flood = map { send_request($ng->port, 'GET', '/x', headers => [@key]) } 1 .. 60;
kill 'CONT', @workers;

my %code;
push @{$code{$_->{status}}}, $_ for map { read_answer($_, 'GET') } @flood;
cmp_ok(scalar @{$code{429} // []}, '>', 10, 'a flood is told 429');
cmp_ok(scalar @{$code{200} // []}, '>', 10, 'after what is let through');
is(scalar(grep { $_->{body} !~ /"code":"too_many_requests"/ } @{$code{429}}), 0,
   'in the form of all errors');
$ng->clean('the example logs no alert');


# Reasons and names

my $forged = "\x1b[31m\r\n2026/01/01 [error] 1#1: \"forged\\ \x00\x7f\x{85}";
my $fake = WaGateway::Fake->new;
$fake->say(JSON::PP->new->ascii->encode({ state => $forged =~ s/\0//r . 'x' x 5000 }));

$ng = WaGateway::Nginx->start(
    workers => 2,
    upstream => 'wa_gateway zone="z\\"}":256k; server ' . $fake->name . ';'
                . 'server "unix:/nowhere/a\\"b\\\\c} 1.sock";'
                . 'wa_gateway_check interval=1s; wa_gateway_expect json $.state = OPEN;',
    server => 'location = /metrics { wa_gateway_metrics; }');

ok(poll { 2 <= $ng->logged(qr/ is down: /) }, 'two instances are down');
unlike($ng->log, qr/[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/, 'no control character is logged');
is(scalar(grep { !/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[\w+\] \d+#\d+: / } split /\n/, $ng->log),
   0, 'and no line begins in another');
cmp_ok((sort { $b <=> $a } map { length } $ng->logged(qr/ is down: /))[0], '<', 400,
       'a reason is short');

$r = $ng->request('GET', '/status?state=%22%0a');
is($r->{status}, 400, 'a state that is none');
unlike($r->{body}, qr/%22|\n./, 'is not repeated');

my $status = $ng->status;
my $details = $status->{instances}{details};
is(scalar(keys %$details), 2, '/status is JSON with both instances');
like($details->{'http://' . $fake->name}{reason}, qr/^json \$\.state is "\?\[31m\?\?2026/,
     'and the reason without what a terminal obeys');
ok($details->{'http://unix:/nowhere/a"b\\c} 1.sock'}, 'a name comes as it is');
unlike(join('', map { $_->{reason} } @{$status->{events}}), qr/[\x00-\x1f\x7f-\x9f]/,
       'events too');

$r = $ng->request('GET', '/metrics');
my $label = '\w+="(?:[^"\\\\\n]|\\\\["\\\\n])*"';
is(join("\n", grep { !/^(?:#.*|\w+(?:\{(?:$label(?:,$label)*)?\})? (?:[\d.e+-]+|\+Inf))$/ }
              split /\n/, $r->{body}), '', '/metrics is of one form');
like($r->{body}, qr/instance="http:\/\/unix:\/nowhere\/a\\"b\\\\c\} 1\.sock"/, 'with its labels escaped');

$r = $ng->request('POST', '/x', body => 'x');
unlike($r->{head}, qr/(?<!\r)\n|\r(?!\n)/, 'no header is split');
$ng->clean;


# Names that could not be shown are refused

for (['a server', upstream => 'wa_gateway zone=u:256k; server "unix:/tmp/a\nb";', qr/invalid server .*control character/s],
     ['another', upstream => "wa_gateway zone=u:256k; server \"unix:/tmp/\x1b[31m\";", qr/invalid server .*control character/s],
     ['one that is no UTF-8', upstream => "wa_gateway zone=u:256k; server \"unix:/tmp/\xff\";", qr/invalid server .*UTF-8/s],
     ['a zone', upstream => 'wa_gateway zone="a\nb"; server 127.0.0.1:1;', qr/invalid parameter "zone=/],
     ['an upstream', http => 'upstream "a\nb" { wa_gateway zone=c:256k; server 127.0.0.1:1; }', qr/in the name of upstream/])
{
    my ($title, $where, $text, $want) = @$_;
    my ($status, $said) = WaGateway::Nginx->new(upstream => 'server 127.0.0.1:1;',
                                                $where => $text)->test;
    is($status, 1, "a line feed or worse in the name of $title");
    like($said, $want, 'is refused');
}

done_testing;
