// The elementwise half of a step backwards: from the gradient of a loss with respect to a layer's new state to those
// with respect to its drive and to its old state.

/// Backwards through s(t+1) = σ(a): dL/da = σ′(a) dL/ds(t+1). The old state has no part of its own in the new one.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func stepBackPrototypical<Element: KernelScalar>(
    _ activation: Activation, gradient: UnsafePointer<Element>, drive: UnsafePointer<Element>,
    driveGradient: UnsafeMutablePointer<Element>, count: Int
) {
    func back(_ derivative: (Element) -> Element) {
        for i in 0..<count { driveGradient[i] = gradient[i] * derivative(drive[i]) }
    }
    switch activation {
    case .shiftedSigmoid: back(ShiftedSigmoid.derivative)
    case .hardSigmoid: back(HardSigmoid.derivative)
    case .tanh: back(HyperbolicTangent.derivative)
    }
}

/// Backwards through s(t+1) = clamp(s + dt (−s + ρ′(s) a)), or the same without ρ′: writes dL/da and the part of
/// dL/ds that does not go through what the layer sends. Where a state was clamped no gradient passes.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func stepBackRealTime<Element: KernelScalar>(
    _ derivativeOf: Activation?, gradient: UnsafePointer<Element>, state: UnsafePointer<Element>,
    drive: UnsafePointer<Element>, timeStep: Element, clamp: Bool,
    driveGradient: UnsafeMutablePointer<Element>, stateGradient: UnsafeMutablePointer<Element>, count: Int
) {
    func back(_ factor: (Element) -> Element, _ slope: (Element) -> Element) {
        for i in 0..<count {
            let old = state[i]
            let moved = old + timeStep * (factor(old) * drive[i] - old)
            let passing = clamp ? gradient[i] * HardSigmoid.derivative(moved) : gradient[i]
            driveGradient[i] = passing * timeStep * factor(old)
            stateGradient[i] = passing * (1 + timeStep * (slope(old) * drive[i] - 1))
        }
    }
    switch derivativeOf {
    case nil: back({ _ in 1 }, { _ in 0 })
    case .shiftedSigmoid: back(ShiftedSigmoid.derivative, ShiftedSigmoid.secondDerivative)
    case .hardSigmoid: back(HardSigmoid.derivative, HardSigmoid.secondDerivative)
    case .tanh: back(HyperbolicTangent.derivative, HyperbolicTangent.secondDerivative)
    }
}

/// Backwards through what a layer sends, ρ(s): adds ρ′(s) dL/dρ to dL/ds.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func addThroughDerivative<Element: KernelScalar>(
    of activation: Activation, at state: UnsafePointer<Element>, gradient: UnsafePointer<Element>,
    to stateGradient: UnsafeMutablePointer<Element>, count: Int
) {
    func add(_ derivative: (Element) -> Element) {
        for i in 0..<count { stateGradient[i] += gradient[i] * derivative(state[i]) }
    }
    switch activation {
    case .shiftedSigmoid: add(ShiftedSigmoid.derivative)
    case .hardSigmoid: add(HardSigmoid.derivative)
    case .tanh: add(HyperbolicTangent.derivative)
    }
}
