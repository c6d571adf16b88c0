-- wrk: POSTs, one line of figures at the end.  After "--": what (see below),
-- bytes of the body (0: as short as it is), instances, sessions of each.

local asked = 0
local requests = {}
local run


-- A native request names the session; what is long is the file's base64.
local kinds = {
    message = { "/send-message", '{"to":"966500000000","message":"', '"}' },

    text = { "/send-text", '{"to":"966500000000","message":"', '"}' },

    -- the same, with another Idempotency-Key each
    keyed = { "/send-text", '{"to":"966500000000","message":"', '"}' },

    native = { "/api/sendText", '{"session":"%s","chatId":'
               .. '"966500000000@c.us","text":"', '"}' },

    -- the same for those that see a session in a header, or in the path
    named = { "/api/sendText", '{"session":"%s","chatId":'
              .. '"966500000000@c.us","text":"', '"}' },

    pathed = { "/api/%s/sendText", '{"session":"%s","chatId":'
               .. '"966500000000@c.us","text":"', '"}' },

    media = { "/send-media", '{"to":"966500000000","mimetype":'
              .. '"application/octet-stream","filename":"a","data":"', '"}' },

    file = { "/api/sendFile", '{"chatId":"966500000000@c.us","file":'
             .. '{"mimetype":"application/octet-stream","data":"',
             '"},"session":"%s"}' },
}


function init(args)
    local path, head, tail = unpack(kinds[args[1]])
    local size = tonumber(args[2]) or 0
    local instances = tonumber(args[3]) or 0
    local sessions = tonumber(args[4]) or 0
    local text = string.rep("QUJD", math.max((size - #head - #tail) / 4, 2))

    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"

    if args[1] == "keyed" then
        wrk.headers["Idempotency-Key"] = string.rep("k", 32)

        -- others may run in the same second
        run = string.format("%x%04x", math.floor(os.time()) % 0x7fffffff,
                            tonumber(wrk.port) or 0)
    end

    -- by turns to a session of each instance
    for session = 0, math.max(sessions, 1) - 1 do
        for instance = 0, math.max(instances, 1) - 1 do
            local name = string.format("s%03d-%02d", instance, session)
            local body = (head .. text .. tail):gsub("%%s", name)

            local target = path:gsub("%%s", name)

            if args[1] == "named" then
                wrk.headers["X-WA-Session"] = name
            end

            requests[#requests + 1] = wrk.format(nil, target, nil, body)
        end
    end
end

function request()
    asked = asked + 1

    local request = requests[asked % #requests + 1]

    if run then
        local key = string.format("%s-%0" .. 31 - #run .. "x", run, asked)
        request = request:gsub(string.rep("k", 32), key, 1)
    end

    return request
end

function done(summary, latency, requests)
    local e = summary.errors

    print(string.format("figures %d %d %d %d %d", summary.requests,
                        summary.duration, latency:percentile(50),
                        latency:percentile(99),
                        e.connect + e.read + e.write + e.status + e.timeout))
end
