# shellcheck shell=bash
#
# How memcheck is run, and what counts as a report; for valgrind and its
# selftest.  What belongs to a report is indented, its first line is not.

memcheck="valgrind -q --vgdb=no --trace-children=yes --error-exitcode=0 \
--leak-check=no --suppressions='$PWD/t/sanitize/valgrind.supp'"

memcheck_reports() {
    grep '^==[0-9]*== [A-Z]' "$1" | grep -vc '^==[0-9]*== Warning:'
}
