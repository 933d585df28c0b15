import CEPKernels
import Glibc

/// Layers joined by connections, in a setting that says how their states move.
public final class Network<Element: KernelScalar> {
    public let configuration: NetworkConfiguration
    /// Connection k joins layer k to layer k + 1.
    public let connections: [any Connection<Element>]
    let setting: any Setting<Element>
    /// The states of the last phase, if there was one.
    public internal(set) var state: NetworkState<Element>?
    /// Whether threads have been worth it in continual nudged phases.
    var sharingTrial = SharingTrial()
    /// Memory of the last phase's blocks of samples.
    var blocks: [SampleBlock<Element>] = []
    /// Memory of the last continual phase's blocks of units.
    var keptUnitBlocks: UnitBlocks<Element>?
    /// What rules leave to chance where no other source is given.
    public var random: RandomSource

    /// Draws weights and biases from U(−1/√fan_in, 1/√fan_in).
    public convenience init(_ configuration: NetworkConfiguration) throws(EngineError) {
        try self.init(zeros: configuration)
        drawParameters()
    }

    private init(zeros configuration: NetworkConfiguration) throws(EngineError) {
        try configuration.validate()
        if case .realTime(let realTime) = configuration.setting, Element(realTime.timeStep) == 0 {
            throw .invalidArgument("dt is \(realTime.timeStep), which is 0 as a \(Element.self)")
        }
        guard Element(configuration.tolerance).isFinite else {
            throw .invalidArgument("tolerance is \(configuration.tolerance), which a \(Element.self) cannot hold")
        }
        self.configuration = configuration
        setting = makeSetting(configuration)
        // Apart from the stream that the parameters come from.
        random = RandomSource(seed: ~configuration.seed)
        let sizes = configuration.sizes
        try Self.checkMemory(for: configuration)
        var connections: [any Connection<Element>] = []
        for (k, (below, above)) in zip(sizes, sizes.dropFirst()).enumerated() {
            switch configuration.feedback {
            case .tied: connections.append(try TiedDenseConnection(below: below, above: above, isFromInput: k == 0))
            case .untied: connections.append(try UntiedDenseConnection(below: below, above: above, isFromInput: k == 0))
            }
        }
        self.connections = connections
    }

    /// The same network, without states, in another number type.
    public convenience init<Other>(converting other: Network<Other>) throws(EngineError) {
        try self.init(zeros: other.configuration)
        for (mine, theirs) in zip(parameters, other.parameters) {
            for (matrix, source) in zip(mine.matrices, theirs.matrices) {
                convert(source.pointer, into: matrix.pointer, count: source.count)
            }
        }
    }

    /// A network in memory of its own, which goes on as this one would: with its states and random numbers too.
    public func copied() throws(EngineError) -> Network {
        let copy = try Network(converting: self)
        copy.state = try state?.copied()
        copy.random = random
        return copy
    }

    public var sizes: [Int] { configuration.sizes }
    public var outputSize: Int { sizes[sizes.count - 1] }

    /// A state of zeros for a batch of this size.
    func makeState(batch: Int) throws(EngineError) -> NetworkState<Element> {
        try NetworkState(batch: batch, sizes: sizes, sendsActivation: setting.sendsActivation)
    }

    /// The network's own state with the given rows clamped at its input and zeros elsewhere: in the memory of the last
    /// one where the batch is of the same size.
    func state(clamping inputs: SampleMatrix, _ rows: SampleRows) throws(EngineError) -> NetworkState<Element> {
        let state: NetworkState<Element>
        if let present = self.state, present.batch == rows.count {
            state = present
        } else {
            state = try makeState(batch: rows.count)
        }
        // The input first: a caller may clamp what a layer of this very state has come to.
        inputs.clamp(rows, into: state)
        state.setStatesToZero()
        self.state = state
        return state
    }

    /// Those of each connection.
    public var parameters: [ConnectionParameters<Element>] { connections.map { $0.parameters } }

    /// Zeros of the shapes of all parameters.
    func zeroParameters() throws(EngineError) -> [ConnectionParameters<Element>] {
        var zeros: [ConnectionParameters<Element>] = []
        for connection in connections { zeros.append(try connection.parameters.zeros()) }
        return zeros
    }

    /// A copy of all parameters.
    func backUpParameters() throws(EngineError) -> [ConnectionParameters<Element>] {
        let copies = try zeroParameters()
        for (copy, parameters) in zip(copies, parameters) { copy.copy(from: parameters) }
        return copies
    }

    func restoreParameters(from backup: [ConnectionParameters<Element>]) {
        for (connection, parameters) in zip(connections, backup) { connection.parameters.copy(from: parameters) }
    }

    private static func checkMemory(for configuration: NetworkConfiguration) throws(EngineError) {
        let copies = configuration.feedback == .tied ? 1.0 : 2.0
        let sizes = configuration.sizes.map(Double.init)
        let parameters = zip(sizes, sizes.dropFirst()).reduce(0) { $0 + copies * $1.0 * $1.1 + $1.1 }
        try CEPEngine.checkMemory(
            values: parameters, of: Element.self, for: "a set of parameters for layers of \(configuration.sizes) units")
    }

    private func drawParameters() {
        var random = RandomSource(seed: configuration.seed)
        for connection in connections {
            let weights = connection.parameters.weights
            let bound = 1 / Double(weights.columns).squareRoot()
            for parameter in [weights, connection.parameters.biases] {
                for i in 0..<parameter.count {
                    parameter.pointer[i] = Element(bound * (2 * random.uniform() - 1))
                }
            }
        }
        guard case .untied(let angle) = configuration.feedback else { return }
        let flipProbability = (1 - cos(angle * .pi / 180)) / 2
        for connection in connections {
            guard let feedback = connection.parameters.feedbackWeights else { continue }
            let weights = connection.parameters.weights
            for i in 0..<feedback.rows {
                for j in 0..<feedback.columns {
                    let weight = weights.pointer[j * weights.columns + i]
                    feedback.pointer[i * feedback.columns + j] = random.uniform() < flipProbability ? -weight : weight
                }
            }
        }
    }
}
