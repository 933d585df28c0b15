import CEPKernels

// Samples are independent while weights do not change, so a phase is divided into blocks of samples, and a thread takes
// each block through all steps. A sample that a step leaves unchanged is at rest and takes no further steps.

extension Network {
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func relaxWithSamplesAtRest(
        _ state: NetworkState<Element>, steps: Int, nudge: Nudge<Element>?, order: Relaxation,
        monitor: ProgressMonitor, afterStep: ((_ step: Int) -> Void)?
    ) throws(EngineError) -> PhaseOutcome {
        let wiring = try wiring()
        let parts = state.parts(blockCount(batch: state.batch, steps: steps))
        let blocks = try sampleBlocks(parts.map { $0.count })
        let atOnce = afterStep == nil ? stepsBetweenPolls(of: monitor, batch: state.batch) : 1
        var taken = 0
        try monitor.show { phaseStep(0, of: state, nudge: nudge, residual: 0) }
        while taken < steps {
            let due = min(atOnce, steps - taken)
            WorkerPool.shared.run(parts: parts.count) { part in
                if taken == 0 { blocks[part].load(parts[part], nudge: nudge) }
                blocks[part].relax(self, through: wiring, steps: due, beta: nudge?.beta, order: order)
            }
            if let divergence = DivergencePlace.first(blocks.compactMap { $0.divergence }) {
                throw diverged(divergence, nudged: nudge != nil)
            }
            WorkerPool.shared.run(parts: parts.count) { part in blocks[part].store() }
            taken = blocks.map { $0.steps }.max() ?? steps
            afterStep?(taken)
            try monitor.show { phaseStep(taken, of: state, nudge: nudge, residual: residual(of: blocks, at: taken)) }
            try monitor.stepTaken(taken, of: steps)
            if blocks.allSatisfy({ $0.isAtRest }) { break }
        }
        countSteps(taken, batch: state.batch, isNudged: nudge != nil, inputProducts: 1)
        return PhaseOutcome(steps: taken, residual: residual(of: blocks, at: taken))
    }

    /// max |s(t+1) − s(t)| of a step, over the blocks that took it.
    private func residual(of blocks: [SampleBlock<Element>], at step: Int) -> Element {
        blocks.filter { $0.steps == step }.map { $0.residual }.max() ?? 0
    }

    /// Memory for blocks of these sizes: that of the last phase if it fits.
    private func sampleBlocks(_ counts: [Int]) throws(EngineError) -> [SampleBlock<Element>] {
        if blocks.map({ $0.capacity }) != counts {
            var made: [SampleBlock<Element>] = []
            for count in counts { made.append(try SampleBlock(samples: count, shape: stateShape.withoutInput)) }
            blocks = made
        }
        return blocks
    }
}

/// Some samples in a phase. It works on a copy, so that threads do not write to the same cache lines.
final class SampleBlock<Element: KernelScalar> {
    private let copies: NetworkState<Element>
    private let target: Matrix<Element>
    private let rows: StateRows<Element>
    /// The sample in each row of the block. Samples that move come first.
    private let samples: Integers
    private var moving = 0
    private var destination: StateRows<Element>?

    /// Steps until all samples were at rest, or steps taken so far.
    private(set) var steps = 0
    /// max |s(t+1) − s(t)| of the last step, over all samples.
    private(set) var residual = Element.infinity
    /// The step after which a state was no longer finite, and its layer.
    private(set) var divergence: DivergencePlace?

    var isAtRest: Bool { moving == 0 }

    /// The maximum number of samples.
    var capacity: Int { rows.count }

    init(samples: Int, shape: StateShape) throws(EngineError) {
        copies = try NetworkState(batch: samples, shape: shape)
        target = try Matrix(rows: samples, columns: shape.classes)
        rows = copies.rows(0..<samples)
        self.samples = try Integers(upTo: samples)
    }

    /// Copies samples of a batch at the start of a phase.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func load(_ destination: StateRows<Element>, nudge: Nudge<Element>?) {
        self.destination = destination
        let count = destination.count
        for row in 0..<count { samples[row] = row }
        moving = count
        (steps, residual, divergence) = (0, .infinity, nil)
        for (mine, theirs) in zip(rows.layers, destination.layers) {
            mine.state.update(from: theirs.state, count: count * mine.units)
            if mine.activity != mine.state { mine.activity.update(from: theirs.activity, count: count * mine.units) }
            if let own = mine.fromInput, let fromInput = theirs.fromInput {
                own.update(from: fromInput, count: count * mine.units)
            }
        }
        if let nudge {
            target.pointer.update(
                from: nudge.target.pointer + destination.first * target.columns, count: count * target.columns)
        }
    }

    /// Takes steps, fewer if all samples come to rest.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func relax(
        _ network: Network<Element>, through wiring: Wiring<Element>, steps: Int, beta: Element?, order: Relaxation
    ) {
        let tolerance = Element(network.configuration.tolerance)
        let nudge = beta.map { RowNudge(targets: UnsafePointer(target.pointer), beta: $0) }
        if self.steps == 0, order == .alternating, rows.kept.contains(where: { $0.count > 0 }) {
            // Layers whose feedback comes before the forward product of the step need the values kept by an earlier
            // product.
            network.updatePreactivations(of: rows, through: wiring)
        }
        for _ in 0..<steps where moving > 0 {
            let present = rows.prefix(moving)
            network.step(present, through: wiring, nudge: nudge, order: order)
            self.steps += 1
            residual = present.residual
            if residual.isNaN || (self.steps == 1 && !present.preactivationsAreFinite) {
                divergence = DivergencePlace(step: self.steps, layer: present.firstLayerNotFinite)
                return
            }
            if FastPath.samplesAtRest.isOn {
                for row in (0..<moving).reversed() where rows.changes[row] <= tolerance { deactivate(row) }
            } else if residual <= tolerance {
                moving = 0
            }
        }
    }

    /// Copies the samples back.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func store() {
        guard let destination else { return }
        for (mine, theirs) in zip(rows.layers, destination.layers) {
            for row in 0..<destination.count {
                let (from, to) = (row * mine.units, samples[row] * mine.units)
                (theirs.state + to).update(from: mine.state + from, count: mine.units)
                if mine.activity != mine.state {
                    (theirs.activity + to).update(from: mine.activity + from, count: mine.units)
                }
            }
        }
    }

    /// Moves a sample behind those that still move.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    private func deactivate(_ row: Int) {
        moving -= 1
        guard row != moving else { return }
        (samples[row], samples[moving]) = (samples[moving], samples[row])
        exchangeRows(row, of: target.pointer, units: target.columns)
        for layer in rows.layers {
            exchangeRows(row, of: layer.state, units: layer.units)
            if layer.activity != layer.state { exchangeRows(row, of: layer.activity, units: layer.units) }
            if let fromInput = layer.fromInput { exchangeRows(row, of: fromInput, units: layer.units) }
        }
        for each in rows.kept { if let values = each.values { exchangeRows(row, of: values, units: each.count) } }
    }

    private func exchangeRows(_ row: Int, of array: UnsafeMutablePointer<Element>, units: Int) {
        exchange(array + row * units, array + moving * units, count: units)
    }
}
