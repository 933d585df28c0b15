import CEPKernels

// Networks in safetensors files, which the Python package (`net.save`, `cep.load`) reads and writes as well.

private let networkFormat = "cep network 1"

extension Network {
    /// Writes the configuration, the parameters and the random state to a safetensors file, which `Network(loading:)` and
    /// Python's `cep.load` read. States, and what the optimizer remembers, are not part of it.
    ///
    /// - Parameter path: The file. One that is there is replaced when the new one is whole.
    /// - Throws: `EngineError.file` if it cannot be written; `.invalidArgument` if the input of a real-time network has
    ///   another activation than layer 1, which the format cannot hold; `.busy` while a call uses the network.
    public func save(to path: String) throws(EngineError) {
        try exclusively { () throws(EngineError) in
            let layers = configuration.layers
            guard configuration.setting == .prototypical || layers[0].activation == layers[1].activation else {
                throw .invalidArgument("the input has another activation than layer 1, which files cannot hold")
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
            let state =
                "{\"sizes\": \(sizes), \"readout\": \(readoutIndex != nil), "
                + "\"options\": \(configuration.fileOptions(dtype: Element.dtypeName)), "
                + "\"random_state\": [\(random.0), \(random.1), \(random.2), \(random.3)]}"
            try TensorFile(format: networkFormat, state: state, tensors: tensors, owner: self).write(to: path)
        }
    }

    /// Reads a network that `save(to:)` or Python's `net.save` wrote. It has no states.
    ///
    /// - Parameter path: The file. Nothing in it is executed.
    /// - Throws: `EngineError.file` for a file that cannot be read, is damaged, or is not a network of this number type;
    ///   `.outOfMemory`.
    public convenience init(loading path: String) throws(EngineError) {
        let file = try TensorFile(path: path, format: networkFormat)
        func refuse(_ reason: String) -> EngineError {
            .file("\(path) is not a network that can be used: \(reason)")
        }
        guard let state = JSON(file.state.utf8), let dtype = state["options"]?["dtype"]?.text,
            let configuration = NetworkConfiguration(file: state),
            let words: [UInt64] = state["random_state"]?.integers(), words.count == 4
        else { throw refuse("its options are not those of this version") }
        guard dtype == Element.dtypeName else {
            throw refuse("it is a \(dtype) network, which Network<\(dtype == "float64" ? "Double" : "Float")> loads")
        }
        do throws(EngineError) {
            try configuration.validate()
            // Before a network is made, of which the sizes alone could ask for any amount of memory.
            let values = file.tensors.values.reduce(0) { $0 + Double($1.bytes.count / MemoryLayout<Element>.stride) }
            let sizes = configuration.sizes.map(Double.init)
            guard zip(sizes, sizes.dropFirst()).reduce(0, { $0 + $1.0 * $1.1 }) <= values else {
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
        guard count == file.tensors.count else {
            throw refuse("expected \(count) tensors, found \(file.tensors.count)")
        }
    }
}

extension KernelScalar {
    fileprivate static var fileType: String { MemoryLayout<Self>.size == 4 ? "F32" : "F64" }
    fileprivate static var dtypeName: String { MemoryLayout<Self>.size == 4 ? "float32" : "float64" }
}

extension NetworkConfiguration {
    private var loss: Loss { objective == .squaredError ? .squaredError : .crossEntropy }

    /// The options of Python's `Network`, as JSON.
    fileprivate func fileOptions(dtype: String) -> String {
        let uniform = NetworkConfiguration(
            sizes: sizes, activation: activation, loss: loss, readout: objective.readoutClasses != nil)
        let activations = layers.dropFirst().map { JSON.quoted($0.activation.rawValue) }
        let isUniform = activation != .linear && uniform.layers == layers
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
            ("connections", "\(skipConnections.map { [$0.from, $0.to] })"),
        ]
        return "{" + options.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }

    /// From the state of a file; nil if an option is missing, unknown or of another kind.
    fileprivate init?(file state: JSON) {
        let known: Set = [
            "setting", "activation", "feedback", "dtype", "seed", "dt", "clamp", "feedback_angle", "follows_energy",
            "relaxation", "tolerance", "loss", "nudging", "connections",
        ]
        guard let options = state["options"]?.members, known.isSuperset(of: options.keys),
            let sizes: [Int] = state["sizes"]?.integers(), sizes.count >= 3, let setting = options["setting"]?.text,
            let feedback = options["feedback"]?.text, ["tied", "untied"].contains(feedback),
            let seed: UInt64 = options["seed"]?.integer(), let timeStep = options["dt"]?.double,
            let clamp = options["clamp"]?.flag, let angle = options["feedback_angle"]?.double,
            let followsEnergy = options["follows_energy"]?.flag, let tolerance = options["tolerance"]?.double,
            let relaxation = options["relaxation"]?.text.flatMap(Relaxation.init),
            let names = options["activation"]?.items ?? options["activation"].map({ [$0] })
        else { return nil }
        let readout = state["readout"]?.flag ?? false
        let activations = names.compactMap { $0.text.flatMap(Activation.init) }
        guard activations.count == names.count, let activation = activations.first else { return nil }
        func choice<Value: RawRepresentable<String>>(_ name: String, or missing: Value?) -> Value?? {
            guard let value = options[name], !value.isNull else { return .some(missing) }
            return value.text.flatMap(Value.init).map { .some($0) }
        }
        guard let loss = choice("loss", or: readout ? Loss.crossEntropy : .squaredError) ?? nil,
            !readout || loss == .crossEntropy, let nudging = choice("nudging", or: Nudging?.none),
            let settingKind: SettingKind = [
                "prototypical": .prototypical,
                "real-time": .realTime(RealTime(timeStep: timeStep, clamp: clamp, followsEnergy: followsEnergy)),
            ][setting]
        else { return nil }
        var edges: [Edge] = []
        for pair in options["connections"]?.items ?? [] {
            guard let ends: [Int] = pair.integers(), ends.count == 2 else { return nil }
            edges.append(Edge(from: ends[0], to: ends[1]))
        }
        self.init(
            sizes: sizes, setting: settingKind, activation: activation,
            feedback: feedback == "tied" ? .tied : .untied(angle: angle), skipConnections: edges, loss: loss,
            readout: readout, nudging: setting == "real-time" ? nil : nudging, seed: seed, relaxation: relaxation,
            tolerance: tolerance)
        if options["activation"]?.items != nil {
            guard activations.count == layers.count - 1 else { return nil }
            for (k, activation) in activations.enumerated() { layers[k + 1].activation = activation }
        }
    }
}
