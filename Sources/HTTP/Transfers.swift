import Foundation
import JSONText
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The transfers under way in a session: collects what arrives, and ends each exactly once.
final class Transfers: NSObject, URLSessionDataDelegate {
    typealias Outcome = Result<HTTPResponse, HTTPProblem>

    private struct Transfer {
        let task: URLSessionTask
        let sizeLimit: Int
        let completion: @Sendable (Outcome) -> Void
        /// Where the body of a good answer goes, where it is not collected.
        let target: (any DownloadTarget)?
        /// Whether the body goes there.
        var isDownload = false
        var response: HTTPURLResponse?
        var body: [UInt8] = []
        /// When something last arrived.
        var arrival = ContinuousClock.now
    }

    private let open = Mutex<[Int: Transfer]>([:])

    /// Starts one attempt; the completion is called once, on some thread.
    func start(
        _ request: HTTPRequest,
        _ settings: HTTPSettings,
        in session: URLSession,
        into target: (any DownloadTarget)?,
        completion: @escaping @Sendable (Outcome) -> Void
    ) -> URLSessionTask {
        let patience = target == nil ? settings.timeOut : settings.stallTimeOut
        let task = session.dataTask(with: URLRequest(request, timeOut: patience))
        // What waits for the time-outs knows a transfer by its number: the task, its answer and its session go when it ends.
        let number = task.taskIdentifier
        let transfer = Transfer(task: task, sizeLimit: settings.sizeLimit, completion: completion, target: target)
        open.withLock { $0[number] = transfer }
        if target == nil {
            // The session's own time-out begins anew with each byte: a server that drips would never reach it.
            DispatchQueue.global().asyncAfter(deadline: .now() + patience) { [weak self] in
                self?.end(number, .failure(.timeOut(seconds: patience)))
            }
        } else {
            watch(number, patience, in: patience)
        }
        task.resume()
        return task
    }

    /// Ends a download that brings nothing for too long; looks again when that could be, as long as it is under way.
    private func watch(_ number: Int, _ patience: Double, in seconds: Double) {
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [weak self] in
            guard let self, let arrival = open.withLock({ $0[number]?.arrival }) else { return }
            let left = patience - (ContinuousClock.now - arrival) / .seconds(1)
            if left <= 0 { return end(number, .failure(.stalled(seconds: patience))) }
            watch(number, patience, in: left)
        }
    }

    /// Ends a transfer with an outcome, unless it has ended already.
    func end(_ task: URLSessionTask, _ outcome: Outcome) { end(task.taskIdentifier, outcome) }

    private func end(_ number: Int, _ outcome: Outcome) {
        guard let transfer = open.withLock({ $0.removeValue(forKey: number) }) else { return }
        if case .failure = outcome { transfer.task.cancel() }
        transfer.completion(outcome)
    }

    func urlSession(
        _ session: URLSession,
        dataTask: URLSessionDataTask,
        didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        let target = open.withLock { open -> (any DownloadTarget)? in
            open[dataTask.taskIdentifier]?.response = response as? HTTPURLResponse
            open[dataTask.taskIdentifier]?.arrival = .now
            return open[dataTask.taskIdentifier]?.target
        }
        if let target, let response = response as? HTTPURLResponse {
            do {
                let answer = HTTPResponse(response, body: [])
                if let offset = try answer.offset(behind: target.byteCount) {
                    try target.begin(at: offset, of: answer.announcedCount)
                    open.withLock { $0[dataTask.taskIdentifier]?.isDownload = true }
                }
            } catch {
                end(dataTask, .failure(Self.problem(error)))
                return completionHandler(.cancel)
            }
        }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let (target, excess) = open.withLock { open -> ((any DownloadTarget)?, Int?) in
            guard var transfer = open.removeValue(forKey: dataTask.taskIdentifier) else { return (nil, nil) }
            defer { open[dataTask.taskIdentifier] = transfer }
            transfer.arrival = .now
            if transfer.isDownload { return (transfer.target, nil) }
            transfer.body += data
            return (nil, transfer.body.count > transfer.sizeLimit ? transfer.sizeLimit : nil)
        }
        if let excess { return end(dataTask, .failure(.tooLarge(limit: excess))) }
        do { try target?.append(data) } catch { end(dataTask, .failure(Self.problem(error))) }
    }

    /// Follows no redirection itself: whoever made the request decides what another server may be told.
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
        end(task, .success(HTTPResponse(response, body: [])))
        task.cancel()
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let error { return end(task, .failure(.connection(error.localizedDescription))) }
        guard let transfer = open.withLock({ $0[task.taskIdentifier] }), let response = transfer.response else {
            return end(task, .failure(.connection("the server closed without an answer")))
        }
        end(task, .success(HTTPResponse(response, body: transfer.body)))
    }

    private static func problem(_ error: any Error) -> HTTPProblem { error as? HTTPProblem ?? .storage("\(error)") }
}

extension HTTPResponse {
    fileprivate init(_ response: HTTPURLResponse, body: [UInt8]) {
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields { headers["\(name)".lowercased()] = "\(value)" }
        self.init(status: response.statusCode, headers: headers, body: body)
    }
}

extension URLRequest {
    fileprivate init(_ request: HTTPRequest, timeOut: Double) {
        self.init(url: request.url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: timeOut + 1)
        setValue("application/json", forHTTPHeaderField: "Accept")
        if request.wantsHeadersOnly {
            httpMethod = "HEAD"
            // Of a body that comes packed, a proxy would say the length of the pack, and another tag.
            setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        }
        if let body = request.body {
            httpMethod = "POST"
            httpBody = Data(body.serialized().utf8)
            setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        for (name, value) in request.headers { setValue(value, forHTTPHeaderField: name) }
    }
}
