import Glibc
import LinuxIO
import Testing

/// The manual pages: made of what the commands and the configuration schema say of themselves.
@Suite struct ManualTests {
  private let folder: TestFolder
  private let pages: [String]

  init() throws {
    folder = try TestFolder()
    let command = "\"$1\" --experimental-dump-help | \"$2\" --date 'November 21, 2026' \"$3\" && ls \"$3\""
    let process = try DaemonProcess(
      ["-c", command, "sh", DaemonProcess.binary, "\(binaryFolder ?? ".")/nvmed-manual", folder.path],
      program: "/bin/sh")
    let end = try process.awaitEnd()
    #expect(end == .exit(0), "it says: \(process.log.text)")
    pages = process.log.text.split(separator: "\n").map(String.init)
  }

  private func page(_ name: String) throws -> String {
    let file = try FileDescriptor(path: folder.file(name), flags: O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: 1 << 18)
    let count = read(file.rawValue, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// A page as a reader sees its text, in one line.
  private func plain(_ page: String) -> String {
    page.replacing("\\-", with: "-").replacing("\\(dq", with: "\"").replacing("\\e", with: "\\").replacing(
      "\\&", with: ""
    )
    .split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  @Test func everyCommandHasAPage() throws {
    let (_, help) = try runToEnd(["--help"])
    // The list of subcommands: two spaces, the name, its abstract.
    let commands = help.split(separator: "\n").drop { !$0.hasPrefix("SUBCOMMANDS:") }.dropFirst()
      .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.hasPrefix("  See ") }
      .compactMap { $0.split(separator: " ").first }
    #expect(commands.contains("serve") && commands.contains("doctor"))
    #expect(pages.sorted() == (["nvmed.1", "nvmed.toml.5"] + commands.map { "nvmed-\($0).1" }).sorted())
    for command in commands {
      let overview = plain(try page("nvmed.1"))
      #expect(overview.contains(".It Cm \(command) "), "\(command) is not in nvmed(1)")
    }
  }

  @Test func aPageHasTheOptionsOfItsCommand() throws {
    let serve = plain(try page("nvmed-serve.1"))
    #expect(serve.contains(".It Fl -socket-path Ar socket-path Path of the vfio-user socket to listen on."))
    #expect(serve.contains(".Op Fl -image Ar image No ..."))
    #expect(serve.contains(".Bd -literal -offset indent nvmed serve --socket-path /run/vm1.sock --image /srv/vm1.img"))
    #expect(serve.contains(".Xr nvmed.toml 5"))
  }

  /// Each key and each sentence of the example file, which the repository has as config/nvmed.toml.
  @Test func theManualSaysWhatTheExampleFileSays() throws {
    let manual = plain(try page("nvmed.toml.5"))
    let (end, example) = try runToEnd(["example-config"])
    #expect(end == .exit(0))
    var comment: [Substring] = []
    var keys = 0
    for line in example.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("# ") {
        comment.append(line.dropFirst(2))
        continue
      }
      let name = line.drop { $0 == "#" }.prefix { $0 != " " && $0 != "=" }
      if line.contains(" = ") {
        let sentences = comment.joined(separator: " ").replacing(". Write ", with: ". .Pp Write ")
        #expect(manual.contains(".It Va \(name) \(sentences)"), "\(name)")
        keys += 1
      } else if line.hasPrefix("[") {
        #expect(manual.contains(".Ss \(name) \(comment.joined(separator: " "))"), "\(name)")
      }
      comment = []
    }
    #expect(keys > 20)
    #expect(manual.components(of: ".It Va ") == keys)
  }

  /// groff finds nothing to warn of.
  @Test(.enabled(if: access("/usr/bin/groff", X_OK) == 0)) func roffTakesThePages() throws {
    for page in pages {
      let process = try DaemonProcess(
        ["-mdoc", "-ww", "-Tutf8", "-z", folder.file(page)], program: "/usr/bin/groff")
      #expect(try process.awaitEnd() == .exit(0))
      #expect(process.log.text == "", "\(page): \(process.log.text)")
    }
  }
}

extension String {
  fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
