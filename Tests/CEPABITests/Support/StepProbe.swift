import CCEP

/// A step function that calls a Swift closure.
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

func summary(of step: OpaquePointer) throws -> cep_step_summary {
    var summary = cep_step_summary()
    try check(cep_step_summarize(step, &summary))
    return summary
}

/// The values of a tensor of a step.
func values(of step: OpaquePointer, _ name: String, _ index: Int64) throws -> [Double] {
    try CTensor { cep_step_tensor(step, name, index, &$0) }.values
}
