import CEPEngine
import CEPKernels
import Testing

@Suite struct RelaxationFollowsTheEquations {
    @Test(arguments: NetworkCase.all)
    func freeAndNudged(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            let reference = ReferenceNetwork(network)
            let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
            let y = data.targetRows(units: example.outputs)
            for (beta, freeSteps, nudgedSteps) in [(0.4, 1, 1), (0.4, 2, 3), (-0.3, 30, 12)] {
                try network.freePhase(data.inputs, steps: freeSteps)
                let free = reference.relax(reference.zeroStates(data.inputs), steps: freeSteps)
                #expect(largestDifference(network.states, free) <= Element.tolerance, "after \(freeSteps) free steps")

                try network.nudgedPhase(data.wanted, beta: beta, steps: nudgedSteps)
                let nudged = reference.relax(free, steps: nudgedSteps, towards: y, beta: beta)
                #expect(
                    largestDifference(network.states, nudged) <= Element.tolerance,
                    "after \(nudgedSteps) nudged steps, β \(beta)")
            }
        }
        try check(example.type.scalar)
    }

    @Test(arguments: NetworkCase.few)
    func towardsTargetValues(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            let reference = ReferenceNetwork(network)
            var stream = NumberStream(11)
            let x = stream.matrix(example.batch, example.inputs)
            let y = stream.matrix(example.batch, example.outputs)
            try network.freePhase(x, steps: 10)
            try network.nudgedPhase(.values(y), beta: 0.5, steps: 10)
            let free = reference.relax(reference.zeroStates(x), steps: 10)
            let nudged = reference.relax(free, steps: 10, towards: y, beta: 0.5)
            #expect(largestDifference(network.states, nudged) <= Element.tolerance)
        }
        try check(example.type.scalar)
    }

    /// Each sample relaxes as it would alone.
    @Test(arguments: NetworkCase.few)
    func samplesOfABatchDoNotInfluenceEachOther(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            let data = Dataset.random(7, inputs: example.inputs, classes: example.outputs)
            try network.freePhase(data.inputs, steps: 15)
            let together = network.states
            for row in data.inputs.indices {
                try network.freePhase([data.inputs[row]], steps: 15)
                for (alone, all) in zip(network.states, together) {
                    #expect(largestDifference(alone, [all[row]]) <= Element.tolerance)
                }
            }
        }
        try check(example.type.scalar)
    }

    /// Samples come to rest at different times. Each relaxes with its own input and target until then, and is found in
    /// its own row.
    @Test(arguments: NetworkCase.few.filter { $0.type == .float64 })
    func samplesComeToRestEachInItsTime(_ example: NetworkCase) throws {
        var configuration = example.configuration
        configuration.tolerance = 1e-3
        let network = try Network<Double>(configuration)
        let reference = ReferenceNetwork(network)
        var stream = NumberStream(23)
        let x = [0.3, 8, 0, 3, 1].map { scale in (0..<example.inputs).map { _ in stream.next() * scale } }
        let y = [0.9, 0.1, 0.2, 1, 0.5].map { [Double](repeating: $0, count: example.outputs) }

        try network.freePhase(x, steps: 500)
        let free = network.states
        try network.nudgedPhase(.values(y), beta: 0.4, steps: 500)
        let nudged = network.states
        var times: [Set<Int>] = [[], []]
        for row in x.indices {
            var states = reference.zeroStates([x[row]])
            for (phase, beta) in [0, 0.4].enumerated() {
                var (change, time) = (Double.infinity, 0)
                while change > configuration.tolerance, time < 500 {
                    let new = reference.step(states, towards: [y[row]], beta: beta)
                    (change, time, states) = (ReferenceNetwork.largestChange(states, new), time + 1, new)
                }
                let found = (phase == 0 ? free : nudged).map { [$0[row]] }
                #expect(largestDifference(found, states) <= Double.tolerance, "row \(row), phase \(phase)")
                times[phase].insert(time)
            }
        }
        #expect(times.allSatisfy { $0.count > 2 }, "the test's own premise: \(times)")
    }

    @Test(arguments: NetworkCase.few)
    func aFreePhaseStartsFromZero(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
            let other = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs, seed: 2)
            try network.freePhase(data.inputs, steps: 6)
            let fresh = network.stateBits
            try network.freePhase(other.inputs, steps: 6)
            try network.nudgedPhase(other.wanted, beta: 1, steps: 6)
            #expect(network.stateBits != fresh)
            try network.freePhase(data.inputs, steps: 6)
            #expect(network.stateBits == fresh)
        }
        try check(example.type.scalar)
    }

    @Test(arguments: NetworkCase.few)
    func phasesDoNotMoveParameters(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            let before = network.parameterBits
            let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
            try network.freePhase(data.inputs, steps: 5)
            try network.nudgedPhase(data.wanted, beta: 0.5, steps: 5)
            #expect(network.parameterBits == before)
        }
        try check(example.type.scalar)
    }

    /// The next phase uses parameters that were written from outside.
    @Test(arguments: NetworkCase.few)
    func parametersWrittenFromOutsideAreUsed(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
            try network.freePhase(data.inputs, steps: 5)
            for connection in network.connections {
                for matrix in connection.parameters.matrices {
                    for i in 0..<matrix.count { matrix.pointer[i] = matrix.pointer[i] * Element(-0.5) + Element(0.125) }
                }
            }
            let reference = ReferenceNetwork(network)
            try network.freePhase(data.inputs, steps: 5, continuing: false)
            let expected = reference.relax(reference.zeroStates(data.inputs), steps: 5)
            #expect(largestDifference(network.states, expected) <= Element.tolerance)
        }
        try check(example.type.scalar)
    }
}
