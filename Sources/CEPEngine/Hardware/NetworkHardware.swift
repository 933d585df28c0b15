import CEPKernels

/// The devices of a network whose hardware is not ideal.
final class NetworkHardware<Element: KernelScalar> {
    /// Of each set of parameters, tensor by tensor; nil for an ideal one.
    let synapses: [[SynapseArray<Element>?]]
    /// The parameters as products see them, where they differ; nil for others.
    let seen: [ConnectionParameters<Element>?]
    private let parameters: [ConnectionParameters<Element>]

    init(
        _ configuration: HardwareConfiguration, of parameters: [ConnectionParameters<Element>], seed: UInt64
    ) throws(EngineError) {
        // A stream apart from those of parameters and of the network.
        let key = RandomKey(seed: seed).part(1)
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
            seen.append(arrays.contains { $0?.hasWriteNoise == true } ? try each.zeros() : nil)
        }
        self.synapses = synapses
        self.seen = seen
        self.parameters = parameters
    }

    /// Gives all devices the initial weights.
    ///
    /// - Throws: `EngineError.invalidArgument` if some lie outside of the bounds and are not to be clipped.
    func program() throws(EngineError) {
        for (k, arrays) in synapses.enumerated() {
            for (array, tensor) in zip(arrays, parameters[k].tensors) {
                guard let array, let bounds = array.model.bounds, !bounds.clipsInitial else { continue }
                let outside = array.outsideCount
                guard outside == 0 else {
                    throw .invalidArgument(
                        "\(outside) of \(tensor.values.count) initial \(tensor.name) of connection \(k) lie outside of "
                            + "w_min \(bounds.lowest) to w_max \(bounds.highest); choose wider bounds, or "
                            + "clip_initial to clip them")
                }
            }
        }
        for array in synapses.joined() { array?.program() }
    }

    /// Brings the parameters that products see up to date.
    func updateSeen() {
        for (k, seen) in seen.enumerated() {
            guard let seen else { continue }
            for (place, tensor) in seen.tensors.enumerated() {
                if let array = synapses[k][place] {
                    array.copySeen(to: tensor.values)
                } else {
                    tensor.values.copy(from: parameters[k].tensors[place].values)
                }
            }
        }
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

    /// Takes all that the hardware of a network of the same configuration has beside the parameters.
    func copy<Other>(from other: NetworkHardware<Other>) {
        for (mine, theirs) in zip(synapses.joined(), other.synapses.joined()) {
            if let mine, let theirs { mine.copy(from: theirs) }
        }
    }
}

extension Network {
    /// What is kept of the devices beside the parameters: `weights.w_max` and so on, and `weights.counters`.
    package var deviceTensorNames: [(name: String, index: Int)] {
        guard let hardware else { return [] }
        var names: [(name: String, index: Int)] = []
        for (k, arrays) in hardware.synapses.enumerated() {
            for (array, tensor) in zip(arrays, parameters[k].tensors) {
                guard let array else { continue }
                names += array.tensors.map { ("\(tensor.name).\($0.name)", k) } + [("\(tensor.name).counters", k)]
            }
        }
        return names
    }

    /// A tensor of the devices by its name; nil if there is none.
    package func deviceTensor(_ name: String, at index: Int) -> (values: DeviceValues<Element>, shape: [Int])? {
        guard let hardware, parameters.indices.contains(index) else { return nil }
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

/// Numbers of devices, in the network's number type, or counters.
package enum DeviceValues<Element: KernelScalar> {
    case numbers(Matrix<Element>)
    case counters(Matrix<Double>)
}
