#!/usr/bin/perl

# Keys of sends that are kept on a disk: over kill -9 of all, torn and damaged
# files, a disk that is full.  No key is seen twice by an instance.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use Test::More;
use WaGateway::Nginx qw(poll slurp);
use WaGateway::Send qw(fake send_gateway post start_post answer_of seen told);
use WaGateway::Sessions qw(differs);

my %Text = (chatId => '966511111111', message => 'hi');
my $n = 0;

my $one = fake('wuzapi', sessions => [
    { name => 'main', number => '966500000001', token => 't-main' }]);
my @fakes = ($one);


sub key { return 'k-' . ++$n . '-' . $$ }

sub keyed { return (headers => ["Idempotency-Key: $_[0]"]) }

sub replayed { return $_[0]{headers}{'idempotency-replayed'} || '-' }

sub text { return post($_[0], '/send-message', { %Text }, keyed($_[1])) }

sub begin {
    my ($ng, $key) = @_;
    return start_post($ng, '/send-message', { %Text }, keyed($key));
}


sub gateway_of {
    my ($journal, %o) = @_;
    my $more = delete $o{more} || '';

    return send_gateway(fakes => \@fakes, upstream => 'wa_gateway_passive off;'
                        . " wa_gateway_idempotency on journal=$journal $more;",
                        %o);
}


sub files { return sort glob "$_[0].*" }


# All of it, at once.
sub kill_all {
    my ($ng) = @_;
    my @pids = ($ng->{pid}, $ng->worker_pids);

    kill 'KILL', @pids;
    waitpid $ng->{pid}, 0;
    ok((poll { !grep { runs($_) } @pids }), 'all are killed');
}


sub start_again {
    my ($ng) = @_;

    $ng->start;
    is(differs($ng, @fakes), undef, 'started again');
}


# One that nobody waits for is a zombie; what it had open is open still as long
# as one of its threads is with the disk.
sub runs {
    my ($pid) = @_;

    for (glob "/proc/$pid/task/*/stat") {
        open my $fh, '<', $_ or next;
        my $stat = <$fh>;
        return 1 if defined $stat && $stat !~ /\) [ZX] /;
    }

    return 0;
}


{
    my $journal = tempdir(CLEANUP => 1) . '/journal/keys';
    my $ng = gateway_of($journal, workers => 2);

    my ($late, $flight, $free) = map { key() } 1 .. 3;

    my $answer = text($ng, $late);
    is(told($answer), '200 success', 'one is answered');

    $one->misbehave('send', 'slow:3600');
    my $held = begin($ng, $flight);
    ok((poll { seen(@fakes) == 2 }), 'one is in flight');

    my @files = files($journal);
    cmp_ok(scalar @files, '>', 0, 'there are files');
    is(join(' ', map { sprintf '%o', (stat $_)[2] & 07777 } @files),
       join(' ', ('600') x @files), 'for their owner only');

    kill_all($ng);
    $one->misbehave('send', '');

    start_again($ng);
    my $r = text($ng, $flight);
    is(told($r), '502 unconfirmed unknown', 'in flight: it is not known');
    is(replayed($r), 'true', 'in flight: and not sent again');

    $r = text($ng, $late);
    is("$r->{status} " . replayed($r), '200 true', 'answered: it is known');
    is($r->{json}{messageId}, $answer->{json}{messageId}, 'its message');
    is(seen(@fakes), 2, 'none was sent again');

    # what was refused for good is free again
    $one->misbehave('send', 'status:400');
    is(told(text($ng, $free)), '422 rejected no', 'one is proven unsent');
    $one->misbehave('send', '');
    $one->forget;

    kill_all($ng);
    start_again($ng);
    is(told(text($ng, $flight)), '502 unconfirmed unknown',
       'a second time: it is not known');
    is(replayed(text($ng, $late)), 'true', 'a second time: it is known');
    is(told(text($ng, $free)), '200 success', 'what was given up is sent');
    is(seen(@fakes), 1, 'and nothing else');

    $ng->clean('nothing worse than errors is logged');
}

# Files that end in the middle of a record, and damaged ones.
{
    my $journal = tempdir(CLEANUP => 1) . '/keys';
    my $ng = gateway_of($journal, workers => 1);
    my @keys = map { key() } 1 .. 3;

    is(told(text($ng, $_)), '200 success', "$_ is sent") for @keys;
    my ($file) = files($journal);
    ok((poll { -s $file == 64 + 3 * (96 + 128) }), 'all of it is written');

    kill_all($ng);

    # the second claim, and the end of what came of the third
    my $text = slurp($file);
    substr($text, 64 + 96 + 128 + 20, 1) ^= 'x';
    open my $fh, '>', $file or die "$file: $!\n";
    print $fh substr $text, 0, length($text) - 7;
    close $fh or die "$file: $!\n";

    start_again($ng);
    $one->forget;
    is(replayed(text($ng, $keys[0])), 'true', 'before the damage: known');
    is(told(text($ng, $keys[1])), '200 success', 'its outcome is whole');
    is(told(text($ng, $keys[2])), '502 unconfirmed unknown',
       'a torn outcome is none');
    is(seen(@fakes), 0, 'none is sent again');

    like($ng->log, qr/"\Q$file\E" is damaged at 288, 96 bytes are skipped/,
         'the damage is named');
    like($ng->log, qr/"\Q$file\E" was not written to its end, 121 bytes at 608/,
         'and so is the torn end');
    unlike($ng->log, qr/\[(?:alert|crit|emerg)\]/, 'nothing worse is logged');
}

# Workers that are killed, and reloads.
{
    my $journal = tempdir(CLEANUP => 1) . '/keys';
    my $ng = gateway_of($journal, workers => 2, more => 'zone=x:1m');
    my ($flight, $late) = map { key() } 1 .. 2;

    $one->forget;
    my $answer = text($ng, $late);
    $one->misbehave('send', 'slow:3600');
    my $held = begin($ng, $flight);
    ok((poll { seen(@fakes) == 2 }), 'killed: one is in flight');

    my %old = map { $_ => 1 } $ng->worker_pids;
    kill 'KILL', keys %old;
    ok((poll { my @now = $ng->worker_pids;
               @now == 2 && !grep { $old{$_} } @now }), 'killed: new ones');
    $one->misbehave('send', '');
    is(told(text($ng, $flight)), '502 unconfirmed unknown',
       'killed: it is not known');

    ok($ng->reload, 'a reload');
    $ng->{upstream} =~ s/zone=x:1m/zone=x:2m/;
    ok($ng->reload, 'one with another zone');
    is(text($ng, $late)->{body}, $answer->{body}, 'the answer is all there');

    kill_all($ng);
    start_again($ng);
    is(replayed(text($ng, $_)), 'true', 'both are known after it')
        for $flight, $late;
    is(seen(@fakes), 2, 'and were sent once');

    unlike($ng->log, qr/exited on signal (?!9\b)/, 'none died otherwise');
}

# A disk that is full, as a limit on the size of files says it.
{
    my $journal = tempdir(CLEANUP => 1) . '/keys';
    local $SIG{XFSZ} = 'IGNORE';
    my $ng = gateway_of($journal, workers => 1);
    my ($first, $refused) = map { key() } 1 .. 2;

    $one->forget;
    is(told(text($ng, $first)), '200 success', 'there is room');

    my ($worker) = $ng->worker_pids;
    limit($worker, 100);

    for my $time ('first', 'second') {
        my $r = text($ng, $refused);
        is(told($r), '503 store_full no', "full: refused, the $time time");
        is($r->{headers}{'retry-after'}, 60, 'for a while');
    }

    is(replayed(text($ng, $first)), 'true', 'full: what is known is known');
    is(told(post($ng, '/send-message', { %Text })), '200 success',
       'full: what has no key is sent');
    is(seen(@fakes), 2, 'full: nothing else was');

    my @files = files($journal);
    is(scalar @files, 1, 'full: no file for each refusal');

    limit($worker, 'unlimited');
    is(told(text($ng, $refused)), '200 success', 'there is room again');
    ok((poll { $ng->log =~ /journal "\Q$journal\E" is written to again/ }),
       'it is told');

    kill_all($ng);
    start_again($ng);
    is(replayed(text($ng, $_)), 'true', 'and all is known')
        for $first, $refused;
    is(seen(@fakes), 3, 'each was sent once');
}

# Many at once share syncs.
{
    my $journal = tempdir(CLEANUP => 1) . '/keys';
    my $ng = gateway_of($journal, workers => 1);
    my @keys = map { key() } 1 .. 100;

    $one->forget;
    my @socks = map { begin($ng, $_) } @keys;
    is(join(' ', grep { $_ ne '200 success' } map { told(answer_of($_)) }
                 @socks), '', '100 at once are sent');

    kill_all($ng);
    start_again($ng);
    is(scalar(grep { replayed(text($ng, $_)) ne 'true' } @keys), 0,
       'all are known');
    is(seen(@fakes), 100, 'and were sent once');
    $ng->clean('nothing worse than errors is logged');
}

done_testing();


# Bytes that the worker may write to a file.
sub limit {
    my ($pid, $size) = @_;

    system('prlimit', '--pid', $pid, "--fsize=$size:unlimited") == 0
        or die "prlimit: $?\n";
}
