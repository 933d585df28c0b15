import CCEP
import CEPABI
import Testing

/// Options of networks, rules and theorem checks.
@Suite struct OptionTests {
    private static let samples = TestSamples(3)

    private func expectRuleRefused(
        _ options: COptions, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let network = try CNetwork()
        expectFailure(saying: parts, sourceLocation: sourceLocation) {
            cep_train_batch(
                network.pointer, Self.samples.x, Self.samples.targets, options.pointer, noProgress, &$0.metrics)
        }
    }

    private func expectTheoremRefused(
        _ options: COptions, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let network = try CNetwork()
        expectFailure(saying: parts, sourceLocation: sourceLocation) {
            cep_theorem_check(
                network.pointer, Self.samples.x, Self.samples.targets, options.pointer, noProgress, &$0.handle)
        }
    }

    @Test func unknownNames() throws {
        expectNetworkRefused(.network([4, 5, 3], ["momentum": 0.5]), saying: ["a network has no option momentum"])
        expectNetworkRefused(.network([4, 5, 3], ["Seed": 1]), saying: ["no option Seed"])
        try expectRuleRefused(.rule("ep", ["seed": 1]), saying: ["the rule ep has no option seed"])
        try expectRuleRefused(.rule("cep", ["accumulate": true]), saying: ["the rule cep has no option accumulate"])
        try expectRuleRefused(.rule("bptt", ["beta": 0.5]), saying: ["the rule bptt has no option beta"])
        try expectRuleRefused(.rule("rbp", ["nudged_steps": 2]), saying: ["the rule rbp has no option nudged_steps"])
        try expectRuleRefused(.rule("ep", ["beta1": 0.9]), saying: ["the rule ep has no option beta1"])
        try expectTheoremRefused(.theorem(["momentum": 0]), saying: ["no option momentum"])
    }

    @Test func unknownWordsAreAnsweredWithTheKnownOnes() throws {
        for name in ["setting", "activation", "feedback", "relaxation", "loss", "nudging"] {
            let words = try #require(cep_option_words(name).map { String(cString: $0) })
            expectNetworkRefused(
                .network([4, 5, 3]).adding(name, "nonsense"),
                saying: [name, "nonsense", words.split(separator: ",").joined(separator: " or ")])
        }
        expectNetworkRefused(
            .network([4, 5, 3], ["dtype": "float16"]), saying: ["dtype", "float32 or float64", "float16"])
        expectNetworkRefused(.network([4, 5, 3], ["activation": "tanh,nonsense"]), saying: ["activation", "nonsense"])
        expectNetworkRefused(.network([4, 5, 3], ["activation": "tanh,"]), saying: ["activation"])
        expectNetworkRefused(
            .network([4, 5, 3], ["connections": .integers([0, 2]), "connection_kinds": "sparse"]),
            saying: ["connection_kinds must be dense or conv2d", "sparse"])
        try expectRuleRefused(["rule": "eprop"], saying: ["rule must be ep or cep or bptt or rbp, got eprop"])
        try expectRuleRefused(.rule("ep", ["beta_sign": "both"]), saying: ["beta_sign", "both", "symmetric"])
        try expectRuleRefused(.rule("ep", ["optimizer": "rmsprop"]), saying: ["sgd or adam", "rmsprop"])
    }

    @Test func namesGivenTwice() throws {
        expectNetworkRefused(.network([4, 5, 3], ["seed": 1]).adding("seed", 1), saying: ["options has seed twice"])
        try expectRuleRefused(COptions.rule("ep").adding("beta", 0.5), saying: ["rule has beta twice"])
    }

    @Test func wrongKindsOfValues() throws {
        expectNetworkRefused(.network([4, 5, 3], ["dt": "fast"]), saying: ["dt must be numbers, got fast"])
        expectNetworkRefused(.network([4, 5, 3], ["setting": 1]), saying: ["setting must be a word"])
        expectNetworkRefused(.network([4, 5, 3], ["dtype": 0.5]), saying: ["dtype must be a word"])
        expectNetworkRefused(.network([4, 5, 3], ["seed": 0.5]), saying: ["seed must be whole numbers, got 0.5"])
        expectNetworkRefused(.network([4, 5, 3], ["sizes": [4, .nan, 3]]), saying: ["sizes", "nan"])
        expectNetworkRefused(.network([4, 5, 3], ["dt": [0.1, 0.2]]), saying: ["dt has 2 values; expected one"])
        expectNetworkRefused(.network([4, 5, 3], ["clamp": .integers([])]), saying: ["clamp has 0 values"])
        expectNetworkRefused(.network([4, 5, 3], ["clamp": "yes"]), saying: ["clamp must be numbers, got yes"])
        try expectRuleRefused(.rule("ep", ["rule": 1]), saying: ["rule must be a word"])
        try expectRuleRefused(.rule("ep", ["free_steps": 2.5]), saying: ["free_steps", "whole", "2.5"])
        try expectRuleRefused(.rule("ep", ["free_steps": 1e300]), saying: ["free_steps"])
        try expectRuleRefused(.rule("ep", ["beta": "big"]), saying: ["beta must be numbers, got big"])
        try expectTheoremRefused(.theorem(["beta": "big"]), saying: ["beta must be numbers, got big"])
    }

    /// Whole numbers may be given as numbers, and numbers as integers.
    @Test func integersAndNumbersAreInterchangeable() throws {
        let network = try CNetwork([4, 5, 3], ["sizes": [4, 5, 3], "seed": 3.0, "dt": 1, "clamp": 0.0])
        let other = try CNetwork([4, 5, 3], ["seed": 3, "dt": 1.0, "clamp": false])
        #expect(try network.parameters() == other.parameters())
    }

    @Test func flagsAreZeroOrOne() throws {
        for value in [2, -1, Int64.max] {
            for name in ["clamp", "follows_energy", "readout"] {
                expectNetworkRefused(
                    .network([4, 5, 3]).adding(name, .integers([value])),
                    saying: ["\(name) must be 0 or 1, got \(value)"])
            }
            try expectRuleRefused(
                .rule("ep", ["accumulate": .integers([value])]), saying: ["accumulate must be 0 or 1, got \(value)"])
            try expectRuleRefused(
                .rule("cep", ["write_every_step": .integers([value])]), saying: ["write_every_step", "\(value)"])
            try expectTheoremRefused(
                .theorem(["as_recorded": .integers([value])]), saying: ["as_recorded", "\(value)"])
        }
    }

    @Test func requiredOptions() throws {
        expectNetworkRefused([:], saying: ["at least 3 layers", "got 0"])
        for name in ["rule", "free_steps", "nudged_steps", "beta", "learning_rates"] {
            for rule in ["ep", "cep"] {
                let parts = name == "learning_rates" ? ["learning_rates"] : ["\(name) is missing"]
                try expectRuleRefused(COptions.rule(rule).removing(name), saying: parts)
            }
        }
        for rule in ["bptt", "rbp"] {
            try expectRuleRefused(COptions.rule(rule).removing("free_steps"), saying: ["free_steps is missing"])
        }
        for name in ["free_steps", "nudged_steps", "beta", "learning_rates"] {
            try expectTheoremRefused(COptions.theorem().removing(name), saying: ["\(name) is missing"])
        }
    }

    @Test func itemsOfTheStruct() {
        func expectRefused(_ options: cep_options, saying parts: [String]) {
            expectFailure(saying: parts) { outputs in
                withUnsafePointer(to: options) { cep_network_create($0, &outputs.handle) }
            }
        }
        for count in [-1, 1001, Int64.min, .max] {
            expectRefused(cep_options(items: nil, count: count), saying: ["options has \(count) items"])
        }
        expectRefused(cep_options(items: nil, count: 1), saying: ["options.items is NULL"])
        func expectRefused(_ option: cep_option, saying parts: [String]) {
            expectRefused(cep_options(items: copy([option]), count: 1), saying: parts)
        }
        expectRefused(cep_option(), saying: ["the name of an option is NULL"])
        let (name, number) = (copyText("dt"), copy([0.5]))
        var option = cep_option()
        (option.name, option.count) = (name, 1)
        expectRefused(option, saying: ["dt is NULL"])
        option.numbers = UnsafePointer(number)
        for count in [-1, 4_000_001, Int64.min, .max] {
            option.count = count
            expectRefused(option, saying: ["dt has \(count) values"])
        }
        (option.count, option.text) = (1, copyText("fast"))
        expectRefused(option, saying: ["dt", "more than one kind of value"])
    }

    @Test(arguments: ["setting", "activation", "feedback", "relaxation", "loss", "nudging"])
    func eachWordOfANetworkOptionWorks(_ name: String) throws {
        for word in try words(name) { _ = try CNetwork([4, 5, 3], COptions(name, .text(word))) }
    }

    @Test func eachWordOfARuleOptionWorks() throws {
        let network = try CNetwork()
        var rules = try words("rule").map { COptions.rule($0) }
        rules += try words("beta_sign").map { COptions.rule("ep", ["beta_sign": .text($0)]) }
        rules += try words("feedback_update").map { COptions.rule("ep", ["feedback_update": .text($0)]) }
        rules += try words("optimizer").map { COptions.rule("rbp", ["optimizer": .text($0)]) }
        for rule in rules {
            expectSuccess {
                cep_train_batch(
                    network.pointer, Self.samples.x, Self.samples.targets, rule.pointer, noProgress, &$0.metrics)
            }
        }
        #expect(rules.count == 4 + 3 + 2 + 2)
    }

    @Test func otherOptionsHaveNoWords() {
        for name in ["sizes", "dt", "", "nonsense"] { #expect(cep_option_words(name) == nil) }
        #expect(cep_option_words(nil) == nil)
    }

    private func words(_ name: String) throws -> [String] {
        let words = try #require(cep_option_words(name).map { String(cString: $0) })
        #expect(words.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty })
        return words.split(separator: ",").map(String.init)
    }
}
