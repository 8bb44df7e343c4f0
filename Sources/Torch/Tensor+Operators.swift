/// Operators of LibTorch that need no commentary: each line is one lookup.
private enum Operators {
    static let add = Operator("add", "Tensor")
    static let addScalar = Operator("add", "Scalar")
    static let sub = Operator("sub", "Tensor")
    static let rsubScalar = Operator("rsub", "Scalar")
    static let mul = Operator("mul", "Tensor")
    static let mulScalar = Operator("mul", "Scalar")
    static let div = Operator("div", "Tensor")
    static let neg = Operator("neg")
    static let exp = Operator("exp")
    static let expm1 = Operator("expm1")
    static let log = Operator("log")
    static let log1p = Operator("log1p")
    static let sqrt = Operator("sqrt")
    static let rsqrt = Operator("rsqrt")
    static let square = Operator("square")
    static let abs = Operator("abs")
    static let cos = Operator("cos")
    static let sin = Operator("sin")
    static let sigmoid = Operator("sigmoid")
    static let logSigmoid = Operator("log_sigmoid")
    static let softplus = Operator("softplus")
    static let silu = Operator("silu")
    static let tanh = Operator("tanh")
    static let clamp = Operator("clamp")
    static let minimum = Operator("minimum")
    static let maximum = Operator("maximum")
    static let matmul = Operator("matmul")
    static let embedding = Operator("embedding")
    static let softmax = Operator("softmax", "int")
    static let logSoftmax = Operator("log_softmax", "int")
    static let logSumExp = Operator("logsumexp")
    static let cumsum = Operator("cumsum")
    static let sum = Operator("sum")
    static let sumAlong = Operator("sum", "dim_IntList")
    static let mean = Operator("mean")
    static let meanAlong = Operator("mean", "dim")
    static let max = Operator("max")
    static let min = Operator("min")
    static let argmax = Operator("argmax")
    static let topk = Operator("topk")
    static let equalTensor = Operator("eq", "Tensor")
    static let greaterScalar = Operator("gt", "Scalar")
    static let greaterEqualTensor = Operator("ge", "Tensor")
    static let lessTensor = Operator("lt", "Tensor")
    static let greaterTensor = Operator("gt", "Tensor")
    static let whereSelf = Operator("where", "self")
    static let maskedFill = Operator("masked_fill", "Scalar")
    static let logicalNot = Operator("logical_not")
    static let isFinite = Operator("isfinite")
    static let all = Operator("all")
}

extension Tensor {
    // Arithmetic, with LibTorch's broadcasting.

    /// The sum, element by element.
    public static func + (a: Tensor, b: Tensor) -> Tensor { Operators.add(a, b) }
    /// Adds a number to every element.
    public static func + (a: Tensor, b: Double) -> Tensor { Operators.addScalar(a, b) }
    /// The difference, element by element.
    public static func - (a: Tensor, b: Tensor) -> Tensor { Operators.sub(a, b) }
    /// Subtracts a number from every element.
    public static func - (a: Tensor, b: Double) -> Tensor { Operators.addScalar(a, -b) }
    /// A number minus every element.
    public static func - (a: Double, b: Tensor) -> Tensor { Operators.rsubScalar(b, a) }
    /// The product, element by element.
    public static func * (a: Tensor, b: Tensor) -> Tensor { Operators.mul(a, b) }
    /// Every element times a number.
    public static func * (a: Tensor, b: Double) -> Tensor { Operators.mulScalar(a, b) }
    /// A number times every element.
    public static func * (a: Double, b: Tensor) -> Tensor { Operators.mulScalar(b, a) }
    /// The quotient, element by element.
    public static func / (a: Tensor, b: Tensor) -> Tensor { Operators.div(a, b) }
    /// Every element divided by a number.
    public static func / (a: Tensor, b: Double) -> Tensor { Operators.mulScalar(a, 1 / b) }
    /// The negative of every element.
    public static prefix func - (a: Tensor) -> Tensor { Operators.neg(a) }

    // Functions of each element.

    /// e to the power of each element.
    public func exp() -> Tensor { Operators.exp(self) }
    /// eˣ − 1, exact near zero.
    public func expm1() -> Tensor { Operators.expm1(self) }
    /// The natural logarithm of each element.
    public func log() -> Tensor { Operators.log(self) }
    /// log(1 + x), exact near zero.
    public func log1p() -> Tensor { Operators.log1p(self) }
    /// The square root of each element.
    public func squareRoot() -> Tensor { Operators.sqrt(self) }
    /// One over the square root of each element.
    public func reciprocalSquareRoot() -> Tensor { Operators.rsqrt(self) }
    /// Each element times itself.
    public func squared() -> Tensor { Operators.square(self) }
    /// The magnitude of each element.
    public func magnitude() -> Tensor { Operators.abs(self) }
    /// The cosine of each element, in radians.
    public func cosine() -> Tensor { Operators.cos(self) }
    /// The sine of each element, in radians.
    public func sine() -> Tensor { Operators.sin(self) }
    /// The logistic function σ(x).
    public func sigmoid() -> Tensor { Operators.sigmoid(self) }
    /// log σ(x), without overflow.
    public func logSigmoid() -> Tensor { Operators.logSigmoid(self) }
    /// log(1 + eˣ), without overflow.
    public func softplus() -> Tensor { Operators.softplus(self) }
    /// x·σ(x).
    public func silu() -> Tensor { Operators.silu(self) }
    /// tanh x.
    public func hyperbolicTangent() -> Tensor { Operators.tanh(self) }
    /// c · tanh(x / c): the identity near zero, within ±c everywhere.
    public func softCapped(_ cap: Double) -> Tensor { (self / cap).hyperbolicTangent() * cap }
    /// The tanh form of gelu.
    func geluTanh() -> Tensor {
        let inner = (self + self * squared() * 0.044715) * (2 / Double.pi).squareRoot()
        return self * 0.5 * (inner.hyperbolicTangent() + 1)
    }
    /// Each element brought into [lower, upper]; a missing bound does not bind.
    public func clamped(_ lower: Double?, _ upper: Double?) -> Tensor { Operators.clamp(self, lower, upper) }
    /// The smaller of two elements.
    public func minimum(_ other: Tensor) -> Tensor { Operators.minimum(self, other) }
    /// The larger of two elements.
    public func maximum(_ other: Tensor) -> Tensor { Operators.maximum(self, other) }
    /// Whether each element is neither infinite nor NaN.
    public func isFinite() -> Tensor { Operators.isFinite(self) }

    // Products and look-ups.

    /// The matrix product.
    public func matmul(_ other: Tensor) -> Tensor { Operators.matmul(self, other) }
    /// Rows of a table `[vocabulary, hidden]` for ids `[…]`: `[…, hidden]`.
    public static func embedding(_ table: Tensor, _ ids: Tensor) -> Tensor { Operators.embedding(table, ids) }

    // Along an axis.

    /// The softmax along an axis.
    public func softmax(_ axis: Int = -1) -> Tensor { Operators.softmax(self, axis) }
    /// The logarithm of the softmax along an axis.
    public func logSoftmax(_ axis: Int = -1) -> Tensor { Operators.logSoftmax(self, axis) }
    /// log Σ eˣ along an axis.
    public func logSumExp(_ axis: Int = -1) -> Tensor { Operators.logSumExp(self, [axis]) }
    /// Running sums along an axis.
    public func cumulativeSum(_ axis: Int = -1) -> Tensor { Operators.cumsum(self, axis) }
    /// The sum of all elements, as a scalar.
    public func sum() -> Tensor { Operators.sum(self) }
    /// Sums along an axis.
    public func sum(_ axis: Int, keepingAxis: Bool = false) -> Tensor { Operators.sumAlong(self, [axis], keepingAxis) }
    /// The mean of all elements, as a scalar.
    public func mean() -> Tensor { Operators.mean(self) }
    /// Means along an axis.
    public func mean(_ axis: Int, keepingAxis: Bool = false) -> Tensor {
        Operators.meanAlong(self, [axis], keepingAxis)
    }
    /// The largest of all elements, as a scalar.
    public func max() -> Tensor { Operators.max(self) }
    /// The smallest of all elements, as a scalar.
    public func min() -> Tensor { Operators.min(self) }
    /// The index of the largest element along an axis; the first of equals.
    public func argmax(_ axis: Int = -1) -> Tensor { Operators.argmax(self, axis) }
    /// The largest `count` elements along the last axis, largest first, and their indices.
    public func top(_ count: Int) -> (values: Tensor, indices: Tensor) {
        let (values, indices) = Operators.topk.pair(self, count)
        return (values, indices)
    }

    // Comparisons and choices.

    /// Whether elements are equal.
    public func equals(_ other: Tensor) -> Tensor { Operators.equalTensor(self, other) }
    /// Whether elements are greater than a number.
    public func isGreater(than number: Double) -> Tensor { Operators.greaterScalar(self, number) }
    /// Whether elements are greater than those of another tensor.
    public func isGreater(than other: Tensor) -> Tensor { Operators.greaterTensor(self, other) }
    /// Whether elements are at least those of another tensor.
    public func isAtLeast(_ other: Tensor) -> Tensor { Operators.greaterEqualTensor(self, other) }
    /// Whether elements are less than those of another tensor.
    public func isLess(than other: Tensor) -> Tensor { Operators.lessTensor(self, other) }
    /// Elements of `yes` where this mask is true, of `no` elsewhere.
    public func select(_ yes: Tensor, _ no: Tensor) -> Tensor { Operators.whereSelf(self, yes, no) }
    /// This tensor with `value` wherever the mask is true.
    public func filled(where mask: Tensor, with value: Double) -> Tensor { Operators.maskedFill(self, mask, value) }
    /// The opposite of each Boolean.
    public func inverted() -> Tensor { Operators.logicalNot(self) }
    /// Whether every element is true, as a Boolean on the host.
    public func allTrue() -> Bool { Operators.all(self).booleans[0] }
}
