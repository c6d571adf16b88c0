#!/usr/bin/perl

# What docs/migration.md says of the Node gateway's clients: the configuration
# shown there answers as shown there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Encode qw(encode);
use Test::More;
use WaGateway::Docs;
use WaGateway::Fake;
use WaGateway::Nginx qw(poll);

my $text = page("$FindBin::Bin/../docs/migration.md");
my ($section) = $text =~ /^## From the Node gateway\n(.*?)^## /ms;
my @json = map { map { encode('UTF-8', $_) } split /\n/, $_->[1] }
           grep { $_->[0] eq 'json' } blocks($section);
my ($before, $status, $health, $answer, $error) = @json;
my ($conf) = map { $_->[1] } grep { $_->[0] eq 'nginx' } blocks($section);

is(scalar @json, 5, 'samples');

my $fake = WaGateway::Fake->new;
my $ng = WaGateway::Nginx->new(workers => 1);

$conf =~ s/http:\S+,http:\S+;/'http:\/\/' . $fake->name . ';'/e;
$conf =~ s/^ *client_max_body_size .*//m;
$ng->{conf} = 'http {'
    . (join '', map { " ${_}_temp_path $_;" }
                qw(client_body proxy fastcgi uwsgi scgi))
    . around($conf, directives(code("$FindBin::Bin/..")), $ng->port) . '}';
$ng->start;


# JSON with what differs from one gateway to the other taken out.
sub form {
    my ($json) = @_;
    $json =~ s/"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z"/"T"/g;
    $json =~ s{"http://[^"]+"}{"I"}g;
    $json =~ s/"\d+\.\d+\.\d+"/"V"/g;
    $json =~ s/(?<=:)\d+(?:\.\d+)?(?=[,}])/0/g;
    return $json;
}


sub body { return $ng->request(@_)->{body} }

ok((poll { body('GET', '/status') !~ /"lastChecked":null/ }), 'checked');

my $wrapped = body('POST', '/send-message', body => '{}');
(my $data = $wrapped) =~ s/"data":\{.*?\}/"data":{"messageId":"x"}/;
is(form($data), form($answer), 'an answer');

my $got = form(body('GET', '/status'));
is($got, form($status), '/status');

for (grep { length } map { s/^,//r } split /\}/, form($before)) {
    ok(index($got, $_) >= 0, "/status has, as before: $_");
}

is(form(body('GET', '/health')), form($health), '/health');

$fake->finish;
ok((poll { body('POST', '/send-message', body => '{}');
           $ng->request('GET', '/health')->{status} == 503 }),
   'the instance is gone');

my $r = $ng->request('POST', '/send-message', body => '{}');
is("$r->{status} $r->{body}", "503 $error", 'an error');

$ng->clean;
done_testing;
