# wa_gateway_api_key: files and keys that `nginx -t` refuses.

use FindBin;
use lib "$FindBin::Bin/lib";

use WaGateway::Socket 'table';
use Test::Nginx::Socket 'no_plan';
use File::Temp qw(tempdir);

my $dir = tempdir('wa-keys-XXXXXX', TMPDIR => 1, CLEANUP => 1);

$ENV{TEST_NGINX_KEYS} = $dir;


# "file" is what the file has in it, "keys" the arguments in its place.
add_block_preprocessor(sub {
    my $block = shift;
    my ($n) = $block->name =~ /TEST (\d+)/;
    my $keys = $block->keys;

    chomp $keys if defined $keys;

    if (defined $block->file) {
        open my $fh, '>:raw', "$dir/$n" or die "$dir/$n: $!\n";
        print $fh $block->file;
        close $fh or die "$dir/$n: $!\n";
    }

    $keys = "file=\$TEST_NGINX_KEYS/$n" unless defined $keys;

    $block->set_value('upstream', 'wa_gateway; server 127.0.0.1:1;');
    $block->set_value('server', "wa_gateway_api_key $keys;");
    WaGateway::Socket::row($block);
});

log_level('info');
no_long_string();
no_shuffle();
no_root_location();
run_tests();

__DATA__

=== TEST 1: no file
--- refused_like eval
qr/open\(\) "\/.*\/1" failed \(2: /



=== TEST 2: no name
--- keys: file=
--- refused
invalid parameter "file="



=== TEST 3: an empty file
--- file eval: ''
--- refused_like eval
qr/no key in "\/.*\/3"/



=== TEST 4: a file of comments
--- file
# a

--- refused_like eval
qr/no key in "\/.*\/4"/



=== TEST 5: a directory
--- keys: file=$TEST_NGINX_KEYS
--- refused_like eval
qr/read\(\) ".*" failed \(21: /



=== TEST 6: a control character
--- file eval
"good\nb\x01d\n"
--- refused_like eval
qr/control character in key in ".*\/6", line 2/



=== TEST 7: a NUL
--- file eval
"good\0\n"
--- refused_like eval
qr/control character in key in ".*", line 1/



=== TEST 8: a DEL
--- file eval
"good\n\nb\x7fd\n"
--- refused_like eval
qr/control character in key in ".*", line 3/



=== TEST 9: a key of 1025 bytes
--- file eval
"\n" . 'k' x 1025
--- refused_like eval
qr/longer than 1024.*line 2/



=== TEST 10: a file of 64 KB and one byte
--- file eval
("key\n" x 16384) . "\n"
--- refused_like eval
qr/".*\/10" is larger than 64k/



=== TEST 11: a literal of 1025 bytes
--- keys eval
'k' x 1025
--- refused_like eval
qr/longer than 1024/



=== TEST 12: an empty literal
--- keys: ""
--- refused_like eval
qr/empty key/



=== TEST 13: a literal with a blank behind it
--- keys: "a "
--- refused_like eval
qr/blank around key/



=== TEST 14: a literal with a blank before it
--- keys: " a"
--- refused_like eval
qr/blank around key/



=== TEST 15: a bad file behind a good one
--- keys eval
'good file=$TEST_NGINX_KEYS/1'
--- refused_like eval
qr/open\(\) "\/.*\/1" failed \(2: /



=== TEST 16: accepted: a file of 64 KB, a key of 1024 bytes
--- file eval
('k' x 1024) . "\n" . ("key\n" x 16127) . "ke\n"



=== TEST 17: accepted: limits, of keys and in a file
--- file eval
"one label=a.B-_9 numbers=+966500000001,966500000002 sessions=main\n"
. "two words\tsessions=\xd9\x85,x numbers=12345678\n"
. "sessions=x is a key\nnot a limit labels=x\nopen sessions = x\n"
. "new sessions=main label=a.B-_9 numbers=966500000002,966500000001\n"
. ('k' x 1024) . ' sessions=' . ('a' x 128) . ' label=' . ('b' x 64) . "\n"
--- keys
a label=x "sessions=my shop,other" b file=$TEST_NGINX_KEYS/17 c numbers=+12345678



=== TEST 18: limits before any key
--- keys: sessions=main a
--- refused
no key before its limits in "wa_gateway_api_key"



=== TEST 19: limits behind a file
--- file
one
--- keys: a file=$TEST_NGINX_KEYS/19 label=x
--- refused
no key before its limits in "wa_gateway_api_key"



=== TEST 20: a line of limits alone
--- file
one
numbers=12345678
--- refused_like eval
qr/no key before its limits in ".*\/20", line 2/



=== TEST 21: a bad label
--- keys: hush label=a/b
--- refused
invalid label of key in "wa_gateway_api_key"



=== TEST 22: a bad number, in a file
--- file
# a

hush numbers=966500000001,hush sessions=a
--- refused_like eval
qr/invalid number of key in ".*\/22", line 3/



=== TEST 23: a bad session
--- keys: hush sessions=a,
--- refused
invalid session of key in "wa_gateway_api_key"



=== TEST 24: a control character in a session
--- keys eval
qq{hush "sessions=a\x01"}
--- refused
control character in session of key in "wa_gateway_api_key"



=== TEST 25: a parameter twice
--- keys: hush label=a sessions=a label=b
--- refused
duplicate label of key in "wa_gateway_api_key"



=== TEST 26: numbers twice
--- keys: hush numbers=12345678 numbers=12345679
--- refused
duplicate numbers of key in "wa_gateway_api_key"



=== TEST 27: sessions twice, in a file
--- file
hush sessions=a sessions=a
--- refused_like eval
qr/duplicate sessions of key in ".*\/27", line 1/



=== TEST 28: a label with other limits, one in a file
--- file
one
two label=x sessions=a
--- keys: hush label=x sessions=a,b file=$TEST_NGINX_KEYS/28
--- refused_like eval
qr/label of key repeated with other limits in ".*\/28", line 2/



=== TEST 29: a key with other limits
--- keys: hush sessions=a b hush
--- refused
key repeated with other limits in "wa_gateway_api_key"



=== TEST 30: a key with another label, in a file
--- file
hush label=a
hush
--- refused_like eval
qr/key repeated with another label in ".*\/30", line 2/



=== TEST 31: accepted: two keys of one label, the same limits in another order
--- keys: old label=x sessions=a,b new sessions=b,a label=x old label=x sessions=a,b
