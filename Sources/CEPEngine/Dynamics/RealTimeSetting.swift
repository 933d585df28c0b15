import CEPKernels

/// The real-time setting: s ← s + dt (−s + ρ′(s) ⊙ a + β(y − s)), clamped to [0, 1] where asked.
///
/// As published, the factor ρ′(s) stands on hidden layers of tied networks only: not on the output layer (unless the
/// dynamics are to follow the energy), and nowhere in the vector field. The drive a is made of ρ(s), of the input too.
struct RealTimeSetting<Element: KernelScalar>: Setting {
    let activation: Activation
    let timeStep: Element
    let clamp: Bool
    let derivativeOnHidden: Bool
    let derivativeOnOutput: Bool

    var sendsActivation: Bool { true }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func send(_ state: UnsafePointer<Element>, into sent: UnsafeMutablePointer<Element>, count: Int) {
        activate(activation, state, into: sent, count: count)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func step(_ layer: MovingLayer<Element>, pull: Pull<Element>?, isOutput: Bool) {
        stepRealTime(derivative(isOutput), layer, pull: pull, timeStep: timeStep, clamp: clamp)
    }

    func stepBack(
        _ gradient: MatrixView<Element>, through moment: LayerMoment<Element>, isOutput: Bool,
        toDrive driveGradient: MatrixView<Element>, toState stateGradient: MatrixView<Element>
    ) {
        stepBackRealTime(
            derivative(isOutput), gradient: gradient.pointer, state: moment.state.pointer,
            drive: moment.drive.pointer, timeStep: timeStep, clamp: clamp, driveGradient: driveGradient.pointer,
            stateGradient: stateGradient.pointer, count: gradient.count)
    }

    func sendBack(
        _ sentGradient: MatrixView<Element>, at state: MatrixView<Element>, to stateGradient: MatrixView<Element>
    ) {
        addThroughDerivative(
            of: activation, at: state.pointer, gradient: sentGradient.pointer, to: stateGradient.pointer,
            count: state.count)
    }

    /// The activation whose derivative multiplies a layer's drive, if one does.
    private func derivative(_ isOutput: Bool) -> Activation? {
        (isOutput ? derivativeOnOutput : derivativeOnHidden) ? activation : nil
    }
}
