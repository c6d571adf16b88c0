
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_lock.h"

#include <sys/wait.h>


/* tries before it looks who has it; it is held for microseconds */

#define WAG_LOCK_TRIES  1000


#if (NGX_HAVE_ATOMIC_OPS)

static ngx_uint_t wag_lock_dead(ngx_pid_t pid);

#endif


void
wag_lock(ngx_slab_pool_t *shpool)
{
#if (NGX_HAVE_ATOMIC_OPS)

    ngx_pid_t   owner;
    ngx_uint_t  n;

    for (n = 1; !ngx_shmtx_trylock(&shpool->mutex); n++) {

        if (n < WAG_LOCK_TRIES) {
            ngx_cpu_pause();

            if (n % 50 == 0) {
                ngx_sched_yield();
            }

            continue;
        }

        owner = (ngx_pid_t) *shpool->mutex.lock;

        if (owner && wag_lock_dead(owner)
            && ngx_shmtx_force_unlock(&shpool->mutex, owner))
        {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "wa_gateway: process %P died with the lock of "
                          "a zone, it is taken from it", owner);
            continue;
        }

        ngx_msleep(1);
    }

#else

    /* a lock of a file, which the kernel takes from the dead */

    ngx_shmtx_lock(&shpool->mutex);

#endif

#if (WA_GATEWAY_DEBUG_HOOKS)

    /* the tests kill the worker that stops here */

    if (ngx_process == NGX_PROCESS_WORKER && unlink("wa_gateway.park") == 0) {
        (void) raise(SIGSTOP);
    }

#endif
}


void
wag_unlock(ngx_slab_pool_t *shpool)
{
    ngx_shmtx_unlock(&shpool->mutex);
}


#if (NGX_HAVE_ATOMIC_OPS)

/* a dead worker is there until the master, who may be the one to wait, asks */

static ngx_uint_t
wag_lock_dead(ngx_pid_t pid)
{
    siginfo_t  info;

    ngx_memzero(&info, sizeof(siginfo_t));

    if (waitid(P_PID, pid, &info, WEXITED|WNOHANG|WNOWAIT) == 0
        && info.si_pid == pid)
    {
        return 1;
    }

    return kill(pid, 0) == -1 && ngx_errno == ESRCH;
}

#endif
