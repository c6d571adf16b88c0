/*
 * Clients that send one message after another and keep what came of each.
 *
 *   client port clients seconds
 *
 * A line for each request: the second it began (Unix time, to the us), how
 * long it took in us, its id, and the status, or "connect", "closed" or
 * "timeout".  A message is never sent again.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define TIMEOUT  8000000
#define SPREAD   100000     /* us over which the clients begin */
#define BODY     "{\"to\":\"966500000000\",\"message\":\"hello\"}"


typedef struct {
    int     fd;             /* -1: none */
    int     busy;
    int     len;
    int     id;
    long    began;
    char    in[8192 + 1];
} client_t;


static void begin(client_t *c);
static void end(client_t *c, const char *outcome, int reopen);
static void take(client_t *c);
static int whole(client_t *c);
static int open_one(client_t *c);
static int look(client_t *all, int n);
static long now_us(void);


static int                 ep, over, ids;
static struct sockaddr_in  sin;


int
main(int argc, char **argv)
{
    int                 i, n, clients;
    long                start, stop, now;
    client_t           *all;
    struct epoll_event  events[256];

    if (argc < 4) {
        fprintf(stderr, "usage: client port clients seconds\n");
        return 2;
    }

    signal(SIGPIPE, SIG_IGN);

    sin.sin_family = AF_INET;
    sin.sin_port = htons(atoi(argv[1]));
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    clients = atoi(argv[2]);
    start = now_us();
    all = calloc(clients, sizeof(client_t));
    ep = epoll_create1(0);
    stop = start + atof(argv[3]) * 1000000;

    for (i = 0; i < clients; i++) {
        all[i].fd = -1;
    }

    do {
        now = now_us();
        over = now > stop;

        for (i = 0; i < clients; i++) {
            if (!all[i].busy && !over
                && now - start >= (long) i * SPREAD / clients)
            {
                begin(&all[i]);
            }
        }

        n = epoll_wait(ep, events, 256, 1);

        for (i = 0; i < n; i++) {
            take(events[i].data.ptr);
        }

    } while (look(all, clients) || !over);

    return 0;
}


/* The number of clients that wait for an answer. */

static int
look(client_t *all, int n)
{
    int   i, busy;
    long  now;

    busy = 0;
    now = now_us();

    for (i = 0; i < n; i++) {
        if (all[i].busy && now - all[i].began > TIMEOUT) {
            end(&all[i], "timeout", 1);
        }

        busy += all[i].busy;
    }

    return busy;
}


static void
begin(client_t *c)
{
    int   n;
    char  text[512];

    c->began = now_us();
    c->id = ++ids;
    c->len = 0;
    c->busy = 1;

    if (c->fd < 0 && open_one(c) != 0) {
        end(c, "connect", 1);
        return;
    }

    n = snprintf(text, sizeof(text), "POST /send-message?id=%d HTTP/1.1\r\n"
                 "Host: gateway.test\r\nContent-Type: application/json\r\n"
                 "Content-Length: %d\r\n\r\n%s",
                 c->id, (int) sizeof(BODY) - 1, BODY);

    if (send(c->fd, text, n, 0) != n) {
        end(c, "closed", 1);
    }
}


/* The connect blocks: on the loopback it is there at once or refused. */

static int
open_one(client_t *c)
{
    int                 on;
    struct epoll_event  ev;

    on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0) {
        usleep(1000);
        return -1;
    }

    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ev.events = EPOLLIN;
    ev.data.ptr = c;

    return epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
}


static void
take(client_t *c)
{
    int    n, closes;
    char   status[4];

    n = recv(c->fd, c->in + c->len, sizeof(c->in) - 1 - c->len, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0) {
        if (c->busy) {
            end(c, "closed", 1);

        } else {
            close(c->fd);
            c->fd = -1;
        }

        return;
    }

    c->len += n;
    c->in[c->len] = '\0';

    if (!c->busy || !whole(c)) {
        return;
    }

    memcpy(status, c->in + sizeof("HTTP/1.1 ") - 1, 3);
    status[3] = '\0';
    closes = strcasestr(c->in, "\r\nConnection: close") != NULL;

    end(c, status, closes);

    if (!over) {
        begin(c);
    }
}


static int
whole(client_t *c)
{
    char  *body, *p;

    body = strstr(c->in, "\r\n\r\n");
    if (body == NULL) {
        return 0;
    }

    p = strcasestr(c->in, "\r\nContent-Length:");

    if (p != NULL && p < body) {
        return c->in + c->len - (body + 4) >= atol(p + 17);
    }

    return strstr(body, "\r\n0\r\n\r\n") != NULL;
}


static void
end(client_t *c, const char *outcome, int reopen)
{
    printf("%ld.%06ld %ld %d %s\n", c->began / 1000000, c->began % 1000000,
           now_us() - c->began, c->id, outcome);

    c->busy = 0;

    if (reopen && c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
}


static long
now_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
