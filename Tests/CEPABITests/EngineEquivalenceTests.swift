import CCEP
import CEPABI
import CEPEngine
import CEPKernels
import Testing

/// Results through the C interface equal those of the engine in Swift, bit for bit.
@Suite struct EngineEquivalenceTests {
    /// Options of the C interface and the same configuration in Swift.
    struct Case: Sendable, CustomTestStringConvertible {
        var options: COptions
        var configuration: NetworkConfiguration

        var testDescription: String { "\(configuration)" }
    }

    static let cases: [Case] = {
        var all: [Case] = []
        for activation in Activation.allCases where activation != .linear {
            for clamp in [nil, true, false] {
                for untied in [false, true] {
                    var options: COptions = ["activation": .text(activation.rawValue), "seed": 21]
                    var configuration = NetworkConfiguration(sizes: [4, 6, 5, 3], activation: activation, seed: 21)
                    if let clamp {
                        options = options.replacing(
                            ["setting": "real-time", "dt": 0.3, "clamp": .integers([clamp ? 1 : 0])])
                        configuration.setting = .realTime(RealTime(timeStep: 0.3, clamp: clamp))
                    }
                    if untied {
                        options = options.replacing(["feedback": "untied", "feedback_angle": 70])
                        configuration.feedback = .untied(angle: 70)
                    }
                    all.append(Case(options: options, configuration: configuration))
                }
            }
        }
        return all
    }()

    private static let samples = TestSamples(11)
    private static let rates = [0.3, 0.2, 0.1]

    @Test(arguments: cases, NumberType.allCases)
    func callByCall(_ testCase: Case, _ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let c = try CNetwork([4, 6, 5, 3], testCase.options.replacing(["dtype": type.option]))
            let swift = try Network<Element>(testCase.configuration)
            try expectEqual(c, swift)
            try expectPhasesEqual(c, swift)
            try expectTrainingEqual(c, swift)
            try expectEvaluationEqual(c, swift)
        }
        // With the floating-point mode of calls of the C interface, which flushes subnormal numbers to zero.
        try Arithmetic.engine.during {
            if type == .float32 { try check(Float.self) } else { try check(Double.self) }
        }
    }

    /// Compares parameters, and states if there are any.
    private func expectEqual<Element: KernelScalar>(_ c: CNetwork, _ swift: Network<Element>) throws {
        func values(_ matrix: Matrix<Element>) -> [Double] { (0..<matrix.count).map { Double(matrix.pointer[$0]) } }
        let expected = swift.parameters.flatMap { $0.tensors.map { values($0.values) } }
        #expect(try c.parameters() == expected)
        #expect(try c.states() == (swift.state?.layers.map(values) ?? []))
    }

    private var inputs: SampleMatrix {
        get throws {
            let data = try #require(Self.samples.x.pointee.data).assumingMemoryBound(to: Double.self)
            return SampleMatrix(.float64(data), rows: 11, columns: 4)
        }
    }

    private var targets: Targets {
        get throws { .classes(Labels(try #require(Self.samples.targets.pointee.labels), count: 11)) }
    }

    private func expectPhasesEqual<Element: KernelScalar>(_ c: CNetwork, _ swift: Network<Element>) throws {
        let (x, targets) = (Self.samples.x, Self.samples.targets)
        for continuing in [false, true] {
            // Any value other than 0 continues.
            let outcome = expectSuccess {
                cep_free_phase(c.pointer, x, 5, continuing ? 2 : 0, noProgress, &$0.outcome)
            }.outcome
            let expected = try swift.freePhase(
                inputs, steps: 5, continuing: continuing, monitor: ProgressMonitor())
            expectEqual(outcome, expected)
            try expectEqual(c, swift)
        }
        let outcome = expectSuccess {
            cep_nudged_phase(c.pointer, targets, -0.7, 4, noProgress, &$0.outcome)
        }.outcome
        expectEqual(
            outcome, try swift.nudgedPhase(self.targets, beta: -0.7, steps: 4, monitor: ProgressMonitor()))
        try expectEqual(c, swift)
        // Far enough that most converge.
        let converged = expectSuccess { cep_free_phase(c.pointer, x, 2000, 0, noProgress, &$0.outcome) }.outcome
        expectEqual(converged, try swift.freePhase(inputs, steps: 2000, monitor: ProgressMonitor()))
        let stuck = [.hardSigmoid, .halfHardSigmoid].contains(swift.configuration.activation)
        #expect(converged.converged == 1 || stuck, "the premise of the test")
    }

    private func expectEqual(_ outcome: cep_phase_outcome, _ expected: PhaseOutcome) {
        #expect(outcome.steps == expected.steps && outcome.residual == expected.residual)
        #expect(outcome.converged == (expected.converged ? 1 : 0))
    }

    private func expectTrainingEqual<Element: KernelScalar>(_ c: CNetwork, _ swift: Network<Element>) throws {
        let samples = Samples(inputs: try inputs, targets: try targets)
        let phases = TwoPhases(freeSteps: 6, nudgedSteps: 3, beta: 0.4)
        let rates = LearningRates(weights: Self.rates)
        for (name, swiftRule) in [
            ("ep", EquilibriumPropagation<Element>(phases, learningRates: rates) as any LearningRule<Element>),
            ("cep", ContinualEquilibriumPropagation<Element>(phases, learningRates: rates)),
        ] {
            let (x, targets) = (Self.samples.x, Self.samples.targets)
            let rule = COptions.rule(
                name, ["free_steps": 6, "nudged_steps": 3, "beta": 0.4, "learning_rates": .numbers(Self.rates)]
            ).pointer
            let batch = expectSuccess {
                cep_train_batch(c.pointer, x, targets, rule, noProgress, &$0.metrics)
            }.metrics
            expectEqual(batch, try swift.trainBatch(samples, rule: swiftRule, monitor: ProgressMonitor()))
            try expectEqual(c, swift)
            let epoch = expectSuccess {
                cep_train_epoch(c.pointer, x, targets, rule, 4, 99, nil, noProgress, &$0.metrics)
            }.metrics
            expectEqual(
                epoch,
                try swift.trainEpoch(
                    samples, rule: swiftRule, batchSize: 4, shuffleSeed: 99, monitor: ProgressMonitor()))
            try expectEqual(c, swift)
            var part = cep_epoch_part(first_batch: 1, batch_count: 1, errors: 2, loss_sum: 0.5)
            let middle = expectSuccess {
                cep_train_epoch(c.pointer, x, targets, rule, 4, 99, &part, noProgress, &$0.metrics)
            }.metrics
            expectEqual(
                middle,
                try swift.trainEpoch(
                    samples, rule: swiftRule, batchSize: 4, shuffleSeed: 99,
                    part: EpochPart(firstBatch: 1, batchCount: 1, errors: 2, lossSum: 0.5), monitor: ProgressMonitor()))
            try expectEqual(c, swift)
        }
    }

    private func expectEqual(_ metrics: cep_metrics, _ expected: Metrics) {
        #expect(metrics.samples == expected.samples && metrics.errors == expected.errors)
        #expect(metrics.loss == expected.loss && metrics.loss_sum == expected.lossSum && metrics.loss > 0)
    }

    private func expectEvaluationEqual<Element: KernelScalar>(_ c: CNetwork, _ swift: Network<Element>) throws {
        let (x, targets) = (Self.samples.x, Self.samples.targets)
        let metrics = expectSuccess {
            cep_evaluate(c.pointer, x, targets, 7, noProgress, &$0.metrics)
        }.metrics
        expectEqual(
            metrics,
            try swift.evaluate(
                Samples(inputs: try inputs, targets: try self.targets), steps: 7, monitor: ProgressMonitor()))

        let classes = expectSuccess { cep_predict(c.pointer, x, 7, noProgress, &$0.classes, 11) }.classes
        var expected = [Int64](repeating: -7, count: classes.count)
        let units = try swift.predict(inputs, steps: 7, monitor: ProgressMonitor())
        for (row, unit) in units.enumerated() { expected[row] = Int64(unit) }
        #expect(classes == expected, "and nothing after the last one")
        try expectEqual(c, swift)
    }
}
