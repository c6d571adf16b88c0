package WaBench::Faults;

# What becomes of sends, by the ledgers of the servers, whatever the gateway:
# cold, when an instance is added, when one dies, when a session moves, when a
# client repeats, when a phone is logged out.  What happens next waits for an
# event, never for a time; only how long something took is a matter of the
# machine.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Exporter qw(import);
use Time::HiRes qw(sleep time);
use WaBench::Load qw(median);
use WaBench::Scene qw(scene leave ready names nth text_of say_one told sends
                      wrong sent twice silent held reached $Instances $Never);
use WaGateway::Nginx qw(http poll read_answer);

our @EXPORT_OK = qw(faults @Kinds);

our @Kinds = qw(cold grows dies moves repeats logout unproved);

# How many times each thing happens.
my %Times = (cold => 10, grows => 3, dies => 6, moves => 12, repeats => 10,
             logout => 4, unproved => 10);
my $Burst = 5;

# A client of a logged-out phone sends each so many seconds, and has had enough
# when so many in a row did not come to a server.
my $Pace = 0.05;
my $Quiet = 20;

my %Do = (cold => \&cold, grows => \&grows, dies => \&dies, moves => \&moves,
          repeats => \&repeats, logout => \&logout, unproved => \&unproved);


# Figures of a kind for a class of gateways.  Options: quick (each thing
# happens twice).
sub faults {
    my ($class, $kind, %o) = @_;

    my $run = scene($class);
    $run->{times} = $o{quick} ? 2 : $Times{$kind};

    my $figures = $Do{$kind}->($run);

    leave($run);

    return { %$figures, times => $run->{times} };
}


# Each session in turn, from a cold start; then sessions that nobody has.
sub cold {
    my ($run) = @_;
    my ($failed, $all) = round($run, $run->{times});
    my %r = (all => $all, failed => $failed, wrong => wrong($run),
             twice => twice($run), silent => silent($run));
    my $strangers = 30;

    $_->forget for @{$run->{fakes}};
    say_one($run, "nobody-$_") for 1 .. $strangers;

    return { %r, strangers => $strangers, bothered => scalar(sends($run)) };
}


# How many of the sends of so many rounds through all sessions failed, and how
# many there were.
sub round {
    my ($run, $times) = @_;
    my ($failed, $all) = (0, 0);

    for (1 .. $times) {
        for my $name (mixed(keys %{$run->{home}})) {
            $failed += !say_one($run, $name);
            $all++;
        }
    }

    return ($failed, $all);
}


# In an order that is the same each time, and has nothing to do with turns.
sub mixed { return sort { md5_hex($a) cmp md5_hex($b) } @_ }


# A fourth server, as yet without sessions.
sub grows {
    my ($run) = @_;
    my ($side, $spare) = @$run{qw(side spare)};

    # what is learnt is learnt
    for my $name (keys %{$run->{home}}) {
        poll { say_one($run, $name) } $Never;
    }

    $_->forget for @{$run->{fakes}};

    push @{$run->{fakes}}, $spare;
    push @{$side->{instances}}, $spare->name;
    again($side);
    $side->settled(scalar keys %{$run->{home}});

    my ($failed, $all) = round($run, $run->{times});
    my $wrong = wrong($run);
    pop @{$run->{fakes}};

    return { all => $all, failed => $failed, wrong => $wrong };
}


# By its own reload, where it has one.
sub again {
    my ($side) = @_;

    if (!$side->reload) {
        $side->stop;
        return $side->start;
    }

    poll {
        my $r = http($side->port, 'GET', '/health');
        ($r->{headers}{'x-bench'} || '') eq $side->{generation};
    } or die $side->name . ": no reload\n";
}


# A server has a message, and dies before its answer, while another one could
# send it as well; all sessions are used once; it comes back, and its own are
# used until they send.
sub dies {
    my ($run) = @_;
    my %r = map { $_ => 0 } qw(own stray others others_failed);
    my @back;

    for my $nth (1 .. $run->{times}) {

        # what is learnt is learnt
        for my $name (keys %{$run->{home}}) {
            poll { say_one($run, $name) } $Never;
        }

        my $instance = dead($run, $nth);
        my @own = names($run, $instance);
        my @others = map { names($run, $_) } grep { $_ != $instance }
                     0 .. $Instances - 1;

        my $before = wrong($run);
        say_one($run, $_) for @own;
        $r{stray} += wrong($run) - $before;
        $r{own} += @own;

        $r{others_failed} += grep { !say_one($run, $_) } @others;
        $r{others} += @others;

        $run->{fakes}[$instance]->start;
        push @back, until_all($run, @own);
    }

    return { %r, twice => twice($run), silent => silent($run),
             back => median(@back) };
}


# A session is on two servers, with the same number; the one that has its
# message dies.  The number of that server; the session is used no more.
sub dead {
    my ($run, $nth) = @_;
    my ($first, $one, $session) = nth($run, $nth);
    my $second = ($first + 1) % $Instances;
    my $two = $run->{fakes}[$second];
    my $text = text_of();

    $two->session($session, %{ready($session)});
    $run->{side}->aware($session, 2);

    my ($s, $holder) = held($run, [$one, $two], $session, $text);

    $holder->stop;
    told($run, $text, read_answer($s, 'POST', timeout => 30));
    $holder->release;
    delete $run->{home}{$session};

    return $holder == $one ? $first : $second;
}


# Seconds until each of them has sent something, $Never at most.
sub until_all {
    my ($run, @left) = @_;
    my $began = time;

    poll {
        @left = grep { !say_one($run, $_) } @left;
        !@left;
    } $Never;

    return time - $began;
}


# A session is on another server from one moment to the next; then some sends
# in a row, and more until one is done.
sub moves {
    my ($run) = @_;
    my %r = map { $_ => 0 } qw(first all failed wrong never);
    my @until;

    for my $nth (1 .. $run->{times}) {
        my ($from, $old, $name) = nth($run, $nth);

        # by turns to either of the others: who goes in turn is not to know
        my $to = $from + 1 + int($nth / $Instances) % 2;
        my $new = $run->{fakes}[$to % $Instances];

        poll { say_one($run, $name) } $Never;

        $old->remove($name);
        $new->session($name, %{ready($name)});

        my ($before, $began, $at) = (wrong($run), time);

        for my $send (1 .. $Burst) {
            my $done = say_one($run, $name);
            $at ||= time - $began if $done;
            $r{first} += !$done if $send == 1;
            $r{failed} += !$done;
            $r{all}++;
        }

        $r{wrong} += wrong($run) - $before;

        $at ||= found($run, $name, $began);
        $r{never} += !$at;
        push @until, $at || $Never;
    }

    return { %r, twice => twice($run), silent => silent($run),
             until => median(@until) };
}


# Seconds since it began until it sends, 0 for never.
sub found {
    my ($run, $name, $began) = @_;

    return 0 unless poll { say_one($run, $name) } $Never;
    return time - $began;
}


# A client gives up while its message is sent, and sends it again, with the
# same Idempotency-Key, until it has an answer; and once more later.
sub repeats {
    my ($run) = @_;
    my ($same, $copies) = (0, 0);

    for my $nth (1 .. $run->{times}) {
        my (undef, $fake, $name) = nth($run, $nth);
        my ($text, $key) = (text_of(), "key-$nth-$$");
        my %as = (text => $text, key => $key);

        $_->forget for @{$run->{fakes}};
        my ($s) = held($run, [$fake], $name, $text, key => $key);
        close $s;

        # once by itself, while the first may be under way, and then
        my $first = say_one($run, $name, %as);
        $fake->release;
        $first || poll { say_one($run, $name, %as) } $Never;

        my $sent = sent($run)->{$text} || 0;
        $same += $sent > 1;
        say_one($run, $name, %as);
        $copies += (sent($run)->{$text} || 0) - 1;
    }

    return { twice => $same, copies => $copies };
}


# A phone is logged out; its client goes on at a pace of its own.  What comes
# to the server until none does any more, and how long that was.
sub logout {
    my ($run) = @_;
    my ($reached, $never) = (0, 0);
    my @until;

    for my $nth (1 .. $run->{times}) {
        my (undef, $fake, $name) = nth($run, $nth);

        poll { say_one($run, $name) } $Never;

        $fake->session($name, state => 'login');
        my ($n, $last) = logged_out($run, $name);

        $reached += $n;
        $never += !defined $last;
        push @until, defined $last ? $last : $Never;
    }

    return { reached => $reached, never => $never, until => median(@until) };
}


# How many of its sends reached a server, and when the last of these was said;
# undef if there was no end.
sub logged_out {
    my ($run, $name) = @_;
    my ($began, $n, $last, $quiet) = (time, 0, 0, 0);

    while ($quiet < $Quiet) {
        my ($seen, $at) = (reached($run), time - $began);
        return ($n) if $at > $Never / 2;

        say_one($run, $name);

        if (reached($run) > $seen) {
            ($last, $quiet) = ($at, 0);
            $n++;

        } else {
            $quiet++;
        }

        sleep $Pace;
    }

    return ($n, $last);
}


# A phone that is gone, of which its server does not know yet: a success
# without the id of a message.
sub unproved {
    my ($run) = @_;
    my ($told, $all) = (0, 0);

    for my $nth (1 .. $run->{times}) {
        my (undef, $fake, $name) = nth($run, $nth);

        poll { say_one($run, $name) } $Never;
        $fake->session($name, send => 'no_id');

        for (1 .. $Burst) {
            my ($before, $done) = ($fake->count('send'), 0);

            # who sends anywhere may need some tries; who does not send to it
            # any more is right
            for (1 .. $Instances) {
                $done = say_one($run, $name);
                last if $done || $fake->count('send') > $before;
            }

            $told += $done;
            $all++;
        }
    }

    return { told => $told, all => $all };
}


1;
