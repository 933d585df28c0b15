import CCEP
import CEPEngine
import CEPKernels
import Synchronization

// What the opaque pointers of cep.h stand for, and who owns it: a handle that went out is kept for its caller until the
// matching destroy or release function.

/// Behind a `cep_network *`.
final class NetworkHandle: Handle {
    static let kind = "a network"
    private let network: any EngineNetwork
    private let parameterMemory: [Range<UInt>]
    private let inUse = Atomic(false)

    init(_ network: any EngineNetwork) {
        self.network = network
        parameterMemory = network.parameterMemory
    }

    /// The handle behind a caller's pointer.
    static func of(_ pointer: OpaquePointer?) throws(EngineError) -> NetworkHandle {
        try HandleRegistry.shared.find(pointer, "network")
    }

    /// Runs `body` with the network, alone: a second thread gets `.busy`.
    ///
    /// - Parameters:
    ///   - arguments: What the call has been given: nothing of it that is written may be the network's own.
    ///   - readsOn: Whether the call reads on while the network changes: then nothing that is read may be either.
    func use<Result>(
        _ arguments: Arguments, readsOn: Bool = false, _ body: (any EngineNetwork) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        guard inUse.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            throw .busy("the network is in use by another thread; give each thread a network of its own")
        }
        defer { inUse.store(false, ordering: .releasing) }
        func check(_ memory: Range<UInt>) throws(EngineError) {
            try arguments.checkApart(from: memory, of: "the network")
            if readsOn { try arguments.checkInputsApart(from: memory) }
        }
        for memory in parameterMemory { try check(memory) }
        try network.forEachLayer(check)
        return try body(network)
    }
}

/// Behind a `cep_array *`: keeps the memory, and knows its shape.
final class ArrayHandle: Handle {
    static let kind = "an array"
    let layout: cep_array_layout
    let memory: Range<UInt>
    private let owner: AnyObject

    init<Element: KernelScalar>(_ matrix: Matrix<Element>, dimensions: Int32) {
        owner = matrix
        memory = matrix.memory
        let shape = dimensions == 2 ? (matrix.rows, matrix.columns) : (matrix.count, 1)
        layout = cep_array_layout(
            data: UnsafeMutableRawPointer(matrix.pointer), dtype: Element.dtype, dimensions: dimensions,
            shape: (Int64(shape.0), Int64(shape.1)))
    }
}

/// Behind a `cep_gradient *`: of either number type.
final class GradientHandle: Handle {
    static let kind = "a gradient"
    let array: (_ kind: cep_array_kind, _ index: Int) throws(EngineError) -> ArrayHandle

    init(array: @escaping (cep_array_kind, Int) throws(EngineError) -> ArrayHandle) { self.array = array }
}

/// Behind a `cep_theorem *`.
final class TheoremHandle: Handle {
    static let kind = "a theorem"
    let check: TheoremCheck<Double>

    init(_ check: TheoremCheck<Double>) { self.check = check }
}

extension TheoremCheck {
    func curves(_ kind: cep_array_kind, at index: Int) throws(EngineError) -> Curves {
        if Int(kind) == CEP_STATES {
            guard index >= 1, index <= states.count else {
                throw .invalidArgument("there are no curves of layer \(index); expected 1 to \(states.count)")
            }
            return states[index - 1]
        }
        try checkConnection(index, of: parameters.count)
        guard let name = parameterNames[Int(kind)] else { throw .invalidArgument("\(kind) is not a kind of array") }
        guard let curves = curves(name, of: index) else {
            throw .invalidArgument(
                Int(kind) == CEP_FEEDBACK_WEIGHTS
                    ? "connection \(index) has no feedback weights of its own"
                    : "connection \(index) has no curves of \(name)")
        }
        return curves
    }
}

/// The names of the kinds of parameters.
private let parameterNames = [
    CEP_WEIGHTS: "weights", CEP_BIASES: "biases", CEP_FEEDBACK_WEIGHTS: "feedback_weights",
]

/// Hands a handle to a C caller, who releases it with the matching destroy function.
func passToCaller(_ handle: some Handle) -> OpaquePointer? { HandleRegistry.shared.add(handle) }

/// Takes back what a caller was given. NULL is allowed; of anything else that is not such a handle the message says so.
func release<Released: Handle>(_ pointer: OpaquePointer?, _ name: String, as kind: Released.Type) {
    guard let pointer else { return }
    _ = reportingErrors { () throws(EngineError) in
        try HandleRegistry.shared.remove(pointer, name, as: kind)
    }
}

extension Matrix {
    /// The addresses of its values.
    var memory: Range<UInt> {
        let start = UInt(bitPattern: pointer)
        return start..<start + UInt(count * MemoryLayout<Element>.stride)
    }
}

extension KernelScalar {
    static var dtype: cep_dtype { cep_dtype(Self.self == Float.self ? CEP_FLOAT32 : CEP_FLOAT64) }
}
