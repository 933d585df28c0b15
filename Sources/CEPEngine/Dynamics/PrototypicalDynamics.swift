import CEPKernels

/// The discrete-time setting: s ← σ(a), and for the nudged layer s ← σ(a) + β·pull (outside) or s ← σ(a + β·pull)
/// (inside).
struct PrototypicalDynamics<Element: KernelScalar>: Dynamics {
    let nudgesInside: Bool

    var couplesThroughActivation: Bool { false }
    var timeStep: Element { 1 }

    func clamps(_ activation: Activation) -> Bool { false }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func step(_ layer: MovingLayer<Element>, pull: Pull<Element>?, isOutput: Bool) {
        if nudgesInside, let pull {
            add(pull.strength, times: pull.values, to: layer.preactivation, count: layer.rows * layer.columns)
            stepPrototypical(layer, pull: nil)
        } else {
            stepPrototypical(layer, pull: pull)
        }
    }

    func stepBack(
        _ gradient: MatrixView<Element>, through step: RecordedLayer<Element>, activation: Activation, isOutput: Bool,
        toPreactivation preactivationGradient: MatrixView<Element>, toState stateGradient: MatrixView<Element>
    ) {
        stepBackPrototypical(
            activation, gradient: gradient.pointer, preactivation: step.preactivation.pointer,
            preactivationGradient: preactivationGradient.pointer, count: gradient.count)
        stateGradient.setToZero()
    }

    func activityBack(
        _ activityGradient: MatrixView<Element>, at state: MatrixView<Element>, activation: Activation,
        to stateGradient: MatrixView<Element>
    ) {
        stateGradient.add(activityGradient, scale: 1)
    }
}
