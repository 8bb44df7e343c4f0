import Foundation
import Testing

@testable import HTTP

/// The waits that servers ask for, and those of our own.
@Suite struct RateLimitTests {
    @Test("durations as OpenAI writes them")
    func durations() {
        #expect(RateLimit.duration("1s") == 1)
        #expect(RateLimit.duration("6m0s") == 360)
        #expect(RateLimit.duration("20ms") == 0.02)
        #expect(RateLimit.duration("1h2m3.5s") == 3723.5)
        #expect(RateLimit.duration("12") == 12)
        for text in ["", "s", "1x", "-1s"] { #expect(RateLimit.duration(text) == nil) }
    }

    @Test("Retry-After in seconds, in milliseconds and as a date")
    func retryAfter() {
        let now = Date(timeIntervalSince1970: 784_111_777)  // Sun, 06 Nov 1994 08:49:37 GMT
        #expect(RateLimit.silence(["retry-after": "7"], now: now) == 7)
        #expect(RateLimit.silence(["retry-after": "7", "retry-after-ms": "250"], now: now) == 0.25)
        #expect(RateLimit.silence(["retry-after": "Sun, 06 Nov 1994 08:50:37 GMT"], now: now) == 60)
        #expect(RateLimit.silence(["retry-after": "Sun, 06 Nov 1994 08:00:00 GMT"], now: now) == 0)
        #expect(RateLimit.silence(["retry-after": "soon"], now: now) == nil)
        #expect(RateLimit.silence(["retry-after": "-5"], now: now) == nil)
    }

    @Test("only an exhausted limit asks to wait, for the longest of its resets")
    func remaining() {
        var headers = ["x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "9s"]
        #expect(RateLimit.silence(headers) == nil)
        headers["x-ratelimit-remaining-tokens"] = "0"
        headers["x-ratelimit-reset-tokens"] = "2s"
        #expect(RateLimit.silence(headers) == 2)
        headers["x-ratelimit-remaining-requests"] = "0"
        #expect(RateLimit.silence(headers) == 9)
    }

    @Test("waits double from the first to the longest, half of each random")
    func backOff() {
        var settings = HTTPSettings()
        settings.firstDelay = 1
        settings.longestDelay = 10
        #expect((1...6).map { settings.delay(afterFailures: $0, jitter: 1) } == [1, 2, 4, 8, 10, 10])
        #expect((1...6).map { settings.delay(afterFailures: $0, jitter: 0) } == [0.5, 1, 2, 4, 5, 5])
        #expect(settings.delay(afterFailures: 10_000, jitter: 1) == 10)
    }

    @Test("a quota of which nothing remains, as the Hugging Face hub says it")
    func quota() {
        #expect(RateLimit.silence(["ratelimit": #""api";r=0;t=55"#]) == 55)
        #expect(RateLimit.silence(["ratelimit": #""api"; r = 0; t = 7"#]) == 7)
        #expect(RateLimit.silence(["ratelimit": #""api";r=3;t=55"#]) == nil)
        #expect(RateLimit.silence(["ratelimit": "nonsense"]) == nil)
    }
}
