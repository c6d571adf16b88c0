#!/usr/bin/perl

# wa_gateway_api_key: a file of keys over a reload, in what nginx -T shows and in
# logs.  What opens, and what an instance sees of a key: keys.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll slurp);

my $fake = WaGateway::Fake->new;

my $ng = WaGateway::Nginx->new(
    workers => 2,
    upstream => 'wa_gateway; server ' . $fake->name . ';',
    http => q{log_format key '$uri "$http_x_api_key" "$http_authorization"';},
    server => <<'END');
        access_log keys.log key;
        wa_gateway_api_key literal file=keys file=more;
        location /twice { try_files /nothing @again; }
        location @again { proxy_pass http://u; }
        location /other { try_files /nothing @other; }
        location @other { wa_gateway_api_key third; proxy_pass http://u; }
        location /open { wa_gateway_api_key off; proxy_pass http://u; }
        location /page { error_page 404 /page.html; root html; }
END

sub keys_are {
    my ($name, $text) = @_;
    open my $fh, '>:raw', "$ng->{dir}/$name" or die "$name: $!\n";
    print $fh $text;
    close $fh;
}

sub code {
    my ($key, $path) = @_;
    return $ng->request('GET', $path || '/x',
                        headers => ["X-Api-Key: $key"])->{status};
}


keys_are('keys', "first\nsh#arp\n");
keys_are('more', "more\n");
$ng->start;

is(code($_), 200, "the key \"$_\" opens") for 'literal', 'first', 'more';

my ($status, $dump) = do {
    local $ENV{LC_ALL} = 'C';
    my @command = ($ng->command, '-T');
    my $text = `@command 2>&1`;
    ($? >> 8, $text);
};
is($status, 0, 'nginx -T shows the configuration');
like($dump, qr/file=keys/, 'with the name of the file');
unlike($dump, qr/first|sh#arp/, 'without the keys in it');


# A reload reads it again

keys_are('keys', "new\n");
ok($ng->reload, 'a reload');
is(code('new'), 200, 'a new key opens');
is(code('first'), 401, 'one that is no longer there does not');
is(code('literal'), 200, 'one beside the file does');

keys_are('keys', "# nothing\n");
kill 'HUP', $ng->{pid};
ok(poll { $ng->logged(qr/\[emerg\].*no key in/) },
   'a reload that finds no key fails');
is(code('new'), 200, 'and the old keys stay');


# The access log

$ng->request('GET', '/twice', headers => ['X-Api-Key: new']);
$ng->request('POST', '/body', body => 'x', headers => ['x-api-key: new']);
$ng->request('GET', '/x', headers => ['Authorization: Bearer new']);
$ng->request('GET', '/x', headers => ['Authorization: bearer  new',
                                      'X-Api-Key: theirs']);
is(code('new', '/other'), 401, 'a location with other keys');
is($fake->ledger('/other'), 0, 'and nothing comes to the instance');
is(code('new', '/open'), 200, 'one that asks for none');
is(code('new', '/page/nothing'), 404, 'an error page');

ok(poll { slurp("$ng->{dir}/keys.log") =~ m{/page} }, 'the log is written');
unlike(slurp("$ng->{dir}/keys.log") =~ s{^/(?:open|other) .*\n}{}mgr,
       qr/"[^"]*\bnew\b/, 'a key that opened is not in the access log');

$ng->stop;

done_testing;
