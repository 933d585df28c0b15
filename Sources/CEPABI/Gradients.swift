public import CCEP
import CEPEngine

// Sections 9 to 11 of cep.h: gradients, the theorem, energy and angles.

@c @implementation
public func cep_gradient_estimate(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ rule: UnsafePointer<cep_rule>?, _ progress: cep_progress, _ metrics: UnsafeMutablePointer<cep_metrics>?,
    _ gradient: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(gradient, "gradient")
        let resultMetrics = try arguments.writes(metrics, "metrics")
        let samples = try arguments.samples(x, targets)
        let rule = try arguments.rule(rule)
        let monitor = ProgressMonitor(progress)
        let (gradient, metrics) = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.gradient(samples, estimator: rule, monitor: monitor)
        }
        result.pointee = passToCaller(gradient)
        resultMetrics.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_gradient_array(
    _ gradient: OpaquePointer?, _ kind: cep_array_kind, _ index: Int64, _ array: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(array, "array")
        let gradient: GradientHandle = try HandleRegistry.shared.find(gradient, "gradient")
        let handle = try gradient.array(kind, Int(index))
        try arguments.checkApart(from: handle.memory, of: "the gradient")
        result.pointee = passToCaller(handle)
    }
}

@c @implementation
public func cep_gradient_destroy(_ gradient: OpaquePointer?) {
    release(gradient, "gradient", as: GradientHandle.self)
}

@c @implementation
public func cep_theorem_check(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ conditions: UnsafePointer<cep_theorem_conditions>?, _ progress: cep_progress,
    _ theorem: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(theorem, "theorem")
        let samples = try arguments.samples(x, targets)
        let conditions = try arguments.conditions(conditions)
        let monitor = ProgressMonitor(progress)
        let check = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.theorem(samples, conditions, monitor: monitor)
        }
        result.pointee = passToCaller(check)
    }
}

@c @implementation
public func cep_theorem_summarize(
    _ theorem: OpaquePointer?, _ summary: UnsafeMutablePointer<cep_theorem_summary>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(summary, "summary")
        let theorem: TheoremHandle = try HandleRegistry.shared.find(theorem, "theorem")
        result.pointee = cep_theorem_summary(
            angle: try theorem.check.angle(), free_phase: cep_phase_outcome(theorem.check.freePhase))
    }
}

@c @implementation
public func cep_theorem_compare(
    _ theorem: OpaquePointer?, _ kind: cep_array_kind, _ index: Int64,
    _ curves: UnsafeMutablePointer<cep_theorem_curves>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(curves, "curves")
        let theorem: TheoremHandle = try HandleRegistry.shared.find(theorem, "theorem")
        let curves = try theorem.check.curves(kind, at: Int(index))
        let updates = ArrayHandle(curves.updates, dimensions: 2)
        let gradients = ArrayHandle(curves.gradients, dimensions: 2)
        for array in [updates, gradients] { try arguments.checkApart(from: array.memory, of: "the theorem") }
        result.pointee = cep_theorem_curves(
            updates: passToCaller(updates), gradients: passToCaller(gradients), relative_error: curves.relativeError,
            sign_agreement: curves.signAgreement())
    }
}

@c @implementation
public func cep_theorem_destroy(_ theorem: OpaquePointer?) {
    release(theorem, "theorem", as: TheoremHandle.self)
}

@c @implementation
public func cep_energy(
    _ network: OpaquePointer?, _ energies: UnsafeMutablePointer<Double>?, _ count: Int64
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        guard count >= 1 else {
            throw .invalidArgument("energies has room for \(count) values; expected one a sample of the batch")
        }
        var arguments = Arguments()
        let result = try arguments.writes(energies, count: Int(count), "energies")
        let values = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.energy()
        }
        guard count == values.count else {
            throw .invalidArgument("energies has room for \(count) values; the batch has \(values.count) samples")
        }
        result.update(from: values.pointer, count: values.count)
    }
}

@c @implementation
public func cep_feedback_angle(
    _ network: OpaquePointer?, _ connection: Int64, _ degrees: UnsafeMutablePointer<Double>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(degrees, "degrees")
        result.pointee = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.feedbackAngle(of: Int(connection))
        }
    }
}
