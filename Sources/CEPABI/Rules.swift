public import CCEP
import CEPEngine

// Section 7 of cep.h: learning rules as C callers describe them.

@c @implementation
public func cep_rule_default(_ rule: UnsafeMutablePointer<cep_rule>?) {
    rule?.pointee = cep_rule(
        kind: cep_rule_kind(CEP_RULE_EP), free_steps: 0, nudged_steps: 0, beta: 0,
        beta_sign: cep_beta_sign(CEP_BETA_FIXED), accumulate: 0, write_every_step: 0, last_steps: 0, tolerance: 1e-6,
        max_iterations: 10_000, learning_rates: nil, learning_rate_count: 0, bias_learning_rates: nil,
        bias_learning_rate_count: 0)
}

extension TwoPhases {
    init(_ rule: cep_rule) throws(EngineError) {
        guard let sign = BetaSign(rawValue: rule.beta_sign) else {
            throw .invalidArgument("\(rule.beta_sign) is not a sign of beta")
        }
        self.init(
            freeSteps: Int(rule.free_steps), nudgedSteps: Int(rule.nudged_steps), beta: rule.beta, betaSign: sign)
    }
}

extension LearningRates {
    /// nil where the rule has none.
    init?(_ rule: cep_rule) throws(EngineError) {
        guard let weights = try rates("learning_rates", rule.learning_rates, rule.learning_rate_count) else {
            return nil
        }
        self.init(
            weights: weights,
            biases: try rates("bias_learning_rates", rule.bias_learning_rates, rule.bias_learning_rate_count))
    }
}

extension TheoremConditions {
    init(_ conditions: cep_theorem_conditions) throws(EngineError) {
        guard let weights = try rates("learning_rates", conditions.learning_rates, conditions.learning_rate_count)
        else {
            throw .invalidArgument("learning_rates has no values; expected one a connection, 0 for EP")
        }
        self.init(
            freeSteps: Int(conditions.free_steps), nudgedSteps: Int(conditions.nudged_steps), beta: conditions.beta,
            learningRates: LearningRates(
                weights: weights,
                biases: try rates(
                    "bias_learning_rates", conditions.bias_learning_rates, conditions.bias_learning_rate_count)),
            asRecorded: conditions.as_recorded != 0)
    }
}

/// The rates a caller gives; nil for none.
private func rates(
    _ name: String, _ values: UnsafePointer<Double>?, _ count: Int64
) throws(EngineError) -> [Double]? {
    if count == 0 { return nil }
    // More than this is a length gone wrong.
    guard count >= 1, count <= 1_000_000 else {
        throw .invalidArgument("\(name) has \(count) values; expected one a connection")
    }
    return Array(UnsafeBufferPointer(start: try required(values, name), count: Int(count)))
}
