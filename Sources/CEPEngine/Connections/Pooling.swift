import CEPKernels

/// The value that a layer takes from each window of 2 × 2 pixels, with stride 2. An odd last row or column of an image
/// is ignored.
package enum Pooling: String, CaseIterable, Sendable {
    /// All pixels.
    case none
    /// The largest value; the first one if several are equal.
    case max
    case average

    /// The extent of a pooled image.
    func extent(of pixels: Int) -> Int { self == .none ? pixels : pixels / 2 }

    /// pooled ← the pooled image; also writes the position of the largest pixel in each window, 0 to 3.
    func pool<Element: KernelScalar>(
        _ image: UnsafePointer<Element>, _ shape: ConvolutionShape, into pooled: UnsafeMutablePointer<Element>,
        winners: UnsafeMutablePointer<Element>
    ) {
        let kernels = Element.vectorKernels
        let (height, width, channels) = (shape.resultHeight, shape.resultWidth, shape.filters)
        switch self {
        case .none: pooled.update(from: image, count: shape.resultCount)
        case .max: kernels.pool_maximum(height, width, channels, image, pooled, winners)
        case .average: kernels.pool_average(height, width, channels, image, pooled)
        }
    }

    /// pooled ← the pixels of an image at the given positions: the derivative of pooling.
    func poolAgain<Element: KernelScalar>(
        _ image: UnsafePointer<Element>, _ shape: ConvolutionShape, winners: UnsafePointer<Element>,
        into pooled: UnsafeMutablePointer<Element>
    ) {
        let kernels = Element.vectorKernels
        let (height, width, channels) = (shape.resultHeight, shape.resultWidth, shape.filters)
        switch self {
        case .none: pooled.update(from: image, count: shape.resultCount)
        case .max: kernels.take_winners(height, width, channels, image, winners, pooled)
        case .average: kernels.pool_average(height, width, channels, image, pooled)
        }
    }

    /// image ← the adjoint of `poolAgain`.
    func spread<Element: KernelScalar>(
        _ pooled: UnsafePointer<Element>, _ shape: ConvolutionShape, winners: UnsafePointer<Element>,
        into image: UnsafeMutablePointer<Element>
    ) {
        guard self != .none else { return image.update(from: pooled, count: shape.resultCount) }
        Element.vectorKernels.spread(
            shape.resultHeight, shape.resultWidth, shape.filters, pooled, self == .max ? winners : nil, image)
    }
}
