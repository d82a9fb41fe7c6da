-- wrk's result, one line each:
--   result RATE P50 P99 ERRORS     requests per second, microseconds; errors
--                                  are answers other than 2xx and 3xx, and
--                                  those of sockets
--   latency P1 P2 ... P99          each percentile, in microseconds
-- With arguments (wrk ... -- N PAUSE) each request goes to the next of the virtual
-- hosts s0 to s(N-1), if N is not 0, and each connection pauses for so many
-- milliseconds before each request.
local hosts, turn, requests = 0, 0, {}

function init(args)
    hosts = tonumber(args[1] or 0)
    local pause = tonumber(args[2] or 0)
    if pause > 0 then
        delay = function() return pause end
    end
    for i = 1, hosts do
        local headers = {}
        for name, value in pairs(wrk.headers) do -- those of -H
            headers[name] = value
        end
        headers.Host = "s" .. (i - 1)
        requests[i] = wrk.format(nil, nil, headers)
    end
    if hosts > 0 then
        request = function()
            turn = turn % hosts + 1
            return requests[turn]
        end
    end
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format("result %.1f %d %d %d\n",
        summary.requests * 1e6 / summary.duration,
        latency:percentile(50), latency:percentile(99),
        e.status + e.connect + e.read + e.write + e.timeout))
    if e.status + e.connect + e.read + e.write + e.timeout > 0 then
        io.write(string.format("errors status %d connect %d read %d write %d timeout %d\n",
            e.status, e.connect, e.read, e.write, e.timeout))
    end
    local all = {}
    for p = 1, 99 do
        all[p] = string.format("%d", latency:percentile(p))
    end
    io.write("latency " .. table.concat(all, " ") .. "\n")
end
