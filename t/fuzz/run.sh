#!/bin/bash
#
# Fuzzes the pure parsers with libFuzzer, the reader of .env with env.pl, and
# vendors' files with vendor.pl, in build/fuzz/:
#
#     run.sh [TARGET ...]     each for FUZZ_SECONDS (60), with its corpus; a
#                             finding stays in build/fuzz/TARGET.found/
#     run.sh --selftest [TARGET ...]
#                             each finds a bug that is planted in a copy
#
# NGINX_TREE: nginx's source; without it that in build/source, which is fetched.
# FUZZ_CC: clang.  Needs clang with its runtime, libcjson-dev, libhiredis-dev, libpcre2-dev;
# env and vendor need none of them.  vendor takes what `make build` left, or
# `make sanitize` if that is there.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$top/build/fuzz
seconds=${FUZZ_SECONDS:-60}
tree=$work/nginx

cc=${FUZZ_CC:-}
if [ -z "$cc" ]; then
    for cc in clang clang-19 clang-16 clang-15 clang-14 none; do
        command -v "$cc" >/dev/null && break
    done
fi

flags=(-g -O1 -fno-omit-frame-pointer -fsanitize=address)
ours=(-fsanitize=undefined -fsanitize=fuzzer-no-link
      -fno-sanitize-recover=undefined -Wall -Wextra -Wno-unused-parameter -Werror)

die() {
    echo "fuzz: $*" >&2
    exit 1
}


# Any that is there; else that of Debian 12.
fetch() {
    for NGINX_TREE in "$top"/build/source/*; do
        [ ! -x "$NGINX_TREE/configure" ] || return 0
    done

    NGINX_TREE=$top/build/source/bookworm
    "$top/t/tools/nginx-source" bookworm "$NGINX_TREE"
}


# nginx's core as objects, once for all targets.  Each allocation of a pool is one of its own, so
# that a byte too many is seen.
core() {
    local want

    [ "$cc" != none ] || die "clang is needed"

    want=$({ "$cc" --version; echo "${flags[*]}"; cat "$here/run.sh"; } | cksum)
    [ "$(cat "$tree/fuzz.stamp" 2>/dev/null || :)" != "$want" ] || return 0

    [ -n "${NGINX_TREE:-}" ] || fetch

    rm -rf "$tree"
    cp -R "$NGINX_TREE" "$tree"
    rm -rf "$tree/objs" "$tree/Makefile"

    (cd "$tree" \
     && ./configure --with-cc="$cc" --without-http --with-pcre \
            --with-cc-opt="${flags[*]} -DNGX_DEBUG_PALLOC=1 -Wno-error" \
            --with-ld-opt=-fsanitize=address \
     && make -j2 -f objs/Makefile objs/nginx \
     && objcopy --redefine-sym main=nginx_main objs/src/core/nginx.o) \
        >"$work/core.log" 2>&1 \
        || { tail -n 20 "$work/core.log" >&2; die "nginx does not build"; }

    printf '%s\n' "$want" >"$tree/fuzz.stamp"
}


# build TARGET SOURCES OUTPUT.  Objects have names by what they are made of:
# the next target, and the next bug that is planted, compile what differs.
build() {
    local all file define object objects=() include=() todo=$3.todo

    for file in api core health health/probe upstream vendor send; do
        include+=(-I "$2/$file")
    done
    for file in objs src/core src/event src/event/modules src/os/unix; do
        include+=(-I "$tree/$file")
    done

    all=$(cat "$tree/fuzz.stamp" "$2"/*/*.h "$2"/*/*/*.h "$here"/*.h | md5sum)
    mkdir -p "$work/objects"
    : >"$todo"

    for file in \
        "$2"/api/wag_control_body.c \
        "$2"/core/wag_{file,hosts,json,param,reason,resolv,url}.c \
        "$2"/core/wag_json_{escape,number,scan,string,tell,unescape}.c \
        "$2"/health/wag_{expect,expect_conf}.c \
        "$2"/health/probe/wag_{http,http_body}.c \
        "$2"/vendor/wag_{argument,body,pick,place_conf,proof,proof_conf,qr,route}.c \
        "$2"/vendor/wag_{route_conf,routes,sample,segment_conf,send,send_conf}.c \
        "$2"/vendor/wag_{target,template,template_compile,to_conf,vendor}.c \
        "$2"/send/wag_{form,journal_record,member,message,recipient}.c \
        "$2"/send/wag_store_{args,info,reader,result,script,url}.c
    do
        define=-DWAG_HIREDIS=1

        # the form that machines without vectors have
        [ "$1 ${file##*/}" != 'body wag_json_string.c' ] \
            || define=-DWAG_JSON_STRING_VECTORS=0

        object=$({ echo "$define $all"; cat "$file"; } | md5sum)
        object=$work/objects/${file##*/}-${object%% *}.o
        objects+=("$object")

        [ -e "$object" ] \
            || printf '%s\0' "$object" "$file" "$define" >>"$todo"
    done

    mapfile -t -O "${#objects[@]}" objects \
        < <(find "$tree/objs" -name '*.o' | sort)

    { xargs -0 -r -n 3 -P "$(nproc)" "$cc" "${flags[@]}" "${ours[@]}" \
          "${include[@]}" -c -o <"$todo" \
      && "$cc" "${flags[@]}" "${ours[@]}" -fsanitize=fuzzer "${include[@]}" \
          -I "$here" -o "$3" "$here/$1.c" "${objects[@]}" \
          -lcjson -lhiredis -lpcre2-8 -lcrypt -lpthread -ldl
    } >"$3.log" 2>&1 \
        || { tail -n 20 "$3.log" >&2; die "$1 does not build"; }
}


# build_vendor SOURCES OUTPUT: a module of these, for the nginx of which
# OUTPUT.nginx is a link.
build_vendor() {
    local dir=$work/vendor.build tree=$top/build/nginx nginx

    nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || die "no nginx"

    if [ "$top/build/sanitize/checkout/build/nginx/objs/Makefile" \
         -nt "$top/config" ]
    then
        tree=$top/build/sanitize/checkout/build/nginx
        nginx=$top/build/sanitize/nginx
    fi

    [ -d "$tree/objs" ] || die "vendor needs what make build makes"

    rm -rf "$dir"
    mkdir -p "$dir/module"
    cp -Rp "$tree" "$dir/nginx"
    cp -Rp "$1" "$dir/module/src"
    cp -p "$top"/*.c "$top/config" "$dir/module"
    find "$dir/nginx/objs/addon" -name '*.o' -delete
    rm -f "$dir"/nginx/objs/ngx_http_wa_gateway_module.so

    make -j2 -C "$dir/nginx" -f objs/Makefile modules >"$2.log" 2>&1 \
        || { tail -n 20 "$2.log" >&2; die "the module does not build"; }

    cp "$dir/nginx/objs/ngx_http_wa_gateway_module.so" "$2"
    ln -sfn "$nginx" "$2.nginx"
}


# fuzz TARGET PROGRAM SECONDS NEW
fuzz() {
    if [ "$1" = vendor ]; then
        perl "$here/vendor.pl" --seconds="$3" --found="$work/vendor.found" \
            --module="$2" --nginx="$2.nginx"
        return
    fi

    if [ "$1" = env ]; then
        perl "$here/env.pl" --seconds="$3" --render="$2" \
            --found="$work/env.found"
        return
    fi

    mkdir -p "$work/$1.corpus" "$work/$1.found"

    UBSAN_OPTIONS=print_stacktrace=1 \
    "$2" -max_total_time="$3" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$work/$1.found/" \
        "$4" "$here/corpus/$1"
}


plant() {
    local file=$1

    [[ $file = *.h ]] || file+=.c

    rm -rf "$work/planted"
    cp -R "$top/src" "$work/planted"
    sed -i "$2" "$work/planted/$file" || exit 1

    ! cmp -s "$top/src/$file" \
             "$work/planted/$file" \
        || die "the bug for $1 cannot be planted any more: $2"
}


# Whether a target is among those to be tried.
wanted() {
    [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " = *" $1 "* ]]
}


# caught TARGET FILE SED: the bug that sed plants is found; FILE is a .c unless
# it says .h
caught() {
    wanted "$1" || return 0

    plant "$2" "$3"

    if [ "$1" = vendor ]; then
        build_vendor "$work/planted" "$work/$1.planted"
    else
        build "$1" "$work/planted" "$work/$1.planted"
    fi

    rm -rf "$work/$1.planted-corpus"
    mkdir -p "$work/$1.planted-corpus"

    if fuzz "$1" "$work/$1.planted" "$seconds" "$work/$1.planted-corpus" \
            -artifact_prefix="$work/planted/" >"$work/$1.selftest.log" 2>&1
    then
        echo "fuzz: $1 did not find what was planted in $2"
        return 1
    fi

    grep -Eq 'ERROR: (AddressSanitizer|libFuzzer)|not so:|runtime error' \
        "$work/$1.selftest.log" \
        || { tail -n 20 "$work/$1.selftest.log" >&2; return 1; }

    rm -rf "$work/$1.found"
    echo "fuzz: $1 found what was planted in $2:" \
         "$(grep -Eom1 'AddressSanitizer: [a-z-]+|not so: .*|runtime error: .*' \
                "$work/$1.selftest.log")"
}


# caught_env WHAT SED: the same for a copy of bin/render.pl
caught_env() {
    local log=$work/env.selftest.log

    wanted env || return 0

    rm -rf "$work/planted"
    mkdir -p "$work/planted"
    sed "$2" "$top/bin/render.pl" >"$work/planted/render.pl"

    ! cmp -s "$top/bin/render.pl" "$work/planted/render.pl" \
        || die "the bug in $1 cannot be planted any more: $2"

    if fuzz env "$work/planted/render.pl" "$seconds" >"$log" 2>&1; then
        echo "fuzz: env did not find what was planted in its $1"
        return 1
    fi

    grep -q '^not so: ' "$log" \
        || { tail -n 20 "$log" >&2; return 1; }

    rm -rf "$work/env.found"
    echo "fuzz: env found what was planted in its $1:" \
         "$(sed -n 's/^not so: //p' "$log" | head -n 1)"
}


selftest() {
    local status=0

    caught http health/probe/wag_http_body \
        's/^    size = ngx_min(n, h->body_max - h->body.len);/    size = n;/' \
        || status=1
    caught http health/probe/wag_http \
        's/^        if (h->size++ == h->max) {/        if (h->size++ > 99999) {/' \
        || status=1
    caught json core/wag_json \
        's/ngx_pnalloc(pool, step->key.len + 1)/ngx_pnalloc(pool, step->key.len)/' \
        || status=1
    caught json core/wag_json \
        's/++depth > WAG_JSON_MAX_DEPTH/++depth > 999/' \
        || status=1
    caught json_scan core/wag_json_tell.h \
        's/^    if (len > size) {/    if (len > size + 1) {/' || status=1
    caught json_scan core/wag_json_scan \
        's/^    if (s->depth == s->max_depth) {/    if (0) {/' || status=1
    caught json_scan core/wag_json_string \
        "s/(c > ('\"' ^ 2))/(c > 0)/" || status=1
    caught body core/wag_json_string.h \
        's/^    w ^= WAG_JSON_STRING_ALL(2);/    w ^= 2;/' || status=1
    caught body vendor/wag_body \
        's/^    s->skip = (event == WAG_JSON_OBJECT$/    s->skip = (0/
         s/^        b->scan.skip = 1;$//' || status=1
    caught body vendor/wag_body \
        's/^    if (b->found) {/    if (b->wanted) {/' || status=1
    caught body vendor/wag_body \
        '/^    if (last - p >= 3/,/^    }/d' || status=1
    caught pick vendor/wag_pick \
        's/^        if (v->len > v->size) {/        if (v->len > v->size + 1) {/' \
        || status=1
    caught pick vendor/wag_pick '/^    level->index = 0;/d' || status=1
    caught route vendor/wag_route 's/^        if (\*seen & /        if (0 \& /' \
        || status=1
    caught route vendor/wag_target \
        "s/return (ch == ']')/return (ch != 0)/" || status=1
    caught route vendor/wag_target \
        's/ngx_pnalloc(pool, text->len)/ngx_pnalloc(pool, text->len \/ 2)/' \
        || status=1
    caught message send/wag_member \
        's/^    m->names |= bit;/    m->names = bit;/; s/^    m->groups |= group;/    m->groups = group;/' \
        || status=1
    caught message send/wag_recipient \
        's/^    if (prefix) {/    if (0) {/' || status=1
    caught message send/wag_message \
        's/^        m->data_end = s->end - 1;/        m->data_end = s->end;/' \
        || status=1
    caught message send/wag_form \
        's/^    if ((size_t) (last - p) <= n ||/    if (/' || status=1
    caught proof vendor/wag_proof \
        's/^    if (!p->json \&\& p->open) {/    if (0) {/' || status=1
    caught proof vendor/wag_template \
        's/^        return wag_json_escape_len(value);/        return value->len;/' \
        || status=1
    caught proof vendor/wag_proof \
        's/^    if (!p->json || !wag_vendor/    if (!wag_vendor/' || status=1
    caught qr vendor/wag_qr 's/p\[1\] == .\.. || //' || status=1
    caught qr vendor/wag_qr \
        's/ngx_base64_decoded_length(base64.len) + 1/base64.len \/ 2/' \
        || status=1
    caught expect core/wag_reason \
        's/u < min || u > 0x10ffff || (u >= 0xd800 \&\& u <= 0xdfff)/u + min == 0/' \
        || status=1
    caught expect health/wag_expect \
        's/^    if (!e->status \&\& h->status != 200) {/    if (0) {/' || status=1

    caught store send/wag_store_result \
        's/^            || (uint64_t) value\[2\].number > claim->nnumbers$//' \
        || status=1
    caught store send/wag_store_url \
        "s/^    for (at = last; at > p .*/    for (at = p; at < last \&\& at[-1] != '@'; at++) { }/" \
        || status=1
    caught store send/wag_store_info \
        's/ngx_min(value->len, WAG_STORE_RUN_LEN)/value->len/' || status=1

    caught control api/wag_control_body \
        's/n >= (double) m->least && n <= WAG_CONTROL_MAX/n >= (double) m->least/' \
        || status=1
    caught control api/wag_control_body \
        's/ || (m->bit & may) == 0//' || status=1
    caught urls core/wag_url \
        '/^    url->data = p;/,/^    url->len/s/while (p < last && /while (/' \
        || status=1
    caught urls core/wag_url "/^        case '#':/d" || status=1

    caught names core/wag_hosts \
        's/ngx_strncasecmp(word.data, name->data, name->len) == 0/1/' || status=1
    caught names core/wag_resolv \
        's/^        || len + (domain ? 1 + domain->len : 0) > WAG_RESOLV_NAME)/        || len > WAG_RESOLV_NAME)/' \
        || status=1
    caught names core/wag_resolv \
        's/(conf->nsearch < WAG_RESOLV_SEARCH \&\& wag/(wag/' || status=1
    caught names core/wag_file \
        's/^    while (p < last \&\& \*p != .*/    while (*p != LF) {/' || status=1
    caught journal send/wag_journal_record \
        '/^        || cell.message_len > /d' || status=1
    caught journal send/wag_journal_record \
        's/^    if (last - p < cell.len) {/    if (0) {/' || status=1

    caught vendor vendor/wag_vendor_conf \
        's/ && rv != NGX_CONF_ERROR) {/) {/' || status=1
    caught vendor health/probe/wag_request \
        "s/if ((s->data\[i\] < ' '.*) {/if (0) {/" || status=1

    # shellcheck disable=SC2016
    caught_env quoting \
        's/ =~ s\/(\[\\\\"\])[^.]*gr / /' || status=1
    # shellcheck disable=SC2016
    caught_env 'control characters' \
        's/ =~ \/$control|/ =~ \/[\\x01-\\x08]|/' || status=1
    caught_env proxies \
        's/ ? 128 : return;/ ? 128 : 32;/' || status=1

    return $status
}


mkdir -p "$work"

if [ "${1:-}" = --selftest ]; then
    only=("${@:2}")
    core
    selftest
    exit
fi

[ $# -gt 0 ] || set -- http json json_scan pick body route message vendor proof qr journal expect urls names control store env

status=0

for target; do
    program=$work/$target

    if [ "$target" = env ]; then
        program=$top/bin/render.pl
    elif [ "$target" = vendor ]; then
        build_vendor "$top/src" "$program"
    else
        core
        build "$target" "$top/src" "$program"
    fi

    if fuzz "$target" "$program" "$seconds" "$work/$target.corpus" \
            >"$work/$target.run.log" 2>&1
    then
        rmdir "$work/$target.found" 2>/dev/null || :
        echo "fuzz: $target: nothing found in $seconds s," \
             "$(sed -n 's/^stat::number_of_executed_units: *//p' \
                    "$work/$target.run.log") runs"
    else
        status=1
        tail -n 40 "$work/$target.run.log" >&2
        echo "fuzz: $target: FOUND, see $work/$target.found/"
    fi
done

exit $status
