// swift-tools-version: 6.1
import Foundation
import PackageDescription

/// The folder of `mpi.h`: `DICERANK_MPI_INCLUDE`, or what a cluster's module sets, or where distributions put it.
/// MPI is opened at run time, so nothing links against it.
func mpiIncludeFolder() -> String {
    let environment = Context.environment
    let named = [environment["DICERANK_MPI_INCLUDE"], environment["MPI_HOME"].map { $0 + "/include" }]
    let usual = [
        "/usr/lib/x86_64-linux-gnu/openmpi/include", "/usr/lib/aarch64-linux-gnu/openmpi/include",
        "/usr/include/openmpi-x86_64", "/usr/include/openmpi-aarch64",
    ]
    let candidates = named.compactMap { $0 } + usual
    return candidates.first { FileManager.default.fileExists(atPath: $0 + "/mpi.h") } ?? usual[0]
}

/// Kernels are optimised in debug builds too: a test of the training step must not take minutes.
let optimised: [CSetting] = [.unsafeFlags(["-O3", "-fno-math-errno", "-Wall", "-Wno-psabi"])]

/// The reference device of the tests is plain loops in Swift: without optimisation a hundred times slower.
let optimisedReference: [SwiftSetting] = [.unsafeFlags(["-O"])]

let package = Package(
    name: "dicerank",
    products: [.executable(name: "dicerank", targets: ["dicerank"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(
            name: "CMPI", cSettings: [.unsafeFlags(["-I" + mpiIncludeFolder()])],
            linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
        .target(
            name: "CKernels", cSettings: optimised,
            linkerSettings: [.linkedLibrary("gomp"), .linkedLibrary("m")]),
        .target(name: "CNIfTI", linkerSettings: [.linkedLibrary("nifti2"), .linkedLibrary("znz")]),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        .target(name: "Geometry"),
        .target(name: "Host"),
        .target(name: "Collectives", dependencies: ["CMPI", "Host"]),
        .target(
            name: "Engine",
            dependencies: ["Geometry", .product(name: "Numerics", package: "swift-numerics")]),
        .target(name: "CPU", dependencies: ["COneDNN", "CKernels", "Engine", "Geometry", "Host"]),
        .target(name: "Networks", dependencies: ["Engine", "Geometry"]),
        .target(name: "Losses", dependencies: ["Engine"]),
        .target(
            name: "Sampling",
            dependencies: ["CNIfTI", "Geometry", .product(name: "SystemPackage", package: "swift-system")]),
        .target(name: "Inference", dependencies: ["Engine", "Geometry", "Host", "Networks", "Sampling"]),
        .target(
            name: "Configuration",
            dependencies: ["Engine", "Geometry", "Networks", "Losses", "Sampling", "Yams"]),
        .target(
            name: "RunFiles",
            dependencies: [
                "Engine", "Geometry", "Sampling", "Inference",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["TensorBoard/event.proto"]),
        .target(
            name: "Training",
            dependencies: [
                "Collectives", "Engine", "CPU", "Geometry", "Networks", "Losses", "Sampling",
                "Inference", "Configuration", "RunFiles",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .target(name: "Sweep", dependencies: ["Configuration", "RunFiles", "Sampling", "Training"]),
        .target(
            name: "Reporting",
            dependencies: ["CZlib", "Configuration", "Geometry", "Inference", "RunFiles"]),
        .executableTarget(
            name: "dicerank",
            dependencies: [
                "Host", "Collectives", "Engine", "CPU", "Geometry", "Networks", "Losses", "Sampling",
                "Configuration",
                "RunFiles", "Training", "Sweep", "Inference", "Reporting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "CollectivesTests", dependencies: ["Collectives", "Host"]),
        .testTarget(name: "HostTests", dependencies: ["Host"]),
        .testTarget(name: "GeometryTests", dependencies: ["Geometry"]),
        .testTarget(name: "EngineTests", dependencies: ["Engine", "Geometry"]),
        .testTarget(
            name: "CPUTests",
            dependencies: ["CPU", "Engine", "Geometry", "Host", "Networks", "Losses", "CKernels"],
            swiftSettings: optimisedReference),
        .testTarget(
            name: "LossesTests",
            dependencies: ["Losses", "Engine", .product(name: "Numerics", package: "swift-numerics")]),
        .target(name: "Fuzzing", path: "Tests/Fuzzing"),
        .testTarget(name: "SamplingTests", dependencies: ["Sampling", "CNIfTI", "Fuzzing"]),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: ["Configuration", "Engine", "Sampling", "Fuzzing", "TestSupport"]),
        .testTarget(
            name: "RunFilesTests", dependencies: ["RunFiles", "Sampling", "Fuzzing", "TestSupport"]),
        .testTarget(name: "TrainingTests", dependencies: ["CPU", "Training", "Inference", "TestSupport"]),
        .testTarget(
            name: "SweepTests",
            dependencies: ["Sweep", "Configuration", "RunFiles", "Fuzzing", "TestSupport"]),
        .testTarget(name: "InferenceTests", dependencies: ["CPU", "Inference"]),
        .testTarget(
            name: "ReportingTests", dependencies: ["CZlib", "Reporting", "Configuration", "RunFiles"]),
        .testTarget(
            name: "RankTests",
            dependencies: ["dicerank", "CPU", "Engine", "Configuration", "RunFiles", "Training", "Sweep"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)
