import CCEP
import CEPABI
import Glibc
import Testing

@Suite struct HeaderIsImplemented {
    /// Every function of cep.h. That they are named here makes the linker look for them: without it, one that is
    /// declared and never defined is found out only by the first program that calls it.
    private let functions: [String: Any] = [
        "cep_version": cep_version, "cep_last_error": cep_last_error,
        "cep_network_options_default": cep_network_options_default, "cep_network_create": cep_network_create,
        "cep_network_copy": cep_network_copy, "cep_network_destroy": cep_network_destroy,
        "cep_network_array": cep_network_array,
        "cep_array_describe": cep_array_describe, "cep_array_release": cep_array_release,
        "cep_free_phase": cep_free_phase, "cep_nudged_phase": cep_nudged_phase, "cep_train_batch": cep_train_batch,
        "cep_train_epoch": cep_train_epoch, "cep_evaluate": cep_evaluate, "cep_predict": cep_predict,
        "cep_check_samples": cep_check_samples, "cep_instruction_set": cep_instruction_set,
        "cep_set_num_threads": cep_set_num_threads, "cep_get_num_threads": cep_get_num_threads,
        "cep_rule_default": cep_rule_default, "cep_gradient_estimate": cep_gradient_estimate,
        "cep_gradient_array": cep_gradient_array, "cep_gradient_destroy": cep_gradient_destroy,
        "cep_theorem_check": cep_theorem_check, "cep_theorem_summarize": cep_theorem_summarize,
        "cep_theorem_compare": cep_theorem_compare, "cep_theorem_destroy": cep_theorem_destroy,
        "cep_energy": cep_energy, "cep_feedback_angle": cep_feedback_angle,
        "cep_step_summarize": cep_step_summarize, "cep_step_array": cep_step_array,
        "cep_get_random_state": cep_get_random_state, "cep_set_random_state": cep_set_random_state,
    ]

    @Test func everyDeclaredFunctionIsLinkedHere() throws {
        let declared = try declaredFunctions()
        #expect(Set(declared) == Set(functions.keys), "a new function belongs into the list above")
        #expect(declared.count == Set(declared).count, "and is declared once")
    }

    /// Names before an opening parenthesis, comments and preprocessor lines left out.
    private func declaredFunctions() throws -> [String] {
        let header = try contents(of: repository + "/Sources/CCEP/include/cep.h")
        let code = header.replacing(/\/\*(?s:.*?)\*\//, with: "").split(separator: "\n").filter { !$0.hasPrefix("#") }
        return code.joined(separator: "\n").matches(of: /\b(cep_\w+)\s*\(/).map { String($0.1) }
    }

    private var repository: String {
        // …/Tests/CEPABITests/HeaderIsImplemented.swift
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    }

    private func contents(of path: String) throws -> String {
        let file = try #require(fopen(path, "r"), "\(path)")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
