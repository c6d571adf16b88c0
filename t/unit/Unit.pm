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


# The records are for wag_unit_record(): lists of fields, of bytes.
sub run {
    my ($room, @records) = @_;

    my $module = module();
    my $dir = tempdir(CLEANUP => 1);
    my $cases = '';

    if (@records) {
        $cases = "$dir/cases";
        open my $file, '>:raw', $cases or die "$cases: $!";
        print $file join(' ', map { length } @$_), "\n", @$_ for @records;
        close $file or die "$cases: $!";
    }

    open my $conf, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!";

    print $conf <<"END";
load_module $module;
pid $dir/nginx.pid;
wa_gateway_unit $room $cases;
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
