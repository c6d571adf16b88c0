# Doors: build, test, test-busy, lint, clean; fuzz, fuzz-selftest, sanitize,
# sanitize-selftest, valgrind, by-hand, matrix, coverage, soak MINUTES=n,
# soak-sessions MINUTES=n, soak-sends MINUTES=n, store-soak MINUTES=n,
# journal-soak MINUTES=n, soak-all MINUTES=n, pace-day MINUTES=n; bench,
# bench-pairs, bench-sides, bench-scale, bench-instructions,
# bench-instructions-check; deb, deb-test, upgrade-test, docker-test;
# vendors-test; first-run.

NGINX     ?= nginx
NGINX_SRC ?= /usr/share/nginx/src
CC        ?= cc
CC_OPT    ?= -O2 -g -Wall -Wextra -Wno-unused-parameter -Werror \
             -fstack-protector-strong -fstack-clash-protection \
             -Wformat -Werror=format-security \
             -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
             -fno-semantic-interposition -fno-plt
LD_OPT    ?= -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
             -Wl,-Bsymbolic-functions

export PATH := $(PATH):/usr/sbin:/sbin

MODULE  = build/ngx_http_wa_gateway_module.so
ROOMS   = src/core src/vendor src/zone src/health src/health/probe src/send \
          src/upstream src/api src/edge
SOURCES = $(wildcard *.c $(ROOMS:=/*.c) $(ROOMS:=/*.h))
TREE    = build/nginx

# The name of the stamp holds what the objects were made for.  Dates do not
# tell: dpkg keeps the packager's, which may be older than the last build.
ID    := $(shell { $(NGINX) -V; $(CC) --version; echo '$(CC_OPT)' '$(LD_OPT)'; \
             cat '$(NGINX_SRC)/conf_flags'; \
             find '$(NGINX_SRC)/src' '$(NGINX_SRC)/auto' -type f \
                 -exec cat {} +; } 2>&1 | cksum | tr -d ' ')
STAMP  = $(TREE)/configured-$(ID)

.PHONY: build test test-busy dashboard-test lint clean fuzz fuzz-selftest \
        hooks sanitize sanitize-build sanitize-selftest valgrind by-hand \
        matrix coverage soak soak-sessions soak-sends store-soak \
        journal-soak soak-all pace-day bench bench-pairs bench-sides \
        bench-scale bench-instructions bench-instructions-check deb deb-test \
        upgrade-test docker-test vendors-test first-run

build: $(MODULE)

# Through the link, blanks in the checkout's path stay out of nginx's
# configure, which cannot take them, and all objects land in objs/addon.
$(STAMP): config
	@test -r '$(NGINX_SRC)/conf_flags' || { \
	    echo 'make: nginx-dev is missing: $(NGINX_SRC)/conf_flags' >&2; \
	    exit 1; }
	rm -rf $(TREE)
	mkdir -p $(TREE)
	cp -R '$(NGINX_SRC)/.' $(TREE)
	ln -sfn .. build/module
	cd $(TREE) && bash -ec '. ./conf_flags; \
	    ./configure "$${NGX_CONF_FLAGS[@]}" --with-cc="$$1" \
	        --with-cc-opt="$$2" --with-ld-opt="$$3" \
	        --add-dynamic-module=../module \
	        >configure.log || { tail -n 20 configure.log >&2; exit 1; }' \
	    configure '$(CC)' '$(CC_OPT)' '$(LD_OPT)'
	touch $@

# nginx's own rules do not know every header.
$(MODULE): $(STAMP) $(SOURCES)
	$(if $(filter %.h,$?),find $(TREE)/objs/addon -name '*.o' -delete)
	$(MAKE) -C $(TREE) -f objs/Makefile modules
	cp $(TREE)/objs/$(@F) $@.new
	mv -f $@.new $@

test:
	bin/wa-gateway test

# Twice in a row, one of two cores taken: TESTS=t/upgrade.t, or all.
test-busy: build
	t/tools/busy $(TESTS)

# Not among the others: a browser is large.  Screenshots: build/dashboard.
dashboard-test: build
	@command -v node >/dev/null && command -v npm >/dev/null \
	    && command -v chromium >/dev/null || { \
	    [ "$$(id -u)" -eq 0 ] || { echo 'make: chromium, nodejs or npm is' \
	        'missing: install them, or run this as root' >&2; exit 1; }; \
	    apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y \
	        install --no-install-recommends chromium fonts-noto-core \
	        $$(command -v node >/dev/null || echo nodejs) \
	        $$(command -v npm >/dev/null || echo npm); }
	mkdir -p build/dashboard
	cp t/dashboard/package.json build/dashboard/
	cd build/dashboard && npm install --no-audit --no-fund --no-progress
	node t/dashboard/dashboard.js
	node t/dashboard/sessions.js
	node t/dashboard/control.js
	node t/dashboard/login.js

# What is not installed is skipped with a word.  clang-tidy has to know where
# nginx's headers are, so it comes after a build.
SCRIPTS = bin/wa-gateway .ci/run t/tools/coverage t/tools/matrix \
          t/tools/busy t/tools/in-root t/tools/nginx-build t/tools/nginx-deb \
          t/tools/nginx-source t/tools/suite t/tools/by-hand \
          t/tools/first-run \
          t/sanitize/run t/sanitize/selftest t/sanitize/valgrind \
          t/sanitize/valgrind-selftest debian/build \
          $(wildcard debian/*.postinst debian/*.postrm) conf/docker/health \
          $(filter-out %.sh %.pl %.py %.yml %.Dockerfile,$(wildcard \
              t/deb/* t/docker/*))
STYLED  = $(SOURCES) $(wildcard t/unit/*.c t/unit/*.h t/fuzz/*.c t/fuzz/*.h)

lint:
	@status=0; \
	t/tools/style --selftest && t/tools/style $(STYLED) || status=1; \
	if command -v shellcheck >/dev/null; then \
	    shellcheck -x $(SCRIPTS) || status=1; \
	else echo 'lint: no shellcheck here, skipped'; fi; \
	if command -v cppcheck >/dev/null; then \
	    cppcheck --quiet --error-exitcode=1 --std=c99 \
	        --enable=warning,performance,portability \
	        --inline-suppr $(SOURCES) || status=1; \
	else echo 'lint: no cppcheck here, skipped'; fi; \
	if ! command -v clang-tidy >/dev/null; then \
	    echo 'lint: no clang-tidy here, skipped'; \
	elif ! test -e $(TREE)/objs/ngx_auto_config.h; then \
	    echo 'lint: clang-tidy skipped, make build comes before it'; \
	else \
	    clang-tidy --quiet $(filter %.c,$(SOURCES)) -- \
	        $(addprefix -isystem $(TREE)/,objs src/core src/event \
	            src/event/modules src/os/unix src/http src/http/modules \
	            src/http/v2) $(addprefix -I,$(ROOMS)) 2>$(TREE)/tidy.log \
	        || { cat $(TREE)/tidy.log >&2; status=1; }; \
	fi; \
	exit $$status

# FUZZ_SECONDS=600: how long each target runs: http, expect, json, json_scan,
# pick, body, route, message, vendor, qr, control, names, urls, store, env.
fuzz:
	t/fuzz/run.sh

fuzz-selftest:
	t/fuzz/run.sh --selftest

# The module with what only tests need, see src/zone/wag_lock.c.
HOOKS = build/hooks/objs/ngx_http_wa_gateway_module.so

hooks: $(HOOKS)

$(HOOKS): $(MODULE)
	rm -rf build/hooks
	cp -Rp $(TREE) build/hooks
	rm build/hooks/objs/addon/zone/wag_lock.o \
	    build/hooks/objs/ngx_http_wa_gateway_module.so
	$(MAKE) -C build/hooks -f objs/Makefile modules \
	    CFLAGS="$$(sed -n 's/^CFLAGS = *//p' $(TREE)/objs/Makefile) \
	            -DWA_GATEWAY_DEBUG_HOOKS=1" >build/hooks/make.log

# What nginx's own sources are known for: reads of 4 bytes at any address,
# memcpy() of 0 bytes from NULL.  Such a report is shown, but ends nothing.
SANITIZE = -fsanitize=address,undefined
SAN_OPT  = -O1 -g -fno-omit-frame-pointer $(SANITIZE) \
           -fno-sanitize-recover=undefined \
           -fsanitize-recover=alignment,nonnull-attribute,pointer-overflow \
           -DNGX_DEBUG_PALLOC=1 -DWA_GATEWAY_DEBUG_HOOKS=1

# As libraries of their own the two do not agree on where gcc's reports go.
SAN_LD   = $(SANITIZE) $(shell $(CC) --version 2>/dev/null | grep -q clang \
               || echo -static-libasan -static-libubsan)

# SUITE=trixie: nginx as that release of Debian has it.
SUITE ?= bookworm

sanitize-build:
	t/tools/nginx-source $(SUITE) build/source/$(SUITE)
	t/tools/nginx-build build/source/$(SUITE) build/sanitize '$(CC)' \
	    '$(SAN_OPT)' '$(SAN_LD)'

sanitize: sanitize-build
	CC='$(CC)' CC_OPT='$(SAN_OPT)' LD_OPT='$(SAN_LD)' t/sanitize/run $(TESTS)

sanitize-selftest: sanitize-build
	t/sanitize/selftest '$(CC)' '$(SAN_OPT)' '$(SAN_LD)'
	t/sanitize/valgrind-selftest '$(CC)'

valgrind:
	t/tools/nginx-source $(SUITE) build/source/$(SUITE)
	t/sanitize/valgrind build/source/$(SUITE) '$(CC)' $(TESTS)

by-hand:
	t/tools/by-hand $(SUITE)

matrix:
	CC='$(CC)' CC_OPT='$(CC_OPT)' LD_OPT='$(LD_OPT)' t/tools/matrix $(VERSIONS)

COV_OPT = -O0 -g --coverage -DNGX_DEBUG_PALLOC=1 -DWA_GATEWAY_DEBUG_HOOKS=1

coverage:
	t/tools/nginx-source bookworm build/source/bookworm
	t/tools/nginx-build build/source/bookworm build/coverage '$(CC)' \
	    '$(COV_OPT)' '--coverage'
	CC='$(CC)' CC_OPT='$(COV_OPT)' LD_OPT='--coverage' t/tools/coverage $(TESTS)

soak: build
	perl -It/lib t/soak/soak.pl $(or $(MINUTES),2)

# WA_GATEWAY_SOAK_SEED=n: in the same order again.
soak-sessions: build
	perl -It/lib t/soak/sessions.pl $(or $(MINUTES),2)

soak-sends: build
	perl -It/lib t/soak/sends.pl $(or $(MINUTES),2)

# At the limit, with faults; t/pace_day.t is the same in short.
pace-day: build
	perl -It/lib t/soak/pace.pl $(or $(MINUTES),10)

# Needs redis-server or valkey-server, as the tests do; and root, CAP_NET_ADMIN
# and iptables, for networks that break.
store-soak: build
	perl -It/lib t/soak/partition.pl
	perl -It/lib t/soak/store.pl $(or $(MINUTES),2)

# Six vendors, two gateways, their store, names, control and budgets.
soak-all: build
	perl -It/lib t/soak/all.pl $(or $(MINUTES),60)

journal-soak: build
	perl -It/lib t/soak/store.pl $(or $(MINUTES),2) journal

deb:
	debian/build

# In fresh roots: RELEASES='bookworm trixie'.
deb-test:
	t/deb/run $(RELEASES)

# From 0.1.0 to this, under load, in fresh roots; PARTS='build packages checkout'.
upgrade-test:
	t/deb/upgrade $(RELEASES)

# The image and its compose files, by docker or podman; ENGINE=podman.
docker-test:
	t/docker/run $(RELEASES)

# Real servers, installed: WWEBJS_API=dir WPPCONNECT_SERVER=dir; VENDORS=wwebjs.
vendors-test: build
	t/vendors/run $(VENDORS)
	t/vendors/requests $(VENDORS)

# README's two commands in a fresh root of SUITE; FIRST='--hold 5 --busy --test'.
first-run:
	t/tools/first-run $(FIRST) $(SUITE)

# BENCH=--quick or the names of parts: see bench/README.md.
bench: build
	ulimit -n "$$(ulimit -Hn)"; perl bench/run.pl $(BENCH)

# PAIRS=40; SECONDS_EACH=2; more in bench/pairs.pl.
bench-pairs: build
	perl bench/pairs.pl --pairs=$(or $(PAIRS),40) \
	    --seconds=$(or $(SECONDS_EACH),2) $(if $(TOGETHER),--together)

# SIDES=--resume, SIDES='--quick', SIDES='dies moves': see bench/sides.pl.
bench-sides: build
	ulimit -n "$$(ulimit -Hn)"; perl bench/sides.pl $(SIDES)

# SCALE=--resume, SCALE='500x200 store': see bench/scale.pl.
bench-scale: build
	ulimit -n "$$(ulimit -Hn)"; perl bench/scale.pl $(SCALE)

bench-instructions: build
	perl bench/instructions.pl

bench-instructions-check: build
	perl bench/instructions.pl --check

clean:
	rm -rf build
