import CCEP
import CEPABI
import Testing

@Suite struct ConvolutionTests {
    private static func options(_ layers: String, _ changes: COptions = [:]) -> COptions {
        COptions("layers", .text(layers)).replacing(changes)
    }

    /// Images of 1 × 2 × 2, from the four inputs of the samples.
    @Test func tensorsHaveTheShapesOfFeatureMaps() throws {
        let samples = TestSamples(2)
        let layers = "1x2x2,conv2d:5:2x2:padding=1x1:pool=max,3"
        let network = try CNetwork(options: Self.options(layers, ["dtype": "float64", "feedback": "untied"]))
        expectSuccess { cep_free_phase(network.pointer, samples.x, 4, 0, noProgress, &$0.outcome) }
        for (name, index, shape) in [
            ("weights", 0, [5, 1, 2, 2]), ("biases", 0, [5]), ("weights", 1, [3, 5]), ("feedback_weights", 1, [5, 3]),
            ("states", 0, [2, 1, 2, 2]), ("states", 1, [2, 5, 1, 1]), ("states", 2, [2, 3]),
        ] as [(String, Int64, [Int64])] {
            let tensor = try network.tensor(name, index)
            #expect(tensor.shape == shape, "\(name), index \(index)")
            var stride: Int64 = 8
            for (extent, found) in zip(shape, tensor.strides).reversed() {
                #expect(found == stride, "\(name), index \(index)")
                stride *= extent
            }
        }
    }

    @Test(arguments: [
        ("2x2", ["layers", "at least 3"]), ("two,3,4", ["shape", "two"]), ("1x2x2,conv2d,3", ["conv2d:32:5x5"]),
        ("1x2x2,conv2d:4:3x3,3", ["3 × 3", "2 × 2"]), ("1x2x2,conv2d:4:0x1,3", ["kernel", "1 or more", "0"]),
        ("1x2x2,conv2d:4:1x1:stride=0x1,3", ["stride", "1 or more", "0"]),
        ("1x2x2,conv2d:4:1x1:padding=-1x1,3", ["padding", "0 or more", "-1"]),
        ("1x2x2,conv2d:4:1x1:pool=median,3", ["pool", "max", "median"]),
        ("1x2x2,conv2d:4:1x1:dilation=2x2,3", ["stride, padding and pool", "dilation=2x2"]),
        ("1x2x2,conv2d:4:2x2:pool=max,3", ["2 × 2 pixels", "1 × 1"]), ("4,conv2d:4:1x1,3", ["4 units"]),
        ("1x2x2,5,conv2d:4:1x1,3", ["5 units"]), ("1x2x2,conv2d:4:2,3", ["height and width", "2"]),
        ("1x2x2,dense:0,3", ["dense", "1 or more"]), ("1x2x2,dense,3", ["dense", "shape"]),
        ("1x2x2,conv2d:9223372036854775807:1x1,3", ["channels", "9223372036854775807"]),
        ("1x2x2,conv2d:4:1x1:padding=2147483647x2147483647,3", ["2147483647 values"]),
        ("2147483648x2147483648x2147483648,conv2d:4:1x1,3", ["1 to 2147483647"]),
        ("1x9223372036854775807x1,conv2d:4:1x1:padding=1x1,3", ["9223372036854775807"]),
        ("-1x2x2,conv2d:4:1x1,3", ["-1 × 2 × 2"]), ("1x-2x2,5,3", ["layer 0"]), ("1x0x2,5,3", ["layer 0"]),
        (",5,3", ["shape"]), ("1x2x2,,3", ["dense"]),
    ])
    func invalidLayers(_ layers: String, _ parts: [String]) {
        expectNetworkRefused(Self.options(layers), saying: parts)
    }

    @Test func sizesAndLayersTogetherAreRefused() {
        expectNetworkRefused(Self.options("4,5,3").adding("sizes", .integers([4, 5, 3])), saying: ["no option sizes"])
    }

    @Test func aSkipConnectionOfAnotherShapeIsRefused() {
        let options = Self.options("1x2x2,conv2d:4:1x1,conv2d:4:1x1,3").adding("connections", .integers([0, 2]))
        expectNetworkRefused(
            options.adding("connection_kinds", .text("conv2d:3:1x1")), saying: ["[3, 2, 2]", "[4, 2, 2]"])
    }
}
