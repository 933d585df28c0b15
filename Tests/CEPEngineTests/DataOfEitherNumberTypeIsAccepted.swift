import CEPEngine
import CEPKernels
import Testing

@Suite struct DataOfEitherNumberTypeIsAccepted {
    private static let phases = Conditions(freeSteps: 8, nudgedSteps: 4, beta: 0.5, learningRates: [0.3, 0.2])

    /// Rounds all numbers of a data set to float32.
    private func rounded(_ data: Dataset) -> Dataset {
        func round(_ rows: [[Double]]) -> [[Double]] { rows.map { $0.map { Double(Float($0)) } } }
        var copy = data
        copy.inputs = round(data.inputs)
        if case .values(let values) = data.wanted { copy.wanted = .values(round(values)) }
        return copy
    }

    private func results<Element: KernelScalar>(_: Element.Type, _ data: Dataset) throws -> [[UInt64]] {
        let network = try Network<Element>(NetworkConfiguration(sizes: [4, 5, 3], seed: 2))
        var results: [[UInt64]] = []
        try network.freePhase(data.inputs, data.type, steps: 7)
        results += network.stateBits
        try network.nudgedPhase(data.wanted, data.type, beta: 0.5, steps: 3)
        results += network.stateBits
        try network.trainEpoch(data, .ep, Self.phases, batchSize: 4, shuffleSeed: 1)
        try network.trainBatch(data, .cep, Self.phases)
        results += network.parameterBits
        results.append([try network.evaluate(data, steps: 7).lossSum.bitPattern])
        results.append(try network.predict(data.inputs, data.type, steps: 7).map { UInt64($0) })
        return results
    }

    private func data() -> Dataset {
        var stream = NumberStream(8)
        return Dataset(inputs: stream.matrix(9, 4), wanted: .values(stream.matrix(9, 3)))
    }

    @Test func float32DataInAFloat64NetworkIsTakenExactly() throws {
        var float32 = data()
        float32.type = .float32
        let float64 = rounded(data())
        #expect(try results(Double.self, float32) == results(Double.self, float64))
        #expect(try results(Double.self, data()) != results(Double.self, float64), "rounding makes a difference")
    }

    @Test func float64DataInAFloat32NetworkIsRounded() throws {
        var float32 = data()
        float32.type = .float32
        #expect(try results(Float.self, data()) == results(Float.self, float32))
    }

    /// Values that are finite in their own type but not in the network's must be refused.
    @Test(arguments: [1e39, -1e300])
    func valuesThatDoNotFitIntoFloat32AreRefused(_ value: Double) throws {
        let network = try Network<Float>(NetworkConfiguration(sizes: [4, 5, 3]))
        let before = network.parameterBits
        var large = data()
        large.inputs[2][1] = value
        expectError(EngineError.invalidArgument, saying: ["x", "row 2", "column 1"]) {
            try network.freePhase(large.inputs, steps: 3)
        }
        expectError(EngineError.invalidArgument, saying: ["x", "row 2", "column 1"]) {
            try network.trainBatch(large, .ep, Self.phases)
        }
        var wanted = data().targetRows(units: 3)
        wanted[5][0] = value
        expectError(EngineError.invalidArgument, saying: ["y", "row 5", "column 0"]) {
            try network.trainBatch(Dataset(inputs: data().inputs, wanted: .values(wanted)), .ep, Self.phases)
        }
        #expect(network.parameterBits == before)
        // A float64 network accepts them.
        try Network<Double>(NetworkConfiguration(sizes: [4, 5, 3])).freePhase([[0.5, value, 0, 1]], steps: 3)
    }
}
