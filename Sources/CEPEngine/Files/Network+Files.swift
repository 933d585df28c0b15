import CEPKernels

// Networks in safetensors files, which the Python package (`net.save`, `cep.load`) also reads and writes.

private let networkFormat = "cep network 1"

extension Network {
    /// Writes the configuration, the parameters and the random state to a safetensors file, which `Network(loading:)`
    /// and Python's `cep.load` read. The file does not contain states or the state of the optimizer.
    ///
    /// - Parameter path: The file. An existing file is replaced once the new one is complete.
    /// - Throws: `EngineError.file` if it cannot be written; `.invalidArgument` if the input of a real-time network has
    ///   another activation than layer 1, which the format cannot hold; `.busy` while a call uses the network.
    public func save(to path: String) throws(EngineError) {
        try exclusively { () throws(EngineError) in
            let layers = configuration.layers
            guard configuration.setting == .prototypical || layers[0].activation == layers[1].activation else {
                throw .invalidArgument("the input and layer 1 have different activations, which files cannot hold")
            }
            let random = random.state
            var tensors: [String: TensorFile.Tensor] = [:]
            for (k, each) in parameters.enumerated() {
                for tensor in each.tensors {
                    let bytes = UnsafeRawBufferPointer(
                        UnsafeBufferPointer(start: tensor.values.pointer, count: tensor.values.count))
                    tensors["\(tensor.name).\(k)"] = TensorFile.Tensor(
                        type: Element.fileType, shape: tensor.shape, bytes: bytes)
                }
            }
            for each in deviceMemory {
                tensors[each.name] = TensorFile.Tensor(
                    type: each.type, shape: each.shape, bytes: UnsafeRawBufferPointer(each.bytes))
            }
            let state =
                "{\"sizes\": \(configuration.fileSizes), \"readout\": \(readoutIndex != nil), "
                + "\"options\": \(configuration.fileOptions(dtype: Element.dtypeName)), "
                + "\"random_state\": [\(random.0), \(random.1), \(random.2), \(random.3)]}"
            try TensorFile(format: networkFormat, state: state, tensors: tensors, owner: self).write(to: path)
        }
    }

    /// Reads a network that `save(to:)` or Python's `net.save` has written. It has no states.
    ///
    /// - Parameter path: The file. No code in it is executed.
    /// - Throws: `EngineError.file` if the file cannot be read, is damaged, or is not a network of this number type;
    ///   `.outOfMemory`.
    public convenience init(loading path: String) throws(EngineError) {
        let file = try TensorFile(path: path, format: networkFormat)
        func refuse(_ reason: String) -> EngineError {
            .file("\(path) is not a valid network file: \(reason)")
        }
        guard let state = JSON(file.state.utf8), let dtype = state["options"]?["dtype"]?.text,
            let words: [UInt64] = state["random_state"]?.integers(), words.count == 4
        else { throw refuse("its options are not those of this version") }
        guard dtype == Element.dtypeName else {
            throw refuse("it is a \(dtype) network, which Network<\(dtype == "float64" ? "Double" : "Float")> loads")
        }
        do throws(EngineError) {
            let configuration = try NetworkConfiguration(file: state)
            try configuration.validate()
            // Checked before the network is created, because its sizes alone could require any amount of memory.
            let values = file.tensors.values.reduce(0) { $0 + Double($1.bytes.count / MemoryLayout<Element>.stride) }
            guard try configuration.parameterCount(Element.self) <= values else {
                throw .invalidArgument("it has \(values) values, too few for layers of \(configuration.sizes) units")
            }
            try self.init(zeros: configuration)
            random = try RandomSource(state: (words[0], words[1], words[2], words[3]))
        } catch {
            if case .outOfMemory = error { throw error }
            throw refuse(error.message)
        }
        var count = 0
        for (k, each) in parameters.enumerated() {
            for tensor in each.tensors {
                let name = "\(tensor.name).\(k)"
                guard let stored = file.tensors[name], stored.shape == tensor.shape, stored.type == Element.fileType
                else {
                    throw refuse("expected \(name) to be of shape \(tensor.shape) and type \(Element.fileType)")
                }
                UnsafeMutableRawBufferPointer(
                    UnsafeMutableBufferPointer(start: tensor.values.pointer, count: tensor.values.count)
                ).copyMemory(from: stored.bytes)
                count += 1
            }
        }
        for each in deviceMemory {
            guard let stored = file.tensors[each.name], stored.shape == each.shape, stored.type == each.type else {
                throw refuse("expected \(each.name) to be of shape \(each.shape) and type \(each.type)")
            }
            each.bytes.copyMemory(from: stored.bytes)
            count += 1
        }
        guard count == file.tensors.count else {
            throw refuse("expected \(count) tensors, found \(file.tensors.count)")
        }
    }
}

extension Network {
    /// The tensors of the devices in files, and their memory here.
    private var deviceMemory: [(name: String, type: String, shape: [Int], bytes: UnsafeMutableRawBufferPointer)] {
        deviceTensorNames.compactMap { name, k in
            guard let (values, shape) = deviceTensor(name, at: k) else { return nil }
            let (type, bytes) =
                switch values {
                case .numbers(let matrix): (Element.fileType, matrix.bytes)
                case .counters(let matrix): (Double.fileType, matrix.bytes)
                }
            return ("device.\(name).\(k)", type, shape, bytes)
        }
    }
}

extension Matrix {
    fileprivate var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: pointer, count: count))
    }
}

extension KernelScalar {
    fileprivate static var fileType: String { MemoryLayout<Self>.size == 4 ? "F32" : "F64" }
    fileprivate static var dtypeName: String { MemoryLayout<Self>.size == 4 ? "float32" : "float64" }
}

extension NetworkConfiguration {
    private var loss: Loss { if case .output(let loss) = objective { loss } else { .crossEntropy } }

    /// Units of each layer, or the words that describe them.
    fileprivate var fileSizes: String {
        guard let words else { return "\(sizes)" }
        return "[" + words.map { Int($0) == nil ? JSON.quoted($0) : $0 }.joined(separator: ", ") + "]"
    }

    /// The options of Python's `Network`, as JSON.
    fileprivate func fileOptions(dtype: String) -> String {
        let uniform = NetworkConfiguration(
            sizes: sizes, activation: activation, loss: loss, readout: objective.readoutClasses != nil)
        let activations = layers.dropFirst().map { layer in
            JSON.quoted(layer.activation == .tabulated ? table?.word ?? "" : layer.activation.rawValue)
        }
        let isUniform = activation != .linear && uniform.layers.map(\.activation) == layers.map(\.activation)
        var realTime = RealTime()
        var (settingName, nudgingName) = ("prototypical", JSON.quoted(nudging.rawValue))
        if case .realTime(let options) = setting {
            (realTime, settingName, nudgingName) = (options, "real-time", "null")
        }
        var angle: Double?
        if case .untied(let degrees) = feedback { angle = degrees }
        let options = [
            ("setting", JSON.quoted(settingName)),
            ("activation", isUniform ? activations[0] : "[\(activations.joined(separator: ", "))]"),
            ("feedback", JSON.quoted(angle == nil ? "tied" : "untied")), ("dtype", JSON.quoted(dtype)),
            ("seed", "\(seed)"), ("dt", "\(realTime.timeStep)"), ("clamp", "\(realTime.clamp)"),
            ("feedback_angle", "\(angle ?? 0)"), ("follows_energy", "\(realTime.followsEnergy)"),
            ("relaxation", JSON.quoted(relaxation.rawValue)), ("tolerance", "\(tolerance)"),
            ("loss", JSON.quoted(loss.rawValue)), ("nudging", nudgingName),
            ("connections", "[\(skipConnections.map { $0.fileText }.joined(separator: ", "))]"),
        ]
        var imperfections = [("synapses", hardware.synapses), ("bias_synapses", hardware.biasSynapses)]
            .filter { !$0.1.isEmpty }
            .map { ($0, "[\($1.map { JSON.quoted($0.rawValue) }.joined(separator: ", "))]") }
        if hardware.variesNeurons { imperfections.append(("neurons", JSON.quoted(hardware.neuronsWord))) }
        if hardware.readNoise > 0 {
            imperfections += [
                ("read_noise", "\(hardware.readNoise)"),
                ("read_noise_every", JSON.quoted(hardware.readNoiseEvery.rawValue)),
            ]
        }
        if hardware.feedbackMismatch > 0 { imperfections.append(("feedback_mismatch", "\(hardware.feedbackMismatch)")) }
        return "{" + (options + imperfections).map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }

    /// Reads the configuration from the state in a file.
    fileprivate init(file state: JSON) throws(EngineError) {
        guard let given = state["options"]?.members, let sizes = state["sizes"]?.items else {
            throw .invalidArgument("its sizes or options are missing")
        }
        let words = sizes.compactMap { item in item.text ?? (item.integer() as Int?).map(String.init) }
        guard words.count == sizes.count else { throw .invalidArgument("its sizes are not numbers or words") }
        var values: [String: Options.Value] = [:]
        if let sizes: [Int] = state["sizes"]?.integers() {
            values["sizes"] = .integers(sizes)
        } else {
            values["layers"] = .text(words.joined(separator: ","))
        }
        for (name, value) in given where !value.isNull && name != "dtype" && name != "connections" {
            values[name] = try value.option(name)
        }
        if let readout = state["readout"] { values["readout"] = try readout.option("readout") }
        if given["setting"]?.text == "real-time" { values["nudging"] = nil }
        let connections = given["connections"]?.items ?? []
        if !connections.isEmpty {
            let layers = connections.flatMap { $0.items?.prefix(2).compactMap { $0.integer() as Int? } ?? [] }
            guard layers.count == 2 * connections.count else { throw .invalidArgument("its connections are not pairs") }
            let kinds = connections.map { $0.items?.dropFirst(2).first?.text ?? ConnectionKind.dense.rawValue }
            values["connections"] = .integers(layers)
            values["connection_kinds"] = .text(kinds.joined(separator: ","))
        }
        var options = Options(values)
        try self.init(&options)
        try options.checkAllRead(by: "a network")
    }
}

extension Edge {
    fileprivate var fileText: String {
        "[\(from), \(to)" + (kind == .dense ? "]" : ", \(JSON.quoted(kind.rawValue))]")
    }
}

extension JSON {
    /// The value of an option: a flag, a number, a word, or a list of words.
    fileprivate func option(_ name: String) throws(EngineError) -> Options.Value {
        if let flag { return .integers([flag ? 1 : 0]) }
        if let text { return .text(text) }
        if let integer: Int = integer() { return .integers([integer]) }
        if let seed: UInt64 = integer() { return .integers([Int(bitPattern: UInt(seed))]) }
        if let double { return .numbers([double]) }
        guard let words = items?.map({ $0.text }), !words.contains(nil) else {
            throw .invalidArgument("its option \(name) is of another kind")
        }
        return .text(words.compactMap { $0 }.joined(separator: ","))
    }
}
