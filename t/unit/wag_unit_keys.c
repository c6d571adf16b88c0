
#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/ptrace.h>

#include "wag_keys.h"
#include "wag_unit.h"


/* a comparison has hundreds; an emulator makes millions of them */

#define WAG_UNIT_KEYS_STEPS  100000


static void wag_unit_keys_read(wag_unit_t *u);
static void wag_unit_keys_time(wag_unit_t *u);
static ngx_array_t *wag_unit_keys_of(wag_unit_t *u, const char *text);
static ngx_int_t wag_unit_keys_steps(ngx_array_t *keys, ngx_str_t *given);


typedef struct {
    const char          *name;
    ngx_str_t            text;
    const char          *error;      /* NULL: none */
    ngx_uint_t           line;
    ngx_uint_t           nkeys;
} wag_unit_keys_case_t;


static wag_unit_keys_case_t
    wag_unit_keys_cases[] =
{
    { "one", ngx_string("a"), NULL, 0, 1 },
    { "one and its line feed", ngx_string("a\n"), NULL, 0, 1 },
    { "three", ngx_string("a\nb\r\n\tc d \n"), NULL, 0, 3 },
    { "comments and blank lines", ngx_string("\n# a\n \t\r\n  #b\nc"), NULL, 0,
      1 },
    { "byte order mark", ngx_string("\xef\xbb\xbf# a\nb"), NULL, 0, 1 },
    { "nothing", ngx_string(""), "no key", 0, 0 },
    { "only a byte order mark", ngx_string("\xef\xbb\xbf"), "no key", 0, 0 },
    { "line feeds", ngx_string("\n\n"), "no key", 0, 0 },
    { "NUL", ngx_string("a\nb\0c"), "control character in key", 2, 1 },
    { "tab inside", ngx_string("\na\tb"), "control character in key", 2, 0 },
    { "two CR", ngx_string("a\r\r\n"), "control character in key", 1, 0 },
    { "UTF-8", ngx_string("\xd9\x85"), NULL, 0, 1 },
    { NULL, ngx_null_string, NULL, 0, 0 }
};


void
wag_unit_keys(wag_unit_t *u)
{
    ngx_str_t     given;
    ngx_array_t  *keys;

    wag_unit_keys_read(u);

    keys = wag_unit_keys_of(u, "secret\nother-key");

    ngx_str_set(&given, "secret");
    wag_unit_ok(u, wag_keys_match(keys, &given), "the first");

    ngx_str_set(&given, "other-key");
    wag_unit_ok(u, wag_keys_match(keys, &given), "the second");

    ngx_str_set(&given, "secret\0");
    wag_unit_ok(u, !wag_keys_match(keys, &given),
                "the zeros behind a key are none of it");

    given.len = 0;
    wag_unit_ok(u, !wag_keys_match(keys, &given), "empty");

    wag_unit_keys_time(u);
}


static void
wag_unit_keys_read(wag_unit_t *u)
{
    ngx_uint_t             line;
    const char            *err;
    ngx_array_t           *keys;
    wag_unit_keys_case_t  *c;

    for (c = wag_unit_keys_cases; c->name != NULL; c++) {

        keys = ngx_array_create(u->pool, 1, sizeof(wag_key_t));
        if (keys == NULL) {
            return;
        }

        err = wag_keys_read(keys, &c->text, &line);

        wag_unit_is(u, err ? err : "", c->error ? c->error : "", c->name);
        wag_unit_ok(u, line == c->line
                                       && keys->nelts == c->nkeys,
                    "its line and keys");
    }
}


/*
 * Wall clocks are too coarse to tell, so the instructions of a comparison are
 * counted, one step of the processor after the other.
 */

static void
wag_unit_keys_time(wag_unit_t *u)
{
    ngx_int_t     right, wrong;
    ngx_str_t     given;
    ngx_uint_t    i;
    ngx_array_t  *keys, *longer;

    static ngx_str_t  wrongs[] = {
        ngx_string("Xecret-0123456789"),
        ngx_string("secret-012345678X"),
        ngx_string("secret-01X3456789"),
        ngx_string("XXXXXXXXXXXXXXXXX")
    };

    keys = wag_unit_keys_of(u, "secret-0123456789\nother");
    longer = wag_unit_keys_of(u,
                  "s\nother-0123456789-0123456789-0123456789-0123456789");

    ngx_str_set(&given, "secret-0123456789");
    right = wag_unit_keys_steps(keys, &given);

    if (right == NGX_ERROR) {
        wag_unit_ok(u, 1, "steps # SKIP no single steps here");
        return;
    }

    wag_unit_ok(u, right > 100, "a comparison has its steps");

    for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        wrong = wag_unit_keys_steps(keys, &wrongs[i]);

        if (!wag_unit_ok(u, wrong == right, "wherever a key is wrong"))
        {
            printf("#   %d steps, %d when it is right\n", (int) wrong,
                   (int) right);
        }
    }

    wrong = wag_unit_keys_steps(longer, &wrongs[0]);

    if (!wag_unit_ok(u, wrong == right, "whatever the lengths of the keys"))
    {
        printf("#   %d steps, %d\n", (int) wrong, (int) right);
    }

    given.len--;
    wrong = wag_unit_keys_steps(keys, &given);
    wag_unit_ok(u, wrong < right, "the length of what was given does show");
}


static ngx_array_t *
wag_unit_keys_of(wag_unit_t *u, const char *text)
{
    ngx_str_t     s;
    ngx_uint_t    line;
    ngx_array_t  *keys;

    keys = ngx_array_create(u->pool, 2, sizeof(wag_key_t));

    s.len = ngx_strlen(text);
    s.data = (u_char *) text;

    if (keys == NULL || wag_keys_read(keys, &s, &line)) {
        exit(1);
    }

    return keys;
}


static ngx_int_t
wag_unit_keys_steps(ngx_array_t *keys, ngx_str_t *given)
{
    int                  status;
    pid_t                pid;
    ngx_int_t            n;
    volatile ngx_uint_t  match;

    pid = fork();

    if (pid == -1) {
        return NGX_ERROR;
    }

    if (pid == 0) {

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1) {
            _exit(1);
        }

        (void) raise(SIGSTOP);

        match = wag_keys_match(keys, given);
        (void) match;

        _exit(0);
    }

    for (n = 0; n < WAG_UNIT_KEYS_STEPS; n++) {

        if (waitpid(pid, &status, 0) == -1) {
            return NGX_ERROR;
        }

        if (!WIFSTOPPED(status)) {
            return (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                   ? n : NGX_ERROR;
        }

        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1) {
            break;
        }
    }

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    return NGX_ERROR;
}
