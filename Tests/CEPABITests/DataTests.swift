import CCEP
import CEPABI
import Testing

/// A call that passes a matrix or targets to a network.
private struct Call: Sendable {
    let run:
        @Sendable (OpaquePointer?, UnsafePointer<cep_matrix>?, UnsafePointer<cep_targets>?, inout Outputs) -> cep_status

    static let takingInputs = [
        Call { cep_free_phase($0, $1, 2, 0, noProgress, &$3.outcome) },
        Call { cep_free_phase($0, $1, 2, 1, noProgress, &$3.outcome) },
        Call { cep_predict($0, $1, 2, noProgress, &$3.classes, $1?.pointee.rows ?? 3) },
    ]
    static let takingTargets = [
        Call { cep_nudged_phase($0, $2, 0.5, 2, noProgress, &$3.outcome) }
    ]
    static let takingBoth = [
        Call { cep_train_batch($0, $1, $2, COptions.rule("ep").pointer, noProgress, &$3.metrics) },
        Call { cep_train_epoch($0, $1, $2, COptions.rule("cep").pointer, 2, 0, nil, noProgress, &$3.metrics) },
        Call { cep_evaluate($0, $1, $2, 2, noProgress, &$3.metrics) },
        Call { network, x, targets, _ in cep_check_samples(network, x, targets) },
        Call { network, x, targets, outputs in
            let status = cep_gradient_estimate(
                network, x, targets, COptions.rule("rbp").pointer, noProgress, &outputs.metrics, &outputs.handle)
            if status == CEP_OK { cep_gradient_destroy(outputs.handle) }
            return status
        },
        Call { network, x, targets, outputs in
            let status = cep_theorem_check(
                network, x, targets, COptions.theorem().pointer, noProgress, &outputs.handle)
            if status == CEP_OK { cep_theorem_destroy(outputs.handle) }
            return status
        },
    ]
}

@Suite struct DataTests {
    private static let good = TestSamples(3)

    /// Runs `body` with a network that has states, and checks that it leaves the network unchanged.
    private func withNetwork(_ body: (CNetwork) throws -> Void) throws {
        let network = try CNetwork()
        expectSuccess { cep_free_phase(network.pointer, Self.good.x, 3, 0, noProgress, &$0.outcome) }
        let before = (try network.parameters(), try network.states())
        try body(network)
        #expect(try network.parameters() == before.0 && network.states() == before.1)
    }

    private func expectInputRefused(_ x: cep_matrix, saying parts: [String]) throws {
        try withNetwork { network in
            for call in Call.takingInputs + Call.takingBoth {
                var x = x
                expectFailure(saying: parts) { call.run(network.pointer, &x, Self.good.targets, &$0) }
            }
        }
    }

    private func expectTargetsRefused(_ targets: cep_targets, saying parts: [String]) throws {
        try withNetwork { network in
            for call in Call.takingTargets + Call.takingBoth {
                var targets = targets
                expectFailure(saying: parts) { call.run(network.pointer, Self.good.x, &targets, &$0) }
            }
        }
    }

    @Test func validDataIsAccepted() throws {
        for type in NumberType.allCases {
            let network = try CNetwork([4, 5, 3], ["dtype": type.option])
            for dataType in NumberType.allCases {
                let data = TestSamples(3, type: dataType)
                for var targets in [
                    data.targets.pointee, targetValues([[0, 1, 0], [1, 0, 0], [0, 0, 1]], dataType),
                ] {
                    for call in Call.takingInputs + Call.takingTargets + Call.takingBoth {
                        // A free phase first, for the calls that continue from its states.
                        expectSuccess { cep_free_phase(network.pointer, data.x, 1, 0, noProgress, &$0.outcome) }
                        expectSuccess { call.run(network.pointer, data.x, &targets, &$0) }
                    }
                }
            }
        }
    }

    @Test func nullPointers() throws {
        try withNetwork { network in
            for call in Call.takingInputs + Call.takingTargets + Call.takingBoth {
                expectFailure(saying: ["network is NULL"]) { call.run(nil, Self.good.x, Self.good.targets, &$0) }
            }
            for call in Call.takingInputs + Call.takingBoth {
                expectFailure(saying: ["x is NULL"]) { call.run(network.pointer, nil, Self.good.targets, &$0) }
            }
            for call in Call.takingTargets + Call.takingBoth {
                expectFailure(saying: ["targets is NULL"]) { call.run(network.pointer, Self.good.x, nil, &$0) }
            }
        }
        var x = Self.good.x.pointee
        x.data = nil
        try expectInputRefused(x, saying: ["x.data", "NULL"])
        try expectTargetsRefused(cep_targets(labels: nil, label_count: 3, values: cep_matrix()), saying: ["y"])
        var values = targetValues([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
        values.values.data = nil
        try expectTargetsRefused(values, saying: ["y.data", "NULL"])
    }

    @Test func shapesOfInputs() throws {
        for (rows, columns) in [(0, 4), (-1, 4), (3, 0), (3, -4), (Int64.min, Int64.min)] as [(Int64, Int64)] {
            var x = Self.good.x.pointee
            (x.rows, x.columns) = (rows, columns)
            try expectInputRefused(x, saying: ["x is \(rows) × \(columns)"])
        }
        var x = Self.good.x.pointee
        (x.rows, x.columns) = (1 << 40, 1 << 40)
        try expectInputRefused(x, saying: ["x is \(x.rows) × \(x.columns)"])
        (x.rows, x.columns) = (4, 3)
        try expectInputRefused(x, saying: ["x has 3 columns", "4 units"])
        (x.rows, x.columns) = (1 << 33, 4)
        try expectInputRefused(x, saying: ["x is \(x.rows) × 4"])
    }

    @Test func typesAndAlignment() throws {
        for dtype in [-1, 2, Int32.max] {
            var x = Self.good.x.pointee
            x.dtype = dtype
            try expectInputRefused(x, saying: ["x", "dtype \(dtype)"])
            var targets = targetValues([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
            targets.values.dtype = dtype
            try expectTargetsRefused(targets, saying: ["y", "dtype \(dtype)"])
        }
        // One more row than is used, and a pointer into the middle of the first value.
        for type in NumberType.allCases {
            var x = matrix([[Double]](repeating: [0, 0, 0, 0], count: 4), type)
            x.rows = 3
            x.data = x.data.map { $0 + 2 }
            try expectInputRefused(
                x, saying: ["x.data", "aligned", type == .float32 ? "multiple of 4" : "multiple of 8"])
        }
        let labels = UnsafeRawPointer(copy([0, 0, 0, 0] as [Int64])) + 4
        let targets = cep_targets(
            labels: labels.assumingMemoryBound(to: Int64.self), label_count: 3, values: cep_matrix())
        try expectTargetsRefused(targets, saying: ["y", "aligned", "multiple of 8"])
    }

    @Test func values() throws {
        for type in NumberType.allCases {
            var rows = Self.good.inputs
            rows[1][2] = .nan
            try expectInputRefused(matrix(rows, type), saying: ["x", "row 1", "column 2"])
            try expectTargetsRefused(
                targetValues([[0, 0, 0], [0, 0, 0], [0, 0, .infinity]], type), saying: ["y", "row 2", "column 2"])
        }
    }

    @Test func classLabels() throws {
        try expectTargetsRefused(labels([0, 1, 3]), saying: ["label 3", "row 2", "0 to 2"])
        try expectTargetsRefused(labels([-1, 1, 2]), saying: ["label -1", "row 0"])
        try expectTargetsRefused(labels([0, 1]), saying: ["2 targets", "3 rows"])
        var targets = labels([0, 1, 2])
        for count in [0, -1, Int64.min] {
            targets.label_count = count
            try expectTargetsRefused(targets, saying: ["y has \(count) labels"])
        }
        targets.label_count = .max
        try expectTargetsRefused(targets, saying: ["y has \(Int64.max) labels"])
    }

    @Test func shapesOfTargets() throws {
        try expectTargetsRefused(
            targetValues([[0, 1], [0, 1], [0, 1]]), saying: ["y has 2 columns", "3 units"])
        try expectTargetsRefused(targetValues([[0, 1, 0]]), saying: ["1 targets", "3 rows"])
        try expectTargetsRefused(targetValues([]), saying: ["y is 0 × 0"])
    }
}
