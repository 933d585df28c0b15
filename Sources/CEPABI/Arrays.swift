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
        result.pointee = OpaquePointer(Unmanaged.passRetained(handle).toOpaque())
    }
}

@c @implementation
public func cep_array_describe(
    _ array: OpaquePointer?, _ layout: UnsafeMutablePointer<cep_array_layout>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let array = try required(array, "array")
        let handle = Unmanaged<ArrayHandle>.fromOpaque(UnsafeRawPointer(array)).takeUnretainedValue()
        try required(layout, "layout").pointee = handle.layout
    }
}

@c @implementation
public func cep_array_release(_ array: OpaquePointer?) {
    guard let array else { return }
    Unmanaged<ArrayHandle>.fromOpaque(UnsafeRawPointer(array)).release()
}
