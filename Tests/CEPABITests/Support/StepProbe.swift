import CCEP

/// A step function with a Swift closure behind it.
final class StepProbe {
    private let look: (OpaquePointer) -> Int32

    init(_ look: @escaping (OpaquePointer) -> Int32) { self.look = look }

    /// Runs a call with this step function, and no progress function.
    func during<Result>(_ call: (cep_progress) -> Result) -> Result {
        withExtendedLifetime(self) {
            call(
                cep_progress(
                    function: nil,
                    step: { step, context in
                        guard let context else { return 1 }
                        return Unmanaged<StepProbe>.fromOpaque(context).takeUnretainedValue().look(step)
                    }, context: Unmanaged.passUnretained(self).toOpaque()))
        }
    }
}

/// What a step says of itself.
func summary(of step: OpaquePointer) throws -> cep_step_summary {
    var summary = cep_step_summary()
    let status = cep_step_summarize(step, &summary)
    guard status == CEP_OK else { throw CallFailed(status: status, message: lastError()) }
    return summary
}

/// The numbers of an array of a step, copied out.
func values(of step: OpaquePointer, _ kind: Int, _ index: Int64) throws -> [Double] {
    var array: OpaquePointer?
    let status = cep_step_array(step, cep_array_kind(kind), index, &array)
    guard status == CEP_OK, let array else { throw CallFailed(status: status, message: lastError()) }
    return try CArray(owning: array).values
}
