import CCEP
import CEPABI
import Testing

@Suite struct HardwareTests {
    @Test func devicesAreListedAndTakenAsTensors() throws {
        let ideal = try CNetwork()
        var count: Int64 = -1
        #expect(cep_network_devices(ideal.pointer, nil, 0, &count) == CEP_OK)
        #expect(count == 0)
        #expect(cep_network_devices(ideal.pointer, nil, 0, nil) == CEP_INVALID_ARGUMENT)
    }

    @Test func pulsesOfADevice() {
        let directions: [Int64] = [1, 1, -1]
        var weights = [0.0, 0, 0]
        #expect(cep_pulse_response("soft_bounds:dw_min=0.5", directions, 3, 0, 1, &weights) == CEP_OK)
        #expect(weights == [0.5, 0.75, -0.125])
        #expect(cep_pulse_response("soft_bounds:dw_min=0.5", [2], 1, 0, 1, &weights) == CEP_INVALID_ARGUMENT)
        #expect(cep_pulse_response("ideal", directions, 3, 0, 1, &weights) == CEP_INVALID_ARGUMENT)
        #expect(cep_pulse_response("ideal", nil, 0, 0, 1, nil) == CEP_OK)
        #expect(cep_pulse_response("memristor", nil, 0, 0, 1, nil) == CEP_INVALID_ARGUMENT)
        #expect(cep_pulse_response(nil, nil, 0, 0, 1, nil) == CEP_INVALID_ARGUMENT)
        #expect(cep_pulse_response("soft_bounds:dw_min=0.5", directions, 3, .nan, 1, &weights) == CEP_INVALID_ARGUMENT)
        #expect(cep_pulse_response("soft_bounds:dw_min=0.5", directions, -3, 0, 1, &weights) == CEP_INVALID_ARGUMENT)
    }
}
