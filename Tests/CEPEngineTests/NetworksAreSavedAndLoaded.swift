import CEPEngine
import CEPKernels
import Testing

@Suite struct NetworksAreSavedAndLoaded {
    private static let folder = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined() + "/Files/"

    private static func temporaryPath() -> String { "/tmp/cep-\(getpid())-\(UInt64.random(in: 0...UInt64.max))" }

    private func bytes(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "rb"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = try #require(fopen(path, "wb"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    private static let convolutions: [NetworkConfiguration] = {
        let small = ConnectionKind.conv2d(channels: 3, kernel: (2, 3), padding: (0, 1), pooling: "max")
        let skip = Edge(from: 0, to: 2, kind: .conv2d(channels: 4, kernel: (3, 2), stride: (1, 2)))
        let chain = [small, .conv2d(channels: 4, kernel: (1, 1)), .dense(2)]
        // The shapes are (2, 5, 6), (3, 2, 3) and (4, 2, 3).
        return [
            try? NetworkConfiguration(input: [2, 5, 6], chain: chain),
            try? NetworkConfiguration(input: [2, 5, 6], chain: chain, feedback: .untied(angle: 30), seed: 2),
            try? NetworkConfiguration(
                input: [2, 5, 6], chain: Array(chain.prefix(2)), objective: .readout(classes: 3)),
            try? NetworkConfiguration(
                input: [2, 4, 6],
                chain: [.conv2d(channels: 4, kernel: (2, 1)), .conv2d(channels: 4, kernel: (2, 4)), .dense(3)],
                skipConnections: [skip]),
        ].compactMap { $0 }
    }()

    private static let configurations: [NetworkConfiguration] = {
        var byLayer = NetworkConfiguration(sizes: [3, 5, 4, 2], skipConnections: [Edge(from: 0, to: 2)], seed: .max)
        byLayer.layers[2].activation = .halfHardSigmoid
        return [
            NetworkConfiguration(sizes: [3, 4, 2]), byLayer,
            NetworkConfiguration(
                sizes: [3, 4, 2], setting: .realTime(RealTime(timeStep: 0.1, clamp: false)), activation: .tanh,
                feedback: .untied(angle: 22.5), relaxation: .alternating, tolerance: 1e-7),
            NetworkConfiguration(
                sizes: [3, 4, 2], setting: .realTime(RealTime(followsEnergy: true)), loss: .crossEntropy),
            NetworkConfiguration(sizes: [3, 4, 2], loss: .crossEntropy, nudging: .inside),
            NetworkConfiguration(
                sizes: [3, 5, 4, 2], activation: .hardSigmoid, feedback: .untied(angle: 0),
                skipConnections: [Edge(from: 0, to: 2)], readout: true),
        ] + convolutions
    }()

    @Test(arguments: configurations, NumberType.allCases)
    func aLoadedNetworkIsTheSame(_ configuration: NetworkConfiguration, _ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(configuration)
            _ = network.random.next()
            network.parameters[0].weights[1, 2] = -.leastNonzeroMagnitude
            let path = Self.temporaryPath()
            defer { unlink(path) }
            try network.save(to: path)
            let loaded = try Network<Element>(loading: path)
            #expect(loaded.configuration == configuration)
            #expect(loaded.parameterBits == network.parameterBits)
            #expect(loaded.random.state == network.random.state)
            #expect(loaded.state == nil)
        }
        try check(type.scalar)
    }

    /// Written by Python, with the numbers i / 8 − k in the k-th parameter: weights, biases, feedback weights.
    @Test func networksOfPythonAreLoaded() throws {
        let network = try Network<Float>(loading: Self.folder + "written_by_python.safetensors")
        var configuration = NetworkConfiguration(
            sizes: [3, 4, 2], activation: .hardSigmoid, feedback: .untied(angle: 30),
            skipConnections: [Edge(from: 0, to: 2)], seed: .max, relaxation: .alternating, tolerance: 1e-5)
        configuration.layers[2].activation = .tanh
        #expect(network.configuration == configuration)
        #expect(network.random.state == (1, 2, 3, .max))
        let parameters = network.parameters
        let matrices =
            parameters.map { $0.weights } + parameters.compactMap { $0.biases }
            + parameters.compactMap { $0.feedbackWeights }
        for (k, matrix) in matrices.enumerated() {
            #expect(Array(matrix) == (0..<matrix.count).map { Float($0) / 8 - Float(k) })
        }
        #expect(matrices.map(\.count) == [12, 8, 6, 4, 2, 8])
    }

    /// python/tests/test_swift_users.py loads the same file.
    @Test func filesForPythonAreWritten() throws {
        let path = Self.temporaryPath()
        defer { unlink(path) }
        try Network<Float>(loading: Self.folder + "written_by_python.safetensors").save(to: path)
        #expect(try bytes(path) == bytes(Self.folder + "written_by_swift.safetensors"))
    }

    @Test func damagedFilesAreRefused() throws {
        let whole = try bytes(Self.folder + "written_by_swift.safetensors")
        let path = Self.temporaryPath()
        defer { unlink(path) }
        func expectRefusal(_ bytes: [UInt8], _ comment: String) throws {
            try write(bytes, to: path)
            do {
                _ = try Network<Float>(loading: path)
                Issue.record("\(comment) was loaded")
            } catch {
                guard case EngineError.file = error else { throw error }
                #expect("\(error)".hasPrefix(path + " "))
            }
        }
        for place in whole.indices {
            var changed = whole
            changed[place] ^= place.isMultiple(of: 2) ? 1 : 0x80
            try expectRefusal(changed, "a file with another byte \(place)")
        }
        for count in stride(from: 0, to: whole.count, by: 13) {
            try expectRefusal(Array(whole[..<count]), "a file of \(count) bytes")
        }
        try expectRefusal(whole + [0], "a longer file")
        try expectRefusal([255, 255, 255, 255, 255, 255, 255, 127] + whole, "a header of any size")
        try expectRefusal(Array("\u{10}\0\0\0\0\0\0\0".utf8) + Array(repeating: 0x5B, count: 16), "nested lists")
    }

    @Test func otherFilesAreRefused() throws {
        let file = Self.folder + "written_by_swift.safetensors"
        for (path, reason) in [
            ("/nowhere/at/all", "cannot be read"), ("/tmp", "is not a file"),
            (#filePath, "is not a complete safetensors"),
        ] {
            expectError(EngineError.file, saying: [path, reason]) {
                _ = try Network<Float>(loading: path)
            }
        }
        expectError(EngineError.file, saying: [file, "float32", "Network<Float>"]) {
            _ = try Network<Double>(loading: file)
        }
    }

    /// A failed write leaves no file behind and does not change an existing one.
    @Test func failedWritesChangeNothing() throws {
        let network = try Network<Float>(NetworkConfiguration(sizes: [3, 4, 2]))
        let folder = Self.temporaryPath()
        #expect(mkdir(folder, 0o700) == 0)
        defer { rmdir(folder) }
        #expect(mkdir(folder + "/file", 0o700) == 0)
        for path in [folder + "/missing/file", folder + "/file"] {
            do {
                try network.save(to: path)
                Issue.record("\(path) was written")
            } catch {
                guard case EngineError.file = error else { throw error }
                #expect("\(error)".contains(path + " cannot be written"))
            }
        }
        #expect(rmdir(folder + "/file") == 0 && rmdir(folder) == 0, "something is left in the folder")
    }

    @Test func anotherActivationOfTheInputCannotBeSaved() throws {
        var configuration = NetworkConfiguration(sizes: [3, 4, 2], setting: .realTime(RealTime()))
        configuration.layers[0].activation = .tanh
        let network = try Network<Float>(configuration)
        expectError(EngineError.invalidArgument, saying: ["activation", "layer 1"]) { try network.save(to: "/tmp/x") }
    }
}
