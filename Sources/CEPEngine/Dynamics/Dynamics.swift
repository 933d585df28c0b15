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

    /// The activities of states: ρ(s) if activities are coupled through the activation.
    func activate(
        _ activation: Activation, _ states: UnsafePointer<Element>, into activities: UnsafeMutablePointer<Element>,
        count: Int)

    /// Moves a layer's state by one step.
    ///
    /// - Parameters:
    ///   - layer: Its preactivation and its state, which is written.
    ///   - pull: The nudging; only for the layer that the objective is attached to.
    ///   - isOutput: Whether the layer is the network's output, which has a target value for each unit.
    func step(_ layer: MovingLayer<Element>, pull: Pull<Element>?, isOutput: Bool)

    /// The adjoint of `step` in a free phase: from the gradient of a layer's new state to that of its preactivation and
    /// to the part of its old state's gradient that does not pass through its activity.
    func stepBack(
        _ gradient: MatrixView<Element>, through step: RecordedLayer<Element>, activation: Activation, isOutput: Bool,
        toPreactivation preactivationGradient: MatrixView<Element>, toState stateGradient: MatrixView<Element>)

    /// The adjoint of the activity of a layer: adds the contribution of its gradient to that of the state.
    func activityBack(
        _ activityGradient: MatrixView<Element>, at state: MatrixView<Element>, activation: Activation,
        to stateGradient: MatrixView<Element>)
}

extension Dynamics {
    package func activate(
        _ activation: Activation, _ states: UnsafePointer<Element>, into activities: UnsafeMutablePointer<Element>,
        count: Int
    ) {
        CEPKernels.activate(activation, states, into: activities, count: count)
    }
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
    var realTime: RealTimeDynamics<Element>?
    if case .realTime(let setting) = configuration.setting {
        realTime = RealTimeDynamics(setting: setting, feedback: configuration.feedback)
    }
    let nudgesInside = configuration.nudging == .inside
    let base: any Dynamics<Element> = realTime ?? PrototypicalDynamics(nudgesInside: nudgesInside)
    guard let table = configuration.table else { return base }
    return TabulatedDynamics(table: table, base: base, realTime: realTime, nudgesInside: nudgesInside)
}
