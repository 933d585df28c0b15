public import CCEP
import CEPEngine

// Section 4 of cep.h: parameters and states in place.

@c @implementation
public func cep_network_tensor(
    _ network: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ index: Int64,
    _ tensor: UnsafeMutablePointer<cep_tensor>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(tensor, "tensor")
        let (network, name) = (try CEPABI.network(network), try string(name, "name"))
        result.pointee = try network.exclusively { () throws(EngineError) in
            try network.tensor(name, at: Int(index))
        }.passToCaller()
    }
}

@c @implementation
public func cep_tensor_release(_ tensor: UnsafeMutablePointer<cep_tensor>?) {
    guard let tensor else { return }
    release(tensor.pointee.memory, "tensor.memory", as: TensorMemory.self)
    tensor.pointee = cep_tensor()
}

@c @implementation
public func cep_network_parameters(
    _ network: OpaquePointer?, _ parameters: UnsafeMutablePointer<cep_parameter>?, _ capacity: Int64,
    _ count: UnsafeMutablePointer<Int64>?
) -> cep_status {
    list(parameters, capacity, count) { () throws(EngineError) in try CEPABI.network(network).parameterNames }
}

@c @implementation
public func cep_network_devices(
    _ network: OpaquePointer?, _ tensors: UnsafeMutablePointer<cep_parameter>?, _ capacity: Int64,
    _ count: UnsafeMutablePointer<Int64>?
) -> cep_status {
    list(tensors, capacity, count) { () throws(EngineError) in try CEPABI.network(network).deviceTensorNames }
}

private func list(
    _ parameters: UnsafeMutablePointer<cep_parameter>?, _ capacity: Int64, _ count: UnsafeMutablePointer<Int64>?,
    _ names: () throws(EngineError) -> [(name: String, index: Int)]
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(count, "count")
        guard capacity >= 0 else { throw .invalidArgument("capacity must be 0 or more, got \(capacity)") }
        let names = try names()
        if capacity > 0 {
            let parameters = try required(parameters, "parameters")
            for (k, each) in names.prefix(Int(capacity)).enumerated() {
                parameters[k] = cep_parameter(name: StaticText.shared(each.name), index: Int64(each.index))
            }
        }
        result.pointee = Int64(names.count)
    }
}

@c @implementation
public func cep_option_words(_ name: UnsafePointer<CChar>?) -> UnsafePointer<CChar>? {
    guard let name, let words = optionWords[String(cString: name)] else { return nil }
    return StaticText.shared(words.joined(separator: ","))
}
