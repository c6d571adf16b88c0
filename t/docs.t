#!/usr/bin/perl

# The documentation tells of the code as it is, and of nothing else; what is
# shown works, and the Arabic pages are as complete as the English ones.

use strict;
use warnings;
use utf8;

use File::Glob qw(bsd_glob);
use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use WaGateway::Docs;
use WaGateway::Nginx qw(slurp);

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $root = "$FindBin::Bin/..";
my $code = code($root);
my %page = map { s{^\Q$root\E/}{}r => page($_) }
           map { bsd_glob("$root/$_") } 'README*.md', 'docs/*.md';
my $directives = directives($code);
my $parameters = parameters($code, $directives);
my $vendors = vendors($code);
my $port = WaGateway::Fake::free_port();
my $openssl = system('openssl version >/dev/null 2>&1') == 0;

my ($version) = $code->{'wag_conf.h'}
                =~ /WAG_VERSION\s+"([\d.]+)"/;

# what is written down for the next release is there already
my ($next) = slurp("$root/CHANGES") =~ /^\s*Changes with wa_gateway ([\d.]+)/;
my @variables = join('', @$code{qw(wag_ctx.c wag_log.c)})
                =~ /\{ ngx_string\("(wa_gateway_\w+)"\), (?:NULL,|wag_ctx_)/g;
my @metrics = $code->{'wag_metric_table.c'}
              =~ /^    \{ "(wa_gateway_\w+)", "\w+",/mg;

# What the rest goes by; a pattern that finds nothing would test nothing.
cmp_ok(scalar keys %$directives, '>=', 13, 'directives of the code');
cmp_ok(scalar(map { keys %$_ } values %$parameters), '>=', 26,
       'parameters of the code');
ok(version->parse("v$version") <= version->parse("v$next"),
   "version $version, and $next in CHANGES");
is(join(' ', map { slurp("$root/$_->[0]") =~ $_->[1] ? $1 : "none in $_->[0]" }
        ['bin/wa-gateway', qr/^VERSION=(\S+)$/m],
        ['debian/changelog', qr/^wa-gateway \((\S+)\)/],
        ['docs/openapi.yaml', qr/^  version: (\S+)$/m]),
   "$version $version $version", 'which all say');
cmp_ok(scalar @variables, '>=', 4, 'variables of the code');
cmp_ok(scalar @metrics, '>=', 15, 'metrics of the code');
cmp_ok(scalar messages($code), '>=', 50, 'messages of the code');
cmp_ok(scalar(my @codes = codes($code)), '>=', 25, 'codes of errors');
cmp_ok(scalar keys %{$vendors->{directives}}, '>=', 7,
       'directives of a vendor');
cmp_ok(scalar(map { keys %{$_->{parameters}} }
              values %{$vendors->{directives}}), '>=', 12,
       'parameters of a vendor');
cmp_ok(scalar @{$vendors->{states}}, '>=', 6, 'states of a vendor');
cmp_ok(scalar @{$vendors->{places}}, '>=', 4, 'places of templates');
cmp_ok(scalar @{$vendors->{kinds}}, '>=', 6, 'kinds of routes');
cmp_ok(scalar @{$vendors->{segments}}, '>=', 4, 'segments of routes');


sub same {
    my ($got, $want, $name) = @_;
    is(join("\n", sort @$got), join("\n", sort @$want), $name);
}


# A page in its languages, as far as they are there.
sub both {
    my ($name) = @_;
    return grep { exists $page{$_} } "$name.md", "$name.ar.md";
}


sub verdict {
    return WaGateway::Docs::verdict($_[0], $directives, $port);
}


# The reference: directives, syntax, default, context, since.

for my $name ('docs/directives.md', 'docs/directives.ar.md') {
    my %section = sections($page{$name});
    my ($index) = find_table($page{$name}, qr/^\[`wa_gateway`\]/);

    same([grep { /^wa_gateway/ } keys %section], [keys %$directives],
         "$name: a section for each directive, and no other");
    same([map { /^\[`(\w+)`\]\(#\1\)$/ } column($index, 0)],
         [keys %$directives], "$name: the list at the top");
    same([map { "$_->[0] $_->[1]" } @{$index}[1 .. $#$index]],
         [map { "[`$_`](#$_) $directives->{$_}{context}" } keys %$directives],
         "$name: contexts in that list");

    for my $d (sort keys %$directives) {
        my $text = $section{$d} || '';
        my ($head) = map { $_->[1] } blocks($text);
        my %is = ($head || '') =~ /^(\w+): +((?:.*\n)(?:^ .*\n)*)/mg;
        s/\s+/ /g, s/ $// for values %is;

        is($is{Context}, $directives->{$d}{context}, "$name: $d: context");
        is(scalar(grep { !/^\Q$d\E(?:$| )/ } split /; ?/, $is{Syntax} || '?'),
           0, "$name: $d: syntax");
        ok(($is{Since} || 'x') =~ /^\d+\.\d+\.\d+$/
           && version->parse("v$is{Since}") <= version->parse("v$next"),
           "$name: $d: since a version there is");
        like($is{Default} || '', qr/^(?:—|\Q$d\E )/, "$name: $d: default");

        my %default = ($is{Default} || '') =~ /(\w+=)([^\s;]+)/g;
        my ($table) = grep { @{$_->[0]} == 4 } tables($text);
        my $p = $parameters->{$d} || {};

        next unless %$p;
        same([map { /^`(\w+=)`$/ } column($table, 0)], [keys %$p],
             "$name: $d: parameters");

        for my $row (@{$table}[1 .. $#$table]) {
            my ($param) = $row->[0] =~ /^`(.*)`$/;
            my $want = $p->{$param} or next;

            like($is{Syntax}, qr/\b\Q$param\E/, "$name: $d: $param in syntax")
                unless $is{Syntax} =~ /parameter=value/;
            is($row->[1], $want->{values}, "$name: $d: values of $param")
                unless $name =~ /\.ar\./;
            is($row->[2], "`$want->{default}`", "$name: $d: default of $param")
                if defined $want->{default};
            is("`$default{$param}`", $row->[2], "$name: $d: default of $param"
                                                . ' as in the line above')
                if exists $default{$param};
        }
    }

    my ($vars) = find_table($section{Variables} || $section{'المتغيرات'},
                            qr/^`\$/);
    same([column($vars, 0)], [map { "`\$$_`" } @variables],
         "$name: variables");
}

# A vendor's file: a section for each directive, its parameters, the words for
# states, the places of templates.

for my $name ('docs/directives.md', 'docs/directives.ar.md') {
    my %section = sections($page{$name});
    my $text = $section{wa_gateway_vendor} || '';
    my %sub = subsections($text);
    my $known = $vendors->{directives};

    # tables before the first of them
    my ($head) = split /^### /m, $text;
    my $list = find_table($head, qr/^\[`\w+`\]\(#\w+\)$/);
    my $places = find_table($head, qr/^`<\w+>`$/);

    same([grep { /^[a-z_]+$/ } keys %sub], [keys %$known],
         "$name: vendor: a section for each directive, and no other");
    same([map { /^\[`(\w+)`\]\(#\1\)$/ } column($list || [[]], 0)],
         [keys %$known], "$name: vendor: the list of directives");
    same([column($places || [[]], 0)],
         [map { "`<$_>`" } @{$vendors->{places}}], "$name: vendor: places");

    my $states = find_table($sub{state} || '', qr/^`\w+`$/);
    same([column($states || [[]], 0)],
         [map { "`$_`" } @{$vendors->{states}}], "$name: vendor: states");

    my $kinds = find_table($sub{route} || '', qr/^`send`$/);
    my $segments = find_table($sub{route} || '', qr/^`\*`$/);
    same([column($kinds || [[]], 0)],
         [map { "`$_`" } @{$vendors->{kinds}}], "$name: vendor: kinds");
    same([column($segments || [[]], 0)],
         [map { "`$_`" } @{$vendors->{segments}}], "$name: vendor: segments");

    for my $d (sort keys %$known) {
        my ($block) = grep { $_->[0] eq '' } blocks($sub{$d} || '');
        my $syntax = $block ? $block->[1] : '';
        my $p = $known->{$d}{parameters};

        like($syntax, qr/^Syntax: +\Q$d\E /, "$name: vendor: $d: syntax");

        my ($table) = grep { @{$_->[0]} == 4 } tables($sub{$d} || '');
        same([map { /^`(\w+=)`$/ } column($table || [[]], 0)], [keys %$p],
             "$name: vendor: $d: parameters");

        for my $row (@{$table || []}[1 .. $#{$table || []}]) {
            my ($param) = $row->[0] =~ /^`(.*)`$/;
            my $want = $p->{$param} or next;

            like($syntax, qr/\b\Q$param\E/,
                 "$name: vendor: $d: $param in syntax");
            is($row->[1], $want->{values},
               "$name: vendor: $d: values of $param")
                unless $name =~ /\.ar\./ || $want->{type} eq 'STR';
            is($row->[2], "`$want->{default}`",
               "$name: vendor: $d: default of $param")
                if defined $want->{default};
        }
    }
}

# Values that are set elsewhere than in a table.
{
    my %section = sections($page{'docs/directives.md'});
    my ($zone) = $code->{'wag_balancer_conf.c'}
                 =~ /ZONE_SIZE\s+\((\d+) \* 1024\)/;
    my @kinds = $code->{'wag_expect_conf.c'}
                =~ /\{ ngx_string\("(\w+)"\), wag_expect_/g;
    my ($low, $high) = $code->{'wag_expect_conf.c'}
                       =~ /n < (\d+) \|\| n > (\d+)/;
    my ($expect) = grep { @{$_->[0]} == 4 }
                   tables($section{wa_gateway_expect});
    my ($passive) = $code->{'wag_passive.c'}
                    =~ /range\[0\] = (\d+);\s*range\[1\] = \d+/;
    my @langs = $code->{'ngx_http_wa_gateway_module.c'}
                =~ /\{ ngx_string\("(\w+)"\), WAG_LANG_/g;

    my ($sessions) = $code->{'wag_server_vendor.c'}
                     =~ /VENDOR_SESSIONS\s+(\d+)/;
    my %number = map { $_->[0] => $code->{$_->[1]} =~ /\b$_->[0] +(\d+)/ }
                 ['WAG_SESSION_NAME_LEN', 'wag_record.h'],
                 ['WAG_SESSION_TEXT_LEN', 'wag_record.h'],
                 ['WAG_SESSION_LABEL_LEN', 'wag_record.h'],
                 ['WAG_ROUND_ASKED', 'wag_round.c'],
                 ['WAG_VENDOR_STATES', 'wag_vendor.h'];
    my ($limit, $most) = map { $code->{'wag_sessions_api.c'}
                               =~ /SESSIONS_API_$_ +(\d+)/ } 'LIMIT', 'MOST';

    like($section{wa_gateway}, qr/\| `zone=` \|.*, `${zone}k` \|/,
         'default size of a zone');
    like($section{wa_gateway},
         qr/\| `sessions=` \| 1 to 1000000 \| `$sessions` \|/,
         'default room for sessions');
    like($section{wa_gateway_sessions},
         qr/\| `limit` \| 0 to $most \| `$limit` \|/, 'size of a page');
    like($section{wa_gateway_vendor}, qr/\bat most $number{$_}\b/,
         "vendor: $_") for sort keys %number;
    same([map { s/`//gr } column($expect, 0)], \@kinds,
         'kinds of expectation');
    like($section{wa_gateway_expect}, qr/\| $low to $high, ranges \|/,
         'statuses that may be expected');
    like($section{wa_gateway_passive},
         qr/\| `status=` \| 500 to 599 \| `$passive-599` \|/,
         'statuses that count by default');
    like($section{wa_gateway_errors},
         qr/Syntax: +wa_gateway_errors @{[join '\|', @langs]};/, 'languages');

    my %merged = $code->{'wag_conf.c'}
        =~ /merge_(?:uint_|ptr_)?value\(conf->(\w+), [^,]+,\s*(\w+)\)/g;
    is_deeply(\%merged, { errors => 'WAG_LANG_OFF',
                          envelope => 0, keys => 'NULL', admin_keys => 'NULL',
                          send => 'WAG_SEND_OFF', allow => 'NULL' },
              'what is inherited is off by default');
    like($section{$_}, qr/^Default:  $_ off;$/m, "$_: off by default")
        for qw(wa_gateway_errors wa_gateway_envelope wa_gateway_api_key
               wa_gateway_admin_key wa_gateway_send wa_gateway_allow);
}


# Metrics, codes of errors, variables of .env and alerts: all that are there,
# and no other.  And no name anywhere that the code does not know.

for my $name (both('docs/watching')) {
    my $metrics = find_table($page{$name}, qr/^`wa_gateway_info`/);
    same([column($metrics, 0)], [map { "`$_`" } @metrics], "$name: metrics");
}

same([told_codes($page{$_})], \@codes, "$_: codes") for both('docs/sending');

for (lists($root, $code)) {
    my ($re, $what, $pages, @names) = @$_;

    for my $name (map { both($_) } @$pages) {
        my $table = find_table($page{$name}, $re) || [[]];
        same([map { /`(\w+)`/g } column($table, 0)], \@names,
             "$name: $what");
    }
}

my %known = map { $_ => 1 } keys %$directives, @variables, @metrics,
            'wa_gateway_module';
$known{"wa_gateway_request_duration_seconds_$_"} = 1
    for qw(bucket sum count);

for my $file ((map { "$root/$_" } sort keys %page),
              map { bsd_glob("$root/$_") } 'conf/{,.}*', 'conf/*/{,.}*')
{
    next unless -f $file;
    my $text = page($file);
    my %bad = map { $_ => 1 } grep { !$known{$_} }
              $text =~ m{(?<![\w/.])(wa_gateway_\w+)\b(?![./*])}g;
    is(join(' ', sort keys %bad), '', 'no name unknown to the code: '
                                      . $file =~ s{.*/t/\.\./}{}r);
}


# What is shown works: examples, and errors.

for my $name (sort keys %page) {
    for (grep { $_->[0] eq 'nginx' } blocks($page{$name})) {
        SKIP: {
            skip 'no openssl here', 1 if $_->[1] =~ /ssl_certificate /
                                         && !$openssl;
            is(verdict($_->[1]), 'accepted', "$name:$_->[2]: example");
        }
    }
}

for my $table (grep { @{$_->[0]} == 2 && $_->[1][1] =~ /^`.*`$/
                      && $_->[1][0] =~ /;`$|\}`$/ }
               tables($page{'docs/directives.md'}))
{
    for (@{$table}[1 .. $#$table]) {
        my ($input, $want) = map { /^`(.*)`$/ } @$_;
        like(verdict($input), qr/\Q$want\E/, "error: $input");
    }
}


# Every message of the code, and why it is said, is somewhere.

for (messages($code)) {
    my ($re, $file) = @$_;
    my @in = map { spans($page{$_}) } 'docs/directives.md',
                                      'docs/operations.md';
    ok((grep { /$re/ } @in), "$file: $re") or diag('in no page');
}


for my $reason (reasons($code)) {
    ok((grep { /\Q$reason\E/ } spans($page{'docs/operations.md'})),
       "reason: $reason") or diag('in no page');
}


# Every room is in the design.

for my $room (map { /^wag_(\w+)\.h$/ } sort keys %$code) {
    ok((grep { $_ eq $room || $_ eq "$room.h" }
        spans($page{'docs/design.md'})), "design: $room");
}


# Zones: what is said to be enough is the least that is.

SKIP: {
    skip 'pages of another size', 26
        unless POSIX::sysconf(POSIX::_SC_PAGESIZE()) == 4096;

    for (@{find_table($page{'docs/operations.md'}, qr/^1$/)}[1 .. 5]) {
        my ($n, @said) = @$_;
        is(shift @said, least($n, $_, $port), "zone of $n, $_ workers")
            for 1, 2, 8;
    }

    my $table = find_table($page{'docs/operations.md'}, qr/^`sessions=\d+`$/);

    for (@{$table}[1 .. 3]) {
        my ($sessions, @said) = @$_;
        my ($most) = $sessions =~ /(\d+)/;
        is(shift @said, least($_, 2, $port, $most),
           "zone of $_ and $most sessions") for 1, 10, 100;
    }

    for (both('docs/watching')) {
        my ($n, $said) = $page{$_}
            =~ /for (\d+) instances \.\.\., at least (\d+k) is\s+needed/;
        is($said, least($n, 1, $port), "$_: zone of $n");
    }
}


# The example for an nginx of one's own, where few files may be open.
{
    my $said = example($root, $port);
    like($said, qr/test is successful/, 'conf/nginx.conf.example');
    unlike($said, qr/\[(?:warn|error|crit|alert|emerg)\]/,
           'not a word of warning');
}


# What is typed: commands, targets of make and variables that there are.

my %there = typeable($root);

cmp_ok(scalar keys %{$there{$_}}, '>=', 6, "there are: $_") for sort keys %there;

for my $name (sort keys %page) {
    my %typed = typed($page{$name});

    for my $kind (sort keys %there) {
        is(join(' ', grep { !$there{$kind}{$_} } @{$typed{$kind}}), '',
           "$name: there is each $kind");
    }

    is(join(' ', grep { !grep { -e } bsd_glob("$root/$_") } @{$typed{file}}), '',
       "$name: there is each file");
}

for my $name (sort keys %page) {
    for (dotenvs($page{$name})) {
        my ($status, $said) = renders($root, $_);
        is($status, 0, "$name: .env: " . s/\n.*//sr) or diag $said;
    }
}

for my $name (both('docs/running')) {
    my ($said) = grep { /^\.env:1: / } map { $_->[1] } blocks($page{$name});
    is((renders($root, $said =~ s/^\.env:1: (\w+=\S+):.*/$1/sr))[1], $said,
       "$name: what is said of a bad value");
}

cmp_ok(scalar(map { dotenvs($_) } values %page), '>=', 12, 'pages have .envs');

my %readme = typed($page{'README.md'});
same([sort keys %{{ map { $_ => 1 } @{$readme{command}} }}],
     [qw(reload run test)], 'README: commands');
is(scalar(grep { $_ eq 'compose.waha.yml' } @{$readme{compose}}), 1,
   'README: a compose file');
is(join(' ', grep { !-f "$root/conf/docker/$_" }
             map { my %typed = typed($_); @{$typed{compose}} } values %page),
   '', 'compose files are there');


# README is where to begin: it is short, and leads to every page.

for my $name (both('README')) {
    my $lines = () = $page{$name} =~ /\n/g;
    cmp_ok($lines, '<=', 250, "$name: lines");

    my %to = map { s/#.*//r => 1 } links($page{$name});
    my @pages = map { $name =~ /\.ar\./ ? (both(s/\.md$//r))[-1] : $_ }
                grep { m{^docs/} && !/\.ar\.md$/ } keys %page;
    is(join(' ', grep { !$to{$_} } sort @pages), '', "$name: all pages");
}

# No page says what another one says.

for my $lang (qr/(?<!\.ar)\.md$/, qr/\.ar\.md$/) {
    my (%in, @twice);

    for my $name (grep { /$lang/ } sort keys %page) {
        $in{$_}{$name} = 1 for statements($page{$name});
    }

    @twice = map { join(' ', sort keys %{$in{$_}}) . ": $_" }
             grep { keys %{$in{$_}} > 1 } sort keys %in;
    cmp_ok(scalar keys %in, '>=', 300, 'there is much to say');
    is(join("\n", @twice), '', 'and it is said once');
}


# The two languages.

for my $en (grep { !/\.ar\.md$/ } sort keys %page) {
    next if $en eq 'docs/design.md';
    ok(exists $page{$en =~ s/\.md$/.ar.md/r}, "$en: in Arabic");
}

for my $ar (grep { /\.ar\.md$/ } sort keys %page) {
    my $en = $ar =~ s/\.ar\././r;
    my ($e, $a) = @page{$en, $ar};

    is_deeply([map { skeleton($_) } blocks($a)],
              [map { skeleton($_) } blocks($e)], "$ar: blocks as in $en");
    is(join(' ', map { length $_ } $a =~ /^(#+) /mg),
       join(' ', map { length $_ } $e =~ /^(#+) /mg), "$ar: headings");
    is_deeply([map { [map { scalar @$_ } @$_] } tables($a)],
              [map { [map { scalar @$_ } @$_] } tables($e)],
              "$ar: tables of the same size");
    is_deeply([map { keys_of($_) } tables($a)],
              [map { keys_of($_) } tables($e)],
              "$ar: what the tables are about");
    is(scalar(links($a)), scalar(links($e)), "$ar: links");
}


# Links: files and anchors.

$page{$_} = page("$root/$_") for 'CONTRIBUTING.md', 'bench/README.md',
                                 'bench/RESULTS.md', 'bench/SIDES.md',
                                 'bench/SCALE.md';

for my $name (sort keys %page) {
    my ($dir) = $name =~ m{^(.*/)?};
    my @bad;

    for my $link (links($page{$name})) {
        my ($file, $anchor) = $link =~ /^([^#]*)#?(.*)$/;
        my $path = length $file ? ($dir || '') . $file : $name;
        1 while $path =~ s{[^/]+/\.\./}{};

        push @bad, $link if !-e "$root/$path"
            || length $anchor && !anchors($page{$path} || '')->{$anchor};
    }

    is(join(' ', @bad), '', "$name: links lead somewhere");
}

done_testing;
