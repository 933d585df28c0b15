import CEPKernels

/// How a phase ended.
public struct PhaseOutcome: Sendable, Equatable {
    /// Steps taken. Fewer than asked for where a step changed no bit of any state: further ones would not either.
    public var steps: Int
    /// max |s(t+1) − s(t)| of the last step, over all units and samples.
    public var residual: Double
    /// Whether the residual is at most the square root of the number type's epsilon: 3.5e-4 in float32, 1.5e-8 in
    /// float64.
    public var converged: Bool

    init<Element: KernelScalar>(steps: Int, residual: Element) {
        self.steps = steps
        self.residual = Double(residual)
        converged = residual <= Element.ulpOfOne.squareRoot()
    }
}

/// The nudging of the output layer towards a target, with strength β.
struct Nudge<Element: KernelScalar> {
    let target: Matrix<Element>
    let beta: Element

    var pull: Pull<Element> { Pull(target: UnsafePointer(target.pointer), strength: beta) }
}

extension Network {
    /// Takes up to `steps` steps from the present state, all layers at once from their old states.
    ///
    /// - Parameter movements: How each connection has moved since the phase began, if they do.
    /// - Throws: `EngineError.diverged`, `.stopped`.
    func relax(
        _ state: NetworkState<Element>, steps: Int, nudge: Nudge<Element>? = nil, monitor: ProgressMonitor,
        movements: [any WeightMovement<Element>] = [], afterStep: ((_ step: Int) -> Void)? = nil
    ) throws(EngineError) -> PhaseOutcome {
        beginPhase(state)
        // The input's weights are used once; the others at every step.
        for connection in connections.dropFirst() { try connection.pack() }
        defer { for connection in connections { connection.unpack() } }
        var residual = Element.infinity
        var taken = 0
        while taken < steps, residual != 0 {
            residual = step(state, nudge: nudge, movements: movements)
            taken += 1
            if residual.isNaN { throw diverged(state, step: taken, nudged: nudge != nil) }
            afterStep?(taken)
            try monitor.stepTaken(taken, of: steps)
        }
        return PhaseOutcome(steps: taken, residual: residual)
    }

    /// Brings up to date what steps take as given: what each layer sends, and the drive of the clamped input.
    func beginPhase(_ state: NetworkState<Element>) {
        if setting.sendsActivation {
            for (layer, sent) in zip(state.layers, state.sent) { setting.send(layer.view, into: sent.view) }
        }
        refreshInputDrive(of: state)
    }

    /// To be called where the parameters of the first connection, or the input, have changed.
    func refreshInputDrive(of state: NetworkState<Element>) {
        connections[0].driveUp(state.sent[0].view, into: state.inputDrive.view)
    }

    /// One step of all layers.
    ///
    /// - Returns: max |s(t+1) − s(t)|; NaN where a state is no longer finite.
    func step(
        _ state: NetworkState<Element>, nudge: Nudge<Element>?, movements: [any WeightMovement<Element>] = []
    ) -> Element {
        updateDrives(of: state)
        for (k, movement) in movements.enumerated() {
            movement.addDriveUp(state.sent[k].view, to: state.drives[k].view)
            if k > 0 { movement.addDriveDown(state.sent[k + 1].view, to: state.drives[k - 1].view) }
        }
        let last = connections.count
        var residual: Element = 0
        for layer in 1...last {
            let pull = layer == last ? nudge?.pull : nil
            let change = setting.step(
                state.layers[layer].view, drive: state.drives[layer - 1].view, pull: pull, isOutput: layer == last)
            if !(change <= residual), !residual.isNaN { residual = change }
            if setting.sendsActivation { setting.send(state.layers[layer].view, into: state.sent[layer].view) }
        }
        return residual
    }

    /// What arrives at each layer, from the states as they are.
    func updateDrives(of state: NetworkState<Element>) {
        for layer in 1...connections.count {
            let drive = state.drives[layer - 1].view
            if layer == 1 {
                drive.copy(from: state.inputDrive.view)
            } else {
                connections[layer - 1].driveUp(state.sent[layer - 1].view, into: drive)
            }
            if layer < connections.count {
                connections[layer].addDriveDown(state.sent[layer + 1].view, to: drive)
            }
        }
    }

    func diverged(_ state: NetworkState<Element>, step: Int, nudged: Bool) -> EngineError {
        func finite(_ matrix: Matrix<Element>) -> Bool {
            firstNonFinite(in: matrix.pointer, count: matrix.count) == nil
        }
        let phase = "the \(nudged ? "nudged" : "free") phase diverged at step \(step)"
        guard let layer = state.layers.firstIndex(where: { !finite($0) }) else {
            return .diverged("\(phase): a state changed by more than a \(Element.self) can hold")
        }
        let place = "\(phase), in layer \(layer)"
        if let k = connections.firstIndex(where: { !$0.parameters.isFinite }) {
            return .diverged("\(place): parameters of connection \(k) are infinite or not a number")
        }
        return .diverged("\(place): its state is infinite or not a number; try a smaller beta, dt or learning rate")
    }
}
