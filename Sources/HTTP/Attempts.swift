import JSONText

/// The attempts of one call: what follows from each outcome.
struct Attempts {
    let address: String
    let settings: HTTPSettings
    /// A number from 0 to 1 for each wait.
    let jitter: () -> Double
    private var made = 0

    init(_ request: HTTPRequest, _ settings: HTTPSettings, jitter: @escaping () -> Double) {
        address = HTTPRequest.shown(request.url.absoluteString)
        self.settings = settings
        self.jitter = jitter
    }

    /// What the caller makes of a response, or the seconds to wait before the next attempt.
    ///
    /// - Throws: ``HTTPError`` where another attempt would not help or has become too many.
    mutating func next<Answer>(
        after outcome: Result<HTTPResponse, HTTPProblem>,
        _ reading: (HTTPResponse) -> Result<Answer, HTTPProblem>
    ) throws(HTTPError) -> Next<Answer> {
        made += 1
        let problem: HTTPProblem
        switch outcome.flatMap(reading) {
        case .success(let answer): return .answer(answer)
        case .failure(let found): problem = found
        }
        let limit = problem.isUnreachable ? settings.connectionAttempts ?? settings.attempts : settings.attempts
        guard problem.isPassing, made < limit else { throw error(problem) }
        let delay = settings.delay(afterFailures: made, jitter: jitter())
        guard let silence = (try? outcome.get()).flatMap({ RateLimit.silence($0.headers) }) else {
            return .wait(delay, after: problem)
        }
        guard silence <= settings.patience else { throw error(.patience(seconds: silence)) }
        return .wait(max(silence, delay), after: problem)
    }

    /// Forgets the failures so far, since a download has got further than ever before.
    mutating func progressed() { made = 0 }

    enum Next<Answer> {
        case answer(Answer)
        case wait(Double, after: HTTPProblem)
    }

    func error(_ problem: HTTPProblem) -> HTTPError {
        HTTPError(address: address, attempts: made, problem: problem)
    }
}

extension HTTPResponse {
    /// The JSON of a good answer, or what is wrong with any other.
    func json(_ objection: (JSON) -> String?) -> Result<JSON, HTTPProblem> {
        guard (200..<300).contains(status) else { return .failure(.status(status, excerpt: excerpt)) }
        do {
            let answer = try JSON(parsing: body)
            if let reason = objection(answer) { return .failure(.unexpected(reason, excerpt: excerpt)) }
            return .success(answer)
        } catch {
            return .failure(.notJSON("\(error)", excerpt: excerpt))
        }
    }

    /// The response itself, unless another attempt may bring a better one.
    var lasting: Result<HTTPResponse, HTTPProblem> {
        let problem = HTTPProblem.status(status, excerpt: excerpt)
        return (200..<300).contains(status) || !problem.isPassing ? .success(self) : .failure(problem)
    }
}
