package WaGateway::Shim;

# The environment of an nginx with t/tools/shim.c in it.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir tempfile);

our @EXPORT_OK = qw(shim);

my $Source = abs_path(dirname(__FILE__) . '/../../tools/shim.c');
my $Library;


# connect => { '4:3001' => errno }, names => { 'two.test' => [addresses] } of
# the hosts file, resolv => text of resolv.conf, clock => a file's name,
# fsync => another one.
sub shim {
    my (%o) = @_;

    my %connect = %{$o{connect} || {}};
    my %names = %{$o{names} || {}};
    my %files = ('/etc/hosts' => join '', map { my $name = $_;
                     map { "$_ $name\n" } @{$names{$name}} } sort keys %names);
    $files{'/etc/resolv.conf'} = $o{resolv} if defined $o{resolv};

    return {
        LD_PRELOAD => library(),
        SHIM_CONNECT => join(' ', map { "$_=$connect{$_}" } sort keys %connect),
        SHIM_NAMES => join(' ', map { "$_=" . join ',', @{$names{$_}} }
                                sort keys %names),
        SHIM_FILES => join(' ', map { "$_=" . file($files{$_}) }
                                sort keys %files),
        SHIM_CLOCK => defined $o{clock} ? $o{clock} : '',
        SHIM_FSYNC => defined $o{fsync} ? $o{fsync} : '',
    };
}


# nginx reads it again with each configuration.
sub file {
    my ($text) = @_;
    my ($fh, $name) = tempfile('wa-shim-XXXXXX', TMPDIR => 1, UNLINK => 1);

    print $fh $text;
    close $fh or die "$!\n";

    return $name;
}


sub library {
    return $Library if $Library;

    my $dir = tempdir('wa-shim-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    system($ENV{CC} || 'cc', '-O1', '-Wall', '-fPIC', '-shared', '-o', "$dir/shim.so",
           $Source, '-ldl') == 0 or die "cc: shim.c does not compile\n";

    return $Library = "$dir/shim.so";
}


1;
