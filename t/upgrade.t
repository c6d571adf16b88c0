#!/usr/bin/perl

# Another binary, another module, under load: no crash and no error.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy qw(copy);
use Test::More;
use Time::HiRes qw(sleep time);
use WaGateway::Daemon;
use WaGateway::Fake;
use WaGateway::Load;
use WaGateway::Nginx qw(poll slurp);

my @fakes = map { WaGateway::Fake->new } 1 .. 3;


sub alive { return $_[0] && kill 0, $_[0] }


# So many messages after what was just done; else it was done to nobody.
sub load {
    my ($load, $name) = @_;
    ok($load->more(8), "$name: there is load");
}


sub judge {
    my ($name, @results) = @_;
    my $seen = WaGateway::Load::seen(@fakes);

    is(join(', ', map { $_->{why} = '' unless defined $_->{why};
                        "@$_{qw(path status sent why)}" }
                  grep { $_->{status} != 200 || !$_->{whole} } @results), '',
       "$name: no client saw an error");
    is(scalar(grep { ($seen->{$_->{path}} || 0) != 1 } @results), 0,
       "$name: every message was seen once");
}


my %o = (workers => 2, level => 'notice', upstream => join '',
         'wa_gateway; wa_gateway_check interval=1s;',
         map { "server " . $_->name . ";" } @fakes);

{
    my $ng = WaGateway::Daemon->begin(%o);
    my $old = $ng->pid;

    ok((poll { eval { $ng->status->{instances}{healthy} == 3 } }), 'it runs');

    my $load = WaGateway::Load->start($ng->port, pause => 0.005);
    load($load, 'before');
    my $then = time;

    kill 'USR2', $old;
    ok((poll { ($ng->pid('.oldbin') || 0) == $old && $ng->pid
               && $ng->pid != $old }), 'USR2: a new master');
    my $new = $ng->pid;
    $ng->{pid} = $new;
    ok((poll { $ng->worker_pids == 2 }), 'with workers');
    load($load, 'USR2');

    $ng->{pid} = $old;
    kill 'WINCH', $old;
    ok((poll { $ng->worker_pids <= 1 }), 'WINCH: the old workers go');
    load($load, 'WINCH');

    ok((poll { eval { $ng->status->{instances}{healthy} == 3 } }),
       'the new ones know who is up');
    cmp_ok($ng->status->{gateway}{uptime}, '<', time - $then,
           'in memory of their own, which begins anew');

    kill 'QUIT', $old;
    ok((poll { !alive($old) }), 'QUIT: the old master goes');
    $ng->{pid} = $new;
    load($load, 'QUIT');

    judge('upgrade', $load->stop);

    # And back again: the new one is not liked.
    $load = WaGateway::Load->start($ng->port, pause => 0.005);
    load($load, 'before');
    $old = $new;
    kill 'USR2', $old;
    ok((poll { ($ng->pid('.oldbin') || 0) == $old && $ng->pid
               && $ng->pid != $old }), 'USR2: one more');
    $new = $ng->pid;
    $ng->{pid} = $new;
    ok((poll { $ng->worker_pids == 2 }), 'with workers');
    load($load, 'USR2');

    $ng->{pid} = $old;
    kill 'WINCH', $old;
    ok((poll { $ng->worker_pids <= 1 }), 'WINCH: the old workers go');
    load($load, 'WINCH');
    kill 'HUP', $old;
    ok((poll { $ng->worker_pids >= 3 }), 'HUP: they are back');
    load($load, 'HUP');
    kill 'QUIT', $new if $new;
    ok((poll { !alive($new) }), 'QUIT: the new master goes');
    load($load, 'QUIT');

    judge('return', $load->stop);
    is($ng->status->{instances}{healthy}, 3, 'all are up');

    $ng->clean;
}


# The module is replaced on the disk.
{
    my $from = $ENV{TEST_NGINX_LOAD_MODULES}
               || 'build/ngx_http_wa_gateway_module.so';
    my $ng = WaGateway::Daemon->new(%o);
    my $module = "$ng->{dir}/module.so";

    my $replace = sub {
        copy($from, "$module.new") or die "$from: $!\n";
        rename "$module.new", $module or die "$module: $!\n";
    };

    $replace->();
    $ng = WaGateway::Daemon->begin(%o, %$ng, module => $module);
    ok((poll { eval { $ng->status->{instances}{healthy} == 3 } }), 'it runs');

    my $load = WaGateway::Load->start($ng->port, pause => 0.005);
    load($load, 'before');
    my $master = $ng->{pid};

    for my $n (1 .. 5) {
        $replace->();
        ok($ng->reload, "another module, $n: a reload");
        ok((poll { eval { $ng->status->{instances}{healthy} == 3 } }),
           "another module, $n: at work");
        load($load, "another module, $n");
    }

    judge('another module', $load->stop);
    is($ng->pid, $master, 'the master is the same');
    like(slurp("/proc/$master/maps"), qr/\Q$module\E.*\(deleted\)/,
         'with the module it began with: a reload loads no other');

    $ng->clean;
}

done_testing;
