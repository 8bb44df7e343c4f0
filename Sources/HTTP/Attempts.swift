import JSONText

/// The attempts of one call: what follows from each outcome.
struct Attempts {
    let address: String
    let settings: HTTPSettings
    /// A number from 0 to 1 for each wait.
    let jitter: () -> Double
    private var made = 0

    init(_ request: HTTPRequest, _ settings: HTTPSettings, jitter: @escaping () -> Double) {
        // What follows the question mark may hold a key.
        address = request.url.absoluteString.prefix { $0 != "?" }.description
        self.settings = settings
        self.jitter = jitter
    }

    /// The answer, or the seconds to wait before the next attempt.
    ///
    /// - Throws: ``HTTPError`` where another attempt would not help or has become too many.
    mutating func next(
        after outcome: Result<HTTPResponse, HTTPProblem>,
        _ objection: (JSON) -> String?
    ) throws(HTTPError) -> Next {
        made += 1
        let problem: HTTPProblem
        switch Self.answer(outcome, objection) {
        case .success(let answer): return .answer(answer)
        case .failure(let found): problem = found
        }
        guard problem.isPassing, made < settings.attempts else { throw error(problem) }
        let delay = settings.delay(afterFailures: made, jitter: jitter())
        guard let silence = (try? outcome.get()).flatMap({ RateLimit.silence($0.headers) }) else { return .wait(delay) }
        guard silence <= settings.patience else { throw error(.patience(seconds: silence)) }
        return .wait(max(silence, delay))
    }

    enum Next {
        case answer(JSON)
        case wait(Double)
    }

    func error(_ problem: HTTPProblem) -> HTTPError {
        HTTPError(address: address, attempts: made, problem: problem)
    }

    /// The JSON of a good answer, or what is wrong with any other outcome.
    private static func answer(
        _ outcome: Result<HTTPResponse, HTTPProblem>,
        _ objection: (JSON) -> String?
    ) -> Result<JSON, HTTPProblem> {
        outcome.flatMap { response in
            guard (200..<300).contains(response.status) else {
                return .failure(.status(response.status, excerpt: response.excerpt))
            }
            do {
                let answer = try JSON(parsing: response.body)
                if let reason = objection(answer) { return .failure(.unexpected(reason, excerpt: response.excerpt)) }
                return .success(answer)
            } catch {
                return .failure(.notJSON("\(error)", excerpt: response.excerpt))
            }
        }
    }
}
