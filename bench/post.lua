-- wrk: POSTs of so many bytes (after "--"), one line of figures at the end.

function init(args)
    local size = tonumber(args[1]) or 0
    local head = '{"to":"966500000000","message":"'

    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = head .. string.rep("x", math.max(size - #head - 2, 5)) .. '"}'
end

function done(summary, latency, requests)
    local e = summary.errors

    print(string.format("figures %d %d %d %d %d", summary.requests,
                        summary.duration, latency:percentile(50),
                        latency:percentile(99),
                        e.connect + e.read + e.write + e.status + e.timeout))
end
