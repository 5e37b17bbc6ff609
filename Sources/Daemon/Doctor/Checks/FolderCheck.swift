import Glibc
import LinuxIO
import Storage

/// What a folder for images is good for, tried on a file of its own in it.
struct FolderCheck: HostCheck {
  let path: String

  /// Whether a path leads to a folder.
  static func isFolder(_ path: String) -> Bool {
    (try? FileStatus.of(path)).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
  }

  func findings() -> [Finding] {
    let texts = StorageFindings(subject: path)
    do throws(Errno) {
      let file = try TrialFile(in: path)
      let fileSystem = file.fileSystem
      let free = file.freeBytes.map { ", \(approximateSize($0)) free" } ?? ""
      return [texts.finding("open", "folder", .ok, "files can be made: \(fileSystem.name)\(free).")]
        + texts.trial(file) + [direct(file, texts), texts.flush(fileSystem, buffered: false)]
    } catch {
      return [
        texts.finding(
          "open", "folder", .missing, "no file can be made in it: \(error).",
          remedy: "give the user of nvmed the right to write there; images that are there already can be named one by "
            + "one")
      ]
    }
  }

  private func direct(_ file: borrowing TrialFile, _ texts: StorageFindings) -> Finding {
    do throws(ImageError) {
      return texts.direct(try file.image(name: path).alignment)
    } catch {
      return texts.finding(
        "direct", "O_DIRECT", .limited, "\(error.reason.problem).",
        remedy: error.reason.remedy ?? "set cache = \"buffered\"")
    }
  }
}
