/// The page of a command; those of its subcommands that have no page of their own are in it.
struct CommandPage {
  /// The words of the command line: "nvmed", "serve".
  let words: [String]
  let command: CommandHelp.Command
  /// The other pages, with their sections.
  let others: [(name: String, section: Int)]
  /// Whether the subcommands have pages of their own.
  let listsSubcommands: Bool

  /// What the page is called: "nvmed-serve".
  var name: String { words.joined(separator: "-") }

  func text(date: String, source: String) -> String {
    var page = Mdoc(title: name, section: 1, date: date, source: source)
    page.macro("Sh", "NAME")
    page.macro("Nm", Mdoc.escape(name))
    page.line(".Nd \(Mdoc.escape(CommandPage.title(command.abstract)))")
    page.macro("Sh", "SYNOPSIS")
    synopsis(words, command, &page)
    for nested in nestedCommands { synopsis(nested.words, nested.command, &page) }
    page.macro("Sh", "DESCRIPTION")
    describe(command, &page)
    if listsSubcommands {
      page.macro("Sh", "COMMANDS")
      page.macro("Bl", "-tag", "-width", "Ds")
      for subcommand in command.shownSubcommands {
        page.macro("It", "Cm", Mdoc.escape(subcommand.commandName))
        page.paragraphs(subcommand.abstract ?? "")
      }
      page.macro("El")
    }
    page.macro("Sh", "OPTIONS")
    options(command.shownArguments, &page)
    if !nestedCommands.isEmpty {
      page.macro("Sh", "COMMANDS")
      for nested in nestedCommands {
        page.line(".Ss \(Mdoc.escape(nested.words.joined(separator: " ")))")
        describe(nested.command, &page)
        options(nested.command.shownArguments.filter(\.isOwn), &page)
      }
    }
    if command.discussion?.contains("Exit status") != true { exitStatus(&page) }
    page.macro("Sh", "SEE ALSO")
    let seen = others.filter { $0.name != name }
    for (index, other) in seen.enumerated() {
      page.line(".Xr \(other.name) \(other.section)" + (index < seen.count - 1 ? " ," : ""))
    }
    return page.text
  }

  /// The commands that do something below this one, where they have no pages of their own, at any depth.
  private var nestedCommands: [(words: [String], command: CommandHelp.Command)] {
    func leaves(_ words: [String], _ command: CommandHelp.Command) -> [(words: [String], command: CommandHelp.Command)]
    {
      command.shownSubcommands.flatMap { subcommand in
        let words = words + [subcommand.commandName]
        return subcommand.shownSubcommands.isEmpty ? [(words, subcommand)] : leaves(words, subcommand)
      }
    }
    return listsSubcommands ? [] : leaves(words, command)
  }

  /// What holds for commands that say nothing else.
  private func exitStatus(_ page: inout Mdoc) {
    page.macro("Sh", "EXIT STATUS")
    page.macro("Bl", "-tag", "-width", "Ds")
    for (status, meaning) in [
      ("0", "All is well."), ("1", "It could not be done; standard error says why and what to do."),
      ("64", "Wrong usage: an unknown option, or a value that it cannot have."),
    ] {
      page.macro("It", status)
      page.paragraphs(meaning)
    }
    page.macro("El")
  }

  /// An abstract as the title of a page: in lower case, without its full stop.
  private static func title(_ abstract: String?) -> String {
    guard let abstract, let first = abstract.first else { return "part of nvmed" }
    let whole = first.lowercased() + abstract.dropFirst()
    return whole.hasSuffix(".") ? String(whole.dropLast()) : whole
  }

  private func describe(_ command: CommandHelp.Command, _ page: inout Mdoc) {
    page.paragraphs([command.abstract, command.discussion].compactMap { $0 }.joined(separator: "\n\n"))
  }

  // MARK: Options

  private func synopsis(_ words: [String], _ command: CommandHelp.Command, _ page: inout Mdoc) {
    // A group of commands does nothing by itself.
    guard listsSubcommands || command.shownSubcommands.isEmpty else { return }
    page.macro("Nm", Mdoc.escape(words.joined(separator: " ")))
    for argument in command.shownArguments where argument.isOwn {
      page.line(argument.isOptional ? ".Op \(argument.mdoc)" : ".\(argument.mdoc)")
    }
    if listsSubcommands { page.line(".Ar command") }
  }

  private func options(_ arguments: [CommandHelp.Argument], _ page: inout Mdoc) {
    guard !arguments.isEmpty else { return }
    page.macro("Bl", "-tag", "-width", "Ds")
    for argument in arguments {
      page.line(".It \(argument.mdocOfAllNames)")
      var help = argument.abstract ?? ""
      if let value = argument.defaultValue, !value.isEmpty { help += " Default: \(value)." }
      page.paragraphs(help)
      if let discussion = argument.discussion, !discussion.isEmpty {
        page.macro("Pp")
        page.paragraphs(discussion)
      }
    }
    page.macro("El")
  }
}

extension CommandHelp.Argument {
  /// Whether it is not one that every command has.
  var isOwn: Bool { names?.contains { ["help", "version"].contains($0.name) } != true }

  /// As the arguments of a macro: "Fl -config Ar file".
  var mdoc: String {
    guard kind != .positional, let preferredName else { return value }
    let flag = "Fl \(Mdoc.escape(preferredName.afterHyphen))"
    return (kind == .flag ? flag : "\(flag) \(value)") + (isRepeating && kind != .positional ? " No ..." : "")
  }

  /// The same with every name that it has: "Fl h , Fl -help".
  var mdocOfAllNames: String {
    guard kind != .positional, let names else { return value }
    let flags = names.map { "Fl \(Mdoc.escape($0.afterHyphen))" }.joined(separator: " , ")
    return kind == .flag ? flags : "\(flags) \(value)"
  }

  private var value: String {
    "Ar \(Mdoc.escape(valueName ?? "value"))" + (isRepeating && kind == .positional ? " No ..." : "")
  }
}
