# Reads .env, checks every value, prints nginx.conf (or, with WA_MODE=summary,
# what the launcher has to know).  Plain awk: a bare Debian has mawk.
#
#   LC_ALL=C WA_ENV=.env WA_TEMPLATE=... WA_DEMO=... WA_MODULE=... \
#       awk -f render.awk
#
# WA_ENV is empty when there is no such file.  Nothing is passed with -v,
# which would expand backslashes.

BEGIN {
    mode = ENVIRON["WA_MODE"]
    file = ENVIRON["WA_ENV"]
    label = ENVIRON["WA_ENV_LABEL"]

    if (label == "")
        label = file

    define_variables()

    if (file != "")
        read_env()

    overlay_environment()
    check_values()

    if (mode == "summary")
        print_summary()
    else
        print_config()
}


# ---- the variables

function define_variables()
{
    n_known = split("PORT HOST INSTANCES HEALTH_CHECK_INTERVAL " \
                    "REQUEST_TIMEOUT HEALTH_CHECK_PATH HEALTH_CHECK_JSON " \
                    "HEALTH_CHECK_HEADER WORKERS GATEWAY_LANG API_KEY " \
                    "API_KEY_FILE TRUSTED_PROXIES", known, " ")

    for (i = 1; i <= n_known; i++)
        is_known[known[i]] = 1

    value["PORT"] = "3000"
    value["HOST"] = "127.0.0.1"
    value["HEALTH_CHECK_INTERVAL"] = "30000"
    value["REQUEST_TIMEOUT"] = "10000"
    value["HEALTH_CHECK_PATH"] = "/health"
    value["WORKERS"] = "auto"
    value["GATEWAY_LANG"] = "ar"
    value["TRUSTED_PROXIES"] = "127.0.0.0/8,::1"

    max_ms = 86400000
    max_text = 1024
    allowed_instances = "http://host:port or https://host:port, separated " \
                        "by commas"
    quote_chars = "\"'`"
}


# An empty value means the default, as `process.env.PORT || 3000` did.
function assign(name, v, where)
{
    source[name] = where
    given[name] = v

    if (v != "" || name == "INSTANCES")
        value[name] = v
    else if (name in preset)
        value[name] = preset[name]
    else
        value[name] = ""
}


function overlay_environment(    i, name)
{
    for (i = 1; i <= n_known; i++) {
        name = known[i]

        if (!(name in ENVIRON))
            continue

        # An exported but empty INSTANCES without .env is no configuration.
        if (name == "INSTANCES" && file == "" && ENVIRON[name] == "")
            continue

        assign(name, ENVIRON[name], "environment")
    }

    demo = (file == "" && !("INSTANCES" in source))
}


# ---- .env

function read_env(    i, line, status, n)
{
    for (i = 1; i <= n_known; i++)
        if (known[i] in value)
            preset[known[i]] = value[known[i]]

    n = 0

    while ((status = (getline line < file)) > 0) {
        sub(/\r$/, "", line)
        lines[++n] = line
    }

    if (status < 0)
        fail(label ": cannot be read")

    close(file)

    if (n && lines[1] ~ /^(\377\376|\376\377)/)
        fail(label ":1: not UTF-8 text: save the file as UTF-8")

    if (n)
        sub(/^\357\273\277/, "", lines[1])

    n_lines = n

    for (i = 1; i <= n; i = next_line)
        read_line(i)
}


function read_line(at,    s, name, q)
{
    next_line = at + 1
    s = lines[at]
    sub(/^[ \t]+/, "", s)

    if (s == "" || s ~ /^#/)
        return

    sub(/^export[ \t]+/, "", s)

    if (!match(s, /^[A-Za-z_][A-Za-z0-9_.-]*/))
        return

    name = substr(s, 1, RLENGTH)
    s = substr(s, RLENGTH + 1)

    # "NAME: value" is what the dotenv of Node takes too.
    if (s !~ /^[ \t]*=/ && s !~ /^:[ \t]/) {
        if (name in is_known)
            complain(label ":" at, name, s, "NAME=value")
        return
    }

    sub(/^[ \t]*[=:]/, "", s)

    # Only a "#" after a blank is a comment: API_KEY=#x must not become empty.
    if (match(s, /^[ \t]*["'`]/))
        s = read_quoted(at, name, substr(s, RLENGTH + 1), substr(s, RLENGTH, 1))

    else {
        if (match(s, /[ \t]#/))
            s = substr(s, 1, RSTART - 1)

        s = trim(s)
    }

    if (name in is_known)
        assign(name, s, label ":" at)
}


# A quoted value of another program's variable may span lines: it is skipped
# whole, or its lines could be taken for ours.
function read_quoted(at, name, s, q,    i, end, text)
{
    text = s

    for (i = at; ; text = text "\n" lines[i]) {
        end = find_quote(text, q)

        if (end)
            break

        if (++i > n_lines) {
            if (name in is_known)
                complain(label ":" at, name, q s, "a closing " q)
            return ""
        }
    }

    next_line = i + 1
    s = substr(text, end + 1)

    if (name in is_known && s !~ /^[ \t]*$/ && s !~ /^[ \t]+#/)
        complain(label ":" at, name, q text,
                 "only a comment after the closing " q)

    text = substr(text, 1, end - 1)

    return q == "\"" ? unescape(text) : text
}


function find_quote(s, q,    i, c)
{
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)

        if (c == q)
            return i

        if (c == "\\" && q == "\"")
            i++
    }

    return 0
}


function unescape(s,    i, c, out)
{
    out = ""

    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)

        if (c == "\\" && i < length(s)) {
            c = substr(s, ++i, 1)

            if (c == "n")
                c = "\n"
            else if (c == "r")
                c = "\r"
            else if (c == "t")
                c = "\t"
            else if (c != "\"" && c != "\\")
                c = "\\" c
        }

        out = out c
    }

    return out
}


# ---- checks

function check_values(    i)
{
    for (i = 1; i <= n_known; i++)
        if (value[known[i]] ~ /[[:cntrl:]]|\302[\200-\237]/)
            refuse(known[i], "text without control characters")

    if (!is_number(value["PORT"], 65535))
        refuse("PORT", "a whole number from 1 to 65535")

    check_host()

    if (demo)
        read_demo()
    else
        check_instances()

    check_ms("HEALTH_CHECK_INTERVAL")
    check_ms("REQUEST_TIMEOUT")

    if (value["HEALTH_CHECK_PATH"] !~ /^\/[!-~]*$/ \
        || index(value["HEALTH_CHECK_PATH"], "#") \
        || length(value["HEALTH_CHECK_PATH"]) > max_text)
    {
        refuse("HEALTH_CHECK_PATH", "a path that starts with / , " \
               "without blanks or #, others than ASCII as %XX")
    }

    check_json()
    check_header()

    if (value["WORKERS"] != "auto" && !is_number(value["WORKERS"], 512))
        refuse("WORKERS", "auto or a whole number from 1 to 512")

    if (value["GATEWAY_LANG"] != "ar" && value["GATEWAY_LANG"] != "en")
        refuse("GATEWAY_LANG", "ar or en")

    # "off" would turn the directive off, quoted or not, and "file=" name one.
    if (value["API_KEY"] == "off" || value["API_KEY"] ~ /^file=|^[ ]|[ ]$/ \
        || length(value["API_KEY"]) > max_text)
    {
        refuse("API_KEY", "up to " max_text " bytes of printable text, " \
               "no blank at either end, not the word off, no file= before it")
    }

    check_key_file()
    check_proxies()
}


# nginx reads the file itself, so the keys in it never come into nginx.conf;
# what is wrong with it is told here, where the variable has a line.
function check_key_file(    v, line, status, n, found, what)
{
    v = value["API_KEY_FILE"]

    if (v == "")
        return

    if (value["API_KEY"] != "")
        refuse("API_KEY_FILE", "either this or API_KEY (" \
               source["API_KEY"] "), not both")

    if (v !~ /^\//)
        v = directory() v

    what = "a file with one key a line, up to " max_text \
           " bytes of printable text"
    n = found = 0

    while ((status = (getline line < v)) > 0) {
        n++
        sub(/\r$/, "", line)

        if (n == 1)
            sub(/^\357\273\277/, "", line)

        line = trim(line)

        if (line == "" || line ~ /^#/)
            continue

        if (line ~ /[[:cntrl:]]/ || length(line) > max_text)
            refuse("API_KEY_FILE", what "; not its line " n)

        found = 1
    }

    close(v)

    if (status < 0)
        refuse("API_KEY_FILE", what "; this one cannot be read")

    if (!found)
        refuse("API_KEY_FILE", what "; there is none in it")

    key_file = v
}


# Where relative names begin.
function directory(    d)
{
    d = file == "" ? ENVIRON["WA_ROOT"] "/" : file
    sub(/[^\/]*$/, "", d)
    return d
}


function check_proxies(    n, i, at, list, address, bits, what)
{
    what = "addresses and networks such as 10.0.0.0/8, separated by commas, " \
           "or none"
    trusted = ""

    if (value["TRUSTED_PROXIES"] == "none")
        return

    n = split(value["TRUSTED_PROXIES"], list, ",")

    for (i = 1; i <= n; i++) {
        address = list[i] = trim(list[i])
        bits = 1

        if ((at = index(address, "/"))) {
            bits = substr(address, at + 1)
            address = substr(address, 1, at - 1)
        }

        if (!is_ipv4(address) && !is_ipv6(address) \
            || bits != "0" && !is_number(bits, index(address, ":") ? 128 : 32))
        {
            refuse("TRUSTED_PROXIES", what)
        }

        trusted = trusted list[i] " 1;\n"
    }
}


function check_ms(name)
{
    if (!is_number(value[name], max_ms))
        refuse(name, "a whole number of milliseconds from 1 to " max_ms)
}


function check_host(    h, ok)
{
    h = value["HOST"]

    if (h ~ /^\[.*\]$/)
        h = substr(h, 2, length(h) - 2)

    if (h != value["HOST"] || index(h, ":")) {
        ok = is_ipv6(h)
        bare = h
        h = "[" h "]"

    } else if (h == "*") {
        ok = 1
        h = "0.0.0.0"

    } else
        ok = is_hostname(h)

    if (!ok)
        refuse("HOST", "an IPv4 address, an IPv6 address or a host name")

    host = h

    if (h == "[::]")
        listens = "listen [::]:" value["PORT"] " ipv6only=off;"

    # A localhost that is also ::1 cannot be bound where IPv6 is off.
    else if (h == "localhost") {
        listens = "listen 127.0.0.1:" value["PORT"] ";"

        if (has_ipv6_loopback())
            listens = listens "\nlisten [::1]:" value["PORT"] ";"

    } else
        listens = "listen " h ":" value["PORT"] ";"
}


function has_ipv6_loopback(    line, found)
{
    found = 0

    while ((getline line < "/proc/net/if_inet6") > 0)
        if (line ~ /^0+1 /)
            found = 1

    close("/proc/net/if_inet6")

    return found
}


function check_instances(    v, n, i, list, url, key, scheme, this)
{
    v = value["INSTANCES"]

    if (!("INSTANCES" in source))
        fail(label ": INSTANCES is missing: allowed: " allowed_instances)

    n = split(v, list, ",")
    n_instances = 0

    for (i = 1; i <= n; i++) {
        url = trim(list[i])

        if (url == "") {
            if (i == n && n_instances)
                continue
            refuse("INSTANCES", allowed_instances)
        }

        sub(/\/$/, "", url)
        key = instance_key(url)

        if (key == "")
            refuse("INSTANCES", allowed_instances ", no path; not \"" \
                   show(url) "\"")

        this = tolower(substr(url, 1, index(url, ":") - 1))

        if (scheme != "" && this != scheme)
            refuse("INSTANCES", "one scheme for all, http or https")

        scheme = this

        if (key in seen)
            refuse("INSTANCES", "each instance once; not again \"" \
                   show(url) "\"")

        seen[key] = 1
        instances[++n_instances] = scheme substr(url, length(scheme) + 1)
        instance_host[n_instances] = key
    }

    if (!n_instances)
        refuse("INSTANCES", allowed_instances)

    https = (scheme == "https")
}


# What two spellings of one instance have in common; "" when it is not one.
function instance_key(url,    s, port, h)
{
    s = tolower(url)

    if (s ~ /^http:\/\//) {
        port = 80
        s = substr(s, 8)

    } else if (s ~ /^https:\/\//) {
        port = 443
        s = substr(s, 9)

    } else
        return ""

    if (match(s, /\]:[^:\]]*$/) || (s !~ /\]$/ && match(s, /:[^:]*$/))) {
        h = substr(s, 1, RSTART - (s ~ /^\[/ ? 0 : 1))
        port = substr(s, RSTART + (s ~ /^\[/ ? 2 : 1))

        if (!is_number(port, 65535))
            return ""

    } else
        h = s

    if (h ~ /^\[.*\]$/) {
        if (!is_ipv6(substr(h, 2, length(h) - 2)))
            return ""

    } else if (!is_hostname(h))
        return ""

    return h ":" port
}


function check_json(    v, at, n, i, list, what)
{
    v = value["HEALTH_CHECK_JSON"]

    if (v == "")
        return

    what = "a path and its good values, such as $.state=CONNECTED,open"
    at = index(v, "=")

    if (!at || length(v) > max_text)
        refuse("HEALTH_CHECK_JSON", what)

    json_path = trim(substr(v, 1, at - 1))

    if (json_path !~ /^\$(\.[A-Za-z0-9_-]+|\[[0-9]+\])+$/)
        refuse("HEALTH_CHECK_JSON", what)

    n = split(substr(v, at + 1), list, ",")
    n_json = 0

    for (i = 1; i <= n; i++) {
        json_value[++n_json] = trim(list[i])

        if (json_value[n_json] == "")
            refuse("HEALTH_CHECK_JSON", what)
    }

    if (!n_json)
        refuse("HEALTH_CHECK_JSON", what)
}


function check_header(    v, at, what)
{
    v = value["HEALTH_CHECK_HEADER"]

    if (v == "")
        return

    what = "a header and its value, such as X-Api-Key: secret"
    at = index(v, ":")
    header_name = trim(substr(v, 1, at - 1))
    header_value = trim(substr(v, at + 1))

    if (!at || header_name !~ /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/ \
        || header_value == "" || length(v) > max_text)
    {
        refuse("HEALTH_CHECK_HEADER", what)
    }
}


function is_number(s, max)
{
    return s ~ /^[1-9][0-9]*$/ && length(s) <= length(max "") && s + 0 <= max
}


function is_ipv4(s,    n, i, part)
{
    n = split(s, part, ".")

    for (i = 1; i <= n; i++)
        if (part[i] !~ /^(0|[1-9][0-9]?[0-9]?)$/ || part[i] > 255)
            return 0

    return n == 4
}


function is_ipv6(s,    n, i, group, double, total)
{
    if (s !~ /^[0-9A-Fa-f:.]+$/ || !index(s, ":"))
        return 0

    double = index(s, "::")

    if (double && index(substr(s, double + 1), "::"))
        return 0

    if (s ~ /^:[^:]/ || s ~ /[^:]:$/)
        return 0

    n = split(s, group, ":")
    total = 0

    for (i = 1; i <= n; i++) {
        if (group[i] == "")
            continue

        if (i == n && index(group[i], ".")) {
            if (!is_ipv4(group[i]))
                return 0
            total += 2
            continue
        }

        if (group[i] !~ /^[0-9A-Fa-f]+$/ || length(group[i]) > 4)
            return 0

        total++
    }

    return double ? total <= 7 : total == 8
}


function is_hostname(s,    n, i, part)
{
    if (s ~ /^[0-9.]+$/)
        return is_ipv4(s)

    if (length(s) > 253)
        return 0

    n = split(s, part, ".")

    for (i = 1; i <= n; i++)
        if (part[i] !~ /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$/ \
            || length(part[i]) > 63)
        {
            return 0
        }

    return n > 0
}


function trim(s)
{
    gsub(/^[ \t]+|[ \t]+$/, "", s)
    return s
}


# ---- errors

function refuse(name, what)
{
    complain(source[name], name, given[name], what)
}


function complain(where, name, v, what)
{
    v = show(v)

    # A key must not end up in somebody's log.
    if (name == "API_KEY" || name == "HEALTH_CHECK_HEADER")
        v = substr(v, 1, 3) (length(v) > 3 ? "..." : "")

    fail(where ": " name "=\"" v "\": allowed: " what)
}


function show(s)
{
    gsub(/[[:cntrl:]]/, "?", s)
    return length(s) > 200 ? substr(s, 1, 200) "..." : s
}


function fail(text)
{
    print text > "/dev/stderr"
    exit 1
}


# ---- the demo instances

function read_demo(    file, line, at)
{
    file = ENVIRON["WA_DEMO"]
    n_instances = 0
    demo_text = ""

    while ((getline line < file) > 0) {
        demo_text = demo_text line "\n"

        if (line ~ /^[ \t]*listen[ \t]+127\.0\.0\.1:[0-9]+;/) {
            at = index(line, "127")
            sub(/;.*/, "", line)
            instances[++n_instances] = "http://" substr(line, at)
            instance_host[n_instances] = substr(line, at)

            if (substr(line, at + 10) == value["PORT"])
                complain("PORT" in source ? source["PORT"] : "default",
                         "PORT", value["PORT"],
                         "a port the demo instances do not take")
        }
    }

    close(file)
}


# ---- what comes out

function print_summary(    i, h)
{
    h = host

    if (h == "0.0.0.0")
        h = "127.0.0.1"
    else if (h == "[::]")
        h = "[::1]"

    print "host", host
    print "port", value["PORT"]
    print "url", "http://" h ":" value["PORT"]
    print "key", (value["API_KEY"] != "" || key_file != "")

    if (demo)
        print "demo", 1

    for (i = 1; i <= n_instances; i++)
        print "instance", instances[i]
}


function print_config(    template, line, at, end, indent, name, text)
{
    fill()
    template = ENVIRON["WA_TEMPLATE"]

    while ((getline line < template) > 0) {
        if (!match(line, /\{\{[A-Z_]+\}\}/)) {
            print line
            continue
        }

        name = substr(line, RSTART + 2, RLENGTH - 4)

        if (!(name in block))
            fail(template ": unknown {{" name "}}")

        # On a line of its own a block brings its directives, or none.
        if (line ~ /^ *\{\{[A-Z_]+\}\}$/) {
            print_block(substr(line, 1, RSTART - 1), block[name])
            continue
        }

        print substr(line, 1, RSTART - 1) block[name] \
              substr(line, RSTART + RLENGTH)
    }

    close(template)
}


function print_block(indent, text,    n, i, out)
{
    if (text == "")
        return

    sub(/\n$/, "", text)
    n = split(text, out, "\n")

    for (i = 1; i <= n; i++)
        print (out[i] == "" ? "" : indent out[i])
}


function fill(    i, text, size, timeout)
{
    timeout = value["REQUEST_TIMEOUT"]

    block["MODULE"] = quote(ENVIRON["WA_MODULE"])
    block["USER"] = ENVIRON["WA_USER"] == "" ? "" \
                    : "user " quote(ENVIRON["WA_USER"]) ";"
    block["ACCESS_LOG"] = quote(ENVIRON["WA_LOG"] == "" ? "access.log" \
                                : ENVIRON["WA_LOG"])
    block["WORKERS"] = value["WORKERS"]
    block["SHUTDOWN"] = (timeout * 2 + 5000 > 30000 ? timeout * 2 + 5000 \
                         : 30000) "ms"
    block["TIMEOUT"] = timeout "ms"
    block["LISTEN"] = listens
    block["LANG"] = value["GATEWAY_LANG"]
    block["SCHEME"] = https ? "https" : "http"
    block["DEMO"] = demo ? demo_text : ""

    # Steps of two: a zone that changes its size is a new, empty zone.
    for (size = 256; size < 64 + n_instances * 2; size *= 2)
        ;

    block["ZONE"] = size "k"

    text = "wa_gateway_instances"

    for (i = 1; i <= n_instances; i++)
        text = text "\n    " quote(instances[i])

    block["INSTANCES"] = text ";"

    block["CHECK"] = "wa_gateway_check " \
                     quote("uri=" value["HEALTH_CHECK_PATH"]) \
                     " interval=" value["HEALTH_CHECK_INTERVAL"] "ms" \
                     " timeout=" timeout "ms" (https ? " ssl=on" : "") ";"

    text = ""

    if (header_name != "")
        text = "wa_gateway_check_header " quote(header_name) " " \
               quote(header_value) ";\n"

    if (json_path != "") {
        text = text "wa_gateway_expect json " quote(json_path) " ="

        for (i = 1; i <= n_json; i++)
            text = text " " quote(json_value[i])

        text = text ";\n"
    }

    block["EXPECT"] = text

    text = key_file == "" ? value["API_KEY"] : "file=" key_file
    block["API_KEY"] = text == "" ? "" : "wa_gateway_api_key " quote(text) ";"
    block["TRUSTED"] = trusted

    fill_tls()
}


# One request may meet several instances, but it has one Host: it can only be
# theirs when they share it.
function fill_tls(    i, first, h)
{
    block["HOST"] = "$wa_host"
    block["TLS"] = ""

    if (!https)
        return

    for (i = 1; i <= n_instances; i++) {
        h = instances[i]
        sub(/^https:\/\//, "", h)

        if (i == 1)
            first = h
        else if (h != first)
            first = ""
    }

    if (first != "")
        block["HOST"] = quote(first)

    block["TLS"] = "proxy_ssl_server_name on;\n" \
                   "proxy_ssl_name        $wa_tls_name;\n" \
                   "proxy_ssl_protocols   TLSv1.2 TLSv1.3;"
}


# For nginx's lexer.  Control characters were refused before; a "$" stays as
# it is, since none of the directives that get a value knows variables.
function quote(s,    i, c, out)
{
    out = ""

    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        out = out (c == "\\" || c == "\"" ? "\\" c : c)
    }

    return "\"" out "\""
}
