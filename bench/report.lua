-- wrk's result as one line: requests per second, median and 99th percentile
-- in microseconds, errors (answers other than 2xx and 3xx, and socket errors).
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("result %.1f %d %d %d\n",
        summary.requests * 1e6 / summary.duration,
        latency:percentile(50), latency:percentile(99),
        e.status + e.connect + e.read + e.write + e.timeout))
end
