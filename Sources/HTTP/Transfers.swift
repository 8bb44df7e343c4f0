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
        let sizeLimit: Int
        let completion: @Sendable (Outcome) -> Void
        var response: HTTPURLResponse?
        var body: [UInt8] = []
    }

    private let open = Mutex<[Int: Transfer]>([:])

    /// Starts one attempt; the completion is called once, on some thread.
    func start(
        _ request: HTTPRequest,
        _ settings: HTTPSettings,
        in session: URLSession,
        completion: @escaping @Sendable (Outcome) -> Void
    ) -> URLSessionTask {
        let task = session.dataTask(with: URLRequest(request, timeOut: settings.timeOut))
        let transfer = Transfer(sizeLimit: settings.sizeLimit, completion: completion)
        open.withLock { $0[task.taskIdentifier] = transfer }
        // The session's own time-out begins anew with each byte: a server that drips would never reach it.
        DispatchQueue.global().asyncAfter(deadline: .now() + settings.timeOut) { [weak self] in
            self?.end(task, .failure(.timeOut(seconds: settings.timeOut)))
        }
        task.resume()
        return task
    }

    /// Ends a transfer with an outcome, unless it has ended already.
    func end(_ task: URLSessionTask, _ outcome: Outcome) {
        guard let transfer = open.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        if case .failure = outcome { task.cancel() }
        transfer.completion(outcome)
    }

    func urlSession(
        _ session: URLSession,
        dataTask: URLSessionDataTask,
        didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        open.withLock { $0[dataTask.taskIdentifier]?.response = response as? HTTPURLResponse }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let excess = open.withLock { open -> Int? in
            guard var transfer = open.removeValue(forKey: dataTask.taskIdentifier) else { return nil }
            transfer.body += data
            open[dataTask.taskIdentifier] = transfer
            return transfer.body.count > transfer.sizeLimit ? transfer.sizeLimit : nil
        }
        if let excess { end(dataTask, .failure(.tooLarge(limit: excess))) }
    }

    /// Follows no redirection: it would carry the key to another server.
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
        let place = request.url?.absoluteString ?? "another address"
        end(task, .failure(.status(response.statusCode, excerpt: "redirects to \(place)")))
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let error { return end(task, .failure(.connection(error.localizedDescription))) }
        guard let transfer = open.withLock({ $0[task.taskIdentifier] }), let response = transfer.response else {
            return end(task, .failure(.connection("the server closed without an answer")))
        }
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields { headers["\(name)".lowercased()] = "\(value)" }
        end(task, .success(HTTPResponse(status: response.statusCode, headers: headers, body: transfer.body)))
    }
}

extension URLRequest {
    fileprivate init(_ request: HTTPRequest, timeOut: Double) {
        self.init(url: request.url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: timeOut + 1)
        setValue("application/json", forHTTPHeaderField: "Accept")
        if let body = request.body {
            httpMethod = "POST"
            httpBody = Data(body.serialized().utf8)
            setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        for (name, value) in request.headers { setValue(value, forHTTPHeaderField: name) }
    }
}
