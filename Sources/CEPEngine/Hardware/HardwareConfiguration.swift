import CEPKernels

/// The hardware of a network. By default everything is ideal.
public struct HardwareConfiguration: Sendable, Equatable {
    /// The models of the synapses, forward and feedback: one for all connections, or one for each in the order of
    /// `Network.parameters`. Empty for ideal synapses.
    public var synapses: [SynapseKind] = []
    /// The same for biases.
    public var biasSynapses: [SynapseKind] = []
    /// The standard deviation of the noise added to states after every step, 0 or more.
    public var stateNoise = 0.0
    /// Bits of the states that are sent and that updates read, 1 to 16; nil for unrounded states.
    public var stateBits: Int?
    /// The standard deviations of the gains, around 1, and offsets of neurons, in the prototypical setting.
    public var gainDeviation = 0.0
    public var offsetDeviation = 0.0
    /// The standard deviation of the noise that products see on the weights, redrawn as `readNoiseEvery` specifies.
    public var readNoise = 0.0
    public var readNoiseEvery = NoiseInterval.step
    /// The standard deviation of the noise added to the initial feedback weights. Untied feedback only.
    public var feedbackMismatch = 0.0

    /// Ideal hardware.
    public init() {}

    package init(_ options: inout Options) throws(EngineError) {
        synapses = try options.words("synapses")?.map(SynapseKind.init(rawValue:)) ?? []
        biasSynapses = try options.words("bias_synapses")?.map(SynapseKind.init(rawValue:)) ?? []
        if let word = try options.text("neurons") {
            var own = try Options(parameters: word.split(separator: ":"), of: "neurons")
            stateNoise = try own.deviation("state_noise")
            stateBits = try own.integer("state_bits")
            gainDeviation = try own.deviation("gain_dtod")
            offsetDeviation = try own.deviation("offset_dtod")
            try own.checkAllRead(by: "neurons")
        }
        readNoise = try options.deviation("read_noise")
        readNoiseEvery = try options.choice("read_noise_every") ?? .step
        feedbackMismatch = try options.deviation("feedback_mismatch")
    }

    /// - Throws: `EngineError.invalidArgument` for a model that does not exist or has a parameter out of its range.
    func validate(for network: NetworkConfiguration) throws(EngineError) {
        let connections = network.edges.count + (network.objective.readoutClasses == nil ? 0 : 1)
        for (name, kinds) in [("synapses", synapses), ("bias_synapses", biasSynapses)] {
            guard [0, 1, connections].contains(kinds.count) else {
                throw .invalidArgument(
                    "\(name) has \(kinds.count) values; expected one, or one for each of the network's \(connections) "
                        + "connections")
            }
            for kind in Set(kinds) { _ = try kind.model() }
        }
        for (name, value) in [
            ("state_noise", stateNoise), ("gain_dtod", gainDeviation), ("offset_dtod", offsetDeviation),
            ("read_noise", readNoise), ("feedback_mismatch", feedbackMismatch),
        ] where !(value >= 0 && value.isFinite) {
            throw .invalidArgument("\(name) must be finite and 0 or more, got \(value)")
        }
        if let stateBits, !(1...16 ~= stateBits) {
            throw .invalidArgument("state_bits must be 1 to 16, got \(stateBits)")
        }
        guard feedbackMismatch == 0 || network.feedback != .tied else {
            throw .invalidArgument(
                "feedback_mismatch must be 0 with tied feedback, which is the transposed weights; got "
                    + "\(feedbackMismatch)")
        }
        guard network.setting != .prototypical else { return }
        guard gainDeviation == 0, offsetDeviation == 0 else {
            throw .invalidArgument(
                "gain_dtod and offset_dtod must be 0 in the real-time setting; they vary σ(u) of the prototypical one")
        }
        guard stateBits == nil || network.feedback == .tied else {
            throw .invalidArgument(
                "state_bits needs tied feedback in the real-time setting, because the vector field's update reads "
                    + "states that are not sent")
        }
    }

    /// The model of a tensor of parameters; nil if it is ideal.
    func model(of connection: Int, isBias: Bool) throws(EngineError) -> (any SynapseModel)? {
        let kinds = isBias ? biasSynapses : synapses
        guard !kinds.isEmpty else { return nil }
        let model = try kinds[kinds.count == 1 ? 0 : connection].model()
        return model is IdealSynapse ? nil : model
    }

    /// Whether the hardware is ideal.
    var isIdeal: Bool {
        hasIdealNeurons && (synapses + biasSynapses).allSatisfy { $0.rawValue == IdealSynapse.name }
    }

    /// Whether states move, and weights are read, without noise or variation.
    var hasIdealNeurons: Bool { !variesNeurons && readNoise == 0 }

    /// The value of the option "neurons".
    var neuronsWord: String {
        [
            "state_noise=\(stateNoise)", stateBits.map { "state_bits=\($0)" }, "gain_dtod=\(gainDeviation)",
            "offset_dtod=\(offsetDeviation)",
        ].compactMap { $0 }.joined(separator: ":")
    }

    var variesNeurons: Bool { stateNoise > 0 || stateBits != nil || gainDeviation > 0 || offsetDeviation > 0 }
}

/// How often noise is redrawn.
public enum NoiseInterval: String, Sendable, CaseIterable, NamedChoice {
    case step
    case phase
}
