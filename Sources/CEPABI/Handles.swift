import CCEP
import CEPEngine
import CEPKernels

// The objects behind the opaque pointers of cep.h. The caller owns a handle until it calls the matching destroy or
// release function.

/// Behind a `cep_network *`.
final class NetworkHandle: Handle {
    static let kind = "a network"
    let network: any EngineNetwork

    init(_ network: any EngineNetwork) { self.network = network }
}

/// The network behind a caller's pointer.
func network(_ pointer: OpaquePointer?) throws(EngineError) -> any EngineNetwork {
    let handle: NetworkHandle = try HandleRegistry.shared.find(pointer, "network")
    return handle.network
}

/// Behind a `cep_memory *`: the memory of a tensor, and its shape.
final class TensorMemory: Handle {
    static let kind = "memory of a tensor"
    private let layout: cep_tensor
    private let owner: AnyObject

    init<Element: KernelScalar>(_ matrix: Matrix<Element>, shape: [Int]) {
        owner = matrix
        var layout = cep_tensor()
        layout.data = UnsafeMutableRawPointer(matrix.pointer)
        layout.dtype = cep_dtype(Element.self == Float.self ? CEP_FLOAT32 : CEP_FLOAT64)
        layout.rank = Int32(shape.count)
        withUnsafeMutableBytes(of: &layout.shape) { lengths in
            withUnsafeMutableBytes(of: &layout.strides) { strides in
                var stride = MemoryLayout<Element>.stride
                for axis in shape.indices.reversed() {
                    lengths.storeBytes(of: Int64(shape[axis]), toByteOffset: 8 * axis, as: Int64.self)
                    strides.storeBytes(of: Int64(stride), toByteOffset: 8 * axis, as: Int64.self)
                    stride *= shape[axis]
                }
            }
        }
        self.layout = layout
    }

    /// Passes the memory to the caller, who releases it with `cep_tensor_release`.
    func passToCaller() -> cep_tensor {
        var tensor = layout
        tensor.memory = CEPABI.passToCaller(self)
        return tensor
    }
}

/// Behind a `cep_gradient *`: a gradient of either number type.
final class GradientHandle: Handle {
    static let kind = "a gradient"
    let tensor: (_ name: String, _ index: Int) throws(EngineError) -> TensorMemory

    init(tensor: @escaping (String, Int) throws(EngineError) -> TensorMemory) { self.tensor = tensor }
}

/// Behind a `cep_theorem *`.
final class TheoremHandle: Handle {
    static let kind = "a theorem"
    let check: TheoremCheck<Double>

    init(_ check: TheoremCheck<Double>) { self.check = check }
}

/// Passes a handle to the caller, who releases it with the matching function.
func passToCaller(_ handle: some Handle) -> OpaquePointer? { HandleRegistry.shared.add(handle) }

/// Takes a handle back from the caller. NULL is allowed. For another pointer it sets the last error.
func release<Released: Handle>(_ pointer: OpaquePointer?, _ name: String, as kind: Released.Type) {
    guard let pointer else { return }
    _ = reportingErrors { () throws(EngineError) in
        try HandleRegistry.shared.remove(pointer, name, as: kind)
    }
}
