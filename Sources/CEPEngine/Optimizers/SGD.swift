import CEPKernels

/// Stochastic gradient descent: d = g + λθ, v ← μ v + d, θ ← θ − η v. v starts at zero, so that the first update is d, as
/// in PyTorch.
public struct SGD: NamedOptimizer {
    public static var name: String { "sgd" }

    /// μ, in [0, 1).
    public var momentum: Double
    /// λ, 0 or more: one for all connections or one for each.
    public var weightDecay: [Double]

    /// - Parameters:
    ///   - momentum: μ, in [0, 1).
    ///   - weightDecay: λ, one for all connections or one for each.
    public init(momentum: Double = 0, weightDecay: [Double] = []) {
        self.momentum = momentum
        self.weightDecay = weightDecay
    }

    package init(_ options: inout Options) throws(EngineError) {
        self.init(
            momentum: try options.number("momentum") ?? 0, weightDecay: try options.numbers("weight_decay") ?? [])
    }

    public var stateNames: [String] { momentum == 0 ? [] : ["velocity"] }

    public func validate() throws(EngineError) {
        guard momentum >= 0, momentum < 1 else { throw .invalidArgument("momentum must be in [0, 1), got \(momentum)") }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func update<Element: KernelScalar>(
        _ parameters: UnsafeMutablePointer<Element>, gradient: UnsafePointer<Element>, count: Int, rate: Double,
        decay: Double, state: [UnsafeMutablePointer<Element>], step: Int
    ) {
        let (rate, decay, momentum) = (Element(rate), Element(decay), Element(momentum))
        guard let velocity = state.first else {
            for i in 0..<count { parameters[i] -= rate * (gradient[i] + decay * parameters[i]) }
            return
        }
        for i in 0..<count {
            velocity[i] = momentum * velocity[i] + gradient[i] + decay * parameters[i]
            parameters[i] -= rate * velocity[i]
        }
    }
}
