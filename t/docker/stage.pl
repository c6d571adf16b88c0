#!/usr/bin/perl

# stage.pl NAME: what a stage of conf/docker/Dockerfile does, in a fresh root
# with the checkout in /src.  Files for later stages go to /out; the last stage
# is tried by t/docker/try.  Plain perl-base.

use strict;
use warnings;

my ($name) = @ARGV;
my $context = '/context';

rename '/src', $context or die "/src: $!\n";

my @stages = stages("$context/conf/docker/Dockerfile");
my ($stage) = grep { $_->{name} eq $name } @stages;
die "no stage $name\n" unless $stage;

like_the_image();

my %image = (env => '');

for (@{ $stage->{steps} }) {
    my ($word, $rest) = @$_;
    print "      $word $rest\n" if $word =~ /^(?:RUN|COPY)$/;

    if ($word eq 'RUN') {
        run('sh', '-c', $rest);

    } elsif ($word eq 'COPY') {
        copy($rest);

    } elsif ($word eq 'ENV') {
        $image{env} .= " $rest";

    } elsif ($word eq 'USER') {
        $image{user} = $rest;

    } elsif ($word eq 'CMD') {
        $image{cmd} = words($rest);

    } elsif ($word eq 'HEALTHCHECK') {
        $image{health} = words($rest =~ s/.*\bCMD\s+//r);

    } elsif ($word !~ /^(?:EXPOSE|STOPSIGNAL)$/) {
        die "$word is not known here\n";
    }
}

export($_) for map { @{ $_->{steps} } } @stages;

if ($name eq 'final') {
    open my $fh, '>', '/tmp/image' or die "/tmp/image: $!\n";
    print $fh "$_='$image{$_}'\n" for sort keys %image;
    close $fh;
    exec "$context/t/docker/try" or die "try: $!\n";
}


sub stages {
    my ($file) = @_;
    my @found;

    open my $fh, '<', $file or die "$file: $!\n";
    my $text = join '', grep { !/^\s*#/ } <$fh>;
    $text =~ s/\\\n\s*//g;

    for (grep { /\S/ } split /\n/, $text) {
        my ($word, $rest) = /^(\w+)\s+(.*?)\s*$/ or die "$file: $_\n";

        if ($word eq 'FROM') {
            die "$file: $rest\n" unless $rest =~ /^debian:\$\{DEBIAN\}-slim\b/;
            push @found, { name => $rest =~ /\bAS (\w+)$/ ? $1 : 'final',
                           steps => [] };

        } elsif (@found) {
            push @{ $found[-1]{steps} }, [ $word, $rest ];
        }
    }

    return @found;
}


# What Debian's slim images have: no manuals, and services do not start.
sub like_the_image {
    put('/etc/dpkg/dpkg.cfg.d/docker', map { "path-exclude /usr/share/$_/*\n" }
        qw(doc man info locale));
    put('/usr/sbin/policy-rc.d', "#!/bin/sh\n", "exit 101\n");
    chmod 0755, '/usr/sbin/policy-rc.d';
}


sub put {
    my ($file, @lines) = @_;
    open my $fh, '>', $file or die "$file: $!\n";
    print $fh @lines;
    close $fh or die "$file: $!\n";
}


# ["a", "b"] as words for a shell.
sub words { return join ' ', $_[0] =~ /"([^"]*)"/g }


sub run {
    my @command = @_;
    my $log = '/tmp/step.log';
    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        open STDOUT, '>', $log;
        open STDERR, '>&', \*STDOUT;
        open STDIN, '<', '/dev/null';
        chdir '/';
        exec @command or exit 127;
    }

    waitpid $pid, 0;
    return unless $?;

    system 'tail', '-n', 40, $log;
    die "FAILED: @command\n";
}


sub copy {
    my ($rest) = @_;
    my $from = $rest =~ s/^--from=(\w+)\s+// ? "/out/stage-$1" : $context;
    my (@what) = split ' ', $rest;
    my $to = pop @what;

    run('sh', '-c', "cp -a @{[ map { m{^/} ? $from . $_ : qq($from/$_) } @what ]}"
        . " $to");
}


# export STEP: what STEP of a later stage takes from this one.
sub export {
    my ($word, $rest) = @{ $_[0] };
    return unless $word eq 'COPY' && $rest =~ /^--from=\Q$name\E\s+(\S+)/;

    my $what = $1;
    my $dir = "/out/stage-$name" . ($what =~ s/[^\/]*$//r);
    run('sh', '-c', "rm -rf $dir && mkdir -p $dir && cp -a $what $dir");
}
