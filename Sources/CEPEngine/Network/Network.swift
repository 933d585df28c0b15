import CEPKernels
import Synchronization

/// A network: layers joined by connections, an objective, and the dynamics of the states.
///
/// Only one call at a time can use a network: a second one, from another thread or from an observer of a phase, throws
/// `EngineError.busy`. Different networks can be used by different threads at once.
public final class Network<Element: KernelScalar> {
    /// The options that the network was created with.
    public let configuration: NetworkConfiguration
    /// The layers that each connection joins: the chain first, then the other connections in the given order.
    public let edges: [Edge]
    package let connections: [any Connection<Element>]
    package let objective: any Objective<Element>
    /// Parameters of the chain's connections, of a readout, and of the other connections. Learning rates have the same
    /// order.
    public let parameters: [ConnectionParameters<Element>]
    let dynamics: any Dynamics<Element>
    /// The states of the last phase; nil before the first one.
    public internal(set) var state: NetworkState<Element>?
    /// The state of the optimizer between updates; nil before the first one.
    public internal(set) var optimizerState: OptimizerState<Element>?
    /// nil if the hardware is ideal.
    let hardware: NetworkHardware<Element>?
    /// Counts of the network's work.
    let counters: NetworkCounters
    /// nil if the neurons are ideal.
    let neurons: NeuronHardware<Element>?
    /// The source of random signs, if a call is not given another one.
    public var random: RandomSource

    /// How layers are joined. Created before the first phase.
    private var keptWiring: Wiring<Element>?
    /// Memory of the sample blocks of the last phase.
    var blocks: [SampleBlock<Element>] = []
    private let inUse = Atomic(false)

    /// Draws weights and biases from U(−1/√fan_in, 1/√fan_in).
    ///
    /// - Parameter configuration: Layers, connections, setting, objective and seed.
    /// - Throws: `EngineError.invalidArgument` for a configuration that cannot be built; `.outOfMemory`.
    public convenience init(_ configuration: NetworkConfiguration) throws(EngineError) {
        try self.init(zeros: configuration)
        drawParameters()
        try hardware?.program()
    }

    init(zeros configuration: NetworkConfiguration) throws(EngineError) {
        try configuration.validate()
        if case .realTime(let realTime) = configuration.setting, Element(realTime.timeStep) == 0 {
            throw .invalidArgument("dt is \(realTime.timeStep), which is 0 as a \(Element.self)")
        }
        guard Element(configuration.tolerance).isFinite else {
            throw .invalidArgument("tolerance is \(configuration.tolerance), which a \(Element.self) cannot hold")
        }
        self.configuration = configuration
        dynamics = makeDynamics(configuration)
        // A stream separate from that of the parameters.
        random = RandomSource(seed: ~configuration.seed)
        edges = configuration.edges
        let count = try configuration.parameterCount(Element.self)
        try checkMemory(
            values: count, of: Element.self,
            for: "a set of parameters for layers of \(configuration.sizes) units")
        let layers = configuration.layers
        var connections: [any Connection<Element>] = []
        for place in configuration.places { connections.append(try place.kind.type(Element.self).make(place)) }
        self.connections = connections
        objective = try configuration.objective.make(units: layers[layers.count - 1].units)
        var parameters = connections.map { $0.parameters }
        if let readout = objective.parameters { parameters.insert(readout, at: layers.count - 1) }
        self.parameters = parameters
        counters = try NetworkCounters()
        hardware =
            configuration.hardware.isIdeal
            ? nil : try NetworkHardware(configuration, of: parameters)
        neurons = hardware?.neurons
        for (k, seen) in (hardware?.seen ?? []).enumerated() {
            guard let seen else { continue }
            if k == readoutIndex {
                objective.setProductParameters(seen)
            } else {
                connections.first { $0.parameters === parameters[k] }?.productParameters = seen
            }
        }
    }

    /// The same network, without states, in another number type.
    ///
    /// - Parameter other: The network whose configuration and parameters are copied.
    /// - Throws: `EngineError.invalidArgument` if the number type cannot hold an option; `.outOfMemory`.
    public convenience init<Other>(converting other: Network<Other>) throws(EngineError) {
        try self.init(converting: other, other.configuration)
    }

    /// The same network on ideal hardware, for the theorem check.
    package convenience init<Other>(idealizing other: Network<Other>) throws(EngineError) {
        var configuration = other.configuration
        configuration.hardware = HardwareConfiguration()
        try self.init(converting: other, configuration)
    }

    private convenience init<Other>(
        converting other: Network<Other>, _ configuration: NetworkConfiguration
    ) throws(EngineError) {
        try self.init(zeros: configuration)
        if let mine = hardware, let theirs = other.hardware { mine.copy(from: theirs) }
        for (mine, theirs) in zip(parameters, other.parameters) {
            for (matrix, source) in zip(mine.matrices, theirs.matrices) {
                convert(source.pointer, into: matrix.pointer, count: source.count)
            }
        }
    }

    /// An independent copy that continues as this network would, with states, random state and the state of the
    /// optimizer.
    ///
    /// - Throws: `EngineError.busy` while a call uses the network; `.outOfMemory`.
    public func copied() throws(EngineError) -> Network {
        try exclusively { () throws(EngineError) in
            let copy = try Network(converting: self)
            copy.state = try state?.copied()
            copy.optimizerState = try optimizerState?.copied()
            copy.random = random
            return copy
        }
    }

    /// Runs one call on this network, with the engine's floating-point mode.
    package func exclusively<Result>(_ body: () throws(EngineError) -> Result) throws(EngineError) -> Result {
        guard inUse.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            throw .busy(
                "the network is in use by another thread, or was called by an observer of its phases; give each thread "
                    + "a separate network")
        }
        defer { inUse.store(false, ordering: .releasing) }
        return try WorkerPool.shared.during(body)
    }

    /// The units of each layer, input first, and the classes of a readout.
    public var sizes: [Int] { configuration.sizes }

    /// The number of scores of a sample: units of the output layer, or classes of the readout.
    public var outputSize: Int { objective.classes }

    /// The index of the last layer.
    var lastLayer: Int { configuration.layers.count - 1 }

    /// Whether a layer has a target value for each of its units.
    func isOutput(_ layer: Int) -> Bool { layer == lastLayer && objective.parameters == nil }

    /// The index of a connection's parameters in `parameters`.
    func parameterIndex(of connection: Int) -> Int {
        connection < lastLayer || objective.parameters == nil ? connection : connection + 1
    }

    /// The index of the readout's parameters; nil without a readout.
    var readoutIndex: Int? { objective.parameters == nil ? nil : lastLayer }

    var stateShape: StateShape {
        StateShape(
            layers: configuration.layers, couplesThroughActivation: dynamics.couplesThroughActivation,
            reachedByInput: (1...lastLayer).map { layer in edges.contains { $0.from == 0 && $0.to == layer } },
            classes: objective.classes, keptCounts: connections.map { $0.keptCount })
    }

    /// A state of zeros for a batch of this size.
    func makeState(batch: Int) throws(EngineError) -> NetworkState<Element> {
        try NetworkState(batch: batch, shape: stateShape)
    }

    /// The network's own state with the given rows clamped at its input and zeros elsewhere. Reuses the memory of the
    /// last state if the batch size is the same.
    func state(clamping inputs: SampleMatrix, _ rows: SampleRows) throws(EngineError) -> NetworkState<Element> {
        let state: NetworkState<Element>
        if let present = self.state, present.batch == rows.count {
            state = present
        } else {
            state = try makeState(batch: rows.count)
        }
        // The input first, because the inputs may be a layer of this very state.
        inputs.clamp(rows, into: state)
        state.setStatesToZero()
        self.state = state
        return state
    }

    /// How layers are joined. Connections must be prepared for products.
    func wiring() throws(EngineError) -> Wiring<Element> {
        if let keptWiring { return keptWiring }
        try prepareConnections()
        let wiring = Wiring(of: self)
        keptWiring = wiring
        return wiring
    }

    /// Prepares the products of all connections except those from the input, whose products are computed once a phase.
    func prepareConnections() throws(EngineError) {
        hardware?.updateSeen()
        for connection in connections { try connection.prepare() }
    }

    /// Prepares the connections for adjoints.
    func prepareAdjoints() throws(EngineError) {
        for connection in connections { try connection.prepareAdjoints() }
    }

    private func drawParameters() {
        var random = RandomSource(seed: configuration.seed)
        for connection in connections.prefix(lastLayer) { connection.drawParameters(using: &random) }
        objective.parameters?.draw(using: &random)
        for connection in connections.dropFirst(lastLayer) { connection.drawParameters(using: &random) }
        guard case .untied(let angle) = configuration.feedback else { return }
        for connection in connections {
            connection.drawFeedback(flipProbability: (1 - cos(angle * .pi / 180)) / 2, using: &random)
        }
        addFeedbackMismatch()
    }
}

extension Network {
    /// V ← V + σ · ξ.
    private func addFeedbackMismatch() {
        let deviation = configuration.hardware.feedbackMismatch
        guard deviation > 0 else { return }
        for (k, each) in parameters.enumerated() {
            guard let feedback = each.feedbackWeights else { continue }
            let key = RandomKey(seed: configuration.seed).part(3).part(k)
            for i in 0..<feedback.count {
                var stream = key.stream(i)
                feedback.pointer[i] += Element(deviation * stream.normal())
            }
        }
    }
}

// MARK: - Sets of parameters

extension Network {
    /// Zeros with the shapes of all parameters.
    ///
    /// - Throws: `EngineError.outOfMemory`.
    public func zeroParameters() throws(EngineError) -> [ConnectionParameters<Element>] {
        var zeros: [ConnectionParameters<Element>] = []
        for each in parameters { zeros.append(try each.zeros()) }
        return zeros
    }

    /// A copy of all parameters.
    func backUpParameters() throws(EngineError) -> [ConnectionParameters<Element>] {
        let copies = try zeroParameters()
        for (copy, each) in zip(copies, parameters) { copy.copy(from: each) }
        return copies
    }

    func restoreParameters(from backup: [ConnectionParameters<Element>]) {
        for (each, saved) in zip(parameters, backup) { each.copy(from: saved) }
    }

    /// One value for each set of parameters.
    func forEachParameters<Value>(_ value: Value) -> [Value] { parameters.map { _ in value } }
}
