import CEPKernels

/// The devices of a network with hardware that is not ideal.
final class NetworkHardware<Element: KernelScalar> {
    /// The synapses of each set of parameters, tensor by tensor; nil if ideal.
    let synapses: [[SynapseArray<Element>?]]
    /// The parameters as products see them, if they differ; otherwise nil.
    let seen: [ConnectionParameters<Element>?]
    /// nil if the neurons are ideal.
    let neurons: NeuronHardware<Element>?
    private let parameters: [ConnectionParameters<Element>]
    private let configuration: HardwareConfiguration
    private let noiseKey: RandomKey

    // The keys of noise: for the phase of a batch, the step and the sample.
    private var phaseKey: RandomKey
    private var batchKey: RandomKey
    private var phases = 0
    private var steps = 0
    /// The key of the present step.
    private(set) var stepKey: RandomKey
    /// The index of the batch's first sample among those that are evaluated.
    var firstSample = 0

    init(
        _ network: NetworkConfiguration, of parameters: [ConnectionParameters<Element>]
    ) throws(EngineError) {
        let configuration = network.hardware
        self.configuration = configuration
        // Streams separate from those of parameters and of the network.
        let key = RandomKey(seed: network.seed).part(1)
        noiseKey = RandomKey(seed: network.seed).part(2)
        (batchKey, phaseKey, stepKey) = (noiseKey, noiseKey, noiseKey)
        neurons =
            configuration.variesNeurons ? try NeuronHardware(network, key: RandomKey(seed: network.seed).part(4)) : nil
        var (synapses, seen) = ([[SynapseArray<Element>?]](), [ConnectionParameters<Element>?]())
        for (k, each) in parameters.enumerated() {
            var arrays: [SynapseArray<Element>?] = []
            for (place, tensor) in each.tensors.enumerated() {
                guard let model = try configuration.model(of: k, isBias: tensor.kind == .biases) else {
                    arrays.append(nil)
                    continue
                }
                arrays.append(try SynapseArray(model, of: tensor.values, key: key.part(k).part(place)))
            }
            synapses.append(arrays)
            let differ = configuration.readNoise > 0 || arrays.contains { $0?.hasWriteNoise == true }
            seen.append(differ ? try each.zeros() : nil)
        }
        self.synapses = synapses
        self.seen = seen
        self.parameters = parameters
    }

    /// Programs the initial weights into all devices.
    ///
    /// - Throws: `EngineError.invalidArgument` if some lie outside the bounds and are not to be clipped.
    func program() throws(EngineError) {
        for (k, arrays) in synapses.enumerated() {
            for (array, tensor) in zip(arrays, parameters[k].tensors) {
                guard let array, let bounds = array.model.bounds, !bounds.clipsInitial else { continue }
                let outside = array.outsideCount
                guard outside == 0 else {
                    throw .invalidArgument(
                        "\(outside) of \(tensor.values.count) initial \(tensor.name) of connection \(k) lie outside "
                            + "w_min \(bounds.lowest) to w_max \(bounds.highest); choose wider bounds, or "
                            + "clip_initial to clip them")
                }
            }
        }
        for array in synapses.joined() { array?.program() }
    }

    /// Updates the parameters that products see.
    func updateSeen() {
        for (k, seen) in seen.enumerated() {
            guard let seen else { continue }
            for (place, tensor) in seen.tensors.enumerated() {
                if let array = synapses[k][place] {
                    array.copySeen(to: tensor.values)
                } else {
                    tensor.values.copy(from: parameters[k].tensors[place].values)
                }
                guard configuration.readNoise > 0, tensor.kind != .biases else { continue }
                let key = (configuration.readNoiseEvery == .step ? stepKey : phaseKey).part(-1 - k).part(place)
                addNoise(to: tensor.values, key: key)
            }
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    private func addNoise(to values: Matrix<Element>, key: RandomKey) {
        let deviation = configuration.readNoise
        WorkerPool.shared.run(parts: WorkerPool.shared.threadCount, of: values.count) { _, range in
            for i in range {
                var stream = key.stream(i)
                values.pointer[i] += Element(deviation * stream.normal())
            }
        }
    }

    // MARK: - Noise

    /// Whether noise differs between steps.
    var isNoisyAtEachStep: Bool { configuration.stateNoise > 0 || readsNoiseAtEachStep }

    var readsNoiseAtEachStep: Bool { configuration.readNoise > 0 && configuration.readNoiseEvery == .step }

    /// Begins the noise of the phases of a batch. Draws nothing on hardware without noise.
    func beginBatch(drawingFrom random: inout RandomSource) {
        guard configuration.stateNoise > 0 || configuration.readNoise > 0 else { return }
        batchKey = noiseKey.part(0).part(random.next())
        (phases, firstSample) = (0, 0)
    }

    /// Begins the noise of the samples of an evaluation from `first` on.
    func beginBatch(evaluatingFrom first: Int) {
        // State noise depends on the sample, not on its batch.
        batchKey = noiseKey.part(1)
        (phases, firstSample) = (0, first)
    }

    /// - Returns: Whether weights are read again.
    func beginPhase() -> Bool {
        phases += 1
        steps = 0
        phaseKey = batchKey.part(phases)
        stepKey = phaseKey
        return configuration.readNoise > 0
    }

    /// - Returns: Whether weights are read again.
    func beginStep() -> Bool {
        steps += 1
        stepKey = phaseKey.part(steps)
        return readsNoiseAtEachStep
    }

    func finishBatch() {
        for array in synapses.joined() { array?.finishBatch() }
    }

    func backUp() {
        for array in synapses.joined() { array?.backUp() }
    }

    func restore() {
        for array in synapses.joined() { array?.restore() }
    }

    /// Copies everything except the parameters from the hardware of a network of the same configuration.
    func copy<Other>(from other: NetworkHardware<Other>) {
        for (mine, theirs) in zip(synapses.joined(), other.synapses.joined()) {
            if let mine, let theirs { mine.copy(from: theirs) }
        }
        guard let mine = neurons, let theirs = other.neurons else { return }
        for (mine, theirs) in [(mine.gains, theirs.gains), (mine.offsets, theirs.offsets)] {
            for (own, each) in zip(mine ?? [], theirs ?? []) {
                convert(each.pointer, into: own.pointer, count: each.count)
            }
        }
    }
}

extension Network {
    /// To be called at the start of a phase: reads the weights again if reads are noisy.
    func beginNoisyPhase(of state: NetworkState<Element>) throws(EngineError) {
        guard let hardware, hardware.beginPhase() else { return }
        try prepareConnections()
        refreshInput(of: state)
    }

    /// To be called at the start of a step: reads the weights again if reads are noisy at each step.
    func beginNoisyStep(of state: NetworkState<Element>) throws(EngineError) {
        guard let hardware, hardware.beginStep() else { return }
        try prepareConnections()
        refreshInput(of: state)
    }

    /// The names of the devices' tensors, such as `weights.w_max` and `weights.counters`.
    package var deviceTensorNames: [(name: String, index: Int)] {
        guard let hardware else { return [] }
        var names: [(name: String, index: Int)] = []
        for (k, arrays) in hardware.synapses.enumerated() {
            for (array, tensor) in zip(arrays, parameters[k].tensors) {
                guard let array else { continue }
                names += array.tensors.map { ("\(tensor.name).\($0.name)", k) } + [("\(tensor.name).counters", k)]
            }
        }
        for layer in 1...lastLayer {
            if neurons?.gains != nil { names.append(("gains", layer)) }
            if neurons?.offsets != nil { names.append(("offsets", layer)) }
        }
        return names
    }

    /// A tensor of the devices by its name; nil if it does not exist.
    package func deviceTensor(_ name: String, at index: Int) -> (values: DeviceValues<Element>, shape: [Int])? {
        if name == "counters", index == 0 { return (.counters(counters.values), [counters.values.columns]) }
        guard let hardware else { return nil }
        if let values = name == "gains" ? neurons?.gains : name == "offsets" ? neurons?.offsets : nil {
            guard values.indices.contains(index - 1) else { return nil }
            return (.numbers(values[index - 1]), [values[index - 1].columns])
        }
        guard parameters.indices.contains(index) else { return nil }
        for (array, tensor) in zip(hardware.synapses[index], parameters[index].tensors) {
            guard let array, name.hasPrefix(tensor.name + ".") else { continue }
            let quantity = name.dropFirst(tensor.name.count + 1)
            if quantity == "counters" { return (.counters(array.counters), [array.counters.columns]) }
            if let found = array.tensors.first(where: { $0.name == quantity }) {
                return (.numbers(found.values), tensor.shape)
            }
        }
        return nil
    }
}

/// Values of devices, in the network's number type, or counters.
package enum DeviceValues<Element: KernelScalar> {
    case numbers(Matrix<Element>)
    case counters(Matrix<Double>)
}
