import CVectorKernels

// The elementwise half of a step: from a layer's drive to its new state, in one pass over memory.

/// The pull of an output layer towards its target: β(y − s), added to what drives the layer.
public struct Pull<Element: KernelScalar> {
    public let target: UnsafePointer<Element>
    public let strength: Element

    @inlinable
    public init(target: UnsafePointer<Element>, strength: Element) {
        self.target = target
        self.strength = strength
    }
}

/// A layer of some samples: rows × columns, and how much each sample changes in a step.
public struct MovingLayer<Element: KernelScalar> {
    public let rows: Int
    public let columns: Int
    public let drive: UnsafePointer<Element>
    public let state: UnsafeMutablePointer<Element>
    /// A step raises the entry of each row to max |s(t+1) − s(t)| over the row; to NaN where a state is no longer
    /// finite.
    public let changes: UnsafeMutablePointer<Element>

    @inlinable
    public init(
        rows: Int, columns: Int, drive: UnsafePointer<Element>, state: UnsafeMutablePointer<Element>,
        changes: UnsafeMutablePointer<Element>
    ) {
        self.rows = rows
        self.columns = columns
        self.drive = drive
        self.state = state
        self.changes = changes
    }
}

/// Activates a whole array: `output[i] = σ(input[i])`.
@inlinable
public func activate<Element: KernelScalar>(
    _ activation: Activation, _ input: UnsafePointer<Element>, into output: UnsafeMutablePointer<Element>,
    count: Int
) {
    Element.vectorKernels.activate(activation.rawValue, input, output, count)
}

/// A prototypical step of a layer: s ← σ(a), or s ← σ(a) + β(y − s) where the layer is pulled.
@inlinable
public func stepPrototypical<Element: KernelScalar>(
    _ activation: Activation, _ layer: MovingLayer<Element>, pull: Pull<Element>?
) {
    Element.vectorKernels.step_prototypical(
        activation.rawValue, layer.rows, layer.columns, layer.drive, pull?.target, Double(pull?.strength ?? 0),
        layer.state, layer.changes)
}

/// A real-time step of a layer: s ← s + dt (−s + ρ′(s) a), or s ← s + dt (−s + a) where no derivative is asked
/// for, with β(y − s) added where the layer is pulled; then clamped to [0, 1] where asked.
@inlinable
public func stepRealTime<Element: KernelScalar>(
    _ derivativeOf: Activation?, _ layer: MovingLayer<Element>, pull: Pull<Element>?, timeStep: Element, clamp: Bool
) {
    Element.vectorKernels.step_real_time(
        derivativeOf?.rawValue ?? Int32(CEP_KERNEL_NONE), layer.rows, layer.columns, layer.drive, pull?.target,
        Double(pull?.strength ?? 0), Double(timeStep), clamp ? 1 : 0, layer.state, layer.changes)
}
