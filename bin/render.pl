#!/usr/bin/perl
#
# Reads .env, checks every value, prints nginx.conf (or, with WA_MODE=summary,
# what the launcher has to know, or with WA_MODE=ctl what bin/ctl.pl has to).
# Only modules of perl-base, which every Debian has.
#
#     WA_ENV=.env WA_TEMPLATE=... WA_DEMO=... WA_MODULE=... perl render.pl
#
# WA_ENV is empty when there is no such file.  All text is bytes.

use strict;
use warnings;

use Socket qw(AF_INET AF_INET6 inet_pton);

my $max_text = 1024;
my $control = qr/[\x00-\x1f\x7f]/;
my $day = 86400000;

# Of all instances together; they take less than $sessions_room k of the zone.
my $sessions = 10000;
my $sessions_room = 4096;

# Instances that may be added at run time; they take less than $room k of it.
my $capacity = 64;
my $room = 256;

# Both in the runtime folder; the launcher makes the key.
my $admin_key_file = 'admin_key';
my $state_file = 'state/instances.json';


# ---- the variables

# A row for each, in the order they are checked.  "check" gets the value and
# returns what blocks() makes directives of, or nothing, when the value is
# refused: then "allowed" is what the user reads.  An empty value means the
# default, as `process.env.PORT || 3000` did.  A secret is not shown in errors.

my $a_rate = 'off or a rate as 20/m, by s, m or h, at most 1000000';
my $printable = "up to $max_text bytes of printable text, no blank at either "
                . 'end';
my $a_key = "$printable, not the word off, no file=, label=, numbers= or "
            . 'sessions= before it';
my $no_blanks = qr/^(?! |.* \z)/;
my $no_directive = qr/^(?!off\z|(?:file|label|numbers|sessions)=| |.* \z)/;
my %vendor_file = vendor_files();
my @vendors = ('plain', sort keys %vendor_file);

my @variables = (
    { name => 'PORT', default => 3000, check => number(65535),
      allowed => 'a whole number from 1 to 65535' },

    { name => 'HOST', default => '127.0.0.1', check => \&host,
      allowed => 'an IPv4 address, an IPv6 address or a host name' },

    { name => 'VENDOR', default => 'plain', check => \&vendor,
      allowed => join ', ', @vendors },

    { name => 'INSTANCES', default => '', check => \&instances,
      allowed => 'http://host:port or https://host:port, separated by '
                 . 'commas' },

    { name => 'DNS_REFRESH', default => '30000', check => number($day, '0'),
      allowed => "a whole number of milliseconds from 0 to $day" },

    { name => 'RESOLVER', default => '', check => \&resolver,
      allowed => 'the address of a name server, and maybe a port, such as '
                 . '192.168.1.1 or [::1]:53' },

    { name => 'HEALTH_CHECK_INTERVAL', default => 30000, check => number($day),
      allowed => "a whole number of milliseconds from 1 to $day" },

    { name => 'REQUEST_TIMEOUT', default => 10000, check => number($day),
      allowed => "a whole number of milliseconds from 1 to $day" },

    { name => 'HEALTH_CHECK_PATH', default => '/health',
      check => text(qr{^/[!"\$-~]*\z}),
      allowed => 'a path that starts with / , without blanks or #, '
                 . 'others than ASCII as %XX' },

    { name => 'HEALTH_CHECK_JSON', default => '', check => \&json,
      allowed => 'a path and its good values, such as '
                 . '$.state=CONNECTED,open' },

    { name => 'HEALTH_CHECK_HEADER', default => '', check => \&header,
      allowed => 'a header and its value, such as X-Api-Key: secret',
      secret => 1 },

    { name => 'VENDOR_KEY', default => '', check => \&vendor_key,
      allowed => $printable, secret => 1 },

    { name => 'VENDOR_KEY_FILE', default => '', check => \&vendor_key_file,
      allowed => "a file with lines KEY or URL KEY, each key $printable" },

    (map { own_key($_) } sort keys %vendor_file),

    { name => 'SENDER', default => 'any',
      check => text(qr/^(?:any|chat|chat-strict|one)\z/),
      allowed => 'any, chat, chat-strict or one' },

    { name => 'PACE_NUMBER', default => 'off', check => \&rate,
      allowed => $a_rate },

    { name => 'PACE_RECIPIENT', default => 'off', check => \&rate,
      allowed => $a_rate },

    { name => 'PACE_DAY', default => 'off', check => number(1000000, 'off'),
      allowed => 'off or a whole number from 1 to 1000000' },

    { name => 'PACE_BURST', default => '1', check => number(100000),
      allowed => 'a whole number from 1 to 100000' },

    { name => 'PACE_WAIT', default => '0', check => number(3600000, '0'),
      allowed => 'a whole number of milliseconds from 0 to 3600000' },

    { name => 'PACE_DAY_START', default => '00:00',
      check => text(qr/^(?:[01][0-9]|2[0-3]):[0-5][0-9]\z/),
      allowed => 'a time from 00:00 to 23:59' },

    { name => 'IDEMPOTENCY', default => 'on',
      check => text(qr/^(?:on|required|off)\z/),
      allowed => 'on, required or off' },

    { name => 'IDEMPOTENCY_TTL', default => 86_400_000,
      check => \&ttl, allowed => 'a whole number of ms from '
                 . '1000 to 2147483647' },

    { name => 'JOURNAL', default => 'off', check => \&journal,
      allowed => 'off, or a file in a folder of its own, which is made' },

    # What else a password has is written as %XX.
    { name => 'STORE_URL', default => '',
      check => text(qr{^(?:redis://
                          (?:[\w.~!&()*+,=%-]*:[\w.~!&()*+,=%:-]+@)?
                          (?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])
                          (?::[1-9][0-9]{0,4})?(?:/[0-9]{0,5})?)?\z}xa),
      allowed => 'redis://[:password@]host[:port][/db], other characters of '
                 . 'a password as %XX',
      secret => 1 },

    { name => 'DEFAULT_COUNTRY', default => '',
      check => text(qr/^(?:[1-9][0-9]{0,2})?\z/),
      allowed => 'the code of a country, 1 to 3 digits, such as 966' },

    { name => 'ALLOW_DANGEROUS', default => 'off',
      check => text(qr/^(?:on|off)\z/), allowed => 'on or off' },

    { name => 'WORKERS', default => 'auto', check => number(512, 'auto'),
      allowed => 'auto or a whole number from 1 to 512' },

    { name => 'GATEWAY_LANG', default => 'ar', check => text(qr/^(?:ar|en)\z/),
      allowed => 'ar or en' },

    # "off" would turn the directive off, quoted or not, "file=" name one, and
    # the others be limits.
    { name => 'API_KEY', default => '', check => text($no_directive),
      allowed => $a_key, secret => 1 },

    { name => 'API_KEY_FILE', default => '', check => \&key_file,
      allowed => "a file with one key a line, up to $max_text bytes of "
                 . 'printable text, and label=, numbers= or sessions= after '
                 . 'it if it has limits' },

    { name => 'ADMIN_KEY', default => '', check => \&admin_key,
      allowed => "a key that is no API_KEY, $a_key",
      secret => 1 },

    { name => 'STATE_FILE', default => '', check => \&state_file,
      allowed => 'a file in a folder of its own, which is made' },

    { name => 'TRUSTED_PROXIES', default => '127.0.0.0/8,::1',
      check => \&networks,
      allowed => 'addresses and networks such as 10.0.0.0/8, separated by '
                 . 'commas, or none' },
);

my %variable = map { $_->{name} => $_ } @variables;

$ENV{$_} //= '' for qw(WA_MODE WA_ENV WA_ENV_LABEL WA_ROOT WA_DEMO WA_TEMPLATE
                       WA_MODULE WA_USER WA_LOG);

my $file = $ENV{WA_ENV};
my $label = $ENV{WA_ENV_LABEL} ne '' ? $ENV{WA_ENV_LABEL} : $file;

read_env() if $file ne '';
overlay_environment();

my $demo = $file eq '' && !$variable{INSTANCES}{source} ? read_demo() : '';

check_values();

my %is = map { $_->{name} => $_->{is} } @variables;
my $out = $ENV{WA_MODE} eq 'summary' ? summary()
        : $ENV{WA_MODE} eq 'ctl' ? for_ctl() : config();

tell_ignored() if $ENV{WA_MODE} !~ /^(?:summary|ctl)\z/;

binmode STDOUT;
print $out and close STDOUT or fail("cannot write: $!");


# ---- .env and the environment

sub read_env {
    my @lines = @{lines($file) // fail("$label: cannot be read")};
    my $at = 0;

    fail("$label:1: not UTF-8 text: save the file as UTF-8")
        if @lines && $lines[0] =~ /^(?:\xff\xfe|\xfe\xff)/;

    while (@lines) {
        my $line = shift @lines;
        my $where = "$label:" . ++$at;

        $line =~ /^[ \t]*(?:export[ \t]+)?+([A-Za-z_][A-Za-z0-9_.-]*)(.*)/
            or next;

        my ($v, $text) = (variable($1), $2);

        # "NAME: value" is what the dotenv of Node takes too.
        if ($text !~ s/^(?:[ \t]*=|:(?=[ \t]))//) {
            complain($where, $v, $text, 'NAME=value') if $v;
            next;
        }

        # Only a "#" after a blank is a comment: API_KEY=#x is not empty.
        if ($text !~ /^[ \t]*(["'`])(.*)/) {
            $text =~ s/[ \t]#.*//;
            @$v{qw(given source)} = (trim($text), $where) if $v;
            next;
        }

        # A quoted value of another program's variable may span lines: it is
        # skipped whole, or its lines could be taken for ours.
        my ($quote, $first) = ($1, $2);
        my ($inside, $after) = quoted(join("\n", $first, @lines), $quote);

        if (!defined $inside) {
            complain($where, $v, "$quote$first", "a closing $quote") if $v;
            next;
        }

        my $more = $inside =~ tr/\n//;
        splice @lines, 0, $more;
        $at += $more;

        next if !$v;

        complain($where, $v, "$quote$inside$quote$after",
                 "only a comment after the closing $quote")
            if $after !~ /^[ \t]*(?:\z|(?<=[ \t])#)/;

        $inside = unescape($inside) if $quote eq '"';
        @$v{qw(given source)} = ($inside, $where);
    }
}


# What is before the closing quote, and the rest of the line after it.
sub quoted {
    my ($text, $quote) = @_;
    my $escape = $quote eq '"' ? qr/\\./s : qr/(?!)/;

    while ($text =~ /($escape)|$quote/g) {
        next if defined $1;

        my ($inside, $end) = (substr($text, 0, $-[0]), $+[0]);
        return ($inside, substr($text, $end) =~ /^(.*)/);
    }

    return;
}


sub unescape {
    my ($text) = @_;
    my %plain = ('"' => '"', '\\' => '\\', n => "\n", r => "\r", t => "\t");

    return $text =~ s/\\(.)/$plain{$1} || "\\$1"/gser;
}


# A key for a vendor that is not there is no variable of some other program.
sub variable {
    my ($name) = @_;

    push @variables, $variable{$name} = { name => $name, default => '',
                                          check => text(qr/^/), secret => 1,
                                          vendor => '' }
        if !$variable{$name} && $name =~ /^VENDOR_KEY_[A-Z0-9_]+\z/;

    return $variable{$name};
}


sub overlay_environment {
    variable($_) for sort keys %ENV;

    for my $v (@variables) {
        my $text = $ENV{$v->{name}};

        # An exported but empty INSTANCES without .env is no configuration.
        next if !defined $text
                || $text eq '' && $v->{name} eq 'INSTANCES' && $file eq '';

        @$v{qw(given source)} = ($text, 'environment');
    }
}


# ---- checks

sub check_values {
    for my $v (@variables) {
        $v->{value} = $v->{given} // '';
        $v->{value} = $v->{default} if $v->{value} eq '';

        refuse($v, 'text without control characters')
            if $v->{value} =~ /$control|\xc2[\x80-\x9f]/;
    }

    for my $v (@variables) {
        $v->{is} = $v->{check}->($v->{value}) // refuse($v, $v->{allowed});
    }
}


sub number {
    my ($max, $word) = @_;

    return sub {
        my ($text) = @_;
        my $good = is_number($text, $max) || defined $word && $text eq $word;
        return $good ? $text : undef;
    };
}


sub ttl {
    my ($text) = @_;
    return is_number($text, 2_147_483_647) && $text >= 1000 ? $text : undef;
}


sub rate {
    my ($text) = @_;

    return $text if $text eq 'off';
    return $text =~ m{^([0-9]+)/[smh]\z} && is_number($1, 1000000) ? $text
                                                                   : undef;
}


sub text {
    my ($pattern) = @_;

    return sub {
        my ($text) = @_;
        return length $text <= $max_text && $text =~ $pattern ? $text : undef;
    };
}


sub host {
    my ($text) = @_;
    my $bare = $text =~ /^\[(.*)\]\z/ ? $1 : $text;

    return '0.0.0.0' if $text eq '*';
    return is_ipv6($bare) ? "[$bare]" : is_hostname($text) ? $text : undef;
}


sub resolver {
    my ($text) = @_;

    return '' if $text eq '';
    return "[$text]" if is_ipv6($text);

    my ($six, $four, $port) = $text =~ /^(?:\[(.*)\]|([^:]*))(?::(.*))?\z/
                              or return;

    return if defined $port && !is_number($port, 65535);
    return (defined $six ? is_ipv6($six) : is_ipv4($four)) ? $text : undef;
}


# A file beside the template, or of the administrator, for each.
sub vendor_files {
    my ($beside) = ($ENV{WA_TEMPLATE} // '') =~ /^(.*\/)/;
    my %file;

    for my $folder (($beside // '') . 'vendors', $ENV{WA_OWN_VENDORS} // '') {
        opendir my $handle, $folder or next;

        for (readdir $handle) {
            /^([a-z0-9-]+)\.conf\z/ or next;
            $file{$1} = "$folder/$_" if $1 !~ /^(?:plain|file)\z/;
        }
    }

    return %file;
}


sub vendor {
    my ($text) = @_;
    return $text eq 'plain' || $vendor_file{$text} ? $text : undef;
}


sub instances {
    my ($text) = @_;
    my ($v, @list) = ($variable{INSTANCES}, list($text));
    my (@instances, %seen, $scheme);

    return demo_instances() if $demo ne '';

    fail("$label: INSTANCES is missing: allowed: $v->{allowed}")
        if !$v->{source};

    pop @list if @list > 1 && $list[-1] eq '';

    for my $entry (@list) {
        return if $entry eq '';

        my ($own, $url) = $entry =~ m{^(?:([a-z0-9-]+)\+(?=https?://))?(.*)}i;
        my $vendor = lc($own // $variable{VENDOR}{is});

        $url =~ s/\/\z//;
        my ($this, $key) = url_parts($url);
        my $shown = '"' . show($url) . '"';

        refuse($v, "before a + one of $variable{VENDOR}{allowed}; not \""
                   . show($own) . '"') if !defined vendor($vendor);

        refuse($v, "$v->{allowed}, no path; not $shown") if !$key;

        $scheme //= $this;

        refuse($v, 'one scheme for all, http or https') if $this ne $scheme;
        refuse($v, "each instance once; not again $shown") if $seen{$key}++;

        push @instances, { url => $scheme . substr($url, length $scheme),
                           vendor => $vendor };
    }

    return @instances ? \@instances : undef;
}


# The scheme, and what two spellings of one instance have in common.
sub url_parts {
    my ($url) = @_;
    my ($scheme, $host, $port)
        = lc($url) =~ m{^(https?)://(\[.*\]|[^:]*)(?::(.*))?\z} or return;

    $port //= $scheme eq 'https' ? 443 : 80;

    return if !is_number($port, 65535);
    return if !($host =~ /^\[(.*)\]\z/ ? is_ipv6($1) : is_hostname($host));

    return ($scheme, "$host:$port");
}


sub json {
    my ($text) = @_;
    my ($path, $values) = map { trim($_) } split /=/, $text, 2;
    my @values = list($values // '');

    return '' if $text eq '';
    return if !@values || grep({ $_ eq '' } @values);
    return if length $text > $max_text;
    return if $path !~ /^\$(?:\.[A-Za-z0-9_-]+|\[[0-9]+\])+\z/;

    return [$path, @values];
}


sub header {
    my ($text) = @_;
    my ($name, $value) = map { trim($_) } split /:/, $text, 2;

    return '' if $text eq '';
    return if ($value // '') eq '' || length $text > $max_text;
    return if $name !~ /^[A-Za-z0-9!#\$%&'*+.^_`|~-]+\z/;

    return [$name, $value];
}


# nginx reads the file itself, so the keys in it never come into nginx.conf;
# what is wrong with it is told here, where the variable has a line.
sub key_file {
    my ($text) = @_;
    my ($v, $key) = @variable{qw(API_KEY_FILE API_KEY)};

    return '' if $text eq '';

    refuse($v, "either this or API_KEY ($key->{source}), not both")
        if $key->{value} ne '';

    my $path = beside_env($text);
    my $lines = lines($path)
                // refuse($v, "$v->{allowed}; this one cannot be read");
    my ($at, $keys, %seen) = (0, 0);

    for (map { trim($_) } @$lines) {
        $at++;
        next if $_ eq '' || /^#/;

        my ($secret, $label, $limits) = key_line($_)
            or refuse($v, "$v->{allowed}; not its line $at");

        # A key that is there twice is one client, and so is a label.
        for (["key $secret", "$label $limits"], ["label $label", $limits]) {
            my ($name, $is) = @$_;
            next if $name eq 'label ';

            refuse($v, "the same limits wherever a key or a label is; not "
                       . "line $at")
                if ($seen{$name} //= $is) ne $is;
        }

        $v->{has}{$secret} = 1;
        $keys++;
    }

    refuse($v, "$v->{allowed}; there is none in it") if !$keys;

    return $path;
}


# What opens messages only would open control.
sub admin_key {
    my ($text) = @_;
    return if $text ne '' && ($text eq $variable{API_KEY}{value}
                              || $variable{API_KEY_FILE}{has}{$text});
    return text($no_directive)->($text);
}


# The folder is given to the workers.
sub state_file {
    my ($text) = @_;

    return $text eq '' ? $state_file : own_file($text);
}


sub journal {
    my ($text) = @_;

    return $text eq '' || $text eq 'off' ? 'off' : own_file($text);
}


sub own_file {
    my ($text) = @_;

    return if length $text > $max_text || $text =~ m{(?:\A|/)\.{0,2}\z};
    return beside_env($text);
}


# The key, the label and the limits, as text that is the same for the same
# ones; nothing if the line is wrong.  A key may have blanks in it.
sub key_line {
    my ($key) = @_;
    my %is;

    while ($key =~ s/(?:^|[ \t]+)(label|numbers|sessions)=([^ \t]*)\z//) {
        return if exists $is{$1};
        $is{$1} = $2;
    }

    my %good = (label => qr/^[A-Za-z0-9._-]{1,64}\z/,
                numbers => qr/^\+?(?!0*\z)[0-9]{8,15}\z/,
                sessions => qr/^(?!.*$control).{1,128}\z/s);

    return if $key eq '' || length $key > $max_text || $key =~ /$control/;

    for my $name (keys %is) {
        my @items = $name eq 'label' ? $is{$name}
                                     : split /,/, $is{$name}, -1;
        return if !@items || grep { $_ !~ $good{$name} } @items;
        s/^\+?0*// for $name eq 'numbers' ? @items : ();

        my %one = map { $_ => 1 } @items;
        $is{$name} = join ',', sort keys %one;
    }

    return ($key, $is{label} // '',
            join ' ', map { "$_=" . ($is{$_} // '') } qw(numbers sessions));
}


# Relative names begin where .env is.
sub beside_env {
    my ($text) = @_;
    my $from = $file eq '' ? "$ENV{WA_ROOT}/" : $file =~ s/[^\/]*\z//r;

    return $text =~ /^\// ? $text : "$from$text";
}


# ---- the instances' own keys

sub own_key {
    my ($vendor) = @_;
    my $name = 'VENDOR_KEY_' . uc($vendor) =~ tr/-/_/r;

    return { name => $name, default => '', check => text($no_blanks),
             allowed => $printable, secret => 1, vendor => $vendor };
}


sub vendor_key {
    my ($text) = @_;
    my ($main, @several) = main_vendor();

    return '' if $text eq '';

    refuse($variable{VENDOR_KEY}, 'VENDOR_KEY_ and a vendor, for each of '
                                  . join ', ', @several) if @several;

    return text($no_blanks)->($text);
}


# nginx reads it itself, as that of API_KEY_FILE.
sub vendor_key_file {
    my ($text) = @_;
    my ($v, $key) = @variable{qw(VENDOR_KEY_FILE VENDOR_KEY)};
    my ($main) = main_vendor();

    return '' if $text eq '' || !vendors();

    refuse($v, "either this or VENDOR_KEY ($key->{source}), not both")
        if $key->{value} ne '';

    my $path = beside_env($text);
    my $lines = lines($path)
                // refuse($v, "$v->{allowed}; this one cannot be read");
    my %instance = map { lc $_->{url} => 1 } @{$variable{INSTANCES}{is}};
    my ($at, $keys, $alone) = (0, 0, 0);

    for (map { trim($_) } @$lines) {
        $at++;
        next if $_ eq '' || /^#/;

        my ($url, $key) = m{^(https?://[^ \t]*)(?:[ \t]+(.*))?\z}i;
        $key = $_ if !defined $url;

        refuse($v, "$v->{allowed}; not its line $at")
            if ($key // '') eq '' || length $key > $max_text
               || (($url // '') . $key) =~ /$control/
               || $key =~ m{^[a-z0-9-]+\+https?://}i;

        refuse($v, "$v->{allowed}; its line $at needs a URL: VENDOR does not "
                   . 'say whose key it is')
            if !defined $url && $main eq 'plain';

        refuse($v, "$v->{allowed}; its line $at is a second key without a URL")
            if !defined $url && $alone++;

        push @{$v->{strange}}, $at if defined $url && !$instance{lc $url};

        $keys++;
    }

    refuse($v, "$v->{allowed}; there is none in it") if !$keys;

    return $path;
}


# Of the instances, but plain.
sub vendors {
    my %has = map { $_->{vendor} => 1 } @{$variable{INSTANCES}{is}};
    return grep { $_ ne 'plain' } sort keys %has;
}


# Whose keys are VENDOR_KEY and those without a URL: VENDOR's, or that of the
# only vendor that instances have; or plain, and then all that they have, if
# they are several.
sub main_vendor {
    my @has = vendors();
    my $main = $variable{VENDOR}{is};

    return $main if grep { $_ eq $main } @has;
    return 'plain' if !@has || $main ne 'plain';
    return @has == 1 ? $has[0] : ('plain', @has);
}


# What is for vendors, and nothing is done with.
sub tell_ignored {
    my ($main) = main_vendor();
    my %has = map { $_ => 1 } vendors();
    my $own = own_key($main)->{name};

    for my $v (grep { $_->{value} ne $_->{default} } @variables) {
        my ($name, $vendor) = @$v{qw(name vendor)};

        remark("$v->{source}: $name: ignored: no instance has a vendor")
            if !%has && $name =~ /^(?:SENDER|IDEMPOTENCY|IDEMPOTENCY_TTL|JOURNAL|STORE_URL|DEFAULT_COUNTRY|ALLOW_DANGEROUS
                                      |PACE_\w+)\z/x;

        remark("$v->{source}: $name: ignored: there is no PACE_NUMBER, "
               . 'PACE_RECIPIENT or PACE_DAY')
            if %has && $name =~ /^PACE_/ && !pace();

        remark("$v->{source}: $name: ignored: IDEMPOTENCY is off")
            if %has && $name =~ /^(?:JOURNAL|IDEMPOTENCY_TTL)\z/
               && $is{IDEMPOTENCY} eq 'off';

        remark("$v->{source}: $name: ignored: STORE_URL keeps the keys")
            if %has && $name eq 'JOURNAL' && $is{IDEMPOTENCY} ne 'off'
               && $is{STORE_URL} ne '';

        next if $name !~ /^VENDOR_KEY/;

        my $why = !defined $vendor && !%has ? 'no instance has a vendor'
                  : $name eq 'VENDOR_KEY_FILE' ? ''
                  : $name ne 'VENDOR_KEY' ? unused($vendor, $has{$vendor})
                  : $main eq 'plain' ? unused($is{VENDOR})
                  : $variable{$own}{value} ne '' ? "there is $own" : '';

        remark("$v->{source}: $name: ignored: $why") if $why ne '';
        remark("$v->{source}: $name, line $_: ignored: no instance has this "
               . 'URL') for @{$v->{strange}};
    }
}


sub unused {
    my ($vendor, $used) = @_;

    return $used ? '' : $vendor eq '' ? 'there is no such vendor'
                      : "no instance has the vendor $vendor";
}


sub networks {
    my ($text) = @_;
    my @networks = $text eq 'none' ? () : list($text);

    for (@networks) {
        my ($address, $bits) = m{^([^/]*)(?:/(.*))?\z};
        my $max = is_ipv4($address) ? 32 : is_ipv6($address) ? 128 : return;

        $bits //= $max;
        return if $bits ne '0' && !is_number($bits, $max);
    }

    return \@networks;
}


sub is_number {
    my ($text, $max) = @_;
    return $text =~ /^[1-9][0-9]*\z/ && length $text <= length $max
           && $text <= $max;
}


sub is_ipv4 { return defined inet_pton(AF_INET, $_[0]) }


sub is_ipv6 { return defined inet_pton(AF_INET6, $_[0]) }


sub is_hostname {
    my ($text) = @_;

    return is_ipv4($text) if $text =~ /^[0-9.]*\z/;

    return length $text <= 253
           && !grep { !/^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\z/ }
                    split /\./, $text, -1;
}


# ---- errors: one line, where and what

sub refuse {
    my ($v, $what) = @_;
    complain($v->{source} // 'default', $v, $v->{given} // $v->{value}, $what);
}


# A key must not end up in somebody's log.
sub complain {
    my ($where, $v, $text, $what) = @_;

    $text = show($text);
    $text =~ s/^(...).+/$1.../ if $v->{secret};

    fail("$where: $v->{name}=\"$text\": allowed: $what");
}


sub show {
    my ($text) = @_;
    return $text =~ s/$control/?/gr =~ s/^(.{200}).+/$1.../r;
}


sub fail {
    remark(@_);
    exit 1;
}


sub remark {
    binmode STDERR;
    print STDERR "$_[0]\n";
}


# ---- the demo instances

sub read_demo {
    my $lines = lines($ENV{WA_DEMO}) // fail("$ENV{WA_DEMO}: cannot be read");
    return join "\n", @$lines;
}


sub demo_instances {
    my @addresses = $demo =~ /^[ \t]*listen[ \t]+(127\.0\.0\.1:[0-9]+);/mg;

    refuse($variable{PORT}, 'a port the demo instances do not take')
        if grep { $_ eq "127.0.0.1:$variable{PORT}{value}" } @addresses;

    return [map { { url => "http://$_", vendor => 'plain' } } @addresses];
}


# ---- what comes out

sub summary {
    my %reached = ('0.0.0.0' => '127.0.0.1', '[::]' => '[::1]');
    my ($host, $port) = @is{qw(HOST PORT)};
    my $near = $reached{$host} // $host;
    my $key = "$is{API_KEY}$is{API_KEY_FILE}" ne '' ? 1 : 0;

    return join '', map { "$_\n" }
        "host $host", "port $port", "url http://$near:$port", "key $key",
        $demo ne '' ? 'demo 1' : (), vendors() ? 'sessions 1' : (),
        map { "instance $_->{url}" } @{$is{INSTANCES}};
}


sub for_ctl {
    my @lines = grep { /^(?:url|sessions) / } split /^/, summary();
    return join '', @lines, $is{ADMIN_KEY} eq '' ? () : "key $is{ADMIN_KEY}\n";
}


sub config {
    my $template = $ENV{WA_TEMPLATE};
    my $lines = lines($template) // fail("$template: cannot be read");
    my %block = blocks();
    my $text = '';

    for my $line (@$lines) {
        my ($before, $name, $after) = $line =~ /^(.*?)\{\{([A-Z_]+)\}\}(.*)/;
        my $block = defined $name ? $block{$name} : '';

        if (!defined $name) {
            $text .= "$line\n";

        } elsif (!defined $block) {
            fail("$template: unknown {{$name}}");

        } elsif ($before =~ /[^ ]/ || $after ne '') {
            $text .= "$before$block$after\n";

        } else {
            # On a line of its own a block brings its directives, or none.
            $block =~ s/^(?=.)/$before/mg;
            $block =~ s/(?<=[^\n])\z/\n/;
            $text .= $block;
        }
    }

    return $text;
}


# What the template has in {{ }}.
sub blocks {
    my ($timeout, $interval) = @is{qw(REQUEST_TIMEOUT HEALTH_CHECK_INTERVAL)};
    my @instances = @{$is{INSTANCES}};
    my @vendors = vendors();
    my $ssl = @instances && $instances[0]{url} =~ /^https:/;
    my ($user, $log) = @ENV{qw(WA_USER WA_LOG)};
    my ($key, $key_file) = @is{qw(API_KEY API_KEY_FILE)};
    my ($name, $value) = map { quote($_) } @{$is{HEALTH_CHECK_HEADER} || []};
    my ($path, @good) = map { quote($_) } @{$is{HEALTH_CHECK_JSON} || []};

    $key = "file=$key_file" if $key_file ne '';

    # Without one a vendor's own list is what is asked.
    my $uri = @vendors && ($variable{HEALTH_CHECK_PATH}{given} // '') eq ''
              ? '' : quote("uri=$is{HEALTH_CHECK_PATH}") . ' ';

    # Steps of two: a zone that changes its size is a new, empty zone.
    my $zone = 256;
    $zone *= 2 while $zone < 64 + $room + 3 * @instances;
    $zone += $sessions_room if @vendors;

    return (
        MODULE => quote($ENV{WA_MODULE}),
        USER => $user eq '' ? '' : 'user ' . quote($user) . ';',
        ACCESS_LOG => quote($log eq '' ? 'access.log' : $log),
        WORKERS => $is{WORKERS},
        SHUTDOWN => shutdown_time($timeout, @vendors) . 'ms',
        TIMEOUT => "${timeout}ms",
        LISTEN => listens(@is{qw(HOST PORT)}),
        LANG => $is{GATEWAY_LANG},
        API_KEY => $key eq '' ? '' : 'wa_gateway_api_key ' . quote($key) . ';',
        RESOLVER => $is{RESOLVER} eq '' ? '' : "resolver $is{RESOLVER};\n\n",
        ADMIN_KEY => 'wa_gateway_admin_key '
                     . ($is{ADMIN_KEY} eq '' ? "file=$admin_key_file"
                                             : quote($is{ADMIN_KEY})) . ';',
        STATE => 'wa_gateway_state ' . quote($is{STATE_FILE}) . ';',
        TRUSTED => join('', map { "$_ 1;\n" } @{$is{TRUSTED_PROXIES}}),
        VENDORS => join('', map { 'include ' . file_name($vendor_file{$_})
                                  . ";\n" } @vendors) . (@vendors ? "\n" : ''),
        BALANCER => balancer("${zone}k", scalar @vendors),
        INSTANCES => instance_lines(@instances),
        CHECK => "wa_gateway_check ${uri}interval=${interval}ms"
                 . " timeout=${timeout}ms"
                 . ($ssl ? ' ssl=on;' : ';'),
        EXPECT => ($name ? "wa_gateway_check_header $name $value;\n" : '')
                  . ($path ? "wa_gateway_expect json $path = @good;" : ''),
        SCHEME => $ssl ? 'https' : 'http',
        HOST => $ssl ? tls_host(map { $_->{url} } @instances) : '$wa_host',
        ALLOW => @vendors && $is{ALLOW_DANGEROUS} eq 'on'
                 ? 'wa_gateway_allow on;' : '',
        LOG_PATH => @vendors ? '$wa_gateway_path' : '$uri',
        SESSION_LOG => @vendors ? session_log() : '',
        SESSIONS => @vendors ? location('sessions',
                                        'wa_gateway_sessions whatsapp') : '',
        SEND => @vendors ? sends($ssl ? 'https' : 'http') : '',
        TLS => $ssl ? "proxy_ssl_server_name on;\n"
                      . "proxy_ssl_name        \$wa_tls_name;\n"
                      . 'proxy_ssl_protocols   TLSv1.2 TLSv1.3;' : '',
        DEMO => $demo,
    );
}


# To wait for the number's budget, to connect, and to wait for an answer: what a
# message may take.
sub shutdown_time {
    my ($timeout, @vendors) = @_;
    my $answer = $timeout;

    for (map { send_time($_) } @vendors) {
        $answer = $_ if $_ > $answer;
    }

    my $wait = @vendors && pace() ? $is{PACE_WAIT} : 0;

    return $timeout + $answer > 25000 ? $timeout + $answer + $wait + 5000
                                      : $wait + 30000;
}


# "timeout" of a vendor's file, in ms; what is wrong with it is nginx's to say.
sub send_time {
    my ($vendor) = @_;
    my %unit = (ms => 1, s => 1000, m => 60000, h => 3600000);
    my ($text) = map { /^\s*timeout\s+(\w+)\s*;/ } @{lines($vendor_file{$vendor})
                                                     // []};
    my $time = 0;

    $time += $1 * $unit{$2 // 's'} while ($text // '') =~ /(\d+)(ms|[smh])?/g;

    return $time < $day ? $time : $day;
}


sub location {
    my ($name, @lines) = @_;
    return "location = /$name {\n" . join('', map { "    $_;\n" } @lines)
           . "}\n\n";
}


sub sends {
    my ($scheme) = @_;
    my $country = $is{DEFAULT_COUNTRY} eq ''
                  ? '' : " country=$is{DEFAULT_COUNTRY}";

    return location('send-message', "wa_gateway_send text$country",
                    "proxy_pass $scheme://whatsapp")
           . location('send-media', "wa_gateway_send media$country",
                      "proxy_pass $scheme://whatsapp");
}


sub session_log {
    return join "\n", map { "'$_=\"\$wa_gateway_$_\" '" }
                      qw(session number message_id);
}


sub balancer {
    my ($zone, $vendors) = @_;
    my ($main) = main_vendor();
    my ($key, $file) = @is{qw(VENDOR_KEY VENDOR_KEY_FILE)};
    my @words = ('wa_gateway', "zone=whatsapp:$zone",
                 "capacity=$capacity");

    push @words, "dns_refresh=$is{DNS_REFRESH}ms" if $is{DNS_REFRESH} ne '30000';
    push @words, "sessions=$sessions" if $vendors;
    push @words, "vendor=$main" if $main ne 'plain';
    push @words, quote("key=$key") if $main ne 'plain' && $key ne '';
    push @words, quote("key_file=$file") if $file ne '';

    return "@words;" if !$vendors;
    return "@words;\nwa_gateway_sender $is{SENDER};"
           . idempotency() . pace() . store();
}


sub idempotency {
    return "\nwa_gateway_idempotency off;" if $is{IDEMPOTENCY} eq 'off';

    my $journal = $is{JOURNAL} eq 'off' ? '' : ' ' . quote("journal=$is{JOURNAL}");

    return "\nwa_gateway_idempotency $is{IDEMPOTENCY} "
           . "ttl=$is{IDEMPOTENCY_TTL}ms$journal;";
}


sub pace {
    my %limit = (number => $is{PACE_NUMBER}, recipient => $is{PACE_RECIPIENT},
                 day => $is{PACE_DAY});
    my @words = map { "$_=$limit{$_}" } grep { $limit{$_} ne 'off' }
                sort keys %limit;

    return '' if !@words;

    push @words, "burst=$is{PACE_BURST}" if $is{PACE_BURST} > 1;
    push @words, "wait=$is{PACE_WAIT}ms" if $is{PACE_WAIT} > 0;
    push @words, "day_start=$is{PACE_DAY_START}"
        if $is{PACE_DAY_START} ne '00:00';

    return "\nwa_gateway_pace @words;";
}


sub store {
    return '' if $is{STORE_URL} eq '';
    return "\nwa_gateway_store " . quote($is{STORE_URL}) . ';';
}


# A directive for each row of instances that have the same vendor, so that they
# keep their order.
sub instance_lines {
    my ($main) = main_vendor();
    my (@lines, $before);

    for (@_) {
        my $vendor = $_->{vendor};

        if (!defined $before || $before ne $vendor) {
            my $own = $vendor eq 'plain' ? '' : $is{own_key($vendor)->{name}};

            push @lines, join ' ', 'wa_gateway_instances',
                $vendor eq $main ? () : "vendor=$vendor",
                $own eq '' ? () : quote("key=$own");
        }

        $lines[-1] .= "\n    " . quote($_->{url});
        $before = $vendor;
    }

    return join "\n", map { "$_;" } @lines;
}


sub listens {
    my ($host, $port) = @_;
    my @hosts = ($host);

    return "listen [::]:$port ipv6only=off;" if $host eq '[::]';

    # A localhost that is also ::1 cannot be bound where IPv6 is off.
    if ($host eq 'localhost') {
        my $ipv6 = grep { /^0+1 / } @{lines('/proc/net/if_inet6') // []};
        @hosts = ('127.0.0.1', $ipv6 ? '[::1]' : ());
    }

    return join "\n", map { "listen $_:$port;" } @hosts;
}


# One request may meet several instances, but it has one Host: it can only be
# theirs when they share it.
sub tls_host {
    my %hosts = map { s{^https://}{}r => 1 } @_;
    my ($host, @others) = keys %hosts;

    return @others ? '$wa_host' : quote($host);
}


# For "include", which takes some of them for a pattern.
sub file_name {
    my ($text) = @_;

    $text =~ s/([*?[\\])/\\$1/g if $text =~ /[*?[]/;
    return quote($text);
}


# For nginx's lexer.  Control characters were refused before; a "$" stays as
# it is, since none of the directives that get a value knows variables.
sub quote {
    my ($text) = @_;
    return '"' . $text =~ s/([\\"])/\\$1/gr . '"';
}


# ---- text

# Lines of a file without their ends and a BOM; undef if it cannot be read.
sub lines {
    my ($path) = @_;

    open my $handle, '<:raw', $path or return;
    local $/;
    my $text = <$handle> // return;

    $text =~ s/^\xef\xbb\xbf//;
    return [map { s/\r\z//r } split /\n/, $text];
}


# What stands between commas.
sub list {
    my ($text) = @_;
    return map { trim($_) } split /,/, $text, -1;
}


sub trim {
    my ($text) = @_;
    return $text =~ s/^[ \t]+|[ \t]+\z//gr;
}
