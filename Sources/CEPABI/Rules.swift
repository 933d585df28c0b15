public import CCEP
import CEPEngine

// Section 7 of cep.h: learning rules as C callers describe them.

@c @implementation
public func cep_rule_default(_ rule: UnsafeMutablePointer<cep_rule>?) {
    fillIn(
        rule, "rule",
        with: cep_rule(
            kind: cep_rule_kind(CEP_RULE_EP), free_steps: 0, nudged_steps: 0, beta: 0,
            beta_sign: cep_beta_sign(CEP_BETA_FIXED), accumulate: 0, write_every_step: 0, last_steps: 0,
            tolerance: 1e-6, max_iterations: 10_000, learning_rates: nil, learning_rate_count: 0,
            bias_learning_rates: nil, bias_learning_rate_count: 0, more: nil, more_count: 0))
}

/// A rule as a caller gives it, with what its pointers point to.
struct RuleArgument {
    let rule: cep_rule
    /// nil if it has none.
    let learningRates: LearningRates?
    let optimizer: any Optimizer
}

extension TwoPhases {
    init(_ rule: cep_rule) throws(EngineError) {
        self.init(
            freeSteps: Int(rule.free_steps), nudgedSteps: Int(rule.nudged_steps), beta: rule.beta,
            betaSign: try BetaSign(rule.beta_sign))
    }
}

extension BetaSign {
    fileprivate init(_ sign: cep_beta_sign) throws(EngineError) {
        switch Int(sign) {
        case CEP_BETA_FIXED: self = .fixed
        case CEP_BETA_RANDOM: self = .random
        case CEP_BETA_SYMMETRIC: self = .symmetric
        default: throw .invalidArgument("\(sign) is not a sign of beta")
        }
    }
}

extension cep_rule {
    /// A number that cannot be is a mistake, whether the kind of rule uses it or not; those it does not use may be 0.
    fileprivate func validate() throws(EngineError) {
        _ = try BetaSign(beta_sign)
        guard beta.isFinite else { throw .invalidArgument("beta must be finite, got \(beta)") }
        guard tolerance >= 0, tolerance < 1 else {
            throw .invalidArgument("tolerance must be between 0 and 1, got \(tolerance)")
        }
        for (name, count) in [
            ("free_steps", free_steps), ("nudged_steps", nudged_steps), ("last_steps", last_steps),
            ("max_iterations", max_iterations),
        ] {
            guard count >= 0 else { throw .invalidArgument("\(name) must not be negative, got \(count)") }
        }
    }
}

extension Arguments {
    mutating func rule(_ rule: UnsafePointer<cep_rule>?) throws(EngineError) -> RuleArgument {
        let rule = try reads(rule, "rule").pointee
        try rule.validate()
        return RuleArgument(
            rule: rule,
            learningRates: try learningRates(
                rule.learning_rates, rule.learning_rate_count, rule.bias_learning_rates, rule.bias_learning_rate_count),
            optimizer: try optimizer(of: rule))
    }

    /// The optimizers there are.
    private mutating func optimizer(of rule: cep_rule) throws(EngineError) -> any Optimizer {
        let more = try NamedOptions(rule.more, rule.more_count, with: &self)
        try more.expect(["optimizer", "momentum", "beta1", "beta2", "epsilon", "weight_decay"])
        let decay = more.list("weight_decay")
        let optimizer: any Optimizer
        switch more.word("optimizer") {
        case nil, "sgd": optimizer = SGD(momentum: more.number("momentum") ?? 0, weightDecay: decay)
        case "adam":
            optimizer = Adam(
                beta1: more.number("beta1") ?? 0.9, beta2: more.number("beta2") ?? 0.999,
                epsilon: more.number("epsilon") ?? 1e-8, weightDecay: decay)
        case .some(let name): throw .invalidArgument("optimizer must be sgd or adam, got \(name)")
        }
        try optimizer.validate()
        return optimizer
    }

    mutating func conditions(
        _ conditions: UnsafePointer<cep_theorem_conditions>?
    ) throws(EngineError) -> TheoremConditions {
        let conditions = try reads(conditions, "conditions").pointee
        guard
            let rates = try learningRates(
                conditions.learning_rates, conditions.learning_rate_count, conditions.bias_learning_rates,
                conditions.bias_learning_rate_count)
        else {
            throw .invalidArgument("learning_rates has no values; expected one a connection, 0 for EP")
        }
        return TheoremConditions(
            freeSteps: Int(conditions.free_steps), nudgedSteps: Int(conditions.nudged_steps), beta: conditions.beta,
            learningRates: rates, asRecorded: conditions.as_recorded != 0)
    }

    /// nil where there are none of the weights.
    private mutating func learningRates(
        _ weights: UnsafePointer<Double>?, _ weightCount: Int64, _ biases: UnsafePointer<Double>?, _ biasCount: Int64
    ) throws(EngineError) -> LearningRates? {
        let biases = try rates("bias_learning_rates", biases, biasCount)
        guard let weights = try rates("learning_rates", weights, weightCount) else { return nil }
        return LearningRates(weights: weights, biases: biases)
    }

    /// nil for none.
    private mutating func rates(
        _ name: String, _ values: UnsafePointer<Double>?, _ count: Int64
    ) throws(EngineError) -> [Double]? {
        if count == 0 { return nil }
        // More than this is a length gone wrong.
        guard count >= 1, count <= 1_000_000 else {
            throw .invalidArgument("\(name) has \(count) values; expected one a connection")
        }
        return Array(UnsafeBufferPointer(start: try reads(values, count: Int(count), name), count: Int(count)))
    }
}
