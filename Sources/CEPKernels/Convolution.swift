import CVectorKernels

/// The extents of a convolution of one image. Internally, images are height × width × channels, so that each row of a
/// kernel reads consecutive numbers.
public struct ConvolutionShape: Sendable {
    /// The image with its padding.
    public let channels: Int
    public let height: Int
    public let width: Int
    /// The result, before pooling.
    public let filters: Int
    public let resultHeight: Int
    public let resultWidth: Int
    public let kernelHeight: Int
    public let kernelWidth: Int
    public let strideHeight: Int
    public let strideWidth: Int

    public init(
        channels: Int, height: Int, width: Int, filters: Int, kernel: (height: Int, width: Int),
        stride: (height: Int, width: Int)
    ) {
        self.channels = channels
        self.height = height
        self.width = width
        self.filters = filters
        kernelHeight = kernel.height
        kernelWidth = kernel.width
        strideHeight = stride.height
        strideWidth = stride.width
        resultHeight = (height - kernel.height) / stride.height + 1
        resultWidth = (width - kernel.width) / stride.width + 1
    }

    /// The number of weights of a kernel per channel and filter.
    public var taps: Int { kernelHeight * kernelWidth }
    public var positions: Int { resultHeight * resultWidth }
    public var imageCount: Int { height * width * channels }
    public var resultCount: Int { positions * filters }
}

/// result ← biases + filters ∗ image (cross-correlation).
///
/// - Parameters:
///   - filters: Taps · channels × filters.
///   - biases: One for each filter.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func convolve<Element: KernelScalar>(
    _ image: UnsafePointer<Element>, _ filters: PackedProduct<Element>, shape: ConvolutionShape,
    biases: UnsafePointer<Element>, into result: UnsafeMutablePointer<Element>
) {
    let kernels = Element.vectorKernels
    let (line, run) = (shape.width * shape.channels, shape.kernelWidth * shape.channels)
    var products = cep_products(
        count: shape.resultHeight, m: shape.resultWidth, n: shape.filters, k: run, packed_rows: filters.rows,
        first_row: 0, a_row: shape.strideWidth * shape.channels, a_product: shape.strideHeight * line, base_row: 0,
        base_product: 0, c_row: shape.filters, c_product: shape.resultWidth * shape.filters)
    kernels.multiply_many(&products, image, filters.memory, biases, result)
    (products.base_row, products.base_product) = (products.c_row, products.c_product)
    for row in 1..<max(shape.kernelHeight, 1) {
        products.first_row = row * run
        kernels.multiply_many(&products, image + row * line, filters.memory, result, result)
    }
}

/// image ← image + the adjoint of `convolve` with respect to its image.
///
/// - Parameter filters: Taps · filters × channels.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func addTransposedConvolution<Element: KernelScalar>(
    _ result: UnsafePointer<Element>, _ filters: PackedProduct<Element>, shape: ConvolutionShape,
    to image: UnsafeMutablePointer<Element>
) {
    let kernels = Element.vectorKernels
    let line = shape.width * shape.channels
    let (step, stride) = (shape.strideWidth * shape.channels, shape.strideHeight * line)
    var products = cep_products(
        count: shape.resultHeight, m: shape.resultWidth, n: shape.channels, k: shape.filters,
        packed_rows: filters.rows, first_row: 0, a_row: shape.filters, a_product: shape.resultWidth * shape.filters,
        base_row: step, base_product: stride, c_row: step, c_product: stride)
    for row in 0..<shape.kernelHeight {
        for column in 0..<shape.kernelWidth {
            let place = image + row * line + column * shape.channels
            products.first_row = (row * shape.kernelWidth + column) * shape.filters
            kernels.multiply_many(&products, result, filters.memory, place, place)
        }
    }
}

/// Rows `rows` of gradient ← gradient + scale · the derivative of ⟨convolve(image), result⟩ with respect to the
/// filters, on this thread.
///
/// - Parameter gradient: Taps · channels × filters.
@specialized(where Element == Float)
@specialized(where Element == Double)
public func addFilterGradient<Element: KernelScalar>(
    _ image: UnsafePointer<Element>, _ result: UnsafePointer<Element>, shape: ConvolutionShape, rows: Range<Int>,
    scale: Element, to gradient: UnsafeMutablePointer<Element>
) {
    let kernels = Element.vectorKernels
    let (line, run) = (shape.width * shape.channels, shape.kernelWidth * shape.channels)
    for kernelRow in 0..<shape.kernelHeight {
        let part = rows.clamped(to: kernelRow * run..<(kernelRow + 1) * run)
        guard !part.isEmpty else { continue }
        let place = gradient + part.lowerBound * shape.filters
        let start = image + kernelRow * line + part.lowerBound - kernelRow * run
        for row in 0..<shape.resultHeight {
            kernels.add_product(
                part.count, shape.filters, shape.resultWidth, Double(scale), start + row * shape.strideHeight * line,
                1, shape.strideWidth * shape.channels, result + row * shape.resultWidth * shape.filters, place,
                shape.filters, place)
        }
    }
}
