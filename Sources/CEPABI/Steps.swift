public import CCEP
import CEPEngine
import CEPKernels
import Synchronization

// Section 6 of cep.h: steps of phases.

@c @implementation
public func cep_step_summarize(_ step: OpaquePointer?, _ summary: UnsafeMutablePointer<cep_step_summary>?) -> cep_status
{
    reportingErrors { () throws(EngineError) in
        let result = try required(summary, "summary")
        let step = try StepHandle.of(step)
        result.pointee = step.summary
    }
}

@c @implementation
public func cep_step_tensor(
    _ step: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ index: Int64, _ tensor: UnsafeMutablePointer<cep_tensor>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(tensor, "tensor")
        let step = try StepHandle.of(step)
        result.pointee = try step.takeTensor(try string(name, "name"), Int(index)).passToCaller()
    }
}

/// Behind a `cep_step *`. It has no owner and is valid while the caller's function runs.
final class StepHandle: Handle {
    static let kind = "a step"
    let summary: cep_step_summary
    private let tensor: (_ name: String, _ index: Int) throws(EngineError) -> TensorMemory
    private let inUse = Atomic(false)

    init<Element: KernelScalar>(_ step: PhaseStep<Element>) {
        summary = cep_step_summary(
            step: Int64(step.step), beta: step.beta ?? 0, residual: step.residual,
            weights_move: step.weightsMove ? 1 : 0)
        // The parameters that a continual phase has computed, by connection.
        var computed: [Int: ConnectionParameters<Element>] = [:]
        tensor = { (name, index) throws(EngineError) in
            guard name != "states" else {
                try checkIndex(index, of: step.state.layers.count, "layer")
                return step.state.tensor(at: index)
            }
            try checkIndex(index, of: step.network.parameters.count, "connection")
            if let known = computed[index] { return try known.tensor(name, of: index) }
            let parameters = try step.parameters(at: index)
            computed[index] = parameters
            return try parameters.tensor(name, of: index)
        }
    }

    /// One thread at a time: a second one gets `.busy`.
    func takeTensor(_ name: String, _ index: Int) throws(EngineError) -> TensorMemory {
        guard take() else {
            throw .busy("the step is in use by another thread; take its tensors in one thread, or try again")
        }
        defer { inUse.store(false, ordering: .releasing) }
        return try Arithmetic.engine.during { () throws(EngineError) in try tensor(name, index) }
    }

    /// Waits until a call of another thread has ended, and refuses further calls.
    func close() {
        while !take() { usleep(100) }
    }

    private func take() -> Bool {
        inUse.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }
}

extension StepHandle {
    fileprivate static func of(_ pointer: OpaquePointer?) throws(EngineError) -> StepHandle {
        try HandleRegistry.shared.find(pointer, "step")
    }
}

/// Passes each step to a C function, with the floating-point mode that the thread had when the observer was created.
final class CStepObserver: PhaseObserver {
    private let function: cep_step_function
    private let context: UnsafeMutableRawPointer?
    private let arithmetic = Arithmetic.current

    init(_ function: cep_step_function, context: UnsafeMutableRawPointer?) {
        self.function = function
        self.context = context
    }

    func observe<Element: KernelScalar>(_ phaseStep: PhaseStep<Element>) throws(EngineError) {
        let handle = StepHandle(phaseStep)
        guard let step = passToCaller(handle) else { return }
        let status = arithmetic.during { function(step, context) }
        release(step, "step", as: StepHandle.self)
        handle.close()
        if status != 0 { throw .stopped }
    }
}
