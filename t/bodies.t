# Bodies arrive bit for bit.  100 MB of them: bodies_large.t.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket;
use Test::Nginx::Socket 'no_plan';
use Digest::MD5 qw(md5_hex);
use Encode qw(encode_utf8);
use WaGateway::Fake;

our @fakes = map { WaGateway::Fake->new } 1 .. 2;

@ENV{'TEST_NGINX_ONE', 'TEST_NGINX_TWO'} = map { $_->name } @fakes;

my $arabic = encode_utf8("\x{645}\x{631}\x{62d}\x{628}\x{627} "
                         . "\x{1f44b} \x{0}\x{7f}\x{ff}\x{ffff} ");

my %piece = (binary => join('', map { chr } 0 .. 255) x 256,
             'Arabic text' => $arabic x 2000);


# "length" bytes of a kind go to both instances, with proxy_request_buffering on
# and off; the instance answers with length and MD5 of what came.  With "mode"
# answers of that form have so many bytes more.
add_block_preprocessor(sub {
    my $block = shift;
    my (@requests, @headers, @bodies);

    WaGateway::Socket::quiet($block);

    if (defined $block->kind) {
        my $length = $block->length;
        my $piece = $piece{$block->kind};
        my $times = int($length / length $piece) + 1;
        my $body = substr $piece x $times, 0, $length;

        for my $where ('on', 'off') {
            for my $method (qw(POST PUT)) {
                push @requests, "$method /$where?fake=digest\n$body";
                push @bodies, "$length " . md5_hex($body);
            }
        }

        # told here, since Test::Nginx does not count blanks at the ends
        $block->set_value('more_headers', "Content-Length: $length");

    } else {
        for my $where ('on', 'off') {
            for my $length (0, 1, 100_000, 3_000_000) {
                push @requests, "GET /$where?fake=" . $block->mode
                                . "&pad=$length";
                push @bodies, "$length bytes";
            }
        }

        $block->set_value('response_body_filters', sub {
            return "cut: $_[0]" unless $_[0] =~ /\}\z/;
            return length(($_[0] =~ /"pad":"(x*)"\}\z/)[0] || '') . ' bytes';
        });
    }

    $block->set_value('request', \@requests);
    $block->set_value('error_code', [(200) x @requests]);
    $block->set_value('response_headers', [('X-Attempts: 1') x @requests]);
    $block->set_value('response_body', \@bodies);
    $block->set_value('http_config', <<'END');
    client_max_body_size 2m;
    upstream u {
        wa_gateway;
        server $TEST_NGINX_ONE;
        server $TEST_NGINX_TWO;
    }
END
    $block->set_value('config', <<'END');
        proxy_http_version 1.1;
        add_header X-Attempts $wa_gateway_attempts;
        location /on { proxy_pass http://u; }
        location /off { proxy_pass http://u; proxy_request_buffering off; }
END
});

log_level('notice');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: no byte of binary data comes as it was sent
--- kind: binary
--- length: 0



=== TEST 2: one byte of binary data comes as it was sent
--- kind: binary
--- length: 1



=== TEST 3: 1023 bytes of binary data comes as it was sent
--- kind: binary
--- length: 1023



=== TEST 4: 8192 bytes of binary data comes as it was sent
--- kind: binary
--- length: 8192



=== TEST 5: 16384 bytes of binary data comes as it was sent
--- kind: binary
--- length: 16384



=== TEST 6: a megabyte of binary data comes as it was sent
--- kind: binary
--- length: 1048576



=== TEST 7: no byte of Arabic text comes as it was sent
--- kind: Arabic text
--- length: 0



=== TEST 8: one byte of Arabic text comes as it was sent
--- kind: Arabic text
--- length: 1



=== TEST 9: 1023 bytes of Arabic text comes as it was sent
--- kind: Arabic text
--- length: 1023



=== TEST 10: 8192 bytes of Arabic text comes as it was sent
--- kind: Arabic text
--- length: 8192



=== TEST 11: 16384 bytes of Arabic text comes as it was sent
--- kind: Arabic text
--- length: 16384



=== TEST 12: a megabyte of Arabic text comes as it was sent
--- kind: Arabic text
--- length: 1048576



=== TEST 13: answers with their length come whole, of any length
--- mode: json



=== TEST 14: answers in chunks come whole, of any length
--- mode: chunked



=== TEST 15: answers that end with the connection come whole, of any length
--- mode: close_delimited
