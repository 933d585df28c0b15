import CEPKernels
import Testing

@testable import CEPEngine

/// C-EP keeps the change of the weights as a product of a few rows and writes it once a batch. The form that writes the
/// weights at every step is the reference.
@Suite struct ContinualUpdatesEqualWrittenWeights {
    struct Example: CustomTestStringConvertible, Sendable {
        let sizes: [Int]
        let batch: Int
        let setting: SettingKind
        let feedback: Feedback
        let activation: Activation

        var testDescription: String { "\(sizes) batch \(batch) \(setting) \(feedback) \(activation)" }
    }

    static let examples: [Example] = [
        [5, 7, 3], [40, 33, 17, 10], [9, 6, 20, 5, 4], [70, 64, 64, 64, 10], [20, 12, 66, 10], [12, 66, 10],
        [40, 390, 10], [40, 650, 16],
    ].flatMap { sizes in
        // The two wide networks take most of the time.
        (sizes.contains { $0 > 300 } ? [3] : [1, 20]).flatMap { batch in
            [
                SettingKind.prototypical, .realTime(RealTime(timeStep: 0.2)),
                .realTime(RealTime(timeStep: 0.4, clamp: false)),
            ].flatMap { setting in
                [Feedback.tied, .untied(angle: 40)].map { feedback in
                    let activation = Activation.allCases[(sizes.count + batch) % 3]
                    return Example(
                        sizes: sizes, batch: batch, setting: setting, feedback: feedback, activation: activation)
                }
            }
        }
    }

    @Test(arguments: examples)
    func inFloat64(_ example: Example) throws { try check(example, Double.self, tolerance: 1e-10) }

    @Test(arguments: examples)
    func inFloat32(_ example: Example) throws { try check(example, Float.self, tolerance: 1e-3) }

    private func check<Element: KernelScalar>(
        _ example: Example, _: Element.Type, tolerance: Double
    ) throws {
        let configuration = NetworkConfiguration(
            sizes: example.sizes, setting: example.setting, activation: example.activation,
            feedback: example.feedback, seed: 5)
        let moving = try Network<Element>(configuration)
        let writing = try Network<Element>(configuration)
        let outputs = example.sizes[example.sizes.count - 1]
        let data = Dataset.random(example.batch, inputs: example.sizes[0], classes: outputs)
        let rates = LearningRates(
            weights: example.sizes.dropFirst().indices.map { 0.004 * Double($0) },
            biases: example.sizes.dropFirst().indices.map { 0.006 / Double($0) })
        for beta in [0.4, -0.3] {
            let phases = TwoPhases(freeSteps: 12, nudgedSteps: 7, beta: beta)
            let fast = ContinualEquilibriumPropagation<Element>(phases, learningRates: rates)
            let oracle = ContinualEquilibriumPropagation<Element>(phases, learningRates: rates, writesEveryStep: true)
            let before = writing.parameterValues
            let metrics = try data.withSamples { try moving.trainBatch($0, rule: fast, monitor: ProgressMonitor()) }
            let expected = try data.withSamples {
                try writing.trainBatch($0, rule: oracle, monitor: ProgressMonitor())
            }
            #expect(metrics.samples == expected.samples && abs(metrics.loss - expected.loss) <= tolerance)
            // Relative to the total change of the batch.
            let change = largestDifference(writing.parameterValues, before)
            #expect(change > 0, "the test's own premise")
            let rounding = 10 * Double(Element.ulpOfOne)
            #expect(largestDifference(moving.stateValues, writing.stateValues) <= tolerance)
            #expect(
                largestDifference(moving.parameterValues, writing.parameterValues) <= tolerance * change + rounding)
        }
    }
}
