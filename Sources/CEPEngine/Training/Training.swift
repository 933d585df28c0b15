import CEPKernels

extension Network {
    /// One batch: both phases and the update. The states stay as the nudged phase left them.
    @discardableResult
    public func trainBatch(
        _ samples: Samples, rule: some LearningRule<Element>, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> Metrics {
        try samples.validate(for: self)
        let rates = try learningRates(of: rule)
        monitor.begin(total: samples.inputs.rows)
        return try trainBatch(
            samples, rows: SampleRows(0..<samples.inputs.rows), rule: rule, rates: rates, random: &random,
            monitor: monitor)
    }

    /// One pass over the samples, in an order drawn from `shuffleSeed`, in batches of `batchSize` (the last one may
    /// be smaller), or part of one: parts that follow each other are the whole, to the last bit.
    ///
    /// - Returns: Errors and losses of the free phases, accumulated while training went on.
    @discardableResult
    public func trainEpoch(
        _ samples: Samples, rule: some LearningRule<Element>, batchSize: Int, shuffleSeed: UInt64,
        part: EpochPart = EpochPart(), monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> Metrics {
        try samples.validateShape(for: self)
        let rates = try learningRates(of: rule)
        guard batchSize >= 1 else { throw .invalidArgument("batch_size must be 1 or more, got \(batchSize)") }
        let size = min(batchSize, samples.inputs.rows)
        let batches = try part.batches(of: (samples.inputs.rows - 1) / size + 1, samples: size)
        var random = RandomSource(seed: shuffleSeed)
        var order = try Integers(upTo: samples.inputs.rows)
        random.shuffle(&order)
        try samples.validateValues(
            of: SampleRows(order, batches.lowerBound * size..<min(batches.upperBound * size, order.count)), for: self)
        // Each batch has a stream of its own, so that a part needs nothing of those before it.
        let chance = random.next()
        var total = Metrics(samples: batches.lowerBound * size, errors: part.errors, lossSum: part.lossSum)
        monitor.begin(total: order.count, after: total)
        for batch in batches {
            let rows = SampleRows(order, batch * size..<min((batch + 1) * size, order.count))
            var random = RandomSource(seed: chance &+ UInt64(batch))
            let metrics = try trainBatch(
                samples, rows: rows, rule: rule, rates: rates, random: &random, monitor: monitor)
            total += metrics
            try monitor.finished(metrics)
        }
        return total
    }

    private func trainBatch(
        _ samples: Samples, rows: SampleRows, rule: some LearningRule<Element>, rates: [UpdateRates<Element>],
        random: inout RandomSource, monitor: ProgressMonitor
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
