import CEPKernels

/// The real-time setting: s ← s + dt (−s + ρ′(s) ⊙ a + β(y − s)), clamped to [0, 1] where asked.
///
/// As published, the factor ρ′(s) stands on hidden layers of tied networks only: not on the output layer, and
/// nowhere in the vector field. The drive a is made of ρ(s), of the input too.
struct RealTimeSetting<Element: KernelScalar>: Setting {
    let activation: Activation
    let timeStep: Element
    let clamp: Bool
    let usesDerivative: Bool

    var sendsActivation: Bool { true }

    func send(_ state: MatrixView<Element>, into sent: MatrixView<Element>) {
        activate(activation, state.pointer, into: sent.pointer, count: state.count)
    }

    func step(
        _ state: MatrixView<Element>, drive: MatrixView<Element>, pull: Pull<Element>?, isOutput: Bool
    ) -> Element {
        stepRealTime(
            usesDerivative && !isOutput ? activation : nil, drive: drive.pointer, pull: pull,
            timeStep: timeStep, clamp: clamp, state: state.pointer, count: state.count)
    }
}
