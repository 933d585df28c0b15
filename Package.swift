// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "cep",
    products: [
        // For Swift programs.
        .library(name: "CEPEngine", targets: ["CEPEngine"]),
        // What the Python extension links: the engine behind the C interface of cep.h.
        .library(name: "cep-static", type: .static, targets: ["CEPABI"]),
    ],
    targets: [
        .systemLibrary(
            name: "COpenBLAS",
            pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev"])]
        ),
        .target(name: "CCEP"),
        .target(name: "CVectorKernels"),
        .target(name: "CEPKernels", dependencies: ["COpenBLAS", "CVectorKernels"]),
        .target(name: "CEPEngine", dependencies: ["CEPKernels"]),
        .target(name: "CEPABI", dependencies: ["CCEP", "CEPEngine"]),
        // swift run -c release digits
        .executableTarget(
            name: "digits", dependencies: ["CEPEngine"], path: "Examples/Digits", exclude: ["digits.csv"]),
        .testTarget(name: "CEPKernelsTests", dependencies: ["CEPKernels", "COpenBLAS"]),
        .testTarget(name: "CEPEngineTests", dependencies: ["CEPEngine"]),
        .testTarget(name: "CEPABITests", dependencies: ["CEPABI", "CCEP"]),
    ],
    swiftLanguageModes: [.v6]
)
