import Glibc
import LinuxIO

/// Whether a controller's socket can be made. Nobody is connected to: that would take the place of a monitor.
struct SocketCheck: HostCheck {
  let path: String
  /// The sockets of the system, as the kernel lists them.
  var socketTable = "/proc/net/unix"

  func findings() -> [Finding] {
    guard (1...107).contains(path.utf8.count) else {
      return [
        finding(
          .missing, "the path has \(path.utf8.count) bytes; the address of a socket holds 107.",
          remedy: "choose a shorter path, such as /run/nvmed/NAME.sock")
      ]
    }
    if let found = try? FileStatus.at(path) { return [existing(found.st_mode & S_IFMT == S_IFSOCK)] }
    return [folder()]
  }

  private func existing(_ isSocket: Bool) -> Finding {
    guard isSocket else {
      return finding(
        .missing, "there is something that is no socket.", remedy: "remove it, or choose another path")
    }
    guard !isListening else {
      return finding(
        .limited, "a process listens there: the nvmed that serves it, or another; a second one would not start.",
        remedy: "nothing, if that is the nvmed that is meant; else choose another path")
    }
    let folder = folder()
    guard folder.verdict == .ok else { return folder }
    return finding(.ok, "a socket that nobody listens on any more; nvmed replaces it.")
  }

  /// Whether the kernel lists a socket of that name that accepts connections (`__SO_ACCEPTCON` of `<linux/net.h>`).
  private var isListening: Bool {
    guard let table = SystemFile.text(socketTable, limit: 16 << 20) else { return false }
    return table.split(separator: "\n").contains { line in
      // Num RefCount Protocol Flags Type St Inode Path
      let fields = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
      guard fields.count == 8, fields[7] == path, let flags = UInt32(fields[3], radix: 16) else { return false }
      return flags & 0x1_0000 != 0
    }
  }

  private func folder() -> Finding {
    var folder = "."
    if let slash = path.lastIndex(of: "/") { folder = slash == path.startIndex ? "/" : String(path[..<slash]) }
    let found: stat
    do throws(Errno) { found = try FileStatus.of(folder) } catch {
      return error == .noSuchFile
        ? finding(.missing, "the folder \(folder) does not exist.", remedy: "mkdir -p \(folder)")
        : finding(.missing, "the folder \(folder) cannot be looked at: \(error).", remedy: "correct its rights")
    }
    guard found.st_mode & S_IFMT == S_IFDIR else {
      return finding(.missing, "\(folder) is no folder.", remedy: "choose another path")
    }
    do throws(Errno) { try FileStatus.requireAccess(folder, W_OK | X_OK) } catch {
      return finding(
        .missing, "a socket cannot be made in \(folder): \(error).",
        remedy: "give the user of nvmed the right to write there, or choose another path")
    }
    return finding(.ok, "can be made.")
  }

  private func finding(_ verdict: Finding.Verdict, _ reason: String, remedy: String? = nil) -> Finding {
    Finding("socket.path", subject: path, "socket", verdict, reason, remedy: remedy)
  }
}
