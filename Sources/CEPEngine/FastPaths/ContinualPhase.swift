import CEPKernels

/// A nudged phase in which the weights change by plain SGD at every step, without being written: each connection keeps
/// its change in the form that costs least.
///
/// Updates combine all samples, so threads synchronize twice a step: when all states have moved, and when all updates
/// have been recorded. Results do not depend on the number of threads.
final class ContinualPhase<Element: KernelScalar> {
    private let network: Network<Element>
    private let nudge: Nudge<Element>
    private let weights: PlasticWeights<Element>
    private let recorded: RecordedUpdates<Element>
    private let state: NetworkState<Element>
    private let all: StateRows<Element>
    private let parts: [StateRows<Element>]
    /// The parts of updates that need all samples, each with its connection.
    private let batchRecordings: [(connection: Int, part: Int)]

    /// - Parameter rates: Learning rates divided by βB, one for each set of parameters; nil to leave the weights as
    ///   they are.
    /// - Returns: nil if a connection has no such form of its update. The weights must then be written.
    init?(
        of network: Network<Element>, _ state: NetworkState<Element>, nudge: Nudge<Element>, steps: Int,
        rates: [UpdateRates<Element>]?
    ) throws(EngineError) {
        let start = try StateSnapshot(of: state)
        var updates: [any ContinualUpdate<Element>] = []
        for (k, connection) in network.connections.enumerated() {
            var rate = rates?[network.parameterIndex(of: k)] ?? UpdateRates(0)
            if connection.parameters.biases == nil { rate = UpdateRates(weights: rate.weights, biases: 0) }
            guard
                let update = try connection.makeContinualUpdate(
                    from: start.pair(network.edges[k]), steps: steps, rates: rate)
            else { return nil }
            updates.append(update)
        }
        self.network = network
        self.nudge = nudge
        self.state = state
        weights = PlasticWeights(try network.wiring(), updates, of: network)
        recorded = try RecordedUpdates(updates, of: network, state, from: start)
        all = state.rows(0..<state.batch)
        parts = state.parts(network.blockCount(batch: state.batch, steps: 1))
        batchRecordings = updates.indices.flatMap { k in (0..<updates[k].batchParts).map { (connection: k, part: $0) } }
    }

    /// Relaxes from the present state. Afterwards the states are those of the last step, also after an error.
    func run(steps: Int, rates: [UpdateRates<Element>]?, monitor: ProgressMonitor) throws(EngineError) {
        try monitor.show { phaseStep(0, residual: 0, rates: rates) }
        var taken = 0
        defer {
            network.countSteps(
                taken, batch: state.batch, isNudged: true, inputProducts: rates == nil ? 1 : taken)
        }
        for step in 1...steps {
            takeStep()
            taken = step
            let residual = all.residual
            guard !residual.isNaN else {
                throw network.diverged(DivergencePlace(step: step, layer: all.firstLayerNotFinite), nudged: true)
            }
            recordStep()
            try monitor.show { phaseStep(step, residual: residual, rates: rates) }
            try monitor.stepTaken(step, of: steps)
            // The weights move with the states, so they are at rest if the states are.
            if residual <= Element(network.configuration.tolerance) { break }
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    private func takeStep() {
        WorkerPool.shared.run(parts: parts.count) { part in
            let rows = parts[part]
            network.step(rows, through: weights, nudge: nudge.rows(from: rows.first))
            recorded.recordSamples(rows.range)
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    private func recordStep() {
        recorded.samplesAreRecorded()
        WorkerPool.shared.run(parts: parts.count, of: batchRecordings.count) { _, some in
            for each in batchRecordings[some] { recorded.recordBatch(of: each.connection, part: each.part) }
        }
        recorded.stepIsRecorded()
    }

    /// Adds the change of a connection to an accumulator, at the given rates.
    func addUpdate(
        of connection: Int, at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>
    ) {
        weights.updates[connection].add(at: rates, to: accumulator)
    }

    /// A step, with the connections' present parameters.
    private func phaseStep(_ step: Int, residual: Element, rates: [UpdateRates<Element>]?) -> PhaseStep<Element> {
        PhaseStep(
            of: network, step: step, beta: nudge.beta, residual: residual, state: state, weightsMove: rates != nil
        ) { (index) throws(EngineError) in
            let parameters = self.network.parameters[index]
            let connection = self.network.connections.indices.first { self.network.parameterIndex(of: $0) == index }
            guard let rates else { return parameters }
            // A copy, also before the first step, because the parameters themselves change at the end of the phase.
            let moved = try parameters.zeros()
            moved.copy(from: parameters)
            if let connection, step > 0 { self.addUpdate(of: connection, at: rates[index], to: moved) }
            return moved
        }
    }
}
