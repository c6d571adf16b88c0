package WaGateway::Docs;

# The documentation and the code, taken apart for t/docs.t: pages in sections,
# tables and blocks; the code in directives, parameters and messages.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Glob qw(bsd_glob);
use File::Temp qw(tempdir);
use WaGateway::Nginx qw(slurp);

our @EXPORT = qw(code page sections blocks tables find_table column spans
                 anchors links skeleton keys_of directives parameters vendors
                 subsections messages reasons lists codes told_codes
                 statements typed typeable dotenvs renders around least example);


# All C of the module, adjacent string literals joined.
sub code {
    my ($root) = @_;
    my %code = map { m{([^/]+)$}; $1 => slurp($_) }
               map { bsd_glob("$root/$_") } '*.c', 'src/*/*.[ch]', 'src/*/*/*.[ch]';

    s/"[ \t]*\n\s*"//g for values %code;

    return \%code;
}


sub page {
    my ($file) = @_;
    my $text = slurp($file);
    utf8::decode($text);
    return $text;
}


# "## name" to the text below it.
sub sections {
    my ($text) = @_;
    my @parts = split /^## (.+)\n/m, $text;
    shift @parts;
    return @parts;
}


# The same of "### name".
sub subsections {
    my ($text) = @_;
    my @parts = split /^### (.+)\n/m, $text;
    shift @parts;
    return @parts;
}


# Fenced blocks, in a list too: [language, text, line].
sub blocks {
    my ($text) = @_;
    my @blocks;

    while ($text =~ /^( *)```(\w*)\n(.*?)^\1```$/msg) {
        my ($lang, $body, $before) = ($2, $3, substr $text, 0, $-[0]);
        push @blocks, [$lang, $body, 1 + ($before =~ tr/\n//)];
    }

    return @blocks;
}


sub unfenced {
    my ($text) = @_;
    $text =~ s/^( *)```\w*\n.*?^\1```$//msg;
    return $text;
}


# Tables: a list of rows, the head first and no rule; a row is its cells.
sub tables {
    my ($text) = @_;

    return map {
        my @rows = map { [map { s/^ +| +$//gr }
                          split /\|/, s/^\||\|$//gr, -1] } split /\n/;
        splice @rows, 1, 1;
        \@rows;
    } unfenced($text) =~ /((?:^\|.*\|\n)+)/mg;
}


sub find_table {
    my ($text, $re) = @_;
    return (grep { $_->[1][0] =~ $re } tables($text))[0];
}


# Without the head.
sub column {
    my ($table, $n) = @_;
    return map { $_->[$n] } @{$table}[1 .. $#$table];
}


# Language and text of a block, but for what is to be translated: comments, the
# one error that is shown in the reader's language, and which that is.
sub skeleton {
    my ($lang, $text) = @{$_[0]};
    $text =~ s/#[^\n]*//g if $lang eq 'sh';
    $text =~ s/wa_gateway_errors \K(?:ar|en);/LANG/g;
    $text =~ s/ +$//mg;
    return $lang eq 'json' ? $lang : "$lang\n$text";
}


# The first cells of a table that are code alone.
sub keys_of {
    my ($table) = @_;
    return [map { /^(?:\[?`[^`]+`\]?[,; ]*)+$/ ? $_ : '' }
            map { $_->[0] =~ s/\]\([^)]*\)/]/r } @$table];
}


# What stands between backticks, blanks and line ends being one.
sub spans {
    my ($text) = @_;
    return map { s/\s+/ /gr } unfenced($text) =~ /`([^`]+)`/g;
}


# As GitHub makes them of headings, and those that are written out.
sub anchors {
    my ($text) = @_;
    my %anchors = map { $_ => 1 } $text =~ /<a id="([^"]+)">/g;

    for (unfenced($text) =~ /^#+ (.+)$/mg) {
        my $name = lc;
        $name =~ s/[^\w\- ]//g;
        $name =~ tr/ /-/;
        $anchors{$name} = 1;
    }

    return \%anchors;
}


sub links {
    my ($text) = @_;
    return grep { !m{^\w+://} } unfenced($text) =~ /\]\(([^)\s]+)\)/g;
}


# Name to { context, handler }, from the table of ngx_command_t.
sub directives {
    my ($code) = @_;
    my %flags = (UPS => 'upstream', MAIN => 'http', SRV => 'server',
                 LOC => 'location');
    my %d;

    my ($table) = $code->{'ngx_http_wa_gateway_module.c'}
                  =~ /ngx_command_t.*?=\s*\{(.*?)ngx_null_command/s;

    while ($table =~ /\{\s*ngx_string\("(\w+)"\),\s*([^,]+),\s*(\w+),/g) {
        my ($name, $bits, $handler) = ($1, $2, $3);

        # One that an upstream has as well as a location has two rows.
        $d{$name} = { handler => $handler, context => join ', ',
                      $d{$name} ? $d{$name}{context} : (),
                      map { $flags{$_} } $bits =~ /NGX_HTTP_(\w+?)_CONF\b/g };
    }

    return \%d;
}


# Directive to its parameters, each { values, default }: from the tables of
# wag_param_t and what the fields are set to before.
sub parameters {
    my ($code, $directives) = @_;
    my %p;

    for my $name (keys %$directives) {
        my ($file) = function_of($code, $directives->{$name}{handler})
            or next;

        my $text = $code->{$file};
        $text .= $code->{$file} || '' if $file =~ s/_conf\.c$/.c/;

        my %rows = rows($text);
        $p{$name} = \%rows if %rows;
    }

    return \%p;
}


# The file that has a function with a table of parameters, and that table.
sub function_of {
    my ($code, $function) = @_;

    for my $file (sort keys %$code) {
        return ($file, $1) if $code->{$file} =~
            /^$function\([^()]*\)\n\{(?:(?!^\}).)*?\b(wag_\w+_params)\b/ms;
    }

    return;
}


# The rows of tables of wag_param_t.
sub rows {
    my ($text) = @_;
    my %max = (WAG_MAX_NUM => 1000000,
               WAG_MAX_MSEC => '365d',
               WAG_LOGIN_MAX_REFRESH => '10m',
               WAG_PACE_MAX_WAIT => '1h');
    my %p;

    while ($text =~ /\{\s*ngx_string\("(\w+=)"\),\s*
                     WAG_PARAM_(\w+),\s*
                     \w+\((?:\w+,\s*)?(\w+)\),\s*(\d+),\s*(\w+)\s*\}/gx)
    {
        my ($param, $type, $field, $min, $max) = ($1, $2, $3, $4, $5);
        $max = $max{$max} if $max{$max};
        my ($n) = $text =~ /\w(?:->|\.)$field = (\w+);/;
        $n = $1 if defined $n && $text =~ /^#define $n +(\d+)$/m;
        undef $n unless defined $n && $n =~ /^\d+$/;
        my ($s) = $text =~ /ngx_str_set\(&\w+->$field, "([^"]+)"\)/;

        $n = 0 if $text !~ /\w(?:->|\.)$field = \w+;/ && $min eq '0'
                  && $type =~ /^(?:NUM|MSEC|PERCENT|FLAG)$/;

        my %is = (STR => ['text', $s],
                  SECRET => ['text', undef],
                  FLAG => ['on, off', defined $n ? ($n ? 'on' : 'off')
                                                 : undef],
                  NUM => ["$min to $max", $n],
                  PERCENT => ["$min% to $max%",
                              defined $n ? "$n%" : undef],
                  MSEC => [($min ? "${min}ms" : $min) . " to $max",
                           defined $n ? time_text($n) : undef],
                  STATUS => ["$min to $max", undef]);

        $p{$param} = { type => $type, values => $is{$type}[0],
                       default => $is{$type}[1] };
    }

    return %p;
}


# What a vendor's file may say: directives, each { min, max, parameters }; words
# for states; places of templates; kinds of routes and segments of their paths.
sub vendors {
    my ($code) = @_;
    my (%d, @states, @places, @kinds, @segments);

    for my $file (sort keys %$code) {
        my $text = $code->{$file};

        for ($text =~ /^static wag_vendor_directive_t .*?\[\] = \{(.*?)^\};/msg) {
            while (/\{\s*ngx_string\("(\w+)"\),\s*(\d+),\s*(\w+),.*?
                    (\w+)\s*\}/gsx)
            {
                my ($name, $min, $max, $set) = ($1, $2, $3, $4);
                my ($in, $table) = function_of($code, $set);

                my ($rows) = $in ? $code->{$in}
                    =~ /^static wag_param_t +$table\[\] = \{(.*?)^\};/ms : '';

                $d{$name} = { min => $min, max => $max,
                              parameters => { rows($rows) } };
            }
        }

        for ($text =~ /\bwag_vendor_state_names\[\] = \{(.*?)^\};/msg) {
            push @states, /ngx_string\("(\w+)"\)/g;
        }

        for ($text =~ /\bwag_route_kinds\[\] = \{(.*?)^\};/msg) {
            push @kinds, /ngx_string\("(\w+)"\)/g;
        }

        for ($text =~ /\bwag_segment_conf_types\[\] = \{(.*?)^\};/msg) {
            push @segments, /ngx_string\("([^"]+)"\)/g;
        }

        for ($text =~ /\bwag_template_compile_places\[\] = \{(.*?)^\};/msg) {
            push @places, /ngx_string\("([^"]+)"\)/g;
        }
    }

    return { directives => \%d, states => \@states, places => \@places,
             kinds => \@kinds, segments => \@segments };
}


sub time_text {
    my ($ms) = @_;
    return $ms && $ms % 3600000 == 0 ? $ms / 3600000 . 'h'
         : $ms && $ms % 1000 == 0 ? $ms / 1000 . 's' : $ms ? "${ms}ms" : 0;
}


# What the code may say to the log at notice and above, or of a directive, as
# patterns: what is filled in may be anything but nothing.
sub messages {
    my ($code) = @_;
    my %m;

    for my $file (sort keys %$code) {
        my $text = $code->{$file};
        my @formats;

        while ($text =~ /ngx_(?:conf_)?log_error\((\w+),[^"]*?
                         "((?:[^"\\]|\\.)*)"/gx)
        {
            push @formats, $2 unless $1 =~ /NGX_LOG_(?:INFO|DEBUG)/;
        }

        push @formats, $text =~ /(?:\berr\ =\ (?:\w+\.err\ \?\ [^"]*)?
                                    |expect_error\(\s*e,\ err,\s*|return\ )
                                 "((?:[^"\\]|\\.)*)"/gx;

        for (@formats) {
            next if /^(?:%V|no memory.*|invalid user agent)$/;
            s/\\"/"/g;
            s/ in %s:%ui(?:: %s$)?/%s/g;
            $m{join '.*?', map { quotemeta }
                           split /%\d*(?:[VsPMOid]|u[izLA])/, $_, -1} = $file;
        }
    }

    return map { [$_, $m{$_}] } sort keys %m;
}


# Why an instance is down: what traffic and checks give as the reason, but for
# those that are the gateway's own.
sub reasons {
    my ($code) = @_;
    my %r;

    $r{$_} = 1 for map { $code->{$_} =~ /(?:reason\ =\s
                                            |_finish\(p,\ NGX_DECLINED,\s*
                                            |_fail\((?![^;]*NGX_ERROR)[^;"]*?
                                            |_broken\(p,\s*
                                            |\?\s*|:\s*|reason_set\([^;"]*?
                                            |reason_add\(reason,\s*
                                            |str_set\(&v->reason,\s*)
                                         "((?:[\w\ :]|\\")+)"/gx }
                   map { "wag_$_.c" }
                   qw(connect_error outcome probe transport tls expect
                      snapshot);

    delete $r{$_} for grep { /^(?:true|false|null)$|^ ?\\"$|errno/
                             || /^wa_gateway|^ is( \\")?$/ } keys %r;

    return map { s/\\"/"/g; s/^ |:? ?$//g; $_ } sort keys %r;
}


# Lists that pages have to name in full: what they begin with, what they are, the
# pages, and the names.
sub lists {
    my ($root, $code) = @_;

    return ([qr/^`INSTANCES`$/, 'variables of .env', ['docs/running'],
             slurp("$root/bin/render.pl") =~ /\{ name => '([A-Z_]+)'/g],
            [qr/^`WaGateway/, 'alerts', ['docs/watching', 'docs/operations'],
             slurp("$root/conf/prometheus/wa_gateway.rules.yml")
             =~ /- alert: (\w+)/g]);
}


# Codes of errors.
sub codes {
    my ($code) = @_;
    my %codes = map { $_ => 1 }
                $code->{'wag_error_table.c'} =~ /\{\s*\d+, "(\w+)",/g;
    return sort keys %codes;
}


# Those that a page has a row for, in tables with such a column.
sub told_codes {
    my ($text) = @_;
    my %told;

    for my $table (tables($text)) {
        my ($n) = grep { $table->[0][$_] eq '`code`' } 0 .. $#{$table->[0]};
        next unless defined $n;
        $told{$_} = 1 for map { /`(\w+)`/g } column($table, $n);
    }

    return sort keys %told;
}


# What a page says in so many words: its paragraphs, points and rows.
sub statements {
    my ($text) = @_;
    return grep { length $_ >= 60 } map { s/\]\([^)]*\)/]/gr =~ s/\s+/ /gr }
           split /\n\n+|\n(?=[-|] ?)/, unfenced($text);
}


# What a page lets its reader type: commands of bin/wa-gateway, targets of make,
# variables of .env, compose files; and the files of the checkout it names.
sub typed {
    my ($text) = @_;
    my @lines = map { split /\n/ } (map { $_->[1] } grep { $_->[0] eq 'sh' }
                                   blocks($text)), spans($text);
    my %typed = map { $_ => [] } qw(command target variable compose file);

    for (@lines) {
        s/(?:^|\s)#.*//;
        push @{$typed{command}}, $1 if /^(?:bin\/)?wa-gateway ([\w-]+)/;
        push @{$typed{target}}, $1 if /^make ([\w-]+)/ && $1 ne 'modules';
        push @{$typed{variable}}, $1
            if /^(?:echo )?((?!TEST)[A-Z_]{2,}?)(?:(?<=VENDOR_KEY)_[A-Z]+)?=/;
        push @{$typed{compose}}, $1 if /^docker compose -f (\S+)/;
        push @{$typed{file}},
            grep { m{^(?:bench|bin|conf|docs|html|t)/[\w./*-]+$} && !/NAME/ } split;
    }

    return %typed;
}


# The first three of these that there are.
sub typeable {
    my ($root) = @_;
    my %is = (command => [slurp("$root/bin/wa-gateway") =~ /^    ([a-z]+)\)$/mg],
              target => [slurp("$root/Makefile") =~ /^([\w-]+):/mg],
              variable => [slurp("$root/bin/render.pl")
                           =~ /\{ name => '([A-Z_]+)'/g]);

    return map { my $kind = $_; $kind => { map { $_ => 1 } @{$is{$kind}} } }
           keys %is;
}


# The blocks that are .env, or write one.
sub dotenvs {
    my ($text) = @_;
    return grep { /\A(?:[A-Z_]+=.+\n)+\z/ && !/^TEST_/ }
           map { /<<'END'\n(.*?)^END$/ms ? $1 : $_ }
           map { $_->[1] } grep { $_->[0] eq 'sh' } blocks($text);
}


# The exit status of `bin/wa-gateway render` with this .env, and its complaint.
sub renders {
    my ($root, $env) = @_;
    my $dir = tempdir('wa-docs-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    $env .= "\n" unless $env =~ /\n\z/;
    $env .= "INSTANCES=http://localhost:3001\n" unless $env =~ /^INSTANCES=/m;

    open my $fh, '>', "$dir/.env" or die "$!\n";
    print $fh $env;
    close $fh;

    my $said = `cd $dir && env -i PATH="\$PATH" WA_GATEWAY_ENV=.env \\
                WA_GATEWAY_RUNTIME=$dir/run \\
                @{[abs_path($root)]}/bin/wa-gateway render 2>&1 >/dev/null`;
    return ($? >> 8, $said);
}


# A piece of configuration with what it needs around it, as http { } has it.
sub around {
    my ($text, $directives, $port) = @_;

    $text =~ s/^\s*(?:load_module|error_log|user|pid|worker_\w+)\ [^;]*;
               [^\n]*\n//mgx;
    $text =~ s/^events \{(?: *\}|[^}]*\n\})\n//mg;
    $text =~ s{/(?:var|usr|etc)/[\w./]+/(\w)}{$1}g;
    $text =~ s/\blisten \K(?:[\d.]+:)?(?:3000|443)\b/127.0.0.1:$port/g;

    if ($text =~ /^\s*http \{(.*)\}\s*$/s) {
        return $1;
    }

    # names of the outermost directives
    my $top = $text =~ s/#[^\n]*//gr;
    $top =~ s/'[^'\n]*'|"(?:[^"\\]|\\.)*"/x/g;
    1 while $top =~ s/\{[^{}]*\}/;/;
    my %top = map { /^\s*(\w+)/ ? ($1 => $_) : () } split /;/, $top;
    my %in;

    for (keys %top) {
        $in{ $_ eq 'server' ? ($top{$_} =~ /\d|unix/ ? 'upstream' : 'http')
           : /^(?:upstream|map|limit_\w+_zone|log_format|geo)$/ ? 'http'
           : $directives->{$_} && $directives->{$_}{context} eq 'http' ? 'http'
           : $directives->{$_}
             && $directives->{$_}{context} =~ /^upstream(?:, http)?\z/
             || /^(?:keepalive|least_conn|zone)$/ ? 'upstream'
           : /^(?:proxy_\w+|limit_req)$/ ? 'location' : 'server' } = 1;
    }

    my ($in) = grep { $in{$_} } qw(http upstream server location);
    die "where does this belong?\n$text" unless $in;

    $text = "location / { $text }" if $in eq 'location';
    $text = "server { listen 127.0.0.1:$port; $text }"
        if $in =~ /^(?:server|location)$/;

    if ($in eq 'upstream') {
        my @more;
        push @more, 'wa_gateway;' unless $top{wa_gateway};
        $text .= ' server 127.0.0.1:3001;'
            unless $top{server} || $top{wa_gateway_instances};
        push @more, 'wa_gateway_check;'
            if !$top{wa_gateway_check} && $text =~ /\n/
               && grep { $top{$_} } qw(wa_gateway_check_header
                                       wa_gateway_expect);
        $text = "upstream whatsapp { @more $text }";
    }

    $text .= ' upstream whatsapp { wa_gateway; server 127.0.0.1:3001; }'
        unless $text =~ /(?:^|\})\s*upstream whatsapp \{/m;

    return $text;
}


# What `nginx -t` says of a piece of configuration: the first error, or
# "accepted".
sub verdict {
    my ($text, $directives, $port) = @_;

    my $ng = WaGateway::Nginx->new(port => $port, conf => 'http {'
        . ' access_log off;'
        . (join '', map { " ${_}_temp_path $_;" }
                    qw(client_body proxy fastcgi uwsgi scgi))
        . around($text, $directives, $port) . "\n}\n");

    certificate($ng->{dir}) if $text =~ /ssl_certificate /;
    keys_file($ng->{dir}) if $text =~ /file=wa_gateway\.(?:keys|admin)\b/;
    vendor_files($ng->{dir}) if $text =~ m{include vendors/};

    my ($status, $said) = $ng->test;
    my ($error) = $said =~ /\[(?:emerg|alert|crit)\] (?:\d+#\d+: )?(.*)/;

    return $status == 0 && !defined $error ? 'accepted'
                                           : defined $error ? $error : $said;
}


# The size of a zone that so many instances need, and sessions if there is a
# vendor, as nginx says.
sub least {
    my ($n, $workers, $port, $sessions) = @_;
    my $vendor = 'wa_gateway_vendor v { list GET / items=$ name=$ state=$.s;'
                 . ' state ready UP; }';
    my $ng = WaGateway::Nginx->new(port => $port, workers => $workers,
        http => $sessions ? $vendor : '',
        upstream => 'wa_gateway zone=u:32k'
                    . ($sessions ? " vendor=v sessions=$sessions;" : ';')
                    . join '',
        map { 'server 127.1.' . int($_ / 250) . '.' . ($_ % 250 + 1)
              . ':3001;' } 0 .. $n - 1);
    my ($least) = ($ng->test)[1] =~ /at least (\d+k)/;
    return $least;
}


# What `nginx -t` says of conf/nginx.conf.example, moved to where it may write.
sub example {
    my ($root, $port) = @_;
    my $text = slurp("$root/conf/nginx.conf.example");
    my $module = $ENV{TEST_NGINX_LOAD_MODULES}
                 || "$root/build/ngx_http_wa_gateway_module.so";
    my $ng = WaGateway::Nginx->new(port => $port);

    $text =~ s/^load_module \K[^;]+/"$module"/m;
    $text =~ s{/(?:var|run)/[\w./]*?(?=\w+(?:\.\w+)?(?: \w+)?;)}
              {$ng->{dir}/}g;
    $text =~ s/^user .*//m if $>;
    $text =~ s/(listen 127\.0\.0\.1:)3000/$1$port/;
    open my $fh, '>', "$ng->{dir}/nginx.conf" or die "$!\n";
    print $fh $text;
    close $fh;

    my ($nginx) = $ng->command;
    return `ulimit -Sn 1024
            $nginx -t -e stderr -c $ng->{dir}/nginx.conf 2>&1`;
}


sub keys_file {
    my ($dir) = @_;

    for my $name ('wa_gateway.keys', 'wa_gateway.admin') {
        open my $fh, '>', "$dir/$name" or die "$!\n";
        print $fh "# of the shop\na-secret\n";
        close $fh;
    }
}


sub vendor_files {
    my ($dir) = @_;
    my $conf = abs_path(dirname(__FILE__) . '/../../../conf');
    symlink "$conf/vendors", "$dir/vendors" or die "$!\n";
}


sub certificate {
    my ($dir) = @_;
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=g"
           . " -keyout $dir/gateway.key -out $dir/gateway.pem 2>/dev/null")
        == 0 or die "openssl: $?\n";
}


1;
