/// What `nvmed --experimental-dump-help` prints: the commands as the argument parser knows them.
struct CommandHelp: Decodable {
  let command: Command

  /// A command, or one of its subcommands.
  struct Command: Decodable {
    let commandName: String
    let abstract: String?
    let discussion: String?
    let shouldDisplay: Bool?
    let subcommands: [Command]?
    let arguments: [Argument]?

    /// The subcommands that are for users. The parser's own `help` has no page.
    var shownSubcommands: [Command] {
      (subcommands ?? []).filter { $0.shouldDisplay ?? true && $0.commandName != "help" }
    }

    /// The options and arguments that are for users.
    var shownArguments: [Argument] { (arguments ?? []).filter(\.shouldDisplay) }
  }

  /// An option, a flag or an argument.
  struct Argument: Decodable {
    let kind: Kind
    let shouldDisplay: Bool
    let isOptional: Bool
    let isRepeating: Bool
    let names: [Name]?
    let preferredName: Name?
    let valueName: String?
    let defaultValue: String?
    let abstract: String?
    let discussion: String?

    enum Kind: String, Decodable {
      case positional, option, flag
    }

    struct Name: Decodable {
      let kind: String
      let name: String

      /// As it is written behind the first hyphen, which mdoc writes itself.
      var afterHyphen: String { kind == "long" ? "-\(name)" : name }
    }
  }
}
