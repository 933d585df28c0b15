import CCEP
import CEPABI
import Testing

@Suite struct NetworkOptionTests {
    private func expectRefused(
        _ changes: COptions, status: Int = CEP_INVALID_ARGUMENT, saying parts: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expectFailure(status, saying: parts, sourceLocation: sourceLocation) {
            cep_network_create(COptions.network([4, 5, 3], changes).pointer, &$0.handle)
        }
    }

    @Test func nullPointers() {
        expectFailure(saying: ["options is NULL"]) { cep_network_create(nil, &$0.handle) }
        expectFailure(saying: ["network is NULL"]) { _ in cep_network_create(COptions.network().pointer, nil) }
    }

    @Test func sizes() {
        for sizes in [[], [4], [4, 3]] as [[Int64]] {
            expectRefused(["sizes": .integers(sizes)], saying: ["at least 3 layers", "\(sizes.count)"])
        }
        for (layer, size) in [(0, 0), (1, -3), (2, Int64.min), (1, 1 << 31), (1, .max)] {
            var sizes: [Int64] = [4, 5, 3]
            sizes[layer] = size
            expectRefused(["sizes": .integers(sizes)], saying: ["layer \(layer)", "\(size) units"])
        }
    }

    @Test func numbersOutOfRange() {
        for dt in [0, -1, 1.5, .nan, .infinity] {
            expectRefused(["setting": "real-time", "dt": .numbers([dt])], saying: ["dt", "\(dt)"])
        }
        for tolerance in [-1e-9, .nan, .infinity] {
            expectRefused(["tolerance": .numbers([tolerance])], saying: ["tolerance", "\(tolerance)"])
        }
        for angle in [-1, 181, Double.nan] {
            expectRefused(["feedback": "untied", "feedback_angle": .numbers([angle])], saying: ["angle", "\(angle)"])
        }
    }

    /// A number out of range is an error even if it is not used.
    @Test func unusedNumbersAreCheckedToo() {
        expectRefused(["dt": .numbers([.nan])], saying: ["dt", "nan"])
        expectRefused(["feedback_angle": .numbers([.nan])], saying: ["angle", "nan"])
    }

    @Test func memory() {
        for type in NumberType.allCases {
            expectRefused(
                ["sizes": .integers([2_000_000_000, 2_000_000_000, 10]), "dtype": type.option],
                status: CEP_OUT_OF_MEMORY, saying: ["2000000000"])
        }
    }

    @Test func theSeedIsAll64Bits() throws {
        let seeds: [Int64] = [0, 1, -1, .min, .max]
        let parameters = try seeds.map { try CNetwork([4, 5, 3], ["seed": .integers([$0])]).parameters() }
        for i in seeds.indices { for j in 0..<i { #expect(parameters[i] != parameters[j]) } }
    }

    @Test func oneActivationForEachLayer() throws {
        let network = try CNetwork([4, 6, 5, 3], ["activation": "tanh,hard_sigmoid,linear", "dtype": "float64"])
        for layer in 0..<3 as Range<Int64> {
            let biases = try network.tensor("biases", layer)
            for i in 0..<biases.count { biases[i] = -3 }
            let weights = try network.tensor("weights", layer)
            for i in 0..<weights.count { weights[i] = 0 }
        }
        let samples = TestSamples(1)
        expectSuccess { cep_free_phase(network.pointer, samples.x, 3, 0, noProgress, &$0.outcome) }
        let states = try network.states()
        #expect(states[1].allSatisfy { abs($0 + 0.995054753686730) < 1e-9 }, "tanh -3")
        #expect(states[2].allSatisfy { $0 == 0 } && states[3].allSatisfy { $0 == -3 })
        expectRefused(["activation": "tanh,tanh,tanh"], saying: ["activation has 3 values", "expected 2"])
    }

    @Test func skipConnections() throws {
        let options: COptions = [
            "connections": .integers([0, 2, 1, 3, 0, 3]), "connection_kinds": "dense,dense,dense",
        ]
        let network = try CNetwork([4, 6, 5, 3], options)
        for (index, shape) in [(3, [5, 4]), (4, [3, 6]), (5, [3, 4])] as [(Int64, [Int64])] {
            #expect(try network.tensor("weights", index).shape == shape)
            expectFailure(saying: ["connection \(index) has no biases"]) {
                cep_network_tensor(network.pointer, "biases", index, &$0.tensor)
            }
        }
        let plain = try CNetwork([4, 6, 5, 3], ["connections": .integers([0, 2, 1, 3, 0, 3])])
        #expect(try plain.parameters() == network.parameters(), "dense is the default")
        for (connections, words) in [
            ([0], ["pairs", "[0]"]), ([0, 3], ["(0, 3)", "layer 3", "0 to 2"]), ([-1, 2], ["(-1, 2)", "layer -1"]),
            ([1, 1], ["(1, 1)", "itself"]), ([2, 0], ["(2, 0)", "lower layer"]), ([0, 1], ["(0, 1)", "already"]),
            ([0, 2, 0, 2], ["(0, 2)", "already"]), ([.max, .min], ["layer \(Int64.max)"]),
        ] as [([Int64], [String])] {
            expectRefused(["connections": .integers(connections)], saying: words)
        }
        for kinds in ["dense,dense", "dense,"] {
            expectRefused(
                ["connections": .integers([0, 2]), "connection_kinds": .text(kinds)], saying: ["connection_kinds"])
        }
        expectRefused(["connection_kinds": "dense"], saying: ["connection_kinds has 1 values", "0 connections"])
    }

    @Test func readouts() throws {
        let network = try CNetwork([4, 6, 3], ["readout": true])
        #expect(try network.tensor("weights", 1).shape == [3, 6])
        expectRefused(["readout": true, "loss": "squared_error"], saying: ["loss is squared_error, with a readout"])
        _ = try CNetwork([4, 6, 3], ["readout": true, "loss": "cross_entropy"])
    }
}
