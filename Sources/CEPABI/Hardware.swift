public import CCEP
import CEPEngine

// Section 13 of cep.h: devices.

@c @implementation
public func cep_pulse_response(
    _ synapse: UnsafePointer<CChar>?, _ directions: UnsafePointer<Int64>?, _ count: Int64, _ weight: Double,
    _ seed: UInt64, _ weights: UnsafeMutablePointer<Double>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        let kind = SynapseKind(rawValue: try string(synapse, "synapse"))
        guard count >= 0, count <= 1 << 30 else {
            throw .invalidArgument("directions has \(count) values; expected 0 to 2^30")
        }
        if count == 0 {
            _ = try kind.model()
            return
        }
        let directions = UnsafeBufferPointer(start: try required(directions, "directions"), count: Int(count))
        let result = try required(weights, "weights")
        if let k = directions.firstIndex(where: { $0 != 1 && $0 != -1 }) {
            throw .invalidArgument("directions[\(k)] must be 1 (up) or -1 (down), got \(directions[k])")
        }
        let response = try kind.pulseResponse(directions.map { $0 > 0 }, from: weight, seed: seed)
        for (k, value) in response.enumerated() { result[k] = value }
    }
}
