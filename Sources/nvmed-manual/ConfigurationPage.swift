import Daemon

/// nvmed.toml(5), from the schema that checks a file.
struct ConfigurationPage {
  /// The other pages, with their sections.
  let others: [(name: String, section: Int)]

  static let name = "nvmed.toml"

  func text(date: String, source: String) -> String {
    var page = Mdoc(title: ConfigurationPage.name, section: 5, date: date, source: source)
    page.macro("Sh", "NAME")
    page.macro("Nm", ConfigurationPage.name)
    page.macro("Nd", "configuration of nvmed")
    page.macro("Sh", "DESCRIPTION")
    page.paragraphs(
      """
      The file is TOML 1.0 in UTF-8, of at most 1 MiB. It has one table for the process and one for each controller, with
      the controller's namespaces in it. \(ConfigurationSchema.conventions)

      A file with an error is refused as a whole: each error is told with its line and what to write instead.
      """)
    for table in ConfigurationSchema.tables {
      page.macro("Ss", table.header)
      page.paragraphs(table.meaning)
      page.macro("Bl", "-tag", "-width", "Ds")
      for key in table.keys {
        page.macro("It", "Va", key.key)
        page.paragraphs("\(key.meaning)\n\n\(key.values)")
      }
      page.macro("El")
    }
    page.macro("Sh", "FILES")
    page.macro("Bl", "-tag", "-width", "Ds")
    page.macro("It", "Pa", "/etc/nvmed/nvmed.toml")
    page.paragraphs("The file that the service reads.")
    page.macro("El")
    page.macro("Sh", "EXAMPLES")
    page.paragraphs("One controller with one image:\n\n\(ConfigurationPage.example)")
    page.macro("Sh", "SEE ALSO")
    for (index, other) in others.enumerated() {
      page.line(".Xr \(other.name) \(other.section)" + (index < others.count - 1 ? " ," : ""))
    }
    return page.text
  }

  /// The tables and keys that the example file sets.
  private static var example: String {
    ConfigurationSchema.tables.filter { $0.keys.contains(where: \.isSetInExample) }.flatMap { table in
      ["  \(table.header)"] + table.keys.filter(\.isSetInExample).map { "  \($0.key) = \($0.example)" }
    }.joined(separator: "\n")
  }
}
