public import CCEP
import CEPEngine
import CEPKernels
import Synchronization

// Section 5 of cep.h: steps as they are taken.

@c @implementation
public func cep_step_summarize(_ step: OpaquePointer?, _ summary: UnsafeMutablePointer<cep_step_summary>?) -> cep_status
{
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(summary, "summary")
        let step = try StepHandle.of(step)
        try step.checkApart(arguments)
        result.pointee = step.summary
    }
}

@c @implementation
public func cep_step_array(
    _ step: OpaquePointer?, _ kind: cep_array_kind, _ index: Int64, _ array: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(array, "array")
        let step = try StepHandle.of(step)
        try step.checkApart(arguments)
        result.pointee = passToCaller(try step.takeArray(kind, Int(index)))
    }
}

/// Behind a `cep_step *`, which nobody owns: it is there while the caller's function runs.
final class StepHandle: Handle {
    static let kind = "a step"
    let summary: cep_step_summary
    /// Of what a call is given, nothing that is written may be the network's.
    let checkApart: (_ arguments: Arguments) throws(EngineError) -> Void
    private let array: (_ kind: cep_array_kind, _ index: Int) throws(EngineError) -> ArrayHandle
    private let inUse = Atomic(false)

    init<Element: KernelScalar>(_ moment: PhaseStep<Element>) {
        summary = cep_step_summary(
            step: Int64(moment.step), beta: moment.beta.map { Double($0) } ?? 0, residual: Double(moment.residual),
            weights_move: moment.weightsMove ? 1 : 0)
        let (network, state) = (moment.network, moment.state)
        checkApart = { (arguments) throws(EngineError) in
            for parameter in network.parameterMemory { try arguments.checkApart(from: parameter, of: "the network") }
            for layer in state.layers { try arguments.checkApart(from: layer.memory, of: "the network") }
        }
        // Of a continual phase they are computed, and asked for kind by kind.
        var computed: [Int: ConnectionParameters<Element>] = [:]
        array = { (kind, index) throws(EngineError) in
            if Int(kind) == CEP_STATES { return try moment.state.array(at: index) }
            try checkConnection(index, of: moment.network.parameters.count)
            if let known = computed[index] { return try known.array(kind, connection: index) }
            let parameters = try moment.parameters(at: index)
            computed[index] = parameters
            return try parameters.array(kind, connection: index)
        }
    }

    /// One thread at a time: a second one gets `.busy`.
    func takeArray(_ kind: cep_array_kind, _ index: Int) throws(EngineError) -> ArrayHandle {
        guard take() else {
            throw .busy("the step is in use by another thread; take its arrays in one thread, or try again")
        }
        defer { inUse.store(false, ordering: .releasing) }
        return try Arithmetic.engine.during { () throws(EngineError) in try array(kind, index) }
    }

    /// Waits for the call of another thread, where there is one. No other begins.
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

/// Hands each moment to a C function, which is called with the arithmetic that the thread has when this is made.
final class CStepObserver: PhaseObserver {
    private let function: cep_step_function
    private let context: UnsafeMutableRawPointer?
    private let arithmetic = Arithmetic.current

    init(_ function: cep_step_function, context: UnsafeMutableRawPointer?) {
        self.function = function
        self.context = context
    }

    func observe<Element: KernelScalar>(_ moment: PhaseStep<Element>) throws(EngineError) {
        let handle = StepHandle(moment)
        guard let step = passToCaller(handle) else { return }
        let status = arithmetic.during { function(step, context) }
        release(step, "step", as: StepHandle.self)
        handle.close()
        if status != 0 { throw .stopped }
    }
}
