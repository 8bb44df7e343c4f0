/// The filter `urlencode`.
enum URLText {
    static func encoded(_ value: Value) throws(Fault) -> String {
        switch value {
        case .dictionary(let dictionary):
            let pairs = try zip(dictionary.keys, dictionary.values).map { (pair) throws(Fault) in
                try encoded(pair.0, inQuery: true) + "=" + encoded(pair.1, inQuery: true)
            }
            return pairs.joined(separator: "&")
        case .list, .tuple, .iterator, .view:
            let pairs = try value.elements().map { (pair) throws(Fault) in
                let elements = try pair.elements()
                guard elements.count == 2 else { throw .evaluation("'urlencode' needs pairs of a key and a value") }
                return try encoded(elements[0], inQuery: true) + "=" + encoded(elements[1], inQuery: true)
            }
            return pairs.joined(separator: "&")
        default: return try encoded(value, inQuery: false)
        }
    }

    private static func encoded(_ value: Value, inQuery: Bool) throws(Fault) -> String {
        var result = ""
        for byte in try value.printed().utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                byte < 0x80
                && (scalar.properties.isAlphabetic || scalar.isASCIIDigit || "_.-~".unicodeScalars.contains(scalar))
            if isPlain || scalar == "/" && !inQuery {
                result.unicodeScalars.append(scalar)
            } else if scalar == " ", inQuery {
                result += "+"
            } else {
                result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
