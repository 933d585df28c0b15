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
@specialized(where Element == Float)
@specialized(where Element == Double)
public func activate<Element: KernelScalar>(
    _ activation: Activation, _ input: UnsafePointer<Element>, into output: UnsafeMutablePointer<Element>,
    count: Int
) {
    switch activation {
    case .shiftedSigmoid: map(input, output, count, ShiftedSigmoid.value)
    case .hardSigmoid: map(input, output, count, HardSigmoid.value)
    case .tanh: map(input, output, count, HyperbolicTangent.value)
    }
}

/// A prototypical step of a layer: s ← σ(a), or s ← σ(a) + β(y − s) where the layer is pulled.
///
/// - Returns: max |s(t+1) − s(t)|; NaN where a state is no longer finite.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func stepPrototypical<Element: KernelScalar>(
    _ activation: Activation, drive: UnsafePointer<Element>, pull: Pull<Element>?,
    state: UnsafeMutablePointer<Element>, count: Int
) -> Element {
    switch activation {
    case .shiftedSigmoid: prototypical(ShiftedSigmoid.self, drive, pull, state, count)
    case .hardSigmoid: prototypical(HardSigmoid.self, drive, pull, state, count)
    case .tanh: prototypical(HyperbolicTangent.self, drive, pull, state, count)
    }
}

@inline(__always)
private func map<Element: KernelScalar>(
    _ input: UnsafePointer<Element>, _ output: UnsafeMutablePointer<Element>, _ count: Int,
    _ function: (Element) -> Element
) {
    for i in 0..<count { output[i] = function(input[i]) }
}

@inline(__always)
private func prototypical<Function: ActivationFunction, Element: KernelScalar>(
    _: Function.Type, _ drive: UnsafePointer<Element>, _ pull: Pull<Element>?,
    _ state: UnsafeMutablePointer<Element>, _ count: Int
) -> Element {
    var change = LargestChange<Element>()
    if let pull {
        for i in 0..<count {
            let new = Function.value(drive[i]) + pull.strength * (pull.target[i] - state[i])
            change.record(new - state[i])
            state[i] = new
        }
    } else {
        for i in 0..<count {
            let new = Function.value(drive[i])
            change.record(new - state[i])
            state[i] = new
        }
    }
    return change.value
}

/// The largest |change| seen, NaN once one was not finite.
struct LargestChange<Element: KernelScalar> {
    private var largest: Element = 0
    private var poison: Element = 0

    @inline(__always)
    init() {}

    @inline(__always)
    mutating func record(_ change: Element) {
        let size = abs(change)
        largest = size > largest ? size : largest
        poison += change * 0
    }

    @inline(__always)
    var value: Element { poison == 0 ? largest : .nan }
}

/// A real-time step of a layer: s ← s + dt (−s + ρ′(s) a), or s ← s + dt (−s + a) where no derivative is asked
/// for, with β(y − s) added where the layer is pulled; then clamped to [0, 1] where asked.
///
/// - Returns: max |s(t+1) − s(t)|; NaN where a state is no longer finite.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func stepRealTime<Element: KernelScalar>(
    _ derivativeOf: Activation?, drive: UnsafePointer<Element>, pull: Pull<Element>?, timeStep: Element,
    clamp: Bool, state: UnsafeMutablePointer<Element>, count: Int
) -> Element {
    switch derivativeOf {
    case nil: realTime({ _ in 1 }, drive, pull, timeStep, clamp, state, count)
    case .shiftedSigmoid: realTime(ShiftedSigmoid.derivative, drive, pull, timeStep, clamp, state, count)
    case .hardSigmoid: realTime(HardSigmoid.derivative, drive, pull, timeStep, clamp, state, count)
    case .tanh: realTime(HyperbolicTangent.derivative, drive, pull, timeStep, clamp, state, count)
    }
}

@inline(__always)
private func realTime<Element: KernelScalar>(
    _ derivative: (Element) -> Element, _ drive: UnsafePointer<Element>, _ pull: Pull<Element>?,
    _ timeStep: Element, _ clamp: Bool, _ state: UnsafeMutablePointer<Element>, _ count: Int
) -> Element {
    var change = LargestChange<Element>()
    for i in 0..<count {
        let old = state[i]
        var velocity = derivative(old) * drive[i] - old
        if let pull { velocity += pull.strength * (pull.target[i] - old) }
        let moved = old + timeStep * velocity
        let new = clamp ? HardSigmoid.value(moved) : moved
        change.record(new - old)
        state[i] = new
    }
    return change.value
}
