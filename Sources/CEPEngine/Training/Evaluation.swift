import CEPKernels

/// The number of rows that are relaxed at once by default.
private let evaluationBatch = 128

extension Network {
    /// Errors and losses at the end of free phases. Parameters and states of the network do not change.
    ///
    /// - Parameters:
    ///   - samples: Inputs and targets.
    ///   - steps: The maximum number of steps of a free phase, 1 or more.
    ///   - monitor: Receives the progress, and may stop the call.
    /// - Throws: `EngineError.invalidArgument` for samples or steps that cannot be used; `.diverged`; `.stopped`;
    ///   `.outOfMemory`; `.busy` while another call uses the network.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func evaluate(
        _ samples: Samples, steps: Int, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> Metrics {
        try exclusively { () throws(EngineError) in
            try samples.validate(for: self)
            var total = Metrics()
            try relaxInBatches(samples.inputs, steps: steps, monitor: monitor) { (rows, state) throws(EngineError) in
                let target: Matrix<Element> = try samples.targets.matrix(of: SampleRows(rows), units: outputSize)
                let metrics = metrics(of: state, rows: 0..<rows.count, target: target)
                total += metrics
                return metrics
            }
            return total
        }
    }

    /// The class of each row of the inputs: the largest score after a free phase. Parameters and states of the network
    /// do not change.
    ///
    /// - Parameters:
    ///   - inputs: Samples × units of the input layer.
    ///   - steps: The maximum number of steps of a free phase, 1 or more.
    ///   - monitor: Receives the progress, and may stop the call.
    /// - Throws: As `evaluate`.
    public func predict(
        _ inputs: SampleMatrix, steps: Int, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> [Int] {
        Array(try classes(of: inputs, steps: steps, monitor: monitor))
    }

    /// As `predict`, in checked memory: a failing allocation of an `Array` ends the process.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    package func classes(
        of inputs: SampleMatrix, steps: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> Integers {
        try exclusively { () throws(EngineError) in
            try inputs.validate(name: "x", layer: "input", units: sizes[0], as: Element.self)
            let classes = try Integers(upTo: inputs.rows)
            try relaxInBatches(inputs, steps: steps, monitor: monitor) { (rows, state) throws(EngineError) in
                let scores = score(state, rows: 0..<rows.count)
                for (i, row) in rows.enumerated() { classes[row] = largest(scores, i) }
                return Metrics(samples: rows.count)
            }
            return classes
        }
    }

    private func relaxInBatches(
        _ inputs: SampleMatrix, steps: Int, monitor: ProgressMonitor,
        relaxed: (Range<Int>, NetworkState<Element>) throws(EngineError) -> Metrics
    ) throws(EngineError) {
        try validateSteps(steps, name: "steps")
        monitor.begin(total: inputs.rows)
        try prepareConnections()
        defer { hardware?.firstSample = 0 }
        var state = try makeState(batch: min(evaluationBatch, inputs.rows))
        for start in stride(from: 0, to: inputs.rows, by: evaluationBatch) {
            let rows = start..<min(start + evaluationBatch, inputs.rows)
            if rows.count != state.batch { state = try makeState(batch: rows.count) }
            state.setStatesToZero()
            inputs.clamp(SampleRows(rows), into: state)
            // The same noise in every evaluation, so that the network does not change.
            hardware?.beginBatch(evaluatingFrom: start)
            beginPhase(of: state)
            try relax(state, steps: steps, order: configuration.relaxation, monitor: monitor)
            try monitor.finished(relaxed(rows, state))
        }
    }
}
