import CEPKernels

/// Indices of `counters`.
private enum Counter { static let updates = 0, batches = 1, writes = 2, pulsesUp = 3, pulsesDown = 4, count = 5 }

/// Keys of random draws: the devices, the first programming, updates and drifts.
private enum Purpose { static let devices = 0, programming = 1, update = 2, drift = 3 }

/// The synapses of one tensor of parameters: the devices and their counters.
final class SynapseArray<Element: KernelScalar> {
    /// A tensor of the devices in addition to the weights, by name: `w_max`. It is saved and copied with the network.
    struct Tensor {
        let name: String
        let values: Matrix<Element>
    }

    let model: any SynapseModel
    /// The numbers drawn once for each synapse, and the write noise.
    let tensors: [Tensor]
    /// Updates (the random draws depend on this number), batches, synapses written, pulses up and pulses down. Float64
    /// counts exactly to 2^53.
    let counters: Matrix<Double>
    private let weights: Matrix<Element>
    private let requested: Matrix<Element>
    private let noise: Matrix<Element>?
    private let drawn: [Matrix<Element>?]
    private let drawnPointers: UnsafeMutableBufferPointer<UnsafePointer<Element>?>
    private let key: RandomKey
    private let backup: (noise: Matrix<Element>?, counters: Matrix<Double>)

    /// Draws the devices.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    init(_ model: any SynapseModel, of weights: Matrix<Element>, key: RandomKey) throws(EngineError) {
        self.model = model
        self.weights = weights
        self.key = key
        func zeros() throws(EngineError) -> Matrix<Element> { try Matrix(rows: weights.rows, columns: weights.columns) }
        requested = try zeros()
        var (drawn, tensors) = ([Matrix<Element>?](), [Tensor]())
        for (place, quantity) in model.quantities.enumerated() {
            guard quantity.deviation > 0 else {
                drawn.append(nil)
                continue
            }
            let values = try zeros()
            let key = key.part(Purpose.devices).part(place)
            for i in 0..<values.count {
                var stream = key.stream(i)
                values.pointer[i] = Element(quantity.mean + quantity.deviation * stream.normal())
            }
            drawn.append(values)
            tensors.append(Tensor(name: quantity.name, values: values))
        }
        self.drawn = drawn
        drawnPointers = .allocate(capacity: max(drawn.count, 1))
        drawnPointers.initialize(repeating: nil)
        for (place, values) in drawn.enumerated() { drawnPointers[place] = values.map { UnsafePointer($0.pointer) } }
        noise = model.writeNoise > 0 ? try zeros() : nil
        if let noise { tensors.append(Tensor(name: "write_noise", values: noise)) }
        self.tensors = tensors
        counters = try Matrix(rows: 1, columns: Counter.count)
        backup = (noise == nil ? nil : try zeros(), try Matrix(rows: 1, columns: Counter.count))
    }

    deinit { drawnPointers.deallocate() }

    private func range(_ range: Range<Int>, key: RandomKey) -> SynapseRange<Element> {
        SynapseRange(
            range: range, weights: weights.pointer, requested: UnsafePointer(requested.pointer), noise: noise?.pointer,
            key: key, drawn: UnsafePointer(drawnPointers.baseAddress!))
    }

    /// Some thousand synapses per part. Results do not depend on it.
    private var parts: Int { min(WorkerPool.shared.threadCount, weights.count / 4096 + 1) }

    /// The number of initial weights outside the bounds, before variations.
    var outsideCount: Int {
        guard let bounds = model.bounds else { return 0 }
        let (lowest, highest) = (Element(bounds.lowest), Element(bounds.highest))
        return (0..<weights.count).count { !(weights.pointer[$0] >= lowest && weights.pointer[$0] <= highest) }
    }

    /// Programs the initial weights into the devices.
    func program() {
        let key = key.part(Purpose.programming)
        model.program(range(0..<weights.count, key: key))
    }

    /// Requests new weights, which `request` computes in place from a copy of the present ones. The devices change
    /// their weights by as much of the requested change as their model allows.
    func write(_ request: (_ weights: UnsafeMutablePointer<Element>) -> Void) {
        requested.copy(from: weights)
        request(requested.pointer)
        let key = key.part(Purpose.update).part(counters.pointer[Counter.updates].bitPattern)
        let parts = parts
        var counts = [WriteCounts](repeating: WriteCounts(), count: parts)
        counts.withUnsafeMutableBufferPointer { counts in
            nonisolated(unsafe) let counts = counts
            WorkerPool.shared.run(parts: parts, of: weights.count) { part, some in
                counts[part] = model.write(range(some, key: key))
            }
        }
        var sum = WriteCounts()
        for each in counts { sum += each }
        counters.pointer[Counter.updates] += 1
        counters.pointer[Counter.writes] += Double(sum.writes)
        counters.pointer[Counter.pulsesUp] += Double(sum.pulsesUp)
        counters.pointer[Counter.pulsesDown] += Double(sum.pulsesDown)
    }

    /// Changes the weights as they drift from one batch to the next.
    func finishBatch() {
        let key = key.part(Purpose.drift).part(counters.pointer[Counter.batches].bitPattern)
        if model.drifts {
            WorkerPool.shared.run(parts: parts, of: weights.count) { _, some in model.drift(range(some, key: key)) }
        }
        counters.pointer[Counter.batches] += 1
    }

    /// Writes the weights that products see.
    func copySeen(to seen: Matrix<Element>) {
        seen.copy(from: weights)
        if let noise { seen.view.add(noise.view, scale: 1) }
    }

    var hasWriteNoise: Bool { noise != nil }

    /// The weight of the first device after each of some pulses. The weight itself does not change.
    func response(
        _ directions: [Bool], from weight: Double, of model: any PulsedModel
    ) -> [Double] where Element == Double {
        model.response(directions, from: weight, range(0..<1, key: key.part(Purpose.update)))
    }

    func backUp() {
        backup.counters.copy(from: counters)
        if let noise { backup.noise?.copy(from: noise) }
    }

    func restore() {
        counters.copy(from: backup.counters)
        if let noise, let saved = backup.noise { noise.copy(from: saved) }
    }

    /// Copies everything except the weights from another array of the same model and shape.
    func copy<Other>(from other: SynapseArray<Other>) {
        counters.copy(from: other.counters)
        for (mine, theirs) in zip(tensors, other.tensors) {
            convert(theirs.values.pointer, into: mine.values.pointer, count: theirs.values.count)
        }
    }
}
