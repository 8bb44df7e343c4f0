/// How much a template may do: far more than any conversation needs, far less than a machine has.
enum Limits {
    /// Expressions and statements that one rendering may evaluate.
    static let steps = 20_000_000
    /// Bytes of one text, the output included.
    static let textBytes = 1 << 26
    /// Elements of one list.
    static let elements = 1 << 22
    /// Lists, dictionaries, generators and objects inside each other, which bounds the recursion of what goes through them
    /// and of what lets go of them.
    static let nesting = 200
    /// Macros and loops that call each other.
    static let calls = 100
    /// Tags, parentheses and operators inside each other, which bounds the recursion of parser and interpreter.
    static let syntaxDepth = 100

    static func check(textBytes count: Int) throws(Fault) {
        guard count <= textBytes else { throw .limit("a text grows beyond \(textBytes >> 20) MiB") }
    }

    static func check(elements count: Int) throws(Fault) {
        guard count <= elements else { throw .limit("a list grows beyond \(elements) elements") }
    }

    /// The product of two lengths, or one beyond every limit.
    static func product(_ left: Int, _ right: Int) -> Int {
        let (product, overflows) = left.multipliedReportingOverflow(by: right)
        return overflows ? .max : product
    }
}
