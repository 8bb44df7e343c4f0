import Digests

/// One record of an event file: TensorFlow's message `Event`, of which TensorBoard reads these forms.
struct TensorBoardEvent {
    /// Seconds since 1970.
    let wallTime: Double
    let step: Int
    let content: Content

    enum Content {
        /// The first record of every file.
        case fileVersion
        /// The record behind which a run begins or goes on: what was recorded of this step and later ones is void.
        case start
        /// Numbers by their tags, as PyTorch's `SummaryWriter` writes them (`simple_value`): every reader knows this form.
        case scalars([(tag: String, value: Double)])
        /// A text in Markdown by its tag.
        case text(tag: String, String)
    }

    /// The record as it stands in a file: length, check of the length, message, check of the message (`TFRecord`).
    var record: [UInt8] {
        let content = message.bytes
        let length = littleEndian(UInt64(content.count))
        return length + littleEndian(masked(length)) + content + littleEndian(masked(content))
    }

    // The numbers of the fields are those of TensorFlow's event.proto, summary.proto, tensor.proto and tensor_shape.proto.

    private var message: ProtocolBufferMessage {
        var event = ProtocolBufferMessage()
        event.add(wallTime, field: 1)
        event.add(whole: Int64(step), field: 2)
        switch content {
        case .fileVersion: event.add("brain.Event:2", field: 3)
        case .start:
            var session = ProtocolBufferMessage()
            session.add(whole: 1, field: 1)  // the status START
            event.add(session, field: 7)
        case .scalars(let scalars):
            var summary = ProtocolBufferMessage()
            for scalar in scalars {
                var value = ProtocolBufferMessage()
                value.add(scalar.tag, field: 1)
                value.add(Float(scalar.value), field: 2)
                summary.add(value, field: 1)
            }
            event.add(summary, field: 5)
        case .text(let tag, let text):
            var summary = ProtocolBufferMessage()
            summary.add(Self.textValue(tag, text), field: 1)
            event.add(summary, field: 5)
        }
        return event
    }

    /// A tensor of one string, and the plugin that shows it.
    private static func textValue(_ tag: String, _ text: String) -> ProtocolBufferMessage {
        var plugin = ProtocolBufferMessage()
        plugin.add("text", field: 1)
        var metadata = ProtocolBufferMessage()
        metadata.add(plugin, field: 1)
        metadata.add(whole: 2, field: 4)  // DATA_CLASS_TENSOR
        var extent = ProtocolBufferMessage()
        extent.add(whole: 1, field: 1)
        var shape = ProtocolBufferMessage()
        shape.add(extent, field: 2)
        var tensor = ProtocolBufferMessage()
        tensor.add(whole: 7, field: 1)  // DT_STRING
        tensor.add(shape, field: 2)
        tensor.add(text, field: 8)
        var value = ProtocolBufferMessage()
        value.add(tag, field: 1)
        value.add(metadata, field: 9)
        value.add(tensor, field: 8)
        return value
    }

    /// The check of a record's part, which is not the plain one, so that a record may hold records.
    private func masked(_ bytes: [UInt8]) -> UInt32 {
        let check = CRC32C.checksum(bytes)
        return (check >> 15 | check << 17) &+ 0xA282_EAD8
    }

    private func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian, Array.init)
    }
}
