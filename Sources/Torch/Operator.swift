import CLibTorch

/// An operator of LibTorch's dispatcher, looked up once.
///
/// A new operator costs one line: `static let neg = Operator("neg")`.
struct Operator: @unchecked Sendable {  // the handle is immutable and lives as long as the process
    private let name: String
    private let handle: OperatorPointer

    /// Finds `aten::name.overload`; traps where this LibTorch has no such operator.
    init(_ name: String, _ overload: String = "") {
        self.name = overload.isEmpty ? name : name + "." + overload
        guard let handle = libtorch.pointee.find_operator("aten::" + name, overload) else {
            fatalError(LibTorch.lastError)
        }
        self.handle = handle
    }

    /// Calls the operator; arguments in the order of its schema, missing ones take its defaults.
    func callAsFunction<each Argument: OperatorArgument>(_ arguments: repeat each Argument) -> Tensor {
        call(repeat each arguments)
        return popTensor()
    }

    /// Calls an operator with two results.
    func pair<each Argument: OperatorArgument>(_ arguments: repeat each Argument) -> (Tensor, Tensor) {
        call(repeat each arguments)
        let second = popTensor()
        return (popTensor(), second)
    }

    /// Calls an operator with several results, of which only the first is wanted.
    func first<each Argument: OperatorArgument>(of count: Int, _ arguments: repeat each Argument) -> Tensor {
        call(repeat each arguments)
        for _ in 1..<count { _ = popTensor() }
        return popTensor()
    }

    /// Calls an operator whose result is a list of tensors.
    func list<each Argument: OperatorArgument>(count: Int, _ arguments: repeat each Argument) -> [Tensor] {
        call(repeat each arguments)
        var pointers = [TensorPointer?](repeating: nil, count: count)
        let found = libtorch.pointee.pop_tensor_list(&pointers, Int64(count))
        precondition(found == Int64(count), "\(name) returned \(found) tensors, expected \(count)")
        return pointers.compactMap { $0.map(Tensor.init(owning:)) }
    }

    /// Calls an operator for its effect on its arguments.
    func run<each Argument: OperatorArgument>(_ arguments: repeat each Argument) {
        call(repeat each arguments)
    }

    private func call<each Argument: OperatorArgument>(_ arguments: repeat each Argument) {
        var count: Int32 = 0
        for argument in repeat each arguments {
            argument.push()
            count += 1
        }
        guard libtorch.pointee.call_operator(handle, count) == 0 else {
            var descriptions: [String] = []
            for argument in repeat each arguments { descriptions.append(argument.operatorDescription) }
            fatalError("\(name)(\(descriptions.joined(separator: ", "))): \(LibTorch.lastError)")
        }
    }

    private func popTensor() -> Tensor { Tensor(owning: libtorch.pointee.pop_tensor()) }
}

/// A value that can be pushed as an operator's argument.
protocol OperatorArgument {
    func push()
    /// How the argument reads in an error: shapes of tensors, values of the rest.
    var operatorDescription: String { get }
}

extension OperatorArgument {
    var operatorDescription: String { "\(self)" }
}

/// An element whose arrays are arguments.
///
/// A protocol and not a cast: `[] as [Tensor]` is also an empty `[Int]`.
protocol OperatorListElement {
    static func pushList(_ list: [Self])
}

extension Int: OperatorArgument, OperatorListElement {
    func push() { libtorch.pointee.push_int(Int64(self)) }
    static func pushList(_ list: [Int]) {
        list.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: Int64.self) {
                libtorch.pointee.push_int_list($0.baseAddress, Int64($0.count))
            }
        }
    }
}

extension Double: OperatorArgument {
    func push() { libtorch.pointee.push_double(self) }
}

extension Bool: OperatorArgument {
    func push() { libtorch.pointee.push_bool(self) }
}

extension String: OperatorArgument {
    func push() { libtorch.pointee.push_string(self) }
}

extension DType: OperatorArgument {
    func push() { libtorch.pointee.push_int(Int64(rawValue)) }
}

extension Device: OperatorArgument {
    func push() { libtorch.pointee.push_device(rawType, rawIndex) }
}

extension Tensor: OperatorArgument, OperatorListElement {
    func push() { handle.withPointer { libtorch.pointee.push_tensor($0) } }
    static func pushList(_ list: [Tensor]) {
        withExtendedLifetime(list) {
            libtorch.pointee.push_tensor_list(list.map { $0.handle.pointer }, Int64(list.count))
        }
    }
    var operatorDescription: String { "\(dtype)\(shape)" }
}

extension Generator: OperatorArgument {
    func push() { withExtendedLifetime(self) { libtorch.pointee.push_generator(pointer) } }
    var operatorDescription: String { "generator" }
}

extension Array: OperatorArgument where Element: OperatorListElement {
    func push() { Element.pushList(self) }
    var operatorDescription: String {
        (self as? [Tensor]).map { "[\($0.map(\.operatorDescription).joined(separator: ", "))]" } ?? "\(self)"
    }
}

extension Optional: OperatorArgument where Wrapped: OperatorArgument {
    func push() {
        if let value = self { value.push() } else { libtorch.pointee.push_none() }
    }
    var operatorDescription: String { map(\.operatorDescription) ?? "none" }
}
