package Unit;

# Builds the unit test module and runs one room's tests in nginx -t; the
# module prints TAP.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

my $here = dirname(abs_path(__FILE__));


$ENV{PATH} .= ':/usr/sbin';


sub nginx {
    return $ENV{TEST_NGINX_BINARY} || 'nginx';
}


sub module {
    my $module = `$here/build.sh`;

    if ($? != 0) {
        print "Bail out! the unit test module does not build\n";
        exit 1;
    }

    chomp $module;

    return $module;
}


sub run {
    my ($room) = @_;

    my $module = module();
    my $dir = tempdir(CLEANUP => 1);

    open my $conf, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!";

    print $conf <<"END";
load_module $module;
pid $dir/nginx.pid;
wa_gateway_unit $room;
events { }
END

    close $conf;

    my $rc = system(nginx(), '-t', '-q', '-p', $dir, '-e', 'stderr', '-c',
                    "$dir/nginx.conf");

    if ($rc != 0) {
        print "Bail out! nginx ended with $rc\n";
    }

    return $rc ? 1 : 0;
}


1;
