import CEPKernels

/// A continual nudged phase of which each thread takes some samples of the batch. They move each other's weights, so that
/// threads meet twice a step: when all states have moved, and when all movements have been recorded.
final class PhaseInSamples<Element: KernelScalar>: ContinualPhase {
    private let network: Network<Element>
    private let nudge: Nudge<Element>
    private let weights: MovingWeights<Element>
    private let recorded: RecordedMovements<Element>
    private let all: StateRows<Element>
    private let parts: [StateRows<Element>]
    /// What of each movement takes all samples: its connection, and the part. Without names, for which Swift's run time
    /// asks for memory in a way that ends the process where there is none.
    private let recordings: [(Int, Int)]

    var partCount: Int { parts.count }

    init(of network: Network<Element>, from start: ContinualStart<Element>) throws(EngineError) {
        let state = start.batch.state
        let first = try StateSnapshot(of: state)
        var movements: [any WeightMovement<Element>] = []
        for (k, connection) in network.connections.enumerated() {
            movements.append(
                try connection.makeMovement(
                    from: first.joinedLayers(at: k), steps: start.steps, rates: start.movingRates(of: k)))
        }
        self.network = network
        nudge = start.nudge
        weights = MovingWeights(still: start.weights, movements: movements)
        recorded = try RecordedMovements(movements, of: state, from: first)
        all = state.rows(0..<state.batch)
        parts = state.parts(network.blockCount(batch: state.batch, steps: 1))
        recordings = movements.indices.flatMap { k in (0..<movements[k].batchParts).map { (k, $0) } }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func takeStep(_ number: Int, isShared: Bool) -> Element {
        WorkerPool.shared.run(parts: isShared ? parts.count : 1) { part in
            let rows = isShared ? parts[part] : all
            network.step(rows, through: weights, pull: nudge.pull(from: rows.first))
            recorded.recordSamples(rows.range)
        }
        let residual = all.residual
        guard !residual.isNaN else { return residual }
        recorded.samplesAreRecorded()
        let recordingParts = isShared ? recordings.count : min(1, recordings.count)
        WorkerPool.shared.run(parts: recordingParts) { number in
            for (k, part) in recordingParts > 1 ? recordings[number...number] : recordings[...] {
                recorded.recordBatch(of: k, part: part)
            }
        }
        recorded.stepIsRecorded()
        return residual
    }

    var firstLayerNotFinite: Int? { all.firstLayerNotFinite }

    /// Nothing: steps are taken on the batch's own states.
    func storeStates() {}

    func addMovement(of connection: Int, at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>)
    {
        weights.movements[connection].add(at: rates, to: accumulator)
    }
}
