// swift-tools-version: 6.1
import Foundation
import PackageDescription

// LibTorch is found in $LIBTORCH (a directory with include/ and lib/), else in .libtorch/torch, which `./rto` fills.
let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().path
let libTorch = ProcessInfo.processInfo.environment["LIBTORCH"] ?? packageRoot + "/.libtorch/torch"

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .unsafeFlags(["-warnings-as-errors"])]

/// A room of the house: a Swift target and the test target that mirrors it.
func room(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    tests: [Target.Dependency] = [],
    settings: [SwiftSetting] = [],
    excludedTests: [String] = []
) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: strict + settings),
        .testTarget(
            name: name + "Tests",
            dependencies: [.target(name: name), "TestSupport"] + dependencies + tests,
            exclude: excludedTests,
            swiftSettings: strict
        ),
    ]
}

let package = Package(
    name: "rto",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "rto", targets: ["rto"]),
        // Everything that links LibTorch. The executable opens it at the first tensor, so that commands without tensors start at once.
        .library(name: "LibTorchBridge", type: .dynamic, targets: ["LibTorchBridge"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        .systemLibrary(name: "CPCRE2", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
        // A header alone: the reader of Parquet files beside it is compiled when the first one is opened.
        .systemLibrary(name: "CArrow"),
        .target(name: "CLibTorch"),
        .target(
            name: "TestSupport",
            dependencies: ["Digests", "JSONText", "Tokenizers"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        .target(
            name: "LibTorchBridge",
            cxxSettings: [
                // The header as text: C++ cannot import CLibTorch as a module.
                .headerSearchPath("../CLibTorch/include"),
                .unsafeFlags([
                    "-std=c++20", "-O2", "-Wall", "-Werror", "-isystem", libTorch + "/include", "-isystem",
                    libTorch + "/include/torch/csrc/api/include",
                ]),
            ],
            linkerSettings: [
                .unsafeFlags(["-L" + libTorch + "/lib", "-Xlinker", "-rpath", "-Xlinker", libTorch + "/lib"]),
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
            ]
        ),
    ]
        + room("JSONText")
        + room("HTTP", ["JSONText"])
        + room("Digests", ["CCrypto"])
        + room("ChatTemplates", ["JSONText"], excludedTests: ["Fuzz"])
        + room("Tokenizers", ["JSONText", "CPCRE2"], excludedTests: ["Fuzz"])
        + room("Safetensors", ["JSONText"])
        + room("Hub", ["HTTP", "JSONText", "Digests", "Safetensors"])
        + room(
            "Datasets",
            ["JSONText", "ChatTemplates", "Tokenizers", "Safetensors", "CZlib", "CZstd", "CArrow"],
            excludedTests: ["Fixtures"]
        )
        + room("Reporting", ["Configuration", "Digests", "JSONText", "Safetensors", "Tokenizers"])
        + room("PocketWorld", ["JSONText"], tests: ["Tokenizers"])
        // Its loops over rows and bootstraps would take a debug build's tests minutes.
        + room(
            "Evaluation",
            ["JSONText", "HTTP", "Hub", "Digests", "Reporting", "Safetensors", "Tokenizers"],
            settings: [.unsafeFlags(["-O"])]
        )
        + room(
            "Serving",
            [
                "JSONText", "Tokenizers", "ChatTemplates", "Datasets",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]
        )
        + room("Configuration", [.product(name: "Yams", package: "Yams")])
        + room("Torch", ["CLibTorch", "Safetensors"])
        + room("Objectives", ["Torch"], tests: ["JSONText"])
        + room("Models", ["Torch", "Hub", "Safetensors", "JSONText"])
        + room(
            "Training",
            [
                "Torch", "Objectives", "Models", "Datasets", "Tokenizers", "Configuration", "Safetensors", "JSONText",
                "HTTP", "Hub", "Serving", "Reporting",
            ]
        )
        + [
            .executableTarget(
                name: "rto",
                dependencies: [
                    "Training", "Evaluation", "HTTP", "Hub", "PocketWorld", "Configuration", "ChatTemplates",
                    "Reporting",
                    "Datasets",
                    "Tokenizers", "JSONText", "Models",
                    "Objectives",
                    "Torch", "Safetensors",
                    .product(name: "ArgumentParser", package: "swift-argument-parser"),
                ],
                swiftSettings: strict
            ),
            .testTarget(
                name: "rtoTests",
                dependencies: [
                    "rto", "Training", "Models", "Evaluation", "PocketWorld", "JSONText", "Digests", "HTTP", "Hub",
                    "Reporting",
                    "TestSupport",
                ],
                swiftSettings: strict
            ),
        ],
    cxxLanguageStandard: .cxx20
)
