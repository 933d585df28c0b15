import CEPKernels

/// Rows that are relaxed at once where the caller leaves the choice to us.
private let evaluationBatch = 128

extension Network {
    /// Errors and losses at the end of free phases. Neither parameters nor states of the network change.
    public func evaluate(
        _ samples: Samples, steps: Int, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> Metrics {
        try samples.validate(for: self)
        var total = Metrics()
        try relaxInBatches(samples.inputs, steps: steps, monitor: monitor) { (rows, state) throws(EngineError) in
            let target: Matrix<Element> = try samples.targets.matrix(of: SampleRows(rows), units: outputSize)
            let metrics = Metrics(output: state.output.view, target: target.view)
            total += metrics
            return metrics
        }
        return total
    }

    /// Of each row of the inputs, the output unit that has the largest state after a free phase: its class. Neither
    /// parameters nor states of the network change.
    public func predict(
        _ inputs: SampleMatrix, steps: Int, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> Integers {
        try inputs.validate(name: "x", layer: "input", units: sizes[0], as: Element.self)
        let classes = try Integers(upTo: inputs.rows)
        try relaxInBatches(inputs, steps: steps, monitor: monitor) { (rows, state) throws(EngineError) in
            let output = state.output
            for (i, row) in rows.enumerated() {
                classes[row] = indexOfLargest(in: output.pointer + i * output.columns, count: output.columns)
            }
            var metrics = Metrics()
            metrics.samples = rows.count
            return metrics
        }
        return classes
    }

    private func relaxInBatches(
        _ inputs: SampleMatrix, steps: Int, monitor: ProgressMonitor,
        relaxed: (Range<Int>, NetworkState<Element>) throws(EngineError) -> Metrics
    ) throws(EngineError) {
        try validateSteps(steps, name: "steps")
        monitor.begin(total: inputs.rows)
        let weights = try packWeights()
        var state = try makeState(batch: min(evaluationBatch, inputs.rows))
        for start in stride(from: 0, to: inputs.rows, by: evaluationBatch) {
            let rows = start..<min(start + evaluationBatch, inputs.rows)
            if rows.count != state.batch { state = try makeState(batch: rows.count) }
            state.setStatesToZero()
            inputs.clamp(SampleRows(rows), into: state)
            beginPhase(of: state)
            _ = try relax(state, through: weights, steps: steps, order: configuration.relaxation, monitor: monitor)
            try monitor.finished(relaxed(rows, state))
        }
    }
}
