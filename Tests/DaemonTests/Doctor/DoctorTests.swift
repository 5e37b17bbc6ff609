import Glibc
import Testing

@testable import Daemon

@Suite struct DoctorTests {
  @Test func looksAtTheHostAndAtWhatItIsGiven() throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)
    let findings = Doctor.examine(paths: [image, folder.path])
    let host = findings.filter { $0.subject == nil }.map(\.identifier)
    #expect(
      host == [
        "kvm.guests", "kvm.post_write", "kvm.ebpf", "aio.setup", "aio.completions", "aio.budget", "memory.seals",
        "memory.hugetlb",
        "memory.thp", "limits.cpus", "limits.open_files", "limits.mappings", "sandbox.seccomp", "sandbox.landlock",
      ])
    #expect(try findings.filter { $0.subject == image }.only("storage.open").verdict == .ok)
    #expect(try findings.filter { $0.subject == folder.path }.only("storage.open").verdict == .ok)
    #expect(folder.entries == ["disk"])
  }

  @Test func saysWhatToDoAboutAllThatIsNotOK() throws {
    let folder = try TestFolder()
    let findings = Doctor.examine(
      configurationPath: folder.file("none.toml"), paths: [folder.file("none"), "/dev/null", "/dev/shm", "/proc"])
    for finding in findings where finding.verdict == .missing { #expect(finding.remedy != nil, "\(finding)") }
    #expect(!Doctor.canRun(findings))
  }

  @Test func looksAtWhatAConfigurationNames() throws {
    let folder = try TestFolder()
    let image = try folder.image("a.img", byteCount: 1 << 20)
    let configuration = try folder.text(
      "nvmed.toml",
      """
      [[controller]]
      name = "a"
      socket = "a.sock"
      [[controller.namespace]]
      image = "a.img"
      [[controller.namespace]]
      backend = "memory"
      size = "1MiB"
      [[controller]]
      name = "b"
      socket = "missing/b.sock"
      [[controller.namespace]]
      image = "b.img"
      """)
    let findings = Doctor.examine(configurationPath: configuration)
    #expect(try findings.only("configuration.file").reason == "no errors; 2 controllers.")
    let sockets = findings.filter { $0.identifier == "socket.path" }
    #expect(sockets.map(\.subject) == [folder.file("a.sock"), folder.file("missing/b.sock")])
    #expect(sockets.map(\.verdict) == [.ok, .missing])
    #expect(sockets[1].remedy == "mkdir -p \(folder.file("missing"))")
    let images = findings.filter { $0.identifier == "storage.open" }
    #expect(images.map(\.subject) == [image, folder.file("b.img")])
    #expect(images.map(\.verdict) == [.ok, .missing])
  }

  @Test func saysWhatIsWrongWithAConfiguration() throws {
    let folder = try TestFolder()
    let path = try folder.text("bad.toml", "[daemon]\nio_thread = 2\n[[controller]]\n")
    let findings = Doctor.examine(configurationPath: path).filter { $0.identifier == "configuration.file" }
    #expect(findings.count == 2)
    #expect(findings.allSatisfy { $0.verdict == .missing && $0.subject == path })
    #expect(findings[0].reason.contains("bad.toml:2"))
  }

  @Test func limitsDoNotKeepTheDaemonFromRunning() {
    let ok = Finding("a.b", "a", .ok, "is.")
    let limited = Finding("a.c", "a", .limited, "is not.", remedy: "let it be")
    #expect(Doctor.canRun([ok, limited]))
    #expect(!Doctor.canRun([ok, Finding("a.d", "a", .missing, "is gone.")]))
  }
}
