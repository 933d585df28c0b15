import CVectorKernels

// The elementwise half of a step: from a layer's drive to its new state, in one pass over memory.

/// The pull of an output layer towards its target: β(y − s), added to what drives the layer.
public struct Pull<Element: KernelScalar> {
    public let target: UnsafePointer<Element>
    public let strength: Element

    public init(target: UnsafePointer<Element>, strength: Element) {
        self.target = target
        self.strength = strength
    }
}

/// Activates a whole array: `output[i] = σ(input[i])`.
public func activate<Element: KernelScalar>(
    _ activation: Activation, _ input: UnsafePointer<Element>, into output: UnsafeMutablePointer<Element>,
    count: Int
) {
    let kernels = Element.vectorKernels
    forParts(of: count) { start, count in
        kernels.activate(activation.rawValue, input + start, output + start, count)
        return Element(0)
    }
}

/// A prototypical step of a layer: s ← σ(a), or s ← σ(a) + β(y − s) where the layer is pulled.
///
/// - Returns: max |s(t+1) − s(t)|; NaN where a state is no longer finite.
public func stepPrototypical<Element: KernelScalar>(
    _ activation: Activation, drive: UnsafePointer<Element>, pull: Pull<Element>?,
    state: UnsafeMutablePointer<Element>, count: Int
) -> Element {
    let kernels = Element.vectorKernels
    return forParts(of: count) { start, count in
        Element(
            kernels.step_prototypical(
                activation.rawValue, drive + start, pull.map { $0.target + start }, Double(pull?.strength ?? 0),
                state + start, count))
    }
}

/// A real-time step of a layer: s ← s + dt (−s + ρ′(s) a), or s ← s + dt (−s + a) where no derivative is asked
/// for, with β(y − s) added where the layer is pulled; then clamped to [0, 1] where asked.
///
/// - Returns: max |s(t+1) − s(t)|; NaN where a state is no longer finite.
public func stepRealTime<Element: KernelScalar>(
    _ derivativeOf: Activation?, drive: UnsafePointer<Element>, pull: Pull<Element>?, timeStep: Element,
    clamp: Bool, state: UnsafeMutablePointer<Element>, count: Int
) -> Element {
    let kernels = Element.vectorKernels
    return forParts(of: count) { start, count in
        Element(
            kernels.step_real_time(
                derivativeOf?.rawValue ?? Int32(CEP_KERNEL_NONE), drive + start, pull.map { $0.target + start },
                Double(pull?.strength ?? 0), Double(timeStep), clamp ? 1 : 0, state + start, count))
    }
}

/// Elements that make a part of a loop worth a hand-over.
private let worthwhileElements = 1 << 13

/// Runs an elementwise loop in parts.
///
/// - Returns: The largest of what the parts return; NaN where one does.
@discardableResult
private func forParts<Element: KernelScalar>(
    of count: Int, _ body: (_ start: Int, _ count: Int) -> Element
) -> Element {
    // Parts begin where vectors do, whatever their number: no bit depends on the threads.
    let units = (count + 63) / 64
    let parts = max(1, min(WorkerPool.shared.threadCount, count / worthwhileElements))
    if parts == 1 { return body(0, count) }
    return withUnsafeTemporaryAllocation(of: Element.self, capacity: parts) { results in
        guard let results = results.baseAddress else { return .nan }
        WorkerPool.shared.run(parts: parts) { part in
            let start = part * units / parts * 64
            results[part] = body(start, min((part + 1) * units / parts * 64, count) - start)
        }
        var largest: Element = 0
        for part in 0..<parts where !(results[part] <= largest) && !largest.isNaN { largest = results[part] }
        return largest
    }
}
