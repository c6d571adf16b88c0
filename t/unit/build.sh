#!/bin/bash
#
# Builds the unit test module against the installed nginx (nginx-dev), in
# build/, and prints the path of the module.  What is built already is kept.
# NGINX_SRC: nginx's source and its conf_flags, /usr/share/nginx/src; CC, CC_OPT
# and LD_OPT as for make.  TEST_NGINX_BINARY: the nginx it is for, only named in
# the stamp.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)

source=${NGINX_SRC:-/usr/share/nginx/src}
options=(--with-cc="${CC:-cc}" --with-cc-opt="${CC_OPT:--O2 -g}"
         --with-ld-opt="${LD_OPT:-}")
nginx=${TEST_NGINX_BINARY:-$(PATH=$PATH:/usr/sbin command -v nginx)}
tree=$top/build/unit-nginx-src
stamp=$tree/unit.stamp
module=$top/build/ngx_http_wa_gateway_unit_module.so

mkdir -p "$top/build"
exec 9>"$top/build/unit.lock"
flock 9

want=$({ echo "$top" "$source" "${options[@]}"; "$nginx" -V 2>&1
         cat "$source/conf_flags" "$top/t/unit/config" "$0"; } | cksum)

if [ "$(cat "$stamp" 2>/dev/null || :)" != "$want" ]; then
    rm -rf "$tree"
    cp -R "$source" "$tree"

    NGX_CONF_FLAGS=()
    . "$source/conf_flags"

    (cd "$tree" \
     && ./configure "${NGX_CONF_FLAGS[@]}" "${options[@]}" \
                    --add-dynamic-module="$top/t/unit") \
        >"$top/build/unit-configure.log" 2>&1 \
        || { cat "$top/build/unit-configure.log" >&2; exit 1; }

    printf '%s\n' "$want" > "$stamp"
fi

make -C "$tree" -f objs/Makefile modules >"$top/build/unit-make.log" 2>&1 \
    || { cat "$top/build/unit-make.log" >&2; exit 1; }

cmp -s "$tree/objs/ngx_http_wa_gateway_unit_module.so" "$module" \
    || { cp "$tree/objs/ngx_http_wa_gateway_unit_module.so" "$module.new"
         mv "$module.new" "$module"; }

echo "$module"
