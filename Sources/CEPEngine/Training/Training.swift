import CEPKernels

extension Network {
    /// One batch: both phases and the update. The states stay as the nudged phase left them.
    public func trainBatch(
        _ samples: Samples, rule: some LearningRule<Element>, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        try samples.validate(for: self)
        let rates = try learningRates(of: rule)
        monitor.begin(total: samples.inputs.rows)
        return try trainBatch(
            samples, rows: 0..<samples.inputs.rows, rule: rule, rates: rates, random: &random, monitor: monitor)
    }

    /// One pass over the samples, in an order drawn from `shuffleSeed`, in batches of `batchSize` (the last one may
    /// be smaller).
    ///
    /// - Returns: Errors and losses of the free phases, accumulated while training went on.
    public func trainEpoch(
        _ samples: Samples, rule: some LearningRule<Element>, batchSize: Int, shuffleSeed: UInt64,
        monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        try samples.validate(for: self)
        let rates = try learningRates(of: rule)
        guard batchSize >= 1 else { throw .invalidArgument("batch_size must be 1 or more, got \(batchSize)") }
        var random = RandomSource(seed: shuffleSeed)
        let order = random.permutation(of: samples.inputs.rows)
        monitor.begin(total: order.count)
        var total = Metrics()
        for start in stride(from: 0, to: order.count, by: min(batchSize, order.count)) {
            let rows = order[start..<min(start + batchSize, order.count)]
            let metrics = try trainBatch(
                samples, rows: rows, rule: rule, rates: rates, random: &random, monitor: monitor)
            total += metrics
            try monitor.finished(metrics)
        }
        return total
    }

    private func trainBatch(
        _ samples: Samples, rows: some RandomAccessCollection<Int>, rule: some LearningRule<Element>,
        rates: [UpdateRates<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let target: Matrix<Element> = try samples.targets.matrix(of: rows, units: outputSize)
        let state = try state(clamping: samples.inputs, rows)
        return try rule.addUpdates(
            of: self, on: ClampedBatch(state: state, target: target), rates: rates, into: parameters, random: &random,
            monitor: monitor)
    }

    private func learningRates(of rule: some LearningRule<Element>) throws(EngineError) -> [UpdateRates<Element>] {
        try rule.validateWithRates(for: self)
        guard let learningRates = rule.learningRates else {
            throw .invalidArgument(
                "the rule has no learning rates: give some to train with it (learning_rates has 0 values)")
        }
        return learningRates.rates()
    }
}
