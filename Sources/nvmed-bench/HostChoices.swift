import ArgumentParser
import NVMeHost

/// How doorbells are rung.
enum DoorbellChoice: String, ExpressibleByArgument, CaseIterable {
  case slots, socket, posted, eventfds, page

  var mechanism: DoorbellMechanism {
    switch self {
    case .slots: .slots
    case .socket: .socket(posted: false)
    case .posted: .socket(posted: true)
    case .eventfds: .eventfds
    case .page: .mappedPage
    }
  }
}

/// How completions are noticed.
enum CompletionChoice: String, EnumerableFlag {
  case interrupt, poll

  static func help(for value: CompletionChoice) -> ArgumentHelp? {
    switch value {
    case .interrupt: "Sleep until the interrupt's eventfd is signalled."
    case .poll: "Look at the completion queue all the time."
    }
  }
}
