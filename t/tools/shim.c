
/*
 * Preloaded into nginx by tests, for what a healthy machine does not do:
 *
 * SHIM_CONNECT="4:3001=11 6:3001=99": connect() to that port, over IPv4 or
 * IPv6, fails with that errno.
 *
 * SHIM_NAMES="two.test=127.0.0.2,127.0.0.3": what such a name stands for.
 *
 * SHIM_FILES="/etc/hosts=/tmp/a /etc/resolv.conf=/tmp/b": what open() opens.
 *
 * SHIM_CLOCK=file: while there is such a file, the clock is an hour behind.
 *
 * SHIM_FSYNC=file: while there is such a file, fsync() waits; who waits adds a
 * byte to file.seen.  If there is a file.full then, the disk is full.
 *
 * The variables are read at the start: nginx does not hand them to workers.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>


static void shim_init(void) __attribute__((constructor));
static int shim_connect_error(const struct sockaddr *sa);
static const char *shim_file(const char *name, char *buf, size_t size);


static char  connects[256];
static char  names[256];
static char  files[512];
static char  clock_file[256];
static char  fsync_file[256];


static void
shim_init(void)
{
    char  *value;

    value = getenv("SHIM_CONNECT");
    snprintf(connects, sizeof(connects), " %s", value ? value : "");

    value = getenv("SHIM_NAMES");
    snprintf(names, sizeof(names), " %s", value ? value : "");

    value = getenv("SHIM_FILES");
    snprintf(files, sizeof(files), " %s", value ? value : "");

    value = getenv("SHIM_CLOCK");
    snprintf(clock_file, sizeof(clock_file), "%s", value ? value : "");

    value = getenv("SHIM_FSYNC");
    snprintf(fsync_file, sizeof(fsync_file), "%s", value ? value : "");
}


static int
shim_connect_error(const struct sockaddr *sa)
{
    char      key[32], *p;
    unsigned  port;

    if (sa->sa_family == AF_INET) {
        port = ntohs(((const struct sockaddr_in *) sa)->sin_port);

    } else if (sa->sa_family == AF_INET6) {
        port = ntohs(((const struct sockaddr_in6 *) sa)->sin6_port);

    } else {
        return 0;
    }

    snprintf(key, sizeof(key), " %d:%u=", sa->sa_family == AF_INET ? 4 : 6,
             port);

    p = strstr(connects, key);

    return p ? atoi(p + strlen(key)) : 0;
}


int
connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    static int  (*real)(int, const struct sockaddr *, socklen_t);

    int  err;

    err = shim_connect_error(sa);

    if (err) {
        errno = err;
        return -1;
    }

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "connect");
    }

    return real(fd, sa, len);
}


int
getaddrinfo(const char *restrict name, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
    static int  (*real)(const char *, const char *, const struct addrinfo *,
                        struct addrinfo **);

    int    rc;
    char   key[64], list[256], *p, *address, *state;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");
    }

    snprintf(key, sizeof(key), " %s=", name ? name : "");

    p = strstr(names, key);

    if (p == NULL) {
        return real(name, service, hints, res);
    }

    snprintf(list, sizeof(list), "%s", p + strlen(key));
    list[strcspn(list, " ")] = '\0';

    rc = EAI_NONAME;

    for (address = strtok_r(list, ",", &state);
         address;
         address = strtok_r(NULL, ",", &state))
    {
        rc = real(address, service, hints, res);
        if (rc != 0) {
            break;
        }

        while (*res) {
            res = &(*res)->ai_next;
        }
    }

    return rc;
}


static const char *
shim_file(const char *name, char *buf, size_t size)
{
    char  key[64], *p;

    snprintf(key, sizeof(key), " %s=", name);

    p = strstr(files, key);

    if (p == NULL) {
        return name;
    }

    snprintf(buf, size, "%s", p + strlen(key));
    buf[strcspn(buf, " ")] = '\0';

    return buf;
}


int
open64(const char *name, int flags, ...)
{
    static int  (*real)(const char *, int, ...);

    char     buf[256];
    mode_t   mode;
    va_list  args;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "open64");
    }

    va_start(args, flags);
    mode = (flags & (O_CREAT|O_TMPFILE)) ? va_arg(args, mode_t) : 0;
    va_end(args);

    return real(shim_file(name, buf, sizeof(buf)), flags, mode);
}


int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    static int  (*real)(struct timeval *restrict, void *restrict);

    int  rc, err;

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "gettimeofday");
    }

    rc = real(tv, tz);
    err = errno;

    if (clock_file[0] && access(clock_file, F_OK) == 0) {
        tv->tv_sec -= 3600;
    }

    errno = err;

    return rc;
}


int
fsync(int fd)
{
    static int  (*real)(int);

    int   seen;
    char  name[sizeof(fsync_file) + 8];

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "fsync");
    }

    if (fsync_file[0] == '\0' || access(fsync_file, F_OK) != 0) {
        return real(fd);
    }

    snprintf(name, sizeof(name), "%s.seen", fsync_file);

    seen = open(name, O_WRONLY|O_CREAT|O_APPEND, 0666);

    if (seen == -1 || write(seen, "x", 1) != 1 || close(seen) == -1) {
        return -1;
    }

    while (access(fsync_file, F_OK) == 0) {
        usleep(2000);
    }

    snprintf(name, sizeof(name), "%s.full", fsync_file);

    if (access(name, F_OK) == 0) {
        errno = ENOSPC;
        return -1;
    }

    return real(fd);
}
