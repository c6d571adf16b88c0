
#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/ptrace.h>

#include "wag_keys.h"
#include "wag_unit.h"


/* a comparison has hundreds; an emulator makes millions of them */

#define WAG_UNIT_KEYS_STEPS  100000


static void wag_unit_keys_read(wag_unit_t *u);
static void wag_unit_keys_limits(wag_unit_t *u);
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
    { "limits, in any order",
      ngx_string("a sessions=x,y label=a.B-_9 numbers=+12345678\n"
                 "b c\tnumbers=123456789012345 \t sessions=\xd9\x85\r\n"),
      NULL, 0, 2 },
    { "words that are no limits",
      ngx_string("sessions=x is a key\na label=b c\nb labels=x\nc session=x\n"
                 "d sessions = x\nelabel=x\n"), NULL, 0, 6 },
    { "limits without a key", ngx_string("a\nlabel=a sessions=b"),
      "no key before its limits", 2, 1 },
    { "a label twice", ngx_string("a label=a label=a"),
      "duplicate label of key", 1, 1 },
    { "numbers twice",
      ngx_string("a numbers=12345678 label=b numbers=12345678"),
      "duplicate numbers of key", 1, 1 },
    { "sessions twice", ngx_string("a\nb sessions=a sessions=b"),
      "duplicate sessions of key", 2, 2 },
    { "no label", ngx_string("a label="), "invalid label of key", 1, 1 },
    { "a bad label", ngx_string("a label=a,b"), "invalid label of key", 1, 1 },
    { "a label of UTF-8", ngx_string("a label=\xd9\x85"),
      "invalid label of key", 1, 1 },
    { "a label of 65 bytes",
      ngx_string("a label=0123456789012345678901234567890123456789"
                 "0123456789012345678901234"), "invalid label of key", 1, 1 },
    { "no number", ngx_string("a numbers="), "invalid number of key", 1, 1 },
    { "7 digits", ngx_string("a numbers=1234567"), "invalid number of key", 1,
      1 },
    { "16 digits", ngx_string("a numbers=1234567890123456"),
      "invalid number of key", 1, 1 },
    { "a letter", ngx_string("a numbers=12345678a"), "invalid number of key",
      1, 1 },
    { "two signs", ngx_string("a numbers=++12345678"),
      "invalid number of key", 1, 1 },
    { "zeros", ngx_string("a numbers=00000000"), "invalid number of key", 1,
      1 },
    { "a comma at the end", ngx_string("a numbers=12345678,"),
      "invalid number of key", 1, 1 },
    { "no session", ngx_string("a sessions="), "invalid session of key", 1,
      1 },
    { "nothing between commas", ngx_string("a sessions=b,,c"),
      "invalid session of key", 1, 1 },
    { "a session of 129 bytes",
      ngx_string("a sessions=0123456789012345678901234567890123456789"
                 "01234567890123456789012345678901234567890123456789"
                 "012345678901234567890123456789012345678"),
      "invalid session of key", 1, 1 },
    { "a control character in a session", ngx_string("a sessions=b\1"),
      "control character in session of key", 1, 1 },
    { "a control character before limits", ngx_string("a\1 sessions=b"),
      "control character in key", 1, 0 },
    { "one label, the same limits",
      ngx_string("a label=l sessions=x,y,x numbers=12345678,+87654321\n"
                 "b numbers=87654321,12345678 label=l sessions=y,x\n"
                 "a label=l sessions=y,x numbers=12345678,87654321"),
      NULL, 0, 3 },
    { "one label, other numbers",
      ngx_string("a label=l numbers=12345678\nb\n"
                 "c label=l numbers=12345679"),
      "label of key repeated with other limits", 3, 3 },
    { "one label, other sessions",
      ngx_string("a label=l sessions=xy\nc label=l sessions=xz"),
      "label of key repeated with other limits", 2, 2 },
    { "one label, more sessions",
      ngx_string("a label=l sessions=x\nc label=l sessions=x,y"),
      "label of key repeated with other limits", 2, 2 },
    { "one label, no limits",
      ngx_string("a label=l sessions=x\nc label=l"),
      "label of key repeated with other limits", 2, 2 },
    { "a key twice, other limits",
      ngx_string("a sessions=x\nb\na sessions=y"),
      "key repeated with other limits", 3, 3 },
    { "a key twice, once without", ngx_string("a\na sessions=y"),
      "key repeated with other limits", 2, 2 },
    { "a key twice, once without, behind", ngx_string("a sessions=y\nb\na"),
      "key repeated with other limits", 3, 3 },
    { "a key twice, other labels", ngx_string("a label=a\na label=b"),
      "key repeated with another label", 2, 2 },
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
    wag_unit_ok(u, wag_keys_match(keys, &given) == 1, "the first");

    ngx_str_set(&given, "other-key");
    wag_unit_ok(u, wag_keys_match(keys, &given) == 2, "the second");

    ngx_str_set(&given, "secret\0");
    wag_unit_ok(u, !wag_keys_match(keys, &given),
                "the zeros behind a key are none of it");

    given.len = 0;
    wag_unit_ok(u, !wag_keys_match(keys, &given), "empty");

    keys = wag_unit_keys_of(u, "a\na\nb\n");

    ngx_str_set(&given, "a");
    wag_unit_ok(u, wag_keys_match(keys, &given) == 2, "one that is twice");

    wag_unit_keys_limits(u);
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


static void
wag_unit_keys_limits(wag_unit_t *u)
{
    wag_key_t    *key;
    ngx_str_t     main, shop, dup, empty;
    ngx_array_t  *keys;

    keys = wag_unit_keys_of(u,
                  "open label=x\n"
                  "named sessions=shop,main,shop\n"
                  "numbered numbers=+966500000002,966500000001,966500000001\n"
                  "both sessions=main numbers=966500000002 label=l");

    key = keys->elts;

    ngx_str_set(&main, "main");
    ngx_str_set(&shop, "shop");
    ngx_str_set(&dup, "mai");
    ngx_str_null(&empty);

    wag_unit_ok(u, !wag_keys_is_limited(NULL)
                   && wag_keys_allows(NULL, &main, 0), "no key, no limits");
    wag_unit_ok(u, !wag_keys_is_limited(&key[0])
                   && wag_keys_allows(&key[0], &main, 0),
                "a label is no limit");
    wag_unit_ok(u, key[0].label.len == 1 && key[0].label.data[0] == 'x'
                   && key[3].label.len == 1 && key[1].label.len == 0,
                "labels");

    key++;
    wag_unit_ok(u, wag_keys_is_limited(key), "sessions are a limit");
    wag_unit_ok(u, wag_keys_allows(key, &main, 0)
                   && wag_keys_allows(key, &shop, 966500000009),
                "by name, whatever the number");
    wag_unit_ok(u, !wag_keys_allows(key, &dup, 966500000001)
                   && !wag_keys_allows(key, &empty, 0),
                "no other name");

    key++;
    wag_unit_ok(u, wag_keys_is_limited(key), "numbers are a limit");
    wag_unit_ok(u, wag_keys_allows(key, &main, 966500000001)
                   && wag_keys_allows(key, &shop, 966500000002),
                "by number, whatever the name");
    wag_unit_ok(u, !wag_keys_allows(key, &main, 0)
                   && !wag_keys_allows(key, &main, 966500000003),
                "no other number, nor one that is not known");

    key++;
    wag_unit_ok(u, wag_keys_allows(key, &main, 0)
                   && wag_keys_allows(key, &shop, 966500000002)
                   && !wag_keys_allows(key, &shop, 966500000001),
                "both add up");
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
        ngx_string("other-0123456789-"),
        ngx_string("Xecret-0123456789"),
        ngx_string("secret-012345678X"),
        ngx_string("secret-01X3456789"),
        ngx_string("XXXXXXXXXXXXXXXXX")
    };

    keys = wag_unit_keys_of(u, "secret-0123456789 sessions=a\n"
                               "other-0123456789-");
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

        if (!wag_unit_ok(u, wrong == right,
                         i ? "wherever a key is wrong" : "whichever it is"))
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
