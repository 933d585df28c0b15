import CEPKernels

/// How the state of a layer moves in one step, given what drives it.
///
/// A setting is elementwise: the products that make the drive belong to the connections. A new setting is a new
/// conforming type and a line in `makeSetting`.
public protocol Setting<Element>: Sendable {
    associatedtype Element: KernelScalar

    /// Whether a layer sends ρ(s) to its neighbours, rather than s itself.
    var sendsActivation: Bool { get }

    /// What a layer sends, from its state. Called only where `sendsActivation`.
    func send(_ state: UnsafePointer<Element>, into sent: UnsafeMutablePointer<Element>, count: Int)

    /// Moves a layer's state by one step; `pull` is the nudging of the output layer.
    func step(_ layer: MovingLayer<Element>, pull: Pull<Element>?, isOutput: Bool)

    /// Backwards through `step` of a free phase: from the gradient of a layer's new state to those of its drive and,
    /// but for what goes through what it sends, of its old state.
    func stepBack(
        _ gradient: MatrixView<Element>, through moment: LayerMoment<Element>, isOutput: Bool,
        toDrive driveGradient: MatrixView<Element>, toState stateGradient: MatrixView<Element>)

    /// Backwards through `send`: adds what the gradient of what a layer sends is worth to that of its state.
    func sendBack(
        _ sentGradient: MatrixView<Element>, at state: MatrixView<Element>, to stateGradient: MatrixView<Element>)
}

/// A layer just before a step: its state and what drives it.
public struct LayerMoment<Element: KernelScalar> {
    public let state: MatrixView<Element>
    public let drive: MatrixView<Element>
}

func makeSetting<Element: KernelScalar>(_ configuration: NetworkConfiguration) -> any Setting<Element> {
    switch configuration.setting {
    case .prototypical:
        PrototypicalSetting<Element>(activation: configuration.activation)
    case .realTime(let realTime):
        RealTimeSetting<Element>(
            activation: configuration.activation, timeStep: Element(realTime.timeStep), clamp: realTime.clamp,
            derivativeOnHidden: configuration.feedback == .tied,
            derivativeOnOutput: configuration.feedback == .tied && realTime.followsEnergy)
    }
}
