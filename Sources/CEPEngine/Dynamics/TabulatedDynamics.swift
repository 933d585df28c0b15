import CEPKernels

/// The dynamics of a network in which some layers have a tabulated activation.
struct TabulatedDynamics<Element: KernelScalar>: Dynamics {
    let table: ActivationTable
    /// The dynamics of the other layers.
    let base: any Dynamics<Element>
    /// nil in the prototypical setting.
    let realTime: RealTimeDynamics<Element>?
    let nudgesInside: Bool

    var couplesThroughActivation: Bool { base.couplesThroughActivation }
    var timeStep: Element { base.timeStep }
    func clamps(_ activation: Activation) -> Bool { base.clamps(activation) }

    func activate(
        _ activation: Activation, _ states: UnsafePointer<Element>, into activities: UnsafeMutablePointer<Element>,
        count: Int
    ) {
        guard activation == .tabulated else {
            return base.activate(activation, states, into: activities, count: count)
        }
        for i in 0..<count { activities[i] = table.value(at: states[i]) }
    }

    func step(_ layer: MovingLayer<Element>, pull: Pull<Element>?, isOutput: Bool) {
        guard layer.activation == .tabulated else { return base.step(layer, pull: pull, isOutput: isOutput) }
        let strength = pull?.strength ?? 0
        let hasDerivative = realTime?.hasDerivative(isOutput) ?? false
        let clamps = clamps(.tabulated)
        for row in 0..<layer.rows {
            for i in row * layer.columns..<(row + 1) * layer.columns {
                let (old, nudge) = (layer.state[i], pull.map { strength * $0.values[i] } ?? 0)
                var new: Element
                if realTime == nil {
                    if nudgesInside { layer.preactivation[i] += nudge }
                    new = table.value(at: layer.preactivation[i]) + (nudgesInside ? 0 : nudge)
                } else {
                    let factor = hasDerivative ? table.slope(at: old) : 1
                    new = old + timeStep * (factor * layer.preactivation[i] - old + nudge)
                    if clamps { new = new < 0 ? 0 : new > 1 ? 1 : new }
                }
                let change = new.isFinite ? (new - old).magnitude : .nan
                layer.state[i] = new
                if !(change <= layer.changes[row]), !layer.changes[row].isNaN { layer.changes[row] = change }
            }
        }
    }

    func stepBack(
        _ gradient: MatrixView<Element>, through step: RecordedLayer<Element>, activation: Activation, isOutput: Bool,
        toPreactivation preactivationGradient: MatrixView<Element>, toState stateGradient: MatrixView<Element>
    ) {
        guard activation == .tabulated else {
            return base.stepBack(
                gradient, through: step, activation: activation, isOutput: isOutput,
                toPreactivation: preactivationGradient, toState: stateGradient)
        }
        let hasDerivative = realTime?.hasDerivative(isOutput) ?? false
        let clamps = clamps(.tabulated)
        for i in 0..<gradient.count {
            guard realTime != nil else {
                preactivationGradient.pointer[i] =
                    gradient.pointer[i] * table.slope(at: step.preactivation.pointer[i])
                stateGradient.pointer[i] = 0
                continue
            }
            let old = step.state.pointer[i]
            let factor: Element = hasDerivative ? table.slope(at: old) : 1
            let moved = old + timeStep * (factor * step.preactivation.pointer[i] - old)
            let passing = clamps && !(moved >= 0 && moved <= 1) ? 0 : gradient.pointer[i]
            preactivationGradient.pointer[i] = passing * timeStep * factor
            stateGradient.pointer[i] = passing * (1 - timeStep)
        }
    }

    func activityBack(
        _ activityGradient: MatrixView<Element>, at state: MatrixView<Element>, activation: Activation,
        to stateGradient: MatrixView<Element>
    ) {
        guard activation == .tabulated, realTime != nil else {
            return base.activityBack(activityGradient, at: state, activation: activation, to: stateGradient)
        }
        for i in 0..<state.count {
            stateGradient.pointer[i] += activityGradient.pointer[i] * table.slope(at: state.pointer[i])
        }
    }
}
