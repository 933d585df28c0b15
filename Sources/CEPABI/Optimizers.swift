public import CCEP
import CEPEngine

// Section 7 of cep.h: the state of an optimizer.

@c @implementation
public func cep_optimizer_prepare(_ network: OpaquePointer?, _ rule: UnsafePointer<cep_rule>?) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let rule = try arguments.rule(rule)
        try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.prepareOptimizer(of: rule)
        }
    }
}

@c @implementation
public func cep_optimizer_summarize(
    _ network: OpaquePointer?, _ summary: UnsafeMutablePointer<cep_optimizer_summary>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(summary, "summary")
        let present = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            network.optimizerSummary
        }
        var value = cep_optimizer_summary()
        value.steps = Int64(present?.steps ?? 0)
        withUnsafeMutableBytes(of: &value.name) { bytes in
            for (k, byte) in (present?.name ?? "").utf8.prefix(bytes.count - 1).enumerated() { bytes[k] = byte }
        }
        result.pointee = value
    }
}

@c @implementation
public func cep_optimizer_set_steps(_ network: OpaquePointer?, _ steps: Int64) -> cep_status {
    reportingErrors { () throws(EngineError) in
        guard steps >= 0 else { throw .invalidArgument("steps must be 0 or more, got \(steps)") }
        try NetworkHandle.of(network).use(Arguments()) { (network) throws(EngineError) in
            try network.setOptimizerSteps(Int(steps))
        }
    }
}

@c @implementation
public func cep_optimizer_array(
    _ network: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ kind: cep_array_kind, _ index: Int64,
    _ array: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(array, "array")
        guard let name else { throw isNull("name") }
        let handle = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.optimizerArray(String(cString: name), kind, at: Int(index))
        }
        result.pointee = passToCaller(handle)
    }
}
