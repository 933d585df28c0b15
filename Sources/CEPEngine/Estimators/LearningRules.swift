import CEPKernels

/// A learning rule with a name in options.
package protocol NamedRule<Element>: LearningRule {
    /// Its name in the option "rule".
    static var name: String { get }

    /// Takes the options of the rule out of `options`.
    init(_ options: inout Options) throws(EngineError)
}

extension KernelScalar {
    /// The learning rules. To add one, write a file and add a line here.
    static var learningRules: [any NamedRule<Self>.Type] {
        [
            EquilibriumPropagation<Self>.self,
            ContinualEquilibriumPropagation<Self>.self,
            BackpropagationThroughTime<Self>.self,
            RecurrentBackpropagation<Self>.self,
        ]
    }
}

extension Options {
    /// The learning rule that these options describe.
    package func learningRule<Element: KernelScalar>() throws(EngineError) -> any LearningRule<Element> {
        var options = self
        let name = try required(options.text("rule"), "rule")
        let rules = Element.learningRules
        guard let rule = rules.first(where: { $0.name == name }) else {
            throw .invalidArgument("rule must be \(rules.map { $0.name }.joined(separator: " or ")), got \(name)")
        }
        let made = try rule.init(&options)
        try options.checkAllRead(by: "the rule \(name)")
        return made
    }

    mutating func learningRates() throws(EngineError) -> LearningRates? {
        let biases = try numbers("bias_learning_rates")
        let feedback = try numbers("feedback_learning_rates")
        return try numbers("learning_rates").map { LearningRates(weights: $0, biases: biases, feedback: feedback) }
    }

    mutating func optimizer() throws(EngineError) -> any Optimizer {
        let name = try text("optimizer") ?? SGD.name
        guard let optimizer = optimizers.first(where: { $0.name == name }) else {
            throw .invalidArgument(
                "optimizer must be \(optimizers.map { $0.name }.joined(separator: " or ")), got \(name)")
        }
        return try optimizer.init(&self)
    }
}
