import CCEP
import CEPABI
import Testing

@Suite struct ParameterListTests {
    @Test func parametersAreInTheOrderOfTheConnections() throws {
        func list(_ sizes: [Int64], _ options: COptions) throws -> [String] {
            try CNetwork(sizes, options).parameterNames().map { "\($0.name) \($0.index)" }
        }
        #expect(try list([4, 5, 3], [:]) == ["weights 0", "biases 0", "weights 1", "biases 1"])
        #expect(
            try list([4, 5, 3], ["feedback": "untied"])
                == ["weights 0", "biases 0", "weights 1", "biases 1", "feedback_weights 1"])
        // The order is: the chain, the readout, then the other connections, which have no biases.
        #expect(
            try list([4, 6, 5, 3], ["readout": true, "feedback": "untied", "connections": .integers([0, 2])])
                == [
                    "weights 0", "biases 0", "weights 1", "biases 1", "feedback_weights 1", "weights 2", "biases 2",
                    "weights 3",
                ])
    }

    @Test func aSmallCapacityGetsTheFirstParameters() throws {
        let network = try CNetwork()
        for capacity in 0...6 {
            var parameters = [cep_parameter](repeating: cep_parameter(name: nil, index: -7), count: 6)
            var count: Int64 = -7
            #expect(cep_network_parameters(network.pointer, &parameters, Int64(capacity), &count) == CEP_OK)
            #expect(count == 4)
            for k in 0..<6 {
                #expect((parameters[k].name != nil) == (k < min(capacity, 4)))
                #expect((parameters[k].index == -7) == (k >= min(capacity, 4)))
            }
        }
    }

    @Test func theCountAloneNeedsNoArray() throws {
        let network = try CNetwork()
        #expect(expectSuccess { cep_network_parameters(network.pointer, nil, 0, &$0.count) }.count == 4)
        expectFailure(saying: ["parameters is NULL"]) { cep_network_parameters(network.pointer, nil, 4, &$0.count) }
        for capacity in [-1, Int64.min] {
            expectFailure(saying: ["capacity", "\(capacity)"]) {
                cep_network_parameters(network.pointer, nil, capacity, &$0.count)
            }
        }
        expectFailure(saying: ["count is NULL"]) { _ in cep_network_parameters(network.pointer, nil, 0, nil) }
        expectFailure(saying: ["network is NULL"]) { cep_network_parameters(nil, nil, 0, &$0.count) }
    }

    /// Returned strings are static.
    @Test func namesOutliveTheNetwork() throws {
        var network: CNetwork? = try CNetwork()
        let names = try #require(network).parameterNames()
        var parameter = cep_parameter()
        var count: Int64 = 0
        try check(cep_network_parameters(try #require(network).pointer, &parameter, 1, &count))
        network = nil
        #expect(parameter.name.map { String(cString: $0) } == names[0].name)
    }
}
