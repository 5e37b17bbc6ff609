import ArgumentParser
import Daemon
import FoundationEssentials

/// `nvmed-manual`: writes the manual pages of nvmed, for packages.
@main
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nvmed-manual",
    abstract: "Writes the manual pages of nvmed into a folder: one for each command, and nvmed.toml(5).",
    discussion: """
      Reads what the argument parser knows of the commands from standard input:

        nvmed --experimental-dump-help | nvmed-manual --date "November 21, 2026" man
      """)

  @Option(name: .long, help: "The date at the foot of the pages.")
  var date: String

  @Argument(help: "The folder; it has to be there.")
  var folder: String

  func run() throws {
    var input = ""
    while let line = readLine(strippingNewline: false) { input += line }
    let root = try JSONDecoder().decode(CommandHelp.self, from: Data(input.utf8)).command
    let commands = root.shownSubcommands
    let others =
      [(name: root.commandName, section: 1)]
      + commands.map { (name: "\(root.commandName)-\($0.commandName)", section: 1) }
      + [(name: ConfigurationPage.name, section: 5)]
    let source = "nvmed \(Daemon.version)"

    var pages = [
      "\(ConfigurationPage.name).5": ConfigurationPage(others: others.filter { $0.section != 5 })
        .text(date: date, source: source)
    ]
    var shown = [CommandPage(words: [root.commandName], command: root, others: others, listsSubcommands: true)]
    shown += commands.map { command in
      CommandPage(
        words: [root.commandName, command.commandName], command: command, others: others, listsSubcommands: false)
    }
    for page in shown { pages["\(page.name).1"] = page.text(date: date, source: source) }
    for (name, text) in pages { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
  }
}
