import CLinux
import Glibc
import LinuxIO
import Synchronization
import Testing

@testable import Sandbox

/// The sandbox for real, each time in a process of its own. An expectation that fails ends it with its number as status.
@Suite struct SandboxProcessTests {
  @Test func refusesWhatADaemonDoesNotDo() async {
    await #expect(processExitsWith: .success) {
      let executed = enter(Sandbox())
      expect(executed.filtersSystemCalls)
      // A process, a program, another process, the network, mounts, limits of others, the kernel's rare parts.
      expect(refused(call(SYS_clone, Int(SIGCHLD))))
      expect(call(SYS_clone3, 0, 0) == -1 && errno == ENOSYS)
      expect(refused(call(SYS_execve)))
      expect(refused(call(SYS_ptrace, 0, 0)))
      expect(refused(Int(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))))
      expect(refused(Int(socket(AF_NETLINK, Int32(SOCK_RAW.rawValue), 0))))
      expect(refused(call(SYS_mount, 0, 0)))
      expect(refused(call(SYS_bpf, 0, 0)))
      expect(refused(call(SYS_io_uring_setup, 1, 0)))
      expect(refused(call(SYS_prctl, 4, 1)))
      expect(refused(Int(kill(1, 0))))
      // Memory to execute.
      expect(mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EPERM)
      _exit(0)
    }
  }

  @Test func doesWhatADaemonDoes() async {
    await #expect(processExitsWith: .success) {
      guard let image = try? TemporaryFolder().file("disk") else { _exit(99) }
      _ = try? FileDescriptor(path: image, flags: O_RDWR | O_CREAT)
      var sandbox = Sandbox()
      sandbox.images = [image]
      _ = enter(sandbox)
      let memory = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      expect(memory != MAP_FAILED)
      expect((try? EventFD()) != nil)
      expect((try? Epoll()) != nil)
      expect((try? UnixSocketPair()) != nil)
      expect((try? SharedMemory(name: "test", count: 8192)) != nil)
      expect((try? FileDescriptor(path: image, flags: O_RDWR)) != nil)
      // A thread, which has the same.
      guard let signal = try? EventFD() else { _exit(99) }
      let number = signal.rawValue
      let thread = try? Thread(name: "test") {
        expect(refused(Int(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))))
        EventFD.signal(rawValue: number)
      }
      expect(thread != nil)
      thread?.join()
      expect(signal.drain() == 1)
      _exit(0)
    }
  }

  /// The filter is that of threads too that were there before.
  @Test func limitsEveryThread() async {
    await #expect(processExitsWith: .success) {
      guard let go = try? EventFD(), let went = try? EventFD() else { _exit(99) }
      let (first, second) = (go.rawValue, went.rawValue)
      let thread = try? Thread(name: "test") {
        var entry = pollfd(fd: first, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, -1)
        expect(refused(Int(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))))
        EventFD.signal(rawValue: second)
      }
      _ = enter(Sandbox())
      go.signal()
      thread?.join()
      expect(went.drain() == 1)
      _exit(0)
    }
  }

  @Test(.enabled(if: Sandbox.landlockVersion != nil, "this kernel has no Landlock")) func limitsFiles() async {
    await #expect(processExitsWith: .success) {
      guard let folder = try? TemporaryFolder(), let other = try? TemporaryFolder() else { _exit(99) }
      for path in [folder.file("disk"), other.file("disk"), other.file("read")] {
        _ = try? FileDescriptor(path: path, flags: O_RDWR | O_CREAT)
      }
      mkdir(folder.file("sockets"), 0o700)
      let held = open(other.file("disk"), O_RDWR)
      var sandbox = Sandbox()
      sandbox.images = [folder.file("disk")]
      sandbox.socketFolders = [folder.file("sockets")]
      sandbox.readable = [other.file("read")]
      let version = Sandbox.landlockVersion
      expect(enter(sandbox).landlock == version)
      func fails(_ path: String, _ flags: Int32) -> Bool {
        do throws(Errno) {
          _ = try FileDescriptor(path: path, flags: flags)
          return false
        } catch { return error == .accessDenied }
      }
      expect(!fails(folder.file("disk"), O_RDWR))
      expect(fails(other.file("disk"), O_RDONLY))
      expect(!fails(other.file("read"), O_RDONLY))
      expect(fails(other.file("read"), O_RDWR))
      expect(fails("/etc/passwd", O_RDONLY))
      expect(fails("/etc/shadow", O_RDONLY))
      expect(fails(folder.file("new"), O_RDWR | O_CREAT))
      // What was open before stays open.
      expect(write(held, "x", 1) == 1)
      var listener = try? UnixListener(path: folder.file("sockets/socket"))
      expect(listener != nil)
      expect((try? UnixSocket.connect(path: folder.file("sockets/socket"))) != nil)
      listener = nil
      expect(access(folder.file("sockets/socket"), F_OK) == -1)
      expect((try? UnixListener(path: folder.file("socket"))) == nil)
      _exit(0)
    }
  }

  @Test func givesCapabilitiesUp() async {
    await #expect(processExitsWith: .success) {
      // (the filter forbids to ask for them)
      var sandbox = Sandbox(mode: .log)
      let before = (try? Capabilities.current()) ?? 0
      sandbox.capabilities = [.bpf]
      _ = enter(sandbox)
      expect((try? Capabilities.current()) == before & 1 << 39)
      expect(call(SYS_prctl, 39) == 1)
      _exit(0)
    }
  }

  @Test func logsOrDoesNothing() async {
    await #expect(processExitsWith: .success) {
      var report = enter(Sandbox(mode: .off))
      expect(report == Sandbox.Report())
      expect(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) >= 0)
      var sandbox = Sandbox(mode: .log)
      sandbox.images = ["/nonexistent"]
      report = enter(sandbox)
      expect(report.filtersSystemCalls && report.landlock == nil)
      expect(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) >= 0)
      expect((try? FileDescriptor(path: "/etc/passwd", flags: O_RDONLY)) != nil)
      _exit(0)
    }
  }

  @Test(.enabled(if: Sandbox.landlockVersion != nil, "this kernel has no Landlock")) func saysWhatIsNotThere() async {
    await #expect(processExitsWith: .success) {
      var sandbox = Sandbox()
      sandbox.images = ["/nonexistent/folder"]
      do throws(SandboxError) {
        _ = try sandbox.enter()
        _exit(98)
      } catch { expect(error.description.hasPrefix("/nonexistent/folder: there is no such file or folder")) }
      _exit(0)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can become somebody else")) func becomesAnAccount() async {
    await #expect(processExitsWith: .success) {
      guard let account = try? Account(user: "nobody") else { _exit(99) }
      expect((try? account.become(keeping: [.bpf])) != nil)
      expect(geteuid() == account.user && getuid() == account.user && getegid() == account.group)
      expect(setuid(0) == -1)
      var sandbox = Sandbox(mode: .log)
      sandbox.capabilities = [.bpf]
      _ = enter(sandbox)
      expect((try? Capabilities.current()) == 1 << 39)
      _exit(0)
    }
  }

  @Test func saysThatThereIsNoAccount() throws {
    #expect(throws: SandboxError.self) { try Account(user: "no-such-user-here") }
    #expect(throws: SandboxError.self) { try Account(user: "root", group: "no-such-group-here") }
  }
}

private func enter(_ sandbox: Sandbox) -> Sandbox.Report {
  do throws(SandboxError) { return try sandbox.enter() } catch {
    print(error)
    _exit(97)
  }
}

private func call(_ number: Int32, _ first: Int = 0, _ second: Int = 0) -> Int {
  clinux_system_call(Int(number), first, second, 0, 0, 0)
}

/// A folder of a test's own; the process that made it does not live long enough to remove what others put into it.
private struct TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/nvmed-sandbox-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno.current }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Whether a call answered -1 with EPERM.
private func refused(_ result: Int) -> Bool { result == -1 && errno == EPERM }

private let expectations = Atomic<Int32>(0)

/// Ends the process where the condition does not hold; the status is the number of the expectation.
private func expect(_ condition: Bool) {
  let number = expectations.add(1, ordering: .relaxed).newValue
  if !condition { _exit(number) }
}
