import CEPKernels

/// Everything that determines a network before it has learned anything.
public struct NetworkConfiguration: Sendable, Equatable {
    /// Units of each layer, input first.
    public var sizes: [Int]
    public var setting: SettingKind
    public var activation: Activation
    public var feedback: Feedback
    /// The same seed gives the same parameters, rounded to the number type.
    public var seed: UInt64
    public var relaxation: Relaxation
    /// A sample whose states a step changed by no more than this is taken to be at rest: its phase has ended. With 0 it
    /// has ended where further steps would change nothing at all.
    public var tolerance: Double

    public init(
        sizes: [Int], setting: SettingKind = .prototypical, activation: Activation = .shiftedSigmoid,
        feedback: Feedback = .tied, seed: UInt64 = 0, relaxation: Relaxation = .synchronous, tolerance: Double = 0
    ) {
        self.sizes = sizes
        self.setting = setting
        self.activation = activation
        self.feedback = feedback
        self.seed = seed
        self.relaxation = relaxation
        self.tolerance = tolerance
    }

    /// - Throws: `EngineError.invalidArgument` where no network can be built from this.
    public func validate() throws(EngineError) {
        guard sizes.count >= 3 else {
            throw .invalidArgument(
                "a network needs at least 3 layers (input, one or more hidden, output), got \(sizes.count)")
        }
        for (layer, size) in sizes.enumerated() where size < 1 || size > largestMatrixExtent {
            throw .invalidArgument("layer \(layer) has \(size) units; expected 1 to \(largestMatrixExtent)")
        }
        if case .realTime(let realTime) = setting { try realTime.validate() }
        try feedback.validate()
        guard tolerance >= 0, tolerance.isFinite else {
            throw .invalidArgument("tolerance must be finite and 0 or more, got \(tolerance)")
        }
    }
}

/// In which order the layers move in a step of a free phase. Nudged phases are synchronous always: what a rule draws from
/// their steps is defined so.
public enum Relaxation: Int32, Sendable {
    /// All layers at once, from their old states.
    case synchronous = 0
    /// Layers 1, 3, ... first, then layers 2, 4, ... from where those have gone. The steady states are the same; in the
    /// prototypical setting a step comes as near to them as two synchronous ones.
    case alternating = 1
}

/// How a state moves in one step.
public enum SettingKind: Sendable, Equatable {
    case prototypical
    case realTime(RealTime)
}

/// What determines the real-time setting: s ← s + dt ṡ.
public struct RealTime: Sendable, Equatable {
    /// dt, in (0, 1].
    public var timeStep: Double
    /// Whether states are clamped to [0, 1] after every step.
    public var clamp: Bool
    /// Whether the output layer too moves down the gradient of the energy, with the factor ρ′ that the published
    /// equations leave out there. Of consequence with tied feedback only.
    public var followsEnergy: Bool

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

/// What carries signals from a layer back to the one below it.
public enum Feedback: Sendable, Equatable {
    /// The transposed forward weights.
    case tied
    /// Weights of their own: at first the transposed forward weights, the sign of each flipped with probability
    /// ½ (1 − cos angle). The angle is in degrees.
    case untied(angle: Double)

    /// - Throws: `EngineError.invalidArgument` for an angle out of its range.
    public func validate() throws(EngineError) {
        if case .untied(let angle) = self, !(angle >= 0 && angle <= 180) {
            throw .invalidArgument("the feedback angle must be 0 to 180 degrees, got \(angle)")
        }
    }
}
