import Glibc
import LinuxIO
import Testing

@testable import Daemon

@Suite struct ConfigurationFileTests {
  /// A new folder below the temporary one, removed with what is in it by `withFolder`.
  private func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/nvmed-configuration-XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    let folder = String(cString: made)
    defer { rmdir(folder) }
    try body(folder)
  }

  private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    try withFolder { folder in
      let path = folder + "/nvmed.toml"
      do {
        let file = try FileDescriptor(path: path, flags: O_CREAT | O_WRONLY)
        #expect(write(file.rawValue, bytes, bytes.count) == bytes.count)
      }
      defer { unlink(path) }
      try body(path)
    }
  }

  private func errors(_ path: String) -> [String] {
    do throws(ConfigurationErrors) {
      _ = try DaemonConfiguration(path: path)
      return []
    } catch {
      return error.errors.map(\.description)
    }
  }

  @Test func pathsCountFromTheFilesFolder() throws {
    try withFile(Array("[[controller]]\nname = \"a\"\nsocket = \"a.sock\"".utf8)) { path in
      let configuration = try DaemonConfiguration(path: path)
      let folder = path.dropLast("/nvmed.toml".count)
      #expect(configuration.controllers.map(\.socketPath) == ["\(folder)/a.sock"])
    }
  }

  @Test func errorsNameTheFile() throws {
    try withFile(Array("[daemon]\nx = 1\n".utf8)) { path in
      #expect(
        errors(path) == [
          "\(path):2: daemon.x: unknown key; [daemon] has the keys io_threads, io_cpus, log_level, log_format, worker_threads, spin_us, poll_sleep_us, control_socket, control_group, sandbox, user, group, image_folders"
        ])
    }
  }

  @Test func filesThatCannotBeRead() throws {
    let begin = "check the path, or begin with: nvmed example-config > nvmed.toml"
    try withFolder { folder in
      #expect(errors(folder + "/none") == ["\(folder)/none: cannot be read: No such file or directory; \(begin)"])
      #expect(errors(folder) == ["\(folder): is not a regular file; write the path of a TOML file"])
      let fifo = folder + "/fifo"
      #expect(mkfifo(fifo, 0o600) == 0)
      defer { unlink(fifo) }
      #expect(errors(fifo) == ["\(fifo): is not a regular file; write the path of a TOML file"])
    }
    #expect(errors("/dev/zero") == ["/dev/zero: is not a regular file; write the path of a TOML file"])
    #expect(errors("") == ["cannot be read: No such file or directory; \(begin)"])
  }

  @Test func theLimitIsOneMebibyte() throws {
    try withFile([UInt8](repeating: UInt8(ascii: "\n"), count: 1 << 20)) { path in
      #expect(errors(path) == [])
    }
    try withFile([UInt8](repeating: UInt8(ascii: "\n"), count: 1 << 20 + 1)) { path in
      #expect(errors(path) == ["\(path): is larger than 1 MiB, which no configuration is; check the path"])
    }
  }

  @Test func textThatIsNotUTF8() throws {
    try withFile(Array("[daemon]\n# caf".utf8) + [0xe9] + Array("\n".utf8)) { path in
      #expect(errors(path) == ["\(path):2:6: is not UTF-8; save it as UTF-8"])
    }
  }
}
