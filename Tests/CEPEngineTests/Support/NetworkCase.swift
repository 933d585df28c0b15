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

    /// Every number type, setting, activation and kind of feedback, each with 1 to 3 hidden layers.
    static let all: [NetworkCase] = {
        var cases: [NetworkCase] = []
        for type in NumberType.allCases {
            for setting in settings {
                for activation in Activation.allCases {
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

    /// Every setting and kind of feedback in both number types, for laws that are slow to check.
    static let few: [NetworkCase] = all.filter {
        $0.batch == 4 && $0.configuration.activation == .shiftedSigmoid
    }
}

/// Tests that an error is thrown, of this kind, with a message that contains all of `parts`.
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
