import Sandbox

/// What this kernel has for the sandbox. The daemon does without; a guest or client that gains control of it then has more.
struct SandboxCheck: HostCheck {
  func findings() -> [Finding] {
    [seccomp(isAvailable: Sandbox.canFilterSystemCalls), landlock(version: Sandbox.landlockVersion)]
  }

  func seccomp(isAvailable: Bool) -> Finding {
    let (identifier, title) = ("sandbox.seccomp", "seccomp")
    guard isAvailable else {
      return Finding(
        identifier, title, .limited, "the kernel does not filter system calls.",
        remedy: "run a kernel with CONFIG_SECCOMP_FILTER")
    }
    return Finding(identifier, title, .ok, "nvmed limits itself to the system calls that it uses.")
  }

  func landlock(version: Int32?) -> Finding {
    let (identifier, title) = ("sandbox.landlock", "Landlock")
    guard let version else {
      return Finding(
        identifier, title, .limited, "the kernel does not let a process limit itself to some files.",
        remedy:
          "run Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK, and landlock in the list of the kernel parameter "
          + "lsm=")
    }
    return Finding(
      identifier, title, .ok,
      "version \(version): nvmed limits itself to its images and sockets, unless it loads eBPF programs.")
  }
}
