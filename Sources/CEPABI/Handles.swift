import CCEP
import CEPEngine
import CEPKernels
import Synchronization

// What the opaque pointers of cep.h point to, and who owns it: a handle that went out is retained once, by its
// caller, until the matching destroy or release function.

/// Behind a `cep_network *`.
final class NetworkHandle {
    private let network: any EngineNetwork
    private let inUse = Atomic(false)

    init(_ network: any EngineNetwork) { self.network = network }

    /// The handle behind a caller's pointer.
    static func of(_ pointer: OpaquePointer?) throws(EngineError) -> NetworkHandle {
        Unmanaged.fromOpaque(UnsafeRawPointer(try required(pointer, "network"))).takeUnretainedValue()
    }

    /// Runs `body` with the network, alone: a second thread gets `.busy`.
    func use<Result>(_ body: (any EngineNetwork) throws(EngineError) -> Result) throws(EngineError) -> Result {
        guard inUse.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            throw .busy
        }
        defer { inUse.store(false, ordering: .releasing) }
        return try body(network)
    }
}

/// Behind a `cep_array *`: keeps the memory, and knows its shape.
final class ArrayHandle {
    let layout: cep_array_layout
    private let owner: AnyObject

    init<Element: KernelScalar>(_ matrix: Matrix<Element>, dimensions: Int32) {
        owner = matrix
        let shape = dimensions == 2 ? (matrix.rows, matrix.columns) : (matrix.count, 1)
        layout = cep_array_layout(
            data: UnsafeMutableRawPointer(matrix.pointer), dtype: Element.dtype, dimensions: dimensions,
            shape: (Int64(shape.0), Int64(shape.1)))
    }
}

extension KernelScalar {
    static var dtype: cep_dtype { cep_dtype(Self.self == Float.self ? CEP_FLOAT32 : CEP_FLOAT64) }
}
