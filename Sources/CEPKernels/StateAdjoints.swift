// The elementwise part of a step backwards: from the gradient of a loss with respect to a layer's new state to those
// with respect to its preactivation and its old state. The switch over activations is outside of the loops.

/// Backwards through s(t+1) = σ(a): dL/da = σ′(a) dL/ds(t+1). The new state depends on the old one only through a.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func stepBackPrototypical<Element: KernelScalar>(
    _ activation: Activation, gradient: UnsafePointer<Element>, preactivation: UnsafePointer<Element>,
    preactivationGradient: UnsafeMutablePointer<Element>, count: Int
) {
    for i in 0..<count { preactivationGradient[i] = gradient[i] * activation.derivative(preactivation[i]) }
}

/// Backwards through s(t+1) = clamp(s + dt (−s + ρ′(s) a)): writes dL/da and the part of dL/ds that does not pass
/// through the layer's activity. The gradient of a clamped state is zero. The factor ρ′ is that of `activation`;
/// it is 1 for the linear one.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func stepBackRealTime<Element: KernelScalar>(
    _ activation: Activation, gradient: UnsafePointer<Element>, state: UnsafePointer<Element>,
    preactivation: UnsafePointer<Element>, timeStep: Element, clamp: Bool,
    preactivationGradient: UnsafeMutablePointer<Element>, stateGradient: UnsafeMutablePointer<Element>, count: Int
) {
    for i in 0..<count {
        let (old, a) = (state[i], preactivation[i])
        let factor = activation.derivative(old)
        let moved = old + timeStep * (factor * a - old)
        let passing = clamp && !(moved >= 0 && moved <= 1) ? 0 : gradient[i]
        preactivationGradient[i] = passing * timeStep * factor
        stateGradient[i] = passing * (1 + timeStep * (activation.secondDerivative(old) * a - 1))
    }
}

/// Backwards through the activity ρ(s): adds ρ′(s) dL/dρ to dL/ds.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func addThroughDerivative<Element: KernelScalar>(
    of activation: Activation, at state: UnsafePointer<Element>, gradient: UnsafePointer<Element>,
    to stateGradient: UnsafeMutablePointer<Element>, count: Int
) {
    for i in 0..<count { stateGradient[i] += gradient[i] * activation.derivative(state[i]) }
}
