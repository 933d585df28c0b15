public import CCEP
import CEPEngine

// Sections 8 and 9 of cep.h: training, evaluation and prediction.

@c @implementation
public func cep_train_batch(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ rule: UnsafePointer<cep_options>?, _ progress: cep_progress, _ metrics: UnsafeMutablePointer<cep_metrics>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(metrics, "metrics")
        let samples = try Samples(x, targets)
        let rule = try Options(rule, "rule")
        let monitor = ProgressMonitor(progress)
        let metrics = try CEPABI.network(network).trainBatch(samples, rule: rule, monitor: monitor)
        result.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_train_epoch(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ rule: UnsafePointer<cep_options>?, _ batch_size: Int64, _ shuffle_seed: UInt64,
    _ part: UnsafePointer<cep_epoch_part>?, _ progress: cep_progress, _ metrics: UnsafeMutablePointer<cep_metrics>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(metrics, "metrics")
        let samples = try Samples(x, targets)
        let rule = try Options(rule, "rule")
        let monitor = ProgressMonitor(progress)
        let metrics = try CEPABI.network(network).trainEpoch(
            samples, rule: rule, batchSize: Int(batch_size), shuffleSeed: shuffle_seed,
            part: part.map { EpochPart($0.pointee) } ?? EpochPart(), monitor: monitor)
        result.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_get_random_state(
    _ network: OpaquePointer?, _ state: UnsafeMutablePointer<cep_random_state>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(state, "state")
        let network = try CEPABI.network(network)
        result.pointee.words = try network.exclusively { () throws(EngineError) in network.random.state }
    }
}

@c @implementation
public func cep_set_random_state(
    _ network: OpaquePointer?, _ state: UnsafePointer<cep_random_state>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let random = try RandomSource(state: try required(state, "state").pointee.words)
        let network = try CEPABI.network(network)
        try network.exclusively { () throws(EngineError) in network.random = random }
    }
}

@c @implementation
public func cep_optimizer_prepare(_ network: OpaquePointer?, _ rule: UnsafePointer<cep_options>?) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let rule = try Options(rule, "rule")
        let network = try CEPABI.network(network)
        try network.exclusively { () throws(EngineError) in try network.prepareOptimizer(of: rule) }
    }
}

@c @implementation
public func cep_optimizer_summarize(
    _ network: OpaquePointer?, _ summary: UnsafeMutablePointer<cep_optimizer_summary>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(summary, "summary")
        let network = try CEPABI.network(network)
        let present = try network.exclusively { () throws(EngineError) in network.optimizerSummary }
        var value = cep_optimizer_summary()
        value.steps = Int64(present?.steps ?? 0)
        withUnsafeMutableBytes(of: &value.name) { bytes in
            bytes.copyBytes(from: (present?.name ?? "").utf8.prefix(bytes.count - 1))
        }
        result.pointee = value
    }
}

@c @implementation
public func cep_optimizer_set_steps(_ network: OpaquePointer?, _ steps: Int64) -> cep_status {
    reportingErrors { () throws(EngineError) in
        // The next updates continue the count. 2^53 is the largest count that a double holds exactly.
        guard steps >= 0, steps <= 1 << 53 else {
            throw .invalidArgument("steps must be 0 to 2^53, got \(steps)")
        }
        let network = try CEPABI.network(network)
        try network.exclusively { () throws(EngineError) in try network.setOptimizerSteps(Int(steps)) }
    }
}

@c @implementation
public func cep_optimizer_tensor(
    _ network: OpaquePointer?, _ state: UnsafePointer<CChar>?, _ name: UnsafePointer<CChar>?, _ index: Int64,
    _ tensor: UnsafeMutablePointer<cep_tensor>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(tensor, "tensor")
        let (state, name) = (try string(state, "state"), try string(name, "name"))
        let network = try CEPABI.network(network)
        result.pointee = try network.exclusively { () throws(EngineError) in
            try network.optimizerTensor(state, name, at: Int(index))
        }.passToCaller()
    }
}

@c @implementation
public func cep_check_samples(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let samples = try Samples(x, targets)
        let network = try CEPABI.network(network)
        try network.exclusively { () throws(EngineError) in try network.check(samples) }
    }
}

@c @implementation
public func cep_evaluate(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ steps: Int64, _ progress: cep_progress, _ metrics: UnsafeMutablePointer<cep_metrics>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(metrics, "metrics")
        let samples = try Samples(x, targets)
        let monitor = ProgressMonitor(progress)
        let metrics = try CEPABI.network(network).evaluate(samples, steps: Int(steps), monitor: monitor)
        result.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_predict(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ steps: Int64, _ progress: cep_progress,
    _ classes: UnsafeMutablePointer<Int64>?, _ class_count: Int64
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let inputs = try SampleMatrix(x, "x")
        guard class_count == inputs.rows else {
            throw .invalidArgument("classes has space for \(class_count) values; x has \(inputs.rows) rows")
        }
        let classes = try required(classes, "classes")
        let monitor = ProgressMonitor(progress)
        // Nothing is written if a later row diverges or the work is stopped.
        let predicted = try CEPABI.network(network).classes(of: inputs, steps: Int(steps), monitor: monitor)
        for (row, unit) in predicted.enumerated() { classes[row] = Int64(unit) }
    }
}

extension EpochPart {
    init(_ part: cep_epoch_part) {
        self.init(
            firstBatch: Int(part.first_batch), batchCount: part.batch_count == 0 ? nil : Int(part.batch_count),
            errors: Int(part.errors), lossSum: part.loss_sum)
    }
}

extension cep_metrics {
    init(_ metrics: Metrics) {
        self.init(
            samples: Int64(metrics.samples), errors: Int64(metrics.errors), loss: metrics.loss,
            loss_sum: metrics.lossSum)
    }
}
