import CEPKernels

/// Everything that determines a new network.
public struct NetworkConfiguration: Sendable, Equatable {
    /// The layers, input first. A readout is an objective, not a layer.
    public var layers: [Layer]
    /// The kinds of the connections that join each layer to the next.
    public var chain: [ConnectionKind]
    /// Connections outside the chain.
    public var skipConnections: [Edge]
    /// How states move in one step.
    public var setting: SettingKind
    /// How activities return from a layer to the one below it.
    public var feedback: Feedback
    /// What the network is trained for.
    public var objective: ObjectiveKind
    /// For the prototypical setting. In the real-time setting the pull acts on the time derivative.
    public var nudging: Nudging
    /// The same seed gives the same parameters, rounded to the number type.
    public var seed: UInt64
    /// The order in which layers move in free phases.
    public var relaxation: Relaxation
    /// A sample comes to rest, and takes no further steps of a phase, after a step that changes none of its states by
    /// more than this. With 0, results do not change.
    public var tolerance: Double
    /// The models of devices and noise.
    public var hardware = HardwareConfiguration()
    /// The points of tabulated activations; nil without any.
    public var table: ActivationTable?

    /// - Parameters:
    ///   - layers: The layers, input first; at least 3, a readout included.
    ///   - chain: The kinds of the connections that join each layer to the next; nil for dense ones.
    ///   - skipConnections: Connections outside the chain, the lower layer first.
    ///   - setting: How states move in one step.
    ///   - feedback: Tied or untied.
    ///   - objective: What the network is trained for.
    ///   - nudging: Default: inside with a readout, outside without one.
    ///   - seed: The seed of the parameters.
    ///   - relaxation: The order in which layers move in free phases.
    ///   - tolerance: The change of a step at which a sample comes to rest, 0 or more.
    public init(
        layers: [Layer], chain: [ConnectionKind]? = nil, skipConnections: [Edge] = [],
        setting: SettingKind = .prototypical, feedback: Feedback = .tied, objective: ObjectiveKind = .squaredError,
        nudging: Nudging? = nil, seed: UInt64 = 0, relaxation: Relaxation = .synchronous, tolerance: Double = 0
    ) {
        self.layers = layers
        self.chain = chain ?? layers.dropFirst().map { _ in .dense }
        self.skipConnections = skipConnections
        self.setting = setting
        self.feedback = feedback
        self.objective = objective
        self.nudging = nudging ?? objective.defaultNudging
        self.seed = seed
        self.relaxation = relaxation
        self.tolerance = tolerance
    }

    /// Dense layers of the same activation. With cross-entropy on the output, the output layer is linear; with a
    /// readout, the last size is the number of its classes.
    public init(
        sizes: [Int], setting: SettingKind = .prototypical, activation: Activation = .shiftedSigmoid,
        feedback: Feedback = .tied, skipConnections: [Edge] = [], loss: Loss = .squaredError, readout: Bool = false,
        nudging: Nudging? = nil, seed: UInt64 = 0, relaxation: Relaxation = .synchronous, tolerance: Double = 0
    ) {
        let objective: ObjectiveKind = readout ? .readout(classes: sizes.last ?? 0) : .output(loss)
        let layers = (readout ? sizes.dropLast() : sizes[...]).map { Layer(units: $0, activation: activation) }
        self.init(
            layers: layers, skipConnections: skipConnections, setting: setting, feedback: feedback,
            objective: objective, nudging: nudging, seed: seed, relaxation: relaxation, tolerance: tolerance)
        setOutputActivation()
    }

    /// Layers described by a chain of connections: `.conv2d(channels: 32, kernel: (5, 5))`, `.dense(10)`.
    ///
    /// - Parameters:
    ///   - input: The shape of the input: units, or channels × height × width.
    ///   - chain: The connection below each layer.
    ///   - setting: How states move in one step.
    ///   - activation: The activation of all layers, except for the output with cross-entropy, which is linear.
    ///   - feedback: Tied or untied.
    ///   - skipConnections: Connections outside the chain, the lower layer first.
    ///   - objective: What the network is trained for.
    ///   - nudging: Default: inside with a readout, outside without one.
    ///   - seed: The seed of the parameters.
    ///   - relaxation: The order in which layers move in free phases.
    ///   - tolerance: The change of a step at which a sample comes to rest, 0 or more.
    /// - Throws: `EngineError.invalidArgument` for a connection that cannot be built on the layer below it.
    public init(
        input: [Int], chain: [ConnectionKind], setting: SettingKind = .prototypical,
        activation: Activation = .shiftedSigmoid, feedback: Feedback = .tied, skipConnections: [Edge] = [],
        objective: ObjectiveKind = .squaredError, nudging: Nudging? = nil, seed: UInt64 = 0,
        relaxation: Relaxation = .synchronous, tolerance: Double = 0
    ) throws(EngineError) {
        var layers = [Layer(shape: input, activation: activation)]
        for (k, kind) in chain.enumerated() {
            // Shapes are the same for either number type.
            guard let shape = try kind.type(Double.self).shape(above: kind, below: layers[k].shape) else {
                throw .invalidArgument("\(kind.rawValue) does not determine the shape of layer \(k + 1)")
            }
            layers.append(Layer(shape: shape, activation: activation))
        }
        self.init(
            layers: layers, chain: chain, skipConnections: skipConnections, setting: setting, feedback: feedback,
            objective: objective, nudging: nudging, seed: seed, relaxation: relaxation, tolerance: tolerance)
        setOutputActivation()
    }

    /// Makes the output layer linear if its loss is cross-entropy.
    private mutating func setOutputActivation() {
        guard case .output(let loss) = objective, !layers.isEmpty,
            let activation = try? loss.objective(Double.self).outputActivation
        else { return }
        layers[layers.count - 1].activation = activation
    }

    package init(_ options: inout Options) throws(EngineError) {
        // The options are checked in any setting.
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
        let (activations, table) = try options.activations()
        let words = try options.words("layers")
        if let words {
            try self.init(words: words, activation: activations[0], loss: loss ?? .squaredError, readout: readout)
        } else {
            self.init(
                sizes: try options.integers("sizes") ?? [], activation: activations[0], loss: loss ?? .squaredError,
                readout: readout)
        }
        if try options.choice("setting") == SettingKind.Name.realTime { setting = .realTime(realTime) }
        if try options.choice("feedback") == Feedback.Name.untied { feedback = untied }
        skipConnections = try options.edges()
        if let given: Nudging = try options.choice("nudging") { nudging = given }
        seed = UInt64(bitPattern: Int64(try options.integer("seed") ?? 0))
        relaxation = try options.choice("relaxation") ?? .synchronous
        tolerance = try options.number("tolerance") ?? 0
        hardware = try HardwareConfiguration(&options)
        self.table = table
        if activations.count > 1 { try setActivations(activations) }
    }

    /// - Parameter words: One for each layer: the shape of the input, such as 1x28x28, then kinds of connections; a
    ///   number stands for a dense layer. With a readout, the last one is the number of its classes.
    private init(words: [String], activation: Activation, loss: Loss, readout: Bool) throws(EngineError) {
        let extents = words[0].split(separator: "x", omittingEmptySubsequences: false)
        let input = extents.compactMap { Int($0) }
        guard input.count == extents.count else {
            throw .invalidArgument("the first of layers must be a shape, like 1x28x28, got \(words[0])")
        }
        var (chain, objective) = (words.dropFirst(), ObjectiveKind.output(loss))
        if readout {
            guard let classes = Int(chain.last ?? "") else {
                throw .invalidArgument("the last of layers must be the classes of the readout, got \(words.last ?? "")")
            }
            chain.removeLast()
            objective = .readout(classes: classes)
        }
        try self.init(
            input: input,
            chain: chain.map {
                Int($0) == nil ? ConnectionKind(rawValue: $0) : ConnectionKind(rawValue: "dense:\($0)")
            },
            activation: activation, objective: objective)
    }

    /// The value of the option `layers`: the words that describe the layers; nil if `sizes` is enough.
    package var words: [String]? {
        guard layers[0].shape.count > 1 || chain.contains(where: { $0.name != ConnectionKind.dense.name }) else {
            return nil
        }
        let kinds = zip(chain, layers.dropFirst()).map { kind, layer in
            kind.name == ConnectionKind.dense.name ? String(layer.units) : kind.rawValue
        }
        return [layers[0].shape.map(String.init).joined(separator: "x")] + kinds
            + (objective.readoutClasses.map { [String($0)] } ?? [])
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
    var edges: [Edge] {
        chain.enumerated().map { Edge(from: $0.offset, to: $0.offset + 1, kind: $0.element) } + skipConnections
    }

    /// The position of each connection. The configuration has been validated.
    var places: [ConnectionPlace] {
        edges.enumerated().map { k, edge in
            ConnectionPlace(
                below: layers[edge.from], above: layers[edge.to], hasBiases: k < chain.count,
                isFromInput: edge.from == 0, feedback: feedback, kind: edge.kind)
        }
    }

    /// The number of all parameters, before memory is allocated for them.
    func parameterCount<Element: KernelScalar>(_: Element.Type) throws(EngineError) -> Double {
        var count = 0.0
        for place in places { count += try place.kind.type(Element.self).parameterCount(place) }
        guard let classes = objective.readoutClasses, let last = layers.last else { return count }
        return count + Double(classes) * (Double(last.units) + 1)
    }

    /// - Throws: `EngineError.invalidArgument` if the configuration is invalid.
    public func validate() throws(EngineError) {
        let sizes = sizes
        guard sizes.count >= 3 else {
            throw .invalidArgument(
                "a network needs at least 3 layers (input, one or more hidden, output), got \(sizes.count)")
        }
        for (layer, size) in sizes.enumerated() where size < 1 || size > largestMatrixExtent {
            throw .invalidArgument("layer \(layer) has \(size) units; expected 1 to \(largestMatrixExtent)")
        }
        for (k, layer) in layers.enumerated() where layer.shape.contains(where: { $0 < 1 }) {
            throw .invalidArgument("layer \(k) has the shape \(layer.shape); expected extents of 1 or more")
        }
        guard chain.count == layers.count - 1 else {
            throw .invalidArgument("the chain has \(chain.count) connections; expected \(layers.count - 1)")
        }
        try validateSkipConnections()
        if case .realTime(let realTime) = setting { try realTime.validate() }
        try feedback.validate()
        try objective.validate(for: self)
        guard tolerance >= 0, tolerance.isFinite else {
            throw .invalidArgument("tolerance must be finite and 0 or more, got \(tolerance)")
        }
        guard (table != nil) == layers.contains(where: { $0.activation == .tabulated }) else {
            throw .invalidArgument(
                table == nil
                    ? "a layer has a tabulated activation; expected a table of its points"
                    : "a table of points is given, but no layer has a tabulated activation")
        }
        try hardware.validate(for: self)
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
                throw .invalidArgument("\(name) exists already; consecutive layers are joined, and pairs must differ")
            }
        }
    }
}

/// The order in which the layers move in a step of a free phase. Nudged phases are always synchronous, because the
/// rules are defined by their steps.
public enum Relaxation: String, Sendable, CaseIterable {
    /// All layers at once, from their old states.
    case synchronous
    /// Layers 1, 3, ... first, then layers 2, 4, ... from the new states. The steady states are the same. In the
    /// prototypical setting one step makes the progress of two synchronous ones.
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

/// How activities return from a layer to the one below it.
public enum Feedback: Sendable, Equatable {
    /// The transposed forward weights.
    case tied
    /// Separate weights, initially the transposed forward weights with the sign of each flipped with probability ½ (1 −
    /// cos angle). The angle is in degrees.
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
    /// The activations, and the points of tabulated ones.
    fileprivate mutating func activations() throws(EngineError) -> ([Activation], ActivationTable?) {
        var (activations, table) = ([Activation](), ActivationTable?.none)
        for word in try words("activation") ?? [Activation.shiftedSigmoid.rawValue] {
            guard let points = try ActivationTable(word: word) else {
                activations.append(try Activation(named: word, option: "activation"))
                continue
            }
            guard table == nil || table == points else {
                throw .invalidArgument("activation has two different tables; expected one table for a network")
            }
            activations.append(.tabulated)
            table = points
        }
        return (activations, table)
    }

    /// The connections outside the chain.
    fileprivate mutating func edges() throws(EngineError) -> [Edge] {
        let layers = try integers("connections") ?? []
        guard layers.count.isMultiple(of: 2) else {
            throw .invalidArgument("connections must be pairs of layers, got \(layers)")
        }
        let kinds = try words("connection_kinds")?.map(ConnectionKind.init(rawValue:))
        let names = Double.connectionKinds.map { $0.name }
        if let unknown = kinds?.first(where: { !names.contains($0.name) }) {
            throw .invalidArgument(
                "connection_kinds must be \(names.joined(separator: " or ")), got \(unknown.rawValue)")
        }
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
