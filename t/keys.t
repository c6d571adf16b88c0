# wa_gateway_api_key: keys from a file, and what becomes of a key that opened.
# Bad files: keys_config.t.  A reload: keys_reload.t.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket;
use Test::Nginx::Socket 'no_plan';
use File::Temp qw(tempdir);
use WaGateway::Fake;

our $fake = WaGateway::Fake->new;
our $dir = tempdir('wa-keys-XXXXXX', TMPDIR => 1, CLEANUP => 1);
our @many = map { "X-Many-$_: $_" } 1 .. 60;
our $sent = join "\n", @many, 'X-Api-Key: new', 'X-Last: 1';
our $seen = join "\r\n", @many, 'X-Last: 1';

chmod 0755, $dir;
$ENV{TEST_NGINX_FAKE} = $fake->name;
$ENV{TEST_NGINX_KEYS} = $dir;

text('keys', "\xef\xbb\xbffirst\r\n\r\n# comment\n  # another\n"
     . "\tse cond \t\r\nsh#arp\nnew\n" . 'k' x 1024 . "\nlast");
text('more', "more\n");
text('page.html', "a page\n");


sub text {
    my ($name, $text) = @_;
    open my $fh, '>:raw', "$dir/$name" or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
}


# "keys" are sent one after the other; with "head" the instance tells of the
# request's head, which is to be like that.
add_block_preprocessor(sub {
    my $block = shift;

    WaGateway::Socket::quiet($block);

    if (defined $block->keys) {
        my @keys = ref $block->keys ? @{$block->keys} : split /\n/, $block->keys;
        my $status = $block->opens ? 200 : 401;

        $block->set_value('request', [('GET /x') x @keys]);
        $block->set_value('more_headers', [map { "X-Api-Key: $_" } @keys]);
        $block->set_value('error_code', [($status) x @keys]);
        $block->set_value('response_body_like',
                          [($status == 200 ? qr/"path":"\/x"/
                                           : qr/"code":"unauthorized"/)
                           x @keys]);
    }

    if (defined $block->head) {
        $block->set_value('request', 'GET /x?fake=head')
            unless defined $block->request;
        $block->set_value('response_body_like', $block->head);
    }

    $block->set_value('http_config', <<'END');
    upstream u { wa_gateway; server $TEST_NGINX_FAKE; }
    upstream other { wa_gateway; server $TEST_NGINX_FAKE; }
END
    $block->set_value('config', <<'END');
        wa_gateway_errors en;
        wa_gateway_api_key literal file=$TEST_NGINX_KEYS/keys
                           file=$TEST_NGINX_KEYS/more
                           limited label=shop sessions=main;
        location / { proxy_pass http://u; }
        location /twice { try_files /nothing @again; }
        location @again { proxy_pass http://u; }
        location /other { try_files /nothing @other; }
        location @other { wa_gateway_api_key third; proxy_pass http://other; }
        location = /status { wa_gateway_api_key off; wa_gateway_status other; }
        location /open { wa_gateway_api_key off; proxy_pass http://u; }
        location /page { error_page 404 /page.html; root $TEST_NGINX_KEYS; }
        location = /page.html { internal; root $TEST_NGINX_KEYS; }
        location = /metrics { wa_gateway_metrics; }
        location = /metrics/ar { wa_gateway_errors ar; wa_gateway_metrics; }
        location = /metrics/open { wa_gateway_api_key off; wa_gateway_metrics; }
        location = /metrics/page { error_page 403 /page.html; wa_gateway_metrics; }
        location = /metrics/twice { try_files /nothing @metrics; }
        location @metrics { wa_gateway_metrics; }
        location = /metrics/off { try_files /nothing @off; }
        location @off { wa_gateway_api_key off; wa_gateway_metrics; }
        location = /metrics/more { try_files /nothing @more; }
        location @more { wa_gateway_api_key limited; wa_gateway_metrics; }
        location = /denied { deny all; proxy_pass http://u; }
END
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: each key of the files opens, and the one beside them
--- opens: 1
--- keys
literal
first
se cond
sh#arp
last
more



=== TEST 2: so does the longest
--- opens: 1
--- keys eval
['k' x 1024]



=== TEST 3: a part of a key is none, nor is a key with more
--- keys
firs
first1
se
literal first



=== TEST 4: no key is a comment, the mark at the start of the file, or its name
--- keys eval
['', 'comment', '# comment', "\xef\xbb\xbffirst", 'file=keys',
 "file=$main::dir/keys"]



=== TEST 5: nor is what is as long, shorter or longer than the longest
--- keys eval
['j' x 1024, 'k' x 1023, 'k' x 1025, 'k' x 4096]



=== TEST 6: X-Api-Key with the key ends at the gateway
--- more_headers
X-Api-Key: new
--- head eval
qr/\A(?!.*(?:X-Api-Key|new))GET /si



=== TEST 7: so does Authorization
--- more_headers
Authorization: bearer  new
--- head eval
qr/\A(?!.*(?:Authorization|new))GET /si



=== TEST 8: each header with a key does, and no other
--- more_headers
Authorization: Bearer new
X-Api-Key: new
x-api-key: more
X-Api-Key: theirs
--- head eval
qr/\A(?!.*(?:Authorization|new|more))(?!.*X-Api-Key:.*X-Api-Key:).*\r\nX-Api-Key: theirs\r\n/si



=== TEST 9: an instance's own key passes in X-Api-Key beside a Bearer token
--- more_headers
X-Api-Key: theirs
Authorization: Bearer new
--- head eval
qr/\A(?!.*(?:Authorization|new)).*\r\nX-Api-Key: theirs\r\n/si



=== TEST 10: and as a Bearer token beside X-Api-Key
--- more_headers
X-Api-Key: new
Authorization: Bearer theirs
--- head eval
qr/\A(?!.*(?:X-Api-Key|new)).*\r\nAuthorization: Bearer theirs\r\n/si



=== TEST 11: or with another scheme
--- more_headers
X-Api-Key: new
Authorization: Basic bmV3
--- head eval
qr/\A(?!.*(?:X-Api-Key|new)).*\r\nAuthorization: Basic bmV3\r\n/s



=== TEST 12: where no key is asked for none is taken
--- request
GET /open?fake=head
--- more_headers
X-Api-Key: new
--- head eval
qr/\r\nX-Api-Key: new\r\n/



=== TEST 13: sixty other headers stay, in order, and one behind the key
--- more_headers eval: $main::sent
--- head eval
qr/\r\n\Q$main::seen\E\r\n/



=== TEST 14: a body comes along
--- request
POST /body
abc
--- more_headers
X-Api-Key: new
Content-Type: text/x
--- error_code: 200
--- response_body_like: "length":3,"method":"POST","path":"/body"



=== TEST 15: with its type
--- request
POST /body?fake=head
abc
--- more_headers
X-Api-Key: new
Content-Type: text/x
--- head eval
qr/\APOST (?!.*(?:X-Api-Key|new)).*\r\nContent-Type: text\/x\r\n/s



=== TEST 16: a key opens the location that it is sent on to as well
--- request
GET /twice?fake=head
--- more_headers
X-Api-Key: new
--- head eval
qr/\AGET \/twice(?!.*new)/s



=== TEST 17: but not one with other keys, and nothing comes to the instance
--- request eval
["GET /other", "GET /status"]
--- more_headers
X-Api-Key: new
--- error_code eval
[401, 200]
--- response_body_like eval
['"unauthorized"', '"requests":\{"total":0,']



=== TEST 18: which its own key does not open from outside
--- request eval
["GET /other", "GET /status"]
--- more_headers
X-Api-Key: third
--- error_code eval
[401, 200]
--- response_body_like eval
['"unauthorized"', '"requests":\{"total":0,']



=== TEST 19: an error page of one's own stays what it is
--- request
GET /page/nothing
--- more_headers
X-Api-Key: new
--- error_code: 404
--- response_body
a page



=== TEST 20: a key with limits opens nothing where there are no sessions
--- request
GET /x?fake=head
--- more_headers
Authorization: Bearer limited
--- error_code: 403
--- response_body_like: "code":"forbidden_session"



=== TEST 21: its limits are none of it
--- keys
limited label=shop sessions=main
label=shop
sessions=main



=== TEST 22: metrics tell of all, so it gets none
--- request
GET /metrics
--- more_headers
X-Api-Key: limited
--- error_code: 403
--- response_headers
Content-Type: application/json; charset=utf-8
--- response_body chop
{"success":false,"error":"The API key is limited and does not allow this","code":"forbidden_session","details":"The message was not sent","sent":"no"}



=== TEST 23: in Arabic
--- request
GET /metrics/ar
--- more_headers
X-Api-Key: limited
--- error_code: 403
--- response_body chop
{"success":false,"error":"مفتاح API محدود ولا يسمح بهذا","code":"forbidden_session","details":"لم تُرسل الرسالة","sent":"no"}



=== TEST 24: nor where a redirect leads, be it where no key is asked for
--- request eval
["GET /metrics/twice", "GET /metrics/off"]
--- more_headers
X-Api-Key: limited
--- error_code eval
[403, 403]
--- response_body_like eval
['"code":"forbidden_session"', '"code":"forbidden_session"']



=== TEST 25: a location that gives the key no limits has none
--- request eval
["GET /metrics/more", "GET /metrics/open"]
--- more_headers
X-Api-Key: limited
--- error_code eval
[200, 200]
--- response_body_like eval
['# TYPE wa_gateway_', '# TYPE wa_gateway_']



=== TEST 26: other keys get all metrics
--- request eval
["GET /metrics", "GET /metrics/twice", "GET /metrics/off"]
--- more_headers
X-Api-Key: new
--- error_code eval
[200, 200, 200]
--- response_body_like eval
[('# TYPE wa_gateway_') x 3]



=== TEST 27: an error page of one's own stays what it is, for 403 too
--- request
GET /metrics/page
--- more_headers
X-Api-Key: limited
--- error_code: 403
--- response_body
a page



=== TEST 28: what others forbid is not for the key
--- request
GET /denied
--- more_headers
X-Api-Key: limited
--- error_code: 403
--- error_log
access forbidden by rule
--- response_body_like: "code":"forbidden",



=== TEST 29: a method that metrics do not know is told first
--- request
POST /metrics
--- more_headers
X-Api-Key: limited
--- error_code: 405
--- response_body_like: "code":"method_not_allowed"
