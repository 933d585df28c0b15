import CCEP
import CEPABI
import Testing

/// Handles that were released, are of another kind, or were never valid.
@Suite struct HandleTests {
    private static let samples = TestSamples(3)

    @Test func wrongHandlesAreRefused() throws {
        let network = try CNetwork()
        let gradient = expectSuccess {
            cep_gradient_estimate(
                network.pointer, Self.samples.x, Self.samples.targets, COptions.rule("ep").pointer, noProgress,
                &$0.metrics, &$0.handle)
        }.handle
        defer { cep_gradient_destroy(gradient) }
        let tensor = try network.tensor("weights", 0)
        let released = try CNetwork()
        cep_network_destroy(released.pointer)
        let text = OpaquePointer(copyText("not a handle"))

        for (handle, words) in [
            (gradient, "network is a gradient, not a network"), (tensor.tensor.memory, "network is memory of a tensor"),
            (released.pointer, "released"), (text, "was never valid"),
            (OpaquePointer(bitPattern: 8), "was never valid"),
        ] {
            expectFailure(saying: [words]) { cep_network_copy(handle, &$0.handle) }
            expectFailure(saying: [words]) { cep_network_tensor(handle, "weights", 0, &$0.tensor) }
        }
        for (handle, words) in [(network.pointer, "is a network, not a gradient"), (text, "was never valid")] {
            expectFailure(saying: [words]) { cep_gradient_tensor(handle, "weights", 0, &$0.tensor) }
        }
        for (handle, words) in [(network.pointer, "is a network, not a theorem"), (text, "was never valid")] {
            expectFailure(saying: [words]) { _ in
                var summary = cep_theorem_summary()
                return cep_theorem_summarize(handle, &summary)
            }
        }
        // Destroying a handle of another kind changes nothing.
        cep_network_destroy(gradient)
        cep_gradient_destroy(network.pointer)
        cep_theorem_destroy(text)
        cep_network_destroy(released.pointer)
        #expect(try network.parameters().count == 4)
        _ = try CTensor { cep_gradient_tensor(gradient, "weights", 0, &$0) }
    }
}
