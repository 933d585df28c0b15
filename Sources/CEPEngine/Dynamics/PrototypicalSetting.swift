import CEPKernels

/// The discrete-time setting: s ← σ(a), and s_L ← σ(a) + β(y − s_L) at a nudged output.
struct PrototypicalSetting<Element: KernelScalar>: Setting {
    let activation: Activation

    var sendsActivation: Bool { false }

    func send(_ state: MatrixView<Element>, into sent: MatrixView<Element>) {}

    func step(
        _ state: MatrixView<Element>, drive: MatrixView<Element>, pull: Pull<Element>?, isOutput: Bool
    ) -> Element {
        stepPrototypical(
            activation, drive: drive.pointer, pull: pull, state: state.pointer, count: state.count)
    }

    func stepBack(
        _ gradient: MatrixView<Element>, through moment: LayerMoment<Element>, isOutput: Bool,
        toDrive driveGradient: MatrixView<Element>, toState stateGradient: MatrixView<Element>
    ) {
        stepBackPrototypical(
            activation, gradient: gradient.pointer, drive: moment.drive.pointer, driveGradient: driveGradient.pointer,
            count: gradient.count)
        stateGradient.fill(with: 0)
    }

    func sendBack(
        _ sentGradient: MatrixView<Element>, at state: MatrixView<Element>, to stateGradient: MatrixView<Element>
    ) {
        stateGradient.add(sentGradient, scale: 1)
    }
}
