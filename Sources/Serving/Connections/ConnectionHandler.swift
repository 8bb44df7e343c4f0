import NIOCore
import NIOHTTP1

/// One connection: collects a request within its limits, has it answered, and notices when the client leaves.
///
/// Requests that were sent ahead wait in the handler in front of this one. Lives on the connection's event loop.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case waiting
        case collecting(Call)
        case answering(Task<Void, Never>)
        /// Answered before the request had ended: what still comes is thrown away.
        case refused
    }

    private static let executor = AnswerExecutor()

    private let service: Service
    private let limits: ServerLimits
    private let connections: Connections
    /// Whether there are too many connections for this one to be served.
    private let isExcess: Bool
    private var state = State.waiting
    /// The number of the last answer that was begun.
    private var answerNumber = 0
    private var deadline: Scheduled<Void>?

    init(_ service: Service, _ connections: Connections, isExcess: Bool) {
        self.service = service
        self.connections = connections
        self.isExcess = isExcess
        limits = service.limits
    }

    func channelActive(context: ChannelHandlerContext) {
        guard !isExcess else { return refuse(.tooManyConnections, nil, context) }
        let problem = APIError.timeOut("the header of a request", limits.headerSeconds)
        expire(after: limits.headerSeconds, context) { handler, context in handler.refuse(problem, nil, context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        if case .answering(let task) = state { task.cancel() }
        state = .refused
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(RequestHead(head), context)
        case .body(let bytes): collect(bytes, context)
        case .end: end(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        if case .refused = state { return context.close(promise: nil) }
        let problem = error == .headerOverflow ? APIError.headerTooLarge(limits.headerBytes) : .notHTTP("\(error)")
        refuse(problem, nil, context)
    }

    private func begin(_ head: RequestHead, _ context: ChannelHandlerContext) {
        if case .refused = state { return }
        if let problem = service.objection(to: head) { return refuse(problem, head, context) }
        state = .collecting(Call(head: head))
        let problem = APIError.timeOut("the body of the request", limits.bodySeconds)
        expire(after: limits.bodySeconds, context) { handler, context in handler.refuse(problem, head, context) }
        if head.expectsContinue, head.hasBody {
            let go = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
        }
    }

    private func collect(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .collecting(var call) = state else { return }
        // Not held twice while it grows.
        state = .waiting
        guard call.body.count + bytes.readableBytes <= limits.bodyBytes else {
            return refuse(.bodyTooLarge(limits.bodyBytes), call.head, context)
        }
        call.body += bytes.readableBytesView
        state = .collecting(call)
    }

    private func end(_ context: ChannelHandlerContext) {
        guard case .collecting(let call) = state else {
            if case .refused = state { context.close(promise: nil) }
            return
        }
        let responder = Responder(context.channel, call.head)
        let client = context.remoteAddress?.ipAddress ?? "-"
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let boundContext = NIOLoopBound(context, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        answerNumber += 1
        let number = answerNumber
        connections.count(answers: 1)
        let task = Task(executorPreference: Self.executor) { [service, connections] in
            await service.answer(call, from: client, with: responder)
            loop.execute { bound.value.answered(number, boundContext.value) }
            // Last, as the loop may end where nothing is under way.
            connections.count(answers: -1)
        }
        state = .answering(task)
        expire(after: limits.answerSeconds, context) { handler, context in handler.giveUp(context) }
    }

    /// Takes the next request of the connection, unless one that was sent ahead is being answered already.
    private func answered(_ number: Int, _ context: ChannelHandlerContext) {
        guard case .answering = state, number == answerNumber, context.channel.isActive else { return }
        state = .waiting
        expire(after: limits.idleSeconds, context) { _, context in context.close(promise: nil) }
    }

    /// Ends an answer that takes too long: whoever writes it is told, and the connection closed if that does not help.
    private func giveUp(_ context: ChannelHandlerContext) {
        guard case .answering(let task) = state else { return }
        task.cancel()
        expire(after: limits.lingerSeconds, context) { _, context in context.close(promise: nil) }
    }

    /// Answers before the request has ended, reads on for a moment so that the answer arrives, and closes.
    private func refuse(_ problem: APIError, _ head: RequestHead?, _ context: ChannelHandlerContext) {
        state = .refused
        service.log.write(
            client: context.remoteAddress?.ipAddress ?? "-",
            method: head?.method,
            path: head?.path,
            status: problem.status,
            seconds: 0,
            note: ""
        )
        let bytes = ByteBuffer(string: Reply(problem).closingText(hasBody: head?.method != "HEAD"))
        // Past the handler in front, which allows an answer only where a request has begun.
        let front = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        front?.writeAndFlush(NIOAny(bytes), promise: nil)
        // With unread bytes in its queue the system would answer with a reset, which takes the answer from the client.
        expire(after: head?.hasBody == true ? limits.lingerSeconds : 0.1, context) { _, context in
            context.close(promise: nil)
        }
    }

    /// Sets the time at which something happens unless something else happens first.
    private func expire(
        after seconds: Double,
        _ context: ChannelHandlerContext,
        _ action: @escaping (ConnectionHandler, ChannelHandlerContext) -> Void
    ) {
        deadline?.cancel()
        let bound = NIOLoopBound((handler: self, context: context, action: action), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: .nanoseconds(Int64(seconds * 1e9))) {
            let (handler, context, action) = bound.value
            action(handler, context)
        }
    }
}
