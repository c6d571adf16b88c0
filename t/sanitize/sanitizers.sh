# shellcheck shell=bash
#
# Where the sanitizers write, and what counts as a report; for run and its
# selftest.

# sanitizers_into DIR: programs that are started later report there, a file for
# each process.
#
# No search for leaks: `nginx -t` ends with its pools in hand, by design, and
# each of them would be one.  What leaks while nginx serves and reloads is seen
# as growth, by t/reload_long.t.  LEAKS=1 looks all the same.
#
# A module has ngx_module_names of its own, beside nginx's.  Some tests preload
# a function of libc's.  Test::Nginx adds to the last option, which it takes
# for a path.
sanitizers_into() {
    rm -rf "$1"
    mkdir -p "$1"
    chmod 777 "$1"

    ASAN_OPTIONS=detect_leaks=${LEAKS:-0}:detect_odr_violation=0
    ASAN_OPTIONS+=:detect_stack_use_after_return=1:strict_string_checks=1
    ASAN_OPTIONS+=:allocator_may_return_null=1:verify_asan_link_order=0
    ASAN_OPTIONS+=:log_path=$1/asan
    UBSAN_OPTIONS=print_stacktrace=1:log_path=$1/ubsan
    LSAN_OPTIONS=suppressions=$PWD/t/sanitize/lsan.supp
    export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
}

sanitizers_bad='ERROR: .*Sanitizer|/(wag|ngx_http_wa)_[^/ ]*: runtime error'

# sanitizers_reports FILE: how many are the module's or about memory.
sanitizers_reports() {
    grep -cE "$sanitizers_bad" "$1"
}
