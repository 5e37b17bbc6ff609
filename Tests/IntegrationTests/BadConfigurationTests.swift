import Glibc
import LinuxIO
import Testing

/// Configurations that are wrong by what is on the host. Each is answered in one sentence with the file and the line, and
/// status 1, and leaves no socket behind.
@Suite struct BadConfigurationTests {
  /// A configuration of controllers, and what is said of it. FOLDER stands for the folder of the test.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// Shell commands that make what is there, in the folder.
    let setting: String
    let text: String
    let expected: String
    var testDescription: String { name }

    init(_ name: String, _ setting: String, _ text: String, _ expected: String) {
      self.name = name
      self.setting = setting
      self.text = text
      self.expected = expected
    }
  }

  /// One controller with these images, each in two lines; the first image is in line 5.
  private static func images(_ images: String..., more: String = "") -> String {
    "[[controller]]\nname = \"a\"\nsocket = \"a.sock\"\n"
      + images.map { "[[controller.namespace]]\nimage = \"\($0)\"\n" }.joined() + more
  }

  /// Two controllers without namespaces; the sockets are in lines 3 and 6.
  private static func sockets(_ first: String, _ second: String) -> String {
    "[[controller]]\nname = \"a\"\nsocket = \"\(first)\"\n[[controller]]\nname = \"b\"\nsocket = \"\(second)\"\n"
  }

  private static let create = "create it (for example: truncate -s 10G IMAGE) or correct the path"
  private static let needed = "a raw image file or a block device is needed"

  static let imageCases: [Case] = [
    Case("no image", "", images("x.img"), "5: controller.namespace.image: \"FOLDER/x.img\" does not exist; \(create)"),
    Case(
      "no folder of the image", "", images("none/x.img"),
      "5: controller.namespace.image: \"FOLDER/none/x.img\" does not exist; \(create)"),
    Case(
      "a file in the place of a folder", "truncate -s 1M f", images("f/x.img"),
      "5: controller.namespace.image: \"FOLDER/f/x.img\" does not exist; \(create)"),
    Case(
      "a link to nothing", "ln -s none x.img", images("x.img"),
      "5: controller.namespace.image: \"FOLDER/x.img\" does not exist; \(create)"),
    Case(
      "links in a circle", "ln -s y.img x.img; ln -s x.img y.img", images("x.img"),
      "5: controller.namespace.image: \"FOLDER/x.img\" is a symbolic link that leads back to itself; correct the path"),
    Case(
      "a name too long", "", images(String(repeating: "n", count: 256)),
      "5: controller.namespace.image: \"FOLDER/NAME\" has a part of more than 255 bytes; correct the path"),
    Case(
      "a folder", "mkdir x.img", images("x.img"),
      "5: controller.namespace.image: \"FOLDER/x.img\" is a directory; \(needed)"),
    Case(
      "a pipe", "mkfifo x.img", images("x.img"), "5: controller.namespace.image: \"FOLDER/x.img\" is a pipe; \(needed)"),
    Case(
      "a device of characters", "", images("/dev/null"),
      "5: controller.namespace.image: \"/dev/null\" is a character device; \(needed)"),
    Case(
      "an empty image", ": > x.img", images("x.img"),
      "5: controller.namespace.image: \"FOLDER/x.img\" is 0 bytes long, less than one block of 512; "
        + "grow it (truncate -s SIZE IMAGE)"),
    Case(
      "less than a block", "truncate -s 4095 x.img", images("x.img", more: "block_size = 4096\n"),
      "5: controller.namespace.image: \"FOLDER/x.img\" is 4095 bytes long, less than one block of 4096; "
        + "grow it (truncate -s SIZE IMAGE)"),
    Case(
      "one image by its path and another", "truncate -s 1M x.img", images("x.img", "./x.img"),
      "7: controller.namespace.image: \"FOLDER/x.img\" is that of namespace 1 of controller \"a\" in line 5 too; "
        + "use another image, or write read_only = true in both"),
    Case(
      "one image by a symbolic link", "truncate -s 1M x.img; ln -s x.img y.img", images("x.img", "y.img"),
      "7: controller.namespace.image: \"FOLDER/y.img\" is the same file as \"FOLDER/x.img\" of namespace 1 of "
        + "controller \"a\" in line 5; use another image, or write read_only = true in both"),
    Case(
      "one image by a hard link", "truncate -s 1M x.img; ln x.img y.img", images("x.img", "y.img"),
      "7: controller.namespace.image: \"FOLDER/y.img\" is the same file as \"FOLDER/x.img\" of namespace 1 of "
        + "controller \"a\" in line 5; use another image, or write read_only = true in both"),
    Case(
      "one image through a link to its folder", "mkdir d; truncate -s 1M d/x.img; ln -s d e",
      images("d/x.img", "e/x.img"),
      "7: controller.namespace.image: \"FOLDER/e/x.img\" is the same file as \"FOLDER/d/x.img\" of namespace 1 of "
        + "controller \"a\" in line 5; use another image, or write read_only = true in both"),
    Case(
      "one image up and down", "mkdir d; truncate -s 1M x.img", images("x.img", "d/../x.img"),
      "7: controller.namespace.image: \"FOLDER/d/../x.img\" is the same file as \"FOLDER/x.img\" of namespace 1 of "
        + "controller \"a\" in line 5; use another image, or write read_only = true in both"),
    Case(
      "a reader of an image that is written to", "truncate -s 1M x.img; ln x.img y.img",
      images("x.img", "y.img", more: "read_only = true\n"),
      "7: controller.namespace.image: \"FOLDER/y.img\" is the same file as \"FOLDER/x.img\" of namespace 1 of "
        + "controller \"a\" in line 5; use another image, or write read_only = true in both"),
  ]

  static let socketCases: [Case] = [
    Case(
      "no folder of a socket", "", sockets("a.sock", "none/b.sock"),
      "6: controller.socket: \"FOLDER/none/b.sock\" is in a folder that does not exist; mkdir -p FOLDER/none"),
    Case(
      "a file in the place of the folder", "truncate -s 1 f", sockets("a.sock", "f/b.sock"),
      "6: controller.socket: \"FOLDER/f/b.sock\" is in \"FOLDER/f\", which is no folder; correct the path"),
    Case(
      "a file in the place of the socket", "truncate -s 1 b.sock", sockets("a.sock", "b.sock"),
      "6: controller.socket: \"FOLDER/b.sock\" is there and is no socket; choose another path, or remove it"),
    Case(
      "a folder in the place of the socket", "mkdir b.sock", sockets("a.sock", "b.sock"),
      "6: controller.socket: \"FOLDER/b.sock\" is there and is no socket; choose another path, or remove it"),
    Case(
      "a pipe in the place of the socket", "mkfifo b.sock", sockets("a.sock", "b.sock"),
      "6: controller.socket: \"FOLDER/b.sock\" is there and is no socket; choose another path, or remove it"),
    Case(
      "one socket by two paths", "", sockets("a.sock", "./a.sock"),
      "6: controller.socket: \"FOLDER/a.sock\" is that of controller \"a\" in line 3 too; "
        + "write a different socket for each controller"),
    Case(
      "one socket through a link to its folder", "mkdir d; ln -s d e", sockets("d/x.sock", "e/x.sock"),
      "6: controller.socket: \"FOLDER/e/x.sock\" is the same as \"FOLDER/d/x.sock\" of controller \"a\" in line 3; "
        + "write a different path for each socket"),
    Case(
      "a control socket through a link to the folder", "mkdir d; ln -s d e",
      "[daemon]\ncontrol_socket = \"d/x.sock\"\n" + sockets("e/x.sock", "b.sock"),
      "5: controller.socket: \"FOLDER/e/x.sock\" is the same as \"FOLDER/d/x.sock\" of the control socket in line 2; "
        + "write a different path for each socket"),
    Case(
      "a socket of metrics without a folder", "", "[metrics]\nlisten = \"unix:FOLDER/none/x.sock\"\n",
      "2: metrics.listen: \"FOLDER/none/x.sock\" is in a folder that does not exist; mkdir -p FOLDER/none"),
    Case(
      "a socket of metrics through a link to the folder", "mkdir d; ln -s d e",
      "[metrics]\nlisten = \"unix:FOLDER/d/x.sock\"\n" + sockets("e/x.sock", "b.sock"),
      "5: controller.socket: \"FOLDER/e/x.sock\" is the same as \"FOLDER/d/x.sock\" of the socket of the metrics "
        + "in line 2; write a different path for each socket"),
    Case(
      "no folder of the control socket", "", "[daemon]\ncontrol_socket = \"none/x.sock\"\n",
      "2: daemon.control_socket: \"FOLDER/none/x.sock\" is in a folder that does not exist; mkdir -p FOLDER/none"),
    Case(
      "a socket that is an image", "truncate -s 1M x.img", images("x.img").replacing("a.sock", with: "x.img"),
      "3: controller.socket: \"FOLDER/x.img\" is there and is no socket; choose another path, or remove it"),
  ]

  /// As a user without rights.
  static let rightsCases: [Case] = [
    Case(
      "an image of another user", "truncate -s 1M x.img; chmod 0 x.img", images("x.img"),
      "5: controller.namespace.image: \"FOLDER/x.img\" must not be opened by this user; "
        + "give the daemon's user the right to read and write it, or set read_only = true"),
    Case(
      "an image that may be read", "truncate -s 1M x.img; chmod 444 x.img", images("x.img"),
      "5: controller.namespace.image: \"FOLDER/x.img\" must not be opened by this user; "
        + "give the daemon's user the right to read and write it, or set read_only = true"),
    Case(
      "an image that may not even be read", "truncate -s 1M x.img; chmod 0 x.img",
      images("x.img", more: "read_only = true\n"),
      "5: controller.namespace.image: \"FOLDER/x.img\" must not be opened by this user; "
        + "give the daemon's user the right to read it"),
    Case(
      "an image in a closed folder", "mkdir d; truncate -s 1M d/x.img; chmod 0 d", images("d/x.img"),
      "5: controller.namespace.image: \"FOLDER/d/x.img\" must not be opened by this user; "
        + "give the daemon's user the right to read and write it, or set read_only = true"),
    Case(
      "a socket in a folder of another user", "mkdir d; chmod 555 d", sockets("a.sock", "d/b.sock"),
      "6: controller.socket: \"FOLDER/d/b.sock\" is in a folder that this user must not write to; "
        + "give it the right, or choose another path"),
    Case(
      "a socket in a closed folder", "mkdir d d/e; chmod 0 d", sockets("a.sock", "d/e/b.sock"),
      "6: controller.socket: \"FOLDER/d/e/b.sock\" is in a folder that cannot be reached: Permission denied; "
        + "correct the path or its rights"),
  ]

  @Test(arguments: imageCases + socketCases) func saysWhatIsWrong(_ bad: Case) throws {
    try check(bad) { arguments in (DaemonProcess.binary, arguments) }
  }

  @Test(.enabled(if: canBeAUser), arguments: rightsCases) func saysWhatAUserMustNot(_ bad: Case) throws {
    try check(bad) { arguments in
      geteuid() == 0
        ? (BadConfigurationTests.asUser.program, BadConfigurationTests.asUser.arguments + arguments)
        : (DaemonProcess.binary, arguments)
    }
  }

  /// `serve` and `check-config --files` say the same.
  private func check(_ bad: Case, _ command: ([String]) -> (String, [String])) throws {
    let folder = try TestFolder()
    defer { _ = try? runShell("chmod -R u+rwX . && rm -rf ./*", in: folder.path) }
    try runShell("chmod 777 . && \(bad.setting.isEmpty ? ":" : bad.setting)", in: folder.path)
    let path = try folder.text("nvmed.toml", bad.text.replacing("FOLDER", with: folder.path))
    chmod(path, 0o644)
    let name = String(repeating: "n", count: 256)
    let expected = bad.expected.replacing("NAME", with: name).replacing("FOLDER", with: folder.path)
    for arguments in [["serve", "--config", path], ["check-config", "--files", path]] {
      let (program, words) = command(arguments)
      let process = try DaemonProcess(words, program: program)
      let end = try process.awaitEnd()
      #expect(end == .exit(1))
      #expect(process.log.text == "Error: \(path):\(expected)\n")
    }
    // The text itself is right, but where one path is written twice.
    let (end, _) = try runToEnd(["check-config", path])
    #expect(end == .exit(bad.expected.contains("too;") ? 1 : 0))
    let sockets = try runShell("find . -type s", in: folder.path)
    #expect(sockets == "", "left behind: \(sockets)")
  }

  /// An image that somebody handed over, and its path.
  @Test func findsAnInheritedImageAgain() throws {
    let folder = try TestFolder()
    let image = try folder.image("x.img", byteCount: 1 << 20)
    let descriptor = try FileDescriptor(path: image.path, flags: O_RDWR)
    let path = try folder.text("nvmed.toml", BadConfigurationTests.images("x.img", "/proc/self/fd/9"))
    let process = try DaemonProcess(["serve", "--config", path], handover: [(descriptor.rawValue, 9)])
    #expect(try process.awaitEnd() == .exit(1))
    #expect(
      process.log.text
        == "Error: \(path):7: controller.namespace.image: \"/proc/self/fd/9\" is the same file as \"\(image.path)\" of "
        + "namespace 1 of controller \"a\" in line 5; use another image, or write read_only = true in both\n")
    #expect(access(folder.file("a.sock"), F_OK) == -1)
  }

  /// What shows only when it is opened: the first controller could be served, the second one's image is taken.
  @Test func takesBackWhatItHasBegun() throws {
    let served = try ServedController()
    let folder = served.folder
    _ = try folder.image("free.img", byteCount: 1 << 20)
    let path = try folder.text(
      "nvmed.toml",
      """
      [[controller]]
      name = "a"
      socket = "a.sock"
      namespace = [{ image = "free.img" }]
      [[controller]]
      name = "b"
      socket = "b.sock"
      namespace = [{ image = "\(served.images[0].path)" }]
      """)
    let (end, text) = try runToEnd(["serve", "--config", path])
    #expect(end == .exit(1))
    #expect(text.contains("is in use by another process"), "it says: \(text)")
    #expect(access(folder.file("a.sock"), F_OK) == -1 && access(folder.file("b.sock"), F_OK) == -1)
    // A socket that is taken, the same.
    let socket = try folder.text("nvmed.toml", BadConfigurationTests.sockets("a.sock", served.socketPath))
    let (second, words) = try runToEnd(["serve", "--config", socket])
    #expect(second == .exit(1))
    #expect(words.contains("\(served.socketPath): another process listens there"), "it says: \(words)")
    #expect(access(folder.file("a.sock"), F_OK) == -1)
    try served.daemon.terminate()
  }

  /// In a mount namespace of its own.
  @Test(.enabled(if: canMount)) func saysWhatAReadOnlyOrFullFilesystemIsNotFor() throws {
    let folder = try TestFolder()
    _ = try folder.image("x.img", byteCount: 1 << 20)
    for name in ["readonly", "full"] { mkdir(folder.file(name), 0o755) }
    let mounts = """
      mount -t tmpfs -o size=64k tmpfs readonly && truncate -s 16k readonly/x.img && mount -o remount,ro readonly &&
      mount -t tmpfs -o nr_inodes=1 tmpfs full
      """
    for (text, expected) in [
      (
        BadConfigurationTests.images("readonly/x.img"),
        ":5: controller.namespace.image: \"\(folder.path)/readonly/x.img\" is on a read-only filesystem; "
          + "set read_only = true, or make it writable\n"
      ),
      (
        BadConfigurationTests.sockets("a.sock", "readonly/b.sock"),
        ":6: controller.socket: \"\(folder.path)/readonly/b.sock\" is on a read-only filesystem; choose another path\n"
      ),
      (BadConfigurationTests.sockets("a.sock", "full/b.sock"), "\(folder.path)/full/b.sock: No space left on device"),
    ] {
      let path = try folder.text("nvmed.toml", text)
      let process = try DaemonProcess(
        ["-rm", "sh", "-c", "cd \"$1\" && \(mounts) && shift && exec \"$@\"", "sh", folder.path]
          + [DaemonProcess.binary, "serve", "--config", path], program: "/usr/bin/unshare")
      #expect(try process.awaitEnd() == .exit(1))
      #expect(process.log.text.contains(expected), "it says: \(process.log.text)")
      #expect(access(folder.file("a.sock"), F_OK) == -1, "a socket was left behind")
    }
  }

  /// Runs the daemon as a user without rights, from root.
  static let asUser = (
    program: "/usr/bin/setpriv",
    arguments: ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--", DaemonProcess.binary]
  )

  /// Whether a user without rights can run what was built: its folder may be root's alone.
  static let canBeAUser: Bool = {
    if geteuid() != 0 { return true }
    guard let process = try? DaemonProcess(asUser.arguments + ["--version"], program: asUser.program) else {
      return false
    }
    return (try? process.awaitEnd()) == .exit(0)
  }()

  static let canMount: Bool = {
    guard
      let process = try? DaemonProcess(
        ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], program: "/usr/bin/unshare")
    else { return false }
    return (try? process.awaitEnd()) == .exit(0)
  }()
}

/// Runs a shell command in a folder: what it printed.
@discardableResult
private func runShell(_ command: String, in folder: String) throws -> String {
  let process = try DaemonProcess(["-c", "cd \"$1\" && \(command)", "sh", folder], program: "/bin/sh")
  guard try process.awaitEnd() == .exit(0) else { throw TestFailure("\(command): \(process.log.text)") }
  return process.log.text
}
