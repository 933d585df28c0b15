import CEPKernels

/// Adam (Kingma and Ba, 2015), with the weight decay added to the gradient as in PyTorch: d = g + λθ,
/// m ← β₁ m + (1 − β₁) d, v ← β₂ v + (1 − β₂) d², θ ← θ − η m̂ / (√v̂ + ε), m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).
public struct Adam: NamedOptimizer {
    public static var name: String { "adam" }

    /// β₁, in [0, 1).
    public var beta1: Double
    /// β₂, in [0, 1).
    public var beta2: Double
    /// ε, more than 0.
    public var epsilon: Double
    /// λ, 0 or more: one for all connections or one for each.
    public var weightDecay: [Double]

    /// - Parameters:
    ///   - beta1: β₁, in [0, 1).
    ///   - beta2: β₂, in [0, 1).
    ///   - epsilon: ε, more than 0.
    ///   - weightDecay: λ, one for all connections or one for each.
    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: [Double] = []) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    package init(_ options: inout Options) throws(EngineError) {
        self.init(
            beta1: try options.number("beta1") ?? 0.9, beta2: try options.number("beta2") ?? 0.999,
            epsilon: try options.number("epsilon") ?? 1e-8, weightDecay: try options.numbers("weight_decay") ?? [])
    }

    public var stateNames: [String] { ["first_moment", "second_moment"] }

    public func validate() throws(EngineError) {
        for (name, beta) in [("beta1", beta1), ("beta2", beta2)] {
            guard beta >= 0, beta < 1 else { throw .invalidArgument("\(name) must be in [0, 1), got \(beta)") }
        }
        guard epsilon > 0, epsilon.isFinite else {
            throw .invalidArgument("epsilon must be finite and more than 0, got \(epsilon)")
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func update<Element: KernelScalar>(
        _ parameters: UnsafeMutablePointer<Element>, gradient: UnsafePointer<Element>, count: Int, rate: Double,
        decay: Double, state: [UnsafeMutablePointer<Element>], step: Int
    ) {
        guard state.count == 2 else { return }
        let (mean, square) = (state[0], state[1])
        let (first, second, decay) = (Element(beta1), Element(beta2), Element(decay))
        let scale = Element(rate / (1 - pow(beta1, Double(step))))
        let correction = Element((1 - pow(beta2, Double(step))).squareRoot())
        let epsilon = Element(epsilon)
        for i in 0..<count {
            let d = gradient[i] + decay * parameters[i]
            mean[i] = first * mean[i] + (1 - first) * d
            square[i] = second * square[i] + (1 - second) * d * d
            parameters[i] -= scale * mean[i] / (square[i].squareRoot() / correction + epsilon)
        }
    }
}
