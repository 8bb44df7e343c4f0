import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP/1.1 server on one address.
public final class HTTPServer: Sendable {
    /// The port that it listens to.
    public let port: Int
    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let connections: Connections
    private let limits: ServerLimits

    /// Listens, and has requests answered by a service.
    ///
    /// - Parameters:
    ///   - host: an address or a name; one that is not this machine's own is the caller's to guard
    ///   - port: 0 takes one that is free
    /// - Throws: ``ServerError`` where the address cannot be listened to.
    public init(_ service: Service, host: String, port: Int) throws(ServerError) {
        let connections = Connections(limit: service.limits.connections)
        self.connections = connections
        limits = service.limits
        // Parsing and writing are little work beside a model's.
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let isExcess = !connections.add(channel)
                    try Self.configure(channel, service, connections, isExcess: isExcess)
                }
            }
        do {
            // As an address stands in a URL.
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
            listener = try bootstrap.bind(host: isBracketed ? String(host.dropFirst().dropLast()) : host, port: port)
                .wait()
            self.port = listener.localAddress?.port ?? port
        } catch {
            try? group.syncShutdownGracefully()
            let reason =
                (error as? IOError).map { String(cString: strerror($0.errnoCode)) }
                ?? (error is SocketAddressError.UnknownHost ? "no machine is known by this name" : "\(error)")
            throw ServerError(description: "--host \(host) --port \(port): cannot be listened to: \(reason)")
        }
    }

    /// Takes no more requests, and returns when those that run are answered or the time of grace is over.
    public func stop() async {
        try? await listener.close().get()
        for channel in connections.open { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        await waitForQuiet(limits.graceSeconds)
        for channel in connections.open { try? await channel.close().get() }
        // Answers that were broken off are cancelled, and still have a word for the loop.
        await waitForQuiet(limits.lingerSeconds)
        if connections.isQuiet { try? await group.shutdownGracefully() }
    }

    /// Waits until nobody is connected and nothing is answered, or until so many seconds are over.
    private func waitForQuiet(_ seconds: Double) async {
        let end = ContinuousClock.now + .seconds(seconds)
        while !connections.isQuiet, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
    }

    private static func configure(
        _ channel: any Channel,
        _ service: Service,
        _ connections: Connections,
        isExcess: Bool
    ) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = service.limits.headerBytes
        limits.maxHeaderListSize = service.limits.headerBytes
        limits.maxHeaderFieldCount = service.limits.headerFields
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
        try channel.pipeline.syncOperations.addHandlers([
            HTTPResponseEncoder(), ByteToMessageHandler(decoder), HTTPServerPipelineHandler(),
            ConnectionHandler(service, connections, isExcess: isExcess),
        ])
    }
}

/// Why there is no server.
public struct ServerError: Error, CustomStringConvertible {
    /// One sentence.
    public let description: String
}

/// The connections that are open, and the answers under way.
final class Connections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var answerCount = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var open: [any Channel] { state.withLock { Array($0.channels.values) } }
    /// Whether nobody is connected and every answer has been noted.
    var isQuiet: Bool { state.withLock { $0.channels.isEmpty && $0.answerCount == 0 } }

    /// Counts one more; false where it is one too many.
    func add(_ channel: any Channel) -> Bool {
        let number = ObjectIdentifier(channel)
        let isWithin = state.withLock { state in
            state.channels[number] = channel
            return state.channels.count <= limit
        }
        channel.closeFuture.whenComplete { _ in _ = self.state.withLock { $0.channels.removeValue(forKey: number) } }
        return isWithin
    }

    /// Counts an answer that begins, or, with -1, one that has ended.
    func count(answers change: Int) { state.withLock { $0.answerCount += change } }
}
