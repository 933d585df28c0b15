import CEPKernels

/// The discrete-time setting: s ← σ(a), and s_L ← σ(a) + β(y − s_L) at a nudged output.
struct PrototypicalSetting<Element: KernelScalar>: Setting {
    let activation: Activation

    var sendsActivation: Bool { false }

    func send(_ state: UnsafePointer<Element>, into sent: UnsafeMutablePointer<Element>, count: Int) {}

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func step(_ layer: MovingLayer<Element>, pull: Pull<Element>?, isOutput: Bool) {
        stepPrototypical(activation, layer, pull: pull)
    }

    func stepBack(
        _ gradient: MatrixView<Element>, through moment: LayerMoment<Element>, isOutput: Bool,
        toDrive driveGradient: MatrixView<Element>, toState stateGradient: MatrixView<Element>
    ) {
        stepBackPrototypical(
            activation, gradient: gradient.pointer, drive: moment.drive.pointer, driveGradient: driveGradient.pointer,
            count: gradient.count)
        stateGradient.setToZero()
    }

    func sendBack(
        _ sentGradient: MatrixView<Element>, at state: MatrixView<Element>, to stateGradient: MatrixView<Element>
    ) {
        stateGradient.add(sentGradient, scale: 1)
    }
}
