import Digests
import Foundation

/// A file of events for TensorBoard, read by the rules of its format.
public enum EventFile {
    /// A record that is cut, or whose check or encoding is wrong.
    public struct Damage: Error {}

    /// The messages of a file.
    ///
    /// - Throws: ``Damage`` for the first record that is not whole.
    public static func messages(_ file: URL) throws -> [[UInt8]] {
        var rest = try [UInt8](Data(contentsOf: file))[...]
        var messages: [[UInt8]] = []
        while !rest.isEmpty {
            let length = try take(8, from: &rest)
            guard try number(take(4, from: &rest)) == masked(length) else { throw Damage() }
            guard let count = Int(exactly: number(length)) else { throw Damage() }
            let message = try take(count, from: &rest)
            guard try number(take(4, from: &rest)) == masked(message) else { throw Damage() }
            messages.append(Array(message))
        }
        return messages
    }

    /// The numbers that a file holds of each tag, in the order of the file.
    public static func scalars(_ file: URL) throws -> [String: [(step: Int, value: Float)]] {
        var scalars: [String: [(step: Int, value: Float)]] = [:]
        for message in try messages(file) {
            let event = try fields(message[...])
            let step = event.compactMap { $0.field == 2 ? Int($0.number) : nil }.last ?? 0
            for summary in event where summary.field == 5 {
                for value in try fields(summary.bytes) where value.field == 1 {
                    let parts = try fields(value.bytes)
                    guard let tag = parts.first(where: { $0.field == 1 }),
                        let number = parts.first(where: { $0.field == 2 })
                    else { continue }
                    let scalar = Float(bitPattern: UInt32(truncatingIfNeeded: number.number))
                    scalars[String(decoding: tag.bytes, as: UTF8.self), default: []].append((step, scalar))
                }
            }
        }
        return scalars
    }

    /// A field of a message: a number, or bytes that may be a text or a message.
    private struct Field {
        let field: UInt64
        var number: UInt64 = 0
        var bytes: ArraySlice<UInt8> = []
    }

    private static func fields(_ message: ArraySlice<UInt8>) throws -> [Field] {
        var rest = message
        func varint() throws -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                let byte = try UInt64(number(take(1, from: &rest)))
                value |= (byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            throw Damage()
        }
        var fields: [Field] = []
        while !rest.isEmpty {
            let key = try varint()
            var field = Field(field: key >> 3)
            switch key & 7 {
            case 0: field.number = try varint()
            case 1: field.number = try number(take(8, from: &rest))
            case 2: field.bytes = try take(Int(truncatingIfNeeded: varint()), from: &rest)
            case 5: field.number = try number(take(4, from: &rest))
            default: throw Damage()
            }
            fields.append(field)
        }
        return fields
    }

    private static func take(_ count: Int, from rest: inout ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        guard (0...rest.count).contains(count) else { throw Damage() }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// A number whose lowest byte comes first.
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func masked(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        let check = CRC32C.checksum(bytes)
        return UInt64((check >> 15 | check << 17) &+ 0xA282_EAD8)
    }
}
