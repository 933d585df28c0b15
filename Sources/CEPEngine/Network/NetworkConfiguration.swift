import CEPKernels

/// Everything that determines a network before it has learned.
public struct NetworkConfiguration: Sendable, Equatable {
    /// Input first. A readout is not a layer: it is an objective.
    public var layers: [Layer]
    /// Dense connections beside the chain that joins each layer to the next.
    public var skipConnections: [Edge]
    /// How states move in one step.
    public var setting: SettingKind
    /// What carries activities from a layer back to the one below it.
    public var feedback: Feedback
    /// What the network is trained for.
    public var objective: ObjectiveKind
    /// Of the prototypical setting. In the real-time setting the pull acts on the time derivative.
    public var nudging: Nudging
    /// The same seed gives the same parameters, rounded to the number type.
    public var seed: UInt64
    /// The order in which layers move in free phases.
    public var relaxation: Relaxation
    /// A sample is at rest, and takes no further steps of a phase, once a step changed none of its states by more than
    /// this. With 0 that changes no result.
    public var tolerance: Double

    /// - Parameters:
    ///   - layers: Input first, 3 or more with a readout counted.
    ///   - skipConnections: Connections beside the chain, the lower layer first.
    ///   - setting: How states move in one step.
    ///   - feedback: Tied or untied.
    ///   - objective: What the network is trained for.
    ///   - nudging: nil for inside with a readout, outside without one.
    ///   - seed: Of the parameters.
    ///   - relaxation: The order in which layers move in free phases.
    ///   - tolerance: The change of a step at which a sample is at rest, 0 or more.
    public init(
        layers: [Layer], skipConnections: [Edge] = [], setting: SettingKind = .prototypical, feedback: Feedback = .tied,
        objective: ObjectiveKind = .squaredError, nudging: Nudging? = nil, seed: UInt64 = 0,
        relaxation: Relaxation = .synchronous, tolerance: Double = 0
    ) {
        self.layers = layers
        self.skipConnections = skipConnections
        self.setting = setting
        self.feedback = feedback
        self.objective = objective
        self.nudging = nudging ?? objective.defaultNudging
        self.seed = seed
        self.relaxation = relaxation
        self.tolerance = tolerance
    }

    /// Dense layers of the same activation. With cross-entropy on the output, that one is linear; with a readout, the
    /// last size is the number of its classes.
    public init(
        sizes: [Int], setting: SettingKind = .prototypical, activation: Activation = .shiftedSigmoid,
        feedback: Feedback = .tied, skipConnections: [Edge] = [], loss: Loss = .squaredError, readout: Bool = false,
        nudging: Nudging? = nil, seed: UInt64 = 0, relaxation: Relaxation = .synchronous, tolerance: Double = 0
    ) {
        let objective: ObjectiveKind = readout ? .readout(classes: sizes.last ?? 0) : .output(loss)
        var layers = (readout ? sizes.dropLast() : sizes[...]).map { Layer(units: $0, activation: activation) }
        if !readout, !layers.isEmpty, let output = try? loss.objective(Double.self).outputActivation {
            layers[layers.count - 1].activation = output
        }
        self.init(
            layers: layers, skipConnections: skipConnections, setting: setting, feedback: feedback,
            objective: objective, nudging: nudging, seed: seed, relaxation: relaxation, tolerance: tolerance)
    }

    package init(_ options: inout Options) throws(EngineError) {
        // A wrong number is refused in any setting.
        let realTime = RealTime(
            timeStep: try options.number("dt") ?? 0.2, clamp: try options.flag("clamp") ?? true,
            followsEnergy: try options.flag("follows_energy") ?? false)
        try realTime.validate()
        let untied = Feedback.untied(angle: try options.number("feedback_angle") ?? 0)
        try untied.validate()
        let readout = try options.flag("readout") ?? false
        let loss: Loss? = try options.choice("loss")
        guard !readout || loss == nil || loss == .crossEntropy else {
            throw .invalidArgument(
                "loss is \(loss?.rawValue ?? ""), with a readout: expected cross_entropy, which a readout has")
        }
        let activations: [Activation] = try options.choices("activation") ?? [.shiftedSigmoid]
        self.init(
            sizes: try options.integers("sizes") ?? [],
            setting: try options.choice("setting") == SettingKind.Name.realTime ? .realTime(realTime) : .prototypical,
            activation: activations[0],
            feedback: try options.choice("feedback") == Feedback.Name.untied ? untied : .tied,
            skipConnections: try options.edges(), loss: loss ?? .squaredError, readout: readout,
            nudging: try options.choice("nudging"), seed: UInt64(bitPattern: Int64(try options.integer("seed") ?? 0)),
            relaxation: try options.choice("relaxation") ?? .synchronous,
            tolerance: try options.number("tolerance") ?? 0)
        if activations.count > 1 { try setActivations(activations) }
    }

    /// One activation for each layer that moves. In the real-time setting the input has the activation of layer 1.
    private mutating func setActivations(_ activations: [Activation]) throws(EngineError) {
        guard activations.count == layers.count - 1 else {
            throw .invalidArgument(
                "activation has \(activations.count) values; expected \(max(layers.count - 1, 0)), one for each layer "
                    + "after the input"
                    + (objective.readoutClasses == nil ? "" : "; a readout has none"))
        }
        for (k, activation) in activations.enumerated() { layers[k + 1].activation = activation }
        layers[0].activation = activations[0]
    }

    /// Units of each layer, input first, and the classes of a readout.
    public var sizes: [Int] { layers.map(\.units) + (objective.readoutClasses.map { [$0] } ?? []) }

    /// The activation of the hidden layers, if they have the same.
    public var activation: Activation { layers.count > 1 ? layers[1].activation : .shiftedSigmoid }

    /// The connections between layers: the chain, then the others.
    var edges: [Edge] { (1..<max(layers.count, 1)).map { Edge(from: $0 - 1, to: $0) } + skipConnections }

    /// - Throws: `EngineError.invalidArgument` if no network can be built from this.
    public func validate() throws(EngineError) {
        let sizes = sizes
        guard sizes.count >= 3 else {
            throw .invalidArgument(
                "a network needs at least 3 layers (input, one or more hidden, output), got \(sizes.count)")
        }
        for (layer, size) in sizes.enumerated() where size < 1 || size > largestMatrixExtent {
            throw .invalidArgument("layer \(layer) has \(size) units; expected 1 to \(largestMatrixExtent)")
        }
        try validateSkipConnections()
        if case .realTime(let realTime) = setting { try realTime.validate() }
        try feedback.validate()
        try objective.validate(for: self)
        guard tolerance >= 0, tolerance.isFinite else {
            throw .invalidArgument("tolerance must be finite and 0 or more, got \(tolerance)")
        }
    }

    private func validateSkipConnections() throws(EngineError) {
        var known = Set(edges.prefix(layers.count - 1).map { [$0.from, $0.to] })
        for edge in skipConnections {
            let name = "the connection (\(edge.from), \(edge.to))"
            for layer in [edge.from, edge.to] where layer < 0 || layer >= layers.count {
                throw .invalidArgument(
                    "\(name) names layer \(layer); the network's layers are 0 to \(layers.count - 1)"
                        + (objective.readoutClasses == nil ? "" : " (a readout is not a layer)"))
            }
            guard edge.from != edge.to else { throw .invalidArgument("\(name) joins layer \(edge.to) to itself") }
            guard edge.from < edge.to else {
                throw .invalidArgument(
                    "\(name) leads to a lower layer; give the lower layer first: feedback is part of a connection")
            }
            guard known.insert([edge.from, edge.to]).inserted else {
                throw .invalidArgument("\(name) is there already: each layer is joined to the next, and once")
            }
        }
    }
}

/// The order in which the layers move in a step of a free phase. Nudged phases are always synchronous, because the
/// rules are defined by their steps.
public enum Relaxation: String, Sendable, CaseIterable {
    /// All layers at once, from their old states.
    case synchronous
    /// Layers 1, 3, ... first, then layers 2, 4, ... from the new states of those. The steady states are the same. In
    /// the prototypical setting a step comes as near to them as two synchronous ones.
    case alternating
}

/// How a state moves in one step.
public enum SettingKind: Sendable, Equatable {
    /// s ← σ(a).
    case prototypical
    /// s ← s + dt (−s + ρ′(s) ⊙ a).
    case realTime(RealTime)

    enum Name: String, CaseIterable, NamedChoice {
        case prototypical
        case realTime = "real-time"
    }
}

/// The options of the real-time setting: s ← s + dt ṡ.
public struct RealTime: Sendable, Equatable {
    /// dt, in (0, 1].
    public var timeStep: Double
    /// Whether states are clamped to [0, 1] after every step. Linear layers are not.
    public var clamp: Bool
    /// Whether the output layer has the factor ρ′, which the published equations leave out, so that the states descend
    /// the energy. It has an effect with tied feedback only.
    public var followsEnergy: Bool

    /// - Parameters:
    ///   - timeStep: dt, in (0, 1].
    ///   - clamp: Whether states are clamped to [0, 1].
    ///   - followsEnergy: Whether the output layer has the factor ρ′.
    public init(timeStep: Double = 0.2, clamp: Bool = true, followsEnergy: Bool = false) {
        self.timeStep = timeStep
        self.clamp = clamp
        self.followsEnergy = followsEnergy
    }

    /// - Throws: `EngineError.invalidArgument` for a time step out of its range.
    public func validate() throws(EngineError) {
        guard timeStep > 0, timeStep <= 1 else { throw .invalidArgument("dt must be in (0, 1], got \(timeStep)") }
    }
}

/// What carries activities from a layer back to the one below it.
public enum Feedback: Sendable, Equatable {
    /// The transposed forward weights.
    case tied
    /// Weights of their own: at first the transposed forward weights, the sign of each flipped with probability
    /// ½ (1 − cos angle). The angle is in degrees.
    case untied(angle: Double)

    enum Name: String, CaseIterable, NamedChoice { case tied, untied }

    /// - Throws: `EngineError.invalidArgument` for an angle out of its range.
    public func validate() throws(EngineError) {
        if case .untied(let angle) = self, !(angle >= 0 && angle <= 180) {
            throw .invalidArgument("the feedback angle must be 0 to 180 degrees, got \(angle)")
        }
    }
}

extension Options {
    /// The connections beside the chain.
    fileprivate mutating func edges() throws(EngineError) -> [Edge] {
        let layers = try integers("connections") ?? []
        guard layers.count.isMultiple(of: 2) else {
            throw .invalidArgument("connections must be pairs of layers, got \(layers)")
        }
        let kinds: [ConnectionKind]? = try choices("connection_kinds")
        guard kinds == nil || kinds?.count == layers.count / 2 else {
            throw .invalidArgument(
                "connection_kinds has \(kinds?.count ?? 0) values; expected one for each of the \(layers.count / 2) "
                    + "connections")
        }
        return (0..<layers.count / 2).map { k in
            Edge(from: layers[2 * k], to: layers[2 * k + 1], kind: kinds?[k] ?? .dense)
        }
    }
}
