import CVectorKernels

// The elementwise part of a step: from a layer's preactivation to its new state, in one pass over memory.

/// The nudging of a layer: strength β times the negative derivative of the loss of each sample.
public struct Pull<Element: KernelScalar> {
    /// Rows × columns of the layer.
    public let values: UnsafePointer<Element>
    public let strength: Element

    @inlinable
    public init(values: UnsafePointer<Element>, strength: Element) {
        self.values = values
        self.strength = strength
    }
}

/// A layer of some samples, rows × columns, and the change of each sample in a step.
public struct MovingLayer<Element: KernelScalar> {
    public let rows: Int
    public let columns: Int
    public let activation: Activation
    /// Nudging inside the activation is added to it.
    public let preactivation: UnsafeMutablePointer<Element>
    public let state: UnsafeMutablePointer<Element>
    /// A step raises the entry of each row to max |s(t+1) − s(t)| over the row, or to NaN if a state is not finite.
    public let changes: UnsafeMutablePointer<Element>

    @inlinable
    public init(
        rows: Int, columns: Int, activation: Activation, preactivation: UnsafeMutablePointer<Element>,
        state: UnsafeMutablePointer<Element>, changes: UnsafeMutablePointer<Element>
    ) {
        self.rows = rows
        self.columns = columns
        self.activation = activation
        self.preactivation = preactivation
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
    Element.vectorKernels.activate(activation.kernel, input, output, count)
}

/// A prototypical step of a layer: s ← σ(a) + β·pull.
@inlinable
public func stepPrototypical<Element: KernelScalar>(_ layer: MovingLayer<Element>, pull: Pull<Element>?) {
    Element.vectorKernels.step_prototypical(
        layer.activation.kernel, layer.rows, layer.columns, layer.preactivation, pull?.values,
        Double(pull?.strength ?? 0), layer.state, layer.changes)
}

/// A real-time step of a layer: s ← s + dt (−s + ρ′(s) a + β·pull), with ρ′ = 1 if no derivative is requested, then
/// clamped to [0, 1] if requested.
@inlinable
public func stepRealTime<Element: KernelScalar>(
    _ layer: MovingLayer<Element>, hasDerivative: Bool, pull: Pull<Element>?, timeStep: Element, clamp: Bool
) {
    Element.vectorKernels.step_real_time(
        (hasDerivative ? layer.activation : .linear).kernel, layer.rows, layer.columns, layer.preactivation,
        pull?.values, Double(pull?.strength ?? 0), Double(timeStep), clamp ? 1 : 0, layer.state, layer.changes)
}
