public import CCEP
import CEPEngine

// Sections 7 and 8 of cep.h: training, evaluation and prediction.

@c @implementation
public func cep_train_batch(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ rule: UnsafePointer<cep_rule>?, _ progress: cep_progress, _ metrics: UnsafeMutablePointer<cep_metrics>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(metrics, "metrics")
        let samples = try arguments.samples(x, targets)
        let rule = try arguments.rule(rule)
        let monitor = ProgressMonitor(progress)
        let metrics = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.trainBatch(samples, rule: rule, monitor: monitor)
        }
        result.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_train_epoch(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ rule: UnsafePointer<cep_rule>?, _ batch_size: Int64, _ shuffle_seed: UInt64,
    _ part: UnsafePointer<cep_epoch_part>?, _ progress: cep_progress, _ metrics: UnsafeMutablePointer<cep_metrics>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(metrics, "metrics")
        let samples = try arguments.samples(x, targets)
        let rule = try arguments.rule(rule)
        let part = try part.map { part throws(EngineError) in EpochPart(try arguments.reads(part, "part").pointee) }
        let monitor = ProgressMonitor(progress)
        let metrics = try NetworkHandle.of(network).use(arguments, readsOn: true) { (network) throws(EngineError) in
            try network.trainEpoch(
                samples, rule: rule, batchSize: Int(batch_size), shuffleSeed: shuffle_seed,
                part: part ?? EpochPart(), monitor: monitor)
        }
        result.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_get_random_state(
    _ network: OpaquePointer?, _ state: UnsafeMutablePointer<cep_random_state>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(state, "state")
        result.pointee.words = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            network.random.state
        }
    }
}

@c @implementation
public func cep_set_random_state(
    _ network: OpaquePointer?, _ state: UnsafePointer<cep_random_state>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let random = try RandomSource(state: try arguments.reads(state, "state").pointee.words)
        try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in network.random = random }
    }
}

@c @implementation
public func cep_check_samples(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let samples = try arguments.samples(x, targets)
        try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in try network.check(samples) }
    }
}

@c @implementation
public func cep_evaluate(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ steps: Int64, _ progress: cep_progress, _ metrics: UnsafeMutablePointer<cep_metrics>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(metrics, "metrics")
        let samples = try arguments.samples(x, targets)
        let monitor = ProgressMonitor(progress)
        let metrics = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.evaluate(samples, steps: Int(steps), monitor: monitor)
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
        var arguments = Arguments()
        let inputs = try arguments.matrix(x, "x")
        guard class_count == inputs.rows else {
            throw .invalidArgument("classes has room for \(class_count) values; x has \(inputs.rows) rows")
        }
        let classes = try arguments.writes(classes, count: inputs.rows, "classes")
        let monitor = ProgressMonitor(progress)
        // Nothing is written where a later row diverges or the work is stopped.
        let predicted = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.predict(inputs, steps: Int(steps), monitor: monitor)
        }
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
