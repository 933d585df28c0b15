import CEPEngine
import CEPKernels
import Testing

@Suite struct ArgumentsAreChecked {
    private static let phases = Conditions(freeSteps: 2, nudgedSteps: 2, beta: 0.5, learningRates: [0.1, 0.1])
    private static let good = Dataset.random(3, inputs: 4, classes: 3)

    /// A network with a state, so that only the argument is wrong.
    private func network() throws -> Network<Float> {
        let network = try Network<Float>(NetworkConfiguration(sizes: [4, 5, 3]))
        try network.freePhase(Self.good.inputs, steps: 2)
        return network
    }

    /// Expects that each call that takes x refuses it and changes nothing.
    private func expectInputsRefused(_ inputs: [[Double]], saying parts: [String]) throws {
        let network = try network()
        let (parameters, states) = (network.parameterBits, network.stateBits)
        var data = Self.good
        data.inputs = inputs
        data.wanted = .labels([Int64](repeating: 0, count: inputs.count))
        for type in NumberType.allCases {
            data.type = type
            let calls: [() throws -> Void] = [
                { try network.freePhase(inputs, type, steps: 2) },
                { try network.freePhase(inputs, type, steps: 2, continuing: true) },
                { try network.trainBatch(data, .ep, Self.phases) },
                { try network.trainEpoch(data, .cep, Self.phases, batchSize: 2) },
                { try network.evaluate(data, steps: 2) }, { try network.predict(inputs, type, steps: 2) },
            ]
            for call in calls { expectError(EngineError.invalidArgument, saying: parts, call) }
        }
        #expect(network.parameterBits == parameters && network.stateBits == states)
    }

    @Test func inputs() throws {
        try expectInputsRefused([[0, 0, 0], [0, 0, 0], [0, 0, 0]], saying: ["x has 3 columns", "input", "4 units"])
        try expectInputsRefused([[0, 0, 0, 0, 0]], saying: ["x has 5 columns", "4 units"])
        try expectInputsRefused([], saying: ["x has 0 rows"])
        var x = Self.good.inputs
        for (row, column, value) in [(0, 0, Double.nan), (1, 2, .infinity), (2, 3, -.infinity)] {
            let kept = x[row][column]
            x[row][column] = value
            try expectInputsRefused(x, saying: ["x ", "finite", "row \(row)", "column \(column)"])
            x[row][column] = kept
        }
    }

    /// The same for each call that takes y.
    private func expectTargetsRefused(_ wanted: Dataset.Wanted, saying parts: [String]) throws {
        let network = try network()
        let (parameters, states) = (network.parameterBits, network.stateBits)
        for type in NumberType.allCases {
            let data = Dataset(inputs: Self.good.inputs, wanted: wanted, type: type)
            let calls: [() throws -> Void] = [
                { try network.nudgedPhase(wanted, type, beta: 0.5, steps: 2) },
                { try network.trainBatch(data, .ep, Self.phases) },
                { try network.trainEpoch(data, .cep, Self.phases, batchSize: 2) },
                { try network.evaluate(data, steps: 2) },
            ]
            for call in calls { expectError(EngineError.invalidArgument, saying: parts, call) }
        }
        #expect(network.parameterBits == parameters && network.stateBits == states)
    }

    @Test func targets() throws {
        try expectTargetsRefused(.labels([0, 3, 0]), saying: ["label 3", "row 1", "3 output units", "0 to 2"])
        try expectTargetsRefused(.labels([0, 0, -1]), saying: ["label -1", "row 2"])
        try expectTargetsRefused(.labels([.max, 0, 0]), saying: ["label \(Int64.max)", "row 0"])
        try expectTargetsRefused(.labels([.min, 0, 0]), saying: ["label \(Int64.min)"])
        try expectTargetsRefused(.labels([0, 1]), saying: ["2 targets", "3 rows"])
        try expectTargetsRefused(.labels([0, 1, 2, 0]), saying: ["4 targets", "3 rows"])
        try expectTargetsRefused(.labels([]), saying: ["0 targets", "3 rows"])
        try expectTargetsRefused(.values([[0, 0, 0]]), saying: ["1 targets", "3 rows"])
        try expectTargetsRefused(
            .values([[0, 0], [0, 0], [0, 0]]), saying: ["y has 2 columns", "output", "3 units"])
        try expectTargetsRefused(
            .values([[0, 0, 0], [0, 0, 0], [0, .nan, 0]]), saying: ["y ", "finite", "row 2", "column 1"])
    }

    @Test func everyLabelOfAnOutputUnitIsTaken() throws {
        let network = try network()
        try network.nudgedPhase(.labels([0, 1, 2]), beta: 0.5, steps: 1)
        try network.trainBatch(Dataset(inputs: Self.good.inputs, wanted: .labels([2, 2, 0])), .ep, Self.phases)
    }

    @Test(arguments: [0, -1, Int.min])
    func steps(_ steps: Int) throws {
        let network = try network()
        let calls: [() throws -> Void] = [
            { try network.freePhase(Self.good.inputs, steps: steps) },
            { try network.nudgedPhase(Self.good.wanted, beta: 0.5, steps: steps) },
            { try network.evaluate(Self.good, steps: steps) },
            { try network.predict(Self.good.inputs, steps: steps) },
        ]
        for call in calls { expectError(EngineError.invalidArgument, saying: ["steps", "\(steps)"], call) }
        try expectRuleRefused(saying: ["free_steps", "\(steps)"]) { $0.freeSteps = steps }
        try expectRuleRefused(saying: ["nudged_steps", "\(steps)"]) { $0.nudgedSteps = steps }
    }

    @Test(arguments: [0, -0.0, .nan, .infinity, -.infinity])
    func beta(_ beta: Double) throws {
        let network = try network()
        expectError(EngineError.invalidArgument, saying: ["beta", "\(beta)"]) {
            try network.nudgedPhase(Self.good.wanted, beta: beta, steps: 2)
        }
        try expectRuleRefused(saying: ["beta", "\(beta)"]) { $0.beta = beta }
    }

    @Test func learningRates() throws {
        try expectRuleRefused(saying: ["learning_rates", "1 values", "2 connections"]) { $0.learningRates = [0.1] }
        try expectRuleRefused(saying: ["learning_rates", "0 values", "2 connections"]) { $0.learningRates = [] }
        try expectRuleRefused(saying: ["3 values", "2 connections"]) { $0.learningRates = [0.1, 0.1, 0.1] }
        for bad in [-0.1, Double.nan, .infinity, -.infinity] {
            try expectRuleRefused(saying: ["learning_rates[0]", "\(bad)"]) { $0.learningRates = [bad, 0.1] }
            try expectRuleRefused(saying: ["learning_rates[1]", "\(bad)"]) { $0.learningRates = [0.1, bad] }
        }
        // Zero is a valid rate.
        var still = Self.phases
        still.learningRates = [0, 0]
        try network().trainBatch(Self.good, .ep, still)
    }

    private func expectRuleRefused(saying parts: [String], _ spoil: (inout Conditions) -> Void) throws {
        var phases = Self.phases
        spoil(&phases)
        let network = try network()
        let (parameters, states) = (network.parameterBits, network.stateBits)
        for kind in RuleKind.allCases {
            expectError(EngineError.invalidArgument, saying: parts) {
                try network.trainBatch(Self.good, kind, phases)
            }
            expectError(EngineError.invalidArgument, saying: parts) {
                try network.trainEpoch(Self.good, kind, phases, batchSize: 2)
            }
        }
        #expect(network.parameterBits == parameters && network.stateBits == states)
    }

    @Test(arguments: [0, -1, Int.min])
    func batchSize(_ size: Int) throws {
        expectError(EngineError.invalidArgument, saying: ["batch_size", "\(size)"]) {
            try network().trainEpoch(Self.good, .ep, Self.phases, batchSize: size)
        }
    }

    @Test func phasesInTheWrongOrder() throws {
        let fresh = try Network<Float>(NetworkConfiguration(sizes: [4, 5, 3]))
        expectError(EngineError.invalidState, saying: ["free phase first"]) {
            try fresh.nudgedPhase(Self.good.wanted, beta: 0.5, steps: 1)
        }
        expectError(EngineError.invalidState, saying: ["continue"]) {
            try fresh.freePhase(Self.good.inputs, steps: 1, continuing: true)
        }
        expectError(EngineError.invalidArgument, saying: ["2 rows", "have 3"]) {
            try network().freePhase(Array(Self.good.inputs[0..<2]), steps: 1, continuing: true)
        }
    }
}
