import ArgumentParser

/// `nvmed-bench fetches`: has the I/O path read every kind of structure in guest memory once.
struct FetchBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetches",
    abstract: "Has the I/O path fetch one command of each kind, and prints which words of guest memory that takes.",
    discussion: """
      Commands, PRP lists and SGL segments lie at addresses that no other part of the process uses, and each is used \
      once. scripts/double-fetch traces every load of the process, and shows that none of these words is loaded again.
      """)

  func run() throws {
    for range in try FetchRun().run() { print(range) }
  }
}
