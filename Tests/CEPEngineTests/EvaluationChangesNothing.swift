import CEPEngine
import CEPKernels
import Testing

@Suite struct EvaluationChangesNothing {
    /// Numbers around 128, the number of rows that are relaxed at once.
    static let rows = [1, 127, 128, 129, 300]

    private func network<Element: KernelScalar>(_ feedback: Feedback = .tied) throws -> Network<Element> {
        let network = try Network<Element>(NetworkConfiguration(sizes: [6, 8, 4], feedback: feedback, seed: 3))
        // Some training, so that predictions differ.
        let phases = Conditions(freeSteps: 15, nudgedSteps: 5, beta: 0.5, learningRates: [0.5, 0.5])
        let data = Dataset.random(40, inputs: 6, classes: 4)
        for seed in 0..<5 { try network.trainEpoch(data, .ep, phases, batchSize: 8, shuffleSeed: UInt64(seed)) }
        return network
    }

    @Test(arguments: NumberType.allCases, rows)
    func statesAndParametersStay(_ type: NumberType, _ rows: Int) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network: Network<Element> = try network(.untied(angle: 40))
            let data = Dataset.random(rows, inputs: 6, classes: 4, seed: 9)
            for batch in [rows, 3] {
                let present = Dataset.random(batch, inputs: 6, classes: 4, seed: 10)
                try network.freePhase(present.inputs, steps: 4)
                let (parameters, states) = (network.parameterBits, network.stateBits)
                let state = try #require(network.state)
                try network.evaluate(data, steps: 9)
                try network.predict(data.inputs, steps: 9)
                #expect(network.parameterBits == parameters && network.stateBits == states)
                #expect(network.state === state, "the same memory, too")
                // The nudged phase continues from these states.
                try network.nudgedPhase(present.wanted, beta: 0.5, steps: 3)
                let nudged = network.stateBits
                try network.freePhase(present.inputs, steps: 4)
                try network.nudgedPhase(present.wanted, beta: 0.5, steps: 3)
                #expect(network.stateBits == nudged)
            }
        }
        try check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func aNetworkWithoutStatesStaysWithout(_ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(NetworkConfiguration(sizes: [6, 8, 4]))
            let data = Dataset.random(3, inputs: 6, classes: 4)
            try network.evaluate(data, steps: 2)
            try network.predict(data.inputs, steps: 2)
            #expect(network.state == nil)
        }
        try check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, rows)
    func resultsAgreeWithFreePhasesOfTheReference(_ type: NumberType, _ rows: Int) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network: Network<Element> = try network()
            let data = Dataset.random(rows, inputs: 6, classes: 4, seed: 9)
            let reference = ReferenceNetwork(network)
            let states = reference.relax(reference.zeroStates(data.inputs), steps: 12)
            let expected = reference.compare(states, with: data.targetRows(units: 4))

            let metrics = try network.evaluate(data, steps: 12)
            #expect(metrics.samples == rows && metrics.errors == expected.errors)
            #expect(abs(metrics.lossSum - expected.lossSum) <= Double(rows) * Element.tolerance)
            #expect(abs(metrics.loss - expected.lossSum / Double(rows)) <= Element.tolerance)

            let classes = try network.predict(data.inputs, steps: 12)
            #expect(classes == states[2].map { ReferenceNetwork.largest($0) })
            if rows >= 127 { #expect(Set(classes).count > 1, "the test's own premise") }
        }
        try check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, rows)
    func resultsAgreeWithFreePhasesOfTheNetwork(_ type: NumberType, _ rows: Int) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network: Network<Element> = try network()
            let data = Dataset.random(rows, inputs: 6, classes: 4, seed: 9)
            let classes = try network.predict(data.inputs, steps: 12)
            let errors = try network.evaluate(data, steps: 12).errors
            try network.freePhase(data.inputs, steps: 12)
            #expect(classes == network.states[2].map { ReferenceNetwork.largest($0) })
            let wrong = zip(classes, data.targetRows(units: 4)).filter { $0 != ReferenceNetwork.largest($1) }
            #expect(errors == wrong.count)
        }
        try check(type.scalar)
    }

    @Test func equalOutputsNameTheFirstClass() throws {
        let network = try Network<Float>(NetworkConfiguration(sizes: [2, 3, 4]))
        for connection in network.connections {
            for matrix in connection.parameters.matrices { matrix.pointer.update(repeating: 0, count: matrix.count) }
        }
        #expect(try network.predict([[1, 0], [0, 1]], steps: 5) == [0, 0])
        // Label 0 is then right, and all others are wrong.
        let data = Dataset(inputs: [[1, 0], [0, 1], [1, 1]], wanted: .labels([0, 3, 0]))
        #expect(try network.evaluate(data, steps: 5).errors == 1)
    }

    @Test func targetValuesNameTheClassOfTheirLargest() throws {
        let network: Network<Double> = try network()
        var stream = NumberStream(4)
        let x = stream.matrix(150, 6)
        let y = stream.matrix(150, 4)
        let reference = ReferenceNetwork(network)
        let expected = reference.compare(reference.relax(reference.zeroStates(x), steps: 10), with: y)
        let metrics = try network.evaluate(Dataset(inputs: x, wanted: .values(y)), steps: 10)
        #expect(metrics.errors == expected.errors && expected.errors > 0 && expected.errors < 150)
        #expect(abs(metrics.lossSum - expected.lossSum) < 1e-10)
    }
}
