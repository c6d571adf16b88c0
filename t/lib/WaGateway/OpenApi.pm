package WaGateway::OpenApi;

# docs/openapi.yaml: whether it is valid, its operations with their examples,
# and an answer beside what it says of it.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use JSON::PP ();
use JSON::Validator;
use JSON::Validator::Schema::OpenAPIv3;
use WaGateway::Docs ();

my $Json = JSON::PP->new->utf8->canonical->allow_nonref;

# Of every answer of HTTP or of nginx.
my %Plain = map { $_ => 1 } qw(server date content-type content-length
    transfer-encoding connection vary last-modified etag accept-ranges
    content-security-policy referrer-policy content-range);


# Debian's validator finds the schema of OpenAPI 3.0 by a link to a file of
# another package; Debian 13 has the file under another name and no link.
sub specification {
    my ($file) = grep { -e } glob '/usr/share/openapi-specification/schemas/'
                               . 'v3.0/schema.{json,yaml}';
    my $dir = tempdir('wa-openapi-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    copy($file, "$dir/" . md5_hex(
        JSON::Validator::Schema::OpenAPIv3->new->specification))
        or die "$file: $!\n" if defined $file;

    return $dir;
}


sub new {
    my ($class, $file) = @_;
    local $ENV{JSON_VALIDATOR_CACHE_PATH} = specification();
    my $schema = JSON::Validator->new->schema($file)->schema;
    my @errors = @{$schema->errors};
    my $doc = whole($schema->data, $schema->data);

    # numbers are numbers
    my $strict = JSON::Validator->new->schema($doc)->schema->coerce({});

    return bless { errors => \@errors, doc => $doc,
                   strict => $strict }, $class;
}


# With what it refers to in place.
sub whole {
    my ($doc, $node) = @_;

    if (ref $node eq 'HASH') {
        if (defined $node->{'$ref'} && !ref $node->{'$ref'}) {
            my $at = $doc;
            $at = $at->{$_} for grep { $_ ne '#' } split m{/}, $node->{'$ref'};
            return whole($doc, $at);
        }

        return { map { $_ => whole($doc, $node->{$_}) } keys %$node };
    }

    return ref $node eq 'ARRAY' ? [map { whole($doc, $_) } @$node] : $node;
}


sub errors { return map { "$_" } @{$_[0]{errors}} }


# Each with method, path, parameters, body (of content types) and responses.
sub operations {
    my ($self) = @_;
    my $paths = $self->{doc}{paths};

    return map {
        my $path = $_;
        my $item = $paths->{$path};

        map { { name => uc . " $path", method => uc, path => $path,
                said => $item->{$_},
                parameters => [@{$item->{parameters} || []},
                               @{$item->{$_}{parameters} || []}],
                body => ($item->{$_}{requestBody} || {})->{content} || {},
                responses => $item->{$_}{responses} } }
        grep { exists $item->{$_} } qw(get post patch delete)
    } sort { ($a =~ /gateway/) <=> ($b =~ /gateway/) || $a cmp $b }
           keys %$paths;
}


sub operation {
    my ($self, $name) = @_;
    my ($op) = grep { $_->{name} eq $name } $self->operations;
    return $op || die "no operation $name\n";
}


# What examples make of an operation: requests, each with the name of its
# example, headers, query, and body with its type.  One that is for a parameter
# takes the first body that is good; one for a body the first values of
# parameters that have to be there.
sub requests {
    my ($op) = @_;
    my (@bodies, @requests);

    for my $type (sort keys %{$op->{body}}) {
        my $examples = $op->{body}{$type}{examples} || {};

        push @bodies, map { { example => $_, type => $type,
                              schema => $op->{body}{$type}{schema},
                              body => $examples->{$_}{value} } }
                      sort keys %$examples;
    }

    my @needed = map { [$_, $_->{examples}{(sort keys %{$_->{examples}})[0]}] }
                 grep { $_->{required} } @{$op->{parameters}};

    push @requests, map { request($op, $_, @needed) } @bodies;

    for my $p (@{$op->{parameters}}) {
        for (sort keys %{$p->{examples} || {}}) {
            push @requests, request($op, { %{$bodies[0] || {}}, example => $_,
                                           parameter => $p },
                                    (grep { $_->[0] != $p } @needed),
                                    [$p, $p->{examples}{$_}]);
        }
    }

    return @requests ? @requests : request($op, { example => '200' });
}


sub request {
    my ($op, $o, @values) = @_;
    my %r = (%$o, path => $op->{path}, headers => [], query => []);

    for (@values) {
        my ($p, $value) = ($_->[0], $_->[1]{value});

        if ($p->{in} eq 'path') {
            $r{path} =~ s/\{\Q$p->{name}\E\}/$value/;
        } elsif ($p->{in} eq 'header') {
            push @{$r{headers}}, "$p->{name}: $value";
        } else {
            push @{$r{query}}, "$p->{name}=$value";
        }
    }

    return \%r;
}


# The text of a body of a type.
sub body_text {
    my ($type, $value) = @_;

    return $Json->encode($value) if $type =~ /json/;

    return join '&', map {
        my $text = $value->{$_};
        utf8::encode($text) if utf8::is_utf8($text);
        "$_=" . $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;
    } sort keys %$value;
}


# What is wrong with a value, by the schema it should have: texts.
sub faults {
    my ($self, $value, $schema) = @_;
    return map { "$_" } $self->{strict}->validate($value, $schema);
}


# The response that is said of a status.
sub response {
    my ($op, $status) = @_;
    return $op->{responses}{$status} || $op->{responses}{default};
}


# The codes of a response.
sub codes_of {
    my ($response) = @_;
    my $examples = (($response->{content} || {})->{'application/json'} || {})
                   ->{examples} || {};

    return grep { defined } map { $_->{value}{code} } values %$examples;
}


# An answer of WaGateway::Nginx beside what is said: '' or what is wrong.
sub wrong {
    my ($self, $op, $r) = @_;

    my $said = response($op, $r->{status})
        or return "status $r->{status} is not said";
    my @wrong = $self->wrong_headers($said, $r);
    my ($type) = ($r->{headers}{'content-type'} || '') =~ /^([^;]*)/;
    my $content = $said->{content};

    if (!$content) {
        push @wrong, "a body of $type" if $r->{body} ne '';
        return join '; ', @wrong;
    }

    return join '; ', @wrong, "type \"$type\" is not said"
        unless $content->{$type};

    if ($type eq 'application/json') {
        my $value = eval { $Json->decode($r->{body}) };

        push @wrong, defined $value
            ? $self->faults($value, $content->{$type}{schema}) : 'no JSON';
        push @wrong, "code $value->{code} is not said"
            if ref $value eq 'HASH' && defined $value->{code}
               && !grep { $_ eq $value->{code} } codes_of($said);
    }

    return join '; ', @wrong;
}


sub wrong_headers {
    my ($self, $said, $r) = @_;
    my %said = map { lc $_ => $said->{headers}{$_} }
               keys %{$said->{headers} || {}};

    return map {
        my $name = $_;
        # nginx adds what "add_header" says twice to a 416
        my $value = $r->{headers}{$name} =~ s/^(.+), \1\z/$1/r;
        my $schema = ($said{$name} || {})->{schema};

        $value += 0 if $schema && $schema->{type} eq 'integer'
                       && $value =~ /^\d+$/;

        $schema ? map { "header $name: $_" } $self->faults($value, $schema)
                : "header $name is not said";
    } grep { !$Plain{$_} } sort keys %{$r->{headers}};
}


# ---- what the code has

# Statuses with their codes, "400 bad_request"; "0 error" is of all others.
sub pairs {
    my ($code) = @_;
    my %status = (BAD_REQUEST => 400, FORBIDDEN => 403, NOT_FOUND => 404,
                  CONFLICT => 409, INTERNAL_SERVER_ERROR => 500,
                  SERVICE_UNAVAILABLE => 503, INSUFFICIENT_STORAGE => 507,
                  NOT_IMPLEMENTED => 501, BAD_GATEWAY => 502);
    my %pairs = map { $_ => 1 } map { "$_->{status} $_->{code}" } errors_of($code);

    for my $file (grep { /^wag_(?:control|login_api)/ } keys %$code) {
        $pairs{($status{$1} || "NGX_HTTP_$1") . " $2"} = 1
            while $code->{$file} =~ /wag_control_answer_error\([^;]*?
                                     NGX_HTTP_(\w+),\s*"(\w+)"/gx;
    }

    return sort keys %pairs;
}


# Rows of the table of errors: status, code, and what they say in English.
sub errors_of {
    my ($code) = @_;
    my @rows;

    push @rows, { status => $1, code => $2, text => $3 }
        while $code->{'wag_error_table.c'}
              =~ /(\d+), "(\w+)",\s*"[^"]*",\s*"([^"]*)"\s*\}/g;

    return @rows;
}


# Names that a table of texts has.
sub names_of {
    my ($code, $table) = @_;

    my ($rows) = map { /^ngx_str_t +$table\[[^\]]*\] = \{(.*?)^\};/ms }
                 values %$code;

    return ($rows || '') =~ /ngx_string\("([^"]+)"\)/g;
}


# The parameters of an operation that the code looks at.
sub parameters_of {
    my ($code, $name) = @_;
    my $arg = qr/(?:wag_json_response_arg|wag_sessions_api_number)
                 \(r,\s*"(\w+)"|ngx_http_arg\(r,\s*\(u_char\ \*\)\ "(\w+)"/x;
    my %file = ('GET /sessions' => 'wag_sessions_api.c',
                'GET /status' => 'wag_status.c',
                'PATCH /gateway/instances' => 'wag_control.c',
                'DELETE /gateway/instances' => 'wag_control.c',
                'GET /gateway/login' => 'wag_login_api.c',
                'POST /gateway/login' => 'wag_login_api.c');

    # the code of one that is started is not asked for
    return grep { defined && $name . $_ ne 'POST /gateway/logincode' }
           $code->{$file{$name}} =~ /$arg/g if $file{$name};
    return unless $name =~ /send-/;

    return (join '', @$code{qw(wag_drops.c wag_idempotency.c)})
           =~ /ngx_string\("(X-WA-\w+|Idempotency-Key)"\)/g;
}


# The members of a body.
sub members_of {
    my ($code, $name) = @_;

    if ($name =~ /send-(text|message|media)/) {
        my $other = $1 eq 'media' ? 'TEXTS' : 'MEDIA';
        my ($table) = $code->{'wag_member.c'}
                      =~ /wag_members\[\] = \{(.*?)^\};/ms;

        my %of = (to => 'BOTH', text => 'TEXTS');
        $table =~ s/wag_member_(to|text)\(("\w+")\)
                   /ngx_string($2), WAG_MEMBER_$of{$1}/gx;

        return $table =~ /ngx_string\("(\w+)"\), WAG_MEMBER_(?!$other)/g;
    }

    # its body does not matter
    return if $name =~ /login/;

    my ($may) = $code->{'wag_control_body.h'} =~
        ($name =~ /POST/ ? qr/WAG_CONTROL_ADD\s+(0x\w+)/
                         : qr/WAG_CONTROL_CHANGE\s+(0x\w+)/);
    my %bit = $code->{'wag_control_body.h'}
              =~ /define (WAG_CONTROL_\w+)\s+(0x\w+)/g;
    my %is = $code->{'wag_control_body.c'} =~ /\{ "(\w+)", (WAG_CONTROL_\w+)/g;

    return grep { hex($bit{$is{$_}}) & hex $may } keys %is;
}


1;
