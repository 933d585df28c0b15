import CEPKernels

/// The two sides of Theorem 1 of Ernoult et al. (2020), the GDU property, step by step: what neurons and synapses do in
/// the nudged phase, and minus the gradients that BPTT sends back through the last steps of the free phase.
public final class TheoremCheck<Element: KernelScalar> {
    /// K × entries each: row t is the step t of the nudged phase, and the step T − t of the free one.
    public struct Curves {
        /// (1/βB) times what changed, summed over the batch; for synapses divided by the learning rate, for neurons in
        /// the real-time setting by dt.
        public let updates: Matrix<Element>
        /// Minus the gradient of L = (1/2B) Σ |s_L − y|².
        public let gradients: Matrix<Element>

        init(steps: Int, entries: Int) throws(EngineError) {
            updates = try Matrix(rows: steps, columns: entries)
            gradients = try Matrix(rows: steps, columns: entries)
        }
    }

    /// Of layers 1 ... L.
    public let states: [Curves]
    /// Of each connection.
    public let weights: [Curves]
    public let biases: [Curves]
    /// nil where a connection has no feedback weights of its own.
    public let feedbackWeights: [Curves?]
    /// How the free phase ended: the theorem supposes that the steady state had been reached K steps before.
    public let freePhase: PhaseOutcome

    init(of network: Network<Element>, steps: Int, freePhase: PhaseOutcome) throws(EngineError) {
        func curves(_ matrices: [Matrix<Element>?]) throws(EngineError) -> [Curves?] {
            var curves: [Curves?] = []
            for matrix in matrices {
                if let matrix {
                    curves.append(try Curves(steps: steps, entries: matrix.count))
                } else {
                    curves.append(nil)
                }
            }
            return curves
        }
        let parameters = network.parameters
        // Of the neurons there are as many as of the biases, and updates stand beside gradients.
        let entries = parameters.reduce(0) { $0 + $1.biases.count + $1.matrices.reduce(0) { $0 + $1.count } }
        try checkMemory(
            values: 2 * Double(steps) * Double(entries), of: Element.self, for: "the curves of \(steps) steps")
        states = try curves(parameters.map { $0.biases }).compactMap { $0 }
        weights = try curves(parameters.map { $0.weights }).compactMap { $0 }
        biases = try curves(parameters.map { $0.biases }).compactMap { $0 }
        feedbackWeights = try curves(parameters.map { $0.feedbackWeights })
        self.freePhase = freePhase
    }

    /// Degrees between the total update and the total gradient of all weights, feedback weights included, biases left
    /// out.
    ///
    /// - Throws: `EngineError.outOfMemory` where there is no room for the totals of a connection.
    public func angle() throws(EngineError) -> Double {
        var product = 0.0
        var squares = (0.0, 0.0)
        for curves in weights + feedbackWeights.compactMap({ $0 }) {
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

    /// The share of entries of which update and gradient have the same sign, among those where neither is 0.
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
    /// The sum of all rows: of curves, that over all steps.
    fileprivate func total() throws(EngineError) -> Matrix {
        let total = try Matrix(rows: 1, columns: columns)
        total.view.addRowSums(of: view, scale: 1)
        return total
    }
}

/// What a theorem check is run with.
public struct TheoremConditions: Sendable {
    public var freeSteps: Int
    public var nudgedSteps: Int
    public var beta: Double
    /// Of the synapses during the nudged phase; 0 for EP, small for C-EP.
    public var learningRates: LearningRates
    /// Whether to follow the paper's code in what it leaves out of the curves: the term t = 0 of the weights, on both
    /// sides; the updates of neurons that the nudging has not reached yet (layer l at t < L − l), where otherwise the
    /// remains of the free phase show; and those of neurons that a step leaves at a bound of the clamping.
    public var asRecorded: Bool

    public init(
        freeSteps: Int, nudgedSteps: Int, beta: Double, learningRates: LearningRates,
        asRecorded: Bool = false
    ) {
        self.freeSteps = freeSteps
        self.nudgedSteps = nudgedSteps
        self.beta = beta
        self.learningRates = learningRates
        self.asRecorded = asRecorded
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
    /// Holds updates against gradients, step by step. The network does not change.
    public func checkTheorem(
        _ samples: Samples, _ conditions: TheoremConditions, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> TheoremCheck<Element> {
        try samples.validate(for: self)
        try conditions.validate(for: self)
        monitor.begin(total: samples.inputs.rows)
        try beginProducts()
        defer { OpenBLAS.end() }
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

    private func recordGradients(
        of batch: ClampedBatch<Element>, through trajectory: Trajectory<Element>, in check: TheoremCheck<Element>,
        monitor: ProgressMonitor
    ) throws(EngineError) {
        let sweep = try BackwardSweep(of: self, from: batch)
        let driveGradients = try layerMatrices(rows: trajectory.batch).map { $0.view }
        let gradient = try zeroParameters()
        let minus = connections.map { _ in UpdateRates<Element>(weights: -1, biases: -1) }
        for t in 0..<trajectory.steps {
            for (curves, stateGradient) in zip(check.states, sweep.stateGradients) {
                curves.gradients.rows(from: t, count: 1).addRowSums(of: stateGradient.view, scale: -1)
            }
            try sweep.checkGradients(after: t)
            let step = trajectory.steps - 1 - t
            sweep.stepBack(through: { trajectory.moment(of: $0, at: step) }, into: driveGradients)
            for connection in gradient { connection.setToZero() }
            addGradient(
                driveGradients: driveGradients, sent: { trajectory.sent(at: $0, steps: step..<step + 1) },
                rates: minus, into: gradient)
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
        let unit = connections.map { _ in UpdateRates<Element>(weights: scale, biases: scale) }
        let rates: [UpdateRates<Element>] = conditions.learningRates.rates().map { $0 * scale }
        let movements = try layerMatrices(rows: state.batch)

        let before = try backUpParameters()
        defer { restoreParameters(from: before) }
        let nudge = Nudge(target: batch.target, beta: Element(conditions.beta))
        try relaxChangingWeights(state, steps: conditions.nudgedSteps, nudge: nudge, monitor: monitor) { step in
            for (k, curves) in check.states.enumerated() {
                let movement = movements[k].view
                movement.setToDifference(of: state.layers[k + 1].view, and: older.joinedLayers(at: k).above.state)
                if conditions.asRecorded { self.stopAtBounds(movement, of: state.layers[k + 1].view) }
                curves.updates.rows(from: step - 1, count: 1).addRowSums(of: movement, scale: scale / self.timeStep)
            }
            for connection in update { connection.setToZero() }
            self.addUpdates(from: older, to: state, rates: unit, into: update)
            check.record(update, at: step - 1) { $0.updates }
            self.addUpdates(from: older, to: state, rates: rates, into: self.parameters)
            self.refreshInputDrive(of: state)
            older.update(from: state)
        }
    }
}

extension Network {
    /// The unit of time in which states move.
    fileprivate var timeStep: Element {
        if case .realTime(let realTime) = configuration.setting { Element(realTime.timeStep) } else { 1 }
    }

    /// Sets the movement of states that have been clamped to 0.
    fileprivate func stopAtBounds(_ movement: MatrixView<Element>, of state: MatrixView<Element>) {
        guard case .realTime(let realTime) = configuration.setting, realTime.clamp else { return }
        for i in 0..<state.count where state.pointer[i] == 0 || state.pointer[i] == 1 { movement.pointer[i] = 0 }
    }
}

extension TheoremCheck {
    fileprivate func dropFirstTerms() {
        for curves in weights + feedbackWeights.compactMap({ $0 }) {
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
        _ parameters: [ConnectionParameters<Element>], at step: Int, in side: (Curves) -> Matrix<Element>
    ) {
        func write(_ values: Matrix<Element>, _ curves: Curves) {
            side(curves).rows(from: step, count: 1).pointer.update(from: values.pointer, count: values.count)
        }
        for (k, connection) in parameters.enumerated() {
            write(connection.weights, weights[k])
            write(connection.biases, biases[k])
            if let values = connection.feedbackWeights, let curves = feedbackWeights[k] { write(values, curves) }
        }
    }
}
