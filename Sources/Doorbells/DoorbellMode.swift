/// How the client of a controller may ring its doorbells. Messages over the socket are understood in every mode.
public enum DoorbellMode: String, Sendable, CaseIterable {
  /// By slots with eventfds (POST_WRITE ioeventfds), for clients that ask for them. An idle controller costs nothing.
  case ioeventfd
  /// By storing into a page that the client maps in place of the registers. Nothing announces a store, so an I/O thread
  /// looks at the page all the time: latency bought with a core.
  case poll
}
