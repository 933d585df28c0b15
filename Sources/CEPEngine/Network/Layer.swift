import CEPKernels

/// One layer: the shape of its state for one sample, and its activation.
public struct Layer: Sendable, Equatable {
    /// The shape of one sample's state. A dense layer has one extent, its units.
    public var shape: [Int]
    /// σ in the prototypical setting, ρ in the real-time one. The activation of the input, which is clamped, is used
    /// only in the real-time setting: connections receive ρ(x).
    public var activation: Activation

    /// - Parameters:
    ///   - shape: The extents of the state of one sample, 1 or more each.
    ///   - activation: σ or ρ.
    public init(shape: [Int], activation: Activation = .shiftedSigmoid) {
        self.shape = shape
        self.activation = activation
    }

    /// A dense layer.
    ///
    /// - Parameters:
    ///   - units: 1 or more.
    ///   - activation: σ or ρ.
    public init(units: Int, activation: Activation = .shiftedSigmoid) {
        self.init(shape: [units], activation: activation)
    }

    /// The number of values of a state; `Int.max` if it overflows.
    public var units: Int {
        shape.reduce(1) { product, extent in
            let (value, overflow) = product.multipliedReportingOverflow(by: extent)
            return overflow ? .max : value
        }
    }
}

/// A connection in a configuration: the layers it joins, and its kind.
public struct Edge: Sendable, Hashable {
    /// The layer nearer to the input.
    public var from: Int
    /// The layer nearer to the output.
    public var to: Int
    public var kind: ConnectionKind

    /// - Parameters:
    ///   - from: The layer nearer to the input, which is layer 0.
    ///   - to: The layer nearer to the output.
    ///   - kind: The kind of connection.
    public init(from: Int, to: Int, kind: ConnectionKind = .dense) {
        self.from = from
        self.to = to
        self.kind = kind
    }
}

/// A kind of connection as a word: its name, followed by its parameters, separated by colons.
public struct ConnectionKind: RawRepresentable, Sendable, Hashable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// The name of the kind.
    public var name: String { String(rawValue.prefix { $0 != ":" }) }

    /// The words after the name.
    var arguments: [Substring] { Array(rawValue.split(separator: ":", omittingEmptySubsequences: false).dropFirst()) }

    /// All units of a layer to all units of the other.
    public static let dense = ConnectionKind(rawValue: "dense")

    /// The same, for a layer of the chain.
    ///
    /// - Parameter units: The units of the layer above.
    public static func dense(_ units: Int) -> ConnectionKind { ConnectionKind(rawValue: "dense:\(units)") }
}
