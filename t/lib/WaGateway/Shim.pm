package WaGateway::Shim;

# The environment of an nginx with t/tools/shim.c in it.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

our @EXPORT_OK = qw(shim);

my $Source = abs_path(dirname(__FILE__) . '/../../tools/shim.c');
my $Library;


# connect => { '4:3001' => errno }, names => { 'two.test' => [addresses] },
# clock => a file's name, fsync => another one.
sub shim {
    my (%o) = @_;

    my %connect = %{$o{connect} || {}};
    my %names = %{$o{names} || {}};

    return {
        LD_PRELOAD => library(),
        SHIM_CONNECT => join(' ', map { "$_=$connect{$_}" } sort keys %connect),
        SHIM_NAMES => join(' ', map { "$_=" . join ',', @{$names{$_}} }
                                sort keys %names),
        SHIM_CLOCK => defined $o{clock} ? $o{clock} : '',
        SHIM_FSYNC => defined $o{fsync} ? $o{fsync} : '',
    };
}


sub library {
    return $Library if $Library;

    my $dir = tempdir('wa-shim-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    system($ENV{CC} || 'cc', '-O1', '-Wall', '-fPIC', '-shared', '-o', "$dir/shim.so",
           $Source, '-ldl') == 0 or die "cc: shim.c does not compile\n";

    return $Library = "$dir/shim.so";
}


1;
