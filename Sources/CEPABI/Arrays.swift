public import CCEP
import CEPEngine

// Section 3 of cep.h: arrays.

@c @implementation
public func cep_network_array(
    _ network: OpaquePointer?, _ kind: cep_array_kind, _ index: Int64, _ array: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let result = try required(array, "array")
        let handle = try NetworkHandle.of(network).use { (network) throws(EngineError) in
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
        try required(layout, "layout").pointee = try handle(array, "array", as: ArrayHandle.self).layout
    }
}

@c @implementation
public func cep_array_release(_ array: OpaquePointer?) {
    release(array, as: ArrayHandle.self)
}
