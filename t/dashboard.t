#!/usr/bin/perl

# The dashboard without a browser: how it is served, what stands in its files.
# In a browser it is tested by `make dashboard-test`.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp;
use JSON::PP;
use Test::More;
use WaGateway::Launcher;

my $Root = root();
my $html = "$Root/html";

# the scripts in the order in which they are loaded, and what each may know
my @Scripts = (['dashboard.texts.js',    'TEXTS'],
               ['dashboard.gateway.js',  'gateway'],
               ['dashboard.sessions.js', 'sessions', qw(gateway)],
               ['dashboard.control.js',  'control', qw(gateway)],
               ['dashboard.login.js',    'logins', qw(gateway)],
               ['dashboard.parts.js',    'parts', qw(TEXTS gateway)],
               ['dashboard.view.login.js', 'loginView', qw(logins parts)],
               ['dashboard.view.sessions.js', 'sessionView',
                                         qw(control gateway loginView parts
                                            sessions)],
               ['dashboard.view.control.js', 'controlView',
                                         qw(control gateway parts)],
               ['dashboard.view.js',     'view',
                                         qw(control controlView gateway
                                            loginView parts sessionView
                                            sessions)],
               ['dashboard.js',          undef,
                                         qw(control controlView gateway
                                            loginView parts sessionView
                                            sessions view)]);

my %file = map { $_ => read_file("$html/$_") }
           qw(dashboard.html dashboard.css dashboard.svg),
           map { $_->[0] } @Scripts;
my $all = join "\n", values %file;

my $Policy = "default-src 'none'; script-src 'self'; style-src 'self'; "
             . "connect-src 'self'; img-src 'self'; base-uri 'none'; "
             . "form-action 'none'; frame-ancestors 'none'";


# The files

for my $name (sort keys %file) {
    ok(length $file{$name}, "$name is there");
    my $copy = $file{$name};
    ok(utf8::decode($copy), "$name is UTF-8");
}

my $page = $file{'dashboard.html'};

unlike($page, qr/\son\w+\s*=/i, 'no inline handler');
unlike($page, qr/\sstyle\s*=|<style/i, 'no inline style');
is(scalar(() = $page =~ /<script\b/g),
   scalar(() = $page =~ /<script src="[\w\/.]+" defer><\/script>/g),
   'no inline script');
unlike($page, qr/javascript:/i, 'no javascript: link');
unlike($page =~ s/<!DOCTYPE[^>]*>//r, qr/(?:https?:)?\/\//, 'no other host');

is(join(' ', $page =~ /<script src="dashboard\/([\w.]+)"/g),
   join(' ', map { $_->[0] } @Scripts), 'it loads the scripts');
is(join(' ', sort map { s/.*\///r } glob "'$html'/*"),
   join(' ', sort keys %file), 'there is no other file');

# Each knows those above it, none those below.

my @globals = grep { defined } map { $_->[1] } @Scripts;

for (@Scripts) {
    my ($name, $global, @known) = @$_;
    my $code = $file{$name} =~ s/^\s*\/\/.*|\s\/\/ .*|'[^'\n]*'//mgr;
    my %used = map { $_ => 1 } grep { !defined $global || $_ ne $global }
               grep { $code =~ /(?<![\w.])$_\b/ } @globals;

    like($file{$name}, qr/\A'use strict';\n/, "$name is strict");
    is(join(' ', sort keys %used), join(' ', sort @known),
       "$name knows what it may");
    is(join(' ', ($code =~ s/\(function \(\) \{\n.*^\}\)\(\);//msr)
                 =~ /^(?:async )?(?:const|let|var|function|class) (\w+)/mg),
       $global // '', "$name has one name for the others");
}

unlike(join('', @file{qw(dashboard.gateway.js dashboard.sessions.js
                         dashboard.control.js dashboard.login.js)})
       =~ s/document\.hidden//gr,
       qr/\b(?:document|window|localStorage|sessionStorage)\b/,
       'what asks the gateway draws nothing');
unlike(join('', map { $file{$_->[0]} } grep { $_->[0] ne 'dashboard.gateway.js' }
                @Scripts),
       qr/\bfetch\b|XMLHttpRequest/, 'what draws asks nothing');
unlike(join('', map { $file{"dashboard.$_.js"} } qw(parts view.login
                                                    view.sessions view.control view)), qr/\bgateway\.ask\b/, 'nor by another');

my $scripts = join '', map { $file{$_->[0]} } @Scripts;

unlike($scripts, qr/innerHTML|outerHTML|insertAdjacentHTML|document\.write
                    |\beval\b|new\s+Function|DOMParser|srcdoc
                    |createContextualFragment/x,
       'nothing is put into the page as markup, or run from text');
unlike($scripts, qr/setAttribute\('(?:on\w+|style)'/, 'nor by an attribute');
is(join(' ', $scripts =~ /(https?:\/\/[^'"\s]+)/g),
   'http://www.w3.org/2000/svg', 'the scripts know no host');
unlike($file{'dashboard.css'}, qr/\@import|url\(/, 'nor does the style sheet');
like($file{'dashboard.css'}, qr/prefers-color-scheme: dark/, 'a dark one too');
like($page, qr/<html lang="ar" dir="rtl">/, 'Arabic at first');
like($page, qr/aria-live/, 'changes are told');
like($page, qr/role="alert"/, 'and alarms');

my %id;
$id{$_}++ for $page =~ /\sid="([^"]+)"/g;
is(join(' ', grep { $id{$_} > 1 } keys %id), '', 'ids are unique');
is(join(' ', grep { !$id{$_} } $scripts =~ /\$\('([\w-]+)'\)/g),
   '', 'and are there');
is(join(' ', grep { !$id{$_} }
             map { split ' ' } $page =~ /(?:aria-\w+by|aria-controls|for)="([^"]+)"/g),
   '', 'so are those that labels name');


# Both languages say the same

my %texts;
my $lang;

for (split /\n/, $file{'dashboard.texts.js'}) {
    $lang = $1 if /^    (\w+): \{$/;
    undef $lang if /^    \},$/;
    next unless defined $lang;
    $texts{$lang}{$1} = $2 if /^        (\w+): ['\[](.*?)'?,?$/;
    push @{$texts{$lang}{patterns}}, $1 if /^            \[(\/.*\/i?), '/;
}

is(join(' ', sort keys %texts), 'ar en', 'two languages');
cmp_ok(scalar(keys %{$texts{ar}}), '>', 60, 'with their texts');
is(join(' ', sort keys %{$texts{en}}), join(' ', sort keys %{$texts{ar}}),
   'the same keys');
is_deeply($texts{en}{patterns}, $texts{ar}{patterns}, 'the same reasons');

for my $key (sort keys %{$texts{ar}}) {
    my ($ar, $en) = map { join ' ', sort $texts{$_}{$key} =~ /(\{\w+\})/g }
                    qw(ar en);
    is($en, $ar, "$key is filled in alike");
}

my @used = ($page =~ /data-t(?:-\w+)?="(\w+)"/g,
            $scripts =~ /\btext\.(\w+)/g);
is(join(' ', grep { !exists $texts{en}{$_} } @used), '',
   'every text in use is there');

# what stands in the page before the script runs is the Arabic text
while ($page =~ /data-t="(\w+)"[^>]*>([^<]*)</g) {
    is($2, $texts{ar}{$1}, "the page has the text of $1");
}


# What the rules and the Grafana dashboard ask for is what the module has

my $source = join '', map { read_file($_) } glob("'$Root'/src/*/*.c '$Root'/src/*/*/*.c");
my $names = join '|', $source =~
            /\{ "(wa_gateway_\w+)", "(?:gauge|counter|histogram)"/g;

for my $name ('conf/grafana/wa_gateway.json',
              'conf/prometheus/wa_gateway.rules.yml')
{
    my $text = read_file(root() . "/$name");
    is(join(' ', grep { !/^(?:$names)(?:_bucket|_sum|_count)?$/ }
                 $text =~ /\b(wa_gateway_\w+)\s*[{\[)]/g), '',
       "$name asks for metrics that are there");
}

my $grafana = eval { decode_json(read_file(root()
                                           . '/conf/grafana/wa_gateway.json')) };
ok($grafana && @{$grafana->{panels}} > 10, 'the Grafana dashboard is JSON');
my %panel;
$panel{$_->{id}}++ for @{$grafana->{panels}};
is(join(' ', grep { $panel{$_} > 1 } keys %panel), '', 'its ids are unique');

my $rules = read_file(root() . '/conf/prometheus/wa_gateway.rules.yml');
my $tests = read_file(root() . '/conf/prometheus/wa_gateway.test.yml');
is(join(' ', grep { $tests !~ /alertname: $_\b/ } $rules =~ /alert: (\w+)/g),
   '', 'each alert has a test');

SKIP: {
    skip 'no promtool', 4 unless grep { -x "$_/promtool" }
                                 split /:/, $ENV{PATH};

    for (['check', 'rules', 'wa_gateway.rules.yml'],
         ['test', 'rules', 'wa_gateway.test.yml'],
         ['check', 'config', 'prometheus.yml'])
    {
        my ($status, $out, $err) = run_command({}, 'promtool', @$_[0, 1],
                                   root() . "/conf/prometheus/$_->[2]");
        is($status, 0, "promtool @$_") or diag "$out$err";
    }

    # what Grafana asks, as rules
    my $file = File::Temp->new(SUFFIX => '.yml');
    my $n = 0;
    print $file "groups:\n  - name: g\n    rules:\n", map {
        my $expr = $_->{expr};
        $expr =~ s/\$__rate_interval|\$__range/5m/g;
        $n++;
        "      - record: r$n\n        expr: "
        . JSON::PP->new->allow_nonref->encode($expr) . "\n";
    } map { @{$_->{targets}} } @{$grafana->{panels}};
    close $file;

    my ($status, $out, $err) = run_command({}, 'promtool', 'check', 'rules',
                                           "$file");
    is($status, 0, 'promtool takes what the Grafana dashboard asks')
        or diag "$out$err";
}


# As it is served

SKIP: {
    skip 'the module is not built', 1
        unless -f root() . '/build/ngx_http_wa_gateway_module.so';

    my $dir = checkout();
    my ($port, $up) = map { free_port() } 1 .. 2;

    instance($up);
    write_file("$dir/.env", "PORT=$port\nINSTANCES=http://127.0.0.1:$up\n"
                            . "API_KEY=secret\n");

    # below a directory that workers may not walk, when they are others
    chmod 0700, $dir;

    my $gateway = launch({}, "$dir/bin/wa-gateway", 'run');
    ok($gateway->says(qr/http:\/\/127\.0\.0\.1:$port\/dashboard$/m),
       'run tells where the dashboard is') or diag $gateway->output;

    my %type = (html => 'text/html', css => 'text/css', svg => 'image/svg+xml',
                js => 'text/javascript');

    for (['/dashboard', 'dashboard.html'],
         map { ["/dashboard/$_", $_] } sort keys %file)
    {
        my ($path, $name) = @$_;
        my ($suffix) = $name =~ /(\w+)$/;
        my ($head, $body) = split /\r\n\r\n/, http($port, $path), 2;

        like($head, qr/^HTTP\/1\.1 200 /, "$path, without a key");
        is($body, $file{$name}, "$path is $name");
        like($head, qr/^Content-Type: \Q$type{$suffix}\E; charset=utf-8\r?$/mi,
             "$path has its type");
        like($head, qr/^Content-Security-Policy: \Q$Policy\E\r?$/mi,
             "$path has the policy");
        like($head, qr/^X-Content-Type-Options: nosniff\r?$/mi,
             "$path is not sniffed");
        like($head, qr/^Referrer-Policy: no-referrer\r?$/mi,
             "$path tells nobody");
    }

    like(http($port, '/status'), qr/^HTTP\/1\.1 401 /, '/status wants the key');
    like(http($port, '/metrics'), qr/^HTTP\/1\.1 401 /, 'so does /metrics');

    my @key = (headers => ['Authorization: Bearer secret']);
    like(http($port, '/metrics', @key), qr/^wa_gateway_instance_up\{/m,
         'which Prometheus can bring');

    my $missing = http($port, '/dashboard/nothing');
    like($missing, qr/^HTTP\/1\.1 404 /, 'no other file');
    like($missing, qr/^Content-Security-Policy: /mi, 'with the policy all the same');
    unlike(http($port, '/dashboard/../nginx.conf'), qr/worker_processes/,
           'nothing beside the directory');
    like(http($port, '/dashboard', method => 'POST', body => 'x'),
         qr/^HTTP\/1\.1 405 /, 'POST is 405');

    # a reload takes new files
    unlink "$dir/run/html/dashboard.css";
    $gateway->signal('HUP');
    ok($gateway->says(qr/^Reloaded/m), 'a reload');
    like(http($port, '/dashboard/dashboard.css'), qr/^HTTP\/1\.1 200 /,
         'the files are still there');

    $gateway->signal('TERM');
    is($gateway->ended, 0, 'it ends well');

    # the example for an nginx of one's own serves the same
    my $example = read_file(root() . '/conf/nginx.conf.example');
    my $template = read_file(root() . '/conf/wa_gateway.conf.template');
    for ($example, $template) {
        like($_, qr/add_header Content-Security-Policy "\Q$Policy\E" always;/,
             'the policy is in both configurations');
    }
}

done_testing;
