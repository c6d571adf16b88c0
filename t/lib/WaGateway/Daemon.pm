package WaGateway::Daemon;

# An nginx that goes into the background, of which another binary can take over.
# nginx takes the signals of an upgrade only as a daemon, and starts the new
# binary by the name it was started by.

use strict;
use warnings;

use WaGateway::Nginx qw(poll slurp);

our @ISA = ('WaGateway::Nginx');


sub preamble {
    my ($self) = @_;

    # a new binary gets no variable but those that are named
    local $self->{main} = 'env ASAN_OPTIONS; env UBSAN_OPTIONS;'
                          . ($self->{main} || '');
    my $text = $self->SUPER::preamble;

    $text =~ s/daemon off/daemon on/;
    $text =~ s/load_module "[^"]*"/load_module "$self->{module}"/
        if $self->{module};

    return $text;
}


sub command {
    my ($self) = @_;
    my ($nginx, @rest) = $self->SUPER::command;

    if ($nginx !~ m{/}) {
        ($nginx) = grep { -x } map { "$_/$nginx" } split(/:/, $ENV{PATH}),
                                                   '/usr/sbin', '/sbin';
    }

    return ($nginx, @rest);
}


sub pid {
    my ($self, $suffix) = @_;
    my ($pid) = slurp("$self->{dir}/nginx.pid" . ($suffix || '')) =~ /^(\d+)/;

    return $pid;
}


sub begin {
    my ($class, %o) = @_;
    my $self = ref $class ? $class : $class->new(%o);

    # a master that was killed has left its own, and who starts one is told
    # that it is a daemon before it has written another
    unlink "$self->{dir}/nginx.pid";

    $self->write_conf;
    system($self->command) == 0 or die "nginx: $?\n" . $self->log;
    poll { $self->pid } or die "no pid\n";
    $self->{pid} = $self->pid;

    # the master listens before it has workers
    poll { $self->worker_pids >= $self->{workers} } or die "no workers\n";

    return $self;
}


sub alive { return $_[1] && kill 0, $_[1] }


# Another master and its workers, beside those of before; its pid, which is
# that of the object from then on.
sub second {
    my ($self) = @_;
    my $old = $self->{pid};

    kill 'USR2', $old;
    poll { ($self->pid('.oldbin') || 0) == $old && $self->pid
           && $self->pid != $old } or return;

    $self->{pid} = $self->pid;

    return poll { $self->worker_pids == $self->{workers} } && $self->{pid};
}


# A master ends, as does whoever works for it.
sub quit {
    my ($self, $pid) = @_;

    kill 'QUIT', $pid;
    return poll { !$self->alive($pid) };
}


# It is no child of ours.
sub stop {
    my ($self) = @_;

    for my $signal ('QUIT', 'KILL') {
        my @pids = grep { $_ } $self->pid, $self->pid('.oldbin');
        kill $signal, @pids;
        last if poll { !grep { kill 0, $_ } @pids };
    }

    delete $self->{pid};
}


sub DESTROY {
    my ($self) = @_;
    local $?;
    $self->stop if $self->{pid};
}


1;
