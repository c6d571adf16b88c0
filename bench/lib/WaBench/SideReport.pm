package WaBench::SideReport;

# bench/SIDES.md out of the figures: a row for each thing that is looked at, a
# column for each gateway, the best in bold, and who is better than ours.
# bench/sides-notes.md, written by hand, says why.

use strict;
use warnings;

use Exporter qw(import);
use WaBench::Report ();
use WaGateway::Nginx qw(slurp);

our @EXPORT_OK = qw(side_report);

my $Ours = 'wa_gateway';

# What is less than this share better is noise, where it is measured and not
# counted.
my $Noise = 0.02;

# row, figure, how it is called, what it is of, and how it is shown: counted,
# us, ratio (with its quarters), s (seconds), until (the same, or never), MB;
# less is better, always
my @Rows = (
    ['cpu', 'cpu', 'CPU us a send', undef, 'us'],
    ['cpu', 'against', 'the same by that of wa_gateway, median of the rounds',
     undef, 'ratio'],
    ['cpu', 'memory', 'memory MB, 3 instances, 60 sessions', undef, 'MB'],
    ['cold', 'wrong', 'from a cold start: sends that came to an instance '
     . 'without the session', 'all', 'counted'],
    ['cold', 'failed', 'of these, not sent', 'all', 'counted'],
    ['cold', 'bothered', 'a session that nobody has: requests that came to '
     . 'instances', 'strangers', 'counted'],
    ['grows', 'wrong', 'an instance was added: sends that came to one without '
     . 'the session', 'all', 'counted'],
    ['grows', 'failed', 'of these, not sent', 'all', 'counted'],
    ['dies', 'twice', 'an instance dies: messages sent twice', 'times',
     'counted'],
    ['dies', 'silent', 'told as sent, and lost', 'times', 'counted'],
    ['dies', 'others_failed', 'sends of the others that failed', 'others',
     'counted'],
    ['dies', 'stray', 'sends for its sessions that others got', 'own',
     'counted'],
    ['dies', 'back', 'seconds until all its sessions send, once it is back',
     undef, 's'],
    ['moves', 'first', 'a session moves: first sends that failed', 'times',
     'counted'],
    ['moves', 'wrong', 'sends that came to an instance without it', 'all',
     'counted'],
    ['moves', 'until', 'seconds until it sends', undef, 'until'],
    ['moves', 'twice', 'messages sent twice', 'all', 'counted'],
    ['moves', 'silent', 'told as sent, and lost', 'all', 'counted'],
    ['repeats', 'twice', 'a client repeats after a timeout: messages sent '
     . 'twice', 'times', 'counted'],
    ['repeats', 'copies', 'copies, once it repeats again', undef, 'counted'],
    ['logout', 'until', 'a phone is logged out: seconds until its instance '
     . 'gets no more sends', undef, 'until'],
    ['logout', 'reached', 'sends that it got after', undef, 'counted'],
    ['unproved', 'told', 'a success without a message: told as sent', 'all',
     'counted'],
);


sub side_report {
    my ($all, $bench) = @_;
    my @names = map { $_->{name} } @{$all->{sides}};

    return join "\n", title($all), sides($all), table($all, @names),
                measured($all), slurp("$bench/sides-notes.md");
}


sub title {
    my ($all) = @_;

    return <<'END';
# Side by side

Made by `make bench-sides`, but for what is below "What it says". The same
pretended WAHA servers, three with twenty sessions each, the same sends, named
in the body, in a header and, where a gateway needs it, in the path; the same
faults. Each gateway is set up as well as it can be for this, see the list.
END
}


sub sides {
    my ($all) = @_;
    my @missing = @{$all->{missing} || []};

    return WaBench::Report::machine_of() . "\n\n"
        . WaBench::Report::table(['gateway', 'version', 'how'],
            map { [@$_{qw(name version note)}] } @{$all->{sides}})
        . (@missing ? "\nNot installed, left out: @missing.\n" : '');
}


sub table {
    my ($all, @names) = @_;

    # those that are there for a single thing have a line below
    my @more = grep { !$all->{rows}{cold}{$_} } @names;
    @names = grep { $all->{rows}{cold}{$_} } @names;

    my @all = grep { $_->[1] } map { [$_, row($all, $_, @names)] } @Rows;

    return "## What was seen\n\nLess is better in each row; the best is bold. "
        . "\"Better\" names who is better than `wa_gateway` with the server's "
        . "own route.\n\n"
        . WaBench::Report::table(['what', 'of', @names, 'better'],
                                 map { @$_[1 .. $#$_] } @all)
        . join '', map { "\n$_: " . alone($all->{rows}, $_) } @more;
}


sub alone {
    my ($rows, $name) = @_;

    my $cpu = $rows->{cpu}{$name};
    return sprintf "CPU %.1f us, by that of $Ours %.2f (quarters %.2f to "
                   . "%.2f).\n", @$cpu{qw(cpu against)}, @{$cpu->{quarters}}
        if $cpu;

    my $dies = $rows->{dies}{$name} or return "not measured.\n";
    return "of $dies->{times} messages whose instance died, $dies->{twice} "
           . "were sent twice.\n";
}


sub row {
    my ($all, $row, @names) = @_;
    my ($kind, $key, $label, $of, $how) = @$row;
    my $got = $all->{rows}{$kind} or return;

    my %value = map { $_ => $got->{$_}{$key} }
                grep { $got->{$_} && defined $got->{$_}{$key} } @names;
    return unless %value;

    my ($best) = sort { $a <=> $b } values %value;
    my ($any) = values %$got;

    my @cells = map { my $name = $_;
                      defined $value{$name}
                      ? cell($value{$name}, $best, $how, $got->{$name}) : '' }
                @names;
    my @better = grep { $_ !~ /^\Q$Ours\E/
                        && better($value{$_}, $value{$Ours}, $how) }
                 grep { defined $value{$_} } @names;

    return [$label, $of ? $any->{$of} : '', @cells, join ', ', @better];
}


sub cell {
    my ($value, $best, $how, $got) = @_;
    my $text = shown($value, $how);

    $text = $got->{never} == $got->{times} ? 'never'
            : "$text, $got->{never} never" if $how eq 'until' && $got->{never};
    $text .= " ($got->{errors} errors)" if $how eq 'us' && $got->{errors};
    $text .= sprintf ' (%.2f to %.2f)', @{$got->{quarters}}
        if $how eq 'ratio';

    return !better($best, $value, $how) && $text !~ /never|errors/
           ? "**$text**" : $text;
}


sub shown {
    my ($value, $how) = @_;

    return $how eq 'counted' ? $value
         : $how eq 'us' ? sprintf '%.1f', $value
         : $how eq 'MB' ? sprintf '%.1f', $value / 1024
                        : sprintf '%.2f', $value;
}


# Times below a hundredth of a second are all the same.
sub better {
    my ($theirs, $ours, $how) = @_;

    return 0 unless defined $ours;
    return $theirs < $ours if $how eq 'counted';
    return $theirs + 0.01 < $ours if $how =~ /^(?:s|until)$/;
    return $theirs < $ours * (1 - $Noise);
}


sub measured {
    my ($all) = @_;

    my @rows = map { my $kind = $_;
                     my @got = values %{$all->{rows}{$kind}};
                     my @loads = sort { $a <=> $b } map { $_->{load} } @got;
                     my @at = sort map { $_->{at} } @got;
                     [$kind, $at[0], "$loads[0] to $loads[-1]",
                      $got[0]{rounds} || $got[0]{times}] }
               grep { %{$all->{rows}{$_} || {}} }
               sort keys %{$all->{rows}};

    return "## When\n\nThe load is the machine's, before each gateway's turn; "
        . "times is how often each thing happened, or rounds of CPU.\n\n"
        . WaBench::Report::table(['rows', 'UTC', 'load', 'times'], @rows);
}


1;
