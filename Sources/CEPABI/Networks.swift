public import CCEP
import CEPEngine
import CEPKernels

// Section 3 of cep.h: networks.

@c @implementation
public func cep_network_create(
    _ options: UnsafePointer<cep_options>?, _ network: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(network, "network")
        guard InstructionSet.requestIsMet else {
            throw .invalidArgument(
                "CEP_INSTRUCTION_SET asks for \(InstructionSet.requested ?? ""); this processor has "
                    + InstructionSet.supported.map(\.name).joined(separator: ", "))
        }
        guard WorkerPool.requestIsMet else {
            throw .invalidArgument(
                "CEP_NUM_THREADS asks for \(WorkerPool.requested ?? "") threads; expected 1 to "
                    + "\(WorkerPool.largestThreadCount)")
        }
        var options = try Options(options, "options")
        let dtype = try options.text("dtype") ?? "float32"
        let configuration = try NetworkConfiguration(&options)
        try options.checkAllRead(by: "a network")
        let created: any EngineNetwork =
            switch dtype {
            case "float32": try Network<Float>(configuration)
            case "float64": try Network<Double>(configuration)
            default: throw .invalidArgument("dtype must be float32 or float64, got \(dtype)")
            }
        result.pointee = passToCaller(NetworkHandle(created))
    }
}

@c @implementation
public func cep_network_copy(
    _ network: OpaquePointer?, _ copy: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(copy, "copy")
        result.pointee = passToCaller(NetworkHandle(try CEPABI.network(network).copied()))
    }
}

@c @implementation
public func cep_network_destroy(_ network: OpaquePointer?) {
    release(network, "network", as: NetworkHandle.self)
}
