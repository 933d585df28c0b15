import CEPEngine
import Testing

@Suite struct SamplesAreMadeOfArrays {
    private let values = [0.25, 0.5, 0.75, 1, 0, 0.125]

    /// The loss and errors of the rows, which depend on each number.
    private func losses(_ samples: Samples) throws -> Metrics {
        try Network<Double>(NetworkConfiguration(sizes: [2, 5, 3], seed: 3)).evaluate(samples, steps: 4)
    }

    @Test func arraysEqualPointers() throws {
        let classes: [Int64] = [2, 0, 1]
        let fromPointers = try values.withUnsafeBufferPointer { values in
            try classes.withUnsafeBufferPointer { classes in
                try losses(
                    Samples(
                        inputs: SampleMatrix(.float64(try #require(values.baseAddress)), rows: 3, columns: 2),
                        targets: .classes(Labels(try #require(classes.baseAddress), count: 3))))
            }
        }
        let inputs = try SampleMatrix(values, columns: 2)
        #expect(try losses(Samples(inputs: inputs, classes: [2, 0, 1])) == fromPointers)
        #expect(
            try losses(Samples(inputs: try SampleMatrix(values.map { Float($0) }, columns: 2), classes: [2, 0, 1]))
                == fromPointers)
        let oneHot = try SampleMatrix([0, 0, 1, 1, 0, 0, 0, 1, 0] as [Double], columns: 3)
        #expect(try losses(Samples(inputs: inputs, values: oneHot)) == fromPointers)
    }

    /// Later changes of the arrays, and of values taken out of the samples, have no effect.
    @Test func samplesKeepTheirMemory() throws {
        func made() throws -> SampleMatrix {
            Samples(inputs: try SampleMatrix(values, columns: 2), classes: [2, 0, 1]).inputs
        }
        let network = try Network<Double>(NetworkConfiguration(sizes: [2, 5, 3], seed: 3))
        let inputs = try made()
        let others = try (0..<50).map { _ in try SampleMatrix([Double](repeating: 9, count: 6), columns: 2) }
        try network.freePhase(inputs, steps: 1)
        #expect(others.count == 50)
        let state = try #require(network.state?.layers[0])
        #expect((0..<6).map { state.pointer[$0] } == values)
    }

    @Test func predictionsAreWhatIsCountedWrong() throws {
        let inputs = try SampleMatrix(values, columns: 2)
        let network = try Network<Double>(NetworkConfiguration(sizes: [2, 5, 3], seed: 3))
        let classes = try network.predict(inputs, steps: 4)
        #expect(classes.count == 3)
        #expect(try network.evaluate(Samples(inputs: inputs, classes: Array(classes)), steps: 4).errors == 0)
        let others = classes.map { ($0 + 1) % 3 }
        #expect(try network.evaluate(Samples(inputs: inputs, classes: others), steps: 4).errors == 3)
    }

    @Test func rowsMustBeWhole() {
        for (count, columns) in [(6, 4), (0, 2), (2, 3), (6, 0), (6, -2)] {
            expectError(EngineError.invalidArgument, saying: ["\(count) values", "\(columns) columns"]) {
                _ = try SampleMatrix([Float](repeating: 0, count: count), columns: columns)
            }
        }
    }
}
