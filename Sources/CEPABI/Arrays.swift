public import CCEP
import CEPEngine

// Section 3 of cep.h: arrays.

@c @implementation
public func cep_network_array(
    _ network: OpaquePointer?, _ kind: cep_array_kind, _ index: Int64, _ array: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(array, "array")
        let handle = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.array(kind, at: Int(index))
        }
        result.pointee = passToCaller(handle)
    }
}

@c @implementation
public func cep_array_describe(
    _ array: OpaquePointer?, _ layout: UnsafeMutablePointer<cep_array_layout>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(layout, "layout")
        let handle: ArrayHandle = try HandleRegistry.shared.find(array, "array")
        try arguments.checkApart(from: handle.memory, of: "the array")
        result.pointee = handle.layout
    }
}

@c @implementation
public func cep_array_release(_ array: OpaquePointer?) {
    release(array, "array", as: ArrayHandle.self)
}
