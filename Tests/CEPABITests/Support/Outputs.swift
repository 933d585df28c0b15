import CCEP
import CEPABI
import Testing

/// An address that no handle has.
private var marker: OpaquePointer? { OpaquePointer(bitPattern: 0x7777) }

/// Results for C functions to write, filled with values that none of them writes.
struct Outputs {
    var outcome = cep_phase_outcome(steps: -7, residual: -7, converged: -7)
    var metrics = cep_metrics(samples: -7, errors: -7, loss: -7, loss_sum: -7)
    var classes = [Int64](repeating: -7, count: 300)
    var energies = [Double](repeating: -7, count: 300)
    var degrees = -7.0
    var count: Int64 = -7
    /// A network, a copy, a gradient or a theorem.
    var handle = marker
    var tensor = {
        var tensor = cep_tensor()
        (tensor.dtype, tensor.rank, tensor.memory) = (-7, -7, marker)
        return tensor
    }()

    var areUntouched: Bool {
        outcome.steps == -7 && outcome.residual == -7 && outcome.converged == -7
            && metrics.samples == -7 && metrics.errors == -7 && metrics.loss == -7 && metrics.loss_sum == -7
            && classes.allSatisfy { $0 == -7 } && energies.allSatisfy { $0 == -7 } && degrees == -7 && count == -7
            && handle == marker && tensor.data == nil && tensor.dtype == -7 && tensor.rank == -7
            && tensor.memory == marker
    }
}

/// Makes a call that must fail, and checks its status, its message and that nothing was written.
func expectFailure(
    _ status: Int = CEP_INVALID_ARGUMENT, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation,
    _ call: (inout Outputs) -> cep_status
) {
    // Sets another message, so that an old one is not mistaken for the new one.
    _ = cep_set_num_threads(-12345)
    var outputs = Outputs()
    let result = call(&outputs)
    #expect(result == cep_status(status), "\(lastError())", sourceLocation: sourceLocation)
    #expect(outputs.areUntouched, sourceLocation: sourceLocation)
    for part in parts { #expect(lastError().contains(part), "«\(lastError())»", sourceLocation: sourceLocation) }
}

/// Makes a call that must succeed.
@discardableResult
func expectSuccess(
    sourceLocation: SourceLocation = #_sourceLocation, _ call: (inout Outputs) -> cep_status
) -> Outputs {
    var outputs = Outputs()
    let status = call(&outputs)
    #expect(status == CEP_OK, "\(lastError())", sourceLocation: sourceLocation)
    return outputs
}
