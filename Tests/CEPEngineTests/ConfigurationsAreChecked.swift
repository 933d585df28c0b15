import CEPEngine
import CEPKernels
import Testing

@Suite struct ConfigurationsAreChecked {
    private func expectRefused(_ configuration: NetworkConfiguration, saying parts: [String]) {
        expectError(EngineError.invalidArgument, saying: parts) { try configuration.validate() }
        expectError(EngineError.invalidArgument, saying: parts) { _ = try Network<Float>(configuration) }
        expectError(EngineError.invalidArgument, saying: parts) { _ = try Network<Double>(configuration) }
    }

    @Test(arguments: [[], [3], [3, 4]])
    func threeLayersAreNeeded(_ sizes: [Int]) {
        expectRefused(NetworkConfiguration(sizes: sizes), saying: ["3 layers", "got \(sizes.count)"])
    }

    @Test(arguments: [0, -1, Int.min, Int(Int32.max) + 1, Int.max])
    func everyLayerNeedsUnits(_ size: Int) {
        for layer in 0..<4 {
            var sizes = [3, 4, 5, 2]
            sizes[layer] = size
            expectRefused(NetworkConfiguration(sizes: sizes), saying: ["layer \(layer)", "\(size) units"])
        }
    }

    @Test(arguments: [0, -0.2, 1.0000001, .nan, .infinity])
    func theTimeStepIsAboveZeroAndAtMostOne(_ timeStep: Double) {
        let setting = SettingKind.realTime(RealTime(timeStep: timeStep, clamp: true))
        expectRefused(NetworkConfiguration(sizes: [3, 4, 2], setting: setting), saying: ["dt", "\(timeStep)"])
    }

    @Test(arguments: [-0.1, 180.1, .nan, .infinity, -.infinity])
    func theFeedbackAngleIsZeroTo180Degrees(_ angle: Double) {
        expectRefused(
            NetworkConfiguration(sizes: [3, 4, 2], feedback: .untied(angle: angle)), saying: ["angle", "\(angle)"])
    }

    @Test func theLimitsThemselvesAreAllowed() throws {
        try NetworkConfiguration(sizes: [1, 1, 1]).validate()
        try NetworkConfiguration(sizes: [Int(Int32.max), 1, 1]).validate()
        for timeStep in [1, Double.leastNonzeroMagnitude] {
            try NetworkConfiguration(sizes: [3, 4, 2], setting: .realTime(RealTime(timeStep: timeStep, clamp: false)))
                .validate()
        }
        for angle in [0.0, 180] {
            try NetworkConfiguration(sizes: [3, 4, 2], feedback: .untied(angle: angle)).validate()
        }
    }

    @Test(arguments: NumberType.allCases)
    func theSmallestNetworkWorks(_ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            for feedback in [Feedback.tied, .untied(angle: 90)] {
                let network = try Network<Element>(NetworkConfiguration(sizes: [1, 1, 1], feedback: feedback))
                let data = Dataset(inputs: [[0.5]], wanted: .labels([0]))
                let phases = Conditions(freeSteps: 3, nudgedSteps: 2, beta: 0.5, learningRates: [0.1, 0.1])
                var reference = ReferenceNetwork(network)
                try network.trainBatch(data, .cep, phases)
                _ = reference.train(.cep, phases, x: [[0.5]], y: [[1]])
                #expect(largestDifference(network.parameterValues, reference.parameterValues) <= Element.tolerance)
                #expect(try network.predict([[0.5]], steps: 3) == [0])
            }
        }
        try check(type.scalar)
    }

    /// A time step that float32 rounds to zero would report convergence without moving.
    @Test func aTimeStepThatVanishesInFloat32IsRefused() {
        let setting = SettingKind.realTime(RealTime(timeStep: 1e-60, clamp: true))
        expectError(EngineError.invalidArgument, saying: ["dt"]) {
            _ = try Network<Float>(NetworkConfiguration(sizes: [3, 4, 2], setting: setting))
        }
    }

    @Test func aToleranceThatFloat32CannotHoldIsRefused() throws {
        let configuration = NetworkConfiguration(sizes: [3, 4, 2], tolerance: 1e39)
        expectError(EngineError.invalidArgument, saying: ["tolerance is 1e+39", "Float"]) {
            _ = try Network<Float>(configuration)
        }
        _ = try Network<Double>(configuration)
    }
}
