// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors in CI and in scripts/test (NVMED_STRICT=1); a user's newer compiler may warn of more than ours.
let strict: [SwiftSetting] = Context.environment["NVMED_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// Every room is compiled with strict memory safety: each unsafe use carries the word `unsafe`.
let room: [SwiftSetting] = [.strictMemorySafety(), .enableUpcomingFeature("ExistentialAny")] + strict

/// What `nvmed --version` says: scripts/version prints it.
let version = Context.environment["NVMED_VERSION"] ?? "0.0+unknown"

/// The tests that scripts/sanitize builds, with what they need and no more: a list of targets in NVMED_SANITIZE.
let sanitized = Context.environment["NVMED_SANITIZE"].map { Set($0.split(separator: " ").map(String.init)) }

/// KVM's interface, and with it the small VMM, are known of x86-64 only. Sanitizers do without: the compiler fails on
/// them with ThreadSanitizer.
#if arch(x86_64)
  let hasKVM = sanitized == nil
#else
  let hasKVM = false
#endif
#if arch(x86_64)
  let kvmRooms = hasKVM ? ["KVM"] : []
  let kvm: [Target.Dependency] = hasKVM ? ["KVM"] : []
  let microVMM: [Target.Dependency] = hasKVM ? ["KVM", "MicroVMM", "Doorbells"] : []
  let allVirtualization: [Target] = [
    .target(name: "KVM", dependencies: ["CLinux", "LinuxIO"], swiftSettings: room),
    .testTarget(name: "KVMTests", dependencies: ["KVM", "CLinux", "LinuxIO"], swiftSettings: strict),
    .target(
      name: "MicroVMM", dependencies: ["CLinux", "LinuxIO", "NVMeSpec", "VFIOUser", "Doorbells", "KVM"],
      swiftSettings: room),
    .testTarget(
      name: "MicroVMMTests",
      dependencies: [
        "MicroVMM", "KVM", "BPF", "CLinux", "Doorbells", "LinuxIO", "NVMeSpec", "VFIOUser", "nvmed", "microvmm",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "microvmm",
      dependencies: ["MicroVMM", "KVM", "LinuxIO", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Sources/microvmm-command", swiftSettings: room),
  ]
#else
  let kvmRooms: [String] = []
  let kvm: [Target.Dependency] = []
  let microVMM: [Target.Dependency] = []
  let allVirtualization: [Target] = []
#endif
let virtualization = hasKVM ? allVirtualization : []

/// Built by scripts/fuzz alone: the linker needs libFuzzer for it.
let fuzzing: [Target] =
  Context.environment["NVMED_FUZZ"] == nil
  ? []
  : [
    .target(name: "CLibFuzzer"),
    .target(name: "CFuzzAIO"),
    .executableTarget(
      name: "nvmed-fuzz",
      dependencies: [
        "CFuzzAIO", "CLibFuzzer", "CLinux", "Control", "LinuxIO", "NVMeSpec", "VFIOUser", "Storage", "NVMeController",
        "DeviceServer", "Daemon",
      ], swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
  ]

let package = Package(
  name: "nvmed",
  products: [
    .executable(name: "nvmed", targets: ["nvmed"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
  ],
  targets: [
    .target(name: "CLinux", linkerSettings: [.linkedLibrary("aio")]),
    .target(name: "CVersion", cSettings: [.define("NVMED_VERSION", to: "\"\(version)\"")]),
    .target(name: "LinuxIO", dependencies: ["CLinux"], swiftSettings: room),
    .target(name: "Sandbox", dependencies: ["CLinux", "LinuxIO"], swiftSettings: room),
    .target(name: "NVMeSpec", swiftSettings: room),
    .target(name: "VFIOUser", dependencies: ["LinuxIO"], swiftSettings: room),
    .target(name: "GuestMemory", dependencies: ["LinuxIO", "NVMeSpec"], swiftSettings: room),
    .target(name: "BPF", dependencies: ["CLinux", "LinuxIO"], swiftSettings: room),
    .target(name: "Doorbells", dependencies: ["LinuxIO", "BPF"], swiftSettings: room),
    .target(name: "Storage", dependencies: ["LinuxIO", "NVMeSpec"], swiftSettings: room),
    .target(
      name: "NVMeController", dependencies: ["CLinux", "LinuxIO", "NVMeSpec", "GuestMemory", "Doorbells", "Storage"],
      swiftSettings: room),
    .target(name: "PCIDevice", dependencies: ["LinuxIO"], swiftSettings: room),
    .target(name: "TOML", swiftSettings: room),
    .target(
      name: "DeviceServer",
      dependencies: [
        "LinuxIO", "NVMeSpec", "VFIOUser", "GuestMemory", "Doorbells", "Storage", "NVMeController", "PCIDevice",
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: room),
    // JSON-RPC over a unix socket, both ends of it.
    .target(
      name: "Control", dependencies: ["LinuxIO", .product(name: "Logging", package: "swift-log")],
      swiftSettings: room),
    .target(
      name: "Metrics",
      dependencies: [
        "LinuxIO", "NVMeController", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ], swiftSettings: room),
    .target(
      name: "Daemon",
      dependencies: [
        "CLinux", "Control", "CVersion", "LinuxIO", "Sandbox", "BPF", "Doorbells", "GuestMemory", "NVMeSpec",
        "NVMeController",
        "PCIDevice", "Storage", "DeviceServer", "Metrics", "TOML",
        .product(name: "Logging", package: "swift-log"),
      ] + kvm,
      swiftSettings: room),
    // What `nvmed ctl` and `nvmed top` show.
    .target(
      name: "Console", dependencies: ["CLinux", "Control", "Daemon", "LinuxIO", "NVMeController"], swiftSettings: room),
    .executableTarget(
      name: "nvmed",
      dependencies: [
        "Console", "Control", "Daemon", "Doorbells", "LinuxIO",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: room),
    // Writes the manual pages, for packages.
    .executableTarget(
      name: "nvmed-manual",
      dependencies: ["Daemon", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: room),
    .target(name: "NVMeHost", dependencies: ["CLinux", "LinuxIO", "NVMeSpec", "VFIOUser"], swiftSettings: room),
    // What benches are made of: results, tables, pictures, targets, and what a process costs.
    .target(name: "Benchmarking", dependencies: ["BPF", "LinuxIO"], swiftSettings: room),
    // What `nvmed-bench path` compares nvmed's I/O path with.
    .target(name: "CPathReference", linkerSettings: [.linkedLibrary("aio")]),
    .executableTarget(
      name: "nvmed-bench",
      dependencies: [
        "NVMeHost", "CLinux", "Control", "LinuxIO", "NVMeSpec", "CPathReference", "GuestMemory", "NVMeController",
        "Storage",
        "Benchmarking", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ] + microVMM, path: "Sources/nvmed-bench", swiftSettings: room),
  ]
    + [
      ("LinuxIO", ["CLinux"]),
      ("Sandbox", ["CLinux", "LinuxIO"]),
      ("NVMeSpec", []),
      ("VFIOUser", ["LinuxIO"]),
      ("GuestMemory", ["CLinux", "LinuxIO", "NVMeSpec", "NVMeHost"]),
      ("BPF", ["LinuxIO"]),
      ("Doorbells", ["LinuxIO", "BPF"]),
      ("Storage", ["LinuxIO", "NVMeSpec"]),
      ("NVMeController", ["LinuxIO", "NVMeSpec", "GuestMemory", "Doorbells", "Storage"]),
      ("PCIDevice", []),
      ("DeviceServer", ["LinuxIO", "NVMeSpec", "Doorbells", "NVMeController", "PCIDevice", "Storage", "VFIOUser"]),
      ("TOML", []),
      ("Daemon", ["BPF", "CLinux", "Doorbells", "LinuxIO", "Storage", "TOML"] + kvmRooms),
      ("NVMeHost", ["LinuxIO", "NVMeSpec", "VFIOUser"]),
      ("Control", ["LinuxIO"]),
      ("Console", ["Control", "Daemon", "GuestMemory", "NVMeController"]),
      ("Benchmarking", ["BPF", "LinuxIO"]),
      ("Metrics", ["LinuxIO", "NVMeController", "NVMeSpec"]),
    ].map { room, others in
      Target.testTarget(
        name: "\(room)Tests", dependencies: ([room] + others).map { .byName(name: $0) }, swiftSettings: strict)
    }
    + [
      // Through the built daemon.
      .testTarget(
        name: "IntegrationTests",
        dependencies: [
          "nvmed", "nvmed-bench", "nvmed-manual", "NVMeHost", "CLinux", "LinuxIO", "NVMeSpec", "VFIOUser", "Control",
        ],
        swiftSettings: strict)
    ] + virtualization + fuzzing
)

if var needed = sanitized {
  var found: Int
  repeat {
    found = needed.count
    for target in package.targets where needed.contains(target.name) {
      for dependency in target.dependencies {
        switch dependency {
        case .byNameItem(let name, _), .targetItem(let name, _): needed.insert(name)
        default: break
        }
      }
    }
  } while needed.count > found
  package.targets.removeAll { !needed.contains($0.name) }
  package.products.removeAll { !needed.contains($0.name) }
}
