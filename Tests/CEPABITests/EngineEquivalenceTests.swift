import CCEP
import CEPABI
import CEPEngine
import CEPKernels
import Testing

/// Everything that goes through C comes out as it does of the engine in Swift, to the last bit.
@Suite struct ResultsEqualTheEngine {
    /// C's options and what they mean.
    struct Options: Sendable, CustomTestStringConvertible {
        var setting = CEP_PROTOTYPICAL
        var activation = CEP_SHIFTED_SIGMOID
        var feedback = CEP_TIED
        var configuration = NetworkConfiguration(sizes: [4, 6, 5, 3], seed: 21)

        var testDescription: String { "\(configuration)" }
    }

    static let options: [Options] = {
        var all: [Options] = []
        for (activation, kind) in [
            (CEP_SHIFTED_SIGMOID, Activation.shiftedSigmoid), (CEP_HARD_SIGMOID, .hardSigmoid), (CEP_TANH, .tanh),
            (CEP_SIGMOID, .sigmoid), (CEP_HALF_HARD_SIGMOID, .halfHardSigmoid),
        ] {
            for clamp in [nil, true, false] {
                for untied in [false, true] {
                    var options = Options()
                    options.activation = activation
                    for k in options.configuration.layers.indices {
                        options.configuration.layers[k].activation = kind
                    }
                    if let clamp {
                        options.setting = CEP_REAL_TIME
                        options.configuration.setting = .realTime(RealTime(timeStep: 0.3, clamp: clamp))
                    }
                    if untied {
                        options.feedback = CEP_UNTIED
                        options.configuration.feedback = .untied(angle: 70)
                    }
                    all.append(options)
                }
            }
        }
        return all
    }()

    private static let samples = LentSamples(11)
    private static let rates = [0.3, 0.2, 0.1]

    private func cNetwork(_ options: Options, _ type: NumberType) throws -> CNetwork {
        try CNetwork([4, 6, 5, 3]) {
            $0.setting = cep_setting(options.setting)
            $0.activation = cep_activation(options.activation)
            $0.feedback = cep_feedback(options.feedback)
            $0.dtype = type.dtype
            $0.seed = 21
            if case .realTime(let realTime) = options.configuration.setting {
                $0.time_step = realTime.timeStep
                // Anything but 0 means yes.
                $0.clamp = realTime.clamp ? -5 : 0
            }
            if case .untied(let angle) = options.configuration.feedback { $0.feedback_angle = angle }
        }
    }

    @Test(arguments: options, NumberType.allCases)
    func callByCall(_ options: Options, _ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let c = try cNetwork(options, type)
            let swift = try Network<Element>(options.configuration)
            try expectEqual(c, swift)
            try expectPhasesEqual(c, swift)
            try expectTrainingEqual(c, swift)
            try expectEvaluationEqual(c, swift)
        }
        // As calls of the C interface compute: states that die away are zeros there, of which a derivative may know.
        try Arithmetic.engine.during {
            if type == .float32 { try check(Float.self) } else { try check(Double.self) }
        }
    }

    /// Parameters, and states where there are any.
    private func expectEqual<Element: KernelScalar>(_ c: CNetwork, _ swift: Network<Element>) throws {
        func values(_ matrix: Matrix<Element>) -> [Double] { (0..<matrix.count).map { Double(matrix.pointer[$0]) } }
        let parameters = swift.connections.map { $0.parameters }
        let expected =
            parameters.map { values($0.weights) } + parameters.compactMap { $0.biases.map(values) }
            + parameters.compactMap { $0.feedbackWeights.map(values) }
        #expect(try c.parameters() == expected)
        #expect(try c.states() == (swift.state?.layers.map(values) ?? []))
    }

    private var inputs: SampleMatrix {
        get throws {
            let data = try #require(Self.samples.x.data).assumingMemoryBound(to: Double.self)
            return SampleMatrix(.float64(data), rows: 11, columns: 4)
        }
    }

    private var targets: Targets {
        get throws { .classes(Labels(try #require(Self.samples.targets.labels), count: 11)) }
    }

    private func expectPhasesEqual<Element: KernelScalar>(_ c: CNetwork, _ swift: Network<Element>) throws {
        var (x, targets) = (Self.samples.x, Self.samples.targets)
        for continuing in [false, true] {
            // Anything but 0 means yes.
            let outcome = expectSuccess {
                cep_free_phase(c.pointer, &x, 5, continuing ? 2 : 0, noProgress, &$0.outcome)
            }.outcome
            let expected = try swift.freePhase(
                inputs, steps: 5, continuing: continuing, monitor: ProgressMonitor())
            expectEqual(outcome, expected)
            try expectEqual(c, swift)
        }
        let outcome = expectSuccess {
            cep_nudged_phase(c.pointer, &targets, -0.7, 4, noProgress, &$0.outcome)
        }.outcome
        expectEqual(
            outcome, try swift.nudgedPhase(self.targets, beta: -0.7, steps: 4, monitor: ProgressMonitor()))
        try expectEqual(c, swift)
        // Far enough that most converge.
        let converged = expectSuccess { cep_free_phase(c.pointer, &x, 2000, 0, noProgress, &$0.outcome) }.outcome
        expectEqual(converged, try swift.freePhase(inputs, steps: 2000, monitor: ProgressMonitor()))
        let stuck = [.hardSigmoid, .halfHardSigmoid].contains(swift.configuration.activation)
        #expect(converged.converged == 1 || stuck, "the test's own premise")
    }

    private func expectEqual(_ outcome: cep_phase_outcome, _ expected: PhaseOutcome) {
        #expect(outcome.steps == expected.steps && outcome.residual == expected.residual)
        #expect(outcome.converged == (expected.converged ? 1 : 0))
    }

    private func expectTrainingEqual<Element: KernelScalar>(_ c: CNetwork, _ swift: Network<Element>) throws {
        let samples = Samples(inputs: try inputs, targets: try targets)
        let phases = TwoPhases(freeSteps: 6, nudgedSteps: 3, beta: 0.4)
        let rates = LearningRates(weights: Self.rates)
        for (kind, swiftRule) in [
            (CEP_RULE_EP, EquilibriumPropagation<Element>(phases, learningRates: rates) as any LearningRule<Element>),
            (CEP_RULE_CEP, ContinualEquilibriumPropagation<Element>(phases, learningRates: rates)),
        ] {
            var (x, targets) = (Self.samples.x, Self.samples.targets)
            var rule = lendRule(kind, freeSteps: 6, nudgedSteps: 3, beta: 0.4, learningRates: Self.rates)
            let batch = expectSuccess {
                cep_train_batch(c.pointer, &x, &targets, &rule, noProgress, &$0.metrics)
            }.metrics
            expectEqual(batch, try swift.trainBatch(samples, rule: swiftRule, monitor: ProgressMonitor()))
            try expectEqual(c, swift)
            let epoch = expectSuccess {
                cep_train_epoch(c.pointer, &x, &targets, &rule, 4, 99, nil, noProgress, &$0.metrics)
            }.metrics
            expectEqual(
                epoch,
                try swift.trainEpoch(
                    samples, rule: swiftRule, batchSize: 4, shuffleSeed: 99, monitor: ProgressMonitor()))
            try expectEqual(c, swift)
            var part = cep_epoch_part(first_batch: 1, batch_count: 1, errors: 2, loss_sum: 0.5)
            let middle = expectSuccess {
                cep_train_epoch(c.pointer, &x, &targets, &rule, 4, 99, &part, noProgress, &$0.metrics)
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
        var (x, targets) = (Self.samples.x, Self.samples.targets)
        let metrics = expectSuccess {
            cep_evaluate(c.pointer, &x, &targets, 7, noProgress, &$0.metrics)
        }.metrics
        expectEqual(
            metrics,
            try swift.evaluate(
                Samples(inputs: try inputs, targets: try self.targets), steps: 7, monitor: ProgressMonitor()))

        let classes = expectSuccess { cep_predict(c.pointer, &x, 7, noProgress, &$0.classes, 11) }.classes
        var expected = [Int64](repeating: -7, count: classes.count)
        let units = try swift.predict(inputs, steps: 7, monitor: ProgressMonitor())
        for (row, unit) in units.enumerated() { expected[row] = Int64(unit) }
        #expect(classes == expected, "and nothing behind the last one")
        try expectEqual(c, swift)
    }
}
