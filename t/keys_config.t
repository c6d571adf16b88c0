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
