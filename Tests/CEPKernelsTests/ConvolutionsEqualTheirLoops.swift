import CEPKernels
import CVectorKernels
import Testing

/// Compares products and pooling of images, height × width × channels, with loops over every index.
@Suite struct ConvolutionsEqualTheirLoops {
    static let shapes = [
        ConvolutionShape(channels: 1, height: 1, width: 1, filters: 1, kernel: (1, 1), stride: (1, 1)),
        ConvolutionShape(channels: 3, height: 6, width: 5, filters: 4, kernel: (3, 2), stride: (1, 1)),
        ConvolutionShape(channels: 5, height: 9, width: 8, filters: 7, kernel: (2, 3), stride: (2, 3)),
        ConvolutionShape(channels: 33, height: 5, width: 13, filters: 17, kernel: (3, 3), stride: (1, 2)),
        ConvolutionShape(channels: 16, height: 12, width: 12, filters: 40, kernel: (5, 5), stride: (1, 1)),
    ]

    /// Calls `body` with the indices of all products: in the image, of the tap, and in the result without its channel.
    private func forEachPlace(
        _ shape: ConvolutionShape, _ body: (_ pixel: Int, _ tap: Int, _ position: Int) -> Void
    ) {
        for y in 0..<shape.resultHeight {
            for x in 0..<shape.resultWidth {
                for i in 0..<shape.kernelHeight {
                    for j in 0..<shape.kernelWidth {
                        let pixel = (y * shape.strideHeight + i) * shape.width + x * shape.strideWidth + j
                        body(pixel, i * shape.kernelWidth + j, y * shape.resultWidth + x)
                    }
                }
            }
        }
    }

    private struct Numbers<Element: KernelScalar> {
        let image: [Element]
        let result: [Element]
        /// Taps × channels × filters.
        let filters: [Element]
        let biases: [Element]

        init(_ shape: ConvolutionShape) {
            var stream = NumberStream(5)
            image = stream.array(shape.imageCount)
            result = stream.array(shape.resultCount)
            filters = stream.array(shape.taps * shape.channels * shape.filters)
            biases = stream.array(shape.filters)
        }
    }

    private func expectNear<Element: KernelScalar>(_ found: [Element], _ expected: [Double], terms: Int) {
        for (k, (a, b)) in zip(found, expected).enumerated() {
            #expect(abs(Double(a) - b) <= Double(terms) * Element.tolerance, "value \(k)")
        }
    }

    @Test(arguments: NumberType.allCases, shapes)
    func forward(_ type: NumberType, _ shape: ConvolutionShape) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let numbers = Numbers<Element>(shape)
            let packed = try #require(
                PackedMatrix<Element>(rows: shape.taps * shape.channels, columns: shape.filters, layout: .panels))
            packed.pack(numbers.filters, transposing: false)
            var found = [Element](repeating: .nan, count: shape.resultCount)
            convolve(numbers.image, packed.product, shape: shape, biases: numbers.biases, into: &found)
            var expected = (0..<shape.resultCount).map { Double(numbers.biases[$0 % shape.filters]) }
            forEachPlace(shape) { pixel, tap, position in
                for c in 0..<shape.channels {
                    for f in 0..<shape.filters {
                        expected[position * shape.filters + f] +=
                            Double(numbers.image[pixel * shape.channels + c])
                            * Double(numbers.filters[(tap * shape.channels + c) * shape.filters + f])
                    }
                }
            }
            expectNear(found, expected, terms: shape.taps * shape.channels)
        }
        try check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, shapes)
    func backToTheImage(_ type: NumberType, _ shape: ConvolutionShape) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let numbers = Numbers<Element>(shape)
            // Taps × filters × channels.
            var turned = [Element](repeating: 0, count: numbers.filters.count)
            for tap in 0..<shape.taps {
                for c in 0..<shape.channels {
                    for f in 0..<shape.filters {
                        turned[(tap * shape.filters + f) * shape.channels + c] =
                            numbers.filters[(tap * shape.channels + c) * shape.filters + f]
                    }
                }
            }
            let packed = try #require(
                PackedMatrix<Element>(rows: shape.taps * shape.filters, columns: shape.channels, layout: .panels))
            packed.pack(turned, transposing: false)
            var found = numbers.image
            addTransposedConvolution(numbers.result, packed.product, shape: shape, to: &found)
            var expected = numbers.image.map { Double($0) }
            forEachPlace(shape) { pixel, tap, position in
                for c in 0..<shape.channels {
                    for f in 0..<shape.filters {
                        expected[pixel * shape.channels + c] +=
                            Double(numbers.result[position * shape.filters + f])
                            * Double(numbers.filters[(tap * shape.channels + c) * shape.filters + f])
                    }
                }
            }
            expectNear(found, expected, terms: shape.taps * shape.filters + 1)
        }
        try check(type.scalar)
    }

    /// Each row of the gradient has the same bits, whichever rows a call computes.
    @Test(arguments: NumberType.allCases, shapes)
    func gradientOfTheFilters(_ type: NumberType, _ shape: ConvolutionShape) {
        func check<Element: KernelScalar>(_: Element.Type) {
            let numbers = Numbers<Element>(shape)
            let rows = shape.taps * shape.channels
            func gradient(_ parts: Int) -> [Element] {
                var found = numbers.filters
                for part in 0..<parts {
                    addFilterGradient(
                        numbers.image, numbers.result, shape: shape,
                        rows: part * rows / parts..<(part + 1) * rows / parts,
                        scale: -0.5, to: &found)
                }
                return found
            }
            let found = gradient(1)
            var expected = numbers.filters.map { Double($0) }
            forEachPlace(shape) { pixel, tap, position in
                for c in 0..<shape.channels {
                    for f in 0..<shape.filters {
                        expected[(tap * shape.channels + c) * shape.filters + f] -=
                            0.5 * Double(numbers.image[pixel * shape.channels + c])
                            * Double(numbers.result[position * shape.filters + f])
                    }
                }
            }
            expectNear(found, expected, terms: shape.positions + 1)
            for parts in [2, 3, 7] { #expect(gradient(parts) == found, "in \(parts) parts") }
        }
        check(type.scalar)
    }

    /// An array in its own memory, for C functions.
    private final class Buffer<Element: KernelScalar> {
        let pointer: UnsafeMutablePointer<Element>
        let count: Int

        init(_ values: [Element]) {
            count = values.count
            pointer = .allocate(capacity: max(count, 1))
            pointer.initialize(from: values, count: count)
        }

        deinit { pointer.deallocate() }

        var values: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
    }

    @Test(arguments: NumberType.allCases, [(2, 2, 1), (3, 2, 5), (4, 5, 3), (7, 7, 17), (6, 8, 32)])
    func pooling(_ type: NumberType, _ extents: (Int, Int, Int)) {
        func check<Element: KernelScalar>(_: Element.Type) {
            let (height, width, channels) = extents
            let kernels = Element.vectorKernels
            var stream = NumberStream(9)
            var pixels = stream.array(height * width * channels, of: Element.self)
            // The first of equal values wins.
            for c in 0..<channels where c % 2 == 1 {
                for pixel in 0..<height * width { pixels[pixel * channels + c] = 0 }
            }
            let count = (height / 2) * (width / 2) * channels
            let image = Buffer(pixels)
            func empty(_ count: Int) -> Buffer<Element> { Buffer([Element](repeating: .nan, count: count)) }
            let (maximum, winners, average, taken) = (empty(count), empty(count), empty(count), empty(count))
            kernels.pool_maximum(height, width, channels, image.pointer, maximum.pointer, winners.pointer)
            kernels.pool_average(height, width, channels, image.pointer, average.pointer)
            kernels.take_winners(height, width, channels, image.pointer, winners.pointer, taken.pointer)
            #expect(taken.values == maximum.values)
            var (expectedSpread, expectedShares) = (pixels.map { _ in Element(0) }, pixels.map { _ in Element(0) })
            for y in 0..<height / 2 {
                for x in 0..<width / 2 {
                    for c in 0..<channels {
                        let places = [(0, 0), (0, 1), (1, 0), (1, 1)].map { i, j in
                            ((2 * y + i) * width + 2 * x + j) * channels + c
                        }
                        let window = (y * (width / 2) + x) * channels + c
                        let values = places.map { pixels[$0] }
                        let largest = values.max() ?? 0
                        let first = values.firstIndex(of: largest) ?? 0
                        #expect(maximum.pointer[window] == largest && winners.pointer[window] == Element(first))
                        let mean = values.reduce(0.0) { $0 + Double($1) / 4 }
                        #expect(abs(Double(average.pointer[window]) - mean) <= Element.tolerance)
                        expectedSpread[places[first]] = largest
                        for place in places { expectedShares[place] = largest / 4 }
                    }
                }
            }
            let spread = empty(pixels.count)
            kernels.spread(height, width, channels, maximum.pointer, winners.pointer, spread.pointer)
            #expect(spread.values == expectedSpread)
            kernels.spread(height, width, channels, maximum.pointer, nil, spread.pointer)
            #expect(spread.values == expectedShares)
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, [(1, 1), (3, 5), (4, 4), (9, 6), (17, 33)])
    func transpositionWithStrides(_ type: NumberType, _ extents: (Int, Int)) {
        func check<Element: KernelScalar>(_: Element.Type) {
            let (rows, columns) = extents
            var stream = NumberStream(2)
            let from = stream.array(rows * (columns + 3), of: Element.self)
            var to = [Element](repeating: .nan, count: columns * (rows + 2))
            transpose(from, rows: rows, columns: columns, fromStride: columns + 3, into: &to, toStride: rows + 2)
            for i in 0..<columns {
                for j in 0..<rows + 2 {
                    let value = to[i * (rows + 2) + j]
                    #expect(j < rows ? value == from[j * (columns + 3) + i] : value.isNaN)
                }
            }
        }
        check(type.scalar)
    }
}
