/*
 * The instances behind every gateway: all of 127.0.0.0/8 on one port.
 *
 *   backend port [delay-ms [sessions [ledger]]]
 *
 * A request is answered when its body is there, or so many ms later.  What
 * follows "?id=" in the path is a line of the ledger first.  /count answers
 * with the number of all others so far.
 *
 * They have as many sessions each, as WAHA lists them, or wwebjs-api, where
 * each is asked for: "s003-07" is the eighth of the fourth instance.  A path
 * with "/send" in it, but for /send-message, is answered as WAHA does when it
 * has sent something.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define HEAD    4096
#define EVENTS  512
#define LIST    65536


typedef struct conn_s  conn_t;

struct conn_s {
    int      fd;
    int      len;
    int      waits;
    int      closed;
    int      ask;           /* see asked() */
    long     left;          /* bytes of the body to come, -1: in the head */
    long     due;
    conn_t  *next;
    char     head[HEAD + 1];
};


static void take(conn_t *c);
static int begin(conn_t *c);
static void end_request(conn_t *c);
static int asked(const char *head);
static void answer(conn_t *c);
static int list(conn_t *c, char *p);
static int names(conn_t *c, char *p);
static int number(conn_t *c, char *p);
static int instance_of(conn_t *c);
static void drop(conn_t *c);
static int answer_due(void);
static void accept_all(int listener);
static void note(conn_t *c);
static int listen_on(int port);
static long now_ms(void);
static void fail(const char *what);


static int      ep;
static int      ledger = -1;
static int      sessions;
static long     delay;
static long     count;
static conn_t  *first;
static conn_t **last = &first;


int
main(int argc, char **argv)
{
    int                 i, n, listener;
    struct epoll_event  ev, events[EVENTS];

    if (argc < 2) {
        fail("usage: backend port [delay-ms [sessions [ledger]]]");
    }

    if (argc > 2) {
        delay = atol(argv[2]);
    }

    if (argc > 3) {
        sessions = atoi(argv[3]);
    }

    if (sessions > 500) {
        fail("more sessions than a list has room for");
    }

    if (argc > 4) {
        ledger = open(argv[4], O_WRONLY|O_CREAT|O_APPEND, 0644);
    }

    signal(SIGPIPE, SIG_IGN);

    listener = listen_on(atoi(argv[1]));
    ep = epoll_create1(0);
    ev.events = EPOLLIN;
    ev.data.ptr = NULL;
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev);

    for ( ;; ) {
        n = epoll_wait(ep, events, EVENTS, answer_due());

        for (i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL) {
                accept_all(listener);

            } else {
                take(events[i].data.ptr);
            }
        }
    }
}


static void
accept_all(int listener)
{
    int                 fd, on;
    conn_t             *c;
    struct epoll_event  ev;

    on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

        c = malloc(sizeof(conn_t));
        if (c == NULL) {
            fail("malloc");
        }

        memset(c, 0, offsetof(conn_t, head));
        c->fd = fd;
        c->left = -1;

        ev.events = EPOLLIN;
        ev.data.ptr = c;
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
    }
}


static void
take(conn_t *c)
{
    long         n, size;
    char        *p;
    static char  sink[262144];

    for ( ;; ) {
        p = c->left < 0 ? c->head + c->len : sink;
        size = c->left < 0 ? HEAD - c->len : (long) sizeof(sink);

        n = recv(c->fd, p, size, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            drop(c);
            return;
        }

        if (n < 0) {
            return;
        }

        if (c->left >= 0) {
            c->left -= n;

        } else {
            c->len += n;

            if (!begin(c)) {
                if (c->len == HEAD) {
                    drop(c);
                    return;
                }

                continue;
            }
        }

        if (c->left <= 0) {
            end_request(c);
            return;
        }

        /* a full read may have left something; else epoll will tell */
        if (n < size) {
            return;
        }
    }
}


/* 1: the head is there, and "left" is what lacks of the body. */

static int
begin(conn_t *c)
{
    char  *end, *p;
    long   length;

    c->head[c->len] = '\0';

    end = strstr(c->head, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }

    p = strcasestr(c->head, "\r\nContent-Length:");
    length = (p != NULL && p < end) ? atol(p + 17) : 0;

    c->left = length - (c->head + c->len - (end + 4));
    c->ask = asked(c->head);

    return 1;
}


/*
 * 'c': /count, 'l': a list, 's': a send; of wwebjs-api: 'n': names, 'a': a
 * state, 'w': whose number it is; 0: anything else.
 */

static int
asked(const char *head)
{
    const char  *send, *end;

    if (strncmp(head, "GET /count", 10) == 0) {
        return 'c';
    }

    if (strncmp(head, "GET /api/sessions", 17) == 0) {
        return 'l';
    }

    if (strncmp(head, "GET /session/getSessions", 24) == 0) {
        return 'n';
    }

    if (strncmp(head, "GET /session/status/", 20) == 0) {
        return 'a';
    }

    if (strncmp(head, "GET /client/getClassInfo/", 25) == 0) {
        return 'w';
    }

    end = strchr(head, '\r');
    send = strstr(head, "/send");

    return send != NULL && send < end
           && strncmp(send, "/send-message", 13) != 0 ? 's' : 0;
}


static void
end_request(conn_t *c)
{
    count += (c->ask != 'c');

    if (ledger >= 0) {
        note(c);
    }

    c->len = 0;
    c->left = -1;

    if (delay == 0 || strncmp(c->head, "GET ", 4) == 0) {
        answer(c);
        return;
    }

    c->due = now_ms() + delay;
    c->waits = 1;
    c->next = NULL;
    *last = c;
    last = &c->next;
}


static void
note(conn_t *c)
{
    int   n;
    char  line[64], *p;

    p = strstr(c->head, "?id=");
    if (p == NULL) {
        return;
    }

    n = snprintf(line, sizeof(line), "%.*s\n", (int) strcspn(p + 4, " &\r"),
                 p + 4);

    if (write(ledger, line, n) != n) {
        fail("ledger");
    }
}


/* Gives the ms till the next answer is due, -1 if none is. */

static int
answer_due(void)
{
    long     now;
    conn_t  *c;

    while (first != NULL) {
        now = now_ms();
        c = first;

        if (c->due > now) {
            return c->due - now;
        }

        first = c->next;
        if (first == NULL) {
            last = &first;
        }

        c->waits = 0;

        if (c->closed) {
            free(c);

        } else {
            answer(c);
        }
    }

    return -1;
}


static void
answer(conn_t *c)
{
    int          n, size, status;
    const char  *body;
    static char  room[LIST], text[LIST + 256];

    body = room;
    status = 200;

    switch (c->ask) {

    case 'c':
        n = snprintf(room, LIST, "%ld", count);
        break;

    case 'l':
        n = list(c, room);
        break;

    case 'n':
        n = names(c, room);
        break;

    case 'a':
        body = "{\"success\":true,\"state\":\"CONNECTED\","
               "\"message\":\"session_connected\"}";
        n = strlen(body);
        break;

    case 'w':
        n = number(c, room);
        break;

    case 's':
        body = "{\"id\":\"true_966500000000@c.us_3EB0A1B2C3D4E5F60718\","
               "\"timestamp\":1767225600,\"from\":\"966511111111@c.us\","
               "\"fromMe\":true,\"to\":\"966500000000@c.us\","
               "\"body\":\"hello\",\"hasMedia\":false,\"ack\":1}";
        n = strlen(body);
        status = 201;
        break;

    default:
        body = "{\"success\":true}";
        n = strlen(body);
    }

    size = snprintf(text, sizeof(text), "HTTP/1.1 %d OK\r\n"
                    "Content-Type: application/json\r\n"
                    "Content-Length: %d\r\n\r\n%s", status, n, body);

    if (send(c->fd, text, size, 0) != size) {
        drop(c);
    }
}


static int
list(conn_t *c, char *p)
{
    int    i, instance;
    char  *start;

    instance = instance_of(c);

    start = p;
    *p++ = '[';

    for (i = 0; i < sessions; i++) {
        p += sprintf(p, "%s{\"name\":\"s%03d-%02d\",\"status\":\"WORKING\","
                     "\"me\":{\"id\":\"9665%05d%03d@c.us\"}}", i ? "," : "",
                     instance, i, instance, i);
    }

    *p++ = ']';
    *p = '\0';

    return p - start;
}


static int
names(conn_t *c, char *p)
{
    int    i, instance;
    char  *start;

    instance = instance_of(c);

    start = p;
    p += sprintf(p, "{\"success\":true,\"result\":[");

    for (i = 0; i < sessions; i++) {
        p += sprintf(p, "%s\"s%03d-%02d\"", i ? "," : "", instance, i);
    }

    p += sprintf(p, "]}");

    return p - start;
}


static int
number(conn_t *c, char *p)
{
    int  instance, session;

    if (sscanf(c->head, "GET /client/getClassInfo/s%d-%d", &instance,
               &session) != 2)
    {
        fail("a session that is none");
    }

    return sprintf(p, "{\"success\":true,\"sessionInfo\":{\"wid\":"
                   "{\"user\":\"9665%05d%03d\"}}}", instance, session);
}


/* the instance that was asked, by its address */

static int
instance_of(conn_t *c)
{
    socklen_t            len;
    struct in_addr      *addr;
    struct sockaddr_in   sin;

    len = sizeof(sin);

    if (getsockname(c->fd, (struct sockaddr *) &sin, &len) == -1) {
        fail("getsockname");
    }

    addr = &sin.sin_addr;

    return (ntohl(addr->s_addr) >> 8 & 0xff) * 250
           + (ntohl(addr->s_addr) & 0xff) - 1;
}


static void
drop(conn_t *c)
{
    close(c->fd);

    if (c->waits) {
        epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
        c->closed = 1;
        return;
    }

    free(c);
}


static int
listen_on(int port)
{
    int                 fd, on;
    struct sockaddr_in  sin;

    on = 1;
    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_ANY);

    fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

    if (bind(fd, (struct sockaddr *) &sin, sizeof(sin)) || listen(fd, 4096)) {
        fail("bind");
    }

    return fd;
}


static long
now_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
fail(const char *what)
{
    fprintf(stderr, "backend: %s: %s\n", what, strerror(errno));
    exit(1);
}
