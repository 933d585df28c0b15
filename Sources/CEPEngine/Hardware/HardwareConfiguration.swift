import CEPKernels

/// What a network is made of that is not ideal. By default everything is.
public struct HardwareConfiguration: Sendable, Equatable {
    /// The models of the synapses: one for all connections, or one for each in the order of `Network.parameters`. Empty
    /// for ideal ones. They hold for forward and feedback weights.
    public var synapses: [SynapseKind] = []
    /// The same of biases.
    public var biasSynapses: [SynapseKind] = []

    /// Ideal.
    public init() {}

    package init(_ options: inout Options) throws(EngineError) {
        synapses = try options.words("synapses")?.map(SynapseKind.init(rawValue:)) ?? []
        biasSynapses = try options.words("bias_synapses")?.map(SynapseKind.init(rawValue:)) ?? []
    }

    /// - Throws: `EngineError.invalidArgument` for a model that does not exist or has a parameter out of its range.
    func validate(connections: Int) throws(EngineError) {
        for (name, kinds) in [("synapses", synapses), ("bias_synapses", biasSynapses)] {
            guard [0, 1, connections].contains(kinds.count) else {
                throw .invalidArgument(
                    "\(name) has \(kinds.count) values; expected one, or one for each of the network's \(connections) "
                        + "connections")
            }
            for kind in Set(kinds) { _ = try kind.model() }
        }
    }

    /// The model of a tensor of parameters; nil for an ideal one.
    func model(of connection: Int, isBias: Bool) throws(EngineError) -> (any SynapseModel)? {
        let kinds = isBias ? biasSynapses : synapses
        guard !kinds.isEmpty else { return nil }
        let model = try kinds[kinds.count == 1 ? 0 : connection].model()
        return model is IdealSynapse ? nil : model
    }

    /// Whether nothing differs from an ideal network.
    var isIdeal: Bool { (synapses + biasSynapses).allSatisfy { $0.rawValue == IdealSynapse.name } }
}
