#!/usr/bin/perl

# What was set at run time is kept in a file: over restarts, whatever became of
# the file, of the disk and of who wrote.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Fcntl qw(S_IMODE);
use JSON::PP;
use Test::More;
use WaGateway::Fake;
use WaGateway::Nginx qw(http poll slurp);

my @fakes = map { WaGateway::Fake->new } 1 .. 3;
my ($one, $two, $three) = map { 'http://' . $_->name } @fakes;
my @Json = ('X-Api-Key: admin-secret', 'Content-Type: application/json');


sub create {
    my (%o) = @_;

    return WaGateway::Nginx->new(
        workers => 2, level => 'notice',
        upstream => 'wa_gateway zone=u:1m capacity=4;'
                    . 'wa_gateway_state ' . ($o{file} || 'state/u.json') . ';'
                    . ($o{servers} || join '', map { 'server ' . $_->name . ';' }
                                               @fakes[0, 1]),
        server => 'wa_gateway_admin_key admin-secret;'
                  . 'location = /instances { wa_gateway_control u; }');
}


sub control {
    my ($ng, $method, $name, $body) = @_;
    my $path = '/instances' . (defined $name ? "?name=$name" : '');
    my $r = http($ng->port, $method, $path, headers => \@Json,
                 (defined $body ? (body => encode_json($body)) : ()));

    $r->{json} = eval { decode_json($r->{body}) } || {};

    return $r;
}


# Each instance with what was set of it, by the number of its fake.
sub told {
    my ($ng) = @_;
    my %number = ($one => 1, $two => 2, $three => 3);

    return join ' ', sort map {
        ($number{$_->{url}} || $_->{url})
        . ":$_->{admin}:$_->{weight}:$_->{maxConns}"
        . ($_->{added} ? ':added' : '') }
        @{control($ng, 'GET')->{json}{instances}};
}


sub restart {
    my ($ng) = @_;
    $ng->stop;
    return $ng->start;
}


{
    my $ng = create();
    my $file = "$ng->{dir}/state/u.json";

    my ($status) = $ng->test;
    is($status, 0, 'nginx -t');
    ok(!-e "$ng->{dir}/state", 'makes nothing');

    $ng->start;
    ok(-d "$ng->{dir}/state", 'the start makes the folder');
    ok(!-e $file, 'nothing is to be kept');

    is(control($ng, 'POST', undef, { url => $three, weight => 3 })->{status},
       201, 'one is added');
    my $mode = (stat $file)[2];
    is(defined $mode ? sprintf('%o', S_IMODE($mode)) : 'none', '600',
       'which is kept, for none but its owner');
    ok(!-e "$file.new", 'nothing is left aside');

    is(control($ng, 'PATCH', $three, { maxConns => 7 })->{status}, 200,
       'changed');
    is(control($ng, 'PATCH', $one, { state => 'drain', weight => 5 })
           ->{status}, 200, 'so is one of the configuration');
    is(control($ng, 'DELETE', $two)->{status}, 204, 'another one is removed');
    ok((poll { told($ng) eq '1:drain:5:0 3:configured:3:7:added' }),
       'all of it is in force');

    restart($ng);
    is(told($ng), '1:drain:5:0 3:configured:3:7:added',
       'and is when it starts again');
    is(http($ng->port, 'POST', '/m', body => 'x')->{headers}{'x-wa-instance'},
       $three, 'the added one gets what comes');
    is(control($ng, 'POST', undef, { url => $two })->{status}, 201,
       'what was removed may come back');

    # what the configuration does not have any more
    $ng->{upstream} =~ s/server \Q@{[$fakes[0]->name]}\E;//;
    restart($ng);
    is(told($ng), '2:configured:1:0 3:configured:3:7:added',
       'what was removed from the configuration stays removed');

    kill 'KILL', $ng->{pid}, $ng->worker_pids;
    waitpid $ng->{pid}, 0;
    poll { !IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $ng->port) };
    $ng->start;
    is(told($ng), '2:configured:1:0 3:configured:3:7:added',
       'nothing is lost when all are killed');

    # torn, empty, something else
    my $whole = slurp($file);

    for my $bad (substr($whole, 0, length($whole) / 2), '', "\0" x 100, '[]',
                 '{"version":2,"instances":[]}', '{"version":1}',
                 '{"version":1,"instances":[{"url":5}]}',
                 '{"version":1,"instances":[{"url":"x","added":true}]}',
                 '{"version":1,"instances":[{"url":"x","added":true,'
                 . '"addresses":["name"]}]}',
                 '{"version":1,"instances":[{"url":"x","state":"y"}]}',
                 '{"version":1,"instances":[{"url":"x","weight":0}]}')
    {
        $ng->stop;
        open my $fh, '>:raw', $file or die "$!\n";
        print $fh $bad;
        close $fh or die "$!\n";
        truncate "$ng->{dir}/error.log", 0;
        $ng->start;

        my $name = length $bad ? substr $bad, 0, 60 : 'empty';
        $name =~ s/[^ -~]/./g;
        is(told($ng), '2:configured:1:0', "nothing is used of: $name");
        is(scalar($ng->logged(qr/state file ".*" is not used, /)), 1,
           'which is told once');
        is(slurp("$file.damaged"), $bad, 'it is set aside');
        ok(!-e $file, 'and not there');
    }

    is(control($ng, 'PATCH', $two, { weight => 2 })->{status}, 200,
       'changes are kept again');
    restart($ng);
    is(told($ng), '2:configured:2:0', 'over a start');

    $ng->clean;
}


# Where nothing can be written nothing is done.
{
    my $dir = File::Temp::tempdir('wa-full-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    system('mount', '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', $dir) == 0
        or die "no tmpfs can be mounted, which these tests need root for\n";
    END { local $?; system('umount', '-l', $dir) if defined $dir }

    my $ng = create(file => "$dir/u.json")->start;

    is(control($ng, 'PATCH', $one, { weight => 2 })->{status}, 200,
       'there is room');

    open my $fh, '>', "$dir/fill" or die "$!\n";
    1 while syswrite $fh, 'x' x 4096;
    close $fh;

    my $before = told($ng);

    for ([ 'POST', undef, { url => $three } ],
         [ 'PATCH', $one, { state => 'down' } ], [ 'DELETE', $one ])
    {
        my $r = control($ng, @$_);
        is("$r->{status} $r->{json}{code}", '507 disk_full',
           "$_->[0] where the disk is full");
        ok((poll { told($ng) eq $before }), 'is not done');
    }

    unlink "$dir/fill";
    is(control($ng, 'PATCH', $one, { weight => 3 })->{status}, 200,
       'with room it is');
    my $kept = slurp("$dir/u.json");
    is(decode_json($kept)->{instances}[0]{weight}, 3, 'and kept');

    mkdir "$dir/u.json.new" or die "$!\n";
    my $r = control($ng, 'PATCH', $one, { weight => 4 });
    is("$r->{status} $r->{json}{code}", '500 not_kept',
       'nor where the file cannot be made');
    is(slurp("$dir/u.json"), $kept, 'what was kept is there still');
    rmdir "$dir/u.json.new";

    $ng->clean;
}


# Who cannot know of others changes nothing.
{
    my $ng = create();
    mkdir "$ng->{dir}/$_" or die "$!\n" for 'state', 'state/u.json.lock';
    $ng->start;

    my $r = control($ng, 'PATCH', $one, { weight => 2 });
    is("$r->{status} $r->{json}{code}", '500 not_kept',
       'nothing is done without a lock');
    is(told($ng), '1:configured:1:0 2:configured:1:0', 'nothing of it');
    is(scalar($ng->logged(qr/\.lock" could not be opened/)), 1,
       'which is told');

    $ng->clean;
}


for ([ '""', 'no name' ], [ 'state/', 'a folder' ]) {
    my ($name, $what) = @$_;
    my ($status, $text) = create(file => $name)->test;
    like("$status $text", qr/^1 .*invalid value/s, "$what is refused");
}

done_testing();
