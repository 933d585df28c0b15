public import CCEP
import CEPEngine

// Sections 10 to 12 of cep.h: gradients, the theorem, energy and angles.

@c @implementation
public func cep_gradient_estimate(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ rule: UnsafePointer<cep_options>?, _ progress: cep_progress, _ metrics: UnsafeMutablePointer<cep_metrics>?,
    _ gradient: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(gradient, "gradient")
        let resultMetrics = try required(metrics, "metrics")
        let samples = try Samples(x, targets)
        let rule = try Options(rule, "rule")
        let monitor = ProgressMonitor(progress)
        let (gradient, metrics) = try CEPABI.network(network).gradient(samples, rule: rule, monitor: monitor)
        result.pointee = passToCaller(gradient)
        resultMetrics.pointee = cep_metrics(metrics)
    }
}

@c @implementation
public func cep_gradient_tensor(
    _ gradient: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ index: Int64,
    _ tensor: UnsafeMutablePointer<cep_tensor>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(tensor, "tensor")
        let gradient: GradientHandle = try HandleRegistry.shared.find(gradient, "gradient")
        result.pointee = try gradient.tensor(try string(name, "name"), Int(index)).passToCaller()
    }
}

@c @implementation
public func cep_gradient_destroy(_ gradient: OpaquePointer?) {
    release(gradient, "gradient", as: GradientHandle.self)
}

@c @implementation
public func cep_theorem_check(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ targets: UnsafePointer<cep_targets>?,
    _ options: UnsafePointer<cep_options>?, _ progress: cep_progress,
    _ theorem: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(theorem, "theorem")
        let samples = try Samples(x, targets)
        let conditions = try TheoremConditions(try Options(options, "options"))
        let monitor = ProgressMonitor(progress)
        let check = try CEPABI.network(network).theorem(samples, conditions, monitor: monitor)
        result.pointee = passToCaller(check)
    }
}

@c @implementation
public func cep_theorem_summarize(
    _ theorem: OpaquePointer?, _ summary: UnsafeMutablePointer<cep_theorem_summary>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(summary, "summary")
        let theorem: TheoremHandle = try HandleRegistry.shared.find(theorem, "theorem")
        result.pointee = cep_theorem_summary(
            angle: try theorem.check.angle(), free_phase: cep_phase_outcome(theorem.check.freePhase))
    }
}

@c @implementation
public func cep_theorem_compare(
    _ theorem: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ index: Int64,
    _ curves: UnsafeMutablePointer<cep_theorem_curves>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(curves, "curves")
        let theorem: TheoremHandle = try HandleRegistry.shared.find(theorem, "theorem")
        let curves = try theorem.check.curves(try string(name, "name"), at: Int(index))
        result.pointee = cep_theorem_curves(
            updates: curves.updates.curvesTensor.passToCaller(),
            gradients: curves.gradients.curvesTensor.passToCaller(),
            relative_error: curves.relativeError, sign_agreement: curves.signAgreement())
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
            throw .invalidArgument("energies has space for \(count) values; expected one for each sample of the batch")
        }
        let result = try required(energies, "energies")
        let values = try CEPABI.network(network).energy()
        guard count == values.count else {
            throw .invalidArgument("energies has space for \(count) values; the batch has \(values.count) samples")
        }
        result.update(from: values.pointer, count: values.count)
    }
}

@c @implementation
public func cep_feedback_angle(
    _ network: OpaquePointer?, _ connection: Int64, _ degrees: UnsafeMutablePointer<Double>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(degrees, "degrees")
        result.pointee = try CEPABI.network(network).feedbackAngle(of: Int(connection))
    }
}

extension TheoremCheck {
    /// The curves of a parameter, or of the states of a layer 1 ... L.
    fileprivate func curves(_ name: String, at index: Int) throws(EngineError) -> Curves {
        if name == "states" {
            guard index >= 1, index <= states.count else {
                throw .invalidArgument("layer \(index) has no curves; expected a layer from 1 to \(states.count)")
            }
            return states[index - 1]
        }
        try checkIndex(index, of: parameters.count, "connection")
        guard let curves = curves(name, of: index) else {
            throw .invalidArgument("connection \(index) has no curves for \(name)")
        }
        return curves
    }
}

extension Matrix {
    fileprivate var curvesTensor: TensorMemory { TensorMemory(self, shape: [rows, columns]) }
}
