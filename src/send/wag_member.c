
/*
 * Copyright (C) the wa_gateway authors
 */


#include "wag_member.h"


#define WAG_MEMBER_TO        0
#define WAG_MEMBER_TEXT      1
#define WAG_MEMBER_SESSION   2
#define WAG_MEMBER_FROM      3
#define WAG_MEMBER_SOURCE    4
#define WAG_MEMBER_MIMETYPE  5
#define WAG_MEMBER_FILENAME  6
#define WAG_MEMBER_CAPTION   7

#define WAG_MEMBER_TEXTS     (1 << WAG_MESSAGE_TEXT)
#define WAG_MEMBER_MEDIA     (1 << WAG_MESSAGE_MEDIA)
#define WAG_MEMBER_BOTH      (WAG_MEMBER_TEXTS|WAG_MEMBER_MEDIA)

#define WAG_MEMBER_HTTP      "http://"
#define WAG_MEMBER_HTTPS     "https://"


static ngx_int_t wag_member_set_to(wag_message_t *m,
    const wag_member_t *member, ngx_str_t *text);
static ngx_int_t wag_member_set_from(wag_message_t *m,
    const wag_member_t *member, ngx_str_t *text);
static ngx_int_t wag_member_set_text(wag_message_t *m,
    const wag_member_t *member, ngx_str_t *text);
static ngx_int_t wag_member_set_url(wag_message_t *m,
    const wag_member_t *member, ngx_str_t *text);
static ngx_int_t wag_member_set_mimetype(wag_message_t *m,
    const wag_member_t *member, ngx_str_t *text);
static ngx_int_t wag_member_set_filename(wag_message_t *m,
    const wag_member_t *member, ngx_str_t *text);
static ngx_int_t wag_member_recipient(wag_message_t *m,
    const wag_member_t *member, ngx_str_t *text, wag_recipient_t *to);
static ngx_uint_t wag_member_is_number(ngx_str_t *text);
static ngx_uint_t wag_member_is_token(u_char ch);


#define wag_member_to(name)                                                   \
    { ngx_string(name), WAG_MEMBER_BOTH, WAG_MEMBER_TO, WAG_RECIPIENT_LEN,    \
      offsetof(wag_message_t, to), wag_member_set_to,                         \
      "a second recipient", "too long", 1, 0 }

#define wag_member_text(name)                                                 \
    { ngx_string(name), WAG_MEMBER_TEXTS, WAG_MEMBER_TEXT, 65536,             \
      offsetof(wag_message_t, text), wag_member_set_text,                     \
      "a second text", "longer than 64 KB", 0, 0 }


/* the first of a group is the one that is missing */

static const wag_member_t  wag_members[] = {

    wag_member_to("chatId"),
    wag_member_to("number"),
    wag_member_to("phone"),
    wag_member_to("to"),

    wag_member_text("message"),
    wag_member_text("text"),

    { ngx_string("session"), WAG_MEMBER_BOTH, WAG_MEMBER_SESSION, 128,
      offsetof(wag_message_t, session), wag_member_set_text,
      NULL, "longer than 128 bytes", 0, 0 },

    { ngx_string("from"), WAG_MEMBER_BOTH, WAG_MEMBER_FROM, WAG_RECIPIENT_LEN,
      offsetof(wag_message_t, from), wag_member_set_from,
      NULL, "too long", 1, 0 },

    { ngx_string("url"), WAG_MEMBER_MEDIA, WAG_MEMBER_SOURCE, 2048,
      offsetof(wag_message_t, url), wag_member_set_url,
      "both url and data", "longer than 2048 bytes", 0, 0 },

    /* too long to be kept; where it is tells the reader */

    { ngx_string("data"), WAG_MEMBER_MEDIA, WAG_MEMBER_SOURCE, 0, 0, NULL,
      "both url and data", NULL, 0, 0 },

    { ngx_string("mimetype"), WAG_MEMBER_MEDIA, WAG_MEMBER_MIMETYPE, 127,
      offsetof(wag_message_t, mimetype), wag_member_set_mimetype,
      NULL, "longer than 127 bytes", 0, 0 },

    { ngx_string("filename"), WAG_MEMBER_MEDIA, WAG_MEMBER_FILENAME, 255,
      offsetof(wag_message_t, filename), wag_member_set_filename,
      NULL, "longer than 255 bytes", 0, 1 },

    { ngx_string("caption"), WAG_MEMBER_MEDIA, WAG_MEMBER_CAPTION, 65536,
      offsetof(wag_message_t, caption), wag_member_set_text,
      NULL, "longer than 64 KB", 0, 1 },

    { ngx_null_string, 0, 0, 0, 0, NULL, NULL, NULL, 0, 0 }
};


const wag_member_t *
wag_member_find(wag_message_t *m, ngx_str_t *name)
{
    ngx_uint_t           bit, group;
    const wag_member_t  *member;

    for (member = wag_members; member->name.len; member++) {
        if (member->name.len == name->len
            && (member->kinds & (1 << m->kind))
            && ngx_memcmp(member->name.data, name->data, name->len) == 0)
        {
            break;
        }
    }

    if (member->name.len == 0) {
        (void) wag_member_decline(m, name, "unknown");
        return NULL;
    }

    bit = (ngx_uint_t) 1 << (member - wag_members);
    group = (ngx_uint_t) 1 << member->group;

    if (m->groups & group) {
        (void) wag_member_decline(m, name, (m->names & bit) ? "given twice"
                                                            : member->second);
        return NULL;
    }

    m->names |= bit;
    m->groups |= group;

    return member;
}


ngx_int_t
wag_member_set(wag_message_t *m, const wag_member_t *member, ngx_uint_t type,
    ngx_str_t *text, ngx_uint_t cut)
{
    if (type == WAG_MEMBER_OTHER
        || (type == WAG_MEMBER_NUMBER && !member->number))
    {
        return wag_member_decline(m, &member->name,
                                  member->number ? "no string or number"
                                                 : "no string");
    }

    if (cut && member->max) {
        return wag_member_decline(m, &member->name, member->too_long);
    }

    if (text->len == 0 && !cut) {
        return member->empty ? NGX_OK
                             : wag_member_decline(m, &member->name, "empty");
    }

    if (type == WAG_MEMBER_NUMBER && !wag_member_is_number(text)) {
        return wag_member_decline(m, &member->name,
                                  "no whole number of 8 to 15 digits");
    }

    if (member->set == NULL) {
        return NGX_OK;
    }

    if (memchr(text->data, '\0', text->len) != NULL) {
        return wag_member_decline(m, &member->name, "NUL in it");
    }

    return member->set(m, member, text);
}


static ngx_int_t
wag_member_set_to(wag_message_t *m, const wag_member_t *member,
    ngx_str_t *text)
{
    return wag_member_recipient(m, member, text, &m->to);
}


static ngx_int_t
wag_member_set_from(wag_message_t *m, const wag_member_t *member,
    ngx_str_t *text)
{
    ngx_int_t        rc;
    wag_recipient_t  from;

    rc = wag_member_recipient(m, member, text, &from);

    if (rc != NGX_OK) {
        return rc;
    }

    if (from.type != WAG_TO_USER) {
        return wag_member_decline(m, &member->name, "no number of a phone");
    }

    m->from = (uint64_t) ngx_atoof(from.id.data, from.id.len);

    return NGX_OK;
}


static ngx_int_t
wag_member_recipient(wag_message_t *m, const wag_member_t *member,
    ngx_str_t *text, wag_recipient_t *to)
{
    ngx_int_t    rc;
    const char  *error;

    rc = wag_recipient_parse(m->pool, text, &m->country, to, &error);

    return (rc == NGX_DECLINED) ? wag_member_decline(m, &member->name, error)
                                : rc;
}


static ngx_int_t
wag_member_set_text(wag_message_t *m, const wag_member_t *member,
    ngx_str_t *text)
{
    *(ngx_str_t *) ((u_char *) m + member->offset) = *text;

    return NGX_OK;
}


static ngx_int_t
wag_member_set_url(wag_message_t *m, const wag_member_t *member,
    ngx_str_t *text)
{
    size_t  i, scheme;

    scheme = sizeof(WAG_MEMBER_HTTPS) - 1;

    if (text->len < scheme
        || ngx_strncasecmp(text->data, (u_char *) WAG_MEMBER_HTTPS, scheme)
           != 0)
    {
        scheme = sizeof(WAG_MEMBER_HTTP) - 1;

        if (text->len < scheme
            || ngx_strncasecmp(text->data, (u_char *) WAG_MEMBER_HTTP, scheme)
               != 0)
        {
            return wag_member_decline(m, &member->name,
                                      "no http:// or https:// URL");
        }
    }

    if (text->len == scheme || ngx_strchr("/?#", text->data[scheme])) {
        return wag_member_decline(m, &member->name, "no host in it");
    }

    for (i = scheme; i < text->len; i++) {
        if (text->data[i] <= ' ' || text->data[i] == 0x7f) {
            return wag_member_decline(m, &member->name,
                                      "blank or control character in it");
        }
    }

    /* the case of a scheme means nothing, and not every server knows that */

    ngx_strlow(text->data, text->data, scheme);

    return wag_member_set_text(m, member, text);
}


/* RFC 9110, 8.3.1, without parameters */

static ngx_int_t
wag_member_set_mimetype(wag_message_t *m, const wag_member_t *member,
    ngx_str_t *text)
{
    u_char  *p, *slash, *last;

    slash = NULL;
    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (*p == '/' && slash == NULL) {
            slash = p;
            continue;
        }

        if (!wag_member_is_token(*p)) {
            return wag_member_decline(m, &member->name, "no type/subtype");
        }
    }

    if (slash == NULL || slash == text->data || slash == last - 1) {
        return wag_member_decline(m, &member->name, "no type/subtype");
    }

    ngx_strlow(text->data, text->data, text->len);

    return wag_member_set_text(m, member, text);
}


/* also the control characters U+0080 to U+009F */

static ngx_int_t
wag_member_set_filename(wag_message_t *m, const wag_member_t *member,
    ngx_str_t *text)
{
    u_char  *p, *last;

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (*p == '/' || *p == '\\') {
            return wag_member_decline(m, &member->name,
                                      "\"/\" or \"\\\" in it");
        }

        if (*p < ' ' || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0)) {
            return wag_member_decline(m, &member->name,
                                      "control character in it");
        }
    }

    return wag_member_set_text(m, member, text);
}


static ngx_uint_t
wag_member_is_number(ngx_str_t *text)
{
    size_t  i;

    if (text->len < WAG_RECIPIENT_MIN || text->len > WAG_RECIPIENT_MAX) {
        return 0;
    }

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return 0;
        }
    }

    return 1;
}


/* RFC 9110, 5.6.2 */

static ngx_uint_t
wag_member_is_token(u_char ch)
{
    u_char  c;

    c = (u_char) (ch | 0x20);

    return (c >= 'a' && c <= 'z') || (ch >= '0' && ch <= '9')
           || (ch && ngx_strchr("!#$%&'*+-.^_`|~", ch));
}


ngx_int_t
wag_member_check(wag_message_t *m)
{
    ngx_uint_t           wanted;
    const wag_member_t  *member;

    wanted = 1 << WAG_MEMBER_TO;

    if (m->kind == WAG_MESSAGE_TEXT) {
        wanted |= 1 << WAG_MEMBER_TEXT;

    } else {
        wanted |= 1 << WAG_MEMBER_SOURCE;

        if (m->data_end) {
            wanted |= 1 << WAG_MEMBER_MIMETYPE;
        }
    }

    if ((wanted & ~m->groups) == 0) {
        return NGX_OK;
    }

    for (member = wag_members; member->name.len; member++) {
        if (wanted & ~m->groups & (1 << member->group)) {
            return wag_member_decline(m, &member->name, "missing");
        }
    }

    return NGX_OK;
}


ngx_int_t
wag_member_decline(wag_message_t *m, const ngx_str_t *name, const char *error)
{
    ngx_str_t  text;

    m->error = error;
    m->shown.len = 0;

    if (name) {
        text = *name;
        wag_reason_add_value(&m->shown, &text, WAG_MEMBER_NAME_LEN);
    }

    m->member.len = m->shown.len;
    m->member.data = m->shown.data;

    return NGX_DECLINED;
}
