import CEPKernels

/// The two sides of Theorem 1 of Ernoult et al. (2020), the GDU property, step by step: the updates of neurons and
/// synapses in the nudged phase, and the negative gradients that BPTT sends back through the last steps of the free
/// phase.
public final class TheoremCheck<Element: KernelScalar> {
    /// K × entries each: row t is step t of the nudged phase, and step T − t of the free phase.
    public struct Curves {
        /// (1/βB) times the change, summed over the batch; divided by the learning rate for synapses, and by dt for
        /// neurons in the real-time setting.
        public let updates: Matrix<Element>
        /// The negative gradient of the mean loss.
        public let gradients: Matrix<Element>

        init(steps: Int, entries: Int) throws(EngineError) {
            updates = try Matrix(rows: steps, columns: entries)
            gradients = try Matrix(rows: steps, columns: entries)
        }
    }

    /// Of layers 1 ... L.
    public let states: [Curves]
    /// Of each set of the network's parameters, tensor by tensor; empty for a readout, which is outside the dynamics.
    public let parameters: [[Curves]]
    /// The names of these tensors.
    public let names: [[String]]
    /// How the free phase ended: the theorem assumes that the steady state was reached K steps before its end.
    public let freePhase: PhaseOutcome

    init(of network: Network<Element>, steps: Int, freePhase: PhaseOutcome) throws(EngineError) {
        let tensors = network.parameters.enumerated().map { k, each in k == network.readoutIndex ? [] : each.tensors }
        let layers = network.configuration.layers.dropFirst()
        let entries = (tensors.joined().map { $0.values.count } + layers.map(\.units)).reduce(0.0) { $0 + Double($1) }
        try checkMemory(values: 2 * Double(steps) * entries, of: Element.self, for: "the curves of \(steps) steps")
        var states: [Curves] = []
        for layer in layers { states.append(try Curves(steps: steps, entries: layer.units)) }
        self.states = states
        var parameters: [[Curves]] = []
        for each in tensors {
            var curves: [Curves] = []
            for tensor in each { curves.append(try Curves(steps: steps, entries: tensor.values.count)) }
            parameters.append(curves)
        }
        self.parameters = parameters
        names = tensors.map { $0.map(\.name) }
        self.freePhase = freePhase
    }

    /// The curves of one tensor of a set of parameters; nil if it has no curves.
    public func curves(_ name: String, of index: Int) -> Curves? {
        guard parameters.indices.contains(index), let place = names[index].firstIndex(of: name) else { return nil }
        return parameters[index][place]
    }

    /// The curves of all weights and feedback weights, without biases.
    private var weights: [Curves] {
        zip(names, parameters).flatMap { zip($0, $1) }.filter { $0.0 != "biases" }.map { $0.1 }
    }

    /// Degrees between the total update and the total gradient of all weights and feedback weights, without biases.
    ///
    /// - Throws: `EngineError.outOfMemory` if memory for the totals of a connection is not available.
    public func angle() throws(EngineError) -> Double {
        var product = 0.0
        var squares = (0.0, 0.0)
        for curves in weights {
            let update = try curves.updates.total()
            let gradient = try curves.gradients.total()
            product += dotProduct(update.pointer, gradient.pointer, count: update.count)
            squares.0 += dotProduct(update.pointer, update.pointer, count: update.count)
            squares.1 += dotProduct(gradient.pointer, gradient.pointer, count: gradient.count)
        }
        return CEPEngine.angle(product: product, squares: squares.0, squares.1)
    }
}

extension TheoremCheck.Curves {
    /// |updates − gradients| / |gradients|, in the Euclidean norm over all steps and entries.
    public var relativeError: Double {
        let scale = dotProduct(gradients.pointer, gradients.pointer, count: gradients.count)
        return (squaredDistance(updates.pointer, gradients.pointer, count: updates.count) / scale).squareRoot()
    }

    /// The share of entries whose update and gradient have the same sign, among those where neither is 0.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func signAgreement() -> Double {
        var (same, compared) = (0, 0)
        for i in 0..<updates.count where updates.pointer[i] != 0 && gradients.pointer[i] != 0 {
            compared += 1
            if (updates.pointer[i] > 0) == (gradients.pointer[i] > 0) { same += 1 }
        }
        return compared == 0 ? .nan : Double(same) / Double(compared)
    }
}

extension Matrix {
    /// The sum of all rows; for curves the sum over all steps.
    fileprivate func total() throws(EngineError) -> Matrix {
        let total = try Matrix(rows: 1, columns: columns)
        total.view.addRowSums(of: view, scale: 1)
        return total
    }
}

/// The options of a theorem check.
public struct TheoremConditions: Sendable {
    /// Steps of the free phase, 1 or more.
    public var freeSteps: Int
    /// K, steps of the nudged phase, 1 to `freeSteps`.
    public var nudgedSteps: Int
    /// β, finite and not 0.
    public var beta: Double
    /// The learning rates of the synapses during the nudged phase; 0 for EP, small for C-EP.
    public var learningRates: LearningRates
    /// Whether the nudged phase is corrected for feedback weights that differ from the transposed forward weights.
    public var asymmetry: Asymmetry
    /// Whether to leave out of the curves what the paper's code leaves out: the term t = 0 of the weights, on both
    /// sides; the updates of neurons that the nudging has not reached yet (layer l at t < L − l), which otherwise show
    /// the residual of the free phase; and those of neurons that a step leaves at a bound of the clamping.
    public var asRecorded: Bool

    /// - Parameters:
    ///   - freeSteps: Steps of the free phase, 1 or more.
    ///   - nudgedSteps: K, 1 to `freeSteps`.
    ///   - beta: β, finite and not 0.
    ///   - learningRates: The learning rates of the synapses during the nudged phase.
    ///   - asymmetry: Whether the nudged phase is corrected.
    ///   - asRecorded: Whether to leave out what the paper's code leaves out.
    public init(
        freeSteps: Int, nudgedSteps: Int, beta: Double, learningRates: LearningRates,
        asymmetry: Asymmetry = .vectorField, asRecorded: Bool = false
    ) {
        self.freeSteps = freeSteps
        self.nudgedSteps = nudgedSteps
        self.beta = beta
        self.learningRates = learningRates
        self.asymmetry = asymmetry
        self.asRecorded = asRecorded
    }

    package init(_ options: Options) throws(EngineError) {
        var options = options
        let phases = try TwoPhases(&options)
        self.init(
            freeSteps: phases.freeSteps, nudgedSteps: phases.nudgedSteps, beta: phases.beta,
            learningRates: try required(options.learningRates(), "learning_rates"),
            asymmetry: phases.asymmetry, asRecorded: try options.flag("as_recorded") ?? false)
        try options.checkAllRead(by: "the theorem check")
    }

    func validate<Element>(for network: Network<Element>) throws(EngineError) {
        try TwoPhases(freeSteps: freeSteps, nudgedSteps: nudgedSteps, beta: beta).validate(for: network)
        try learningRates.validate(for: network)
        guard nudgedSteps <= freeSteps else {
            throw .invalidArgument(
                "nudged_steps is \(nudgedSteps), more than the \(freeSteps) free_steps that gradients can be sent back "
                    + "through")
        }
    }
}

extension Network {
    /// Compares updates with gradients, step by step. The network does not change.
    ///
    /// - Throws: `EngineError.invalidArgument` for samples or conditions that cannot be used; `.diverged`; `.stopped`;
    ///   `.outOfMemory`; `.busy` while another call uses the network.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func checkTheorem(
        _ samples: Samples, _ conditions: TheoremConditions, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> TheoremCheck<Element> {
        try exclusively { () throws(EngineError) in
            try samples.validate(for: self)
            try conditions.validate(for: self)
            monitor.begin(total: samples.inputs.rows)
            let batch = try detachedBatch(of: samples)
            let steps = conditions.nudgedSteps
            let (trajectory, residual) = try relaxRecording(
                batch.state, steps: conditions.freeSteps, kept: steps, monitor: monitor)
            let check = try TheoremCheck(
                of: self, steps: steps, freePhase: PhaseOutcome(steps: conditions.freeSteps, residual: residual))
            try recordGradients(of: batch, through: trajectory, in: check, monitor: monitor)
            try recordUpdates(of: batch, conditions, in: check, monitor: monitor)
            if conditions.asRecorded { check.dropFirstTerms() }
            return check
        }
    }

    private func recordGradients(
        of batch: ClampedBatch<Element>, through trajectory: Trajectory<Element>, in check: TheoremCheck<Element>,
        monitor: ProgressMonitor
    ) throws(EngineError) {
        let sweep = try BackwardSweep(of: self, from: batch)
        let preactivationGradients = try layerMatrices(rows: trajectory.batch).map { $0.view }
        let gradient = try zeroParameters()
        for t in 0..<trajectory.steps {
            for (curves, stateGradient) in zip(check.states, sweep.stateGradients) {
                curves.gradients.rows(from: t, count: 1).addRowSums(of: stateGradient.view, scale: -1)
            }
            try sweep.checkGradients(after: t)
            let step = trajectory.steps - 1 - t
            sweep.stepBack(through: { trajectory.layer($0, at: step) }, into: preactivationGradients)
            for each in gradient { each.setToZero() }
            addGradient(
                preactivationGradients: preactivationGradients,
                activities: { trajectory.activities(of: $0, steps: step..<step + 1) },
                rates: forEachParameters(UpdateRates(-1)), into: gradient)
            check.record(gradient, at: t) { $0.gradients }
            try monitor.stepTaken(t + 1, of: trajectory.steps)
        }
    }

    private func recordUpdates(
        of batch: ClampedBatch<Element>, _ conditions: TheoremConditions, in check: TheoremCheck<Element>,
        monitor: ProgressMonitor
    ) throws(EngineError) {
        let state = batch.state
        for connection in connections { try connection.reserve(batch: state.batch) }
        let older = try StateSnapshot(of: state)
        let update = try zeroParameters()
        let scale = 1 / Element(conditions.beta * Double(state.batch))
        let rates: [UpdateRates<Element>] = conditions.learningRates.rates().map { $0 * scale }
        let changes = try layerMatrices(rows: state.batch)

        let before = try backUpParameters()
        defer { restoreParameters(from: before) }
        let corrected =
            conditions.asymmetry == .exact
            ? try CorrectedPhase(of: self, on: batch, beta: conditions.beta) : nil
        let nudge = corrected == nil ? Nudge(target: batch.target, beta: Element(conditions.beta)) : nil
        try relaxStepByStep(
            state, steps: conditions.nudgedSteps, nudge: nudge, weightsMove: true, corrected: corrected,
            monitor: monitor
        ) { (step) throws(EngineError) in
            for (k, curves) in check.states.enumerated() {
                let change = changes[k].view
                change.setToDifference(of: state.layers[k + 1].view, and: older.state(of: k + 1))
                if conditions.asRecorded, self.dynamics.clamps(state.activations[k + 1]) {
                    change.setToZeroAtBounds(of: state.layers[k + 1].view)
                }
                curves.updates.rows(from: step - 1, count: 1).addRowSums(
                    of: change, scale: scale / self.dynamics.timeStep)
            }
            for each in update { each.setToZero() }
            func addUpdates(_ rates: [UpdateRates<Element>], into sums: [ConnectionParameters<Element>]) {
                if let corrected {
                    corrected.addUpdates(from: older.movingLayers, to: state, rates: rates, into: sums)
                } else {
                    self.addUpdates(from: older, to: state, rates: rates, into: sums)
                }
            }
            addUpdates(self.forEachParameters(UpdateRates(scale)), into: update)
            check.record(update, at: step - 1) { $0.updates }
            addUpdates(rates, into: self.parameters)
            try self.prepareConnections()
            self.refreshInput(of: state)
            try corrected?.parametersChanged()
            older.update(from: state)
        }
    }
}

extension MatrixView {
    /// Sets changes to zero where the states have been clamped.
    fileprivate func setToZeroAtBounds(of state: MatrixView) {
        for i in 0..<state.count where state.pointer[i] == 0 || state.pointer[i] == 1 { pointer[i] = 0 }
    }
}

extension TheoremCheck {
    fileprivate func dropFirstTerms() {
        for curves in weights {
            curves.updates.rows(from: 0, count: 1).setToZero()
            curves.gradients.rows(from: 0, count: 1).setToZero()
        }
        for (layersToOutput, curves) in states.reversed().enumerated() {
            let untouched = min(layersToOutput, curves.updates.rows)
            curves.updates.rows(from: 0, count: untouched).setToZero()
        }
    }

    /// Writes one step of one side of the synapses' curves.
    fileprivate func record(
        _ values: [ConnectionParameters<Element>], at step: Int, in side: (Curves) -> Matrix<Element>
    ) {
        for (each, curves) in zip(values, parameters) {
            for (tensor, curve) in zip(each.tensors, curves) {
                side(curve).rows(from: step, count: 1).pointer.update(
                    from: tensor.values.pointer, count: tensor.values.count)
            }
        }
    }
}
