package WaGateway::Soak;

# What soaks send, and from which sessions: two servers of each of six vendors,
# with NAME-1 to NAME-6, which are somewhere; "twin", by two ways; and "pair",
# two sessions of two numbers.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(basename dirname);
use MIME::Base64 qw(encode_base64);
use WaGateway::Nginx qw(slurp);
use WaGateway::Vendor;

our @EXPORT_OK = qw(@Vendors %Number fakes home session_of any request chosen
                    impatient);

my $Root = abs_path(dirname(__FILE__) . '/../../..');

our @Vendors = qw(waha evolution wwebjs wppconnect gowa wuzapi);
our %Number;

my (@Fakes, %Token);

for my $v (0 .. $#Vendors) {
    $Number{"$Vendors[$v]-$_"} = sprintf '96650%d%06d', $v, $_ for 1 .. 6;
}


# Options: first, those of the first server of each vendor.
sub fakes {
    my (%o) = @_;

    @Fakes = map {
        my $v = $_;
        map {
            my $n = $_;
            my $vendor = $Vendors[$v];

            WaGateway::Vendor->new($vendor, key => 'u:p', wait => 0.2,
                $n == 1 ? @{$o{first} || []} : (), sessions => home($v, $n));
        } 1, 2;
    } 0 .. $#Vendors;

    return @Fakes;
}


# The sessions that a server has at first.
sub home {
    my ($v, $n) = @_;
    my $vendor = $Vendors[$v];
    my $mark = mark($vendor, $n);

    return [map({ session_of("$vendor-$_") } $n == 1 ? (1 .. 3) : (4 .. 5)),
            { name => "$vendor-twin$mark", state => 'ready',
              number => sprintf '96651%d%06d', $v, 1 },
            { name => "$vendor-pair$mark", state => 'ready',
              number => sprintf '96652%d%06d', $v, $n }];
}


# Who has tokens shows them by names that are their own.
sub mark {
    my ($vendor, $n) = @_;
    return $vendor eq 'wuzapi' ? "-$n" : '';
}


sub session_of { return { name => $_[0], number => $Number{$_[0]},
                          state => 'ready' } }

sub any { return $_[rand @_] }


# A session that is named, and the numbers it may be sent from.
sub someone {
    my $fake = any(@Fakes);
    my $vendor = $fake->{vendor};
    my $which = int rand 10;

    return ($fake, "$vendor-" . ($which + 1), $Number{"$vendor-$which"})
        if $which == 9;

    if ($which < 6) {
        my $name = "$vendor-" . ($which + 1);
        return ($fake, $name, $Number{$name});
    }

    my ($v) = grep { $Vendors[$_] eq $vendor } 0 .. $#Vendors;
    my $n = 1 + int rand 2;
    my $mark = mark($vendor, $n);

    return ($fake, "$vendor-twin$mark", sprintf '96651%d%06d', $v, 1)
        if $which == 6;
    return ($fake, "$vendor-pair$mark", sprintf '96652%d%06d', $v, $n);
}


# A native send by one of the vendor's ways: method, path, headers, body.
my %Native = (
    waha => sub {
        my ($name, $id) = @_;
        my $body = { session => $name, chatId => '966511@c.us', text => $id };
        my $media = { session => $name, chatId => '966511@c.us',
                      caption => $id, file => { mimetype => 'image/png',
                                                data => data() } };
        return any(['POST', '/api/sendText', [], $body],
                   ['GET', "/api/sendText?session=$name&phone=966511&text=$id",
                    []],
                   ['POST', '/api/sendImage', [], $media]);
    },
    evolution => sub {
        my ($name, $id) = @_;
        return any(['POST', "/message/sendText/$name", [],
                    { number => '966511', text => $id }],
                   ['POST', "/message/sendMedia/$name", [],
                    { number => '966511', mediatype => 'image',
                      mimetype => 'image/png', media => data(),
                      fileName => 'a.png', caption => $id }]);
    },
    wwebjs => sub {
        my ($name, $id) = @_;
        return any(['POST', "/client/sendMessage/$name", [],
                    { chatId => '966511@c.us', contentType => 'string',
                      content => $id }],
                   ['POST', "/client/sendMessage/$name", [],
                    { chatId => '966511@c.us', contentType => 'MessageMedia',
                      content => { mimetype => 'image/png', data => data(),
                                   filename => 'a.png' },
                      options => { caption => $id } }]);
    },
    wppconnect => sub {
        my ($name, $id) = @_;
        return ['POST', "/api/$name/send-message", [],
                { phone => '966511', message => $id }];
    },
    gowa => sub {
        my ($name, $id) = @_;
        my $body = { phone => '966511', message => $id };
        return any(['POST', '/send/message', ["X-Device-Id: $name"], $body],
                   ['POST', '/send/message', ["X-WA-Session: $name"], $body],
                   ['POST', "/send/message?device_id=$name", [], $body]);
    },
    wuzapi => sub {
        my ($name, $id, $fake) = @_;
        my $token = $Token{$name} ||= $fake->secret({ name => $name },
                                                    'token');
        my $body = { Phone => '966511', Body => $id };
        return any(['POST', '/chat/send/text', ["token: $token"], $body],
                   ['POST', "/chat/send/text?token=$token", [], $body]);
    },
);


sub data { return encode_base64(pack('N', rand 1e9) x (rand() < 0.2 ? 40_000
                                                                    : 500),
                                '') }


# What is asked for: method, path, headers, body; and of it what is judged.
sub request {
    my ($id) = @_;
    my ($fake, $name, $number) = someone();
    my $how = rand;
    my $pair = $name =~ /pair/;

    # whose number it is where a name has two
    my @from = $pair ? ("X-WA-From: $number") : ();

    if ($how < 0.4) {
        my ($method, $path, $headers, $body)
            = @{$Native{$fake->{vendor}}->($name, $id, $fake)};
        return ($method, $path, [@$headers, @from], $body,
                { native => 1, session => $name, number => $number });
    }

    # GOWA would take its only one
    return ('POST', '/send/message', [], { phone => '966511', message => $id },
            { native => 1 })
        if $how < 0.45;

    my $media = rand() < 0.3;
    my $body = { chatId => '966511223344',
                 $media ? (data => data(), mimetype => 'image/png',
                           filename => 'a.png', caption => $id)
                        : (message => $id) };
    my $path = $media ? '/send-media' : '/send-message';

    return ('POST', $path, [], $body, {}) if $how < 0.6;

    my %as = (session => $name, number => $number);

    return ('POST', $path, ["X-WA-Session: $name", @from], $body, \%as)
        if $how < 0.75;

    $body->{session} = $name;
    return ('POST', $path, \@from, $body, \%as) if $how < 0.9;

    # a number alone, wherever it is
    delete $body->{session};
    $body->{from} = $number;
    return ('POST', $path, [], $body, { number => $number });
}


# One of its sessions, and the other server of its vendor.
sub chosen {
    my $fake = any(@Fakes);
    my @all = grep { /-\d$/ && $Number{$_} } map { $_->{session} } $fake->truth;
    my ($other) = grep { $_ != $fake && $_->{vendor} eq $fake->{vendor} }
                  @Fakes;

    return ($fake, @all ? any(@all) : undef, $other);
}


# The vendors' files in a folder, where none waits longer than a soak can.
sub impatient {
    my ($dir) = @_;

    for my $file (glob "$Root/conf/vendors/*.conf") {
        my $text = slurp($file);
        $text =~ s/\btimeout\s+\w+;/timeout 2s;/;
        open my $fh, '>', "$dir/" . basename($file) or die "$file: $!\n";
        print $fh $text;
        close $fh or die "$file: $!\n";
    }
}


1;
