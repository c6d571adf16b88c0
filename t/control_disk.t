#!/usr/bin/perl

# The state file on a disk that takes its time: the worker goes on meanwhile,
# the answer comes when it is on the disk, whoever leaves or is killed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw(tempdir);
use IO::Select;
use JSON::PP;
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll read_answer send_request slurp);
use WaGateway::Shim qw(shim);

my $dir = tempdir('wa-disk-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $disk = "$dir/disk";
my @fakes = map { WaGateway::Fake->new } 1 .. 3;
my ($one, $two, $three) = map { 'http://' . $_->name } @fakes;
my @Json = ('X-Api-Key: admin-secret', 'Content-Type: application/json');

chmod 0777, $dir;


sub create {
    my (%o) = @_;

    return WaGateway::Nginx->start(
        workers => 1, level => 'notice', env => shim(fsync => $disk), %o,
        upstream => 'wa_gateway zone=u:1m capacity=4; wa_gateway_state state/u.json;'
                    . 'server ' . $fakes[0]->name . ';',
        server => 'wa_gateway_admin_key admin-secret;'
                  . 'location = /instances { wa_gateway_control u; }');
}

# A change that is on its way.
sub begin {
    my ($ng, $method, $name, $body) = @_;
    my $s = send_request($ng->port, $method, '/instances' . (defined $name ? "?name=$name" : ''),
                         headers => \@Json, (defined $body ? (body => encode_json($body)) : ()));
    return { s => $s, method => $method };
}

sub ends {
    my ($change, $want, $name) = @_;
    my $r = read_answer($change->{s}, $change->{method});
    my $json = eval { decode_json($r->{body}) } || {};
    is(join(' ', $r->{status}, grep { defined } $json->{code}), $want, $name);
}

sub is_told { return IO::Select->new($_[0]{s})->can_read(0) ? 1 : 0 }

sub touch { open my $fh, '>', $_[0] or die "$_[0]: $!\n"; close $fh }

sub hold { unlink "$disk.seen"; touch($disk) }

sub waits { my ($n) = @_; return poll { (-s "$disk.seen" // 0) == ($n || 1) } }

sub release { unlink $disk or die "$disk: $!\n" }

# Who gets messages, and what is listed: a worker that waits answers neither.
sub takers {
    my ($ng) = @_;
    my %got;
    $got{http($ng->port, 'POST', '/m', body => 'x')->{headers}{'x-wa-instance'} || 'none'}++ for 1 .. 20;
    return join ' ', sort keys %got;
}

sub set {
    my ($ng) = @_;
    my $r = http($ng->port, 'GET', '/instances', headers => \@Json);
    return join ' ', map { "$_->{url}=$_->{admin},$_->{weight}" } @{decode_json($r->{body})->{instances}};
}

sub kept {
    my ($ng) = @_;
    my $state = eval { decode_json(slurp("$ng->{dir}/state/u.json")) } || { instances => [] };
    return join ' ', map { "$_->{url}=" . ($_->{state} || '-') . ',' . ($_->{weight} || '-') }
                     @{$state->{instances}};
}


{
    my $ng = create();

    hold();
    my $add = begin($ng, 'POST', undef, { url => $two });
    ok(waits(), 'the disk takes its time');
    is(takers($ng), join(' ', sort $one, $two), 'the worker sends messages meanwhile');
    like(set($ng), qr/\Q$two\E=configured/, 'and lists instances');

    my $change = begin($ng, 'PATCH', $one, { weight => 5 });
    is(takers($ng), join(' ', sort $one, $two), 'and goes on');
    is(set($ng), "$one=configured,1 $two=configured,1", 'another change waits for its turn');
    is(is_told($add) + is_told($change), 0, 'nothing is answered before it is on the disk');
    is(kept($ng), '', 'where it is not');

    release();
    ends($add, 201, 'it is answered when it is');
    ends($change, 200, 'then the other one');
    is(kept($ng), "$one=-,5 $two=-,-", 'both are kept');
    is(-s "$disk.seen", 1, 'the first one alone had to wait');

    # what is removed gets messages until that is kept

    hold();
    my $remove = begin($ng, 'DELETE', $two);
    ok(waits(), 'one is being removed');
    is(takers($ng), join(' ', sort $one, $two), 'it still gets messages');
    release();
    ends($remove, 204, 'it is removed');
    is(takers($ng), $one, 'and gets none');
    is(set($ng), "$one=configured,5", 'it is gone');

    # a full disk

    touch("$disk.full");

    for (['POST', undef, { url => $three }], ['PATCH', $one, { state => 'down' }], ['DELETE', $one]) {
        hold();
        my $full = begin($ng, @$_);
        waits();
        release();
        ends($full, '507 disk_full', "$_->[0]: the disk is full");
        is(set($ng), "$one=configured,5", 'nothing was done');
        is(kept($ng), "$one=-,5", 'and what was kept stays');
        ok(!-e "$ng->{dir}/state/u.json.new", 'nothing is left aside');
    }

    unlink "$disk.full";

    # a client that leaves

    hold();
    my $left = begin($ng, 'POST', undef, { url => $two });
    ok(waits(), 'a client leaves while the disk takes its time');
    close $left->{s};
    is(takers($ng), join(' ', sort $one, $two), 'the worker goes on');
    release();
    ok((poll { kept($ng) eq "$one=-,5 $two=-,-" }), 'what it wanted is done');

    # whose folder may still be synced: what comes next is answered after that
    ends(begin($ng, 'PATCH', $one, { weight => 5 }), 200, 'and the next change');

    touch("$disk.full");
    hold();
    $left = begin($ng, 'DELETE', $two);
    ok(waits(), 'another one leaves, and the disk is full');
    close $left->{s};
    is(takers($ng), join(' ', sort $one, $two), 'the worker goes on');
    release();
    unlink "$disk.full" if poll { scalar $ng->logged(qr/state file .* could not be written/) == 4 };
    ends(begin($ng, 'PATCH', $one, { weight => 6 }), 200, 'the next change is taken');
    is(kept($ng), "$one=-,6 $two=-,-", 'and nothing else was done');

    # a reload

    hold();
    my $slow = begin($ng, 'PATCH', $two, { weight => 9 });
    ok(waits(), 'a reload while the disk takes its time');
    my ($old) = $ng->worker_pids;
    kill 'HUP', $ng->{pid};
    ok((poll { $ng->worker_pids == 2 }), 'there is another worker');
    is(takers($ng), join(' ', sort $one, $two), 'that sends messages');
    my $next = begin($ng, 'PATCH', $two, { weight => 10 });
    is(takers($ng), join(' ', sort $one, $two), 'while it');
    is(is_told($slow) + is_told($next), 0, 'and its client wait');
    release();
    ends($slow, 200, 'the old one answers');
    ends($next, 200, 'and then the new one');
    ok((poll { !grep { $_ == $old } $ng->worker_pids }), 'and the old one ends');
    is(kept($ng), "$one=-,6 $two=-,10", 'all of it is kept');

    # a worker that is killed

    for my $change (['POST', undef, { url => $three }], ['PATCH', $one, { weight => 7 }],
                    ['DELETE', $three])
    {
        my $before = kept($ng);

        hold();
        my $dies = begin($ng, @$change);
        ok(waits(), "$change->[0]: the worker is killed while it is written");
        my ($pid) = $ng->worker_pids;
        kill 'KILL', $pid;
        ok((poll { my @now = $ng->worker_pids; @now && !grep { $_ == $pid } @now }), 'there is another one');
        release();
        is(read_answer($dies->{s}, $change->[0])->{status}, 0, 'nothing is answered');
        is(kept($ng), $before, 'what was kept is there as it was');
        ends(begin($ng, 'PATCH', $two, { weight => 10 }), 200, 'the next change is taken');
        is(kept($ng), join(' ', map { s/configured/-/r } grep { !/,1$/ || !/\Q$one\E/ } split / /, set($ng))
                      =~ s/,1(?= |$)/,-/gr, 'and keeps what is in force');
    }

    is(join("\n", $ng->alarms), '', 'the log tells of these deaths only');
    $ng->stop;
}


# A single process has no threads: what it does is the same.
{
    my $ng = create(workers => 0);

    hold();
    my $add = begin($ng, 'POST', undef, { url => $two });
    ok(waits(), 'a single process waits itself');
    release();
    ends($add, 201, 'and answers');
    is(kept($ng), "$two=-,-", 'when it is kept');
    $ng->clean;
}

done_testing();
