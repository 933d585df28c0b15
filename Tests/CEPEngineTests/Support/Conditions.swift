import CEPEngine

/// The options of EP and C-EP together.
struct Conditions {
    var freeSteps: Int
    var nudgedSteps: Int
    var beta: Double
    var learningRates: [Double]
    var betaSign = BetaSign.fixed

    var phases: TwoPhases {
        TwoPhases(freeSteps: freeSteps, nudgedSteps: nudgedSteps, beta: beta, betaSign: betaSign)
    }
    var rates: LearningRates { LearningRates(weights: learningRates) }
}

extension EquilibriumPropagation {
    init(_ conditions: Conditions) { self.init(conditions.phases, learningRates: conditions.rates) }
}

extension ContinualEquilibriumPropagation {
    init(_ conditions: Conditions, writesEveryStep: Bool = false) {
        self.init(conditions.phases, learningRates: conditions.rates, writesEveryStep: writesEveryStep)
    }
}
