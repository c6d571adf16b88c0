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
    poll { !grep { kill 0, $_ } @pids };
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
    diag(join ' ', files($journal), map { -s $_ } files($journal));

    $ng->start;
    my $r = text($ng, $flight);
    is(told($r), '502 unconfirmed unknown', 'in flight: it is not known');
    is(replayed($r), 'true', 'in flight: and not sent again');

    $r = text($ng, $late);
    is("$r->{status} " . replayed($r), '200 true', 'answered: it is known');
    is($r->{json}{messageId}, $answer->{json}{messageId}, 'its message');
    is(seen(@fakes), 2, 'none was sent again');
    diag($ng->log);
}

done_testing();
