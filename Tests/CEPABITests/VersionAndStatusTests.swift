import CCEP
import CEPABI
import Testing

@Suite struct DefaultsAreAsDocumented {
    @Test func theVersionAtRunTimeIsThatOfTheHeader() {
        #expect(String(cString: cep_version()) == CEP_VERSION)
        #expect(CEP_VERSION.wholeMatch(of: /\d+\.\d+\.\d+/) != nil)
    }

    @Test func networkOptions() {
        var options = cep_network_options(
            sizes: UnsafePointer(bitPattern: 8), layer_count: 9, setting: 9, activation: 9, feedback: 9, dtype: 9,
            seed: 9, time_step: 9, clamp: 9, follows_energy: 9, feedback_angle: 9,
            relaxation: 9, tolerance: 9, more: nil, more_count: 9)
        cep_network_options_default(&options)
        #expect(options.sizes == nil && options.layer_count == 0)
        #expect(options.setting == CEP_PROTOTYPICAL && options.activation == CEP_SHIFTED_SIGMOID)
        #expect(options.feedback == CEP_TIED && options.dtype == CEP_FLOAT32)
        #expect(options.seed == 0 && options.time_step == 0.2 && options.clamp == 1 && options.feedback_angle == 0)
        #expect(options.follows_energy == 0)
        #expect(options.relaxation == CEP_SYNCHRONOUS && options.tolerance == 0)
    }

    @Test func rules() {
        var rule = cep_rule()
        (rule.kind, rule.beta_sign, rule.accumulate, rule.write_every_step, rule.last_steps) = (9, 9, 9, 9, 9)
        (rule.learning_rate_count, rule.bias_learning_rate_count) = (9, 9)
        cep_rule_default(&rule)
        #expect(rule.kind == CEP_RULE_EP && rule.beta_sign == CEP_BETA_FIXED)
        #expect(rule.accumulate == 0 && rule.write_every_step == 0 && rule.last_steps == 0)
        #expect(rule.tolerance == 1e-6 && rule.max_iterations == 10_000)
        #expect(rule.learning_rates == nil && rule.learning_rate_count == 0)
        #expect(rule.bias_learning_rates == nil && rule.bias_learning_rate_count == 0)
    }

    @Test func nullIsAllowedWhereThereIsNothingToSay() {
        cep_network_options_default(nil)
        cep_rule_default(nil)
        cep_gradient_destroy(nil)
        cep_theorem_destroy(nil)
        cep_network_destroy(nil)
        cep_array_release(nil)
    }

    /// Numbers that other languages have written down.
    @Test func constantsStayAsTheyAre() {
        #expect(
            [CEP_OK, CEP_INVALID_ARGUMENT, CEP_INVALID_STATE, CEP_OUT_OF_MEMORY, CEP_DIVERGED, CEP_STOPPED, CEP_BUSY]
                == [0, 1, 2, 3, 4, 5, 6])
        #expect([CEP_FLOAT32, CEP_FLOAT64] == [0, 1])
        #expect([CEP_PROTOTYPICAL, CEP_REAL_TIME] == [0, 1])
        #expect([CEP_SHIFTED_SIGMOID, CEP_HARD_SIGMOID, CEP_TANH] == [0, 1, 2])
        #expect([CEP_TIED, CEP_UNTIED] == [0, 1])
        #expect([CEP_WEIGHTS, CEP_BIASES, CEP_FEEDBACK_WEIGHTS, CEP_STATES] == [0, 1, 2, 3])
        #expect([CEP_RULE_EP, CEP_RULE_CEP] == [0, 1])
    }
}
