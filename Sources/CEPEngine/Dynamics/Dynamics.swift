import CEPKernels

/// How the state of a layer moves in one step, given its preactivation.
///
/// A setting is elementwise: products belong to the connections. A new setting is one conforming type in a file of its
/// own and a case in `makeDynamics`.
package protocol Dynamics<Element>: Sendable {
    associatedtype Element: KernelScalar

    /// Whether the activity of a layer is ρ(s) rather than s itself.
    var couplesThroughActivation: Bool { get }

    /// The unit of time in which states move.
    var timeStep: Element { get }

    /// Whether states of this activation are clamped to [0, 1].
    func clamps(_ activation: Activation) -> Bool

    /// Moves a layer's state by one step.
    ///
    /// - Parameters:
    ///   - layer: Its preactivation and its state, which is written.
    ///   - pull: The nudging, of the layer that the objective is attached to.
    ///   - isOutput: Whether the layer is the network's output, which has a target value for each unit.
    func step(_ layer: MovingLayer<Element>, pull: Pull<Element>?, isOutput: Bool)

    /// Backwards through `step` of a free phase: from the gradient of a layer's new state to that of its preactivation
    /// and, except for what goes through its activity, of its old state.
    func stepBack(
        _ gradient: MatrixView<Element>, through step: RecordedLayer<Element>, activation: Activation, isOutput: Bool,
        toPreactivation preactivationGradient: MatrixView<Element>, toState stateGradient: MatrixView<Element>)

    /// Backwards through the activity of a layer: adds what its gradient contributes to that of the state.
    func activityBack(
        _ activityGradient: MatrixView<Element>, at state: MatrixView<Element>, activation: Activation,
        to stateGradient: MatrixView<Element>)
}

/// A layer just before a step: its state, its activity and its preactivation.
package struct RecordedLayer<Element: KernelScalar> {
    package let state: MatrixView<Element>
    package let activity: MatrixView<Element>
    package let preactivation: MatrixView<Element>

    /// Some of the samples.
    func rows(_ rows: Range<Int>) -> RecordedLayer {
        RecordedLayer(
            state: state.rows(rows), activity: activity.rows(rows), preactivation: preactivation.rows(rows))
    }
}

func makeDynamics<Element: KernelScalar>(_ configuration: NetworkConfiguration) -> any Dynamics<Element> {
    switch configuration.setting {
    case .prototypical:
        PrototypicalDynamics<Element>(nudgesInside: configuration.nudging == .inside)
    case .realTime(let realTime):
        RealTimeDynamics<Element>(setting: realTime, feedback: configuration.feedback)
    }
}
