import CEPKernels

/// A measured activation: points joined by straight lines. It is constant outside the first and the last point.
public struct ActivationTable: Sendable, Equatable {
    /// Rising.
    public let x: [Double]
    /// Monotone.
    public let y: [Double]

    /// - Throws: `EngineError.invalidArgument` if the points are not a monotone curve.
    public init(x: [Double], y: [Double]) throws(EngineError) {
        guard x.count == y.count, x.count >= 2, x.count <= 1 << 20 else {
            throw .invalidArgument(
                "a tabulated activation must have 2 points or more, got \(x.count) x and \(y.count) y")
        }
        if let value = (x + y).first(where: { !$0.isFinite }) {
            throw .invalidArgument("the points of a tabulated activation must be finite, got \(value)")
        }
        if let k = x.indices.dropFirst().first(where: { x[$0] <= x[$0 - 1] }) {
            throw .invalidArgument("x must rise from point to point, got \(x[k - 1]) and then \(x[k]) at point \(k)")
        }
        let isFalling = y[y.count - 1] < y[0]
        if let k = y.indices.dropFirst().first(where: { isFalling ? y[$0] > y[$0 - 1] : y[$0] < y[$0 - 1] }) {
            throw .invalidArgument(
                "y must be monotone, got \(y[k - 1]) and then \(y[k]) at point \(k) of a curve that "
                    + (isFalling ? "falls" : "rises"))
        }
        self.x = x
        self.y = y
    }

    /// From a word `tabulated:x/y:x/y...`; nil for another word.
    init?(word: String) throws(EngineError) {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        guard parts[0] == Substring(Activation.tabulated.rawValue) else { return nil }
        var (x, y) = ([Double](), [Double]())
        for point in parts.dropFirst() {
            let pair = point.split(separator: "/", omittingEmptySubsequences: false).compactMap { Double($0) }
            guard pair.count == 2 else {
                throw .invalidArgument("a point of a tabulated activation must have the form 0.5/0.25, got \(point)")
            }
            x.append(pair[0])
            y.append(pair[1])
        }
        try self.init(x: x, y: y)
    }

    var word: String {
        ([Activation.tabulated.rawValue] + zip(x, y).map { "\($0)/\($1)" }).joined(separator: ":")
    }

    /// The lowest and the highest value.
    var range: (lowest: Double, highest: Double) {
        (min(y[0], y[y.count - 1]), max(y[0], y[y.count - 1]))
    }

    /// The piece that contains a number; nil outside all pieces.
    private func piece(_ value: Double) -> Int? {
        guard value >= x[0], value <= x[x.count - 1] else { return nil }
        var (low, high) = (0, x.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if value >= x[middle] { low = middle } else { high = middle }
        }
        return low
    }

    func value<Element: KernelScalar>(at input: Element) -> Element {
        let value = Double(input)
        guard let k = piece(value) else { return value.isNaN ? input : Element(value < x[0] ? y[0] : y[y.count - 1]) }
        let share = (value - x[k]) / (x[k + 1] - x[k])
        return Element(y[k] + share * (y[k + 1] - y[k]))
    }

    /// The derivative: that of the piece; at a point that of the piece after it, and at the last point that of the last
    /// piece.
    func slope<Element: KernelScalar>(at input: Element) -> Element {
        guard let k = piece(Double(input)) else { return 0 }
        return Element((y[k + 1] - y[k]) / (x[k + 1] - x[k]))
    }
}
