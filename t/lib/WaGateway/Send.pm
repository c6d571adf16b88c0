package WaGateway::Send;

# Messages that are sent in the one way of all vendors, and what came of them.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use JSON::PP ();
use Test::More;
use WaGateway::Nginx qw(send_request read_answer);
use WaGateway::Sessions qw(gateway differs);
use WaGateway::Vendor;

our @EXPORT_OK = qw(vendors fake pair shown send_gateway post start_post
                    answer_of encoded seen message_id told);

my $Json = JSON::PP->new->utf8->canonical->allow_nonref;

# What a vendor takes for its key.
my %Key = (gowa => 'admin:geheim');


sub vendors {
    return qw(waha evolution wwebjs wppconnect gowa wuzapi evolution-go quepasa
              openwa);
}


# With one session "main", unless there are others.
sub fake {
    my ($vendor, %o) = @_;

    return WaGateway::Vendor->new($vendor, wait => 0,
        key => $Key{$vendor} || 'geheim-1',
        sessions => [{ name => 'main', number => '966500000001' }], %o);
}


# What a vendor's session is called by the gateway: one that has only a token
# by the hash of that.
sub shown {
    my ($vendor, $name) = @_;

    return $name if $vendor ne 'quepasa';
    return substr sha256_hex(md5_hex("token $vendor $name")), 0, 12;
}


# Two ways to one number.
sub pair { return map { fake(@_) } 1, 2 }


# Options: those of gateway(); text and media, of the locations; country.
sub send_gateway {
    my (%o) = @_;

    my ($text, $media) = map { defined $_ ? $_ : '' } delete @o{qw(text media)};
    my $country = exists $o{country} ? delete $o{country} : '966';
    my $server = delete $o{server} || '';
    my @fakes = @{$o{fakes}};

    $country = "country=$country" if $country ne '';

    my $ng = gateway(parameters => 'sessions=100', %o, server => <<"END")
$server
location = /send-message {
    wa_gateway_send text $country;
    proxy_pass http://u;
    $text
}
location = /send-media {
    wa_gateway_send media $country;
    proxy_pass http://u;
    $media
}
END
        ->start;

    my $wrong = differs($ng, @fakes);
    die "sessions: $wrong" if defined $wrong;

    $_->forget for @fakes;
    return $ng;
}


sub encoded { return $Json->encode($_[0]) }


# A body is a hash, text that is JSON, or a sub that gives pieces, as of
# WaGateway::Nginx.  Options: headers, and those of WaGateway::Nginx.
sub start_post {
    my ($ng, $path, $body, %o) = @_;

    my @headers = @{delete $o{headers} || []};
    $body = encoded($body) if ref $body eq 'HASH';

    push @headers, 'Content-Type: application/json'
        unless grep { /^content-type:/i } @headers;
    @headers = grep { !/^content-type: *$/i } @headers;

    return send_request($ng->port, 'POST', $path, headers => \@headers,
                        body => $body, %o);
}


# The answer besides has json, undef if it is none, and code.
sub answer_of {
    my ($s) = @_;
    my $r = read_answer($s, 'POST');

    $r->{json} = eval { $Json->decode($r->{body}) };
    $r->{json} = undef unless ref $r->{json} eq 'HASH';
    $r->{code} = $r->{json} && defined $r->{json}{code} ? $r->{json}{code}
                                                        : '';

    return $r;
}


sub post { return answer_of(start_post(@_)) }


# How many sends came to fakes.
sub seen {
    my $n = 0;
    $n += $_->count('send') for @_;
    return $n;
}


# The id of a message as a vendor tells it.
sub message_id {
    my ($fake, $sent) = @_;

    return $fake->{vendor} =~ /^(?:waha|wwebjs|wppconnect|openwa)$/
           ? "true_$sent->{to}_$sent->{id}" : $sent->{id};
}


# An answer in few words: status, code, and whether it was sent.
sub told {
    my ($r) = @_;

    return join ' ', $r->{status}, !$r->{json} ? 'no JSON'
        : $r->{json}{success} ? 'success'
        : map { defined $_ ? $_ : '-' } @{$r->{json}}{qw(code sent)};
}


1;
