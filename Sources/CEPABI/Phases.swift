public import CCEP
import CEPEngine

// Section 6 of cep.h: phases.

@c @implementation
public func cep_free_phase(
    _ network: OpaquePointer?, _ x: UnsafePointer<cep_matrix>?, _ steps: Int64, _ continue_from_state: Int32,
    _ progress: cep_progress, _ outcome: UnsafeMutablePointer<cep_phase_outcome>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(outcome, "outcome")
        let inputs = try SampleMatrix(x, "x")
        let monitor = ProgressMonitor(progress, countsSteps: true)
        let outcome = try CEPABI.network(network).freePhase(
            inputs, steps: Int(steps), continuing: continue_from_state != 0, monitor: monitor)
        result.pointee = cep_phase_outcome(outcome)
    }
}

@c @implementation
public func cep_nudged_phase(
    _ network: OpaquePointer?, _ targets: UnsafePointer<cep_targets>?, _ beta: Double, _ steps: Int64,
    _ progress: cep_progress, _ outcome: UnsafeMutablePointer<cep_phase_outcome>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(outcome, "outcome")
        let targets = try Targets(targets)
        let monitor = ProgressMonitor(progress, countsSteps: true)
        let outcome = try CEPABI.network(network).nudgedPhase(targets, beta: beta, steps: Int(steps), monitor: monitor)
        result.pointee = cep_phase_outcome(outcome)
    }
}

extension cep_phase_outcome {
    init(_ outcome: PhaseOutcome) {
        self.init(steps: Int64(outcome.steps), residual: outcome.residual, converged: outcome.converged ? 1 : 0)
    }
}
