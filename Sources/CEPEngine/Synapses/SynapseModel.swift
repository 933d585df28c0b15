import CEPKernels

/// How a synapse turns a change requested by the optimizer into a change of its weight.
///
/// To add a model, write one conforming type in its own file and add it to `synapseModels`.
package protocol SynapseModel: Sendable {
    /// Its name in the option "synapses".
    static var name: String { get }

    /// Takes the parameters of the model out of `options`.
    ///
    /// - Throws: `EngineError.invalidArgument` for a parameter out of its range.
    init(_ options: inout Options) throws(EngineError)

    /// The range of weights of a synapse, before variations; nil if unbounded.
    var bounds: SynapseBounds? { get }

    /// The quantities that differ from synapse to synapse.
    var quantities: [SynapseQuantity] { get }

    /// The standard deviation of the noise that products see on a weight, redrawn when the synapse is written.
    var writeNoise: Double { get }

    /// Whether weights drift from batch to batch.
    var drifts: Bool { get }

    /// Changes the initial weights of some synapses to values that they can have.
    func program<Element: KernelScalar>(_ synapses: SynapseRange<Element>)

    /// Changes the weights of some synapses. The requested weight is in `requested`.
    func write<Element: KernelScalar>(_ synapses: SynapseRange<Element>) -> WriteCounts

    /// Changes the weights of some synapses as they drift during a batch.
    func drift<Element: KernelScalar>(_ synapses: SynapseRange<Element>)
}

extension SynapseModel {
    package var quantities: [SynapseQuantity] { [] }
    package var writeNoise: Double { 0 }
    package var drifts: Bool { false }
    package func drift<Element: KernelScalar>(_ synapses: SynapseRange<Element>) {}
}

/// The models. To add one, write a file and add a line here.
let synapseModels: [any SynapseModel.Type] = [
    IdealSynapse.self,
    BoundedSynapse.self,
    QuantizedSynapse.self,
    PulsedSynapse<ConstantStep>.self,
    PulsedSynapse<LinearStep>.self,
    PulsedSynapse<SoftBoundsStep>.self,
    PulsedSynapse<ExponentialStep>.self,
    PulsedSynapse<PowerStep>.self,
]

/// A model of synapses as a word: its name, followed by its parameters, separated by colons:
/// `linear_step:dw_min=0.002:gamma_up=0.1`.
public struct SynapseKind: RawRepresentable, Sendable, Hashable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// Weights that change as requested.
    public static let ideal = SynapseKind(rawValue: "ideal")

    /// - Throws: `EngineError.invalidArgument` if the word does not name a model.
    package func model() throws(EngineError) -> any SynapseModel {
        let parts = rawValue.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let type = synapseModels.first(where: { $0.name == parts[0] }) else {
            throw .invalidArgument(
                "synapses must be \(synapseModels.map { $0.name }.joined(separator: " or ")), got \(parts[0])")
        }
        var options = try Options(parameters: parts.dropFirst(), of: parts[0])
        let model = try type.init(&options)
        try options.checkAllRead(by: "the synapse \(parts[0])")
        return model
    }
}

/// The range of weights of a synapse.
package struct SynapseBounds: Sendable {
    let lowest: Double
    let highest: Double
    /// Whether initial weights outside the bounds are clipped. Otherwise they are refused.
    let clipsInitial: Bool

    /// From the parameters `w_min`, `w_max` and `clip_initial`.
    init(_ options: inout Options, lowest: Double? = nil, highest: Double? = nil) throws(EngineError) {
        self.lowest = try options.finite("w_min", lowest)
        self.highest = try options.finite("w_max", highest)
        clipsInitial = try options.flag("clip_initial") ?? false
        guard self.lowest < self.highest else {
            throw .invalidArgument("w_min must be below w_max, got w_min \(self.lowest) and w_max \(self.highest)")
        }
    }
}

/// A number that differs from synapse to synapse: drawn once from a normal distribution.
package struct SynapseQuantity: Sendable {
    package let name: String
    let mean: Double
    let deviation: Double
}

/// The results of a write.
package struct WriteCounts: Sendable, Equatable {
    /// The number of synapses written.
    var writes = 0
    var pulsesUp = 0
    var pulsesDown = 0

    static func += (sum: inout WriteCounts, other: WriteCounts) {
        sum.writes += other.writes
        sum.pulsesUp += other.pulsesUp
        sum.pulsesDown += other.pulsesDown
    }
}

/// Some synapses of a tensor, as models work on them. It holds no references, so that threads can share it.
package struct SynapseRange<Element: KernelScalar> {
    /// The indices in the tensor.
    let range: Range<Int>
    let weights: UnsafeMutablePointer<Element>
    /// The weights that the optimizer requests.
    let requested: UnsafePointer<Element>
    /// The noise that products see on the weight; nil without write noise.
    let noise: UnsafeMutablePointer<Element>?
    /// The random key of this write.
    let key: RandomKey
    /// A number for each synapse, or nil if all have the mean, in the order of the model's quantities.
    let drawn: UnsafePointer<UnsafePointer<Element>?>

    /// The value of a quantity for one synapse.
    @inline(__always)
    func value(_ quantity: Int, of element: Int, mean: Double) -> Double {
        guard let values = drawn[quantity] else { return mean }
        return Double(values[element])
    }
}

/// How a number is rounded to an integer.
enum Rounding: String, CaseIterable, NamedChoice {
    /// ⌊x + u⌋ with u uniform in [0, 1); unbiased.
    case stochastic
    case nearest
    /// ⌊x⌋.
    case truncate

    /// - Parameters:
    ///   - number: 0 or more, less than 2^52.
    ///   - stream: The source of random numbers of stochastic rounding.
    @inline(__always)
    func round(_ number: Double, _ stream: inout KeyedStream) -> Int {
        let whole = Int(number)
        switch self {
        case .stochastic: return number - Double(whole) + stream.uniform() >= 1 ? whole + 1 : whole
        case .nearest: return number - Double(whole) >= 0.5 ? whole + 1 : whole
        case .truncate: return whole
        }
    }
}

extension Options {
    /// Reads words like dw_min=0.001.
    init(parameters words: some Sequence<some StringProtocol>, of owner: String) throws(EngineError) {
        var values: [String: Value] = [:]
        for word in words {
            let pair = String(word).split(separator: "=" as Character, maxSplits: 1, omittingEmptySubsequences: false)
                .map(String.init)
            guard pair.count == 2 else {
                throw .invalidArgument("a parameter of \(owner) must have the form dw_min=0.001, got \(word)")
            }
            let value: Value = Double(pair[1]).map { .numbers([$0]) } ?? .text(pair[1])
            guard values.updateValue(value, forKey: pair[0]) == nil else {
                throw .invalidArgument("\(owner) has \(pair[0]) twice")
            }
        }
        self.init(values)
    }

    /// A finite number; the default if it is not given.
    mutating func finite(_ name: String, _ fallback: Double?) throws(EngineError) -> Double {
        guard let value = try number(name) ?? fallback else { throw .invalidArgument("\(name) is missing") }
        guard value.isFinite else { throw .invalidArgument("\(name) must be finite, got \(value)") }
        return value
    }

    /// A finite number, 0 or more.
    mutating func deviation(_ name: String, _ fallback: Double = 0) throws(EngineError) -> Double {
        let value = try finite(name, fallback)
        guard value >= 0 else { throw .invalidArgument("\(name) must be 0 or more, got \(value)") }
        return value
    }
}
