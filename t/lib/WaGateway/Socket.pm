package WaGateway::Socket;

# What the Test::Nginx files share; to be used before Test::Nginx::Socket,
# which reads its environment when it is loaded.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);

our $Root = abs_path(dirname(__FILE__) . '/../../..');

$ENV{TEST_NGINX_LOAD_MODULES} ||= "$Root/build/ngx_http_wa_gateway_module.so";
$ENV{TEST_NGINX_TIMEOUT} ||= 60;
$ENV{TEST_NGINX_FAST_SHUTDOWN} = 1;


# One nginx serves all blocks of the same "config"; with "restart" each has its
# own, with "table" as well: t/run.pl runs that once.
sub import {
    my ($class, $how) = @_;
    $ENV{TEST_NGINX_FORCE_RESTART_ON_TEST} = defined $how ? 1 : 0;
}


# What is never in a log.
sub quiet {
    my ($block) = @_;

    $block->set_value('no_error_log', "[alert]\n[crit]\n[emerg]")
        unless defined $block->no_error_log;
}


# A block that is a row of a table of configurations: "upstream" is what the
# upstream u has inside, "http" stands beside it, "server" in the server.  With
# "refused" or "refused_like" `nginx -t` ends with 1 after one error, which is
# this text, but for the place; without it nginx starts and answers.
sub row {
    my ($block) = @_;

    my $server = $block->server;
    my $http = $block->http;

    $server = 'location / { proxy_pass http://u; }' unless defined $server;

    $block->set_value('http_config', (defined $http ? $http : '')
                      . "\nupstream u {\n" . $block->upstream . "\n}\n");

    my $text = $block->refused;
    my $like = $block->refused_like;

    if (!defined $text && !defined $like) {
        $block->set_value('config',
                          "$server\nlocation = /.ok { return 200; }");
        $block->set_value('request', 'GET /.ok');
        quiet($block);
        return;
    }

    $block->set_value('config', $server);
    $block->set_value('must_die', 1);
    $block->set_value('suppress_stderr', 1);
    $block->set_value('no_error_log', "[alert]\n[crit]");

    $block->set_value('grep_error_log', qr/\[emerg\] \d+#\d+: \K.*/);

    if (defined $text) {
        chomp $text;
        $like = qr{^\Q$text\E(?: in \S+/nginx\.conf:\d+)?\n};
    }

    # one error, and no other
    $block->set_value('grep_error_log_out', qr/^(?=.*(?:$like)).*\n$/);
}


1;
