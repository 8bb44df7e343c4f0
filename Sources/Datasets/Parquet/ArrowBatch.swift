import CArrow
import JSONText

/// Some rows of a table in Apache Arrow's layout, released with the object.
///
/// It is `Sendable` although the compiler cannot see it: nothing of it changes between `init` and `deinit`. The reader has checked
/// all offsets and texts of it.
final class ArrowBatch: @unchecked Sendable {
    private var array: ArrowArray
    private let columns: ArrowColumns
    /// About how much memory one of its rows takes.
    let averageRowByteCount: Int

    /// Takes the array over, to release it.
    init(taking array: ArrowArray, _ columns: ArrowColumns, byteCount: Int) {
        self.array = array
        self.columns = columns
        averageRowByteCount = byteCount / max(1, Int(array.length))
    }

    deinit { array.release?(&array) }

    var rowCount: Int { Int(array.length) }

    /// A value that no row can hold, bytes that are no text: the name of the part of the column that it stands in.
    struct Unreadable: Error {
        let part: String
    }

    /// A row as JSON would have it.
    ///
    /// - Throws: `DatasetError` for a value that no row can hold in a column that is wanted.
    func row(_ index: Int, at location: RowLocation) throws(DatasetError) -> DatasetRow {
        var row = DatasetRow(
            location: location,
            object: JSONObject(),
            unreadColumns: columns.skipped,
            unreadableColumns: columns.unreadable
        )
        let table = ArrowColumn(array)
        for (number, field) in columns.fields.enumerated() {
            do throws(Unreadable) {
                row.object[field.name] = try table.child(number, of: field, at: index)
            } catch {
                guard !columns.choice.requires(field.name) else {
                    let part = error.part == field.name ? "" : ", in its part \(quoted(error.part)),"
                    throw row.error(
                        .inconsistent("the column \(quoted(field.name)) holds\(part) bytes that are no text in UTF-8")
                    )
                }
                row.unreadableColumns.append(field.name)
            }
        }
        return row
    }
}

/// The columns that rows of a table are made of, and those that they lack.
struct ArrowColumns: Sendable {
    let fields: [ArrowField]
    let choice: ColumnChoice
    /// Those that nobody looks at.
    let skipped: [String]
    /// Those that no row can hold, and that are not wanted.
    let unreadable: [String]
}

/// A column's buffers, from which values are read.
private struct ArrowColumn {
    private let array: ArrowArray

    init(_ array: ArrowArray) { self.array = array }

    private func child(_ index: Int) -> ArrowColumn? { array.children?[index].map { ArrowColumn($0.pointee) } }

    private func load<Number: BitwiseCopyable>(_ buffer: Int, _ index: Int, as type: Number.Type) -> Number? {
        array.buffers?[buffer]?.loadUnaligned(fromByteOffset: index * MemoryLayout<Number>.size, as: type)
    }

    private func bit(_ buffer: Int, _ index: Int) -> Bool? {
        load(buffer, index >> 3, as: UInt8.self).map { $0 >> UInt8(index & 7) & 1 == 1 }
    }

    private func object(_ fields: [ArrowField], at index: Int) throws(ArrowBatch.Unreadable) -> JSONObject {
        var object = JSONObject()
        for (number, field) in fields.enumerated() { object[field.name] = try child(number, of: field, at: index) }
        return object
    }

    /// The value of one of the columns below, of which the index counts from this one's offset.
    func child(_ number: Int, of field: ArrowField, at index: Int) throws(ArrowBatch.Unreadable) -> JSON {
        try child(number)?.value(field, at: index + Int(array.offset)) ?? .null
    }

    /// The value at an index, which counts from the column's own offset.
    private func value(_ field: ArrowField, at index: Int) throws(ArrowBatch.Unreadable) -> JSON {
        let place = index + Int(array.offset)
        // A column without nulls has no bitmap.
        guard array.n_buffers == 0 || bit(0, place) ?? true else { return .null }
        switch field.layout {
        case .null: return .null
        case .bool: return bit(1, place).map(JSON.bool) ?? .null
        case .integer(let bits, let isSigned): return integer(bits, isSigned, place)
        case .float(let bits): return .number(float(bits, place))
        case .text, .textView: return .string(try text(field, place))
        case .decimal(let scale, let byteCount): return decimal(scale, byteCount, place)
        case .date(let isMilliseconds): return .string(date(isMilliseconds, place))
        case .timestamp(let units, let isUniversal):
            let count = Int(load(1, place, as: Int64.self) ?? 0)
            return .string(CalendarText.timestamp(count, unitsPerSecond: units) + (isUniversal ? "Z" : ""))
        case .structure(let fields): return .object(try object(fields, at: index))
        case .map(let key, let value): return .object(try map(key, value, elements(field.layout, place)))
        case .dictionary(let bits, let isSigned, let values):
            guard case .integer(let key) = integer(bits, isSigned, place), let dictionary = array.dictionary else {
                return .null
            }
            return try ArrowColumn(dictionary.pointee).value(values, at: key)
        case .list(let element, _), .listView(let element, _), .fixedList(let element, _):
            guard let column = child(0) else { return .array([]) }
            var values: [JSON] = []
            for index in elements(field.layout, place) { values.append(try column.value(element, at: index)) }
            return .array(values)
        }
    }

    private func integer(_ bits: Int, _ isSigned: Bool, _ place: Int) -> JSON {
        let number: Int? =
            switch (bits, isSigned) {
            case (8, true): load(1, place, as: Int8.self).map(Int.init)
            case (8, false): load(1, place, as: UInt8.self).map(Int.init)
            case (16, true): load(1, place, as: Int16.self).map(Int.init)
            case (16, false): load(1, place, as: UInt16.self).map(Int.init)
            case (32, true): load(1, place, as: Int32.self).map(Int.init)
            case (32, false): load(1, place, as: UInt32.self).map(Int.init)
            case (_, true): load(1, place, as: Int64.self).map(Int.init)
            default: load(1, place, as: UInt64.self).flatMap { Int(exactly: $0) }
            }
        return number.map(JSON.integer) ?? .number(Double(load(1, place, as: UInt64.self) ?? 0))
    }

    private func float(_ bits: Int, _ place: Int) -> Double {
        switch bits {
        case 16: Double(Self.half(load(1, place, as: UInt16.self) ?? 0))
        case 32: Double(load(1, place, as: Float.self) ?? 0)
        default: load(1, place, as: Double.self) ?? 0
        }
    }

    /// The number of 16 bits, which Swift has no type for on every machine.
    private static func half(_ bits: UInt16) -> Float {
        let (exponent, fraction) = (Int(bits >> 10) & 31, Float(bits & 1023))
        let size: Float =
            switch exponent {
            case 0: fraction * 0x1p-24
            case 31: fraction == 0 ? .infinity : .nan
            default: Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
            }
        return bits >> 15 == 1 ? -size : size
    }

    private func text(_ field: ArrowField, _ place: Int) throws(ArrowBatch.Unreadable) -> String {
        let bytes: UnsafeRawBufferPointer
        if case .textView = field.layout {
            bytes = viewed(place)
        } else {
            let range = elements(field.layout, place)
            bytes = UnsafeRawBufferPointer(start: array.buffers?[2].map { $0 + range.lowerBound }, count: range.count)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ArrowBatch.Unreadable(part: field.name)
        }
        return text
    }

    /// The bytes of a view: in the view where there are 12 at most, else in the buffer that it names.
    private func viewed(_ place: Int) -> UnsafeRawBufferPointer {
        let size = 16
        guard let views = array.buffers?[1] else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let view = views + place * size
        let count = Int(view.loadUnaligned(as: Int32.self))
        if count <= 12 { return UnsafeRawBufferPointer(start: view + 4, count: count) }
        let buffer = Int(view.loadUnaligned(fromByteOffset: 8, as: Int32.self))
        let offset = Int(view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
        return UnsafeRawBufferPointer(start: array.buffers?[2 + buffer].map { $0 + offset }, count: count)
    }

    /// The places of a list's elements in its child, or of a text's bytes in its buffer.
    private func elements(_ layout: ArrowField.Layout, _ place: Int) -> Range<Int> {
        func number(_ buffer: Int, _ index: Int, _ isLarge: Bool) -> Int {
            Int(
                (isLarge ? load(buffer, index, as: Int64.self) : load(buffer, index, as: Int32.self).map(Int64.init))
                    ?? 0
            )
        }
        switch layout {
        case .list(_, let isLarge), .text(let isLarge):
            return number(1, place, isLarge)..<number(1, place + 1, isLarge)
        case .listView(_, let isLarge):
            let start = number(1, place, isLarge)
            return start..<start + number(2, place, isLarge)
        case .map: return number(1, place, false)..<number(1, place + 1, false)
        case .fixedList(_, let count): return place * count..<(place + 1) * count
        default: return 0..<0
        }
    }

    private func map(
        _ key: ArrowField,
        _ value: ArrowField,
        _ places: Range<Int>
    ) throws(ArrowBatch.Unreadable) -> JSONObject {
        var object = JSONObject()
        guard let pairs = child(0), let keys = pairs.child(0), let values = pairs.child(1) else { return object }
        for index in places {
            let inner = index + Int(pairs.array.offset)
            let name = try keys.value(key, at: inner)
            object[name.string ?? ""] = try values.value(value, at: inner)
        }
        return object
    }

    /// A decimal number, as exactly as the numbers of JSON are read: whole where nothing stands behind the point.
    private func decimal(_ scale: Int, _ byteCount: Int, _ place: Int) -> JSON {
        let unscaled: Int128 =
            switch byteCount {
            case 4: Int128(load(1, place, as: Int32.self) ?? 0)
            case 8: Int128(load(1, place, as: Int64.self) ?? 0)
            default: load(1, place, as: Int128.self) ?? 0
            }
        if scale == 0, let whole = Int(exactly: unscaled) { return .integer(whole) }
        return .number(Double("\(unscaled)e\(-scale)") ?? .nan)
    }

    private func date(_ isMilliseconds: Bool, _ place: Int) -> String {
        let days =
            isMilliseconds
            ? CalendarText.floorDivision(Int(load(1, place, as: Int64.self) ?? 0), 86_400_000).quotient
            : Int(load(1, place, as: Int32.self) ?? 0)
        return CalendarText.date(days)
    }
}
