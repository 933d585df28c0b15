import CEPKernels

extension Network {
    /// Trains one batch: both phases and the update. The states are those at the end of the nudged phase.
    ///
    /// - Parameters:
    ///   - samples: The batch.
    ///   - rule: A rule with learning rates.
    ///   - monitor: Observes the phases, and may stop them.
    /// - Throws: `EngineError.invalidArgument` for samples or a rule that cannot be used; `.diverged`, `.stopped` and
    ///   `.outOfMemory`, with the parameters as they were; `.busy` while another call uses the network.
    @discardableResult
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func trainBatch(
        _ samples: Samples, rule: any LearningRule<Element>, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> Metrics {
        try exclusively { () throws(EngineError) in
            try samples.validate(for: self)
            let training = try BatchTraining(by: rule, of: self)
            monitor.begin(total: samples.inputs.rows)
            return try training.run(
                samples, rows: SampleRows(0..<samples.inputs.rows), random: &random, monitor: monitor)
        }
    }

    /// Trains one epoch, in an order drawn from `shuffleSeed`, in batches of `batchSize` (the last one may be smaller),
    /// or part of one. Consecutive parts give the same result as the whole epoch, bit for bit.
    ///
    /// - Parameters:
    ///   - samples: All samples of the epoch.
    ///   - rule: A rule with learning rates.
    ///   - batchSize: 1 or more.
    ///   - shuffleSeed: The same seed gives the same order.
    ///   - part: The batches to train; all by default.
    ///   - monitor: Receives the progress, and may stop the call.
    /// - Returns: Errors and losses of the free phases during training.
    /// - Throws: As `trainBatch`, with the parameters after the last whole batch.
    @discardableResult
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func trainEpoch(
        _ samples: Samples, rule: any LearningRule<Element>, batchSize: Int, shuffleSeed: UInt64,
        part: EpochPart = EpochPart(), monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> Metrics {
        try exclusively { () throws(EngineError) in
            try samples.validateShape(for: self)
            let training = try BatchTraining(by: rule, of: self)
            guard batchSize >= 1 else { throw .invalidArgument("batch_size must be 1 or more, got \(batchSize)") }
            let size = min(batchSize, samples.inputs.rows)
            let batches = try part.batches(of: (samples.inputs.rows - 1) / size + 1, samples: size)
            var random = RandomSource(seed: shuffleSeed)
            var order = try Integers(upTo: samples.inputs.rows)
            random.shuffle(&order)
            let used = batches.lowerBound * size..<min(batches.upperBound * size, order.count)
            try samples.validateValues(of: SampleRows(order, used), for: self)
            // Each batch has its own stream, so that a part does not depend on earlier ones.
            let seedBase = random.next()
            var total = Metrics(samples: batches.lowerBound * size, errors: part.errors, lossSum: part.lossSum)
            monitor.begin(total: order.count, after: total)
            for batch in batches {
                let rows = SampleRows(order, batch * size..<min((batch + 1) * size, order.count))
                var random = RandomSource(seed: seedBase &+ UInt64(batch))
                let metrics = try training.run(samples, rows: rows, random: &random, monitor: monitor)
                total += metrics
                try monitor.finished(metrics)
            }
            return total
        }
    }
}

/// Trains a network batch by batch.
private struct BatchTraining<Element: KernelScalar> {
    let network: Network<Element>
    let rule: any LearningRule<Element>
    let learningRates: LearningRates
    let rates: [UpdateRates<Element>]
    /// Memory for optimizers that need the gradient. nil if the rule adds its updates to the parameters.
    private let gradient: [ConnectionParameters<Element>]?
    private let backup: [ConnectionParameters<Element>]?

    init(by rule: any LearningRule<Element>, of network: Network<Element>) throws(EngineError) {
        try rule.validateWithRates(for: network)
        guard let learningRates = rule.learningRates else {
            throw .invalidArgument(
                "the rule has no learning rates; expected one for each connection, got 0 values in learning_rates")
        }
        self.network = network
        self.rule = rule
        self.learningRates = learningRates
        rates = learningRates.rates()
        let needsGradient = (!rule.optimizer.isPlain || network.hardware != nil) && !rule.isContinual
        gradient = needsGradient ? try network.zeroParameters() : nil
        backup = needsGradient ? try network.zeroParameters() : nil
        try network.prepareState(of: rule.optimizer)
    }

    /// One batch.
    func run(
        _ samples: Samples, rows: SampleRows, random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        network.hardware?.beginBatch(drawingFrom: &random)
        let metrics = try update(samples, rows: rows, random: &random, monitor: monitor)
        network.hardware?.finishBatch()
        return metrics
    }

    private func update(
        _ samples: Samples, rows: SampleRows, random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let target: Matrix<Element> = try samples.targets.matrix(of: rows, units: network.outputSize)
        let state = try network.state(clamping: samples.inputs, rows)
        let batch = ClampedBatch(state: state, target: target)
        guard let gradient, let backup else {
            return try rule.addUpdates(
                of: network, on: batch, rates: rates, into: network.parameters, random: &random, monitor: monitor)
        }
        for each in gradient { each.setToZero() }
        let metrics = try rule.addUpdates(
            of: network, on: batch, rates: network.forEachParameters(UpdateRates(-1)), into: gradient, random: &random,
            monitor: monitor)
        try network.checkSums(gradient)
        let optimizerState = try network.prepareState(of: rule.optimizer)
        let before = try optimizerState.copied()
        for (saved, each) in zip(backup, network.parameters) { saved.copy(from: each) }
        network.hardware?.backUp()
        network.update(
            Array(network.parameters.indices), by: rule.optimizer, gradient: gradient, rates: learningRates,
            state: optimizerState)
        optimizerState.steps += 1
        if let k = network.parameters.firstIndex(where: { !$0.isFinite }) {
            network.restoreParameters(from: backup)
            network.hardware?.restore()
            optimizerState.restore(from: before)
            throw network.updateIsNotFinite(of: k)
        }
        return metrics
    }
}
