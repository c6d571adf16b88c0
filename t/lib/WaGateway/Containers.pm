package WaGateway::Containers;

# Containers of the gateway's image and of pretended servers, by docker or
# podman.  All that was started goes when the test ends.

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();
use POSIX ();
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll);

our @EXPORT_OK = qw(engine engine_ok gateway fake health logs sent
                    ask);

my $Main = $$;
my $Engine;
my (%Running, %Volumes);

# As the compose files have it, which podman is told more plainly.
my @Confined = ('--read-only', '--cap-drop=ALL',
                '--security-opt=no-new-privileges');


sub use_engine {
    ($Engine) = @_;
    push @Confined, '--read-only-tmpfs=false' if $Engine eq 'podman';
    $SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
}


# Exit status and output, both of it.
sub engine {
    my @command = ref $_[0] ? @{$_[0]} : ($Engine, @_);
    my $pid = open my $out, '-|';
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }

    my $text = join '', <$out>;
    close $out;

    return ($? >> 8, $text);
}


sub engine_ok {
    my ($status, $text) = engine(@_);
    die "@_: $status $text\n" if $status;

    chomp $text;
    return $text;
}


# A container of that name in the background; what was of that name is gone.
sub begin {
    my ($name, @options) = @_;

    engine('rm', '-f', $name) if $Running{$name};
    $Running{$name} = 1;
    engine_ok('run', '-d', '--name', $name, @options);

    return $name;
}


# Options: settings (of .env), options (of run), command.
sub gateway {
    my ($name, %o) = @_;
    my $settings = $o{settings};

    $Volumes{$name} = 1;

    return begin($name, '--network=host', @Confined,
                 '-v', "$name:/var/lib/wa-gateway", @{$o{options} || []},
                 (map { ('-e', "$_=$settings->{$_}") } sort keys %$settings),
                 'wa_gateway', @{$o{command} || []});
}


# A server of a vendor with some sessions: name => number.
sub fake {
    my ($name, $vendor, $address, $port, $key, %sessions) = @_;

    begin($name, '--network=host', '-e', "VENDOR=$vendor",
          '-e', "ADDRESS=$address", '-e', "PORT=$port", '-e', "KEY=$key",
          '-e', 'SESSIONS=' . join(',', map { "$_=$sessions{$_}" }
                                        sort keys %sessions),
          'wa_gateway_fakes');

    poll { logs($name) =~ /^a $vendor on /m } or die "no fake: " . logs($name);
    return $name;
}


# What a fake answers to a command of WaGateway::Vendor.
sub ask {
    my ($name, @command) = @_;
    my $text = engine_ok('exec', $name, '/usr/bin/perl', '-I/t/lib',
                         '/t/fake.pl', @command);

    return JSON::PP->new->allow_nonref->decode($text);
}


sub logs { return (engine('logs', $_[0]))[1] }


# The texts that a fake has sent, in order, also when it was killed.
sub sent { return logs($_[0]) =~ /^sent \S+ (.*)$/mg }


# The exit status of the image's own health check.
sub health {
    my ($name) = @_;
    my $config = JSON::PP::decode_json(engine_ok('inspect', $name))
                 ->[0]{Config};
    my ($kind, @command) = @{$config->{Healthcheck}{Test} || []};

    die "no health check\n" unless ($kind || '') eq 'CMD';
    return (engine('exec', $name, @command))[0];
}


END {
    if ($$ == $Main) {
        local $?;
        engine('rm', '-f', $_) for keys %Running;
        engine('volume', 'rm', '-f', $_) for keys %Volumes;
    }
}


1;
