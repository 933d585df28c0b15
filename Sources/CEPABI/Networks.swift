public import CCEP
import CEPEngine
import CEPKernels

// Section 2 of cep.h: networks.

@c @implementation
public func cep_network_options_default(_ options: UnsafeMutablePointer<cep_network_options>?) {
    fillIn(
        options, "options",
        with: cep_network_options(
            sizes: nil, layer_count: 0, setting: cep_setting(CEP_PROTOTYPICAL),
            activation: cep_activation(CEP_SHIFTED_SIGMOID), feedback: cep_feedback(CEP_TIED),
            dtype: cep_dtype(CEP_FLOAT32), seed: 0, time_step: 0.2, clamp: 1,
            follows_energy: 0, feedback_angle: 0, relaxation: cep_relaxation(CEP_SYNCHRONOUS), tolerance: 0, more: nil,
            more_count: 0))
}

@c @implementation
public func cep_network_create(
    _ options: UnsafePointer<cep_network_options>?, _ network: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(network, "network")
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
        let options = try arguments.reads(options, "options").pointee
        let configuration = try arguments.configuration(options)
        let created: any EngineNetwork =
            switch Int(options.dtype) {
            case CEP_FLOAT32: try Network<Float>(configuration)
            case CEP_FLOAT64: try Network<Double>(configuration)
            default: throw .invalidArgument("\(options.dtype) is not a dtype")
            }
        result.pointee = passToCaller(NetworkHandle(created))
    }
}

@c @implementation
public func cep_network_copy(
    _ network: OpaquePointer?, _ copy: UnsafeMutablePointer<OpaquePointer?>?
) -> cep_status {
    reportingErrors { () throws(EngineError) in
        var arguments = Arguments()
        let result = try arguments.writes(copy, "copy")
        let copied: any EngineNetwork = try NetworkHandle.of(network).use(arguments) { (network) throws(EngineError) in
            try network.copied()
        }
        result.pointee = passToCaller(NetworkHandle(copied))
    }
}

@c @implementation
public func cep_network_destroy(_ network: OpaquePointer?) {
    release(network, "network", as: NetworkHandle.self)
}

extension Arguments {
    fileprivate mutating func configuration(
        _ options: cep_network_options
    ) throws(EngineError) -> NetworkConfiguration {
        // More layers than this is a length gone wrong, not a network.
        guard options.layer_count >= 0, options.layer_count <= 1_000_000 else {
            throw .invalidArgument("the number of layers is \(options.layer_count); expected 3 to 1000000")
        }
        let count = Int(options.layer_count)
        let more = try NamedOptions(options.more, options.more_count, with: &self)
        try more.expect(["activations", "connections", "loss", "nudging", "readout"])
        let sizes = count == 0 ? nil : try reads(options.sizes, count: count, "sizes")
        var configuration = NetworkConfiguration(
            sizes: UnsafeBufferPointer(start: sizes, count: count).map { Int($0) },
            setting: try SettingKind(options), activation: try Activation(options),
            feedback: try Feedback(options), skipConnections: try more.edges("connections"),
            loss: try more.choice("loss") ?? .squaredError, readout: more.number("readout") ?? 0 != 0,
            nudging: try more.choice("nudging"), seed: options.seed, relaxation: try Relaxation(options),
            tolerance: options.tolerance)
        if let activations: [Activation] = try more.choices("activations") {
            try configuration.setActivations(activations)
        }
        if more.number("readout") ?? 0 != 0, try more.choice("loss") == Loss.squaredError {
            throw .invalidArgument("loss is squared_error, with a readout: expected cross_entropy, which a readout has")
        }
        return configuration
    }
}

extension SettingKind {
    fileprivate init(_ options: cep_network_options) throws(EngineError) {
        switch Int(options.setting) {
        case CEP_PROTOTYPICAL:
            // A wrong number is a mistake, used or not.
            try RealTime(timeStep: options.time_step).validate()
            self = .prototypical
        case CEP_REAL_TIME:
            self = .realTime(
                RealTime(
                    timeStep: options.time_step, clamp: options.clamp != 0,
                    followsEnergy: options.follows_energy != 0))
        default: throw .invalidArgument("\(options.setting) is not a setting")
        }
    }
}

extension Activation {
    fileprivate init(_ options: cep_network_options) throws(EngineError) {
        guard let activation = Activation.allCases.first(where: { $0.kernel == options.activation }) else {
            throw .invalidArgument("\(options.activation) is not an activation")
        }
        self = activation
    }
}

extension Relaxation {
    fileprivate init(_ options: cep_network_options) throws(EngineError) {
        switch Int(options.relaxation) {
        case CEP_SYNCHRONOUS: self = .synchronous
        case CEP_ALTERNATING: self = .alternating
        default: throw .invalidArgument("\(options.relaxation) is not an order of relaxation")
        }
    }
}

extension Feedback {
    fileprivate init(_ options: cep_network_options) throws(EngineError) {
        switch Int(options.feedback) {
        case CEP_TIED:
            try Feedback.untied(angle: options.feedback_angle).validate()
            self = .tied
        case CEP_UNTIED: self = .untied(angle: options.feedback_angle)
        default: throw .invalidArgument("\(options.feedback) is not a kind of feedback")
        }
    }
}
