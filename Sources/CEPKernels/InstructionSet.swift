import CVectorKernels

/// A set of instructions that the vector kernels are compiled for.
public struct InstructionSet: Sendable {
    public let name: String
    let float32: cep_kernels
    let float64: cep_kernels

    /// Those this processor has, narrowest first.
    public static let supported: [InstructionSet] = {
        var sets: UnsafePointer<cep_instruction_set>?
        let count = cep_instruction_sets(&sets)
        return UnsafeBufferPointer(start: sets, count: count).filter { $0.supported != 0 }.map {
            InstructionSet(name: String(cString: $0.name), float32: $0.float32.pointee, float64: $0.float64.pointee)
        }
    }()

    /// What the environment variable CEP_INSTRUCTION_SET asks for.
    public static let requested: String? = getenv("CEP_INSTRUCTION_SET").map { String(cString: $0) }

    /// The one in use: that asked for, or the widest.
    public static let current: InstructionSet =
        supported.first { $0.name == requested } ?? supported[supported.count - 1]

    /// Whether what is asked for, if anything is, can be had.
    public static var requestIsMet: Bool { requested == nil || requested == current.name }
}
