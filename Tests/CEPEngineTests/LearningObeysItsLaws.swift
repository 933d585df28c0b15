import CEPEngine
import CEPKernels
import Testing

// These laws hold in exact arithmetic, so all tests use float64.

@Suite struct LearningObeysItsLaws {
    static let configurations: [NetworkConfiguration] = NetworkCase.settings.flatMap { setting in
        [[4, 5, 3], [4, 6, 5, 3]].map { NetworkConfiguration(sizes: $0, setting: setting, seed: 5) }
    }

    /// Δ/η of one batch, parameter by parameter, all connections learning at the same rate.
    private func updatePerRate(
        _ configuration: NetworkConfiguration, _ kind: RuleKind, rate: Double, beta: Double = 0.5, steps: Int = 9
    ) throws -> [[Double]] {
        let network = try Network<Double>(configuration)
        let outputs = configuration.sizes[configuration.sizes.count - 1]
        let data = Dataset.random(4, inputs: configuration.sizes[0], classes: outputs)
        let rates = [Double](repeating: rate, count: configuration.sizes.count - 1)
        let before = network.parameterValues
        try network.trainBatch(
            data, kind, Conditions(freeSteps: 300, nudgedSteps: steps, beta: beta, learningRates: rates))
        return zip(before, network.parameterValues).map { zip($0, $1).map { ($1 - $0) / rate } }
    }

    /// Tied C-EP telescopes: for small learning rates the sum of its updates approaches EP's, with an error linear in
    /// η.
    @Test(arguments: configurations)
    func slowContinualUpdatesApproachTheUpdateOfEP(_ configuration: NetworkConfiguration) throws {
        let limit = try updatePerRate(configuration, .ep, rate: 1e-3)
        let scale = limit.joined().map { abs($0) }.max() ?? 0
        #expect(scale > 1e-3)
        var errors: [Double] = []
        for rate in [1e-3, 1e-4, 1e-5] {
            errors.append(largestDifference(try updatePerRate(configuration, .cep, rate: rate), limit))
        }
        #expect(errors[2] < 1e-3 * scale && errors[0] > 1e-9)
        #expect((8...12).contains(errors[0] / errors[1]) && (8...12).contains(errors[1] / errors[2]), "\(errors)")
    }

    /// With untied feedback this holds for the parts that telescope: biases and the connection from the clamped input.
    @Test(arguments: NetworkCase.settings)
    func slowContinualUpdatesOfUntiedBiasesAndInputWeightsToo(_ setting: SettingKind) throws {
        let configuration = NetworkConfiguration(
            sizes: [4, 6, 5, 3], setting: setting, feedback: .untied(angle: 50), seed: 5)
        let limit = try updatePerRate(configuration, .ep, rate: 1e-3)
        let slow = try updatePerRate(configuration, .cep, rate: 1e-6)
        // Weights and biases of the first connection; then weights, biases and feedback weights of each.
        for telescoping in [0, 1, 3, 6] {
            #expect(largestDifference([slow[telescoping]], [limit[telescoping]]) < 1e-5)
        }
        for other in [2, 4, 5, 7] {
            #expect(largestDifference([slow[other]], [limit[other]]) > 1e-4, "a sum over steps, another number")
        }
    }

    /// The update does not depend on β to first order: it has a limit for β → 0 and approaches it linearly.
    @Test(arguments: configurations)
    func updatesApproachTheirLimitLinearlyInBeta(_ configuration: NetworkConfiguration) throws {
        let limit = try updatePerRate(configuration, .ep, rate: 1e-3, beta: 1e-5, steps: 200)
        let scale = limit.joined().map { abs($0) }.max() ?? 0
        func error(_ beta: Double) throws -> Double {
            largestDifference(try updatePerRate(configuration, .ep, rate: 1e-3, beta: beta, steps: 200), limit)
        }
        let (coarse, fine, negative) = (try error(0.02), try error(0.01), try error(-0.01))
        #expect(fine < 0.2 * scale && fine > 1e-6)
        #expect((1.8...2.2).contains(coarse / fine), "\(coarse) against \(fine)")
        #expect((0.8...1.25).contains(negative / fine), "the same error on the other side of 0")
    }

    /// Untied weights that equal the transposed ones move states exactly like tied ones.
    @Test(arguments: [[4, 5, 3], [4, 6, 5, 3], [3, 5, 4, 6, 2]])
    func untiedAtAngleZeroMovesLikeTied(_ sizes: [Int]) throws {
        for activation in Activation.allCases {
            let tied = try Network<Double>(NetworkConfiguration(sizes: sizes, activation: activation, seed: 6))
            let untied = try Network<Double>(
                NetworkConfiguration(sizes: sizes, activation: activation, feedback: .untied(angle: 0), seed: 6))
            let data = Dataset.random(3, inputs: sizes[0], classes: sizes[sizes.count - 1])
            let still = Conditions(
                freeSteps: 15, nudgedSteps: 10, beta: 0.4,
                learningRates: [Double](repeating: 0, count: sizes.count - 1))
            for kind in RuleKind.allCases {
                let parameters = (tied.parameterBits, untied.parameterBits)
                #expect(try tied.trainBatch(data, kind, still).errors == untied.trainBatch(data, kind, still).errors)
                #expect(largestDifference(tied.states, untied.states) <= 1e-13)
                #expect(tied.parameterBits == parameters.0 && untied.parameterBits == parameters.1, "η = 0")
            }
        }
    }

    /// A batch's update is the mean of its samples' updates.
    @Test(arguments: configurations, [Feedback.tied, .untied(angle: 70)])
    func theUpdateOfABatchIsTheMeanOverItsSamples(_ base: NetworkConfiguration, _ feedback: Feedback) throws {
        var configuration = base
        configuration.feedback = feedback
        let data = Dataset.random(5, inputs: 4, classes: 3)
        let phases = Conditions(
            freeSteps: 20, nudgedSteps: 8, beta: 0.5,
            learningRates: [0.1, 0.2, 0.3].suffix(configuration.sizes.count - 1))
        func update(_ data: Dataset) throws -> [[Double]] {
            let network = try Network<Double>(configuration)
            let before = network.parameterValues
            try network.trainBatch(data, .ep, phases)
            return zip(before, network.parameterValues).map { zip($0, $1).map { $1 - $0 } }
        }
        var mean = try update(data).map { $0.map { _ in 0.0 } }
        for row in 0..<5 {
            for (i, one) in try update(data.rows([row])).enumerated() {
                for j in one.indices { mean[i][j] += one[j] / 5 }
            }
        }
        #expect(largestDifference(try update(data), mean) < 1e-14)
    }

    /// In this setting 20 steps are too few to reach a steady state, so the update differs from the loss's gradient.
    static let slow = SettingKind.realTime(RealTime(timeStep: 0.2, clamp: true))

    /// The loss on the training batch decreases.
    @Test(arguments: NetworkCase.few.filter { $0.configuration.setting != slow }, RuleKind.allCases)
    func trainingLowersTheLoss(_ example: NetworkCase, _ kind: RuleKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            let data = Dataset.random(6, inputs: example.inputs, classes: example.outputs)
            let phases = Conditions(freeSteps: 20, nudgedSteps: 10, beta: 0.2, learningRates: [0.1, 0.05, 0.05])
            let first = try network.trainBatch(data, kind, phases).loss
            for _ in 0..<60 { try network.trainBatch(data, kind, phases) }
            #expect(try network.evaluate(data, steps: 20).loss < 0.95 * first)
        }
        try check(example.type.scalar)
    }
}
