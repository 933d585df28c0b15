import CEPKernels

/// The real-time setting: s ← s + dt (−s + ρ′(s) ⊙ a + β·pull), clamped to [0, 1] if asked. Preactivations a are
/// computed from activities ρ(s), also of the input.
///
/// As published, only the hidden layers of tied networks have the factor ρ′(s). The output layer lacks it (unless the
/// dynamics are to follow the energy), and so do all layers of the vector field. Linear layers are not clamped.
struct RealTimeDynamics<Element: KernelScalar>: Dynamics {
    let setting: RealTime
    let feedback: Feedback

    var timeStep: Element { Element(setting.timeStep) }

    var couplesThroughActivation: Bool { true }

    func clamps(_ activation: Activation) -> Bool { setting.clamp && activation != .linear }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func step(_ layer: MovingLayer<Element>, pull: Pull<Element>?, isOutput: Bool) {
        stepRealTime(
            layer, hasDerivative: hasDerivative(isOutput), pull: pull, timeStep: timeStep,
            clamp: clamps(layer.activation))
    }

    func stepBack(
        _ gradient: MatrixView<Element>, through step: RecordedLayer<Element>, activation: Activation, isOutput: Bool,
        toPreactivation preactivationGradient: MatrixView<Element>, toState stateGradient: MatrixView<Element>
    ) {
        stepBackRealTime(
            hasDerivative(isOutput) ? activation : .linear, gradient: gradient.pointer, state: step.state.pointer,
            preactivation: step.preactivation.pointer, timeStep: timeStep, clamp: clamps(activation),
            preactivationGradient: preactivationGradient.pointer, stateGradient: stateGradient.pointer,
            count: gradient.count)
    }

    func activityBack(
        _ activityGradient: MatrixView<Element>, at state: MatrixView<Element>, activation: Activation,
        to stateGradient: MatrixView<Element>
    ) {
        addThroughDerivative(
            of: activation, at: state.pointer, gradient: activityGradient.pointer, to: stateGradient.pointer,
            count: state.count)
    }

    func hasDerivative(_ isOutput: Bool) -> Bool { feedback == .tied && (!isOutput || setting.followsEnergy) }
}
