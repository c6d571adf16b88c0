# shellcheck shell=bash
#
# How memcheck is run, and what counts as a report; for valgrind and its
# selftest.

memcheck="valgrind -q --trace-children=yes --error-exitcode=0 --leak-check=no \
--suppressions='$PWD/t/sanitize/valgrind.supp'"

memcheck_reports() {
    grep -c '^==[0-9]*== .*\(uninitialised\|Invalid\|overlap\)' "$1"
}
