#!/usr/bin/perl

# wa_gateway_api_key: keys from a file, and what becomes of a key that opened.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(slurp);

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
        location = /page.html { internal; root html; }
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

# The head of the last request that came to the instance.
sub seen {
    my ($path, @headers) = @_;
    my $status = $ng->request('GET', $path, headers => \@headers)->{status};
    return "status $status" if $status != 200;
    return ($fake->ledger($path))[-1]{headers};
}


# The file

keys_are('keys', "\xef\xbb\xbffirst\r\n\r\n# comment\n  # another\n"
         . "\tse cond \t\r\nsh#arp\n" . 'k' x 1024 . "\nlast");
keys_are('more', "more\n");
mkdir "$ng->{dir}/html";
keys_are('html/page.html', "a page\n");
$ng->start;

is(code($_), 200, "the key \"$_\" opens")
    for 'literal', 'first', 'se cond', 'sh#arp', 'last', 'more';
is(code('k' x 1024), 200, 'so does the longest');
is(code($_), 401, "\"$_\" is none")
    for '', 'firs', 'first1', 'comment', '# comment', 'se', "\xef\xbb\xbffirst",
        'file=keys', 'literal first';
is(code('k' x $_), 401, "nor is one of $_ bytes") for 1023, 1025, 4096;

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
ok(WaGateway::Nginx::poll { $ng->logged(qr/\[emerg\].*no key in/) },
   'a reload that finds no key fails');
is(code('new'), 200, 'and the old keys stay');


# What an instance sees

keys_are('keys', "new\n");
my $many = join '|', map { "X-Many-$_: $_" } 1 .. 60;

unlike(seen('/x', 'X-Api-Key: new'), qr/X-Api-Key|new/i,
       'X-Api-Key with the key ends at the gateway');
unlike(seen('/x', 'Authorization: bearer  new'), qr/Authorization|new/i,
       'so does Authorization');

my $head = seen('/x', 'Authorization: Bearer new', 'X-Api-Key: new',
                'x-api-key: more', 'X-Api-Key: theirs');
is(join(' ', $head =~ /^X-Api-Key: *(.*?)\r$/mig), 'theirs',
   'each header with a key, and no other');

like(seen('/x', 'X-Api-Key: theirs', 'Authorization: Bearer new'),
     qr/^X-Api-Key: theirs\r$/m, "an instance's own key in the other header");
like(seen('/x', 'X-Api-Key: new', 'Authorization: Bearer theirs'),
     qr/^Authorization: Bearer theirs\r$/m, 'and the other way round');
like(seen('/x', 'X-Api-Key: new', 'Authorization: Basic bmV3'),
     qr/^Authorization: Basic bmV3\r$/m, 'or with another scheme');
like(seen('/open', 'X-Api-Key: new'), qr/^X-Api-Key: new\r$/m,
     'where no key is asked for none is taken');

$head = seen('/x', (split /\|/, $many), 'X-Api-Key: new', 'X-Last: 1');
is(join('|', $head =~ /^(X-Many.*?)\r$/mg), $many,
   'sixty other headers stay, in order');
like($head, qr/^X-Last: 1\r$/m, 'and one behind the key');

my $r = $ng->request('POST', '/body', body => 'abc',
                     headers => ['X-Api-Key: new', 'Content-Type: text/x']);
is($r->{status}, 200, 'a body');
my ($entry) = $fake->ledger('/body');
is($entry->{length}, 3, 'comes along');
like($entry->{headers}, qr/^Content-Type: text\/x\r$/m, 'with its type');


# Internal redirects

like(seen('/twice', 'X-Api-Key: new'), qr/^GET \/twice(?!.*new)/s,
     'a key opens the location that it is sent on to as well');
is(code('new', '/other'), 401, 'but not one with other keys');
is($fake->ledger('/other'), 0, 'and nothing comes to the instance');

$r = $ng->request('GET', '/page/nothing', headers => ['X-Api-Key: new']);
is($r->{body}, "a page\n", "an error page of one's own stays what it is");

is($fake->max_busy, 1, 'one at a time');
ok(WaGateway::Nginx::poll { slurp("$ng->{dir}/keys.log") =~ m{/page} },
   'the log is written');
unlike(slurp("$ng->{dir}/keys.log") =~ s{^/(?:open|other) .*\n}{}mgr,
       qr/"[^"]*\bnew\b/, 'a key that opened is not in the access log');

$ng->stop;


# Bad files

sub refuses {
    my ($title, $text, $want, $directive) = @_;

    my $bad = WaGateway::Nginx->new(
        upstream => 'wa_gateway; server 127.0.0.1:1;',
        server => 'wa_gateway_api_key ' . ($directive || 'file=k') . ';');

    if (defined $text) {
        open my $fh, '>:raw', "$bad->{dir}/k" or die;
        print $fh $text;
        close $fh;
    }

    my ($status, $said) = $bad->test;
    is($status, 1, "$title is refused");
    like($said, qr/\[emerg\] .*$want/, "$title: and told");
}

refuses('no file', undef, qr/open\(\) "\/.*\/k" failed \(2: /);
refuses('no name', undef, qr/invalid parameter "file="/, 'file=');
refuses('an empty file', '', qr/no key in "\/.*\/k"/);
refuses('a file of comments', "# a\n\n", qr/no key in "\/.*\/k"/);
refuses('a directory', undef, qr/read\(\) ".*" failed \(21: /, 'file=.');
refuses('a control character', "good\nb\x01d\n",
        qr/control character in key in ".*\/k", line 2/);
refuses('a NUL', "good\0\n", qr/control character in key in ".*", line 1/);
refuses('a long key', "\n" . 'k' x 1025, qr/longer than 1024.*line 2/);
refuses('a large file', "key\n" x 16385, qr/".*" is larger than 64k/);
refuses('a long literal', undef, qr/longer than 1024/, 'k' x 1025);
refuses('an empty literal', undef, qr/empty key/, '""');
refuses('a literal with a blank', undef, qr/blank around key/, '"a "');

done_testing;
