import CEPEngine
import Testing

@Suite struct ErrorsDescribeThemselves {
    @Test(arguments: [
        ("free_steps must be 1 or more, got 0", "freeSteps must be 1 or more, got 0"),
        ("learning_rates[1] is nan; bias_learning_rates too", "learningRates[1] is nan; learningRates.biases too"),
        ("dt must be in (0, 1], got 2.0", "timeStep must be in (0, 1], got 2.0"),
        ("loss squared_error, activation half_hard_sigmoid", "loss .squaredError, activation .halfHardSigmoid"),
        ("x has 3 columns", "inputs has 3 columns"), ("a 3 × 5 matrix", "a 3 × 5 matrix"),
        ("or max_iterations is too small", "or maximumIterations is too small"), ("", ""),
    ])
    func inTheNamesOfSwift(_ message: String, _ description: String) {
        for error in [EngineError.invalidArgument(message), .busy(message), .diverged(Divergence(message, step: 1))] {
            #expect(error.message == message)
            #expect("\(error)" == description)
        }
    }

    @Test func pathsStayAsTheyAre() {
        let error = EngineError.file("/tmp/my_file_x cannot be read")
        #expect("\(error)" == "/tmp/my_file_x cannot be read")
    }

    @Test func stepAndLayerAreValues() throws {
        let network = try Network<Float>(NetworkConfiguration(sizes: [2, 3, 2]))
        network.parameters[1].weights[0, 2] = .infinity
        do {
            try network.freePhase(SampleMatrix([[1, 1]]), steps: 5)
            Issue.record("nothing was thrown")
        } catch EngineError.diverged(let divergence) {
            #expect(divergence.step == 1 && divergence.layer == 1)
        }
    }
}
