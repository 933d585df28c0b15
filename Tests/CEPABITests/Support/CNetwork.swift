import CCEP
import CEPABI
import Testing

/// A network of the C interface, destroyed with this object.
final class CNetwork {
    let pointer: OpaquePointer

    convenience init(_ sizes: [Int64] = [4, 5, 3], _ options: COptions = [:]) throws {
        try self.init(options: .network(sizes, options))
    }

    init(options: COptions) throws {
        var created: OpaquePointer?
        try check(cep_network_create(options.pointer, &created))
        guard let created else { throw CallFailed(status: cep_status(CEP_OK), message: "no network") }
        pointer = created
    }

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { cep_network_destroy(pointer) }

    func copied() throws -> CNetwork {
        var copy: OpaquePointer?
        try check(cep_network_copy(pointer, &copy))
        guard let copy else { throw CallFailed(status: cep_status(CEP_OK), message: "no copy") }
        return CNetwork(owning: copy)
    }

    func tensor(_ name: String, _ index: Int64) throws -> CTensor {
        try CTensor { cep_network_tensor(pointer, name, index, &$0) }
    }

    /// The names and indices of all parameters.
    func parameterNames() throws -> [(name: String, index: Int64)] {
        var count: Int64 = 0
        try check(cep_network_parameters(pointer, nil, 0, &count))
        var parameters = [cep_parameter](repeating: cep_parameter(), count: Int(count))
        try check(cep_network_parameters(pointer, &parameters, count, &count))
        return parameters.map { (String(cString: $0.name!), $0.index) }
    }

    /// The values of all parameters.
    func parameters() throws -> [[Double]] {
        try parameterNames().map { try tensor($0.name, $0.index).values }
    }

    /// The states of all layers; empty before the first phase.
    func states() throws -> [[Double]] {
        var all: [[Double]] = []
        while let tensor = try? tensor("states", Int64(all.count)) { all.append(tensor.values) }
        return all
    }
}

/// A view of memory of the engine, released with this object.
final class CTensor {
    private(set) var tensor: cep_tensor

    /// - Parameter take: A call that writes the tensor.
    init(_ take: (inout cep_tensor) -> cep_status) throws {
        var taken = cep_tensor()
        try check(take(&taken))
        tensor = taken
    }

    /// Takes ownership of a tensor.
    init(owning tensor: cep_tensor) { self.tensor = tensor }

    deinit { cep_tensor_release(&tensor) }

    func release() { cep_tensor_release(&tensor) }

    var shape: [Int64] { withUnsafeBytes(of: tensor.shape) { Array($0.bindMemory(to: Int64.self).prefix(rank)) } }
    var strides: [Int64] { withUnsafeBytes(of: tensor.strides) { Array($0.bindMemory(to: Int64.self).prefix(rank)) } }
    var rank: Int { Int(tensor.rank) }
    var count: Int { Int(shape.reduce(1, *)) }
    var values: [Double] { (0..<count).map { self[$0] } }

    /// The value at an index of a contiguous tensor.
    subscript(_ i: Int) -> Double {
        get {
            tensor.dtype == CEP_FLOAT32
                ? Double(tensor.data!.assumingMemoryBound(to: Float.self)[i])
                : tensor.data!.assumingMemoryBound(to: Double.self)[i]
        }
        set {
            if tensor.dtype == CEP_FLOAT32 {
                tensor.data!.assumingMemoryBound(to: Float.self)[i] = Float(newValue)
            } else {
                tensor.data!.assumingMemoryBound(to: Double.self)[i] = newValue
            }
        }
    }
}

struct CallFailed: Error {
    let status: cep_status
    let message: String
}

/// Throws if a call failed.
func check(_ status: cep_status) throws {
    guard status == CEP_OK else { throw CallFailed(status: status, message: lastError()) }
}

func lastError() -> String { String(cString: cep_last_error()) }

var noProgress: cep_progress { cep_progress() }

/// Expects that these options are refused.
func expectNetworkRefused(
    _ options: COptions, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation
) {
    expectFailure(saying: parts, sourceLocation: sourceLocation) {
        cep_network_create(options.pointer, &$0.handle)
    }
}
