package WaGateway::Real;

# A real server of a vendor, started from where it is installed, with pretended
# phones (t/vendors/phones.js).  It has a folder of its own for what it writes.
#
#   my $server = WaGateway::Real->new('wwebjs', key => 'secret', phones => {
#       main => { state => 'ready', number => '966500000001' } });

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP ();
use POSIX ();
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll slurp);

my $Root = abs_path(dirname(__FILE__) . '/../../..');
my $Main = $$;
my $Json = JSON::PP->new->utf8;
my %Running;

# "store" makes a session that is there when the server starts.
my %Vendor = (
    wwebjs => {
        from => 'WWEBJS_API',
        repository => 'avoylenko/wwebjs-api',
        install => 'npm ci',
        main => 'server.js',
        alive => '/ping',
        store => sub { make_path("$_[0]/sessions/session-$_[1]") },
        headers => sub { "X-API-Key: $_[0]{key}" },
        settings => sub { (API_KEY => $_[0]{key}, ENV_PATH => '/dev/null',
                           SESSIONS_PATH => "$_[0]{dir}/sessions",
                           ENABLE_WEBHOOK => 'false') },
    },
    wppconnect => {
        from => 'WPPCONNECT_SERVER',
        repository => 'wppconnect-team/wppconnect-server',
        install => 'npm install && npm run build:js',
        main => 'dist/server.js',
        alive => '/healthz',
        store => sub {
            make_path("$_[0]/tokens");
            open my $fh, '>', "$_[0]/tokens/$_[1].data.json" or die "$!\n";
            print $fh '{}';
            close $fh or die "$!\n";
        },
        headers => sub {
            my ($self, $session) = @_;
            my $r = $self->request('POST',
                "/api/$session/$self->{key}/generate-token");
            return 'Authorization: Bearer ' . $Json->decode($r->{body})
                                              ->{token};
        },
        settings => sub { (SECRET_KEY => $_[0]{key},
                           HOST => 'http://127.0.0.1') },
    },
);


sub vendors { return sort keys %Vendor }


# How to get it, if it is not there.
sub missing {
    my ($class, $vendor) = @_;

    my $v = $Vendor{$vendor};
    my $dir = $ENV{$v->{from}};
    my ($name) = $v->{repository} =~ m{/(.*)};

    return if defined $dir && -e "$dir/$v->{main}" && -d "$dir/node_modules";

    return ($dir ? "$dir: no $v->{main} or no node_modules" : "no $v->{from}")
           . "\n  git clone https://github.com/$v->{repository}"
           . "\n  (cd $name && PUPPETEER_SKIP_DOWNLOAD=1 $v->{install})"
           . "\n  export $v->{from}=\$PWD/$name\n";
}


# Name and version, as the server has them.
sub version {
    my ($class, $vendor) = @_;

    my $dir = $ENV{$Vendor{$vendor}{from}};
    my $lock = $Json->decode(slurp("$dir/package.json"));

    return join ', ', "$lock->{name} $lock->{version}", map {
        my $text = slurp("$dir/node_modules/$_/package.json");
        $text ? "$_ " . $Json->decode($text)->{version} : ()
    } 'whatsapp-web.js', '@wppconnect-team/wppconnect';
}


sub new {
    my ($class, $vendor, %o) = @_;

    my $self = bless { %o, vendor => $vendor,
                       port => WaGateway::Fake::free_port(),
                       control => WaGateway::Fake::free_port(),
                       dir => tempdir('wa-real-XXXXXX', TMPDIR => 1,
                                      CLEANUP => 1) }, $class;

    $Vendor{$vendor}{store}->($self->{dir}, $_) for keys %{$o{phones}};
    $self->start;

    return $self;
}


sub start {
    my ($self) = @_;

    my $v = $Vendor{$self->{vendor}};
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if (!$pid) {
        %ENV = (PATH => $ENV{PATH}, HOME => $self->{dir},
                PRETEND_PORT => $self->{control},
                PRETEND_PHONES => $Json->encode($self->{phones}),
                PORT => $self->{port}, $v->{settings}->($self),
                DIR => $ENV{$v->{from}});

        my $main = abs_path("$ENV{DIR}/$v->{main}");

        chdir $self->{dir} or POSIX::_exit(126);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/output";
        open STDERR, '>&', \*STDOUT;
        exec 'node', '--require', "$Root/t/vendors/$self->{vendor}-client.js",
             $main
            or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    $Running{$pid} = 1;

    poll {
        die "$self->{vendor} has ended: " . $self->output
            if waitpid($pid, POSIX::WNOHANG()) == $pid;
        $self->request('GET', $v->{alive})->{status} == 200;
    } or die "$self->{vendor} does not answer: " . $self->output;
}


# As a fake has it.
sub key { return $_[0]{key} }
sub name { return "127.0.0.1:$_[0]{port}" }
sub url { return 'http://' . $_[0]->name }
sub output { return slurp("$_[0]{dir}/output") }
sub folder { return $_[0]{dir} }


sub request {
    my ($self, $method, $path, %o) = @_;
    return http($self->{port}, $method, $path, %o);
}


# The lines that the server wants for a session.
sub headers {
    my ($self, $session) = @_;
    return [$Vendor{$self->{vendor}}{headers}->($self, $session)];
}


# Changes or adds one; it has taken effect in the page when this returns.
sub phone {
    my ($self, $session, %what) = @_;

    $self->{phones} = $self->asked('POST', '/phones', body =>
        $Json->encode({ $session => \%what }));
}


sub sent {
    my ($self) = @_;
    return @{$self->asked('GET', '/sent')};
}


sub asked {
    my ($self, $method, $path, %o) = @_;
    my $r = http($self->{control}, $method, $path, %o);

    die "phones: $r->{status} $r->{body}\n" unless $r->{status} == 200;
    return $Json->decode($r->{body});
}


sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;

    kill 'TERM', $pid;

    if (!poll { waitpid($pid, POSIX::WNOHANG()) == $pid } 10) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }

    delete $Running{$pid};
}


END {
    if ($$ == $Main && %Running) {
        my $status = $?;
        kill 'KILL', keys %Running;
        waitpid $_, 0 for keys %Running;
        $? = $status;
    }
}


1;
