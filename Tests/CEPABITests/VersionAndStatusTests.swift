import CCEP
import CEPABI
import Testing

@Suite struct VersionAndStatusTests {
    @Test func theVersionAtRunTimeIsThatOfTheHeader() throws {
        #expect(String(cString: cep_version()) == CEP_VERSION)
        let parts = CEP_VERSION.split(separator: ".").map { Int32($0) }
        #expect(parts == [Int32(CEP_VERSION_MAJOR), Int32(CEP_VERSION_MINOR), Int32(CEP_VERSION_PATCH)])
        #expect(
            cep_version_number() == Int32(CEP_VERSION_MAJOR * 10_000 + CEP_VERSION_MINOR * 100 + CEP_VERSION_PATCH))
    }

    @Test func statusNames() {
        for (status, name) in [
            (CEP_OK, "OK"), (CEP_INVALID_ARGUMENT, "invalid argument"), (CEP_INVALID_STATE, "invalid state"),
            (CEP_OUT_OF_MEMORY, "out of memory"), (CEP_DIVERGED, "diverged"), (CEP_STOPPED, "stopped"),
            (CEP_BUSY, "busy"), (-1, "unknown status"), (7, "unknown status"), (Int(Int32.max), "unknown status"),
            (Int(Int32.min), "unknown status"),
        ] {
            #expect(String(cString: cep_status_name(cep_status(status))) == name)
        }
    }

    @Test func theInstructionSetIsOneOfTheDocumentedOnes() {
        #expect(["baseline", "avx2", "avx512", "neon"].contains(String(cString: cep_instruction_set())))
    }

    @Test func nullCanBeReleased() {
        cep_gradient_destroy(nil)
        cep_theorem_destroy(nil)
        cep_network_destroy(nil)
        cep_tensor_release(nil)
    }

    /// Other languages use these numbers, so they must not change.
    @Test func constantsStayAsTheyAre() {
        #expect(
            [CEP_OK, CEP_INVALID_ARGUMENT, CEP_INVALID_STATE, CEP_OUT_OF_MEMORY, CEP_DIVERGED, CEP_STOPPED, CEP_BUSY]
                == [0, 1, 2, 3, 4, 5, 6])
        #expect([CEP_FLOAT32, CEP_FLOAT64, CEP_MAX_RANK] == [0, 1, 8])
    }
}
