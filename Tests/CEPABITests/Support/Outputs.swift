import CCEP
import CEPABI
import Testing

/// Somewhere for each C function to write to, filled with numbers that none of them writes.
struct Outputs {
    var outcome = cep_phase_outcome(steps: -7, residual: -7, converged: -7)
    var metrics = cep_metrics(samples: -7, errors: -7, loss: -7, loss_sum: -7)
    var classes = [Int64](repeating: -7, count: 300)
    var network = OpaquePointer(bitPattern: 0x7777)
    var array = OpaquePointer(bitPattern: 0x7777)
    var layout = cep_array_layout(
        data: UnsafeMutableRawPointer(bitPattern: 0x7777).unsafelyUnwrapped, dtype: -7, dimensions: -7, shape: (-7, -7))

    var areUntouched: Bool {
        outcome.steps == -7 && outcome.residual == -7 && outcome.converged == -7
            && metrics.samples == -7 && metrics.errors == -7 && metrics.loss == -7
            && metrics.loss_sum == -7
            && classes.allSatisfy { $0 == -7 }
            && network == OpaquePointer(bitPattern: 0x7777) && array == OpaquePointer(bitPattern: 0x7777)
            && layout.data == UnsafeMutableRawPointer(bitPattern: 0x7777) && layout.dtype == -7
            && layout.dimensions == -7 && layout.shape.0 == -7 && layout.shape.1 == -7
    }
}

/// Makes a call that must fail, and checks its status, its message and that nothing was written.
func expectFailure(
    _ status: Int, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation,
    _ call: (inout Outputs) -> cep_status
) {
    // Another message, so that the one to come is seen to be new.
    _ = cep_array_describe(nil, nil)
    var outputs = Outputs()
    let result = call(&outputs)
    #expect(result == cep_status(status), "\(lastError())", sourceLocation: sourceLocation)
    #expect(outputs.areUntouched, sourceLocation: sourceLocation)
    for part in parts { #expect(lastError().contains(part), "«\(lastError())»", sourceLocation: sourceLocation) }
}

/// Makes a call that must succeed.
func expectSuccess(
    sourceLocation: SourceLocation = #_sourceLocation, _ call: (inout Outputs) -> cep_status
) -> Outputs {
    var outputs = Outputs()
    let status = call(&outputs)
    #expect(status == CEP_OK, "\(lastError())", sourceLocation: sourceLocation)
    return outputs
}
