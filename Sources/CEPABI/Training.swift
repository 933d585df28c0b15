public import CCEP
import CEPEngine

// Sections 7 and 8 of cep.h: training, evaluation and prediction.

@c @implementation
public func cep_train_batch(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ rule: UnsafePointer<cep_rule>?, _ progress: cep_progress, _ metrics: UnsafeMutablePointer<cep_metrics>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(metrics, "metrics")
        let samples = try Samples(x, targets)
        let rule = try required(rule, "rule").pointee
        let metrics = try NetworkHandle.of(network).use { (network) throws(EngineError) in
            try network.trainBatch(samples, rule: rule, monitor: ProgressMonitor(progress))
        }
        result.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_train_epoch(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ rule: UnsafePointer<cep_rule>?, _ batch_size: Int64, _ shuffle_seed: UInt64, _ progress: cep_progress,
    _ metrics: UnsafeMutablePointer<cep_metrics>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(metrics, "metrics")
        let samples = try Samples(x, targets)
        let rule = try required(rule, "rule").pointee
        let metrics = try NetworkHandle.of(network).use { (network) throws(EngineError) in
            try network.trainEpoch(
                samples, rule: rule, batchSize: Int(batch_size), shuffleSeed: shuffle_seed,
                monitor: ProgressMonitor(progress))
        }
        result.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_check_samples(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let samples = try Samples(x, targets)
        try NetworkHandle.of(network).use { (network) throws(EngineError) in try network.check(samples) }
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
        let metrics = try NetworkHandle.of(network).use { (network) throws(EngineError) in
            try network.evaluate(samples, steps: Int(steps), monitor: ProgressMonitor(progress))
        }
        result.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_predict(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ steps: Int64, _ progress: cep_progress,
    _ classes: UnsafeMutablePointer<Int64>?, _ class_count: Int64
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let classes = try required(classes, "classes")
        let inputs = try SampleMatrix(x, name: "x")
        guard class_count == inputs.rows else {
            throw .invalidArgument("classes has room for \(class_count) values; x has \(inputs.rows) rows")
        }
        // Nothing is written where a later row diverges or the work is stopped.
        var predicted: [Int64] = []
        try NetworkHandle.of(network).use { (network) throws(EngineError) in
            try network.predict(inputs, steps: Int(steps), monitor: ProgressMonitor(progress)) { _, unit in
                predicted.append(Int64(unit))
            }
        }
        classes.update(from: predicted, count: predicted.count)
    }
}

extension cep_metrics {
    init(_ metrics: Metrics) {
        self.init(samples: Int64(metrics.samples), errors: Int64(metrics.errors), loss: metrics.loss)
    }
}
