import CEPEngine
import CEPKernels
import Testing

/// A kind of network that a law must hold for.
struct NetworkCase: Sendable, CustomTestStringConvertible {
    var type: NumberType
    var configuration: NetworkConfiguration
    var batch: Int

    var testDescription: String {
        let feedback = configuration.feedback == .tied ? "tied" : "untied"
        return "\(type.rawValue) \(configuration.sizes) \(configuration.setting) \(configuration.activation) "
            + "\(feedback) batch \(batch)"
    }

    var inputs: Int { configuration.sizes[0] }
    var outputs: Int { configuration.sizes[configuration.sizes.count - 1] }

    static let settings: [SettingKind] = [
        .prototypical, .realTime(RealTime(timeStep: 0.2, clamp: true)),
        .realTime(RealTime(timeStep: 0.5, clamp: false)),
    ]

    static let shapes: [(sizes: [Int], batch: Int)] = [([5, 4, 3], 1), ([4, 6, 5, 3], 4), ([3, 5, 4, 6, 2], 3)]

    /// New activations are added at the end, so that the seeds of earlier cases do not change.
    private static let activationGroups: [[Activation]] = [
        [.shiftedSigmoid, .hardSigmoid, .tanh], [.sigmoid, .halfHardSigmoid],
    ]

    /// Each number type, setting, activation and kind of feedback, with 1 to 3 hidden layers.
    static let all: [NetworkCase] = {
        var cases: [NetworkCase] = []
        for (type, activations) in product(NumberType.allCases, activationGroups) {
            for setting in settings {
                for activation in activations {
                    for feedback in [Feedback.tied, .untied(angle: 60)] {
                        for (sizes, batch) in shapes {
                            let configuration = NetworkConfiguration(
                                sizes: sizes, setting: setting, activation: activation, feedback: feedback,
                                seed: UInt64(cases.count))
                            cases.append(NetworkCase(type: type, configuration: configuration, batch: batch))
                        }
                    }
                }
            }
        }
        return cases
    }()

    /// Each setting and kind of feedback in both number types, for slow tests.
    static let few: [NetworkCase] = all.filter {
        $0.batch == 4 && $0.configuration.activation == .shiftedSigmoid
    }
}

/// Expects a divergence with the step and layer that its message names.
func expectError(
    _ kind: (Divergence) -> EngineError, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    var found = Divergence("")
    expectError({ (_: String) in kind(found) }, saying: parts, sourceLocation: sourceLocation) {
        do { try body() } catch EngineError.diverged(let divergence) {
            found = divergence
            let message = divergence.message
            #expect(
                divergence.step.map { message.contains("step \($0)") || message.contains("after \($0) ") }
                    ?? !message.contains(" step "), "\(message)", sourceLocation: sourceLocation)
            #expect(
                divergence.layer.map { message.contains("in layer \($0):") } ?? !message.contains("in layer"),
                "\(message)", sourceLocation: sourceLocation)
            throw EngineError.diverged(divergence)
        }
    }
}

/// Expects an error of this kind with a message that contains all of `parts`.
func expectError(
    _ kind: (String) -> EngineError, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("nothing was thrown; expected \(kind("…"))", sourceLocation: sourceLocation)
    } catch let error as EngineError {
        #expect(error == kind(error.message), sourceLocation: sourceLocation)
        for part in parts {
            #expect(error.message.contains(part), "«\(error.message)»", sourceLocation: sourceLocation)
        }
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
}

extension Activation {
    /// Whether the derivative is discontinuous.
    var hasCorners: Bool { self == .hardSigmoid || self == .halfHardSigmoid }
}

extension [ConnectionParameters<Double>] {
    /// Sets in the order of `Network.parameters`, with those of a readout last.
    func inOrderOfConnections(of network: Network<Double>) -> [ConnectionParameters<Double>] {
        guard network.objective.parameters != nil else { return self }
        var sets = self
        sets.append(sets.remove(at: network.configuration.layers.count - 1))
        return sets
    }
}

/// All pairs; the second element changes slowest.
private func product<A, B>(_ first: [A], _ second: [B]) -> [(A, B)] { second.flatMap { b in first.map { ($0, b) } } }
